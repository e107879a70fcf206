/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resample.h -- from the input's rate to the model's, as a stream.
 *
 * It has no delay: output sample k lies at input time k / to, and n input samples become floor(n * to / from). Below
 * nine tenths of half the slower rate tones keep their level within 0.1 dB; above half of it they are 98 dB down.
 * Samples do not depend, bit for bit, on how the sound was cut. One thread at a time; push and end allocate nothing. */
#ifndef VIP_FRONTEND_RESAMPLE_H
#define VIP_FRONTEND_RESAMPLE_H

#include <stddef.h>

typedef struct vip_resampler vip_resampler;

/* A converter between two rates in Hz, each 8000 .. 384000, or NULL if memory is short. Rates are taken to a sixteenth
 * of a hertz, which is below what any clock keeps. */
vip_resampler *vip_resampler_new(double from, double to);
void vip_resampler_free(vip_resampler *resampler);

/* Back to the first state. */
void vip_resampler_reset(vip_resampler *resampler);

/* No sequence of pushes of n samples in all, the end included, gives more samples than this after any other. */
size_t vip_resampler_most(const vip_resampler *resampler, size_t n);

/* Converts x[0 .. n-1], n <= 2^24. Returns the number of samples written to out, which has room for
 * vip_resampler_most(n). */
size_t vip_resampler_push(vip_resampler *resampler, const float *x, size_t n, float *out);

/* The sound has ended: gives what was held back, as if silence followed, and returns its number. out has room for
 * vip_resampler_most(0). Only reset makes sense after it. */
size_t vip_resampler_end(vip_resampler *resampler, float *out);

#endif /* VIP_FRONTEND_RESAMPLE_H */
