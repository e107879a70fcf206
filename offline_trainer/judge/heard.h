/* SPDX-License-Identifier: GPL-3.0-or-later */
/* heard.h -- what a model answered to some clips, with its doubt, and what would have been right. */
#ifndef VIP_TRAINER_HEARD_H
#define VIP_TRAINER_HEARD_H

#include "listen.h"

#include <offline_trainer/data/select.h>
#include <offline_trainer/data/targets.h>

#define VIP_NO_LABEL UINT32_MAX

/* Scores of how foreign a clip is, the larger the more. */
typedef enum { VIP_BY_TOTAL, VIP_BY_EPISTEMIC, VIP_BY_CONFIDENCE, VIP_BY_ENERGY, VIP_N_SIGNS } vip_sign_of_doubt;
extern const char *const VIP_SIGN_NAMES[VIP_N_SIGNS]; /* "total", "epistemic", "confidence" (1 - it), "energy" */

typedef struct {
    size_t n, members, classes;
    vipann_task task;
    const size_t *clips;       /* borrowed: places in the cache */
    const float *logits;       /* borrowed, raw: [n][members][classes] */
    double *p;                 /* [n][classes], means over members */
    double *aleatoric;         /* [n], nats; multi-label: sums over classes */
    double *sign[VIP_N_SIGNS]; /* [n]; epistemic is 0 with one member */
    uint32_t *group;           /* [n], equal where clips come from one recording */
    uint32_t *label;           /* [n], multi-class: the right one, or VIP_NO_LABEL */
    float *y;                  /* [n][classes], multi-label: what is right, 0 .. 1 */
    bool *right;               /* [n], multi-class */
} vip_heard;

/* From raw logits, as vip_listen gives them. calibration: applied to each member; NULL: none. targets: what is right is
 * what the teacher heard, not labels; NULL: labels, by the names of the model's classes. NULL: memory is short. */
vip_heard *vip_heard_new(const vip_model *model, const vip_cache *cache, const vip_part *part, const float *logits,
                         size_t members, bool deterministic, const vip_calibration *calibration,
                         const vip_targets *targets);
void vip_heard_free(vip_heard *heard);

/* How many of the clips have no label that the model knows. */
size_t vip_heard_unknown_labels(const vip_heard *heard);

#endif /* VIP_TRAINER_HEARD_H */
