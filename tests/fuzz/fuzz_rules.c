/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fuzz_rules.c -- any bytes as a rule file, and as single values: refused with one line and without effect, or rules
 * that are within their limits and the same when the file is read twice. */
#include "fuzz.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <decide/rules.h>

enum { CLASSES = 4, MOST_TEXT = 200 };

static char *labels[CLASSES] = {"Dog", "Say \"hi\" \\", "class 3", "a;b"};
static const float thresholds[CLASSES] = {0.25f, 0.5f, -1, 1};

static vipann_rules *
new_rules(void)
{
    vipann_error error;
    vipann_rules *rules = vip_rules_new(labels, thresholds, 0.5, CLASSES, &error);
    fuzz_check(rules != NULL);
    return rules;
}

static bool
within(double x, double least, double most)
{
    return x >= least && x <= most;
}

static void
check_limits(const vipann_rules *rules)
{
    for (uint32_t i = 0; i < CLASSES; i++) {
        vipann_rule r;
        vipann_rules_describe(rules, i, &r);
        fuzz_check(within(r.threshold, 0, 1) && within(r.hysteresis, 0, 1) && within(r.release, 0, r.threshold));
        fuzz_check(fabs(r.release - r.threshold * (1 - r.hysteresis)) < 1e-12);
        fuzz_check(within(r.min_length_seconds, 0, 3600) && within(r.merge_gap_seconds, 0, 3600));
        fuzz_check(r.k >= 1 && r.k <= r.n && r.n <= VIPANN_MAX_RULE_HOPS);
        fuzz_check(within(r.level_dbfs, -200, 0) && r.level_dbfs == vip_rules_level(rules));
        for (size_t k = 0; k < VIPANN_N_RULES; k++) {
            fuzz_check(r.origin[k] != NULL && fuzz_is_line(r.origin[k]));
        }
    }
}

/* The same values from the same places. */
static void
check_same(const vipann_rules *a, const vipann_rules *b)
{
    for (uint32_t i = 0; i < CLASSES; i++) {
        vipann_rule r, s;
        vipann_rules_describe(a, i, &r);
        vipann_rules_describe(b, i, &s);
        fuzz_check(r.threshold == s.threshold && r.release == s.release && r.hysteresis == s.hysteresis);
        fuzz_check(r.min_length_seconds == s.min_length_seconds && r.merge_gap_seconds == s.merge_gap_seconds);
        fuzz_check(r.k == s.k && r.n == s.n && r.report == s.report && r.level_dbfs == s.level_dbfs);
        for (size_t k = 0; k < VIPANN_N_RULES; k++) {
            fuzz_check(strcmp(r.origin[k], s.origin[k]) == 0);
        }
    }
}

static void
read_file(vipann_rules *rules, const char *text, size_t size)
{
    vipann_error error = {VIPANN_OK, ""};
    vipann_rules *before = vip_rules_copy(rules);
    fuzz_check(before != NULL);
    vipann_status status = vip_rules_parse(rules, "fuzz.conf", text, size, &error);
    if (status != VIPANN_OK) {
        fuzz_check_refusal(VIPANN_E_FORMAT, &error);
        fuzz_check(strncmp(error.text, "fuzz.conf:", 10) == 0); /* says where */
        check_same(before, rules);
    } else {
        vipann_rules *once = vip_rules_copy(rules);
        fuzz_check(once != NULL);
        fuzz_check(vip_rules_parse(rules, "fuzz.conf", text, size, &error) == VIPANN_OK);
        check_same(once, rules);
        vipann_rules_free(once);
    }
    vipann_rules_free(before);
}

/* One call of the setters with texts of the input. */
static void
set_one(vipann_rules *rules, fuzz_bytes *bytes)
{
    char text[MOST_TEXT + 1], other[MOST_TEXT + 1];
    vipann_error error = {VIPANN_OK, ""};
    vipann_rules *before = vip_rules_copy(rules);
    fuzz_check(before != NULL);
    uint8_t kind = fuzz_byte(bytes);
    const char *label = kind & 8 ? labels[kind >> 4 & 3] : NULL;
    vipann_status status;
    (void)fuzz_text(bytes, text, MOST_TEXT);
    switch (kind % 4) {
    case 0:
        status = vipann_rules_only(rules, text, "--only", &error);
        break;
    case 1:
        status = vipann_rules_ignore(rules, text, "--ignore", &error);
        break;
    case 2:
        (void)fuzz_text(bytes, other, MOST_TEXT);
        status = vipann_rules_set(rules, other, text, "0.5", "a test", &error);
        break;
    default:
        status = vipann_rules_set(rules, label, vipann_rule_name((vipann_rule_key)(fuzz_byte(bytes) % VIPANN_N_RULES)),
                                  text, "a test", &error);
    }
    if (status != VIPANN_OK) {
        fuzz_check_refusal(VIPANN_E_ARG, &error);
        check_same(before, rules);
    }
    vipann_rules_free(before);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A file; behind a zero byte, which no file may have, what the setters are called with. */
    const uint8_t *end = memchr(data, 0, size);
    size_t n = end != NULL ? (size_t)(end - data) : size;
    vipann_rules *rules = new_rules();
    read_file(rules, (const char *)data, n);
    check_limits(rules);
    if (end != NULL) {
        read_file(rules, (const char *)data, size);
        fuzz_bytes bytes = {end + 1, size - n - 1};
        while (bytes.left > 0) {
            set_one(rules, &bytes);
        }
        check_limits(rules);
    }
    vipann_rules_free(rules);
    return 0;
}
