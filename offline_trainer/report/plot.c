/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plot.c -- plots with two axes of numbers; see plot.h for the contract. */
#include "plot.h"

#include <math.h>

#include <common/number.h>
#include <common/text.h>

enum { MOST_TICKS = 5, RIGHT = 20, TOP = 28, BOTTOM = 42, TICK_GAP = 6, TICK_TEXT = 48 };
static const double DIGIT = 7.6; /* units that a character of a tick takes, about */

void
vip_plot_put(FILE *out, double value)
{
    char text[VIP_NUMBER_SIZE];
    double rounded = isfinite(value) ? round(100 * fmin(fmax(value, -1e6), 1e6)) / 100 : 0;
    (void)fputs(vip_number_write(text, rounded == 0 ? 0 : rounded, 9), out); /* 0, never -0 */
}

static void
put_attribute(FILE *out, const char *name, double value)
{
    (void)fprintf(out, " %s=\"", name);
    vip_plot_put(out, value);
    (void)fputc('"', out);
}

void
vip_plot_open(vip_page *page, double width, double height, bool natural, const char *title, const char *description)
{
    FILE *out = page->out;
    unsigned id = page->titles++;
    (void)fputs("<svg role=\"img\" viewBox=\"0 0 ", out);
    vip_plot_put(out, width);
    (void)fputc(' ', out);
    vip_plot_put(out, height);
    (void)fputc('"', out);
    if (natural) {
        put_attribute(out, "width", width);
        put_attribute(out, "height", height);
    }
    (void)fprintf(out, " aria-labelledby=\"t%u d%u\">\n<title id=\"t%u\">", id, id, id);
    vip_page_text(out, title);
    (void)fprintf(out, "</title>\n<desc id=\"d%u\">", id);
    vip_page_text(out, description);
    (void)fputs("</desc>\n", out);
}

/* ------------------------------------------------------------------------------------------------------------- axes */

/* The largest of 1, 2, 5 times a power of ten that is not above x > 0. */
static double
round_down(double x)
{
    double decade = pow(10, floor(log10(x)));
    static const double steps[] = {5, 2};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (x >= steps[i] * decade * (1 - 1e-9)) {
            return steps[i] * decade;
        }
    }
    return decade;
}

/* The smallest of them that is not below. */
static double
round_up(double x)
{
    double below = round_down(x);
    static const double next[] = {1, 2, 5, 10};
    double decade = pow(10, floor(log10(x)));
    for (size_t i = 0; i < sizeof next / sizeof *next; i++) {
        if (next[i] * decade >= x * (1 - 1e-9)) {
            return next[i] * decade;
        }
    }
    return 2 * below;
}

double
vip_plot_step(double span, unsigned most)
{
    return isfinite(span) && span > 0 && most > 0 ? round_up(span / most) : 1;
}

void
vip_plot_round(vip_axis *axis, double least, double most)
{
    if (!isfinite(least) || !isfinite(most)) {
        least = axis->logarithmic ? 0.1 : 0;
        most = 1;
    }
    if (axis->logarithmic) {
        axis->least = round_down(fmax(least, 1e-12));
        axis->most = round_up(fmax(most, axis->least * 2));
        return;
    }
    if (!(most > least)) {
        double half = fmax(fabs(least) / 10, 0.05);
        least -= half;
        most = least + 2 * half;
    }
    for (int turn = 0; turn < 2; turn++) { /* the span grows by rounding, and its ticks may lie further apart then */
        double step = vip_plot_step(most - least, MOST_TICKS);
        axis->least = least = floor(least / step + 1e-9) * step;
        axis->most = most = ceil(most / step - 1e-9) * step;
    }
}

static double
place(const vip_axis *axis, double value)
{
    double share = axis->logarithmic
                       ? (log(fmax(value, axis->least)) - log(axis->least)) / (log(axis->most) - log(axis->least))
                       : (value - axis->least) / (axis->most - axis->least);
    return isfinite(share) ? fmin(fmax(share, 0), 1) : 0;
}

double
vip_plot_x(const vip_plot *plot, double x)
{
    return plot->left + place(&plot->x, x) * (plot->right - plot->left);
}

