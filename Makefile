# SPDX-License-Identifier: GPL-3.0-or-later
# vipann: `make` says what there is.

PREFIX ?= /usr/local
LV2DIR ?= $(PREFIX)/lib/lv2
DESTDIR ?=
CC ?= cc
CFLAGS ?= -O2 -g
LDFLAGS ?=
BUILD ?= build
FUZZ_SECONDS ?= 600
PKG_CONFIG ?= pkg-config

VERSION = 0.1.0
SO = libvipann.so.0
PACKAGES = fftw3f speexdsp jansson nettle
PROGRAM_PACKAGES = $(PACKAGES) sndfile

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion
STANDARD = -std=c11 -D_POSIX_C_SOURCE=200809L -ffp-contract=off
INCLUDES = -Iengine -Iengine/include -I. $(shell $(PKG_CONFIG) --cflags $(PROGRAM_PACKAGES) 2>/dev/null)
DEFINES = -DVIPANN_VERSION='"$(VERSION)"' # and for what knows where it is installed, VIPANN_PREFIX
FLAGS = $(CPPFLAGS) $(CFLAGS) $(STANDARD) $(WARNINGS) -fPIC -fvisibility=hidden $(DEFINES) $(INCLUDES)
# fftw3f_threads has no pkg-config file of its own; it makes planning safe when several engines are made at once.
LIBS = -Wl,--as-needed -lfftw3f_threads $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null) -lm -lpthread
PROGRAM_LIBS = $(LIBS) $(shell $(PKG_CONFIG) --libs $(PROGRAM_PACKAGES) $(CLIENT_PACKAGES) 2>/dev/null)

# Instruction sets belong to files, which are chosen at run time; elsewhere than on x86-64 such files are empty.
FAST = -O3
X86 = $(findstring x86_64,$(shell $(CC) -dumpmachine 2>/dev/null))
AVX2 = $(if $(X86),-mavx2 -mfma -mf16c -mbmi2)
AVX512 = $(if $(X86),$(AVX2) -mavx512f -mavx512bw -mavx512vl -mavx512dq)

# Man pages bear the day of what they are made of, not that of the build: two builds of one version are the same.
EPOCH = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md))
DATE = $(shell LC_ALL=C date -u -d @$(EPOCH) '+%B %-d, %Y')

objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $1))
programs = $(patsubst $1/%.c,$(BUILD)/tests/%,$(wildcard $1/$2.c))

