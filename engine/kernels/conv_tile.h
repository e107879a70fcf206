/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv_tile.h -- the body of every vector tile, included once per instruction set.
 *
 * The including file defines a vector type and its operations:
 *   vec, LANES (16 or 8)             so that a block of 16 channels is PARTS = 16 / LANES vectors
 *   load, store, spread, fma, add, mul, zero, positive   (spread: one float to all lanes; positive: max(x, 0))
 *   choose(bits, part, a, b)         lanes of b where the bit of 16 is set, else of a; part 0 .. PARTS-1
 *   keep_lanes(bits, part, a)        lanes of a where the bit is set, else 0
 *   prefetch(p)                      asks for the line at p, which need not exist
 * and TILE_TARGET, the name suffix. A tile's counts are constants after inlining: all inner loops vanish and the sums
 * stay in registers. */
#define PARTS (VIP_BLOCK / LANES)
#define UNROLL _Pragma("GCC unroll 32")

/* Hides from the compiler where a pointer came from. Neighbouring kernel positions read mostly the same inputs, and a
 * compiler that sees it keeps them all in scalars, which spills hundreds of registers to save loads that are free. */
#define FORGET(pointer) __asm__("" : "+r"(pointer))

enum {
    MAX_SUMS = 32,
    AHEAD = 2048 /* floats (8 KiB): weights beyond the caches arrive in time, and those within lose nothing measurable */
};

static inline __attribute__((always_inline)) void
finish_pixel(const vip_conv *conv, const vip_run *run, size_t bin, uint32_t block, vec *sum)
{
    UNROLL for (int p = 0; p < PARTS; p++) {
        vec v = add(sum[p], load(conv->bias + run->member * conv->bias_member + (size_t)block * VIP_BLOCK + p * LANES));
        if (conv->residual != NULL) {
            v = add(v, load(conv->residual + run->residual + block * conv->residual_block + bin * VIP_BLOCK + p * LANES));
        }
        sum[p] = conv->relu ? positive(v) : v;
    }
}

static inline __attribute__((always_inline)) void
store_pixel(const vip_conv *conv, const vip_run *run, size_t bin, uint32_t block, const vec *sum)
{
    float *y = conv->y + run->y + block * conv->y_block + bin * VIP_BLOCK;
    if (conv->keep == NULL) {
        UNROLL for (int p = 0; p < PARTS; p++) {
            store(y + p * LANES, sum[p]);
        }
        return;
    }
    uint16_t bits = conv->keep[run->keep + bin * conv->out_blocks + block];
    vec scale = spread(&conv->keep_scale);
    UNROLL for (int p = 0; p < PARTS; p++) {
        store(y + p * LANES, keep_lanes(bits, p, mul(sum[p], scale)));
    }
}

static inline __attribute__((always_inline)) void
finish_tile(const vip_conv *conv, const vip_run *runs, uint32_t out_block, const int n_runs, const int bins,
            const int blocks, vec *sums)
{
#define SUM(r, q, o) (&sums[(((r) * bins + (q)) * blocks + (o)) * PARTS])
    UNROLL for (int r = 0; r < n_runs; r++) {
        UNROLL for (int q = 0; q < bins; q++) {
            UNROLL for (int o = 0; o < blocks; o++) {
                finish_pixel(conv, &runs[r], (size_t)q, out_block + (uint32_t)o, SUM(r, q, o));
            }
        }
    }
    if (!conv->pool) {
        UNROLL for (int r = 0; r < n_runs; r++) {
            UNROLL for (int q = 0; q < bins; q++) {
                UNROLL for (int o = 0; o < blocks; o++) {
                    store_pixel(conv, &runs[r], (size_t)q, out_block + (uint32_t)o, SUM(r, q, o));
                }
            }
        }
        return;
    }
    static const float quarter = 0.25f;
    UNROLL for (int r = 0; r + 1 < n_runs; r += 2) {
        UNROLL for (int q = 0; q + 1 < bins; q += 2) {
            UNROLL for (int o = 0; o < blocks; o++) {
                vec mean[PARTS];
                UNROLL for (int p = 0; p < PARTS; p++) {
                    vec first = add(SUM(r, q, o)[p], SUM(r + 1, q, o)[p]);
                    vec second = add(SUM(r, q + 1, o)[p], SUM(r + 1, q + 1, o)[p]);
                    mean[p] = mul(add(first, second), spread(&quarter));
                }
                store_pixel(conv, &runs[r], (size_t)q / 2, out_block + (uint32_t)o, mean);
            }
        }
    }
#undef SUM
}

/* Products of one input block and kernel position: x[r] points at the first pixel of run r. */
static inline __attribute__((always_inline)) void
accumulate(const float *const *x, const float *w, size_t w_block, const int n_runs, const int bins, const int blocks,
           vec *sums)
{
    UNROLL for (int c = 0; c < VIP_BLOCK; c++) {
        vec weight[8 * PARTS];
        UNROLL for (int o = 0; o < blocks; o++) {
            UNROLL for (int p = 0; p < PARTS; p++) {
                weight[o * PARTS + p] = load(w + (size_t)o * w_block + c * VIP_BLOCK + p * LANES);
            }
            prefetch(w + (size_t)o * w_block + c * VIP_BLOCK + AHEAD);
        }
        UNROLL for (int r = 0; r < n_runs; r++) {
            UNROLL for (int q = 0; q < bins; q++) {
                vec value = spread(x[r] + q * VIP_BLOCK + c);
                UNROLL for (int o = 0; o < blocks * PARTS; o++) {
                    vec *sum = &sums[(r * bins + q) * blocks * PARTS + o];
                    *sum = fma(value, weight[o], *sum);
                }
            }
        }
    }
}

