/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fuzz_writers.c -- any texts and numbers as JSON, CSV, TSV and text for eyes: another reader gets back what was
 * written, and nothing that is written can steer a terminal. */
#include "fuzz.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <common/csv.h>
#include <common/jsonl.h>
#include <common/number.h>
#include <common/text.h>
#include <common/tsv.h>

enum { MOST_TEXT = 96, MOST_READ = 3 * MOST_TEXT }; /* bytes of a text, before and after it is mended */

/* What a writer has said. */
typedef struct {
    FILE *out;
    char *text;
    size_t n;
} page;

static void
page_begin(page *p)
{
    *p = (page){NULL, NULL, 0};
    p->out = open_memstream(&p->text, &p->n);
    fuzz_check(p->out != NULL);
}

static void
page_end(page *p)
{
    fuzz_check(fclose(p->out) == 0);
}

/* Copies the text with U+FFFD for bytes that are not UTF-8 and, unless they are to be kept, for control characters but
 * line breaks and tabs. Returns its length. */
static size_t
mend(const char *text, char out[MOST_READ + 1], bool keep_controls)
{
    size_t n = 0;
    while (*text != '\0') {
        uint32_t c;
        size_t bytes = vip_next_character(text, SIZE_MAX, &c);
        bool control = (c < 0x20 && c != '\n' && c != '\r' && c != '\t') || (c >= 0x7f && c < 0xa0);
        bool kept = c != VIP_NO_CHARACTER && (keep_controls || !control);
        memcpy(out + n, kept ? text : "\xef\xbf\xbd", kept ? bytes : 3);
        n += kept ? bytes : 3;
        text += bytes;
    }
    out[n] = '\0';
    return n;
}

/* ------------------------------------------------------------------------------------------------------------- JSON */

/* The text as a reader of JSON is to get it. */
static json_t *
expected_text(const char *text)
{
    char out[MOST_READ + 1];
    size_t n = mend(text, out, true);
    json_t *value = json_stringn(out, n);
    fuzz_check(value != NULL); /* jansson finds it to be UTF-8 too */
    return value;
}

/* Keys are numbered, so that none comes twice. */
static void
add(json_t *to, const char *key, json_t *value)
{
    if (json_is_object(to)) {
        json_t *name = expected_text(key);
        fuzz_check(json_object_set_new(to, json_string_value(name), value) == 0);
        json_decref(name);
    } else {
        fuzz_check(json_array_append_new(to, value) == 0);
    }
}

static json_t *
write_leaf(fuzz_bytes *bytes, vip_json *json, const char *key)
{
    char text[MOST_TEXT + 1];
    uint64_t whole;
    double number;
    switch (fuzz_byte(bytes) % 5) {
    case 0:
        (void)fuzz_text(bytes, text, MOST_TEXT);
        vip_json_text(json, key, text);
        return expected_text(text);
    case 1:
        number = fuzz_double(bytes);
        vip_json_number(json, key, number, 17);
        return isfinite(number) ? json_real(number) : json_null();
    case 2:
        whole = (uint64_t)fuzz_word(bytes) << 31; /* jansson's numbers have a sign: not all 64 bits */
        vip_json_whole(json, key, whole);
        return json_integer((json_int_t)whole);
    case 3:
        vip_json_truth(json, key, key != NULL);
        return json_boolean(key != NULL);
    default:
        vip_json_text(json, key, NULL);
        return json_null();
    }
}

/* Writes members of the open object or array, and what is in them. */
static void
write_members(fuzz_bytes *bytes, vip_json *json, json_t *expected, unsigned depth)
{
    const bool object = json_is_object(expected);
    for (unsigned i = fuzz_byte(bytes) % 8; i > 0; i--) {
        char name[MOST_TEXT + 16];
        int n = snprintf(name, sizeof name, "%zu ", json_object_size(expected));
        (void)fuzz_text(bytes, name + n, 20);
        const char *key = object ? name : NULL;
        if (fuzz_byte(bytes) % 3 == 0 && depth < VIP_JSON_DEPTH) {
            bool inner = fuzz_byte(bytes) % 2 != 0;
            json_t *value = inner ? json_object() : json_array();
            if (inner) {
                vip_json_object(json, key);
            } else {
                vip_json_array(json, key);
            }
            write_members(bytes, json, value, depth + 1);
            vip_json_close(json);
            add(expected, name, value);
        } else {
            add(expected, name, write_leaf(bytes, json, key));
        }
    }
}

