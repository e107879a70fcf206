/* SPDX-License-Identifier: GPL-3.0-or-later */
/* feed.c -- see feed.h for the contract: which clips, and one row after the other. feed_learn.c knows what is learnt. */
#include "feed_parts.h"

#include "augment.h"
#include "keyed_order.h"

#include <base/memory.h>
#include <base/status.h>
#include <bayes/keyed.h>
#include <offline_trainer/base/parallel.h>

#include <math.h>
#include <string.h>

/* What the words of a row's choices are for. */
enum { WORDS_PLACE, WORDS_LEVEL, WORDS_NOISE, WORDS_TIME, WORDS_BINS, WORDS_PARTNER };
enum { WIDEST_TIME = 64, WIDEST_BINS = 8 };  /* SpecAugment's stripes, excluded (Kong et al. 2020) */
static const double FRAME_OF_TEACHER = 0.01; /* seconds between frames of both front-ends */
static const float SO_LOUD_IT_COUNTS = 6;    /* dB: background that is nearer than so much is heard, too */

static double
between(uint32_t word, double low, double high)
{
    return low + (high - low) * (double)vip_uniform(word);
}

static size_t
below(uint32_t word, size_t n)
{
    return (size_t)((uint64_t)word * n >> 32);
}

/* ---------------------------------------------------------------------------------------------------------- sampling */

uint64_t
vip_feed_epoch(const vip_feed *feed)
{
    return (feed->o.part->n + feed->o.rows - 1) / feed->o.rows;
}

/* Each class in turn, in a new order every round; each walks through its own clips, in a new order every time. */
static size_t
balanced_clip(const vip_feed *feed, uint64_t place)
{
    const uint64_t round = place / feed->n_lists;
    const size_t c = vip_choice_order(feed->o.seed, VIP_CHOICE_CLASS, UINT32_MAX >> 3, (uint32_t)round, feed->n_lists,
                                      (size_t)(place % feed->n_lists));
    const vip_part *list = &feed->lists[c];
    return list->clips[vip_choice_order(feed->o.seed, VIP_CHOICE_CLASS, (uint32_t)c, (uint32_t)(round / list->n),
                                        list->n, (size_t)(round % list->n))];
}

static size_t
clip_of(const vip_feed *feed, uint64_t step, size_t row)
{
    const vip_feed_options *o = &feed->o;
    const size_t own = (size_t)lround(o->second_share * o->rows); /* rows that the second output has for itself */
    if (row < own) {
        const uint64_t place = step * own + row;
        const size_t n = o->second_part->n;
        return o->second_part
            ->clips[vip_choice_order(o->seed, VIP_CHOICE_EPOCH, 1, (uint32_t)(place / n), n, (size_t)(place % n))];
    }
    const uint64_t place = step * (o->rows - own) + row - own;
    if (feed->o.balanced) {
        return balanced_clip(feed, place);
    }
    const size_t n = o->part->n;
    return o->part
        ->clips[vip_choice_order(o->seed, VIP_CHOICE_EPOCH, 0, (uint32_t)(place / n), n, (size_t)(place % n))];
}

/* What a row is mixed with learns the same outputs, if one such is found soon. */
static size_t
partner_of(const vip_feed *feed, uint64_t step, size_t row, size_t clip)
{
    enum { TRIES = 16 };
    size_t found = clip;
    for (uint32_t i = 0; i < TRIES; i++) {
        uint32_t words[4];
        vip_choice_words(feed->o.seed, VIP_CHOICE_ROW, step, (uint32_t)row, WORDS_PARTNER | i << 8, words);
        found = feed->o.part->clips[below(words[0], feed->o.part->n)];
        if ((feed->second_of[found] >= 0) == (feed->second_of[clip] >= 0)) {
            break;
        }
    }
    return found;
}

/* --------------------------------------------------------------------------------------------------------------- rows */

/* One row of the batch before mixup. */
typedef struct {
    vip_feed *feed;
    uint64_t step;
    bool clean;
} making;

