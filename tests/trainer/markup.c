/* SPDX-License-Identifier: GPL-3.0-or-later */
/* markup.c -- see markup.h for the contract. */
#include "markup.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/words.h>

enum { DEPTH = 40, NAME = 40, MOST_IDS = 1000 };

static const char ELEMENTS[] =
    " html head meta title style body main header h1 h2 h3 p ul ol li nav a section div span table "
    "thead tbody tr th td b small code svg desc path rect text g figure figcaption details "
    "summary footer ";
static const char ATTRIBUTES[] =
    " lang charset name content http-equiv class id href scope colspan tabindex role aria-label "
    "aria-hidden aria-labelledby viewBox width height x y d transform fill-opacity open ";
static const char NUMERIC[] = " viewBox width height x y d transform fill-opacity "; /* within pictures */

typedef struct {
    const char *start, *at;
    char *why;
    size_t depth;
    char open[DEPTH][NAME];
    size_t n_ids, n_wanted;
    char ids[MOST_IDS][NAME], wanted[MOST_IDS][NAME];
    /* of the picture that is open */
    bool titled, described, hidden;
} reader;

static bool
wrong(reader *r, const char *what, const char *found)
{
    size_t line = 1;
    for (const char *c = r->start; c < r->at; c++) {
        line += *c == '\n';
    }
    (void)snprintf(r->why, MARKUP_WHY, "line %zu: %s: %.120s", line, what, found);
    return false;
}

static bool
is_among(const char *list, const char *word)
{
    char padded[NAME + 2];
    (void)snprintf(padded, sizeof padded, " %.*s ", NAME - 1, word);
    return strstr(list, padded) != NULL;
}

