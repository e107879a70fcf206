/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trainee.h -- a network in training with all that belongs to it; for this room alone. */
#ifndef VIP_TRAINER_TRAINEE_H
#define VIP_TRAINER_TRAINEE_H

#include "checkpoint.h"
#include "folder.h"

typedef struct {
    const vip_recipe *recipe;
    vip_parameters *parameters;
    vip_net *net;
    vip_feed *feed;
    vip_optimiser *optimiser;
    vip_prior *prior; /* mean field */
    float *average;   /* [n_trainable] */
    float *best;      /* [n], with the statistics that belong to it */
    float *aside;     /* [n], the values in training while the average is heard */
    double begun, seconds_before;
    double binary_weight; /* of the multi-label loss, which is a mean over classes */
    float momentum;       /* of batch norm's running statistics */
    char dev_text[96];
    vip_checkpoint state;
} vip_trainee;

/* Errors: E_ARG, E_MEMORY, E_UNSUPPORTED; vip_trainee_free is called in any case. */
vipann_status vip_trainee_new(vip_trainee *trainee, const vip_recipe *recipe, vipann_error *error);
void vip_trainee_free(vip_trainee *trainee);

/* Hears the development part with averaged weights, whose batch norm is found again; keeps them if they are the best, and
 * writes them. last: the run is over, so last.safetensors is written as well. Without a development part the newest are
 * the best. */
vipann_status vip_trainee_develop(vip_trainee *trainee, FILE *log, bool last, vipann_error *error);

#endif /* VIP_TRAINER_TRAINEE_H */
