/* SPDX-License-Identifier: GPL-3.0-or-later */
/* score_study.h -- which score finds the unheard: all candidates of clips, and how well each tells foreign sounds from
 * known ones. */
#ifndef VIP_TRAINER_SCORE_STUDY_H
#define VIP_TRAINER_SCORE_STUDY_H

#include "bootstrap.h"
#include "evidence.h"
#include "far.h"

enum { VIP_MOST_CANDIDATES = 20 };

/* Single scores first, then standardised sums of some of them. */
typedef struct {
    size_t n;
    const char *names[VIP_MOST_CANDIDATES];
    uint32_t sum_of[VIP_MOST_CANDIDATES];                       /* bits of the scores before it; 0: a single one */
    double mean[VIP_MOST_CANDIDATES], std[VIP_MOST_CANDIDATES]; /* of single ones, on the calibration clips */
} vip_candidates;

/* What there is to compare for a model that gives so many answers. */
void vip_candidates_of(const vip_model *model, uint32_t answers, vip_candidates *candidates);

/* scores [heard->n][candidates->n] of the single ones; the model's sum has its prototypes already. far: of the training's
 * clips. active [heard->n]: whether a class is above its threshold, false if classes are exclusive; may be NULL. False:
 * memory is short. */
bool vip_candidates_find(const vip_candidates *candidates, const vip_model *model, const vip_far *far,
                         const vip_listened *heard, double *scores, bool *active);

/* Mean and deviation of each single one over n clips; then the sums of clips by them. */
void vip_candidates_scale(vip_candidates *candidates, const double *scores, size_t n);
void vip_candidates_sum(const vip_candidates *candidates, double *scores, size_t n);

/* Clips whose scores are compared; set 0 is what is known, the others foreign. */
typedef struct {
    size_t n, n_sets, candidates;
    const double *scores;  /* [n][candidates] */
    const uint32_t *set;   /* [n], 0 .. n_sets - 1 */
    const uint32_t *group; /* [n], of one recording if equal */
} vip_study;

/* Area under the ROC curve of one candidate for foreign set `set`; set 0: the mean over all foreign sets. Intervals from
 * recordings drawn again, the same for all candidates. */
vip_interval vip_study_auroc(const vip_study *study, size_t candidate, uint32_t set, uint64_t seed);

/* The same of what candidate is ahead of other, pair by pair. */
vip_interval vip_study_ahead(const vip_study *study, size_t candidate, size_t other, uint32_t set, uint64_t seed);

#endif /* VIP_TRAINER_SCORE_STUDY_H */
