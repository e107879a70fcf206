/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_term.c -- holds the promises of ui/term/term.h that a terminal which nobody watches can show. */
#define _XOPEN_SOURCE 700 /* posix_openpt */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <common/clock.h>
#include <ui/term/term.h>

#include "failing.h"

/* A terminal, and its other end, which shows what is written to it and presses keys. */
typedef struct {
    int other;
    FILE *file;
    struct termios mode;
    vip_term_setup setup;
} terminal;

static terminal
make_terminal(unsigned short rows, unsigned short columns)
{
    terminal t = {.other = posix_openpt(O_RDWR | O_NOCTTY)};
    assert_true(t.other >= 0 && grantpt(t.other) == 0 && unlockpt(t.other) == 0);
    const int fd = open(ptsname(t.other), O_RDWR | O_NOCTTY);
    const struct winsize size = {.ws_row = rows, .ws_col = columns};
    assert_true(fd >= 0 && ioctl(fd, TIOCSWINSZ, &size) == 0 && tcgetattr(fd, &t.mode) == 0);
    t.file = fdopen(fd, "r+");
    assert_non_null(t.file);
    t.setup = (vip_term_setup){"title", 1, NULL, t.file, t.file, true};
    assert_int_equal(setenv("TERM", "xterm", 1), 0);
    return t;
}

static void
remove_terminal(terminal *t)
{
    if (t->other >= 0) {
        (void)close(t->other);
    }
    (void)fclose(t->file);
}

/* Whether the terminal has the mode that it was found in. */
static bool
is_as_found(const terminal *t)
{
    struct termios now;
    return tcgetattr(fileno(t->file), &now) == 0 && now.c_lflag == t->mode.c_lflag && now.c_iflag == t->mode.c_iflag &&
           memcmp(now.c_cc, t->mode.c_cc, sizeof now.c_cc) == 0;
}

/* Reads what is there; bytes. */
static size_t
read_all(const terminal *t, char *text, size_t size)
{
    size_t n = 0;
    struct pollfd fd = {.fd = t->other, .events = POLLIN};
    while (n + 1 < size && poll(&fd, 1, 50) == 1) {
        const ssize_t got = read(t->other, text + n, size - 1 - n);
        if (got <= 0) {
            break;
        }
        n += (size_t)got;
    }
    text[n] = '\0';
    return n;
}

static void
test_the_terminal_is_given_back_each_time(void **state)
{
    (void)state;
    static char text[65536];
    terminal t = make_terminal(24, 80);
    for (int i = 0; i < 2; i++) {
        vipann_error error;
        int step;
        vip_term *term = vip_term_open(&t.setup, &error);
        assert_non_null(term);
        assert_false(is_as_found(&t));
        assert_int_equal(vip_term_turn(term, 0, &step), VIP_TERM_NOTHING);
        assert_true(read_all(&t, text, sizeof text) > 0);
        assert_non_null(strstr(text, "title"));
        assert_non_null(strstr(text, "\033[?1049h")); /* xterm's other screen */
        vip_term_close(term);
        (void)read_all(&t, text, sizeof text);
        assert_non_null(strstr(text, "\033[?1049l"));
        assert_true(is_as_found(&t));
    }
    remove_terminal(&t);
    vip_term_close(NULL);
}

static void
test_it_draws_ten_times_a_second_and_what_is_new(void **state)
{
    (void)state;
    static char text[65536];
    terminal t = make_terminal(24, 80);
    vip_term *term = vip_term_open(&t.setup, NULL);
    int step, drawings = 0;
    assert_non_null(term);
    (void)vip_term_turn(term, 0, &step);
    (void)read_all(&t, text, sizeof text);
    for (int i = 1; i <= 200; i++) { /* two seconds, by this clock */
        char notice[32];
        (void)snprintf(notice, sizeof notice, "notice %d", i);
        vip_term_notice(term, NAN, notice);
        (void)vip_term_turn(term, 0.01 * i, &step);
        struct pollfd fd = {.fd = t.other, .events = POLLIN};
        if (poll(&fd, 1, 0) == 1) {
            drawings++;
            (void)read(t.other, text, sizeof text);
        }
    }
    assert_in_range(drawings, 17, 21);
    vip_term_close(term);
    remove_terminal(&t);
}

