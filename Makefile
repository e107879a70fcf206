# SPDX-License-Identifier: GPL-3.0-or-later
# vipann: `make` says what there is.

PREFIX ?= /usr/local
DESTDIR ?=
CC ?= cc
CFLAGS ?= -O2 -g
LDFLAGS ?=
BUILD ?= build
PKG_CONFIG ?= pkg-config

VERSION = 0.1.0
SO = libvipann.so.0
PACKAGES = fftw3f samplerate jansson libmd
PROGRAM_PACKAGES = $(PACKAGES) sndfile

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion
STANDARD = -std=c11 -D_POSIX_C_SOURCE=200809L -ffp-contract=off
INCLUDES = -Iengine -Iengine/include -I. $(shell $(PKG_CONFIG) --cflags $(PROGRAM_PACKAGES) 2>/dev/null)
DEFINES = -DVIPANN_VERSION='"$(VERSION)"' -DVIPANN_PREFIX='"$(PREFIX)"'
FLAGS = $(CPPFLAGS) $(CFLAGS) $(STANDARD) $(WARNINGS) -fPIC -fvisibility=hidden $(DEFINES) $(INCLUDES)
# fftw3f_threads has no pkg-config file of its own; it makes planning safe when several engines are made at once.
LIBS = -Wl,--as-needed -lfftw3f_threads $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null) -lm -lpthread
PROGRAM_LIBS = $(LIBS) $(shell $(PKG_CONFIG) --libs $(PROGRAM_PACKAGES) 2>/dev/null)

# Instruction sets belong to files, which are chosen at run time; elsewhere than on x86-64 such files are empty.
FAST = -O3
X86 = $(findstring x86_64,$(shell $(CC) -dumpmachine 2>/dev/null))
AVX2 = $(if $(X86),-mavx2 -mfma -mf16c -mbmi2)
AVX512 = $(if $(X86),$(AVX2) -mavx512f -mavx512bw -mavx512vl -mavx512dq)

objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $1))
programs = $(patsubst $1/%.c,$(BUILD)/tests/%,$(wildcard $1/$2.c))

