/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema.c -- see schema.h for the contract. */
#include "schema.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

static bool
refuse(char why[SCHEMA_WHY], const char *where, const char *what)
{
    (void)snprintf(why, SCHEMA_WHY, "%.60s: %.180s", where, what);
    return false;
}

static bool
is_of_type(const json_t *value, const char *type)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "object", [JSON_ARRAY] = "array",  [JSON_STRING] = "string", [JSON_INTEGER] = "integer",
        [JSON_REAL] = "number",   [JSON_TRUE] = "boolean", [JSON_FALSE] = "boolean", [JSON_NULL] = "null"};
    return strcmp(names[json_typeof(value)], type) == 0 || (json_is_integer(value) && strcmp(type, "number") == 0);
}

static bool
fits_type(const json_t *type, const json_t *value)
{
    if (!json_is_array(type)) {
        return type == NULL || is_of_type(value, json_string_value(type));
    }
    for (size_t i = 0; i < json_array_size(type); i++) {
        if (is_of_type(value, json_string_value(json_array_get(type, i)))) {
            return true;
        }
    }
    return false;
}

static bool
fits_enum(const json_t *allowed, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(allowed); i++) {
        if (json_equal(json_array_get(allowed, i), value)) {
            return true;
        }
    }
    return allowed == NULL;
}

static bool
fits_range(const json_t *schema, const json_t *value)
{
    const json_t *least = json_object_get(schema, "minimum"), *most = json_object_get(schema, "maximum");
    double x = json_number_value(value);
    return !json_is_number(value) ||
           ((least == NULL || x >= json_number_value(least)) && (most == NULL || x <= json_number_value(most)));
}

static bool
fits_text(const json_t *schema, const json_t *value)
{
    const json_t *pattern = json_object_get(schema, "pattern");
    if (!json_is_string(value)) {
        return true;
    }
    if ((json_int_t)json_string_length(value) < json_integer_value(json_object_get(schema, "minLength"))) {
        return false;
    }
    regex_t expression;
    if (pattern == NULL) {
        return true;
    }
    if (regcomp(&expression, json_string_value(pattern), REG_EXTENDED | REG_NOSUB) != 0) {
        return false;
    }
    bool matches = regexec(&expression, json_string_value(value), 0, NULL, 0) == 0;
    regfree(&expression);
    return matches;
}

static bool
fits_members(const json_t *schema, const json_t *value, char why[SCHEMA_WHY])
{
    const json_t *properties = json_object_get(schema, "properties"), *required = json_object_get(schema, "required");
    for (size_t i = 0; i < json_array_size(required); i++) {
        const char *key = json_string_value(json_array_get(required, i));
        if (json_object_get(value, key) == NULL) {
            return refuse(why, key, "is missing");
        }
    }
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)value, key, member)
    {
        const json_t *rule = json_object_get(properties, key);
        if (rule == NULL && json_is_false(json_object_get(schema, "additionalProperties"))) {
            return refuse(why, key, "is not known");
        }
        char inner[SCHEMA_WHY];
        if (rule != NULL && !schema_check(rule, member, inner)) {
            return refuse(why, key, inner);
        }
    }
    return true;
}

/* One of the alternatives must fit; why is about one that has the value's keys, if there is one. */
static bool
fits_any(const json_t *alternatives, const json_t *value, char why[SCHEMA_WHY])
{
    char reason[SCHEMA_WHY];
    (void)refuse(why, "value", "fits none of the alternatives");
    for (size_t i = 0; i < json_array_size(alternatives); i++) {
        if (schema_check(json_array_get(alternatives, i), value, reason)) {
            return true;
        }
        if (strstr(reason, "is not known") == NULL && strstr(reason, "is missing") == NULL) {
            memcpy(why, reason, SCHEMA_WHY);
        }
    }
    return alternatives == NULL;
}

bool
schema_check(const json_t *schema, const json_t *value, char why[SCHEMA_WHY])
{
    if (json_is_false(schema)) {
        return refuse(why, "value", "is not allowed here");
    }
    if (!fits_any(json_object_get(schema, "anyOf"), value, why)) {
        return false;
    }
    if (!fits_type(json_object_get(schema, "type"), value) || !fits_enum(json_object_get(schema, "enum"), value)) {
        return refuse(why, "value", "is of another kind");
    }
    if (!fits_range(schema, value) || !fits_text(schema, value)) {
        return refuse(why, "value", "is out of range");
    }
    if (json_is_array(value)) {
        const json_t *items = json_object_get(schema, "items"), *least = json_object_get(schema, "minItems");
        if ((json_int_t)json_array_size(value) < json_integer_value(least)) {
            return refuse(why, "array", "is too short");
        }
        for (size_t i = 0; items != NULL && i < json_array_size(value); i++) {
            if (!schema_check(items, json_array_get(value, i), why)) {
                return false;
            }
        }
    }
    return !json_is_object(value) || fits_members(schema, value, why);
}

const char *
schema_foreign_word(const json_t *schema)
{
    static const char *const known[] = {"$schema",     "$id",      "title",
                                        "description", "type",     "enum",
                                        "properties",  "required", "additionalProperties",
                                        "items",       "minItems", "minLength",
                                        "pattern",     "minimum",  "maximum",
                                        "anyOf"};
    const char *key, *name;
    json_t *rule, *inner;
    json_object_foreach((json_t *)schema, key, rule)
    {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof *known && !found; i++) {
            found = strcmp(known[i], key) == 0;
        }
        const char *foreign = found ? NULL : key;
        for (size_t i = 0; strcmp(key, "anyOf") == 0 && i < json_array_size(rule); i++) {
            foreign = foreign != NULL ? foreign : schema_foreign_word(json_array_get(rule, i));
        }
        if (strcmp(key, "items") == 0) {
            foreign = schema_foreign_word(rule);
        } else if (strcmp(key, "properties") == 0) {
            json_object_foreach(rule, name, inner)
            {
                foreign = foreign != NULL ? foreign : schema_foreign_word(inner);
            }
        }
        if (foreign != NULL) {
            return foreign;
        }
    }
    return NULL;
}