ENGINE = $(call objects,engine/*.c engine/*/*.c)
COMMON = $(filter-out $(BUILD)/common/store%,$(call objects,common/*.c))
STORE = $(if $(HAVE_SQLITE),$(filter $(BUILD)/common/store%,$(call objects,common/*.c))) # of the program alone
PROGRAM = $(filter-out $(if $(HAVE_SQLITE),,%/events.o) $(if $(HAVE_NCURSES),,%/show.o),$(call objects,plugin/program/*.c plugin/report/*.c plugin/file/*.c plugin/live/*.c)) $(TOLD) $(STORE) $(JACK) $(PORTAUDIO) $(DISPLAY_TERM)
STREAM = $(call objects,plugin/stream/*.c plugin/out/midi.c)
TOLD = $(filter-out $(STREAM) $(if $(HAVE_LO),,%/osc.o) $(if $(HAVE_SQLITE),,%/record.o),$(call objects,plugin/out/*.c)) # for programs only: a plugin runs no commands
PRESET = $(call objects,presets/presets.c)
HELPERS = $(filter-out $(BUILD)/tests/unit/test_%,$(call objects,tests/unit/*.c))
TESTED = $(HELPERS) $(COMMON) $(STREAM) $(PRESET) $(LV2) $(filter-out %/main.o,$(PROGRAM)) # what a unit test may call besides the engine

# The clients of JACK and of PortAudio, where their headers are there.
HAVE_JACK := $(shell $(PKG_CONFIG) --exists jack 2>/dev/null && echo yes)
HAVE_PORTAUDIO := $(shell $(PKG_CONFIG) --exists portaudio-2.0 2>/dev/null && echo yes)
JACK = $(if $(HAVE_JACK),$(call objects,plugin/jack/*.c))
PORTAUDIO = $(if $(HAVE_PORTAUDIO),$(call objects,plugin/portaudio/*.c))
HAVE_LO := $(shell $(PKG_CONFIG) --exists liblo 2>/dev/null && echo yes)
HAVE_SQLITE := $(shell $(PKG_CONFIG) --exists sqlite3 2>/dev/null && echo yes)
# The display in a terminal, where ncurses for wide characters is there; what it shows is kept without it.
HAVE_NCURSES := $(shell $(PKG_CONFIG) --exists ncursesw 2>/dev/null && echo yes)
DISPLAY_TERM = $(if $(HAVE_NCURSES),$(call objects,ui/term/*.c),$(call objects,ui/term/board.c ui/term/layout.c))
CLIENTS = $(if $(HAVE_JACK),-DVIPANN_JACK) $(if $(HAVE_PORTAUDIO),-DVIPANN_PORTAUDIO) $(if $(HAVE_LO),-DVIPANN_LO) $(if $(HAVE_SQLITE),-DVIPANN_SQLITE) \
    $(if $(HAVE_NCURSES),-DVIPANN_TERM)
CLIENT_PACKAGES = $(if $(HAVE_JACK),jack) $(if $(HAVE_PORTAUDIO),portaudio-2.0) $(if $(HAVE_LO),liblo) $(if $(HAVE_SQLITE),sqlite3) $(if $(HAVE_NCURSES),ncursesw)

# The LV2 plugin, where the headers of LV2 are there; its tables and mailboxes need none.
HAVE_LV2 := $(shell $(PKG_CONFIG) --exists lv2 2>/dev/null && echo yes)
BUNDLE = $(BUILD)/bundles/vipann.lv2
BUNDLED = vipann-audioset-r22w16-drop.safetensors # VIP_DEFAULT_MODEL
LV2 = $(if $(HAVE_LV2),$(filter-out %/write_ttl.o,$(call objects,plugin/lv2/*.c)),$(call objects,plugin/lv2/ports.c plugin/lv2/mailbox.c))
BUNDLE_FILES = $(addprefix $(BUNDLE)/,vipann.so manifest.ttl vipann.ttl presets.ttl models/$(strip $(BUNDLED)))

PAGES = $(addprefix $(BUILD)/manual/,vipann.1 vipann-file.1 vipann-info.1 vipann-rules.5 $(if $(HAVE_SQLITE),vipann-events.1) $(if $(HAVE_JACK),vipann-jack.1) \
    $(if $(HAVE_PORTAUDIO),vipann-live.1 vipann-devices.1)) $(TRAIN_PAGES)
COMPLETION = $(BUILD)/manual/vipann.bash $(if $(HAVE_DNNL),$(BUILD)/manual/vipann-train.bash)
SERVICE = $(if $(HAVE_PORTAUDIO),$(BUILD)/vipann.service)
PRESETS = $(patsubst %,$(BUILD)/presets/%.conf,quick careful night fast midi)

UNIT = $(filter-out $(if $(HAVE_LV2),,$(BUILD)/tests/test_lv2_%) $(if $(HAVE_PORTAUDIO),,$(BUILD)/tests/test_portaudio_%) $(if $(HAVE_JACK),,$(BUILD)/tests/test_jack_%) $(if $(HAVE_LO),,$(BUILD)/tests/test_osc) $(if $(HAVE_SQLITE),,$(BUILD)/tests/test_store) $(if $(HAVE_NCURSES),,$(BUILD)/tests/test_term),$(call programs,tests/unit,test_*))
BENCH = $(filter-out $(if $(HAVE_LV2),,%/bench_run),$(call programs,tests/bench,*))
EVENTS = $(BUILD)/tests/make_scenes $(BUILD)/tests/score_events
OTHER = $(BUILD)/tests/test_vectors $(call programs,tests/data,*) $(EVENTS)
FUZZERS = $(call programs,tests/fuzz,fuzz_*)
# Hosts for the LV2 bundle, where lilv is there to read its description.
LILV = $(shell $(PKG_CONFIG) --cflags lilv-0 lv2 2>/dev/null)
HOSTS = $(if $(LILV),$(addprefix $(BUILD)/tests/,host check_rt sound_file same_answers tap.so))
# The trainer, where oneDNN's headers are there. One of its files knows OpenMP, whose threads oneDNN computes with.
HAVE_DNNL := $(wildcard /usr/include/dnnl.h /usr/include/oneapi/dnnl/dnnl.h)
TRAINER = $(if $(HAVE_DNNL),$(call objects,offline_trainer/*/*.c))
TRAINER_TESTS = $(if $(HAVE_DNNL),$(call programs,tests/trainer,test_*))
TRAINER_HELPERS = $(filter-out $(BUILD)/tests/trainer/test_%,$(call objects,tests/trainer/*.c))
TRAINER_LIBS = -ldnnl $(OPENMP)
TRAIN_COMMANDS = $(shell sed -n 's/^    {"\([a-z]*\)",.*/\1/p' offline_trainer/program/program.c)
TRAIN_PAGES = $(if $(HAVE_DNNL),$(addprefix $(BUILD)/manual/vipann-train,.1 $(TRAIN_COMMANDS:%=-%.1)))
OPENMP = $(if $(findstring clang,$(CC)),,-fopenmp)
# What plays to the client of JACK.
PLAYER = $(if $(HAVE_JACK),$(BUILD)/tests/jack_player)
# What feeds the display in a terminal.
TERM_PLAYER = $(if $(HAVE_NCURSES),$(BUILD)/tests/term_player)
# What the threads of JACK and PortAudio do, watched.
RT_CLIENTS = $(if $(HAVE_JACK),$(BUILD)/tests/check_rt_jack) $(if $(HAVE_PORTAUDIO),$(BUILD)/tests/check_rt_portaudio)
HOST = $(filter-out %/sound_file.o %/same_answers.o %/tap.o %/jack_player.o,$(call objects,tests/hosts/*.c))
THREADED = ring results engine_threads library hearing jobs stream stream_exchange live clips $(if $(HAVE_LV2),lv2_mailbox lv2_plugin) $(if $(HAVE_PORTAUDIO),portaudio_shared) $(if $(HAVE_JACK),jack_note_queue) # unit tests in which threads meet: run under the thread sanitizer too
# What an audio thread may enter, and what that calls; proved and watched by this compiler, where it is there.
REALTIME = $(ENGINE) $(STREAM) $(LV2) $(BUILD)/plugin/out/tape.o $(if $(HAVE_PORTAUDIO),$(BUILD)/plugin/portaudio/shared.o)
RTSAN ?= clang-22
WRAP = -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc

SOURCES = $(wildcard engine/*.c engine/*/*.c common/*.c plugin/*/*.c ui/*/*.c presets/*.c manual/*.c examples/*.c offline_trainer/*/*.c tests/*/*.c demo/*.c)
HEADERS = $(wildcard engine/*/*.h offline_trainer/*/*.h engine/include/vipann/*.h common/*.h plugin/*/*.h ui/*/*.h presets/*.h tests/*/*.h)

# Making FFTW's planner safe for threads leaves hooks in FFTW, which may outlive us in a host: so the library stays loaded.
STAY = -Wl,-z,nodelete

# Nothing may be missing from the shared library; sanitizers leave it to the program to bring their own.
WHOLE = $(if $(findstring -fsanitize,$(CFLAGS)),,-Wl,-z,defs)

Q = $(if $(V),,@echo '  $@';)# V=1 shows the commands


.PHONY: trainer help timing all demo test bench soak sanitize tsan lint format format-check check-house deps install uninstall clean
.PHONY: run-demo run-test check-hosts check-rt rtsan realtime fuzz fuzzers library program presets manual plugin programs needs FORCE
.DELETE_ON_ERROR:
.SECONDARY:

help: ## this list
	@echo 'vipann $(VERSION). Targets:'
	@sed -n 's/^\([a-z-]*\):.*## /  \1	/p' Makefile | expand -t 16
	@echo 'Variables: CC CFLAGS LDFLAGS PREFIX DESTDIR BUILD; V=1 shows the commands.'

all: library program trainer presets manual plugin ## the library, the program, the LV2 plugin and the manual, in build/

library: $(BUILD)/$(SO) $(BUILD)/libvipann.a $(BUILD)/vipann.pc
program: $(BUILD)/vipann $(SERVICE)
ifdef HAVE_DNNL
trainer: $(BUILD)/vipann-train
else
trainer:
	@echo 'No trainer: the headers of oneDNN are not there (Debian: libdnnl-dev). The rest is built.'
endif
presets: $(PRESETS)
manual: $(PAGES) $(COMPLETION)
ifdef HAVE_LV2
plugin: $(BUNDLE_FILES)
else
plugin:
	@echo 'No LV2 plugin: the headers of LV2 are not there (Debian: lv2-dev). The rest is built.'
endif

# --------------------------------------------------------------------------------------------------------- products

$(BUILD)/libvipann.a: $(ENGINE)
	$(Q)rm -f $@ && $(AR) rcs $@ $(ENGINE)

$(BUILD)/$(SO): $(ENGINE)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SO) $(STAY) $(WHOLE) -o $@ $(ENGINE) $(LIBS)

$(BUILD)/vipann: $(PROGRAM) $(STREAM) $(PRESET) $(COMMON) $(BUILD)/libvipann.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PROGRAM_LIBS)

$(BUILD)/vipann-train: $(TRAINER) $(COMMON) $(BUILD)/libvipann.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PROGRAM_LIBS) $(TRAINER_LIBS)

