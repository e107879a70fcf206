/* SPDX-License-Identifier: GPL-3.0-or-later */
/* targets.c -- see targets.h for the contract. */
#include "targets.h"

#include "bytes.h"
#include "table.h"

#include <base/memory.h>
#include <base/status.h>
#include <base/words.h>
#include <model/json.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 30, MOST_SETS = 64, LENGTH_BYTES = 8, MOST_PATH = 4096 };
static const double ROW_SECONDS = 0.96, ROW_STEP = 0.48;
static const double EMBEDDING_SCALE = 80; /* (value / 80)^2 */

/* What the teacher heard in one set. */
typedef struct {
    char *bytes;                                                  /* of the safetensors file */
    const unsigned char *start, *class_index, *score, *embedding; /* embedding NULL: there is none */
    size_t rows, entries, clips;
} answers;

/* Where a clip of the cache is in them. */
typedef struct {
    const answers *set; /* NULL: the teacher has not heard it */
    size_t first, rows, place;
} heard;

struct vip_targets {
    vip_table *map;
    uint32_t classes, embedding;
    size_t n_sets;
    answers sets[MOST_SETS];
    heard *clips; /* [clips of the cache] */
};

/* ------------------------------------------------------------------------------------------------------------ tensors */

static uint32_t
integer_at(const unsigned char *bytes, size_t i)
{
    const unsigned char *b = bytes + 4 * i;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static uint32_t
short_at(const unsigned char *bytes, size_t i)
{
    return (uint32_t)bytes[2 * i] | (uint32_t)bytes[2 * i + 1] << 8;
}

/* A tensor of that type and rank; NULL: there is none such, or its bytes do not fit. sizes: [rank]. */
static const unsigned char *
tensor(const json_t *header, const char *name, const char *dtype, size_t width, size_t rank, const char *data,
       size_t bytes, size_t *sizes)
{
    const json_t *about = json_object_get(header, name);
    const json_t *shape = json_object_get(about, "shape"), *offsets = json_object_get(about, "data_offsets");
    const char *type = json_string_value(json_object_get(about, "dtype"));
    if (type == NULL || strcmp(type, dtype) != 0 || json_array_size(shape) != rank || json_array_size(offsets) != 2) {
        return NULL;
    }
    size_t n = width;
    for (size_t i = 0; i < rank; i++) {
        const json_int_t size = json_integer_value(json_array_get(shape, i));
        if (size <= 0 || (uint64_t)size > MOST_BYTES / n) {
            return NULL;
        }
        sizes[i] = (size_t)size;
        n *= sizes[i];
    }
    const json_int_t begin = json_integer_value(json_array_get(offsets, 0));
    const json_int_t end = json_integer_value(json_array_get(offsets, 1));
    if (begin < 0 || end < begin || (uint64_t)end > bytes || (uint64_t)(end - begin) != n) {
        return NULL;
    }
    return (const unsigned char *)data + begin;
}

/* Every row begins behind the one before, and every class is one. */
static bool
is_consistent(const answers *a, uint32_t classes)
{
    if (integer_at(a->start, 0) != 0 || integer_at(a->start, a->rows) != a->entries) {
        return false;
    }
    for (size_t r = 0; r < a->rows; r++) {
        if (integer_at(a->start, r) > integer_at(a->start, r + 1)) {
            return false;
        }
    }
    for (size_t e = 0; e < a->entries; e++) {
        if (short_at(a->class_index, e) >= classes) {
            return false;
        }
    }
    return true;
}

static vipann_status
find_tensors(vip_targets *t, answers *a, const char *path, size_t bytes, vipann_error *error)
{
    uint64_t length = 0;
    for (int i = 0; i < LENGTH_BYTES && bytes >= LENGTH_BYTES; i++) {
        length |= (uint64_t)(unsigned char)a->bytes[i] << 8 * i;
    }
    if (bytes < LENGTH_BYTES || length > bytes - LENGTH_BYTES) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: its header does not fit into the file; expected safetensors",
                        path);
    }
    json_t *header;
    const vipann_status good =
        vip_json_parse(a->bytes + LENGTH_BYTES, (size_t)length, path, "the header", &header, error);
    if (good != VIPANN_OK) {
        return good;
    }
    const char *data = a->bytes + LENGTH_BYTES + length;
    bytes -= LENGTH_BYTES + (size_t)length;
    size_t starts = 0, scores = 0, size[2] = {0, 0};
    a->start = tensor(header, "start", "I32", 4, 1, data, bytes, &starts);
    a->class_index = tensor(header, "class", "I16", 2, 1, data, bytes, &a->entries);
    a->score = tensor(header, "score", "U8", 1, 1, data, bytes, &scores);
    a->embedding = tensor(header, "embedding", "U8", 1, 2, data, bytes, size);
    const bool broken = a->embedding == NULL && json_object_get(header, "embedding") != NULL;
    json_decref(header);
    a->rows = starts - 1;
    a->clips = size[0];
    if (broken || a->start == NULL || a->class_index == NULL || a->score == NULL || scores != a->entries ||
        !is_consistent(a, t->classes) || (a->embedding != NULL && t->embedding != 0 && t->embedding != size[1])) {
        return vip_fail(
            error, VIPANN_E_FORMAT,
            "%s: its tensors do not fit together; expected start (I32, rows + 1), class (I16), score (U8), both "
            "of start's last number, and embedding (U8, clips x size) or none",
            path);
    }
    t->embedding = a->embedding != NULL ? (uint32_t)size[1] : t->embedding;
    return VIPANN_OK;
}