/* Text between tags, or the value of an attribute, [from, to). */
static bool
check_text(reader *r, const char *from, const char *to)
{
    static const char *const references[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&#39;", "&#160;"};
    for (const char *c = from; c < to;) {
        uint32_t code;
        size_t n = vip_next_character(c, (size_t)(to - c), &code);
        if (code == VIP_NO_CHARACTER || (vip_is_control(code) && code != '\n') || code == '<') {
            return wrong(r, "a character that should be disarmed", c);
        }
        bool known = code != '&';
        for (size_t i = 0; !known && i < sizeof references / sizeof *references; i++) {
            known = strncmp(c, references[i], strlen(references[i])) == 0;
        }
        if (!known) {
            return wrong(r, "an unknown reference", c);
        }
        c += n;
    }
    return true;
}

/* Numbers between letters, spaces, commas and brackets, all of them finite and none of a mad size. */
static bool
check_numbers(reader *r, const char *value)
{
    for (const char *c = value; *c != '\0';) {
        if (strchr("-.0123456789", *c) != NULL) {
            char *end;
            double number = strtod(c, &end);
            if (end == c || !isfinite(number) || fabs(number) > 1e5) {
                return wrong(r, "not a coordinate", c);
            }
            c = end;
        } else if (strncmp(c, "nan", 3) == 0 || strncmp(c, "inf", 3) == 0 || strncmp(c, "null", 4) == 0) {
            return wrong(r, "not a number", c);
        } else {
            c++;
        }
    }
    return true;
}

static bool
keep(reader *r, char list[MOST_IDS][NAME], size_t *n, const char *word, size_t length)
{
    if (*n == MOST_IDS || length >= NAME) {
        return wrong(r, "too many or too long names", word);
    }
    (void)snprintf(list[(*n)++], NAME, "%.*s", (int)length, word);
    return true;
}

static bool
check_attribute(reader *r, const char *element, const char *name, const char *value)
{
    if (!is_among(ATTRIBUTES, name)) {
        return wrong(r, "no attribute of ours", name);
    }
    bool drawn = strcmp(element, "svg") == 0 || strcmp(element, "path") == 0 || strcmp(element, "rect") == 0 ||
                 strcmp(element, "text") == 0;
    if (drawn && is_among(NUMERIC, name) && !check_numbers(r, value)) {
        return false;
    }
    if (strcmp(name, "id") == 0) {
        for (size_t i = 0; i < r->n_ids; i++) {
            if (strcmp(r->ids[i], value) == 0) {
                return wrong(r, "an id twice", value);
            }
        }
        return keep(r, r->ids, &r->n_ids, value, strlen(value));
    }
    if (strcmp(name, "href") == 0) {
        return value[0] == '#' ? keep(r, r->wanted, &r->n_wanted, value + 1, strlen(value + 1))
                               : wrong(r, "a link that leads out", value);
    }
    if (strcmp(name, "aria-labelledby") == 0) {
        size_t first = strcspn(value, " ");
        return value[first] == ' ' && keep(r, r->wanted, &r->n_wanted, value, first) &&
               keep(r, r->wanted, &r->n_wanted, value + first + 1, strlen(value + first + 1));
    }
    r->hidden = r->hidden || (strcmp(element, "svg") == 0 && strcmp(name, "aria-hidden") == 0);
    return true;
}

/* From behind the name of an element to its end. */
static bool
read_attributes(reader *r, const char *element, bool *empty)
{
    static char value[1 << 20];
    while (*r->at == ' ') {
        r->at++;
        size_t length = strcspn(r->at, "=> \n");
        const char *begin = r->at + length + 2;
        char name[NAME];
        if (length == 0 || length >= NAME || r->at[length] != '=' || r->at[length + 1] != '"') {
            return wrong(r, "not an attribute in quotes", r->at);
        }
        (void)snprintf(name, sizeof name, "%.*s", (int)length, r->at);
        size_t size = strcspn(begin, "\"");
        if (size >= sizeof value || begin[size] == '\0' || !check_text(r, begin, begin + size)) {
            return false;
        }
        memcpy(value, begin, size);
        value[size] = '\0';
        if (!check_attribute(r, element, name, value)) {
            return false;
        }
        r->at = begin + size + 1;
    }
    *empty = *r->at == '/';
    r->at += *empty;
    return *r->at++ == '>' || wrong(r, "a tag that does not end", element);
}

static bool
close_element(reader *r, const char *name)
{
    if (r->depth == 0 || strcmp(r->open[r->depth - 1], name) != 0) {
        return wrong(r, "closed, but not open", name);
    }
    r->depth--;
    if (strcmp(name, "svg") == 0 && !r->hidden && !(r->titled && r->described)) {
        return wrong(r, "a picture that does not say what it is", name);
    }
    return true;
}

static bool
open_element(reader *r, const char *name)
{
    const char *parent = r->depth > 0 ? r->open[r->depth - 1] : "";
    bool empty = false;
    if (!is_among(ELEMENTS, name)) {
        return wrong(r, "no element of ours", name);
    }
    if (strcmp(name, "svg") == 0) {
        r->titled = r->described = r->hidden = false;
    }
    r->titled = r->titled || (strcmp(name, "title") == 0 && strcmp(parent, "svg") == 0);
    r->described = r->described || (strcmp(name, "desc") == 0 && strcmp(parent, "svg") == 0);
    if (!read_attributes(r, name, &empty) || r->depth == DEPTH) {
        return false;
    }
    (void)snprintf(r->open[r->depth++], NAME, "%s", name);
    return !empty || close_element(r, name);
}

static bool
read_tag(reader *r)
{
    bool closing = r->at[1] == '/';
    r->at += closing ? 2 : 1;
    size_t length = strcspn(r->at, " />\n");
    char name[NAME];
    if (length == 0 || length >= NAME) {
        return wrong(r, "not a tag", r->at);
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)length, r->at);
    r->at += length;
    if (!closing) {
        return open_element(r, name);
    }
    return *r->at++ == '>' ? close_element(r, name) : wrong(r, "a tag that does not end", name);
}

static bool
check_links(reader *r)
{
    for (size_t i = 0; i < r->n_wanted; i++) {
        bool found = false;
        for (size_t k = 0; k < r->n_ids; k++) {
            found = found || strcmp(r->ids[k], r->wanted[i]) == 0;
        }
        if (!found) {
            return wrong(r, "nothing has the id", r->wanted[i]);
        }
    }
    return true;
}

static bool
read_page(reader *r)
{
    static const char doctype[] = "<!DOCTYPE html>\n";
    if (strncmp(r->at, doctype, sizeof doctype - 1) != 0) {
        return wrong(r, "no doctype", r->at);
    }
    r->at += sizeof doctype - 1;
    while (*r->at != '\0') {
        const char *end = r->at + strcspn(r->at, "<");
        if (!check_text(r, r->at, end)) {
            return false;
        }
        r->at = end;
        if (*end == '<' && !read_tag(r)) {
            return false;
        }
    }
    return (r->depth == 0 || wrong(r, "not closed", r->open[r->depth - 1])) && check_links(r);
}

const char *
markup_fault(const char *page, char why[MARKUP_WHY])
{
    reader *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return "no memory";
    }
    r->start = r->at = page;
    r->why = why;
    (void)snprintf(why, MARKUP_WHY, "it cannot be read");
    bool good = read_page(r);
    free(r);
    return good ? NULL : why;
}

size_t
markup_count(const char *page, const char *text)
{
    size_t n = 0;
    for (const char *at = strstr(page, text); at != NULL; at = strstr(at + 1, text)) {
        n++;
    }
    return n;
}