double
vip_plot_y(const vip_plot *plot, double y)
{
    return plot->bottom - place(&plot->y, y) * (plot->bottom - plot->top);
}

/* Decimals that tell multiples of step apart. */
static int
decimals_for(double step)
{
    int decimals = (int)ceil(-log10(step) - 1e-9);
    return decimals < 0 ? 0 : decimals > 9 ? 9 : decimals;
}

static const char *
write_tick(char out[TICK_TEXT], const vip_axis *axis, double value, double step)
{
    static const struct {
        double unit;
        const char *sign;
    } units[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
    char text[VIP_NUMBER_SIZE];
    const char *sign = "";
    if (axis->kind == VIP_AXIS_PERCENT) {
        (void)vip_number_fixed(text, 100 * value, decimals_for(100 * step));
        sign = "\xc2\xa0%";
    } else if (fabs(value) < step / 1e6) {
        (void)vip_number_fixed(text, 0, axis->kind == VIP_AXIS_COUNT ? 0 : decimals_for(step));
    } else if (axis->kind == VIP_AXIS_COUNT) {
        size_t i = 0;
        while (i < 3 && axis->most < 2 * units[i].unit) {
            i++;
        }
        (void)vip_number_write(text, i < 3 ? value / units[i].unit : value, 6);
        sign = i < 3 ? units[i].sign : "";
    } else if (fabs(value) >= 1e6 || fabs(value) < 1e-5) {
        (void)vip_number_write(text, value, 3);
    } else {
        (void)vip_number_fixed(text, value, decimals_for(step));
    }
    (void)snprintf(out, TICK_TEXT, "%s%s", text, sign);
    return out;
}

static void
put_text(FILE *out, double x, double y, const char *kind)
{
    (void)fputs("<text", out);
    put_attribute(out, "x", x);
    put_attribute(out, "y", y);
    (void)fprintf(out, " class=\"%s\">", kind);
}

static void
put_straight(FILE *out, double x1, double y1, double x2, double y2, const char *kind)
{
    (void)fprintf(out, "<path class=\"%s\" d=\"M", kind);
    vip_plot_put(out, x1);
    (void)fputc(' ', out);
    vip_plot_put(out, y1);
    (void)fputc('L', out);
    vip_plot_put(out, x2);
    (void)fputc(' ', out);
    vip_plot_put(out, y2);
    (void)fputs("\"/>\n", out);
}

static void
put_tick(const vip_plot *plot, bool vertical, double value, double step)
{
    const vip_axis *axis = vertical ? &plot->y : &plot->x;
    char text[TICK_TEXT];
    if (vertical) {
        double y = vip_plot_y(plot, value);
        put_straight(plot->out, plot->left, y, plot->right, y, "grid");
        put_text(plot->out, plot->left - TICK_GAP, y + 4, "tick end");
    } else {
        double x = vip_plot_x(plot, value);
        put_straight(plot->out, x, plot->bottom, x, plot->bottom + 4, "axis");
        put_text(plot->out, x, plot->bottom + 17, "tick mid");
    }
    (void)fprintf(plot->out, "%s</text>\n", write_tick(text, axis, value, step));
}

enum { TICKS = 2 * MOST_TICKS + 3 };

/* Where the ticks are, and in *step how far apart; returns how many. */
static size_t
list_ticks(const vip_axis *axis, double ticks[TICKS], double *step)
{
    static const double within[] = {1, 2, 5};
    size_t n = 0;
    if (axis->kind == VIP_AXIS_NONE) {
        return 0;
    }
    if (!axis->logarithmic) {
        *step = vip_plot_step(axis->most - axis->least, MOST_TICKS);
        double first = ceil(axis->least / *step - 1e-9);
        while (n < TICKS && (first + (double)n) * *step <= axis->most + *step * 1e-6) {
            ticks[n] = (first + (double)n) * *step;
            n++;
        }
        return n;
    }
    double decades = log10(axis->most / axis->least);
    int first = (int)floor(log10(axis->least) + 1e-9), every = decades > 6 ? (int)ceil(decades / 6) : 1;
    for (int k = 0; k <= (int)ceil(decades); k += every) {
        for (size_t i = 0; i < (decades > 3 ? 1 : 3) && n < TICKS; i++) {
            double value = within[i] * pow(10, first + k);
            if (value >= axis->least * (1 - 1e-9) && value <= axis->most * (1 + 1e-9)) {
                ticks[n++] = value;
            }
        }
    }
    *step = 0;
    return n;
}

static void
put_axis(const vip_plot *plot, bool vertical)
{
    const vip_axis *axis = vertical ? &plot->y : &plot->x;
    double ticks[TICKS], step;
    size_t n = list_ticks(axis, ticks, &step);
    for (size_t i = 0; i < n; i++) {
        put_tick(plot, vertical, ticks[i], step > 0 ? step : fmin(ticks[i], 1));
    }
    if (axis->label != NULL) {
        put_text(plot->out, vertical ? 2 : (plot->left + plot->right) / 2, vertical ? 13 : plot->bottom + 36,
                 vertical ? "label" : "label mid");
        vip_page_text(plot->out, axis->label);
        (void)fputs("</text>\n", plot->out);
    }
}

/* The room that the numbers of the upright axis need. */
static double
room_for_numbers(const vip_axis *axis)
{
    double ticks[TICKS], step;
    size_t n = list_ticks(axis, ticks, &step), longest = 2;
    for (size_t i = 0; i < n; i++) {
        char text[TICK_TEXT];
        size_t length = vip_text_cells(write_tick(text, axis, ticks[i], step > 0 ? step : fmin(ticks[i], 1)));
        longest = length > longest ? length : longest;
    }
    return DIGIT * (double)longest + TICK_GAP + 4;
}

vip_plot
vip_plot_begin(vip_page *page, const vip_plot_options *options)
{
    vip_plot plot = {.out = page->out,
                     .left = options->left > 0 ? options->left : room_for_numbers(&options->y),
                     .right = options->width - RIGHT,
                     .top = options->y.label != NULL ? TOP : TOP / 2,
                     .bottom = options->height - (options->x.label != NULL ? BOTTOM : BOTTOM / 2),
                     .x = options->x,
                     .y = options->y};
    vip_plot_open(page, options->width, options->height, false, options->title, options->description);
    put_axis(&plot, true);
    put_axis(&plot, false);
    put_straight(plot.out, plot.left, plot.bottom, plot.right, plot.bottom, "axis");
    return plot;
}

void
vip_plot_end(vip_plot *plot)
{
    (void)fputs("</svg>\n", plot->out);
}

/* ----------------------------------------------------------------------------------------------------- what is drawn */

void
vip_plot_line(vip_plot *plot, const vip_point *points, size_t n, unsigned series)
{
    bool drawn = false;
    (void)fprintf(plot->out, "<path class=\"line s%u\" d=\"M", series % VIP_PLOT_SERIES);
    bool begun = false;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(points[i].x) || !isfinite(points[i].y)) {
            begun = false;
            continue;
        }
        if (drawn) {
            (void)fputc(begun ? 'L' : 'M', plot->out);
        }
        vip_plot_put(plot->out, vip_plot_x(plot, points[i].x));
        (void)fputc(' ', plot->out);
        vip_plot_put(plot->out, vip_plot_y(plot, points[i].y));
        drawn = begun = true;
    }
    (void)fputs(drawn ? "\"/>\n" : "0 0\"/>\n", plot->out);
}

