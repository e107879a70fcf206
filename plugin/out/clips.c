/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clips.c -- see clips.h for the contract. Sound goes from the audio thread's tape into a memory of some seconds, from which
 * each clip takes what is its own as it comes; so a clip may last long, and memory stays as it is. */
#include "clips.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <common/atomic_file.h>
#include <common/flac.h>
#include <common/support.h>

#include "catalogue.h"
#include "clip_name.h"
#include "tape.h"

enum { AT_ONCE = 64, DONE = 256, PART = 4096 /* frames written at a time */ };
static const double TAPE_S = 8;     /* the main thread may be late by so much */
static const double LATE_S = 20;    /* and what begins or ends an event may be told so long after it */
static const double STRIDE_S = 0.5; /* between two looks for what a clip should write before it is forgotten */

typedef struct {
    double rate, zero;
    uint32_t channels;
    vip_tape *tape;
    float *heard;      /* [room][channels], a ring */
    uint64_t room;     /* frames */
    uint64_t hold;     /* the newest so many are not written before the end of their event is known */
    uint64_t looked;   /* frames that had been heard when clips wrote last */
    uint64_t from, to; /* frames that it holds, of all that were heard */
    float *part;       /* [PART][channels] */
} line;

typedef struct {
    bool used, ended;
    uint32_t input;
    uint64_t id;
    uint64_t first, at, last; /* frames: of the clip; the next to write; behind the last one, as far as is known */
    vip_atomic_file *file;
    vip_flac *flac;
    vip_clip_names names;
} clip;

struct vip_clips {
    vip_clips_setup setup;
    vip_catalogue *catalogue;
    line *lines; /* [inputs] */
    clip clips[AT_ONCE];
    vip_clips_news news;
    struct {
        uint32_t input;
        uint64_t id;
        char *path;
    } done[DONE]; /* a ring: told by vip_clips_next */
    uint32_t first_done, n_done;
    char *told;
};

/* ----------------------------------------------------------------------------------------------------------- set-up */

vip_clips *
vip_clips_new(const vip_clips_setup *setup, vipann_error *error)
{
    vip_clips *c = vip_alloc(1, sizeof *c);
    if (c != NULL) {
        c->setup = *setup;
        c->lines = vip_alloc(setup->inputs, sizeof *c->lines);
    }
    if (c == NULL || c->lines == NULL) {
        vip_clips_free(c);
        (void)vip_fail_memory(error, "clips");
        return NULL;
    }
    c->catalogue = vip_catalogue_open(setup->folder, setup->most, error);
    if (c->catalogue == NULL) {
        vip_clips_free(c);
        return NULL;
    }
    return c;
}

static void
free_line(line *l)
{
    vip_tape_free(l->tape);
    vip_free(l->heard);
    vip_free(l->part);
    *l = (line){0};
}

/* It leaves no trace. */
static void
drop(clip *k)
{
    (void)vip_flac_end(k->flac);
    vip_atomic_file_discard(k->file);
    *k = (clip){0};
}

void
vip_clips_free(vip_clips *c)
{
    if (c == NULL) {
        return;
    }
    for (size_t i = 0; i < AT_ONCE; i++) {
        if (c->clips[i].used) {
            drop(&c->clips[i]);
        }
    }
    for (uint32_t i = 0; c->lines != NULL && i < c->setup.inputs; i++) {
        free_line(&c->lines[i]);
    }
    for (size_t i = 0; i < DONE; i++) {
        vip_free(c->done[i].path);
    }
    vip_free(c->told);
    vip_catalogue_close(c->catalogue);
    vip_free(c->lines);
    vip_free(c);
}

#define GROUP "Sound that is saved"

static const char *const WHAT[] = {"all", "unknown", NULL};

const vip_option VIP_OPTION_SAVE_EVENTS = {
    .name = "save-events",
    .kind = VIP_OPTION_TEXT,
    .argument = "DIR",
    .group = GROUP,
    .help = "Save the sound of each event there, as a FLAC file of its own, and enter it in DIR/clips.csv: a manifest "
            "that vipann-train reads.",
};

