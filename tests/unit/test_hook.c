/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_hook.c -- commands that are run for events: O3 to O6 of plugin/out/README.md. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <common/clock.h>
#include <plugin/out/hook.h>

#include "scratch.h"

static double
now(void)
{
    return vip_clock_seconds(CLOCK_MONOTONIC);
}

static void
pause_for(double seconds)
{
    const struct timespec time = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    (void)nanosleep(&time, NULL);
}

/* What a label may hold at worst, but for the slash that names a file. */
#define HOSTILE "$(touch owned) `touch owned`; touch owned & \"' \\\n\x1b]0;owned\x07 \xff=%s"

static const vipann_event EVENT = {.id = 7,
                                   .ended = true,
                                   .start_seconds = 1.5,
                                   .end_seconds = 2.25,
                                   .p_max = 0.75,
                                   .has_epistemic = true,
                                   .epistemic_nats = 0.125,
                                   .unknown = VIPANN_NO};

static vip_told
told_of(const vipann_event *event)
{
    return (vip_told){.input = "in_1", .label = HOSTILE, .model = "a model", .utc = 0, .event = event};
}

/* Looks until nothing has been running for a while, 20 s at most; adds up what it tells. */
static vip_hook_news
wait_for(vip_hook *hook, uint64_t killed)
{
    vip_hook_news sum = {0}, news;
    const double until = now() + 20;
    while (now() < until && (sum.killed < killed || killed == 0)) {
        if (vip_hook_look(hook, now(), &news)) {
            sum.left_out += news.left_out;
            sum.failed += news.failed;
            sum.killed += news.killed;
            sum.status = news.status != 0 ? news.status : sum.status;
            if (killed == 0) {
                break;
            }
        }
        pause_for(0.002);
    }
    return sum;
}

/* The whole file; *bytes of it. */
static char *
contents(const char *path, size_t *bytes)
{
    static char text[4096];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    *bytes = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[*bytes] = '\0';
    return text;
}

static void
test_a_command_finds_in_its_environment_what_happened(void **state)
{
    char path[SCRATCH_PATH], owned[SCRATCH_PATH], command[2 * SCRATCH_PATH];
    scratch_path(path, state, "said");
    scratch_path(owned, state, "owned");
    (void)snprintf(
        command, sizeof command,
        "cd '%s' && printf '%%s|' \"$VIPANN_EVENT\" \"$VIPANN_LABEL\" \"$VIPANN_INPUT\" \"$VIPANN_MODEL\" "
        "\"$VIPANN_ID\" \"$VIPANN_START\" \"$VIPANN_END\" \"$VIPANN_UTC\" \"$VIPANN_P\" \"$VIPANN_EPISTEMIC\" "
        "\"$VIPANN_UNKNOWN\" \"$VIPANN_KERNELS\" \"$HOOK_TEST\" > said",
        (const char *)*state);
    assert_int_equal(setenv("VIPANN_KERNELS", "none", 1), 0);
    assert_int_equal(setenv("HOOK_TEST", "kept", 1), 0);
    vipann_error error;
    const vip_hook_setup setup = {.command = command, .a_minute = 60, .patience = 20};
    vip_hook *hook = vip_hook_new(&setup, &error);
    assert_non_null(hook);
    const vip_told told = told_of(&EVENT);
    vip_hook_run(hook, &told, now());
    vip_hook_free(hook); /* which waits for it */
    size_t bytes;
    assert_string_equal(contents(path, &bytes), "end|" HOSTILE "|in_1|a model|7|1.500|2.250|1970-01-01T00:00:01.500Z|"
                                                "0.7500|0.1250|false||kept|");
    assert_int_equal(access(owned, F_OK), -1);
    assert_int_equal(unsetenv("VIPANN_KERNELS"), 0);
}

