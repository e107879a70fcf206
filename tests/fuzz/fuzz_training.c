/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fuzz_training.c -- any bytes as what the trainer reads: a manifest, a cache of frames, a teacher's list and tensors, an
 * expression, a checkpoint of a run. Refused with one line, or within what was promised.
 *
 * The first byte says which. Caches and a teacher's tensors get a header of their true length, whatever the bytes say, and
 * a checkpoint its checksum: else nearly every change would stop at those. */
#include "fuzz.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/hash.h>
#include <base/memory.h>
#include <offline_trainer/data/cache.h>
#include <offline_trainer/data/manifest.h>
#include <offline_trainer/data/select.h>
#include <offline_trainer/data/targets.h>
#include <offline_trainer/run/checkpoint.h>

typedef enum { MANIFEST, CACHE, WHOLE_CACHE, EXPRESSION, TEACHER, TEACHER_LIST, CHECKPOINT, N_KINDS } kind;

static void
check_manifest(const uint8_t *data, size_t size)
{
    vipann_error error = {VIPANN_OK, ""};
    vip_manifest *m = vip_manifest_parse("in/manifest.csv", (const char *)data, size, &error);
    if (m == NULL) {
        fuzz_check_refusal(VIPANN_E_FORMAT, &error);
        return;
    }
    fuzz_check(m->n > 0 && strcmp(m->set, "in") == 0);
    for (size_t i = 0; i < m->n; i++) {
        fuzz_check(m->rows[i].path[0] != '\0' && m->rows[i].line >= 2);
        for (size_t k = 0; k < i; k++) {
            fuzz_check(strcmp(m->rows[i].path, m->rows[k].path) != 0);
        }
    }
    vip_manifest_free(m);
}

static void
check_cache(const char *path)
{
    vipann_error error = {VIPANN_OK, ""};
    vip_cache *cache = vip_cache_open(path, &error);
    if (cache == NULL) {
        fuzz_check_refusal(VIPANN_E_FORMAT, &error);
        return;
    }
    for (size_t i = 0; i < vip_cache_clips(cache); i++) {
        const vip_cache_clip *clip = vip_cache_clip_at(cache, i);
        float last[VIP_MELS];
        fuzz_check(clip->n_frames >= VIP_COLUMN_FRAMES);
        vip_cache_frames(clip, clip->n_frames - 1, 1, last);
        for (int m = 0; m < VIP_MELS; m++) {
            fuzz_check(isfinite(last[m]) != 0);
        }
        for (uint32_t k = 0; k < clip->n_labels; k++) {
            fuzz_check(clip->labels[k][0] != '\0');
        }
    }
    vip_cache_close(cache);
}

