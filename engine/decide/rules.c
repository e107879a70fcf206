/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rules.c -- see rules.h and vipann.h for the contract: what has been said, by whom, and what follows. */
#include "rules.h"

#include <base/memory.h>
#include <base/status.h>
#include <base/words.h>

#include <string.h>

enum { SHOWN_VALUE = 40, SHOWN_LABEL = 64 }; /* bytes of a message, the end of the string included */

/* A threshold that is the model's; no number in range. */
static const double FROM_MODEL = -1.0;

/* What may stand behind a key. */
static const struct {
    const char *name;
    double least, most, standard; /* standard: of no meaning for the threshold, which depends on the model */
    const char *expected;
} KEYS[VIPANN_N_RULES] = {
    [VIPANN_RULE_THRESHOLD] = {"threshold", 0, 1, 0, "a number of 0 to 1, or model"},
    [VIPANN_RULE_HYSTERESIS] = {"hysteresis", 0, 1, 0.8, "a number of 0 to 1"},
    [VIPANN_RULE_MIN_LENGTH] = {"min_length", 0, 3600, 0.3, "0 to 3600 seconds"},
    [VIPANN_RULE_MERGE_GAP] = {"merge_gap", 0, 3600, 0.7, "0 to 3600 seconds"},
    [VIPANN_RULE_HOPS] = {"hops", 1, VIPANN_MAX_RULE_HOPS, 1, "K of N, such as 2 of 3, with N at most 32"},
    [VIPANN_RULE_REPORT] = {"report", 0, 1, 1, "yes or no"},
    [VIPANN_RULE_LEVEL] = {"level", -200, 0, -70, "-200 to 0 dBFS"},
};

_Static_assert(VIPANN_MAX_RULE_HOPS == 32, "what is expected of hops names the limit");

/* Who said something; one for all values that were said at once. */
typedef struct {
    size_t uses;
    char text[];
} source;

typedef struct {
    double number; /* hops: K; report: 1 or 0 */
    uint32_t n;    /* hops: N */
} value;

typedef struct {
    source *origin; /* NULL: nothing has been said */
    value value;
} saying;

struct vipann_rules {
    uint32_t classes;
    char **labels;     /* [classes]; one block with the text behind */
    float *thresholds; /* [classes]; NULL: the model states none */
    double otherwise;  /* instead of one that the model does not state */
    saying all[VIPANN_N_RULES];
    saying (*own)[VIPANN_N_RULES]; /* [classes] */
};

/* --------------------------------------------------------------------------------------------------------- sources */

static source *
source_new(const char *text)
{
    size_t bytes = strlen(text) + 1;
    source *origin = vip_alloc(1, sizeof *origin + bytes);
    if (origin != NULL) {
        memcpy(origin->text, text, bytes);
    }
    return origin;
}

/* A source that nobody uses is freed with the last saying that leaves it. */
static void
say(saying *about, source *origin, value what)
{
    origin->uses++;
    if (about->origin != NULL && --about->origin->uses == 0) {
        vip_free(about->origin);
    }
    *about = (saying){origin, what};
}

static void
unsay(saying sayings[VIPANN_N_RULES])
{
    for (size_t key = 0; key < VIPANN_N_RULES; key++) {
        if (sayings[key].origin != NULL && --sayings[key].origin->uses == 0) {
            vip_free(sayings[key].origin);
        }
    }
}

/* False: memory is short. Neighbours that share a source share its copy. */
static bool
copy_sayings(saying to[VIPANN_N_RULES], const saying from[VIPANN_N_RULES], const source **last, source **copied)
{
    for (size_t key = 0; key < VIPANN_N_RULES; key++) {
        if (from[key].origin == NULL) {
            continue;
        }
        if (from[key].origin != *last) {
            *copied = source_new(from[key].origin->text);
            *last = from[key].origin;
            if (*copied == NULL) {
                return false;
            }
        }
        say(&to[key], *copied, from[key].value);
    }
    return true;
}

/* ------------------------------------------------------------------------------------------------------------ life */

