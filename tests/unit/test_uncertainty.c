/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_uncertainty.c -- holds the promises of uncertainty.h. Worked numbers X1..X5 are method's: six digits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <bayes/uncertainty.h>

#include "numbers.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { MEMBERS = 8, CLASSES = 527 };

static const double PUBLISHED = 5.1e-7; /* six digits after the point */

static vip_probability pairs[MEMBERS * CLASSES];
static float logits[MEMBERS * CLASSES];
static float mean[CLASSES], deviation[CLASSES], aleatoric[CLASSES], epistemic[CLASSES];

/* Pairs from plain probabilities, row by row. */
static void
fill(const double *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        pairs[i] = (vip_probability){p[i], 1.0 - p[i]};
    }
}

static void
fill_logits(uint32_t seed, double width, double middle)
{
    for (size_t i = 0; i < LENGTH(logits); i++) {
        logits[i] = (float)(middle + width * ((double)next_random(&seed) / 8388608.0 - 1.0));
    }
}

static void
fill_pairs(vipann_task task, size_t members, size_t classes)
{
    for (size_t k = 0; k < members; k++) {
        vip_probabilities(task, logits + k * classes, classes, pairs + k * classes);
    }
}

static void
test_entropy_of_a_logit_is_exact_far_out(void **state) /* X1 */
{
    (void)state;
    assert_near(vip_bernoulli_entropy(0), 0.693147, PUBLISHED);
    assert_near(vip_bernoulli_entropy(2), 0.365334, PUBLISHED);
    assert_near(vip_bernoulli_entropy(-10), 0.000499, PUBLISHED);
    assert_near(vip_bernoulli_entropy(100) / 3.757275e-42, 1, 1e-6);
    assert_true(vip_bernoulli_entropy(INFINITY) == 0 && vip_bernoulli_entropy(-INFINITY) == 0);
}

/* Against the C library, over all magnitudes; relative, so that small entropies keep their digits. */
static void
test_entropy_of_a_pair_keeps_its_digits(void **state)
{
    (void)state;
    assert_true(vip_pair_entropy(0, 1) == 0 && vip_pair_entropy(1, 0) == 0);
    assert_near(vip_pair_entropy(0.5, 0.5), log(2), 1e-10);
    for (double z = 0; z < 690; z += 0.0103 * (1 + z / 20)) {
        double small = exp(-z) / (1 + exp(-z)), large = 1 / (1 + exp(-z));
        double expected = vip_bernoulli_entropy(z);
        assert_near(vip_pair_entropy(small, large) / expected, 1, 1e-10);
        assert_true(vip_pair_entropy(small, large) == vip_pair_entropy(large, small));
    }
}

static void
test_sigmoid_equals_the_c_library(void **state)
{
    (void)state;
    for (size_t classes = 1; classes <= 67; classes += 3) { /* whole and broken groups of lanes */
        fill_logits((uint32_t)classes, 40, 0);
        pairs[classes].p = 77;
        vip_probabilities(VIPANN_MULTILABEL, logits, classes, pairs);
        for (size_t i = 0; i < classes; i++) {
            double z = (double)logits[i];
            assert_near(pairs[i].p * (1 + exp(-z)), 1, 1e-13);
            assert_near(pairs[i].q * (1 + exp(z)), 1, 1e-13);
        }
        assert_true(pairs[classes].p == 77);
    }
}

