/* SPDX-License-Identifier: GPL-3.0-or-later */
/* case.c -- see case.h for the contract. */
#include "case.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------------- the files */

enum { LENGTH_BYTES = 8, LARGEST_FILE = 1 << 28, PATH_SIZE = 4096 };

static const struct {
    const char *name;
    size_t width;
} types[N_TYPES] = {{"F32", 4}, {"F64", 8}, {"I64", 8}, {"U32", 4}, {"U8", 1}};

static const char *
read_whole(vector_case *c, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return "cannot be opened";
    }
    const char *wrong = "cannot be read";
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (size > LENGTH_BYTES && size < LARGEST_FILE && fseek(file, 0, SEEK_SET) == 0) {
        c->n_bytes = (size_t)size;
        c->bytes = malloc(c->n_bytes);
        if (c->bytes != NULL && fread(c->bytes, 1, c->n_bytes, file) == c->n_bytes) {
            wrong = NULL;
        }
    }
    (void)fclose(file);
    return wrong;
}

const char *
case_open(vector_case *c, const char *folder, const char *file)
{
    *c = (vector_case){.folder = folder};
    char path[PATH_SIZE];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, file) >= sizeof path) {
        return "has too long a name";
    }
    const char *wrong = read_whole(c, path);
    if (wrong != NULL) {
        return wrong;
    }
    uint64_t length = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--) {
        length = length << 8 | c->bytes[i];
    }
    if (length > c->n_bytes - LENGTH_BYTES) {
        return "is shorter than its header says";
    }
    c->data = c->bytes + LENGTH_BYTES + length;
    c->n_data = c->n_bytes - LENGTH_BYTES - (size_t)length;
    c->header = json_loadb((const char *)c->bytes + LENGTH_BYTES, (size_t)length, 0, NULL);
    if (!json_is_object(c->header)) {
        return "has a header that is no JSON object";
    }
    const char *text = json_string_value(json_object_get(json_object_get(c->header, "__metadata__"), "vipann.case"));
    if (text != NULL) {
        c->about = json_loads(text, 0, NULL);
        if (!json_is_object(c->about)) {
            return "describes its case in something else than a JSON object";
        }
    }
    return NULL;
}

void
case_close(vector_case *c)
{
    json_decref(c->about);
    json_decref(c->header);
    free(c->bytes);
    *c = (vector_case){0};
}

const char *
case_text(const vector_case *c, const char *key)
{
    const char *text = json_string_value(json_object_get(c->about, key));
    return text == NULL ? "" : text;
}

double
case_number(const vector_case *c, const char *key, double otherwise)
{
    const json_t *value = json_object_get(c->about, key);
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

uint64_t
case_seed(const vector_case *c)
{
    return strtoull(case_text(c, "seed"), NULL, 16);
}

bool
case_tensor(const vector_case *c, const char *name, vector_tensor *tensor)
{
    const json_t *entry = json_object_get(c->header, name), *shape = json_object_get(entry, "shape");
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    *tensor = (vector_tensor){.type = N_TYPES, .n = 1, .rank = (int)json_array_size(shape)};
    for (int i = 0; i < N_TYPES && dtype != NULL; i++) {
        if (strcmp(dtype, types[i].name) == 0) {
            tensor->type = (vector_type)i;
        }
    }
    if (tensor->type == N_TYPES || tensor->rank > MAX_RANK) {
        return false;
    }
    for (int i = 0; i < tensor->rank; i++) {
        json_int_t length = json_integer_value(json_array_get(shape, (size_t)i));
        if (length < 0 || length > LARGEST_FILE || tensor->n > LARGEST_FILE) {
            return false;
        }
        tensor->shape[i] = (size_t)length;
        tensor->n *= tensor->shape[i];
    }
    json_int_t begin = json_integer_value(json_array_get(offsets, 0)),
               end = json_integer_value(json_array_get(offsets, 1));
    if (begin < 0 || end < begin || (size_t)end > c->n_data ||
        (size_t)(end - begin) != tensor->n * types[tensor->type].width) {
        return false;
    }
    tensor->data = c->data + begin;
    return (uintptr_t)tensor->data % types[tensor->type].width == 0; /* as the reference's writer lays them */
}

/* ------------------------------------------------------------------------------------------------------ the checks */

static void
say(const tally *t, bool passed, const char *check)
{
    printf("%s %s: %s: ", passed ? "ok  " : "FAIL", t->name, check);
}

void
tally_error(tally *t, const char *check, double error, double tolerance)
{
    const bool passed = error <= tolerance;
    *(passed ? &t->passed : &t->failed) += 1;
    say(t, passed, check);
    printf("error %.2e, tolerance %.2e\n", error, tolerance);
}

void
tally_exact(tally *t, const char *check, size_t wrong, size_t n)
{
    const bool passed = wrong == 0 && n > 0;
    *(passed ? &t->passed : &t->failed) += 1;
    say(t, passed, check);
    printf("%zu of %zu differ, none may\n", wrong, n);
}

void
tally_skip(tally *t, const char *check, const char *reason)
{
    t->skipped++;
    printf("skip %s: %s: %s\n", t->name, check, reason);
}

void
tally_fail(tally *t, const char *check, const char *format, ...)
{
    va_list arguments;
    t->failed++;
    say(t, false, check);
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

const void *
need(const vector_case *c, tally *t, const char *name, vector_type type, size_t n, vector_tensor *tensor)
{
    vector_tensor here;
    tensor = tensor == NULL ? &here : tensor;
    if (!case_tensor(c, name, tensor)) {
        tally_fail(t, name, "the case has no such tensor, or its bytes do not fit its shape");
        return NULL;
    }
    if (tensor->type != type || (n != 0 && tensor->n != n)) {
        tally_fail(t, name, "the tensor is %s with %zu elements, not %s with %zu", types[tensor->type].name, tensor->n,
                   types[type].name, n);
        return NULL;
    }
    return tensor->data;
}

double
largest_difference(const float *got, const float *want, size_t n)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(got[i]) && isnan(want[i])) {
            continue;
        }
        const double difference = fabs((double)got[i] - (double)want[i]);
        if (!(difference <= largest)) {
            largest = difference;
        }
        if (isnan(largest)) {
            break;
        }
    }
    return largest;
}

double
magnitude(const float *want, size_t n)
{
    double largest = 1;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)want[i]));
    }
    return largest;
}

/* The place of x in the order of all floats. */
static int64_t
rank_of(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits >= 0 ? bits : (int64_t)INT32_MIN - bits;
}

uint32_t
ulps(float a, float b)
{
    const int64_t apart = rank_of(a) - rank_of(b);
    return (uint32_t)(apart < 0 ? -apart : apart);
}