void
vip_plot_rule(vip_plot *plot, vip_point from, vip_point to, const char *kind)
{
    put_straight(plot->out, vip_plot_x(plot, from.x), vip_plot_y(plot, from.y), vip_plot_x(plot, to.x),
                 vip_plot_y(plot, to.y), kind);
}

static void
put_end(FILE *out, const char *element, const char *text)
{
    if (text == NULL) {
        (void)fputs("/>\n", out);
        return;
    }
    (void)fputs("><title>", out);
    vip_page_text(out, text);
    (void)fprintf(out, "</title></%s>\n", element);
}

void
vip_plot_bar(vip_plot *plot, vip_point from, vip_point to, const char *kind, const char *text)
{
    double x1 = vip_plot_x(plot, from.x), x2 = vip_plot_x(plot, to.x);
    double y1 = vip_plot_y(plot, from.y), y2 = vip_plot_y(plot, to.y);
    (void)fprintf(plot->out, "<rect class=\"%s\"", kind);
    put_attribute(plot->out, "x", fmin(x1, x2));
    put_attribute(plot->out, "y", fmin(y1, y2));
    put_attribute(plot->out, "width", fabs(x2 - x1));
    put_attribute(plot->out, "height", fabs(y2 - y1));
    put_end(plot->out, "rect", text);
}

