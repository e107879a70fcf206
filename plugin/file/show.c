/* SPDX-License-Identifier: GPL-3.0-or-later */
/* show.c -- see show.h for the contract. Built where ncurses is there. */
#include "show.h"

#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <common/clock.h>
#include <common/support.h>
#include <plugin/live/signals.h>
#include <ui/term/term.h>

enum { NOTICE = 160 };
static const struct timespec A_WHILE = {0, 20000000};

typedef struct {
    vip_term *term;
    const vip_analysis *analysis;
    double zero;  /* where the clock on the wall would show 0:00, so that times are those of the recording */
    double begun; /* s, of the clock that only goes forward */
    double t;     /* s of the recording that have been heard */
} screen;

/* Midnight of a day without a change of the clock. */
static double
midnight(void)
{
    struct tm day = {.tm_year = 71, .tm_mon = 5, .tm_mday = 15, .tm_isdst = -1};
    return (double)mktime(&day);
}

/* False: the program is to end. */
static bool
turn(screen *s)
{
    int step;
    return !vip_signals_end() && vip_term_turn(s->term, vip_clock_seconds(CLOCK_MONOTONIC), &step) != VIP_TERM_QUIT;
}

static bool
begin(void *user, const vip_audio_facts *facts, const vipann_options *options)
{
    (void)facts;
    (void)options;
    return turn(user);
}

static bool
take_result(void *user, const vipann_result *result)
{
    screen *s = user;
    const double took = vip_clock_seconds(CLOCK_MONOTONIC) - s->begun;
    vipann_model_info info;
    vipann_model_describe(s->analysis->model, &info);
    s->t = result->t_seconds;
    const vip_term_engine engine = {.passes = result->passes,
                                    .hop_seconds = s->analysis->options.hop_columns * info.column_seconds,
                                    .load = s->t > 0 ? took / s->t : 0,
                                    .threshold = (double)NAN};
    vip_term_engine_state(s->term, 0, &engine);
    vip_term_result(s->term, 0, result);
    return turn(s);
}

static bool
take_event(void *user, const vipann_event *event)
{
    screen *s = user;
    vip_term_event(s->term, 0, s->zero, event);
    return turn(s);
}

static bool
progress(void *user, double fraction)
{
    (void)fraction;
    return turn(user);
}

static bool
note(void *user, const char *text)
{
    screen *s = user;
    vip_term_notice(s->term, s->zero + s->t, text);
    return true;
}

/* What has been heard stays until a key is pressed. */
static void
wait_for_the_end(screen *s, const vipann_error *error)
{
    char text[NOTICE];
    (void)snprintf(text, sizeof text, "%s; q ends", error->text[0] != '\0' ? error->text : "all of it has been heard");
    vip_term_notice(s->term, s->zero + s->t, text);
    while (turn(s)) {
        (void)nanosleep(&A_WHILE, NULL);
    }
}

vipann_status
vip_show(const vip_analysis *analysis, const char *path, const char *title, vipann_error *error)
{
    vip_analysis all = *analysis;
    screen s = {.analysis = &all, .zero = midnight(), .begun = vip_clock_seconds(CLOCK_MONOTONIC)};
    const vip_term_setup setup = {.title = title, .inputs = 1, .names = &path, .in = stdin, .out = stdout};
    all.events = all.results_too = true;
    if (isatty(STDIN_FILENO) != 1 || !vip_term_can(stdout)) {
        return vip_fail(
            error, VIPANN_E_UNSUPPORTED,
            "--display: standard input and output are no terminal with a cursor; leave it out to get lines");
    }
    vip_signals_take();
    s.term = vip_term_open(&setup, error);
    vipann_status status = s.term != NULL ? VIPANN_OK : error->status;
    if (s.term != NULL) {
        const vip_listener listener = {&s, begin, take_result, take_event, progress, note};
        vipann_error found = {VIPANN_OK, ""};
        vip_term_model(s.term, analysis->model);
        status = vip_analyse(&all, path, &listener, &found);
        if (status != VIPANN_E_BUSY) {
            wait_for_the_end(&s, &found);
        }
        vip_term_close(s.term);
        *error = found;
    }
    vip_signals_give_back();
    return status == VIPANN_E_BUSY ? VIPANN_OK : status;
}
