/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rows.c -- see rows.h for the contract. Accelerated gradient steps (Nesterov), whose length a bound of the curvature gives;
 * the bias, which is not penalised, is one more number that sees 1. */
#include "rows.h"

#include <math.h>
#include <string.h>

#include <base/memory.h>

enum { STEPS = 200, ROUNDS = 12 /* of the power method */, LANES = 8 };

float
vip_row_logit(const float *w, float bias, const float *x, uint32_t features)
{
    float lanes[LANES] = {0}, sum = bias;
    uint32_t k = 0;
    for (; k + LANES <= features; k += LANES) { /* sums that a compiler can do side by side */
        for (uint32_t l = 0; l < LANES; l++) {
            lanes[l] += w[k + l] * x[k + l];
        }
    }
    for (; k < features; k++) {
        sum += w[k] * x[k];
    }
    for (uint32_t l = 0; l < LANES; l++) {
        sum += lanes[l];
    }
    return sum;
}

void
vip_row_standardise(const float *const *x, size_t n, uint32_t features, float *mean, float *scale)
{
    for (uint32_t k = 0; k < features; k++) {
        double sum = 0, square = 0;
        for (size_t i = 0; i < n; i++) {
            sum += (double)x[i][k];
        }
        const double m = n > 0 ? sum / (double)n : 0;
        for (size_t i = 0; i < n; i++) {
            square += ((double)x[i][k] - m) * ((double)x[i][k] - m);
        }
        const double deviation = n > 0 ? sqrt(square / (double)n) : 0;
        mean[k] = (float)m;
        scale[k] = deviation > 1e-6 ? (float)(1 / deviation) : 0;
    }
}

static bool
counts(const vip_examples *e, size_t i, uint32_t without)
{
    return without == VIP_ROW_ALL || e->fold[i] != without;
}

/* log(1 + exp(z)) - y z */
static double
loss_of(double z, int y)
{
    const double t = y != 0 ? -z : z;
    return t > 0 ? t + log1p(exp(-t)) : log1p(exp(t));
}

double
vip_row_loss(const vip_examples *e, uint32_t fold, const float *w, float bias)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < e->n; i++) {
        if (e->fold[i] == fold) {
            sum += loss_of((double)vip_row_logit(w, bias, e->x[i], e->features), e->y[i]);
            n++;
        }
    }
    return n > 0 ? sum / (double)n : 0;
}

/* The numbers of one example, standardised. */
static void
standardise(const vip_examples *e, size_t i, float *out)
{
    for (uint32_t k = 0; k < e->features; k++) {
        out[k] = (e->x[i][k] - e->mean[k]) * e->scale[k];
    }
}

/* All examples that count, standardised: [n][features]; *y and n come with them. NULL: memory is short. */
static float *
gather(const vip_examples *e, uint32_t without, int8_t **y, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < e->n; i++) {
        *n += counts(e, i, without);
    }
    float *x = vip_alloc(*n > 0 ? *n * e->features : 1, sizeof *x);
    *y = vip_alloc(*n > 0 ? *n : 1, sizeof **y);
    for (size_t i = 0, at = 0; x != NULL && *y != NULL && i < e->n; i++) {
        if (counts(e, i, without)) {
            standardise(e, i, x + at * e->features);
            (*y)[at++] = e->y[i];
        }
    }
    return x;
}

/* The largest eigenvalue of X^T X / n with the column of ones, about: by the power method. */
static double
curvature(const float *x, size_t n, uint32_t features, float *v, float *next)
{
    double norm = 1;
    for (uint32_t k = 0; k <= features; k++) {
        v[k] = 1 / sqrtf((float)features + 1);
    }
    for (int round = 0; round < ROUNDS; round++) {
        memset(next, 0, (features + 1) * sizeof *next);
        for (size_t i = 0; i < n; i++) {
            const float *row = x + i * features, z = vip_row_logit(v, v[features], row, features) / (float)n;
            for (uint32_t k = 0; k < features; k++) {
                next[k] += z * row[k];
            }
            next[features] += z;
        }
        norm = 0;
        for (uint32_t k = 0; k <= features; k++) {
            norm += (double)next[k] * (double)next[k];
        }
        norm = sqrt(norm);
        for (uint32_t k = 0; k <= features && norm > 0; k++) {
            v[k] = next[k] / (float)norm;
        }
    }
    return norm;
}

/* The gradient at v (bias last), the penalty's left out. */
static void
gradient(const float *x, const int8_t *y, size_t n, uint32_t features, const float *v, float *g)
{
    memset(g, 0, (features + 1) * sizeof *g);
    for (size_t i = 0; i < n; i++) {
        const float *row = x + i * features;
        const float p = 1 / (1 + expf(-vip_row_logit(v, v[features], row, features)));
        const float d = (p - (float)y[i]) / (float)n;
        for (uint32_t k = 0; k < features; k++) {
            g[k] += d * row[k];
        }
        g[features] += d;
    }
}

static void
descend(const float *x, const int8_t *y, size_t n, uint32_t features, double penalty, float *room, float *w)
{
    float *v = room, *g = room + features + 1, *before = g + features + 1;
    /* The logistic function's slope is a quarter at most; the power method comes from below. */
    const float length = (float)(1 / (0.25 * 1.05 * curvature(x, n, features, v, g) + penalty + 1e-6));
    memset(w, 0, (features + 1) * sizeof *w);
    memset(v, 0, (features + 1) * sizeof *v);
    for (int step = 0; step < STEPS; step++) {
        const float ahead = (float)step / ((float)step + 3);
        memcpy(before, w, (features + 1) * sizeof *w);
        gradient(x, y, n, features, v, g);
        for (uint32_t k = 0; k <= features; k++) {
            const float pull = k < features ? (float)penalty * v[k] : 0;
            w[k] = v[k] - length * (g[k] + pull);
            v[k] = w[k] + ahead * (w[k] - before[k]);
        }
    }
}

bool
vip_row_learn(const vip_examples *e, uint32_t without, double penalty, float *w, float *bias)
{
    int8_t *y = NULL;
    size_t n;
    const uint32_t features = e->features;
    float *x = gather(e, without, &y, &n);
    float *room = vip_alloc(4 * ((size_t)features + 1), sizeof *room);
    const bool good = x != NULL && y != NULL && room != NULL;
    if (good) {
        float *learnt = room + 3 * ((size_t)features + 1);
        descend(x, y, n, features, penalty, room, learnt);
        double b = (double)learnt[features];
        for (uint32_t k = 0; k < features; k++) {
            w[k] = learnt[k] * e->scale[k];
            b -= (double)w[k] * (double)e->mean[k];
        }
        *bias = (float)b;
    }
    vip_free(x);
    vip_free(y);
    vip_free(room);
    return good;
}
