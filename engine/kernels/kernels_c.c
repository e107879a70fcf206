/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels_c.c -- kernels for any processor, and the plain form of what the others do. */
#include "kernels.h"

#include <base/half.h>
#include <base/philox.h>

#include <string.h>

/* The weights from channel `row` of all inputs, counted over input blocks and kernel positions, to the outputs of one
 * block, for one member. */
static void
read_row(const vip_conv *conv, uint32_t member, uint32_t block, size_t row, uint32_t channel, float weight[VIP_BLOCK])
{
    if (conv->half != NULL) {
        const uint16_t *half = conv->half + block * conv->w_block + row * VIP_BLOCK;
        for (int o = 0; o < VIP_BLOCK; o++) {
            weight[o] = vip_half_to_float(half[o]);
        }
    } else if (conv->sign_in == NULL) {
        memcpy(weight, conv->w + block * conv->w_block + row * VIP_BLOCK, VIP_BLOCK * sizeof *weight);
    } else {
        const float *pair = conv->w + block * conv->w_block + row * 2 * VIP_BLOCK;
        const unsigned first = conv->sign_in[(size_t)member * conv->in_blocks * VIP_BLOCK + channel];
        const unsigned bits = conv->sign_out[(size_t)member * conv->out_blocks + block];
        for (unsigned o = 0; o < VIP_BLOCK; o++) {
            weight[o] = pair[(first ^ (bits >> o & 1 ? VIP_BLOCK : 0)) + o];
        }
    }
}

/* One pixel of one output block: scale, bias, residual and ReLU included. */
static void
pixel(const vip_conv *conv, const vip_run *run, size_t bin, uint32_t block, float sum[VIP_BLOCK])
{
    size_t row = 0;
    memset(sum, 0, VIP_BLOCK * sizeof *sum);
    for (uint32_t in = 0; in < conv->in_blocks; in++) {
        for (uint32_t t = 0; t < conv->kernel; t++) {
            for (uint32_t f = 0; f < conv->kernel; f++) {
                const float *x = conv->x + run->x + in * conv->x_block + t * conv->x_column + (bin + f) * VIP_BLOCK;
                for (uint32_t c = 0; c < VIP_BLOCK; c++) {
                    float weight[VIP_BLOCK];
                    read_row(conv, run->member, block, row++, in * VIP_BLOCK + c, weight);
                    for (int o = 0; o < VIP_BLOCK; o++) {
                        sum[o] += x[c] * weight[o];
                    }
                }
            }
        }
    }
    for (size_t o = 0; o < VIP_BLOCK; o++) {
        sum[o] *= conv->scale == NULL ? 1 : conv->scale[block * VIP_BLOCK + o];
        sum[o] += conv->bias[run->member * conv->bias_member + block * VIP_BLOCK + o];
        if (conv->residual != NULL) {
            sum[o] += conv->residual[run->residual + block * conv->residual_block + bin * VIP_BLOCK + o];
        }
        if (conv->relu && !(sum[o] > 0)) {
            sum[o] = 0;
        }
    }
}

static void
store(const vip_conv *conv, const vip_run *run, size_t bin, uint32_t block, const float value[VIP_BLOCK])
{
    float *y = conv->y + run->y + block * conv->y_block + bin * VIP_BLOCK;
    unsigned bits = conv->keep == NULL ? 0xffffu : conv->keep[run->keep + bin * conv->out_blocks + block];
    float scale = conv->keep == NULL ? 1.0f : conv->keep_scale;
    for (int o = 0; o < VIP_BLOCK; o++) {
        y[o] = bits >> o & 1 ? value[o] * scale : 0;
    }
}

enum { BINS = 2 }; /* the least that a pool needs */

static void
tile(const vip_conv *conv, const vip_run *runs, uint32_t block, size_t bins)
{
    if (!conv->pool) {
        for (size_t q = 0; q < bins; q++) {
            float sum[VIP_BLOCK];
            pixel(conv, &runs[0], q, block, sum);
            store(conv, &runs[0], q, block, sum);
        }
        return;
    }
    float a[VIP_BLOCK], b[VIP_BLOCK], c[VIP_BLOCK], d[VIP_BLOCK];
    pixel(conv, &runs[0], 0, block, a);
    pixel(conv, &runs[1], 0, block, b);
    pixel(conv, &runs[0], 1, block, c);
    pixel(conv, &runs[1], 1, block, d);
    for (int o = 0; o < VIP_BLOCK; o++) {
        a[o] = ((a[o] + b[o]) + (c[o] + d[o])) * 0.25f;
    }
    store(conv, &runs[0], 0, block, a);
}

static void
tile_1_1_1(const vip_conv *conv, const vip_run *runs, uint32_t block)
{
    tile(conv, runs, block, 1);
}

static void
tile_2_2_1(const vip_conv *conv, const vip_run *runs, uint32_t block)
{
    tile(conv, runs, block, BINS);
    if (!conv->pool) {
        tile(conv, runs + 1, block, BINS);
    }
}

static const vip_tile tiles[] = {{1, 1, 1, tile_1_1_1, tile_1_1_1, tile_1_1_1},
                                 {2, BINS, 1, tile_2_2_1, tile_2_2_1, tile_2_2_1},
                                 {0, 0, 0, NULL, NULL, NULL}};

static void
keep(uint64_t seed, uint32_t site, uint32_t member, uint32_t column, uint32_t threshold, uint16_t *words,
     size_t n_words)
{
    for (size_t i = 0; i < n_words; i++) {
        unsigned bits = 0;
        for (uint32_t half = 0; half < 2; half++) {
            const uint32_t counter[4] = {(uint32_t)(2 * i) + half, column, (uint32_t)VIP_KEYED_DROPOUT << 24 | site,
                                         member};
            uint32_t word[4];
            vip_philox(seed, counter, word);
            for (uint32_t lane = 0; lane < 8; lane++) {
                bits |= ((word[lane / 2] >> (16 * (lane % 2)) & 0xffff) >= threshold ? 1u : 0u) << (8 * half + lane);
            }
        }
        words[i] = (uint16_t)bits;
    }
}

static void
drop(const float *x, const uint16_t *keep_bits, size_t keep_step, float scale, size_t n_blocks, float *y)
{
    for (size_t i = 0; i < n_blocks * VIP_BLOCK; i++) {
        y[i] = keep_bits[i / VIP_BLOCK * keep_step] >> (i % VIP_BLOCK) & 1 ? x[i] * scale : 0;
    }
}

const vip_kernels vip_kernels_c = {"c", tiles, 4, keep, drop, false};
