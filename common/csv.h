/* SPDX-License-Identifier: GPL-3.0-or-later */
/* csv.h -- writes tables as RFC 4180 describes them: commas, quotes where needed, lines that end in CR LF. */
#ifndef VIP_COMMON_CSV_H
#define VIP_COMMON_CSV_H

#include <stdbool.h>
#include <stdio.h>

typedef struct {
    FILE *out;  /* borrowed; errors of writing are found there with ferror */
    bool begun; /* the row has a field already */
} vip_csv;

/* Appends a field; text is quoted if it must be, and NULL is an empty field. Bytes that are not UTF-8 and control
 * characters other than line breaks and tabs become U+FFFD. */
void vip_csv_text(vip_csv *csv, const char *text);

/* Appends a number with at most `digits` significant digits; one that is not finite is an empty field. */
void vip_csv_number(vip_csv *csv, double value, int digits);

/* Ends the row. */
void vip_csv_end(vip_csv *csv);

#endif /* VIP_COMMON_CSV_H */