static void
test_softmax_equals_the_c_library(void **state)
{
    (void)state;
    for (size_t classes = 1; classes <= 67; classes += 3) {
        fill_logits((uint32_t)classes, 20, 5);
        vip_probabilities(VIPANN_MULTICLASS, logits, classes, pairs);
        double sum = 0;
        for (size_t i = 0; i < classes; i++) {
            double inverse = 0, others = 0;
            for (size_t k = 0; k < classes; k++) {
                double term = exp((double)logits[k] - (double)logits[i]);
                inverse += term;
                others += k == i ? 0 : term;
            }
            assert_near(pairs[i].p * inverse, 1, 1e-12);
            assert_near(pairs[i].q, others / inverse, pairs[i].p > 0.5 ? 1e-12 * others / inverse : 1e-15);
            sum += pairs[i].p;
        }
        assert_near(sum, 1, 1e-14);
    }
    static const float certain[] = {-60, 0, -50};
    vip_probabilities(VIPANN_MULTICLASS, certain, 3, pairs);
    assert_near(pairs[1].q / (exp(-50) + exp(-60)), 1, 1e-12); /* q keeps the digits that p has lost */
}

static void
test_probabilities_are_finite_whatever_the_logits(void **state)
{
    (void)state;
    static const float odd[] = {NAN, INFINITY, -INFINITY, 3.4e38f, -3.4e38f, 1000.0f, -1000.0f, 0.0f, -0.0f};
    for (int task = 0; task < 2; task++) {
        for (size_t start = 0; start < LENGTH(odd); start++) {
            size_t n = LENGTH(odd) - start;
            vip_probabilities((vipann_task)task, odd + start, n, pairs);
            for (size_t i = 0; i < n; i++) {
                assert_true(pairs[i].p >= 0 && pairs[i].p <= 1 && pairs[i].q >= 0 && pairs[i].q <= 1);
                assert_true(!isnan(odd[start + i]) || pairs[i].p < 1e-300); /* NaN: the class is not there */
            }
            vip_doubt doubt = vip_decompose((vipann_task)task, pairs, 1, n, NULL, NULL, NULL, NULL);
            assert_true(isfinite(doubt.total) && doubt.epistemic == 0);
        }
    }
}

static void
test_multiclass_entropy_form(void **state) /* X2 */
{
    (void)state;
    static const double p[] = {.7, .2, .1, .5, .4, .1, .2, .2, .6};
    fill(p, LENGTH(p));
    vip_doubt doubt = vip_decompose(VIPANN_MULTICLASS, pairs, 3, 3, mean, deviation, aleatoric, epistemic);
    assert_near(doubt.total, 1.060602, PUBLISHED);
    assert_near(doubt.aleatoric, 0.898479, PUBLISHED);
    assert_near(doubt.epistemic, 0.162123, PUBLISHED);
    assert_near((double)mean[0], 1.4 / 3, 1e-7);
    assert_near((double)deviation[0], sqrt(0.042222), 2e-6);
}

static void
test_members_that_agree_have_no_epistemic_part(void **state) /* X2 */
{
    (void)state;
    static const double p[] = {.6, .3, .1, .6, .3, .1, .6, .3, .1};
    fill(p, LENGTH(p));
    for (int task = 0; task < 2; task++) {
        vip_doubt doubt = vip_decompose((vipann_task)task, pairs, 3, 3, mean, deviation, aleatoric, epistemic);
        assert_near(doubt.total, task == VIPANN_MULTICLASS ? 0.897946 : 1.608959, PUBLISHED);
        assert_near(doubt.epistemic, 0, 1e-14);
        assert_near(doubt.aleatoric, doubt.total, 1e-14);
        for (size_t i = 0; i < 3; i++) {
            assert_true(epistemic[i] >= 0 && (double)epistemic[i] < 1e-14);
            assert_near((double)deviation[i], 0, 1e-14);
        }
    }
}

