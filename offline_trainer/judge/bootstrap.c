/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bootstrap.c -- see bootstrap.h for the contract. */
#include "bootstrap.h"

#include <base/memory.h>
#include <offline_trainer/base/parallel.h>
#include <offline_trainer/data/keyed_order.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include <string.h>

/* Clips sorted by group, and where each group begins. */
typedef struct {
    size_t n, n_groups;
    size_t *clips, *begin; /* begin: [n_groups + 1] */
    uint64_t seed;
    vip_statistic *statistic;
    const void *context;
    double *values; /* [VIP_RESAMPLES] */
} drawing;

typedef struct {
    uint32_t group;
    size_t clip;
} member;

static int
by_group(const void *a, const void *b)
{
    const member *x = a, *y = b;
    return x->group != y->group ? (x->group > y->group ? 1 : -1) : (x->clip > y->clip) - (x->clip < y->clip);
}

static int
rising(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void
draw(void *context, size_t turn)
{
    const drawing *d = context;
    size_t room = 2 * d->n + 64, n = 0;
    size_t *clips = malloc(room * sizeof *clips);
    uint32_t words[4] = {0, 0, 0, 0};
    for (size_t g = 0; clips != NULL && g < d->n_groups; g++) {
        if (g % 4 == 0) {
            vip_choice_words(d->seed, VIP_CHOICE_RESAMPLE, turn, (uint32_t)(g / 4), 0, words);
        }
        const size_t which = (size_t)((uint64_t)words[g % 4] * d->n_groups >> 32);
        const size_t size = d->begin[which + 1] - d->begin[which];
        if (n + size > room) {
            room = 2 * (n + size);
            size_t *more = realloc(clips, room * sizeof *clips);
            if (more == NULL) {
                free(clips);
                clips = NULL;
                break;
            }
            clips = more;
        }
        memcpy(clips + n, d->clips + d->begin[which], size * sizeof *clips);
        n += size;
    }
    d->values[turn] = clips != NULL ? d->statistic(d->context, clips, n) : NAN;
    free(clips);
}

static bool
sort_groups(drawing *d, const uint32_t *group)
{
    member *members = vip_alloc(d->n, sizeof *members);
    d->clips = vip_alloc(d->n, sizeof *d->clips);
    d->begin = vip_alloc(d->n + 1, sizeof *d->begin);
    d->values = vip_alloc(VIP_RESAMPLES, sizeof *d->values);
    const bool good = members != NULL && d->clips != NULL && d->begin != NULL && d->values != NULL;
    for (size_t i = 0; good && i < d->n; i++) {
        members[i] = (member){group[i], i};
    }
    if (good) {
        qsort(members, d->n, sizeof *members, by_group);
    }
    for (size_t i = 0; good && i < d->n; i++) {
        if (i == 0 || members[i].group != members[i - 1].group) {
            d->begin[d->n_groups++] = i;
        }
        d->clips[i] = members[i].clip;
    }
    if (good) {
        d->begin[d->n_groups] = d->n;
    }
    vip_free(members);
    return good;
}

vip_interval
vip_bootstrap(const uint32_t *group, size_t n, uint64_t seed, vip_statistic *statistic, const void *context)
{
    vip_interval interval = {NAN, NAN, NAN};
    drawing d = {.n = n, .seed = seed, .statistic = statistic, .context = context};
    if (n > 0 && sort_groups(&d, group)) {
        size_t *all = vip_alloc(n, sizeof *all);
        for (size_t i = 0; all != NULL && i < n; i++) {
            all[i] = i;
        }
        interval.value = all != NULL ? statistic(context, all, n) : NAN;
        vip_free(all);
        vip_parallel(VIP_RESAMPLES, draw, &d);
        size_t kept = 0;
        for (size_t i = 0; i < VIP_RESAMPLES; i++) {
            if (!isnan(d.values[i])) {
                d.values[kept++] = d.values[i];
            }
        }
        qsort(d.values, kept, sizeof *d.values, rising);
        if (kept > 0) {
            interval.low = d.values[(size_t)(0.025 * (double)(kept - 1) + 0.5)];
            interval.high = d.values[(size_t)(0.975 * (double)(kept - 1) + 0.5)];
        }
    }
    vip_free(d.clips);
    vip_free(d.begin);
    vip_free(d.values);
    return interval;
}
