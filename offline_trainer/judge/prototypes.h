/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prototypes.h -- few directions that stand for many: k-means on the sphere (Dhillon and Modha 2001). */
#ifndef VIP_TRAINER_PROTOTYPES_H
#define VIP_TRAINER_PROTOTYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* prototypes[count][width], each of length 1, so that the cosine of the angle between a vector and the nearest of them is
 * large on average over x[n][width]. Lengths do not matter; vectors of zeros count for nothing (prototypes
 * are zeros if there are no others). 1 <= count, n. The first
 * ones are drawn as k-means++ does (Arthur and Vassilvitskii 2007), keyed by the seed; then at most `rounds` rounds.
 * Does not depend on the number of threads. False: memory is short. */
bool vip_prototypes_find(const float *x, size_t n, size_t width, size_t count, unsigned rounds, uint64_t seed,
                         float *prototypes);

#endif /* VIP_TRAINER_PROTOTYPES_H */
