/* SPDX-License-Identifier: GPL-3.0-or-later */
/* paint.c -- see paint.h for the contract. */
#define _XOPEN_SOURCE    700 /* wcwidth */
#define NCURSES_WIDECHAR 1
#include "paint.h"

#include <langinfo.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include <curses.h>

#include <common/text.h>

enum {
    MOST_MARKS = 2, /* on one character */
    RUN = 32,       /* cells that are written at once */
    BLUE = 1,       /* pairs of colours */
    YELLOW,
    RED
};

/* ---------------------------------------------------------------------------------------------------------- looks */

vip_paint
vip_paint_make(bool colour)
{
    vip_paint paint = {.unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0};
    if (colour && has_colors() && start_color() == OK) {
        const short ground = use_default_colors() == OK ? -1 : COLOR_BLACK;
        /* what terminals call blue is too dark on black: cyan, as in reports */
        paint.colour = init_pair(BLUE, COLOR_CYAN, ground) == OK && init_pair(YELLOW, COLOR_YELLOW, ground) == OK &&
                       init_pair(RED, COLOR_RED, ground) == OK;
    }
    return paint;
}

static void
take(const vip_paint *paint, vip_paint_look look)
{
    static const struct {
        attr_t coloured, plain;
        short pair;
    } looks[VIP_N_PAINT_LOOKS] = {
        [VIP_PAINT_PLAIN] = {A_NORMAL, A_NORMAL, 0},
        [VIP_PAINT_STRONG] = {A_BOLD, A_BOLD, 0},
        [VIP_PAINT_FAINT] = {A_DIM, A_DIM, 0},
        [VIP_PAINT_TURNED] = {A_REVERSE, A_REVERSE, 0},
        [VIP_PAINT_OPEN] = {A_NORMAL, A_NORMAL, BLUE},
        [VIP_PAINT_UNSURE] = {A_NORMAL, A_BOLD, YELLOW},
        [VIP_PAINT_ALARM] = {A_BOLD, A_BOLD, RED},
        [VIP_PAINT_BADGE] = {A_BOLD | A_REVERSE, A_BOLD | A_REVERSE, RED},
    };
    (void)attr_set(paint->colour ? looks[look].coloured : looks[look].plain, paint->colour ? looks[look].pair : 0,
                   NULL);
}

static bool
is_on_screen(int y, int x)
{
    return y >= 0 && y < LINES && x >= 0 && x < COLS;
}

/* n cells that all show c, as far as they are on the screen. */
static void
repeat(int y, int x, int n, wchar_t c)
{
    wchar_t run[RUN];
    for (int i = 0; i < RUN; i++) {
        run[i] = c;
    }
    for (n = n < COLS - x ? n : COLS - x; n > 0 && is_on_screen(y, x); n -= RUN, x += RUN) {
        (void)mvaddnwstr(y, x, run, n < RUN ? n : RUN);
    }
}

/* ----------------------------------------------------------------------------------------------------------- text */

/* What has no width but changes what stands beside it: joins, selects, or cannot be seen at all. */
static bool
is_invisible(uint32_t c)
{
    return (c >= 0x200b && c <= 0x200f) || (c >= 0x2060 && c <= 0x206f) || (c >= 0xfe00 && c <= 0xfe0f) ||
           c == 0xfeff || c == 0xad || c >= 0xe0000;
}

/* The next character of text as it is shown, where *marks (negative: nothing at all, else how many marks on the same
 * character) stands before it; moves both on. */
static wchar_t
next(const vip_paint *paint, const char **text, int *marks, int *width)
{
    const int before = *marks;
    uint32_t c;
    *text += vip_next_character(*text, SIZE_MAX, &c);
    *width = 1;
    *marks = 0;
    if (c >= 0x20 && c < 0x7f) {
        return (wchar_t)c;
    }
    if (!vip_text_is_harmless(c) || is_invisible(c) || !paint->unicode) {
        return L'?';
    }
    const int own = wcwidth((wchar_t)c);
    if (own > 0) {
        *width = own;
        return (wchar_t)c;
    }
    if (own < 0 || before < 0 || before >= MOST_MARKS) {
        *marks = before; /* more marks than one character may bear are not for the next one either */
        return L'?';
    }
    *width = 0;
    *marks = before + 1;
    return (wchar_t)c;
}

int
vip_paint_width(const vip_paint *paint, const char *text)
{
    int cells = 0, marks = -1;
    while (*text != '\0' && cells < INT16_MAX) {
        int width;
        (void)next(paint, &text, &marks, &width);
        cells += width;
    }
    return cells;
}

