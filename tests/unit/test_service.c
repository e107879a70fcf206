/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_service.c -- what a service manager is told, and how much is said: N12 to N14 of plugin/live/README.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "plugin/live/notices.h"
#include "plugin/live/service.h"
#include "plugin/live/standing.h"
#include "scratch.h"

/* A manager's socket; the path is left in the environment. */
static int
listen_as_manager(void **state, bool abstract)
{
    char path[SCRATCH_PATH];
    struct sockaddr_un here = {.sun_family = AF_UNIX};
    (void)scratch_path(path, state, "notify");
    if (abstract) {
        (void)snprintf(path, sizeof path, "@vipann-test-%d", (int)getpid());
    }
    const size_t length = strlen(path);
    memcpy(here.sun_path, path, length);
    here.sun_path[0] = abstract ? '\0' : '/';
    const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    (void)unlink(path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&here, (socklen_t)(sizeof here - sizeof here.sun_path + length)),
                     0);
    assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
    return fd;
}

/* The next message; "" if there is none. */
static const char *
said(int fd)
{
    static char text[512];
    const ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void
test_a_manager_is_told_what_it_asks_for(void **state)
{
    for (int abstract = 0; abstract < 2; abstract++) {
        vip_service s;
        const int fd = listen_as_manager(state, abstract == 1);
        assert_int_equal(setenv("WATCHDOG_USEC", "20000000", 1), 0);
        vip_service_open(&s);
        assert_null(getenv("NOTIFY_SOCKET"));
        assert_null(getenv("WATCHDOG_USEC"));
        assert_true(s.interval == 10);
        assert_string_equal(said(fd), "");
        vip_service_ready(&s);
        vip_service_ready(&s);
        assert_string_equal(said(fd), "READY=1");
        assert_string_equal(said(fd), "");
        assert_true(vip_service_is_due(&s, 100));
        vip_service_sign(&s, 100);
        assert_string_equal(said(fd), "WATCHDOG=1");
        assert_false(vip_service_is_due(&s, 109));
        assert_true(vip_service_is_due(&s, 110));
        vip_service_status(&s, "12 results");
        assert_string_equal(said(fd), "STATUS=12 results");
        vip_service_close(&s);
        assert_string_equal(said(fd), "STOPPING=1");
        (void)close(fd);
    }
}

static void
test_where_nobody_asks_nothing_is_sent(void **state)
{
    vip_service s;
    const int fd = listen_as_manager(state, false);
    assert_int_equal(setenv("WATCHDOG_USEC", "20000000", 1), 0);
    assert_int_equal(setenv("WATCHDOG_PID", "1", 1), 0); /* it waits for another process */
    vip_service_open(&s);
    assert_false(vip_service_is_due(&s, 100));
    vip_service_close(&s);
    (void)close(fd);
    static const char *const nobody[] = {"/no/such/socket", "relative", "", "@"};
    for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++) {
        assert_int_equal(setenv("NOTIFY_SOCKET", nobody[i], 1), 0);
        assert_int_equal(setenv("WATCHDOG_USEC", "20000000", 1), 0);
        vip_service_open(&s);
        assert_int_equal(s.socket, -1);
        vip_service_ready(&s);
        assert_false(vip_service_is_due(&s, 100));
        vip_service_close(&s);
    }
}

/* A manager that never reads keeps nobody waiting. */
static void
test_a_manager_that_does_not_read_keeps_nobody(void **state)
{
    vip_service s;
    const int fd = listen_as_manager(state, false);
    vip_service_open(&s);
    for (int i = 0; i < 10000; i++) {
        vip_service_sign(&s, i);
    }
    vip_service_close(&s);
    (void)close(fd);
}

static void
test_an_analysis_that_stands_still_is_no_sign_of_life(void **state)
{
    (void)state;
    vip_standing s = {0};
    vip_stream_state stream = {.pushed_seconds = 10, .backlog_seconds = 0.5};
    assert_true(vip_standing_goes_on(&s, &stream));
    assert_true(vip_standing_goes_on(&s, &stream)); /* no sound comes */
    stream.pushed_seconds = 14;
    stream.backlog_seconds = 4; /* of four seconds half of one was heard */
    assert_true(vip_standing_goes_on(&s, &stream));
    stream.pushed_seconds = 20;
    stream.lost_seconds = 6;
    assert_false(vip_standing_goes_on(&s, &stream));
    stream.pushed_seconds = 30;
    stream.lost_seconds = 10;
    assert_true(vip_standing_goes_on(&s, &stream)); /* slow, but it hears */
}

/* --------------------------------------------------------------------------------------------------------- notices */

static char shown[512];

static void
show(void *user, const char *text)
{
    (void)user;
    (void)snprintf(shown + strlen(shown), sizeof shown - strlen(shown), "%s;", text);
}

static void
say(vip_notices *notices, vip_log_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vip_notices_say(notices, level, format, arguments);
    va_end(arguments);
}

static void
test_what_matters_less_than_asked_for_is_not_said(void **state)
{
    (void)state;
    static const char *const wanted[] = {"e1;e2;", "e1;e2;w1;", "e1;e2;w1;n1;", "e1;e2;w1;n1;d1;"};
    static const char error[] = "e%d", warning[] = "w%d", notice[] = "n%d", debug[] = "d%d";
    for (int most = 0; most < 4; most++) {
        vip_notices notices = {.command = "x", .most = (vip_log_level)most, .show = show};
        shown[0] = '\0';
        for (int i = 1; i < 3; i++) { /* what ends a program is said in any case, the rest once a minute */
            say(&notices, VIP_LOG_ERROR, error, i);
        }
        for (int i = 1; i < 3; i++) {
            say(&notices, VIP_LOG_WARNING, warning, i);
            say(&notices, VIP_LOG_NOTICE, notice, i);
            say(&notices, VIP_LOG_DEBUG, debug, i);
        }
        assert_string_equal(shown, wanted[most]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_manager_is_told_what_it_asks_for),
        cmocka_unit_test(test_where_nobody_asks_nothing_is_sent),
        cmocka_unit_test(test_a_manager_that_does_not_read_keeps_nobody),
        cmocka_unit_test(test_an_analysis_that_stands_still_is_no_sign_of_life),
        cmocka_unit_test(test_what_matters_less_than_asked_for_is_not_said),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