$(BUILD)/libtrainer.a: $(filter-out %/main.o,$(TRAINER))
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/vipann.pc: engine/vipann.pc.in
$(BUILD)/vipann.service: plugin/live/vipann.service.in
$(BUILD)/vipann.pc $(BUILD)/vipann.service: $(BUILD)/prefix
	$(Q)sed 's|@PREFIX@|$(PREFIX)|g; s|@VERSION@|$(VERSION)|' $(filter %.in,$^) > $@

# Man pages and completion are written by the tables of the commands; the page of a format is written by hand.
$(BUILD)/manual/write: $(BUILD)/manual/write.o $(BUILD)/manual/pages.o $(filter-out %/main.o,$(PROGRAM)) $(STREAM) $(PRESET) $(COMMON) $(BUILD)/libvipann.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PROGRAM_LIBS)

$(BUILD)/manual/write_train: $(BUILD)/manual/write_train.o $(BUILD)/manual/pages.o $(filter-out %/main.o,$(TRAINER)) $(COMMON) $(BUILD)/libvipann.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PROGRAM_LIBS) $(TRAINER_LIBS)

$(TRAIN_PAGES): $(BUILD)/manual/%.1: $(BUILD)/manual/write_train
	$(Q)$< man $* '$(DATE)' > $@

