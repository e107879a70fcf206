/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figures.c -- see figures.h for the contract. */
#include "figures.h"

#include "metrics.h"

#include <base/memory.h>

#include <math.h>
#include <string.h>

static const float HEARD = 0.5f;

const char *const VIP_FIGURE_NAMES[VIP_N_FIGURES] = {
    [VIP_FIGURE_ACCURACY] = "accuracy",
    [VIP_FIGURE_UAR] = "uar",
    [VIP_FIGURE_MAP] = "map",
    [VIP_FIGURE_AUC] = "auc",
    [VIP_FIGURE_D_PRIME] = "dprime",
    [VIP_FIGURE_NLL] = "nll",
    [VIP_FIGURE_BRIER] = "brier",
    [VIP_FIGURE_ECE] = "ece",
    [VIP_FIGURE_POOLED_ECE] = "pooled_ece",
    [VIP_FIGURE_MCE] = "mce",
    [VIP_FIGURE_ACE] = "ace",
    [VIP_FIGURE_AURC] = "aurc",
    [VIP_FIGURE_EXCESS_AURC] = "excess_aurc",
    [VIP_FIGURE_RETAINED_50] = "accuracy_retained_50",
    [VIP_FIGURE_RETAINED_80] = "accuracy_retained_80",
    [VIP_FIGURE_RETAINED_90] = "accuracy_retained_90",
};
const char *const VIP_FIGURE_TEXTS[VIP_N_FIGURES] = {
    [VIP_FIGURE_ACCURACY] = "accuracy",
    [VIP_FIGURE_UAR] = "mean recall",
    [VIP_FIGURE_MAP] = "mean average precision",
    [VIP_FIGURE_AUC] = "mean AUC",
    [VIP_FIGURE_D_PRIME] = "d'",
    [VIP_FIGURE_NLL] = "NLL, nats per clip",
    [VIP_FIGURE_BRIER] = "Brier",
    [VIP_FIGURE_ECE] = "ECE (15 bins)",
    [VIP_FIGURE_POOLED_ECE] = "ECE, all classes pooled",
    [VIP_FIGURE_MCE] = "largest gap",
    [VIP_FIGURE_ACE] = "ACE (15 equal shares)",
    [VIP_FIGURE_AURC] = "AURC (risk over coverage)",
    [VIP_FIGURE_EXCESS_AURC] = "AURC over the best order",
    [VIP_FIGURE_RETAINED_50] = "accuracy, surest 50 %",
    [VIP_FIGURE_RETAINED_80] = "accuracy, surest 80 %",
    [VIP_FIGURE_RETAINED_90] = "accuracy, surest 90 %",
};

/* --------------------------------------------------------------------------------------------------------- multi-class */

/* The rows that count, gathered; NULL members where memory is short. */
typedef struct {
    size_t n;
    double *p, *confidence, *uncertainty, *loss, *risk;
    uint32_t *label;
    bool *right;
} gathered;

static void
free_gathered(gathered *g)
{
    vip_free(g->p);
    vip_free(g->confidence);
    vip_free(g->label);
    vip_free(g->right);
}

static bool
gather(const vip_heard *h, const size_t *clips, size_t n, bool with_p, gathered *g)
{
    *g = (gathered){0};
    g->p = with_p ? vip_alloc(n, vip_product(h->classes, sizeof *g->p)) : NULL;
    g->confidence = vip_alloc(4 * n, sizeof *g->confidence);
    g->label = vip_alloc(n, sizeof *g->label);
    g->right = vip_alloc(n, sizeof *g->right);
    if ((with_p && g->p == NULL) || g->confidence == NULL || g->label == NULL || g->right == NULL) {
        free_gathered(g);
        return false;
    }
    g->uncertainty = g->confidence + n;
    g->loss = g->uncertainty + n;
    g->risk = g->loss + n;
    for (size_t i = 0; i < n; i++) {
        const size_t at = clips[i];
        if (h->label[at] == VIP_NO_LABEL) {
            continue;
        }
        if (with_p) {
            memcpy(g->p + g->n * h->classes, h->p + at * h->classes, h->classes * sizeof *g->p);
        }
        g->confidence[g->n] = 1 - h->sign[VIP_BY_CONFIDENCE][at];
        g->uncertainty[g->n] = h->sign[VIP_BY_TOTAL][at];
        g->loss[g->n] = !h->right[at];
        g->label[g->n] = h->label[at];
        g->right[g->n++] = h->right[at];
    }
    return true;
}