static char **
copy_labels(char *const *labels, uint32_t classes)
{
    size_t bytes = classes * sizeof *labels;
    for (uint32_t i = 0; i < classes; i++) {
        bytes += strlen(labels[i]) + 1;
    }
    char **copy = vip_alloc(1, bytes);
    if (copy == NULL) {
        return NULL;
    }
    char *text = (char *)(copy + classes);
    for (uint32_t i = 0; i < classes; i++) {
        size_t n = strlen(labels[i]) + 1;
        copy[i] = text;
        memcpy(text, labels[i], n);
        text += n;
    }
    return copy;
}

static vipann_rules *
new_rules(char *const *labels, const float *thresholds, double otherwise, uint32_t classes)
{
    vipann_rules *rules = vip_alloc(1, sizeof *rules);
    if (rules == NULL) {
        return NULL;
    }
    rules->labels = copy_labels(labels, classes);
    rules->own = vip_alloc(classes, sizeof *rules->own);
    if (thresholds != NULL) {
        rules->thresholds = vip_alloc(classes, sizeof *rules->thresholds);
    }
    if (rules->labels == NULL || rules->own == NULL || (thresholds != NULL && rules->thresholds == NULL)) {
        vipann_rules_free(rules);
        return NULL;
    }
    rules->classes = classes;
    rules->otherwise = otherwise;
    if (thresholds != NULL) {
        memcpy(rules->thresholds, thresholds, classes * sizeof *thresholds);
    }
    return rules;
}

vipann_rules *
vip_rules_new(char *const *labels, const float *thresholds, double otherwise, uint32_t classes, vipann_error *error)
{
    vipann_rules *rules = new_rules(labels, thresholds, otherwise, classes);
    if (rules == NULL) {
        (void)vip_fail_memory(error, "the rules of events");
    }
    return rules;
}

vipann_rules *
vip_rules_copy(const vipann_rules *rules)
{
    vipann_rules *copy = new_rules(rules->labels, rules->thresholds, rules->otherwise, rules->classes);
    const source *last = NULL;
    source *copied = NULL;
    bool complete = copy != NULL && copy_sayings(copy->all, rules->all, &last, &copied);
    for (uint32_t i = 0; i < rules->classes && complete; i++) {
        complete = copy_sayings(copy->own[i], rules->own[i], &last, &copied);
    }
    if (!complete) {
        vipann_rules_free(copy);
        return NULL;
    }
    return copy;
}

void
vip_rules_swap(vipann_rules *a, vipann_rules *b)
{
    vipann_rules was = *a;
    *a = *b;
    *b = was;
}

void
vipann_rules_free(vipann_rules *rules)
{
    if (rules == NULL) {
        return;
    }
    unsay(rules->all);
    for (uint32_t i = 0; i < rules->classes; i++) {
        unsay(rules->own[i]);
    }
    vip_free(rules->own);
    vip_free(rules->labels);
    vip_free(rules->thresholds);
    vip_free(rules);
}

uint32_t
vip_rules_classes(const vipann_rules *rules)
{
    return rules->classes;
}

const char *
vip_rules_label(const vipann_rules *rules, uint32_t i)
{
    return rules->labels[i];
}

/* ----------------------------------------------------------------------------------------------------------- names */

const char *
vipann_rule_name(vipann_rule_key key)
{
    return (int)key >= 0 && key < VIPANN_N_RULES ? KEYS[key].name : NULL;
}

vipann_rule_key
vip_rule_find(const char *name, const char *where, vipann_status refusal, vipann_error *error)
{
    const char *nearest = NULL;
    size_t closest = SIZE_MAX;
    for (int key = 0; key < VIPANN_N_RULES; key++) {
        size_t distance = vip_word_distance(name, KEYS[key].name);
        if (distance == 0) {
            return (vipann_rule_key)key;
        }
        if (distance < closest && vip_word_is_near(name, distance)) {
            closest = distance;
            nearest = KEYS[key].name;
        }
    }
    char shown[SHOWN_VALUE];
    (void)vip_shown(shown, sizeof shown, name, strlen(name));
    if (nearest != NULL) {
        (void)vip_fail(error, refusal, "%s: unknown key \"%s\"; did you mean %s?", where, shown, nearest);
    } else {
        (void)vip_fail(error, refusal,
                       "%s: unknown key \"%s\"; expected threshold, hysteresis, min_length, merge_gap, hops, report or "
                       "level",
                       where, shown);
    }
    return VIPANN_N_RULES;
}

