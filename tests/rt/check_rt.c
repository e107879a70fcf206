/* SPDX-License-Identifier: GPL-3.0-or-later */
/* check_rt.c -- the audio thread neither allocates nor locks nor calls the system: `check_rt BUNDLE TINY OTHER`.
 *
 * Runs the LV2 plugin and the live stream as hosts do, for 200 000 blocks each, with sound of every kind, controls that
 * change and models that are exchanged, and counts what watch.c sees. Each row is a line of TAP. Built with clang's
 * real-time sanitizer, that watches instead. */
#define _GNU_SOURCE /* syscall */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <plugin/stream/stream.h>
#include <tests/hosts/rows.h>

#include "watch.h"

enum { CALLS = 200000, MOST_BLOCK = 8192 };

typedef struct {
    bundle lv2;
    uris *names;
    const char *tiny, *other;
    float *sounds[N_SOUNDS]; /* [MOST_BLOCK] of each kind */
} stage;

/* ------------------------------------------------------------------------------------------------ the watch can see */

static bool
sees(const char *name)
{
    const char *first = watch_first();
    watch_arm(false);
    bool well = first != NULL && strcmp(first, name) == 0;
    watch_reset();
    return well || no("%s was not seen, but %s", name, first != NULL ? first : "nothing");
}

static bool
watch_sees(stage *s)
{
    (void)s;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    void *volatile kept; /* otherwise the compiler leaves the pair out */
    bool well = true;
    watch_reset();
    watch_arm(true);
    kept = malloc(100);
    well = sees("malloc") && well;
    watch_arm(true);
    free(kept);
    well = sees("free") && well;
    watch_arm(true);
    kept = strdup("within the C library");
    well = sees("malloc") && well;
    free(kept);
    watch_arm(true);
    (void)pthread_mutex_lock(&lock);
    well = sees("pthread_mutex_lock") && well;
    (void)pthread_mutex_unlock(&lock);
    watch_arm(true);
    int f = open("/dev/null", O_WRONLY);
    well = sees("open") && well;
    watch_arm(true);
    ssize_t written = write(f, "", 1);
    well = sees("write") && well && written == 1;
    (void)close(f);
    watch_arm(true);
    (void)syscall(SYS_getpid);
    return sees("syscall") && well;
}

/* In a library that is loaded as a host does: making an instance needs memory. */
static bool
watch_sees_libraries(stage *s)
{
    features f;
    const LV2_Feature *const *list = features_make(&f, GIVES_ALL, s->names);
    const subject *of = &s->lv2.mono;
    watch_reset();
    watch_arm(true);
    LV2_Handle handle = of->descriptor->instantiate(of->descriptor, 48000, of->folder, list);
    watch_arm(false);
    uint64_t seen = watch_hits();
    if (handle != NULL) {
        of->descriptor->cleanup(handle);
    }
    return seen > 0 || no("instantiate was not seen to allocate");
}

/* ----------------------------------------------------------------------------------------- or the sanitizer can see */

static pthread_mutex_t a_lock = PTHREAD_MUTEX_INITIALIZER;
static void *volatile kept;

static void allocate(const stage *s) VIPANN_RT;
static void lock(const stage *s) VIPANN_RT;
static void instantiate(const stage *s) VIPANN_RT;
static void copy(const stage *s) VIPANN_RT;

static void
allocate(const stage *s)
{
    (void)s;
    VIP_WHERE_IT_MAY_WAIT(kept = malloc(100))
}

static void
lock(const stage *s)
{
    (void)s;
    VIP_WHERE_IT_MAY_WAIT(pthread_mutex_lock(&a_lock))
}

static void
instantiate(const stage *s)
{
    const subject *of = &s->lv2.mono;
    VIP_WHERE_IT_MAY_WAIT(of->descriptor->instantiate(of->descriptor, 48000, of->folder, NULL))
}

static void
copy(const stage *s)
{
    memcpy(s->sounds[0], s->sounds[1], sizeof(float));
}

/* What the sanitizer ends a process with that does what an audio thread must not do. */
enum { REPORTED = 43 };

const char *__rtsan_default_options(void);

__attribute__((visibility("default"))) const char *
__rtsan_default_options(void)
{
    return "halt_on_error=true:exitcode=43";
}

