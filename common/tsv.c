/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tsv.c -- see tsv.h for the contract. */
#include "tsv.h"

#include <math.h>

#include "number.h"
#include "text.h"

static void
separate(vip_tsv *tsv)
{
    if (tsv->begun) {
        (void)fputc('\t', tsv->out);
    }
    tsv->begun = true;
}

void
vip_tsv_text(vip_tsv *tsv, const char *text)
{
    separate(tsv);
    while (*text != '\0') {
        uint32_t c;
        size_t n = vip_next_character(text, SIZE_MAX, &c);
        if (c == VIP_NO_CHARACTER) {
            (void)fputs("\xef\xbf\xbd", tsv->out);
        } else if (vip_is_control(c)) {
            (void)fputc(' ', tsv->out);
        } else {
            (void)fwrite(text, 1, n, tsv->out);
        }
        text += n;
    }
}

void
vip_tsv_whole(vip_tsv *tsv, uint64_t value)
{
    separate(tsv);
    (void)fprintf(tsv->out, "%llu", (unsigned long long)value);
}

void
vip_tsv_fixed(vip_tsv *tsv, double value, int decimals)
{
    char text[VIP_NUMBER_SIZE];
    separate(tsv);
    if (isfinite(value)) {
        (void)fputs(vip_number_fixed(text, value, decimals), tsv->out);
    }
}

void
vip_tsv_end(vip_tsv *tsv)
{
    (void)fputc('\n', tsv->out);
    tsv->begun = false;
}
