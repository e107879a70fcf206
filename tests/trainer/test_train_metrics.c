/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_metrics.c -- metrics, intervals and calibration against worked examples (method X15 to X21). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <offline_trainer/base/parallel.h>
#include <offline_trainer/judge/bootstrap.h>
#include <offline_trainer/judge/metrics.h>
#include <offline_trainer/judge/temperature.h>

#define NEAR(found, expected, tolerance) near(found, expected, tolerance, __LINE__)

static void
near(double found, double expected, double tolerance, int line)
{
    if (!(fabs(found - expected) <= tolerance)) {
        fail_msg("line %d: %.9g, expected %.9g within %.2g", line, found, expected, tolerance);
    }
}

static const double EXACT = 1e-6;

static void
test_answers_of_one_class(void **state) /* X19 */
{
    (void)state;
    static const double p[] = {.7, .2, .1, .1, .3, .6, .25, .5, .25};
    static const uint32_t label[] = {0, 1, 1};
    NEAR(vip_nll(p, label, 3, 3), .751265, EXACT);
    NEAR(vip_brier(p, label, 3, 3), .458333, EXACT);
    NEAR(vip_accuracy(p, label, 3, 3), 2.0 / 3, EXACT);
    NEAR(vip_uar(p, label, 3, 3), .75, EXACT);
}

static void
test_of_equal_classes_the_first_is_the_answer(void **state)
{
    (void)state;
    static const double p[] = {.4, .4, .2};
    assert_int_equal(vip_best_class(p, 3), 0);
}

static void
test_a_probability_of_zero_costs_no_more_than_its_floor(void **state)
{
    (void)state;
    static const double p[] = {0, 1};
    static const uint32_t label[] = {0};
    NEAR(vip_nll(p, label, 1, 2), -log(1e-12), EXACT);
}

static const double CONFIDENCE[] = {.95, .90, .72, .66, .55, .38};
static const bool RIGHT[] = {true, true, false, true, false, true};

static void
test_gaps_between_claims_and_truth(void **state) /* X15 */
{
    (void)state;
    double largest;
    vip_bin bins[5];
    NEAR(vip_ece(CONFIDENCE, RIGHT, 6, 5, &largest, bins), .283333, EXACT);
    NEAR(largest, .62, EXACT);
    assert_int_equal(bins[4].n, 2);
    NEAR(bins[4].confidence, .925, EXACT);
    NEAR(vip_ece(CONFIDENCE, RIGHT, 6, 15, NULL, NULL), .396667, EXACT);
    NEAR(vip_ace(CONFIDENCE, RIGHT, 6, 3), .1, EXACT);
}

static void
test_a_confidence_on_an_edge_belongs_to_the_bin_below(void **state)
{
    (void)state;
    static const double confidence[] = {0, .2, 1};
    static const bool right[] = {false, false, true};
    vip_bin bins[5];
    (void)vip_ece(confidence, right, 3, 5, NULL, bins);
    assert_int_equal(bins[0].n, 2);
    assert_int_equal(bins[4].n, 1);
}

static void
test_risk_falls_with_coverage(void **state) /* X16 */
{
    (void)state;
    double uncertainty[6], loss[6], risk[6];
    for (int i = 0; i < 6; i++) {
        uncertainty[i] = 1 - CONFIDENCE[i];
        loss[i] = !RIGHT[i];
    }
    NEAR(vip_aurc(uncertainty, loss, 6, risk), .219444, EXACT);
    NEAR(risk[5], 2.0 / 6, EXACT);
    static const double perfect[] = {1, 2, 5, 3, 6, 4};
    NEAR(vip_aurc(perfect, loss, 6, risk), .088889, EXACT);
}

static void
test_ties_share_their_mean_loss(void **state)
{
    (void)state;
    static const double uncertainty[] = {1, 1}, loss[] = {1, 0};
    double risk[2];
    NEAR(vip_aurc(uncertainty, loss, 2, risk), .5, EXACT);
    NEAR(risk[0], .5, EXACT);
}

static void
test_what_is_foreign_scores_higher(void **state) /* X17 */
{
    (void)state;
    static const double score[] = {.1, .2, .2, .4, .7, .2, .5, .6, .9};
    static const bool foreign[] = {false, false, false, false, false, true, true, true, true};
    NEAR(vip_auc(score, foreign, 9), .75, EXACT);
    NEAR(vip_average_precision(score, foreign, 9), .729167, EXACT);
    NEAR(vip_false_positives(score, foreign, 9, .95), .8, EXACT);
    NEAR(vip_false_positives(score, foreign, 9, .75), .2, EXACT);
}

static void
test_d_prime(void **state) /* X18 */
{
    (void)state;
    NEAR(vip_d_prime(.973), 2.724958, EXACT);
    NEAR(vip_d_prime(.5), 0, EXACT);
    assert_true(isfinite(vip_d_prime(1)) != 0);
}

static void
test_without_a_positive_there_is_no_figure(void **state)
{
    (void)state;
    static const double score[] = {1, 2};
    static const bool none[] = {false, false};
    assert_true(isnan(vip_auc(score, none, 2)) != 0);
    assert_true(isnan(vip_average_precision(score, none, 2)) != 0);
}

