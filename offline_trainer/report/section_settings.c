/* SPDX-License-Identifier: GPL-3.0-or-later */
/* section_settings.c -- how the runs were set up and what they were tested on, differences first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "sections.h"

enum { MOST_NAMES = 400, NAME = 120, VALUE_CHARACTERS = 300 };

typedef struct {
    char name[NAME]; /* "KEY" or "KEY.KEY" */
} setting;

/* A value as people write it, to be freed with free; NULL: none, or no memory. */
static char *
write_value(const json_t *value)
{
    if (json_is_string(value)) {
        return strdup(json_string_value(value));
    }
    return value != NULL ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
}

static void
add_name(setting *names, size_t *n, const char *outer, const char *inner)
{
    setting added;
    int length =
        inner == NULL ? snprintf(added.name, NAME, "%s", outer) : snprintf(added.name, NAME, "%s.%s", outer, inner);
    for (size_t i = 0; i < *n; i++) {
        if (strcmp(names[i].name, added.name) == 0) {
            return;
        }
    }
    if (*n < MOST_NAMES && length < NAME) {
        names[(*n)++] = added;
    }
}

/* Adds the names of all members, and of their members where they are objects. */
static void
list_names(json_t *object, setting *names, size_t *n)
{
    const char *key, *inner;
    json_t *value, *member;
    json_object_foreach(object, key, value)
    {
        if (json_object_size(value) == 0) {
            add_name(names, n, key, NULL);
        }
        json_object_foreach(value, inner, member)
        {
            (void)member;
            add_name(names, n, key, inner);
        }
    }
}

static const json_t *
find_value(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    const char *dot = strchr(name, '.');
    if (value != NULL || dot == NULL) {
        return json_object_size(value) > 0 ? NULL : value;
    }
    char outer[NAME];
    (void)snprintf(outer, sizeof outer, "%.*s", (int)(dot - name), name);
    return json_object_get(json_object_get(object, outer), dot + 1);
}

bool
vip_document_setting(const json_t *object, const char *name, char *out, size_t size)
{
    const json_t *value = json_object_get(object, name);
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)object, key, member)
    {
        value = value == NULL ? json_object_get(member, name) : value;
    }
    char *text = json_is_object(value) || json_is_array(value) ? NULL : write_value(value);
    if (text == NULL) {
        return false;
    }
    (void)snprintf(out, size, "%s", text);
    free(text);
    return true;
}

/* Where the settings of a column are: its configuration, what it was tested on, its model. */
typedef const json_t *place_of(const vip_column *column);

static const json_t *
config_of(const vip_column *column)
{
    return column->run->config;
}

static const json_t *
data_of(const vip_column *column)
{
    return column->evaluation != NULL ? column->evaluation->data : NULL;
}

static const json_t *
model_of(const vip_column *column)
{
    return column->evaluation != NULL ? column->evaluation->model : NULL;
}

/* Whether all columns that have such settings agree on this one. */
static bool
is_same(const vip_document *report, place_of *place, const char *name)
{
    const json_t *first = NULL;
    bool any = false;
    for (size_t i = 0; i < report->n; i++) {
        const json_t *object = place(&report->columns[i]);
        const json_t *value = find_value(object, name);
        if (object != NULL && any && (value == NULL ? first != NULL : !json_equal(value, first))) {
            return false;
        }
        first = object != NULL && !any ? value : first;
        any = any || object != NULL;
    }
    return true;
}

static void
put_setting(vip_page *page, const vip_document *report, place_of *place, const char *name)
{
    (void)fputs("<tr><th scope=\"row\">", page->out);
    vip_page_text(page->out, name);
    (void)fputs("</th>", page->out);
    for (size_t i = 0; i < report->n; i++) {
        char *text = write_value(find_value(place(&report->columns[i]), name));
        (void)fputs("<td class=\"text\">", page->out);
        vip_page_short(page->out, text != NULL ? text : "–", VALUE_CHARACTERS);
        (void)fputs("</td>", page->out);
        free(text);
    }
    (void)fputs("</tr>\n", page->out);
}

static size_t
put_settings_that(vip_page *page, const vip_document *report, place_of *place, const setting *names, size_t n,
                  bool same)
{
    size_t put = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_same(report, place, names[i].name) == same) {
            if (put++ == 0) {
                vip_document_table(page, report);
            }
            put_setting(page, report, place, names[i].name);
        }
    }
    if (put > 0) {
        vip_document_table_end(page);
    }
    return put;
}

static void
put_settings(vip_page *page, const vip_document *report, const char *heading, place_of *place, const char *none)
{
    setting *names = calloc(MOST_NAMES, sizeof *names);
    size_t n = 0;
    for (size_t i = 0; i < report->n && names != NULL; i++) {
        list_names((json_t *)place(&report->columns[i]), names, &n);
    }
    if (n > 0 || none != NULL) {
        (void)fprintf(page->out, "<h3 class=\"apart\">%s</h3>\n", heading);
    }
    if (n == 0 && none != NULL) {
        vip_document_nothing(page, none);
    } else if (n > 0 && report->n == 1) {
        (void)put_settings_that(page, report, place, names, n, true);
    } else if (n > 0) {
        if (put_settings_that(page, report, place, names, n, false) == 0) {
            (void)fputs("<p>All the same.</p>\n", page->out);
        }
        (void)fputs("<details>\n<summary>What is the same in all</summary>\n", page->out);
        if (put_settings_that(page, report, place, names, n, true) == 0) {
            (void)fputs("<p>Nothing.</p>\n", page->out);
        }
        (void)fputs("</details>\n", page->out);
    }
    free(names);
}

void
vip_document_settings(vip_page *page, const vip_document *report)
{
    vip_page_section(page, "settings", "Settings and data",
                     "How each run was set up and what it was tested on; of several runs, what differs stands first.");
    put_settings(page, report, "Tested on", data_of, NULL);
    put_settings(page, report, "Model that was tested", model_of, NULL);
    put_settings(page, report, "Settings of training", config_of, "None of the runs has a config.json.");
    vip_page_section_end(page);
}
