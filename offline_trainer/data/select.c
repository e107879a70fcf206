/* SPDX-License-Identifier: GPL-3.0-or-later */
/* select.c -- see select.h for the contract. */
#include "select.h"

#include "keyed_order.h"

#include <base/memory.h>
#include <base/philox.h>
#include <base/status.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
vip_part_free(vip_part *part)
{
    vip_free(part->clips);
    *part = (vip_part){0, NULL};
}

/* ------------------------------------------------------------------------------------------------------- expressions */

typedef struct {
    const char *text;
    size_t n;
} span;

static span
trimmed(const char *text, size_t n)
{
    while (n > 0 && *text == ' ') {
        text++;
        n--;
    }
    while (n > 0 && text[n - 1] == ' ') {
        n--;
    }
    return (span){text, n};
}

/* Cuts the part before the separator off; false: nothing is left. */
static bool
cut(span *rest, char separator, span *part)
{
    if (rest->text == NULL) {
        return false;
    }
    const char *end = memchr(rest->text, separator, rest->n);
    const size_t n = end == NULL ? rest->n : (size_t)(end - rest->text);
    *part = trimmed(rest->text, n);
    *rest = end == NULL ? (span){NULL, 0} : (span){end + 1, rest->n - n - 1};
    return true;
}

static bool
fits(span value, const char *text)
{
    const bool open = value.n > 0 && value.text[value.n - 1] == '*';
    const size_t n = open ? value.n - 1 : value.n;
    return strncmp(text, value.text, n) == 0 && (open || text[n] == '\0');
}

typedef enum { SET, LABEL, GROUP, PATH, FOLD, N_KEYS } key;
static const char *const KEYS[N_KEYS] = {"set", "label", "group", "path", "fold"};

static bool
has_value(const vip_cache_clip *clip, key k, span value)
{
    char fold[16];
    switch (k) {
    case SET:
        return fits(value, clip->set);
    case GROUP:
        return fits(value, clip->group);
    case PATH:
        return fits(value, clip->path);
    case LABEL:
        for (uint32_t i = 0; i < clip->n_labels; i++) {
            if (fits(value, clip->labels[i])) {
                return true;
            }
        }
        return false;
    default:
        (void)snprintf(fold, sizeof fold, "%u", clip->fold);
        return fits(value, fold);
    }
}

/* One term, which has been checked. */
static bool
holds_term(const vip_cache_clip *clip, span term)
{
    if (term.n == 3 && strncmp(term.text, "all", 3) == 0) {
        return true;
    }
    const bool not = term.text[0] == '!';
    const char *equals = memchr(term.text, '=', term.n);
    const span name = trimmed(term.text + not, (size_t)(equals - term.text) - not );
    key k = SET;
    while (strlen(KEYS[k]) != name.n || strncmp(KEYS[k], name.text, name.n) != 0) {
        k++;
    }
    span rest = {equals + 1, term.n - (size_t)(equals + 1 - term.text)}, value;
    bool found = false;
    while (cut(&rest, ',', &value)) {
        found = found || has_value(clip, k, value);
    }
    return found != not ;
}

static bool
holds(const vip_cache_clip *clip, const char *expression)
{
    span rest = {expression, strlen(expression)}, one;
    while (cut(&rest, '|', &one)) {
        bool all = true;
        span term;
        while (cut(&one, '&', &term)) {
            all = all && holds_term(clip, term);
        }
        if (all) {
            return true;
        }
    }
    return false;
}

static vipann_status
check_term(const char *expression, span term, vipann_error *error)
{
    if (term.n == 3 && strncmp(term.text, "all", 3) == 0) {
        return VIPANN_OK;
    }
    const bool not = term.n > 0 && term.text[0] == '!';
    const char *equals = term.n > 0 ? memchr(term.text, '=', term.n) : NULL;
    if (equals != NULL) {
        const span name = trimmed(term.text + not, (size_t)(equals - term.text) - not );
        for (key k = SET; k < N_KEYS; k++) {
            if (strlen(KEYS[k]) == name.n && strncmp(KEYS[k], name.text, name.n) == 0) {
                return VIPANN_OK;
            }
        }
    }
    return vip_fail(
        error, VIPANN_E_ARG,
        "\"%s\": what is \"%.*s\"? Expected such as \"fold=1,2,3\", \"set=esc50 & !label=dog\" or \"all\"; keys "
        "are fold, set, label, group and path",
        expression, (int)term.n, term.n > 0 ? term.text : "");
}

