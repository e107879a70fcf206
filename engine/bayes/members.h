/* SPDX-License-Identifier: GPL-3.0-or-later */
/* members.h -- from a posterior over weights to the weights of its members.
 *
 * A mean-field posterior is mu and sigma = softplus(rho) per weight. A member of channel Flipout (Wen et al. 2018) has
 * the weights mu + dW * (s r^T) and biases mu + db * s, where dW = sigma * eps is one draw for all members and r, s are
 * signs per member and channel: each member is one fixed function of the sound. An explicit member has a draw of its
 * own. All numbers are keyed (keyed.h). Thread: any but the audio thread (these functions allocate). */
#ifndef VIP_BAYES_MEMBERS_H
#define VIP_BAYES_MEMBERS_H

#include <nn/weights.h>

/* log(1 + exp(x)), exact for large |x|. */
double vip_softplus(double x);

/* An array of VIP_MAX_TENSORS pointers, one per tensor of the model; free with vip_tensors_free. */
typedef float **vip_tensors;
void vip_tensors_free(vip_tensors tensors);

/* dW = sigma * eps of draw `draw`, for each tensor with a posterior; NULL for the others. NULL: memory is short. */
vip_tensors vip_draw_noise(const vip_model *model, uint64_t seed, uint32_t draw);

/* Explicit weights mu + dW of one draw; those of deterministic tensors are copies. NULL: memory is short. */
vip_tensors vip_draw_weights(const vip_model *model, uint64_t seed, uint32_t draw);

/* The signs and biases of members 0 .. members - 1; noise is that of draw 0. NULL: memory is short. */
vip_signs *vip_draw_signs(const vip_model *model, const vip_weights *weights, vip_tensors noise, uint64_t seed,
                          uint32_t members);

#endif /* VIP_BAYES_MEMBERS_H */
