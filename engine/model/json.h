/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json.h -- JSON from a file that may be hostile: not deep, no key twice. */
#ifndef VIP_MODEL_JSON_H
#define VIP_MODEL_JSON_H

#include <stddef.h>

#include <vipann/vipann.h>

struct json_t; /* jansson's */

enum { VIP_JSON_DEPTH = 16 }; /* brackets inside brackets; models need 3, the parser recurses on them */

/* *value = what text[0 .. bytes-1] holds, owned by the caller (json_decref), or NULL on failure. Messages begin with
 * "file: what". Errors: E_FORMAT, E_MEMORY. */
vipann_status vip_json_parse(const char *text, size_t bytes, const char *file, const char *what, struct json_t **value,
                             vipann_error *error);

/* What a value is, for messages: "null", "a number"... */
const char *vip_json_kind(const struct json_t *value);

#endif /* VIP_MODEL_JSON_H */
