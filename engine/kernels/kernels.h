/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels.h -- the inner loops of the network, in several variants for several processors.
 *
 * Thread: any; a kernel touches only what it is given, allocates nothing and keeps no state. */
#ifndef VIP_KERNELS_KERNELS_H
#define VIP_KERNELS_KERNELS_H

#include "conv.h"

#include <vipann/vipann.h>

/* Fills words[0 .. n_words-1] with the dropout mask of one column and member, bit e % 16 of word e / 16 set if element e
 * is kept: the 16-bit lane e % 8 of keyed block e / 8 is at least threshold (0 .. 65536). */
typedef void vip_keep_function(uint64_t seed, uint32_t site, uint32_t member, uint32_t column, uint32_t threshold,
                               uint16_t *words, size_t n_words);

/* y = keep ? x * scale : 0 for n_blocks blocks of 16 floats, the bits of block b in keep[b * keep_step]; y may be x. */
typedef void vip_drop_function(const float *x, const uint16_t *keep, size_t keep_step, float scale, size_t n_blocks,
                               float *y);

typedef struct {
    const char *name;
    const vip_tile *tiles; /* ends with one of no runs */
    int vectors;           /* registers that a block of 16 channels fills: what tiles cost depends on it */
    vip_keep_function *keep;
    vip_drop_function *drop;
    bool fused; /* products and sums are rounded once */
} vip_kernels;

/* The variant named "avx512", "avx2" or "c"; NULL if there is none of that name or this processor cannot run it. */
const vip_kernels *vip_kernels_find(const char *name);

/* The variant of the environment variable VIPANN_KERNELS, else the best this processor can run. NULL: VIPANN_E_ARG, the
 * variable names none that can run here. */
const vip_kernels *vip_kernels_choose(vipann_error *error);

/* ---------------------------------------------------------------------------------------------------- convolution */

/* The outputs that one call computes: all bins of all members of some columns. Strides in floats; a member's stride of
 * 0 means that all members read the same. conv's pointers are those of column 0, member 0, bin 0 (x: the first pixel
 * that the kernel touches for it, the halo's for a 3x3 kernel). */
typedef struct {
    uint32_t columns;       /* of the convolution, before the pool; even with pool */
    uint32_t members, bins; /* bins is a power of two */
    size_t x_member;
    size_t y_column, y_member;
    size_t residual_column, residual_member;
} vip_region;

/* Computes the region. Outputs do not depend on how it was cut from a larger one. */
void vip_convolve(const vip_kernels *kernels, const vip_conv *conv, const vip_region *region);

/* ----------------------------------------------------------------------------------------------------------- masks */

/* Dropout threshold and the factor of what is kept, for rate 0 .. 0.9. */
uint32_t vip_keep_threshold(float rate);
float vip_keep_scale(float rate);

/* The mask of one column and member as vip_conv.keep wants it, [bins][blocks], from elements bin * channels + channel;
 * bits of channels beyond the last are 0. */
void vip_keep_column(const vip_kernels *kernels, uint64_t seed, uint32_t site, uint32_t member, uint32_t column,
                     uint32_t threshold, uint32_t channels, uint32_t bins, uint16_t *keep);

/* The most elements of a column whose channels do not fill their blocks: 127 channels in 32 bins, rounded up. */
enum { VIP_MAX_NARROW = 128 * 32 };

/* The variants, for dispatch.c and for tests; one that was not compiled in has no tiles. */
extern const vip_kernels vip_kernels_avx512, vip_kernels_avx2, vip_kernels_c;

#endif /* VIP_KERNELS_KERNELS_H */