/* Two clips of 32 frames, for what needs a cache. */
static vip_cache *
small_cache(void)
{
    static const char sha[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    static const vip_frontend_spec spec = {"panns16k", 16000, 512, 160, VIP_MELS, 50, 8000, 1e-10};
    static const vip_cache_entry entries[] = {{"set", "a.wav", "dog;cat", "fs1", sha, 1, 0.3, 32},
                                              {"set", "b.wav", "", "yard", sha, 2, 0.3, 32}};
    static bool written;
    vipann_error error = {VIPANN_OK, ""};
    const char *path = fuzz_path("small.cache");
    if (!written) {
        static const uint16_t frames[32 * VIP_MELS];
        vip_cache_writer *writer = vip_cache_writer_new(path, &spec, entries, 2, &error);
        fuzz_check(writer != NULL);
        vip_cache_writer_frames(writer, frames, 32);
        vip_cache_writer_frames(writer, frames, 32);
        fuzz_check(vip_cache_writer_commit(writer, &error) == VIPANN_OK);
        written = true;
    }
    vip_cache *cache = vip_cache_open(path, &error);
    fuzz_check(cache != NULL);
    return cache;
}

static void
check_expression(const uint8_t *data, size_t size)
{
    char *text = calloc(size + 1, 1);
    fuzz_check(text != NULL);
    memcpy(text, data, size);
    vip_cache *cache = small_cache();
    vip_part part;
    vipann_error error = {VIPANN_OK, ""};
    const vipann_status good = vip_select(cache, text, &part, &error);
    if (good != VIPANN_OK) {
        fuzz_check_refusal(VIPANN_E_ARG, &error);
    } else {
        fuzz_check(part.n >= 1 && part.n <= 2 && part.clips[part.n - 1] < 2);
        vip_part_free(&part);
    }
    vip_cache_close(cache);
    free(text);
}

static void
check_teacher(const char *folder_file)
{
    vip_cache *cache = small_cache();
    char folder[512];
    (void)snprintf(folder, sizeof folder, "%s", folder_file);
    *strrchr(folder, '/') = '\0';
    vipann_error error = {VIPANN_OK, ""};
    vip_targets *t = vip_targets_open(folder, cache, &error);
    if (t == NULL) {
        fuzz_check_refusal(VIPANN_E_FORMAT, &error);
    } else {
        float scores[2], *vector = calloc(vip_targets_embedding_size(t) + 1, sizeof *vector);
        fuzz_check(vip_targets_classes(t) == 2 && vector != NULL);
        for (size_t clip = 0; clip < 2; clip++) {
            if (vip_targets_scores(t, clip, 0.1, 0.8, scores)) {
                fuzz_check(scores[0] >= 0 && scores[1] >= 0 && isfinite(scores[0]) != 0 && isfinite(scores[1]) != 0);
            }
            (void)vip_targets_largest(t, clip, scores);
            (void)vip_targets_embedding(t, clip, vector);
        }
        free(vector);
        vip_targets_close(t);
    }
    vip_cache_close(cache);
}

/* A file of safetensors, or of a cache, whose header ends at the first line break of the bytes. */
static uint8_t *
with_header(const char *magic, const uint8_t *data, size_t size, size_t alignment, size_t *n)
{
    const uint8_t *end = memchr(data, '\n', size);
    const size_t length = end != NULL ? (size_t)(end - data) : size, rest = end != NULL ? size - length - 1 : 0;
    const size_t begin = strlen(magic) + 8, at = (begin + length + alignment - 1) / alignment * alignment;
    uint8_t *file = calloc(at + rest + 1, 1);
    fuzz_check(file != NULL);
    memcpy(file, magic, strlen(magic));
    for (int i = 0; i < 8; i++) {
        file[strlen(magic) + (size_t)i] = (uint8_t)((uint64_t)length >> 8 * i);
    }
    memcpy(file + begin, data, length);
    if (rest > 0) {
        memcpy(file + at, end + 1, rest);
    }
    *n = at + rest;
    return file;
}

static void
check_checkpoint(const uint8_t *data, size_t size)
{
    uint8_t *file = calloc(size + VIP_SHA256_SIZE, 1);
    char sum[VIP_SHA256_SIZE], folder[512];
    fuzz_check(file != NULL);
    memcpy(file, data, size);
    vip_sha256(data, size, sum);
    memcpy(file + size, sum, sizeof sum);
    (void)snprintf(folder, sizeof folder, "%s", fuzz_file("checkpoint", file, size + VIP_SHA256_SIZE));
    *strrchr(folder, '/') = '\0';
    float numbers[4];
    bool older;
    vipann_error error = {VIPANN_OK, ""};
    vip_checkpoint c = {.recipe = "a", .arrays = {{numbers, 4}}};
    const vipann_status good = vip_checkpoint_read(folder, &c, &older, &error);
    if (good != VIPANN_OK) {
        fuzz_check(good == VIPANN_E_FORMAT || good == VIPANN_E_ARG);
        fuzz_check_refusal(good, &error);
    }
    free(file);
}

static void
check_file(kind what, const uint8_t *data, size_t size)
{
    static const char map[] = "index,mid,display_name\n0,/m/a,Dog\n1,/m/b,Cat\n";
    static const char list[] = "path,first_row,rows\na.wav,0,1\nb.wav,1,1\n";
    size_t n;
    uint8_t *file = NULL;
    if (what == CACHE) {
        file = with_header("vipann\n1", data, size, 64, &n);
        check_cache(fuzz_file("made.cache", file, n));
    } else if (what == WHOLE_CACHE) {
        check_cache(fuzz_file("made.cache", data, size));
    } else {
        file = with_header("", what == TEACHER ? data : (const uint8_t *)"{}", what == TEACHER ? size : 2, 1, &n);
        (void)fuzz_file("class_map.csv", (const uint8_t *)map, sizeof map - 1);
        (void)fuzz_file("set.safetensors", file, n);
        check_teacher(what == TEACHER ? fuzz_file("set.csv", (const uint8_t *)list, sizeof list - 1)
                                      : fuzz_file("set.csv", data, size));
    }
    free(file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const kind what = (kind)(data[0] % N_KINDS);
    data++;
    size--;
    switch (what) {
    case MANIFEST:
        check_manifest(data, size);
        break;
    case EXPRESSION:
        check_expression(data, size);
        break;
    case CHECKPOINT:
        check_checkpoint(data, size);
        break;
    default:
        check_file(what, data, size);
        break;
    }
    return 0;
}
