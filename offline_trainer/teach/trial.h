/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trial.h -- how well new classes can be told, found by leaving out: each fifth of what is labelled, and of the background, is
 * judged by rows that were learnt without it, with the events that the engine would have told. */
#ifndef VIP_TRAINER_TEACH_TRIAL_H
#define VIP_TRAINER_TEACH_TRIAL_H

#include "hear.h"

/* A class that has been taught. */
typedef struct {
    float *w; /* [features], owned */
    float bias;
    double penalty, temperature;
    double threshold;                  /* negative: at no threshold are alarms as few as was asked for */
    uint32_t stretches, found;         /* of those that were left out */
    uint32_t alarms;                   /* events where nothing is labelled */
    double hours;                      /* of sound without this class */
    uint32_t taken[VIP_TEACH_CLASSES]; /* stretches of other classes in which it was told */
    bool judged;                       /* there was enough to leave something out */
} vip_taught;

/* Teaches class c. alarms_per_hour: what the threshold is for. Errors: E_ARG (nothing of it lasts long enough to be heard),
 * E_MEMORY. */
vipann_status vip_teach_class(const vip_model *model, const vip_sounds *sounds, const vip_heard_vectors *heard,
                              uint32_t c, double alarms_per_hour, vip_taught *taught, vipann_error *error);

/* The end of an interval that holds the true rate in 95 of 100 cases, from so many events (Poisson): how many there may be
 * at most where so many were seen. */
double vip_rate_at_most(uint32_t seen);

#endif /* VIP_TRAINER_TEACH_TRIAL_H */
