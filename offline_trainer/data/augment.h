/* SPDX-License-Identifier: GPL-3.0-or-later */
/* augment.h -- changes to log-mel frames that leave what is heard in them the same. */
#ifndef VIP_TRAINER_AUGMENT_H
#define VIP_TRAINER_AUGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is quieter does not exist in frames: 10 log10(amin). */
static const float VIP_SILENCE_DB = -100;

/* Shifts levels by gain dB, and by tilt dB from the lowest band (minus half of it) to the highest. */
void vip_augment_level(float *frames, size_t n_frames, float gain, float tilt);

/* Adds the powers of `other`, scaled so that its mean power is `below` dB under that of frames; and, if floor is above 0,
 * a steady noise of equal power in all bands, so many dB under the loudest frame. other: NULL: none. Within 0.01 dB. */
void vip_augment_add(float *frames, const float *other, size_t n_frames, float below, float floor);

/* 2^x within 2e-6 (relative) for |x| <= 120, and log2 of a normal x > 0 within 4e-6. */
float vip_exp2(float x);
float vip_log2(float x);

#endif /* VIP_TRAINER_AUGMENT_H */
