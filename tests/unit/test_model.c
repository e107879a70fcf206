/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_model.c -- holds the reader of model files: round trips, one broken file per rule, cut files, short memory. The
 * rules of the header alone are in test_safetensors.c, those of the metadata in test_metadata.c, ensembles in
 * test_model_ensemble.c, writing in test_write.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failing.h"
#include "model_file.h"
#include "numbers.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* ------------------------------------------------------------------------------------------------------- round trips */

static void
test_what_is_written_is_read_back(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        bool half = i >= 4;
        vip_model *written = tiny_file_model((vipann_posterior)(i % 4));
        vipann_error error = {VIPANN_OK, ""};
        assert_int_equal(vip_model_write(written, model_path(), half, &error), VIPANN_OK);
        vip_model *read = vip_model_read(model_path(), &error);
        if (read == NULL) {
            fail_msg("%s", error.text);
            return;
        }
        assert_string_equal(read->name, "tiny");
        assert_memory_equal(&read->network, &written->network, sizeof read->network);
        assert_int_equal(read->posterior, written->posterior);
        compare_tensors(read, written, half);
        vip_model_free(read);
        vip_model_free(written);
    }
}

/* The sum and the numbers are those of the same file read in one piece. */
static void
test_reading_and_parsing_agree(void **state)
{
    (void)state;
    image file = tiny_file(VIPANN_DROPOUT);
    vip_model *read = vip_model_read(model_path(), NULL);
    vip_model *parsed = vip_model_parse("folder/other.safetensors.safetensors", file.bytes, file.n, NULL);
    assert_non_null(read);
    assert_non_null(parsed);
    assert_string_equal(read->sha256, parsed->sha256);
    assert_int_equal(strlen(read->sha256), 64);
    assert_string_equal(parsed->name, "other.safetensors");
    compare_tensors(read, parsed, false);
    vip_model_free(read);
    vip_model_free(parsed);
    free(file.bytes);
}

static void
test_tensors_are_found_and_dropped(void **state)
{
    (void)state;
    vip_model *model = tiny_file_model(VIPANN_MEANFIELD);
    int head = vip_model_tensor(model, "fc_audioset.weight");
    assert_true(head >= 0);
    assert_int_equal(model->shapes[head].shape[0], 4);
    assert_non_null(model->values[head]);
    assert_non_null(model->rho[head]);
    assert_null(model->values[vip_model_tensor(model, "bn0.num_batches_tracked")]);
    assert_int_equal(vip_model_tensor(model, "fc_audioset"), -1);
    vip_model_drop_tensors(model);
    assert_null(model->values[head]);
    assert_null(model->rho[head]);
    vip_model_free(model);
    vip_model_free(NULL);
}

/* Models of others: all that lie in the shared folder, if there is one. */
static void
read_folder(const char *shared, const char *below, const char *pattern, int *n)
{
    char name[512];
    (void)snprintf(name, sizeof name, "%s/%s", shared, below);
    DIR *list = opendir(name);
    for (struct dirent *entry; list != NULL && (entry = readdir(list)) != NULL;) {
        if (fnmatch(pattern, entry->d_name, 0) == 0) {
            vipann_error error = {VIPANN_OK, ""};
            (void)snprintf(name, sizeof name, "%.200s/%.40s/%.200s", shared, below, entry->d_name);
            vip_model *model = vip_model_read(name, &error);
            if (model == NULL) {
                fail_msg("%s", error.text);
            }
            vip_model_free(model);
            ++*n;
        }
    }
    if (list != NULL) {
        closedir(list);
    }
}

static void
test_models_of_others_are_read(void **state)
{
    (void)state;
    const char *shared = getenv("VIPANN_SHARED") != NULL ? getenv("VIPANN_SHARED") : "../shared";
    int n = 0;
    read_folder(shared, "reference/vectors", "weights_*.safetensors", &n);
    read_folder(shared, "bootstrap", "*.safetensors", &n);
    if (n == 0) {
        print_message("skipped: no models in %s; VIPANN_SHARED names another folder\n", shared);
        skip();
    }
}

/* ------------------------------------------------------------------------------------------------------ broken files */

#define F32(shape, offsets) "{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

