/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json.c -- see json.h for the contract. */
#include "json.h"

#include <stdbool.h>

#include <jansson.h>

#include <base/memory.h>
#include <base/status.h>

/* Looks at brackets only: whether they match is the parser's affair. */
static bool
is_too_deep(const char *text, size_t bytes)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\') {
                i++;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > VIP_JSON_DEPTH) {
                return true;
            }
        } else if (c == ']' || c == '}') {
            depth--;
        }
    }
    return false;
}

/* The parser calls a string for which it has no memory an invalid token, and some failures nothing at all. Whether
 * memory is short is seen by asking for some. */
static bool
is_memory_short(size_t bytes)
{
    void *block = vip_alloc(bytes, 1);
    vip_free(block);
    return block == NULL;
}

vipann_status
vip_json_parse(const char *text, size_t bytes, const char *file, const char *what, json_t **value, vipann_error *error)
{
    *value = NULL;
    if (is_too_deep(text, bytes)) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: %s: brackets inside brackets more than %d deep", file, what,
                        VIP_JSON_DEPTH);
    }
    json_error_t reason;
    *value = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &reason);
    if (*value != NULL) {
        return VIPANN_OK;
    }
    if (json_error_code(&reason) == json_error_out_of_memory || is_memory_short(bytes)) {
        return vip_fail_memory(error, "reading a model");
    }
    return vip_fail(error, VIPANN_E_FORMAT, "%s: %s: not valid JSON at byte %d: %.100s", file, what, reason.position,
                    reason.text);
}

const char *
vip_json_kind(const json_t *value)
{
    static const char *const kinds[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a string", [JSON_INTEGER] = "a number",
        [JSON_REAL] = "a number",    [JSON_TRUE] = "true",      [JSON_FALSE] = "false",     [JSON_NULL] = "null",
    };
    return value == NULL ? "missing" : kinds[json_typeof(value)];
}
