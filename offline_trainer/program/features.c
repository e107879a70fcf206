/* SPDX-License-Identifier: GPL-3.0-or-later */
/* features.c -- `vipann-train features`: from manifests to one cache of log-mel frames. */
#include "train_commands.h"

#include <offline_trainer/base/parallel.h>
#include <offline_trainer/data/cache.h>
#include <offline_trainer/data/frames.h>
#include <offline_trainer/data/frontends.h>
#include <offline_trainer/data/manifest.h>

#include <base/memory.h>
#include <base/status.h>
#include <common/progress.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AT_ONCE = 256 /* clips that are heard before their frames are written */ };

static const vip_option OUTPUT = {
    "output",
    VIP_OPTION_TEXT,
    "FILE",
    0,
    0,
    NULL,
    NULL,
    NULL,
    "What is made",
    "Where the cache goes. If it is there already, clips whose audio has not changed are taken "
    "from it."};
static const vip_option FRONTEND = {"frontend",
                                    VIP_OPTION_CHOICE,
                                    NULL,
                                    0,
                                    0,
                                    VIP_FRONTEND_NAMES,
                                    "panns16k",
                                    NULL,
                                    "What is made",
                                    "The front-end: that of 16 kHz hears up to 8 kHz, that of 32 kHz up to 14."};
static const vip_option THREADS = {"threads",
                                   VIP_OPTION_WHOLE,
                                   "N",
                                   1,
                                   256,
                                   NULL,
                                   NULL,
                                   "all cores",
                                   "What is made",
                                   "How many threads hear at the same time."};
static const vip_option *const OPTIONS[] = {&OUTPUT, &FRONTEND, &THREADS};

const vip_command VIP_FEATURES_COMMAND = {
    .name = "vipann-train features",
    .operands = "MANIFEST...",
    .summary = "Turns labelled recordings into log-mel frames, once.",
    .details =
        "A manifest is a table in CSV with the columns path, labels, fold and group; paths are relative to it, labels "
        "stand between ';', and clips of one group (one recording, one speaker) never end up on both sides of a "
        "split. The set of a clip is the name of its manifest's folder.",
    .examples = "vipann-train features esc50/manifest.csv -o esc50.cache\n"
                "vipann-train features esc50/manifest.csv urbansound8k/manifest.csv -o city.cache",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_operands = 1,
    .most_operands = SIZE_MAX,
};

/* One clip to be. */
typedef struct {
    const vip_manifest *manifest;
    size_t row;
    char *audio;
    const vip_cache_clip *old; /* of a cache that was there, if its audio is the same */
    vip_clip_frames heard;     /* if there is none */
    vipann_status status;
    vipann_error error;
} clip;

typedef struct {
    const vip_frontend_spec *spec;
    vip_manifest **manifests;
    size_t n_manifests, n;
    clip *clips;
    vip_cache *old;
    size_t first; /* of those that are heard now */
    size_t heard;
} work;

/* ------------------------------------------------------------------------------------------------------------ hearing */

static const vip_cache_clip *
old_clip(const work *w, const clip *c)
{
    for (size_t i = 0; w->old != NULL && i < vip_cache_clips(w->old); i++) {
        const vip_cache_clip *found = vip_cache_clip_at(w->old, i);
        if (strcmp(found->path, c->manifest->rows[c->row].path) == 0 && strcmp(found->set, c->manifest->set) == 0) {
            return found;
        }
    }
    return NULL;
}

static void
hear_clip(void *context, size_t turn)
{
    work *w = context;
    clip *c = &w->clips[w->first + turn];
    const vip_cache_clip *old = old_clip(w, c);
    if (old != NULL) {
        c->status = vip_hash_of(c->audio, c->heard.sha256, &c->error);
        if (c->status != VIPANN_OK || strcmp(c->heard.sha256, old->sha256) == 0) {
            c->old = old;
            return;
        }
    }
    c->status = vip_frames_of(c->audio, w->spec, &c->heard, &c->error);
}

