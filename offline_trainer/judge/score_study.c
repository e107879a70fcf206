/* SPDX-License-Identifier: GPL-3.0-or-later */
/* score_study.c -- see score_study.h for the contract. */
#include "score_study.h"

#include "metrics.h"

#include <base/memory.h>
#include <bayes/uncertainty.h>
#include <decide/score.h>
#include <offline_trainer/base/parallel.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NEIGHBOUR = 10 };

/* --------------------------------------------------------------------------------------------------------- candidates */

/* The single ones in their order; those of the engine's parts come first and have their numbers. */
enum single { NEAREST = VIPANN_N_PARTS, MAHALANOBIS, OTHER_ENERGY, ALL_CLASSES, N_SINGLE };

#define BIT(x) (1u << (x))

static const struct {
    const char *name;
    uint32_t sum_of;
} TABLE[] = {
    [VIPANN_PART_TOTAL] = {"total", 0},
    [VIPANN_PART_EPISTEMIC] = {"epistemic", 0},
    [VIPANN_PART_CONFIDENCE] = {"1 - largest p", 0},
    [VIPANN_PART_ENERGY] = {"energy", 0},
    [VIPANN_PART_DISTANCE] = {"distance", 0},
    [NEAREST] = {"10th nearest clip", 0},
    [MAHALANOBIS] = {"Mahalanobis", 0},
    [OTHER_ENERGY] = {"energy, other form", 0},
    [ALL_CLASSES] = {"total, all classes", 0},
    {"total + energy", BIT(VIPANN_PART_TOTAL) | BIT(VIPANN_PART_ENERGY)},
    {"total + distance", BIT(VIPANN_PART_TOTAL) | BIT(VIPANN_PART_DISTANCE)},
    {"energy + distance", BIT(VIPANN_PART_ENERGY) | BIT(VIPANN_PART_DISTANCE)},
    {"total + energy + distance", BIT(VIPANN_PART_TOTAL) | BIT(VIPANN_PART_ENERGY) | BIT(VIPANN_PART_DISTANCE)},
    {"total + energy + 10th nearest", BIT(VIPANN_PART_TOTAL) | BIT(VIPANN_PART_ENERGY) | BIT(NEAREST)},
    {"total + epistemic + energy + distance",
     BIT(VIPANN_PART_TOTAL) | BIT(VIPANN_PART_EPISTEMIC) | BIT(VIPANN_PART_ENERGY) | BIT(VIPANN_PART_DISTANCE)},
    {"1 - largest p + energy + distance",
     BIT(VIPANN_PART_CONFIDENCE) | BIT(VIPANN_PART_ENERGY) | BIT(VIPANN_PART_DISTANCE)},
};

void
vip_candidates_of(const vip_model *model, uint32_t answers, vip_candidates *candidates)
{
    const bool labels = model->task == VIPANN_MULTILABEL, members = answers >= 2;
    uint32_t place[sizeof TABLE / sizeof *TABLE];
    *candidates = (vip_candidates){.n = 0};
    for (uint32_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        uint32_t sum = 0;
        const bool needs_members = i == VIPANN_PART_EPISTEMIC || (TABLE[i].sum_of & BIT(VIPANN_PART_EPISTEMIC)) != 0;
        const bool needs_labels = i == OTHER_ENERGY || i == ALL_CLASSES;
        if ((needs_members && !members) || (needs_labels && !labels)) {
            place[i] = UINT32_MAX;
            continue;
        }
        for (uint32_t k = 0; k < N_SINGLE; k++) {
            sum |= (TABLE[i].sum_of & BIT(k)) != 0 ? BIT(place[k]) : 0;
        }
        place[i] = (uint32_t)candidates->n;
        candidates->names[candidates->n] = TABLE[i].name;
        candidates->sum_of[candidates->n++] = sum;
    }
}

typedef struct {
    const vip_candidates *candidates;
    const vip_model *model;
    const vip_far *far;
    const vip_listened *heard;
    const vip_evidence *evidence;
    double *scores;
    bool *good; /* [n] */
} work;

/* What the parts of the engine leave out of a multi-label model: -log sum exp(z), and the total over all classes. */
static bool
find_others(const work *w, size_t clip, double others[N_SINGLE])
{
    const vip_model *model = w->model;
    const uint32_t classes = model->network.classes, answers = w->heard->answers;
    const bool drawn = w->heard->passes > 0 && model->posterior != VIPANN_DETERMINISTIC;
    const size_t cells = (size_t)classes * answers;
    float *z = vip_alloc(cells, sizeof *z);
    vip_probability *p = vip_alloc(cells, sizeof *p);
    const bool good = z != NULL && p != NULL;
    if (good) {
        memcpy(z, w->heard->logits + clip * cells, cells * sizeof *z);
        others[OTHER_ENERGY] = 0;
        for (uint32_t m = 0; m < answers; m++) {
            vip_calibrate(&model->calibration, !drawn, z + (size_t)m * classes, classes);
            vip_probabilities(model->task, z + (size_t)m * classes, classes, p + (size_t)m * classes);
            others[OTHER_ENERGY] += vip_energy(VIPANN_MULTICLASS, z + (size_t)m * classes, classes) / answers;
        }
        others[ALL_CLASSES] = vip_decompose(model->task, p, answers, classes, NULL, NULL, NULL, NULL).total;
    }
    vip_free(z);
    vip_free(p);
    return good;
}

