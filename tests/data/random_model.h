/* SPDX-License-Identifier: GPL-3.0-or-later */
/* random_model.h -- a model of random numbers with batch-norm statistics as a trained network might have them, so that
 * its answers are not degenerate: for tests. Header only, since every .c beside it is a program. */
#ifndef VIP_TESTS_RANDOM_MODEL_H
#define VIP_TESTS_RANDOM_MODEL_H

#include <stdint.h>
#include <stdio.h>

#include <base/memory.h>
#include <model/model.h>

#include <offline_trainer/import/random_tensors.h>

typedef struct {
    vip_arch arch;
    uint32_t width, classes;
    vip_padding padding;
    vipann_posterior posterior;
    vipann_task task;
    uint64_t seed;
} random_model_spec;

/* All that a calibration can say but limits of the total and of a sum; the last class is not reportable. False if memory is short. */
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
    bool complete =
        vip_random_tensors(model, spec->seed, members) && random_model_calibration(&model->calibration, spec->classes);
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

/* States a sum of all parts with its limit, its distance measured to so many random prototypes. False if memory is short. */
static inline bool
random_model_sum(vip_model *model, uint32_t prototypes, uint64_t seed)
{
    vip_calibration *calibration = &model->calibration;
    vip_sum *sum = &calibration->sum;
    const uint32_t features = model->network.features;
    if (!vip_model_make_prototypes(model, prototypes)) {
        return false;
    }
    for (uint32_t i = 0; i < features; i++) {
        sum->centre[i] = (float)(0.5 + 0.25 * vip_random_normal(seed, VIP_MAX_TENSORS, i));
    }
    for (uint32_t i = 0; i < prototypes * features; i++) {
        sum->prototypes[i] = (float)vip_random_normal(seed, VIP_MAX_TENSORS + 1, i);
    }
    for (int i = 0; i < VIPANN_N_PARTS; i++) {
        sum->has[i] = true;
        sum->mean[i] = 1.0 / (3 + i) - (i == VIPANN_PART_ENERGY ? 4 : 0);
        sum->std[i] = 0.25 * (1 + i);
    }
    calibration->has_unknown[VIPANN_SCORE_SUM] = true;
    calibration->unknown[VIPANN_SCORE_SUM] = 1.5;
    return true;
}

/* A random model; an ensemble has three members. */
static inline vip_model *
random_model(const random_model_spec *spec)
{
    return random_ensemble(spec, 3);
}

#endif /* VIP_TESTS_RANDOM_MODEL_H */
