/* SPDX-License-Identifier: GPL-3.0-or-later */
/* frontend.c -- see frontend.h for the contract.
 *
 * The signal at the model's rate lies in one buffer, which holds what coming frames need; a frame is computed when it
 * is read. Most frames are a piece of that buffer. Those at the ends are gathered sample by sample through reflection,
 * and the silence that extends a short sound is never stored. */
#include "frontend.h"

#include <base/memory.h>
#include <base/status.h>

#include <assert.h>
#include <stdint.h>
#include <string.h>

static const double LOWEST_RATE = 8000.0, HIGHEST_RATE = 384000.0; /* Hz */

enum { MOST_FED = 4096 }; /* samples that are fed at once: bounds the buffer */

/* Positions are counted in samples of the signal from its start, in 64 bits: half a million years. */
struct vip_frontend {
    int64_t n_fft, hop;
    vip_resampler *resampler; /* NULL: the input has the model's rate */
    vip_logmel *logmel;
    float *signal;   /* what is held of the signal */
    float *gathered; /* [n_fft]: a frame at an end */
    int64_t begin;   /* position of signal[0] */
    int64_t heard;   /* length of the signal so far */
    int64_t total;   /* after the end: the length including silence; before: longer than any sound */
    int64_t next;    /* the frame that is read next */
    bool begun, ended;
};

static const int64_t ENDLESS = INT64_MAX / 4; /* doubling it does not overflow */

static int64_t
smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

vip_frontend *
vip_frontend_new(const vip_frontend_spec *spec, double input_rate, vipann_error *error)
{
    if (!(input_rate >= LOWEST_RATE && input_rate <= HIGHEST_RATE)) {
        vip_fail(error, VIPANN_E_ARG, "sampling rate: %.15g Hz; expected %.0f to %.0f", input_rate, LOWEST_RATE,
                 HIGHEST_RATE);
        return NULL;
    }
    vip_frontend *frontend = vip_alloc(1, sizeof *frontend);
    if (frontend == NULL) {
        goto out_of_memory;
    }
    size_t most = MOST_FED;
    if (input_rate != spec->sample_rate) {
        frontend->resampler = vip_resampler_new(input_rate, spec->sample_rate);
        if (frontend->resampler == NULL) {
            goto out_of_memory;
        }
        most = vip_resampler_most(frontend->resampler, most);
    }
    frontend->n_fft = spec->n_fft;
    frontend->hop = spec->hop;
    frontend->logmel = vip_logmel_new(spec);
    frontend->gathered = vip_alloc(spec->n_fft, sizeof(float));
    frontend->signal = vip_alloc(spec->n_fft + most, sizeof(float)); /* drop_old leaves at most n_fft */
    if (frontend->logmel == NULL || frontend->gathered == NULL || frontend->signal == NULL) {
        goto out_of_memory;
    }
    vip_frontend_reset(frontend);
    return frontend;

out_of_memory:
    vip_fail_memory(error, "the front-end");
    vip_frontend_free(frontend);
    return NULL;
}

void
vip_frontend_free(vip_frontend *frontend)
{
    if (frontend != NULL) {
        vip_resampler_free(frontend->resampler);
        vip_logmel_free(frontend->logmel);
        vip_free(frontend->gathered);
        vip_free(frontend->signal);
        vip_free(frontend);
    }
}

void
vip_frontend_reset(vip_frontend *frontend)
{
    if (frontend->resampler != NULL) {
        vip_resampler_reset(frontend->resampler);
    }
    frontend->begin = 0;
    frontend->heard = 0;
    frontend->total = ENDLESS;
    frontend->next = 0;
    frontend->begun = false;
    frontend->ended = false;
}

/* --------------------------------------------------------------------------------------------------------- samples */

