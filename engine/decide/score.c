/* SPDX-License-Identifier: GPL-3.0-or-later */
/* score.c -- see score.h for the contract. */
#include "score.h"

#include <float.h>
#include <math.h>

/* ----------------------------------------------------------------------------------------------------------- energy */

/* The logit of a class within the range of floats; of one that is not there the least. */
static double
finite(float z)
{
    return z > -FLT_MAX ? (z < FLT_MAX ? (double)z : (double)FLT_MAX) : -(double)FLT_MAX;
}

/* Sum of log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)); one logarithm for many factors of at most 2. */
static double
sum_of_softplus(const float *logits, size_t classes)
{
    enum { AT_ONCE = 512 };
    double sum = 0;
    for (size_t c = 0; c < classes;) {
        const size_t end = classes - c < AT_ONCE ? classes : c + AT_ONCE;
        double product = 1;
        for (; c < end; c++) {
            const double z = finite(logits[c]);
            sum += z > 0 ? z : 0;
            product *= 1 + exp(-fabs(z));
        }
        sum += log(product);
    }
    return sum;
}

double
vip_energy(vipann_task task, const float *logits, size_t classes)
{
    double sum = 0;
    if (task == VIPANN_MULTILABEL) {
        return -sum_of_softplus(logits, classes);
    }
    double most = -(double)FLT_MAX;
    for (size_t c = 0; c < classes; c++) {
        most = fmax(most, finite(logits[c]));
    }
    for (size_t c = 0; c < classes; c++) {
        sum += exp(finite(logits[c]) - most);
    }
    return -(most + log(sum));
}

/* --------------------------------------------------------------------------------------------------------- distance */

void
vip_features(const float *pooled, const float *mean, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++) {
        const float root = sqrtf(fabsf(pooled[i]));
        out[i] = (pooled[i] < 0 ? -root : root) - (mean == NULL ? 0 : mean[i]);
    }
}

enum { LANES = 16 }; /* sums at a time, so that the compiler may use vectors and the order stays the same */

static float
dot(const float *restrict a, const float *restrict b, size_t n)
{
    float lanes[LANES] = {0}, rest = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (size_t k = 0; k < LANES; k++) {
            lanes[k] += a[i + k] * b[i + k];
        }
    }
    for (; i < n; i++) {
        rest += a[i] * b[i];
    }
    for (size_t half = LANES / 2; half > 0; half /= 2) {
        for (size_t k = 0; k < half; k++) {
            lanes[k] += lanes[k + half];
        }
    }
    return lanes[0] + rest;
}

/* 1 / length, or 0 if there is none. In double, so that no length is lost to overflow. */
static double
inverse_length(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    return sum > 0 ? 1 / sqrt(sum) : 0;
}

void
vip_prototype_scales(const float *prototypes, size_t count, size_t n, float *inverse)
{
    for (size_t i = 0; i < count; i++) {
        inverse[i] = (float)inverse_length(prototypes + i * n, n);
    }
}

double
vip_distance(const float *features, const float *prototypes, const float *inverse, size_t count, size_t n)
{
    const double scale = inverse_length(features, n);
    if (!(scale > 0)) {
        return 1;
    }
    float nearest = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        const float along = dot(features, prototypes + i * n, n) * inverse[i];
        nearest = along > nearest ? along : nearest;
    }
    const double cosine = (double)nearest * scale;
    return 1 - (cosine > 1 ? 1 : cosine < -1 ? -1 : cosine);
}

/* -------------------------------------------------------------------------------------------------------------- sum */

bool
vip_part_value(vipann_part part, const vip_evidence *evidence, double *value)
{
    const double values[VIPANN_N_PARTS] = {
        [VIPANN_PART_TOTAL] = evidence->total,
        [VIPANN_PART_EPISTEMIC] = evidence->epistemic,
        [VIPANN_PART_CONFIDENCE] = 1 - evidence->largest,
        [VIPANN_PART_ENERGY] = evidence->energy,
        [VIPANN_PART_DISTANCE] = evidence->distance,
    };
    *value = values[part];
    return part != VIPANN_PART_EPISTEMIC || evidence->members >= 2;
}

bool
vip_sum_value(const vip_sum *sum, const vip_evidence *evidence, double *value)
{
    bool any = false;
    *value = 0;
    for (int i = 0; i < VIPANN_N_PARTS; i++) {
        double x;
        if (!sum->has[i]) {
            continue;
        }
        if (!vip_part_value((vipann_part)i, evidence, &x)) {
            return false;
        }
        *value += (x - sum->mean[i]) / sum->std[i];
        any = true;
    }
    return any;
}
