/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verdict.h -- what is said of a model on some clips: figures with intervals, as JSON, a table, and a line per clip. */
#ifndef VIP_TRAINER_VERDICT_H
#define VIP_TRAINER_VERDICT_H

#include "bootstrap.h"
#include "figures.h"

#include <stdio.h>

/* One set of sounds that the model was not taught. */
typedef struct {
    char name[64];
    const vip_heard *heard;
    vip_interval auroc[VIP_N_SIGNS]; /* against the clips that it was taught */
    double ap[VIP_N_SIGNS], fpr95[VIP_N_SIGNS];
} vip_foreign;

/* The same clips with another number of passes. */
typedef struct {
    uint32_t passes;
    const vip_heard *heard;
    vip_interval figures[VIP_N_FIGURES];
} vip_other_passes;

enum { VIP_MOST_FOREIGN = 16, VIP_MOST_PASSES_ASKED = 8 };

typedef struct {
    const vip_model *model;
    const vip_cache *cache;
    uint32_t passes;
    uint64_t seed;
    const char *expression;                 /* which clips */
    const char *truth;                      /* "labels" or "teacher" */
    const vip_heard *raw, *calibrated;      /* calibrated NULL: the model has no calibration */
    vip_interval figures[2][VIP_N_FIGURES]; /* [0]: raw, [1]: calibrated; NaN where there is no such figure */
    size_t n_foreign, n_others;
    vip_foreign foreign[VIP_MOST_FOREIGN];
    vip_other_passes others[VIP_MOST_PASSES_ASKED]; /* calibrated if the model is */
} vip_verdict;

/* Fills figures and what is said of foreign sets from raw, calibrated, foreign[].heard and
 * others[].heard. Takes seconds: intervals are drawn 2000 times. */
void vip_verdict_fill(vip_verdict *verdict);

/* Their interval's difference to another verdict on the same clips, pair by pair. */
vip_interval vip_verdict_difference(const vip_verdict *verdict, const vip_verdict *other, vip_figure figure);

void vip_verdict_json(const vip_verdict *verdict, FILE *out);
void vip_verdict_table(const vip_verdict *verdict, FILE *out);

/* set, path, group, label, answer, right, probability, total, aleatoric, epistemic, energy. */
void vip_verdict_csv(const vip_verdict *verdict, FILE *out);

#endif /* VIP_TRAINER_VERDICT_H */