static vipann_status
hear_all(work *w, FILE *spool, vip_progress *progress, vipann_error *error)
{
    for (w->first = 0; w->first < w->n; w->first += AT_ONCE) {
        const size_t n = w->n - w->first < AT_ONCE ? w->n - w->first : AT_ONCE;
        vip_parallel(n, hear_clip, w);
        for (size_t i = w->first; i < w->first + n; i++) {
            clip *c = &w->clips[i];
            if (c->status != VIPANN_OK) {
                return vip_fail(error, c->status, "%s:%zu: %s", c->manifest->file, c->manifest->rows[c->row].line,
                                c->error.text);
            }
            const size_t frames = c->old != NULL ? c->old->n_frames : c->heard.n;
            const uint16_t *half = c->old != NULL ? c->old->frames : c->heard.half;
            const size_t written = fwrite(half, sizeof *half * VIP_MELS, frames, spool);
            free(c->heard.half);
            c->heard.half = NULL;
            w->heard += c->old == NULL;
            if (written != frames) {
                return vip_fail(error, VIPANN_E_IO, "the temporary folder cannot take %zu clips of frames", w->n);
            }
        }
        vip_progress_update(progress, (double)(w->first + n) / (double)w->n, "clips");
    }
    return VIPANN_OK;
}

/* -------------------------------------------------------------------------------------------------------------- writing */

static vip_cache_entry
entry_of(const clip *c)
{
    const vip_manifest_row *row = &c->manifest->rows[c->row];
    return (vip_cache_entry){
        .set = c->manifest->set,
        .path = row->path,
        .labels = row->labels,
        .group = row->group,
        .sha256 = c->old != NULL ? c->old->sha256 : c->heard.sha256,
        .fold = row->fold,
        .seconds = c->old != NULL ? c->old->seconds : c->heard.seconds,
        .n_frames = c->old != NULL ? c->old->n_frames : c->heard.n,
    };
}

/* The header needs the lengths of all clips, so frames wait in a file without a name. */
static vipann_status
write_cache(const work *w, FILE *spool, const char *path, vipann_error *error)
{
    vip_cache_entry *entries = vip_alloc(w->n, sizeof *entries);
    uint16_t *frames = vip_alloc(AT_ONCE * VIP_MELS, sizeof *frames);
    vip_cache_writer *writer = NULL;
    for (size_t i = 0; entries != NULL && i < w->n; i++) {
        entries[i] = entry_of(&w->clips[i]);
    }
    if (entries == NULL || frames == NULL) {
        (void)vip_fail_memory(error, path);
    } else {
        writer = vip_cache_writer_new(path, w->spec, entries, w->n, error);
    }
    vip_free(entries);
    if (writer == NULL) {
        vip_free(frames);
        return error->status;
    }
    rewind(spool);
    for (size_t n; (n = fread(frames, sizeof *frames * VIP_MELS, AT_ONCE, spool)) > 0;) {
        vip_cache_writer_frames(writer, frames, n);
    }
    vip_free(frames);
    if (ferror(spool) != 0) {
        vip_cache_writer_discard(writer);
        return vip_fail(error, VIPANN_E_IO, "the temporary file of frames cannot be read back");
    }
    return vip_cache_writer_commit(writer, error);
}

static double
hours(const work *w)
{
    double seconds = 0;
    for (size_t i = 0; i < w->n; i++) {
        seconds += entry_of(&w->clips[i]).seconds;
    }
    return seconds / 3600;
}

static vipann_status
make(work *w, const char *path, vipann_error *error)
{
    FILE *spool = tmpfile();
    if (spool == NULL) {
        return vip_fail(error, VIPANN_E_IO, "the temporary folder cannot be written to");
    }
    vip_progress progress = vip_progress_begin(stderr);
    vipann_status good = hear_all(w, spool, &progress, error);
    vip_progress_clear(&progress);
    if (good == VIPANN_OK) {
        good = write_cache(w, spool, path, error);
    }
    if (good == VIPANN_OK) {
        (void)printf("%s: %zu clips, %.2f hours, %s (%zu heard, %zu as they were)\n", path, w->n, hours(w),
                     w->spec->name, w->heard, w->n - w->heard);
    }
    (void)fclose(spool);
    return good;
}

