/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_streams.c -- how many live streams one processor can hear, and what one of them takes.
 *
 * bench_streams MODEL centred|edge PASSES RATE STREAMS SECONDS: streams of noise, pushed in blocks of 64 frames as the
 * clock goes, all heard by one thread, as the clients of JACK and PortAudio do on a machine with one processor. Prints a
 * JSON line: the CPU time of that thread and of the pushing one per second of sound, hops that came late, sound that was
 * lost. Streams share their beginning, so all columns are due at once. Never fails on time. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <plugin/stream/stream.h>

enum { MOST_STREAMS = 512, BLOCK = 64, NOISE = 1 << 16 };

static struct {
    vip_stream *streams[MOST_STREAMS];
    size_t n;
    atomic_bool stop; /* relaxed: the join orders the rest */
    double cpu;       /* s, of the thread that hears */
} bench;

static float noise[NOISE + BLOCK];

static double
seconds_of(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *
hear(void *unused)
{
    (void)unused;
    while (!atomic_load_explicit(&bench.stop, memory_order_relaxed)) {
        int columns = 0;
        double nap = 1;
        for (size_t i = 0; i < bench.n; i++) {
            columns += vip_stream_work(bench.streams[i]);
            const double its = vip_stream_nap(bench.streams[i]);
            nap = its < nap ? its : nap;
        }
        if (columns == 0) {
            const struct timespec time = {0, (long)(nap * 1e9) % 1000000000};
            (void)nanosleep(&time, NULL);
        }
    }
    bench.cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    return NULL;
}

/* Pushes to all streams what is due, some milliseconds at a time. */
static void
push(double rate, double seconds)
{
    const struct timespec nap = {0, 1000000};
    const uint64_t blocks = (uint64_t)(seconds * rate / BLOCK);
    const double begin = seconds_of(CLOCK_MONOTONIC);
    for (uint64_t block = 0; block < blocks;) {
        const uint64_t due = (uint64_t)((seconds_of(CLOCK_MONOTONIC) - begin) * rate / BLOCK);
        for (; block < due && block < blocks; block++) {
            const float *channel = noise + block * BLOCK % NOISE;
            for (size_t i = 0; i < bench.n; i++) {
                (void)vip_stream_push(bench.streams[i], &channel, BLOCK);
            }
        }
        (void)nanosleep(&nap, NULL);
    }
}

static int
make_streams(vipann_model *model, const vip_stream_options *options)
{
    vipann_error error = {VIPANN_OK, ""};
    for (size_t i = 0; i < bench.n; i++) {
        bench.streams[i] = vip_stream_new(options, &error);
        if (bench.streams[i] == NULL || vip_stream_give_model(bench.streams[i], model, 1, true, &error) != VIPANN_OK) {
            (void)fprintf(stderr, "bench_streams: %s\n", error.text);
            return 1;
        }
    }
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc != 7) {
        (void)fputs("bench_streams: expected MODEL centred|edge PASSES RATE STREAMS SECONDS\n", stderr);
        return 2;
    }
    vipann_error error = {VIPANN_OK, ""};
    vipann_model *model = vipann_model_open(argv[1], &error);
    if (model == NULL) {
        (void)fprintf(stderr, "bench_streams: %s\n", error.text);
        return 1;
    }
    vip_stream_options options;
    vip_stream_defaults(&options);
    options.latency = strcmp(argv[2], "edge") == 0 ? VIPANN_EDGE : VIPANN_CENTRED;
    options.passes = (uint32_t)strtoul(argv[3], NULL, 10);
    options.rate = strtod(argv[4], NULL);
    options.threaded = false;
    options.governed = false; /* what is late shall be seen */
    const size_t n = strtoul(argv[5], NULL, 10);
    const double seconds = strtod(argv[6], NULL);
    bench.n = n < MOST_STREAMS ? n : MOST_STREAMS;
    uint32_t state = 1;
    for (size_t i = 0; i < NOISE + BLOCK; i++) {
        state = state * 1664525u + 1013904223u;
        noise[i] = (float)(0.1 * ((double)state / 2147483648.0 - 1));
    }
    pthread_t thread;
    if (make_streams(model, &options) != 0 || pthread_create(&thread, NULL, hear, NULL) != 0) {
        return 1;
    }
    const double begin = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    push(options.rate, seconds);
    const double pushing = seconds_of(CLOCK_THREAD_CPUTIME_ID) - begin;
    atomic_store_explicit(&bench.stop, true, memory_order_relaxed);
    (void)pthread_join(thread, NULL);
    double lost = 0;
    uint64_t late = 0;
    for (size_t i = 0; i < bench.n; i++) {
        vip_stream_state at;
        vip_stream_look(bench.streams[i], &at);
        lost += at.lost_seconds;
        late += at.late_hops;
        vip_stream_free(bench.streams[i]);
    }
    vipann_model_info info;
    vipann_model_describe(model, &info);
    (void)printf(
        "{\"bench\":\"streams\",\"model\":\"%s\",\"latency\":\"%s\",\"passes\":%u,\"rate_hz\":%.0f,\"streams\":%zu,"
        "\"seconds\":%.0f,\"cpu_per_stream\":%.5f,\"cpu\":%.4f,\"push_cpu\":%.4f,\"late_hops\":%llu,\"lost_s\":%.3f}\n",
        info.name, argv[2], options.passes, options.rate, bench.n, seconds, bench.cpu / seconds / (double)bench.n,
        bench.cpu / seconds, pushing / seconds, (unsigned long long)late, lost);
    vipann_model_unref(model);
    return 0;
}
