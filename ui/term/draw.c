/* SPDX-License-Identifier: GPL-3.0-or-later */
/* draw.c -- see draw.h for the contract.
 *
 * Numbers stand in a column of their own on the left, what is long stands on the right: bars, strips, and last the names,
 * so that one that a terminal shows wider than it should spoils nothing but its own end. */
#define NCURSES_WIDECHAR 1
#include "draw.h"

#include <math.h>
#include <string.h>

#include <curses.h>

#include <common/clock.h>
#include <common/number.h>

#include "help.h"
#include "layout.h"

enum {
    LEFT = 14,        /* cells before bars and strips */
    NARROW = 50,      /* columns below which classes and events have less to say */
    NAME = 7,         /* cells of "unsure " */
    LEAST_DBFS = -60, /* where the bar of the level begins */
    HEADED = 4,       /* rows of events from which they have a heading */
    MOST_BAR = 60     /* cells of a bar of a class */
};

/* What every part needs. */
typedef struct {
    const vip_board *board;
    const vip_board_input *in;
    const vip_draw_view *view;
    const vip_paint *paint;
    vip_layout layout;
} scene;

/* Text in row y; returns the column behind it. */
static int
put(const scene *s, int y, int x, vip_paint_look look, const char *text)
{
    return x + vip_paint_text(s->paint, y, x, COLS - x, look, text);
}

/* A number of which nothing is known shows as such. */
static const char *
fixed(char out[VIP_NUMBER_SIZE], double value, int decimals)
{
    return fabs(value) < 1e6 ? vip_number_fixed(out, value, decimals) : "-";
}

/* The time of the day: hours, minutes, seconds, and as many cells more. */
static const char *
clock_of(char out[VIP_CLOCK_SIZE], double utc, int more)
{
    if (vip_clock_local(out, utc) == NULL) {
        return "-";
    }
    out[8 + more] = '\0';
    return out;
}

/* ----------------------------------------------------------------------------------------------------- head, level */

static void
draw_head(const scene *s)
{
    char clock[VIP_CLOCK_SIZE], text[2 * VIP_BOARD_TEXT + 64];
    const int y = s->layout.y[VIP_PART_HEAD];
    vip_paint_blank(s->paint, y, 0, COLS, VIP_PAINT_TURNED);
    int end = COLS - 1;
    if (COLS >= 40) {
        vip_paint_right(s->paint, y, end, 8, VIP_PAINT_TURNED, clock_of(clock, s->view->utc, 0));
        end -= 10;
    }
    if (s->view->frozen) {
        vip_paint_right(s->paint, y, end, 8, VIP_PAINT_BADGE, " FROZEN ");
        end -= 9;
    }
    if (s->layout.height[VIP_PART_STATE] == 0 && s->in->unknown) {
        vip_paint_right(s->paint, y, end, 9, VIP_PAINT_BADGE, " UNKNOWN ");
        end -= 10;
    }
    if (s->board->inputs > 1) {
        (void)snprintf(text, sizeof text, "%s: %s (%u of %u)", s->board->title, s->in->name, s->view->input + 1,
                       s->board->inputs);
    } else {
        (void)snprintf(text, sizeof text, "%s%s%s", s->board->title, *s->in->name != '\0' ? ": " : "", s->in->name);
    }
    const int title = 1 + vip_paint_text(s->paint, y, 1, end - 1, VIP_PAINT_TURNED, text);
    if (end - title > 10) { /* a model's name of which less is left says nothing */
        vip_paint_right(s->paint, y, end, end - title - 2, VIP_PAINT_TURNED, s->in->model);
    }
}

