/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hearing.h -- what an engine hears with: the pass, and the weights and signs that its members have for themselves.
 *
 * Who the members are follows from the model and the options: the masks of a dropout model, one draw of noise with signs
 * for each (Flipout) or draws of their own (explicit) of a mean-field one, the networks of an ensemble; or, of any model,
 * the mean network alone. For engine.c only. Thread: any but the audio thread (these functions allocate). */
#ifndef VIP_HEARING_H
#define VIP_HEARING_H

#include "library.h"

#include <nn/pass.h>

typedef struct vip_hearing vip_hearing;

/* Draws and packs what the members need, for the most that the options allow. options have been checked, and are those
 * of the engine; the model is borrowed. NULL: memory is short. */
vip_hearing *vip_hearing_new(const vipann_model *model, const vipann_options *options, const vip_kernels *kernels);
void vip_hearing_free(vip_hearing *hearing);

/* The pass; freed with what it belongs to. */
vip_pass *vip_hearing_pass(const vip_hearing *hearing);

#endif /* VIP_HEARING_H */
