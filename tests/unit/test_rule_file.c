/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_rule_file.c -- holds the promises about rule files of decide/rules.h and vipann.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "night_rules.h"
#include "numbers.h"
#include "scratch.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* ----------------------------------------------------------------------------------------------------------- files */

static void
test_a_rule_file_says_what_it_says(void **state)
{
    (void)state;
    static const char text[] = "\xef\xbb\xbf# everything\r\n"
                               "  threshold=0.6 # closely\r\n"
                               "\thysteresis = 0.5\t\n"
                               "\n"
                               "min_length = 1e0\n"
                               "merge_gap = +.25\n"
                               "hops = 3  of\t5\n"
                               "report = yes#please\n"
                               "level = -80.5\n"
                               "  [ class  \"say \\\"a\\\\b\\\"\" ]  # quotes\n"
                               "threshold = -0\n"
                               "[class \"Dog\"]\n"
                               "report = no\n"
                               "[class \"say \\\"a\\\\b\\\"\"]\n"
                               "hops = 32 of 32"; /* no line end */
    vipann_rules *rules = night_rules();
    assert_parsed(rules, text);
    vipann_rule rule = rule_of(rules, BARK);
    assert_true(rule.threshold == 0.6 && rule.hysteresis == 0.5 && rule.release == 0.3);
    assert_true(rule.min_length_seconds == 1 && rule.merge_gap_seconds == 0.25 && rule.k == 3 && rule.n == 5);
    assert_true(rule.report && rule.level_dbfs == -80.5 && vip_rules_level(rules) == -80.5);
    static const char *const origins[] = {"night.conf:2", "night.conf:3", "night.conf:5", "night.conf:6",
                                          "night.conf:7", "night.conf:8", "night.conf:9"};
    for (size_t key = 0; key < VIPANN_N_RULES; key++) {
        assert_string_equal(rule.origin[key], origins[key]);
    }
    rule = rule_of(rules, QUOTED);
    assert_true(rule.threshold == 0 && rule.k == 32 && rule.n == 32);
    assert_string_equal(rule.origin[VIPANN_RULE_THRESHOLD], "night.conf:11");
    assert_string_equal(rule.origin[VIPANN_RULE_HOPS], "night.conf:15");
    assert_true(!rule_of(rules, DOG).report && !rule_of(rules, SECOND_DOG).report); /* both have the name */
    assert_parsed(rules, "");
    assert_parsed(rules, "threshold = 0.5"); /* a second file counts more than the first */
    assert_true(rule_of(rules, BARK).threshold == 0.5 && rule_of(rules, BARK).k == 3);
    vipann_rules_free(rules);
}

