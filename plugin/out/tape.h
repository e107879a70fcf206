/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tape.h -- sound on its way from the audio thread to the one that saves clips of it. Neither waits for the other: while the
 * tape is full, sound is left out, and where it goes on it says so.
 *
 *   audio thread  vip_tape_put
 *   main thread   vip_tape_take, vip_tape_fill; and while nothing is put: new, end, free */
#ifndef VIP_PLUGIN_OUT_TAPE_H
#define VIP_PLUGIN_OUT_TAPE_H

#include <stdbool.h>
#include <stdint.h>

#include <vipann/vipann.h>

typedef struct vip_tape vip_tape;

enum { VIP_TAPE_BLOCK = 256 }; /* frames */

/* Holds so many seconds. NULL: memory is short. */
vip_tape *vip_tape_new(double seconds, double rate, uint32_t channels);

/* NULL is allowed. */
void vip_tape_free(vip_tape *tape);

/* Appends channels[channel][frames]. */
void vip_tape_put(vip_tape *tape, const float *const *channels, uint32_t frames) VIPANN_RT;

/* Takes the oldest block: out[VIP_TAPE_BLOCK][channels]. *at: frames that were put before its first one, those left out
 * counted. Returns its frames; 0: there is none. */
uint32_t vip_tape_take(vip_tape *tape, uint64_t *at, float *out);

/* How full it is, 0 .. 1. */
double vip_tape_fill(const vip_tape *tape);

/* Nothing more is put: makes the block that is not full yet one to be taken. */
void vip_tape_end(vip_tape *tape);

#endif /* VIP_PLUGIN_OUT_TAPE_H */
