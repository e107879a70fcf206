/* SPDX-License-Identifier: GPL-3.0-or-later */
/* history.h -- a run read back from its folder: how it was set up, what its log says, what evaluations found out. */
#ifndef VIP_TRAINER_HISTORY_H
#define VIP_TRAINER_HISTORY_H

#include <stdbool.h>

#include "evaluation.h"

enum { VIP_SERIES_NAME = 40, VIP_MOST_SERIES = 24, VIP_MOST_EVALUATIONS = 8, VIP_MOST_NOTES = 8 };

typedef struct {
    double step, clips; /* when; clips is NaN where the log does not say */
    double value;
} vip_moment;

/* A quantity over the time of training: "loss", "loss.kl", "rate", "clips_per_s", or what was measured on the part kept
 * for development, "dev.accuracy", or with averaged weights, "averaged.accuracy". Steps rise. */
typedef struct {
    char name[VIP_SERIES_NAME];
    size_t n, room;
    vip_moment *moments;
} vip_series;

typedef struct {
    char *path;            /* as it was named */
    const char *name;      /* the last part of it; within path */
    struct json_t *config; /* NULL: missing */
    size_t n_series;
    vip_series series[VIP_MOST_SERIES];
    double clips, seconds; /* heard and taken in all; NaN: the log does not say */
    size_t n_evaluations;
    vip_evaluation *evaluations[VIP_MOST_EVALUATIONS];
    char *evaluation_names[VIP_MOST_EVALUATIONS]; /* of their files, without the ending */
    size_t n_notes;
    const char *notes[VIP_MOST_NOTES]; /* what is missing, in words */
} vip_history;

/* Reads a folder, or one file that `vipann-train eval` wrote. NULL: E_IO, E_FORMAT (not the folder of a run; names file and
 * line of what is broken), E_MEMORY. */
vip_history *vip_history_read(const char *path, vipann_error *error);
void vip_history_free(vip_history *history);

/* NULL: there is none of that name. */
const vip_series *vip_history_find(const vip_history *history, const char *name);

#endif /* VIP_TRAINER_HISTORY_H */
