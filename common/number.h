/* SPDX-License-Identifier: GPL-3.0-or-later */
/* number.h -- numbers to text and, through base/words.h, back: with a decimal point whatever the locale says. */
#ifndef VIP_COMMON_NUMBER_H
#define VIP_COMMON_NUMBER_H

#include <base/words.h>

enum { VIP_NUMBER_SIZE = 32 }; /* bytes that hold any number written here */

/* Writes value with at most `digits` significant digits (1 .. 17), as JSON and CSV want it, and returns out. What is
 * not finite becomes "null". */
const char *vip_number_write(char out[VIP_NUMBER_SIZE], double value, int digits);

/* Writes value, |value| < 1e15, with exactly `decimals` decimals (0 .. 9) and returns out. */
const char *vip_number_fixed(char out[VIP_NUMBER_SIZE], double value, int decimals);

/* Writes seconds, 0 or more, as m:ss or h:mm:ss with `decimals` decimals (0 .. 3) and returns out. */
const char *vip_number_clock(char out[VIP_NUMBER_SIZE], double seconds, int decimals);

#endif /* VIP_COMMON_NUMBER_H */
