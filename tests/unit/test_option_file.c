/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_option_file.c -- holds the promises of common/option_file.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/option_file.h>

#include "failing.h"
#include "scratch.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { PRESET, MODEL, PASSES, WINDOW, FORMAT, CLIP, N_OPTIONS };

static const char *const FORMATS[] = {"text", "jsonl", "csv", NULL};
static const char *const ALL[] = {"all", NULL};

static const vip_option PRESET_OPTION = {"preset", VIP_OPTION_TEXT, "FILE",       0, 0, NULL, NULL,
                                         NULL,     "Input",         "From where."};

static const vip_option *const OPTIONS[N_OPTIONS] = {
    [PRESET] = &PRESET_OPTION,
    [MODEL] = &(const vip_option){"model", VIP_OPTION_TEXT, "MODEL", 0, 0, NULL, "usual", NULL, "Input", "Which."},
    [PASSES] = &(const vip_option){"passes", VIP_OPTION_WHOLE, "N", 0, 64, NULL, NULL, NULL, "Input", "How many."},
    [WINDOW] = &(const vip_option){"window", VIP_OPTION_NUMBER, "S", 0.5, 120, ALL, "4.8", NULL, "Input", "How long."},
    [FORMAT] =
        &(const vip_option){"format", VIP_OPTION_CHOICE, NULL, 0, 0, FORMATS, "text", NULL, "Output", "Which form."},
    [CLIP] = &(const vip_option){"clip", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, "Output", "One for all."},
};

static const vip_option *const LIVE_OPTIONS[] = {
    &(const vip_option){"ports", VIP_OPTION_TEXT, "NAME", 0, 0, NULL, NULL, NULL, "Input", "Which."},
};

static const vip_command COMMAND = {.name = "test file",
                                    .operands = "FILE...",
                                    .summary = "Tests.",
                                    .examples = "",
                                    .options = OPTIONS,
                                    .n_options = N_OPTIONS,
                                    .most_operands = 3};

static const vip_command LIVE = {.name = "test live",
                                 .operands = "",
                                 .summary = "Tests.",
                                 .examples = "",
                                 .options = LIVE_OPTIONS,
                                 .n_options = LENGTH(LIVE_OPTIONS)};

static const vip_subcommand COMMANDS[] = {{"file", &COMMAND, NULL}, {"live", &LIVE, NULL}, {NULL, NULL, NULL}};
static const char *const OTHERS[] = {"notes", NULL};

static const vip_option_keys KEYS = {&PRESET_OPTION, COMMANDS, OTHERS};

enum { MOST_ARGUMENTS = 12 };

