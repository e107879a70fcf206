/* SPDX-License-Identifier: GPL-3.0-or-later */
/* manifest.c -- see manifest.h for the contract. */
#include "manifest.h"

#include "bytes.h"
#include "table.h"

#include <base/memory.h>
#include <base/status.h>
#include <base/words.h>

#include <stdlib.h>
#include <string.h>

enum { PATH, LABELS, FOLD, GROUP };
static const vip_column COLUMNS[] = {
    {"path", true}, {"labels", false}, {"fold", false}, {"group", false}, {NULL, false}};

static const char *
text_of(const vip_table_row *row, int column, const char *otherwise)
{
    return row->fields[column] != NULL && row->fields[column][0] != '\0' ? row->fields[column] : otherwise;
}

/* Labels stand between ';', none empty, none twice. */
static vipann_status
check_labels(const char *name, size_t line, const char *labels, vipann_error *error)
{
    for (const char *label = labels; *labels != '\0';) {
        const size_t n = strcspn(label, ";");
        if (n == 0) {
            return vip_fail(error, VIPANN_E_FORMAT, "%s:%zu: an empty label in \"%s\"; labels stand between ';'", name,
                            line, labels);
        }
        for (const char *other = labels; other < label; other += strcspn(other, ";") + 1) {
            if (strcspn(other, ";") == n && strncmp(other, label, n) == 0) {
                return vip_fail(error, VIPANN_E_FORMAT, "%s:%zu: the label \"%.*s\" is there twice", name, line, (int)n,
                                label);
            }
        }
        if (label[n] == '\0') {
            break;
        }
        label += n + 1;
    }
    return VIPANN_OK;
}

static vipann_status
take_row(vip_manifest *manifest, const vip_table_row *from, vipann_error *error)
{
    vip_manifest_row *row = &manifest->rows[manifest->n];
    const char *path = text_of(from, PATH, ""), *fold = text_of(from, FOLD, "0");
    uint64_t whole;
    if (path[0] == '\0') {
        return vip_fail(error, VIPANN_E_FORMAT, "%s:%zu: no path", manifest->file, from->line);
    }
    if (!vip_number_read_whole(fold, &whole) || whole > UINT32_MAX) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s:%zu: the fold \"%s\" is no whole number", manifest->file,
                        from->line, fold);
    }
    const char *labels = text_of(from, LABELS, "");
    const vipann_status good = check_labels(manifest->file, from->line, labels, error);
    if (good != VIPANN_OK) {
        return good;
    }
    manifest->n++;
    row->line = from->line;
    row->fold = (uint32_t)whole;
    row->path = vip_copy_string(path);
    row->labels = vip_copy_string(labels);
    row->group = vip_copy_string(text_of(from, GROUP, path));
    return row->path == NULL || row->labels == NULL || row->group == NULL ? vip_fail_memory(error, manifest->file)
                                                                          : VIPANN_OK;
}

static int
by_path(const void *a, const void *b)
{
    const vip_manifest_row *const *one = a, *const *other = b;
    const int order = strcmp((*one)->path, (*other)->path);
    return order != 0 ? order : ((*one)->line > (*other)->line) - ((*one)->line < (*other)->line);
}

static vipann_status
check_paths(const vip_manifest *manifest, vipann_error *error)
{
    const vip_manifest_row **sorted = vip_alloc(manifest->n, sizeof *sorted);
    if (sorted == NULL) {
        return vip_fail_memory(error, manifest->file);
    }
    for (size_t i = 0; i < manifest->n; i++) {
        sorted[i] = &manifest->rows[i];
    }
    qsort(sorted, manifest->n, sizeof *sorted, by_path);
    vipann_status good = VIPANN_OK;
    for (size_t i = 1; i < manifest->n && good == VIPANN_OK; i++) {
        if (strcmp(sorted[i - 1]->path, sorted[i]->path) == 0) {
            good = vip_fail(error, VIPANN_E_FORMAT, "%s:%zu: the path \"%s\" is there already, in line %zu",
                            manifest->file, sorted[i]->line, sorted[i]->path, sorted[i - 1]->line);
        }
    }
    vip_free(sorted);
    return good;
}