static void
test_members_certain_of_different_classes_are_all_epistemic(void **state) /* X2 */
{
    (void)state;
    static const double p[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    fill(p, LENGTH(p));
    vip_doubt doubt = vip_decompose(VIPANN_MULTICLASS, pairs, 3, 3, NULL, NULL, NULL, NULL);
    assert_near(doubt.total, 1.098612, PUBLISHED);
    assert_near(doubt.epistemic, 1.098612, PUBLISHED);
    assert_true(doubt.aleatoric == 0);
}

static void
test_multiclass_variance_form(void **state) /* X3 */
{
    (void)state;
    static const double p[] = {.7, .2, .1, .5, .4, .1, .2, .2, .6};
    static const double within[] = {.206667, .186667, .140000}, between[] = {.042222, .008889, .055556};
    double own[3], among[3];
    fill(p, LENGTH(p));
    vip_doubt doubt = vip_decompose_variance(pairs, 3, 3, own, among);
    for (size_t i = 0; i < 3; i++) {
        assert_near(own[i], within[i], PUBLISHED);
        assert_near(among[i], between[i], PUBLISHED);
        double pbar = (p[i] + p[3 + i] + p[6 + i]) / 3;
        assert_near(own[i] + among[i], pbar * (1 - pbar), 1e-15);
    }
    assert_near(doubt.aleatoric, 0.533333, PUBLISHED);
    assert_near(doubt.epistemic, 0.106667, PUBLISHED);
    assert_near(doubt.total, 0.64, PUBLISHED);
}

static void
test_multilabel_both_forms(void **state) /* X4 */
{
    (void)state;
    static const double p[] = {.9, .1, .6, .1, .3, .2, .8, .1};
    static const double own[] = {.527340, .368913}, among[] = {.120106, .007857};
    fill(p, LENGTH(p));
    vip_doubt doubt = vip_decompose(VIPANN_MULTILABEL, pairs, 4, 2, mean, deviation, aleatoric, epistemic);
    assert_near(doubt.total, 1.024217, PUBLISHED);
    assert_near(doubt.aleatoric, 0.896253, PUBLISHED);
    assert_near(doubt.epistemic, 0.127964, PUBLISHED);
    for (size_t i = 0; i < 2; i++) {
        assert_near((double)aleatoric[i], own[i], PUBLISHED);
        assert_near((double)epistemic[i], among[i], PUBLISHED);
    }
    assert_near((double)mean[0], 0.65, 1e-7);
    assert_near((double)deviation[0], sqrt(.0525), 1e-7);
    double within[2], between[2];
    doubt = vip_decompose_variance(pairs, 4, 2, within, between);
    assert_near(within[0], .175, 1e-15);
    assert_near(within[1], .1075, 1e-15);
    assert_near(between[0], .0525, 1e-15);
    assert_near(between[1], .001875, 1e-15);
    assert_near(doubt.epistemic, .054375, 1e-15);
}

/* All the ways in which S members can draw p = 0.2 or 0.8. */
static void
test_correction_for_few_members(void **state) /* X5 */
{
    (void)state;
    static const struct {
        size_t members;
        double raw, corrected;
    } table[] = {{2, 0.5, 1}, {4, 0.756448, 1.008597}, {8, 0.880648, 1.006455}, {16, 0.940975, 1.003707}};
    double truth = vip_pair_entropy(.5, .5) - vip_pair_entropy(.2, .8);
    assert_near(truth, 0.192745, PUBLISHED);
    for (size_t i = 0; i < LENGTH(table); i++) {
        size_t members = table[i].members;
        double raw = 0, corrected = 0, ways = pow(0.5, (double)members);
        for (size_t high = 0; high <= members; high++) {
            double p[16];
            for (size_t k = 0; k < members; k++) {
                p[k] = k < high ? .8 : .2;
            }
            fill(p, members);
            vip_doubt doubt = vip_decompose(VIPANN_MULTILABEL, pairs, members, 1, NULL, NULL, NULL, NULL);
            raw += ways * doubt.epistemic;
            double full = doubt.epistemic * (double)members / (double)(members - 1);
            double value = vip_corrected_epistemic(doubt.total, doubt.epistemic, members);
            assert_true(value == fmin(full, doubt.total));
            corrected += ways * full;
            ways *= (double)(members - high) / (double)(high + 1);
        }
        assert_near(raw / truth, table[i].raw, 2e-6);
        assert_near(corrected / truth, table[i].corrected, 2e-6);
    }
    assert_true(vip_corrected_epistemic(1.0, 0.9, 2) == 1.0); /* never above the total */
    assert_true(vip_corrected_epistemic(1.0, 0.5, 1) == 0.0);
}

/* Against the formulas with the C library, for random members of every small number and class count. */
static void
test_decomposition_equals_the_formulas(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 15, 16, 17, 50, 521};
    for (size_t s = 0; s < LENGTH(sizes) * MEMBERS * 2; s++) {
        vipann_task task = (vipann_task)(s % 2);
        size_t members = s / 2 % MEMBERS + 1, classes = sizes[s / 2 / MEMBERS];
        fill_logits((uint32_t)s, 8, -3);
        fill_pairs(task, members, classes);
        vip_probability *exact = malloc(members * classes * sizeof *exact); /* the address sanitizer sees its end */
        assert_non_null(exact);
        memcpy(exact, pairs, members * classes * sizeof *exact);
        vip_doubt doubt = vip_decompose(task, exact, members, classes, mean, deviation, aleatoric, epistemic);
        double total = 0, own = 0;
        for (size_t i = 0; i < classes; i++) {
            double pbar = 0, square = 0, h = 0;
            for (size_t k = 0; k < members; k++) {
                double p = pairs[k * classes + i].p, q = pairs[k * classes + i].q;
                pbar += p / (double)members;
                h -= (p * log(p) + (task == VIPANN_MULTILABEL && q > 0 ? q * log(q) : 0)) / (double)members;
            }
            for (size_t k = 0; k < members; k++) {
                square += pow(pairs[k * classes + i].p - pbar, 2) / (double)members;
            }
            double all = -pbar * log(pbar);
            if (task == VIPANN_MULTILABEL) {
                all -= (1 - pbar) * log1p(-pbar);
            }
            assert_near((double)mean[i], pbar, 1e-7 * pbar);
            assert_near((double)deviation[i], sqrt(square), 1e-7);
            assert_near((double)aleatoric[i], h, 1e-7);
            assert_near((double)epistemic[i], all - h, 1e-7);
            total += all;
            own += h;
        }
        assert_near(doubt.total, total, 1e-9);
        assert_near(doubt.aleatoric, own, 1e-9);
        assert_near(doubt.total, doubt.aleatoric + doubt.epistemic, 1e-12);
        free(exact);
    }
}

