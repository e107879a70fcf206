/* SPDX-License-Identifier: GPL-3.0-or-later */
/* live.h -- a sub-command that hears live: what the clients of JACK and of PortAudio have in common. It opens the model,
 * listens to signals, hears each input with an engine of its own (one pumping thread per core), writes what is heard and
 * says on stderr what is worth knowing.
 *
 *   audio thread  vip_live_push: never waits, allocates or calls the system. Each input has one audio thread at a time
 *   main thread   all else
 *
 * A client makes one vip_live, calls begin when sound comes, turn again and again, and end when no more sound comes, such
 * as when a server has gone; it may begin anew, with another rate. Times go on: between an end and the next begin as much
 * passes as by the clock. */
#ifndef VIP_PLUGIN_LIVE_LIVE_H
#define VIP_PLUGIN_LIVE_LIVE_H

#include <stdbool.h>
#include <stdio.h>

#include <common/options.h>
#include <plugin/program/asked.h>
#include <vipann/vipann.h>

#include "notices.h"

typedef struct vip_live vip_live;

enum { VIP_LIVE_MOST_INPUTS = 64 };

typedef struct {
    const vip_arguments *arguments; /* borrowed; of a command whose table has VIP_LIVE_OPTIONS */
    uint32_t inputs;                /* 1 .. VIP_LIVE_MOST_INPUTS */
    const char *const *names;       /* [inputs], borrowed: what results call them */

    /* Called by turn and end for each event that begins or ends, ids unique per input; NULL: nobody wants to know. */
    void (*event)(void *user, uint32_t input, const vipann_event *event);
    void *user;

    FILE *out; /* borrowed; where results go, NULL: standard output */
} vip_live_setup;

/* What a turn says. */
typedef enum {
    VIP_LIVE_ON,     /* go on */
    VIP_LIVE_DONE,   /* all that was asked for has been heard, or SIGINT or SIGTERM came: end, exit status 0 */
    VIP_LIVE_FAILED, /* end, exit status 1; why has been said on stderr */
} vip_live_state;

/* Opens the model and the rules, and takes SIGINT, SIGTERM, SIGHUP and SIGPIPE. NULL: E_ARG (what was asked for contradicts
 * itself or the model), as vipann_model_open, vipann_rules_read; E_MEMORY. */
vip_live *vip_live_new(const vip_live_setup *setup, vipann_error *error);

/* After the last end; gives the signals back. NULL is allowed. */
void vip_live_free(vip_live *live);

/* Sound of this rate (Hz) and number of channels per input comes from now on. Errors: as vipann_engine_new; E_MEMORY. */
vipann_status vip_live_begin(vip_live *live, double rate, uint32_t channels, vipann_error *error);

/* Hears a block of an input: channels[channel][frames], any number of frames. What the analysis has no room for is lost and
 * counted. */
void vip_live_push(vip_live *live, uint32_t input, const float *const *channels, uint32_t frames) VIPANN_RT;

/* Where sound comes faster than real time: hears the block in this thread and waits until what is heard is written, so that
 * nothing is lost. Not real-time safe. May take turns with vip_live_push. */
void vip_live_push_all(vip_live *live, uint32_t input, const float *const *channels, uint32_t frames);

/* No push is under way or follows: hears what waits, ends events, writes it all. VIP_LIVE_FAILED if it could not be
 * written, which has been said; else VIP_LIVE_ON. */
vip_live_state vip_live_end(vip_live *live);

/* Writes what has been heard since, reloads model and rules if SIGHUP came, says what is worth knowing, and waits up to ten
 * milliseconds. Also while nothing has begun. */
vip_live_state vip_live_turn(vip_live *live);

/* One line on stderr behind the command's name, if it matters enough; what is repeated within a minute is said once. */
void vip_live_say(vip_live *live, vip_log_level level, const char *format, ...);

/* The options that clients share, behind those of their own that say what to hear, and before those that say what to write;
 * at the end stands VIP_OPTION_LOG. */
extern const vip_option VIP_OPTION_LIVE_DURATION, VIP_OPTION_LIVE_LATENCY, VIP_OPTION_LIVE_FORMAT,
    VIP_OPTION_LIVE_BEGINS;
extern const vip_option VIP_OPTION_DISPLAY; /* panel.c */
extern const vip_option VIP_OPTION_APPEND_JSONL, VIP_OPTION_APPEND_LABELS, VIP_OPTION_APPEND_LIMIT,
    VIP_OPTION_APPEND_KEEP; /* audience.c */

/* clang-format off */
#ifdef VIPANN_TERM
#define VIP_PANEL_OPTIONS &VIP_OPTION_DISPLAY,
#else
#define VIP_PANEL_OPTIONS /* built without ncurses */
#endif

#define VIP_LIVE_OPTIONS \
    &VIP_OPTION_LIVE_DURATION, \
    &VIP_OPTION_PRESET, &VIP_OPTION_MODEL, &VIP_OPTION_PASSES, &VIP_OPTION_MEMBERS, &VIP_OPTION_SEED, &VIP_OPTION_HOP, \
    &VIP_OPTION_WINDOW, &VIP_OPTION_HORIZON, &VIP_OPTION_LIVE_LATENCY, \
    &VIP_OPTION_RULES, &VIP_OPTION_THRESHOLD, &VIP_OPTION_ONLY, &VIP_OPTION_IGNORE, \
    VIP_PANEL_OPTIONS &VIP_OPTION_EVENTS, &VIP_OPTION_LIVE_BEGINS, &VIP_OPTION_LIVE_FORMAT, &VIP_OPTION_TOP, \
    &VIP_OPTION_APPEND_JSONL, &VIP_OPTION_APPEND_LABELS, &VIP_OPTION_APPEND_LIMIT, &VIP_OPTION_APPEND_KEEP
/* clang-format on */

#endif /* VIP_PLUGIN_LIVE_LIVE_H */