const vip_option VIP_OPTION_SAVE = {
    .name = "save",
    .kind = VIP_OPTION_CHOICE,
    .words = WHAT,
    .standard = "all",
    .group = GROUP,
    .help = "Of which events: of all, or only of those that are like nothing the model was taught.",
};

const vip_option VIP_OPTION_SAVE_BEFORE = {
    .name = "save-before",
    .kind = VIP_OPTION_NUMBER,
    .argument = "SECONDS",
    .least = 0,
    .most = 60,
    .standard = "1",
    .group = GROUP,
    .help = "How much of what was heard before an event belongs to its clip.",
};

const vip_option VIP_OPTION_SAVE_LONGEST = {
    .name = "save-longest",
    .kind = VIP_OPTION_NUMBER,
    .argument = "SECONDS",
    .least = 0.1,
    .most = 86400,
    .standard = "60",
    .group = GROUP,
    .help = "No clip is longer than that; the rest of a longer event is left out.",
};

const vip_option VIP_OPTION_SAVE_LIMIT = {
    .name = "save-limit",
    .kind = VIP_OPTION_NUMBER,
    .argument = "MEGABYTES",
    .least = 0,
    .most = 1e9,
    .standard = "1000",
    .group = GROUP,
    .help = "Beyond that the oldest clips go; 0: no limit.",
};

vipann_status
vip_clips_asked(const vip_arguments *a, uint32_t inputs, vip_clips **clips, vipann_error *error)
{
    const vip_option *const needless[] = {&VIP_OPTION_SAVE, &VIP_OPTION_SAVE_BEFORE, &VIP_OPTION_SAVE_LONGEST,
                                          &VIP_OPTION_SAVE_LIMIT};
    *clips = NULL;
    if (!vip_argument(a, &VIP_OPTION_SAVE_EVENTS)->given) {
        for (size_t i = 0; i < sizeof needless / sizeof *needless; i++) {
            if (vip_argument(a, needless[i])->given) {
                return vip_fail(error, VIPANN_E_ARG, "--%s says how --save-events saves; give that, too",
                                needless[i]->name);
            }
        }
        return VIPANN_OK;
    }
    const vip_clips_setup setup = {.folder = vip_argument(a, &VIP_OPTION_SAVE_EVENTS)->text,
                                   .unknown = vip_argument(a, &VIP_OPTION_SAVE)->word == 1,
                                   .before = vip_argument(a, &VIP_OPTION_SAVE_BEFORE)->number,
                                   .longest = vip_argument(a, &VIP_OPTION_SAVE_LONGEST)->number,
                                   .most = (uint64_t)(vip_argument(a, &VIP_OPTION_SAVE_LIMIT)->number * 1e6),
                                   .inputs = inputs};
    *clips = vip_clips_new(&setup, error);
    return *clips != NULL ? VIPANN_OK : error->status;
}

vipann_status
vip_clips_begin(vip_clips *c, uint32_t input, double rate, uint32_t channels, double zero, vipann_error *error)
{
    line *l = &c->lines[input];
    free_line(l);
    l->rate = rate;
    l->zero = zero;
    l->channels = channels < VIP_FLAC_CHANNELS ? channels : VIP_FLAC_CHANNELS;
    l->hold = (uint64_t)ceil((c->setup.before + LATE_S) * rate);
    l->room = l->hold + (uint64_t)ceil(2 * STRIDE_S * rate) + VIP_TAPE_BLOCK;
    l->tape = vip_tape_new(TAPE_S, rate, l->channels);
    l->heard = vip_alloc(l->room * l->channels, sizeof *l->heard);
    l->part = vip_alloc((size_t)PART * l->channels, sizeof *l->part);
    if (l->tape == NULL || l->heard == NULL || l->part == NULL) {
        free_line(l);
        return vip_fail_memory(error, "clips");
    }
    return VIPANN_OK;
}

void
vip_clips_hear(vip_clips *c, uint32_t input, const float *const *channels, uint32_t frames)
{
    vip_tape_put(c->lines[input].tape, channels, frames);
}

double
vip_clips_fill(const vip_clips *c, uint32_t input)
{
    return vip_tape_fill(c->lines[input].tape);
}

/* ------------------------------------------------------------------------------------------------------------ sound */

