/* SPDX-License-Identifier: GPL-3.0-or-later */
/* checkpoint.c -- see checkpoint.h for the contract. */
#include "checkpoint.h"

#include <base/hash.h>
#include <base/memory.h>
#include <base/status.h>
#include <common/atomic_file.h>
#include <offline_trainer/data/bytes.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char MAGIC[8] = {'v', 'i', 'p', 'a', 'n', 'n', '\n', 'c'};
enum { MOST_PATH = 4096 };

/* The file: MAGIC, this, the arrays, and the SHA-256 of all of that. Byte order is the machine's own, as is what the
 * numbers came from. */
typedef struct {
    uint64_t step, optimiser_steps, evaluations, since_best, clipped, clips;
    double seconds, best;
    uint64_t lengths[VIP_CHECKPOINT_ARRAYS];
    char recipe[72];
} heading;

static size_t
size_of(const vip_checkpoint *c)
{
    size_t bytes = sizeof MAGIC + sizeof(heading);
    for (int i = 0; i < VIP_CHECKPOINT_ARRAYS; i++) {
        bytes += c->arrays[i].n * sizeof(float);
    }
    return bytes + VIP_SHA256_SIZE;
}

static bool
path_of(char path[MOST_PATH], const char *folder, const char *name)
{
    return snprintf(path, MOST_PATH, "%s/%s", folder, name) < MOST_PATH;
}

static void
fill(const vip_checkpoint *c, char *bytes, size_t size)
{
    heading h = {c->step,  c->optimiser_steps, c->evaluations, c->since_best, c->clipped,
                 c->clips, c->seconds,         c->best,        {0},           ""};
    memcpy(h.recipe, c->recipe, sizeof c->recipe);
    char *at = bytes + sizeof MAGIC + sizeof h;
    for (int i = 0; i < VIP_CHECKPOINT_ARRAYS; i++) {
        h.lengths[i] = c->arrays[i].n;
        if (c->arrays[i].n > 0) {
            memcpy(at, c->arrays[i].numbers, c->arrays[i].n * sizeof(float));
        }
        at += c->arrays[i].n * sizeof(float);
    }
    memcpy(bytes, MAGIC, sizeof MAGIC);
    memcpy(bytes + sizeof MAGIC, &h, sizeof h);
    vip_sha256(bytes, size - VIP_SHA256_SIZE, at);
}

vipann_status
vip_checkpoint_write(const char *folder, const vip_checkpoint *checkpoint, vipann_error *error)
{
    char path[MOST_PATH], old[MOST_PATH];
    if (!path_of(path, folder, "checkpoint") || !path_of(old, folder, "checkpoint.old")) {
        return vip_fail(error, VIPANN_E_ARG, "%s: the path is too long", folder);
    }
    const size_t size = size_of(checkpoint);
    char *bytes = vip_alloc(size, 1);
    if (bytes == NULL) {
        return vip_fail_memory(error, "a checkpoint");
    }
    fill(checkpoint, bytes, size);
    vip_atomic_file *file = vip_atomic_file_open(path, error);
    vipann_status good = file != NULL ? VIPANN_OK : error != NULL ? error->status : VIPANN_E_IO;
    if (good == VIPANN_OK) {
        (void)fwrite(bytes, 1, size, vip_atomic_file_stream(file));
        (void)rename(path, old); /* the first time there is nothing to keep */
        good = vip_atomic_file_commit(file, error);
    }
    vip_free(bytes);
    return good;
}

/* Takes what the bytes say into the checkpoint; a broken one changes nothing. */
static vipann_status
take(const char *path, const char *bytes, size_t size, vip_checkpoint *c, vipann_error *error)
{
    heading h;
    char sum[VIP_SHA256_SIZE];
    if (size < sizeof MAGIC + sizeof h + VIP_SHA256_SIZE || memcmp(bytes, MAGIC, sizeof MAGIC) != 0) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: is no checkpoint, or one of another version", path);
    }
    vip_sha256(bytes, size - VIP_SHA256_SIZE, sum);
    if (memcmp(sum, bytes + size - VIP_SHA256_SIZE, VIP_SHA256_SIZE) != 0) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: is damaged: its checksum is another", path);
    }
    memcpy(&h, bytes + sizeof MAGIC, sizeof h);
    bool same = size == size_of(c) && memcmp(h.recipe, c->recipe, sizeof c->recipe) == 0;
    for (int i = 0; i < VIP_CHECKPOINT_ARRAYS; i++) {
        same = same && h.lengths[i] == c->arrays[i].n;
    }
    if (!same) {
        return vip_fail(
            error, VIPANN_E_ARG,
            "%s: was made with other options or other data; give those again, or begin anew in another folder", path);
    }
    c->step = h.step;
    c->optimiser_steps = h.optimiser_steps;
    c->evaluations = h.evaluations;
    c->since_best = h.since_best;
    c->clipped = h.clipped;
    c->clips = h.clips;
    c->seconds = h.seconds;
    c->best = h.best;
    const char *at = bytes + sizeof MAGIC + sizeof h;
    for (int i = 0; i < VIP_CHECKPOINT_ARRAYS; i++) {
        if (c->arrays[i].n > 0) {
            memcpy(c->arrays[i].numbers, at, c->arrays[i].n * sizeof(float));
        }
        at += c->arrays[i].n * sizeof(float);
    }
    return VIPANN_OK;
}

static vipann_status
read_one(const char *folder, const char *name, vip_checkpoint *checkpoint, vipann_error *error)
{
    char path[MOST_PATH];
    size_t size;
    if (!path_of(path, folder, name)) {
        return vip_fail(error, VIPANN_E_ARG, "%s: the path is too long", folder);
    }
    char *bytes = vip_file_bytes(path, SIZE_MAX / 2, &size, error);
    if (bytes == NULL) {
        return error->status;
    }
    const vipann_status good = take(path, bytes, size, checkpoint, error);
    vip_free(bytes);
    return good;
}

vipann_status
vip_checkpoint_read(const char *folder, vip_checkpoint *checkpoint, bool *older, vipann_error *error)
{
    vipann_error first = {VIPANN_OK, ""}, second = {VIPANN_OK, ""};
    *older = false;
    vipann_status good = read_one(folder, "checkpoint", checkpoint, &first);
    if (good == VIPANN_E_FORMAT || good == VIPANN_E_IO) {
        *older = read_one(folder, "checkpoint.old", checkpoint, &second) == VIPANN_OK;
        good = *older ? VIPANN_OK : good;
    }
    return good == VIPANN_OK ? good : vip_fail(error, good, "%s", first.text);
}
