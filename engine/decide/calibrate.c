/* SPDX-License-Identifier: GPL-3.0-or-later */
/* calibrate.c -- see decide.h for the contract. */
#include "decide.h"

#include <math.h>

void
vip_calibrate(const vip_calibration *calibration, bool deterministic, float *logits, size_t classes)
{
    if (!calibration->present) {
        return;
    }
    bool own = deterministic && calibration->has_deterministic;
    for (size_t i = 0; i < classes; i++) {
        float offset = own || calibration->offset == NULL ? 0.0f : calibration->offset[i];
        float temperature = own                                ? calibration->temperature_deterministic
                            : calibration->temperature == NULL ? 1.0f
                                                               : calibration->temperature[i];
        logits[i] = (logits[i] - offset) / temperature;
    }
}

bool
vip_calibration_applies(const vip_model *model, uint32_t passes, uint32_t window_columns)
{
    const vip_calibration *calibration = &model->calibration;
    if (!calibration->present) {
        return false;
    }
    if (calibration->window_columns != 0 && calibration->window_columns != window_columns) {
        return false;
    }
    if (model->posterior == VIPANN_DETERMINISTIC) {
        return true; /* however many passes are asked for, they are one and the same */
    }
    if (passes == 0) {
        return calibration->has_deterministic;
    }
    return calibration->members == 0 || calibration->members == passes;
}

double
vip_smoothing_weight(double hop_seconds, double horizon_seconds)
{
    return horizon_seconds > 0.0 ? -expm1(-hop_seconds / horizon_seconds) : 1.0;
}