/* Nobody reads what is written: a stopped ssh, for instance. */
static void
test_a_terminal_that_takes_no_more_keeps_nobody(void **state)
{
    (void)state;
    static char text[1 << 20];
    terminal t = make_terminal(200, 400);
    vip_term *term = vip_term_open(&t.setup, NULL);
    int step;
    assert_non_null(term);
    const double before = vip_clock_seconds(CLOCK_MONOTONIC);
    for (int i = 0; i < 400; i++) {
        char notice[128];
        memset(notice, 'a' + i % 26, sizeof notice);
        notice[sizeof notice - 1] = '\0';
        vip_term_notice(term, NAN, notice);
        assert_int_equal(write(t.other, "\f", 1), 1); /* Ctrl-L: all of it anew */
        (void)vip_term_turn(term, i, &step);
    }
    assert_true(vip_clock_seconds(CLOCK_MONOTONIC) - before < 10);
    assert_int_equal(write(t.other, "q", 1), 1); /* and keys are heard */
    assert_int_equal(vip_term_turn(term, 500, &step), VIP_TERM_QUIT);
    assert_true(read_all(&t, text, sizeof text) > 1000); /* it was full indeed, and goes on where it stopped */
    vip_term_notice(term, NAN, "at last");
    for (int i = 0; i < 100; i++) {
        (void)vip_term_turn(term, 600 + i, &step);
        (void)read_all(&t, text, sizeof text);
        if (strstr(text, "at last") != NULL) {
            break;
        }
    }
    assert_non_null(strstr(text, "at last"));
    vip_term_close(term);
    assert_true(is_as_found(&t));
    remove_terminal(&t);
}

static void
test_a_terminal_that_has_gone_ends_the_program(void **state)
{
    (void)state;
    terminal t = make_terminal(24, 80);
    vip_term *term = vip_term_open(&t.setup, NULL);
    int step;
    assert_non_null(term);
    assert_int_equal(vip_term_turn(term, 0, &step), VIP_TERM_NOTHING);
    (void)close(t.other);
    t.other = -1;
    assert_int_equal(vip_term_turn(term, 1, &step), VIP_TERM_QUIT);
    vip_term_close(term);
    remove_terminal(&t);
}

static void
test_keys_that_end_are_no_end_of_the_program(void **state)
{
    (void)state;
    terminal t = make_terminal(24, 80);
    FILE *nothing = fopen("/dev/null", "r");
    assert_non_null(nothing);
    t.setup.in = nothing;
    vip_term *term = vip_term_open(&t.setup, NULL);
    int step;
    assert_non_null(term);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(vip_term_turn(term, i, &step), VIP_TERM_NOTHING);
    }
    vip_term_close(term);
    (void)fclose(nothing);
    remove_terminal(&t);
}

static void
test_one_order_comes_at_a_time(void **state)
{
    (void)state;
    static const struct {
        vip_term_order order;
        int step;
    } table[] = {{VIP_TERM_PASSES, 1}, {VIP_TERM_PASSES, -1}, {VIP_TERM_HOP, 1},    {VIP_TERM_THRESHOLD, -1},
                 {VIP_TERM_RELOAD, 0}, {VIP_TERM_NOTHING, 0}, {VIP_TERM_NOTHING, 0}};
    static const char keys[] = "+x-\033[A\033OP>\033[1;5C[ r"; /* what arrows send holds no order */
    terminal t = make_terminal(24, 80);
    vip_term *term = vip_term_open(&t.setup, NULL);
    assert_non_null(term);
    assert_int_equal(write(t.other, keys, sizeof keys - 1), sizeof keys - 1);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int step = 7;
        assert_int_equal(vip_term_turn(term, (double)i, &step), table[i].order);
        assert_int_equal(step, table[i].step);
    }
    vip_term_close(term);
    remove_terminal(&t);
}

static void
test_no_memory_is_a_clean_failure_of_the_display(void **state)
{
    (void)state;
    terminal t = make_terminal(24, 80);
    vip_term *term = NULL;
    long n = 0;
    for (; term == NULL && n < 100; n++) {
        vipann_error error = {VIPANN_OK, ""};
        failing_after(n);
        term = vip_term_open(&t.setup, &error);
        failing_after(-1);
        assert_true(term != NULL || error.status == VIPANN_E_MEMORY);
        assert_true(term != NULL || is_as_found(&t));
    }
    assert_in_range(n, 3, 99);
    vip_term_close(term);
    remove_terminal(&t);
}

static void
test_a_file_is_no_terminal(void **state)
{
    (void)state;
    terminal t = make_terminal(24, 80);
    assert_true(vip_term_can(t.file));
    static const char *const kinds[] = {"dumb", ""};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(setenv("TERM", kinds[i], 1), 0);
        assert_false(vip_term_can(t.file));
    }
    assert_int_equal(unsetenv("TERM"), 0);
    assert_false(vip_term_can(t.file));
    assert_int_equal(setenv("TERM", "xterm", 1), 0);
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_false(vip_term_can(file));
    (void)fclose(file);
    remove_terminal(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_terminal_is_given_back_each_time),
        cmocka_unit_test(test_it_draws_ten_times_a_second_and_what_is_new),
        cmocka_unit_test(test_a_terminal_that_takes_no_more_keeps_nobody),
        cmocka_unit_test(test_a_terminal_that_has_gone_ends_the_program),
        cmocka_unit_test(test_keys_that_end_are_no_end_of_the_program),
        cmocka_unit_test(test_one_order_comes_at_a_time),
        cmocka_unit_test(test_no_memory_is_a_clean_failure_of_the_display),
        cmocka_unit_test(test_a_file_is_no_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
