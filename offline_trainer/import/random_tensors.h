/* SPDX-License-Identifier: GPL-3.0-or-later */
/* random_tensors.h -- a model's tensors filled with random numbers, with batch-norm statistics as a trained network might
 * have them, so that its answers are not degenerate: for measuring, and for tests. Header only, since tests of the
 * library, which know nothing of the trainer's objects, take it too. */
#ifndef VIP_TRAINER_IMPORT_RANDOM_TENSORS_H
#define VIP_TRAINER_IMPORT_RANDOM_TENSORS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <base/memory.h>
#include <base/philox.h>
#include <model/model.h>

/* Uniform in (0, 1), a pure function of its arguments. */
static inline double
vip_random_uniform(uint64_t seed, uint32_t tensor, uint32_t element, uint32_t which)
{
    uint32_t words[4] = {element, 0, (uint32_t)VIP_KEYED_INIT << 24 | (tensor & 0xffffff), which};
    vip_philox(seed, words, words);
    return ((double)words[0] + 0.5) * 0x1p-32;
}

/* Standard normal (Box and Muller 1958). */
static inline double
vip_random_normal(uint64_t seed, uint32_t tensor, uint32_t element)
{
    double radius = sqrt(-2 * log(vip_random_uniform(seed, tensor, element, 0)));
    return radius * cos(6.283185307179586 * vip_random_uniform(seed, tensor, element, 1));
}

/* The element-th number of a tensor. */
static inline double
vip_random_number(const vip_tensor_shape *shape, uint64_t seed, uint32_t tensor, uint32_t element)
{
    bool input = strncmp(shape->name, "bn0.", 4) == 0; /* sees decibels */
    double fan_in = (double)shape->shape[1] * (shape->rank == 4 ? shape->shape[2] * shape->shape[3] : 1);
    switch (shape->kind) {
    case VIP_CONV_WEIGHT:
    case VIP_LINEAR_WEIGHT:
        return sqrt(1.7 / fan_in) * vip_random_normal(seed, tensor, element);
    case VIP_LINEAR_BIAS:
        return 0.1 * vip_random_normal(seed, tensor, element);
    case VIP_BN_WEIGHT:
        return 0.6 + 0.6 * vip_random_uniform(seed, tensor, element, 0);
    case VIP_BN_BIAS:
        return 0.2 * vip_random_normal(seed, tensor, element);
    case VIP_BN_MEAN:
        return (input ? -45 : 0) + (input ? 8 : 0.3) * vip_random_normal(seed, tensor, element);
    case VIP_BN_VARIANCE:
        return (input ? 150 : 0.5) + (input ? 150 : 1.5) * vip_random_uniform(seed, tensor, element, 0);
    default:
        return 0;
    }
}

/* The numbers of one member. */
static inline void
vip_random_values(const vip_model *model, float *const *values, uint64_t seed)
{
    for (int i = 0; i < model->n_tensors; i++) {
        const vip_tensor_shape *shape = &model->shapes[i];
        const uint32_t n = (uint32_t)vip_tensor_size(shape);
        for (uint32_t e = 0; e < n && values[i] != NULL; e++) {
            values[i][e] = (float)vip_random_number(shape, seed, (uint32_t)i, e);
        }
    }
}

/* Member m of an ensemble is the deterministic model of seed + m. False if memory is short. */
static inline bool
vip_random_tensors(vip_model *model, uint64_t seed, uint32_t members)
{
    vip_random_values(model, model->values, seed);
    if (model->posterior == VIPANN_ENSEMBLE && !vip_model_make_ensemble(model, members)) {
        return false;
    }
    for (uint32_t m = 1; m < model->members; m++) {
        vip_random_values(model, vip_model_values(model, m), seed + m);
    }
    for (int i = 0; i < model->n_tensors; i++) {
        const vip_tensor_shape *shape = &model->shapes[i];
        const uint32_t n = (uint32_t)vip_tensor_size(shape);
        bool stochastic =
            shape->kind == VIP_CONV_WEIGHT || shape->kind == VIP_LINEAR_WEIGHT || shape->kind == VIP_LINEAR_BIAS;
        if (model->posterior == VIPANN_MEANFIELD && stochastic) {
            model->rho[i] = vip_alloc(n, sizeof *model->rho[i]);
            if (model->rho[i] == NULL) {
                return false;
            }
            for (uint32_t e = 0; e < n; e++) { /* sigma about 0.05 */
                model->rho[i][e] = (float)(-3 + 0.3 * vip_random_normal(seed, (uint32_t)(VIP_MAX_TENSORS + i), e));
            }
        }
    }
    return true;
}

#endif /* VIP_TRAINER_IMPORT_RANDOM_TENSORS_H */
