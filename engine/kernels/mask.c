/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mask.c -- dropout masks in the form that convolutions apply. See kernels.h for the contract. */
#include "kernels.h"

#include <assert.h>
#include <string.h>

uint32_t
vip_keep_threshold(float rate)
{
    return (uint32_t)(65536.0 * (double)rate + 0.5);
}

float
vip_keep_scale(float rate)
{
    return 1.0f / (1.0f - rate);
}

void
vip_keep_column(const vip_kernels *kernels, uint64_t seed, uint32_t site, uint32_t member, uint32_t column,
                uint32_t threshold, uint32_t channels, uint32_t bins, uint16_t *keep)
{
    if (channels % VIP_BLOCK == 0) { /* elements lie as they are wanted */
        kernels->keep(seed, site, member, column, threshold, keep, (size_t)channels * bins / VIP_BLOCK);
        return;
    }
    /* A narrow network: the channels of a bin begin anywhere in a word. */
    enum { MOST = VIP_MAX_NARROW / VIP_BLOCK + 1 };
    uint16_t words[MOST];
    const size_t elements = (size_t)channels * bins, n_words = (elements + VIP_BLOCK - 1) / VIP_BLOCK;
    assert(n_words < MOST);
    kernels->keep(seed, site, member, column, threshold, words, n_words);
    const uint32_t blocks = (channels + VIP_BLOCK - 1) / VIP_BLOCK;
    memset(keep, 0, (size_t)bins * blocks * sizeof *keep);
    for (size_t e = 0; e < elements; e++) {
        size_t bin = e / channels, channel = e % channels;
        unsigned bit = (unsigned)words[e / VIP_BLOCK] >> (e % VIP_BLOCK) & 1u;
        keep[bin * blocks + channel / VIP_BLOCK] |= (uint16_t)(bit << (channel % VIP_BLOCK));
    }
}
