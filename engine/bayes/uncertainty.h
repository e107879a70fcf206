/* SPDX-License-Identifier: GPL-3.0-or-later */
/* uncertainty.h -- what the members' answers say together: probabilities, and the two kinds of doubt.
 *
 * total = aleatoric + epistemic, per class and in total. Entropy form (nats): total is the entropy of the mean
 * probability, aleatoric the mean of the members' entropies, epistemic the difference: the mutual information between
 * answer and member. Variance form (Kwon et al. 2020): aleatoric the mean of p(1-p), epistemic the variance of p.
 * Multi-label classes are independent Bernoullis; multi-class per-class parts are the terms -p log p, which sum to the
 * entropy and are concave in p, so that no part is negative. Pure functions; any thread; nothing is allocated. */
#ifndef VIP_BAYES_UNCERTAINTY_H
#define VIP_BAYES_UNCERTAINTY_H

#include <vipann/vipann.h>

#include <stddef.h>
#include <stdint.h>

typedef struct {
    double total, aleatoric, epistemic;
} vip_doubt;

/* One member's probability of one class with what is needed to keep its digits near 1: q = 1 - p. */
typedef struct {
    double p, q;
} vip_probability;

/* Entropy of a Bernoulli with logit z: exact for large |z|. */
double vip_bernoulli_entropy(double z);

/* Entropy of a Bernoulli given p and q = 1 - p; 0 log 0 = 0. Relative error below 1e-10. */
double vip_pair_entropy(double p, double q);

/* logits[classes] of one member -> probabilities[classes] by the task's sigmoid or softmax. They are finite whatever the
 * logits; NaN counts as a class that is not there. */
void vip_probabilities(vipann_task task, const float *logits, size_t classes, vip_probability *probabilities);

/* Entropy form over members. probabilities is [members][classes], members >= 1. Any of the outputs per class
 * ([classes]) may be NULL. mean: of p; deviation: population standard deviation of p. Sums over classes are returned:
 * for multi-class these are the entropies, for multi-label the sums over independent classes. Tiny negative epistemic
 * parts (rounding) become 0; aleatoric is total - epistemic then. With one member epistemic is 0. */
vip_doubt vip_decompose(vipann_task task, const vip_probability *probabilities, size_t members, size_t classes,
                        float *mean, float *deviation, float *aleatoric, float *epistemic);

/* Variance form: per class (NULL allowed) and the sums over classes (traces for multi-class). */
vip_doubt vip_decompose_variance(const vip_probability *probabilities, size_t members, size_t classes,
                                 double *aleatoric, double *epistemic);

/* The epistemic part corrected for few members, min(total, epistemic * S / (S - 1)); members >= 2. */
double vip_corrected_epistemic(double total, double epistemic, size_t members);

/* Multi-label: means over the active classes, those with mean >= their threshold (NULL, or negative: never active); if
 * none is active, over the 3 most probable. *n_active is how many were (may be NULL). total and aleatoric are as they are,
 * epistemic is corrected for few members (0 if there is but one), so that it may exceed their difference. */
vip_doubt vip_active_doubt(const float *mean, const float *aleatoric, const float *epistemic, const float *thresholds,
                           size_t members, size_t classes, size_t *n_active);

#endif /* VIP_BAYES_UNCERTAINTY_H */
