/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_run.c -- what the LV2 plugin costs the audio thread, and the memory of one more of it: `bench_run BUNDLE
 * [SECONDS]`.
 *
 * JSON lines on standard output, the same as text on standard error. The stereo plugin runs with its model in blocks of
 * 64 frames: at 48 kHz in real time, with an audio thread's priority where that is allowed; ten times as fast, so that
 * the analysis is often at work beside it; in real time with the processor's own caches swept before each call, as
 * other plugins would leave them; and without a pause, so that the analysis cannot keep up. Beside it, in turn with it and
 * on the same buffers, runs a callback that only copies: what it takes is the machine's, what is above is ours. Never
 * fails on time. */
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lv2/atom/atom.h>
#include <lv2/core/lv2.h>
#include <lv2/urid/urid.h>

#include <plugin/lv2/ports.h>

#include "wall.h"

enum {
    FRAMES = 64,
    RATE = 48000,
    CHANNELS = 2,
    SOUND_FRAMES = 1 << 16,
    MOST_CALLS = 1 << 20,
    WARM_SECONDS = 6,
    SWEPT = 4 << 20 /* bytes: more than a core's own caches hold */
};

/* ------------------------------------------------------------------------------------------------------- the host */

enum { MOST_URIS = 256 };
static struct {
    char *names[MOST_URIS];
    uint32_t n;
} uris;

static LV2_URID
map_uri(LV2_URID_Map_Handle handle, const char *uri)
{
    (void)handle;
    for (uint32_t i = 0; i < uris.n; i++) {
        if (strcmp(uris.names[i], uri) == 0) {
            return i + 1;
        }
    }
    if (uris.n == MOST_URIS || (uris.names[uris.n] = strdup(uri)) == NULL) {
        return 0;
    }
    return ++uris.n;
}

typedef struct {
    LV2_Atom_Sequence head;
    uint8_t room[VIP_NOTIFY_BYTES];
} sequence;

typedef struct {
    const LV2_Descriptor *plugin;
    LV2_Handle handle;
    float controls[VIP_N_PORTS], in[CHANNELS][FRAMES], out[CHANNELS][FRAMES];
    sequence said, heard; /* to the plugin, from it */
} host;

static float sound[SOUND_FRAMES];

/* Noise that swells, so that there are events. */
static void
make_sound(void)
{
    uint32_t state = 1;
    for (uint32_t i = 0; i < SOUND_FRAMES; i++) {
        state = state * 1664525u + 1013904223u;
        sound[i] = ((float)(state >> 8) / (float)(1 << 24) - 0.5f) * (float)(i % (SOUND_FRAMES / 4)) / SOUND_FRAMES;
    }
}

static const LV2_Descriptor *
open_bundle(const char *folder)
{
    char path[4096];
    LV2_Descriptor_Function get;
    (void)snprintf(path, sizeof path, "%s/vipann.so", folder);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol = library != NULL ? dlsym(library, "lv2_descriptor") : NULL;
    if (symbol == NULL) {
        (void)fprintf(stderr, "bench_run: %s: %s\n", path, dlerror());
        exit(1);
    }
    memcpy(&get, &symbol, sizeof get); /* ISO C has no cast from an object to a function */
    for (uint32_t i = 0;; i++) {
        const LV2_Descriptor *plugin = get(i);
        if (plugin == NULL || strcmp(plugin->URI, VIP_URI_STEREO) == 0) {
            return plugin;
        }
    }
}

static void
connect(host *h)
{
    for (uint32_t c = 0; c < CHANNELS; c++) {
        h->plugin->connect_port(h->handle, c, h->in[c]);
        h->plugin->connect_port(h->handle, CHANNELS + c, h->out[c]);
    }
    for (int i = 0; i < VIP_N_PORTS; i++) {
        void *to = i == VIP_PORT_CONTROL  ? (void *)&h->said
                   : i == VIP_PORT_NOTIFY ? (void *)&h->heard
                                          : &h->controls[i];
        h->controls[i] = VIP_PORTS[i].normal;
        h->plugin->connect_port(h->handle, vip_port_index(CHANNELS, (vip_port)i), to);
    }
}

