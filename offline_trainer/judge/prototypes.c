/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prototypes.c -- see prototypes.h for the contract. */
#include "prototypes.h"

#include <base/memory.h>
#include <offline_trainer/base/parallel.h>
#include <offline_trainer/data/keyed_order.h>

#include <math.h>
#include <string.h>

enum { A_TURN = 64, LANES = 16 };
static const double ENOUGH = 1e-7; /* gain of a round below which it was the last */

typedef struct {
    size_t n, width, count;
    float *x;          /* [n][width], of length 1 or 0 */
    float *prototypes; /* [count][width] */
    float *cosine;     /* [n], to the nearest one */
    size_t *nearest;   /* [n] */
    size_t newest;     /* while they are drawn */
} work;

static float
dot(const float *restrict a, const float *restrict b, size_t n)
{
    float lanes[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (size_t k = 0; k < LANES; k++) {
            lanes[k] += a[i + k] * b[i + k];
        }
    }
    for (; i < n; i++) {
        sum += a[i] * b[i];
    }
    for (size_t k = 0; k < LANES; k++) {
        sum += lanes[k];
    }
    return sum;
}

/* To length 1; false, and unchanged, if it has none. */
static bool
normalise(float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    for (size_t i = 0; i < n && sum > 0; i++) {
        x[i] = (float)((double)x[i] / sqrt(sum));
    }
    return sum > 0;
}

/* ------------------------------------------------------------------------------------------------- the first ones */

static void
compare_with_newest(void *context, size_t turn)
{
    const work *w = context;
    const float *prototype = w->prototypes + w->newest * w->width;
    for (size_t i = turn * A_TURN; i < w->n && i < (turn + 1) * A_TURN; i++) {
        const float cosine = dot(w->x + i * w->width, prototype, w->width);
        w->cosine[i] = w->newest == 0 || cosine > w->cosine[i] ? cosine : w->cosine[i];
    }
}

/* What weighs in the draw: the squared distance to the nearest prototype there is, twice 1 - cosine. */
static double
weight(const work *w, size_t i)
{
    const double distance = 1 - (double)w->cosine[i];
    return distance > 0 ? distance : 0;
}

/* One of the vectors, in proportion to its weight. */
static size_t
draw(const work *w, uint64_t seed)
{
    uint32_t words[4];
    double total = 0, sum = 0;
    vip_choice_words(seed, VIP_CHOICE_PROTOTYPES, w->newest, 0, 0, words);
    const double u = ((double)words[0] + 0.5) * 0x1p-32;
    if (w->newest == 0) {
        return (size_t)(u * (double)w->n);
    }
    for (size_t i = 0; i < w->n; i++) {
        total += weight(w, i);
    }
    size_t chosen = (size_t)(u * (double)w->n); /* if all are the same, any */
    for (size_t i = 0; i < w->n && total > 0; i++) {
        sum += weight(w, i);
        if (sum > u * total) {
            chosen = i;
            break;
        }
    }
    return chosen;
}

/* --------------------------------------------------------------------------------------------------------- the rounds */

static void
find_nearest(void *context, size_t turn)
{
    const work *w = context;
    for (size_t i = turn * A_TURN; i < w->n && i < (turn + 1) * A_TURN; i++) {
        float most = -2;
        for (size_t k = 0; k < w->count; k++) {
            const float cosine = dot(w->x + i * w->width, w->prototypes + k * w->width, w->width);
            if (cosine > most) {
                most = cosine;
                w->nearest[i] = k;
            }
        }
        w->cosine[i] = most;
    }
}

/* A prototype becomes the mean of those that are nearest to it; one with none stays. */
static void
move(void *context, size_t k)
{
    const work *w = context;
    float *prototype = w->prototypes + k * w->width;
    const float *first = NULL;
    for (size_t i = 0; i < w->n; i++) {
        const float *x = w->x + i * w->width;
        if (w->nearest[i] != k) {
            continue;
        }
        for (size_t c = 0; c < w->width; c++) {
            prototype[c] = (first == NULL ? 0 : prototype[c]) + x[c];
        }
        first = first == NULL ? x : first;
    }
    if (first != NULL && !normalise(prototype, w->width)) { /* they cancel each other: one of them is as good */
        memcpy(prototype, first, w->width * sizeof *prototype);
    }
}

static double
mean_cosine(const work *w)
{
    double sum = 0;
    for (size_t i = 0; i < w->n; i++) {
        sum += (double)w->cosine[i];
    }
    return sum / (double)w->n;
}

/* Copies the vectors that have a length, at length 1. */
static void
take(work *w, const float *x, size_t n)
{
    w->n = 0;
    for (size_t i = 0; i < n; i++) {
        float *to = w->x + w->n * w->width;
        memcpy(to, x + i * w->width, w->width * sizeof *to);
        w->n += normalise(to, w->width);
    }
}

static void
find(work *w, unsigned rounds, uint64_t seed)
{
    const size_t turns = (w->n + A_TURN - 1) / A_TURN;
    for (w->newest = 0; w->newest < w->count; w->newest++) {
        memcpy(w->prototypes + w->newest * w->width, w->x + draw(w, seed) * w->width, w->width * sizeof *w->x);
        vip_parallel(turns, compare_with_newest, w);
    }
    double before = -2;
    for (unsigned round = 0; round < rounds; round++) {
        vip_parallel(turns, find_nearest, w);
        const double now = mean_cosine(w);
        if (now <= before + ENOUGH) {
            break;
        }
        before = now;
        vip_parallel(w->count, move, w);
    }
}

bool
vip_prototypes_find(const float *x, size_t n, size_t width, size_t count, unsigned rounds, uint64_t seed,
                    float *prototypes)
{
    work w = {.width = width, .count = count, .prototypes = prototypes};
    w.x = vip_alloc(vip_product(n, width), sizeof *w.x);
    w.cosine = vip_alloc(n, sizeof *w.cosine);
    w.nearest = vip_alloc(n, sizeof *w.nearest);
    const bool good = w.x != NULL && w.cosine != NULL && w.nearest != NULL;
    memset(prototypes, 0, count * width * sizeof *prototypes);
    if (good) {
        take(&w, x, n);
    }
    if (good && w.n > 0) {
        find(&w, rounds, seed);
    }
    vip_free(w.x);
    vip_free(w.cosine);
    vip_free(w.nearest);
    return good;
}
