/* SPDX-License-Identifier: GPL-3.0-or-later */
/* term.h -- what is heard, on the whole of a terminal: level, classes, how doubt goes, events, and keys. Main thread; one
 * display at a time. Nothing here waits: not for a key, not for sound, and not for a terminal that takes no more, but for
 * up to a second in vip_term_close.
 *
 * While a display is open, nobody else may write to the terminal: what would go to stderr is told by vip_term_notice.
 * Signals stay with the program, which has to call vip_term_close before it ends. Ctrl-Z gives the terminal back and stops
 * the program until the shell lets it go on. */
#ifndef VIP_UI_TERM_TERM_H
#define VIP_UI_TERM_TERM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <vipann/vipann.h>

typedef struct vip_term vip_term;

typedef struct {
    const char *title;
    uint32_t inputs;          /* 1 or more */
    const char *const *names; /* [inputs]; NULL, or NULL among them: has none */
    FILE *in, *out;           /* borrowed until vip_term_close: where keys come from, and the terminal */
    bool adjustable;          /* keys that change the engine have an effect; else they are neither shown nor obeyed */
} vip_term_setup;

/* Texts, here and below, are copied, and may hold anything: what could command the terminal shows as '?'. utc is that of
 * an input's time 0, or of a notice, in seconds since 1970; NaN: not known. */

/* Whether out is a terminal that a display can be opened on: TERM says which, and not "dumb". */
bool vip_term_can(FILE *out);

/* Takes the terminal. NULL: E_UNSUPPORTED (TERM is not known here, or the terminal cannot place the cursor); E_MEMORY. */
vip_term *vip_term_open(const vip_term_setup *setup, vipann_error *error);

/* Gives the terminal back as it was found. NULL is allowed. */
void vip_term_close(vip_term *term);

/* What is told from now on is of this model, of which a reference is kept. To be called whenever results or events of
 * another model follow, as often as one likes; what was told before keeps its names. */
void vip_term_model(vip_term *term, vipann_model *model);

void vip_term_result(vip_term *term, uint32_t input, const vipann_result *result);

/* To be told of the beginning and of the end; ids are unique per input. */
void vip_term_event(vip_term *term, uint32_t input, double utc, const vipann_event *event);

/* How the engine stands, as vip_stream_look has it. */
typedef struct {
    uint32_t passes;
    double hop_seconds;
    double load;        /* 0 .. 1 of a core, or more */
    double gap_seconds; /* of sound that was lost */
    double threshold;   /* NaN: the rules' own */
    uint64_t late_hops;
} vip_term_engine;

void vip_term_engine_state(vip_term *term, uint32_t input, const vip_term_engine *state);

/* What is worth knowing, in one line. */
void vip_term_notice(vip_term *term, double utc, const char *text);

typedef enum {
    VIP_TERM_NOTHING,
    VIP_TERM_QUIT,   /* a key, or the terminal has gone */
    VIP_TERM_RELOAD, /* the model */
    VIP_TERM_PASSES, /* these three by a step of 1 or -1, if adjustable */
    VIP_TERM_THRESHOLD,
    VIP_TERM_HOP
} vip_term_order;

/* Reads the keys that have been pressed, up to the first that orders something, and draws if 0.1 s have passed since it
 * last did and there is something new. now: s, of a clock that only goes forward. To be called again and again; returns
 * one order, with its step in *step. */
vip_term_order vip_term_turn(vip_term *term, double now, int *step);

#endif /* VIP_UI_TERM_TERM_H */
