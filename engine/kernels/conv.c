/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv.c -- cuts a convolution into tiles. See kernels.h and conv.h for the contract. */
#include "kernels.h"

enum {
    CHUNK = 256, /* runs that all output blocks go over before the next ones: their inputs stay in the cache */
    LINE = 64,   /* bytes of a cache line */
    CACHE_BYTES = 512 << 10, /* of the second cache: what may be expected to stay there */
};

/* Cycles for a vector of weights from the second cache and from beyond, about. */
static const double NEAR = 0.75, FAR = 5;

static size_t
ceil_div(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

static size_t
block_bytes(const vip_conv *conv)
{
    return conv->w_block * (conv->half != NULL ? sizeof(uint16_t) : sizeof(float));
}

/* Cycles that a tile takes per input channel, about: two multiply-adds a cycle, two loads, no sum twice within four;
 * and its weights, which the tiles of other runs read again. With Flipout each run and block forms its own weight. */
static double
tile_cost(const vip_kernels *kernels, const vip_conv *conv, const vip_tile *tile)
{
    const bool flipout = conv->sign_in != NULL;
    const double pixels = tile->runs * tile->bins, vectors = tile->blocks * kernels->vectors;
    const double weights = flipout ? 2 * vectors : vectors, formed = flipout ? tile->runs * vectors : 0;
    const double arithmetic = pixels * vectors + formed;
    const double loads = pixels + weights + formed + (flipout ? tile->runs : 0);
    const double busy = arithmetic > loads ? arithmetic : loads;
    const bool stays = tile->blocks * block_bytes(conv) <= CACHE_BYTES;
    return (busy > 8 ? busy : 8) / 2 + weights * (stays ? NEAR : FAR);
}

/* The tile that gets through the work soonest. Tiles of one pixel and block fit anything, so there is always one. */
static const vip_tile *
choose_tile(const vip_kernels *kernels, const vip_conv *conv, const vip_region *region)
{
    const vip_tile *best = NULL;
    double best_cost = 0;
    for (const vip_tile *t = kernels->tiles; t->runs > 0; t++) {
        bool fits = t->bins <= region->bins && t->blocks <= conv->out_blocks &&
                    (!conv->pool || (t->runs % 2 == 0 && t->bins % 2 == 0));
        if (!fits) {
            continue;
        }
        size_t runs = (size_t)region->columns * region->members * (region->bins / t->bins);
        double tiles = (double)ceil_div(runs, t->runs) * (double)ceil_div(conv->out_blocks, t->blocks);
        double cost = tiles * tile_cost(kernels, conv, t);
        if (best == NULL || cost < best_cost) {
            best = t;
            best_cost = cost;
        }
    }
    return best;
}

/* The next run in the order columns (with pool: the column of a pool, then its two), members, bins. */
typedef struct {
    uint32_t column, member, bin, pair;
} place;

static vip_run
next_run(const vip_conv *conv, const vip_region *region, const vip_tile *tile, place *at)
{
    const uint32_t shrink = conv->pool ? 2 : 1;
    const size_t column = (size_t)at->column * shrink + at->pair, bin = at->bin;
    const vip_run run = {
        .x = column * conv->x_column + at->member * region->x_member + bin * VIP_BLOCK,
        .residual = column * region->residual_column + at->member * region->residual_member + bin * VIP_BLOCK,
        .y = at->column * region->y_column + at->member * region->y_member + bin / shrink * VIP_BLOCK,
        .keep = (((size_t)at->column * region->members + at->member) * region->bins + bin) / shrink * conv->out_blocks,
        .member = at->member,
    };
    if (++at->pair < shrink) {
        return run;
    }
    at->pair = 0;
    at->bin += tile->bins;
    if (at->bin == region->bins) {
        at->bin = 0;
        if (++at->member == region->members) {
            at->member = 0;
            at->column++;
        }
    }
    return run;
}

/* Runs of one chunk: as many as keep their inputs in the second cache, in whole tiles. */
static size_t
chunk_runs(const vip_conv *conv, const vip_region *region, const vip_tile *tile)
{
    size_t run_bytes = (size_t)conv->in_blocks * tile->bins * VIP_BLOCK * sizeof(float);
    size_t runs = CACHE_BYTES / run_bytes;
    size_t weight_bytes = conv->out_blocks * block_bytes(conv);
    if (runs > CHUNK || weight_bytes > CACHE_BYTES || region->columns == 1) {
        runs = CHUNK; /* few inputs, or weights that cost more to read again than inputs */
    }
    runs -= runs % tile->runs;
    return runs > 0 ? runs : tile->runs;
}

/* While several tiles go over one group of blocks, whose weights are near then, each asks for its share of the next
 * group's, which lie behind them, as the next layer's lie behind those of the last group. */
static void
look_ahead(vip_conv *conv, const vip_tile *tile, uint32_t block, size_t index, size_t tiles)
{
    const size_t bytes = block_bytes(conv), lines = bytes / LINE; /* of one block */
    const size_t steps = (size_t)conv->in_blocks * conv->kernel * conv->kernel;
    const size_t share =
        ceil_div(lines, steps * tiles) * steps; /* lines, at least; the last tiles may have none left */
    const bool any = tiles > 1 && share * index < lines;
    conv->ahead_lines = any ? (uint32_t)(share / steps) : 0;
    const char *weights = conv->half != NULL ? (const char *)conv->half : (const char *)conv->w;
    conv->ahead = weights + (block + tile->blocks) * bytes + share * index * LINE;
}

void
vip_convolve(const vip_kernels *kernels, const vip_conv *asked, const vip_region *region)
{
    vip_conv own = *asked, *const conv = &own;
    const vip_tile *tile = choose_tile(kernels, conv, region);
    vip_tile_function *compute = conv->sign_in != NULL ? tile->flipout : conv->half != NULL ? tile->half : tile->plain;
    const size_t n_runs = (size_t)region->columns * region->members * (region->bins / tile->bins);
    const size_t chunk = chunk_runs(conv, region, tile);
    vip_run runs[CHUNK + VIP_MAX_RUNS];
    place at = {0};
    for (size_t done = 0; done < n_runs; done += chunk) {
        const size_t n = n_runs - done < chunk ? n_runs - done : chunk;
        for (size_t i = 0; i < n; i++) {
            runs[i] = next_run(conv, region, tile, &at);
        }
        const size_t whole = ceil_div(n, tile->runs) * tile->runs;
        for (size_t i = n; i < whole; i++) {
            runs[i] = runs[conv->pool ? i - 2 : i - 1]; /* the last ones once more: the same values to the same place */
        }
        for (uint32_t block = 0; block < conv->out_blocks; block += tile->blocks) {
            const uint32_t last = conv->out_blocks - tile->blocks, first = block < last ? block : last;
            for (size_t i = 0; i < whole; i += tile->runs) {
                look_ahead(conv, tile, first, i / tile->runs, whole / tile->runs);
                compute(conv, runs + i, first);
            }
        }
    }
}