/* In a process of its own, whose report nobody is to read. */
static int
status_of(void (*probe)(const stage *), const stage *s)
{
    int status = 0;
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        (void)dup2(nowhere, STDERR_FILENO);
        probe(s);
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool
sanitizer_sees(stage *s)
{
    static const struct {
        const char *name;
        void (*probe)(const stage *);
        int status;
    } probes[] = {{"malloc", allocate, REPORTED},
                  {"pthread_mutex_lock", lock, REPORTED},
                  {"what a library allocates that was loaded later", instantiate, REPORTED},
                  {"memcpy", copy, 0}};
    bool well = true;
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++) {
        const int status = status_of(probes[i].probe, s);
        well = (status == probes[i].status || no("%s ended with status %d", probes[i].name, status)) && well;
    }
    return well;
}

/* A sanitizer has ended the program before it came here. */
static bool
nothing_seen(void)
{
    uint64_t seen = watch_hits();
    return seen == 0 || no("%llu calls, the first of %s", (unsigned long long)seen, watch_first());
}

/* --------------------------------------------------------------------------------------------------- the LV2 plugin */

/* Small blocks are as frequent as large ones, counted in octaves. */
static uint32_t
block(dice *d)
{
    return 1 + dice_below(d, 1U << dice_below(d, 14));
}

static void
change_controls(rig *r, dice *d)
{
    for (uint32_t i = 0; i < r->of->n; i++) {
        const port *p = &r->of->ports[i];
        bool waits = strcmp(p->symbol, "blocking") == 0 || strcmp(p->symbol, "freewheel") == 0;
        if (p->kind == PORT_CONTROL && p->input && !waits && dice_below(d, 3) == 0) {
            r->controls[i] = p->least + (p->most - p->least) * (float)dice_below(d, 100) / 99;
        }
    }
}

/* Connects each input to one of the sounds. */
static void
hear_some(rig *r, const stage *s, dice *d)
{
    for (uint32_t i = 0; i < r->of->n; i++) {
        if (r->of->ports[i].kind == PORT_AUDIO && r->of->ports[i].input) {
            r->of->descriptor->connect_port(r->handle, i, s->sounds[dice_below(d, N_SOUNDS)]);
        }
    }
}

static void
run_watched(rig *r, uint32_t frames)
{
    r->from->head.atom = (LV2_Atom){.size = r->capacity, .type = uris_number(r->names, LV2_ATOM__Chunk)};
    r->to->head.atom.type = uris_number(r->names, LV2_ATOM__Sequence);
    watch_arm(true);
    r->of->descriptor->run(r->handle, frames);
    watch_arm(false);
    r->to->head.atom.size = sizeof r->to->head.body;
}

static bool
plugin_is_safe(stage *s, const subject *of)
{
    features f;
    dice d = {21};
    rig *r = rig_new(of, s->names, 48000, features_make(&f, GIVES_ALL, s->names));
    if (r == NULL) {
        return no("not made");
    }
    rig_set(r, "midi", 1);
    rig_set(r, "threshold", 0.05F);
    rig_activate(r);
    watch_reset();
    unsigned spoken = 0;
    for (unsigned i = 0; i < CALLS; i++) {
        hear_some(r, s, &d);
        if (i % 50 == 0) {
            change_controls(r, &d);
        }
        if (i % 400 == 0) {
            rig_send_path(r, i % 1200 == 0 ? "/nowhere" : i % 800 == 0 ? s->tiny : s->other);
        } else if (i % 90 == 0) {
            rig_send_get(r, NULL);
        }
        run_watched(r, block(&d));
        spoken += r->from->head.atom.size > sizeof r->from->head.body;
        if (i % 200 == 0) {
            wait_ms(3); /* for the other threads to have their turn */
        }
    }
    bool well = nothing_seen();
    rig_free(r);
    return well && (spoken > 100 || no("the plugin had next to nothing to say: %u messages", spoken));
}

static bool
mono_is_safe(stage *s)
{
    return plugin_is_safe(s, &s->lv2.mono);
}

static bool
stereo_is_safe(stage *s)
{
    return plugin_is_safe(s, &s->lv2.stereo);
}

/* -------------------------------------------------------------------------------------------------- the live stream */

typedef struct {
    vip_stream *stream;
    vipann_model *models[2];
    atomic_bool over;
    unsigned given;
} giver;

static void *
give_models(void *data)
{
    giver *g = data;
    while (!atomic_load(&g->over)) {
        if (vip_stream_give_model(g->stream, g->models[g->given % 2], 0, g->given % 3 == 0, NULL) == VIPANN_OK) {
            g->given++;
        }
        wait_ms(5);
    }
    return NULL;
}

