/* SPDX-License-Identifier: GPL-3.0-or-later */
/* state.c -- see state.h for the contract.
 *
 * A model of the bundle is kept by name, since the bundle lies elsewhere on another machine; any other by its path,
 * which the host may make its own. */
#include "state.h"

#include <stdlib.h>
#include <string.h>

#include "owner.h"

typedef struct {
    const LV2_State_Map_Path *map;
    const LV2_State_Free_Path *free;
} path_features;

static path_features
find_features(const LV2_Feature *const *features)
{
    path_features found = {NULL, NULL};
    for (; features != NULL && *features != NULL; features++) {
        const LV2_Feature *f = *features;
        if (f->URI == NULL || f->data == NULL) {
            continue;
        }
        if (strcmp(f->URI, LV2_STATE__mapPath) == 0) {
            found.map = f->data;
        } else if (strcmp(f->URI, LV2_STATE__freePath) == 0) {
            found.free = f->data;
        }
    }
    return found;
}

/* What the host gave is the host's to free; hosts older than that feature used malloc. */
static void
free_path(path_features features, char *path)
{
    if (features.free != NULL && features.free->free_path != NULL) {
        features.free->free_path(features.free->handle, path);
    } else {
        free(path);
    }
}

static LV2_State_Status
store_text(LV2_State_Store_Function store, LV2_State_Handle handle, LV2_URID key, LV2_URID type, const char *text)
{
    return store(handle, key, text, strlen(text) + 1, type, LV2_STATE_IS_POD | LV2_STATE_IS_PORTABLE);
}

static LV2_State_Status
store_path(vip_instance *p, LV2_State_Store_Function store, LV2_State_Handle handle, path_features features)
{
    char *mapped = NULL;
    if (features.map != NULL && features.map->abstract_path != NULL) {
        mapped = features.map->abstract_path(features.map->handle, p->path);
    }
    const char *path = mapped != NULL && *mapped != '\0' ? mapped : p->path;
    LV2_State_Status status = store_text(store, handle, p->uris.model, p->uris.atom_path, path);
    if (mapped != NULL) {
        free_path(features, mapped);
    }
    return status;
}

static LV2_State_Status
save(LV2_Handle instance, LV2_State_Store_Function store, LV2_State_Handle handle, uint32_t flags,
     const LV2_Feature *const *features)
{
    (void)flags;
    vip_instance *p = instance;
    if (p->map == NULL || store == NULL) {
        return LV2_STATE_ERR_NO_FEATURE;
    }
    LV2_State_Status status = LV2_STATE_SUCCESS; /* without a model there is nothing to keep: an empty path is none */
    pthread_mutex_lock(&p->owner);
    if (p->model != NULL && p->bundled) {
        status = store_text(store, handle, p->uris.bundled, p->uris.atom_string, p->path);
    } else if (p->model != NULL) {
        status = store_path(p, store, handle, find_features(features));
    }
    pthread_mutex_unlock(&p->owner);
    return status;
}

/* The text of a key, cut where it ends; false: it is not there, empty, of another type or too long. */
static bool
retrieve_text(LV2_State_Retrieve_Function retrieve, LV2_State_Handle handle, LV2_URID key, const LV2_URID types[2],
              char out[VIP_PATH_BYTES])
{
    size_t size = 0;
    uint32_t type = 0, flags = 0;
    const char *text = retrieve(handle, key, &size, &type, &flags);
    if (text == NULL || size == 0 || (type != types[0] && type != types[1])) {
        return false;
    }
    const char *end = memchr(text, '\0', size);
    size_t length = end != NULL ? (size_t)(end - text) : size;
    if (length == 0 || length >= VIP_PATH_BYTES) {
        return false;
    }
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

static void
make_absolute(path_features features, char path[VIP_PATH_BYTES])
{
    if (features.map == NULL || features.map->absolute_path == NULL) {
        return;
    }
    char *mapped = features.map->absolute_path(features.map->handle, path);
    if (mapped == NULL) {
        return;
    }
    size_t length = strlen(mapped);
    if (length > 0 && length < VIP_PATH_BYTES) {
        memcpy(path, mapped, length + 1);
    }
    free_path(features, mapped);
}

static LV2_State_Status
restore(LV2_Handle instance, LV2_State_Retrieve_Function retrieve, LV2_State_Handle handle, uint32_t flags,
        const LV2_Feature *const *features)
{
    (void)flags;
    vip_instance *p = instance;
    if (p->map == NULL || retrieve == NULL) {
        return LV2_STATE_ERR_NO_FEATURE;
    }
    char path[VIP_PATH_BYTES];
    const LV2_URID names[2] = {p->uris.atom_string, p->uris.atom_string};
    const LV2_URID paths[2] = {p->uris.atom_path, p->uris.atom_string};
    bool bundled = false;
    if (retrieve_text(retrieve, handle, p->uris.model, paths, path)) {
        make_absolute(find_features(features), path);
    } else if (retrieve_text(retrieve, handle, p->uris.bundled, names, path) && strchr(path, '/') == NULL) {
        bundled = true;
    } else {
        return LV2_STATE_SUCCESS;
    }
    pthread_mutex_lock(&p->owner);
    vipann_status status = vip_owner_load(p, path, bundled);
    pthread_mutex_unlock(&p->owner);
    return status == VIPANN_OK ? LV2_STATE_SUCCESS : LV2_STATE_ERR_UNKNOWN;
}

const LV2_State_Interface VIP_STATE = {save, restore};
