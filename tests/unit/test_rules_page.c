/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_rules_page.c -- the man page of the rule file says what the library does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <decide/rules.h>

enum { MOST = 1 << 15 };

static char *const LABELS[] = {"Alarm", "Dog", "Wind", "Speech"};
enum { ALARM, DOG, WIND, SPEECH, CLASSES };

/* The page without the escapes of roff, to be freed. */
static char *
read_page(void)
{
    static const char *const escapes[][2] = {{"\\(dq", "\""}, {"\\-", "-"}, {"\\e", "\\"}};
    FILE *in = fopen("manual/vipann-rules.5.in", "r");
    char *page = calloc(1, MOST);
    assert_non_null(in);
    assert_non_null(page);
    const size_t n = fread(page, 1, MOST - 1, in);
    assert_int_equal(fclose(in), 0);
    assert_true(n > 0 && n < MOST - 1);
    char *to = page;
    for (const char *from = page; *from != '\0'; to++) {
        *to = *from;
        size_t taken = 1;
        for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
            if (strncmp(from, escapes[i][0], strlen(escapes[i][0])) == 0) {
                *to = escapes[i][1][0];
                taken = strlen(escapes[i][0]);
            }
        }
        from += taken;
    }
    *to = '\0';
    return page;
}

/* What the page says of a key: its item, up to the next one. Into text. */
static void
find_key(const char *page, const char *key, char *text, size_t size)
{
    char head[64];
    (void)snprintf(head, sizeof head, "\n.It Cm %s Cm = ", key);
    const char *item = strstr(page, head);
    if (item == NULL) {
        print_error("the page says nothing of %s\n", key);
        fail();
        return;
    }
    const char *end = strstr(item + 1, "\n.It ");
    end = end != NULL ? end : strstr(item + 1, "\n.El");
    (void)snprintf(text, size, "%.*s", (int)(end - item), item);
    assert_null(strstr(item + 1, head));
}

static vipann_rules *
new_rules(void)
{
    vipann_rules *rules = vip_rules_new(LABELS, NULL, 0.5, CLASSES, NULL);
    assert_non_null(rules);
    return rules;
}

static void
test_rules_page_tells_what_is_in_force(void **state)
{
    (void)state;
    char *page = read_page();
    vipann_rules *rules = new_rules();
    vipann_rule rule;
    vipann_rules_describe(rules, SPEECH, &rule);
    const double numbers[VIPANN_N_RULES] = {[VIPANN_RULE_HYSTERESIS] = rule.hysteresis,
                                            [VIPANN_RULE_MIN_LENGTH] = rule.min_length_seconds,
                                            [VIPANN_RULE_MERGE_GAP] = rule.merge_gap_seconds,
                                            [VIPANN_RULE_LEVEL] = rule.level_dbfs};
    for (int key = 0; key < VIPANN_N_RULES; key++) {
        char item[2048], expected[64];
        find_key(page, vipann_rule_name((vipann_rule_key)key), item, sizeof item);
        if (key == VIPANN_RULE_THRESHOLD) {
            (void)snprintf(expected, sizeof expected, "or %g where it states nothing", rule.threshold);
        } else if (key == VIPANN_RULE_HOPS) {
            (void)snprintf(expected, sizeof expected, "The default is %u of %u.", rule.k, rule.n);
        } else if (key == VIPANN_RULE_REPORT) {
            (void)snprintf(expected, sizeof expected, "The default is %s,", rule.report ? "yes" : "no");
        } else {
            (void)snprintf(expected, sizeof expected, "The default is %g.", numbers[key]);
        }
        if (strstr(item, expected) == NULL) {
            print_error("expected \"%s\" in:%s\n", expected, item);
            fail();
        }
    }
    char limit[64];
    (void)snprintf(limit, sizeof limit, "is at most %d.", VIPANN_MAX_RULE_HOPS);
    assert_non_null(strstr(page, limit));
    vipann_rules_free(rules);
    free(page);
}

static void
test_the_example_of_the_page_is_a_rule_file(void **state)
{
    (void)state;
    static const char begins[] = ".Bd -literal -offset indent\n";
    char *page = read_page();
    const char *example = strstr(page, begins);
    assert_non_null(example);
    example += sizeof begins - 1;
    const char *end = strstr(example, ".Ed\n");
    assert_non_null(end);
    vipann_rules *rules = new_rules();
    vipann_error error = {VIPANN_OK, ""};
    if (vip_rules_parse(rules, "night.conf", example, (size_t)(end - example), &error) != VIPANN_OK) {
        print_error("%s\n", error.text);
        fail();
    }
    vipann_rule rule;
    vipann_rules_describe(rules, ALARM, &rule);
    assert_true(rule.threshold == 0.3 && rule.min_length_seconds == 0 && rule.merge_gap_seconds == 2);
    vipann_rules_describe(rules, DOG, &rule);
    assert_true(rule.k == 3 && rule.n == 5 && rule.min_length_seconds == 1.5 && rule.threshold == 0.6);
    vipann_rules_describe(rules, WIND, &rule);
    assert_false(rule.report);
    vipann_rules_describe(rules, SPEECH, &rule);
    assert_true(rule.report && rule.level_dbfs == -60);
    vipann_rules_free(rules);
    free(page);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_page_tells_what_is_in_force),
        cmocka_unit_test(test_the_example_of_the_page_is_a_rule_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