/* Folder and set from the manifest's path: "esc50/manifest.csv" is of the set "esc50". */
static bool
name_set(vip_manifest *manifest, const char *path)
{
    const char *slash = strrchr(path, '/');
    manifest->file = vip_copy_string(path);
    manifest->folder = vip_copy_string(path);
    if (manifest->file == NULL || manifest->folder == NULL) {
        return false;
    }
    manifest->folder[slash == NULL ? 0 : slash - path + 1] = '\0';
    size_t end = slash == NULL ? 0 : (size_t)(slash - path);
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/') {
        begin--;
    }
    if (begin == end || strncmp(path + begin, ".", end - begin) == 0 || strncmp(path + begin, "..", end - begin) == 0) {
        begin =
            slash == NULL ? 0 : (size_t)(slash - path) + 1; /* no folder with a name: that of the file without ending */
        end = begin + strcspn(path + begin, ".");
    }
    manifest->set = vip_copy_string(path + begin);
    if (manifest->set != NULL) {
        manifest->set[end - begin] = '\0';
    }
    return manifest->set != NULL;
}

static vipann_status
take_table(vip_manifest *manifest, const vip_table *table, vipann_error *error)
{
    if (table->n == 0 || table->n > VIP_MANIFEST_ROWS) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: has %zu rows; expected 1 to %d", manifest->file, table->n,
                        VIP_MANIFEST_ROWS);
    }
    manifest->rows = vip_alloc(table->n, sizeof *manifest->rows);
    if (manifest->rows == NULL) {
        return vip_fail_memory(error, manifest->file);
    }
    vipann_status good = VIPANN_OK;
    for (size_t i = 0; i < table->n && good == VIPANN_OK; i++) {
        good = take_row(manifest, &table->rows[i], error);
    }
    return good == VIPANN_OK ? check_paths(manifest, error) : good;
}

vip_manifest *
vip_manifest_parse(const char *name, const char *text, size_t bytes, vipann_error *error)
{
    vip_table *table = vip_table_parse(name, text, bytes, COLUMNS, error);
    if (table == NULL) {
        return NULL;
    }
    vip_manifest *manifest = vip_alloc(1, sizeof *manifest);
    vipann_status good = manifest != NULL && name_set(manifest, name) ? VIPANN_OK : vip_fail_memory(error, name);
    if (good == VIPANN_OK) {
        good = take_table(manifest, table, error);
    }
    vip_table_free(table);
    if (good != VIPANN_OK) {
        vip_manifest_free(manifest);
        return NULL;
    }
    return manifest;
}

vip_manifest *
vip_manifest_read(const char *path, vipann_error *error)
{
    size_t bytes;
    char *text = vip_file_bytes(path, VIP_MANIFEST_BYTES, &bytes, error);
    vip_manifest *manifest = text != NULL ? vip_manifest_parse(path, text, bytes, error) : NULL;
    vip_free(text);
    return manifest;
}

void
vip_manifest_free(vip_manifest *manifest)
{
    if (manifest == NULL) {
        return;
    }
    for (size_t i = 0; i < manifest->n; i++) {
        vip_free(manifest->rows[i].path);
        vip_free(manifest->rows[i].labels);
        vip_free(manifest->rows[i].group);
    }
    vip_free(manifest->rows);
    vip_free(manifest->file);
    vip_free(manifest->folder);
    vip_free(manifest->set);
    vip_free(manifest);
}

char *
vip_manifest_audio(const vip_manifest *manifest, size_t row)
{
    const char *path = manifest->rows[row].path, *folder = path[0] == '/' ? "" : manifest->folder;
    const size_t n = strlen(folder), m = strlen(path);
    char *audio = vip_alloc(n + m + 1, 1);
    if (audio != NULL) {
        memcpy(audio, folder, n);
        memcpy(audio + n, path, m);
    }
    return audio;
}
