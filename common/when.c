/* SPDX-License-Identifier: GPL-3.0-or-later */
/* when.c -- see when.h for the contract. */
#define _DEFAULT_SOURCE /* timegm */
#include "when.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <base/status.h>

#include "number.h"

enum { LONGEST = 24 };

/* A number of seconds, minutes, hours, days or weeks. */
static bool
read_span(const char *text, double *seconds)
{
    static const struct {
        char letter;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    const size_t n = strlen(text);
    char number[LONGEST];
    if (n < 2 || n > sizeof number) {
        return false;
    }
    (void)snprintf(number, sizeof number, "%.*s", (int)(n - 1), text);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (units[i].letter == text[n - 1] && vip_number_read(number, seconds) && *seconds >= 0) {
            *seconds *= units[i].seconds;
            return true;
        }
    }
    return false;
}

/* So many digits, and what stands behind them. */
static bool
read_part(const char **at, int digits, int least, int most, int *out)
{
    *out = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9') {
            return false;
        }
        *out = 10 * *out + (**at - '0');
    }
    return *out >= least && *out <= most;
}

static bool
is_next(const char **at, char c)
{
    const bool is = **at == c;
    *at += is;
    return is;
}

static bool
read_moment(const char *text, double *seconds)
{
    struct tm t = {.tm_isdst = -1};
    int year, month;
    const char *at = text;
    if (!read_part(&at, 4, 1970, 9999, &year) || !is_next(&at, '-') || !read_part(&at, 2, 1, 12, &month) ||
        !is_next(&at, '-') || !read_part(&at, 2, 1, 31, &t.tm_mday)) {
        return false;
    }
    t.tm_year = year - 1900;
    t.tm_mon = month - 1;
    if (is_next(&at, 'T') &&
        (!read_part(&at, 2, 0, 23, &t.tm_hour) || !is_next(&at, ':') || !read_part(&at, 2, 0, 59, &t.tm_min) ||
         (is_next(&at, ':') && !read_part(&at, 2, 0, 59, &t.tm_sec)))) {
        return false;
    }
    const bool utc = is_next(&at, 'Z');
    const int day = t.tm_mday;
    const time_t moment = utc ? timegm(&t) : mktime(&t);
    *seconds = (double)moment;
    return *at == '\0' && t.tm_mday == day; /* there is no 31st of June */
}

vipann_status
vip_when_read(const char *text, double now, const char *where, double *out, vipann_error *error)
{
    double span;
    if (read_span(text, &span)) {
        *out = now - span;
        return VIPANN_OK;
    }
    if (read_moment(text, out)) {
        return VIPANN_OK;
    }
    return vip_fail(
        error, VIPANN_E_ARG,
        "%s: found \"%.60s\"; expected a moment such as 2026-12-01T14:30 (UTC: with a Z behind it), or a span "
        "back from now such as 90s, 15m, 2h, 3d or 1w",
        where, text);
}