/* Each row breaks one rule by one edit of a good file, of dropout or of mean-field. */
static const broken_header broken_dropout[] = {
    {"\"bn0.weight\"", "\"bn9.weight\"", "x: tensor bn0.weight is missing; resnet22 needs it"},
    {"\"bn0.weight\":" F32("[64]", "[0,256]"),
     "\"bn0.weight\":" F32("[64]", "[0,256]") ",\"bn0.scale\":" F32("[0]", "[256,256]"),
     "x: tensor bn0.scale does not belong to resnet22"},
    {"\"bn0.weight\":" F32("[64]", "[0,256]"),
     "\"bn0.weight\":" F32("[64]", "[0,256]") ",\"bn0.weight.mu\":" F32("[0]", "[256,256]"),
     "x: tensor bn0.weight.mu does not belong to resnet22, as vipann.posterior is not meanfield"},
    {F32("[64]", "[0,256]"), F32("[8,8]", "[0,256]"),
     "x: tensor bn0.weight: shape [8,8], expected [64] for resnet22 of width 1 with 4 labels"},
    {F32("[64]", "[0,256]"), "{\"dtype\":\"F16\",\"shape\":[128],\"data_offsets\":[0,256]}",
     "x: tensor bn0.weight: shape [128], expected [64]"},
    {F32("[64]", "[0,256]"), "{\"dtype\":\"I64\",\"shape\":[32],\"data_offsets\":[0,256]}",
     "x: tensor bn0.weight: type I64, expected F32, F16 or BF16"},
    {"\"bn0.weight\":" F32("[64]", "[0,256]"),
     "\"bn0.weight\":" F32("[64]", "[0,256]") ",\"bn0.num_batches_tracked\":" F32("[]", "[256,256]"),
     "x: tensor bn0.num_batches_tracked: shape [] of F32 needs 4 bytes"},
    {"\"bn0.weight\":" F32("[64]", "[0,256]"),
     "\"bn0.weight\":" F32("[64]", "[0,256]") ",\"bn0.num_batches_tracked\":" F32("[0]", "[256,256]"),
     "x: tensor bn0.num_batches_tracked: type F32, expected I64"},
    {"[\\\"class 0\\\",", "[", "x: vipann.calibration: offset has 4 entries, expected 3, one per label"},
    {"\"vipann.width\":\"1\"", "\"vipann.width\":\"2\"",
     "x: tensor conv_block1.conv1.weight: shape [1,1,3,3], expected [2,1,3,3] for resnet22 of width 2"},
    {"\"resnet22\"", "\"resnet38\"", "x: tensor resnet.layer1.2.conv1.weight is missing; resnet38 needs it"},
    {"{\\\"kind\\\":\\\"dropout\\\"", "{\\\"kind\\\":\\\"meanfield\\\"",
     "x: vipann.posterior is meanfield, but no tensor is stored as NAME.mu and NAME.rho"},
    {"\"fc_audioset.weight\":{\"dtype\":\"F32\",\"shape\":[4,32]",
     "\"fc_audioset.weight\":{\"dtype\":\"F32\",\"shape\":[2,64]",
     "x: tensor fc_audioset.weight: shape [2,64], expected [4,32] for resnet22 of width 1 with 4 labels"},
    {"\"bn0.bias\":" F32("[64]", "[256,512]"), "\"bn0.bias\":" F32("[64]", "[252,508]"),
     "x: tensor bn0.bias: its data begins at byte 252, expected 256"},
    {"\"bn0.bias\":", "\"bn0.weight\":", "duplicate object key"},
    {"\"vipann.width\":\"1\"", "\"vipann.width\":\"1\",\"vipann.width\":\"1\"", "duplicate object key"},
    {"\"__metadata__\"", "\"metadata\"", "x: tensor metadata: dtype is missing"},
};

static const broken_header broken_meanfield[] = {
    {"\\\"meanfield\\\"", "\\\"deterministic\\\"", "x: tensor conv_block1.conv1.weight is missing; resnet22 needs it"},
    {"\"fc1.weight.mu\"", "\"fc1.weight.nu\"", "x: tensor fc1.weight.mu is missing; fc1.weight.rho"},
    {"\"fc1.weight.rho\"", "\"fc1.weight.tho\"", "x: tensor fc1.weight.rho is missing; fc1.weight.mu"},
    {"\"bn0.weight\":" F32("[64]", "[0,256]"),
     "\"bn0.weight\":" F32("[64]", "[0,256]") ",\"fc1.weight\":" F32("[0]", "[256,256]"),
     "x: tensor fc1.weight is there beside fc1.weight.mu, expected one of them"},
    {"\"fc_audioset.bias.rho\":{\"dtype\":\"F32\",\"shape\":[4]",
     "\"fc_audioset.bias.rho\":{\"dtype\":\"F32\",\"shape\":[4,1]",
     "x: tensor fc_audioset.bias.rho: shape [4,1], expected [4]"},
};