/* Equal but for the kind of number: 1 is written for 1.0. */
static bool
same(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) {
        return json_is_integer(a) && json_is_integer(b) ? json_integer_value(a) == json_integer_value(b)
                                                        : json_number_value(a) == json_number_value(b);
    }
    if (json_is_object(a) && json_is_object(b) && json_object_size(a) == json_object_size(b)) {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)a, key, value)
        {
            if (!same(value, json_object_get(b, key))) {
                return false;
            }
        }
        return true;
    }
    if (json_is_array(a) && json_is_array(b) && json_array_size(a) == json_array_size(b)) {
        for (size_t i = 0; i < json_array_size(a); i++) {
            if (!same(json_array_get(a, i), json_array_get(b, i))) {
                return false;
            }
        }
        return true;
    }
    return json_equal(a, b);
}

static void
check_json(fuzz_bytes *bytes)
{
    page p;
    page_begin(&p);
    vip_json json = {.out = p.out};
    json_t *expected = json_object();
    vip_json_object(&json, NULL);
    write_members(bytes, &json, expected, 1);
    vip_json_close(&json);
    page_end(&p);
    fuzz_check(p.n > 0 && p.text[p.n - 1] == '\n');
    p.text[p.n - 1] = '\0';
    fuzz_check(fuzz_is_line(p.text));
    json_t *read = json_loads(p.text, JSON_REJECT_DUPLICATES, NULL);
    fuzz_check(read != NULL && same(read, expected));
    json_decref(read);
    json_decref(expected);
    free(p.text);
}

/* -------------------------------------------------------------------------------------------------------------- CSV */

/* Reads one field as RFC 4180 has it, appends it to out and says what ended it: ',' or '\n'. */
static char
read_field(const char **at, char *out)
{
    const char *s = *at;
    size_t n = 0;
    if (*s == '"') {
        for (s++; *s != '"' || s[1] == '"'; s++) {
            s += *s == '"';
            fuzz_check(*s != '\0' && n < MOST_READ);
            out[n++] = *s;
        }
        s++;
    } else {
        for (; *s != ',' && *s != '\r'; s++) {
            fuzz_check(*s != '\0' && *s != '"' && *s != '\n' && n < MOST_READ);
            out[n++] = *s;
        }
    }
    out[n] = '\0';
    char end = *s == '\r' ? '\n' : *s;
    fuzz_check(end == ',' || (end == '\n' && s[1] == '\n'));
    *at = s + (end == ',' ? 1 : 2);
    return end;
}

static void
check_csv(fuzz_bytes *bytes)
{
    enum { MOST_FIELDS = 6 };
    char fields[MOST_FIELDS][MOST_READ + 1], read[MOST_READ + 1], text[MOST_TEXT + 1];
    const size_t n = 1 + fuzz_byte(bytes) % MOST_FIELDS;
    page p;
    page_begin(&p);
    vip_csv csv = {.out = p.out};
    for (size_t i = 0; i < n; i++) {
        if (fuzz_byte(bytes) % 4 == 0) {
            double number = fuzz_double(bytes);
            (void)vip_number_write(fields[i], number, 9);
            fields[i][0] = isfinite(number) ? fields[i][0] : '\0';
            vip_csv_number(&csv, number, 9);
        } else {
            (void)fuzz_text(bytes, text, MOST_TEXT);
            vip_csv_text(&csv, text);
            (void)mend(text, fields[i], false);
        }
    }
    vip_csv_end(&csv);
    page_end(&p);
    const char *at = p.text;
    for (size_t i = 0; i < n; i++) {
        fuzz_check(read_field(&at, read) == (i + 1 < n ? ',' : '\n'));
        fuzz_check(strcmp(read, fields[i]) == 0);
    }
    fuzz_check(*at == '\0');
    free(p.text);
}

/* -------------------------------------------------------------------------------------------------------------- TSV */

