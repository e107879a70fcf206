/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jsonl.c -- see jsonl.h for the contract. */
#include "jsonl.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "number.h"
#include "text.h"

static void
put_string(vip_json *json, const char *text)
{
    (void)fputc('"', json->out);
    while (*text != '\0') {
        uint32_t c;
        size_t n = vip_next_character(text, SIZE_MAX, &c);
        if (c == '"' || c == '\\') {
            (void)fprintf(json->out, "\\%c", (int)c);
        } else if (vip_is_control(c)) {
            (void)fprintf(json->out, "\\u%04x", (unsigned)c);
        } else if (c == VIP_NO_CHARACTER) {
            (void)fputs("\\ufffd", json->out);
        } else {
            (void)fwrite(text, 1, n, json->out);
        }
        text += n;
    }
    (void)fputc('"', json->out);
}

static void
begin_value(vip_json *json, const char *key)
{
    if (json->begun[json->depth]) {
        (void)fputc(',', json->out);
    }
    json->begun[json->depth] = true;
    if (key != NULL) {
        put_string(json, key);
        (void)fputc(':', json->out);
    }
}

static void
end_value(vip_json *json)
{
    if (json->depth == 0) {
        (void)fputc('\n', json->out);
        json->begun[0] = false;
    }
}

void
vip_json_text(vip_json *json, const char *key, const char *text)
{
    if (text == NULL) {
        vip_json_null(json, key);
        return;
    }
    begin_value(json, key);
    put_string(json, text);
    end_value(json);
}

static void
put_word(vip_json *json, const char *key, const char *word)
{
    begin_value(json, key);
    (void)fputs(word, json->out);
    end_value(json);
}

void
vip_json_number(vip_json *json, const char *key, double value, int digits)
{
    char text[VIP_NUMBER_SIZE];
    put_word(json, key, vip_number_write(text, value, digits));
}

void
vip_json_whole(vip_json *json, const char *key, uint64_t value)
{
    char text[VIP_NUMBER_SIZE];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    put_word(json, key, text);
}

void
vip_json_truth(vip_json *json, const char *key, bool value)
{
    put_word(json, key, value ? "true" : "false");
}

void
vip_json_null(vip_json *json, const char *key)
{
    put_word(json, key, "null");
}

static void
open_value(vip_json *json, const char *key, char opening, char closing)
{
    assert(json->depth < VIP_JSON_DEPTH);
    begin_value(json, key);
    (void)fputc(opening, json->out);
    json->depth++;
    json->begun[json->depth] = false;
    json->closing[json->depth] = closing;
}

void
vip_json_object(vip_json *json, const char *key)
{
    open_value(json, key, '{', '}');
}

void
vip_json_array(vip_json *json, const char *key)
{
    open_value(json, key, '[', ']');
}

void
vip_json_close(vip_json *json)
{
    assert(json->depth > 0);
    (void)fputc(json->closing[json->depth], json->out);
    json->depth--;
    end_value(json);
}
