/* SPDX-License-Identifier: GPL-3.0-or-later */
/* search.h -- finds a file by its name alone, in the folders where such files lie. */
#ifndef VIP_PLUGIN_PROGRAM_SEARCH_H
#define VIP_PLUGIN_PROGRAM_SEARCH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

/* Where files of a kind lie, in the order in which folders are looked through; what is NULL is not. */
typedef struct {
    const char *ending;    /* that these files have and their names need not: ".conf" */
    const char *listed;    /* folders separated by colons */
    const char *own;       /* a folder of the user */
    const char *installed; /* the folder of what comes with the program */
    const char *beside;    /* the name of a folder in that of the program or in one of the two above it, as it is in a
                            * checkout */
} vip_search;

/* Whether name, if it has the ending, or name with the ending behind it is there; *path is then its path. Without its
 * ending a file's name may well be the name of a folder too, so that one is not looked for. */
bool vip_search_here(const vip_search *search, const char *name, char path[PATH_MAX]);

/* The same in the folders; nothing if the name is a path. */
bool vip_search_find(const vip_search *search, const char *name, char path[PATH_MAX]);

/* Writes the names that can be found in the folders, without their ending, sorted, as "a, b, c" into out, cut to fit.
 * Returns out. */
const char *vip_search_names(const vip_search *search, char *out, size_t size);

#endif /* VIP_PLUGIN_PROGRAM_SEARCH_H */
