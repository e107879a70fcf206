/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jsonl.h -- writes JSON values on one line each, without keeping them in memory.
 *
 * What comes out is always valid UTF-8: bytes of a text that are not (names of files may hold anything) become
 * U+FFFD. Numbers do not depend on the locale; one that is not finite becomes null. */
#ifndef VIP_COMMON_JSONL_H
#define VIP_COMMON_JSONL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { VIP_JSON_DEPTH = 8 };

/* Begin with {.out = stream}; the stream is borrowed, and errors of writing are found there with ferror. */
typedef struct {
    FILE *out;
    unsigned depth;
    bool begun[VIP_JSON_DEPTH + 1]; /* whether the value at this depth has a member already */
    char closing[VIP_JSON_DEPTH + 1];
} vip_json;

/* Each appends one value; key is its name inside an object and NULL elsewhere. */
void vip_json_text(vip_json *json, const char *key, const char *text);           /* text NULL: null */
void vip_json_number(vip_json *json, const char *key, double value, int digits); /* 1 .. 17 significant digits */
void vip_json_whole(vip_json *json, const char *key, uint64_t value);
void vip_json_truth(vip_json *json, const char *key, bool value);
void vip_json_null(vip_json *json, const char *key);

/* Open an object or an array; vip_json_close ends the innermost one, and the line with the outermost. */
void vip_json_object(vip_json *json, const char *key);
void vip_json_array(vip_json *json, const char *key);
void vip_json_close(vip_json *json);

#endif /* VIP_COMMON_JSONL_H */
