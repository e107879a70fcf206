/* SPDX-License-Identifier: GPL-3.0-or-later */
/* limits.h -- from when on a class counts as heard, and an answer as *unknown*: found on clips kept out of training
 * (method 5.7 and 9), and written into the model's calibration. */
#ifndef VIP_TRAINER_LIMITS_H
#define VIP_TRAINER_LIMITS_H

#include "evidence.h"
#include "heard.h"

/* Multi-label: the smallest threshold of each class so that `precision` of what passes it is right (temperature.h); a class
 * that is heard in fewer than 20 of the clips gets that of all classes together, *shared. A class without one is -1. *own:
 * how many have their own. heard: with the model's calibration. Errors: E_MEMORY. */
vipann_status vip_fit_thresholds(vip_model *model, const vip_heard *heard, double precision, bool safe, double *shared,
                                 size_t *own, vipann_error *error);

/* Two limits that refuse a share of the right answers: the epistemic part, where there are members, and for one class per
 * clip the largest probability; half of the share to each if there are both. right[n]: NULL: all. *n_right: how many there
 * are; none: no limit is stated. Errors: E_MEMORY. */
vipann_status vip_fit_pair(vip_model *model, const vip_listened *heard, const bool *right, double share,
                           size_t *n_right, vipann_error *error);

/* Moves the limits that the model states so that of n answers to a background no more than `most` are *unknown*: equal parts
 * of them by each limit. Answers with an active class never are, and leave the limits as they are. *found: how many are now.
 * Errors: E_MEMORY. */
vipann_status vip_fit_background(vip_model *model, const vip_evidence *evidence, size_t n, size_t most, size_t *found,
                                 vipann_error *error);

#endif /* VIP_TRAINER_LIMITS_H */
