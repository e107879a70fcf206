/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resample.c -- see resample.h for the contract. */
#include "resample.h"

#include <samplerate.h>

#include <base/memory.h>

#include <math.h>

/* The converter hears this many samples (of the slower of the two rates) past the place of an output sample before it
 * gives it, and gives what it held back when the sound ends. Its filter reaches 45.7 samples; the rest is for rounding
 * and for its own block-wise reading. */
enum { LOOK_AHEAD = 64 };

struct vip_resampler {
    SRC_STATE *state;
    double ratio; /* samples out per sample in */
};

vip_resampler *
vip_resampler_new(double from, double to)
{
    vip_resampler *resampler = vip_alloc(1, sizeof *resampler);
    if (resampler == NULL) {
        return NULL;
    }
    int code;
    resampler->ratio = to / from;
    resampler->state = src_new(SRC_SINC_MEDIUM_QUALITY, 1, &code);
    if (resampler->state == NULL) {
        vip_resampler_free(resampler);
        return NULL;
    }
    return resampler;
}

void
vip_resampler_free(vip_resampler *resampler)
{
    if (resampler != NULL) {
        if (resampler->state != NULL) {
            (void)src_delete(resampler->state);
        }
        vip_free(resampler);
    }
}

void
vip_resampler_reset(vip_resampler *resampler)
{
    (void)src_reset(resampler->state);
}

size_t
vip_resampler_most(const vip_resampler *resampler, size_t n)
{
    double ratio = resampler->ratio;
    return (size_t)ceil((double)n * ratio + LOOK_AHEAD * fmax(ratio, 1.0)) + 1;
}

size_t
vip_resampler_push(vip_resampler *resampler, const float *x, size_t n, bool last, float *out)
{
    size_t used = 0, made = 0, most = vip_resampler_most(resampler, n);
    for (;;) {
        SRC_DATA data = {.data_in = x + used,
                         .data_out = out + made,
                         .input_frames = (long)(n - used),
                         .output_frames = (long)(most - made),
                         .end_of_input = last,
                         .src_ratio = resampler->ratio};
        if (src_process(resampler->state, &data) != 0) {
            break; /* only for arguments that are wrong, which ours are not; never a reason to loop */
        }
        used += (size_t)data.input_frames_used;
        made += (size_t)data.output_frames_gen;
        bool done = used == n && (!last || data.output_frames_gen == 0);
        if (done || (data.input_frames_used == 0 && data.output_frames_gen == 0)) {
            break;
        }
    }
    return made;
}
