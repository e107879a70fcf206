/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_model.c -- holds the reader and writer of model files: round trips, one broken file per rule, cut files, short
 * memory. The rules of the header alone are in test_safetensors.c, those of the metadata in test_metadata.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fnmatch.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/half.h>
#include <model/model.h>

#include "failing.h"
#include "tests/data/random_model.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static char folder[] = "/tmp/vipann-model-XXXXXX";
static char path[sizeof folder + 32];

/* A file in memory. */
typedef struct {
    unsigned char *bytes;
    size_t n;
} image;

static void
append(image *to, const void *bytes, size_t n)
{
    to->bytes = realloc(to->bytes, to->n + n + 1);
    assert_non_null(to->bytes);
    memcpy(to->bytes + to->n, bytes, n);
    to->n += n;
}

static image
load(const char *name)
{
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    image whole = {NULL, 0};
    unsigned char piece[4096];
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0) {
        append(&whole, piece, n);
    }
    (void)fclose(file);
    return whole;
}

static vip_model *
tiny(vipann_posterior posterior)
{
    random_model_spec spec = {VIP_RESNET22, 1, 4, VIP_SAME, posterior, VIPANN_MULTILABEL, 1};
    vip_model *model = random_model(&spec);
    assert_non_null(model);
    return model;
}

/* The file of a tiny model. */
static image
tiny_file(vipann_posterior posterior)
{
    vip_model *model = tiny(posterior);
    assert_int_equal(vip_model_write(model, path, false, NULL), VIPANN_OK);
    vip_model_free(model);
    return load(path);
}

static size_t
header_length(const image *file)
{
    return file->bytes[0] | (size_t)file->bytes[1] << 8 | (size_t)file->bytes[2] << 16;
}

/* Copies the file with the first `from` in its header replaced by `to`, and the header's length with it. */
static image
edited(const image *file, const char *from, const char *to)
{
    size_t length = header_length(file), n_from = strlen(from), n_to = strlen(to), at = 8;
    while (at + n_from <= 8 + length && memcmp(file->bytes + at, from, n_from) != 0) {
        at++;
    }
    if (at + n_from > 8 + length) {
        fail_msg("'%s' is not in the header", from);
    }
    image copy = {NULL, 0};
    append(&copy, file->bytes, at);
    append(&copy, to, n_to);
    append(&copy, file->bytes + at + n_from, file->n - at - n_from);
    for (size_t i = 0; i < 3; i++) {
        copy.bytes[i] = (unsigned char)((length - n_from + n_to) >> (8 * i));
    }
    return copy;
}

/* Whether the file is refused with that message. */
static void
expect_refusal(const image *file, vipann_status status, const char *message)
{
    vipann_error error = {VIPANN_OK, ""};
    vip_model *model = vip_model_parse("x", file->bytes, file->n, &error);
    if (model != NULL || error.status != status || strstr(error.text, message) == NULL) {
        vip_model_free(model);
        fail_msg("%d '%s', expected %d '%s'", error.status, error.text, status, message);
    }
}

/* ------------------------------------------------------------------------------------------------------- round trips */

/* Whether there are the same numbers in both, rounded in the first; NULL is like NULL. */
static void
compare_array(const float *read, const float *written, size_t n, bool rounded)
{
    assert_int_equal(read == NULL, written == NULL);
    for (size_t k = 0; read != NULL && written != NULL && k < n; k++) {
        assert_true(read[k] == (rounded ? vip_half_to_float(vip_float_to_half(written[k])) : written[k]));
    }
}

static void
compare_tensors(const vip_model *read, const vip_model *written, bool half)
{
    assert_int_equal(read->n_tensors, written->n_tensors);
    for (int i = 0; i < read->n_tensors; i++) {
        const vip_tensor_shape *shape = &read->shapes[i];
        bool rounded = half && shape->kind <= VIP_LINEAR_BIAS;
        assert_string_equal(shape->name, written->shapes[i].name);
        compare_array(read->values[i], written->values[i], vip_tensor_size(shape), rounded);
        compare_array(read->rho[i], written->rho[i], vip_tensor_size(shape), rounded);
    }
}

