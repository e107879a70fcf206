/* SPDX-License-Identifier: GPL-3.0-or-later */
/* notices.h -- lines on stderr of a program that runs for weeks: what is repeated within a minute is said once. Main
 * thread. */
#ifndef VIP_PLUGIN_LIVE_NOTICES_H
#define VIP_PLUGIN_LIVE_NOTICES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum { VIP_NOTICES = 32 };

typedef struct {
    const char *command; /* borrowed; stands before each line */
    struct {
        const char *format; /* what tells notices apart */
        double said;        /* s */
    } of[VIP_NOTICES];
    size_t n;
} vip_notices;

/* Whether it may be said at the time `now` (s, of any clock that only goes forward), and if so takes a note of it. format
 * must last as long as the notices. */
bool vip_notices_may(vip_notices *notices, const char *format, double now);

/* Says it in any case: an answer to what was asked. */
void vip_notices_answer(const vip_notices *notices, const char *format, va_list arguments);

/* Says it, if it may be said. */
void vip_notices_say(vip_notices *notices, const char *format, va_list arguments);

#endif /* VIP_PLUGIN_LIVE_NOTICES_H */