static void
draw_level(const scene *s)
{
    char number[VIP_NUMBER_SIZE];
    const int y = s->layout.y[VIP_PART_LEVEL];
    (void)put(s, y, 0, VIP_PAINT_FAINT, "level");
    if (!s->in->heard) {
        return;
    }
    vip_paint_right(s->paint, y, LEFT - 1, LEFT - 1 - NAME, s->in->silent ? VIP_PAINT_FAINT : VIP_PAINT_PLAIN,
                    fixed(number, s->in->level_dbfs, 1));
    const bool unit = COLS >= 40;
    vip_paint_bar(s->paint, y, LEFT, COLS - LEFT - (unit ? 5 : 0), VIP_PAINT_PLAIN, 1 - s->in->level_dbfs / LEAST_DBFS);
    if (unit) {
        vip_paint_right(s->paint, y, COLS, 4, VIP_PAINT_FAINT, "dBFS");
    }
}

static void
draw_state(const scene *s)
{
    const int y = s->layout.y[VIP_PART_STATE];
    if (s->layout.height[VIP_PART_STATE] == 0) {
        return;
    }
    if (!s->in->heard) {
        (void)put(s, y, 0, VIP_PAINT_FAINT, "waiting for sound");
    } else if (s->in->silent) {
        (void)put(s, y, 0, VIP_PAINT_FAINT, "silence");
    } else if (s->in->unknown) {
        const int x = put(s, y, 0, VIP_PAINT_BADGE, " UNKNOWN ");
        (void)put(s, y, COLS > 60 ? LEFT : x + 1, VIP_PAINT_ALARM, "like nothing that the model was taught");
    } else if (!s->in->calibrated) {
        (void)put(s, y, 0, VIP_PAINT_FAINT, "~ not calibrated for this window and number of passes");
    }
}

/* --------------------------------------------------------------------------------------------------------- classes */

static void
draw_class(const scene *s, int y, const vip_board_class *class)
{
    char number[VIP_NUMBER_SIZE], text[2 * VIP_NUMBER_SIZE];
    const vip_paint_look look = s->in->silent ? VIP_PAINT_FAINT : class->present ? VIP_PAINT_STRONG : VIP_PAINT_PLAIN;
    int x = put(s, y, 0, look, fixed(number, class->p, 2));
    if (s->in->has_unsure && COLS >= 30) {
        (void)snprintf(text, sizeof text, "%s%s", s->paint->unicode ? "\u00b1" : "+-", fixed(number, class->std, 2));
        x = put(s, y, x, s->in->silent ? VIP_PAINT_FAINT : VIP_PAINT_PLAIN, text);
    }
    if (COLS >= NARROW) {
        const int cells = (COLS - LEFT) * 2 / 5 < MOST_BAR ? (COLS - LEFT) * 2 / 5 : MOST_BAR;
        if (s->in->silent) {
            vip_paint_bar(s->paint, y, LEFT, cells, look, class->p);
        } else {
            vip_paint_spread(s->paint, y, LEFT, cells, look, class->p, class->std);
        }
        x = LEFT + cells + 1;
    }
    (void)put(s, y, x + 1, look, class->label);
}

static void
draw_classes(const scene *s)
{
    const int rows = s->layout.height[VIP_PART_CLASSES];
    for (int k = 0; k < rows && k < (int)s->in->tops; k++) {
        draw_class(s, s->layout.y[VIP_PART_CLASSES] + k, &s->in->top[k]);
    }
}

/* ---------------------------------------------------------------------------------------------------------- strips */

/* The moment that stands in column x; the newest one stands in the last. */
static const vip_board_moment *
moment_at(const scene *s, int x)
{
    return vip_board_moment_at(s->in, (uint64_t)(COLS - 1 - x));
}

static void
draw_strip(const scene *s, vip_part part, vip_paint_look look, const char *name, double nats)
{
    char number[VIP_NUMBER_SIZE];
    const int height = s->layout.height[part], y = s->layout.y[part] + height - 1;
    (void)put(s, y, 0, VIP_PAINT_FAINT, name);
    vip_paint_right(s->paint, y, LEFT - 1, LEFT - 1 - NAME, s->in->silent ? VIP_PAINT_FAINT : look,
                    fixed(number, nats, 2));
    for (int x = LEFT; x < COLS; x++) {
        const vip_board_moment *m = moment_at(s, x);
        const double fraction = m == NULL ? 0 : part == VIP_PART_OPEN ? m->open : m->unsure;
        if (m != NULL && !m->silent && fraction >= 0) {
            vip_paint_column(s->paint, y, x, height, look, fraction);
        }
    }
}