static host *
host_new(const LV2_Descriptor *plugin, const char *folder)
{
    static LV2_URID_Map map = {NULL, map_uri};
    static const LV2_Feature feature = {LV2_URID__map, &map};
    static const LV2_Feature *const features[] = {&feature, NULL};
    host *h = calloc(1, sizeof *h);
    if (h == NULL || plugin == NULL) {
        exit(1);
    }
    h->plugin = plugin;
    h->handle = plugin->instantiate(plugin, RATE, folder, features);
    if (h->handle == NULL) {
        (void)fputs("bench_run: the plugin was not made\n", stderr);
        exit(1);
    }
    connect(h);
    plugin->activate(h->handle);
    return h;
}

static void
host_free(host *h)
{
    h->plugin->deactivate(h->handle);
    h->plugin->cleanup(h->handle);
    free(h);
}

/* ------------------------------------------------------------------------------------------------------ callbacks */

typedef void (*callback)(void *data, uint32_t frames);

static void
run_plugin(void *data, uint32_t frames)
{
    host *h = data;
    h->plugin->run(h->handle, frames);
}

static void
run_nothing(void *data, uint32_t frames)
{
    host *h = data;
    for (uint32_t c = 0; c < CHANNELS; c++) {
        memcpy(h->out[c], h->in[c], frames * sizeof(float));
    }
}

/* What a host does before each block. */
static void
prepare(host *h, uint64_t block)
{
    for (uint32_t c = 0; c < CHANNELS; c++) {
        memcpy(h->in[c], sound + block * FRAMES % SOUND_FRAMES, sizeof h->in[c]);
    }
    h->said.head.atom = (LV2_Atom){.size = sizeof h->said.head.body, .type = map_uri(NULL, LV2_ATOM__Sequence)};
    h->heard.head.atom = (LV2_Atom){.size = sizeof h->heard.head.body + VIP_NOTIFY_BYTES, .type = 0};
}

static int64_t
time_of(callback call, host *h)
{
    const int64_t begin = wall_now();
    call(h, FRAMES);
    return wall_now() - begin;
}

/* ----------------------------------------------------------------------------------------------------------- modes */

enum { PLUGIN, NOTHING, N_CALLBACKS };
static const callback callbacks[N_CALLBACKS] = {[PLUGIN] = run_plugin, [NOTHING] = run_nothing};
static int64_t times[N_CALLBACKS][MOST_CALLS];

static void
tell(const char *name, size_t n, bool high)
{
    static const struct {
        const char *key;
        double share;
    } shares[] = {{"p50", 0.5}, {"p99", 0.99}, {"p9999", 0.9999}, {"max", 1}};
    wall_sort(times[PLUGIN], n);
    wall_sort(times[NOTHING], n);
    (void)printf("{\"bench\":\"run\",\"name\":\"%s\",\"frames\":%d,\"calls\":%zu,\"high_priority\":%s", name, FRAMES, n,
                 high ? "true" : "false");
    (void)fprintf(stderr, "run of %d frames, %-20s", FRAMES, name);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        const double ours = 1e-3 * (double)wall_share(times[PLUGIN], n, shares[i].share);
        const double empty = 1e-3 * (double)wall_share(times[NOTHING], n, shares[i].share);
        (void)printf(",\"%s_us\":%.2f,\"empty_%s_us\":%.2f", shares[i].key, ours, shares[i].key, empty);
        (void)fprintf(stderr, " %s %.2f us (empty %.2f)", shares[i].key, ours, empty);
    }
    (void)printf(",\"p99_above_empty_us\":%.2f}\n",
                 1e-3 * (double)(wall_share(times[PLUGIN], n, 0.99) - wall_share(times[NOTHING], n, 0.99)));
    (void)fputs("\n", stderr);
    (void)fflush(stdout);
}