$(BUILD)/manual/%.1: $(BUILD)/manual/write
	$(Q)$< man $* '$(DATE)' > $@

$(BUILD)/manual/%.5: manual/%.5.in $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)sed 's|@DATE@|$(DATE)|; s|@VERSION@|$(VERSION)|' $< > $@

$(BUILD)/manual/vipann.bash: $(BUILD)/manual/write
$(BUILD)/manual/vipann-train.bash: $(BUILD)/manual/write_train
$(COMPLETION):
	$(Q)$< bash > $@

# Option files are written by the table that the presets of the plugin come from.
$(BUILD)/presets/write: $(BUILD)/presets/write.o $(PRESET)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(PRESETS): $(BUILD)/presets/%.conf: $(BUILD)/presets/write
	$(Q)$< $* > $@

# The description is written by the tables that the plugin is compiled from.
$(BUNDLE)/vipann.so: $(LV2) $(STREAM) $(PRESET) $(BUILD)/common/number.o $(BUILD)/common/clock.o $(BUILD)/libvipann.a plugin/lv2/exports.map
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared $(STAY) $(WHOLE) -Wl,--version-script=plugin/lv2/exports.map -o $@ $(filter %.o %.a,$^) $(LIBS)

$(BUILD)/plugin/lv2/write_ttl: $(BUILD)/plugin/lv2/write_ttl.o $(BUILD)/plugin/lv2/ports.o $(PRESET) $(BUILD)/libvipann.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUNDLE)/%.ttl: $(BUILD)/plugin/lv2/write_ttl
	@mkdir -p $(@D)
	$(Q)$< $* > $@

$(BUNDLE)/models/%: models/%
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(BUILD)/demo/scene: $(BUILD)/demo/scene.o $(BUILD)/libvipann.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PROGRAM_LIBS)