static vipann_status
check_expression(const char *expression, vipann_error *error)
{
    span rest = {expression, strlen(expression)}, one, term;
    vipann_status good = VIPANN_OK;
    while (good == VIPANN_OK && cut(&rest, '|', &one)) {
        while (good == VIPANN_OK && cut(&one, '&', &term)) {
            good = check_term(expression, term, error);
        }
    }
    return good;
}

vipann_status
vip_select(const vip_cache *cache, const char *expression, vip_part *part, vipann_error *error)
{
    *part = (vip_part){0, NULL};
    const vipann_status good = check_expression(expression, error);
    if (good != VIPANN_OK) {
        return good;
    }
    const size_t n = vip_cache_clips(cache);
    part->clips = vip_alloc(n, sizeof *part->clips);
    if (part->clips == NULL) {
        return vip_fail_memory(error, "a list of clips");
    }
    for (size_t i = 0; i < n; i++) {
        if (holds(vip_cache_clip_at(cache, i), expression)) {
            part->clips[part->n++] = i;
        }
    }
    if (part->n == 0) {
        vip_part_free(part);
        return vip_fail(error, VIPANN_E_ARG, "\"%s\": none of the %zu clips is meant by it", expression, n);
    }
    return VIPANN_OK;
}

/* ------------------------------------------------------------------------------------------------------------ groups */

/* Freesound's number in a group's name, or the name; *bare tells which. */
static const char *
number_of(const char *group, bool *is_number)
{
    const char *digits = strncmp(group, "fs", 2) == 0 ? group + 2 : group;
    const size_t n = strspn(digits, "0123456789");
    *is_number = n > 0 && digits[n] == '\0';
    return *is_number ? digits : group;
}

bool
vip_same_group(const vip_cache_clip *a, const vip_cache_clip *b)
{
    if (strcmp(a->set, b->set) == 0) {
        return strcmp(a->group, b->group) == 0;
    }
    bool one, other;
    const char *x = number_of(a->group, &one), *y = number_of(b->group, &other);
    return one && other && strcmp(x, y) == 0;
}

/* What groups are sorted by, so that same ones stand together: the number, or set and name. */
typedef struct {
    const char *number, *set, *name;
    size_t at; /* in the part */
    bool other;
} member;

static int
compare(const void *a, const void *b)
{
    const member *x = a, *y = b;
    if ((x->number != NULL) != (y->number != NULL)) {
        return x->number != NULL ? -1 : 1;
    }
    int order = x->number != NULL ? strcmp(x->number, y->number) : strcmp(x->set, y->set);
    if (order == 0 && x->number == NULL) {
        order = strcmp(x->name, y->name);
    }
    return order != 0 ? order
                      : ((int)x->other - (int)y->other != 0 ? (int)x->other - (int)y->other
                                                            : (x->at > y->at) - (x->at < y->at));
}

static bool
same_member(const member *x, const member *y)
{
    if (x->number != NULL || y->number != NULL) {
        return x->number != NULL && y->number != NULL && strcmp(x->number, y->number) == 0;
    }
    return strcmp(x->set, y->set) == 0 && strcmp(x->name, y->name) == 0;
}

static member
member_named(const char *set, const char *group, size_t at, bool other)
{
    bool is_number;
    const char *number = number_of(group, &is_number);
    return (member){is_number ? number : NULL, set, group, at, other};
}

static member
member_of(const vip_cache *cache, size_t clip, size_t at, bool other)
{
    const vip_cache_clip *c = vip_cache_clip_at(cache, clip);
    return member_named(c->set, c->group, at, other);
}

