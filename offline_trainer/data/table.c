/* SPDX-License-Identifier: GPL-3.0-or-later */
/* table.c -- see table.h for the contract. */
#include "table.h"

#include <base/memory.h>
#include <base/status.h>
#include <base/words.h>

#include <stdlib.h>
#include <string.h>

/* Where the reading is; fields are written over the text that they come from, which is never shorter. */
typedef struct {
    const char *name;
    char *at, *end;
    size_t line;
    vipann_error *error;
} reader;

typedef enum { FIELD, ROW_END, BROKEN } ending;

static ending
fail(const reader *r, size_t line, const char *what)
{
    (void)vip_fail(r->error, VIPANN_E_FORMAT, "%s:%zu: %s", r->name, line, what);
    return BROKEN;
}

/* The text between quotes; doubled ones stand for one. Returns the end of what was written, or NULL. */
static char *
quoted(reader *r, char *out)
{
    const size_t begun = r->line;
    for (r->at++; r->at < r->end; r->at++) {
        if (*r->at == '"') {
            if (r->at + 1 == r->end || r->at[1] != '"') {
                r->at++;
                return out;
            }
            r->at++;
        }
        r->line += *r->at == '\n';
        *out++ = *r->at;
    }
    (void)fail(r, begun, "a quote opens and never closes");
    return NULL;
}

/* One field, which becomes a string; says what follows it. */
static ending
next_field(reader *r, const char **field)
{
    const size_t line = r->line;
    char *out = r->at;
    *field = out;
    if (r->at < r->end && *r->at == '"') {
        out = quoted(r, out);
        if (out == NULL) {
            return BROKEN;
        }
    } else {
        while (r->at < r->end && *r->at != ',' && *r->at != '\n' && *r->at != '"') {
            *out++ = *r->at++;
        }
        if (out > *field && out[-1] == '\r' && (r->at == r->end || *r->at == '\n')) {
            out--;
        }
    }
    if (r->at < r->end && *r->at == '\r' && (r->at + 1 == r->end || r->at[1] == '\n')) {
        r->at++;
    }
    if (r->at < r->end && *r->at != ',' && *r->at != '\n') {
        return fail(r, line,
                    "a quote in the middle of a field; a field with quotes in it is written \"like \"\"this\"\"\"");
    }
    const ending what = r->at < r->end && *r->at == ',' ? FIELD : ROW_END;
    r->line += r->at < r->end && *r->at == '\n';
    r->at += r->at < r->end;
    *out = '\0';
    return what;
}

/* Which columns the table has: places[i] is the column asked for that its i-th one is. */
typedef struct {
    int places[VIP_TABLE_COLUMNS];
    size_t n;
} heading;

static bool
place_column(const reader *r, const char *found, const vip_column *columns, heading *h)
{
    const char *nearest = NULL;
    size_t closest = SIZE_MAX;
    for (int c = 0; columns[c].name != NULL; c++) {
        if (strcmp(columns[c].name, found) == 0) {
            for (size_t i = 0; i < h->n; i++) {
                if (h->places[i] == c) {
                    (void)vip_fail(r->error, VIPANN_E_FORMAT, "%s:1: the column \"%s\" is there twice", r->name, found);
                    return false;
                }
            }
            h->places[h->n++] = c;
            return true;
        }
        const size_t distance = vip_word_distance(found, columns[c].name);
        nearest = distance < closest ? columns[c].name : nearest;
        closest = distance < closest ? distance : closest;
    }
    (void)vip_fail(r->error, VIPANN_E_FORMAT, "%s:1: unknown column \"%s\"; %s \"%s\"%s", r->name, found,
                   vip_word_is_near(found, closest) ? "did you mean" : "expected such as", nearest,
                   vip_word_is_near(found, closest) ? "?" : "");
    return false;
}

