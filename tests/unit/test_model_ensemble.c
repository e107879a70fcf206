/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_model_ensemble.c -- holds files of ensembles to what is promised of all model files: each member is checked like a
 * model of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "failing.h"
#include "model_file.h"
#include "tests/data/random_model.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static vip_model *
ensemble_of(uint32_t members)
{
    random_model_spec spec = {VIP_RESNET22, 1, 4, VIP_SAME, VIPANN_ENSEMBLE, VIPANN_MULTILABEL, 1};
    vip_model *model = random_ensemble(&spec, members);
    assert_non_null(model);
    return model;
}

static void
test_any_number_of_members_is_written_and_read_back(void **state)
{
    (void)state;
    static const uint32_t members[] = {1, 2, 10, VIPANN_MAX_PASSES};
    for (size_t i = 0; i < LENGTH(members); i++) {
        vip_model *written = ensemble_of(members[i]);
        vipann_error error = {VIPANN_OK, ""};
        assert_int_equal(vip_model_write(written, model_path(), i % 2 == 1, &error), VIPANN_OK);
        vip_model *read = vip_model_read(model_path(), &error);
        assert_non_null(read);
        assert_int_equal(read->posterior, VIPANN_ENSEMBLE);
        assert_int_equal(read->members, members[i]);
        compare_tensors(read, written, i % 2 == 1);
        vip_model_free(read);
        vip_model_free(written);
    }
}

/* Member m is the model of seed 1 + m: no number of one is another's. */
static void
test_each_member_has_its_own_numbers(void **state)
{
    (void)state;
    image file = tiny_file(VIPANN_ENSEMBLE);
    vip_model *read = vip_model_parse("x", file.bytes, file.n, NULL);
    assert_non_null(read);
    for (uint32_t m = 0; m < 3; m++) {
        random_model_spec spec = {VIP_RESNET22, 1, 4, VIP_SAME, VIPANN_DETERMINISTIC, VIPANN_MULTILABEL, 1 + m};
        vip_model *alone = random_model(&spec);
        for (int i = 0; i < read->n_tensors; i++) {
            const size_t bytes = vip_tensor_size(&read->shapes[i]) * sizeof(float);
            if (alone->values[i] == NULL) {
                assert_null(vip_model_values(read, m)[i]);
            } else {
                assert_memory_equal(vip_model_values(read, m)[i], alone->values[i], bytes);
            }
        }
        vip_model_free(alone);
    }
    vip_model_free(read);
    free(file.bytes);
}

static void
test_members_are_dropped_with_the_model(void **state)
{
    (void)state;
    vip_model *model = ensemble_of(3);
    assert_ptr_equal(vip_model_values(model, 0), model->values);
    assert_ptr_equal(vip_model_values(model, 2), model->others[1]);
    vip_model_drop_tensors(model); /* the address sanitizer sees that all of it is freed */
    assert_null(model->others);
    assert_null(model->values[0]);
    assert_int_equal(model->members, 3);
    vip_model_free(model);
}

/* ------------------------------------------------------------------------------------------------------ broken files */

#define MEMBERS(n) "\\\"kind\\\":\\\"ensemble\\\",\\\"members\\\":" n
#define F32(shape) "{\"dtype\":\"F32\",\"shape\":" shape

