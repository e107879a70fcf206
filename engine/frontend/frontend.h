/* SPDX-License-Identifier: GPL-3.0-or-later */
/* frontend.h -- samples in, log-mel frames out: resample, frame, window, transform, mel filters, logarithm.
 *
 * The frames are those of the published networks' front-end: frame t is centred on sample t*hop of the resampled
 * signal, periodic Hann window, power spectrum without scaling, Slaney's mel scale with area norm, 10*log10(max(power,
 * amin)) dB. Both ends reflect without repeating the end sample, repeatedly if the sound is shorter than the
 * reflection. While streaming, frame t exists once sample t*hop + n_fft/2 - 1 has been heard; those that reflect on the
 * right come with vip_frontend_end.
 *
 * One thread at a time. Everything is allocated by vip_frontend_new; feed, end and read allocate nothing. The same code
 * serves streams and whole recordings; frames do not depend, bit for bit, on how the sound was cut into feeds. */
#ifndef VIP_FRONTEND_FRONTEND_H
#define VIP_FRONTEND_FRONTEND_H

#include "logmel.h"
#include "resample.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct vip_frontend vip_frontend;

/* A front-end for sound at input_rate Hz (8000 .. 384000), or NULL: VIPANN_E_ARG (the rate), VIPANN_E_MEMORY. */
vip_frontend *vip_frontend_new(const vip_frontend_spec *spec, double input_rate, vipann_error *error);
void vip_frontend_free(vip_frontend *frontend);

/* Back to the first state. */
void vip_frontend_reset(vip_frontend *frontend);

/* How many samples can be fed now: 0 while frames wait to be read and after the end, else at least 1. */
size_t vip_frontend_space(const vip_frontend *frontend);

/* Takes x[0 .. n-1], n <= vip_frontend_space, mono, finite, at the input rate. */
void vip_frontend_feed(vip_frontend *frontend, const float *x, size_t n);

/* The sound has ended. What the resampler held back comes; sound shorter than one column of frames is extended with
 * silence to VIP_COLUMN_FRAMES - 1 hops, so that there is one column; the last frames reflect. Nothing can be fed until
 * reset. A sound of no samples stays without frames; one so short that resampling leaves nothing of it
 * counts as silence. */
void vip_frontend_end(vip_frontend *frontend);

/* The same without the extension: the frames of the published front-end, however short the sound. */
void vip_frontend_end_plain(vip_frontend *frontend);

/* Moves the oldest min(max_frames, what is there) frames to logmel [frames][VIP_MELS], dB, and returns their number. */
size_t vip_frontend_read(vip_frontend *frontend, float *logmel, size_t max_frames);

#endif /* VIP_FRONTEND_FRONTEND_H */
