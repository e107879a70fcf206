/* SPDX-License-Identifier: GPL-3.0-or-later */
/* help.c -- see help.h for the contract. */
#define NCURSES_WIDECHAR 1
#include "help.h"

#include <string.h>

#include <curses.h>

/* What keys do, in a line at the bottom (brief) and on a page of their own. */
static const struct {
    const char *key, *brief, *text;
    bool adjusts, several; /* only where the engine can be changed, or where there are several inputs */
} KEYS[] = {
    {"h", "help", "this page, and away with it; also ?", false, false},
    {"q", "quit", "ends the program", false, false},
    {"space", "freeze", "the display stands still; sound is heard on", false, false},
    {"Tab", "input", "the next input", false, true},
    {"r", "reload", "loads the model anew", true, false},
    {"+ -", "passes", "more or fewer passes: finer or faster", true, false},
    {"[ ]", "threshold", "events begin at a lower or higher probability", true, false},
    {"< >", "hop", "a shorter or longer time between results", true, false},
};

static const struct {
    const char *sign, *text;
} SIGNS[] = {
    {"0.93+-0.03", "probability, and its spread over the passes"},
    {"bar", "high to 0.90, half as high to 0.93, thin to 0.96"},
    {"open", "doubt that the sound itself leaves, in nats"},
    {"unsure", "what the model has not learnt, in nats"},
    {"? UNKNOWN", "like nothing that the model was taught"},
    {"!", "sound was lost here: the analysis was too slow"},
};

enum { N_KEYS = sizeof KEYS / sizeof *KEYS, N_SIGNS = sizeof SIGNS / sizeof *SIGNS, HELP_COLUMNS = 64, HELP_LEFT = 13 };

static bool
is_shown(const vip_board *board, const vip_draw_view *view, size_t i)
{
    return (!KEYS[i].adjusts || view->adjustable) && (!KEYS[i].several || board->inputs > 1);
}

void
vip_help_line(const vip_board *board, const vip_draw_view *view, const vip_paint *paint, int y)
{
    for (size_t i = 0, x = 0; i < N_KEYS; i++) {
        const size_t width = strlen(KEYS[i].key) + 1 + strlen(KEYS[i].brief);
        if (is_shown(board, view, i) && x + width <= (size_t)COLS) {
            const int at = (int)x + vip_paint_text(paint, y, (int)x, COLS, VIP_PAINT_STRONG, KEYS[i].key);
            (void)vip_paint_text(paint, y, at + 1, COLS, VIP_PAINT_FAINT, KEYS[i].brief);
            x += width + 2;
        }
    }
}

/* A line of the page inside its frame. */
static void
put_help(const vip_paint *paint, int y, int x, int columns, const char *sign, const char *text)
{
    (void)vip_paint_text(paint, y, x + 2, columns - 4, VIP_PAINT_STRONG, sign);
    if (columns > HELP_LEFT + 8) {
        (void)vip_paint_text(paint, y, x + 2 + HELP_LEFT, columns - 4 - HELP_LEFT, VIP_PAINT_PLAIN, text);
    }
}

void
vip_help_page(const vip_board *board, const vip_draw_view *view, const vip_paint *paint)
{
    int lines = 1 + N_SIGNS;
    for (size_t i = 0; i < N_KEYS; i++) {
        lines += is_shown(board, view, i);
    }
    const int rows = lines + 2 < LINES ? lines + 2 : LINES, columns = HELP_COLUMNS < COLS ? HELP_COLUMNS : COLS;
    const int x = (COLS - columns) / 2, top = (LINES - rows) / 2, last = top + rows - 1;
    vip_paint_box(paint, top, x, rows, columns);
    int y = top + 1;
    for (size_t i = 0; i < N_KEYS && y < last; i++) {
        if (is_shown(board, view, i)) {
            put_help(paint, y++, x, columns, KEYS[i].key, KEYS[i].text);
        }
    }
    y++;
    for (size_t i = 0; i < N_SIGNS && y < last; i++) {
        const char *sign = i == 0 && paint->unicode ? "0.93\u00b10.03" : SIGNS[i].sign;
        put_help(paint, y++, x, columns, sign, SIGNS[i].text);
    }
}
