/* SPDX-License-Identifier: GPL-3.0-or-later */
/* search.c -- see search.h for the contract. */
#include "search.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --------------------------------------------------------------------------------------------------------- folders */

/* Called for one folder after the other until it has seen enough: true. */
typedef bool visit(void *user, const char *folder);

static bool
visit_listed(const char *folders, visit *look, void *user)
{
    char folder[PATH_MAX];
    while (folders != NULL && *folders != '\0') {
        size_t length = strcspn(folders, ":");
        if (length > 0 && length < sizeof folder) {
            memcpy(folder, folders, length);
            folder[length] = '\0';
            if (look(user, folder)) {
                return true;
            }
        }
        folders += length + (folders[length] == ':');
    }
    return false;
}

static bool
visit_beside(const char *beside, visit *look, void *user)
{
    char program[PATH_MAX], folder[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    for (int up = 0; up < 3; up++) {
        char *slash = strrchr(program, '/');
        if (slash == NULL) {
            return false;
        }
        *slash = '\0';
        int n = snprintf(folder, sizeof folder, "%s/%s", program, beside);
        if (n > 0 && n < PATH_MAX && look(user, folder)) {
            return true;
        }
    }
    return false;
}

static bool
visit_all(const vip_search *search, visit *look, void *user)
{
    return visit_listed(search->listed, look, user) || (search->own != NULL && look(user, search->own)) ||
           (search->installed != NULL && look(user, search->installed)) ||
           (search->beside != NULL && visit_beside(search->beside, look, user));
}

static bool
has_ending(const char *name, const char *ending)
{
    size_t length = strlen(name), tail = strlen(ending);
    return length > tail && strcmp(name + length - tail, ending) == 0;
}

/* ----------------------------------------------------------------------------------------------------------- files */

/* What is looked for, and where it was found. */
typedef struct {
    const vip_search *search;
    const char *name;
    char *path; /* [PATH_MAX] */
} wanted;

static bool
is_there(const wanted *w, const char *folder, const char *ending)
{
    int n = snprintf(w->path, PATH_MAX, "%s%s%s%s", folder, *folder != '\0' ? "/" : "", w->name, ending);
    return n > 0 && n < PATH_MAX && access(w->path, F_OK) == 0;
}

static bool
look_for_file(void *user, const char *folder)
{
    const wanted *w = user;
    return (has_ending(w->name, w->search->ending) && is_there(w, folder, "")) ||
           is_there(w, folder, w->search->ending);
}

bool
vip_search_here(const vip_search *search, const char *name, char path[PATH_MAX])
{
    wanted w = {search, name, path};
    return look_for_file(&w, "");
}

bool
vip_search_find(const vip_search *search, const char *name, char path[PATH_MAX])
{
    wanted w = {search, name, path};
    return strchr(name, '/') == NULL && visit_all(search, look_for_file, &w);
}

/* ----------------------------------------------------------------------------------------------------------- names */

enum { MOST_NAMES = 32, LONGEST_NAME = 64 }; /* more than a message holds */

typedef struct {
    const char *ending;
    size_t n;
    char names[MOST_NAMES][LONGEST_NAME];
} name_list;

/* Puts the name in its place, unless it is there or there is no room. */
static void
add_name(name_list *list, const char *name, size_t length)
{
    size_t at = 0;
    char text[LONGEST_NAME];
    if (length >= sizeof text || list->n == MOST_NAMES) {
        return;
    }
    memcpy(text, name, length);
    text[length] = '\0';
    while (at < list->n && strcmp(list->names[at], text) < 0) {
        at++;
    }
    if (at == list->n || strcmp(list->names[at], text) != 0) {
        memmove(list->names[at + 1], list->names[at], (list->n - at) * sizeof *list->names);
        memcpy(list->names[at], text, length + 1);
        list->n++;
    }
}

static bool
list_folder(void *user, const char *path)
{
    name_list *list = user;
    DIR *folder = opendir(path);
    for (const struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (has_ending(entry->d_name, list->ending)) {
            add_name(list, entry->d_name, strlen(entry->d_name) - strlen(list->ending));
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    return false;
}

const char *
vip_search_names(const vip_search *search, char *out, size_t size)
{
    name_list list = {.ending = search->ending};
    size_t length = 0;
    (void)visit_all(search, list_folder, &list);
    out[0] = '\0';
    for (size_t i = 0; i < list.n && length < size; i++) {
        int n = snprintf(out + length, size - length, "%s%s", i == 0 ? "" : ", ", list.names[i]);
        length += n > 0 ? (size_t)n : 0;
    }
    return out;
}
