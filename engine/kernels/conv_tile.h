/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv_tile.h -- the body of every vector tile, included once per instruction set.
 *
 * The including file defines a vector type and its operations:
 *   vec, LANES (16 or 8)             so that a block of 16 channels is PARTS = 16 / LANES vectors
 *   load, load_half, store, spread, fma, add, mul, zero, positive   (spread: one float to all lanes; positive: max(x, 0))
 *   lanes_of(bits, part)             all ones in the lanes whose bit of 16 is set, else zeros; part 0 .. PARTS-1
 *   choose(lanes, a, b)              b in the lanes of ones, else a
 *   keep_lanes(bits, part, a)        lanes of a where the bit is set, else 0
 *   prefetch(p), fetch_later(p)      ask for the line at p, which need not exist, to come to the first, second cache
 * A tile's counts are constants after inlining: the loops over sums vanish and the sums stay in registers. */
#define PARTS  (VIP_BLOCK / LANES)
#define INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL          _Pragma("clang loop unroll(full)")
#define UNROLL_CHANNELS _Pragma("clang loop unroll_count(4)")
#else
#define UNROLL          _Pragma("GCC unroll 32")
#define UNROLL_CHANNELS _Pragma("GCC unroll 4")
#endif

/* Hides from the compiler where a pointer came from. Neighbouring kernel positions read mostly the same inputs, and a
 * compiler that sees it keeps them all in scalars, which spills hundreds of registers to save loads that are free. */
#define FORGET(pointer) __asm__("" : "+r"(pointer))

enum {
    MAX_SUMS = 32,
    MAX_BLOCKS = 4,
    AHEAD = 4096, /* bytes: weights from beyond the caches arrive in time, those within lose nothing */
    LINE = 64     /* bytes */
};

/* What the weights are: floats, halves, or pairs of floats of which a member's signs choose. */
enum { PLAIN, HALF, FLIPOUT };

/* ------------------------------------------------------------------------------------------------- what comes after */

#define SUM(r, q, o) (&sums[(((r)*bins + (q)) * blocks + (o)) * PARTS])

INLINE void
add_bias(const vip_conv *conv, const vip_run *runs, uint32_t out_block, const int n_runs, const int bins,
         const int blocks, vec *sums)
{
    UNROLL
    for (int r = 0; r < n_runs; r++) {
        const float *bias = conv->bias + runs[r].member * conv->bias_member + (size_t)out_block * VIP_BLOCK;
        UNROLL
        for (int i = 0; i < blocks * PARTS; i++) {
            vec value = load(bias + i * LANES);
            UNROLL
            for (int q = 0; q < bins; q++) {
                SUM(r, q, 0)[i] = add(SUM(r, q, 0)[i], value);
            }
        }
    }
}

INLINE void
multiply_scale(const vip_conv *conv, uint32_t out_block, const int n_runs, const int bins, const int blocks, vec *sums)
{
    UNROLL
    for (int i = 0; i < blocks * PARTS; i++) {
        vec value = load(conv->scale + (size_t)out_block * VIP_BLOCK + i * LANES);
        UNROLL
        for (int pixel = 0; pixel < n_runs * bins; pixel++) {
            vec *sum = &sums[pixel * blocks * PARTS + i];
            *sum = mul(*sum, value);
        }
    }
}

INLINE void
add_residual(const vip_conv *conv, const vip_run *runs, uint32_t out_block, const int n_runs, const int bins,
             const int blocks, vec *sums)
{
    UNROLL
    for (int r = 0; r < n_runs; r++) {
        UNROLL
        for (int o = 0; o < blocks; o++) {
            const float *from = conv->residual + runs[r].residual + (out_block + (uint32_t)o) * conv->residual_block;
            UNROLL
            for (int i = 0; i < bins * PARTS; i++) {
                vec *sum = &SUM(r, i / PARTS, o)[i % PARTS];
                *sum = add(*sum, load(from + i * LANES));
            }
        }
    }
}