static void
find_one(void *context, size_t clip)
{
    const work *w = context;
    const vip_candidates *c = w->candidates;
    const size_t features = w->model->network.features;
    double value[N_SINGLE];
    float *x = vip_alloc(features, sizeof *x);
    w->good[clip] = x != NULL && (w->model->task != VIPANN_MULTILABEL || find_others(w, clip, value));
    if (w->good[clip]) {
        for (int i = 0; i < VIPANN_N_PARTS; i++) {
            (void)vip_part_value((vipann_part)i, &w->evidence[clip], &value[i]);
        }
        vip_features(w->heard->pooled + clip * features, w->model->calibration.sum.centre, features, x);
        value[NEAREST] = vip_far_nearest(w->far, x, NEIGHBOUR);
        value[MAHALANOBIS] = vip_far_mahalanobis(w->far, x);
    }
    size_t k = 0;
    for (uint32_t i = 0; i < N_SINGLE && k < c->n && w->good[clip]; i++) {
        if (c->names[k] == TABLE[i].name) {
            w->scores[clip * c->n + k++] = value[i];
        }
    }
    vip_free(x);
}

bool
vip_candidates_find(const vip_candidates *candidates, const vip_model *model, const vip_far *far,
                    const vip_listened *heard, double *scores, bool *active)
{
    vip_evidence *evidence = vip_alloc(heard->n, sizeof *evidence);
    bool *good = vip_alloc(heard->n, sizeof *good);
    bool done = evidence != NULL && good != NULL && vip_evidence_of(model, heard, evidence);
    if (done) {
        work w = {candidates, model, far, heard, evidence, scores, good};
        vip_parallel(heard->n, find_one, &w);
    }
    for (size_t i = 0; i < heard->n && done; i++) {
        done = good[i];
        if (active != NULL) {
            active[i] = evidence[i].n_active > 0;
        }
    }
    vip_free(evidence);
    vip_free(good);
    return done;
}

void
vip_candidates_scale(vip_candidates *c, const double *scores, size_t n)
{
    for (size_t k = 0; k < c->n; k++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < n; i++) {
            sum += scores[i * c->n + k];
        }
        c->mean[k] = sum / (double)n;
        for (size_t i = 0; i < n; i++) {
            const double off = scores[i * c->n + k] - c->mean[k];
            squares += off * off;
        }
        c->std[k] = squares > 0 ? sqrt(squares / (double)n) : 1;
    }
}

void
vip_candidates_sum(const vip_candidates *c, double *scores, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double *row = scores + i * c->n;
        for (size_t k = 0; k < c->n; k++) {
            if (c->sum_of[k] == 0) {
                continue;
            }
            row[k] = 0;
            for (size_t j = 0; j < k; j++) {
                row[k] += (c->sum_of[k] & BIT(j)) != 0 ? (row[j] - c->mean[j]) / c->std[j] : 0;
            }
        }
    }
}

/* ------------------------------------------------------------------------------------------------------------- curves */

typedef struct {
    const vip_study *study;
    size_t candidate, other; /* other: less its area; equal to candidate: nothing less */
    uint32_t set;
} question;

/* One set against what is known, of the clips that were drawn; NaN if either has none. */
static double
area(const vip_study *s, size_t candidate, uint32_t set, const size_t *clips, size_t n, double *score, bool *foreign)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t its = s->set[clips[i]];
        if (its == 0 || its == set) {
            score[m] = s->scores[clips[i] * s->candidates + candidate];
            foreign[m++] = its == set;
        }
    }
    return vip_auc(score, foreign, m);
}

static double
ask(const void *context, const size_t *clips, size_t n)
{
    const question *q = context;
    const vip_study *s = q->study;
    const uint32_t first = q->set == 0 ? 1 : q->set, last = q->set == 0 ? (uint32_t)s->n_sets - 1 : q->set;
    double *score = malloc(n * sizeof *score), sum = 0;
    bool *foreign = malloc(n * sizeof *foreign);
    for (uint32_t set = first; set <= last && score != NULL && foreign != NULL; set++) {
        sum += area(s, q->candidate, set, clips, n, score, foreign);
        sum -= q->other == q->candidate ? 0 : area(s, q->other, set, clips, n, score, foreign);
    }
    const bool good = score != NULL && foreign != NULL;
    free(score);
    free(foreign);
    return good ? sum / (last - first + 1) : NAN;
}

vip_interval
vip_study_auroc(const vip_study *study, size_t candidate, uint32_t set, uint64_t seed)
{
    const question q = {study, candidate, candidate, set};
    return vip_bootstrap(study->group, study->n, seed, ask, &q);
}

vip_interval
vip_study_ahead(const vip_study *study, size_t candidate, size_t other, uint32_t set, uint64_t seed)
{
    const question q = {study, candidate, other, set};
    return candidate == other ? (vip_interval){0, 0, 0} : vip_bootstrap(study->group, study->n, seed, ask, &q);
}