static void
test_what_is_written_is_read_back(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        bool half = i >= 3;
        vip_model *written = tiny((vipann_posterior)(i % 3));
        vipann_error error = {VIPANN_OK, ""};
        assert_int_equal(vip_model_write(written, path, half, &error), VIPANN_OK);
        vip_model *read = vip_model_read(path, &error);
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
    vip_model *read = vip_model_read(path, NULL);
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
    vip_model *model = tiny(VIPANN_MEANFIELD);
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

/* Each row breaks one rule by one edit of a good file: its header's first `from` becomes `to`. */
static const struct {
    vipann_posterior posterior;
    const char *from, *to, *message;
} broken[] = {
    {VIPANN_DROPOUT, "\"bn0.weight\"", "\"bn9.weight\"", "x: tensor bn0.weight is missing; resnet22 needs it"},
    {VIPANN_DROPOUT, "\"bn0.weight\":" F32("[64]", "[0,256]"),
     "\"bn0.weight\":" F32("[64]", "[0,256]") ",\"bn0.scale\":" F32("[0]", "[256,256]"),
     "x: tensor bn0.scale does not belong to resnet22"},
    {VIPANN_DROPOUT, "\"bn0.weight\":" F32("[64]", "[0,256]"),
     "\"bn0.weight\":" F32("[64]", "[0,256]") ",\"bn0.weight.mu\":" F32("[0]", "[256,256]"),
     "x: tensor bn0.weight.mu does not belong to resnet22, as vipann.posterior is not meanfield"},
    {VIPANN_DROPOUT, F32("[64]", "[0,256]"), F32("[8,8]", "[0,256]"),
     "x: tensor bn0.weight: shape [8,8], expected [64] for resnet22 of width 1 with 4 labels"},
    {VIPANN_DROPOUT, F32("[64]", "[0,256]"), "{\"dtype\":\"F16\",\"shape\":[128],\"data_offsets\":[0,256]}",
     "x: tensor bn0.weight: shape [128], expected [64]"},
    {VIPANN_DROPOUT, F32("[64]", "[0,256]"), "{\"dtype\":\"I64\",\"shape\":[32],\"data_offsets\":[0,256]}",
     "x: tensor bn0.weight: type I64, expected F32, F16 or BF16"},
    {VIPANN_DROPOUT, "\"bn0.weight\":" F32("[64]", "[0,256]"),
     "\"bn0.weight\":" F32("[64]", "[0,256]") ",\"bn0.num_batches_tracked\":" F32("[]", "[256,256]"),
     "x: tensor bn0.num_batches_tracked: shape [] of F32 needs 4 bytes"},
    {VIPANN_DROPOUT, "\"bn0.weight\":" F32("[64]", "[0,256]"),
     "\"bn0.weight\":" F32("[64]", "[0,256]") ",\"bn0.num_batches_tracked\":" F32("[0]", "[256,256]"),
     "x: tensor bn0.num_batches_tracked: type F32, expected I64"},
    {VIPANN_DROPOUT, "[\\\"class 0\\\",", "[",
     "x: vipann.calibration: offset has 4 entries, expected 3, one per label"},
    {VIPANN_DROPOUT, "\"vipann.width\":\"1\"", "\"vipann.width\":\"2\"",
     "x: tensor conv_block1.conv1.weight: shape [1,1,3,3], expected [2,1,3,3] for resnet22 of width 2"},
    {VIPANN_DROPOUT, "\"resnet22\"", "\"resnet38\"",
     "x: tensor resnet.layer1.2.conv1.weight is missing; resnet38 needs it"},
    {VIPANN_DROPOUT, "{\\\"kind\\\":\\\"dropout\\\"", "{\\\"kind\\\":\\\"meanfield\\\"",
     "x: vipann.posterior is meanfield, but no tensor is stored as NAME.mu and NAME.rho"},
    {VIPANN_MEANFIELD, "\\\"meanfield\\\"", "\\\"deterministic\\\"",
     "x: tensor conv_block1.conv1.weight is missing; resnet22 needs it"},
    {VIPANN_MEANFIELD, "\"fc1.weight.mu\"", "\"fc1.weight.nu\"", "x: tensor fc1.weight.mu is missing; fc1.weight.rho"},
    {VIPANN_MEANFIELD, "\"fc1.weight.rho\"", "\"fc1.weight.tho\"",
     "x: tensor fc1.weight.rho is missing; fc1.weight.mu"},
    {VIPANN_MEANFIELD, "\"bn0.weight\":" F32("[64]", "[0,256]"),
     "\"bn0.weight\":" F32("[64]", "[0,256]") ",\"fc1.weight\":" F32("[0]", "[256,256]"),
     "x: tensor fc1.weight is there beside fc1.weight.mu, expected one of them"},
    {VIPANN_MEANFIELD, "\"fc_audioset.bias.rho\":{\"dtype\":\"F32\",\"shape\":[4]",
     "\"fc_audioset.bias.rho\":{\"dtype\":\"F32\",\"shape\":[4,1]",
     "x: tensor fc_audioset.bias.rho: shape [4,1], expected [4]"},
    {VIPANN_DROPOUT, "\"fc_audioset.weight\":{\"dtype\":\"F32\",\"shape\":[4,32]",
     "\"fc_audioset.weight\":{\"dtype\":\"F32\",\"shape\":[2,64]",
     "x: tensor fc_audioset.weight: shape [2,64], expected [4,32] for resnet22 of width 1 with 4 labels"},
    {VIPANN_DROPOUT, "\"bn0.bias\":" F32("[64]", "[256,512]"), "\"bn0.bias\":" F32("[64]", "[252,508]"),
     "x: tensor bn0.bias: its data begins at byte 252, expected 256"},
    {VIPANN_DROPOUT, "\"bn0.bias\":", "\"bn0.weight\":", "duplicate object key"},
    {VIPANN_DROPOUT, "\"vipann.width\":\"1\"", "\"vipann.width\":\"1\",\"vipann.width\":\"1\"", "duplicate object key"},
    {VIPANN_DROPOUT, "\"__metadata__\"", "\"metadata\"", "x: tensor metadata: dtype is missing"},
};

static void
test_each_broken_rule_has_its_message(void **state)
{
    (void)state;
    image files[3] = {{NULL, 0}, tiny_file(VIPANN_DROPOUT), tiny_file(VIPANN_MEANFIELD)};
    for (size_t i = 0; i < LENGTH(broken); i++) {
        image copy = edited(&files[broken[i].posterior], broken[i].from, broken[i].to);
        expect_refusal(&copy, VIPANN_E_FORMAT, broken[i].message);
        free(copy.bytes);
    }
    free(files[1].bytes);
    free(files[2].bytes);
}

/* Where the data of a tensor begins. */
static size_t
place_of(const image *file, const char *tensor)
{
    json_t *header = json_loadb((const char *)file->bytes + 8, header_length(file), 0, NULL);
    const json_t *offsets = json_object_get(json_object_get(header, tensor), "data_offsets");
    assert_non_null(offsets);
    size_t at = 8 + header_length(file) + (size_t)json_integer_value(json_array_get(offsets, 0));
    json_decref(header);
    return at;
}

static void
test_numbers_are_finite_and_variances_positive(void **state)
{
    (void)state;
    static const struct {
        const char *tensor;
        float x;
        const char *message;
    } table[] = {
        {"conv_block1.conv1.weight.mu", INFINITY, "x: tensor conv_block1.conv1.weight.mu: number 3 is inf, expected"},
        {"fc1.weight.rho", -INFINITY, "x: tensor fc1.weight.rho: number 3 is -inf, expected finite numbers"},
        {"bn0.running_mean", NAN, "x: tensor bn0.running_mean: number 3 is "},
        {"bn0.running_var", 0, "x: tensor bn0.running_var: variance 3 is 0, expected more than 0"},
        {"bn0.running_var", -1, "x: tensor bn0.running_var: variance 3 is -1, expected more than 0"},
    };
    image file = tiny_file(VIPANN_MEANFIELD);
    for (size_t i = 0; i < LENGTH(table); i++) {
        unsigned char *at = file.bytes + place_of(&file, table[i].tensor) + 3 * sizeof(float);
        float before;
        memcpy(&before, at, sizeof before);
        memcpy(at, &table[i].x, sizeof before);
        expect_refusal(&file, VIPANN_E_FORMAT, table[i].message);
        memcpy(at, &before, sizeof before);
    }
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
    vip_model *written = tiny(VIPANN_DROPOUT);
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
    image file = tiny_file(VIPANN_MEANFIELD);
    uint32_t seed = 1;
    for (int i = 0; i < 2000; i++) {
        seed = seed * 1664525u + 1013904223u;
        size_t at = (seed >> 8) % (8 + header_length(&file));
        unsigned char before = file.bytes[at];
        file.bytes[at] = (unsigned char)(before ^ 1u << (seed >> 5 & 7));
        vipann_error error = {VIPANN_OK, ""};
        vip_model *model = vip_model_parse("x", file.bytes, file.n, &error);
        assert_true(model != NULL || (error.status != VIPANN_OK && error.text[0] != '\0'));
        vip_model_free(model);
        file.bytes[at] = before;
    }
    free(file.bytes);
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
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(file.bytes, 1, file.n, out), file.n);
    assert_int_equal(fclose(out), 0);
    free(file.bytes);
    if (truncate(path, (off_t)1 << 40) != 0) {
        print_message("skipped: the file system has no sparse files of a terabyte\n");
        skip();
    }
    vipann_error error = {VIPANN_OK, ""};
    assert_null(vip_model_read(path, &error));
    assert_int_equal(error.status, VIPANN_E_FORMAT);
    assert_non_null(strstr(error.text, "tiny.safetensors: the tensors end at byte"));
    assert_int_equal(truncate(path, 0), 0);
}

