/* SPDX-License-Identifier: GPL-3.0-or-later */
/* logmel.h -- one frame of sound to the levels of VIP_MELS bands: window, transform, mel filters, logarithm.
 *
 * Single precision throughout, in an order of operations that does not depend on the width of the machine's vectors;
 * only FFTW chooses its own, by processor. One thread at a time per object; frame allocates nothing. */
#ifndef VIP_FRONTEND_LOGMEL_H
#define VIP_FRONTEND_LOGMEL_H

#include <model/model.h>

typedef struct vip_logmel vip_logmel;

/* Plans the transform, once per process making FFTW's planner safe against other threads (also the host's own that
 * plan through FFTW). spec is copied. NULL if memory is short. */
vip_logmel *vip_logmel_new(const vip_frontend_spec *spec);
void vip_logmel_free(vip_logmel *logmel);

/* samples[n_fft], finite and unwindowed, borrowed for the call -> out[VIP_MELS] in dB. */
void vip_logmel_frame(vip_logmel *logmel, const float *samples, float *out);

/* db[i] = 10 log10(max(power[i], floor)), within 3e-5 dB for powers of 1e-30 .. 1e30; NaN counts as floor. floor is a
 * normal number above 0. */
void vip_decibels(const float power[restrict VIP_MELS], float floor, float db[restrict VIP_MELS]);

/* The filters, [VIP_MELS][n_fft/2 + 1]: triangles in Hz between edges that are equally spaced in Slaney's mel, each
 * scaled to 2 / (upper edge - lower edge). For the front-end itself, for tests and for importing models. */
void vip_mel_filters(const vip_frontend_spec *spec, float *filters);

/* The periodic Hann window, [n_fft]. */
void vip_hann(uint32_t n_fft, float *window);

#endif /* VIP_FRONTEND_LOGMEL_H */
