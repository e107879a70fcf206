/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clock.c -- see clock.h for the contract. */
#include "clock.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

static const double END = 253402300800.0; /* seconds from 1970 to the year 10000 */

double
vip_clock_seconds(clockid_t clock)
{
    struct timespec now = {0};
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Splits a moment into whole seconds and the ticks beyond, `scale` of which are a second. What is shown is rounded first, so
 * that no :60 appears. */
static bool
split(double seconds, int scale, time_t *whole, int *ticks)
{
    if (!(seconds > -1 && seconds < END)) {
        return false;
    }
    long long all = llround(seconds * scale), second = all / scale;
    *whole = (time_t)second;
    *ticks = (int)(all % scale);
    return all >= 0 && second < (long long)END && *whole == second; /* time_t may have 32 bits */
}

const char *
vip_clock_utc(char out[VIP_CLOCK_SIZE], double seconds)
{
    time_t whole;
    struct tm tm;
    int ticks;
    if (!split(seconds, 1000, &whole, &ticks) || gmtime_r(&whole, &tm) == NULL) {
        return NULL;
    }
    size_t n = strftime(out, VIP_CLOCK_SIZE, "%Y-%m-%dT%H:%M:%S", &tm); /* digits only, which no locale changes */
    (void)snprintf(out + n, VIP_CLOCK_SIZE - n, ".%03dZ", ticks);
    return out;
}

const char *
vip_clock_local(char out[VIP_CLOCK_SIZE], double seconds)
{
    time_t whole;
    struct tm tm;
    int ticks;
    if (!split(seconds, 10, &whole, &ticks)) {
        return NULL;
    }
    tzset(); /* localtime_r need not look at TZ itself */
    if (localtime_r(&whole, &tm) == NULL) {
        return NULL;
    }
    size_t n = strftime(out, VIP_CLOCK_SIZE, "%H:%M:%S", &tm);
    (void)snprintf(out + n, VIP_CLOCK_SIZE - n, ".%d", ticks);
    return out;
}
