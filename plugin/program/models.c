/* SPDX-License-Identifier: GPL-3.0-or-later */
/* models.c -- see models.h for the contract. */
#include "models.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <common/support.h>

#ifndef VIPANN_PREFIX
#define VIPANN_PREFIX "/usr/local"
#endif

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

/* Whether folder/name or folder/name.safetensors is there; *path is then its name. folder may be "". */
static bool
find_in(const char *folder, size_t folder_length, const char *name, char path[PATH_MAX])
{
    static const char *const endings[] = {"", ".safetensors"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        int n = snprintf(path, PATH_MAX, "%.*s%s%s%s", (int)folder_length, folder, folder_length > 0 ? "/" : "", name,
                         endings[i]);
        bool whole = n > 0 && n < PATH_MAX;
        /* without its ending a model's name may well be the name of a folder too */
        if (whole && access(path, F_OK) == 0 && (i > 0 || strstr(name, ".safetensors") != NULL)) {
            return true;
        }
    }
    return false;
}

static bool
find_in_list(const char *folders, const char *name, char path[PATH_MAX])
{
    while (folders != NULL && *folders != '\0') {
        size_t length = strcspn(folders, ":");
        if (length > 0 && length < PATH_MAX && find_in(folders, length, name, path)) {
            return true;
        }
        folders += length + (folders[length] == ':');
    }
    return false;
}

/* In a checkout the program lies in build/ or in a folder of that, and the models in models/. */
static bool
find_beside_program(const char *name, char path[PATH_MAX])
{
    char folder[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    folder[length > 0 ? length : 0] = '\0';
    for (int up = 0; up < 3; up++) {
        char *slash = strrchr(folder, '/');
        if (slash == NULL) {
            return false;
        }
        *slash = '\0';
        char models[PATH_MAX + 8];
        int n = up == 0 ? 0 : snprintf(models, sizeof models, "%s/models", folder);
        if (n > 0 && n < PATH_MAX && find_in(models, (size_t)n, name, path)) {
            return true;
        }
    }
    return false;
}

vipann_model *
vip_models_open(const char *name, vipann_error *error)
{
    char path[PATH_MAX];
    if (find_in("", 0, name, path)) {
        return vipann_model_open(path, error);
    }
    if (strchr(name, '/') != NULL || access(name, F_OK) == 0) {
        return vipann_model_open(name,
                                 error); /* any file may be a model; whatever is wrong with it, this says it best */
    }
    static const char installed[] = VIPANN_PREFIX "/share/vipann/models";
    if (find_in_list(getenv("VIPANN_MODEL_PATH"), name, path) || find_in(installed, strlen(installed), name, path) ||
        find_beside_program(name, path)) {
        return vipann_model_open(path, error);
    }
    (void)vip_fail(error, VIPANN_E_IO,
                   "model %.60s: not found here, in VIPANN_MODEL_PATH or in %s; give the path of a "
                   ".safetensors file",
                   name, installed);
    return NULL;
}
