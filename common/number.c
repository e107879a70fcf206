/* SPDX-License-Identifier: GPL-3.0-or-later */
/* number.c -- see number.h for the contract. */
#include "number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A host may have chosen a locale whose decimal sign is a comma or several bytes: whatever printf writes that belongs
 * to no number is that sign. */
static const char *
with_point(char *text)
{
    char *to = text;
    bool in_sign = false;
    for (const char *from = text; *from != '\0'; from++) {
        bool plain = strchr("0123456789+-e", *from) != NULL;
        if (plain || !in_sign) {
            *to++ = plain ? *from : '.';
        }
        in_sign = !plain;
    }
    *to = '\0';
    return text;
}

const char *
vip_number_write(char out[VIP_NUMBER_SIZE], double value, int digits)
{
    if (!isfinite(value)) {
        (void)snprintf(out, VIP_NUMBER_SIZE, "null");
        return out;
    }
    (void)snprintf(out, VIP_NUMBER_SIZE, "%.*g", digits, value == 0 ? 0.0 : value); /* no "-0" */
    return with_point(out);
}

const char *
vip_number_fixed(char out[VIP_NUMBER_SIZE], double value, int decimals)
{
    (void)snprintf(out, VIP_NUMBER_SIZE, "%.*f", decimals, value);
    return with_point(out);
}

const char *
vip_number_clock(char out[VIP_NUMBER_SIZE], double seconds, int decimals)
{
    static const unsigned long long scales[] = {1, 10, 100, 1000};
    unsigned long long scale = scales[decimals];
    unsigned long long ticks =
        (unsigned long long)llround(seconds * (double)scale); /* first, so that no 0:60 appears */
    unsigned long long whole = ticks / scale, hours = whole / 3600, minutes = whole / 60 % 60;
    int n = hours > 0 ? snprintf(out, VIP_NUMBER_SIZE, "%llu:%02llu:%02llu", hours, minutes, whole % 60)
                      : snprintf(out, VIP_NUMBER_SIZE, "%llu:%02llu", minutes, whole % 60);
    if (decimals > 0 && n > 0 && n + 2 + decimals <= VIP_NUMBER_SIZE) {
        out[n++] = '.';
        for (scale /= 10; scale > 0; scale /= 10) {
            out[n++] = (char)('0' + ticks / scale % 10);
        }
        out[n] = '\0';
    }
    return out;
}
