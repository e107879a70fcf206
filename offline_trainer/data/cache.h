/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cache.h -- log-mel frames of many clips in one file that is mapped into memory.
 *
 * The file: 8 bytes of magic, 8 bytes with the length of a JSON header (little endian), the header, zeros up to a
 * multiple of 64 bytes, then the frames of all clips in the order of the header, f16, [frames][VIP_MELS], dB. Where a clip
 * begins follows from the lengths before it, so nothing can overlap. The header names the front-end and, for each clip,
 * its set, path, labels, fold, group, and the SHA-256 of its audio. */
#ifndef VIP_TRAINER_CACHE_H
#define VIP_TRAINER_CACHE_H

#include <model/model.h>

typedef struct {
    const char *set, *path; /* the manifest's folder, and the path in it */
    const char *group;
    char sha256[65]; /* of the audio file */
    uint32_t fold;
    uint32_t n_labels;
    const char *const *labels; /* [n_labels] */
    double seconds;
    size_t n_frames;
    const uint16_t *frames; /* f16, [n_frames][VIP_MELS] */
} vip_cache_clip;

typedef struct vip_cache vip_cache;

/* Maps a cache and checks all of it. Errors: E_IO, E_FORMAT (what is wrong, and that `vipann-train features` makes it anew),
 * E_MEMORY. */
vip_cache *vip_cache_open(const char *path, vipann_error *error);

/* NULL is allowed. */
void vip_cache_close(vip_cache *cache);

size_t vip_cache_clips(const vip_cache *cache);
const vip_cache_clip *vip_cache_clip_at(const vip_cache *cache, size_t clip);
const vip_frontend_spec *vip_cache_frontend(const vip_cache *cache);

/* SHA-256 of the header: of what is in it, but for the order of bits in the frames. */
const char *vip_cache_hash(const vip_cache *cache);

/* Frames `first` .. first + n - 1 of a clip as floats, [n][VIP_MELS]. */
void vip_cache_frames(const vip_cache_clip *clip, size_t first, size_t n, float *out);

/* ------------------------------------------------------------------------------------------------------------ writing */

typedef struct {
    const char *set, *path, *labels, *group; /* labels: separated by ';' */
    const char *sha256;
    uint32_t fold;
    double seconds;
    size_t n_frames;
} vip_cache_entry;

typedef struct vip_cache_writer vip_cache_writer;

/* A cache that appears under its path when it is committed. entries are copied into the header. Errors: E_IO, E_MEMORY. */
vip_cache_writer *vip_cache_writer_new(const char *path, const vip_frontend_spec *spec, const vip_cache_entry *entries,
                                       size_t n, vipann_error *error);

/* Appends frames of the next clip, [n][VIP_MELS] f16. */
void vip_cache_writer_frames(vip_cache_writer *writer, const uint16_t *frames, size_t n);

/* Gives the file its name and frees the writer; or forgets it. */
vipann_status vip_cache_writer_commit(vip_cache_writer *writer, vipann_error *error);
void vip_cache_writer_discard(vip_cache_writer *writer);

#endif /* VIP_TRAINER_CACHE_H */
