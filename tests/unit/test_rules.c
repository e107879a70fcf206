/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_rules.c -- holds the promises of decide/rules.h and of the rules in vipann.h: values and defaults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "failing.h"
#include "night_rules.h"
#include "scratch.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* ---------------------------------------------------------------------------------------------------------- values */

static void
test_defaults_are_the_models_where_it_states_any(void **state)
{
    (void)state;
    vipann_rules *rules = night_rules(), *bare = vip_rules_new(NIGHT_LABELS, NULL, 0.5, NIGHT_CLASSES, NULL);
    assert_int_equal(vip_rules_classes(rules), NIGHT_CLASSES);
    assert_true(vip_rules_level(rules) == -70);
    for (uint32_t i = 0; i < NIGHT_CLASSES; i++) {
        vipann_rule rule = rule_of(rules, i), plain = rule_of(bare, i);
        bool stated = NIGHT_THRESHOLDS[i] >= 0;
        assert_true(rule.threshold == (stated ? (double)NIGHT_THRESHOLDS[i] : 0.5));
        assert_true(rule.hysteresis == 0.8 && rule.release == rule.threshold * (1 - 0.8));
        assert_true(rule.min_length_seconds == 0.3 && rule.merge_gap_seconds == 0.7 && rule.level_dbfs == -70);
        assert_true(rule.k == 1 && rule.n == 1 && rule.report == stated);
        assert_string_equal(rule.origin[VIPANN_RULE_THRESHOLD], stated ? "model" : "default");
        assert_string_equal(rule.origin[VIPANN_RULE_REPORT], stated ? "default" : "model");
        assert_string_equal(rule.origin[VIPANN_RULE_HOPS], "default");
        assert_true(plain.threshold == 0.5 && plain.report);
        assert_string_equal(plain.origin[VIPANN_RULE_THRESHOLD], "default");
        assert_string_equal(plain.origin[VIPANN_RULE_REPORT], "default");
    }
    vipann_rules_free(rules);
    vipann_rules_free(bare);
    vipann_rules_free(NULL);
}

static void
test_every_key_has_its_name(void **state)
{
    (void)state;
    static const char *const names[] = {"threshold", "hysteresis", "min_length", "merge_gap",
                                        "hops",      "report",     "level"};
    for (int key = 0; key < VIPANN_N_RULES; key++) {
        assert_string_equal(vipann_rule_name((vipann_rule_key)key), names[key]);
    }
    assert_null(vipann_rule_name(VIPANN_N_RULES));
    assert_null(vipann_rule_name((vipann_rule_key)-1));
}

static void
test_a_class_counts_more_than_all_whatever_the_order(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        vipann_rules *rules = night_rules();
        for (int turn = 0; turn < 2; turn++) {
            if (turn == order) {
                assert_int_equal(vipann_rules_set(rules, "Bark", "min_length", "2", "own", NULL), VIPANN_OK);
            } else {
                assert_int_equal(vipann_rules_set(rules, NULL, "min_length", "1", "all", NULL), VIPANN_OK);
            }
        }
        assert_true(rule_of(rules, BARK).min_length_seconds == 2 && rule_of(rules, DOG).min_length_seconds == 1);
        assert_string_equal(rule_of(rules, BARK).origin[VIPANN_RULE_MIN_LENGTH], "own");
        assert_string_equal(rule_of(rules, DOG).origin[VIPANN_RULE_MIN_LENGTH], "all");
        vipann_rules_free(rules);
    }
}

static void
test_model_as_threshold_is_what_holds_if_nothing_is_said(void **state)
{
    (void)state;
    vipann_rules *rules = night_rules();
    assert_parsed(rules, "threshold = 0.9\n[class \"Bark\"]\nthreshold = model\n[class \"Wind\"]\nthreshold = model\n");
    assert_true(rule_of(rules, QUOTED).threshold == 0.9 && rule_of(rules, BARK).threshold == 0.5);
    assert_string_equal(rule_of(rules, QUOTED).origin[VIPANN_RULE_THRESHOLD], "night.conf:1");
    assert_string_equal(rule_of(rules, BARK).origin[VIPANN_RULE_THRESHOLD], "model");
    assert_true(rule_of(rules, WIND).threshold == 0.5 && !rule_of(rules, WIND).report);
    assert_string_equal(rule_of(rules, WIND).origin[VIPANN_RULE_THRESHOLD], "default");
    vipann_rules_free(rules);
}

