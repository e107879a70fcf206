/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hook.h -- a command of the user's that is run for each event. What happened stands in its environment and is never part of
 * the command, so no label can say what is run. Main thread; nothing here waits for a command but vip_hook_free. */
#ifndef VIP_PLUGIN_OUT_HOOK_H
#define VIP_PLUGIN_OUT_HOOK_H

#include <stdbool.h>

#include <common/options.h>
#include <vipann/vipann.h>

#include "told.h"

typedef struct vip_hook vip_hook;

enum { VIP_HOOK_AT_ONCE = 8 };

typedef struct {
    const char *command; /* borrowed; what /bin/sh -c is given */
    uint32_t a_minute;   /* how many may begin within any minute, 1 .. 6000; what is beyond is left out and counted */
    double patience;     /* s; a command that takes longer is killed, with all that it began */
} vip_hook_setup;

/* What has gone wrong since the last look. */
typedef struct {
    uint64_t left_out;  /* too many in a minute, or VIP_HOOK_AT_ONCE are running */
    uint64_t failed;    /* ended with another status than 0, */
    int status;         /* the newest of these: 1 .. 255, or 128 + the signal */
    uint64_t killed;    /* took too long */
    uint64_t unstarted; /* could not be run, */
    int why;            /* errno of the newest of these */
} vip_hook_news;

/* NULL: E_MEMORY. */
vip_hook *vip_hook_new(const vip_hook_setup *setup, vipann_error *error);

/* Gives what is running a second to end, then ends it. NULL is allowed. */
void vip_hook_free(vip_hook *hook);

/* Runs the command, or counts that it could not. now: s, of a clock that only goes forward. */
void vip_hook_run(vip_hook *hook, const vip_told *event, double now);

/* Looks which commands have ended and which take too long; true: *news tells of something. */
bool vip_hook_look(vip_hook *hook, double now, vip_hook_news *news);

/* --on-event and its limits. */
extern const vip_option VIP_OPTION_ON_EVENT, VIP_OPTION_ON_EVENT_MOST, VIP_OPTION_ON_EVENT_PATIENCE;

/* From these options; *hook is NULL, and that is no failure, if there is no command. Errors: E_MEMORY. */
vipann_status vip_hook_asked(const vip_arguments *arguments, vip_hook **hook, vipann_error *error);

#endif /* VIP_PLUGIN_OUT_HOOK_H */
