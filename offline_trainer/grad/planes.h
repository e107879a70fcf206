/* SPDX-License-Identifier: GPL-3.0-or-later */
/* planes.h -- what stands between two convolutions, one row of a batch at a time: batch norm, the residual that is
 * added, ReLU, 2x2 average pool, dropout, and all of that backwards; signs of Flipout.
 *
 * A row is [blocks][columns][bins][VIP_LANES] floats, aligned to 64 bytes. ReLU and dropout leave no mask behind: backward
 * sees from the output what went through, since dropout acts behind ReLU and zeros of either pass no gradient. Sums
 * are formed in an order that the row's shape fixes. Thread: any; a call touches its row only. */
#ifndef VIP_TRAINER_PLANES_H
#define VIP_TRAINER_PLANES_H

#include "dnn.h"

/* One step of the network at one length of batches. */
typedef struct {
    uint32_t blocks;        /* of VIP_LANES channels */
    uint32_t columns, bins; /* of the convolution's output */
    bool relu, pool;        /* pool: what leaves has half the columns (an odd last one is dropped) and half the bins */
    bool bf16;              /* what convolutions will read, forward and backward, is rounded (bf16.h) */
} vip_plane;

/* Floats of a row before and after the pool. */
size_t vip_plane_inner(const vip_plane *plane);
size_t vip_plane_outer(const vip_plane *plane);

/* sum[blocks * VIP_LANES] and square: of y per channel. */
void vip_plane_sums(const vip_plane *plane, const float *y, double *sum, double *square);

/* out = drop(pool(relu(y * scale + shift + residual))). scale, shift: [blocks * VIP_LANES]. residual: as y, NULL: none.
 * keep: bits of lanes, one byte per vector of out; NULL: no dropout; kept values are multiplied by keep_scale. */
void vip_plane_forward(const vip_plane *plane, const float *y, const float *scale, const float *shift,
                       const float *residual, const uint8_t *keep, float keep_scale, float *out);

/* What backward knows of a row. d2 may be NULL; g may be d1 unless there is a pool. */
typedef struct {
    const float *d1, *d2;       /* the gradient with respect to out is their sum */
    const float *out;           /* of forward */
    const float *y, *residual;  /* of forward */
    const float *scale, *shift; /* of forward */
    const float *mean;          /* [blocks * VIP_LANES] */
    float keep_scale;           /* 1: no dropout */
} vip_plane_gradients;

/* g = gradient with respect to the sum before ReLU (which is also that of the residual). sum: of g, product: of
 * g * (y - mean), per channel. */
void vip_plane_backward(const vip_plane *plane, const vip_plane_gradients *from, float *g, double *sum,
                        double *product);

/* y = a * g - b - c * (y - mean), per channel, in place: the gradient with respect to the convolution's output. */
void vip_plane_apply(const vip_plane *plane, const float *g, const float *a, const float *b, const float *c,
                     const float *mean, float *y);

/* out = x * sign, or out += x * sign, for n vectors per block; negative: bits of lanes, one byte per vector of x, or per
 * block if per_channel is true. out may be x. */
void vip_plane_signs(uint32_t blocks, size_t n, const float *x, const uint8_t *negative, bool per_channel, bool add,
                     float *out);

/* The gradient of frames [columns][bins], the input of one channel of a 3x3 convolution: weights [out][3][3], dy a row of
 * out channels. The frames' gradient is overwritten, or, if add is true, added to. */
void vip_gradient_of_frames(uint32_t out, uint32_t columns, uint32_t bins, uint32_t left, const float *weights,
                            const float *dy, bool add, float *dx);

/* The gradient of the weights of the same convolution, of one row: [out][3][3] in double, overwritten. */
void vip_gradient_of_stem(uint32_t out, uint32_t columns, uint32_t bins, uint32_t left, const float *x, const float *dy,
                          double *gradient);

/* pooled [blocks * VIP_LANES] = max + mean over columns of the mean over bins; newest: the column of the maximum. */
void vip_plane_pooled(const vip_plane *plane, const float *x, float *pooled, uint16_t *newest);

/* The gradient with respect to x. */
void vip_plane_unpool(const vip_plane *plane, const float *d_pooled, const uint16_t *newest, float *dx);

#endif /* VIP_TRAINER_PLANES_H */
