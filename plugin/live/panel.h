/* SPDX-License-Identifier: GPL-3.0-or-later */
/* panel.h -- what is heard live, on the whole of a terminal, instead of lines (ui/term). Main thread; nothing here waits for
 * the terminal but vip_panel_close. */
#ifndef VIP_PLUGIN_LIVE_PANEL_H
#define VIP_PLUGIN_LIVE_PANEL_H

#include <stdio.h>

#include <plugin/stream/stream.h>
#include <ui/term/term.h>

#include "live.h"

typedef struct vip_panel vip_panel;

/* Whether a display is to be opened: as --display says, or by itself where both ends are a terminal and nothing was asked for
 * that would be written there. Errors: E_ARG (it was asked for where there can be none). */
vipann_status vip_panel_wanted(const vip_live_setup *setup, bool *wanted, vipann_error *error);

/* Takes the terminal; setup's names are borrowed. NULL: E_UNSUPPORTED, E_MEMORY. */
vip_panel *vip_panel_open(const vip_live_setup *setup, vipann_error *error);

/* Gives the terminal back, and writes to stderr the newest of what was said meanwhile. NULL is allowed. */
void vip_panel_close(vip_panel *panel);

/* Tells it what is heard, and how an input stands; column: s. */
void vip_panel_result(vip_panel *panel, uint32_t input, vipann_model *model, const vipann_result *result);
void vip_panel_event(vip_panel *panel, uint32_t input, vipann_model *model, double utc, const vipann_event *event);
void vip_panel_state(vip_panel *panel, uint32_t input, const vip_stream_state *state, double column, double threshold);

/* A vip_notices_show: user is the panel. */
void vip_panel_notice(void *user, const char *text);

/* As vip_term_turn. */
vip_term_order vip_panel_turn(vip_panel *panel, double now, int *step);

#endif /* VIP_PLUGIN_LIVE_PANEL_H */
