/* SPDX-License-Identifier: GPL-3.0-or-later */
/* head.h -- the end of the network: columns of features, pooled over a window, through the two dense layers.
 *
 * An answer pools the mean over bins of a window's columns: max + mean over time (Kong et al. 2020). Sums are in double
 * and start at the window's first column, so that a window that covers everything gives the bits of an endless one. */
#ifndef VIP_NN_HEAD_H
#define VIP_NN_HEAD_H

#include "weights.h"

#include <kernels/kernels.h>

typedef struct vip_head vip_head;

/* Dropout before the dense layers; threshold 0: none. */
typedef struct {
    uint32_t fc1_threshold, head_threshold;
    float fc1_scale, head_scale;
    uint32_t fc1_site, head_site; /* ids */
    uint64_t seed;
} vip_head_masks;

/* window: the most columns an answer pools; 0: all since the start. spare: columns beyond the window that may be there
 * at once. stored: members whose columns differ (1: all share one), members: most members of an answer. Everything is
 * borrowed for the head's life but weights and masks, which are copied. NULL: memory is short. */
vip_head *vip_head_new(const vip_kernels *kernels, const vip_network *network, const vip_member_weights *weights,
                       const vip_head_masks *masks, uint32_t window, uint32_t spare, uint32_t stored, uint32_t members);
void vip_head_free(vip_head *head);
void vip_head_reset(vip_head *head);

/* Where column j of the features goes: [stored][features]. */
float *vip_head_column(vip_head *head, int64_t j);

/* Endless windows: columns up to `end` (excluded) are there for good, for members 0 .. members - 1. */
void vip_head_commit(vip_head *head, int64_t end, uint32_t members);

/* Logits [members][classes] of the columns end - window .. end - 1, all of which must be there still; window 0: of all up
 * to end, of an endless head only. */
void vip_head_answer(vip_head *head, int64_t end, uint32_t window, uint32_t members, float *logits);

/* The pooled vector of the newest answer, before dropout: its mean over the members of that answer, [features]. */
void vip_head_pooled(const vip_head *head, float *mean);

#endif /* VIP_NN_HEAD_H */