/* Of the surest share. */
static double
retained_accuracy(gathered *g, double share)
{
    const size_t kept = (size_t)ceil(share * (double)g->n - 1e-9);
    return kept > 0 && !isnan(vip_aurc(g->uncertainty, g->loss, g->n, g->risk)) ? 1 - g->risk[kept - 1] : NAN;
}

static double
value_of(vip_figure figure, gathered *g, size_t classes)
{
    double largest = NAN, sum = 0;
    switch (figure) {
    case VIP_FIGURE_ACCURACY:
        for (size_t i = 0; i < g->n; i++) {
            sum += g->right[i];
        }
        return g->n > 0 ? sum / (double)g->n : NAN;
    case VIP_FIGURE_UAR:
        return vip_uar(g->p, g->label, g->n, classes);
    case VIP_FIGURE_NLL:
        return vip_nll(g->p, g->label, g->n, classes);
    case VIP_FIGURE_BRIER:
        return vip_brier(g->p, g->label, g->n, classes);
    case VIP_FIGURE_ECE:
        return vip_ece(g->confidence, g->right, g->n, VIP_BINS, NULL, NULL);
    case VIP_FIGURE_MCE:
        (void)vip_ece(g->confidence, g->right, g->n, VIP_BINS, &largest, NULL);
        return largest;
    case VIP_FIGURE_ACE:
        return vip_ace(g->confidence, g->right, g->n, VIP_BINS);
    case VIP_FIGURE_AURC:
        return vip_aurc(g->uncertainty, g->loss, g->n, g->risk);
    case VIP_FIGURE_EXCESS_AURC:
        return vip_aurc(g->uncertainty, g->loss, g->n, g->risk) - vip_aurc(g->loss, g->loss, g->n, g->risk);
    case VIP_FIGURE_RETAINED_50:
        return retained_accuracy(g, 0.5);
    case VIP_FIGURE_RETAINED_80:
        return retained_accuracy(g, 0.8);
    case VIP_FIGURE_RETAINED_90:
        return retained_accuracy(g, 0.9);
    default:
        return NAN; /* multi-label alone */
    }
}

static double
multiclass_figure(const vip_heard *h, vip_figure figure, const size_t *clips, size_t n)
{
    const bool with_p = figure == VIP_FIGURE_UAR || figure == VIP_FIGURE_NLL || figure == VIP_FIGURE_BRIER;
    gathered g;
    if (!gather(h, clips, n, with_p, &g)) {
        return NAN;
    }
    const double value = value_of(figure, &g, h->classes);
    free_gathered(&g);
    return value;
}

/* --------------------------------------------------------------------------------------------------------- multi-label */

/* What one class scored in the clips, and where it was heard; returns in how many. */
static size_t
column(const vip_heard *h, size_t label, const size_t *clips, size_t n, double *score, bool *positive)
{
    size_t positives = 0;
    for (size_t i = 0; i < n; i++) {
        score[i] = h->p[clips[i] * h->classes + label];
        positive[i] = h->y[clips[i] * h->classes + label] >= HEARD;
        positives += positive[i];
    }
    return positives;
}

