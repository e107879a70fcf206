/* SPDX-License-Identifier: GPL-3.0-or-later */
/* csv.c -- see csv.h for the contract. */
#include "csv.h"

#include <math.h>
#include <string.h>

#include "number.h"

static void
separate(vip_csv *csv)
{
    if (csv->begun) {
        (void)fputc(',', csv->out);
    }
    csv->begun = true;
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
        (void)fputs(text, csv->out);
        return;
    }
    (void)fputc('"', csv->out);
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            (void)fputc('"', csv->out);
        }
        (void)fputc(*text, csv->out);
    }
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