ENGINE = $(call objects,engine/*.c engine/*/*.c)
COMMON = $(call objects,common/*.c)
PROGRAM = $(call objects,plugin/file/*.c)
HELPERS = $(filter-out $(BUILD)/tests/unit/test_%,$(call objects,tests/unit/*.c))
TESTED = $(HELPERS) $(COMMON) $(filter-out %/main.o,$(PROGRAM)) # what a unit test may call besides the engine

UNIT = $(call programs,tests/unit,test_*)
BENCH = $(call programs,tests/bench,*)
OTHER = $(BUILD)/tests/test_vectors $(call programs,tests/data,*)
THREADED = ring results engine_threads library # unit tests in which threads meet: run under the thread sanitizer too
WRAP = -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc

SOURCES = $(wildcard engine/*.c engine/*/*.c common/*.c plugin/*/*.c tests/*/*.c demo/*.c)
HEADERS = $(wildcard engine/*/*.h engine/include/vipann/*.h common/*.h plugin/*/*.h tests/*/*.h)

# Making FFTW's planner safe for threads leaves hooks in FFTW, which may outlive us in a host: so the library stays loaded.
STAY = -Wl,-z,nodelete

# Nothing may be missing from the shared library; sanitizers leave it to the program to bring their own.
WHOLE = $(if $(findstring -fsanitize,$(CFLAGS)),,-Wl,-z,defs)

Q = $(if $(V),,@echo '  $@';)# V=1 shows the commands

.PHONY: help all demo test bench sanitize tsan lint format format-check check-house deps install uninstall clean
.PHONY: programs needs FORCE
.DELETE_ON_ERROR:
.SECONDARY:

help: ## this list
	@echo 'vipann $(VERSION). Targets:'
	@sed -n 's/^\([a-z-]*\):.*## /  \1	/p' Makefile | expand -t 16
	@echo 'Variables: CC CFLAGS LDFLAGS PREFIX DESTDIR BUILD; V=1 shows the commands.'

all: $(BUILD)/$(SO) $(BUILD)/libvipann.a $(BUILD)/vipann $(BUILD)/vipann.pc ## the library and the program, in build/

# --------------------------------------------------------------------------------------------------------- products

$(BUILD)/libvipann.a: $(ENGINE)
	$(Q)rm -f $@ && $(AR) rcs $@ $(ENGINE)

$(BUILD)/$(SO): $(ENGINE)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SO) $(STAY) $(WHOLE) -o $@ $(ENGINE) $(LIBS)

$(BUILD)/vipann: $(PROGRAM) $(COMMON) $(BUILD)/libvipann.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PROGRAM_LIBS)

$(BUILD)/vipann.pc: engine/vipann.pc.in $(BUILD)/flags
	$(Q)sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' $< > $@

$(BUILD)/demo/scene: $(BUILD)/demo/scene.o
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PROGRAM_LIBS)

$(BUILD)/tests/libtested.a: $(TESTED)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(UNIT): $(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(BUILD)/tests/libtested.a $(BUILD)/libvipann.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(WRAP) -o $@ -Wl,--start-group $^ -Wl,--end-group -lcmocka $(PROGRAM_LIBS)

$(BENCH): $(BUILD)/tests/%: $(BUILD)/tests/bench/%.o
$(BUILD)/tests/test_vectors: $(call objects,tests/vectors/*.c)
$(call programs,tests/data,*): $(BUILD)/tests/%: $(BUILD)/tests/data/%.o
$(BENCH) $(OTHER): $(COMMON) $(BUILD)/libvipann.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter $(BUILD)/tests/%,$^) $(COMMON) $(BUILD)/libvipann.a $(PROGRAM_LIBS)

# ---------------------------------------------------------------------------------------------------------- objects

$(BUILD)/engine/kernels/%.o $(BUILD)/engine/nn/%.o: SPEED = $(FAST)
$(BUILD)/engine/kernels/%_avx2.o: SPEED = $(FAST) $(AVX2)
$(BUILD)/engine/kernels/%_avx512.o: SPEED = $(FAST) $(AVX512)

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS) $(SPEED) -MMD -MP -c $< -o $@

-include $(patsubst %.c,$(BUILD)/%.d,$(SOURCES))

# Changes only when what everything is built with changes.
$(BUILD)/flags: FORCE | needs
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(CC) $(FLAGS) $(LDFLAGS) $(FAST) $(PROGRAM_LIBS))' > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# What a build needs is looked for first; only `deps`, `demo` and `test` install what is missing.
needs:
	@tools/deps $(if $(filter deps demo test sanitize,$(MAKECMDGOALS)),install,check)

deps: needs ## installs what is needed to build and test (Debian; elsewhere says what it is)

# ----------------------------------------------------------------------------------------------------------- checks

demo: all $(BUILD)/demo/scene ## a scene of real sounds, heard by the shipped models, with their doubts
	@demo/run $(BUILD)

programs: all $(UNIT) $(BENCH) $(OTHER) $(BUILD)/demo/scene

test: programs ## everything that can be checked here; ends with one line of counts
	@MAKE='$(MAKE)' CC='$(CC)' THREADED='$(strip $(THREADED))' tests/run $(BUILD)

sanitize: ## the same under the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/sanitize THREADED= FAST=-O1 \
	    CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all' test

tsan: ## the tests in which threads meet, under the thread sanitizer
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/tsan FAST='-O1 -g0' CFLAGS='-O1 -g -fsanitize=thread' \
	    $(addprefix $(BUILD)/tsan/tests/test_,$(THREADED))
	@tests/run $(BUILD)/tsan $(addprefix test_,$(THREADED))

bench: $(BENCH) ## how fast it is here, beside the processor's peak and PyTorch; JSON lines in build/bench.jsonl
	@$(BUILD)/tests/bench_engine > $(BUILD)/bench.jsonl
	@$(BUILD)/tests/check_kernels --bench >> $(BUILD)/bench.jsonl
	@echo 'JSON lines: $(BUILD)/bench.jsonl'

lint: | needs ## what the compilers and clang-tidy or cppcheck object to
	@tools/lint $(SOURCES) -- $(FLAGS) -Werror

format: ## lays out every source file
	clang-format -i $(SOURCES) $(HEADERS)

format-check: ## says which files are not laid out
	@clang-format --dry-run --Werror $(SOURCES) $(HEADERS)

check-house: all ## arrows between the rooms, foreign headers, exported symbols, READMEs
	@tools/check-house $(BUILD)
	@tools/check-docs

# ---------------------------------------------------------------------------------------------------------- install

MODELS = $(wildcard models/*.safetensors)

install: all ## into PREFIX (default /usr/local), below DESTDIR
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin include/vipann lib/pkgconfig share/vipann/models)
	install -m 755 $(BUILD)/vipann $(DESTDIR)$(PREFIX)/bin
	install -m 644 engine/include/vipann/*.h $(DESTDIR)$(PREFIX)/include/vipann
	install -m 644 $(BUILD)/$(SO) $(BUILD)/libvipann.a $(DESTDIR)$(PREFIX)/lib
	ln -sf $(SO) $(DESTDIR)$(PREFIX)/lib/libvipann.so
	install -m 644 $(BUILD)/vipann.pc $(DESTDIR)$(PREFIX)/lib/pkgconfig
	$(if $(MODELS),install -m 644 $(MODELS) $(DESTDIR)$(PREFIX)/share/vipann/models)

uninstall: ## takes it away again, and nothing else
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,bin/vipann lib/$(SO) lib/libvipann.so lib/libvipann.a lib/pkgconfig/vipann.pc \
	    $(MODELS:%=share/vipann/%) $(patsubst engine/%,%,$(wildcard engine/include/vipann/*.h)))
	-rmdir $(addprefix $(DESTDIR)$(PREFIX)/,include/vipann share/vipann/models share/vipann)

clean: ## removes what was built
	rm -rf $(BUILD)
