/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unknown.c -- see decide.h for the contract. */
#include "decide.h"

/* As vip_corrected_epistemic, which lives in a room above this one; a test keeps the two equal. */
static double
corrected(const vip_evidence *evidence)
{
    double full = evidence->epistemic * (double)evidence->members / (double)(evidence->members - 1);
    return full < evidence->total ? full : evidence->total;
}

vipann_answer
vip_unknown(const vip_model *model, const vip_evidence *evidence)
{
    const vip_calibration *limits = &model->calibration;
    if (evidence->members < 2 || !limits->present) {
        return VIPANN_CANNOT_SAY;
    }
    bool unknown;
    if (model->task == VIPANN_MULTICLASS) {
        if (!limits->has_epistemic && !limits->has_confidence) {
            return VIPANN_CANNOT_SAY;
        }
        unknown = (limits->has_epistemic && corrected(evidence) > limits->unknown_epistemic) ||
                  (limits->has_confidence && evidence->largest < limits->unknown_confidence);
    } else {
        if (!limits->has_epistemic) {
            return VIPANN_CANNOT_SAY;
        }
        unknown = evidence->n_active == 0 && evidence->active_epistemic > limits->unknown_epistemic;
    }
    return unknown ? VIPANN_YES : VIPANN_NO;
}
