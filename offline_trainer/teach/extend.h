/* SPDX-License-Identifier: GPL-3.0-or-later */
/* extend.h -- a model with more classes: rows at the end of its last layer. */
#ifndef VIP_TRAINER_TEACH_EXTEND_H
#define VIP_TRAINER_TEACH_EXTEND_H

#include <model/model.h>

typedef struct {
    const char *label;
    const float *w; /* [features] */
    float bias;
    float temperature; /* of its calibration */
    float threshold;   /* from which on it counts as heard; negative: never by itself */
} vip_new_class;

/* A model that hears what base hears, in the same numbers, and these classes; of a base with exclusive classes, which
 * cannot be joined by others, all layers but the last, and these classes alone. note: a line for where the calibration
 * comes from. NULL: E_MEMORY. */
vip_model *vip_model_extend(const vip_model *base, const vip_new_class *classes, uint32_t n, const char *note,
                            vipann_error *error);

#endif /* VIP_TRAINER_TEACH_EXTEND_H */
