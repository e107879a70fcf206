/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cache.c -- see cache.h for the contract: reading. */
#include "cache.h"
#include "cache_format.h"

#include <base/half.h>
#include <base/hash.h>
#include <base/memory.h>
#include <base/status.h>
#include <model/json.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct vip_cache {
    const unsigned char *bytes; /* mapped */
    size_t n_bytes;
    json_t *header; /* what all texts belong to */
    vip_frontend_spec frontend;
    char hash[VIP_SHA256_SIZE];
    size_t n;
    vip_cache_clip *clips;
    const char **labels; /* of all clips, one after the other */
};

static const char AGAIN[] = "`vipann-train features` makes it anew";

static vipann_status
broken(const char *path, const char *what, vipann_error *error)
{
    return vip_fail(error, VIPANN_E_FORMAT, "%s: %s; %s", path, what, AGAIN);
}

static vipann_status
map(vip_cache *cache, const char *path, vipann_error *error)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (file < 0 || fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) {
        const int why = errno;
        if (file >= 0) {
            (void)close(file);
        }
        return vip_fail(error, VIPANN_E_IO, "%s: %s", path, file < 0 ? strerror(why) : "is not a file");
    }
    if (about.st_size < VIP_CACHE_START) {
        (void)close(file);
        return broken(path, "is too short for a cache of frames", error);
    }
    cache->n_bytes = (size_t)about.st_size;
    void *bytes = mmap(NULL, cache->n_bytes, PROT_READ, MAP_PRIVATE, file, 0);
    (void)close(file);
    if (bytes == MAP_FAILED) {
        return vip_fail(error, VIPANN_E_IO, "%s: %s", path, strerror(errno));
    }
    cache->bytes = bytes;
    return VIPANN_OK;
}

static const char *
text_in(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static bool
number_in(const json_t *object, const char *key, double least, double most, double *value)
{
    const json_t *found = json_object_get(object, key);
    *value = json_number_value(found);
    return json_is_number(found) && *value >= least && *value <= most;
}

static bool
read_frontend(const json_t *json, vip_frontend_spec *spec)
{
    const char *name = text_in(json, "name");
    double n_fft, hop, mels;
    if (name == NULL || strlen(name) >= sizeof spec->name ||
        !number_in(json, "sample_rate", 8000, 96000, &spec->sample_rate) ||
        !number_in(json, "n_fft", 64, 8192, &n_fft) || !number_in(json, "hop", 1, n_fft, &hop) ||
        !number_in(json, "mels", VIP_MELS, VIP_MELS, &mels) || !number_in(json, "fmin", 0, 96000, &spec->fmin) ||
        !number_in(json, "fmax", spec->fmin, 96000, &spec->fmax) || !number_in(json, "amin", 1e-37, 1, &spec->amin)) {
        return false;
    }
    memcpy(spec->name, name, strlen(name) + 1);
    spec->n_fft = (uint32_t)n_fft;
    spec->hop = (uint32_t)hop;
    spec->mels = VIP_MELS;
    return true;
}

/* The labels of a clip into the common list, which has room. */
static bool
read_labels(const json_t *list, vip_cache_clip *clip, const char **labels, size_t *n)
{
    clip->labels = labels + *n;
    clip->n_labels = (uint32_t)json_array_size(list);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *label = json_string_value(json_array_get(list, i));
        if (label == NULL || label[0] == '\0') {
            return false;
        }
        labels[(*n)++] = label;
    }
    return json_is_array(list);
}

static bool
read_clip(const json_t *json, vip_cache_clip *clip, const char **labels, size_t *n_labels)
{
    const char *sha256 = text_in(json, "sha256");
    double fold, frames;
    clip->set = text_in(json, "set");
    clip->path = text_in(json, "path");
    clip->group = text_in(json, "group");
    if (clip->set == NULL || clip->path == NULL || clip->group == NULL || sha256 == NULL ||
        strlen(sha256) != VIP_SHA256_SIZE - 1 || !number_in(json, "fold", 0, UINT32_MAX, &fold) ||
        !number_in(json, "seconds", 0, 1e9, &clip->seconds) ||
        !number_in(json, "frames", VIP_COLUMN_FRAMES, 1e9, &frames)) {
        return false;
    }
    memcpy(clip->sha256, sha256, VIP_SHA256_SIZE);
    clip->fold = (uint32_t)fold;
    clip->n_frames = (size_t)frames;
    return read_labels(json_object_get(json, "labels"), clip, labels, n_labels);
}

/* Whether no f16 number is infinite or NaN. */
static bool
all_finite(const uint16_t *half, size_t n)
{
    unsigned bad = 0;
    for (size_t i = 0; i < n; i++) {
        bad |= (half[i] & 0x7c00u) == 0x7c00u;
    }
    return bad == 0;
}

