/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_latency.c -- how long after the end of a hop its result is there: `bench_latency MODEL NAME [SECONDS]`.
 *
 * Sound comes at 48 kHz in blocks of 64 frames in real time, and after each block the newest result is asked for, as a
 * host does. A result's delay is the time from the push of the last sample of the hop that it answers for; hops of one
 * column, eight members, the newest columns answered for at once (`edge`). Once with the stream's own thread; and before
 * that without, for what the delay is made of: the processor time of the work; what the front-end has to wait for; and
 * the rest, in which the thread sleeps or waits for the processor. JSON lines on standard output, the same as text on
 * standard error. Never fails on time. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <plugin/stream/stream.h>

#include "wall.h"

enum { FRAMES = 64, RATE = 48000, PASSES = 8, MOST_RESULTS = 4096, WARM_RESULTS = 18 };

/* The times of pushes, of one second or two: by the block's number, modulo. */
enum { KEPT = 1 << 11 };

typedef struct {
    vip_stream *stream;
    vipann_result *result;
    int64_t pushed[KEPT];
    uint64_t blocks;
    int64_t delays[MOST_RESULTS], waits[MOST_RESULTS], works[MOST_RESULTS]; /* ns; waits: of delays, before the work */
    size_t n, seen;
} rig;

/* Nanoseconds of the processor that this thread has had. */
static int64_t
cpu_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * A_SECOND + t.tv_nsec;
}

static void
push_noise(rig *r)
{
    static uint32_t state = 1;
    float block[FRAMES];
    const float *channel = block;
    for (uint32_t i = 0; i < FRAMES; i++) {
        state = state * 1664525u + 1013904223u;
        block[i] = ((float)(state >> 8) / (float)(1 << 24) - 0.5f) * 0.2f;
    }
    (void)vip_stream_push(r->stream, &channel, FRAMES);
    r->pushed[r->blocks++ % KEPT] = wall_now();
}

/* before, work: the time of the clock before the work of this thread, and the processor time of that. */
static void
take_result(rig *r, int64_t before, int64_t work)
{
    if (!vip_stream_latest(r->stream, r->result, NULL) || r->seen++ < WARM_RESULTS || r->n == MOST_RESULTS) {
        return;
    }
    const uint64_t last = (uint64_t)floor(r->result->t_seconds * RATE + 0.5) - 1; /* frame of the hop */
    const uint64_t block = last / FRAMES;
    if (block < r->blocks && r->blocks - block < KEPT) {
        r->delays[r->n] = wall_now() - r->pushed[block % KEPT];
        r->waits[r->n] = before - r->pushed[block % KEPT];
        r->works[r->n++] = work;
    }
}

/* False: the stream cannot be made. */
static bool
hear(rig *r, vipann_model *model, bool threaded, double seconds)
{
    vip_stream_options options;
    vip_stream_defaults(&options);
    options.rate = RATE;
    options.passes = PASSES;
    options.latency = VIPANN_EDGE;
    options.threaded = threaded;
    options.governed = false;
    r->blocks = 0;
    r->n = r->seen = 0;
    r->stream = vip_stream_new(&options, NULL);
    if (r->stream == NULL || vip_stream_give_model(r->stream, model, 0, true, NULL) != VIPANN_OK) {
        return false;
    }
    const int64_t begin = wall_now();
    while ((double)r->blocks * FRAMES < seconds * RATE) {
        wall_wait(begin + (int64_t)((double)r->blocks * FRAMES * 1e9 / RATE));
        push_noise(r);
        const int64_t before = wall_now(), cpu = cpu_now();
        if (!threaded) {
            while (vip_stream_work(r->stream) > 0) {
            }
        }
        take_result(r, before, cpu_now() - cpu);
    }
    vip_stream_free(r->stream);
    wall_sort(r->delays, r->n);
    wall_sort(r->waits, r->n);
    wall_sort(r->works, r->n);
    return true;
}

static double
ms(const int64_t *times, size_t n, double share)
{
    return 1e-6 * (double)wall_share(times, n, share);
}

int
main(int argc, char **argv)
{
    static rig r;
    vipann_error error = {VIPANN_E_MEMORY, "usage: bench_latency MODEL NAME [SECONDS]"};
    const double seconds = argc > 3 ? strtod(argv[3], NULL) : 30;
    vipann_model *model = argc > 2 ? vipann_model_open(argv[1], &error) : NULL;
    r.result = vip_stream_result_new();
    if (model == NULL || r.result == NULL || !hear(&r, model, false, seconds)) {
        (void)fprintf(stderr, "bench_latency: %s\n", error.text);
        return 1;
    }
    const double work = ms(r.works, r.n, 0.5), wait = ms(r.waits, r.n, 0.5);
    if (!hear(&r, model, true, seconds) || r.n == 0) {
        (void)fprintf(stderr, "bench_latency: there are no results; more seconds are needed\n");
        return 1;
    }
    const double p50 = ms(r.delays, r.n, 0.5), p95 = ms(r.delays, r.n, 0.95), most = ms(r.delays, r.n, 1);
    (void)printf("{\"bench\":\"latency\",\"name\":\"%s\",\"passes\":%d,\"hop_s\":0.32,\"results\":%zu,\"p50_ms\":%.2f,"
                 "\"p95_ms\":%.2f,\"max_ms\":%.2f,\"work_cpu_ms\":%.2f,\"front_end_ms\":%.2f,\"rest_ms\":%.2f}\n",
                 argv[2], PASSES, r.n, p50, p95, most, work, wait, p50 - work - wait);
    (void)fprintf(stderr,
                  "from the end of a hop to its result, %s, S=%d: p50 %.1f ms, p95 %.1f, max %.1f, of which work %.1f, "
                  "front-end %.1f, rest %.1f\n",
                  argv[2], PASSES, p50, p95, most, work, wait, p50 - work - wait);
    vip_stream_result_free(r.result);
    vipann_model_unref(model);
    return 0;
}
