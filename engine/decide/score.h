/* SPDX-License-Identifier: GPL-3.0-or-later */
/* score.h -- what finds the unheard: parts of a score, and their sum.
 *
 * The parts, each larger for sounds that are more foreign to the model:
 *   total       nats, as vip_evidence has it
 *   epistemic   nats, corrected for few members
 *   confidence  1 - the largest probability
 *   energy      mean over the members of -log sum exp(z), z being calibrated logits (Liu et al. 2020); multi-label:
 *               of - sum log(1 + exp(z)) (Wang et al. 2021)
 *   distance    of the pooled vector to what was heard in training: 1 - the largest cosine between its features and any
 *               of the model's prototypes, 0 .. 2
 * Features are roots that keep their sign, x -> sign(x) sqrt(|x|), of the pooled vector (mean over the members) less their
 * mean over the training clips. The sum is that of (part - mean) / std over those that the model states, mean and std
 * being what its calibration clips had.
 *
 * Pure functions, shared by engine and trainer; any thread; nothing is allocated. Numbers do not depend on the machine's
 * instruction set. */
#ifndef VIP_DECIDE_SCORE_H
#define VIP_DECIDE_SCORE_H

#include "decide.h"

/* Of one member; finite whatever the logits: NaN counts as a class that is not there. classes >= 1. */
double vip_energy(vipann_task task, const float *logits, size_t classes);

/* out[n] = features of pooled[n]; mean[n]: of the training clips' roots; NULL: 0. In place if out is pooled. */
void vip_features(const float *pooled, const float *mean, size_t n, float *out);

/* inverse[count] = 1 / length of each prototype ([count][n]); 0 for one of length 0, which is near to nothing. */
void vip_prototype_scales(const float *prototypes, size_t count, size_t n, float *inverse);

/* 1 - the largest cosine between features[n] and a prototype; 1 if features are all zero or not finite. count >= 1. */
double vip_distance(const float *features, const float *prototypes, const float *inverse, size_t count, size_t n);

/* The value of one part; false if this evidence has none. */
bool vip_part_value(vipann_part part, const vip_evidence *evidence, double *value);

/* The standardised sum; false if the model states none, or one of them has no value. */
bool vip_sum_value(const vip_sum *sum, const vip_evidence *evidence, double *value);

#endif /* VIP_DECIDE_SCORE_H */