/* Each row breaks one rule by one edit of a good file of three members. */
static const broken_header broken[] = {
    {"\"member.1.fc1.bias\"", "\"member.9.fc1.bias\"",
     "x: tensor member.1.fc1.bias is missing; vipann.posterior says that there are 3 members"},
    {"\"member.2.bn0.weight\"", "\"member.2.bn9.weight\"",
     "x: tensor member.2.bn0.weight is missing; vipann.posterior says that there are 3 members"},
    {"\"member.0.bn0.weight\"", "\"bn0.weight\"", "x: tensor member.0.bn0.weight is missing"},
    {"\"member.0.bn0.weight\"", "\"member.00.bn0.weight\"", "x: tensor member.0.bn0.weight is missing"},
    {MEMBERS("3"), MEMBERS("4"), "x: tensor member.3.bn0.weight is missing"},
    {MEMBERS("3"), MEMBERS("2"), "does not belong to resnet22; vipann.posterior says members 0 to 1"},
    {MEMBERS("3"), MEMBERS("64"), "is missing; vipann.posterior says that there are 64 members"},
    {MEMBERS("3"), MEMBERS("65"), "x: vipann.posterior: members is 65, expected 1 to 64"},
    {MEMBERS("3"), MEMBERS("0"), "x: vipann.posterior: members is 0, expected 1 to 64"},
    {",\\\"members\\\":3", "", "x: vipann.posterior: members is missing, expected a number"},
    {MEMBERS("3"), "\\\"kind\\\":\\\"deterministic\\\"", "x: tensor bn0.weight is missing; resnet22 needs it"},
    {"\"member.1.fc_audioset.weight\":" F32("[4,32]"), "\"member.1.fc_audioset.weight\":" F32("[8,16]"),
     "x: tensor member.1.fc_audioset.weight: shape [8,16], expected [4,32] for resnet22 of width 1 with 4 labels"},
    {"\"member.2.conv_block1.conv1.weight\":" F32("[1,1,3,3]"),
     "\"member.2.conv_block1.conv1.weight\":" F32("[1,1,1,9]"),
     "x: tensor member.2.conv_block1.conv1.weight: shape [1,1,1,9], expected [1,1,3,3]"},
    {"\"vipann.width\":\"1\"", "\"vipann.width\":\"2\"",
     "x: tensor member.0.conv_block1.conv1.weight: shape [1,1,3,3]"},
    {"\"member.1.bn0.bias\":", "\"member.0.bn0.bias\":", "duplicate object key"},
    {"\"member.0.bn0.bias\":",
     "\"member.0.fc1.weight.mu\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[256,256]},"
     "\"member.0.bn0.bias\":",
     "x: tensor member.0.fc1.weight.mu does not belong to resnet22, as vipann.posterior is not meanfield"},
    {"\"member.0.bn0.bias\":",
     "\"bn0.bias\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[256,256]},"
     "\"member.0.bn0.bias\":",
     "x: tensor bn0.bias does not belong to resnet22; vipann.posterior says members 0 to 2"},
};

static void
test_each_broken_rule_of_ensembles_has_its_message(void **state)
{
    (void)state;
    image file = tiny_file(VIPANN_ENSEMBLE);
    expect_refusals(&file, broken, LENGTH(broken));
    free(file.bytes);
    file = tiny_file(VIPANN_DROPOUT);
    static const broken_header foreign = {
        "\"bn0.bias\":",
        "\"member.0.bn0.bias\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[256,256]},\"bn0.bias\":",
        "x: tensor member.0.bn0.bias does not belong to resnet22, as vipann.posterior is not ensemble"};
    expect_refusals(&file, &foreign, 1);
    free(file.bytes);
}

static void
test_numbers_of_every_member_are_finite_and_variances_positive(void **state)
{
    (void)state;
    static const broken_number broken_numbers[] = {
        {"member.0.fc1.weight", NAN, "x: tensor member.0.fc1.weight: number 3 is "},
        {"member.2.bn0.running_mean", INFINITY, "x: tensor member.2.bn0.running_mean: number 3 is inf, expected"},
        {"member.1.bn0.running_var", 0, "x: tensor member.1.bn0.running_var: variance 3 is 0, expected more than 0"},
    };
    image file = tiny_file(VIPANN_ENSEMBLE);
    expect_refusals_of_numbers(&file, broken_numbers, LENGTH(broken_numbers));
    free(file.bytes);
    vip_model *model = ensemble_of(2);
    vipann_error error = {VIPANN_OK, ""};
    model->others[0][0][7] = NAN;
    assert_int_equal(vip_model_write(model, model_path(), false, &error), VIPANN_E_ARG);
    assert_non_null(strstr(error.text, "the model: tensor member.1.bn0.weight: number 7 is "));
    vip_model_free(model);
}

/* ------------------------------------------------------------------------------------------------------ short memory */

static void
test_short_memory_is_said_and_leaves_nothing_of_an_ensemble(void **state)
{
    (void)state;
    image file = tiny_file(VIPANN_ENSEMBLE);
    assert_true(expect_memory_errors(&file, 200, 41) > 1000);
    free(file.bytes);

    bool complete = false;
    long n = 0;
    for (; !complete; n++) {
        vip_model *model = vip_model_new(VIP_RESNET22, 1, 2, VIP_SAME);
        assert_non_null(model);
        failing_after(n);
        complete = vip_model_make_ensemble(model, 2);
        failing_after(-1);
        vip_model_free(model);
    }
    assert_true(n > 50);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_number_of_members_is_written_and_read_back),
        cmocka_unit_test(test_each_member_has_its_own_numbers),
        cmocka_unit_test(test_members_are_dropped_with_the_model),
        cmocka_unit_test(test_each_broken_rule_of_ensembles_has_its_message),
        cmocka_unit_test(test_numbers_of_every_member_are_finite_and_variances_positive),
        cmocka_unit_test(test_short_memory_is_said_and_leaves_nothing_of_an_ensemble),
    };
    return cmocka_run_group_tests(tests, make_model_folder, remove_model_folder);
}
