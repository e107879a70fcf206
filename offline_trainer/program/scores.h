/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scores.h -- what `vipann-train scores` works on: for scores.c and scores_tables.c only. */
#ifndef VIP_TRAINER_SCORES_H
#define VIP_TRAINER_SCORES_H

#include <offline_trainer/data/select.h>
#include <offline_trainer/judge/score_study.h>

#include <common/options.h>
#include <common/progress.h>

enum { VIP_SCORES_SETS = 24 };

/* Clips of one kind with what the model said of them. */
typedef struct {
    const char *name;
    vip_part part;
    double *scores; /* [n][candidates] */
    bool *right;    /* [n] */
    bool *active;   /* [n], multi-label: a class is above its threshold */
} vip_scored;

typedef struct {
    const vip_arguments *arguments;
    uint64_t seed;
    double refused; /* share of the right answers */
    vip_model *model;
    vip_cache *cache;
    vip_progress progress;
    vip_scored train, calibration, test;
    size_t n_foreign, n_dev; /* of the foreign ones, those to choose by: they come first */
    vip_scored foreign[VIP_SCORES_SETS];
    uint32_t answers;
    vip_candidates candidates;
    vip_far *far;
    double limit[VIP_MOST_CANDIDATES];
} vip_scores;

/* Tables of n foreign sets from `first` on against known clips, on the standard output. Errors: E_MEMORY. */
vipann_status vip_scores_compare(vip_scores *scores, const vip_scored *known, size_t first, size_t n,
                                 vipann_error *error);

#endif /* VIP_TRAINER_SCORES_H */
