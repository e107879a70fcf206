/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema.h -- the part of JSON Schema that our schemas use: type, enum, properties, required, additionalProperties
 * (false), items, minItems, minLength, pattern (POSIX), minimum, maximum, anyOf, and false, which nothing fits. */
#ifndef TESTS_UNIT_SCHEMA_H
#define TESTS_UNIT_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

enum { SCHEMA_WHY = 256 };

/* Whether the value fits; if not, why says where and what is wrong. */
bool schema_check(const json_t *schema, const json_t *value, char why[SCHEMA_WHY]);

/* A word of the schema that schema_check does not look at, or NULL if there is none: nothing is promised in vain. */
const char *schema_foreign_word(const json_t *schema);

#endif /* TESTS_UNIT_SCHEMA_H */
