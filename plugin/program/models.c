/* SPDX-License-Identifier: GPL-3.0-or-later */
/* models.c -- see models.h for the contract. */
#include "models.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <common/support.h>

#include "search.h"

#ifndef VIPANN_PREFIX
#define VIPANN_PREFIX "/usr/local"
#endif

vipann_model *
vip_models_open(const char *name, vipann_error *error)
{
    char path[PATH_MAX];
    const vip_search search = {.ending = ".safetensors",
                               .listed = getenv("VIPANN_MODEL_PATH"),
                               .installed = VIPANN_PREFIX "/share/vipann/models",
                               .beside = "models"};
    if (vip_search_here(&search, name, path)) {
        return vipann_model_open(path, error);
    }
    if (strchr(name, '/') != NULL || access(name, F_OK) == 0) {
        return vipann_model_open(name,
                                 error); /* any file may be a model; whatever is wrong with it, this says it best */
    }
    if (vip_search_find(&search, name, path)) {
        return vipann_model_open(path, error);
    }
    (void)vip_fail(error, VIPANN_E_IO,
                   "model %.60s: not found here, in VIPANN_MODEL_PATH or in %s; give the path of a "
                   ".safetensors file",
                   name, search.installed);
    return NULL;
}
