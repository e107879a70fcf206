/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hear.h -- what a model makes of recordings before its last layer: a vector for each of its columns, by the short window that
 * decides about events. They are computed once; whatever is learnt afterwards is learnt from them. */
#ifndef VIP_TRAINER_TEACH_HEAR_H
#define VIP_TRAINER_TEACH_HEAR_H

#include <model/model.h>

#include "sounds.h"

/* One recording as a model hears it. */
typedef struct {
    size_t columns;
    float *vectors; /* [columns][features]: behind fc1 and its ReLU, of the window that ends with the column */
    double seconds;
} vip_heard_vectors;

typedef void vip_hear_progress(void *user, size_t done, size_t n);

/* All recordings, without noise; vectors[sounds->n], to be freed with vip_hear_free. Shorter than one column: no columns.
 * Errors: as vip_frames_of, E_ARG (VIPANN_KERNELS), E_MEMORY. */
vip_heard_vectors *vip_hear_vectors(const vip_model *model, const vip_sounds *sounds, vip_hear_progress *progress,
                                    void *user, vipann_error *error);
void vip_hear_free(vip_heard_vectors *heard, size_t n);

/* Seconds that a column lasts, and that the window of events lasts. */
double vip_hear_column(const vip_model *model);

#endif /* VIP_TRAINER_TEACH_HEAR_H */
