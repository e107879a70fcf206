/* SPDX-License-Identifier: GPL-3.0-or-later */
/* check_rt_portaudio.c -- what PortAudio's audio thread calls neither allocates nor locks nor calls the system.
 *
 * Drives the core of the callback without PortAudio, for 200 000 blocks of all sizes, with a thread that takes the sound,
 * and at times does not, and counts what watch.c sees. Each row is a line of TAP. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <common/support.h>
#include <plugin/portaudio/shared.h>

#include "watch.h"

enum { CALLS = 200000, MOST_BLOCK = 8192, MOST_CHANNELS = 8 };

typedef struct {
    vip_shared *shared;
    uint32_t channels;
    atomic_bool over;
    uint64_t taken;
} taker;

static float sound[MOST_BLOCK * MOST_CHANNELS];

static uint32_t
below(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % n;
}

static void
nap(void)
{
    static const struct timespec moment = {0, 200000};
    (void)nanosleep(&moment, NULL);
}

static void *
take_all(void *user)
{
    static float space[MOST_CHANNELS][1024];
    float *out[MOST_CHANNELS];
    taker *t = user;
    for (int c = 0; c < MOST_CHANNELS; c++) {
        out[c] = space[c];
    }
    while (!atomic_load(&t->over)) {
        uint32_t n;
        while ((n = vip_shared_take(t->shared, t->channels, out, 1024)) > 0) {
            t->taken += n;
        }
        nap();
    }
    return NULL;
}

static bool
watch_sees(void)
{
    void *volatile kept; /* otherwise the compiler leaves the pair out */
    watch_reset();
    watch_arm(true);
    kept = malloc(100);
    free(kept);
    watch_arm(false);
    const bool well = watch_hits() == 2;
    watch_reset();
    return well;
}

static bool
callback_is_safe(uint32_t channels)
{
    taker t = {.shared = vip_alloc(1, sizeof(vip_shared)), .channels = channels};
    pthread_t thread;
    uint32_t seed = channels;
    atomic_init(&t.over, false);
    if (t.shared == NULL || pthread_create(&thread, NULL, take_all, &t) != 0) {
        vip_free(t.shared);
        return false;
    }
    watch_reset();
    for (unsigned i = 0; i < CALLS; i++) {
        const float *x = below(&seed, 1000) > 0 ? sound : NULL;
        const uint32_t frames = below(&seed, 1U << below(&seed, 14)); /* small ones as frequent as large ones */
        watch_arm(true);
        vip_shared_put(t.shared, channels, x, frames);
        watch_arm(false);
        if (i % 50 == 0) {
            nap();
        }
    }
    atomic_store(&t.over, true);
    (void)pthread_join(thread, NULL);
    const uint64_t hits = watch_hits(), dropped = atomic_load(&t.shared->dropped);
    (void)printf("# %u channels: %llu frames taken, %llu dropped\n", channels, (unsigned long long)t.taken,
                 (unsigned long long)dropped);
    if (hits > 0) {
        (void)printf("# %llu calls, the first of %s\n", (unsigned long long)hits, watch_first());
    }
    vip_free(t.shared);
    return hits == 0 && t.taken > 0 && dropped > 0; /* both ways were gone */
}

static bool
one_channel(void)
{
    return callback_is_safe(1);
}

static bool
many_channels(void)
{
    return callback_is_safe(MOST_CHANNELS);
}

int
main(void)
{
    static const struct {
        const char *name;
        bool (*holds)(void);
    } rows[] = {{"the watch sees memory", watch_sees},
                {"200 000 blocks of one channel: none", one_channel},
                {"200 000 blocks of eight channels: none", many_channels}};
    if (!WATCH_WORKS) {
        (void)puts("# skip the sanitizers watch for themselves\n0 passed, 0 failed, 1 skipped");
        return 0;
    }
    int failed = 0, n = (int)(sizeof rows / sizeof *rows);
    for (int i = 0; i < n; i++) {
        const bool well = rows[i].holds();
        failed += !well;
        (void)printf("%sok %d - %s\n", well ? "" : "not ", i + 1, rows[i].name);
    }
    (void)printf("1..%d\n", n);
    return failed > 0;
}
