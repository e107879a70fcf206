/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verdict.h -- what is said of a model on some clips: figures with intervals, as JSON, a table, and a line per clip. */
#ifndef VIP_TRAINER_VERDICT_H
#define VIP_TRAINER_VERDICT_H

#include "bootstrap.h"
#include "heard.h"

#include <stdio.h>

typedef enum {
    VIP_FIGURE_ACCURACY,
    VIP_FIGURE_UAR,
    VIP_FIGURE_MAP,
    VIP_FIGURE_AUC,
    VIP_FIGURE_NLL,
    VIP_FIGURE_BRIER,
    VIP_FIGURE_ECE,
    VIP_FIGURE_MCE,
    VIP_FIGURE_AURC,
    VIP_N_FIGURES
} vip_figure;

/* Their names in JSON, and what a person reads. */
extern const char *const VIP_FIGURE_NAMES[VIP_N_FIGURES], *const VIP_FIGURE_TEXTS[VIP_N_FIGURES];

/* One set of sounds that the model was not taught. */
typedef struct {
    char name[64];
    const vip_heard *heard;
    vip_interval auroc[VIP_N_SIGNS]; /* against the clips that it was taught */
    double ap[VIP_N_SIGNS], fpr95[VIP_N_SIGNS];
} vip_foreign;

enum { VIP_MOST_FOREIGN = 16 };

typedef struct {
    const vip_model *model;
    const vip_cache *cache;
    uint32_t passes;
    uint64_t seed;
    const char *expression;                 /* which clips */
    const char *truth;                      /* "labels" or "teacher" */
    const vip_heard *raw, *calibrated;      /* calibrated NULL: the model has no calibration */
    vip_interval figures[2][VIP_N_FIGURES]; /* [0]: raw, [1]: calibrated; NaN where there is no such figure */
    size_t n_foreign;
    vip_foreign foreign[VIP_MOST_FOREIGN];
} vip_verdict;

/* Fills figures and what is said of foreign sets from raw, calibrated and foreign[].heard. Multi-label figures: average
 * precision and AUC are means over the classes with at least 10 clips in which they are heard (0.5 or more); NLL is the
 * sum over classes. Takes seconds: intervals are drawn 2000 times. */
void vip_verdict_fill(vip_verdict *verdict);

/* Their interval's difference to another verdict on the same clips, pair by pair. */
vip_interval vip_verdict_difference(const vip_verdict *verdict, const vip_verdict *other, vip_figure figure);

void vip_verdict_json(const vip_verdict *verdict, FILE *out);
void vip_verdict_table(const vip_verdict *verdict, FILE *out);

/* set, path, group, label, answer, right, probability, total, aleatoric, epistemic, energy. */
void vip_verdict_csv(const vip_verdict *verdict, FILE *out);

#endif /* VIP_TRAINER_VERDICT_H */