/* How many frames can be read. */
static int64_t
frames_there(const vip_frontend *frontend)
{
    if (frontend->ended) {
        return frontend->total == 0 ? 0 : 1 + frontend->total / frontend->hop - frontend->next;
    }
    int64_t behind = frontend->heard - frontend->n_fft / 2; /* the last place whose whole window has been heard */
    return behind < 0 ? 0 : 1 + behind / frontend->hop - frontend->next;
}

size_t
vip_frontend_space(const vip_frontend *frontend)
{
    bool full = frontend->ended || frames_there(frontend) > 0;
    return full ? 0 : MOST_FED;
}

/* Forgets what no coming frame can need: what lies before the next frame and before the farthest that the end can
 * reflect to. No frame waits, so the next one ends behind what was heard and at most n_fft samples are left. */
static void
drop_old(vip_frontend *frontend)
{
    int64_t half = frontend->n_fft / 2;
    int64_t keep = smaller(frontend->next * frontend->hop - half, frontend->heard - 1 - half);
    if (keep > frontend->begin) {
        memmove(frontend->signal, frontend->signal + (keep - frontend->begin),
                (size_t)(frontend->heard - keep) * sizeof(float));
        frontend->begin = keep;
    }
}

void
vip_frontend_feed(vip_frontend *frontend, const float *x, size_t n)
{
    assert(n <= vip_frontend_space(frontend));
    if (n == 0) {
        return;
    }
    frontend->begun = true;
    drop_old(frontend);
    float *place = frontend->signal + (frontend->heard - frontend->begin);
    if (frontend->resampler == NULL) {
        memcpy(place, x, n * sizeof *x);
    } else {
        n = vip_resampler_push(frontend->resampler, x, n, place);
    }
    frontend->heard += (int64_t)n;
}

/* least: the length up to which a sound is extended with silence. */
static void
end(vip_frontend *frontend, int64_t least)
{
    if (frontend->ended) {
        return;
    }
    if (frontend->resampler != NULL) {
        float *place = frontend->signal + (frontend->heard - frontend->begin);
        frontend->heard += (int64_t)vip_resampler_end(frontend->resampler, place);
    }
    frontend->ended = true;
    frontend->total = frontend->heard > least ? frontend->heard : least;
}

void
vip_frontend_end(vip_frontend *frontend)
{
    end(frontend, frontend->begun ? (VIP_COLUMN_FRAMES - 1) * frontend->hop : 0);
}

void
vip_frontend_end_plain(vip_frontend *frontend)
{
    end(frontend, 0);
}

/* ---------------------------------------------------------------------------------------------------------- frames */

/* Where position i, which may lie outside, falls in a signal of n samples that is mirrored at its first and last. */
static int64_t
reflect(int64_t i, int64_t n)
{
    if (n == 1) {
        return 0;
    }
    int64_t period = 2 * (n - 1);
    i %= period;
    i += i < 0 ? period : 0;
    return i < n ? i : period - i;
}

/* The samples of the frame that starts at position start and reaches over an end. While the stream goes on, its very
 * first one may not have been heard; it counts for nothing, as the window is 0 there. */
static const float *
gather(vip_frontend *frontend, int64_t start)
{
    for (int64_t k = 0; k < frontend->n_fft; k++) {
        int64_t i = reflect(start + k, frontend->total);
        frontend->gathered[k] = i < frontend->heard ? frontend->signal[i - frontend->begin] : 0.0f;
    }
    return frontend->gathered;
}

size_t
vip_frontend_read(vip_frontend *frontend, float *logmel, size_t max_frames)
{
    int64_t there = frames_there(frontend);
    size_t n = (uint64_t)there < max_frames ? (size_t)there : max_frames;
    for (size_t i = 0; i < n; i++) {
        int64_t start = frontend->next * frontend->hop - frontend->n_fft / 2;
        bool inside = start >= 0 && start + frontend->n_fft <= frontend->heard;
        const float *x = inside ? frontend->signal + (start - frontend->begin) : gather(frontend, start);
        vip_logmel_frame(frontend->logmel, x, logmel + i * VIP_MELS);
        frontend->next++;
    }
    return n;
}
