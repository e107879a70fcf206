/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unknown.c -- see decide.h for the contract. */
#include "decide.h"

#include "score.h"

/* Whether a score has a value, and then its excess: how far it lies beyond the limit. */
typedef bool excess_of(const vip_calibration *calibration, const vip_evidence *evidence, double limit, double *excess);

static bool
epistemic_excess(const vip_calibration *calibration, const vip_evidence *evidence, double limit, double *excess)
{
    (void)calibration;
    *excess = evidence->epistemic - limit;
    return evidence->members >= 2;
}

static bool
total_excess(const vip_calibration *calibration, const vip_evidence *evidence, double limit, double *excess)
{
    (void)calibration;
    *excess = evidence->total - limit;
    return true;
}

static bool
confidence_excess(const vip_calibration *calibration, const vip_evidence *evidence, double limit, double *excess)
{
    (void)calibration;
    *excess = limit - evidence->largest;
    return true;
}

static bool
sum_excess(const vip_calibration *calibration, const vip_evidence *evidence, double limit, double *excess)
{
    double value;
    bool has = vip_sum_value(&calibration->sum, evidence, &value);
    *excess = value - limit;
    return has;
}

static excess_of *const SCORES[VIPANN_N_SCORES] = {
    [VIPANN_SCORE_EPISTEMIC] = epistemic_excess,
    [VIPANN_SCORE_TOTAL] = total_excess,
    [VIPANN_SCORE_CONFIDENCE] = confidence_excess,
    [VIPANN_SCORE_SUM] = sum_excess,
};

vipann_answer
vip_unknown(const vip_model *model, const vip_evidence *evidence)
{
    const vip_calibration *limits = &model->calibration;
    const bool active = model->task == VIPANN_MULTILABEL && evidence->n_active > 0;
    vipann_answer answer = VIPANN_CANNOT_SAY;
    for (size_t i = 0; i < VIPANN_N_SCORES && limits->present; i++) {
        double excess;
        if (limits->has_unknown[i] && SCORES[i](limits, evidence, limits->unknown[i], &excess)) {
            bool beyond = !active && excess > 0;
            answer = beyond || answer == VIPANN_YES ? VIPANN_YES : VIPANN_NO;
        }
    }
    return answer;
}
