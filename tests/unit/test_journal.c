/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_journal.c -- holds the promises of plugin/file/journal.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <plugin/file/journal.h>

#include "failing.h"
#include "scratch.h"

enum { TEXT = 4096, N_NAMES = 5, N_SETTINGS = 2 };

/* The third comes twice; names hold whatever the file system allows. */
static const char *const NAMES[N_NAMES] = {"a.wav", "b\n\t\\x41\\.wav", "twice", "twice", "\xff\x01 z"};

static const vip_setting SETTINGS[N_SETTINGS] = {{"seed", "1"}, {"model", "abc = d"}};

static void
list_all(vip_paths *paths)
{
    *paths = (vip_paths){0};
    for (int i = 0; i < N_NAMES; i++) {
        assert_int_equal(vip_paths_add(paths, NAMES[i], false, NULL, NULL, NULL), VIPANN_OK);
    }
}

/* What is left of the list, by the journal at path. */
static void
assert_left(const char *path, size_t left, size_t failed, uint64_t end)
{
    vipann_error error = {VIPANN_OK, ""};
    vip_journal *journal = vip_journal_open(path, SETTINGS, N_SETTINGS, &error);
    assert_non_null(journal);
    vip_paths paths;
    size_t found_failed, finished;
    list_all(&paths);
    assert_int_equal(vip_journal_skip(journal, &paths, &found_failed, &finished, NULL), VIPANN_OK);
    assert_int_equal(paths.n, left);
    assert_int_equal(found_failed, failed);
    assert_int_equal(finished, N_NAMES - left);
    assert_int_equal(vip_journal_end(journal), end);
    for (size_t i = 0; i < left; i++) {
        assert_string_equal(paths.all[i].path, NAMES[N_NAMES - left + i]);
    }
    vip_paths_free(&paths);
    vip_journal_close(journal);
}

static void
write_journal(const char *path)
{
    vip_journal *journal = vip_journal_open(path, SETTINGS, N_SETTINGS, NULL);
    assert_non_null(journal);
    assert_true(vip_journal_is_new(journal) && vip_journal_was_begun_now(journal));
    for (int i = 0; i < N_NAMES; i++) {
        assert_int_equal(vip_journal_add(journal, NAMES[i], i == 1, 10 * (uint64_t)i + 10, NULL), VIPANN_OK);
    }
    vip_journal_close(journal);
}

static void
test_what_was_finished_is_known_however_much_of_the_journal_is_left(void **state)
{
    char path[SCRATCH_PATH], text[TEXT];
    write_journal(scratch_path(path, state, "journal"));
    assert_left(path, 0, 1, 50);
    size_t size = scratch_read(path, text, sizeof text);
    size_t lines = 0;
    for (size_t n = 0; n <= size; n++) {
        scratch_write(path, text, n);
        lines += n > 0 && text[n - 1] == '\n';
        size_t finished = lines > 0 ? lines - 1 : 0;
        assert_left(path, N_NAMES - finished, finished > 1, 10 * finished);
    }
    assert_int_equal(lines, 1 + N_NAMES);
}

static void
test_a_line_that_makes_no_sense_and_all_behind_it_do_not_count(void **state)
{
    static const char *const lines[] = {"",
                                        "x",
                                        "1\tok",
                                        "1\tbad\ta.wav",
                                        "-1\tok\ta.wav",
                                        "\tok\tb",
                                        "20\tok\t\\x0",
                                        "20\tok\t\\x00",
                                        "20\tok\t\\y41",
                                        "5\tok\ta.wav",
                                        "1e3\tok\ta"};
    char path[SCRATCH_PATH], text[TEXT];
    (void)scratch_path(path, state, "journal");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        int n = snprintf(text, sizeof text,
                         "vipann journal 1\tseed=1\tmodel=abc = d\n10\tok\ta.wav\n%s\n30\tok\ttwice\n", lines[i]);
        scratch_write(path, text, (size_t)n);
        assert_left(path, N_NAMES - 1, 0, 10);
        assert_left(path, N_NAMES - 1, 0, 10); /* and is gone */
    }
}

static void
test_other_settings_are_refused_and_named(void **state)
{
    static const struct {
        const char *line, *said;
    } table[] = {
        {"vipann journal 1\tseed=2\tmodel=abc = d\n", "seed was \"2\" and is now \"1\""},
        {"vipann journal 1\tseed=11\tmodel=abc = d\n", "seed was \"11\" and is now \"1\""},
        {"vipann journal 1\tseed=1\tmodel=abc\n", "model was \"abc\" and is now \"abc = d\""},
        {"vipann journal 1\tseed=1\n", "model was \"\" and is now \"abc = d\""},
        {"vipann journal 1\tseed=1\tmodel=abc = d\tnew=1\n", "another version of vipann"},
        {"vipann journal 2\tseed=1\tmodel=abc = d\n", "is no journal of vipann"},
        {"something else\n", "is no journal of vipann"},
        {"something else", "is no journal of vipann"},
        {"vipann journal 1\tseed=1\tmodel=abc = d and", "is no journal of vipann"},
    };
    char path[SCRATCH_PATH], text[TEXT];
    (void)scratch_path(path, state, "journal");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        vipann_error error;
        scratch_write(path, table[i].line, strlen(table[i].line));
        assert_null(vip_journal_open(path, SETTINGS, N_SETTINGS, &error));
        if (strstr(error.text, table[i].said) == NULL) {
            fail_msg("%s: %s", table[i].line, error.text);
        }
        assert_int_equal(scratch_read(path, text, sizeof text), strlen(table[i].line)); /* as it was */
    }
}

static void
test_only_one_process_has_it(void **state)
{
    char path[SCRATCH_PATH];
    vip_journal *journal = vip_journal_open(scratch_path(path, state, "journal"), SETTINGS, N_SETTINGS, NULL);
    assert_non_null(journal);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        vipann_error error = {VIPANN_OK, ""};
        vip_journal *other = vip_journal_open(path, SETTINGS, N_SETTINGS, &error);
        _exit(other == NULL && error.status == VIPANN_E_BUSY ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    vip_journal_close(journal);
    assert_left(path, N_NAMES, 0, 0);
}

static void
test_no_memory_is_a_clean_failure(void **state)
{
    char path[SCRATCH_PATH];
    write_journal(scratch_path(path, state, "journal"));
    vip_paths paths;
    list_all(&paths);
    vipann_status status = VIPANN_E_MEMORY;
    for (long n = 0; status != VIPANN_OK; n++) {
        vipann_error error = {VIPANN_OK, ""};
        size_t failed, finished;
        failing_after(n);
        vip_journal *journal = vip_journal_open(path, SETTINGS, N_SETTINGS, &error);
        status = journal != NULL ? vip_journal_skip(journal, &paths, &failed, &finished, &error) : error.status;
        failing_after(-1);
        assert_true(status == VIPANN_OK || status == VIPANN_E_MEMORY);
        assert_int_equal(paths.n, status == VIPANN_OK ? 0 : N_NAMES);
        vip_journal_close(journal);
        assert_true(n < 100);
    }
    vip_paths_free(&paths);
    vip_journal_close(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_was_finished_is_known_however_much_of_the_journal_is_left,
                                        scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_a_line_that_makes_no_sense_and_all_behind_it_do_not_count, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_other_settings_are_refused_and_named, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_only_one_process_has_it, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_no_memory_is_a_clean_failure, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