/* What the words of a command line, separated by single spaces, and then the text of a file say. */
static vipann_status
parse(const char *words, const char *text, vip_arguments *a, vipann_error *error)
{
    char line[128], *argv[MOST_ARGUMENTS + 1] = {"test"};
    int argc = 1;
    (void)snprintf(line, sizeof line, "%s", words);
    for (char *word = strtok(line, " "); word != NULL && argc < MOST_ARGUMENTS; word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    vipann_status status = vip_options_parse(&COMMAND, argc, argv, a, error);
    if (status == VIPANN_OK) {
        status = vip_option_file_parse(a, &KEYS, "night.conf", text, strlen(text), error);
    }
    return status;
}

static void
test_a_file_says_what_the_command_line_does_not(void **state)
{
    (void)state;
    char text[] = "\xef\xbb\xbf# a night at the lake\n"
                  "\n"
                  "  passes = 16\t# as many as it takes\n"
                  "window=all\r\n"
                  "format =jsonl #\n"
                  "\tclip = yes\n"
                  "model = C#.safetensors";
    vip_arguments a;
    vipann_error error = {VIPANN_OK, ""};
    assert_int_equal(parse("", text, &a, &error), VIPANN_OK);
    memset(text, 'x', sizeof text); /* values do not need it any more */
    assert_true(a.values[PASSES].given && a.values[PASSES].whole == 16 && a.values[PASSES].number == 16);
    assert_true(a.values[WINDOW].given && a.values[WINDOW].word == 0);
    assert_true(a.values[FORMAT].given && a.values[FORMAT].word == 1);
    assert_true(a.values[CLIP].given);
    assert_string_equal(a.values[MODEL].text, "C#.safetensors");
    vip_arguments_free(&a);
    assert_null(a.file);

    assert_int_equal(parse("", "# nothing\n", &a, &error), VIPANN_OK);
    assert_string_equal(a.values[MODEL].text, "usual");
    assert_false(a.values[MODEL].given || a.values[CLIP].given);
    vip_arguments_free(&a);
}

static void
test_the_command_line_wins(void **state)
{
    (void)state;
    vip_arguments a;
    vipann_error error;
    assert_int_equal(parse("--passes 2 --window 4.8 x", "passes = 8\nwindow = 9\nformat = csv\n", &a, &error),
                     VIPANN_OK);
    assert_int_equal(a.values[PASSES].whole, 2);
    assert_true(a.values[WINDOW].number == 4.8); /* although that is what it is anyway */
    assert_int_equal(a.values[FORMAT].word, 2);
    assert_int_equal(a.n_operands, 1);
    vip_arguments_free(&a);
}

static void
test_a_flag_that_is_no_is_not_given(void **state)
{
    (void)state;
    vip_arguments a;
    vipann_error error;
    assert_int_equal(parse("", "clip = no\n", &a, &error), VIPANN_OK);
    assert_false(a.values[CLIP].given);
    vip_arguments_free(&a);
    assert_int_equal(parse("--clip", "clip = no\n", &a, &error), VIPANN_OK);
    assert_true(a.values[CLIP].given);
    vip_arguments_free(&a);
}

static void
test_quotes_hold_a_value_together(void **state)
{
    (void)state;
    static const char *const table[][2] = {
        {"model = \"a b # c\" # d", "a b # c"},
        {"model = \" a \"", " a "},
        {"model = a \"b\"", "a \"b\""},
        {"model = a # b\t# c", "a"},
        {"model = a\t# b # c", "a"},
        {"model = a = b", "a = b"},
        {"model = \xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_arguments a;
        vipann_error error = {VIPANN_OK, ""};
        if (parse("", table[i][0], &a, &error) != VIPANN_OK) {
            print_error("%s: %s\n", table[i][0], error.text);
            fail();
        }
        assert_string_equal(a.values[MODEL].text, table[i][1]);
        vip_arguments_free(&a);
    }
}

static void
test_keys_of_other_commands_are_passed_over(void **state)
{
    (void)state;
    vip_arguments a;
    vipann_error error;
    assert_int_equal(parse("", "ports = system\npasses = 4\nnotes = yes\n", &a, &error), VIPANN_OK);
    assert_int_equal(a.values[PASSES].whole, 4);
    vip_arguments_free(&a);

    static const vip_option_keys alone = {&PRESET_OPTION, NULL, NULL};
    char *argv[] = {"test"};
    assert_int_equal(vip_options_parse(&COMMAND, 1, argv, &a, &error), VIPANN_OK);
    assert_int_equal(vip_option_file_parse(&a, &alone, "x", "ports = 1", 9, &error), VIPANN_E_FORMAT);
    assert_int_equal(vip_option_file_parse(&a, &alone, "x", "passes = 1", 10, &error), VIPANN_OK);
    vip_arguments_free(&a);
}

static void
test_what_is_wrong_in_a_file_is_said_in_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } table[] = {
        {"passes", "night.conf:1: found \"passes\"; expected KEY = VALUE"},
        {"\n\n = 8", "night.conf:3: found \"= 8\"; expected KEY = VALUE"},
        {"passes # = 8", "night.conf:1: found \"passes # = 8\"; expected KEY = VALUE"},
        {"[class \"Dog\"]", "night.conf:1: found \"[class \"Dog\"]\"; expected KEY = VALUE"},
        {"pases = 8", "night.conf:1: pases: unknown option; did you mean passes?"},
        {"--passes = 8", "night.conf:1: --passes: unknown option; did you mean passes?"},
        {"port = 8", "night.conf:1: port: unknown option; did you mean ports?"},
        {"help = yes", "night.conf:1: help: unknown option; \"test file --help\" lists all"},
        {"wholly-other = 8", "night.conf:1: wholly-other: unknown option; \"test file --help\" lists all"},
        {"passes = 8\nclip = yes\npasses = 8", "night.conf:3: passes: is said already in line 1; keep one of them"},
        {"ports = 8\nports = 8", "night.conf:2: ports: is said already in line 1"},
        {"notes = 8\nnotes = 8", "night.conf:2: notes: is said already in line 1"},
        {"clip = no\nclip = yes", "night.conf:2: clip: is said already in line 1"},
        {"clip = true", "night.conf:1: clip: found \"true\"; expected yes or no"},
        {"clip =", "night.conf:1: clip: found \"\"; expected yes or no"},
        {"passes = 65", "night.conf:1: passes: found \"65\"; expected a whole number of 0 to 64"},
        {"passes = 8 members", "night.conf:1: passes: found \"8 members\"; expected a whole number of 0 to 64"},
        {"window = 0.4", "night.conf:1: window: found \"0.4\"; expected a number of 0.5 to 120 or all"},
        {"format = json", "night.conf:1: format: found \"json\"; expected text, jsonl or csv"},
        {"model = # none", "night.conf:1: model: the value is empty; give MODEL"},
        {"model = \"a", "night.conf:1: model: found \"a; expected a second quote, and nothing behind it"},
        {"model = \"a\";\"b\"", "night.conf:1: model: found \"a\";\"b\"; expected a second quote"},
        {"preset = day.conf", "night.conf:1: preset: found \"day.conf\"; expected no other file; write its lines here"},
        {"model = \xff", "night.conf:1: has bytes that are not UTF-8; expected a text file in UTF-8"},
        {"# caf\xe9", "night.conf:1: has bytes that are not UTF-8"},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_arguments a;
        vipann_error error = {VIPANN_OK, ""};
        assert_int_equal(parse("--window 7", table[i].text, &a, &error), VIPANN_E_FORMAT);
        assert_int_equal(error.status, VIPANN_E_FORMAT);
        if (strstr(error.text, table[i].said) != error.text) {
            print_error("%s\n  said:     %s\n  expected: %s\n", table[i].text, error.text, table[i].said);
            fail();
        }
        assert_true(a.values[WINDOW].number == 7); /* nothing has come of it */
        assert_false(a.values[PASSES].given || a.values[CLIP].given || a.values[MODEL].given);
        assert_null(a.file);
        vip_arguments_free(&a);
    }
}

