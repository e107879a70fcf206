/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rules.h -- the rules of events: see vipann.h for what they are. Values of a class count more than those of all.
 *
 * Of the threshold "model" is a value like another, and is what holds if nothing is said: the model's own, or 0.5 where
 * it states none. A class that the model calls not reportable is reported if "report = yes" or only(...) says so, or if
 * it is given a threshold of its own and nobody says "report = no". */
#ifndef VIP_DECIDE_RULES_H
#define VIP_DECIDE_RULES_H

#include <vipann/vipann.h>

/* The defaults for these classes. labels [classes] and thresholds ([classes], negative: not reportable; NULL: there are
 * none) are copied; otherwise: the threshold where none is stated. Of several classes with the same label each gets what
 * is said for it. E_MEMORY. */
vipann_rules *vip_rules_new(char *const *labels, const float *thresholds, double otherwise, uint32_t classes,
                            vipann_error *error);

/* Shares nothing with the other. NULL: memory is short. */
vipann_rules *vip_rules_copy(const vipann_rules *rules);

/* What the two say is exchanged. */
void vip_rules_swap(vipann_rules *a, vipann_rules *b);

uint32_t vip_rules_classes(const vipann_rules *rules);

/* Of class i < classes; belongs to the rules. */
const char *vip_rules_label(const vipann_rules *rules, uint32_t i);

/* The level of silence, dBFS. */
double vip_rules_level(const vipann_rules *rules);

/* The first class with this label; VIP_NO_CLASS: there is none, and the error, with this status, begins with `where` and
 * offers the nearest one. */
#define VIP_NO_CLASS UINT32_MAX
uint32_t vip_rules_find(const vipann_rules *rules, const char *label, const char *where, vipann_status refusal,
                        vipann_error *error);

/* The key of this name; VIPANN_N_RULES: there is none, and the error is likewise. */
vipann_rule_key vip_rule_find(const char *name, const char *where, vipann_status refusal, vipann_error *error);

/* Says key = value for the class i and all of its name, or for all (VIP_NO_CLASS). Errors, which begin with the origin:
 * `refusal` (a value that the key does not take), E_MEMORY. After an error the rules are as before. */
vipann_status vip_rules_say(vipann_rules *rules, uint32_t i, vipann_rule_key key, const char *value, const char *origin,
                            vipann_status refusal, vipann_error *error);

/* What vipann_rules_read does with a file's text; name stands for the file in messages. Errors: E_FORMAT, E_MEMORY. */
vipann_status vip_rules_parse(vipann_rules *rules, const char *name, const char *text, size_t bytes,
                              vipann_error *error);

#endif /* VIP_DECIDE_RULES_H */