/* Averages squares of two runs and two bins; the result lies where its first one was. */
INLINE void
average(const int n_runs, const int bins, const int blocks, vec *sums)
{
    static const float quarter = 0.25f;
    UNROLL
    for (int r = 0; r + 1 < n_runs; r += 2) {
        UNROLL
        for (int q = 0; q + 1 < bins; q += 2) {
            UNROLL
            for (int i = 0; i < blocks * PARTS; i++) {
                vec first = add(SUM(r, q, 0)[i], SUM(r + 1, q, 0)[i]);
                vec second = add(SUM(r, q + 1, 0)[i], SUM(r + 1, q + 1, 0)[i]);
                SUM(r, q, 0)[i] = mul(add(first, second), spread(&quarter));
            }
        }
    }
}

/* Stores every shrink-th run and bin. */
INLINE void
store_sums(const vip_conv *conv, const vip_run *runs, uint32_t out_block, const int n_runs, const int bins,
           const int blocks, const int shrink, const vec *sums)
{
    UNROLL
    for (int r = 0; r + shrink <= n_runs; r += shrink) {
        UNROLL
        for (int o = 0; o < blocks; o++) {
            float *y = conv->y + runs[r].y + (out_block + (uint32_t)o) * conv->y_block;
            UNROLL
            for (int q = 0; q + shrink <= bins; q += shrink) {
                UNROLL
                for (int p = 0; p < PARTS; p++) {
                    store(y + q / shrink * VIP_BLOCK + p * LANES, SUM(r, q, o)[p]);
                }
            }
        }
    }
}

/* The same through the masks of dropout. */
INLINE void
store_kept(const vip_conv *conv, const vip_run *runs, uint32_t out_block, const int n_runs, const int bins,
           const int blocks, const int shrink, const vec *sums)
{
    const vec scale = spread(&conv->keep_scale);
    UNROLL
    for (int r = 0; r + shrink <= n_runs; r += shrink) {
        UNROLL
        for (int o = 0; o < blocks; o++) {
            float *y = conv->y + runs[r].y + (out_block + (uint32_t)o) * conv->y_block;
            const uint16_t *keep_bits = conv->keep + runs[r].keep + out_block + (uint32_t)o;
            UNROLL
            for (int q = 0; q + shrink <= bins; q += shrink) {
                const uint16_t bits = keep_bits[(size_t)(q / shrink) * conv->out_blocks];
                UNROLL
                for (int p = 0; p < PARTS; p++) {
                    store(y + q / shrink * VIP_BLOCK + p * LANES, keep_lanes(bits, p, mul(SUM(r, q, o)[p], scale)));
                }
            }
        }
    }
}

/* Each step is done for all sums before the next, so that it is asked for once. */
INLINE void
finish_tile(const vip_conv *conv, const vip_run *runs, uint32_t out_block, const int n_runs, const int bins,
            const int blocks, vec *sums)
{
    if (conv->scale != NULL) {
        multiply_scale(conv, out_block, n_runs, bins, blocks, sums);
    }
    add_bias(conv, runs, out_block, n_runs, bins, blocks, sums);
    if (conv->residual != NULL) {
        add_residual(conv, runs, out_block, n_runs, bins, blocks, sums);
    }
    if (conv->relu) {
        UNROLL
        for (int i = 0; i < n_runs * bins * blocks * PARTS; i++) {
            sums[i] = positive(sums[i]);
        }
    }
    if (conv->pool) {
        average(n_runs, bins, blocks, sums);
        if (conv->keep != NULL) {
            store_kept(conv, runs, out_block, n_runs, bins, blocks, 2, sums);
        } else {
            store_sums(conv, runs, out_block, n_runs, bins, blocks, 2, sums);
        }
    } else if (conv->keep != NULL) {
        store_kept(conv, runs, out_block, n_runs, bins, blocks, 1, sums);
    } else {
        store_sums(conv, runs, out_block, n_runs, bins, blocks, 1, sums);
    }
}

/* --------------------------------------------------------------------------------------------------------- products */

