/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sounds.c -- see sounds.h for the contract. */
#include "sounds.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <base/memory.h>
#include <base/status.h>
#include <base/words.h>
#include <common/paths.h>
#include <offline_trainer/data/bytes.h>
#include <offline_trainer/data/manifest.h>

const char VIP_TEACH_BACKGROUND[] = "background";
enum { MOST_TRACK = 16 << 20 /* bytes */, MOST_PATH = 4096 };

void
vip_sounds_free(vip_sounds *s)
{
    for (uint32_t c = 0; c < s->n_classes; c++) {
        vip_free(s->classes[c]);
    }
    for (size_t i = 0; i < s->n; i++) {
        vip_free(s->recordings[i].path);
        vip_free(s->recordings[i].stretches);
    }
    vip_free(s->recordings);
    *s = (vip_sounds){0};
}

/* Makes room for one more of `size` bytes; false: memory is short. */
static bool
make_room(void **all, size_t n, size_t *room, size_t size)
{
    if (n < *room) {
        return true;
    }
    const size_t more = *room > 0 ? 2 * *room : 16;
    void *grown = vip_alloc(more, size);
    if (grown == NULL) {
        return false;
    }
    if (n > 0) {
        memcpy(grown, *all, n * size);
    }
    vip_free(*all);
    *all = grown;
    *room = more;
    return true;
}

static vip_recording *
add_recording(vip_sounds *s, const char *path, bool clip)
{
    void *all = s->recordings;
    const bool there = make_room(&all, s->n, &s->room, sizeof *s->recordings);
    s->recordings = all;
    if (!there) {
        return NULL;
    }
    vip_recording *r = &s->recordings[s->n];
    *r = (vip_recording){.path = vip_copy_string(path), .clip = clip};
    if (r->path == NULL) {
        return NULL;
    }
    s->n++;
    return r;
}

/* The class of this name, as a new one if need be. */
static vipann_status
find_class(vip_sounds *s, const char *where, const char *name, uint32_t *index, vipann_error *error)
{
    for (*index = 0; *index < s->n_classes; ++*index) {
        if (strcmp(s->classes[*index], name) == 0) {
            return VIPANN_OK;
        }
    }
    if (s->n_classes == VIP_TEACH_CLASSES) {
        return vip_fail(error, VIPANN_E_ARG,
                        "%s: more than %d different labels, the last \"%.60s\"; teach fewer at a time", where,
                        VIP_TEACH_CLASSES, name);
    }
    s->classes[s->n_classes] = vip_copy_string(name);
    if (s->classes[s->n_classes] == NULL) {
        return vip_fail_memory(error, where);
    }
    s->n_classes++;
    return VIPANN_OK;
}

static vipann_status
add_stretch(vip_sounds *s, vip_recording *r, const char *where, const char *label, double start, double end,
            uint32_t fold, vipann_error *error)
{
    uint32_t index = 0;
    if (strcasecmp(label, VIP_TEACH_BACKGROUND) == 0) {
        return VIPANN_OK;
    }
    const vipann_status status = find_class(s, where, label, &index, error);
    if (status != VIPANN_OK) {
        return status;
    }
    void *all = r->stretches;
    const bool there = make_room(&all, r->n, &r->room, sizeof *r->stretches);
    r->stretches = all;
    if (!there) {
        return vip_fail_memory(error, where);
    }
    r->stretches[r->n++] = (vip_stretch_of_sound){start, end, index, fold};
    s->stretches[index]++;
    return VIPANN_OK;
}

/* ---------------------------------------------------------------------------------------------------- label tracks */

/* "start <tab> end <tab> label"; lines that begin with a backslash hold frequencies, which do not matter here. */
static vipann_status
take_line(vip_sounds *s, vip_recording *r, const char *name, size_t number, char *line, vipann_error *error)
{
    char where[MOST_PATH + 32];
    double start, end;
    (void)snprintf(where, sizeof where, "%s:%zu", name, number);
    char *first = strchr(line, '\t'), *second = first != NULL ? strchr(first + 1, '\t') : NULL;
    if (line[0] == '\0' || line[0] == '\\') {
        return VIPANN_OK;
    }
    if (second != NULL) {
        *first = *second = '\0';
    }
    if (second == NULL || !vip_number_read(line, &start) || !vip_number_read(first + 1, &end) || !(start >= 0) ||
        !(end >= start) || second[1] == '\0') {
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%s: expected start, end and label with tabs between them, as Audacity exports labels", where);
    }
    return add_stretch(s, r, where, second + 1, start, end, (uint32_t)(r->n % VIP_TEACH_FOLDS), error);
}

vipann_status
vip_sounds_track(vip_sounds *s, vip_recording *r, const char *name, char *text, vipann_error *error)
{
    vipann_status status = VIPANN_OK;
    size_t number = 0;
    for (char *line = text; line != NULL && status == VIPANN_OK;) {
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end = '\0';
        }
        line[strcspn(line, "\r")] = '\0';
        status = take_line(s, r, name, ++number, line, error);
        line = end != NULL ? end + 1 : NULL;
    }
    return status;
}

/* The label track beside a recording, if there is one. */
static bool
find_track(const char *path, char track[MOST_PATH])
{
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    const size_t stem = dot != NULL && (slash == NULL || dot > slash) ? (size_t)(dot - path) : strlen(path);
    struct stat there;
    (void)snprintf(track, MOST_PATH, "%.*s.txt", (int)stem, path);
    if (stat(track, &there) == 0 && S_ISREG(there.st_mode)) {
        return true;
    }
    (void)snprintf(track, MOST_PATH, "%s.txt", path);
    return stat(track, &there) == 0 && S_ISREG(there.st_mode);
}

