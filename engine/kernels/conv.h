/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv.h -- direct convolution of the streaming layout: what every variant of the kernels computes.
 *
 * Activations are [blocks][columns][members][bins + 2][16]: channels in blocks of 16 (the last one filled up with
 * zeros), one bin of zeros on either side, columns in time. So a 3x3 kernel needs no code for edges: it reads zeros,
 * whether they are the halo, the columns before the start or those behind the end.
 *
 * The work is cut into runs: `bins` neighbouring outputs of one column and member. A tile is a few runs times a few
 * output blocks, all of whose sums stay in registers while inputs and weights go by once. Runs may lie anywhere, so one
 * family of tiles serves wide early layers (one long run), deep ones (columns and members together) and dense layers
 * (members only: a dense layer is a 1x1 convolution of one bin).
 *
 * Every output is one accumulator that starts at zero and takes its products in the order input block, kernel column,
 * kernel bin, channel, then scale, bias, residual, ReLU, pool ((a + b) + (c + d)) / 4 over columns then bins, dropout. The
 * order does not depend on the tile, so neither do the bits; kernels with fused multiply-add agree with one another bit
 * for bit, the portable ones differ in rounding. */
#ifndef VIP_KERNELS_CONV_H
#define VIP_KERNELS_CONV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VIP_BLOCK = 16,   /* channels in a block */
    VIP_MAX_RUNS = 8, /* runs in one tile */
    VIP_BLOCK_WEIGHTS = VIP_BLOCK * VIP_BLOCK
};

/* One convolution of some columns. Strides are in elements of what they stride over. */
typedef struct {
    const float *x;
    size_t x_block, x_column;
    uint32_t in_blocks, out_blocks;
    uint32_t kernel; /* 1 or 3 */

    /* Weights [out block][in block][kernel column][kernel bin][16 in][16 out]; with signs each 16 outputs are two
     * vectors, the sum and the difference of mean and noise: [16 in][2][16 out]. */
    const float *w;
    const uint16_t *half; /* if not NULL: the weights instead of w, in half precision (f16), without signs */
    size_t w_block;       /* between output blocks */
    const float *scale;   /* [out blocks][16] of the sums; NULL: 1 */
    /* Where the kernel asks for weights that are wanted later, so that they come from memory while it computes: at each
     * step so many cache lines of each of its blocks, from here on. Set by vip_convolve; 0 lines: nowhere. */
    const char *ahead;
    uint32_t ahead_lines;

    const float *bias; /* [out blocks][16], for member m at bias + m * bias_member */
    size_t bias_member;

    /* Channel Flipout: member m's weight from input i to output o is the sum where sign_in[m][i] and sign_out[m] bit o
     * agree, else the difference. NULL: plain weights. sign_in is 0 or 16 (floats to the other vector). */
    const uint8_t *sign_in;   /* [members][in_blocks * 16] */
    const uint16_t *sign_out; /* [members][out_blocks] */

    const float *residual; /* NULL: none */
    size_t residual_block;
    bool relu, pool;
    const uint16_t *keep; /* dropout: bits of a block's channels, [output column, member, bin][out_blocks]; or NULL */
    float keep_scale;     /* of what is kept */

    float *y;
    size_t y_block;
} vip_conv;

/* Where one run lies: offsets from the pointers above. x is the first pixel that the kernel touches. With pool, runs
 * come in pairs of an even column and the one after it, and y and keep of the first count. */
typedef struct {
    size_t x, residual, y, keep;
    uint32_t member;
} vip_run;

/* A tile computes runs[0 .. n_runs-1] of `bins` pixels each, output blocks out_block .. out_block + n_blocks - 1. */
typedef void vip_tile_function(const vip_conv *conv, const vip_run *runs, uint32_t out_block);

typedef struct {
    uint8_t runs, bins, blocks;
    vip_tile_function *plain, *half, *flipout;
} vip_tile;

#endif /* VIP_KERNELS_CONV_H */