/* A crop of the clip. Clips that are shorter stand somewhere in silence, or are heard again and again. */
static void
crop(const vip_cache_clip *clip, uint32_t frames, const uint32_t words[4], float *out, double *from, double *to)
{
    if (clip->n_frames >= frames) {
        const size_t first = below(words[0], clip->n_frames - frames + 1);
        vip_cache_frames(clip, first, frames, out);
        *from = (double)first * FRAME_OF_TEACHER;
        *to = (double)(first + frames) * FRAME_OF_TEACHER;
        return;
    }
    *from = 0;
    *to = clip->seconds + 1; /* rows of the teacher may reach beyond the end */
    if ((words[1] & 1) != 0) {
        size_t at = below(words[0], clip->n_frames);
        for (uint32_t done = 0, n; done < frames; done += n, at = 0) {
            const size_t rest = clip->n_frames - at;
            n = frames - done < rest ? frames - done : (uint32_t)rest;
            vip_cache_frames(clip, at, n, out + (size_t)done * VIP_MELS);
        }
        return;
    }
    for (size_t i = 0; i < (size_t)frames * VIP_MELS; i++) {
        out[i] = VIP_SILENCE_DB;
    }
    vip_cache_frames(clip, 0, clip->n_frames, out + below(words[0], frames - clip->n_frames + 1) * VIP_MELS);
}

static void
change_level(const vip_feed *feed, uint64_t step, uint32_t row, float *frames, uint32_t n)
{
    uint32_t words[4];
    vip_choice_words(feed->o.seed, VIP_CHOICE_ROW, step, row, WORDS_LEVEL, words);
    const double gain = between(words[0], -feed->o.gain_db, feed->o.gain_db);
    const double tilt = between(words[1], -feed->o.tilt_db, feed->o.tilt_db);
    if (gain != 0 || tilt != 0) {
        vip_augment_level(frames, n, (float)gain, (float)tilt);
    }
}

/* Adds another clip and a steady noise; *loud is that clip if it is loud enough to be heard as well. */
static void
add_noise(const vip_feed *feed, uint64_t step, uint32_t row, float *frames, float *scratch, uint32_t n, size_t *loud,
          double *from, double *to)
{
    uint32_t words[4], place[4];
    vip_choice_words(feed->o.seed, VIP_CHOICE_ROW, step, row, WORDS_NOISE, words);
    vip_choice_words(feed->o.seed, VIP_CHOICE_ROW, step, row, WORDS_NOISE | 1 << 8, place);
    const bool noisy = feed->o.background != NULL && (double)vip_uniform(words[0]) < feed->o.noise_share;
    const float below_db = (float)between(words[1], feed->o.noise_low, feed->o.noise_high);
    const float floor = feed->o.floor_high > 0 ? (float)between(words[2], feed->o.floor_low, feed->o.floor_high) : 0;
    if (noisy) {
        const size_t other = feed->o.background->clips[below(words[3], feed->o.background->n)];
        crop(vip_cache_clip_at(feed->o.cache, other), n, place, scratch, from, to);
        *loud = below_db < SO_LOUD_IT_COUNTS ? other : *loud;
    }
    if (noisy || floor > 0) {
        vip_augment_add(frames, noisy ? scratch : NULL, n, below_db, floor);
    }
}

static void
choose_stripes(const vip_feed *feed, uint64_t step, uint32_t row, uint32_t frames, vip_stripes *stripes)
{
    const size_t widest = frames / 4 + 1 < WIDEST_TIME ? frames / 4 + 1 : WIDEST_TIME;
    uint32_t time[4], bins[4];
    vip_choice_words(feed->o.seed, VIP_CHOICE_ROW, step, row, WORDS_TIME, time);
    vip_choice_words(feed->o.seed, VIP_CHOICE_ROW, step, row, WORDS_BINS, bins);
    for (int i = 0; i < VIP_STRIPES; i++) {
        stripes->time_width[i] = (uint16_t)below(time[2 * i], widest);
        stripes->time[i] = (uint16_t)below(time[2 * i + 1], frames - stripes->time_width[i] + 1u);
        stripes->bin_width[i] = (uint8_t)below(bins[2 * i], WIDEST_BINS);
        stripes->bin[i] = (uint8_t)below(bins[2 * i + 1], VIP_MELS - stripes->bin_width[i] + 1u);
    }
}

