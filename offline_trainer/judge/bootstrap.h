/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bootstrap.h -- how far a figure might be off: clips are drawn again, whole groups of them (Efron 1979; method 9). */
#ifndef VIP_TRAINER_BOOTSTRAP_H
#define VIP_TRAINER_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

enum { VIP_RESAMPLES = 2000 };

/* A figure of those clips, some of which occur several times; NaN: it has none. May be called by several threads. */
typedef double vip_statistic(const void *context, const size_t *clips, size_t n);

typedef struct {
    double value, low, high; /* of all clips, and the 2.5 and 97.5 % percentiles */
} vip_interval;

/* group[n]: equal numbers stay together. The same seed gives the same groups, so figures of two systems can be compared
 * pair by pair within one statistic. Where memory is short, low and high are NaN. */
vip_interval vip_bootstrap(const uint32_t *group, size_t n, uint64_t seed, vip_statistic *statistic,
                           const void *context);

#endif /* VIP_TRAINER_BOOTSTRAP_H */
