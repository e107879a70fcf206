/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resample.c -- see resample.h for the contract.
 *
 * libspeexdsp's converter, which makes a table of all its filters if the ratio is simple (48 to 16 kHz) and interpolates
 * between few if not (44.1 to 16 kHz: five times the work). Each output sample is a sum in an order of its own, so the
 * cut cannot show. */
#include "resample.h"

#include <speex/speex_resampler.h>

#include <base/memory.h>

#include <math.h>
#include <stdint.h>

/* 128 samples of the slower rate: the least that is flat to nine tenths of the band. */
enum { QUALITY = 7 };

enum { PARTS = 16, SILENCE = 128 }; /* of a hertz; samples that follow the end, at once */

struct vip_resampler {
    SpeexResamplerState *state;
    int64_t from, to; /* the ratio in lowest terms */
    int64_t owed;     /* samples heard * to - samples given * from: what the sound so far still has to become */
};

vip_resampler *
vip_resampler_new(double from, double to)
{
    vip_resampler *resampler = vip_alloc(1, sizeof *resampler);
    if (resampler == NULL) {
        return NULL;
    }
    int code;
    spx_uint32_t num = (spx_uint32_t)lround(from * PARTS), den = (spx_uint32_t)lround(to * PARTS);
    resampler->state = speex_resampler_init_frac(1, num, den, (spx_uint32_t)from, (spx_uint32_t)to, QUALITY, &code);
    if (resampler->state == NULL) {
        vip_resampler_free(resampler);
        return NULL;
    }
    speex_resampler_get_ratio(resampler->state, &num, &den);
    resampler->from = num;
    resampler->to = den;
    vip_resampler_reset(resampler);
    return resampler;
}

void
vip_resampler_free(vip_resampler *resampler)
{
    if (resampler != NULL) {
        if (resampler->state != NULL) {
            speex_resampler_destroy(resampler->state);
        }
        vip_free(resampler);
    }
}

void
vip_resampler_reset(vip_resampler *resampler)
{
    (void)speex_resampler_reset_mem(resampler->state);
    (void)speex_resampler_skip_zeros(resampler->state); /* begins with the sound in the middle of the filter */
    resampler->owed = 0;
}

size_t
vip_resampler_most(const vip_resampler *resampler, size_t n)
{
    double held = speex_resampler_get_output_latency(resampler->state) + 1.0; /* it rounds */
    return (size_t)ceil((double)n * (double)resampler->to / (double)resampler->from + held) + 1;
}

/* Converts x[0 .. n-1] into at most `most` samples. */
static size_t
convert(vip_resampler *resampler, const float *x, size_t n, float *out, size_t most)
{
    size_t used = 0, made = 0;
    while (used < n && made < most) {
        spx_uint32_t in = (spx_uint32_t)(n - used), room = (spx_uint32_t)(most - made);
        int code = speex_resampler_process_float(resampler->state, 0, x + used, &in, out + made, &room);
        if (code != RESAMPLER_ERR_SUCCESS || (in == 0 && room == 0)) {
            break; /* only for arguments that are wrong, which ours are not; never a reason to loop */
        }
        used += in;
        made += room;
    }
    resampler->owed -= (int64_t)made * resampler->from;
    return made;
}

size_t
vip_resampler_push(vip_resampler *resampler, const float *x, size_t n, float *out)
{
    resampler->owed += (int64_t)n * resampler->to;
    return convert(resampler, x, n, out, vip_resampler_most(resampler, n));
}

size_t
vip_resampler_end(vip_resampler *resampler, float *out)
{
    static const float silence[SILENCE] = {0};
    const size_t wanted = (size_t)(resampler->owed / resampler->from);
    const int enough = speex_resampler_get_input_latency(resampler->state) + 1; /* the last one sees no more */
    size_t made = 0;
    for (int past = 0; made < wanted && past < enough; past += SILENCE) {
        made += convert(resampler, silence, SILENCE, out + made, wanted - made);
    }
    return made;
}
