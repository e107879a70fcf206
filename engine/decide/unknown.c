/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unknown.c -- see decide.h for the contract. */
#include "decide.h"

/* A score has a value, and it lies beyond the limit. */
typedef struct {
    bool (*has)(const vip_evidence *evidence);
    bool (*beyond)(const vip_evidence *evidence, double limit);
} score;

static bool
always(const vip_evidence *evidence)
{
    (void)evidence;
    return true;
}

static bool
has_epistemic(const vip_evidence *evidence)
{
    return evidence->members >= 2;
}

static bool
epistemic_above(const vip_evidence *evidence, double limit)
{
    return evidence->epistemic > limit;
}

static bool
total_above(const vip_evidence *evidence, double limit)
{
    return evidence->total > limit;
}

static bool
confidence_below(const vip_evidence *evidence, double limit)
{
    return evidence->largest < limit;
}

static const score SCORES[VIPANN_N_SCORES] = {
    [VIPANN_SCORE_EPISTEMIC] = {has_epistemic, epistemic_above},
    [VIPANN_SCORE_TOTAL] = {always, total_above},
    [VIPANN_SCORE_CONFIDENCE] = {always, confidence_below},
};

vipann_answer
vip_unknown(const vip_model *model, const vip_evidence *evidence)
{
    const vip_calibration *limits = &model->calibration;
    const bool active = model->task == VIPANN_MULTILABEL && evidence->n_active > 0;
    vipann_answer answer = VIPANN_CANNOT_SAY;
    for (size_t i = 0; i < VIPANN_N_SCORES && limits->present; i++) {
        if (limits->has_unknown[i] && SCORES[i].has(evidence)) {
            bool beyond = !active && SCORES[i].beyond(evidence, limits->unknown[i]);
            answer = beyond || answer == VIPANN_YES ? VIPANN_YES : VIPANN_NO;
        }
    }
    return answer;
}
