/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scale.h -- multi-label calibration: a temperature and an offset for each class that is heard often enough (method 9). */
#ifndef VIP_TRAINER_SCALE_H
#define VIP_TRAINER_SCALE_H

#include <stdbool.h>
#include <stddef.h>

/* temperature[classes] and offset[classes] with the least binary cross-entropy of z -> (z - offset)/temperature, members'
 * probabilities averaged. Logits are [n][members][classes], y is [n][classes], 0 .. 1, 0.5 and more is heard. First one pair
 * for all classes; a class with at least 20 clips in which it is heard and 20 in which it is not has its own, drawn towards
 * that one as by a normal prior, of width 0.5 on the logarithm of the temperature and 1 on the offset. *own: how many have;
 * *loss: nats per clip, summed over classes. False: memory is short. */
bool vip_fit_scales(const float *logits, const float *y, size_t n, size_t members, size_t classes, float *temperature,
                    float *offset, size_t *own, double *loss);

#endif /* VIP_TRAINER_SCALE_H */