static void
push_watched(stage *s, vip_stream *stream, vipann_result *result)
{
    dice d = {22};
    unsigned results = 0, events = 0;
    for (unsigned i = 0; i < CALLS; i++) {
        const float *channels[1] = {s->sounds[dice_below(&d, N_SOUNDS)]};
        uint32_t frames = block(&d);
        vipann_event event;
        vip_stream_state state;
        watch_arm(true);
        (void)vip_stream_push(stream, channels, frames);
        results += vip_stream_latest(stream, result, NULL);
        while (vip_stream_next_event(stream, &event, NULL)) {
            events++;
        }
        if (i % 50 == 0) {
            vip_stream_set(stream, VIPANN_PASSES, dice_below(&d, 8));
            vip_stream_set(stream, VIPANN_HOP, dice_below(&d, 4));
            vip_stream_set(stream, VIPANN_WINDOW, dice_below(&d, 20));
            vip_stream_set(stream, VIPANN_HORIZON, dice_below(&d, 3));
            vip_stream_look(stream, &state);
        }
        watch_arm(false);
        if (i % 200 == 0) {
            wait_ms(3);
        }
    }
    (void)printf("# %u results, %u events\n", results, events);
}

static bool
stream_is_safe(stage *s)
{
    vip_stream_options options;
    vip_stream_defaults(&options);
    giver g = {.models = {vipann_model_open(s->tiny, NULL), vipann_model_open(s->other, NULL)}};
    vipann_result *result = vip_stream_result_new();
    pthread_t thread;
    g.stream = vip_stream_new(&options, NULL);
    atomic_init(&g.over, false);
    bool well = g.stream != NULL && g.models[0] != NULL && g.models[1] != NULL && result != NULL;
    well = well && pthread_create(&thread, NULL, give_models, &g) == 0;
    if (well) {
        watch_reset();
        push_watched(s, g.stream, result);
        atomic_store(&g.over, true);
        (void)pthread_join(thread, NULL);
        well = nothing_seen() && (g.given > 20 || no("only %u models were given", g.given));
    }
    vip_stream_free(g.stream);
    vip_stream_result_free(result);
    vipann_model_unref(g.models[0]);
    vipann_model_unref(g.models[1]);
    return well;
}

/* ------------------------------------------------------------------------------------------------------------- main */

static bool
prepare(stage *s)
{
    dice d = {20};
    for (int i = 0; i < N_SOUNDS; i++) {
        s->sounds[i] = malloc(MOST_BLOCK * sizeof(float));
        if (s->sounds[i] == NULL) {
            return false;
        }
        sound_fill(s->sounds[i], MOST_BLOCK, (sound)i, &d);
    }
    return s->names != NULL;
}

int
main(int argc, char **argv)
{
    static const struct {
        bool here;
        const char *name;
        bool (*holds)(stage *s);
    } rows[] = {{WATCH_WORKS, "the watch sees memory, locks, files and system calls", watch_sees},
                {WATCH_WORKS, "and those of a library that is loaded later", watch_sees_libraries},
                {WATCHED_BY_A_SANITIZER, "the sanitizer sees memory and locks, in libraries too", sanitizer_sees},
                {true, "200 000 blocks of the mono plugin: none", mono_is_safe},
                {true, "200 000 blocks of the stereo plugin: none", stereo_is_safe},
                {true, "200 000 blocks of a live stream whose models are exchanged: none", stream_is_safe}};
    static stage s;
    if (argc != 4) {
        (void)fputs("usage: check_rt BUNDLE TINY OTHER\n", stderr);
        return 2;
    }
    if (!WATCH_WORKS && !WATCHED_BY_A_SANITIZER) {
        (void)puts("# skip the sanitizers watch for themselves\n0 passed, 0 failed, 1 skipped");
        return 0;
    }
    s = (stage){.names = uris_new(), .tiny = argv[2], .other = argv[3]};
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    (void)setenv("VIPANN_MODEL", argv[2], 1);
    const char *why = prepare(&s) ? bundle_open(&s.lv2, argv[1]) : "no room";
    if (why != NULL) {
        (void)printf("Bail out! %s: %s\n", argv[1], why);
        return 1;
    }
    int failed = 0, n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].here) {
            bool well = rows[i].holds(&s);
            failed += !well;
            (void)printf("%sok %d - %s\n", well ? "" : "not ", ++n, rows[i].name);
        }
    }
    (void)printf("1..%d\n", n);
    for (int i = 0; i < N_SOUNDS; i++) {
        free(s.sounds[i]);
    }
    uris_free(s.names);
    bundle_close(&s.lv2);
    return failed > 0;
}