/* The same with each run's member choosing its weights: 0 or VIP_BLOCK floats into the pair of vectors. */
static inline __attribute__((always_inline)) void
accumulate_flipout(const float *const *x, const float *w, size_t w_block, const uint8_t *const *sign_in,
                   uint16_t (*sign_out)[8], const int n_runs, const int bins, const int blocks, vec *sums)
{
    UNROLL for (int c = 0; c < VIP_BLOCK; c++) {
        UNROLL for (int r = 0; r < n_runs; r++) {
            const float *first = w + c * 2 * VIP_BLOCK + sign_in[r][c];
            const float *second = w + c * 2 * VIP_BLOCK + (sign_in[r][c] ^ VIP_BLOCK);
            vec weight[8 * PARTS];
            UNROLL for (int o = 0; o < blocks; o++) {
                UNROLL for (int p = 0; p < PARTS; p++) {
                    size_t at = (size_t)o * w_block + (size_t)(p * LANES);
                    weight[o * PARTS + p] = choose(sign_out[r][o], p, load(first + at), load(second + at));
                }
            }
            UNROLL for (int q = 0; q < bins; q++) {
                vec value = spread(x[r] + q * VIP_BLOCK + c);
                UNROLL for (int o = 0; o < blocks * PARTS; o++) {
                    vec *sum = &sums[(r * bins + q) * blocks * PARTS + o];
                    *sum = fma(value, weight[o], *sum);
                }
            }
        }
    }
}

static inline __attribute__((always_inline)) void
tile(const vip_conv *conv, const vip_run *runs, uint32_t out_block, const int n_runs, const int bins, const int blocks,
     const bool flipout)
{
    vec sums[MAX_SUMS];
    UNROLL for (int i = 0; i < n_runs * bins * blocks * PARTS; i++) {
        sums[i] = zero();
    }
    const size_t step = (size_t)VIP_BLOCK_WEIGHTS * (flipout ? 2 : 1);
    const float *w = conv->w + out_block * conv->w_block;
    const uint8_t *sign_in[VIP_MAX_RUNS];
    uint16_t sign_out[VIP_MAX_RUNS][8];
    if (flipout) {
        UNROLL for (int r = 0; r < n_runs; r++) {
            sign_in[r] = conv->sign_in + (size_t)runs[r].member * conv->in_blocks * VIP_BLOCK;
            UNROLL for (int o = 0; o < blocks; o++) {
                sign_out[r][o] = conv->sign_out[(size_t)runs[r].member * conv->out_blocks + out_block + (uint32_t)o];
            }
        }
    }
    for (uint32_t in = 0; in < conv->in_blocks; in++) {
        for (uint32_t t = 0; t < conv->kernel; t++) {
            const float *x[VIP_MAX_RUNS];
            UNROLL for (int r = 0; r < n_runs; r++) {
                x[r] = conv->x + runs[r].x + in * conv->x_block + t * conv->x_column;
            }
            for (uint32_t f = 0; f < conv->kernel; f++) {
                if (flipout) {
                    accumulate_flipout(x, w, conv->w_block, sign_in, sign_out, n_runs, bins, blocks, sums);
                } else {
                    accumulate(x, w, conv->w_block, n_runs, bins, blocks, sums);
                }
                w += step;
                FORGET(w);
                UNROLL for (int r = 0; r < n_runs; r++) {
                    x[r] += VIP_BLOCK;
                    FORGET(x[r]);
                }
            }
        }
        if (flipout) {
            UNROLL for (int r = 0; r < n_runs; r++) {
                sign_in[r] += VIP_BLOCK;
            }
        }
    }
    finish_tile(conv, runs, out_block, n_runs, bins, blocks, sums);
}

#define DEFINE_TILE(R, Q, O)                                                                                           \
    static void tile_##R##_##Q##_##O(const vip_conv *conv, const vip_run *runs, uint32_t out_block)                    \
    {                                                                                                                  \
        tile(conv, runs, out_block, R, Q, O, false);                                                                   \
    }                                                                                                                  \
    static void flipout_##R##_##Q##_##O(const vip_conv *conv, const vip_run *runs, uint32_t out_block)                 \
    {                                                                                                                  \
        tile(conv, runs, out_block, R, Q, O, true);                                                                    \
    }
#define TILE_ROW(R, Q, O) {R, Q, O, tile_##R##_##Q##_##O, flipout_##R##_##Q##_##O},

/* See vip_drop_function in kernels.h. */
static void
drop(const float *x, const uint16_t *keep_bits, size_t keep_step, float scale, size_t n_blocks, float *y)
{
    vec factor = spread(&scale);
    for (size_t b = 0; b < n_blocks; b++) {
        for (int p = 0; p < PARTS; p++) {
            size_t at = b * VIP_BLOCK + (size_t)(p * LANES);
            store(y + at, keep_lanes(keep_bits[b * keep_step], p, mul(load(x + at), factor)));
        }
    }
}
