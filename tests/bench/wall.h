/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wall.h -- wall time, waiting for it, and what share of many times lies below which. Include in one file of a
 * program. */
#ifndef TESTS_BENCH_WALL_H
#define TESTS_BENCH_WALL_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum { A_SECOND = 1000000000 }; /* ns */

/* Nanoseconds since some time. */
static int64_t
wall_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * A_SECOND + t.tv_nsec;
}

/* Sleeps until then; who is late does not sleep. */
static void
wall_wait(int64_t then)
{
    const struct timespec t = {(time_t)(then / A_SECOND), (long)(then % A_SECOND)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0) {
    }
}

static int
compare_ns(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void
wall_sort(int64_t *times, size_t n)
{
    qsort(times, n, sizeof *times, compare_ns);
}

/* Of sorted times, the one that a share of them does not exceed; share 1: the longest. */
static int64_t
wall_share(const int64_t *times, size_t n, double share)
{
    const size_t at = (size_t)((double)n * share);
    return n == 0 ? 0 : times[at < n ? at : n - 1];
}

#endif /* TESTS_BENCH_WALL_H */