/* ---------------------------------------------------------------------------------------------------------------- sets */

/* The clips of one set by path. */
static vipann_status
join(vip_targets *t, const answers *a, const vip_cache *cache, const char *set, const vip_table *table,
     const char *path, vipann_error *error)
{
    size_t row = 0; /* tables and caches are mostly in one order: the search goes on where it was */
    for (size_t i = 0; i < vip_cache_clips(cache); i++) {
        const vip_cache_clip *clip = vip_cache_clip_at(cache, i);
        if (strcmp(clip->set, set) != 0) {
            continue;
        }
        for (size_t tried = 0; tried < table->n; tried++, row = (row + 1) % table->n) {
            if (strcmp(table->rows[row].fields[0], clip->path) == 0) {
                uint64_t first, rows;
                if (!vip_number_read_whole(table->rows[row].fields[1], &first) ||
                    !vip_number_read_whole(table->rows[row].fields[2], &rows) || rows == 0 || first > a->rows ||
                    rows > a->rows - first || (a->embedding != NULL && row >= a->clips)) {
                    return vip_fail(error, VIPANN_E_FORMAT, "%s:%zu: rows that the tensors do not have", path,
                                    table->rows[row].line);
                }
                t->clips[i] = (heard){a, (size_t)first, (size_t)rows, row};
                break;
            }
        }
    }
    return VIPANN_OK;
}

static vipann_status
read_set(vip_targets *t, const char *folder, const char *set, const vip_cache *cache, vipann_error *error)
{
    static const vip_column COLUMNS[] = {{"path", true}, {"first_row", true}, {"rows", true}, {NULL, false}};
    char path[MOST_PATH];
    size_t bytes;
    (void)snprintf(path, sizeof path, "%s/%s.csv", folder, set);
    if (access(path, F_OK) != 0) {
        return VIPANN_OK; /* the teacher does not know this set */
    }
    if (t->n_sets == MOST_SETS) {
        return vip_fail(error, VIPANN_E_ARG, "%s: more than %d sets", folder, MOST_SETS);
    }
    char *text = vip_file_bytes(path, MOST_BYTES, &bytes, error);
    vip_table *table = text != NULL ? vip_table_parse(path, text, bytes, COLUMNS, error) : NULL;
    vip_free(text);
    if (table == NULL) {
        return error->status;
    }
    answers *a = &t->sets[t->n_sets++];
    char tensors[MOST_PATH];
    (void)snprintf(tensors, sizeof tensors, "%s/%s.safetensors", folder, set);
    a->bytes = vip_file_bytes(tensors, MOST_BYTES, &bytes, error);
    vipann_status good = a->bytes == NULL ? error->status : find_tensors(t, a, tensors, bytes, error);
    if (good == VIPANN_OK) {
        good = join(t, a, cache, set, table, path, error);
    }
    vip_table_free(table);
    return good;
}

static bool
is_first_of_set(const vip_cache *cache, size_t clip)
{
    const char *set = vip_cache_clip_at(cache, clip)->set;
    if (clip > 0 && strcmp(vip_cache_clip_at(cache, clip - 1)->set, set) == 0) {
        return false;
    }
    for (size_t i = 0; i < clip; i++) {
        if (strcmp(vip_cache_clip_at(cache, i)->set, set) == 0) {
            return false;
        }
    }
    return true;
}

static vipann_status
read_classes(vip_targets *t, const char *folder, vipann_error *error)
{
    static const vip_column COLUMNS[] = {{"index", true}, {"mid", true}, {"display_name", true}, {NULL, false}};
    char path[MOST_PATH];
    size_t bytes;
    (void)snprintf(path, sizeof path, "%s/class_map.csv", folder);
    char *text = vip_file_bytes(path, MOST_BYTES, &bytes, error);
    t->map = text != NULL ? vip_table_parse(path, text, bytes, COLUMNS, error) : NULL;
    vip_free(text);
    if (t->map == NULL) {
        return error->status;
    }
    for (size_t i = 0; i < t->map->n; i++) {
        uint64_t index;
        if (!vip_number_read_whole(t->map->rows[i].fields[0], &index) || index != i) {
            return vip_fail(error, VIPANN_E_FORMAT, "%s:%zu: the index \"%s\"; expected %zu", path,
                            t->map->rows[i].line, t->map->rows[i].fields[0], i);
        }
    }
    if (t->map->n == 0 || t->map->n > VIP_MAX_CLASSES) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: has %zu classes; expected 1 to %d", path, t->map->n,
                        VIP_MAX_CLASSES);
    }
    t->classes = (uint32_t)t->map->n;
    return VIPANN_OK;
}

