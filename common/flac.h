/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flac.h -- writes sound as FLAC, 24 bits, into a file that is open already. */
#ifndef VIP_COMMON_FLAC_H
#define VIP_COMMON_FLAC_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <vipann/vipann.h>

typedef struct vip_flac vip_flac;

enum { VIP_FLAC_CHANNELS = 8 }; /* the most that there can be */

/* What players show; NULL: nothing. */
typedef struct {
    const char *title, *comment, *date;
} vip_flac_tags;

/* file: empty, opened for writing, where positions can be set; borrowed, and nobody else writes to it meanwhile. rate: whole
 * Hz, 1 .. 655350. NULL: E_UNSUPPORTED (the rate or the channels), E_IO, E_MEMORY. */
vip_flac *vip_flac_new(FILE *file, double rate, uint32_t channels, const vip_flac_tags *tags, vipann_error *error);

/* Appends frames [frames][channels]; what is beyond full scale is cut, what is not finite is silence. False: they could not
 * be written. */
bool vip_flac_write(vip_flac *flac, const float *frames, uint32_t n);

/* Ends the file and frees flac; NULL is allowed. False: it is of no use, since something could not be written. */
bool vip_flac_end(vip_flac *flac);

#endif /* VIP_COMMON_FLAC_H */