/* One channel's products: weight[o * PARTS + p] times the channel's value at each bin of the run whose sums these are. */
INLINE void
multiply_run(const float *x, const vec *weight, const int bins, const int blocks, vec *sums)
{
    UNROLL
    for (int q = 0; q < bins; q++) {
        vec value = spread(x + q * VIP_BLOCK);
        UNROLL
        for (int i = 0; i < blocks * PARTS; i++) {
            vec *sum = &sums[q * blocks * PARTS + i];
            *sum = fma(value, weight[i], *sum);
        }
    }
}

/* Products of one input block and kernel position: x[r] points at the first pixel of run r. */
INLINE void
accumulate(const float *const *x, const char *w, size_t block_bytes, const int form, const int n_runs, const int bins,
           const int blocks, vec *sums)
{
    const int row = VIP_BLOCK * (form == HALF ? 2 : 4); /* bytes */
    UNROLL_CHANNELS
    for (int c = 0; c < VIP_BLOCK; c++) {
        vec weight[MAX_BLOCKS * PARTS];
        UNROLL
        for (int o = 0; o < blocks; o++) {
            const char *from = w + (size_t)o * block_bytes + c * row;
            UNROLL
            for (int p = 0; p < PARTS; p++) {
                weight[o * PARTS + p] = form == HALF ? load_half((const uint16_t *)(const void *)from + p * LANES)
                                                     : load((const float *)(const void *)from + p * LANES);
            }
            if (c * row % LINE == 0) {
                prefetch(from + AHEAD);
            }
        }
        UNROLL
        for (int r = 0; r < n_runs; r++) {
            multiply_run(x[r] + c, weight, bins, blocks, SUM(r, 0, 0));
        }
    }
}

/* Which lanes of each run and block take the difference, where the input's sign is plus and where it is minus. Chosen
 * from memory by the input's sign: that is one load, while masks would go through a port that multiplies. */
typedef struct {
    _Alignas(64) uint32_t lanes[VIP_MAX_RUNS][MAX_BLOCKS][2][VIP_BLOCK];
} sign_table;

INLINE void
fill_signs(const vip_conv *conv, const vip_run *runs, uint32_t out_block, const int n_runs, const int blocks,
           sign_table *signs)
{
    UNROLL
    for (int r = 0; r < n_runs; r++) {
        UNROLL
        for (int o = 0; o < blocks; o++) {
            uint32_t bits = conv->sign_out[(size_t)runs[r].member * conv->out_blocks + out_block + (uint32_t)o];
            UNROLL
            for (int p = 0; p < PARTS; p++) {
                store((float *)signs->lanes[r][o][0] + p * LANES, lanes_of(bits, p));
                store((float *)signs->lanes[r][o][1] + p * LANES, lanes_of(~bits, p));
            }
        }
    }
}

/* The same as accumulate with each run's member choosing its weights. */
INLINE void
accumulate_flipout(const float *const *x, const char *w, size_t block_bytes, const uint8_t *const *sign_in,
                   const sign_table *signs, const int n_runs, const int bins, const int blocks, vec *sums)
{
    UNROLL_CHANNELS
    for (int c = 0; c < VIP_BLOCK; c++) {
        vec same[MAX_BLOCKS * PARTS], other[MAX_BLOCKS * PARTS];
        UNROLL
        for (int o = 0; o < blocks; o++) {
            const char *line = w + (size_t)o * block_bytes + c * 2 * LINE;
            const float *from = (const float *)(const void *)line;
            UNROLL
            for (int p = 0; p < PARTS; p++) {
                same[o * PARTS + p] = load(from + p * LANES);
                other[o * PARTS + p] = load(from + VIP_BLOCK + p * LANES);
            }
            prefetch(line + AHEAD);
            prefetch(line + AHEAD + LINE);
        }
        UNROLL
        for (int r = 0; r < n_runs; r++) {
            const float *lanes = (const float *)signs->lanes[r][0][0] + sign_in[r][c];
            vec weight[MAX_BLOCKS * PARTS];
            UNROLL
            for (int i = 0; i < blocks * PARTS; i++) {
                const int at = i / PARTS * 2 * VIP_BLOCK + i % PARTS * LANES;
                weight[i] = choose(load(lanes + at), same[i], other[i]);
            }
            multiply_run(x[r] + c, weight, bins, blocks, SUM(r, 0, 0));
        }
    }
}