/* After each of these the rules are as before, though good lines came first. */
static void
test_a_fault_in_a_rule_file_is_one_line_with_its_number(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } table[] = {
        {"threshold = 1.5", "night.conf:4: threshold is \"1.5\"; expected a number of 0 to 1, or model"},
        {"threshold = -0.1", "night.conf:4: threshold is \"-0.1\"; expected a number of 0 to 1, or model"},
        {"threshold = 0,5", "night.conf:4: threshold is \"0,5\"; expected a number of 0 to 1, or model"},
        {"threshold = nan", "night.conf:4: threshold is \"nan\"; expected a number of 0 to 1, or model"},
        {"threshold =", "night.conf:4: threshold is \"\"; expected a number of 0 to 1, or model"},
        {"threshold = 0.5 0.6", "night.conf:4: threshold is \"0.5 0.6\"; expected a number of 0 to 1, or model"},
        {"[class \"Dog\"]\nhysteresis = model", "night.conf:5: hysteresis is \"model\"; expected a number of 0 to 1"},
        {"min_length = 3601", "night.conf:4: min_length is \"3601\"; expected 0 to 3600 seconds"},
        {"min_length = 0.3s", "night.conf:4: min_length is \"0.3s\"; expected 0 to 3600 seconds"},
        {"merge_gap = -1", "night.conf:4: merge_gap is \"-1\"; expected 0 to 3600 seconds"},
        {"hops = 3", "night.conf:4: hops is \"3\"; expected K of N, such as 2 of 3, with N at most 32"},
        {"hops = 3 of 2", "night.conf:4: hops is \"3 of 2\"; expected K of N, such as 2 of 3, with N at most 32"},
        {"hops = 0 of 2", "night.conf:4: hops is \"0 of 2\"; expected K of N, such as 2 of 3, with N at most 32"},
        {"hops = 1 of 33", "night.conf:4: hops is \"1 of 33\"; expected K of N, such as 2 of 3, with N at most 32"},
        {"hops = 1 of 2 3", "night.conf:4: hops is \"1 of 2 3\"; expected K of N, such as 2 of 3, with N at most 32"},
        {"hops = 1 of 4294967297",
         "night.conf:4: hops is \"1 of 4294967297\"; expected K of N, such as 2 of 3, with N at most 32"},
        {"report = YES", "night.conf:4: report is \"YES\"; expected yes or no"},
        {"level = 3", "night.conf:4: level is \"3\"; expected -200 to 0 dBFS"},
        {"[class \"Dog\"]\nlevel = -60",
         "night.conf:5: level is for all classes, not for one; say it before any class"},
        {"treshold = 0.5", "night.conf:4: unknown key \"treshold\"; did you mean threshold?"},
        {"volume = 11", "night.conf:4: unknown key \"volume\"; expected threshold, hysteresis, min_length, merge_gap, "
                        "hops, report or level"},
        {"= 11",
         "night.conf:4: unknown key \"\"; expected threshold, hysteresis, min_length, merge_gap, hops, report or "
         "level"},
        {"threshold 0.5", "night.conf:4: found \"threshold 0.5\"; expected KEY = VALUE or [class \"NAME\"]"},
        {"hello # = 3", "night.conf:4: found \"hello\"; expected KEY = VALUE or [class \"NAME\"]"},
        {"[class \"Dgo\"]", "night.conf:4: the model has no class \"Dgo\"; did you mean \"Dog\"?"},
        {"[class \"DOOR, SLAM\"]", "night.conf:4: the model has no class \"DOOR, SLAM\"; did you mean \"Door, slam\"?"},
        {"[class \"Zebra\"]", "night.conf:4: the model has no class \"Zebra\"; expected one of its 6 labels"},
        {"[class Dog]",
         "night.conf:4: section [class Dog]; expected [class \"NAME\"], with \\\" and \\\\ for quotes and "
         "backslashes in it"},
        {"[class \"Dog]",
         "night.conf:4: section [class \"Dog]; expected [class \"NAME\"], with \\\" and \\\\ for quotes "
         "and backslashes in it"},
        {"[class \"D\\og\"]",
         "night.conf:4: section [class \"D\\og\"]; expected [class \"NAME\"], with \\\" and \\\\ for "
         "quotes and backslashes in it"},
        {"[class \"Dog\\", "night.conf:4: section [class \"Dog\\; expected [class \"NAME\"], with \\\" and \\\\ for "
                           "quotes and backslashes in it"},
        {"[class \"Dog\"] x",
         "night.conf:4: section [class \"Dog\"] x; expected [class \"NAME\"], with \\\" and \\\\ for "
         "quotes and backslashes in it"},
        {"[model]", "night.conf:4: section [model]; expected [class \"NAME\"], with \\\" and \\\\ for quotes and "
                    "backslashes in it"},
        {"\n\nmerge_gap = 1\nmerge_gap = 2", "night.conf:7: merge_gap is said already in line 6; keep one of them"},
        {"[class \"Dog\"]\nhops = 1 of 1\n[class \"Bark\"]\nhops = 1 of 1\n[class \"Dog\"]\nhops = 1 of 1\n",
         "night.conf:9: hops is said already in line 5; keep one of them"},
        {"\x1b[2J = 3",
         "night.conf:4: unknown key \"?[2J\"; expected threshold, hysteresis, min_length, merge_gap, hops, "
         "report or level"},
        {"min_length = \xc2\x9b\xff\xe2\x82\xac",
         "night.conf:4: min_length is \"??\xe2\x82\xac\"; expected 0 to 3600 seconds"},
    };
    vipann_rules *before = night_rules();
    assert_parsed(before, "level = -55\n[class \"Bark\"]\nreport = no");
    for (size_t i = 0; i < LENGTH(table); i++) {
        char text[256];
        vipann_error error = {VIPANN_OK, ""};
        vipann_rules *rules = vip_rules_copy(before);
        (void)snprintf(text, sizeof text, "# good\nhysteresis = 0.1%s\n%s", i % 2 == 0 ? "\n" : "\r\n", table[i].text);
        assert_int_equal(parse_night(rules, text, &error), VIPANN_E_FORMAT); /* line 3 */
        assert_int_equal(error.status, VIPANN_E_FORMAT);
        (void)snprintf(text, sizeof text, "# good\n\nhysteresis = 0.1%s\n%s", i % 2 == 0 ? "" : "\r", table[i].text);
        assert_int_equal(parse_night(rules, text, &error), VIPANN_E_FORMAT);
        if (strcmp(error.text, table[i].said) != 0) {
            print_error("%s\n  said:     %s\n  expected: %s\n", table[i].text, error.text, table[i].said);
            fail();
        }
        assert_same_rules(rules, before);
        vipann_rules_free(rules);
    }
    vipann_rules_free(before);
}