/* ------------------------------------------------------------------------------------------------------------- command */

/* Two manifests must not have a clip of one name in sets of one name. */
static vipann_status
check_sets(const work *w, vipann_error *error)
{
    for (size_t i = 0; i < w->n_manifests; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(w->manifests[i]->set, w->manifests[k]->set) == 0) {
                return vip_fail(
                    error, VIPANN_E_ARG,
                    "%s and %s are both of the set \"%s\", the name of their folder; put one into a folder of "
                    "another name",
                    w->manifests[k]->file, w->manifests[i]->file, w->manifests[i]->set);
            }
        }
    }
    return VIPANN_OK;
}

static vipann_status
gather(work *w, const vip_arguments *arguments, vipann_error *error)
{
    w->manifests = vip_alloc(arguments->n_operands, sizeof *w->manifests);
    if (w->manifests == NULL) {
        return vip_fail_memory(error, "manifests");
    }
    for (size_t i = 0; i < arguments->n_operands; i++) {
        w->manifests[i] = vip_manifest_read(arguments->operands[i], error);
        if (w->manifests[i] == NULL) {
            return error->status;
        }
        w->n_manifests++;
        w->n += w->manifests[i]->n;
    }
    w->clips = vip_alloc(w->n, sizeof *w->clips);
    if (w->clips == NULL) {
        return vip_fail_memory(error, "manifests");
    }
    size_t n = 0;
    for (size_t m = 0; m < w->n_manifests; m++) {
        for (size_t row = 0; row < w->manifests[m]->n; row++, n++) {
            w->clips[n].manifest = w->manifests[m];
            w->clips[n].row = row;
            w->clips[n].audio = vip_manifest_audio(w->manifests[m], row);
            if (w->clips[n].audio == NULL) {
                return vip_fail_memory(error, "manifests");
            }
        }
    }
    return check_sets(w, error);
}

/* A cache of the same front-end saves hearing again; what cannot be used is made anew. */
static void
open_old(work *w, const char *path)
{
    vipann_error error;
    w->old = access(path, F_OK) == 0 ? vip_cache_open(path, &error) : NULL;
    if (w->old != NULL) {
        const vip_frontend_spec *spec = vip_cache_frontend(w->old);
        if (strcmp(spec->name, w->spec->name) != 0 || spec->n_fft != w->spec->n_fft || spec->hop != w->spec->hop) {
            vip_cache_close(w->old);
            w->old = NULL;
        }
    }
}

static void
work_free(work *w)
{
    for (size_t i = 0; w->clips != NULL && i < w->n; i++) {
        vip_free(w->clips[i].audio);
        free(w->clips[i].heard.half);
    }
    for (size_t i = 0; i < w->n_manifests; i++) {
        vip_manifest_free(w->manifests[i]);
    }
    vip_free(w->clips);
    vip_free(w->manifests);
    vip_cache_close(w->old);
}

static int
run_features(const vip_arguments *arguments)
{
    const char *path = vip_argument(arguments, &OUTPUT)->text;
    if (path == NULL) {
        (void)fputs("vipann-train features: --output says where the cache goes, such as --output sounds.cache\n",
                    stderr);
        return VIP_EXIT_ASKED_WRONGLY;
    }
    vip_parallel_threads((unsigned)vip_argument(arguments, &THREADS)->whole);
    vipann_error error;
    work w = {.spec = vip_frontend_named(vip_argument(arguments, &FRONTEND)->text)};
    vipann_status good = gather(&w, arguments, &error);
    if (good == VIPANN_OK) {
        open_old(&w, path);
        good = make(&w, path, &error);
    }
    work_free(&w);
    return vip_command_end(&VIP_FEATURES_COMMAND, good, &error);
}

int
vip_features_run(int argc, char **argv)
{
    return vip_command_line(&VIP_FEATURES_COMMAND, argc, argv, NULL, run_features);
}