/* Writes as much of text as takes at most `cells` cells; returns how many it took. */
static int
put(const vip_paint *paint, int y, int x, int cells, const char *text)
{
    int used = 0, marks = -1, n = 0, begin = 0; /* n characters of one place, which begins at `begin` */
    wchar_t place[1 + MOST_MARKS];
    while (*text != '\0') {
        int width;
        const wchar_t c = next(paint, &text, &marks, &width);
        if (used + width > cells) {
            break;
        }
        if (width > 0 && n > 0) {
            (void)mvaddnwstr(y, x + begin, place, n);
            n = 0;
        }
        begin = width > 0 ? used : begin;
        place[n++] = c;
        used += width;
    }
    if (n > 0) {
        (void)mvaddnwstr(y, x + begin, place, n);
    }
    return used;
}

int
vip_paint_text(const vip_paint *paint, int y, int x, int cells, vip_paint_look look, const char *text)
{
    cells = cells < COLS - x ? cells : COLS - x;
    if (!is_on_screen(y, x) || cells <= 0) {
        return 0;
    }
    take(paint, look);
    if (vip_paint_width(paint, text) <= cells) {
        return put(paint, y, x, cells, text);
    }
    const char *mark = paint->unicode ? "\u2026" : "..";
    const int room = cells - (paint->unicode ? 1 : 2);
    if (room < 0) {
        return 0;
    }
    const int used = put(paint, y, x, room, text);
    return used + put(paint, y, x + used, cells - used, mark);
}

void
vip_paint_right(const vip_paint *paint, int y, int end, int cells, vip_paint_look look, const char *text)
{
    const int width = vip_paint_width(paint, text);
    const int shown = width < cells ? width : cells;
    (void)vip_paint_text(paint, y, end - shown, shown, look, text);
}

/* ----------------------------------------------------------------------------------------------------------- bars */

/* Of `steps` steps, as many as `fraction` fills. */
static int
steps_of(double fraction, int steps)
{
    const double clamped = fraction > 0 ? fmin(fraction, 1) : 0;
    const int filled = (int)lround(clamped * steps);
    return filled == 0 && clamped > 0 && steps > 0 ? 1 : filled;
}

/* What is left of a bar's cells. */
static void
leave(const vip_paint *paint, int y, int x, int cells)
{
    take(paint, VIP_PAINT_FAINT);
    repeat(y, x, cells, paint->unicode ? L'\u00b7' : L'.');
}

void
vip_paint_bar(const vip_paint *paint, int y, int x, int cells, vip_paint_look look, double fraction)
{
    const int filled = steps_of(fraction, cells);
    take(paint, look);
    repeat(y, x, filled, paint->unicode ? L'\u2586' : L'#');
    leave(paint, y, x + filled, cells - filled);
}

void
vip_paint_spread(const vip_paint *paint, int y, int x, int cells, vip_paint_look look, double p, double std)
{
    const int mean = steps_of(p, cells), most = steps_of(p + std, cells);
    const int least = p > std ? (int)lround((p - std) * cells) : 0, full = least < mean ? least : mean;
    take(paint, look);
    repeat(y, x, full, paint->unicode ? L'\u2586' : L'#');
    take(paint, VIP_PAINT_UNSURE);
    repeat(y, x + full, mean - full, paint->unicode ? L'\u2583' : L'+');
    repeat(y, x + mean, most - mean, paint->unicode ? L'\u2581' : L'-');
    leave(paint, y, x + most, cells - most);
}

void
vip_paint_column(const vip_paint *paint, int y, int x, int height, vip_paint_look look, double fraction)
{
    static const wchar_t fine[] = L" \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588", rough[] = L" .:-=+*#";
    const wchar_t *levels = paint->unicode ? fine : rough;
    const int steps = paint->unicode ? 8 : 7; /* per row */
    int filled = steps_of(fraction, height * steps);
    take(paint, look);
    for (int row = 0; row < height && filled > 0; row++, filled -= steps) {
        repeat(y - row, x, 1, levels[filled < steps ? filled : steps]);
    }
}

void
vip_paint_blank(const vip_paint *paint, int y, int x, int cells, vip_paint_look look)
{
    take(paint, look);
    repeat(y, x, cells, L' ');
}

void
vip_paint_box(const vip_paint *paint, int y, int x, int rows, int columns)
{
    const wchar_t *lines = paint->unicode ? L"\u2500\u2502\u250c\u2510\u2514\u2518" : L"-|++++";
    take(paint, VIP_PAINT_PLAIN);
    for (int row = 0; row < rows; row++) {
        const bool edge = row == 0 || row == rows - 1;
        repeat(y + row, x, 1, edge ? lines[row == 0 ? 2 : 4] : lines[1]);
        repeat(y + row, x + 1, columns - 2, edge ? lines[0] : L' ');
        repeat(y + row, x + columns - 1, 1, edge ? lines[row == 0 ? 3 : 5] : lines[1]);
    }
}
