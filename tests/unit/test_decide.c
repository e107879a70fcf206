/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_decide.c -- holds the promises of decide.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include <bayes/uncertainty.h>
#include <decide/decide.h>

#include "numbers.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static float temperatures[] = {2.0f, 0.5f, 1.0f}, offsets[] = {1.0f, -1.0f, 0.0f};

static void
test_calibration_shifts_then_scales(void **state)
{
    (void)state;
    static const struct {
        bool present, has_deterministic, deterministic;
        float expected[3];
    } table[] = {
        {false, true, false, {3, 3, 3}},  /* none: unchanged */
        {true, true, false, {1, 8, 3}},   /* a member */
        {true, true, true, {12, 12, 12}}, /* the pass without members has its own temperature, and no offset */
        {true, false, true, {1, 8, 3}},   /* or is calibrated as a member */
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_calibration calibration = {.present = table[i].present,
                                       .temperature = temperatures,
                                       .offset = offsets,
                                       .has_deterministic = table[i].has_deterministic,
                                       .temperature_deterministic = 0.25f};
        float logits[] = {3, 3, 3};
        vip_calibrate(&calibration, table[i].deterministic, logits, 3);
        assert_memory_equal(logits, table[i].expected, sizeof logits);
    }
}

static void
test_calibration_applies_where_it_was_found(void **state)
{
    (void)state;
    static const struct {
        vipann_posterior posterior;
        bool present, has_deterministic;
        uint32_t members, window; /* as the model states them */
        uint32_t passes, columns;
        bool applies;
    } table[] = {
        {VIPANN_DROPOUT, true, false, 8, 15, 8, 15, true},
        {VIPANN_DROPOUT, false, true, 8, 15, 8, 15, false},
        {VIPANN_DROPOUT, true, false, 8, 15, 7, 15, false},
        {VIPANN_DROPOUT, true, false, 8, 15, 8, 14, false},
        {VIPANN_DROPOUT, true, false, 0, 15, 7, 15, true},
        {VIPANN_DROPOUT, true, false, 8, 0, 8, 99, true},
        {VIPANN_DROPOUT, true, false, 8, 15, 8, 0, false},
        {VIPANN_DROPOUT, true, false, 8, 15, 0, 15, false},
        {VIPANN_DROPOUT, true, true, 8, 15, 0, 15, true},
        {VIPANN_DROPOUT, true, true, 8, 15, 0, 14, false},
        {VIPANN_DROPOUT, true, false, 0, 0, 0, 15, false},
        {VIPANN_MEANFIELD, true, false, 8, 15, 8, 15, true},
        {VIPANN_MEANFIELD, true, false, 8, 15, 4, 15, false},
        {VIPANN_MEANFIELD, true, true, 8, 15, 0, 15, true},
        {VIPANN_DETERMINISTIC, true, false, 0, 15, 0, 15, true},
        {VIPANN_DETERMINISTIC, true, false, 1, 15, 0, 15, true},
        {VIPANN_DETERMINISTIC, true, false, 0, 15, 1, 15, true},
        {VIPANN_DETERMINISTIC, true, false, 0, 15, 1, 16, false},
        {VIPANN_DETERMINISTIC, false, true, 0, 0, 1, 15, false},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        static vip_model model;
        model = (vip_model){.posterior = table[i].posterior,
                            .calibration = {.present = table[i].present,
                                            .has_deterministic = table[i].has_deterministic,
                                            .members = table[i].members,
                                            .window_columns = table[i].window}};
        if (vip_calibration_applies(&model, table[i].passes, table[i].columns) != table[i].applies) {
            print_error("row %zu\n", i);
            fail();
        }
    }
}

static void
test_smoothing_forgets_within_its_horizon(void **state)
{
    (void)state;
    assert_true(vip_smoothing_weight(0.32, 0) == 1);
    assert_near(vip_smoothing_weight(0.32, 0.32), 1 - exp(-1), 1e-15);
    assert_near(vip_smoothing_weight(0.32, 3600) / (0.32 / 3600), 1, 1e-4);
    double left = 1; /* after a horizon of hops, 1/e of the past is left, whatever the hop */
    for (int hop = 0; hop < 100; hop++) {
        left *= 1 - vip_smoothing_weight(0.02, 2.0);
    }
    assert_near(left, exp(-1), 1e-12);
}

/* X23: two hops of two members. Probabilities are pooled per member, then decomposed; the other way is another
 * number. */
