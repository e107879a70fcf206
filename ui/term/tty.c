/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tty.c -- see tty.h for the contract. */
#define _GNU_SOURCE /* memfd_create */
#include "tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    PIECE = 64,   /* bytes that a terminal with room at all is trusted to take, where it would have to be waited for */
    A_WHILE = 20, /* ms, of PATIENCE */
    PATIENCE = 50
};

/* A file that is nowhere. */
static FILE *
open_store(void)
{
#ifdef __linux__
    const int fd = memfd_create("screen", MFD_CLOEXEC);
    FILE *file = fd >= 0 ? fdopen(fd, "r+") : NULL;
    if (file == NULL && fd >= 0) {
        (void)close(fd);
    }
    return file;
#else
    return tmpfile();
#endif
}

/* To be written to without waiting it is opened anew: whoever shares it with us should not notice. */
static int
open_own(int out)
{
    char name[256];
    return ttyname_r(out, name, sizeof name) == 0 ? open(name, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : -1;
}

bool
vip_tty_open(vip_tty *tty, FILE *in, FILE *out)
{
    *tty = (vip_tty){.in = fileno(in), .out = fileno(out), .own = open_own(fileno(out)), .store = open_store()};
    tty->has_mode = tcgetattr(tty->out, &tty->found) == 0;
    return tty->store != NULL;
}

void
vip_tty_close(vip_tty *tty)
{
    if (tty->store == NULL) {
        return;
    }
    (void)fclose(tty->store);
    if (tty->own >= 0) {
        (void)close(tty->own);
    }
    free(tty->waiting);
    tty->waiting = NULL;
    tty->store = NULL;
}

/* ------------------------------------------------------------------------------------------------------ mode and size */

void
vip_tty_take(vip_tty *tty)
{
    struct termios mode = tty->found;
    mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL);
    mode.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
    mode.c_cc[VSUSP] = _POSIX_VDISABLE;
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    if (tty->has_mode) {
        (void)tcsetattr(tty->out, TCSANOW, &mode);
    }
}

void
vip_tty_give_back(vip_tty *tty)
{
    if (tty->has_mode) {
        (void)tcsetattr(tty->out, TCSANOW, &tty->found);
    }
}

bool
vip_tty_size(const vip_tty *tty, int *rows, int *columns)
{
    struct winsize size;
    if (ioctl(tty->out, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) {
        return false;
    }
    *rows = size.ws_row;
    *columns = size.ws_col;
    return true;
}

/* ----------------------------------------------------------------------------------------------------- keys and output */

bool
vip_tty_key(vip_tty *tty, char *key)
{
    struct pollfd fds[] = {{.fd = tty->deaf ? -1 : tty->in, .events = POLLIN}, {.fd = tty->out, .events = 0}};
    if (poll(fds, 2, 0) <= 0) {
        return false;
    }
    tty->gone = tty->gone || fds[1].revents != 0; /* what one need not ask for: it has hung up */
    if (fds[0].revents == 0) {
        return false;
    }
    const ssize_t n = read(tty->in, key, 1);
    tty->deaf = n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
    return n == 1;
}

/* What curses has written goes behind what waits. */
static bool
take_over(vip_tty *tty)
{
    const int store = fileno(tty->store);
    const off_t fresh = lseek(store, 0, SEEK_CUR);
    if (fresh <= 0) {
        return fresh == 0;
    }
    if (tty->written == tty->end) {
        tty->written = tty->end = 0;
    }
    if (tty->room - tty->end < (size_t)fresh) {
        char *larger = realloc(tty->waiting, tty->end + (size_t)fresh);
        if (larger == NULL) {
            return false; /* later, perhaps */
        }
        tty->waiting = larger;
        tty->room = tty->end + (size_t)fresh;
    }
    const ssize_t n = pread(store, tty->waiting + tty->end, (size_t)fresh, 0);
    tty->end += n > 0 ? (size_t)n : 0;
    return lseek(store, 0, SEEK_SET) == 0;
}

/* Whether the terminal took something. */
static bool
write_some(vip_tty *tty)
{
    const size_t all = tty->end - tty->written;
    struct pollfd fd = {.fd = tty->out, .events = POLLOUT};
    if (tty->own < 0 && (poll(&fd, 1, 0) != 1 || (fd.revents & POLLOUT) == 0)) {
        return false;
    }
    const ssize_t n = write(tty->own >= 0 ? tty->own : tty->out, tty->waiting + tty->written,
                            tty->own >= 0 || all < PIECE ? all : PIECE);
    tty->gone = tty->gone || (n < 0 && errno != EINTR && errno != EAGAIN);
    tty->written += n > 0 ? (size_t)n : 0;
    return n > 0;
}

bool
vip_tty_send(vip_tty *tty)
{
    if (!take_over(tty)) {
        return false;
    }
    while (tty->written < tty->end && write_some(tty)) {
    }
    return tty->written == tty->end;
}

void
vip_tty_finish(vip_tty *tty)
{
    struct pollfd fd = {.fd = tty->out, .events = POLLOUT};
    for (int i = 0; i < PATIENCE && !vip_tty_send(tty) && !tty->gone; i++) {
        (void)poll(&fd, 1, A_WHILE);
    }
}
