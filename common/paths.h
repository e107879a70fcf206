/* SPDX-License-Identifier: GPL-3.0-or-later */
/* paths.h -- the recordings that are meant by the names on a command line: files, and what folders hold.
 *
 * In folders, hidden files and files whose ending is not one of sound are passed over, links to files are followed,
 * links to folders are not: so there is no way in circles. */
#ifndef VIP_COMMON_PATHS_H
#define VIP_COMMON_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include <vipann/vipann.h>

typedef struct {
    char *path;       /* how it is opened and called in results */
    const char *name; /* its end: relative to the folder that was named, or the last part of a file that was named */
} vip_path;

/* Begin with {0}. */
typedef struct {
    vip_path *all;
    size_t n, room;
} vip_paths;

/* Told of each folder that cannot be read; text is one line. */
typedef void (*vip_paths_note)(void *user, const char *text);

/* Appends a recording, or if it is a folder and recursive is set, what is in it and below, sorted by the bytes of their
 * paths. Errors: E_MEMORY. */
vipann_status vip_paths_add(vip_paths *paths, const char *path, bool recursive, vip_paths_note note, void *user,
                            vipann_error *error);

/* Keeps every n-th only, beginning with the i-th; 1 <= i <= n. */
void vip_paths_keep_shard(vip_paths *paths, uint64_t i, uint64_t n);

/* Removes those for which leave[i] is set; [paths->n]. */
void vip_paths_remove(vip_paths *paths, const bool *leave);

/* Sets order[k] (k < n) to the index of the k-th path, sorted by path (or by name), of equals the first one first. */
void vip_paths_sort(const vip_paths *paths, bool by_name, size_t *order);

void vip_paths_free(vip_paths *paths);

#endif /* VIP_COMMON_PATHS_H */