static void
test_parts_are_never_negative_and_one_member_has_none(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 40; seed++) {
        vipann_task task = (vipann_task)(seed % 2);
        size_t members = seed % 5 + 1;
        fill_logits(1, 1, 0);
        for (size_t i = 0; i < LENGTH(logits); i++) { /* members that differ by rounding only, near 0, 1/2 and 1 */
            logits[i] = logits[i % CLASSES] * (float)(i < CLASSES ? seed * 2 : 1) + (seed % 3 == 0 ? 1e-7f : 0.0f);
        }
        fill_pairs(task, members, CLASSES);
        vip_doubt doubt = vip_decompose(task, pairs, members, CLASSES, mean, NULL, aleatoric, epistemic);
        assert_true(doubt.epistemic >= 0 && doubt.aleatoric >= 0);
        for (size_t i = 0; i < CLASSES; i++) {
            assert_true(epistemic[i] >= 0 && aleatoric[i] >= 0);
            assert_true(members > 1 || epistemic[i] == 0);
        }
        assert_true(members > 1 || doubt.epistemic == 0);
    }
}

/* Member k does not depend on who else is there, nor a class on its place among the lanes. */
static void
test_probabilities_are_the_same_bits_in_any_company(void **state)
{
    (void)state;
    static vip_probability alone[CLASSES];
    fill_logits(5, 10, 0);
    fill_pairs(VIPANN_MULTILABEL, MEMBERS, CLASSES);
    for (size_t k = 0; k < MEMBERS; k++) {
        vip_probabilities(VIPANN_MULTILABEL, logits + k * CLASSES, CLASSES, alone);
        assert_memory_equal(alone, pairs + k * CLASSES, sizeof alone);
    }
    for (size_t i = 0; i < CLASSES; i += 13) {
        vip_probabilities(VIPANN_MULTILABEL, logits + i, 1, alone);
        assert_memory_equal(alone, pairs + i, sizeof *alone);
        vip_doubt doubt = vip_decompose(VIPANN_MULTILABEL, alone, 1, 1, NULL, NULL, NULL, NULL);
        assert_true(doubt.total == vip_pair_entropy(alone->p, alone->q));
    }
}

