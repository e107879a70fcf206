/* SPDX-License-Identifier: GPL-3.0-or-later */
/* limits.c -- see limits.h for the contract. */
#include "limits.h"

#include "temperature.h"

#include <base/memory.h>
#include <base/status.h>
#include <decide/score.h>

#include <math.h>
#include <stdlib.h>

enum { LEAST_RIGHT = 5, LEAST_OWN = 20 };

/* Scores and truth of one class, or, if c is the number of classes, of all of them together. */
static size_t
collect(const vip_heard *h, size_t c, double *score, bool *positive)
{
    const float heard = 0.5f;
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++) {
        for (size_t k = 0; k < h->classes; k++) {
            if (c == h->classes || k == c) {
                score[n] = h->p[i * h->classes + k];
                positive[n++] = h->y[i * h->classes + k] >= heard;
            }
        }
    }
    return n;
}

vipann_status
vip_fit_thresholds(vip_model *model, const vip_heard *heard, double precision, bool safe, double *shared, size_t *own,
                   vipann_error *error)
{
    double *score = vip_alloc(heard->n, vip_product(heard->classes, sizeof *score));
    bool *positive = vip_alloc(heard->n, vip_product(heard->classes, sizeof *positive));
    if (score == NULL || positive == NULL) {
        vip_free(score);
        vip_free(positive);
        return vip_fail_memory(error, "thresholds");
    }
    size_t n = collect(heard, heard->classes, score, positive);
    *shared = vip_threshold_for(score, positive, n, precision, LEAST_RIGHT, safe);
    *own = 0;
    for (size_t c = 0; c < heard->classes; c++) {
        n = collect(heard, c, score, positive);
        size_t positives = 0;
        for (size_t i = 0; i < n; i++) {
            positives += positive[i];
        }
        double threshold = *shared;
        if (positives >= LEAST_OWN) {
            threshold = vip_threshold_for(score, positive, n, precision, LEAST_RIGHT, safe);
            (*own)++;
        }
        model->calibration.thresholds[c] = isnan(threshold) ? -1 : (float)threshold;
    }
    vip_free(score);
    vip_free(positive);
    return VIPANN_OK;
}

/* ------------------------------------------------------------------------------------------------------------ unknown */

vipann_status
vip_fit_pair(vip_model *model, const vip_listened *heard, const bool *right, double share, size_t *n_right,
             vipann_error *error)
{
    vip_calibration *c = &model->calibration;
    vip_evidence *evidence = vip_alloc(heard->n, sizeof *evidence);
    double *epistemic = vip_alloc(heard->n, sizeof *epistemic), *largest = vip_alloc(heard->n, sizeof *largest);
    const bool members = heard->answers > 1, exclusive = model->task == VIPANN_MULTICLASS;
    const bool good =
        evidence != NULL && epistemic != NULL && largest != NULL && vip_evidence_of(model, heard, evidence);
    size_t n = 0;
    for (size_t i = 0; good && i < heard->n; i++) {
        if (right == NULL || right[i]) {
            largest[n] = evidence[i].largest;
            epistemic[n++] = evidence[i].epistemic;
        }
    }
    const double budget = members && exclusive ? share / 2 : share;
    c->has_unknown[VIPANN_SCORE_EPISTEMIC] = n > 0 && members;
    c->has_unknown[VIPANN_SCORE_CONFIDENCE] = n > 0 && exclusive;
    if (c->has_unknown[VIPANN_SCORE_EPISTEMIC]) {
        c->unknown[VIPANN_SCORE_EPISTEMIC] = vip_quantile(epistemic, n, 1 - budget);
    }
    if (c->has_unknown[VIPANN_SCORE_CONFIDENCE]) {
        c->unknown[VIPANN_SCORE_CONFIDENCE] = vip_quantile(largest, n, budget);
    }
    *n_right = n;
    vip_free(evidence);
    vip_free(epistemic);
    vip_free(largest);
    return good ? VIPANN_OK : vip_fail_memory(error, "limits");
}

/* How foreign an answer is by one of the limits, the larger the more; false: this limit says nothing of it. */
static bool
foreignness(const vip_model *model, vipann_score by, const vip_evidence *evidence, double *value)
{
    switch (by) {
    case VIPANN_SCORE_EPISTEMIC:
        *value = evidence->epistemic;
        return evidence->members > 1;
    case VIPANN_SCORE_CONFIDENCE:
        *value = -evidence->largest;
        return true;
    case VIPANN_SCORE_SUM:
        return vip_sum_value(&model->calibration.sum, evidence, value);
    default:
        return false;
    }
}

static int
falling(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

vipann_status
vip_fit_background(vip_model *model, const vip_evidence *evidence, size_t n, size_t most, size_t *found,
                   vipann_error *error)
{
    vip_calibration *c = &model->calibration;
    double *values = vip_alloc(n, sizeof *values);
    if (values == NULL) {
        return vip_fail_memory(error, "limits");
    }
    size_t limits = 0;
    for (int by = 0; by < VIPANN_N_SCORES; by++) {
        limits += c->has_unknown[by];
    }
    for (int by = 0; by < VIPANN_N_SCORES; by++) {
        size_t counted = 0;
        for (size_t i = 0; c->has_unknown[by] && i < n; i++) {
            counted +=
                evidence[i].n_active == 0 && foreignness(model, (vipann_score)by, &evidence[i], &values[counted]);
        }
        const size_t allowed = limits > 0 ? most / limits : 0;
        if (counted > allowed) { /* a value equal to its limit is within it */
            qsort(values, counted, sizeof *values, falling);
            c->unknown[by] = by == VIPANN_SCORE_CONFIDENCE ? -values[allowed] : values[allowed];
        }
    }
    *found = 0;
    for (size_t i = 0; i < n; i++) {
        *found += vip_unknown(model, &evidence[i]) == VIPANN_YES;
    }
    vip_free(values);
    return VIPANN_OK;
}
