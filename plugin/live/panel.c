/* SPDX-License-Identifier: GPL-3.0-or-later */
/* panel.c -- see panel.h for the contract. Without ncurses there is no option that asks for it, and none is wanted. */
#include "panel.h"

#include <time.h>
#include <unistd.h>

#include <common/clock.h>
#include <common/support.h>

enum { KEPT = 20, LINE = 512 };

struct vip_panel {
    const char *command;
    vip_term *term;
    char said[KEPT][LINE]; /* a ring */
    size_t n;
};

static const char *const WORDS[] = {"auto", "on", "off", NULL};
enum { AUTO, ON, OFF };

const vip_option VIP_OPTION_DISPLAY = {
    .name = "display",
    .kind = VIP_OPTION_CHOICE,
    .words = WORDS,
    .standard = "auto",
    .group = VIP_GROUP_RESULTS,
    .help =
        "Show what is heard on the whole of the terminal, with keys to change it (h lists them). auto: where input and "
        "output are a terminal and neither --format nor --events is given.",
};

#ifndef VIPANN_TERM

vipann_status
vip_panel_wanted(const vip_live_setup *setup, bool *wanted, vipann_error *error)
{
    (void)setup;
    (void)error;
    *wanted = false;
    return VIPANN_OK;
}

vip_panel *
vip_panel_open(const vip_live_setup *setup, vipann_error *error)
{
    (void)setup;
    (void)vip_fail(error, VIPANN_E_UNSUPPORTED, "this program was built without ncurses");
    return NULL;
}

#define TERM(call) (void)0
#else
#define TERM(call) (call)

vipann_status
vip_panel_wanted(const vip_live_setup *setup, bool *wanted, vipann_error *error)
{
    const vip_arguments *a = setup->arguments;
    const int asked = vip_argument(a, &VIP_OPTION_DISPLAY)->word;
    const bool can = setup->out == NULL && isatty(STDIN_FILENO) == 1 && vip_term_can(stdout);
    const bool lines = vip_argument(a, &VIP_OPTION_LIVE_FORMAT)->given || vip_argument(a, &VIP_OPTION_EVENTS)->given;
    *wanted = asked == ON || (asked == AUTO && can && !lines);
    if (asked == ON && !can) {
        return vip_fail(
            error, VIPANN_E_ARG,
            "--display on: standard input and output are no terminal with a cursor; leave it out to get lines");
    }
    if (asked == ON && lines) {
        return vip_fail(error, VIPANN_E_ARG,
                        "--display takes the place of lines; leave out --format and --events, or keep these with "
                        "--append-jsonl FILE");
    }
    return VIPANN_OK;
}

vip_panel *
vip_panel_open(const vip_live_setup *setup, vipann_error *error)
{
    vip_panel *panel = vip_alloc(1, sizeof *panel);
    if (panel == NULL) {
        (void)vip_fail_memory(error, "the display");
        return NULL;
    }
    panel->command = setup->arguments->command->name;
    const vip_term_setup term = {.title = panel->command,
                                 .inputs = setup->inputs,
                                 .names = setup->names,
                                 .in = stdin,
                                 .out = stdout,
                                 .adjustable = true};
    panel->term = vip_term_open(&term, error);
    if (panel->term == NULL) {
        vip_free(panel);
        return NULL;
    }
    return panel;
}
#endif

void
vip_panel_close(vip_panel *panel)
{
    if (panel == NULL) {
        return;
    }
    TERM(vip_term_close(panel->term));
    for (size_t i = panel->n > KEPT ? panel->n - KEPT : 0; i < panel->n; i++) {
        (void)fprintf(stderr, "%s: %s\n", panel->command, panel->said[i % KEPT]);
    }
    vip_free(panel);
}

void
vip_panel_result(vip_panel *panel, uint32_t input, vipann_model *model, const vipann_result *result)
{
    TERM(vip_term_model(panel->term, model));
    TERM(vip_term_result(panel->term, input, result));
    (void)panel;
    (void)input;
    (void)model;
    (void)result;
}

void
vip_panel_event(vip_panel *panel, uint32_t input, vipann_model *model, double utc, const vipann_event *event)
{
    TERM(vip_term_model(panel->term, model));
    TERM(vip_term_event(panel->term, input, utc, event));
    (void)panel;
    (void)input;
    (void)model;
    (void)utc;
    (void)event;
}

void
vip_panel_state(vip_panel *panel, uint32_t input, const vip_stream_state *state, double column, double threshold)
{
    const vip_term_engine engine = {.passes = state->passes,
                                    .hop_seconds = state->hop_columns * column,
                                    .load = state->load,
                                    .gap_seconds = state->lost_seconds,
                                    .threshold = threshold,
                                    .late_hops = state->late_hops};
    TERM(vip_term_engine_state(panel->term, input, &engine));
    (void)panel;
    (void)input;
    (void)engine;
}

void
vip_panel_notice(void *user, const char *text)
{
    vip_panel *panel = user;
    (void)snprintf(panel->said[panel->n++ % KEPT], LINE, "%s", text);
    TERM(vip_term_notice(panel->term, vip_clock_seconds(CLOCK_REALTIME), text));
}

vip_term_order
vip_panel_turn(vip_panel *panel, double now, int *step)
{
    (void)panel;
    (void)now;
    (void)step;
#ifdef VIPANN_TERM
    return vip_term_turn(panel->term, now, step);
#else
    return VIP_TERM_NOTHING;
#endif
}
