/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rows.h -- one row of a last layer, learnt by itself: logistic regression with a quadratic penalty, on vectors that are
 * standardised meanwhile. Convex, so that the start does not matter and no seed is needed. */
#ifndef VIP_TRAINER_TEACH_ROWS_H
#define VIP_TRAINER_TEACH_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a row is learnt from, and what it must be kept from: places of vectors, borrowed. */
typedef struct {
    const float *const *x; /* [n], each [features] */
    const int8_t *y;       /* [n]: 1 heard, 0 not heard */
    const uint8_t *fold;   /* [n] */
    size_t n;
    uint32_t features;
    const float *mean, *scale; /* [features]: x is (x - mean) * scale while it is learnt */
} vip_examples;

/* Learns w [features] and *bias for plain x, from examples of all folds but `without` (VIP_ROW_ALL: of all), with the penalty
 * times half the sum of squares of the standardised w. False: memory is short. */
enum { VIP_ROW_ALL = 255 };
bool vip_row_learn(const vip_examples *examples, uint32_t without, double penalty, float *w, float *bias);

/* The mean loss (nats) of the examples of a fold under a row. */
double vip_row_loss(const vip_examples *examples, uint32_t fold, const float *w, float bias);

/* mean and scale of all examples: scale is 1 / standard deviation, or 0 where nothing changes. */
void vip_row_standardise(const float *const *x, size_t n, uint32_t features, float *mean, float *scale);

/* w x + bias. */
float vip_row_logit(const float *w, float bias, const float *x, uint32_t features);

#endif /* VIP_TRAINER_TEACH_ROWS_H */
