/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_safetensors.c -- holds the container: one broken header per rule, with the message beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <model/json.h>
#include <model/safetensors.h>

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { DATA = 16 }; /* bytes behind every header of this file */

static vipann_status
open_text(vip_container *container, const char *header, vipann_error *error)
{
    return vip_container_open(container, "x", header, strlen(header), DATA, error);
}

/* Two tensors, in an order of their own. */
#define GOOD(metadata)                                                                                                 \
    "{" metadata "\"b\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[8,16]},"                                  \
    "\"a\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[0,8]}}  "

static void
test_tensors_are_found_by_name(void **state)
{
    (void)state;
    vip_container container;
    assert_int_equal(open_text(&container, GOOD("\"__metadata__\":{\"k\":\"v\"},"), NULL), VIPANN_OK);
    assert_int_equal(container.n, 2);
    assert_non_null(container.metadata);
    const vip_stored *a = vip_container_find(&container, "a"), *b = vip_container_find(&container, "b");
    assert_non_null(a);
    assert_non_null(b);
    assert_true(a->dtype == VIP_F16 && a->rank == 1 && a->shape[0] == 4 && a->begin == 0 && a->end == 8);
    assert_true(b->dtype == VIP_F32 && b->rank == 2 && b->shape[0] == 2 && b->shape[1] == 1 && b->begin == 8);
    assert_null(vip_container_find(&container, "c"));
    assert_null(vip_container_find(&container, "__metadata__"));
    vip_container_close(&container);
}

static void
test_metadata_need_not_be_there(void **state)
{
    (void)state;
    vip_container container;
    assert_int_equal(open_text(&container, GOOD(""), NULL), VIPANN_OK);
    assert_null(container.metadata);
    vip_container_close(&container);
}

static void
test_scalars_and_empty_tensors_have_a_place(void **state)
{
    (void)state;
    vip_container container;
    assert_int_equal(open_text(&container,
                               "{\"n\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[8,16]},"
                               "\"e\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807,0,9],\"data_offsets\":[8,8]},"
                               "\"m\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[0,8]}}",
                               NULL),
                     VIPANN_OK);
    assert_int_equal(container.n, 3);
    vip_container_close(&container);
}

#define ONE(entry)                    "{\"t\":" entry "}"
#define TENSOR(dtype, shape, offsets) "{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define PAIR(first, second)           "{\"t\":" TENSOR("\"F32\"", "[2]", first) ",\"u\":" TENSOR("\"F32\"", "[2]", second) "}"

/* Each row breaks one rule. */
static const struct {
    const char *header, *message;
} broken[] = {
    {"", "x: header: not valid JSON"},
    {"[]", "x: header is an array, expected an object"},
    {"{\"t\":", "x: header: not valid JSON"},
    {"{} {}", "x: header: not valid JSON"},
    {"{\"t\":{},\"t\":{}}", "duplicate object key"},
    {"{\"\xff\":{}}", "x: header: not valid JSON"},
    {"{\"a\\u0000b\":{}}", "x: header: not valid JSON"},
    {"{\"__metadata__\":[]}", "x: __metadata__ is an array, expected an object"},
    {"{\"__metadata__\":{\"k\":1}}", "x: metadata key k is a number, expected a string"},
    {ONE("[]"), "x: tensor t: entry is an array, expected an object"},
    {ONE("{\"shape\":[4],\"data_offsets\":[0,16]}"), "x: tensor t: dtype is missing, expected a string"},
    {ONE(TENSOR("1", "[4]", "[0,16]")), "x: tensor t: dtype is a number, expected a string"},
    {ONE(TENSOR("\"F64\"", "[2]", "[0,16]")), "x: tensor t: type F64, expected F32, F16 or BF16"},
    {ONE(TENSOR("\"f32\"", "[4]", "[0,16]")), "x: tensor t: type f32, expected F32, F16 or BF16"},
    {ONE("{\"dtype\":\"F32\",\"data_offsets\":[0,16]}"), "x: tensor t: shape is not an array"},
    {ONE(TENSOR("\"F32\"", "[1,1,1,1,4]", "[0,16]")), "x: tensor t: shape is not an array of 0 to 4"},
    {ONE(TENSOR("\"F32\"", "[-4]", "[0,16]")), "x: tensor t: shape is not an array of 0 to 4 whole numbers"},
    {ONE(TENSOR("\"F32\"", "[4.0]", "[0,16]")), "x: tensor t: shape is not an array of 0 to 4 whole numbers"},
    {ONE(TENSOR("\"F32\"", "[99999999999999999999]", "[0,16]")), "too big integer"},
    {ONE("{\"dtype\":\"F32\",\"shape\":[4]}"), "x: tensor t: data_offsets is not an array of two"},
    {ONE(TENSOR("\"F32\"", "[4]", "[0]")), "x: tensor t: data_offsets is not an array of two"},
    {ONE(TENSOR("\"F32\"", "[4]", "[0,8,16]")), "x: tensor t: data_offsets is not an array of two"},
    {ONE(TENSOR("\"F32\"", "[4]", "[16,0]")), "x: tensor t: bytes 16 to 0 do not lie in the data of 16"},
    {ONE(TENSOR("\"F32\"", "[5]", "[0,20]")), "x: tensor t: bytes 0 to 20 do not lie in the data of 16"},
    {ONE(TENSOR("\"F32\"", "[3]", "[0,16]")),
     "x: tensor t: shape [3] of F32 needs 12 bytes, its data_offsets give it 16"},
    {ONE(TENSOR("\"F16\"", "[4]", "[0,16]")), "x: tensor t: shape [4] of F16 needs 8 bytes"},
    /* Products that wrap: to 0, and to just the right number of bytes. */
    {ONE(TENSOR("\"F32\"", "[4294967296,4294967296]", "[0,0]")),
     "x: tensor t: shape [4294967296,4294967296] is larger"},
    {ONE(TENSOR("\"F32\"", "[4611686018427387908]", "[0,16]")), "x: tensor t: shape [4611686018427387908] is larger"},
    {PAIR("[0,8]", "[4,12]"), "x: tensor u: its data begins at byte 4, expected 8"},
    {PAIR("[4,12]", "[8,16]"), "x: tensor t: its data begins at byte 4, expected 0"},
    {PAIR("[0,8]", "[0,8]"), "its data begins at byte 0, expected 8"},
    {ONE(TENSOR("\"F32\"", "[2]", "[0,8]")), "x: the tensors end at byte 8 of the data, the file at 16"},
    {"{}", "x: the tensors end at byte 0 of the data, the file at 16"},
};