static void
draw_marks(const scene *s)
{
    const int y = s->layout.y[VIP_PART_MARKS];
    if (s->layout.height[VIP_PART_MARKS] == 0) {
        return;
    }
    (void)put(s, y, 0, VIP_PAINT_FAINT, "? new  ! lost");
    for (int x = LEFT; x < COLS; x++) {
        const vip_board_moment *m = moment_at(s, x);
        if (m != NULL && (m->gap || m->unknown)) {
            (void)vip_paint_text(s->paint, y, x, 1, VIP_PAINT_ALARM, m->gap ? "!" : "?");
        }
    }
}

/* How long ago the left end of the strips is. */
static void
draw_span(const scene *s)
{
    char number[VIP_NUMBER_SIZE], text[VIP_NUMBER_SIZE + 8];
    const int y = s->layout.y[VIP_PART_SPAN];
    const double span = s->in->engine.hop_seconds * (COLS - LEFT);
    if (s->layout.height[VIP_PART_SPAN] > 0 && s->in->has_engine && span > 0) {
        (void)snprintf(text, sizeof text, "-%s s", fixed(number, span, 0));
        (void)put(s, y, LEFT, VIP_PAINT_FAINT, text);
        vip_paint_right(s->paint, y, COLS, 3, VIP_PAINT_FAINT, "now");
    }
}

static void
draw_doubt(const scene *s)
{
    draw_strip(s, VIP_PART_OPEN, VIP_PAINT_OPEN, "open", s->in->heard ? s->in->open_nats : NAN);
    draw_strip(s, VIP_PART_UNSURE, VIP_PAINT_UNSURE, "unsure",
               s->in->heard && s->in->has_unsure ? s->in->unsure_nats : NAN);
    draw_marks(s);
    draw_span(s);
}

/* ---------------------------------------------------------------------------------------------------------- events */

static void
draw_event(const scene *s, int y, const vip_board_event *e)
{
    char clock[VIP_CLOCK_SIZE], number[VIP_NUMBER_SIZE], text[VIP_NUMBER_SIZE + 8];
    const vip_paint_look look = e->ended ? VIP_PAINT_PLAIN : VIP_PAINT_STRONG;
    if (COLS < NARROW) {
        int x = put(s, y, 0, look, clock_of(clock, e->begun, 0));
        x = put(s, y, x + 1, VIP_PAINT_ALARM, e->unknown ? "?" : " ");
        (void)put(s, y, x + 1, look, e->label);
        return;
    }
    (void)put(s, y, 0, look, clock_of(clock, e->begun, 2));
    if (e->ended) {
        (void)snprintf(text, sizeof text, "%s s", fixed(number, e->lasted, 1));
    }
    vip_paint_right(s->paint, y, 21, 9, look, e->ended ? text : s->paint->unicode ? "\u2026" : "...");
    vip_paint_right(s->paint, y, 27, 4, look, fixed(number, e->p, 2));
    (void)put(s, y, 28, VIP_PAINT_ALARM, e->unknown ? "?" : " ");
    (void)put(s, y, 30, look, e->label);
}

static void
draw_events(const scene *s)
{
    int y = s->layout.y[VIP_PART_EVENTS], rows = s->layout.height[VIP_PART_EVENTS];
    if (rows >= HEADED) {
        (void)put(s, y, 0, VIP_PAINT_FAINT, "begun");
        if (COLS >= NARROW) {
            vip_paint_right(s->paint, y, 21, 6, VIP_PAINT_FAINT, "lasted");
            vip_paint_right(s->paint, y, 27, 4, VIP_PAINT_FAINT, "p");
            (void)put(s, y, 30, VIP_PAINT_FAINT, "event");
        }
        y++;
        rows--;
    }
    for (int k = 0; k < rows; k++) {
        const vip_board_event *e = vip_board_event_at(s->in, (uint64_t)k);
        if (e != NULL) {
            draw_event(s, y + k, e);
        }
    }
}

