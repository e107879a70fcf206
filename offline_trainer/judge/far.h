/* SPDX-License-Identifier: GPL-3.0-or-later */
/* far.h -- distances that are compared with that of the engine, and cost more: to the k-th nearest of all training clips,
 * and the one of Mahalanobis. In the space of features of engine/decide/score.h. */
#ifndef VIP_TRAINER_FAR_H
#define VIP_TRAINER_FAR_H

#include <stdbool.h>
#include <stddef.h>

typedef struct vip_far vip_far;

/* features[n][width] of the training's clips, copied. n >= 1. NULL: memory is short. */
vip_far *vip_far_new(const float *features, size_t n, size_t width);
void vip_far_free(vip_far *far);

/* 1 - the cosine to the k-th nearest (k >= 1; to the farthest if there are fewer). NaN: memory is short. */
double vip_far_nearest(const vip_far *far, const float *x, size_t k);

/* The square root of (x - mean)' C^-1 (x - mean), C being the covariance shrunk towards a multiple of the identity as
 * Ledoit and Wolf (2004) have it. NaN: C has no inverse, or memory is short. */
double vip_far_mahalanobis(const vip_far *far, const float *x);

/* By how much C was shrunk, 0 .. 1. */
double vip_far_shrinkage(const vip_far *far);

#endif /* VIP_TRAINER_FAR_H */
