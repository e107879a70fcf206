/* SPDX-License-Identifier: GPL-3.0-or-later */
/* csv.c -- see csv.h for the contract. */
#include "csv.h"

#include <math.h>
#include <string.h>

#include "number.h"
#include "text.h"

static const char REPLACEMENT[] = "\xef\xbf\xbd"; /* U+FFFD */

static void
separate(vip_csv *csv)
{
    if (csv->begun) {
        (void)fputc(',', csv->out);
    }
    csv->begun = true;
}

/* The table stays UTF-8 that commands no terminal; line breaks and tabs are a text's own. */
static void
put_text(FILE *out, const char *text)
{
    while (*text != '\0') {
        uint32_t c;
        size_t n = vip_next_character(text, SIZE_MAX, &c);
        bool shown = c != VIP_NO_CHARACTER && (!vip_is_control(c) || c == '\n' || c == '\r' || c == '\t');
        (void)fwrite(shown ? text : REPLACEMENT, 1, shown ? n : sizeof REPLACEMENT - 1, out);
        if (c == '"') {
            (void)fputc('"', out); /* such a text is quoted, and a quote in it stands twice */
        }
        text += n;
    }
}

void
vip_csv_text(vip_csv *csv, const char *text)
{
    separate(csv);
    if (text == NULL) {
        return;
    }
    /* a leading or trailing space is no reason by the standard, but some readers would trim it */
    size_t length = strlen(text);
    bool quote = strpbrk(text, ",\"\r\n") != NULL || (length > 0 && (text[0] == ' ' || text[length - 1] == ' '));
    if (!quote) {
        put_text(csv->out, text);
        return;
    }
    (void)fputc('"', csv->out);
    put_text(csv->out, text);
    (void)fputc('"', csv->out);
}

void
vip_csv_number(vip_csv *csv, double value, int digits)
{
    char text[VIP_NUMBER_SIZE];
    separate(csv);
    if (isfinite(value)) {
        (void)fputs(vip_number_write(text, value, digits), csv->out);
    }
}

void
vip_csv_end(vip_csv *csv)
{
    (void)fputs("\r\n", csv->out);
    csv->begun = false;
}
