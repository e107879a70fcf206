/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plot.h -- plots as SVG that stands in a page: axes with round ticks, lines, bars, marks, cells, legends.
 *
 * A plot says what it is to those who cannot see it (role, title, description), what stands in it says on hovering. Looks
 * are classes of the page's style sheet, so that plots follow light and dark; series differ by colour and by dashes or
 * shape. What is not finite is left out: no coordinate is ever anything but a number. */
#ifndef VIP_TRAINER_PLOT_H
#define VIP_TRAINER_PLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "page.h"

enum { VIP_PLOT_SERIES = 8 }; /* looks that can be told apart: 0 .. 7 */

typedef struct {
    double x, y;
} vip_point;

typedef enum {
    VIP_AXIS_PLAIN,
    VIP_AXIS_PERCENT, /* shares of 1 */
    VIP_AXIS_COUNT,   /* 120k for 120000 */
    VIP_AXIS_NONE     /* without ticks and grid */
} vip_axis_kind;

typedef struct {
    double least, most; /* what it spans; least < most, and above 0 if logarithmic */
    vip_axis_kind kind;
    bool logarithmic;
    const char *label; /* NULL: none */
} vip_axis;

typedef struct {
    const char *title, *description; /* any text */
    double width, height;            /* the plot is as wide as its place, and this is its shape */
    double left;                     /* room left of the axes; 0: what numbers need */
    vip_axis x, y;
} vip_plot_options;

typedef struct {
    FILE *out;
    double left, right, top, bottom; /* of the area between the axes */
    vip_axis x, y;
} vip_plot;

/* Begins a plot with grid, ticks and labels of its axes, which are borrowed. */
vip_plot vip_plot_begin(vip_page *page, const vip_plot_options *options);
void vip_plot_end(vip_plot *plot);

/* Where a value lies; what is beyond the axis lies at its end. */
double vip_plot_x(const vip_plot *plot, double x);
double vip_plot_y(const vip_plot *plot, double y);

/* Through the points in their order; breaks where one is not finite. */
void vip_plot_line(vip_plot *plot, const vip_point *points, size_t n, unsigned series);

/* A straight line of the look that `kind` names. */
void vip_plot_rule(vip_plot *plot, vip_point from, vip_point to, const char *kind);

/* A rectangle between two corners; text on hovering, NULL: none. */
void vip_plot_bar(vip_plot *plot, vip_point from, vip_point to, const char *kind, const char *text);

/* Words; kind: the looks, such as "strong end" for bold words that end there. */
void vip_plot_words(vip_plot *plot, double x, double y, const char *kind, const char *text, size_t most);

/* The sign of a series at a point, and what it says on hovering. */
void vip_plot_mark(vip_plot *plot, vip_point at, unsigned series, const char *text);

/* A legend entry: the sign of a series and its name, within an element that makes a row of them. */
void vip_plot_legend(FILE *out, unsigned series, const char *name);

/* The opening of any other drawing that is a picture with a title and a description; width and height in its own units.
 * natural: it is shown in this size and scrolls where there is less room, instead of shrinking. Ends with "</svg>". */
void vip_plot_open(vip_page *page, double width, double height, bool natural, const char *title,
                   const char *description);

/* A matrix of counts with names on both sides: the share of its row decides how strong a cell is, and the diagonal, where
 * the two names are the same, has its own colour. */
typedef struct {
    const char *title, *description;
    size_t n;
    const char *const *names; /* [n] */
    const double *counts;     /* [n][n] */
    const char *row_label, *column_label;
} vip_cells;

void vip_plot_cells(vip_page *page, const vip_cells *cells);

/* The distance of ticks that divides the span into at most `most` parts: 1, 2 or 5 times a power of ten. */
double vip_plot_step(double span, unsigned most);

/* Fills an axis so that it begins and ends at round numbers, whatever the two are. */
void vip_plot_round(vip_axis *axis, double least, double most);

/* The interval of a measured value on a scale of its own that spans least .. most, for a cell of a table. */
void vip_plot_range(FILE *out, const double interval[2], double value, double least, double most, unsigned series);

/* A number for SVG: two decimals at most, always finite. */
void vip_plot_put(FILE *out, double value);

#endif /* VIP_TRAINER_PLOT_H */