static void
test_pooling_comes_before_decomposing(void **state)
{
    (void)state;
    static const double p[2][2][2] = {{{.9, .1}, {.2, .8}}, {{.5, .5}, {.4, .6}}}; /* [member][hop][class] */
    vip_probability pooled[4], hop[4];
    double first[3] = {0}, last[3] = {0};
    for (size_t i = 0; i < 4; i++) {
        double mean = (p[i / 2][0][i % 2] + p[i / 2][1][i % 2]) / 2;
        pooled[i] = (vip_probability){mean, 1 - mean};
    }
    vip_doubt doubt = vip_decompose(VIPANN_MULTICLASS, pooled, 2, 2, NULL, NULL, NULL, NULL);
    first[0] = doubt.total, first[1] = doubt.aleatoric, first[2] = doubt.epistemic;
    for (size_t h = 0; h < 2; h++) {
        for (size_t i = 0; i < 4; i++) {
            hop[i] = (vip_probability){p[i / 2][h][i % 2], 1 - p[i / 2][h][i % 2]};
        }
        doubt = vip_decompose(VIPANN_MULTICLASS, hop, 2, 2, NULL, NULL, NULL, NULL);
        last[0] += doubt.total / 2, last[1] += doubt.aleatoric / 2, last[2] += doubt.epistemic / 2;
    }
    static const double pooled_first[] = {0.693147, 0.688139, 0.005008}, pooled_last[] = {0.610864, 0.547911, 0.062953};
    for (size_t i = 0; i < 3; i++) {
        assert_near(first[i], pooled_first[i], 5.1e-7);
        assert_near(last[i], pooled_last[i], 5.1e-7);
    }
}

/* A row: which limits the model states (0.25 nats, 1.5 nats, 0.5), the evidence, and the answer. */
typedef struct {
    bool epistemic, total, confidence;
    vip_evidence evidence;
    vipann_answer answer;
} unknown_row;

static void
assert_unknown(vipann_task task, const unknown_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        static vip_model model;
        model = (vip_model){
            .task = task,
            .calibration = {
                .present = true,
                .has_unknown = {[VIPANN_SCORE_EPISTEMIC] = rows[i].epistemic,
                                [VIPANN_SCORE_TOTAL] = rows[i].total,
                                [VIPANN_SCORE_CONFIDENCE] = rows[i].confidence},
                .unknown = {
                    [VIPANN_SCORE_EPISTEMIC] = 0.25, [VIPANN_SCORE_TOTAL] = 1.5, [VIPANN_SCORE_CONFIDENCE] = 0.5}}};
        if (vip_unknown(&model, &rows[i].evidence) != rows[i].answer) {
            print_error("row %zu\n", i);
            fail();
        }
        model.calibration.present = false;
        assert_int_equal(vip_unknown(&model, &rows[i].evidence), VIPANN_CANNOT_SAY);
    }
}

static void
test_multiclass_is_unknown_beyond_any_limit(void **state)
{
    (void)state;
    static const unknown_row rows[] = {
        {true,
         true,
         true,
         {.members = 2, .total = 1.5, .epistemic = .25, .largest = .5},
         VIPANN_NO}, /* at the limits */
        {true, true, true, {.members = 2, .total = 1.5, .epistemic = .251, .largest = .5}, VIPANN_YES},
        {true, true, true, {.members = 2, .total = 1.501, .epistemic = .25, .largest = .5}, VIPANN_YES},
        {true, true, true, {.members = 2, .total = 1.5, .epistemic = .25, .largest = .499}, VIPANN_YES},
        {true, false, false, {.members = 2, .total = 9, .epistemic = .1, .largest = .1}, VIPANN_NO},
        {true, false, false, {.members = 2, .total = 1, .epistemic = .9, .largest = .9}, VIPANN_YES},
        {false, true, false, {.members = 2, .total = 1, .epistemic = .9, .largest = .1}, VIPANN_NO},
        {false, true, false, {.members = 2, .total = 2, .epistemic = .1, .largest = .9}, VIPANN_YES},
        {false, false, true, {.members = 2, .total = 9, .epistemic = .9, .largest = .9}, VIPANN_NO},
        {false, false, true, {.members = 2, .total = 1, .epistemic = .1, .largest = .1}, VIPANN_YES},
        {true, true, true, {.members = 2, .total = 9, .epistemic = .9, .largest = .9, .n_active = 3}, VIPANN_YES},
    };
    assert_unknown(VIPANN_MULTICLASS, rows, LENGTH(rows));
}

static void
test_multilabel_is_unknown_only_if_nothing_is_active(void **state)
{
    (void)state;
    static const unknown_row rows[] = {
        {true, false, false, {.members = 8, .epistemic = .25, .n_active = 0}, VIPANN_NO}, /* at the limit */
        {true, false, false, {.members = 8, .epistemic = .251, .n_active = 0}, VIPANN_YES},
        {true, false, false, {.members = 8, .epistemic = .251, .n_active = 1}, VIPANN_NO},
        {false, true, false, {.members = 8, .total = 1.6, .n_active = 0}, VIPANN_YES},
        {false, true, false, {.members = 8, .total = 1.6, .n_active = 2}, VIPANN_NO},
        {false, false, true, {.members = 8, .largest = .4, .n_active = 0}, VIPANN_YES},
        {false, false, true, {.members = 8, .largest = .4, .n_active = 1}, VIPANN_NO},
        {true, true, true, {.members = 8, .total = 1, .epistemic = .1, .largest = .6}, VIPANN_NO},
    };
    assert_unknown(VIPANN_MULTILABEL, rows, LENGTH(rows));
}

