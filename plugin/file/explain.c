/* SPDX-License-Identifier: GPL-3.0-or-later */
/* explain.c -- see explain.h for the contract. */
#include "explain.h"

#include <string.h>

#include <common/number.h>
#include <common/options.h>
#include <common/support.h>
#include <common/text.h>

enum { DIGITS = 6, KEY_CELLS = 11, VALUE_CELLS = 10 };

static vipann_status
find_class(const vipann_model *model, const char *label, uint32_t *found, vipann_error *error)
{
    const char *nearest = NULL, *name;
    size_t closest = SIZE_MAX;
    for (uint32_t i = 0; (name = vipann_model_label(model, i)) != NULL; i++) {
        size_t distance = strcmp(name, label) == 0 ? 0 : vip_word_distance(label, name);
        if (distance == 0) {
            *found = i;
            return VIPANN_OK;
        }
        if (distance < closest) {
            closest = distance;
            nearest = vip_word_is_near(label, distance) ? name : NULL;
        }
    }
    return nearest != NULL ? vip_fail(error, VIPANN_E_ARG, "the model has no class \"%.60s\"; did you mean \"%.60s\"?",
                                      label, nearest)
                           : vip_fail(error, VIPANN_E_ARG,
                                      "the model has no class \"%.60s\"; \"vipann info --json\" lists them all", label);
}

/* The value of one key, as a rule file would have it, and its unit. */
static const char *
value_of(const vipann_rule *rule, vipann_rule_key key, char out[VIP_NUMBER_SIZE])
{
    switch (key) {
    case VIPANN_RULE_THRESHOLD:
        return vip_number_write(out, rule->threshold, DIGITS);
    case VIPANN_RULE_HYSTERESIS:
        return vip_number_write(out, rule->hysteresis, DIGITS);
    case VIPANN_RULE_MIN_LENGTH:
        return vip_number_write(out, rule->min_length_seconds, DIGITS);
    case VIPANN_RULE_MERGE_GAP:
        return vip_number_write(out, rule->merge_gap_seconds, DIGITS);
    case VIPANN_RULE_HOPS:
        (void)snprintf(out, VIP_NUMBER_SIZE, "%u of %u", (unsigned)rule->k, (unsigned)rule->n);
        return out;
    case VIPANN_RULE_REPORT:
        return rule->report ? "yes" : "no";
    case VIPANN_RULE_LEVEL:
        return vip_number_write(out, rule->level_dbfs, DIGITS);
    default:
        return "";
    }
}

static void
put_meaning(const vipann_rule *rule, FILE *out)
{
    char a[VIP_NUMBER_SIZE], b[VIP_NUMBER_SIZE];
    if (!rule->report) {
        (void)fputs("never reported\n", out);
        return;
    }
    if (rule->n == 1) {
        (void)fputs("begins when an answer reaches ", out);
    } else {
        (void)fprintf(out, "begins when %u of the last %u answers reach ", (unsigned)rule->k, (unsigned)rule->n);
    }
    (void)fprintf(out, "%s, ends with one below %s\n", vip_number_write(a, rule->threshold, DIGITS),
                  vip_number_write(b, rule->release, DIGITS));
}

vipann_status
vip_explain(const vipann_model *model, const vipann_rules *rules, const char *label, FILE *out, vipann_error *error)
{
    uint32_t i = 0;
    vipann_status status = find_class(model, label, &i, error);
    if (status != VIPANN_OK) {
        return status;
    }
    vipann_rule rule;
    vipann_rules_describe(rules, i, &rule);
    vip_text_style style = vip_text_style_of(out);
    vip_text_look_set(out, &style, VIP_STRONG);
    (void)vip_text_put(out, &style, label, 0, SIZE_MAX);
    vip_text_look_set(out, &style, VIP_PLAIN);
    (void)fputs(": ", out);
    put_meaning(&rule, out);
    for (int key = 0; key < VIPANN_N_RULES; key++) {
        char number[VIP_NUMBER_SIZE];
        const char *unit = key == VIPANN_RULE_MIN_LENGTH || key == VIPANN_RULE_MERGE_GAP ? " s"
                           : key == VIPANN_RULE_LEVEL                                    ? " dBFS"
                                                                                         : "";
        const char *value = value_of(&rule, (vipann_rule_key)key, number);
        int used = fprintf(out, "  %-*s %s%s", KEY_CELLS, vipann_rule_name((vipann_rule_key)key), value, unit);
        (void)fprintf(out, "%*s ", used < 2 + KEY_CELLS + 1 + VALUE_CELLS ? 2 + KEY_CELLS + 1 + VALUE_CELLS - used : 0,
                      "");
        (void)vip_text_put(out, &style, rule.origin[key] != NULL ? rule.origin[key] : "", 0, SIZE_MAX);
        (void)fputc('\n', out);
    }
    return VIPANN_OK;
}