static vipann_status
take_recording(vip_sounds *s, const char *path, vipann_error *error)
{
    char track[MOST_PATH];
    vip_recording *r = add_recording(s, path, false);
    if (r == NULL) {
        return vip_fail_memory(error, path);
    }
    if (!find_track(path, track)) {
        return VIPANN_OK;
    }
    size_t bytes = 0;
    char *text = vip_file_bytes(track, MOST_TRACK, &bytes, error);
    if (text == NULL) {
        return error->status;
    }
    const vipann_status status = strlen(text) == bytes
                                     ? vip_sounds_track(s, r, track, text, error)
                                     : vip_fail(error, VIPANN_E_FORMAT, "%s: is no label track, but binary", track);
    vip_free(text);
    return status;
}

/* ----------------------------------------------------------------------------------------------------- clips, tables */

static vipann_status
add_clip(vip_sounds *s, const char *where, const char *path, const char *labels, uint32_t fold, vipann_error *error)
{
    vip_recording *r = add_recording(s, path, true);
    char *copy = vip_copy_string(labels), *rest = copy;
    vipann_status status = r != NULL && copy != NULL ? VIPANN_OK : vip_fail_memory(error, where);
    if (status == VIPANN_OK) {
        r->fold = fold;
    }
    for (char *label = status == VIPANN_OK ? strtok_r(copy, ";", &rest) : NULL; label != NULL && status == VIPANN_OK;
         label = strtok_r(NULL, ";", &rest)) {
        status = add_stretch(s, r, where, label, 0, INFINITY, fold, error);
    }
    vip_free(copy);
    return status;
}

static bool
starts_group(const vip_manifest *m, size_t row)
{
    for (size_t i = 0; i < row; i++) {
        if (strcmp(m->rows[i].group, m->rows[row].group) == 0) {
            return false;
        }
    }
    return true;
}

static uint32_t
fold_of_group(const vip_manifest *m, size_t row)
{
    uint32_t groups = 0;
    for (size_t i = 0; strcmp(m->rows[i].group, m->rows[row].group) != 0; i++) {
        groups += starts_group(m, i);
    }
    return groups % VIP_TEACH_FOLDS;
}

static vipann_status
take_table(vip_sounds *s, const char *path, vipann_error *error)
{
    vip_manifest *m = vip_manifest_read(path, error);
    vipann_status status = m != NULL ? VIPANN_OK : error->status;
    for (size_t i = 0; m != NULL && i < m->n && status == VIPANN_OK; i++) {
        char *audio = vip_manifest_audio(m, i);
        status = audio != NULL ? add_clip(s, path, audio, m->rows[i].labels, fold_of_group(m, i), error)
                               : vip_fail_memory(error, path);
        vip_free(audio);
    }
    vip_manifest_free(m);
    return status;
}

static void
pass_over(void *user, const char *text)
{
    (void)user;
    (void)text;
}

/* The clips of a folder that is named by what is heard in them. */
static vipann_status
take_class_folder(vip_sounds *s, const char *folder, const char *name, vipann_error *error)
{
    vip_paths paths = {0};
    vipann_status status = vip_paths_add(&paths, folder, true, pass_over, NULL, error);
    for (size_t i = 0; i < paths.n && status == VIPANN_OK; i++) {
        status = add_clip(s, folder, paths.all[i].path, name, (uint32_t)(i % VIP_TEACH_FOLDS), error);
    }
    vip_paths_free(&paths);
    return status;
}

static int
visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static vipann_status
take_folder(vip_sounds *s, const char *folder, vipann_error *error)
{
    static const char *const tables[] = {"labels.csv", "clips.csv"};
    char path[MOST_PATH];
    struct stat there;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, tables[i]);
        if (stat(path, &there) == 0) {
            return take_table(s, path, error);
        }
    }
    struct dirent **entries = NULL;
    const int n = scandir(folder, &entries, visible, alphasort);
    if (n < 0) {
        return vip_fail(error, VIPANN_E_IO, "%s: %s", folder, strerror(errno));
    }
    vipann_status status = VIPANN_OK;
    size_t folders = 0;
    for (int i = 0; i < n; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (status == VIPANN_OK && stat(path, &there) == 0 && S_ISDIR(there.st_mode)) {
            status = take_class_folder(s, path, entries[i]->d_name, error);
            folders++;
        }
        free(entries[i]);
    }
    free(entries);
    return status != VIPANN_OK || folders > 0
               ? status
               : vip_fail(error, VIPANN_E_FORMAT,
                          "%s: expected labels.csv, or folders that are named by what is heard in their clips", folder);
}

vipann_status
vip_sounds_take(vip_sounds *s, const char *path, vipann_error *error)
{
    struct stat there;
    if (stat(path, &there) != 0) {
        return vip_fail(error, VIPANN_E_IO, "%s: %s", path, strerror(errno));
    }
    if (S_ISDIR(there.st_mode)) {
        return take_folder(s, path, error);
    }
    const size_t n = strlen(path);
    return n > 4 && strcasecmp(path + n - 4, ".csv") == 0 ? take_table(s, path, error) : take_recording(s, path, error);
}
