/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clock.h -- clocks as numbers, and moments of the wall clock as text, the same in every locale. */
#ifndef VIP_COMMON_CLOCK_H
#define VIP_COMMON_CLOCK_H

#include <time.h>

/* Seconds of a clock, such as CLOCK_MONOTONIC. Thread: any but the audio thread. */
double vip_clock_seconds(clockid_t clock);

enum { VIP_CLOCK_SIZE = 32 }; /* bytes that hold any moment written here */

/* Both take seconds since 1970, round them to what they show, and return out; or NULL, and out means nothing, for what is
 * no moment of the years 1970 to 9999 in UTC: NaN, for instance. Thread: any but the audio thread. */

/* Date and time in UTC as RFC 3339 has them, with milliseconds: "2026-11-21T21:30:05.123Z". */
const char *vip_clock_utc(char out[VIP_CLOCK_SIZE], double seconds);

/* The time of the day with tenths, "21:30:05.1", in the time zone of the user: that of TZ as it is now, else the machine's. */
const char *vip_clock_local(char out[VIP_CLOCK_SIZE], double seconds);

#endif /* VIP_COMMON_CLOCK_H */
