/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tsv.h -- writes tables whose fields are separated by tabs and have no quotes, as programs for sound read them.
 *
 * Nothing can be escaped there: in a text, control characters become spaces, and bytes that are not UTF-8 become
 * U+FFFD. */
#ifndef VIP_COMMON_TSV_H
#define VIP_COMMON_TSV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct {
    FILE *out;  /* borrowed; errors of writing are found there with ferror */
    bool begun; /* the row has a field already */
} vip_tsv;

/* Each appends a field; one that is not finite is empty. */
void vip_tsv_text(vip_tsv *tsv, const char *text);
void vip_tsv_whole(vip_tsv *tsv, uint64_t value);
void vip_tsv_fixed(vip_tsv *tsv, double value, int decimals);

/* Ends the row. */
void vip_tsv_end(vip_tsv *tsv);

#endif /* VIP_COMMON_TSV_H */
