/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tty.h -- the terminal below the screen: its mode, its size, its keys, and output that never waits. Curses writes into
 * memory instead of to the terminal, which gets from there as much as it takes. */
#ifndef VIP_UI_TERM_TTY_H
#define VIP_UI_TERM_TTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <termios.h>

typedef struct {
    int in, out;
    int own;     /* the terminal once more, written to without waiting; -1: could not be opened, so out is used */
    FILE *store; /* what curses writes to */
    bool gone;   /* the terminal takes nothing any more, nor ever will */
    bool deaf;   /* no key can come any more */
    bool has_mode;
    struct termios found;      /* its mode before */
    char *waiting;             /* bytes for the terminal: */
    size_t written, end, room; /* from `written` to `end`, of `room` */
} vip_tty;

/* False: memory is short, or there is no file to be had. To be closed in any case. */
bool vip_tty_open(vip_tty *tty, FILE *in, FILE *out);
void vip_tty_close(vip_tty *tty);

/* Keys come at once, unseen, and neither stop the output (Ctrl-S) nor the program (Ctrl-Z, which is read); and as it was. */
void vip_tty_take(vip_tty *tty);
void vip_tty_give_back(vip_tty *tty);

/* Columns and rows; false: it does not say. */
bool vip_tty_size(const vip_tty *tty, int *rows, int *columns);

/* The next key that has been pressed; false: there is none. */
bool vip_tty_key(vip_tty *tty, char *key);

/* Takes over what curses has written, and gives the terminal what it takes of it; true: all of it. */
bool vip_tty_send(vip_tty *tty);

/* The same, up to a second long: before the terminal is given back. */
void vip_tty_finish(vip_tty *tty);

#endif /* VIP_UI_TERM_TTY_H */
