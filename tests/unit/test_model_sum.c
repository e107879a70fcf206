/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_model_sum.c -- model files with a sum of parts that tells what is unknown: written, read, dropped, broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <base/half.h>

#include "failing.h"
#include "model_file.h"
#include "tests/data/random_model.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { PROTOTYPES = 3, FEATURES = 32 };

static vip_model *
model_with_sum(vipann_posterior posterior, uint32_t prototypes)
{
    vip_model *model = tiny_file_model(posterior);
    assert_true(random_model_sum(model, prototypes, 9));
    return model;
}

static image
file_with_sum(vipann_posterior posterior)
{
    vip_model *model = model_with_sum(posterior, PROTOTYPES);
    assert_int_equal(vip_model_write(model, model_path(), false, NULL), VIPANN_OK);
    vip_model_free(model);
    return image_load(model_path());
}

static void
compare_sums(const vip_model *read, const vip_model *written, bool half)
{
    const vip_sum *a = &read->calibration.sum, *b = &written->calibration.sum;
    assert_memory_equal(a->has, b->has, sizeof a->has);
    assert_memory_equal(a->mean, b->mean, sizeof a->mean);
    assert_memory_equal(a->std, b->std, sizeof a->std);
    assert_true(read->calibration.unknown[VIPANN_SCORE_SUM] == written->calibration.unknown[VIPANN_SCORE_SUM]);
    assert_int_equal(a->n_prototypes, b->n_prototypes);
    assert_memory_equal(a->centre, b->centre, FEATURES * sizeof *a->centre);
    for (size_t i = 0; i < (size_t)a->n_prototypes * FEATURES; i++) {
        const float x = b->prototypes[i];
        assert_true(a->prototypes[i] == (half ? vip_half_to_float(vip_float_to_half(x)) : x));
    }
}

/* Of every kind of posterior, with few prototypes and with the most there may be; in an ensemble they belong to all. */
static void
test_a_sum_with_its_prototypes_is_read_back(void **state)
{
    (void)state;
    for (int i = 0; i < 16; i++) {
        const bool half = i % 8 >= 4;
        vip_model *written = model_with_sum((vipann_posterior)(i % 4), i < 8 ? PROTOTYPES : VIP_MAX_PROTOTYPES);
        vipann_error error = {VIPANN_OK, ""};
        if (vip_model_write(written, model_path(), half, &error) != VIPANN_OK) {
            fail_msg("%s", error.text);
        }
        vip_model *read = vip_model_read(model_path(), &error);
        if (read == NULL) {
            fail_msg("%s", error.text);
            return;
        }
        compare_tensors(read, written, half);
        compare_sums(read, written, half);
        vip_model_free(read);
        vip_model_free(written);
    }
}

/* Without a distance there are no tensors, and without a sum no trace of it, even if the numbers are still there. */
static void
test_without_a_distance_no_prototypes_are_written(void **state)
{
    (void)state;
    vip_model *model = model_with_sum(VIPANN_DROPOUT, PROTOTYPES);
    model->calibration.sum.has[VIPANN_PART_DISTANCE] = false;
    assert_int_equal(vip_model_write(model, model_path(), false, NULL), VIPANN_OK);
    vip_model *read = vip_model_read(model_path(), NULL);
    assert_non_null(read);
    assert_true(read->calibration.sum.has[VIPANN_PART_ENERGY] && !read->calibration.sum.has[VIPANN_PART_DISTANCE]);
    assert_true(read->calibration.sum.n_prototypes == 0 && read->calibration.sum.prototypes == NULL);
    vip_model_free(read);
    model->calibration.has_unknown[VIPANN_SCORE_SUM] = false;
    model->calibration.sum.has[VIPANN_PART_DISTANCE] = true;
    assert_int_equal(vip_model_write(model, model_path(), false, NULL), VIPANN_OK);
    image with = image_load(model_path());
    vip_model_free(model);
    image without = tiny_file(VIPANN_DROPOUT);
    assert_int_equal(with.n, without.n);
    assert_memory_equal(with.bytes, without.bytes, with.n);
    free(with.bytes);
    free(without.bytes);
}

/* The engine needs them for as long as it hears. */
static void
test_prototypes_outlive_the_other_tensors(void **state)
{
    (void)state;
    vip_model *model = model_with_sum(VIPANN_ENSEMBLE, PROTOTYPES);
    vip_model_drop_tensors(model);
    assert_int_equal(model->calibration.sum.n_prototypes, PROTOTYPES);
    assert_non_null(model->calibration.sum.centre);
    assert_true(model->calibration.sum.prototypes[0] != 0);
    assert_true(vip_model_make_prototypes(model, 1)); /* in place of what there was */
    assert_true(model->calibration.sum.n_prototypes == 1 && model->calibration.sum.prototypes[0] == 0);
    vip_model_free(model);
}

