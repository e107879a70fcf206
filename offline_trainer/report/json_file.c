/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json_file.c -- see json_file.h for the contract. */
#include "json_file.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include <base/memory.h>
#include <base/status.h>
#include <model/json.h>

enum { WHAT = 160 };
static const size_t MOST_BYTES = (size_t)256 << 20; /* a log of a million lines */
static const vip_measure NO_MEASURE = {NAN, NAN, NAN};

/* ------------------------------------------------------------------------------------------------------------ files */

static vipann_status
read_stream(FILE *in, const char *path, char **text, size_t *bytes, vipann_error *error)
{
    size_t room = (size_t)1 << 16, n = 0;
    char *held = vip_alloc(room, 1);
    while (held != NULL) {
        n += fread(held + n, 1, room - 1 - n, in);
        if (n < room - 1) {
            break;
        }
        char *more = room < MOST_BYTES ? vip_alloc(2 * room, 1) : NULL;
        if (more == NULL) {
            vip_free(held);
            return room < MOST_BYTES ? vip_fail_memory(error, "a file of a run")
                                     : vip_fail(error, VIPANN_E_FORMAT, "%s: larger than %zu MiB; no run writes that",
                                                path, MOST_BYTES >> 20);
        }
        memcpy(more, held, n);
        vip_free(held);
        held = more;
        room *= 2;
    }
    if (held == NULL) {
        return vip_fail_memory(error, "a file of a run");
    }
    if (ferror(in)) {
        vip_free(held);
        return vip_fail(error, VIPANN_E_IO, "%s: cannot be read: %s", path, strerror(errno));
    }
    *text = held;
    *bytes = n;
    return VIPANN_OK;
}

vipann_status
vip_text_read(const char *path, char **text, size_t *bytes, vipann_error *error)
{
    *text = NULL;
    *bytes = 0;
    FILE *in = fopen(path, "rb");
    if (in == NULL) {
        return errno == ENOENT || errno == ENOTDIR
                   ? VIPANN_OK
                   : vip_fail(error, VIPANN_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
    }
    vipann_status status = read_stream(in, path, text, bytes, error);
    (void)fclose(in);
    return status;
}

vipann_status
vip_json_text_read(const char *text, size_t bytes, const char *file, size_t line, json_t **value, vipann_error *error)
{
    json_error_t reason;
    *value = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &reason);
    if (*value != NULL) {
        return VIPANN_OK;
    }
    size_t at = line + (reason.line > 1 ? (size_t)reason.line - 1 : 0);
    return vip_fail(error, VIPANN_E_FORMAT, "%s:%zu: not valid JSON: %.100s; restore the file or remove it", file, at,
                    reason.text);
}

/* ----------------------------------------------------------------------------------------------------------- values */

void
vip_json_refuse(vip_json_reader *reader, const char *what, const char *found, const char *expected)
{
    if (reader->status == VIPANN_OK) {
        reader->status = vip_fail(reader->error, VIPANN_E_FORMAT, "%s: %.120s: found %s; expected %s", reader->file,
                                  what, found, expected);
    }
}

static void
refuse_member(vip_json_reader *reader, const char *where, const char *key, const json_t *found, const char *expected)
{
    char what[WHAT];
    (void)snprintf(what, sizeof what, "%s%s", where, key);
    vip_json_refuse(reader, what, vip_json_kind(found), expected);
}

/* NULL: missing. */
static json_t *
get(const vip_json_reader *reader, const json_t *object, const char *key)
{
    json_t *value = reader->status == VIPANN_OK ? json_object_get(object, key) : NULL;
    return json_is_null(value) ? NULL : value;
}

double
vip_json_get_number(vip_json_reader *reader, const json_t *object, const char *where, const char *key)
{
    const json_t *value = get(reader, object, key);
    if (value == NULL) {
        return NAN;
    }
    if (!json_is_number(value)) {
        refuse_member(reader, where, key, value, "a number");
        return NAN;
    }
    return json_number_value(value);
}

const char *
vip_json_get_text(vip_json_reader *reader, const json_t *object, const char *where, const char *key)
{
    const json_t *value = get(reader, object, key);
    if (value != NULL && !json_is_string(value)) {
        refuse_member(reader, where, key, value, "a string");
    }
    return json_string_value(value);
}

json_t *
vip_json_get_object(vip_json_reader *reader, const json_t *object, const char *where, const char *key)
{
    json_t *value = get(reader, object, key);
    if (value != NULL && !json_is_object(value)) {
        refuse_member(reader, where, key, value, "an object");
        return NULL;
    }
    return value;
}

json_t *
vip_json_get_array(vip_json_reader *reader, const json_t *object, const char *where, const char *key, size_t most)
{
    json_t *value = get(reader, object, key);
    if (value != NULL && (!json_is_array(value) || json_array_size(value) > most)) {
        char expected[WHAT];
        (void)snprintf(expected, sizeof expected, "an array of at most %zu", most);
        refuse_member(reader, where, key, value, expected);
        return NULL;
    }
    return value;
}

vip_measure
vip_json_get_measure(vip_json_reader *reader, const json_t *object, const char *where, const char *key)
{
    const json_t *value = get(reader, object, key);
    char inner[WHAT];
    (void)snprintf(inner, sizeof inner, "%s%s.", where, key);
    if (json_is_number(value)) {
        return (vip_measure){json_number_value(value), NAN, NAN};
    }
    if (json_is_object(value)) {
        return (vip_measure){vip_json_get_number(reader, value, inner, "value"),
                             vip_json_get_number(reader, value, inner, "low"),
                             vip_json_get_number(reader, value, inner, "high")};
    }
    if (value != NULL) {
        refuse_member(reader, where, key, value, "a number, or an object with value, low and high");
    }
    return NO_MEASURE;
}

void
vip_json_get_numbers(vip_json_reader *reader, const json_t *array, const char *what, size_t n, double *out)
{
    if (reader->status == VIPANN_OK && (!json_is_array(array) || json_array_size(array) != n)) {
        char expected[WHAT];
        (void)snprintf(expected, sizeof expected, "an array of %zu numbers", n);
        vip_json_refuse(reader, what, json_is_array(array) ? "another length" : vip_json_kind(array), expected);
    }
    for (size_t i = 0; i < n && reader->status == VIPANN_OK; i++) {
        const json_t *value = json_array_get(array, i);
        if (!json_is_number(value) && !json_is_null(value)) {
            vip_json_refuse(reader, what, vip_json_kind(value), "numbers");
        }
        out[i] = json_is_number(value) ? json_number_value(value) : NAN;
    }
}