static void
test_active_doubt_is_over_classes_above_their_threshold(void **state)
{
    (void)state;
    static const float p[] = {.5f, .9f, .1f, .3f, .3f}, a[] = {.5f, .2f, .3f, .01f, .6f},
                       e[] = {.1f, .2f, .3f, .04f, .05f};
    static const float some[] = {.5f, -1, .2f, .4f, .2f}, none[] = {.6f, -1, .2f, .4f, .4f};
    static const struct {
        const float *thresholds;
        size_t classes, active;
        size_t n, of[3]; /* the classes of the mean */
    } table[] = {
        {some, 5, 2, 2, {0, 4}}, {none, 5, 0, 3, {1, 0, 3}}, {NULL, 5, 0, 3, {1, 0, 3}},
        {NULL, 2, 0, 2, {0, 1}}, {NULL, 1, 0, 1, {0}},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        for (size_t members = 1; members <= 8; members++) {
            double total = 0, own = 0, corrected = 0;
            size_t active = 99, n = table[i].n;
            for (size_t k = 0; k < n; k++) {
                const size_t c = table[i].of[k];
                total += (double)(a[c] + e[c]) / (double)n;
                own += (double)a[c] / (double)n;
                corrected += vip_corrected_epistemic((double)(a[c] + e[c]), (double)e[c], members) / (double)n;
            }
            vip_doubt doubt = vip_active_doubt(p, a, e, table[i].thresholds, members, table[i].classes, &active);
            assert_near(doubt.total, total, 1e-7);
            assert_near(doubt.aleatoric, own, 1e-7);
            assert_near(doubt.epistemic, corrected, 1e-7);
            assert_int_equal(active, table[i].active);
        }
    }
    assert_near(vip_active_doubt(p, a, e, some, 2, 5, NULL).epistemic, (.2 + .1) / 2, 1e-7);
    assert_near(vip_active_doubt(p, a, e, NULL, 2, 5, NULL).epistemic, (.4 + .2 + .05) / 3, 1e-7);
    assert_near(vip_active_doubt(p, a, e, NULL, 8, 1, NULL).epistemic, .1 * 8 / 7, 1e-7);
    assert_true(vip_active_doubt(p, a, e, some, 1, 5, NULL).epistemic == 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entropy_of_a_logit_is_exact_far_out),
        cmocka_unit_test(test_entropy_of_a_pair_keeps_its_digits),
        cmocka_unit_test(test_sigmoid_equals_the_c_library),
        cmocka_unit_test(test_softmax_equals_the_c_library),
        cmocka_unit_test(test_probabilities_are_finite_whatever_the_logits),
        cmocka_unit_test(test_multiclass_entropy_form),
        cmocka_unit_test(test_members_that_agree_have_no_epistemic_part),
        cmocka_unit_test(test_members_certain_of_different_classes_are_all_epistemic),
        cmocka_unit_test(test_multiclass_variance_form),
        cmocka_unit_test(test_multilabel_both_forms),
        cmocka_unit_test(test_correction_for_few_members),
        cmocka_unit_test(test_decomposition_equals_the_formulas),
        cmocka_unit_test(test_parts_are_never_negative_and_one_member_has_none),
        cmocka_unit_test(test_probabilities_are_the_same_bits_in_any_company),
        cmocka_unit_test(test_active_doubt_is_over_classes_above_their_threshold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