static void
make_row(void *context, size_t row)
{
    const making *m = context;
    vip_feed *feed = m->feed;
    const bool mixed = feed->mixed;
    const size_t queue = mixed ? row / 2 : row;
    const uint32_t frames = feed->frames, key = (uint32_t)row;
    size_t clip = clip_of(feed, m->step, queue);
    if (mixed && row % 2 == 1) {
        clip = partner_of(feed, m->step, queue, clip);
    }
    float *out = feed->logmel + row * frames * VIP_MELS;
    uint32_t words[4];
    double from, to, loud_from = 0, loud_to = 0;
    size_t loud = VIP_NO_CLIP;
    vip_choice_words(feed->o.seed, VIP_CHOICE_ROW, m->step, key, WORDS_PLACE, words);
    crop(vip_cache_clip_at(feed->o.cache, clip), frames, words, out, &from, &to);
    if (!m->clean) {
        add_noise(feed, m->step, key, out, feed->scratch + row * frames * VIP_MELS, frames, &loud, &loud_from,
                  &loud_to);
        change_level(feed, m->step, key, out, frames);
        choose_stripes(feed, m->step, key, frames, &feed->stripes[row]);
    }
    vip_feed_learn_row(feed, row, clip, from, to, loud, loud_from, loud_to);
}

static void
make_batch(vip_feed *feed, uint64_t step, bool clean, vip_fed *out)
{
    uint32_t words[4];
    vip_choice_words(feed->o.seed, VIP_CHOICE_BATCH, step, 0, 0, words);
    feed->frames = feed->o.lengths[below(words[0], feed->o.n_lengths)];
    feed->mixed = !clean && (double)vip_uniform(words[1]) < feed->o.mixup;
    making m = {feed, step, clean};
    const size_t rows = feed->mixed ? 2 * feed->o.rows : feed->o.rows;
    vip_parallel(rows, make_row, &m);
    for (uint32_t row = 0; row < feed->o.rows; row++) {
        vip_choice_words(feed->o.seed, VIP_CHOICE_BATCH, step, row, 1, words);
        feed->mix[row] = vip_uniform(words[0]);
        feed->draws[row] = (uint32_t)(step * feed->o.rows + row);
    }
    vip_feed_learn_mixed(feed, out);
    out->batch = (vip_batch){.frames = feed->frames,
                             .logmel = feed->logmel,
                             .stripes = feed->o.stripes && !clean ? feed->stripes : NULL,
                             .mix = feed->mixed ? feed->mix : NULL,
                             .draws = feed->draws};
    out->clips = rows;
}

void
vip_feed_batch(vip_feed *feed, uint64_t step, vip_fed *out)
{
    make_batch(feed, step, false, out);
}

void
vip_feed_clean(vip_feed *feed, uint64_t step, vip_fed *out)
{
    make_batch(feed, step, true, out);
}

/* ---------------------------------------------------------------------------------------------------------- new, free */

static bool
make_buffers(vip_feed *feed)
{
    uint32_t longest = 0;
    for (uint32_t i = 0; i < feed->o.n_lengths; i++) {
        longest = feed->o.lengths[i] > longest ? feed->o.lengths[i] : longest;
    }
    const size_t rows = 2 * (size_t)feed->o.rows, n = rows * longest * VIP_MELS;
    feed->logmel = vip_alloc(n, sizeof *feed->logmel);
    feed->scratch = vip_alloc(n, sizeof *feed->scratch);
    feed->stripes = vip_alloc(rows, sizeof *feed->stripes);
    feed->mix = vip_alloc(rows, sizeof *feed->mix);
    feed->draws = vip_alloc(rows, sizeof *feed->draws);
    return feed->logmel != NULL && feed->scratch != NULL && feed->stripes != NULL && feed->mix != NULL &&
           feed->draws != NULL;
}

vip_feed *
vip_feed_new(const vip_feed_options *options, vipann_error *error)
{
    vip_feed *feed = vip_alloc(1, sizeof *feed);
    if (feed == NULL) {
        (void)vip_fail_memory(error, "batches");
        return NULL;
    }
    feed->o = *options;
    if (!make_buffers(feed)) {
        (void)vip_fail_memory(error, "batches");
        vip_feed_free(feed);
        return NULL;
    }
    if (vip_feed_learn_new(feed, error) != VIPANN_OK) {
        vip_feed_free(feed);
        return NULL;
    }
    return feed;
}

void
vip_feed_free(vip_feed *feed)
{
    if (feed != NULL) {
        vip_feed_learn_free(feed);
        vip_free(feed->logmel);
        vip_free(feed->scratch);
        vip_free(feed->stripes);
        vip_free(feed->mix);
        vip_free(feed->draws);
        vip_free(feed);
    }
}
