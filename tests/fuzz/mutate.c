/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mutate.c -- random changes of JSON values that leave them JSON. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define LENGTH(a) (sizeof(a) / sizeof *(a))

uint32_t
fuzz_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u; /* Numerical Recipes; the upper bits are the random ones */
    return *state >> 8;
}

/* A value that readers have been seen to stumble over. */
static json_t *
odd_value(uint32_t *random)
{
    static const json_int_t numbers[] = {0,          1,
                                         -1,         2,
                                         3,          4,
                                         16,         31,
                                         64,         65,
                                         127,        128,
                                         255,        256,
                                         4096,       4097,
                                         32768,      65535,
                                         65536,      INT32_MAX,
                                         UINT32_MAX, (json_int_t)UINT32_MAX + 1,
                                         INT64_MAX,  INT64_MIN,
                                         1LL << 62,  1LL << 61};
    static const double reals[] = {0.5, -0.0, 1e-320, 1e308, 0.9, 0.91, 0.01, 100, 3.5e38, 1e-10, 1.0000001};
    static const char *const texts[] = {"",
                                        "0",
                                        "1",
                                        "2",
                                        "01",
                                        "-1",
                                        "128",
                                        "129",
                                        "4294967297",
                                        "resnet22",
                                        "resnet54",
                                        "same",
                                        "causal",
                                        "multilabel",
                                        "multiclass",
                                        "dropout",
                                        "meanfield",
                                        "ensemble",
                                        "deterministic",
                                        "F32",
                                        "F16",
                                        "BF16",
                                        "I64",
                                        "F64",
                                        "{}",
                                        "[]",
                                        "null",
                                        "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
                                        "\033[31m\n\t",
                                        "\xc2\x9b",
                                        "{\"kind\":\"ensemble\",\"members\":2}"};
    switch (fuzz_random(random) % 7) {
    case 0:
        return json_null();
    case 1:
        return json_boolean(fuzz_random(random) % 2);
    case 2:
        return json_integer(numbers[fuzz_random(random) % LENGTH(numbers)]);
    case 3:
        return json_real(reals[fuzz_random(random) % LENGTH(reals)]);
    case 4:
        return json_string(texts[fuzz_random(random) % LENGTH(texts)]);
    case 5:
        return json_array();
    default:
        return json_object();
    }
}

/* The same text with bytes changed, or what is in it changed as JSON. NULL: no change came of it. */
static json_t *
changed_text(const json_t *value, uint32_t *random)
{
    const char *text = json_string_value(value);
    json_t *inner = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (inner != NULL && fuzz_random(random) % 8 != 0) {
        fuzz_mutate_json(inner, random);
        char *written = json_dumps(inner, JSON_COMPACT);
        json_t *changed = written != NULL ? json_string(written) : NULL;
        free(written);
        json_decref(inner);
        return changed;
    }
    json_decref(inner);
    char bytes[512];
    size_t n = strlen(text) < sizeof bytes / 2 ? strlen(text) : sizeof bytes / 2;
    memcpy(bytes, text, n);
    n = LLVMFuzzerMutate((uint8_t *)bytes, n, sizeof bytes);
    return json_stringn(bytes, n); /* NULL if that is not UTF-8 */
}

/* What is to stand in the place of a value that is no object and no array, or of one that is to vanish. */
static json_t *
changed_value(const json_t *value, uint32_t *random)
{
    if (json_is_string(value) && fuzz_random(random) % 4 != 0) {
        return changed_text(value, random);
    }
    if (json_is_integer(value) && fuzz_random(random) % 2 != 0) {
        static const json_int_t steps[] = {1, -1, 2, -4, 8, 1024};
        json_int_t step = steps[fuzz_random(random) % LENGTH(steps)];
        return json_integer((json_int_t)((uint64_t)json_integer_value(value) + (uint64_t)step));
    }
    return odd_value(random);
}

/* Enters what is in the value, or says false: then the value itself is to be changed. */
static bool
enters(const json_t *value, uint32_t *random)
{
    bool inside =
        (json_is_object(value) && json_object_size(value) > 0) || (json_is_array(value) && json_array_size(value) > 0);
    return inside && fuzz_random(random) % 16 != 0;
}

static void
mutate_array(json_t *array, uint32_t *random)
{
    size_t n = json_array_size(array), i = n > 0 ? fuzz_random(random) % n : 0;
    switch (n > 0 ? fuzz_random(random) % 6 : 0) {
    case 0:
        (void)json_array_append_new(array, odd_value(random));
        break;
    case 1:
        (void)json_array_remove(array, i);
        break;
    case 2:
        (void)json_array_insert_new(array, i, json_deep_copy(json_array_get(array, i)));
        break;
    default:
        if (enters(json_array_get(array, i), random)) {
            fuzz_mutate_json(json_array_get(array, i), random);
        } else {
            (void)json_array_set_new(array, i, changed_value(json_array_get(array, i), random));
        }
    }
}

static void
mutate_object(json_t *object, uint32_t *random)
{
    size_t n = json_object_size(object), chosen = n > 0 ? fuzz_random(random) % n : 0;
    void *at = json_object_iter(object);
    for (size_t i = 0; i < chosen; i++) {
        at = json_object_iter_next(object, at);
    }
    if (at == NULL) {
        (void)json_object_set_new(object, "x", odd_value(random));
        return;
    }
    char key[64];
    (void)snprintf(key, sizeof key, "%s", json_object_iter_key(at));
    json_t *value = json_object_iter_value(at);
    switch (fuzz_random(random) % 8) {
    case 0:
        (void)json_object_del(object, json_object_iter_key(at));
        break;
    case 1: { /* another key beside it, or in its place */
        char other[sizeof key + 16];
        static const char *const endings[] = {"x", ".mu", ".rho", ".weight", ""};
        static const char *const beginnings[] = {"", "member.0.", "member.1.", "vipann."};
        (void)snprintf(other, sizeof other, "%s%s%s", beginnings[fuzz_random(random) % LENGTH(beginnings)], key,
                       endings[fuzz_random(random) % LENGTH(endings)]);
        (void)json_object_set_new(object, other, json_deep_copy(value));
        if (fuzz_random(random) % 2 == 0 && strcmp(other, key) != 0) {
            (void)json_object_del(object, key);
        }
        break;
    }
    default:
        if (enters(value, random)) {
            fuzz_mutate_json(value, random);
        } else {
            (void)json_object_set_new(object, json_object_iter_key(at), changed_value(value, random));
        }
    }
}

void
fuzz_mutate_json(json_t *value, uint32_t *random)
{
    if (json_is_object(value)) {
        mutate_object(value, random);
    } else if (json_is_array(value)) {
        mutate_array(value, random);
    }
}