typedef struct {
    const char *name;
    double speed;   /* to real time; 0: without a pause */
    bool swept;     /* the caches, before each callback */
    double seconds; /* to what is asked for */
} mode;

static void
sweep(void)
{
    static volatile char bytes[SWEPT];
    for (size_t i = 0; i < SWEPT; i += 64) {
        bytes[i]++;
    }
}

/* That of audio threads, or the usual one. False: it is not allowed. */
static bool
set_priority(bool high)
{
    const struct sched_param param = {.sched_priority = high ? 70 : 0};
    return pthread_setschedparam(pthread_self(), high ? SCHED_FIFO : SCHED_OTHER, &param) == 0;
}

/* The two callbacks take turns in being the first after the pause. Returns calls, whose times are kept. */
static size_t
run_for(host *h, double seconds, const mode *m)
{
    const double period = m->speed > 0 ? FRAMES * 1e9 / RATE / m->speed : 0; /* ns */
    const int64_t begin = wall_now();
    size_t n = 0;
    for (uint64_t block = 0; (double)(wall_now() - begin) < seconds * 1e9 && n < MOST_CALLS; block++, n++) {
        if (period > 0) {
            wall_wait(begin + (int64_t)((double)block * period));
        }
        prepare(h, block);
        for (unsigned turn = 0; turn < N_CALLBACKS; turn++) {
            const unsigned which = (block + turn) % N_CALLBACKS;
            if (m->swept) {
                sweep();
            }
            times[which][n] = time_of(callbacks[which], h);
        }
    }
    return n;
}

/* ---------------------------------------------------------------------------------------------------------- memory */

/* Bytes that are in memory, of this process. */
static double
resident(void)
{
    unsigned long size, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%lu %lu", &size, &pages) != 2) {
        pages = 0; /* elsewhere than on Linux nothing is said */
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static const mode real_time = {"", 1, false, 1};

/* The second instance shares the model with the first; every page that it has is touched when it is made. */
static void
bench_memory(const LV2_Descriptor *plugin, const char *folder)
{
    const double before = resident();
    host *second = host_new(plugin, folder);
    (void)run_for(second, WARM_SECONDS, &real_time);
    const double grown = resident() - before - sizeof *second;
    (void)printf("{\"bench\":\"memory\",\"name\":\"one more stereo plugin with the same model\",\"mb\":%.1f}\n",
                 grown * 1e-6);
    (void)fprintf(stderr, "one more plugin with the same model: %.1f MB\n", grown * 1e-6);
    host_free(second);
}

int
main(int argc, char **argv)
{
    static const mode modes[] = {{"in real time", 1, false, 1},
                                 {"ten times as fast", 10, false, 0.5},
                                 {"caches swept", 1, true, 0.5},
                                 {"without a pause", 0, false, 0.1}};
    const double seconds = argc > 2 ? strtod(argv[2], NULL) : 20;
    if (argc < 2 || !(seconds > 0)) {
        (void)fputs("usage: bench_run BUNDLE [SECONDS]\n", stderr);
        return 2;
    }
    make_sound();
    const LV2_Descriptor *plugin = open_bundle(argv[1]);
    host *h = host_new(plugin, argv[1]);
    (void)run_for(h, WARM_SECONDS, &real_time); /* the window is full */
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        const bool high = modes[i].speed > 0 && set_priority(true);
        const size_t n = run_for(h, seconds * modes[i].seconds, &modes[i]);
        (void)set_priority(false);
        const vip_port status = VIP_PORT_STATUS;
        if (h->controls[status] != VIP_STATUS_RUNNING || h->controls[VIP_PORT_PASSES_USED] < 2) {
            (void)fprintf(stderr, "bench_run: the plugin does not analyse (status %g, %g passes)\n",
                          (double)h->controls[status], (double)h->controls[VIP_PORT_PASSES_USED]);
            return 1;
        }
        tell(modes[i].name, n, high);
    }
    bench_memory(plugin, argv[1]);
    host_free(h);
    for (uint32_t i = 0; i < uris.n; i++) {
        free(uris.names[i]);
    }
    return 0;
}
