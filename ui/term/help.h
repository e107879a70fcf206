/* SPDX-License-Identifier: GPL-3.0-or-later */
/* help.h -- what keys and signs mean: a line at the bottom, and a page over the rest. */
#ifndef VIP_UI_TERM_HELP_H
#define VIP_UI_TERM_HELP_H

#include "draw.h"

/* As many keys as row y has room for. */
void vip_help_line(const vip_board *board, const vip_draw_view *view, const vip_paint *paint, int y);

/* In the middle of the screen, cut where that is too small. */
void vip_help_page(const vip_board *board, const vip_draw_view *view, const vip_paint *paint);

#endif /* VIP_UI_TERM_HELP_H */
