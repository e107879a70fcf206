/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_limits.c -- scales of classes, and limits of *unknown*, on answers that are made up. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/philox.h>
#include <offline_trainer/judge/limits.h>
#include <offline_trainer/judge/scale.h>

enum { CLIPS = 4000, CLASSES = 3 };

/* A number between 0 and 1. */
static double
draw(uint32_t which, uint32_t i)
{
    uint32_t words[4];
    vip_philox(7, (const uint32_t[4]){which, i, 0, 0}, words);
    return ((double)words[0] + 0.5) / 4294967296.0;
}

/* Logits z = temperature x + offset of clips that are heard with probability sigmoid(x). */
static void
make_answers(const double *temperature, const double *offset, const size_t *n, float *logits, float *y)
{
    for (uint32_t c = 0; c < CLASSES; c++) {
        for (uint32_t i = 0; i < CLIPS; i++) {
            const double x = 6 * draw(c, i) - 3;
            logits[i * CLASSES + c] = (float)(temperature[c] * x + offset[c]);
            y[i * CLASSES + c] = i < n[c] && draw(c + CLASSES, i) < 1 / (1 + exp(-x));
        }
    }
}

static void
test_each_class_gets_the_scale_that_made_it(void **state)
{
    (void)state;
    static float logits[CLIPS * CLASSES], y[CLIPS * CLASSES], temperature[CLASSES], offset[CLASSES];
    static const double made_t[CLASSES] = {2, 0.7, 1}, made_b[CLASSES] = {1.5, -1, 0};
    static const size_t n[CLASSES] = {CLIPS, CLIPS, CLIPS};
    size_t own;
    double loss, best = 0;
    make_answers(made_t, made_b, n, logits, y);
    assert_true(vip_fit_scales(logits, y, CLIPS, 1, CLASSES, temperature, offset, &own, &loss));
    assert_int_equal(own, CLASSES);
    for (size_t c = 0; c < CLASSES; c++) { /* standard errors are about 0.04, times the temperature */
        assert_true(fabs((double)temperature[c] - made_t[c]) < 0.15 * made_t[c]);
        assert_true(fabs((double)offset[c] - made_b[c]) < 0.15 * made_t[c]);
        for (size_t i = 0; i < CLIPS; i++) {
            const double x = ((double)logits[i * CLASSES + c] - made_b[c]) / made_t[c];
            best += log1p(exp(y[i * CLASSES + c] > 0 ? -x : x)) / CLIPS;
        }
    }
    assert_true(loss < best && loss > best - 0.01); /* it may only be better than the truth by chance */
}

static void
test_a_class_that_is_seldom_heard_has_the_scale_of_all(void **state)
{
    (void)state;
    static float logits[CLIPS * CLASSES], y[CLIPS * CLASSES], temperature[CLASSES], offset[CLASSES];
    static const double made_t[CLASSES] = {2, 2, 2}, made_b[CLASSES] = {1, 1, -3};
    static const size_t n[CLASSES] = {CLIPS, CLIPS, 10}; /* of the third, ten clips at most */
    size_t own;
    double loss;
    make_answers(made_t, made_b, n, logits, y);
    assert_true(vip_fit_scales(logits, y, CLIPS, 1, CLASSES, temperature, offset, &own, &loss));
    assert_int_equal(own, 2);
    /* The shared pair bends to the third class, whose positives are missing; its own classes need not be that. */
    assert_true(offset[2] != offset[0] && temperature[2] != temperature[0]);
    assert_true(fabs((double)offset[0] - 1) < 0.3 && fabs((double)temperature[0] - 2) < 0.3);
}

/* ------------------------------------------------------------------------------------------------------------ unknown */

static vip_model *
exclusive_model(bool epistemic, bool confidence)
{
    vip_model *model = vip_model_new(VIP_RESNET22, 1, 4, VIP_SAME);
    assert_non_null(model);
    model->task = VIPANN_MULTICLASS;
    model->calibration.present = true;
    model->calibration.has_unknown[VIPANN_SCORE_EPISTEMIC] = epistemic;
    model->calibration.has_unknown[VIPANN_SCORE_CONFIDENCE] = confidence;
    return model;
}

static void
test_a_background_sets_off_no_more_than_it_may(void **state)
{
    (void)state;
    enum { N = 1000 };
    static vip_evidence evidence[N];
    for (uint32_t i = 0; i < N; i++) {
        evidence[i] = (vip_evidence){.members = 8, .epistemic = draw(20, i), .largest = draw(21, i)};
    }
    for (int kind = 1; kind < 4; kind++) {
        vip_model *model = exclusive_model((kind & 1) != 0, (kind & 2) != 0);
        vipann_error error;
        size_t found, last = 0;
        for (size_t most = 0; most <= N; most += 100) {
            assert_int_equal(vip_fit_background(model, evidence, N, most, &found, &error), VIPANN_OK);
            assert_in_range(found, last, most);
            assert_true(kind == 3 || found == most || most == N); /* one limit uses all that it may */
            last = found;
        }
        vip_model_free(model);
    }
}

static void
test_what_is_active_sets_nothing_off(void **state)
{
    (void)state;
    vip_model *model = exclusive_model(true, false);
    model->task = VIPANN_MULTILABEL;
    static const vip_evidence evidence[] = {{.members = 8, .epistemic = 0.9, .n_active = 1},
                                            {.members = 8, .epistemic = 0.5},
                                            {.members = 8, .epistemic = 0.1}};
    vipann_error error;
    size_t found;
    assert_int_equal(vip_fit_background(model, evidence, 3, 1, &found, &error), VIPANN_OK);
    assert_int_equal(found, 1);
    assert_true(model->calibration.unknown[VIPANN_SCORE_EPISTEMIC] == 0.1);
    vip_model_free(model);
}

static void
test_a_pair_of_limits_refuses_its_share_of_right_answers(void **state)
{
    (void)state;
    enum { N = 400, ANSWERS = 2, CLASS = 4 };
    static float logits[N * ANSWERS * CLASS];
    static bool right[N];
    vip_model *model = exclusive_model(false, false);
    model->posterior = VIPANN_DROPOUT;
    for (uint32_t i = 0; i < N * ANSWERS * CLASS; i++) {
        logits[i] = (float)(4 * draw(30, i));
    }
    for (uint32_t i = 0; i < N; i++) {
        right[i] = i % 4 != 0;
    }
    const vip_listened heard = {N, ANSWERS, ANSWERS, logits, NULL};
    vipann_error error;
    size_t n, refused = 0;
    assert_int_equal(vip_fit_pair(model, &heard, right, 0.2, &n, &error), VIPANN_OK);
    assert_int_equal(n, N - N / 4);
    static vip_evidence evidence[N];
    assert_true(vip_evidence_of(model, &heard, evidence));
    for (size_t i = 0; i < N; i++) {
        refused += right[i] && vip_unknown(model, &evidence[i]) == VIPANN_YES;
    }
    assert_in_range(refused, n / 10, n / 5); /* each refuses a tenth, and some of them are the same */
    vip_model_free(model);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_class_gets_the_scale_that_made_it),
        cmocka_unit_test(test_a_class_that_is_seldom_heard_has_the_scale_of_all),
        cmocka_unit_test(test_a_background_sets_off_no_more_than_it_may),
        cmocka_unit_test(test_what_is_active_sets_nothing_off),
        cmocka_unit_test(test_a_pair_of_limits_refuses_its_share_of_right_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