static vipann_status
place_frames(vip_cache *cache, const char *path, size_t start, vipann_error *error)
{
    const uint16_t *frames = (const uint16_t *)(const void *)(cache->bytes + start);
    const size_t room = (cache->n_bytes - start) / sizeof *frames;
    size_t at = 0;
    for (size_t i = 0; i < cache->n; i++) {
        const size_t n = cache->clips[i].n_frames * VIP_MELS;
        if (n > room - at) {
            return broken(path, "ends before all frames that its header names", error);
        }
        cache->clips[i].frames = frames + at;
        at += n;
    }
    if (at != room || (cache->n_bytes - start) % sizeof *frames != 0) {
        return broken(path, "has more in it than its header names", error);
    }
    return all_finite(frames, room) ? VIPANN_OK : broken(path, "has frames that are no finite numbers", error);
}

static vipann_status
read_clips(vip_cache *cache, const char *path, vipann_error *error)
{
    const json_t *clips = json_object_get(cache->header, "clips");
    cache->n = json_array_size(clips);
    size_t n_labels = 0;
    for (size_t i = 0; i < cache->n; i++) {
        n_labels += json_array_size(json_object_get(json_array_get(clips, i), "labels"));
    }
    cache->clips = vip_alloc(cache->n, sizeof *cache->clips);
    cache->labels = vip_alloc(n_labels, sizeof *cache->labels);
    if (cache->clips == NULL || cache->labels == NULL) {
        return vip_fail_memory(error, path);
    }
    n_labels = 0;
    for (size_t i = 0; i < cache->n; i++) {
        if (!read_clip(json_array_get(clips, i), &cache->clips[i], cache->labels, &n_labels)) {
            return vip_fail(error, VIPANN_E_FORMAT, "%s: what its header says of clip %zu is not in order; %s", path, i,
                            AGAIN);
        }
    }
    return cache->n > 0 ? VIPANN_OK : broken(path, "has no clips", error);
}

static vipann_status
read_cache(vip_cache *cache, const char *path, vipann_error *error)
{
    vipann_status good = map(cache, path, error);
    if (good != VIPANN_OK) {
        return good;
    }
    if (memcmp(cache->bytes, VIP_CACHE_MAGIC, VIP_CACHE_MAGIC_BYTES) != 0) {
        return broken(path, "is no cache of frames, or one of another version", error);
    }
    uint64_t length = 0;
    for (int i = 0; i < 8; i++) {
        length |= (uint64_t)cache->bytes[VIP_CACHE_MAGIC_BYTES + i] << 8 * i;
    }
    if (length > VIP_CACHE_MOST_HEADER || vip_cache_data(length) > cache->n_bytes) {
        return broken(path, "says that its header is longer than the file", error);
    }
    const char *text = (const char *)cache->bytes + VIP_CACHE_START;
    vip_sha256(text, length, cache->hash);
    good = vip_json_parse(text, length, path, "the header", &cache->header, error);
    if (good != VIPANN_OK) {
        return good;
    }
    if (!read_frontend(json_object_get(cache->header, "frontend"), &cache->frontend)) {
        return broken(path, "says nothing sensible of its front-end", error);
    }
    good = read_clips(cache, path, error);
    return good == VIPANN_OK ? place_frames(cache, path, vip_cache_data(length), error) : good;
}

vip_cache *
vip_cache_open(const char *path, vipann_error *error)
{
    vip_cache *cache = vip_alloc(1, sizeof *cache);
    if (cache == NULL) {
        (void)vip_fail_memory(error, path);
        return NULL;
    }
    if (read_cache(cache, path, error) != VIPANN_OK) {
        vip_cache_close(cache);
        return NULL;
    }
    return cache;
}

void
vip_cache_close(vip_cache *cache)
{
    if (cache != NULL) {
        if (cache->bytes != NULL) {
            (void)munmap((void *)(uintptr_t)cache->bytes, cache->n_bytes);
        }
        json_decref(cache->header);
        vip_free(cache->clips);
        vip_free(cache->labels);
        vip_free(cache);
    }
}

size_t
vip_cache_clips(const vip_cache *cache)
{
    return cache->n;
}

const vip_cache_clip *
vip_cache_clip_at(const vip_cache *cache, size_t clip)
{
    return &cache->clips[clip];
}

const vip_frontend_spec *
vip_cache_frontend(const vip_cache *cache)
{
    return &cache->frontend;
}

const char *
vip_cache_hash(const vip_cache *cache)
{
    return cache->hash;
}

void
vip_cache_frames(const vip_cache_clip *clip, size_t first, size_t n, float *out)
{
    const uint16_t *from = clip->frames + first * VIP_MELS;
    for (size_t i = 0; i < n * VIP_MELS; i++) {
        out[i] = vip_half_to_float(from[i]);
    }
}
