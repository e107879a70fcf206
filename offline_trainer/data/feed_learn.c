/* SPDX-License-Identifier: GPL-3.0-or-later */
/* feed_learn.c -- see feed_parts.h: what is to be learnt from the rows of a batch. */
#include "feed_parts.h"

#include <base/memory.h>
#include <base/status.h>

#include <ctype.h>
#include <string.h>

static const float HEARD = 0.3f; /* the teacher's largest score from which a clip is in the list of a class */

/* ------------------------------------------------------------------------------------------------------------- labels */

static int
folded(char c)
{
    return c == '_' || c == '-' ? ' ' : tolower((unsigned char)c);
}

bool
vip_same_label(const char *a, const char *b)
{
    while (*a != '\0' && folded(*a) == folded(*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

static int32_t
class_named(const char *label, const char *const *labels, uint32_t n)
{
    for (uint32_t c = 0; c < n; c++) {
        if (vip_same_label(label, labels[c])) {
            return (int32_t)c;
        }
    }
    return -1;
}

/* The first of the clip's labels that is a class, or -1. */
static int32_t
class_of(const vip_cache_clip *clip, const char *const *labels, uint32_t n)
{
    int32_t found = -1;
    for (uint32_t i = 0; i < clip->n_labels && found < 0; i++) {
        found = class_named(clip->labels[i], labels, n);
    }
    return found;
}

static vipann_status
map_labels(vip_feed *feed, vipann_error *error)
{
    const size_t n = vip_cache_clips(feed->o.cache);
    feed->class_of = vip_alloc(n, sizeof *feed->class_of);
    feed->second_of = vip_alloc(n, sizeof *feed->second_of);
    if (feed->class_of == NULL || feed->second_of == NULL) {
        return vip_fail_memory(error, "labels");
    }
    for (size_t i = 0; i < n; i++) {
        const vip_cache_clip *clip = vip_cache_clip_at(feed->o.cache, i);
        feed->class_of[i] = feed->o.logits == VIP_LEARN_LABELS ? class_of(clip, feed->o.labels, feed->o.classes) : -1;
        feed->second_of[i] = feed->o.second != 0 && feed->o.second_part == NULL
                                 ? class_of(clip, feed->o.second_labels, feed->o.second)
                                 : -1;
    }
    for (size_t i = 0; feed->o.second_part != NULL && i < feed->o.second_part->n; i++) {
        const size_t clip = feed->o.second_part->clips[i];
        feed->second_of[clip] = class_of(vip_cache_clip_at(feed->o.cache, clip), feed->o.second_labels, feed->o.second);
    }
    for (size_t i = 0; feed->o.logits == VIP_LEARN_LABELS && !feed->o.multilabel && i < feed->o.part->n; i++) {
        const size_t clip = feed->o.part->clips[i];
        if (feed->class_of[clip] < 0) {
            return vip_fail(error, VIPANN_E_ARG,
                            "%s: none of its labels is a class that is learnt; leave it out of --train",
                            vip_cache_clip_at(feed->o.cache, clip)->path);
        }
    }
    return VIPANN_OK;
}

/* ------------------------------------------------------------------------------------------------ lists of the classes */

/* Whether a clip belongs to the list of a class. scores: of the teacher, if it is asked. */
static bool
belongs(const vip_feed *feed, size_t clip, uint32_t c, const float *scores)
{
    if (feed->o.logits == VIP_LEARN_TEACHER) {
        return scores[c] >= HEARD;
    }
    const vip_cache_clip *about = vip_cache_clip_at(feed->o.cache, clip);
    for (uint32_t i = 0; i < about->n_labels; i++) {
        if (vip_same_label(about->labels[i], feed->o.labels[c])) {
            return true;
        }
    }
    return false;
}

/* Counts the clips of each class, or, once lists have room, puts them there. */
static void
fill_lists(vip_feed *feed, size_t *counts, float *scores)
{
    for (size_t i = 0; i < feed->o.part->n; i++) {
        const size_t clip = feed->o.part->clips[i];
        if (feed->o.logits == VIP_LEARN_TEACHER) {
            (void)vip_targets_largest(feed->o.targets, clip, scores);
        }
        for (uint32_t c = 0; c < feed->o.classes; c++) {
            if (belongs(feed, clip, c, scores)) {
                if (feed->lists[c].clips != NULL) {
                    feed->lists[c].clips[feed->lists[c].n++] = clip;
                }
                counts[c]++;
            }
        }
    }
}

static vipann_status
make_lists(vip_feed *feed, vipann_error *error)
{
    size_t *counts = vip_alloc(feed->o.classes, sizeof *counts);
    float *scores = vip_alloc(feed->o.classes, sizeof *scores);
    feed->lists = vip_alloc(feed->o.classes, sizeof *feed->lists);
    bool good = counts != NULL && scores != NULL && feed->lists != NULL;
    if (good) {
        fill_lists(feed, counts, scores);
        for (uint32_t c = 0; c < feed->o.classes && good; c++) {
            if (counts[c] > 0) {
                feed->lists[c].clips = vip_alloc(counts[c], sizeof(size_t));
                good = feed->lists[c].clips != NULL;
            }
        }
    }
    if (good) {
        fill_lists(feed, counts, scores);
        for (uint32_t c = 0; c < feed->o.classes; c++) { /* classes without clips are passed over */
            if (feed->lists[c].n > 0) {
                const vip_part list = feed->lists[c];
                feed->lists[c] = (vip_part){0, NULL};
                feed->lists[feed->n_lists++] = list;
            }
        }
    }
    vip_free(counts);
    vip_free(scores);
    if (good && feed->n_lists == 0) {
        return vip_fail(error, VIPANN_E_ARG, "no clip to train with belongs to a class");
    }
    return good ? VIPANN_OK : vip_fail_memory(error, "lists of the classes");
}

/* ---------------------------------------------------------------------------------------------------------- new, free */

static bool
learning_new(vip_learning *l, size_t rows, size_t size)
{
    l->size = size;
    l->of_rows = vip_alloc(2 * rows, vip_product(size, sizeof(float)));
    l->rows_mask = vip_alloc(2 * rows, sizeof(float));
    l->target = vip_alloc(rows, vip_product(size, sizeof(float)));
    l->mask = vip_alloc(rows, sizeof(float));
    return l->of_rows != NULL && l->rows_mask != NULL && l->target != NULL && l->mask != NULL;
}

vipann_status
vip_feed_learn_new(vip_feed *feed, vipann_error *error)
{
    const vip_feed_options *o = &feed->o;
    const size_t rows = o->rows;
    bool good = o->logits == VIP_LEARN_NOTHING || learning_new(&feed->logits, rows, o->classes);
    good = good && (o->second == 0 || learning_new(&feed->second, rows, o->second));
    good = good && (!o->embedding || learning_new(&feed->embedding, rows, vip_targets_embedding_size(o->targets)));
    feed->other = vip_alloc(2 * rows, vip_product(o->classes, sizeof(float)));
    if (!good || feed->other == NULL) {
        return vip_fail_memory(error, "batches");
    }
    const vipann_status status = map_labels(feed, error);
    return status == VIPANN_OK && o->balanced ? make_lists(feed, error) : status;
}

void
vip_feed_learn_free(vip_feed *feed)
{
    vip_learning *const all[] = {&feed->logits, &feed->second, &feed->embedding};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        vip_free(all[i]->of_rows);
        vip_free(all[i]->rows_mask);
        vip_free(all[i]->target);
        vip_free(all[i]->mask);
    }
    for (uint32_t c = 0; feed->lists != NULL && c < feed->o.classes; c++) {
        vip_part_free(&feed->lists[c]);
    }
    vip_free(feed->lists);
    vip_free(feed->class_of);
    vip_free(feed->second_of);
    vip_free(feed->other);
}

/* --------------------------------------------------------------------------------------------------------------- rows */

static void
learn_labels(const vip_feed *feed, size_t clip, float *target)
{
    memset(target, 0, feed->o.classes * sizeof *target);
    if (!feed->o.multilabel) {
        target[feed->class_of[clip]] = 1;
        return;
    }
    const vip_cache_clip *about = vip_cache_clip_at(feed->o.cache, clip);
    for (uint32_t i = 0; i < about->n_labels; i++) {
        const int32_t c = class_named(about->labels[i], feed->o.labels, feed->o.classes);
        if (c >= 0) {
            target[c] = 1;
        }
    }
}

/* What is about as loud as the clip counts as heard: the larger of two scores. */
static bool
learn_teacher(vip_feed *feed, size_t row, size_t clip, double from, double to, size_t loud, double loud_from,
              double loud_to, float *target)
{
    const bool heard = vip_targets_scores(feed->o.targets, clip, from, to, target);
    float *other = feed->other + row * feed->o.classes;
    if (heard && loud != VIP_NO_CLIP && vip_targets_scores(feed->o.targets, loud, loud_from, loud_to, other)) {
        for (uint32_t c = 0; c < feed->o.classes; c++) {
            target[c] = other[c] > target[c] ? other[c] : target[c];
        }
    }
    return heard;
}

void
vip_feed_learn_row(vip_feed *feed, size_t row, size_t clip, double from, double to, size_t loud, double loud_from,
                   double loud_to)
{
    if (feed->o.logits == VIP_LEARN_LABELS) {
        learn_labels(feed, clip, feed->logits.of_rows + row * feed->logits.size);
        feed->logits.rows_mask[row] = 1;
    } else if (feed->o.logits == VIP_LEARN_TEACHER) {
        feed->logits.rows_mask[row] = learn_teacher(feed, row, clip, from, to, loud, loud_from, loud_to,
                                                    feed->logits.of_rows + row * feed->logits.size);
    }
    if (feed->o.second != 0) {
        float *target = feed->second.of_rows + row * feed->second.size;
        memset(target, 0, feed->second.size * sizeof *target);
        feed->second.rows_mask[row] = feed->second_of[clip] >= 0;
        if (feed->second_of[clip] >= 0) {
            target[feed->second_of[clip]] = 1;
        }
    }
    if (feed->o.embedding) {
        feed->embedding.rows_mask[row] =
            vip_targets_embedding(feed->o.targets, clip, feed->embedding.of_rows + row * feed->embedding.size);
    }
}

static void
mix_targets(const vip_feed *feed, vip_learning *l, const float **target, const float **mask)
{
    *target = *mask = NULL;
    if (l->size == 0) {
        return;
    }
    for (size_t row = 0; row < feed->o.rows; row++) {
        float *out = l->target + row * l->size;
        if (!feed->mixed) {
            memcpy(out, l->of_rows + row * l->size, l->size * sizeof *out);
            l->mask[row] = l->rows_mask[row];
            continue;
        }
        const float *a = l->of_rows + 2 * row * l->size, *b = a + l->size, lambda = feed->mix[row];
        l->mask[row] = l->rows_mask[2 * row] != 0 && l->rows_mask[2 * row + 1] != 0;
        for (size_t i = 0; i < l->size && l->mask[row] != 0; i++) {
            out[i] = lambda * a[i] + (1 - lambda) * b[i];
        }
    }
    *target = l->target;
    *mask = l->mask;
}

void
vip_feed_learn_mixed(vip_feed *feed, vip_fed *out)
{
    mix_targets(feed, &feed->logits, &out->logits, &out->logits_mask);
    mix_targets(feed, &feed->second, &out->second, &out->second_mask);
    mix_targets(feed, &feed->embedding, &out->embedding, &out->embedding_mask);
}