static void
test_what_is_no_text_or_too_long_is_refused(void **state)
{
    (void)state;
    vipann_rules *rules = night_rules();
    vipann_error error;
    assert_int_equal(vip_rules_parse(rules, "x", "report = no\n#\0\n", 15, &error), VIPANN_E_FORMAT);
    assert_string_equal(error.text, "x:2: has a byte of value 0; expected a text file");
    enum { LINE = 4096, WHOLE = 1 << 20 };
    char *text = malloc(WHOLE + 1);
    assert_non_null(text);
    memset(text, '#', WHOLE + 1);
    assert_int_equal(vip_rules_parse(rules, "x", text, LINE, &error), VIPANN_OK);
    assert_int_equal(vip_rules_parse(rules, "x", text, LINE + 1, &error), VIPANN_E_FORMAT);
    assert_string_equal(error.text, "x:1: the line has 4097 bytes; expected at most 4096");
    memset(text, '\n', WHOLE + 1);
    assert_int_equal(vip_rules_parse(rules, "x", text, WHOLE, &error), VIPANN_OK);
    assert_int_equal(vip_rules_parse(rules, "x", text, WHOLE + 1, &error), VIPANN_E_FORMAT);
    assert_string_equal(error.text, "x: is larger than 1048576 bytes; expected a rule file");
    free(text);
    vipann_rules *before = night_rules();
    assert_same_rules(rules, before);
    vipann_rules_free(before);
    vipann_rules_free(rules);
}

/* Pieces of rule files and of rubbish in random order: each is taken or refused with one line fit to be shown, and what
 * is refused leaves no trace. */
static void
test_whatever_the_bytes_a_message_is_one_line(void **state)
{
    (void)state;
    static const char *const pieces[] = {"[class \"Dog\"]",
                                         "[class \"",
                                         "\"]",
                                         "threshold",
                                         " = ",
                                         "0.5",
                                         "\n",
                                         "\n",
                                         "\r\n",
                                         "hops = 2 of 3",
                                         "report=no",
                                         "#",
                                         "\\\"",
                                         "\x1b",
                                         "\xc2\x85",
                                         "\xe2\x82",
                                         "min_length = 1",
                                         "[",
                                         "]",
                                         "of",
                                         "9e99",
                                         "Bark",
                                         "model",
                                         " ",
                                         "\t",
                                         "level=-3"};
    uint32_t seed = 8;
    size_t taken = 0, refused = 0;
    vipann_rules *before = night_rules();
    for (int turn = 0; turn < 20000; turn++) {
        char text[256];
        size_t n = 0;
        for (uint32_t k = next_random(&seed) % 12; k > 0; k--) {
            const char *piece = pieces[next_random(&seed) % LENGTH(pieces)];
            for (; *piece != '\0'; piece++) {
                text[n++] = *piece;
            }
            if (next_random(&seed) % 40 == 0) {
                text[n++] = (char)next_random(&seed);
            }
        }
        vipann_error error = {VIPANN_OK, ""};
        vipann_rules *rules = vip_rules_copy(before);
        vipann_status status = vip_rules_parse(rules, "a\nb", text, n, &error);
        if (status == VIPANN_OK) {
            taken++;
        } else {
            refused++;
            assert_int_equal(status, VIPANN_E_FORMAT);
            assert_true(strncmp(error.text, "a?b:", 4) == 0 && strlen(error.text) < sizeof error.text);
            for (const char *c = error.text; *c != '\0'; c++) {
                bool c1 = (unsigned char)*c == 0xc2 && (unsigned char)c[1] < 0xa0;
                assert_true((unsigned char)*c >= 0x20 && *c != 0x7f && !c1);
            }
            assert_same_rules(rules, before);
        }
        vipann_rules_free(rules);
    }
    vipann_rules_free(before);
    assert_true(taken > 500 && refused > 500);
}