void
vip_plot_words(vip_plot *plot, double x, double y, const char *kind, const char *text, size_t most)
{
    put_text(plot->out, x, y, kind);
    vip_page_short(plot->out, text, most);
    (void)fputs("</text>\n", plot->out);
}

/* Signs of about ten units across. */
static const char *const SIGNS[VIP_PLOT_SERIES] = {
    "m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
    "m-4 -4h8v8h-8z",
    "m0 -5.5l5 9h-10z",
    "m0 -5.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z",
    "m0 5.5l5 -9h-10z",
    "m-1.8 -5h3.6v3.2h3.2v3.6h-3.2v3.2h-3.6v-3.2h-3.2v-3.6h3.2z",
    "m0 -5.5l1.6 3.7l4 .3l-3 2.6l1 3.9l-3.6 -2.1l-3.6 2.1l1 -3.9l-3 -2.6l4 -.3z",
    "m-2.2 -4.6h4.4l2.6 4.6l-2.6 4.6h-4.4l-2.6 -4.6z",
};

static void
put_sign(FILE *out, double x, double y, unsigned series, const char *text)
{
    (void)fprintf(out, "<path class=\"mark s%u\" d=\"M", series % VIP_PLOT_SERIES);
    vip_plot_put(out, x);
    (void)fputc(' ', out);
    vip_plot_put(out, y);
    (void)fprintf(out, "%s\"", SIGNS[series % VIP_PLOT_SERIES]);
    put_end(out, "path", text);
}

void
vip_plot_mark(vip_plot *plot, vip_point at, unsigned series, const char *text)
{
    if (isfinite(at.x) && isfinite(at.y)) {
        put_sign(plot->out, vip_plot_x(plot, at.x), vip_plot_y(plot, at.y), series, text);
    }
}

void
vip_plot_legend(FILE *out, unsigned series, const char *name)
{
    (void)fprintf(out,
                  "<span class=\"key\"><svg aria-hidden=\"true\" width=\"34\" height=\"14\" viewBox=\"0 0 34 14\">"
                  "<path class=\"line s%u\" d=\"M1 7L33 7\"/>",
                  series % VIP_PLOT_SERIES);
    put_sign(out, 17, 7, series, NULL);
    (void)fputs("</svg>", out);
    vip_page_text(out, name);
    (void)fputs("</span>\n", out);
}

void
vip_plot_range(FILE *out, const double interval[2], double value, double least, double most, unsigned series)
{
    enum { WIDTH = 110, MARGIN = 6, MIDDLE = 7 };
    vip_plot scale = {.left = MARGIN, .right = WIDTH - MARGIN, .x = {.least = least, .most = most}};
    (void)fprintf(out, "<svg class=\"range\" aria-hidden=\"true\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">",
                  WIDTH, 2 * MIDDLE, WIDTH, 2 * MIDDLE);
    put_straight(out, MARGIN, MIDDLE, WIDTH - MARGIN, MIDDLE, "grid");
    char kind[] = "ci s0";
    kind[sizeof kind - 2] = (char)('0' + series % VIP_PLOT_SERIES);
    put_straight(out, vip_plot_x(&scale, interval[0]), MIDDLE, vip_plot_x(&scale, interval[1]), MIDDLE, kind);
    put_sign(out, vip_plot_x(&scale, value), MIDDLE, series, NULL);
    (void)fputs("</svg>", out);
}