static void
test_no_more_commands_begin_within_a_minute_than_allowed(void **state)
{
    char path[SCRATCH_PATH], command[2 * SCRATCH_PATH];
    (void)snprintf(command, sizeof command, "echo x >> '%s'", scratch_path(path, state, "lines"));
    vipann_error error;
    const vip_hook_setup setup = {.command = command, .a_minute = 3, .patience = 1e6};
    vip_hook *hook = vip_hook_new(&setup, &error);
    assert_non_null(hook);
    const vip_told told = told_of(&EVENT);
    for (int i = 0; i < 10; i++) {
        vip_hook_run(hook, &told, 1000 + i); /* s of our own clock */
    }
    vip_hook_news news;
    assert_true(vip_hook_look(hook, 1010, &news));
    assert_int_equal(news.left_out, 7);
    vip_hook_run(hook, &told, 1000 + 59.9); /* the first of the last three began less than a minute ago */
    vip_hook_run(hook, &told, 1000 + 60.5); /* the second, not yet */
    assert_true(vip_hook_look(hook, 1061, &news));
    assert_int_equal(news.left_out, 1);
    vip_hook_free(hook);
    size_t bytes;
    (void)contents(path, &bytes);
    assert_int_equal(bytes, 2 * 4);
}

static void
test_a_command_that_hangs_is_killed_with_all_it_began(void **state)
{
    char path[SCRATCH_PATH], command[2 * SCRATCH_PATH];
    (void)snprintf(command, sizeof command, "(sleep 1; echo late > '%s') & sleep 1000",
                   scratch_path(path, state, "late"));
    vipann_error error;
    const vip_hook_setup setup = {.command = command, .a_minute = 60, .patience = 0.1};
    vip_hook *hook = vip_hook_new(&setup, &error);
    assert_non_null(hook);
    const vip_told told = told_of(&EVENT);
    const double before = now();
    vip_hook_run(hook, &told, now());
    assert_true(now() - before < 1); /* nothing waits for it */
    assert_int_equal(wait_for(hook, 1).killed, 1);
    pause_for(1.5);
    assert_int_equal(access(path, F_OK), -1);
    vip_hook_free(hook);
}

static void
test_at_most_so_many_run_at_once(void **state)
{
    (void)state;
    vipann_error error;
    const vip_hook_setup setup = {.command = "sleep 1000", .a_minute = 60, .patience = 1000};
    vip_hook *hook = vip_hook_new(&setup, &error);
    assert_non_null(hook);
    const vip_told told = told_of(&EVENT);
    for (int i = 0; i < VIP_HOOK_AT_ONCE + 5; i++) {
        vip_hook_run(hook, &told, now());
    }
    vip_hook_news news;
    assert_true(vip_hook_look(hook, now(), &news));
    assert_int_equal(news.left_out, 5);
    const double before = now();
    vip_hook_free(hook); /* ends them all */
    assert_true(now() - before < 5);
}

static void
test_a_command_that_fails_is_told_of(void **state)
{
    (void)state;
    vipann_error error;
    const vip_hook_setup setup = {.command = "exit 3", .a_minute = 60, .patience = 20};
    vip_hook *hook = vip_hook_new(&setup, &error);
    assert_non_null(hook);
    const vip_told told = told_of(&EVENT);
    vip_hook_run(hook, &told, now());
    const vip_hook_news news = wait_for(hook, 0);
    assert_int_equal(news.failed, 1);
    assert_int_equal(news.status, 3);
    vip_hook_free(hook);
}

static void
test_a_command_inherits_no_file_of_ours(void **state)
{
    char path[SCRATCH_PATH], command[2 * SCRATCH_PATH];
    (void)snprintf(command, sizeof command, "ls /proc/self/fd > '%s'", scratch_path(path, state, "files"));
    vipann_error error;
    const vip_hook_setup setup = {.command = command, .a_minute = 60, .patience = 20};
    vip_hook *hook = vip_hook_new(&setup, &error);
    const int ours = dup(0);
    assert_true(hook != NULL && ours > 2);
    const vip_told told = told_of(&EVENT);
    vip_hook_run(hook, &told, now());
    vip_hook_free(hook);
    size_t bytes;
    assert_string_equal(contents(path, &bytes), "0\n1\n2\n3\n"); /* 3 is the folder that ls reads */
    (void)close(ours);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_command_finds_in_its_environment_what_happened, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_no_more_commands_begin_within_a_minute_than_allowed, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_a_command_that_hangs_is_killed_with_all_it_began, scratch_make,
                                        scratch_remove),
        cmocka_unit_test(test_at_most_so_many_run_at_once),
        cmocka_unit_test(test_a_command_that_fails_is_told_of),
        cmocka_unit_test_setup_teardown(test_a_command_inherits_no_file_of_ours, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
