/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verdict.c -- see verdict.h for the contract: the figures. verdict_text.c writes them. */
#include "verdict.h"

#include "metrics.h"

#include <base/memory.h>

#include <math.h>
#include <string.h>

static const float HEARD = 0.5f;
enum { LEAST_POSITIVES = 10 };

const char *const VIP_FIGURE_NAMES[VIP_N_FIGURES] = {"accuracy", "uar", "map", "auc", "nll",
                                                     "brier",    "ece", "mce", "aurc"};
const char *const VIP_FIGURE_TEXTS[VIP_N_FIGURES] = {
    "accuracy",      "mean recall", "mean average precision",   "mean AUC", "NLL, nats per clip", "Brier",
    "ECE (15 bins)", "largest gap", "AURC (risk over coverage)"};

/* --------------------------------------------------------------------------------------------- figures of some clips */

typedef struct {
    const vip_heard *heard, *other; /* other: the difference to it is asked */
    vip_figure figure;
} question;

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

static double
multiclass_figure(const vip_heard *h, vip_figure figure, const size_t *clips, size_t n)
{
    const bool with_p = figure == VIP_FIGURE_UAR || figure == VIP_FIGURE_NLL || figure == VIP_FIGURE_BRIER;
    gathered g;
    double value = NAN, largest = NAN;
    if (figure == VIP_FIGURE_MAP || figure == VIP_FIGURE_AUC || !gather(h, clips, n, with_p, &g)) {
        return NAN;
    }
    switch (figure) {
    case VIP_FIGURE_ACCURACY:
        value = 0;
        for (size_t i = 0; i < g.n; i++) {
            value += g.right[i];
        }
        value = g.n > 0 ? value / (double)g.n : NAN;
        break;
    case VIP_FIGURE_UAR:
        value = vip_uar(g.p, g.label, g.n, h->classes);
        break;
    case VIP_FIGURE_NLL:
        value = vip_nll(g.p, g.label, g.n, h->classes);
        break;
    case VIP_FIGURE_BRIER:
        value = vip_brier(g.p, g.label, g.n, h->classes);
        break;
    case VIP_FIGURE_ECE:
        value = vip_ece(g.confidence, g.right, g.n, VIP_BINS, NULL, NULL);
        break;
    case VIP_FIGURE_MCE:
        (void)vip_ece(g.confidence, g.right, g.n, VIP_BINS, &largest, NULL);
        value = largest;
        break;
    default:
        value = vip_aurc(g.uncertainty, g.loss, g.n, g.risk);
        break;
    }
    free_gathered(&g);
    return value;
}

/* Mean over classes that are heard often enough. */
static double
ranking(const vip_heard *h, vip_figure figure, const size_t *clips, size_t n)
{
    double *score = vip_alloc(n, sizeof *score), sum = 0;
    bool *positive = vip_alloc(n, sizeof *positive);
    size_t classes = 0;
    for (size_t c = 0; score != NULL && positive != NULL && c < h->classes; c++) {
        size_t positives = 0;
        for (size_t i = 0; i < n; i++) {
            score[i] = h->p[clips[i] * h->classes + c];
            positive[i] = h->y[clips[i] * h->classes + c] >= HEARD;
            positives += positive[i];
        }
        if (positives >= LEAST_POSITIVES && positives < n) {
            sum += figure == VIP_FIGURE_MAP ? vip_average_precision(score, positive, n) : vip_auc(score, positive, n);
            classes++;
        }
    }
    vip_free(score);
    vip_free(positive);
    return classes > 0 ? sum / (double)classes : NAN;
}

static double
multilabel_figure(const vip_heard *h, vip_figure figure, const size_t *clips, size_t n)
{
    if (figure == VIP_FIGURE_MAP || figure == VIP_FIGURE_AUC) {
        return ranking(h, figure, clips, n);
    }
    if (figure != VIP_FIGURE_NLL && figure != VIP_FIGURE_BRIER) {
        return NAN;
    }
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t at = clips[i] * h->classes;
        sum += figure == VIP_FIGURE_NLL ? vip_binary_nll(h->p + at, h->y + at, 1, h->classes)
                                        : vip_binary_brier(h->p + at, h->y + at, 1, h->classes);
    }
    return n > 0 ? sum / (double)n : NAN;
}

