/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loss.h -- what training makes small, with gradients. All sums in double; means over rows. */
#ifndef VIP_TRAINER_LOSS_H
#define VIP_TRAINER_LOSS_H

#include <stddef.h>

/* Binary cross-entropy of logits z against targets y in 0 .. 1, both [rows][classes]: mean over rows and classes
 * (Kong et al. 2020). weight multiplies loss and gradient; gradient [rows][classes] is overwritten. mask [rows]: rows
 * with 0 do not count, neither in the mean; NULL: all do. No row counts: 0. */
double vip_loss_binary(const float *z, const float *y, const float *mask, size_t rows, size_t classes, double weight,
                       float *gradient);

/* Cross-entropy of softmax(z) against soft targets y that sum to 1: mean over rows. */
double vip_loss_softmax(const float *z, const float *y, const float *mask, size_t rows, size_t classes, double weight,
                        float *gradient);

/* Squared distance: mean over rows and elements. */
double vip_loss_square(const float *z, const float *y, const float *mask, size_t rows, size_t size, double weight,
                       float *gradient);

#endif /* VIP_TRAINER_LOSS_H */