static void
test_each_broken_rule_has_its_message(void **state)
{
    (void)state;
    image dropout = tiny_file(VIPANN_DROPOUT), meanfield = tiny_file(VIPANN_MEANFIELD);
    expect_refusals(&dropout, broken_dropout, LENGTH(broken_dropout));
    expect_refusals(&meanfield, broken_meanfield, LENGTH(broken_meanfield));
    free(dropout.bytes);
    free(meanfield.bytes);
}

static void
test_numbers_are_finite_and_variances_positive(void **state)
{
    (void)state;
    static const broken_number broken_numbers[] = {
        {"conv_block1.conv1.weight.mu", INFINITY, "x: tensor conv_block1.conv1.weight.mu: number 3 is inf, expected"},
        {"fc1.weight.rho", -INFINITY, "x: tensor fc1.weight.rho: number 3 is -inf, expected finite numbers"},
        {"bn0.running_mean", NAN, "x: tensor bn0.running_mean: number 3 is "},
        {"bn0.running_var", 0, "x: tensor bn0.running_var: variance 3 is 0, expected more than 0"},
        {"bn0.running_var", -1, "x: tensor bn0.running_var: variance 3 is -1, expected more than 0"},
    };
    image file = tiny_file(VIPANN_MEANFIELD);
    expect_refusals_of_numbers(&file, broken_numbers, LENGTH(broken_numbers));
    vip_model *model = vip_model_parse("x", file.bytes, file.n, NULL);
    assert_non_null(model);
    vip_model_free(model);
    free(file.bytes);
}

/* bfloat16 and counts come from other programs: here in the place of the first tensor, 128 bytes of either. */
static void
test_other_types_are_read(void **state)
{
    (void)state;
    char to[4096] = "\"bn0.weight\":{\"dtype\":\"BF16\",\"shape\":[64],\"data_offsets\":[0,128]}";
    vip_model *written = tiny_file_model(VIPANN_DROPOUT);
    size_t used = strlen(to), at = 128;
    for (int i = 0; at < 256; i++) {
        if (written->shapes[i].kind == VIP_BN_COUNT) {
            used += (size_t)snprintf(to + used, sizeof to - used,
                                     ",\"%s\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[%zu,%zu]}",
                                     written->shapes[i].name, at, at + 8);
            at += 8;
        }
    }
    image file = tiny_file(VIPANN_DROPOUT), copy = edited(&file, "\"bn0.weight\":" F32("[64]", "[0,256]"), to);
    for (size_t i = 0; i < 64; i++) { /* -1.5 */
        copy.bytes[8 + header_length(&copy) + 2 * i] = 0xc0;
        copy.bytes[8 + header_length(&copy) + 2 * i + 1] = 0xbf;
    }
    vip_model *read = vip_model_parse("x", copy.bytes, copy.n, NULL);
    assert_non_null(read);
    for (size_t i = 0; i < 64; i++) {
        assert_true(read->values[0][i] == -1.5f);
        written->values[0][i] = -1.5f;
    }
    compare_tensors(read, written, false);
    vip_model_free(read);
    vip_model_free(written);
    free(copy.bytes);
    free(file.bytes);
}

/* Every length up to the data and at the end, and every 97th between: there only the data's end differs. */
static void
test_a_cut_file_is_refused_whatever_its_length(void **state)
{
    (void)state;
    image file = tiny_file(VIPANN_DROPOUT);
    size_t data = 8 + header_length(&file);
    expect_refusal(&(image){file.bytes, 0}, VIPANN_E_FORMAT, "x: a file of 0 bytes, expected at least 8");
    for (size_t n = 1; n < file.n; n += n < data + 8 || n + 100 > file.n ? 1 : 97) {
        unsigned char *cut = malloc(n); /* of its own, so that the sanitizer sees a step too far */
        assert_non_null(cut);
        memcpy(cut, file.bytes, n);
        image copy = {cut, n};
        expect_refusal(&copy, VIPANN_E_FORMAT,
                       n < 8      ? "this is not a model file"
                       : n < data ? "the file is cut off, copy it again"
                                  : "if the file is cut off, copy it again");
        free(cut);
    }
    free(file.bytes);
}

static void
test_bytes_behind_the_data_are_refused(void **state)
{
    (void)state;
    image file = tiny_file(VIPANN_DROPOUT);
    file.bytes = realloc(file.bytes, file.n + 4);
    memset(file.bytes + file.n, 0, 4);
    file.n += 4;
    expect_refusal(&file, VIPANN_E_FORMAT, "x: the tensors end at byte");
    free(file.bytes);
}

