/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_file.c -- see model_file.h for the contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/half.h>

#include "failing.h"
#include "model_file.h"
#include "tests/data/random_model.h"

static char folder[] = "/tmp/vipann-model-XXXXXX";
static char path[sizeof folder + 32];

int
make_model_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/tiny.safetensors", folder);
    return 0;
}

int
remove_model_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

const char *
model_path(void)
{
    return path;
}

const char *
model_folder(void)
{
    return folder;
}

int
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

void
image_append(image *to, const void *bytes, size_t n)
{
    to->bytes = realloc(to->bytes, to->n + n + 1);
    assert_non_null(to->bytes);
    memcpy(to->bytes + to->n, bytes, n);
    to->n += n;
}

image
image_load(const char *name)
{
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    image whole = {NULL, 0};
    unsigned char piece[4096];
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0) {
        image_append(&whole, piece, n);
    }
    (void)fclose(file);
    return whole;
}

vip_model *
tiny_file_model(vipann_posterior posterior)
{
    random_model_spec spec = {VIP_RESNET22, 1, 4, VIP_SAME, posterior, VIPANN_MULTILABEL, 1};
    vip_model *model = random_model(&spec);
    assert_non_null(model);
    return model;
}

image
tiny_file(vipann_posterior posterior)
{
    vip_model *model = tiny_file_model(posterior);
    assert_int_equal(vip_model_write(model, path, false, NULL), VIPANN_OK);
    vip_model_free(model);
    return image_load(path);
}

size_t
header_length(const image *file)
{
    return file->bytes[0] | (size_t)file->bytes[1] << 8 | (size_t)file->bytes[2] << 16;
}

image
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
    image_append(&copy, file->bytes, at);
    image_append(&copy, to, n_to);
    image_append(&copy, file->bytes + at + n_from, file->n - at - n_from);
    for (size_t i = 0; i < 3; i++) {
        copy.bytes[i] = (unsigned char)((length - n_from + n_to) >> (8 * i));
    }
    return copy;
}

void
expect_refusal(const image *file, vipann_status status, const char *message)
{
    vipann_error error = {VIPANN_OK, ""};
    vip_model *model = vip_model_parse("x", file->bytes, file->n, &error);
    if (model != NULL || error.status != status || strstr(error.text, message) == NULL) {
        vip_model_free(model);
        fail_msg("%d '%s', expected %d '%s'", error.status, error.text, status, message);
    }
}

size_t
tensor_place(const image *file, const char *tensor)
{
    json_t *header = json_loadb((const char *)file->bytes + 8, header_length(file), 0, NULL);
    const json_t *offsets = json_object_get(json_object_get(header, tensor), "data_offsets");
    assert_non_null(offsets);
    size_t at = 8 + header_length(file) + (size_t)json_integer_value(json_array_get(offsets, 0));
    json_decref(header);
    return at;
}

void
expect_refusals(const image *file, const broken_header *broken, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        image copy = edited(file, broken[i].from, broken[i].to);
        expect_refusal(&copy, VIPANN_E_FORMAT, broken[i].message);
        free(copy.bytes);
    }
}

void
expect_refusals_of_numbers(const image *file, const broken_number *broken, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        image copy = {NULL, 0};
        image_append(&copy, file->bytes, file->n);
        memcpy(copy.bytes + tensor_place(file, broken[i].tensor) + 3 * sizeof(float), &broken[i].number, sizeof(float));
        expect_refusal(&copy, VIPANN_E_FORMAT, broken[i].message);
        free(copy.bytes);
    }
}

/* From this object, whose calls the failing allocator sees. */
static void *
json_malloc(size_t bytes)
{
    return malloc(bytes);
}

void
let_json_fail(bool fails)
{
    json_set_alloc_funcs(fails ? json_malloc : malloc, free);
}

long
expect_memory_errors(const image *file, long dense, long step)
{
    let_json_fail(true);
    vip_model *model = NULL;
    long n = 0;
    for (; model == NULL; n += n < dense ? 1 : step) {
        vipann_error error = {VIPANN_OK, ""};
        failing_after(n);
        model = file != NULL ? vip_model_parse("x", file->bytes, file->n, &error) : vip_model_read(path, &error);
        failing_after(-1);
        if (model == NULL && error.status != VIPANN_E_MEMORY) {
            fail_msg("allocation %ld: %d %s", n, error.status, error.text);
        }
    }
    vip_model_free(model);
    let_json_fail(false);
    return n;
}

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
compare_member(const vip_model *read, const vip_model *written, uint32_t member, bool half)
{
    float *const *a = vip_model_values(read, member), *const *b = vip_model_values(written, member);
    for (int i = 0; i < read->n_tensors; i++) {
        const vip_tensor_shape *shape = &read->shapes[i];
        compare_array(a[i], b[i], vip_tensor_size(shape), half && shape->kind <= VIP_LINEAR_BIAS);
    }
}

void
compare_tensors(const vip_model *read, const vip_model *written, bool half)
{
    assert_int_equal(read->n_tensors, written->n_tensors);
    assert_int_equal(read->members, written->members);
    for (int i = 0; i < read->n_tensors; i++) {
        const vip_tensor_shape *shape = &read->shapes[i];
        assert_string_equal(shape->name, written->shapes[i].name);
        compare_array(read->rho[i], written->rho[i], vip_tensor_size(shape), half && shape->kind <= VIP_LINEAR_BIAS);
    }
    for (uint32_t m = 0; m == 0 || m < read->members; m++) {
        compare_member(read, written, m, half);
    }
}