static void
test_long_names_leave_room_for_the_reason(void **state)
{
    (void)state;
    char path[900], key[900];
    vipann_error error;
    for (size_t i = 0; i + 1 < sizeof path; i++) {
        path[i] = "\xe2\x82\xac"[i % 3]; /* the euro sign */
    }
    memcpy(path + sizeof path - 6, "/a.cf", 6);
    memset(key, 'k', sizeof key);
    key[sizeof key - 1] = '\0';
    vipann_rules *rules = night_rules();
    assert_int_equal(vip_rules_parse(rules, path, key, strlen(key), &error), VIPANN_E_FORMAT);
    assert_true(strncmp(error.text, "...\xe2\x82\xac", 6) == 0);
    assert_non_null(strstr(error.text, "/a.cf:1: found \"kkk"));
    assert_non_null(strstr(error.text, "...\"; expected KEY = VALUE or [class \"NAME\"]"));
    vipann_rules_free(rules);
}

static void
test_numbers_are_read_alike_in_every_locale(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    bool comma = false;
    for (size_t i = 0; i < LENGTH(names) && !comma; i++) {
        comma = setlocale(LC_ALL, names[i]) != NULL;
    }
    vipann_rules *rules = night_rules();
    assert_parsed(rules, "threshold = 0.625\n");
    assert_true(rule_of(rules, BARK).threshold == 0.625);
    assert_int_equal(parse_night(rules, "threshold = 0,625\n", NULL), VIPANN_E_FORMAT);
    vipann_rules_free(rules);
    (void)setlocale(LC_ALL, "C");
}

/* ----------------------------------------------------------------------------------------------------------- paths */

static void *
write_to_pipe(void *path)
{
    int pipe = open(path, O_WRONLY);
    static const char begin[] = "threshold = 0.", rest[] = "75\n";
    bool written = write(pipe, begin, sizeof begin - 1) > 0 && write(pipe, rest, sizeof rest - 1) > 0;
    (void)close(pipe);
    return written ? path : NULL;
}

static void
test_files_and_pipes_are_read_and_nothing_else(void **state)
{
    char path[SCRATCH_PATH], expected[SCRATCH_PATH + 100];
    vipann_error error = {VIPANN_OK, ""};
    vipann_rules *rules = night_rules();
    static const char text[] = "threshold = 0.25\n";
    scratch_write(scratch_path(path, state, "a.conf"), text, sizeof text - 1);
    assert_int_equal(vipann_rules_read(rules, path, &error), VIPANN_OK);
    assert_true(rule_of(rules, BARK).threshold == 0.25);
    assert_non_null(strstr(rule_of(rules, BARK).origin[VIPANN_RULE_THRESHOLD], "/a.conf:1"));

    assert_int_equal(mkfifo(scratch_path(path, state, "pipe"), 0600), 0);
    pthread_t writer;
    void *written;
    assert_int_equal(pthread_create(&writer, NULL, write_to_pipe, path), 0);
    assert_int_equal(vipann_rules_read(rules, path, &error), VIPANN_OK);
    assert_int_equal(pthread_join(writer, &written), 0);
    assert_non_null(written);
    assert_true(rule_of(rules, BARK).threshold == 0.75);

    static const struct {
        const char *path, *said;
    } table[] = {
        {".", ".: is a folder; expected a rule file"},
        {"/dev/zero", "/dev/zero: is a device; expected a rule file"},
        {"", ": cannot be opened: No such file or directory; check the name"},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        assert_int_equal(vipann_rules_read(rules, table[i].path, &error), VIPANN_E_IO);
        assert_string_equal(error.text, table[i].said);
    }
    assert_int_equal(vipann_rules_read(rules, scratch_path(path, state, "none"), &error), VIPANN_E_IO);
    (void)snprintf(expected, sizeof expected, "%s: cannot be opened: No such file or directory; check the name", path);
    assert_string_equal(error.text, expected);

    FILE *large = fopen(scratch_path(path, state, "large"), "w");
    assert_non_null(large);
    assert_int_equal(fseek(large, 3 << 20, SEEK_SET), 0);
    (void)fputc('\n', large);
    (void)fclose(large);
    assert_int_equal(vipann_rules_read(rules, path, &error), VIPANN_E_FORMAT);
    assert_non_null(strstr(error.text, "/large: is larger than 1048576 bytes; expected a rule file"));
    assert_true(rule_of(rules, BARK).threshold == 0.75);
    vipann_rules_free(rules);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_rule_file_says_what_it_says),
        cmocka_unit_test(test_a_fault_in_a_rule_file_is_one_line_with_its_number),
        cmocka_unit_test(test_what_is_no_text_or_too_long_is_refused),
        cmocka_unit_test(test_whatever_the_bytes_a_message_is_one_line),
        cmocka_unit_test(test_long_names_leave_room_for_the_reason),
        cmocka_unit_test(test_numbers_are_read_alike_in_every_locale),
        cmocka_unit_test_setup_teardown(test_files_and_pipes_are_read_and_nothing_else, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
