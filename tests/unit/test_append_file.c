/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_append_file.c -- files that grow by whole lines: C-numbers of common/README.md say which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/append_file.h"
#include "scratch.h"

static vip_append_file *
open_it(const char *path, uint64_t most, uint32_t keep, bool anew)
{
    vipann_error error;
    const vip_append_setup setup = {path, most, keep, anew};
    vip_append_file *file = vip_append_open(&setup, &error);
    if (file == NULL) {
        fail_msg("%s", error.text);
    }
    return file;
}

static void
add(vip_append_file *file, const char *line)
{
    (void)fputs(line, vip_append_stream(file));
    assert_int_equal(vip_append_commit(file, NULL), VIPANN_OK);
}

/* What is in the file; "-" if there is none. */
static const char *
text_of(const char *path, const char *suffix)
{
    static char text[4096];
    char name[SCRATCH_PATH + 8];
    (void)snprintf(name, sizeof name, "%s%s", path, suffix);
    FILE *in = fopen(name, "r");
    if (in == NULL) {
        return "-";
    }
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    (void)fclose(in);
    return text;
}

static void
test_each_line_is_there_at_once_behind_what_was(void **state)
{
    char path[SCRATCH_PATH];
    (void)scratch_path(path, state, "plain");
    vip_append_file *file = open_it(path, 0, 1, false);
    add(file, "a line that is longer than the next\n");
    assert_string_equal(text_of(path, ""), "a line that is longer than the next\n");
    add(file, "two\nthree\n");
    assert_string_equal(text_of(path, ""), "a line that is longer than the next\ntwo\nthree\n");
    assert_int_equal(vip_append_commit(file, NULL), VIPANN_OK);
    (void)fputs("never committed", vip_append_stream(file));
    vip_append_close(file);
    file = open_it(path, 0, 1, false);
    add(file, "four\n");
    assert_int_equal(vip_append_size(file), 51);
    vip_append_close(file);
    assert_string_equal(text_of(path, ""), "a line that is longer than the next\ntwo\nthree\nfour\n");
}

static void
test_an_unfinished_line_is_gone_when_the_file_is_opened_again(void **state)
{
    char path[SCRATCH_PATH], long_tail[10000];
    (void)scratch_path(path, state, "torn");
    memset(long_tail, 'x', sizeof long_tail);
    memcpy(long_tail, "whole\n", 6);
    scratch_write(path, long_tail, sizeof long_tail);
    vip_append_file *file = open_it(path, 0, 1, false);
    assert_string_equal(text_of(path, ""), "whole\n");
    vip_append_close(file);
    scratch_write(path, "no line", 7);
    file = open_it(path, 0, 1, false);
    add(file, "first\n");
    vip_append_close(file);
    assert_string_equal(text_of(path, ""), "first\n");
}

static void
test_what_has_grown_large_is_put_aside_and_the_oldest_goes(void **state)
{
    char path[SCRATCH_PATH];
    (void)scratch_path(path, state, "large");
    vip_append_file *file = open_it(path, 10, 2, false);
    static const char *const lines[] = {"1234\n", "5678\n", "abcd\n", "a line beyond the limit\n", "z\n"};
    for (size_t i = 0; i < 5; i++) {
        add(file, lines[i]);
    }
    vip_append_close(file);
    assert_string_equal(text_of(path, ""), "z\n");
    assert_string_equal(text_of(path, ".1"), "a line beyond the limit\n");
    assert_string_equal(text_of(path, ".2"), "abcd\n"); /* the first two are gone */
    assert_string_equal(text_of(path, ".3"), "-");
    file = open_it(path, 10, 2, true);
    assert_string_equal(text_of(path, ""), "");
    assert_string_equal(text_of(path, ".1"), "z\n");
    vip_append_close(file);
    file = open_it(path, 10, 2, true); /* what is empty need not be put aside */
    vip_append_close(file);
    assert_string_equal(text_of(path, ".1"), "z\n");
}