/* Both parts' clips sorted by group; NULL: memory is short. */
static member *
sorted_members(const vip_cache *cache, const vip_part *part, const vip_part *other)
{
    const size_t n = part->n + (other != NULL ? other->n : 0);
    member *members = vip_alloc(n, sizeof *members);
    for (size_t i = 0; members != NULL && i < n; i++) {
        members[i] = i < part->n ? member_of(cache, part->clips[i], i, false)
                                 : member_of(cache, other->clips[i - part->n], i - part->n, true);
    }
    if (members != NULL) {
        qsort(members, n, sizeof *members, compare);
    }
    return members;
}

/* Marks what shares a group with others among sorted members, which are freed; returns how many. NULL: none. */
static size_t
mark_members(member *members, size_t n, bool *shared)
{
    size_t count = 0;
    for (size_t from = 0, end; members != NULL && from < n; from = end) {
        end = from + 1;
        while (end < n && same_member(&members[from], &members[end])) {
            end++;
        }
        for (size_t i = from; members[end - 1].other && i < end && !members[i].other; i++) {
            shared[members[i].at] = true;
            count++;
        }
    }
    vip_free(members);
    return count;
}

/* Marks clips of the part that share a group with the other one; returns how many. shared: [part->n]. */
static size_t
mark_shared(const vip_cache *cache, const vip_part *part, const vip_part *other, bool *shared)
{
    return mark_members(sorted_members(cache, part, other), part->n + other->n, shared);
}

size_t
vip_shared_groups(const vip_cache *cache, const vip_part *part, const vip_part *other, char *text, size_t size)
{
    bool *shared = vip_alloc(part->n, sizeof *shared);
    const size_t n = shared != NULL ? mark_shared(cache, part, other, shared) : 0;
    text[0] = '\0';
    size_t named = 0;
    enum { MOST_NAMED = 4 };
    for (size_t i = 0; i < part->n && n > 0 && named < MOST_NAMED; i++) {
        const char *group = vip_cache_clip_at(cache, part->clips[i])->group;
        if (shared[i] && strstr(text, group) == NULL) {
            const size_t used = strlen(text);
            (void)snprintf(text + used, size - used, "%s%.40s", named++ == 0 ? "" : ", ", group);
        }
    }
    vip_free(shared);
    return n;
}

static void
drop_marked(vip_part *part, const bool *marked)
{
    size_t kept = 0;
    for (size_t i = 0; i < part->n; i++) {
        if (!marked[i]) {
            part->clips[kept++] = part->clips[i];
        }
    }
    part->n = kept;
}

size_t
vip_drop_shared(const vip_cache *cache, vip_part *part, const vip_part *other)
{
    bool *shared = vip_alloc(part->n, sizeof *shared);
    const size_t n = shared != NULL ? mark_shared(cache, part, other, shared) : 0;
    if (n > 0) {
        drop_marked(part, shared);
    }
    vip_free(shared);
    return n;
}

vipann_status
vip_drop_listed(const vip_cache *cache, vip_part *part, const vip_manifest *manifest, size_t *dropped,
                vipann_error *error)
{
    const size_t n = part->n + manifest->n;
    bool *listed = vip_alloc(part->n, sizeof *listed);
    member *members = vip_alloc(n, sizeof *members);
    *dropped = 0;
    if (listed == NULL || members == NULL) {
        vip_free(listed);
        vip_free(members);
        return vip_fail_memory(error, "a list of clips");
    }
    for (size_t i = 0; i < n; i++) {
        members[i] = i < part->n ? member_of(cache, part->clips[i], i, false)
                                 : member_named(manifest->set, manifest->rows[i - part->n].group, i - part->n, true);
    }
    qsort(members, n, sizeof *members, compare);
    *dropped = mark_members(members, n, listed);
    drop_marked(part, listed);
    vip_free(listed);
    return VIPANN_OK;
}

