/* SPDX-License-Identifier: GPL-3.0-or-later */
/* night_rules.c -- see night_rules.h for the contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "night_rules.h"

static char dog[] = "Dog", bark[] = "Bark", quoted[] = "say \"a\\b\"", door[] = "Door, slam", second[] = "Dog",
            wind[] = "Wind";
char *const NIGHT_LABELS[NIGHT_CLASSES] = {dog, bark, quoted, door, second, wind};
const float NIGHT_THRESHOLDS[NIGHT_CLASSES] = {0.25f, 0.5f, 0.75f, -1.0f, 0.125f, -1.0f};

vipann_rules *
night_rules(void)
{
    vipann_rules *rules = vip_rules_new(NIGHT_LABELS, NIGHT_THRESHOLDS, 0.5, NIGHT_CLASSES, NULL);
    assert_non_null(rules);
    return rules;
}

vipann_rule
rule_of(const vipann_rules *rules, uint32_t class_index)
{
    vipann_rule rule;
    vipann_rules_describe(rules, class_index, &rule);
    return rule;
}

vipann_status
parse_night(vipann_rules *rules, const char *text, vipann_error *error)
{
    return vip_rules_parse(rules, "night.conf", text, strlen(text), error);
}

void
assert_parsed(vipann_rules *rules, const char *text)
{
    vipann_error error = {VIPANN_OK, ""};
    if (parse_night(rules, text, &error) != VIPANN_OK) {
        fail_msg("%s\n  said: %s", text, error.text);
    }
}

void
assert_same_rules(const vipann_rules *a, const vipann_rules *b)
{
    for (uint32_t i = 0; i < NIGHT_CLASSES; i++) {
        vipann_rule x = rule_of(a, i), y = rule_of(b, i);
        for (size_t key = 0; key < VIPANN_N_RULES; key++) {
            assert_string_equal(x.origin[key], y.origin[key]);
        }
        assert_true(x.threshold == y.threshold && x.release == y.release && x.hysteresis == y.hysteresis);
        assert_true(x.min_length_seconds == y.min_length_seconds && x.merge_gap_seconds == y.merge_gap_seconds);
        assert_true(x.k == y.k && x.n == y.n && x.report == y.report && x.level_dbfs == y.level_dbfs);
    }
}