static void
test_a_threshold_of_its_own_makes_a_class_reportable(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool report;
        const char *origin;
    } table[] = {
        {"", false, "model"},
        {"threshold = 0.4", false, "model"}, /* for all: not meant for this one */
        {"[class \"Wind\"]\nthreshold = 0.4", true, "night.conf:2"},
        {"[class \"Wind\"]\nthreshold = model", false, "model"},
        {"[class \"Wind\"]\nthreshold = 0.4\nreport = no", false, "night.conf:3"},
        {"report = no\n[class \"Wind\"]\nthreshold = 0.4", false, "night.conf:1"},
        {"report = yes", true, "night.conf:1"},
        {"[class \"Wind\"]\nreport = yes", true, "night.conf:2"},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        vipann_rules *rules = night_rules();
        assert_parsed(rules, table[i].text);
        assert_int_equal(rule_of(rules, WIND).report, table[i].report);
        assert_string_equal(rule_of(rules, WIND).origin[VIPANN_RULE_REPORT], table[i].origin);
        vipann_rules_free(rules);
    }
}

static void
test_only_and_ignore_choose_what_is_reported(void **state)
{
    (void)state;
    static const struct {
        bool only;
        const char *list;
        bool report[NIGHT_CLASSES];
    } table[] = {
        {true, "Dog", {true, false, false, false, true, false}},
        {true, " Wind ; Door, slam ;", {false, false, false, true, false, true}}, /* reportable or not */
        {true, "say \"a\\b\";Bark", {false, true, true, false, false, false}},
        {false, "Bark", {true, false, true, false, true, false}},
        {false, ";Dog;;Wind", {false, true, true, false, false, false}},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        vipann_rules *rules = night_rules();
        assert_int_equal((table[i].only ? vipann_rules_only : vipann_rules_ignore)(rules, table[i].list, "list", NULL),
                         VIPANN_OK);
        for (uint32_t k = 0; k < NIGHT_CLASSES; k++) {
            vipann_rule rule = rule_of(rules, k);
            if (rule.report != table[i].report[k]) {
                print_error("row %zu, class %u\n", i, (unsigned)k);
                fail();
            }
            assert_true(!table[i].only || strcmp(rule.origin[VIPANN_RULE_REPORT], "list") == 0);
        }
        vipann_rules_free(rules);
    }
}

static void
test_a_copy_shares_nothing(void **state)
{
    (void)state;
    vipann_rules *rules = night_rules();
    assert_parsed(rules, "hops = 2 of 3\nlevel = -60\n[class \"Dog\"]\nthreshold = 0.7\n");
    assert_int_equal(vipann_rules_only(rules, "Dog;Wind", "--only", NULL), VIPANN_OK);
    vipann_rules *copy = vip_rules_copy(rules), *kept = vip_rules_copy(rules);
    assert_same_rules(copy, rules);
    assert_int_equal(vipann_rules_set(copy, NULL, "hops", "1 of 1", "new", NULL), VIPANN_OK);
    assert_same_rules(kept, rules);
    vipann_rules_free(rules);
    assert_true(rule_of(copy, DOG).k == 1 && rule_of(kept, DOG).k == 2 && rule_of(kept, DOG).level_dbfs == -60);
    assert_string_equal(rule_of(copy, DOG).origin[VIPANN_RULE_THRESHOLD], "night.conf:4");
    vipann_rules_free(copy);
    vipann_rules_free(kept);
}

/* -------------------------------------------------------------------------------------------------- single settings */