/* Mean over classes. */
static double
mean_of_classes(const vip_heard *h, vip_figure figure, const size_t *clips, size_t n)
{
    double *score = vip_alloc(n, sizeof *score), sum = 0;
    bool *positive = vip_alloc(n, sizeof *positive);
    size_t classes = 0;
    for (size_t c = 0; score != NULL && positive != NULL && c < h->classes; c++) {
        const size_t positives = column(h, c, clips, n, score, positive);
        const bool ranked = positives > 0 && (figure == VIP_FIGURE_MAP || positives < n);
        if (figure == VIP_FIGURE_ECE) {
            sum += vip_ece(score, positive, n, VIP_BINS, NULL, NULL);
            classes++;
        } else if (ranked) {
            sum += figure == VIP_FIGURE_MAP ? vip_average_precision(score, positive, n) : vip_auc(score, positive, n);
            classes++;
        }
    }
    vip_free(score);
    vip_free(positive);
    return classes > 0 ? sum / (double)classes : NAN;
}

static double
pooled_ece(const vip_heard *h, const size_t *clips, size_t n)
{
    double *score = vip_alloc(n, vip_product(h->classes, sizeof *score));
    bool *positive = vip_alloc(n, vip_product(h->classes, sizeof *positive));
    double value = NAN;
    if (score != NULL && positive != NULL) {
        for (size_t c = 0; c < h->classes; c++) {
            (void)column(h, c, clips, n, score + c * n, positive + c * n);
        }
        value = vip_ece(score, positive, n * h->classes, VIP_BINS, NULL, NULL);
    }
    vip_free(score);
    vip_free(positive);
    return value;
}

/* Mean over clips of a sum over classes. */
static double
mean_loss(const vip_heard *h, double (*loss)(const double *, const float *, size_t, size_t), const size_t *clips,
          size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t at = clips[i] * h->classes;
        sum += loss(h->p + at, h->y + at, 1, h->classes);
    }
    return n > 0 ? sum / (double)n : NAN;
}

static double
multilabel_figure(const vip_heard *h, vip_figure figure, const size_t *clips, size_t n)
{
    switch (figure) {
    case VIP_FIGURE_MAP:
    case VIP_FIGURE_AUC:
    case VIP_FIGURE_ECE:
        return mean_of_classes(h, figure, clips, n);
    case VIP_FIGURE_D_PRIME:
        return vip_d_prime(mean_of_classes(h, VIP_FIGURE_AUC, clips, n));
    case VIP_FIGURE_POOLED_ECE:
        return pooled_ece(h, clips, n);
    case VIP_FIGURE_NLL:
        return mean_loss(h, vip_binary_nll, clips, n);
    case VIP_FIGURE_BRIER:
        return mean_loss(h, vip_binary_brier, clips, n);
    default:
        return NAN; /* multi-class alone */
    }
}

/* ----------------------------------------------------------------------------------------------------------------- both */

double
vip_figure_of(const vip_heard *heard, vip_figure figure, const size_t *clips, size_t n)
{
    return heard->task == VIPANN_MULTICLASS ? multiclass_figure(heard, figure, clips, n)
                                            : multilabel_figure(heard, figure, clips, n);
}

vip_class_figures
vip_class_figures_of(const vip_heard *heard, uint32_t label)
{
    vip_class_figures figures = {0, NAN, NAN, NAN};
    size_t *all = vip_alloc(heard->n, sizeof *all);
    double *score = vip_alloc(heard->n, sizeof *score);
    bool *positive = vip_alloc(heard->n, sizeof *positive);
    for (size_t i = 0; all != NULL && i < heard->n; i++) {
        all[i] = i;
    }
    if (all != NULL && score != NULL && positive != NULL) {
        figures.positives = column(heard, label, all, heard->n, score, positive);
        figures.average_precision = vip_average_precision(score, positive, heard->n);
        figures.auc = vip_auc(score, positive, heard->n);
        figures.ece = vip_ece(score, positive, heard->n, VIP_BINS, NULL, NULL);
    }
    vip_free(all);
    vip_free(score);
    vip_free(positive);
    return figures;
}