static bool
read_heading(reader *r, const vip_column *columns, heading *h)
{
    ending what = FIELD;
    while (what == FIELD) {
        const char *field;
        what = next_field(r, &field);
        if (what == BROKEN || !place_column(r, field, columns, h)) {
            return false;
        }
    }
    for (int c = 0; columns[c].name != NULL; c++) {
        bool there = !columns[c].required;
        for (size_t i = 0; i < h->n; i++) {
            there = there || h->places[i] == c;
        }
        if (!there) {
            (void)vip_fail(r->error, VIPANN_E_FORMAT, "%s:1: no column \"%s\", which there must be", r->name,
                           columns[c].name);
            return false;
        }
    }
    return true;
}

static bool
read_row(reader *r, const heading *h, vip_table_row *row)
{
    *row = (vip_table_row){.line = r->line};
    size_t n = 0;
    for (ending what = FIELD; what == FIELD; n++) {
        const char *field;
        what = next_field(r, &field);
        if (what == BROKEN) {
            return false;
        }
        if (n < h->n) {
            row->fields[h->places[n]] = field;
        }
    }
    if (n != h->n) {
        (void)vip_fail(r->error, VIPANN_E_FORMAT, "%s:%zu: has %zu field%s; the header has %zu", r->name, row->line, n,
                       n == 1 ? "" : "s", h->n);
        return false;
    }
    return true;
}

static bool
is_empty_line(reader *r)
{
    char *at = r->at + (*r->at == '\r' && r->at + 1 < r->end);
    if (*at != '\n') {
        return false;
    }
    r->at = at + 1;
    r->line++;
    return true;
}

static vip_table_row *
more_rows(vip_table *table, size_t *room)
{
    if (table->n < *room) {
        return table->rows;
    }
    const size_t larger = *room == 0 ? 256 : 2 * *room;
    vip_table_row *rows = realloc(table->rows, vip_product(larger, sizeof *rows));
    if (rows != NULL) {
        table->rows = rows;
        *room = larger;
    }
    return rows;
}

static bool
read_table(vip_table *table, reader *r, const vip_column *columns)
{
    heading h = {.n = 0};
    static const char MARK[] = "\xef\xbb\xbf";
    if (r->end - r->at >= 3 && memcmp(r->at, MARK, 3) == 0) {
        r->at += 3;
    }
    if (memchr(r->at, '\0', (size_t)(r->end - r->at)) != NULL) {
        (void)vip_fail(r->error, VIPANN_E_FORMAT, "%s: has a zero byte in it; expected a table in CSV", r->name);
        return false;
    }
    if (r->at == r->end) {
        (void)vip_fail(r->error, VIPANN_E_FORMAT, "%s: is empty; expected a table in CSV with a header", r->name);
        return false;
    }
    if (!read_heading(r, columns, &h)) {
        return false;
    }
    size_t room = 0;
    while (r->at < r->end) {
        if (is_empty_line(r)) {
            continue;
        }
        if (more_rows(table, &room) == NULL) {
            (void)vip_fail_memory(r->error, r->name);
            return false;
        }
        if (!read_row(r, &h, &table->rows[table->n])) {
            return false;
        }
        table->n++;
    }
    return true;
}

vip_table *
vip_table_parse(const char *name, const char *text, size_t bytes, const vip_column *columns, vipann_error *error)
{
    vip_table *table = vip_alloc(1, sizeof *table);
    char *copy = table != NULL ? vip_alloc(bytes + 2, 1) : NULL; /* a last field at the very end gets its zero there */
    if (copy == NULL) {
        (void)vip_fail_memory(error, name);
        vip_free(table);
        return NULL;
    }
    table->text = copy;
    memcpy(copy, text, bytes);
    reader r = {name, copy, copy + bytes, 1, error};
    if (!read_table(table, &r, columns)) {
        vip_table_free(table);
        return NULL;
    }
    return table;
}

void
vip_table_free(vip_table *table)
{
    if (table != NULL) {
        free(table->rows);
        vip_free(table->text);
        vip_free(table);
    }
}