/* ------------------------------------------------------------------------------------------------------- development */

/* A group of clips that stay together. */
typedef struct {
    const char *label; /* the first one of its first clip */
    uint32_t order;    /* a keyed number */
    size_t from, end;  /* in the sorted members */
} bundle;

static int
by_label(const void *a, const void *b)
{
    const bundle *x = a, *y = b;
    const int order = strcmp(x->label, y->label);
    if (order != 0) {
        return order;
    }
    return x->order != y->order ? (x->order > y->order ? 1 : -1) : (x->from > y->from) - (x->from < y->from);
}

static uint32_t
keyed_order(uint64_t seed, uint32_t i)
{

    const uint32_t counter[4] = {i, 0, (uint32_t)VIP_KEYED_ORDER << 24 | VIP_CHOICE_DEV, 0};
    uint32_t words[4];
    vip_philox(seed, counter, words);
    return words[0];
}

static size_t
bundle_up(const vip_cache *cache, const vip_part *part, const member *members, uint64_t seed, bundle *bundles)
{
    size_t n = 0;
    for (size_t from = 0, end; from < part->n; from = end) {
        end = from + 1;
        while (end < part->n && same_member(&members[from], &members[end])) {
            end++;
        }
        const vip_cache_clip *clip = vip_cache_clip_at(cache, part->clips[members[from].at]);
        bundles[n] = (bundle){clip->n_labels > 0 ? clip->labels[0] : "", keyed_order(seed, (uint32_t)n), from, end};
        n++;
    }
    qsort(bundles, n, sizeof *bundles, by_label);
    return n;
}

/* Of each label's groups, in keyed order, as many are chosen as bring its clips nearest to the share. */
static size_t
choose(const bundle *bundles, size_t n, const member *members, double share, bool *chosen)
{
    size_t total = 0;
    for (size_t from = 0, end; from < n; from = end) {
        size_t clips = 0, taken = 0;
        for (end = from; end < n && strcmp(bundles[end].label, bundles[from].label) == 0; end++) {
            clips += bundles[end].end - bundles[end].from;
        }
        for (size_t b = from; b < end; b++) {
            const size_t size = bundles[b].end - bundles[b].from;
            if ((double)taken + (double)size / 2 > share * (double)clips) {
                continue;
            }
            for (size_t i = bundles[b].from; i < bundles[b].end; i++) {
                chosen[members[i].at] = true;
            }
            taken += size;
        }
        total += taken;
    }
    return total;
}

vipann_status
vip_split_groups(const vip_cache *cache, vip_part *part, double share, uint64_t seed, vip_part *dev,
                 vipann_error *error)
{
    *dev = (vip_part){0, vip_alloc(part->n, sizeof *dev->clips)};
    member *members = sorted_members(cache, part, NULL);
    bundle *bundles = vip_alloc(part->n, sizeof *bundles);
    bool *chosen = vip_alloc(part->n, sizeof *chosen);
    vipann_status good = VIPANN_OK;
    if (dev->clips == NULL || members == NULL || bundles == NULL || chosen == NULL) {
        good = vip_fail_memory(error, "a list of clips");
    } else {
        const size_t n = bundle_up(cache, part, members, seed, bundles);
        const size_t total = choose(bundles, n, members, share, chosen);
        size_t kept = 0;
        for (size_t i = 0; i < part->n; i++) {
            if (chosen[i]) {
                dev->clips[dev->n++] = part->clips[i];
            } else {
                part->clips[kept++] = part->clips[i];
            }
        }
        part->n = kept;
        if (total == 0 || kept == 0) {
            good = vip_fail(
                error, VIPANN_E_ARG,
                "%.0f %% of %zu clips in %zu groups leave nothing for one of the two parts; name the clips for "
                "development, as in --dev 'fold=3'",
                100 * share, total + kept, n);
        }
    }
    vip_free(members);
    vip_free(bundles);
    vip_free(chosen);
    if (good != VIPANN_OK) {
        vip_part_free(dev);
    }
    return good;
}