/* Appends frames, NULL: silence. */
static void
remember(line *l, const float *frames, uint64_t n)
{
    while (n > 0) {
        const uint64_t at = l->to % l->room, behind = l->room - at, part = n < behind ? n : behind;
        float *to = l->heard + at * l->channels;
        if (frames != NULL) {
            memcpy(to, frames, part * l->channels * sizeof *to);
            frames += part * l->channels;
        } else {
            memset(to, 0, part * l->channels * sizeof *to);
        }
        l->to += part;
        n -= part;
    }
    l->from = l->to > l->room && l->to - l->room > l->from ? l->to - l->room : l->from;
}

/* What did not get here in time is silence, so that time does not slip. */
static void
skip_to(vip_clips *c, line *l, uint64_t at)
{
    const uint64_t lost = at - l->to;
    if (lost > 0) {
        c->news.lost += (double)lost / l->rate;
        l->to = lost > l->room ? at - l->room : l->to; /* no more of it than is remembered */
        l->from = lost > l->room ? l->to : l->from;
        remember(l, NULL, at - l->to);
    }
}

static void
fail(vip_clips *c, clip *k, const char *why)
{
    c->news.failed++;
    (void)snprintf(c->news.why, sizeof c->news.why, "%s", why);
    drop(k);
}

/* Writes what surely belongs to a clip of what is there: it cannot be taken back. */
static void
write_clip(vip_clips *c, clip *k)
{
    const line *l = &c->lines[k->input];
    const uint64_t sure = k->ended ? l->to : l->to > l->hold ? l->to - l->hold : 0;
    const uint64_t last = k->last < sure ? k->last : sure;
    k->at = k->at < l->from ? l->from : k->at;
    while (k->at < last) {
        const uint64_t at = k->at % l->room, behind = l->room - at, left = last - k->at;
        const uint64_t n = left < behind ? left : behind;
        const uint32_t part = n < PART ? (uint32_t)n : PART;
        if (!vip_flac_write(k->flac, l->heard + at * l->channels, part)) {
            fail(c, k, "the disk is full or cannot be written; make room");
            return;
        }
        k->at += part;
    }
}

static void
write_clips(vip_clips *c, uint32_t input)
{
    c->lines[input].looked = c->lines[input].to;
    for (size_t i = 0; i < AT_ONCE; i++) {
        if (c->clips[i].used && c->clips[i].input == input) {
            write_clip(c, &c->clips[i]);
        }
    }
}

static void
take(vip_clips *c, uint32_t input)
{
    line *l = &c->lines[input];
    uint64_t at;
    uint32_t n;
    while ((n = vip_tape_take(l->tape, &at, l->part)) > 0) {
        skip_to(c, l, at);
        remember(l, l->part, n);
        if ((double)(l->to - l->looked) > STRIDE_S * l->rate) {
            write_clips(c, input);
        }
    }
}

/* ------------------------------------------------------------------------------------------------------------ clips */

static clip *
find(vip_clips *c, bool used, uint32_t input, uint64_t id)
{
    for (size_t i = 0; i < AT_ONCE; i++) {
        clip *k = &c->clips[i];
        if (k->used == used && (!used || (k->input == input && k->id == id && !k->ended))) {
            return k;
        }
    }
    return NULL;
}

/* The frame at a time that events have; those before the first are the first. */
static uint64_t
frame_at(const line *l, double seconds)
{
    const double frame = round((seconds - l->zero) * l->rate);
    return frame > 0 ? (uint64_t)frame : 0;
}

static void
begin(vip_clips *c, const vip_told *told)
{
    const line *l = &c->lines[told->index];
    clip *k = find(c, false, 0, 0);
    vipann_error error = {VIPANN_OK, ""};
    if (k == NULL) {
        c->news.left_out++;
        return;
    }
    *k = (clip){.used = true, .input = told->index, .id = told->event->id};
    k->at = frame_at(l, told->event->start_seconds - c->setup.before);
    k->at = k->at < l->from ? l->from : k->at;
    k->first = k->at;
    k->last = k->at + (uint64_t)round(c->setup.longest * l->rate);
    const double start = l->zero + (double)k->at / l->rate;
    vip_clip_name(&k->names, c->setup.folder, told, start);
    k->file = vip_atomic_file_open(k->names.path, &error);
    const vip_flac_tags tags = {k->names.label, k->names.comment, k->names.date};
    k->flac =
        k->file != NULL ? vip_flac_new(vip_atomic_file_stream(k->file), l->rate, l->channels, &tags, &error) : NULL;
    if (k->flac == NULL) {
        fail(c, k, error.text);
    }
}

