/* SPDX-License-Identifier: GPL-3.0-or-later */
/* paint.h -- text, bars and strips on the screen that curses has open, in what the terminal can show. What does not fit in
 * the cells it is given is cut, and places that there are not are left alone. */
#ifndef VIP_UI_TERM_PAINT_H
#define VIP_UI_TERM_PAINT_H

#include <stdbool.h>

typedef struct {
    bool unicode; /* else ASCII only */
    bool colour;
} vip_paint;

typedef enum {
    VIP_PAINT_PLAIN,
    VIP_PAINT_STRONG,
    VIP_PAINT_FAINT,
    VIP_PAINT_TURNED, /* dark on light, or the other way round */
    VIP_PAINT_OPEN,   /* blue: what the sound leaves open */
    VIP_PAINT_UNSURE, /* yellow: what the model does not know */
    VIP_PAINT_ALARM,  /* red */
    VIP_PAINT_BADGE,  /* red, turned */
    VIP_N_PAINT_LOOKS
} vip_paint_look;

/* What the terminal and the locale of this thread can show; colour: whether it is wanted. Once the screen is open. */
vip_paint vip_paint_make(bool colour);

/* Writes text, which may hold anything, in at most `cells` cells from (y, x) on, cut with an ellipsis; returns how many it
 * took. Characters of double width take two; at most two marks stand on one character. What is harmful or has no width
 * of its own shows as '?'. */
int vip_paint_text(const vip_paint *paint, int y, int x, int cells, vip_paint_look look, const char *text);

/* The cells that text would take, if there were enough. */
int vip_paint_width(const vip_paint *paint, const char *text);

/* As vip_paint_text, so that it ends before column `end`. */
void vip_paint_right(const vip_paint *paint, int y, int end, int cells, vip_paint_look look, const char *text);

/* A bar of `cells` cells, `fraction` (0 .. 1) of it filled; more than nothing leaves a trace. */
void vip_paint_bar(const vip_paint *paint, int y, int x, int cells, vip_paint_look look, double fraction);

/* A bar of a probability: full to p - std, half as high to p, a thin line to p + std. */
void vip_paint_spread(const vip_paint *paint, int y, int x, int cells, vip_paint_look look, double p, double std);

/* An upright bar in column x that stands on row y and is at most `height` rows high, likewise. */
void vip_paint_column(const vip_paint *paint, int y, int x, int height, vip_paint_look look, double fraction);

/* Fills cells with a blank look; and a frame of lines, blank inside. */
void vip_paint_blank(const vip_paint *paint, int y, int x, int cells, vip_paint_look look);
void vip_paint_box(const vip_paint *paint, int y, int x, int rows, int columns);

#endif /* VIP_UI_TERM_PAINT_H */