/* A limit on the size of files stands for a full disk: writes stop half way in the same manner. */
static void
test_where_there_is_no_room_a_line_is_lost_wholly_and_the_next_may_fit(void **state)
{
    char path[SCRATCH_PATH];
    (void)scratch_path(path, state, "full");
    vip_append_file *file = open_it(path, 0, 1, false);
    add(file, "there\n");
    struct rlimit before, small = {10, 0};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    void (*const usual)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    vipann_error error;
    (void)fputs("does not fit\n", vip_append_stream(file));
    const vipann_status status = vip_append_commit(file, &error);
    (void)fputs("fits\n", vip_append_stream(file));
    const vipann_status too_long = vip_append_commit(file, NULL);
    (void)fputs("it\n", vip_append_stream(file));
    const vipann_status fits = vip_append_commit(file, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, usual);
    assert_int_equal(status, VIPANN_E_IO);
    assert_non_null(strstr(error.text, "full: cannot be written: File too large"));
    assert_int_equal(too_long, VIPANN_E_IO);
    assert_int_equal(fits, VIPANN_OK);
    vip_append_close(file);
    assert_string_equal(text_of(path, ""), "there\nit\n");
}

static void
test_what_cannot_be_written_is_said(void **state)
{
    char path[SCRATCH_PATH];
    vipann_error error;
    (void)scratch_path(path, state, "no/file");
    const vip_append_setup missing = {path, 0, 1, false}, device = {"/dev/null", 0, 1, false};
    assert_null(vip_append_open(&missing, &error));
    assert_int_equal(error.status, VIPANN_E_IO);
    assert_non_null(strstr(error.text, "No such file or directory"));
    assert_null(vip_append_open(&device, &error));
    assert_non_null(strstr(error.text, "no regular file"));
}

static off_t
size_of(const char *path)
{
    struct stat there;
    return stat(path, &there) == 0 ? there.st_size : 0;
}

/* A writer that is killed at any moment leaves whole lines, at least those that it had committed; of one that it was about
 * to write what the system had copied, until the file is opened again. */
static void
test_a_killed_writer_leaves_whole_lines(void **state)
{
    unsigned torn = 0;
    char path[SCRATCH_PATH];
    (void)scratch_path(path, state, "killed");
    for (unsigned round = 0; round < 20; round++) {
        int committed[2];
        (void)unlink(path);
        assert_int_equal(pipe(committed), 0);
        const pid_t child = fork();
        if (child == 0) {
            vip_append_file *file = open_it(path, 0, 1, false);
            for (uint32_t i = 0;; i++) {
                (void)fprintf(vip_append_stream(file), "{\"line\":%u,\"text\":\"%0*u\"}\n", i, 50 + (int)(i % 400), i);
                if (vip_append_commit(file, NULL) != VIPANN_OK || write(committed[1], &i, sizeof i) != sizeof i) {
                    _exit(1);
                }
            }
        }
        (void)close(committed[1]);
        const struct timespec moment = {0, 1000000 + 700000 * (long)round};
        (void)nanosleep(&moment, NULL);
        (void)kill(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
        uint32_t last = UINT32_MAX, i;
        while (read(committed[0], &i, sizeof i) == sizeof i) {
            last = i;
        }
        (void)close(committed[0]);
        const off_t left = size_of(path);
        vip_append_close(open_it(path, 0, 1, false));
        torn += size_of(path) != left;
        FILE *in = fopen(path, "r");
        char line[600] = "\n";
        uint32_t n = 0;
        for (; in != NULL && fgets(line, sizeof line, in) != NULL; n++) {
            assert_int_equal(line[strlen(line) - 1], '\n');
            assert_int_equal(sscanf(line, "{\"line\":%u,", &i), 1);
            assert_int_equal(i, n);
        }
        if (in != NULL) {
            (void)fclose(in);
        }
        assert_true(last == UINT32_MAX || n > last);
    }
    print_message("# a part of a line was left %u times of 20\n", torn);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_line_is_there_at_once_behind_what_was),
        cmocka_unit_test(test_an_unfinished_line_is_gone_when_the_file_is_opened_again),
        cmocka_unit_test(test_what_has_grown_large_is_put_aside_and_the_oldest_goes),
        cmocka_unit_test(test_where_there_is_no_room_a_line_is_lost_wholly_and_the_next_may_fit),
        cmocka_unit_test(test_what_cannot_be_written_is_said),
        cmocka_unit_test(test_a_killed_writer_leaves_whole_lines),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