static void
note_done(vip_clips *c, const clip *k)
{
    if (c->n_done < DONE) {
        const uint32_t at = (c->first_done + c->n_done++) % DONE;
        c->done[at].input = k->input;
        c->done[at].id = k->id;
        c->done[at].path = vip_copy_string(k->names.path);
    }
}

static uint64_t
bytes_of(const char *path)
{
    struct stat there;
    return stat(path, &there) == 0 ? (uint64_t)there.st_size : 0;
}

/* All of it is written: it gets its name, and its row. */
static void
finish(vip_clips *c, clip *k)
{
    vipann_error error = {VIPANN_OK, ""};
    const bool good = vip_flac_end(k->flac);
    k->flac = NULL;
    if (!good) {
        fail(c, k, "the disk is full or cannot be written; make room");
        return;
    }
    vip_atomic_file *file = k->file;
    k->file = NULL;
    if (vip_atomic_file_commit(file, &error) != VIPANN_OK) {
        fail(c, k, error.text);
        return;
    }
    const vip_clip_row row = {k->names.name, k->names.label, k->names.group, bytes_of(k->names.path)};
    if (vip_catalogue_add(c->catalogue, &row, &error) != VIPANN_OK) {
        (void)unlink(k->names.path);
        fail(c, k, error.text);
        return;
    }
    note_done(c, k);
    *k = (clip){0};
}

void
vip_clips_event(vip_clips *c, const vip_told *told)
{
    const line *l = &c->lines[told->index];
    const vipann_event *e = told->event;
    take(c, told->index);
    if (!e->ended) {
        begin(c, told);
        return;
    }
    clip *k = find(c, true, told->index, e->id);
    if (k == NULL) {
        return; /* it has failed, or there were too many */
    }
    if (c->setup.unknown && e->unknown != VIPANN_YES) {
        drop(k);
        return;
    }
    const uint64_t last = frame_at(l, e->end_seconds);
    k->last = last < k->last ? last : k->last;
    k->ended = true;
    if (k->last <= k->first) { /* told of when all of it was forgotten already */
        c->news.left_out++;
        drop(k);
    }
}

static void
work(vip_clips *c, uint32_t input, bool over)
{
    take(c, input);
    write_clips(c, input);
    for (size_t i = 0; i < AT_ONCE; i++) {
        clip *k = &c->clips[i];
        if (k->used && k->input == input && k->ended && (over || k->at >= k->last)) {
            finish(c, k);
        }
    }
}

void
vip_clips_turn(vip_clips *c)
{
    for (uint32_t i = 0; i < c->setup.inputs; i++) {
        if (c->lines[i].tape != NULL) {
            work(c, i, false);
        }
    }
}

void
vip_clips_end(vip_clips *c, uint32_t input)
{
    line *l = &c->lines[input];
    if (l->tape != NULL) {
        vip_tape_end(l->tape);
        work(c, input, true);
    }
    for (size_t i = 0; i < AT_ONCE; i++) {
        if (c->clips[i].used && c->clips[i].input == input) {
            drop(&c->clips[i]);
        }
    }
    free_line(l);
}

bool
vip_clips_next(vip_clips *c, vip_clip *out)
{
    vip_free(c->told);
    c->told = NULL;
    while (c->n_done > 0) {
        const uint32_t at = c->first_done;
        c->first_done = (at + 1) % DONE;
        c->n_done--;
        c->told = c->done[at].path;
        c->done[at].path = NULL;
        if (c->told != NULL) {
            *out = (vip_clip){c->done[at].input, c->done[at].id, c->told};
            return true;
        }
    }
    return false;
}

bool
vip_clips_look(vip_clips *c, vip_clips_news *news)
{
    *news = c->news;
    c->news = (vip_clips_news){0};
    return news->left_out + news->failed > 0 || news->lost > 0;
}
