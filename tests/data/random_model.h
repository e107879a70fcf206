/* SPDX-License-Identifier: GPL-3.0-or-later */
/* random_model.h -- a model of random numbers with batch-norm statistics as a trained network might have them, so that
 * its answers are not degenerate: for tests and for measuring. Header only, since every .c beside it is a program. */
#ifndef VIP_TESTS_RANDOM_MODEL_H
#define VIP_TESTS_RANDOM_MODEL_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <base/memory.h>
#include <base/philox.h>
#include <model/model.h>

typedef struct {
    vip_arch arch;
    uint32_t width, classes;
    vip_padding padding;
    vipann_posterior posterior;
    vipann_task task;
    uint64_t seed;
} random_model_spec;

/* Uniform in (0, 1), a pure function of its arguments. */
static inline double
random_model_uniform(uint64_t seed, uint32_t tensor, uint32_t element, uint32_t which)
{
    uint32_t words[4] = {element, 0, (uint32_t)VIP_KEYED_INIT << 24 | (tensor & 0xffffff), which};
    vip_philox(seed, words, words);
    return ((double)words[0] + 0.5) * 0x1p-32;
}

/* Standard normal (Box and Muller 1958). */
static inline double
random_model_normal(uint64_t seed, uint32_t tensor, uint32_t element)
{
    double radius = sqrt(-2 * log(random_model_uniform(seed, tensor, element, 0)));
    return radius * cos(6.283185307179586 * random_model_uniform(seed, tensor, element, 1));
}

/* The element-th number of a tensor. */
static inline double
random_model_number(const vip_tensor_shape *shape, uint64_t seed, uint32_t tensor, uint32_t element)
{
    bool input = strncmp(shape->name, "bn0.", 4) == 0; /* sees decibels */
    double fan_in = (double)shape->shape[1] * (shape->rank == 4 ? shape->shape[2] * shape->shape[3] : 1);
    switch (shape->kind) {
    case VIP_CONV_WEIGHT:
    case VIP_LINEAR_WEIGHT:
        return sqrt(1.7 / fan_in) * random_model_normal(seed, tensor, element);
    case VIP_LINEAR_BIAS:
        return 0.1 * random_model_normal(seed, tensor, element);
    case VIP_BN_WEIGHT:
        return 0.6 + 0.6 * random_model_uniform(seed, tensor, element, 0);
    case VIP_BN_BIAS:
        return 0.2 * random_model_normal(seed, tensor, element);
    case VIP_BN_MEAN:
        return (input ? -45 : 0) + (input ? 8 : 0.3) * random_model_normal(seed, tensor, element);
    case VIP_BN_VARIANCE:
        return (input ? 150 : 0.5) + (input ? 150 : 1.5) * random_model_uniform(seed, tensor, element, 0);
    default:
        return 0;
    }
}

/* The numbers of one member. */
static inline void
random_model_values(const vip_model *model, float *const *values, uint64_t seed)
{
    for (int i = 0; i < model->n_tensors; i++) {
        const vip_tensor_shape *shape = &model->shapes[i];
        const uint32_t n = (uint32_t)vip_tensor_size(shape);
        for (uint32_t e = 0; e < n && values[i] != NULL; e++) {
            values[i][e] = (float)random_model_number(shape, seed, (uint32_t)i, e);
        }
    }
}

/* Member m of an ensemble is the deterministic model of seed + m. False if memory is short. */
static inline bool
random_model_tensors(vip_model *model, uint64_t seed, uint32_t members)
{
    random_model_values(model, model->values, seed);
    if (model->posterior == VIPANN_ENSEMBLE && !vip_model_make_ensemble(model, members)) {
        return false;
    }
    for (uint32_t m = 1; m < model->members; m++) {
        random_model_values(model, vip_model_values(model, m), seed + m);
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
                model->rho[i][e] = (float)(-3 + 0.3 * random_model_normal(seed, (uint32_t)(VIP_MAX_TENSORS + i), e));
            }
        }
    }
    return true;
}

/* All that a calibration can say but a limit of the total; the last class is not reportable. False if memory is short. */
static inline bool
random_model_calibration(vip_calibration *calibration, uint32_t classes)
{
    calibration->present = true;
    calibration->has_deterministic = true;
    calibration->temperature_deterministic = 0.875f;
    calibration->has_unknown[VIPANN_SCORE_EPISTEMIC] = calibration->has_unknown[VIPANN_SCORE_CONFIDENCE] = true;
    calibration->unknown[VIPANN_SCORE_EPISTEMIC] = 0.4;
    calibration->unknown[VIPANN_SCORE_CONFIDENCE] = 0.3;
    calibration->members = 4;
    calibration->window_columns = 15;
    calibration->thresholds = vip_alloc(classes, sizeof *calibration->thresholds);
    vip_free(calibration->data);
    calibration->data = vip_copy_string("none: made up for tests");
    if (calibration->thresholds == NULL || calibration->data == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < classes; i++) {
        calibration->temperature[i] = 0.75f;
        calibration->offset[i] = (float)(i % 3) * 0.125f;
        calibration->thresholds[i] = i + 1 == classes && classes > 1 ? -1.0f : 0.25f + (float)(i % 4) * 0.125f;
    }
    return true;
}

/* The model, to be freed with vip_model_free, or NULL if memory is short. members: of an ensemble. Front-end: panns16k. */
static inline vip_model *
random_ensemble(const random_model_spec *spec, uint32_t members)
{
    vip_model *model = vip_model_new(spec->arch, spec->width, spec->classes, spec->padding);
    if (model == NULL) {
        return NULL;
    }
    model->task = spec->task;
    model->posterior = spec->posterior;
    model->frontend = (vip_frontend_spec){"panns16k", 16000, 512, 160, VIP_MELS, 50, 8000, 1e-10};
    bool complete = random_model_tensors(model, spec->seed, members) &&
                    random_model_calibration(&model->calibration, spec->classes);
    for (uint32_t i = 0; i < spec->classes && complete; i++) {
        char label[32];
        (void)snprintf(label, sizeof label, "class %u", (unsigned)i);
        model->labels[i] = vip_copy_string(label);
        complete = model->labels[i] != NULL;
    }
    for (int i = 0; i < model->network.n_sites && spec->posterior == VIPANN_DROPOUT; i++) {
        model->rates[i] = model->network.sites[i].training_rate;
    }
    char **texts[] = {&model->preset, &model->provenance, &model->license};
    const char *const values[] = {spec->posterior == VIPANN_DROPOUT ? "all" : "", "random numbers for tests",
                                  "CC0-1.0"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts && complete; i++) {
        vip_free(*texts[i]);
        *texts[i] = vip_copy_string(values[i]);
        complete = *texts[i] != NULL;
    }
    if (!complete) {
        vip_model_free(model);
        return NULL;
    }
    return model;
}

/* The same; an ensemble has three members. */
static inline vip_model *
random_model(const random_model_spec *spec)
{
    return random_ensemble(spec, 3);
}

#endif /* VIP_TESTS_RANDOM_MODEL_H */