static const broken_header broken[] = {
    {"\"unknown.mean\"", "\"unknown.median\"",
     "x: tensor unknown.mean is missing; the score of vipann.calibration has a part distance, which needs it"},
    {"\"unknown.prototypes\"", "\"unknown.types\"",
     "x: tensor unknown.prototypes is missing; the score of vipann.calibration has a part distance, which needs it"},
    {"\\\"distance\\\"", "\\\"distances\\\"", "x: vipann.calibration: score: a part is 'distances', expected"},
    {"\\\"score\\\"", "\\\"scored\\\"",
     "x: tensor unknown.mean does not belong to resnet22, as vipann.calibration has no score with a distance"},
    {"\"unknown.mean\":{\"dtype\":\"F32\",\"shape\":[32]", "\"unknown.mean\":{\"dtype\":\"F32\",\"shape\":[2,16]",
     "x: tensor unknown.mean: shape [2,16], expected [32] for resnet22 of width 1"},
    {"\"unknown.prototypes\":{\"dtype\":\"F32\",\"shape\":[3,32]",
     "\"unknown.prototypes\":{\"dtype\":\"F32\",\"shape\":[96]",
     "x: tensor unknown.prototypes: shape [96], expected [0,32]"},
    {"\"unknown.prototypes\":{\"dtype\":\"F32\",\"shape\":[3,32]",
     "\"unknown.prototypes\":{\"dtype\":\"F32\",\"shape\":[6,16]",
     "x: tensor unknown.prototypes: shape [6,16], expected [6,32]"},
    {"\"unknown.prototypes\":{\"dtype\":\"F32\",\"shape\":[3,32]",
     "\"unknown.prototypes\":{\"dtype\":\"I64\",\"shape\":[3,16]",
     "x: tensor unknown.prototypes: type I64, expected F32, F16 or BF16"},
};

static void
test_each_broken_rule_of_sums_has_its_message(void **state)
{
    (void)state;
    static const broken_number numbers[] = {
        {"unknown.mean", NAN, "x: tensor unknown.mean: number 3 is "},
        {"unknown.prototypes", -INFINITY, "x: tensor unknown.prototypes: number 3 is -inf, expected finite numbers"},
    };
    image file = file_with_sum(VIPANN_DROPOUT);
    expect_refusals(&file, broken, LENGTH(broken));
    expect_refusals_of_numbers(&file, numbers, LENGTH(numbers));
    free(file.bytes);
}

/* Counts that no file here has: the writer asks the reader before it touches the disk. */
static void
test_how_many_prototypes_there_may_be(void **state)
{
    (void)state;
    vip_model *model = model_with_sum(VIPANN_DETERMINISTIC, VIP_MAX_PROTOTYPES + 1);
    vipann_error error = {VIPANN_OK, ""};
    assert_int_equal(vip_model_write(model, model_path(), false, &error), VIPANN_E_ARG);
    assert_string_equal(error.text, "the model: tensor unknown.prototypes: 1025 prototypes, expected 1 to 1024");
    model->calibration.sum.n_prototypes = 0;
    assert_int_equal(vip_model_write(model, model_path(), false, &error), VIPANN_E_ARG);
    assert_non_null(strstr(error.text, "the model: tensor unknown.mean is missing"));
    model->calibration.sum.n_prototypes = 1;
    model->calibration.sum.prototypes[7] = 70000;
    assert_int_equal(vip_model_write(model, model_path(), true, &error), VIPANN_E_ARG);
    assert_string_equal(error.text, "the model: tensor unknown.prototypes: number 7 is 70000, which F16 cannot hold");
    model->calibration.unknown[VIPANN_SCORE_SUM] = NAN;
    assert_int_equal(vip_model_write(model, model_path(), false, &error), VIPANN_E_ARG);
    vip_model_free(model);
}

static void
test_short_memory_is_said_and_leaves_nothing_of_a_sum(void **state)
{
    (void)state;
    image file = file_with_sum(VIPANN_DROPOUT);
    assert_true(expect_memory_errors(&file, 300, 7) > 300);
    free(file.bytes);
    vip_model *model = tiny_file_model(VIPANN_DROPOUT);
    bool made = false;
    long n = 0;
    for (; !made; n++) {
        failing_after(n);
        made = vip_model_make_prototypes(model, 2);
        failing_after(-1);
        assert_true(made == (model->calibration.sum.n_prototypes == 2));
        assert_true(made == (model->calibration.sum.centre != NULL));
    }
    assert_int_equal(n, 3);
    vip_model_free(model);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sum_with_its_prototypes_is_read_back),
        cmocka_unit_test(test_without_a_distance_no_prototypes_are_written),
        cmocka_unit_test(test_prototypes_outlive_the_other_tensors),
        cmocka_unit_test(test_each_broken_rule_of_sums_has_its_message),
        cmocka_unit_test(test_how_many_prototypes_there_may_be),
        cmocka_unit_test(test_short_memory_is_said_and_leaves_nothing_of_a_sum),
    };
    return cmocka_run_group_tests(tests, make_model_folder, remove_model_folder);
}
