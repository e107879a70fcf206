/* SPDX-License-Identifier: GPL-3.0-or-later */
/* paths.c -- see paths.h for the contract. */
#include "paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <base/memory.h>
#include <base/status.h>

#include "text.h"

enum { FIRST = 64, SHOWN = 120 };

static const char WHAT[] = "the list of recordings";

/* One walk through a folder: those below wait in `folders` until they are read. */
typedef struct {
    vip_paths *files;
    vip_paths folders;
    vip_paths_note note;
    void *user;
    size_t root; /* bytes of a path before the part that becomes its name */
} walk;

/* -------------------------------------------------------------------------------------------------------- lists */

static bool
append(vip_paths *paths, char *path, size_t root)
{
    if (path != NULL && paths->n == paths->room) {
        size_t room = paths->room > 0 ? 2 * paths->room : FIRST;
        vip_path *larger = vip_alloc(room, sizeof *larger);
        if (larger == NULL) {
            vip_free(path);
            return false;
        }
        if (paths->n > 0) {
            memcpy(larger, paths->all, paths->n * sizeof *larger);
        }
        vip_free(paths->all);
        paths->all = larger;
        paths->room = room;
    }
    if (path == NULL) {
        return false;
    }
    paths->all[paths->n++] = (vip_path){path, path + root};
    return true;
}

void
vip_paths_free(vip_paths *paths)
{
    for (size_t i = 0; i < paths->n; i++) {
        vip_free(paths->all[i].path);
    }
    vip_free(paths->all);
    *paths = (vip_paths){0};
}

void
vip_paths_remove(vip_paths *paths, const bool *leave)
{
    size_t kept = 0;
    for (size_t i = 0; i < paths->n; i++) {
        if (leave[i]) {
            vip_free(paths->all[i].path);
        } else {
            paths->all[kept++] = paths->all[i];
        }
    }
    paths->n = kept;
}

void
vip_paths_keep_shard(vip_paths *paths, uint64_t i, uint64_t n)
{
    size_t kept = 0;
    for (size_t k = 0; k < paths->n; k++) {
        if (k % n == i - 1) {
            paths->all[kept++] = paths->all[k];
        } else {
            vip_free(paths->all[k].path);
        }
    }
    paths->n = kept;
}

/* ------------------------------------------------------------------------------------------------------ sorting */

static int
compare_paths(const void *a, const void *b)
{
    return strcmp(((const vip_path *)a)->path, ((const vip_path *)b)->path);
}

static bool
comes_before(const vip_paths *paths, bool by_name, size_t a, size_t b)
{
    const vip_path *left = &paths->all[a], *right = &paths->all[b];
    int order = by_name ? strcmp(left->name, right->name) : strcmp(left->path, right->path);
    return order != 0 ? order < 0 : a < b;
}

/* Lets order[at] sink in the heap of the first n. */
static void
sink(const vip_paths *paths, bool by_name, size_t *order, size_t at, size_t n)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && comes_before(paths, by_name, order[child], order[child + 1])) {
            child++;
        }
        if (!comes_before(paths, by_name, order[at], order[child])) {
            return;
        }
        size_t moved = order[at];
        order[at] = order[child];
        order[child] = moved;
    }
}

/* A heap sort: qsort would not tell its comparison which paths the indices belong to. */
void
vip_paths_sort(const vip_paths *paths, bool by_name, size_t *order)
{
    for (size_t i = 0; i < paths->n; i++) {
        order[i] = i;
    }
    for (size_t i = paths->n / 2; i-- > 0;) {
        sink(paths, by_name, order, i, paths->n);
    }
    for (size_t n = paths->n; n > 1;) {
        size_t largest = order[0];
        order[0] = order[--n];
        order[n] = largest;
        sink(paths, by_name, order, 0, n);
    }
}

/* ------------------------------------------------------------------------------------------------------ folders */

static bool
is_sound_by_name(const char *name)
{
    static const char *const endings[] = {"aif", "aifc", "aiff", "au",   "bwf", "caf", "flac", "mp3",
                                          "oga", "ogg",  "opus", "rf64", "snd", "w64", "wav",  "wave"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < sizeof endings / sizeof *endings; i++) {
        if (strcasecmp(dot + 1, endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

static char *
join(const char *folder, const char *name)
{
    size_t length = strlen(folder), size = length + strlen(name) + 2;
    char *path = vip_alloc(size, 1);
    if (path != NULL) {
        (void)snprintf(path, size, "%s%s%s", folder, length > 0 && folder[length - 1] == '/' ? "" : "/", name);
    }
    return path;
}

static void
tell(const walk *w, const char *folder)
{
    vipann_error line;
    (void)vip_fail(&line, VIPANN_E_IO, "%s: this folder cannot be read: %s; the recordings in it are left out",
                   vip_text_tail(folder, SHOWN), strerror(errno));
    w->note(w->user, line.text);
}

/* Sorts one entry of a folder in; false: memory is short. */
static bool
take_entry(walk *w, const char *folder, const char *name)
{
    struct stat facts;
    if (name[0] == '.') {
        return true; /* hidden, or the folder itself or the one above */
    }
    char *path = join(folder, name);
    if (path == NULL) {
        return false;
    }
    bool there = lstat(path, &facts) == 0;
    if (!there && errno != ENOENT && !is_sound_by_name(name)) {
        tell(w, path); /* it may be a folder */
    }
    if (there && S_ISDIR(facts.st_mode)) {
        return append(&w->folders, path, 0);
    }
    bool link = there && S_ISLNK(facts.st_mode);
    bool target = !link || stat(path, &facts) == 0; /* a link to nothing will be reported like a missing file */
    if (!is_sound_by_name(name) || (there && target && !S_ISREG(facts.st_mode))) {
        vip_free(path);
        return true;
    }
    return append(w->files, path, w->root);
}

/* Reads one folder; false: memory is short. */
static bool
read_folder(walk *w, const char *folder)
{
    DIR *entries = opendir(folder);
    if (entries == NULL) {
        tell(w, folder);
        return true;
    }
    bool good = true;
    const struct dirent *entry;
    for (errno = 0; good && (entry = readdir(entries)) != NULL; errno = 0) {
        good = take_entry(w, folder, entry->d_name);
    }
    if (good && errno != 0) {
        tell(w, folder);
    }
    (void)closedir(entries);
    return good;
}

static bool
walk_folder(walk *w, const char *path)
{
    size_t length = strlen(path), before = w->files->n;
    w->root = length + (path[length - 1] != '/');
    bool good = append(&w->folders, vip_copy_string(path), 0);
    while (good && w->folders.n > 0) {
        char *folder = w->folders.all[--w->folders.n].path;
        good = read_folder(w, folder);
        vip_free(folder);
    }
    vip_paths_free(&w->folders);
    if (w->files->n > before) {
        qsort(w->files->all + before, w->files->n - before, sizeof *w->files->all, compare_paths);
    }
    return good;
}

vipann_status
vip_paths_add(vip_paths *paths, const char *path, bool recursive, vip_paths_note note, void *user, vipann_error *error)
{
    struct stat facts;
    bool good;
    if (recursive && strcmp(path, "-") != 0 && stat(path, &facts) == 0 && S_ISDIR(facts.st_mode)) {
        walk w = {.files = paths, .note = note, .user = user};
        good = walk_folder(&w, path);
    } else {
        const char *slash = strrchr(path, '/');
        good = append(paths, vip_copy_string(path), slash != NULL ? (size_t)(slash + 1 - path) : 0);
    }
    return good ? VIPANN_OK : vip_fail_memory(error, WHAT);
}