static void
test_the_temperature_with_the_least_loss(void **state) /* X20 */
{
    (void)state;
    static const float z[] = {4, 0, 0, 3, 1, 0, 0, 3, 1, 0, 2.5f, 0};
    static const float y[] = {1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0};
    static const uint32_t label[] = {0, 1, 1, 1};
    double p[12], loss;
    vip_mean_probabilities(VIPANN_MULTICLASS, z, 4, 1, 3, NULL, NULL, p);
    NEAR(vip_nll(p, label, 4, 3), .631919, EXACT);
    NEAR(vip_fit_temperature(VIPANN_MULTICLASS, z, y, 4, 1, 3, &loss), 1.295807, 1e-4);
    NEAR(loss, .607384, EXACT);
}

static void
test_members_are_averaged_as_probabilities(void **state)
{
    (void)state;
    static const float z[] = {2, 0, 0, 2};
    double p[2];
    vip_mean_probabilities(VIPANN_MULTICLASS, z, 1, 2, 2, NULL, NULL, p);
    NEAR(p[0], .5, EXACT);
    vip_mean_probabilities(VIPANN_MULTILABEL, z, 1, 2, 2, NULL, NULL, p);
    NEAR(p[0], (1 / (1 + exp(-2)) + .5) / 2, EXACT);
}

static void
test_the_smallest_score_that_is_precise_enough(void **state) /* X21 */
{
    (void)state;
    static const double score[] = {.9, .8, .7, .6, .5, .4};
    static const bool positive[] = {true, true, false, true, true, false};
    static const struct {
        double wanted, threshold;
    } table[] = {{.9, .8}, {.8, .5}, {.75, .5}, {.6, .4}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        NEAR(vip_threshold_for(score, positive, 6, table[i].wanted, 1, false), table[i].threshold, EXACT);
    }
    assert_true(isnan(vip_threshold_for(score, positive, 6, .5, 5, false)) != 0); /* there are but four */
    assert_true(isnan(vip_threshold_for(score, positive, 6, .9, 1, true)) != 0);  /* too few to be sure */
}

static void
test_quantiles_lie_between_values(void **state)
{
    (void)state;
    static const double values[] = {3, 1, 2};
    NEAR(vip_quantile(values, 3, .5), 2, EXACT);
    NEAR(vip_quantile(values, 3, .75), 2.5, EXACT);
}

static double
mean_of(const void *context, const size_t *clips, size_t n)
{
    const double *values = context;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += values[clips[i]];
    }
    return sum / (double)n;
}

static void
test_an_interval_of_a_mean_is_that_of_theory(void **state)
{
    (void)state;
    enum { N = 400 };
    static double values[N];
    static uint32_t single[N], pairs[N];
    for (uint32_t i = 0; i < N; i++) {
        values[i] = i / 2 % 2; /* both of a pair are the same */
        single[i] = i;
        pairs[i] = i / 2;
    }
    const vip_interval alone = vip_bootstrap(single, N, 1, mean_of, values);
    const vip_interval grouped = vip_bootstrap(pairs, N, 1, mean_of, values);
    NEAR(alone.value, .5, EXACT);
    NEAR(alone.high - alone.low, 2 * 1.96 * .5 / sqrt(N), .008);           /* 0.098 */
    NEAR(grouped.high - grouped.low, 2 * 1.96 * .5 / sqrt(N / 2.0), .012); /* 0.139: pairs count as one */
}

static void
test_intervals_do_not_depend_on_threads(void **state)
{
    (void)state;
    static double values[50];
    static uint32_t group[50];
    for (uint32_t i = 0; i < 50; i++) {
        values[i] = sin(i);
        group[i] = i / 3;
    }
    vip_parallel_threads(1);
    const vip_interval one = vip_bootstrap(group, 50, 7, mean_of, values);
    vip_parallel_threads(3);
    const vip_interval three = vip_bootstrap(group, 50, 7, mean_of, values);
    vip_parallel_threads(0);
    assert_memory_equal(&one, &three, sizeof one);
    assert_true(one.low < one.value && one.value < one.high);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_of_one_class),
        cmocka_unit_test(test_of_equal_classes_the_first_is_the_answer),
        cmocka_unit_test(test_a_probability_of_zero_costs_no_more_than_its_floor),
        cmocka_unit_test(test_gaps_between_claims_and_truth),
        cmocka_unit_test(test_a_confidence_on_an_edge_belongs_to_the_bin_below),
        cmocka_unit_test(test_risk_falls_with_coverage),
        cmocka_unit_test(test_ties_share_their_mean_loss),
        cmocka_unit_test(test_what_is_foreign_scores_higher),
        cmocka_unit_test(test_d_prime),
        cmocka_unit_test(test_without_a_positive_there_is_no_figure),
        cmocka_unit_test(test_the_temperature_with_the_least_loss),
        cmocka_unit_test(test_members_are_averaged_as_probabilities),
        cmocka_unit_test(test_the_smallest_score_that_is_precise_enough),
        cmocka_unit_test(test_quantiles_lie_between_values),
        cmocka_unit_test(test_an_interval_of_a_mean_is_that_of_theory),
        cmocka_unit_test(test_intervals_do_not_depend_on_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
