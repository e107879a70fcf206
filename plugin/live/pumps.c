/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pumps.c -- see pumps.h for the contract. */
#include "pumps.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include <common/support.h>

enum { MOST_THREADS = 64 };

typedef struct {
    vip_pumps *pumps;
    uint32_t first; /* stream; every `threads`-th from there */
    pthread_t thread;
} pump;

struct vip_pumps {
    vip_stream *const *streams;
    uint32_t n, threads, started; /* started: only of who starts and stops them */
    atomic_bool stop;             /* relaxed: the join orders what comes after */
    pump pumps[MOST_THREADS];
};

static void *
work(void *user)
{
    const pump *own = user;
    vip_pumps *p = own->pumps;
    while (!atomic_load_explicit(&p->stop, memory_order_relaxed)) {
        int columns = 0;
        double nap = 1;
        for (uint32_t i = own->first; i < p->n; i += p->threads) {
            columns += vip_stream_work(p->streams[i]);
            const double its = vip_stream_nap(p->streams[i]);
            nap = its < nap ? its : nap;
        }
        if (columns == 0) {
            const struct timespec time = {0, (long)(nap * 1e9) % 1000000000};
            (void)nanosleep(&time, NULL);
        }
    }
    return NULL;
}

uint32_t
vip_pumps_processors(void)
{
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 1 ? (uint32_t)online : 1;
}

/* Signals are the main thread's. */
static bool
start(pump *own)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const bool started = pthread_create(&own->thread, NULL, work, own) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

vip_pumps *
vip_pumps_start(vip_stream *const *streams, uint32_t n, vipann_error *error)
{
    vip_pumps *p = vip_alloc(1, sizeof *p);
    if (p == NULL) {
        (void)vip_fail_memory(error, "the threads that hear");
        return NULL;
    }
    uint32_t most = vip_pumps_processors();
    most = most < MOST_THREADS ? most : MOST_THREADS;
    p->streams = streams;
    p->n = n;
    const uint32_t wanted = n < most ? n : most;
    p->threads = wanted;
    for (uint32_t i = 0; i < wanted; i++) {
        p->pumps[i] = (pump){.pumps = p, .first = i};
        if (!start(&p->pumps[i])) {
            vip_pumps_stop(p);
            (void)vip_fail(error, VIPANN_E_MEMORY, "no more threads can be had; hear fewer inputs");
            return NULL;
        }
        p->started++;
    }
    return p;
}

void
vip_pumps_stop(vip_pumps *p)
{
    if (p == NULL) {
        return;
    }
    atomic_store_explicit(&p->stop, true, memory_order_relaxed);
    for (uint32_t i = 0; i < p->started; i++) {
        (void)pthread_join(p->pumps[i].thread, NULL);
    }
    vip_free(p);
}