static double
figure_of(const vip_heard *h, vip_figure figure, const size_t *clips, size_t n)
{
    return h->task == VIPANN_MULTICLASS ? multiclass_figure(h, figure, clips, n)
                                        : multilabel_figure(h, figure, clips, n);
}

static double
answer(const void *context, const size_t *clips, size_t n)
{
    const question *q = context;
    const double value = figure_of(q->heard, q->figure, clips, n);
    return q->other == NULL ? value : value - figure_of(q->other, q->figure, clips, n);
}

/* ------------------------------------------------------------------------------------------------------ foreign sounds */

/* Scores of clips that were taught, then of foreign ones. */
typedef struct {
    const vip_heard *in, *out;
    vip_sign_of_doubt sign;
    bool *foreign;
    double *score;
} contest;

static double
auroc(const void *context, const size_t *clips, size_t n)
{
    const contest *c = context;
    double *score = vip_alloc(n, sizeof *score);
    bool *foreign = vip_alloc(n, sizeof *foreign);
    for (size_t i = 0; score != NULL && foreign != NULL && i < n; i++) {
        score[i] = c->score[clips[i]];
        foreign[i] = c->foreign[clips[i]];
    }
    const double value = score != NULL && foreign != NULL ? vip_auc(score, foreign, n) : NAN;
    vip_free(score);
    vip_free(foreign);
    return value;
}

static void
fill_foreign(vip_foreign *f, const vip_heard *in, uint64_t seed)
{
    const vip_heard *out = f->heard;
    const size_t n = in->n + out->n;
    contest c = {in, out, VIP_BY_TOTAL, vip_alloc(n, sizeof(bool)), vip_alloc(n, sizeof(double))};
    uint32_t *group = vip_alloc(n, sizeof *group);
    for (int s = 0; s < VIP_N_SIGNS; s++) {
        f->auroc[s] = (vip_interval){NAN, NAN, NAN};
        f->ap[s] = f->fpr95[s] = NAN;
        const bool none = s == VIP_BY_EPISTEMIC && in->members < 2;
        if (none || c.foreign == NULL || c.score == NULL || group == NULL) {
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            c.foreign[i] = i >= in->n;
            c.score[i] = c.foreign[i] ? out->sign[s][i - in->n] : in->sign[s][i];
            group[i] = c.foreign[i] ? UINT32_MAX / 2 + out->group[i - in->n] : in->group[i];
        }
        f->auroc[s] = vip_bootstrap(group, n, seed, auroc, &c);
        f->ap[s] = vip_average_precision(c.score, c.foreign, n);
        f->fpr95[s] = vip_false_positives(c.score, c.foreign, n, 0.95);
    }
    vip_free(c.foreign);
    vip_free(c.score);
    vip_free(group);
}

void
vip_verdict_fill(vip_verdict *verdict)
{
    const vip_heard *const heard[] = {verdict->raw, verdict->calibrated};
    for (int k = 0; k < 2; k++) {
        for (int f = 0; f < VIP_N_FIGURES; f++) {
            verdict->figures[k][f] = (vip_interval){NAN, NAN, NAN};
            if (heard[k] != NULL) {
                const question q = {heard[k], NULL, (vip_figure)f};
                verdict->figures[k][f] = vip_bootstrap(heard[k]->group, heard[k]->n, verdict->seed, answer, &q);
            }
        }
    }
    const vip_heard *in = verdict->calibrated != NULL ? verdict->calibrated : verdict->raw;
    for (size_t i = 0; i < verdict->n_foreign; i++) {
        fill_foreign(&verdict->foreign[i], in, verdict->seed);
    }
}

vip_interval
vip_verdict_difference(const vip_verdict *verdict, const vip_verdict *other, vip_figure figure)
{
    const vip_heard *one = verdict->calibrated != NULL ? verdict->calibrated : verdict->raw;
    const vip_heard *two = other->calibrated != NULL ? other->calibrated : other->raw;
    const question q = {one, two, figure};
    return vip_bootstrap(one->group, one->n, verdict->seed, answer, &q);
}
