/* SPDX-License-Identifier: GPL-3.0-or-later */
/* night_rules.h -- rules for six classes, read from texts that are called night.conf: for the tests of decide/rules.h. */
#ifndef TESTS_UNIT_NIGHT_RULES_H
#define TESTS_UNIT_NIGHT_RULES_H

#include <decide/rules.h>

/* Two classes of one name; DOOR and WIND not reportable; names that need escapes. */
enum { DOG, BARK, QUOTED, DOOR, SECOND_DOG, WIND, NIGHT_CLASSES };

extern char *const NIGHT_LABELS[NIGHT_CLASSES];
extern const float NIGHT_THRESHOLDS[NIGHT_CLASSES];

/* Asserts that they could be made. */
vipann_rules *night_rules(void);

vipann_rule rule_of(const vipann_rules *rules, uint32_t class_index);

vipann_status parse_night(vipann_rules *rules, const char *text, vipann_error *error);

/* Asserts that the text is taken. */
void assert_parsed(vipann_rules *rules, const char *text);

/* Asserts that the rules in force are the same, and from the same sources. */
void assert_same_rules(const vipann_rules *a, const vipann_rules *b);

#endif /* TESTS_UNIT_NIGHT_RULES_H */
