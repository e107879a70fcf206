/* SPDX-License-Identifier: GPL-3.0-or-later */
/* notices.c -- see notices.h for the contract. */
#include "notices.h"

#include <stdio.h>
#include <time.h>

static const double REPEAT_S = 60;

bool
vip_notices_may(vip_notices *notices, const char *format, double now)
{
    size_t i = 0;
    while (i < notices->n && notices->of[i].format != format) {
        i++;
    }
    if (i < notices->n && now - notices->of[i].said < REPEAT_S) {
        return false;
    }
    if (i == notices->n && i < VIP_NOTICES) {
        notices->n++;
    }
    if (i < VIP_NOTICES) {
        notices->of[i].format = format;
        notices->of[i].said = now;
    }
    return true;
}

void
vip_notices_answer(const vip_notices *notices, const char *format, va_list arguments)
{
    char text[512];
    (void)vsnprintf(text, sizeof text, format, arguments);
    (void)fprintf(stderr, "%s: %s\n", notices->command, text);
}

void
vip_notices_say(vip_notices *notices, const char *format, va_list arguments)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    if (vip_notices_may(notices, format, (double)now.tv_sec)) {
        vip_notices_answer(notices, format, arguments);
    }
}
