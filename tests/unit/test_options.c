/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_options.c -- holds the promises of common/options.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/options.h>

#include "failing.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { MODEL, PASSES, WINDOW, FORMAT, CLIP, SEED, N_OPTIONS };

static const char *const FORMATS[] = {"text", "jsonl", "csv", NULL};
static const char *const ALL[] = {"all", NULL};

static const vip_option *const OPTIONS[N_OPTIONS] = {
    [MODEL] =
        &(const vip_option){"model", VIP_OPTION_TEXT, "MODEL", 0, 0, NULL, "usual", NULL, "Input", "Which model."},
    [PASSES] =
        &(const vip_option){"passes", VIP_OPTION_WHOLE, "N", 0, 64, NULL, NULL, "the model's", "Input", "How many."},
    [WINDOW] =
        &(const vip_option){"window", VIP_OPTION_NUMBER, "SECONDS", 0.5, 120, ALL, "4.8", NULL, "Input", "How long."},
    [FORMAT] =
        &(const vip_option){"format", VIP_OPTION_CHOICE, NULL, 0, 0, FORMATS, "text", NULL, "Output", "In which form."},
    [CLIP] = &(const vip_option){"clip", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, "Output", "One for all."},
    [SEED] =
        &(const vip_option){
            "seed", VIP_OPTION_WHOLE, "N", 0, 1.8446744073709551615e19, NULL, "1", NULL, "Output",
            "A sentence that is long enough to be broken into more than one line of the help, at a space."},
};

static const vip_command COMMAND = {
    .name = "test",
    .operands = "FILE...",
    .summary = "Tests.",
    .examples = "test a.wav\ntest --clip b.wav\n"
                "test aaaaaaaaaaaaaaaaaaaaaaaaa --bbbbbbbbbbbbbbbbbbbb 'ccc ddd --eee fff ggg' hhh iii\n"
                "test aaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbb 'ccc ddd --eee fff ggg hhh iii'",
    .options = OPTIONS,
    .n_options = N_OPTIONS,
    .least_operands = 1,
    .most_operands = 3};

enum { MOST_ARGUMENTS = 12 };

/* Parses the words of a line, separated by single spaces; "~" stands for an empty word. */
static vipann_status
parse(char *line, vip_arguments *a, vipann_error *error)
{
    char *argv[MOST_ARGUMENTS + 1] = {"test"};
    int argc = 1;
    for (char *word = strtok(line, " "); word != NULL && argc < MOST_ARGUMENTS; word = strtok(NULL, " ")) {
        argv[argc++] = strcmp(word, "~") == 0 ? "" : word;
    }
    return vip_options_parse(&COMMAND, argc, argv, a, error);
}

static void
test_values_come_from_the_line_or_from_the_table(void **state)
{
    (void)state;
    char line[] = "a.wav --passes 8 --window=all --format csv --clip -";
    vip_arguments a;
    assert_int_equal(parse(line, &a, NULL), VIPANN_OK);
    assert_false(a.help);
    assert_int_equal(a.n_operands, 2);
    assert_string_equal(a.operands[0], "a.wav");
    assert_string_equal(a.operands[1], "-");
    assert_string_equal(a.values[MODEL].text, "usual");
    assert_false(a.values[MODEL].given);
    assert_int_equal(a.values[PASSES].whole, 8);
    assert_int_equal(a.values[WINDOW].word, 0);
    assert_int_equal(a.values[FORMAT].word, 2);
    assert_true(a.values[CLIP].given);
    assert_int_equal(a.values[SEED].whole, 1);
    vip_arguments_free(&a);
}

static void
test_the_last_of_several_counts(void **state)
{
    (void)state;
    char line[] = "--window all --window 0.5 x";
    vip_arguments a;
    assert_int_equal(parse(line, &a, NULL), VIPANN_OK);
    assert_int_equal(a.values[WINDOW].word, VIP_NO_WORD);
    assert_true(a.values[WINDOW].number == 0.5);
    vip_arguments_free(&a);
}

static void
test_two_dashes_end_the_options(void **state)
{
    (void)state;
    char line[] = "--clip -- --passes --help";
    vip_arguments a;
    assert_int_equal(parse(line, &a, NULL), VIPANN_OK);
    assert_false(a.help);
    assert_int_equal(a.n_operands, 2);
    assert_string_equal(a.operands[0], "--passes");
    vip_arguments_free(&a);
}

/* The only letter there is, and only of commands that write where they are told. */
static void
test_o_is_short_for_output(void **state)
{
    (void)state;
    static const vip_option output = {"output", VIP_OPTION_TEXT, "FILE", 0, 0, NULL, NULL, NULL, "Output", "Where."};
    static const vip_option *const options[] = {&output};
    vip_command command = COMMAND;
    command.options = options;
    command.n_options = 1;
    char *argv[] = {"test", "a.wav", "-o", "b", NULL}, help[1000] = "";
    vip_arguments a;
    assert_int_equal(vip_options_parse(&command, 4, argv, &a, NULL), VIPANN_OK);
    assert_string_equal(vip_argument(&a, &output)->text, "b");
    assert_int_equal(a.n_operands, 1);
    vip_arguments_free(&a);
    vipann_error error;
    assert_int_equal(vip_options_parse(&command, 3, argv, &a, &error), VIPANN_E_ARG);
    assert_string_equal(error.text, "test: --output needs a value; expected --output FILE");
    vip_arguments_free(&a);
    FILE *out = fmemopen(help, sizeof help, "w");
    assert_non_null(out);
    vip_options_help(&command, out);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(help, "\n  -o, --output FILE "));
    char line[] = "a.wav -o b";
    assert_int_equal(parse(line, &a, &error), VIPANN_E_ARG);
    assert_non_null(strstr(error.text, "unknown option -o; "));
    vip_arguments_free(&a);
}

