/* SPDX-License-Identifier: GPL-3.0-or-later */
/* score_fit.c -- see score_fit.h for the contract. */
#include "score_fit.h"

#include "prototypes.h"
#include "temperature.h"

#include <base/memory.h>
#include <base/status.h>
#include <decide/score.h>

#include <math.h>
#include <string.h>

enum { LEAST_CLIPS = 20, LEAST_RIGHT = 10, ROUNDS = 30, PROTOTYPES = 128 };

vip_score_options
vip_score_defaults(vipann_task task)
{
    return (vip_score_options){.has = {[VIPANN_PART_TOTAL] = task == VIPANN_MULTICLASS,
                                       [VIPANN_PART_ENERGY] = true,
                                       [VIPANN_PART_DISTANCE] = true},
                               .prototypes = PROTOTYPES,
                               .refused = 0.05,
                               .seed = 1};
}

/* --------------------------------------------------------------------------------------------------------- prototypes */

static bool
all_finite(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            return false;
        }
    }
    return true;
}

/* The mean of the roots, and the roots less that mean to out[n][features]. */
static void
centre_roots(const float *pooled, size_t n, size_t features, float *centre, float *out)
{
    vip_features(pooled, NULL, n * features, out);
    for (size_t c = 0; c < features; c++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            sum += (double)out[i * features + c];
        }
        centre[c] = (float)(sum / (double)n);
    }
    for (size_t i = 0; i < n; i++) {
        vip_features(pooled + i * features, centre, features, out + i * features);
    }
}

vipann_status
vip_score_prototypes(vip_model *model, const float *pooled, size_t n, uint32_t count, uint64_t seed,
                     vipann_error *error)
{
    const size_t features = model->network.features;
    if (n == 0 || !all_finite(pooled, n * features)) {
        return vip_fail(error, VIPANN_E_ARG, "the distance needs training clips%s",
                        n == 0 ? ", but there are none"
                               : " with finite answers, but some are not: is the model whole?");
    }
    count = (size_t)count < n ? count : (uint32_t)n;
    float *roots = vip_alloc(vip_product(n, features), sizeof *roots);
    bool good = roots != NULL && vip_model_make_prototypes(model, count);
    if (good) {
        vip_sum *sum = &model->calibration.sum;
        centre_roots(pooled, n, features, sum->centre, roots);
        good = vip_prototypes_find(roots, n, features, count, ROUNDS, seed, sum->prototypes);
    }
    vip_free(roots);
    return good ? VIPANN_OK : vip_fail_memory(error, "the prototypes");
}

/* ------------------------------------------------------------------------------------------------------- scale, limit */

/* Mean and population deviation of a part over all clips. */
static vipann_status
scale_part(vip_sum *sum, vipann_part part, const vip_evidence *evidence, size_t n, vipann_error *error)
{
    double total = 0, squares = 0, value;
    for (size_t i = 0; i < n; i++) {
        if (!vip_part_value(part, &evidence[i], &value)) {
            return vip_fail(
                error, VIPANN_E_ARG,
                "the part %s of the score has no value without members: ask for at least 2 passes, or leave it out",
                VIP_PART_NAMES[part]);
        }
        total += value;
    }
    sum->mean[part] = total / (double)n;
    for (size_t i = 0; i < n; i++) {
        (void)vip_part_value(part, &evidence[i], &value);
        squares += (value - sum->mean[part]) * (value - sum->mean[part]);
    }
    sum->std[part] = sqrt(squares / (double)n);
    if (!isfinite(sum->mean[part]) || !(sum->std[part] > 1e-12 * (1 + fabs(sum->mean[part])))) {
        return vip_fail(error, VIPANN_E_ARG, "the part %s of the score is the same for all %zu clips; leave it out",
                        VIP_PART_NAMES[part], n);
    }
    return VIPANN_OK;
}

/* The sums of the clips that are right. One with an active class is never refused, so its sum counts as no larger than
 * any other, unless so few are without that there is nothing to go by. */
static size_t
sums_of_right(const vip_model *model, const vip_evidence *evidence, const bool *right, size_t n, double *sums)
{
    size_t kept = 0, open = 0;
    double least = INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (right == NULL || right[i]) {
            (void)vip_sum_value(&model->calibration.sum, &evidence[i], &sums[kept]);
            if (evidence[i].n_active == 0) {
                open++;
                least = sums[kept] < least ? sums[kept] : least;
            }
            kept++;
        }
    }
    kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (right == NULL || right[i]) {
            const bool never = evidence[i].n_active > 0 && open >= LEAST_RIGHT;
            sums[kept] = never ? least : sums[kept];
            kept++;
        }
    }
    return kept;
}

static vipann_status
fit_scale_and_limit(vip_model *model, const vip_listened *heard, const bool *right, double refused,
                    vip_evidence *evidence, double *sums, vipann_error *error)
{
    vip_calibration *calibration = &model->calibration;
    for (int i = 0; i < VIPANN_N_PARTS; i++) {
        vipann_status status = VIPANN_OK;
        if (calibration->sum.has[i]) {
            status = scale_part(&calibration->sum, (vipann_part)i, evidence, heard->n, error);
        }
        if (status != VIPANN_OK) {
            return status;
        }
    }
    const size_t n = sums_of_right(model, evidence, right, heard->n, sums);
    if (n < LEAST_RIGHT) {
        return vip_fail(error, VIPANN_E_ARG,
                        "the limit of the score needs %d right answers at least, but of %zu clips only %zu are right",
                        LEAST_RIGHT, heard->n, n);
    }
    calibration->unknown[VIPANN_SCORE_SUM] = vip_quantile(sums, n, 1 - refused);
    calibration->has_unknown[VIPANN_SCORE_SUM] = true;
    calibration->present = true;
    return VIPANN_OK;
}

vipann_status
vip_score_fit(vip_model *model, const float *training, size_t n_training, const vip_listened *calibration,
              const bool *right, const vip_score_options *options, vipann_error *error)
{
    vip_calibration *c = &model->calibration;
    memcpy(c->sum.has, options->has, sizeof c->sum.has);
    c->has_unknown[VIPANN_SCORE_SUM] = false;
    c->unknown[VIPANN_SCORE_SUM] = 0;
    if (calibration->n < LEAST_CLIPS) {
        return vip_fail(error, VIPANN_E_ARG, "the score needs %d calibration clips at least, but there are %zu",
                        LEAST_CLIPS, calibration->n);
    }
    vipann_status status = VIPANN_OK;
    if (options->has[VIPANN_PART_DISTANCE]) {
        status = vip_score_prototypes(model, training, n_training, options->prototypes, options->seed, error);
    }
    vip_evidence *evidence = vip_alloc(calibration->n, sizeof *evidence);
    double *sums = vip_alloc(calibration->n, sizeof *sums);
    if (status == VIPANN_OK) {
        status = evidence != NULL && sums != NULL && vip_evidence_of(model, calibration, evidence)
                     ? fit_scale_and_limit(model, calibration, right, options->refused, evidence, sums, error)
                     : vip_fail_memory(error, "the score");
    }
    vip_free(evidence);
    vip_free(sums);
    return status;
}