/* ------------------------------------------------------------------------------------------------------------ foot */

static void
draw_notice(const scene *s)
{
    char clock[VIP_CLOCK_SIZE];
    const vip_board_notice *notice = vip_board_notice_at(s->board, 0);
    const int y = s->layout.y[VIP_PART_NOTICE];
    if (s->layout.height[VIP_PART_NOTICE] > 0 && notice != NULL) {
        const int x = put(s, y, 0, VIP_PAINT_FAINT, clock_of(clock, notice->time, 0));
        (void)put(s, y, x + 1, VIP_PAINT_PLAIN, notice->text);
    }
}

/* A field of the foot, if all of it finds room; returns where the next one begins. */
static int
put_field(const scene *s, int x, vip_paint_look look, const char *name, const char *value, const char *unit)
{
    char text[3 * VIP_NUMBER_SIZE];
    const int y = s->layout.y[VIP_PART_FOOT];
    (void)snprintf(text, sizeof text, "%s%s", value, unit);
    if (x + (int)strlen(name) + 1 + (int)strlen(text) > COLS) {
        return COLS; /* nor do those behind it */
    }
    x = put(s, y, x, VIP_PAINT_FAINT, name);
    return put(s, y, x + 1, look, text) + 3;
}

static void
draw_foot(const scene *s)
{
    char number[VIP_NUMBER_SIZE];
    const vip_term_engine *e = &s->in->engine;
    if (s->layout.height[VIP_PART_FOOT] == 0 || !s->in->has_engine) {
        return;
    }
    (void)snprintf(number, sizeof number, "%u", e->passes);
    int x = put_field(s, 0, VIP_PAINT_PLAIN, "passes", number, "");
    x = put_field(s, x, VIP_PAINT_PLAIN, "hop", fixed(number, e->hop_seconds, 2), " s");
    x = put_field(s, x, VIP_PAINT_PLAIN, "load", fixed(number, 100 * e->load, 0), " %");
    x = put_field(s, x, e->gap_seconds > 0 ? VIP_PAINT_UNSURE : VIP_PAINT_PLAIN, "gaps",
                  fixed(number, e->gap_seconds, 1), " s");
    x = put_field(s, x, VIP_PAINT_PLAIN, "threshold", isnan(e->threshold) ? "rules" : fixed(number, e->threshold, 2),
                  "");
    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)e->late_hops);
    (void)put_field(s, x, VIP_PAINT_PLAIN, "late hops", number, "");
}

/* ------------------------------------------------------------------------------------------------------------- all */

void
vip_draw(const vip_board *board, const vip_draw_view *view, const vip_paint *paint)
{
    (void)erase();
    if (LINES < VIP_LAYOUT_LEAST_ROWS || COLS < VIP_LAYOUT_LEAST_COLUMNS) {
        (void)vip_paint_text(paint, 0, 0, COLS, VIP_PAINT_PLAIN, "too small");
    } else {
        const scene s = {board, &board->input[view->input], view, paint, vip_layout_of(LINES)};
        draw_head(&s);
        draw_level(&s);
        draw_state(&s);
        draw_classes(&s);
        draw_doubt(&s);
        draw_events(&s);
        draw_notice(&s);
        draw_foot(&s);
        if (s.layout.height[VIP_PART_KEYS] > 0) {
            vip_help_line(board, view, paint, s.layout.y[VIP_PART_KEYS]);
        }
        if (view->help) {
            vip_help_page(board, view, paint);
        }
    }
    (void)refresh();
}