static char
small_letter(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
same_but_for_case(const char *a, const char *b)
{
    for (; *a != '\0' && small_letter(*a) == small_letter(*b); a++, b++) {
    }
    return *a == *b;
}

static const char *
nearest_label(const vipann_rules *rules, const char *label)
{
    const char *nearest = NULL;
    size_t closest = SIZE_MAX;
    for (uint32_t i = 0; i < rules->classes; i++) {
        bool same = same_but_for_case(label, rules->labels[i]);
        size_t distance = same ? 0 : vip_word_distance(label, rules->labels[i]);
        if (distance < closest && (same || vip_word_is_near(label, distance))) {
            closest = distance;
            nearest = rules->labels[i];
        }
    }
    return nearest;
}

uint32_t
vip_rules_find(const vipann_rules *rules, const char *label, const char *where, vipann_status refusal,
               vipann_error *error)
{
    for (uint32_t i = 0; i < rules->classes; i++) {
        if (strcmp(rules->labels[i], label) == 0) {
            return i;
        }
    }
    char shown[SHOWN_LABEL], offer[SHOWN_LABEL];
    const char *nearest = nearest_label(rules, label);
    (void)vip_shown(shown, sizeof shown, label, strlen(label));
    if (nearest != NULL) {
        (void)vip_fail(error, refusal, "%s: the model has no class \"%s\"; did you mean \"%s\"?", where, shown,
                       vip_shown(offer, sizeof offer, nearest, strlen(nearest)));
    } else {
        (void)vip_fail(error, refusal, "%s: the model has no class \"%s\"; expected one of its %u labels", where, shown,
                       (unsigned)rules->classes);
    }
    return VIP_NO_CLASS;
}

/* ---------------------------------------------------------------------------------------------------------- values */

/* "K of N" */
static bool
read_hops(const char *text, value *out)
{
    static const char digits[] = "0123456789", blank[] = " \t";
    enum { LONGEST = 8 };
    char number[LONGEST + 1] = "";
    uint64_t read[2];
    for (size_t i = 0; i < 2; i++) {
        size_t length = strspn(text, digits);
        if (length == 0 || length > LONGEST) {
            return false;
        }
        memcpy(number, text, length);
        number[length] = '\0';
        if (!vip_number_read_whole(number, &read[i])) {
            return false;
        }
        text += length;
        if (i == 0) {
            size_t before = strspn(text, blank);
            if (before == 0 || strncmp(text + before, "of", 2) != 0 || strspn(text + before + 2, blank) == 0) {
                return false;
            }
            text += before + 2;
            text += strspn(text, blank);
        }
    }
    *out = (value){(double)read[0], (uint32_t)read[1]};
    return *text == '\0' && read[0] >= 1 && read[0] <= read[1] && read[1] <= VIPANN_MAX_RULE_HOPS;
}

static bool
read_value(vipann_rule_key key, const char *text, value *out)
{
    *out = (value){0.0, 0};
    if (key == VIPANN_RULE_HOPS) {
        return read_hops(text, out);
    }
    if (key == VIPANN_RULE_REPORT) {
        out->number = strcmp(text, "yes") == 0 ? 1.0 : 0.0;
        return out->number > 0.0 || strcmp(text, "no") == 0;
    }
    if (key == VIPANN_RULE_THRESHOLD && strcmp(text, "model") == 0) {
        out->number = FROM_MODEL;
        return true;
    }
    if (!vip_number_read(text, &out->number) || out->number < KEYS[key].least || out->number > KEYS[key].most) {
        return false;
    }
    out->number += 0.0; /* "-0" is 0 */
    return true;
}

vipann_status
vip_rules_say(vipann_rules *rules, uint32_t i, vipann_rule_key key, const char *text, const char *origin,
              vipann_status refusal, vipann_error *error)
{
    if (key == VIPANN_RULE_LEVEL && i != VIP_NO_CLASS) {
        return vip_fail(error, refusal, "%s: level is for all classes, not for one; say it before any class", origin);
    }
    value what;
    if (!read_value(key, text, &what)) {
        char shown[SHOWN_VALUE];
        return vip_fail(error, refusal, "%s: %s is \"%s\"; expected %s", origin, KEYS[key].name,
                        vip_shown(shown, sizeof shown, text, strlen(text)), KEYS[key].expected);
    }
    source *who = source_new(origin);
    if (who == NULL) {
        return vip_fail_memory(error, "the rules of events");
    }
    if (i == VIP_NO_CLASS) {
        say(&rules->all[key], who, what);
        return VIPANN_OK;
    }
    for (uint32_t k = i; k < rules->classes; k++) {
        if (strcmp(rules->labels[k], rules->labels[i]) == 0) {
            say(&rules->own[k][key], who, what);
        }
    }
    return VIPANN_OK;
}

vipann_status
vipann_rules_set(vipann_rules *rules, const char *label, const char *key, const char *text, const char *origin,
                 vipann_error *error)
{
    uint32_t i = VIP_NO_CLASS;
    vipann_rule_key which = vip_rule_find(key, origin, VIPANN_E_ARG, error);
    if (which == VIPANN_N_RULES) {
        return VIPANN_E_ARG;
    }
    if (label != NULL) {
        i = vip_rules_find(rules, label, origin, VIPANN_E_ARG, error);
        if (i == VIP_NO_CLASS) {
            return VIPANN_E_ARG;
        }
    }
    return vip_rules_say(rules, i, which, text, origin, VIPANN_E_ARG, error);
}

/* ----------------------------------------------------------------------------------------------------------- lists */

/* Marks the classes of the list. */
static vipann_status
find_labels(const vipann_rules *rules, const char *labels, const char *origin, bool *marked, vipann_error *error)
{
    static const char blank[] = " \t";
    char *copy = vip_copy_string(labels);
    if (copy == NULL) {
        return vip_fail_memory(error, "the rules of events");
    }
    vipann_status status = VIPANN_OK;
    size_t found = 0;
    for (char *label = copy, *next; label != NULL && status == VIPANN_OK; label = next) {
        next = strchr(label, ';');
        if (next != NULL) {
            *next++ = '\0';
        }
        label += strspn(label, blank);
        size_t length = strlen(label);
        for (; length > 0 && strchr(blank, label[length - 1]) != NULL; length--) {
        }
        label[length] = '\0';
        if (length == 0) {
            continue; /* behind a last ';', say */
        }
        uint32_t i = vip_rules_find(rules, label, origin, VIPANN_E_ARG, error);
        status = i == VIP_NO_CLASS ? VIPANN_E_ARG : VIPANN_OK;
        for (uint32_t k = i; k < rules->classes; k++) {
            marked[k] = marked[k] || strcmp(rules->labels[k], label) == 0;
        }
        found++;
    }
    vip_free(copy);
    if (status == VIPANN_OK && found == 0) {
        return vip_fail(error, VIPANN_E_ARG, "%s: names no class; expected labels with ';' between them", origin);
    }
    return status;
}

/* Those of the list are reported or not; the others are not if `others`, else as they were. */
static vipann_status
report(vipann_rules *rules, const char *labels, bool listed, bool others, const char *origin, vipann_error *error)
{
    bool *marked = vip_alloc(rules->classes, sizeof *marked);
    source *who = source_new(origin);
    vipann_status status = VIPANN_E_MEMORY;
    if (marked == NULL || who == NULL) {
        (void)vip_fail_memory(error, "the rules of events");
    } else {
        status = find_labels(rules, labels, origin, marked, error);
    }
    if (status != VIPANN_OK) {
        vip_free(who);
        vip_free(marked);
        return status;
    }
    for (uint32_t i = 0; i < rules->classes; i++) {
        if (marked[i] || others) {
            say(&rules->own[i][VIPANN_RULE_REPORT], who, (value){marked[i] && listed ? 1.0 : 0.0, 0});
        }
    }
    vip_free(marked);
    return VIPANN_OK;
}

vipann_status
vipann_rules_only(vipann_rules *rules, const char *labels, const char *origin, vipann_error *error)
{
    return report(rules, labels, true, true, origin, error);
}

vipann_status
vipann_rules_ignore(vipann_rules *rules, const char *labels, const char *origin, vipann_error *error)
{
    return report(rules, labels, false, false, origin, error);
}

/* -------------------------------------------------------------------------------------------------------- in force */

/* What has been said for the class, or for all; NULL: nothing. */
static const saying *
said(const vipann_rules *rules, uint32_t i, vipann_rule_key key)
{
    const saying *own = &rules->own[i][key], *all = &rules->all[key];
    return own->origin != NULL ? own : all->origin != NULL ? all : NULL;
}

static double
number(const vipann_rules *rules, uint32_t i, vipann_rule_key key, const char **origin)
{
    const saying *about = said(rules, i, key);
    *origin = about != NULL ? about->origin->text : "default";
    return about != NULL ? about->value.number : KEYS[key].standard;
}

static double
threshold(const vipann_rules *rules, uint32_t i, const char **origin)
{
    double chosen = number(rules, i, VIPANN_RULE_THRESHOLD, origin);
    if (said(rules, i, VIPANN_RULE_THRESHOLD) != NULL && chosen >= 0.0) {
        return chosen;
    }
    bool stated = rules->thresholds != NULL && rules->thresholds[i] >= 0.0f;
    *origin = stated ? "model" : "default";
    return stated ? (double)rules->thresholds[i] : rules->otherwise;
}

static bool
is_reported(const vipann_rules *rules, uint32_t i, const char **origin)
{
    const saying *own = &rules->own[i][VIPANN_RULE_THRESHOLD];
    if (said(rules, i, VIPANN_RULE_REPORT) == NULL && rules->thresholds != NULL && rules->thresholds[i] < 0.0f) {
        bool wanted = own->origin != NULL && own->value.number >= 0.0;
        *origin = wanted ? own->origin->text : "model";
        return wanted;
    }
    return number(rules, i, VIPANN_RULE_REPORT, origin) > 0.0;
}

void
vipann_rules_describe(const vipann_rules *rules, uint32_t i, vipann_rule *rule)
{
    const char **origin = rule->origin;
    rule->threshold = threshold(rules, i, &origin[VIPANN_RULE_THRESHOLD]);
    rule->hysteresis = number(rules, i, VIPANN_RULE_HYSTERESIS, &origin[VIPANN_RULE_HYSTERESIS]);
    rule->release = rule->threshold * (1.0 - rule->hysteresis);
    rule->min_length_seconds = number(rules, i, VIPANN_RULE_MIN_LENGTH, &origin[VIPANN_RULE_MIN_LENGTH]);
    rule->merge_gap_seconds = number(rules, i, VIPANN_RULE_MERGE_GAP, &origin[VIPANN_RULE_MERGE_GAP]);
    rule->k = (uint32_t)number(rules, i, VIPANN_RULE_HOPS, &origin[VIPANN_RULE_HOPS]);
    rule->n = said(rules, i, VIPANN_RULE_HOPS) != NULL ? said(rules, i, VIPANN_RULE_HOPS)->value.n : 1;
    rule->report = is_reported(rules, i, &origin[VIPANN_RULE_REPORT]);
    rule->level_dbfs = number(rules, i, VIPANN_RULE_LEVEL, &origin[VIPANN_RULE_LEVEL]);
}

double
vip_rules_level(const vipann_rules *rules)
{
    const saying *about = &rules->all[VIPANN_RULE_LEVEL];
    return about->origin != NULL ? about->value.number : KEYS[VIPANN_RULE_LEVEL].standard;
}