static void
test_a_wrong_setting_is_said_with_its_origin(void **state)
{
    (void)state;
    static const struct {
        const char *label, *key, *value, *said;
    } table[] = {
        {NULL, "threshold", "2", "--x: threshold is \"2\"; expected a number of 0 to 1, or model"},
        {NULL, "hop", "1 of 1", "--x: unknown key \"hop\"; did you mean hops?"},
        {"bark", "hops", "1 of 1", "--x: the model has no class \"bark\"; did you mean \"Bark\"?"},
        {"Bark", "level", "-1", "--x: level is for all classes, not for one; say it before any class"},
    };
    vipann_rules *rules = night_rules(), *before = night_rules();
    vipann_error error;
    for (size_t i = 0; i < LENGTH(table); i++) {
        assert_int_equal(vipann_rules_set(rules, table[i].label, table[i].key, table[i].value, "--x", &error),
                         VIPANN_E_ARG);
        assert_string_equal(error.text, table[i].said);
        assert_int_equal(error.status, VIPANN_E_ARG);
    }
    assert_int_equal(vipann_rules_only(rules, "Dog;Brak", "--only", &error), VIPANN_E_ARG);
    assert_string_equal(error.text, "--only: the model has no class \"Brak\"; did you mean \"Bark\"?");
    assert_int_equal(vipann_rules_ignore(rules, " ; ", "--ignore", &error), VIPANN_E_ARG);
    assert_string_equal(error.text, "--ignore: names no class; expected labels with ';' between them");
    assert_same_rules(rules, before);
    vipann_rules_free(before);
    vipann_rules_free(rules);
}

/* ---------------------------------------------------------------------------------------------------------- memory */

/* All that allocates, one after the other; the status of the first that fails. */
static vipann_status
everything(vipann_rules **rules, const char *path, vipann_error *error)
{
    *rules = vip_rules_new(NIGHT_LABELS, NIGHT_THRESHOLDS, 0.5, NIGHT_CLASSES, error);
    if (*rules == NULL) {
        return VIPANN_E_MEMORY;
    }
    vipann_status status = vipann_rules_set(*rules, "Dog", "hops", "2 of 3", "a", error);
    status = status == VIPANN_OK ? vipann_rules_only(*rules, "Dog;Bark", "b", error) : status;
    status = status == VIPANN_OK ? vipann_rules_ignore(*rules, "Bark", "c", error) : status;
    status =
        status == VIPANN_OK ? parse_night(*rules, "threshold = 0.5\n[class \"Wind\"]\nreport = yes\n", error) : status;
    status = status == VIPANN_OK ? vipann_rules_read(*rules, path, error) : status;
    if (status == VIPANN_OK) {
        vipann_rules *copy = vip_rules_copy(*rules);
        status = copy != NULL ? VIPANN_OK : VIPANN_E_MEMORY;
        vipann_rules_free(copy);
    }
    return status;
}

static void
test_no_memory_for_rules_is_a_clean_failure(void **state)
{
    char path[SCRATCH_PATH];
    vipann_rules *rules;
    scratch_write(scratch_path(path, state, "b.conf"), "report = no\n", 12);
    failing_after(-1);
    assert_int_equal(everything(&rules, path, NULL), VIPANN_OK);
    long n = failing_count();
    vipann_rules_free(rules);
    for (long i = 0; i < n; i++) {
        vipann_error error = {VIPANN_OK, ""};
        failing_after(i);
        vipann_status status = everything(&rules, path, &error);
        failing_after(-1);
        assert_int_equal(status, VIPANN_E_MEMORY);
        assert_true(error.status == VIPANN_E_MEMORY || i + 20 > n); /* a copy says nothing */
        vipann_rules_free(rules);
    }
    vipann_rules *before = night_rules();
    for (long i = 0; i < 40; i++) { /* reading leaves no trace, wherever memory ends */
        rules = night_rules();
        failing_after(i);
        vipann_status status = parse_night(rules, "threshold = 0.5\n[class \"Dog\"]\nhops = 1 of 2\n", NULL);
        failing_after(-1);
        if (status != VIPANN_OK) {
            assert_int_equal(status, VIPANN_E_MEMORY);
            assert_same_rules(rules, before);
        }
        vipann_rules_free(rules);
    }
    vipann_rules_free(before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_the_models_where_it_states_any),
        cmocka_unit_test(test_every_key_has_its_name),
        cmocka_unit_test(test_a_class_counts_more_than_all_whatever_the_order),
        cmocka_unit_test(test_model_as_threshold_is_what_holds_if_nothing_is_said),
        cmocka_unit_test(test_a_threshold_of_its_own_makes_a_class_reportable),
        cmocka_unit_test(test_only_and_ignore_choose_what_is_reported),
        cmocka_unit_test(test_a_copy_shares_nothing),
        cmocka_unit_test(test_a_wrong_setting_is_said_with_its_origin),
        cmocka_unit_test_setup_teardown(test_no_memory_for_rules_is_a_clean_failure, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
