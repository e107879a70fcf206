/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_atomic_file.c -- holds the promises of common/atomic_file.h. */
#define _GNU_SOURCE /* O_TMPFILE */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <common/atomic_file.h>

#include "failing.h"
#include "scratch.h"

enum { TEXT = 64 };

static void
test_nothing_is_there_until_commit(void **state)
{
    char path[SCRATCH_PATH], text[TEXT];
    (void)scratch_path(path, state, "new");
    vip_atomic_file *file = vip_atomic_file_open(path, NULL);
    assert_non_null(file);
    assert_true(fputs("whole", vip_atomic_file_stream(file)) >= 0);
    assert_int_equal(fflush(vip_atomic_file_stream(file)), 0);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(vip_atomic_file_commit(file, NULL), VIPANN_OK);
    assert_int_equal(scratch_read(path, text, sizeof text), 5);
    assert_string_equal(text, "whole");
    assert_int_equal(scratch_count(state), 1);
}

static void
test_a_program_that_is_killed_leaves_nothing_behind(void **state)
{
    int fd = open(*state, O_TMPFILE | O_WRONLY, 0600);
    if (fd < 0) {
        print_message("this file system has no files without a name\n");
        skip();
    }
    (void)close(fd);
    char path[SCRATCH_PATH];
    vip_atomic_file *file = vip_atomic_file_open(scratch_path(path, state, "new"), NULL);
    assert_non_null(file);
    assert_int_equal(scratch_count(state), 0); /* as it would stand if the program ended here */
    vip_atomic_file_discard(file);
}

static void
test_what_was_there_stays_until_commit_and_after_discard(void **state)
{
    char path[SCRATCH_PATH], text[TEXT];
    scratch_write(scratch_path(path, state, "old"), "before", 6);
    vip_atomic_file *file = vip_atomic_file_open(path, NULL);
    assert_non_null(file);
    assert_true(fputs("after", vip_atomic_file_stream(file)) >= 0);
    assert_int_equal(fflush(vip_atomic_file_stream(file)), 0);
    (void)scratch_read(path, text, sizeof text);
    assert_string_equal(text, "before");
    vip_atomic_file_discard(file);
    (void)scratch_read(path, text, sizeof text);
    assert_string_equal(text, "before");
    assert_int_equal(scratch_count(state), 1);
    vip_atomic_file_discard(NULL);
}

static void
test_a_replaced_file_keeps_its_permissions_and_links(void **state)
{
    char path[SCRATCH_PATH], link[SCRATCH_PATH], text[TEXT];
    scratch_write(scratch_path(path, state, "target"), "before", 6);
    assert_int_equal(chmod(path, 0604), 0);
    assert_int_equal(symlink("target", scratch_path(link, state, "link")), 0);
    vip_atomic_file *file = vip_atomic_file_open(link, NULL);
    assert_non_null(file);
    assert_true(fputs("after", vip_atomic_file_stream(file)) >= 0);
    assert_int_equal(vip_atomic_file_commit(file, NULL), VIPANN_OK);
    struct stat facts;
    assert_int_equal(lstat(link, &facts), 0);
    assert_true(S_ISLNK(facts.st_mode));
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0604);
    (void)scratch_read(path, text, sizeof text);
    assert_string_equal(text, "after");
}

static void
test_a_new_file_obeys_the_umask(void **state)
{
    char path[SCRATCH_PATH];
    mode_t before = umask(027);
    vip_atomic_file *file = vip_atomic_file_open(scratch_path(path, state, "new"), NULL);
    (void)umask(before);
    assert_non_null(file);
    assert_int_equal(vip_atomic_file_commit(file, NULL), VIPANN_OK);
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0640);
}

static void
test_a_full_disk_is_an_error_and_changes_nothing(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0) {
        print_message("this machine has no /dev/full\n");
        skip();
    }
    vipann_error error = {VIPANN_OK, ""};
    vip_atomic_file *file = vip_atomic_file_open("/dev/full", &error); /* a device: written to directly */
    assert_non_null(file);
    assert_true(fputs("lost", vip_atomic_file_stream(file)) >= 0);
    assert_int_equal(vip_atomic_file_commit(file, &error), VIPANN_E_IO);
    assert_non_null(strstr(error.text, "/dev/full: cannot be written: No space left"));
}

static void
test_places_that_cannot_be_written_are_refused(void **state)
{
    char path[SCRATCH_PATH];
    vipann_error error = {VIPANN_OK, ""};
    assert_null(vip_atomic_file_open(*state, &error));
    assert_int_equal(error.status, VIPANN_E_IO);
    assert_non_null(strstr(error.text, "directory"));
    assert_null(vip_atomic_file_open(scratch_path(path, state, "nowhere/file"), &error));
    assert_non_null(strstr(error.text, "nowhere/file: cannot be written: No such file"));
    assert_int_equal(scratch_count(state), 0);
}

static void
test_no_memory_leaves_nothing_behind(void **state)
{
    char path[SCRATCH_PATH];
    (void)scratch_path(path, state, "new");
    for (long n = 0;; n++) {
        vipann_error error = {VIPANN_OK, ""};
        failing_after(n);
        vip_atomic_file *file = vip_atomic_file_open(path, &error);
        failing_after(-1);
        if (file != NULL) {
            assert_true(n > 0);
            vip_atomic_file_discard(file);
            break;
        }
        assert_int_equal(error.status, VIPANN_E_MEMORY);
        assert_int_equal(scratch_count(state), 0);
    }
    assert_int_equal(scratch_count(state), 0);
}

#define WITH_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SCRATCH(test_nothing_is_there_until_commit),
        WITH_SCRATCH(test_a_program_that_is_killed_leaves_nothing_behind),
        WITH_SCRATCH(test_what_was_there_stays_until_commit_and_after_discard),
        WITH_SCRATCH(test_a_replaced_file_keeps_its_permissions_and_links),
        WITH_SCRATCH(test_a_new_file_obeys_the_umask),
        WITH_SCRATCH(test_places_that_cannot_be_written_are_refused),
        WITH_SCRATCH(test_no_memory_leaves_nothing_behind),
        cmocka_unit_test(test_a_full_disk_is_an_error_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
