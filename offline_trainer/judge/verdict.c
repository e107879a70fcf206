/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verdict.c -- see verdict.h for the contract. verdict_text.c writes it. */
#include "verdict.h"

#include "metrics.h"

#include <base/memory.h>

#include <math.h>
#include <string.h>

/* --------------------------------------------------------------------------------------------- figures of some clips */

typedef struct {
    const vip_heard *heard, *other; /* other: the difference to it is asked */
    vip_figure figure;
} question;

static double
answer(const void *context, const size_t *clips, size_t n)
{
    const question *q = context;
    const double value = vip_figure_of(q->heard, q->figure, clips, n);
    return q->other == NULL ? value : value - vip_figure_of(q->other, q->figure, clips, n);
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

static void
fill_figures(const vip_heard *heard, uint64_t seed, vip_interval figures[VIP_N_FIGURES])
{
    for (int f = 0; f < VIP_N_FIGURES; f++) {
        figures[f] = (vip_interval){NAN, NAN, NAN};
        if (heard != NULL) {
            const question q = {heard, NULL, (vip_figure)f};
            figures[f] = vip_bootstrap(heard->group, heard->n, seed, answer, &q);
        }
    }
}

void
vip_verdict_fill(vip_verdict *verdict)
{
    fill_figures(verdict->raw, verdict->seed, verdict->figures[0]);
    fill_figures(verdict->calibrated, verdict->seed, verdict->figures[1]);
    for (size_t i = 0; i < verdict->n_others; i++) {
        fill_figures(verdict->others[i].heard, verdict->seed, verdict->others[i].figures);
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