static void
test_bytes_of_value_0_and_files_that_are_too_large_are_refused(void **state)
{
    (void)state;
    vip_arguments a;
    vipann_error error;
    char *argv[] = {"test"}, *large = malloc(VIP_OPTION_FILE_BYTES + 1);
    assert_non_null(large);
    memset(large, '\n', VIP_OPTION_FILE_BYTES + 1);
    assert_int_equal(vip_options_parse(&COMMAND, 1, argv, &a, &error), VIPANN_OK);
    assert_int_equal(vip_option_file_parse(&a, &KEYS, "x", "passes = 8\0", 11, &error), VIPANN_E_FORMAT);
    assert_string_equal(error.text, "x:1: has a byte of value 0; expected a text file");
    assert_int_equal(vip_option_file_parse(&a, &KEYS, "x", large, VIP_OPTION_FILE_BYTES + 1, &error), VIPANN_E_FORMAT);
    assert_string_equal(error.text, "x: is larger than 65536 bytes; expected an option file");
    assert_int_equal(vip_option_file_parse(&a, &KEYS, "x", large, VIP_OPTION_FILE_BYTES, &error), VIPANN_OK);
    vip_arguments_free(&a);
    free(large);
}

static void
test_files_are_read_whole_or_refused(void **state)
{
    char path[SCRATCH_PATH], *argv[] = {"test"}, *large = malloc(VIP_OPTION_FILE_BYTES + 1);
    vip_arguments a;
    vipann_error error;
    assert_non_null(large);
    memset(large, '\n', VIP_OPTION_FILE_BYTES + 1);
    (void)scratch_path(path, state, "night.conf");
    assert_int_equal(vip_options_parse(&COMMAND, 1, argv, &a, &error), VIPANN_OK);
    assert_int_equal(vip_option_file_read(&a, &KEYS, path, &error), VIPANN_E_IO);
    assert_non_null(strstr(error.text, "night.conf: cannot be opened: No such file or directory; check the name"));
    assert_int_equal(vip_option_file_read(&a, &KEYS, *state, &error), VIPANN_E_IO);
    assert_non_null(strstr(error.text, ": cannot be read: Is a directory; expected an option file"));
    scratch_write(path, large, VIP_OPTION_FILE_BYTES + 1);
    assert_int_equal(vip_option_file_read(&a, &KEYS, path, &error), VIPANN_E_FORMAT);
    static const char setting[] = {'p', 'a', 's', 's', 'e', 's', '=', '9'};
    memcpy(large + VIP_OPTION_FILE_BYTES - sizeof setting, setting, sizeof setting); /* the very last bytes */
    scratch_write(path, large, VIP_OPTION_FILE_BYTES);
    assert_int_equal(vip_option_file_read(&a, &KEYS, path, &error), VIPANN_OK);
    assert_int_equal(a.values[PASSES].whole, 9);
    vip_arguments_free(&a);
    free(large);
}

static void
test_no_memory_for_a_file_is_a_clean_failure(void **state)
{
    char path[SCRATCH_PATH], *argv[] = {"test"};
    (void)scratch_path(path, state, "memory.conf");
    scratch_write(path, "passes = 9\n", 11);
    for (long n = 0;; n++) {
        vip_arguments a;
        vipann_error error = {VIPANN_OK, ""};
        assert_int_equal(vip_options_parse(&COMMAND, 1, argv, &a, &error), VIPANN_OK);
        failing_after(n);
        vipann_status status = vip_option_file_read(&a, &KEYS, path, &error);
        failing_after(-1);
        assert_int_equal(a.values[PASSES].given, status == VIPANN_OK);
        vip_arguments_free(&a);
        if (status == VIPANN_OK) {
            assert_true(n > 3);
            return;
        }
        assert_int_equal(status, VIPANN_E_MEMORY);
        assert_int_equal(error.status, VIPANN_E_MEMORY);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_says_what_the_command_line_does_not),
        cmocka_unit_test(test_the_command_line_wins),
        cmocka_unit_test(test_a_flag_that_is_no_is_not_given),
        cmocka_unit_test(test_quotes_hold_a_value_together),
        cmocka_unit_test(test_keys_of_other_commands_are_passed_over),
        cmocka_unit_test(test_what_is_wrong_in_a_file_is_said_in_one_line),
        cmocka_unit_test(test_bytes_of_value_0_and_files_that_are_too_large_are_refused),
        cmocka_unit_test_setup_teardown(test_files_are_read_whole_or_refused, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_no_memory_for_a_file_is_a_clean_failure, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
