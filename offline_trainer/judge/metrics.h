/* SPDX-License-Identifier: GPL-3.0-or-later */
/* metrics.h -- how good answers are, and how well they know it. Pure functions; any thread; method 9 is the definition.
 *
 * p is [n][classes], probabilities; label [n] the right class of each (multi-class); y [n][classes] 0 or 1 (multi-label).
 * What allocates says NaN if memory is short, as does what has no value. */
#ifndef VIP_TRAINER_METRICS_H
#define VIP_TRAINER_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VIP_BINS = 15 };

/* ------------------------------------------------------------------------------------------------------- multi-class */

/* The most probable class, of equal ones the first. */
uint32_t vip_best_class(const double *p, size_t classes);

double vip_accuracy(const double *p, const uint32_t *label, size_t n, size_t classes);

/* The mean recall of the classes that occur. */
double vip_uar(const double *p, const uint32_t *label, size_t n, size_t classes);

/* Mean of -log p of the right class; p counts as at least 1e-12. */
double vip_nll(const double *p, const uint32_t *label, size_t n, size_t classes);

/* Brier (1950): the squared distance from the truth, summed over classes, mean over clips. */
double vip_brier(const double *p, const uint32_t *label, size_t n, size_t classes);

/* ------------------------------------------------------------------------------------------------------- multi-label */

/* Mean over clips of the sum over classes of the binary cross-entropy. */
double vip_binary_nll(const double *p, const float *y, size_t n, size_t classes);

/* Mean over clips and classes of the squared distance. */
double vip_binary_brier(const double *p, const float *y, size_t n, size_t classes);

/* ------------------------------------------------------------------------------------------------------- calibration */

typedef struct {
    size_t n;
    double confidence, accuracy; /* means; 0 if n is 0 */
} vip_bin;

/* The gap between what was claimed (confidence [n], 0 .. 1) and what was right, over equal bins ](m-1)/M, m/M], 0 in the
 * first (Guo et al. 2017): mean weighted by their counts; *largest: the largest gap. bins: [m], or NULL. */
double vip_ece(const double *confidence, const bool *right, size_t n, size_t m, double *largest, vip_bin *bins);

/* The same over bins of equal count after a stable sort, cut at round-half-even(n k / m). */
double vip_ace(const double *confidence, const bool *right, size_t n, size_t m);

/* ------------------------------------------------------------------------------------------------------------ ranking */

/* Average precision and area under the ROC curve of scores for what is positive; ties stand together (AP) and count a half
 * (AUC). NaN without a positive, AUC also without a negative. */
double vip_average_precision(const double *score, const bool *positive, size_t n);
double vip_auc(const double *score, const bool *positive, size_t n);

/* sqrt(2) times the normal quantile of AUC, which is cut to 1e-9 .. 1 - 1e-9. */
double vip_d_prime(double auc);

/* The share of negatives at least as large as the ceil(share * positives)-th largest positive. */
double vip_false_positives(const double *score, const bool *positive, size_t n, double share);

/* ------------------------------------------------------------------------------------------------- risk and coverage */

/* Sorted by uncertainty: risk[i] is the mean loss of the i + 1 most certain, where tied ones share the mean loss of their
 * block. Returns the mean of risk, AURC (Geifman and El-Yaniv 2017). risk: [n]. */
double vip_aurc(const double *uncertainty, const double *loss, size_t n, double *risk);

#endif /* VIP_TRAINER_METRICS_H */