/* ----------------------------------------------------------------------------------------------------------- writing */

static int
files_in_folder(void)
{
    DIR *list = opendir(folder);
    int n = 0;
    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
        n += entry->d_name[0] != '.';
    }
    closedir(list);
    return n;
}

static void
test_a_failed_write_leaves_the_old_file_and_nothing_else(void **state)
{
    (void)state;
    image before = tiny_file(VIPANN_DROPOUT);
    vip_model *model = tiny(VIPANN_DROPOUT);
    vipann_error error = {VIPANN_OK, ""};
    model->values[0][2] = NAN;
    assert_int_equal(vip_model_write(model, path, false, &error), VIPANN_E_ARG);
    assert_non_null(strstr(error.text, "the model: tensor bn0.weight: number 2 is "));
    model->values[0][2] = 1;
    char taken[sizeof path]; /* by a folder */
    (void)snprintf(taken, sizeof taken, "%s/taken", folder);
    assert_int_equal(mkdir(taken, 0700), 0);
    assert_int_equal(vip_model_write(model, taken, false, &error), VIPANN_E_IO);
    assert_int_equal(rmdir(taken), 0);
    assert_int_equal(vip_model_write(model, "/nowhere/x", false, &error), VIPANN_E_IO);
    assert_non_null(strstr(error.text, "cannot write: No such file or directory: /nowhere/x"));
    vip_model_free(model);
    image after = load(path);
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
    vip_model *model = tiny(VIPANN_DROPOUT);
    int variance = vip_model_tensor(model, "bn0.running_var");
    int weight = vip_model_tensor(model, "fc1.weight");

    model->frontend.n_fft = 511;
    assert_int_equal(vip_model_write(model, path, false, &error), VIPANN_E_ARG);
    assert_int_equal(error.status, VIPANN_E_ARG);
    assert_string_equal(error.text, "the model: vipann.frontend: n_fft is 511, expected an even number");
    model->frontend.n_fft = 512;

    model->values[variance][63] = 0;
    assert_int_equal(vip_model_write(model, path, true, &error), VIPANN_E_ARG);
    assert_string_equal(error.text, "the model: tensor bn0.running_var: variance 63 is 0, expected more than 0");
    model->values[variance][63] = 1e30f; /* no weight: stays f32 */

    model->values[weight][5] = 65520;
    assert_int_equal(vip_model_write(model, path, true, &error), VIPANN_E_ARG);
    assert_string_equal(error.text, "the model: tensor fc1.weight: number 5 is 65520, which F16 cannot hold");
    assert_int_equal(vip_model_write(model, path, false, &error), VIPANN_OK);
    model->values[weight][5] = 65504;
    assert_int_equal(vip_model_write(model, path, true, &error), VIPANN_OK);

    model->labels[0][0] = (char)0xff;
    assert_int_equal(vip_model_write(model, path, false, &error), VIPANN_E_ARG);
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

/* ------------------------------------------------------------------------------------------------------ short memory */

/* From this object, so that the failing allocator is asked in jansson's name too. */
static void *
json_malloc(size_t bytes)
{
    return malloc(bytes);
}

static void
test_short_memory_is_said_and_leaves_nothing(void **state)
{
    (void)state;
    image file = tiny_file(VIPANN_MEANFIELD);
    json_set_alloc_funcs(json_malloc, free);
    vip_model *model = NULL;
    long n = 0;
    for (; model == NULL; n += n < 400 ? 1 : 13) {
        vipann_error error = {VIPANN_OK, ""};
        failing_after(n);
        model = vip_model_read(path, &error);
        failing_after(-1);
        if (model == NULL && error.status != VIPANN_E_MEMORY) {
            fail_msg("allocation %ld: %d %s", n, error.status, error.text);
        }
    }
    vip_model_free(model);
    assert_true(n > 400);

    for (n = 0, model = NULL; model == NULL; n++) {
        failing_after(n);
        model = vip_model_new(VIP_RESNET22, 1, 2, VIP_SAME);
        failing_after(-1);
    }
    vip_model_free(model);
    assert_true(n > 100);

    model = tiny(VIPANN_MEANFIELD);
    vipann_status status = VIPANN_E_MEMORY;
    for (n = 0; status == VIPANN_E_MEMORY; n += n < 400 ? 1 : 13) {
        failing_after(n);
        status = vip_model_write(model, path, false, NULL);
        failing_after(-1);
    }
    assert_int_equal(status, VIPANN_OK);
    assert_int_equal(files_in_folder(), 1);
    vip_model_free(model);
    json_set_alloc_funcs(malloc, free);
    free(file.bytes);
}

static int
make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/tiny.safetensors", folder);
    return 0;
}

static int
remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
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
        cmocka_unit_test(test_a_failed_write_leaves_the_old_file_and_nothing_else),
        cmocka_unit_test(test_a_model_that_breaks_a_rule_is_not_written),
        cmocka_unit_test(test_files_are_the_same_and_aligned),
        cmocka_unit_test(test_short_memory_is_said_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