/* A sum of total and energy, each less 1 over 0.5, with a limit of 2. */
static void
test_a_sum_is_one_score_more(void **state)
{
    (void)state;
    static const struct {
        vipann_task task;
        bool confidence; /* a limit of 0.5 is stated too */
        vip_evidence evidence;
        vipann_answer answer;
    } rows[] = {
        {VIPANN_MULTICLASS, false, {.total = 1.5, .energy = 1.5}, VIPANN_NO}, /* at the limit */
        {VIPANN_MULTICLASS, false, {.total = 1.5, .energy = 1.501}, VIPANN_YES},
        {VIPANN_MULTICLASS, false, {.total = 3, .energy = -1, .epistemic = 9, .members = 8}, VIPANN_NO},
        {VIPANN_MULTICLASS, true, {.total = 1, .energy = 1, .largest = 0.6}, VIPANN_NO},
        {VIPANN_MULTICLASS, true, {.total = 1, .energy = 1, .largest = 0.4}, VIPANN_YES},
        {VIPANN_MULTICLASS, true, {.total = 2, .energy = 2, .largest = 0.6}, VIPANN_YES},
        {VIPANN_MULTILABEL, false, {.total = 2, .energy = 2}, VIPANN_YES},
        {VIPANN_MULTILABEL, false, {.total = 2, .energy = 2, .n_active = 1}, VIPANN_NO},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        static vip_model model;
        model = (vip_model){
            .task = rows[i].task,
            .calibration = {.present = true,
                            .has_unknown = {[VIPANN_SCORE_CONFIDENCE] = rows[i].confidence, [VIPANN_SCORE_SUM] = true},
                            .unknown = {[VIPANN_SCORE_CONFIDENCE] = 0.5, [VIPANN_SCORE_SUM] = 2},
                            .sum = {.has = {[VIPANN_PART_TOTAL] = true, [VIPANN_PART_ENERGY] = true},
                                    .mean = {1, 1, 1, 1, 1},
                                    .std = {.5, .5, .5, .5, .5}}}};
        assert_int_equal(vip_unknown(&model, &rows[i].evidence), rows[i].answer);
        model.calibration.sum.has[VIPANN_PART_EPISTEMIC] = rows[i].evidence.members < 2;
        if (!rows[i].confidence && rows[i].evidence.members < 2) { /* a part without a value says nothing */
            assert_int_equal(vip_unknown(&model, &rows[i].evidence), VIPANN_CANNOT_SAY);
        }
    }
}

/* With fewer than two members there is no epistemic value; the other scores need none. */
static void
test_what_has_no_value_says_nothing(void **state)
{
    (void)state;
    for (size_t members = 0; members < 2; members++) {
        const unknown_row rows[] = {
            {false, false, false, {.members = members, .total = 9, .largest = .1}, VIPANN_CANNOT_SAY},
            {true, false, false, {.members = members, .total = 9, .epistemic = 9, .largest = .1}, VIPANN_CANNOT_SAY},
            {true, true, false, {.members = members, .total = 1, .epistemic = 9, .largest = .1}, VIPANN_NO},
            {true, true, false, {.members = members, .total = 2, .epistemic = 9, .largest = .1}, VIPANN_YES},
            {true, false, true, {.members = members, .total = 9, .epistemic = 9, .largest = .9}, VIPANN_NO},
            {true, false, true, {.members = members, .total = 9, .epistemic = 9, .largest = .4}, VIPANN_YES},
        };
        assert_unknown(VIPANN_MULTICLASS, rows, LENGTH(rows));
        assert_unknown(VIPANN_MULTILABEL, rows, LENGTH(rows));
    }
    const unknown_row none = {false, false, false, {.members = 8, .total = 9, .epistemic = 9}, VIPANN_CANNOT_SAY};
    assert_unknown(VIPANN_MULTICLASS, &none, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calibration_shifts_then_scales),
        cmocka_unit_test(test_calibration_applies_where_it_was_found),
        cmocka_unit_test(test_smoothing_forgets_within_its_horizon),
        cmocka_unit_test(test_pooling_comes_before_decomposing),
        cmocka_unit_test(test_multiclass_is_unknown_beyond_any_limit),
        cmocka_unit_test(test_multilabel_is_unknown_only_if_nothing_is_active),
        cmocka_unit_test(test_a_sum_is_one_score_more),
        cmocka_unit_test(test_what_has_no_value_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
