/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_write.c -- holds the writer of model files: what must not be written is not, and a failed write changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failing.h"
#include "model_file.h"

static void
test_a_failed_write_leaves_the_old_file_and_nothing_else(void **state)
{
    (void)state;
    image before = tiny_file(VIPANN_DROPOUT);
    vip_model *model = tiny_file_model(VIPANN_DROPOUT);
    vipann_error error = {VIPANN_OK, ""};
    model->values[0][2] = NAN;
    assert_int_equal(vip_model_write(model, model_path(), false, &error), VIPANN_E_ARG);
    assert_non_null(strstr(error.text, "the model: tensor bn0.weight: number 2 is "));
    model->values[0][2] = 1;
    char taken[64]; /* by a folder */
    (void)snprintf(taken, sizeof taken, "%s/taken", model_folder());
    assert_int_equal(mkdir(taken, 0700), 0);
    assert_int_equal(vip_model_write(model, taken, false, &error), VIPANN_E_IO);
    assert_int_equal(rmdir(taken), 0);
    assert_int_equal(vip_model_write(model, "/nowhere/x", false, &error), VIPANN_E_IO);
    assert_non_null(strstr(error.text, "cannot write: No such file or directory: /nowhere/x"));
    vip_model_free(model);
    image after = image_load(model_path());
    assert_int_equal(after.n, before.n);
    assert_memory_equal(after.bytes, before.bytes, before.n);
    assert_int_equal(files_in_folder(), 1);
    free(before.bytes);
    free(after.bytes);
}

/* Whatever the reader would refuse is refused before anything is written. */
static void
test_a_model_that_breaks_a_rule_is_not_written(void **state)
{
    (void)state;
    vipann_error error = {VIPANN_OK, ""};
    vip_model *model = tiny_file_model(VIPANN_DROPOUT);
    int variance = vip_model_tensor(model, "bn0.running_var");
    int weight = vip_model_tensor(model, "fc1.weight");

    model->frontend.n_fft = 511;
    assert_int_equal(vip_model_write(model, model_path(), false, &error), VIPANN_E_ARG);
    assert_int_equal(error.status, VIPANN_E_ARG);
    assert_string_equal(error.text, "the model: vipann.frontend: n_fft is 511, expected an even number");
    model->frontend.n_fft = 512;

    model->values[variance][63] = 0;
    assert_int_equal(vip_model_write(model, model_path(), true, &error), VIPANN_E_ARG);
    assert_string_equal(error.text, "the model: tensor bn0.running_var: variance 63 is 0, expected more than 0");
    model->values[variance][63] = 1e30f; /* no weight: stays f32 */

    model->values[weight][5] = 65520;
    assert_int_equal(vip_model_write(model, model_path(), true, &error), VIPANN_E_ARG);
    assert_string_equal(error.text, "the model: tensor fc1.weight: number 5 is 65520, which F16 cannot hold");
    assert_int_equal(vip_model_write(model, model_path(), false, &error), VIPANN_OK);
    model->values[weight][5] = 65504;
    assert_int_equal(vip_model_write(model, model_path(), true, &error), VIPANN_OK);

    model->labels[0][0] = (char)0xff;
    assert_int_equal(vip_model_write(model, model_path(), false, &error), VIPANN_E_ARG);
    assert_non_null(strstr(error.text, "a text is missing or not UTF-8"));
    vip_model_free(model);
}

/* The same model makes the same file, and its data begin where numbers of eight bytes may lie. */
static void
test_files_are_the_same_and_aligned(void **state)
{
    (void)state;
    image first = tiny_file(VIPANN_MEANFIELD), second = tiny_file(VIPANN_MEANFIELD);
    assert_int_equal(first.n, second.n);
    assert_memory_equal(first.bytes, second.bytes, first.n);
    assert_int_equal(header_length(&first) % 8, 0);
    assert_true(first.n < 300000);
    free(first.bytes);
    free(second.bytes);
}

static void
test_short_memory_leaves_the_old_file(void **state)
{
    (void)state;
    static const vipann_posterior kinds[] = {VIPANN_MEANFIELD, VIPANN_ENSEMBLE};
    let_json_fail(true);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        image before = tiny_file(VIPANN_DROPOUT);
        vip_model *model = tiny_file_model(kinds[i]);
        vipann_error error = {VIPANN_E_MEMORY, ""};
        for (long n = 0; error.status == VIPANN_E_MEMORY; n += n < 400 ? 1 : 97) {
            failing_after(n);
            vipann_status status = vip_model_write(model, model_path(), false, &error);
            failing_after(-1);
            assert_int_equal(files_in_folder(), 1);
            error.status = status;
            if (status == VIPANN_E_MEMORY) {
                image after = image_load(model_path());
                assert_int_equal(after.n, before.n);
                assert_memory_equal(after.bytes, before.bytes, before.n);
                free(after.bytes);
            }
        }
        assert_int_equal(error.status, VIPANN_OK);
        vip_model_free(model);
        free(before.bytes);
    }
    let_json_fail(false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failed_write_leaves_the_old_file_and_nothing_else),
        cmocka_unit_test(test_a_model_that_breaks_a_rule_is_not_written),
        cmocka_unit_test(test_files_are_the_same_and_aligned),
        cmocka_unit_test(test_short_memory_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, make_model_folder, remove_model_folder);
}
