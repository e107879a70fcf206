/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resample.h -- from the input's rate to the model's, as a stream, in blocks of one fixed size.
 *
 * libsamplerate's medium sinc converter. What it gives depends in the last bits on how the sound was cut, so every
 * block but the last has VIP_FEED samples. It has no delay: output sample k lies at input time k / to, and n input
 * samples become floor(n * to / from). One thread at a time; push allocates nothing. */
#ifndef VIP_FRONTEND_RESAMPLE_H
#define VIP_FRONTEND_RESAMPLE_H

#include <stdbool.h>
#include <stddef.h>

enum { VIP_FEED = 128 }; /* samples that the resampler gets at once, whatever the host's block size */

typedef struct vip_resampler vip_resampler;

/* A converter between two rates in Hz whose ratio is within 1/256 .. 256, or NULL if memory is short. */
vip_resampler *vip_resampler_new(double from, double to);
void vip_resampler_free(vip_resampler *resampler);

/* Back to the first state. */
void vip_resampler_reset(vip_resampler *resampler);

/* No sequence of pushes of n samples in all, the last one included, gives more samples than this after any other. */
size_t vip_resampler_most(const vip_resampler *resampler, size_t n);

/* Converts x[0 .. n-1]; n is VIP_FEED, or at most that and 0 too if it is the last block. Returns the number of samples
 * written to out, which has room for vip_resampler_most(n). After the last block only reset makes sense. */
size_t vip_resampler_push(vip_resampler *resampler, const float *x, size_t n, bool last, float *out);

#endif /* VIP_FRONTEND_RESAMPLE_H */
