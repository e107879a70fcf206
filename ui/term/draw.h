/* SPDX-License-Identifier: GPL-3.0-or-later */
/* draw.h -- draws a board on the screen that curses has open, whatever its size. */
#ifndef VIP_UI_TERM_DRAW_H
#define VIP_UI_TERM_DRAW_H

#include "board.h"
#include "paint.h"

typedef struct {
    double utc;     /* what the clock shows */
    uint32_t input; /* the one that is shown */
    bool frozen, help, adjustable;
} vip_draw_view;

/* Draws all of it; what has not changed is not sent to the terminal. */
void vip_draw(const vip_board *board, const vip_draw_view *view, const vip_paint *paint);

#endif /* VIP_UI_TERM_DRAW_H */