/* Asks for this tile's share of the next blocks' weights, a few lines at every step. */
INLINE const char *
fetch_ahead(const char *ahead, const vip_conv *conv, size_t block_bytes, const int blocks)
{
    for (uint32_t line = 0; line < conv->ahead_lines; line++) {
        UNROLL
        for (int o = 0; o < blocks; o++) {
            fetch_later(ahead + (size_t)o * block_bytes);
        }
        ahead += LINE;
    }
    return ahead;
}

INLINE void
tile(const vip_conv *conv, const vip_run *runs, uint32_t out_block, const int n_runs, const int bins, const int blocks,
     const int form)
{
    vec sums[MAX_SUMS];
    UNROLL
    for (int i = 0; i < n_runs * bins * blocks * PARTS; i++) {
        sums[i] = zero();
    }
    const size_t weight_bytes = form == HALF ? sizeof(uint16_t) : sizeof(float);
    const size_t step = VIP_BLOCK_WEIGHTS * weight_bytes * (form == FLIPOUT ? 2 : 1);
    const size_t block_bytes = conv->w_block * weight_bytes;
    const char *w = (form == HALF ? (const char *)conv->half : (const char *)conv->w) + out_block * block_bytes;
    const char *ahead = conv->ahead;
    const uint8_t *sign_in[VIP_MAX_RUNS];
    sign_table signs;
    if (form == FLIPOUT) {
        UNROLL
        for (int r = 0; r < n_runs; r++) {
            sign_in[r] = conv->sign_in + (size_t)runs[r].member * conv->in_blocks * VIP_BLOCK;
        }
        fill_signs(conv, runs, out_block, n_runs, blocks, &signs);
    }
    for (uint32_t in = 0; in < conv->in_blocks; in++) {
        for (uint32_t t = 0; t < conv->kernel; t++) {
            const float *x[VIP_MAX_RUNS];
            UNROLL
            for (int r = 0; r < n_runs; r++) {
                x[r] = conv->x + runs[r].x + in * conv->x_block + t * conv->x_column;
            }
            for (uint32_t f = 0; f < conv->kernel; f++) {
                if (form == FLIPOUT) {
                    accumulate_flipout(x, w, block_bytes, sign_in, &signs, n_runs, bins, blocks, sums);
                } else {
                    accumulate(x, w, block_bytes, form, n_runs, bins, blocks, sums);
                }
                w += step;
                FORGET(w);
                ahead = fetch_ahead(ahead, conv, block_bytes, blocks);
                UNROLL
                for (int r = 0; r < n_runs; r++) {
                    x[r] += VIP_BLOCK;
                    FORGET(x[r]);
                }
            }
        }
        if (form == FLIPOUT) {
            UNROLL
            for (int r = 0; r < n_runs; r++) {
                sign_in[r] += VIP_BLOCK;
            }
        }
    }
    finish_tile(conv, runs, out_block, n_runs, bins, blocks, sums);
}
#undef SUM

#define DEFINE_TILE(R, Q, O)                                                                                           \
    static void tile_##R##_##Q##_##O(const vip_conv *conv, const vip_run *runs, uint32_t out_block)                    \
    {                                                                                                                  \
        tile(conv, runs, out_block, R, Q, O, PLAIN);                                                                   \
    }                                                                                                                  \
    static void half_##R##_##Q##_##O(const vip_conv *conv, const vip_run *runs, uint32_t out_block)                    \
    {                                                                                                                  \
        tile(conv, runs, out_block, R, Q, O, HALF);                                                                    \
    }                                                                                                                  \
    static void flipout_##R##_##Q##_##O(const vip_conv *conv, const vip_run *runs, uint32_t out_block)                 \
    {                                                                                                                  \
        tile(conv, runs, out_block, R, Q, O, FLIPOUT);                                                                 \
    }
#define TILE_ROW(R, Q, O) {R, Q, O, tile_##R##_##Q##_##O, half_##R##_##Q##_##O, flipout_##R##_##Q##_##O},

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