/* Random damage to the header may change what a file says, but never more than a refusal. */
static void
test_damaged_headers_do_no_harm(void **state)
{
    (void)state;
    image files[] = {tiny_file(VIPANN_MEANFIELD), tiny_file(VIPANN_ENSEMBLE)};
    uint32_t seed = 1;
    for (int i = 0; i < 3000; i++) {
        const image file = files[i % 2];
        size_t at = next_random(&seed) % (8 + header_length(&file));
        unsigned char before = file.bytes[at];
        file.bytes[at] = (unsigned char)(before ^ 1u << (next_random(&seed) >> 21));
        vipann_error error = {VIPANN_OK, ""};
        vip_model *model = vip_model_parse("x", file.bytes, file.n, &error);
        assert_true(model != NULL || (error.status != VIPANN_OK && error.text[0] != '\0'));
        vip_model_free(model);
        file.bytes[at] = before;
    }
    free(files[0].bytes);
    free(files[1].bytes);
}

static void
test_what_is_no_file_is_an_io_error(void **state)
{
    (void)state;
    static const struct {
        const char *path, *message;
    } table[] = {
        {"/nowhere/x.safetensors", "/nowhere/x.safetensors: cannot be opened: No such file or directory"},
        {"/", "/: is not a regular file; name a model file"},
        {"/dev/zero", "/dev/zero: is not a regular file"},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        vipann_error error = {VIPANN_OK, ""};
        assert_null(vip_model_read(table[i].path, &error));
        assert_int_equal(error.status, VIPANN_E_IO);
        assert_non_null(strstr(error.text, table[i].message));
    }
}

/* A message has room for its reason, however long the name of the file is. */
static void
test_a_long_name_leaves_room_for_the_reason(void **state)
{
    (void)state;
    image file = tiny_file(VIPANN_DROPOUT);
    char name[300];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    vipann_error error = {VIPANN_OK, ""};
    assert_null(vip_model_parse(name, file.bytes, file.n - 1, &error));
    assert_non_null(strstr(error.text, "copy it again"));
    assert_null(vip_model_read(name, &error));
    assert_non_null(strstr(error.text, "cannot be opened: "));
    free(file.bytes);
}

/* A good model with a terabyte of nothing behind it is refused before its data is read. */
static void
test_a_file_costs_no_more_memory_than_its_header_says(void **state)
{
    (void)state;
    image file = tiny_file(VIPANN_DROPOUT);
    FILE *out = fopen(model_path(), "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(file.bytes, 1, file.n, out), file.n);
    assert_int_equal(fclose(out), 0);
    free(file.bytes);
    if (truncate(model_path(), (off_t)1 << 40) != 0) {
        print_message("skipped: the file system has no sparse files of a terabyte\n");
        skip();
    }
    vipann_error error = {VIPANN_OK, ""};
    assert_null(vip_model_read(model_path(), &error));
    assert_int_equal(error.status, VIPANN_E_FORMAT);
    assert_non_null(strstr(error.text, "tiny.safetensors: the tensors end at byte"));
    assert_int_equal(truncate(model_path(), 0), 0);
}

/* ------------------------------------------------------------------------------------------------------ short memory */

static void
test_short_memory_is_said_and_leaves_nothing(void **state)
{
    (void)state;
    image file = tiny_file(VIPANN_MEANFIELD); /* left where it is read */
    assert_true(expect_memory_errors(NULL, 400, 13) > 400);
    free(file.bytes);

    vip_model *model = NULL;
    long n = 0;
    for (; model == NULL; n++) {
        failing_after(n);
        model = vip_model_new(VIP_RESNET22, 1, 2, VIP_SAME);
        failing_after(-1);
    }
    vip_model_free(model);
    assert_true(n > 100);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read_back),
        cmocka_unit_test(test_reading_and_parsing_agree),
        cmocka_unit_test(test_tensors_are_found_and_dropped),
        cmocka_unit_test(test_models_of_others_are_read),
        cmocka_unit_test(test_each_broken_rule_has_its_message),
        cmocka_unit_test(test_numbers_are_finite_and_variances_positive),
        cmocka_unit_test(test_other_types_are_read),
        cmocka_unit_test(test_a_cut_file_is_refused_whatever_its_length),
        cmocka_unit_test(test_bytes_behind_the_data_are_refused),
        cmocka_unit_test(test_damaged_headers_do_no_harm),
        cmocka_unit_test(test_what_is_no_file_is_an_io_error),
        cmocka_unit_test(test_a_long_name_leaves_room_for_the_reason),
        cmocka_unit_test(test_a_file_costs_no_more_memory_than_its_header_says),
        cmocka_unit_test(test_short_memory_is_said_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, make_model_folder, remove_model_folder);
}