static void
test_each_broken_rule_has_its_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(broken); i++) {
        vip_container container;
        vipann_error error = {VIPANN_OK, ""};
        assert_int_equal(open_text(&container, broken[i].header, &error), VIPANN_E_FORMAT);
        assert_int_equal(error.status, VIPANN_E_FORMAT);
        if (strstr(error.text, broken[i].message) == NULL) {
            fail_msg("header %zu: '%s' does not say '%s'", i, error.text, broken[i].message);
        }
        vip_container_close(&container);
        assert_int_equal(open_text(&container, broken[i].header, NULL), VIPANN_E_FORMAT);
        vip_container_close(&container);
    }
}

static void
test_brackets_may_not_be_deep(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    for (int depth = VIP_JSON_DEPTH; depth <= MANY; depth += MANY - VIP_JSON_DEPTH) {
        char *text = calloc(1, 2 * MANY + 1);
        assert_non_null(text);
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        vipann_error error = {VIPANN_OK, ""};
        vip_container container;
        assert_int_equal(open_text(&container, text, &error), VIPANN_E_FORMAT);
        assert_int_equal(strstr(error.text, "brackets inside brackets") != NULL, depth > VIP_JSON_DEPTH);
        vip_container_close(&container);
        free(text);
    }
}

/* Brackets in a string are no brackets, a quoted quote does not end it. */
static void
test_brackets_in_names_are_not_counted(void **state)
{
    (void)state;
    vip_container container;
    assert_int_equal(open_text(&container,
                               "{\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[{{{{{{{{\":{\"dtype\":\"F32\",\"shape\":[4],"
                               "\"data_offsets\":[0,16]}}",
                               NULL),
                     VIPANN_OK);
    vip_container_close(&container);
}

static void
test_length_of_the_header_fits_the_file(void **state)
{
    (void)state;
    static const struct {
        unsigned char first[VIP_LENGTH_BYTES];
        uint64_t file_bytes;
        const char *message; /* NULL: fine */
    } table[] = {
        {{2}, 10, NULL},
        {{0, 1}, 264, NULL},
        {{3}, 10, "x: header of 3 bytes in a file of 10: the file is cut off"},
        {{0, 0, 0, 1}, (uint64_t)1 << 40, NULL},
        {{1, 0, 0, 1}, (uint64_t)1 << 40, "x: header of 16777217 bytes, at most 16777216 are allowed"},
        {{255, 255, 255, 255, 255, 255, 255, 255}, 10, "x: header of 18446744073709551615 bytes, at most 16777216"},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        size_t bytes = 0;
        vipann_error error = {VIPANN_OK, ""};
        vipann_status status = vip_container_length("x", table[i].first, table[i].file_bytes, &bytes, &error);
        assert_int_equal(status, table[i].message == NULL ? VIPANN_OK : VIPANN_E_FORMAT);
        if (table[i].message != NULL) {
            assert_non_null(strstr(error.text, table[i].message));
        } else {
            assert_int_equal(bytes, table[i].first[0] + 256 * table[i].first[1] + 16777216 * table[i].first[3]);
        }
    }
}

static void
test_any_shape_fits_in_its_text(void **state)
{
    (void)state;
    static const uint64_t largest[VIP_MAX_RANK] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    char text[VIP_SHAPE_TEXT];
    assert_string_equal(vip_shape_text(largest, 0, text), "[]");
    assert_string_equal(vip_shape_text((const uint64_t[]){3, 4}, 2, text), "[3,4]");
    assert_int_equal(strlen(vip_shape_text(largest, VIP_MAX_RANK, text)), 4 * 20 + 3 + 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tensors_are_found_by_name),
        cmocka_unit_test(test_metadata_need_not_be_there),
        cmocka_unit_test(test_scalars_and_empty_tensors_have_a_place),
        cmocka_unit_test(test_each_broken_rule_has_its_message),
        cmocka_unit_test(test_brackets_may_not_be_deep),
        cmocka_unit_test(test_brackets_in_names_are_not_counted),
        cmocka_unit_test(test_length_of_the_header_fits_the_file),
        cmocka_unit_test(test_any_shape_fits_in_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
