/* SPDX-License-Identifier: GPL-3.0-or-later */
/* evaluation.h -- what `vipann-train eval` found out about a model, read back from its JSON.
 *
 * What is missing in the file is NaN, NULL or of no length here; what is there is well-formed. Counts are doubles, as JSON
 * has them, and never negative. */
#ifndef VIP_TRAINER_EVALUATION_H
#define VIP_TRAINER_EVALUATION_H

#include <stdbool.h>

#include "json_file.h"

typedef enum {
    VIP_METRIC_ACCURACY,
    VIP_METRIC_UAR,
    VIP_METRIC_MAP,
    VIP_METRIC_AUC,
    VIP_METRIC_DPRIME,
    VIP_METRIC_NLL,
    VIP_METRIC_BRIER,
    VIP_METRIC_ECE,
    VIP_METRIC_MCE,
    VIP_METRIC_AURC,
    VIP_N_METRICS
} vip_metric;

enum {
    VIP_MOST_BINS = 1000,
    VIP_MOST_OOD = 16,
    VIP_MOST_SCORES = 16,
    VIP_MOST_CONFUSED = 1024,
    VIP_MOST_CLASSES = 4096
};

typedef struct {
    double low, high;            /* of the confidence */
    double n;                    /* answers in the bin */
    double confidence, accuracy; /* means; NaN in an empty bin */
} vip_reliability;

typedef struct {
    double coverage, risk;
} vip_risk;

/* Counts of answers by how much doubt they carry. */
typedef struct {
    size_t n_bins;
    double *edges;         /* [n_bins + 1], rising */
    double *right, *wrong; /* [n_bins]; NULL: missing */
    size_t n_ood;
    const char *ood_names[VIP_MOST_OOD];
    double *ood[VIP_MOST_OOD];
} vip_doubt_histogram;

typedef enum { VIP_DOUBT_EPISTEMIC, VIP_DOUBT_TOTAL, VIP_N_DOUBTS } vip_doubt;

typedef struct {
    double aleatoric, epistemic;
} vip_doubt_split;

typedef struct {
    const char *name; /* "total" */
    vip_measure auroc, ap, fpr95;
} vip_ood_score;

typedef struct {
    const char *name; /* of the set */
    double n;
    size_t n_scores;
    vip_ood_score scores[VIP_MOST_SCORES];
} vip_ood_result;

typedef struct {
    const char *label;
    double n, ap, auc, recall;
} vip_class_result;

typedef struct {
    struct json_t *json; /* owns all texts */
    struct json_t *model, *data;
    const char *task;
    double n, passes;
    vip_measure calibrated[VIP_N_METRICS], raw[VIP_N_METRICS];
    size_t n_reliability;
    vip_reliability *reliability;
    size_t n_risks;
    vip_risk *risks; /* coverage rises */
    vip_doubt_histogram histograms[VIP_N_DOUBTS];
    vip_doubt_split right, wrong; /* means of the doubt */
    size_t n_labels;              /* of the confusion matrix */
    const char **labels;
    double *confusion; /* [truth][answer] */
    size_t n_ood;
    vip_ood_result *ood;
    size_t n_classes;
    vip_class_result *classes; /* from the confusion matrix, if only that is there */
} vip_evaluation;

/* *evaluation is NULL, and that is no failure, if there is no such file.
 * Errors: E_IO, E_FORMAT (names file and line, or file and value), E_MEMORY. */
vipann_status vip_evaluation_read(const char *path, vip_evaluation **evaluation, vipann_error *error);
void vip_evaluation_free(vip_evaluation *evaluation);

/* Whether the model has one right class per clip. */
bool vip_evaluation_is_multiclass(const vip_evaluation *evaluation);

#endif /* VIP_TRAINER_EVALUATION_H */
