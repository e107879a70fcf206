/* SPDX-License-Identifier: GPL-3.0-or-later */
/* frames.c -- see frames.h for the contract. */
#include "frames.h"

#include "bytes.h"

#include <base/half.h>
#include <base/hash.h>
#include <base/memory.h>
#include <base/status.h>
#include <common/audio.h>
#include <frontend/frontend.h>

#include <math.h>
#include <stdlib.h>

enum { READ = 64 /* frames at once */, MOST_AUDIO = 1 << 30 };
static const double LOUDEST = 100; /* samples beyond are cut, as the engine does */

vipann_status
vip_hash_of(const char *path, char sha256[65], vipann_error *error)
{
    size_t bytes;
    char *file = vip_file_bytes(path, MOST_AUDIO, &bytes, error);
    if (file == NULL) {
        return error != NULL ? error->status : VIPANN_E_IO;
    }
    vip_sha256(file, bytes, sha256);
    vip_free(file);
    return VIPANN_OK;
}

/* Takes what the front-end has ready. */
static bool
collect(vip_frontend *frontend, vip_clip_frames *out, size_t *room)
{
    float frames[READ * VIP_MELS];
    for (size_t n; (n = vip_frontend_read(frontend, frames, READ)) > 0; out->n += n) {
        if (out->n + n > *room) {
            const size_t larger = 2 * *room + 1024;
            uint16_t *half = realloc(out->half, larger * VIP_MELS * sizeof *half);
            if (half == NULL) {
                return false;
            }
            out->half = half;
            *room = larger;
        }
        for (size_t i = 0; i < n * VIP_MELS; i++) {
            out->half[out->n * VIP_MELS + i] = vip_float_to_half(frames[i]);
        }
    }
    return true;
}

static bool
feed(vip_frontend *frontend, const float *x, size_t n, vip_clip_frames *out, size_t *room)
{
    while (n > 0) {
        const size_t space = vip_frontend_space(frontend), part = n < space ? n : space;
        vip_frontend_feed(frontend, x, part);
        x += part;
        n -= part;
        if (!collect(frontend, out, room)) {
            return false;
        }
    }
    return true;
}

/* The mean of all channels, in the first one's place; what is no number is silence. */
static void
mix(float *const *channels, uint32_t n_channels, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++) {
        double sum = 0;
        for (uint32_t c = 0; c < n_channels; c++) {
            sum += isfinite(channels[c][i]) ? (double)channels[c][i] : 0;
        }
        sum /= n_channels;
        channels[0][i] = (float)(sum > LOUDEST ? LOUDEST : sum < -LOUDEST ? -LOUDEST : sum);
    }
}

static vipann_status
hear(vip_audio *audio, const char *path, vip_frontend *frontend, vip_clip_frames *out, vipann_error *error)
{
    const vip_audio_facts *facts = vip_audio_describe(audio);
    float *block = vip_alloc((size_t)facts->channels * VIP_AUDIO_BLOCK, sizeof *block);
    float **channels = vip_alloc(facts->channels, sizeof *channels);
    bool good = block != NULL && channels != NULL;
    for (uint32_t c = 0; good && c < facts->channels; c++) {
        channels[c] = block + (size_t)c * VIP_AUDIO_BLOCK;
    }
    size_t room = 0;
    uint64_t samples = 0;
    for (uint32_t n; good && (n = vip_audio_read(audio, channels, VIP_AUDIO_BLOCK)) > 0; samples += n) {
        mix(channels, facts->channels, n);
        good = feed(frontend, channels[0], n, out, &room);
    }
    if (good) {
        vip_frontend_end(frontend);
        good = collect(frontend, out, &room);
    }
    out->seconds = (double)samples / facts->rate;
    vip_free(block);
    vip_free(channels);
    return good ? vip_audio_check(audio, error) : vip_fail_memory(error, path);
}

vipann_status
vip_frames_of(const char *path, const vip_frontend_spec *spec, vip_clip_frames *out, vipann_error *error)
{
    *out = (vip_clip_frames){0, NULL, 0, ""};
    vipann_status good = vip_hash_of(path, out->sha256, error);
    if (good != VIPANN_OK) {
        return good;
    }
    vip_audio *audio = vip_audio_open(path, 0, 0, error);
    if (audio == NULL) {
        return error->status;
    }
    vip_frontend *frontend = vip_frontend_new(spec, vip_audio_describe(audio)->rate, error);
    good = frontend != NULL ? hear(audio, path, frontend, out, error) : error->status;
    vip_frontend_free(frontend);
    vip_audio_close(audio);
    if (good == VIPANN_OK && out->n < VIP_COLUMN_FRAMES) {
        good = vip_fail(error, VIPANN_E_FORMAT, "%s: no sound in it", path);
    }
    if (good != VIPANN_OK) {
        free(out->half);
        out->half = NULL;
    }
    return good;
}
