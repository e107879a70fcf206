/* SPDX-License-Identifier: GPL-3.0-or-later */
/* notices.h -- lines on stderr of a program that runs for weeks: what is repeated within a minute is said once. Main
 * thread. */
#ifndef VIP_PLUGIN_LIVE_NOTICES_H
#define VIP_PLUGIN_LIVE_NOTICES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <common/options.h>

enum { VIP_NOTICES = 32 };

/* Takes a line instead of stderr: where that is behind a display. */
typedef void vip_notices_show(void *user, const char *text);

/* How much a line matters, as --log has it: why the program ends; what is lost or wrong; what changes; how it stands. */
typedef enum { VIP_LOG_ERROR, VIP_LOG_WARNING, VIP_LOG_NOTICE, VIP_LOG_DEBUG } vip_log_level;

typedef struct {
    const char *command;    /* borrowed; stands before each line */
    vip_log_level most;     /* what matters less is not said */
    bool journal;           /* lines go to systemd's journal, which is told how much each matters */
    vip_notices_show *show; /* instead of stderr, with user; NULL: stderr */
    void *user;
    struct {
        const char *format; /* what tells notices apart */
        double said;        /* s */
    } of[VIP_NOTICES];
    size_t n;
} vip_notices;

/* Whether it may be said at the time `now` (s, of any clock that only goes forward), and if so takes a note of it. format
 * must last as long as the notices. */
bool vip_notices_may(vip_notices *notices, const char *format, double now);

/* Says it whether or not it has been said: an answer to what was asked. */
void vip_notices_answer(const vip_notices *notices, vip_log_level level, const char *format, va_list arguments);

/* Says it, if it may be said; what ends the program is said in any case. */
void vip_notices_say(vip_notices *notices, vip_log_level level, const char *format, va_list arguments);

/* --log, and what it says; journal is found out. */
extern const vip_option VIP_OPTION_LOG;
void vip_notices_asked(vip_notices *notices, const vip_arguments *arguments);

#endif /* VIP_PLUGIN_LIVE_NOTICES_H */
