/* SPDX-License-Identifier: GPL-3.0-or-later */
/* temperature.h -- what makes probabilities honest, found on clips kept out of training (method 9).
 *
 * Logits are [n][members][classes]: each member's is divided by the temperature, becomes probabilities, and those are
 * averaged. */
#ifndef VIP_TRAINER_TEMPERATURE_H
#define VIP_TRAINER_TEMPERATURE_H

#include <vipann/vipann.h>

#include <stdbool.h>
#include <stddef.h>

/* Mean probabilities p [n][classes] of z -> (z - offset[c]) / temperature[c]; both NULL: raw logits. */
void vip_mean_probabilities(vipann_task task, const float *logits, size_t n, size_t members, size_t classes,
                            const float *temperature, const float *offset, double *p);

/* The temperature in 0.05 .. 20 with the least loss, by golden section on its logarithm. Multi-class: y is one-hot and the
 * loss its cross-entropy; multi-label: y in 0 .. 1, the sum over classes of the binary one. *loss: what is reached. */
double vip_fit_temperature(vipann_task task, const float *logits, const float *y, size_t n, size_t members,
                           size_t classes, double *loss);

/* The smallest score t so that at least `precision` of the clips with a score of t or more are positive, and at least
 * `least` of these are; NaN: there is none. safe: the lower bound of Wilson's interval (95 %) instead of the share. */
double vip_threshold_for(const double *score, const bool *positive, size_t n, double precision, size_t least,
                         bool safe);

/* The value below which `share` of the values lie: of the sorted values the one at share * (n - 1), between two in
 * proportion. NaN if n is 0 or memory is short. */
double vip_quantile(const double *values, size_t n, double share);

#endif /* VIP_TRAINER_TEMPERATURE_H */
