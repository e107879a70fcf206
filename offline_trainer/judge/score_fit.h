/* SPDX-License-Identifier: GPL-3.0-or-later */
/* score_fit.h -- finds the sum of parts by which a model tells the unheard: prototypes on what it learnt from, means,
 * deviations and the limit on clips kept out of training (engine/decide/score.h has the parts). */
#ifndef VIP_TRAINER_SCORE_FIT_H
#define VIP_TRAINER_SCORE_FIT_H

#include "evidence.h"

typedef struct {
    bool has[VIPANN_N_PARTS]; /* the parts to be summed */
    uint32_t prototypes;      /* of the distance, 1 .. VIP_MAX_PROTOTYPES; fewer if there are fewer training clips */
    double refused;           /* the share of right answers that may lie beyond the limit, 0 .. 1 */
    uint64_t seed;            /* of the prototypes */
} vip_score_options;

/* Energy and distance to 128 prototypes, and, if classes are exclusive, the total; 5 % refused; seed 1. */
vip_score_options vip_score_defaults(vipann_task task);

/* The centre and the prototypes of model->calibration.sum from pooled[n][features] of the training's clips: what the
 * distance is measured with. Errors: E_MEMORY, E_ARG (n is 0, numbers that are not finite). */
vipann_status vip_score_prototypes(vip_model *model, const float *pooled, size_t n, uint32_t count, uint64_t seed,
                                   vipann_error *error);

/* All of model->calibration.sum, and its limit. Temperature, offset and thresholds have been set before; the passes and
 * the stretch that was heard are those that will be used.
 *
 * training     [n_training][features], pooled vectors; NULL, 0 if there is no distance among the parts
 * calibration  clips kept out of training
 * right        [calibration->n], whether the model's answer was right; NULL: all count as right. Multi-label: clips on
 *              which a class is active count, but are not refused, as the engine has it
 *
 * Errors: E_ARG (too few clips: at least 20, and 10 that are right; a part that has no value or does not vary on them),
 * E_MEMORY; the model's sum is none then. */
vipann_status vip_score_fit(vip_model *model, const float *training, size_t n_training, const vip_listened *calibration,
                            const bool *right, const vip_score_options *options, vipann_error *error);

#endif /* VIP_TRAINER_SCORE_FIT_H */
