/* SPDX-License-Identifier: GPL-3.0-or-later */
/* term.c -- see term.h for the contract. */
#define NCURSES_WIDECHAR 1
#include "term.h"

#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <curses.h>

#include <common/clock.h>
#include <common/text.h>

#include "board.h"
#include "draw.h"
#include "tty.h"

static const double FRAME = 0.1;  /* s between two drawings, at least */
static const double ESCAPE = 0.1; /* s within which what belongs to an escape sequence follows it */

enum { KEY_ESCAPE = 27, KEY_REDRAW = 'L' - '@', KEY_STOP = 'Z' - '@' };

/* Where we are in a sequence that a key without a letter sends, such as ESC [ A: it orders nothing. */
typedef enum { OUTSIDE, BEHIND_ESCAPE, INSIDE } escape;

/* Signals that curses would take; they stay whose they are. */
static const int SIGNALS[] = {SIGINT, SIGTERM, SIGWINCH, SIGTSTP};
enum { N_SIGNALS = sizeof SIGNALS / sizeof *SIGNALS };

struct vip_term {
    vip_tty tty;
    bool adjustable;
    SCREEN *screen; /* NULL: the terminal is not ours */
    locale_t locale, before;

    vip_board board, still; /* what is known, and what is shown while frozen */
    vip_draw_view view;
    vip_paint paint;
    bool stale;    /* to be drawn, whatever the board says */
    uint64_t seen; /* changes of the board that have been drawn */
    double drawn;  /* when something was last drawn, or looked whether to */
    double second; /* that the clock shows */
    escape escape;
    double escaped; /* when it began */
};

/* ------------------------------------------------------------------------------------------------- opening, closing */

bool
vip_term_can(FILE *out)
{
    const char *kind = getenv("TERM");
    return vip_text_style_of(out).terminal && kind != NULL && *kind != '\0' && strcmp(kind, "dumb") != 0;
}

/* Characters as the environment has them, for this thread alone; if the system lacks its locale, UTF-8 as such. */
static void
enter_locale(vip_term *term, bool unicode)
{
    term->locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    if (term->locale == (locale_t)0) {
        term->locale = newlocale(LC_CTYPE_MASK, unicode ? "C.UTF-8" : "C", (locale_t)0);
    }
    if (term->locale != (locale_t)0) {
        term->before = uselocale(term->locale);
    }
}

static void
leave_locale(vip_term *term)
{
    if (term->locale != (locale_t)0) {
        (void)uselocale(term->before);
        freelocale(term->locale);
    }
}

/* The screen, without a terminal below it: mode, keys and size are not its own. */
static SCREEN *
make_screen(const vip_term *term, FILE *in)
{
    struct sigaction before[N_SIGNALS];
    for (int i = 0; i < N_SIGNALS; i++) {
        (void)sigaction(SIGNALS[i], NULL, &before[i]);
    }
    SCREEN *screen = newterm(NULL, term->tty.store, in);
    for (int i = 0; i < N_SIGNALS; i++) {
        (void)sigaction(SIGNALS[i], &before[i], NULL);
    }
    return screen;
}

vip_term *
vip_term_open(const vip_term_setup *setup, vipann_error *error)
{
    vip_term *term = calloc(1, sizeof *term);
    vipann_error why = {VIPANN_E_MEMORY, "not enough memory for the display"};
    if (term == NULL || !vip_board_make(&term->board, setup->title, setup->inputs, setup->names) ||
        !vip_board_make(&term->still, setup->title, setup->inputs, setup->names)) {
        goto failed;
    }
    const vip_text_style style = vip_text_style_of(setup->out);
    if (!vip_tty_open(&term->tty, setup->in, setup->out)) {
        goto failed;
    }
    term->view.adjustable = term->adjustable = setup->adjustable;
    term->stale = true;
    term->drawn = -INFINITY;
    enter_locale(term, style.unicode);
    term->screen = make_screen(term, setup->in);
    const char *cup = term->screen != NULL ? tigetstr("cup") : NULL;
    if (cup == NULL || cup == (const char *)-1) {
        const char *kind = getenv("TERM");
        why.status = VIPANN_E_UNSUPPORTED;
        (void)snprintf(why.text, sizeof why.text,
                       "TERM: found \"%.60s\"; expected a terminal that is known here and can place its cursor",
                       kind != NULL ? kind : "");
        goto failed;
    }
    vip_tty_take(&term->tty);
    (void)leaveok(stdscr, TRUE);
    (void)typeahead(-1); /* keys are not the screen's */
    (void)curs_set(0);
    term->paint = vip_paint_make(style.colour);
    return term;

failed:
    if (error != NULL) {
        *error = why;
    }
    vip_term_close(term);
    return NULL;
}

/* The terminal as it was found, until something is drawn again. */
static void
give_back(vip_term *term)
{
    (void)endwin();
    vip_tty_finish(&term->tty);
    vip_tty_give_back(&term->tty);
}

void
vip_term_close(vip_term *term)
{
    if (term == NULL) {
        return;
    }
    if (term->screen != NULL) {
        give_back(term);
        delscreen(term->screen);
    }
    vip_tty_close(&term->tty);
    leave_locale(term);
    vip_board_free(&term->board);
    vip_board_free(&term->still);
    free(term);
}

/* ------------------------------------------------------------------------------------------------------ what is told */

void
vip_term_model(vip_term *term, vipann_model *model)
{
    vip_board_model(&term->board, model);
}