$(BUILD)/tests/libtested.a: $(TESTED)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(UNIT): $(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(BUILD)/tests/libtested.a $(BUILD)/libvipann.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(WRAP) -o $@ -Wl,--start-group $^ -Wl,--end-group -lcmocka $(PROGRAM_LIBS)

# The training network against the reference's gradients.
GRADIENTS = $(if $(HAVE_DNNL),$(BUILD)/tests/test_gradients)
$(GRADIENTS): $(BUILD)/tests/gradients/test_gradients.o $(BUILD)/tests/vectors/case.o $(BUILD)/libtrainer.a $(BUILD)/libvipann.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PROGRAM_LIBS) $(TRAINER_LIBS)

$(BUILD)/tests/libhelpers.a: $(TRAINER_HELPERS)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/tests/test_train_kl: $(BUILD)/tests/vectors/case.o
$(TRAINER_TESTS): $(BUILD)/tests/%: $(BUILD)/tests/trainer/%.o $(BUILD)/tests/libhelpers.a $(BUILD)/libtrainer.a $(BUILD)/tests/libtested.a $(BUILD)/libvipann.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ -Wl,--start-group $^ -Wl,--end-group -lcmocka $(PROGRAM_LIBS) $(TRAINER_LIBS)

$(BENCH): $(BUILD)/tests/%: $(BUILD)/tests/bench/%.o
$(BUILD)/tests/bench_latency: MORE = $(STREAM)
$(BUILD)/tests/bench_latency: $(STREAM)
$(BUILD)/tests/bench_run: MORE = $(BUILD)/plugin/lv2/ports.o
$(BUILD)/tests/bench_run: $(BUILD)/plugin/lv2/ports.o
$(BUILD)/tests/bench_streams: MORE = $(STREAM)
$(BUILD)/tests/bench_streams: $(STREAM)
$(BUILD)/tests/test_vectors: $(call objects,tests/vectors/*.c)
$(call programs,tests/data,*): $(BUILD)/tests/%: $(BUILD)/tests/data/%.o
$(EVENTS): $(BUILD)/tests/%: $(BUILD)/tests/events/%.o $(BUILD)/tests/events/scenes.o
$(BENCH) $(OTHER): $(COMMON) $(BUILD)/libvipann.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter $(BUILD)/tests/%,$^) $(MORE) $(COMMON) $(BUILD)/libvipann.a $(PROGRAM_LIBS)

$(BUILD)/tests/host: $(HOST)
# Libraries are to call what the program defines, so it is exported.
$(BUILD)/tests/check_rt: EXPORT = -rdynamic
$(BUILD)/tests/check_rt: $(filter-out %/check_rt_portaudio.o %/check_rt_jack.o,$(call objects,tests/rt/*.c)) $(STREAM) $(BUILD)/common/clock.o $(filter %/bundle.o %/rig.o %/rows.o,$(HOST))
$(BUILD)/tests/sound_file: $(BUILD)/tests/hosts/sound_file.o
$(BUILD)/tests/same_answers: $(filter %/account.o %/bundle.o %/rig.o %/rows.o,$(HOST)) $(BUILD)/tests/hosts/same_answers.o
$(BUILD)/tests/tap.so: EXPORT = -shared
$(BUILD)/tests/tap.so: $(BUILD)/tests/hosts/tap.o $(BUILD)/plugin/lv2/ports.o
$(HOSTS): $(BUILD)/libvipann.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(EXPORT) -o $@ -Wl,--start-group $^ -Wl,--end-group $(PROGRAM_LIBS) $(shell $(PKG_CONFIG) --libs lilv-0 2>/dev/null)

$(BUILD)/tests/check_rt_portaudio: $(call objects,tests/rt/check_rt_portaudio.c tests/rt/watch.c plugin/portaudio/shared.c) $(BUILD)/libvipann.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -rdynamic -o $@ $^ $(LIBS)

$(BUILD)/tests/jack_player: $(BUILD)/tests/hosts/jack_player.o
$(BUILD)/tests/term_player: $(BUILD)/tests/ui/term_player.o $(DISPLAY_TERM) $(COMMON) $(BUILD)/libvipann.a
$(BUILD)/tests/check_rt_jack: EXPORT = -rdynamic
$(BUILD)/tests/check_rt_jack: $(BUILD)/tests/rt/check_rt_jack.o $(BUILD)/tests/rt/watch.o $(filter-out %/main.o,$(PROGRAM)) $(STREAM) $(PRESET) $(COMMON) $(BUILD)/libvipann.a
$(PLAYER) $(TERM_PLAYER) $(BUILD)/tests/check_rt_jack:
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(EXPORT) -o $@ $^ $(PROGRAM_LIBS)

# The commands' tables of options are their own: fuzz_options catches them on their way to the parser.
$(BUILD)/tests/fuzz_options: INSTEAD = -Wl,--wrap=vip_options_parse
$(FUZZERS): $(call objects,tests/fuzz/fuzz.c tests/fuzz/mutate.c) $(BUILD)/tests/libtested.a
$(BUILD)/tests/fuzz_torch: $(call objects,offline_trainer/import/*.c offline_trainer/data/frontends.c offline_trainer/data/table.c)
$(BUILD)/tests/fuzz_training: $(filter-out %/feed.o %/feed_learn.o %/frames.o,$(call objects,offline_trainer/data/*.c)) $(BUILD)/offline_trainer/run/checkpoint.o
$(FUZZERS): FUZZER = -fsanitize=fuzzer

$(FUZZERS) $(BUILD)/tests/make_seeds: $(BUILD)/tests/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/libvipann.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(FUZZER) $(INSTEAD) -o $@ -Wl,--start-group $^ -Wl,--end-group $(PROGRAM_LIBS)

# ---------------------------------------------------------------------------------------------------------- objects

$(BUILD)/engine/kernels/%.o $(BUILD)/engine/nn/%.o: SPEED = $(FAST)
$(BUILD)/offline_trainer/%.o: SPEED = $(FAST)
$(BUILD)/offline_trainer/base/parallel.o: SPEED = $(FAST) $(OPENMP)
$(BUILD)/offline_trainer/grad/%_avx2.o: SPEED = $(FAST) $(AVX2)
$(BUILD)/engine/kernels/%_avx2.o: SPEED = $(FAST) $(AVX2) $(UNWATCHED)
$(BUILD)/engine/kernels/%_avx512.o: SPEED = $(FAST) $(AVX512) $(UNWATCHED)

$(call objects,tests/hosts/*.c tests/rt/*.c): private INCLUDES += $(LILV)

# The prefix belongs to few files: to install elsewhere than first thought does not build all anew.
$(PROGRAM) $(BUILD)/manual/write.o $(BUILD)/manual/write_train.o: private DEFINES += -DVIPANN_PREFIX='"$(PREFIX)"' $(CLIENTS) \
    $(if $(HAVE_DNNL),-DVIPANN_TRAINER)
$(PROGRAM) $(BUILD)/manual/write.o $(BUILD)/manual/write_train.o: $(BUILD)/prefix

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS) $(SPEED) -MMD -MP -c $< -o $@

-include $(patsubst %.c,$(BUILD)/%.d,$(SOURCES))

# These change only when what everything is built with changes, or where it goes.
$(BUILD)/flags: CONTENT = $(CC) $(FLAGS) $(LDFLAGS) $(FAST) $(UNWATCHED) $(PROGRAM_LIBS)
$(BUILD)/prefix: CONTENT = $(PREFIX) $(VERSION)
$(BUILD)/flags $(BUILD)/prefix: FORCE | needs
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(CONTENT))' > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# What a build needs is looked for first; only `deps`, `demo` and `test` install what is missing.
needs:
	@tools/deps $(if $(filter fuzz,$(MAKECMDGOALS)),fuzz,$(if $(filter deps demo test sanitize,$(MAKECMDGOALS)),install,check))

deps: needs ## installs what is needed to build and test (Debian; elsewhere says what it is)

# ----------------------------------------------------------------------------------------------------------- checks

# What has just been installed is seen by a make that begins afterwards.
demo: needs ## a scene of real sounds, heard by the shipped models, with their doubts
	@$(MAKE) --no-print-directory run-demo

run-demo: all $(BUILD)/demo/scene
	@demo/run $(BUILD)

programs: all $(UNIT) $(TRAINER_TESTS) $(GRADIENTS) $(BENCH) $(OTHER) $(HOSTS) $(PLAYER) $(TERM_PLAYER) $(RT_CLIENTS) $(BUILD)/demo/scene

test: needs ## everything that can be checked here; ends with one line of counts
	@$(MAKE) --no-print-directory run-test

run-test: programs
	@MAKE='$(MAKE)' CC='$(CC)' THREADED='$(strip $(THREADED))' FUZZ='$(FUZZ)' RTSAN='$(RTSAN)' tests/run $(BUILD)

sanitize: ## the same under the address and undefined-behaviour sanitizers, and a minute of fuzzing
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/sanitize THREADED= RTSAN= FUZZ=60 FAST=-O1 \
	    CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all' test

# Clang would take minutes to watch the fast kernels, which check_kernels proves.
fuzz: | needs ## hostile input for every reader, made up for FUZZ_SECONDS (600) in all
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang FAST=-O1 UNWATCHED='-fno-sanitize=all -O2' fuzzers \
	    CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'
	@tests/fuzz/run $(BUILD)/fuzz $(FUZZ_SECONDS)

fuzzers: $(FUZZERS) $(BUILD)/tests/make_seeds

tsan: ## the tests in which threads meet, under the thread sanitizer
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/tsan FAST='-O1 -g0' UNWATCHED='-fno-sanitize=all -O2' CFLAGS='-O1 -g -fsanitize=thread' \
	    $(addprefix $(BUILD)/tsan/tests/test_,$(THREADED))
	@tests/run $(BUILD)/tsan $(addprefix test_,$(THREADED))

check-hosts: all $(HOSTS) $(PLAYER) $(TERM_PLAYER) $(BUILD)/tests/make_tiny_model ## the plugin and the clients in hosts, ours and those that are installed
	@tests/run $(BUILD) hosts

check-rt: all $(HOSTS) $(RT_CLIENTS) $(BUILD)/tests/make_tiny_model ## that the audio thread never allocates, waits or calls the system
	@MAKE='$(MAKE)' RTSAN='$(RTSAN)' tests/run $(BUILD) rt

rtsan: | needs ## the same as clang proves it, and its real-time sanitizer sees it (RTSAN=clang-22)
	@tests/rt/effects $(RTSAN)
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/rtsan CC=$(RTSAN) FAST='-O1 -g0' UNWATCHED='-fno-sanitize=all -O2' CFLAGS='-O1 -g -fsanitize=realtime' \
	    WARNINGS='-Wfunction-effects -Werror=function-effects' realtime
	@tests/run $(BUILD)/rtsan check_rt

realtime: $(REALTIME) plugin $(HOSTS) $(RT_CLIENTS) $(BUILD)/tests/make_tiny_model

timing: program $(EVENTS) ## how well events are timed, in 100 scenes: a quarter of an hour
	@tests/events/timing $(BUILD) long

soak: program $(PLAYER) $(BUILD)/tests/make_tiny_model ## a day of sound, a thousand recordings, a hundred kills, ten minutes of JACK and a night of it: three quarters of an hour
	@tests/soak/run $(BUILD)
	@tests/soak/jack $(BUILD)
	@tests/soak/night $(BUILD)
	@KILLS=50 LIMIT=120 TINY=none VIPANN=$(BUILD)/vipann tests/hosts/jack.sh $(BUILD) 'killed at any moment'

bench: $(BENCH) program trainer plugin $(BUILD)/tests/make_tiny_model ## how fast it is here, beside the processor's peak and PyTorch; JSON lines
	@$(BUILD)/tests/bench_engine > $(BUILD)/bench.jsonl
	@tests/bench/bench_files $(BUILD) >> $(BUILD)/bench.jsonl
	@tests/bench/bench_live $(BUILD) >> $(BUILD)/bench.jsonl
	@tests/bench/bench_outputs $(BUILD) >> $(BUILD)/bench.jsonl
	@tests/bench/bench_train $(BUILD) >> $(BUILD)/bench.jsonl
	@$(BUILD)/tests/check_kernels --bench >> $(BUILD)/bench.jsonl
	@echo 'JSON lines: $(BUILD)/bench.jsonl'

lint: | needs ## what the compilers and clang-tidy or cppcheck object to
	@tools/lint $(filter-out $(if $(LILV),,tests/hosts/% tests/rt/%) $(if $(HAVE_LV2),,plugin/lv2/% tests/unit/test_lv2_%) $(if $(HAVE_PORTAUDIO),,plugin/portaudio/%) $(if $(HAVE_LO),,%/osc.c %/test_osc.c) $(if $(HAVE_NCURSES),,%/paint.c %/draw.c %/term.c %/test_term.c tests/ui/%),$(SOURCES)) -- $(FLAGS) -DVIPANN_PREFIX='"$(PREFIX)"' $(LILV) -Werror

format: ## lays out every source file
	clang-format -i $(SOURCES) $(HEADERS)

format-check: ## says which files are not laid out
	@clang-format --dry-run --Werror $(SOURCES) $(HEADERS)

check-house: all ## arrows between the rooms, foreign headers, exported symbols, READMEs
	@tools/check-house $(BUILD)
	@tools/check-docs

# ---------------------------------------------------------------------------------------------------------- install

MODELS = $(wildcard models/*.safetensors)
INSTALLED = $(DESTDIR)$(PREFIX)
EXAMPLES = $(wildcard examples/*)
INSTALLED_PROGRAMS = vipann $(if $(HAVE_DNNL),vipann-train)

install: all ## into PREFIX (default /usr/local), below DESTDIR
	install -d $(addprefix $(INSTALLED)/,bin include/vipann lib/pkgconfig share/vipann/models share/vipann/presets share/man/man1 share/man/man5 \
	    share/bash-completion/completions share/doc/vipann/examples)
	install -m 755 $(INSTALLED_PROGRAMS:%=$(BUILD)/%) $(INSTALLED)/bin
	install -m 644 engine/include/vipann/*.h $(INSTALLED)/include/vipann
	install -m 644 $(BUILD)/$(SO) $(BUILD)/libvipann.a $(INSTALLED)/lib
	ln -sf $(SO) $(INSTALLED)/lib/libvipann.so
	install -m 644 $(BUILD)/vipann.pc $(INSTALLED)/lib/pkgconfig
	install -m 644 $(filter %.1,$(PAGES)) $(INSTALLED)/share/man/man1
	install -m 644 $(filter %.5,$(PAGES)) $(INSTALLED)/share/man/man5
	for program in $(INSTALLED_PROGRAMS); do \
	    install -m 644 $(BUILD)/manual/$$program.bash $(INSTALLED)/share/bash-completion/completions/$$program || exit; done
	install -m 644 $(PRESETS) $(INSTALLED)/share/vipann/presets
	install -m 644 $(EXAMPLES) $(INSTALLED)/share/doc/vipann/examples
	$(if $(MODELS),install -m 644 $(MODELS) $(INSTALLED)/share/vipann/models)
	$(if $(SERVICE),install -d $(INSTALLED)/lib/systemd/user && install -m 644 $(SERVICE) $(INSTALLED)/lib/systemd/user)
ifdef HAVE_LV2
	install -d $(DESTDIR)$(LV2DIR)/vipann.lv2/models
	for file in $(BUNDLE_FILES:$(BUNDLE)/%=%); do install -m 644 $(BUNDLE)/$$file $(DESTDIR)$(LV2DIR)/vipann.lv2/$$file || exit; done
endif

# Folders of ours go if they are empty; those that others use stay.
uninstall: ## takes it away again, and nothing else
	rm -f $(addprefix $(INSTALLED)/,$(INSTALLED_PROGRAMS:%=bin/%) lib/$(SO) lib/libvipann.so lib/libvipann.a lib/pkgconfig/vipann.pc \
	    $(INSTALLED_PROGRAMS:%=share/bash-completion/completions/%) $(MODELS:%=share/vipann/%) $(PRESETS:$(BUILD)/%=share/vipann/%) $(SERVICE:$(BUILD)/%=lib/systemd/user/%) $(EXAMPLES:%=share/doc/vipann/%) \
	    $(foreach page,$(notdir $(PAGES)),share/man/man$(subst .,,$(suffix $(page)))/$(page)) \
	    $(patsubst engine/%,%,$(wildcard engine/include/vipann/*.h)))
	rm -f $(BUNDLE_FILES:$(BUNDLE)/%=$(DESTDIR)$(LV2DIR)/vipann.lv2/%)
	for folder in $(addprefix $(DESTDIR)$(LV2DIR)/vipann.lv2,/models /) $(addprefix $(INSTALLED)/,include/vipann share/vipann/models share/vipann/presets share/vipann share/doc/vipann/examples \
	    share/doc/vipann); do [ ! -d $$folder ] || rmdir --ignore-fail-on-non-empty $$folder; done

clean: ## removes what was built
	rm -rf $(BUILD)