static void
test_help_comes_before_every_mistake(void **state)
{
    (void)state;
    char line[] = "--nonsense --passes --help";
    vip_arguments a;
    assert_int_equal(parse(line, &a, NULL), VIPANN_OK);
    assert_true(a.help);
    vip_arguments_free(&a);
}

static void
test_the_largest_seed_is_exact(void **state)
{
    (void)state;
    char line[] = "--seed 18446744073709551615 x";
    vip_arguments a;
    assert_int_equal(parse(line, &a, NULL), VIPANN_OK);
    assert_true(a.values[SEED].whole == UINT64_MAX);
    vip_arguments_free(&a);
}

static void
test_what_is_wrong_is_said_in_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *line, *said;
    } table[] = {
        {"--pases 8 x", "test: unknown option --pases; did you mean --passes?"},
        {"--forma csv x", "did you mean --format?"},
        {"--modle=x x", "did you mean --model?"},
        {"--wholly-other x", "test: unknown option --wholly-other; \"test --help\" lists all"},
        {"-x", "test: unknown option -x; \"test --help\" lists all"},
        {"--", "test: nothing to work on; expected test FILE..."},
        {"", "test: nothing to work on; expected test FILE..."},
        {"a b c d", "test: \"d\" is one argument too many"},
        {"x --passes", "test: --passes needs a value; expected --passes N"},
        {"--passes --clip x", "test: --passes needs a value before --clip"},
        {"--passes 65 x", "test: --passes: found \"65\"; expected a whole number of 0 to 64"},
        {"--passes -1 x", "found \"-1\""},
        {"--passes 1.5 x", "found \"1.5\""},
        {"--passes= x", "found \"\""},
        {"--window 0.4 x", "test: --window: found \"0.4\"; expected a number of 0.5 to 120 or all"},
        {"--window nan x", "found \"nan\""},
        {"--window 1e999 x", "found \"1e999\""},
        {"--seed 18446744073709551616 x",
         "found \"18446744073709551616\"; expected a whole number of 0 to 18446744073709551615"},
        {"--format json x", "test: --format: found \"json\"; expected text, jsonl or csv"},
        {"--model ~ x", "test: --model: the value is empty; give MODEL"},
        {"--clip=yes x", "test: --clip takes no value; found \"yes\""},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        char line[128];
        vip_arguments a;
        vipann_error error = {VIPANN_OK, ""};
        (void)snprintf(line, sizeof line, "%s", table[i].line);
        assert_int_equal(parse(line, &a, &error), VIPANN_E_ARG);
        if (strstr(error.text, table[i].said) == NULL) {
            print_error("%s\n  said:     %s\n  expected: %s\n", table[i].line, error.text, table[i].said);
            fail();
        }
        vip_arguments_free(&a);
    }
}

static void
test_distance_counts_insertions_deletions_changes_and_swaps(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        size_t distance;
    } table[] = {{"", "", 0},       {"hop", "hop", 0}, {"hop", "ho", 1},         {"hpo", "hop", 1},
                 {"hip", "hop", 1}, {"", "abc", 3},    {"kitten", "sitting", 3}, {"ca", "abc", 3}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        assert_int_equal(vip_word_distance(table[i].a, table[i].b), table[i].distance);
        assert_int_equal(vip_word_distance(table[i].b, table[i].a), table[i].distance);
    }
    char endless[200];
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_true(vip_word_distance(endless, "a") == SIZE_MAX);
}

static void
test_help_shows_every_option_within_80_columns(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    vip_options_help(&COMMAND, out);
    assert_int_equal(fclose(out), 0);
    for (size_t i = 0; i < N_OPTIONS; i++) {
        char expected[64];
        (void)snprintf(expected, sizeof expected, "  --%s", OPTIONS[i]->name);
        assert_non_null(strstr(text, expected));
    }
    assert_non_null(strstr(text, "--window SECONDS|all"));
    assert_non_null(strstr(text, "(0.5 to 120; default: 4.8)"));
    assert_non_null(strstr(text, "--help"));
    assert_non_null(strstr(text, "Examples\n  test a.wav\n  test --clip b.wav\n"
                                 "  test aaaaaaaaaaaaaaaaaaaaaaaaa \\\n"
                                 "      --bbbbbbbbbbbbbbbbbbbb 'ccc ddd --eee fff ggg' hhh iii\n"
                                 "  test aaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbb \\\n"
                                 "      'ccc ddd --eee fff ggg hhh iii'\n"));
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        assert_true(strcspn(line, "\n") <= 80);
    }
    free(text);
}

static void
test_no_memory_is_a_clean_failure(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        char line[] = "--passes 8 x";
        vip_arguments a;
        vipann_error error = {VIPANN_OK, ""};
        failing_after(n);
        vipann_status status = parse(line, &a, &error);
        failing_after(-1);
        vip_arguments_free(&a);
        if (status == VIPANN_OK) {
            assert_true(n > 0);
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
        cmocka_unit_test(test_values_come_from_the_line_or_from_the_table),
        cmocka_unit_test(test_the_last_of_several_counts),
        cmocka_unit_test(test_two_dashes_end_the_options),
        cmocka_unit_test(test_o_is_short_for_output),
        cmocka_unit_test(test_help_comes_before_every_mistake),
        cmocka_unit_test(test_the_largest_seed_is_exact),
        cmocka_unit_test(test_what_is_wrong_is_said_in_one_line),
        cmocka_unit_test(test_distance_counts_insertions_deletions_changes_and_swaps),
        cmocka_unit_test(test_help_shows_every_option_within_80_columns),
        cmocka_unit_test(test_no_memory_is_a_clean_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