void
vip_term_result(vip_term *term, uint32_t input, const vipann_result *result)
{
    vip_board_result(&term->board, input, result);
}

void
vip_term_event(vip_term *term, uint32_t input, double utc, const vipann_event *event)
{
    vip_board_event_told(&term->board, input, utc, event);
}

void
vip_term_engine_state(vip_term *term, uint32_t input, const vip_term_engine *state)
{
    vip_board_engine(&term->board, input, state);
}

void
vip_term_notice(vip_term *term, double utc, const char *text)
{
    vip_board_notice_told(&term->board, utc, text);
}

/* ------------------------------------------------------------------------------------------------------------- keys */

/* Keys that order something. */
static const struct {
    char key;
    vip_term_order order;
    int step;
    bool adjusts;
} ORDERS[] = {
    {'q', VIP_TERM_QUIT, 0, false},   {'Q', VIP_TERM_QUIT, 0, false},      {'r', VIP_TERM_RELOAD, 0, true},
    {'+', VIP_TERM_PASSES, 1, true},  {'=', VIP_TERM_PASSES, 1, true}, /* + without shift */
    {'-', VIP_TERM_PASSES, -1, true}, {'[', VIP_TERM_THRESHOLD, -1, true}, {']', VIP_TERM_THRESHOLD, 1, true},
    {'<', VIP_TERM_HOP, -1, true},    {'>', VIP_TERM_HOP, 1, true},
};

static vip_term_order
order_of(const vip_term *term, char key, int *step)
{
    for (size_t i = 0; i < sizeof ORDERS / sizeof *ORDERS; i++) {
        if (ORDERS[i].key == key && (!ORDERS[i].adjusts || term->adjustable)) {
            *step = ORDERS[i].step;
            return ORDERS[i].order;
        }
    }
    return VIP_TERM_NOTHING;
}

static void
freeze(vip_term *term)
{
    if (!term->view.frozen) {
        vip_board_copy(&term->still, &term->board);
    }
    term->view.frozen = !term->view.frozen;
}

/* Keys that change what is shown. */
static void
look_elsewhere(vip_term *term, char key)
{
    const bool helped = term->view.help; /* any key closes the page */
    term->view.help = !helped && (key == 'h' || key == '?');
    if (key == ' ') {
        freeze(term);
    } else if (key == '\t') {
        term->view.input = (term->view.input + 1) % term->board.inputs;
    } else if (key == KEY_REDRAW) {
        (void)clearok(stdscr, TRUE);
    } else if (term->view.help == helped) {
        return;
    }
    term->stale = true;
}

/* Whether a byte belongs to an escape sequence. */
static bool
is_escape(vip_term *term, char key, double now)
{
    const escape before = now - term->escaped <= ESCAPE ? term->escape : OUTSIDE;
    if (key == KEY_ESCAPE) {
        term->escape = BEHIND_ESCAPE;
        term->escaped = now;
        return true;
    }
    const bool begins = before == BEHIND_ESCAPE && (key == '[' || key == 'O');
    const bool goes_on = before == INSIDE && (key < '@' || key > '~');
    term->escape = begins || goes_on ? INSIDE : OUTSIDE;
    return before != OUTSIDE;
}

/* Stops the program, and whoever is in a pipe with it, until the shell lets them go on. */
static void
stop(vip_term *term)
{
    give_back(term);
    (void)kill(0, SIGTSTP);
    vip_tty_take(&term->tty);
    (void)clearok(stdscr, TRUE);
    term->stale = true;
}

/* Up to the first key that orders something. */
static vip_term_order
read_keys(vip_term *term, double now, int *step)
{
    char key;
    while (vip_tty_key(&term->tty, &key)) {
        if (is_escape(term, key, now)) {
            continue;
        }
        const vip_term_order order = order_of(term, key, step);
        if (order != VIP_TERM_NOTHING) {
            return order;
        }
        if (key == KEY_STOP) {
            stop(term);
        } else {
            look_elsewhere(term, key);
        }
    }
    return term->tty.gone ? VIP_TERM_QUIT : VIP_TERM_NOTHING;
}

/* ---------------------------------------------------------------------------------------------------------- drawing */

static void
follow_size(vip_term *term)
{
    int rows, columns;
    if (vip_tty_size(&term->tty, &rows, &columns) && (rows != LINES || columns != COLS)) {
        (void)resizeterm(rows, columns);
        (void)clearok(stdscr, TRUE); /* what the terminal made of the old lines is not known */
        term->stale = true;
    }
}

static void
draw(vip_term *term)
{
    const double utc = vip_clock_seconds(CLOCK_REALTIME), second = floor(utc);
    const bool frozen = term->view.frozen;
    const bool news = !frozen && (term->board.changes != term->seen || second != term->second);
    if (!news && !term->stale) {
        return;
    }
    term->view.utc = frozen ? term->view.utc : utc;
    vip_draw(frozen ? &term->still : &term->board, &term->view, &term->paint);
    term->seen = term->board.changes;
    term->second = second;
    term->stale = false;
}

vip_term_order
vip_term_turn(vip_term *term, double now, int *step)
{
    *step = 0;
    const vip_term_order order = read_keys(term, now, step);
    const bool free = vip_tty_send(&term->tty); /* else the last drawing is on its way still */
    if (free && now - term->drawn >= FRAME) {
        follow_size(term);
        draw(term);
        (void)vip_tty_send(&term->tty);
        term->drawn = now;
    }
    return order;
}