static vipann_status
read_all(vip_targets *t, const char *folder, const vip_cache *cache, vipann_error *error)
{
    t->clips = vip_alloc(vip_cache_clips(cache), sizeof *t->clips);
    if (t->clips == NULL) {
        return vip_fail_memory(error, folder);
    }
    vipann_status good = read_classes(t, folder, error);
    for (size_t i = 0; i < vip_cache_clips(cache) && good == VIPANN_OK; i++) {
        if (is_first_of_set(cache, i)) {
            good = read_set(t, folder, vip_cache_clip_at(cache, i)->set, cache, error);
        }
    }
    return good;
}

vip_targets *
vip_targets_open(const char *folder, const vip_cache *cache, vipann_error *error)
{
    vip_targets *t = vip_alloc(1, sizeof *t);
    if (t == NULL) {
        (void)vip_fail_memory(error, folder);
        return NULL;
    }
    if (read_all(t, folder, cache, error) != VIPANN_OK) {
        vip_targets_close(t);
        return NULL;
    }
    return t;
}

void
vip_targets_close(vip_targets *targets)
{
    if (targets != NULL) {
        for (size_t i = 0; i < targets->n_sets; i++) {
            vip_free(targets->sets[i].bytes);
        }
        vip_table_free(targets->map);
        vip_free(targets->clips);
        vip_free(targets);
    }
}

/* ------------------------------------------------------------------------------------------------------------- answers */

uint32_t
vip_targets_classes(const vip_targets *targets)
{
    return targets->classes;
}

const char *
vip_targets_label(const vip_targets *targets, uint32_t index)
{
    return targets->map->rows[index].fields[2];
}

const char *
vip_targets_mid(const vip_targets *targets, uint32_t index)
{
    return targets->map->rows[index].fields[1];
}

uint32_t
vip_targets_embedding_size(const vip_targets *targets)
{
    return targets->embedding;
}

bool
vip_targets_has(const vip_targets *targets, size_t clip)
{
    return targets->clips[clip].set != NULL;
}

/* Entries of a row of the clip. */
static void
entries_of(const heard *h, size_t row, size_t *from, size_t *end)
{
    *from = integer_at(h->set->start, h->first + row);
    *end = integer_at(h->set->start, h->first + row + 1);
}

bool
vip_targets_scores(const vip_targets *targets, size_t clip, double from, double to, float *scores)
{
    const heard *h = &targets->clips[clip];
    memset(scores, 0, targets->classes * sizeof *scores);
    if (h->set == NULL) {
        return false;
    }
    double total = 0;
    for (size_t row = 0; row < h->rows; row++) {
        const double begin = ROW_STEP * (double)row, end = begin + ROW_SECONDS;
        const double overlap = fmin(to, end) - fmax(from, begin);
        if (overlap <= 0) {
            continue;
        }
        const double weight = overlap * overlap;
        total += weight;
        size_t e, last;
        for (entries_of(h, row, &e, &last); e < last; e++) {
            scores[short_at(h->set->class_index, e)] += (float)(weight * h->set->score[e] / 255);
        }
    }
    for (uint32_t c = 0; c < targets->classes && total > 0; c++) {
        scores[c] = (float)((double)scores[c] / total);
    }
    return total > 0;
}

bool
vip_targets_largest(const vip_targets *targets, size_t clip, float *scores)
{
    const heard *h = &targets->clips[clip];
    memset(scores, 0, targets->classes * sizeof *scores);
    for (size_t row = 0; h->set != NULL && row < h->rows; row++) {
        size_t e, last;
        for (entries_of(h, row, &e, &last); e < last; e++) {
            float *score = &scores[short_at(h->set->class_index, e)];
            *score = fmaxf(*score, (float)h->set->score[e] / 255);
        }
    }
    return h->set != NULL;
}

bool
vip_targets_embedding(const vip_targets *targets, size_t clip, float *embedding)
{
    const heard *h = &targets->clips[clip];
    if (h->set == NULL || h->set->embedding == NULL) {
        return false;
    }
    const unsigned char *values = h->set->embedding + h->place * targets->embedding;
    for (uint32_t i = 0; i < targets->embedding; i++) {
        const double root = values[i] / EMBEDDING_SCALE;
        embedding[i] = (float)(root * root);
    }
    return true;
}