/* As many fields come out, each of as many characters, and none can end a field or steer a terminal. */
static void
check_tsv(fuzz_bytes *bytes)
{
    enum { MOST_FIELDS = 6 };
    size_t cells[MOST_FIELDS], n = 1 + fuzz_byte(bytes) % MOST_FIELDS;
    page p;
    page_begin(&p);
    vip_tsv tsv = {.out = p.out};
    for (size_t i = 0; i < n; i++) {
        char text[MOST_TEXT + 1];
        (void)fuzz_text(bytes, text, MOST_TEXT);
        cells[i] = vip_text_cells(text);
        vip_tsv_text(&tsv, text);
    }
    vip_tsv_end(&tsv);
    page_end(&p);
    char *at = p.text;
    for (size_t i = 0; i < n; i++) {
        char *end = at + strcspn(at, "\t\n");
        fuzz_check(*end == (i + 1 < n ? '\t' : '\n'));
        *end = '\0';
        fuzz_check((*at == '\0' || fuzz_is_line(at)) && vip_text_cells(at) == cells[i]);
        at = end + 1;
    }
    fuzz_check(at == p.text + p.n);
    free(p.text);
}

/* ---------------------------------------------------------------------------------------------------- text, numbers */

static void
check_text(fuzz_bytes *bytes)
{
    char text[MOST_TEXT + 1];
    (void)fuzz_text(bytes, text, MOST_TEXT);
    const vip_text_style style = {.unicode = fuzz_byte(bytes) % 2 != 0};
    const size_t least = fuzz_byte(bytes) % 40, most = least + fuzz_byte(bytes) % 40;
    page p;
    page_begin(&p);
    size_t cells = vip_text_put(p.out, &style, text, least, most);
    page_end(&p);
    fuzz_check(cells >= least && cells <= (most > 0 ? most : 0) && cells == vip_text_cells(p.text));
    fuzz_check(p.n == 0 || fuzz_is_line(p.text));
    free(p.text);

    page_begin(&p);
    vip_text_wrap(p.out, text, 0, 2, 20);
    page_end(&p);
    fuzz_check(p.n > 0 && p.text[p.n - 1] == '\n');
    for (char *line = strtok(p.text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        fuzz_check(fuzz_is_line(line));
    }
    free(p.text);

    const char *tail = vip_text_tail(text, most);
    fuzz_check(tail >= text && strlen(tail) <= most && (most < strlen(text) || tail == text));

    page_begin(&p);
    vip_text_bar(p.out, &style, fuzz_double(bytes), least);
    page_end(&p);
    fuzz_check(vip_text_cells(p.text) == least && (p.n == 0 || fuzz_is_line(p.text)));
    free(p.text);
}

static void
check_numbers(fuzz_bytes *bytes)
{
    char out[VIP_NUMBER_SIZE], text[MOST_TEXT + 1];
    double number = fuzz_double(bytes), read = 0;
    (void)vip_number_write(out, number, 17);
    if (isfinite(number)) {
        fuzz_check(vip_number_read(out, &read) && read == number);
    } else {
        fuzz_check(strcmp(out, "null") == 0 && !vip_number_read(out, &read));
    }
    if (fabs(number) < 1e15) {
        int decimals = fuzz_byte(bytes) % 10;
        (void)vip_number_fixed(out, number, decimals);
        fuzz_check(vip_number_read(out, &read) &&
                   fabs(read - number) <= 0.5000001 * pow(10, -decimals) + 1e-15 * fabs(number));
        if (number >= 0) {
            fuzz_check(fuzz_is_line(vip_number_clock(out, number, decimals % 4)));
        }
    }
    (void)fuzz_text(bytes, text, MOST_TEXT);
    read = 3.5;
    fuzz_check(vip_number_read(text, &read) ? isfinite(read) : read == 3.5);
    uint64_t whole = 7;
    if (vip_number_read_whole(text, &whole)) {
        (void)snprintf(out, sizeof out, "%llu", (unsigned long long)whole);
        fuzz_check(strcmp(out, text + (strspn(text, "0") < strlen(text) ? strspn(text, "0") : strlen(text) - 1)) == 0);
    } else {
        fuzz_check(whole == 7);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes bytes = {data, size};
    do {
        switch (fuzz_byte(&bytes) % 5) {
        case 0:
            check_json(&bytes);
            break;
        case 1:
            check_csv(&bytes);
            break;
        case 2:
            check_text(&bytes);
            break;
        case 3:
            check_tsv(&bytes);
            break;
        default:
            check_numbers(&bytes);
        }
    } while (bytes.left > 0);
    return 0;
}
