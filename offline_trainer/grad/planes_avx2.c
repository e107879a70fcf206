/* SPDX-License-Identifier: GPL-3.0-or-later */
/* planes_avx2.c -- see planes.h for the contract. Vectors of the compiler's own kind: AVX2 on x86-64, whatever there is
 * elsewhere. */
#include "planes.h"

#include <string.h>

typedef float vec __attribute__((vector_size(VIP_LANES * sizeof(float))));
typedef int32_t bits __attribute__((vector_size(VIP_LANES * sizeof(int32_t))));

#define INLINE static inline __attribute__((always_inline))
#define V(p)   (*(const vec *)(const void *)(p))
#define PUT(p) (*(vec *)(void *)(p))

enum { SUMMED = 64 }; /* vectors that are summed in single precision before they go into a double */

size_t
vip_plane_inner(const vip_plane *plane)
{
    return (size_t)plane->blocks * plane->columns * plane->bins * VIP_LANES;
}

size_t
vip_plane_outer(const vip_plane *plane)
{
    const size_t shrink = plane->pool ? 2 : 1;
    return plane->blocks * (plane->columns / shrink) * (plane->bins / shrink) * VIP_LANES;
}

INLINE void
add_to(double *sum, const vec *part)
{
    for (int l = 0; l < VIP_LANES; l++) {
        sum[l] += (double)(*part)[l];
    }
}

void
vip_plane_sums(const vip_plane *plane, const float *y, double *sum, double *square)
{
    const size_t n = (size_t)plane->columns * plane->bins;
    memset(sum, 0, plane->blocks * VIP_LANES * sizeof *sum);
    memset(square, 0, plane->blocks * VIP_LANES * sizeof *square);
    for (uint32_t b = 0; b < plane->blocks; b++) {
        for (size_t from = 0; from < n; from += SUMMED) {
            const size_t end = from + SUMMED < n ? from + SUMMED : n;
            vec s = {0}, q = {0};
            for (size_t i = from; i < end; i++) {
                const vec v = V(y + i * VIP_LANES);
                s += v;
                q += v * v;
            }
            add_to(sum + b * VIP_LANES, &s);
            add_to(square + b * VIP_LANES, &q);
        }
        y += n * VIP_LANES;
    }
}

/* Zero where negative; NaN stays, so that it is seen. */
INLINE vec
positive(vec x)
{
    return (vec)((bits)x & ~(bits)(x <= (vec){0}));
}

/* All ones in the lanes whose bit is set. */
INLINE bits
lanes_of(uint8_t byte)
{
    const bits bit = {1, 2, 4, 8, 16, 32, 64, 128};
    return (bits){0} != (bit & (int32_t)byte);
}

/* vip_bf16, or x as it is. */
INLINE vec
rounded(vec x, bool round)
{
    typedef uint32_t words __attribute__((vector_size(VIP_LANES * sizeof(uint32_t))));
    const words w = (words)x;
    return round ? (vec)((w + 0x7fff + (w >> 16 & 1)) & 0xffff0000) : x;
}

INLINE vec
sum_before_relu(const float *y, const float *residual, size_t i, vec scale, vec shift)
{
    vec v = V(y + i) * scale + shift;
    return residual != NULL ? v + V(residual + i) : v;
}

INLINE void
forward_block(const vip_plane *plane, const float *y, vec scale, vec shift, const float *residual, const uint8_t *keep,
              float keep_scale, float *out, const bool relu)
{
    const size_t n = (size_t)plane->columns * plane->bins;
    for (size_t i = 0; i < n; i++) {
        vec v = sum_before_relu(y, residual, i * VIP_LANES, scale, shift);
        v = relu ? positive(v) : v;
        if (keep != NULL) {
            v = (vec)((bits)(v * keep_scale) & lanes_of(keep[i]));
        }
        PUT(out + i * VIP_LANES) = rounded(v, plane->bf16);
    }
}

INLINE void
forward_pooled(const vip_plane *plane, const float *y, vec scale, vec shift, const float *residual, const uint8_t *keep,
               float keep_scale, float *out)
{
    const size_t row = (size_t)plane->bins * VIP_LANES;
    const float factor = keep != NULL ? 0.25f * keep_scale : 0.25f;
    for (uint32_t t = 0; t + 1 < plane->columns; t += 2) {
        for (uint32_t f = 0; f + 1 < plane->bins; f += 2) {
            const size_t at = t * row + f * VIP_LANES;
            vec v = positive(sum_before_relu(y, residual, at, scale, shift)) +
                    positive(sum_before_relu(y, residual, at + VIP_LANES, scale, shift)) +
                    positive(sum_before_relu(y, residual, at + row, scale, shift)) +
                    positive(sum_before_relu(y, residual, at + row + VIP_LANES, scale, shift));
            v = rounded(v * factor, plane->bf16);
            PUT(out) = keep != NULL ? (vec)((bits)v & lanes_of(*keep++)) : v;
            out += VIP_LANES;
        }
    }
}

void
vip_plane_forward(const vip_plane *plane, const float *y, const float *scale, const float *shift, const float *residual,
                  const uint8_t *keep, float keep_scale, float *out)
{
    const size_t inner = vip_plane_inner(plane) / plane->blocks, outer = vip_plane_outer(plane) / plane->blocks;
    for (uint32_t b = 0; b < plane->blocks; b++) {
        const vec s = V(scale + b * VIP_LANES), h = V(shift + b * VIP_LANES);
        if (plane->pool) {
            forward_pooled(plane, y, s, h, residual, keep, keep_scale, out);
        } else if (plane->relu) {
            forward_block(plane, y, s, h, residual, keep, keep_scale, out, true);
        } else {
            forward_block(plane, y, s, h, residual, keep, keep_scale, out, false);
        }
        y += inner;
        out += outer;
        residual = residual != NULL ? residual + inner : NULL;
        keep = keep != NULL ? keep + outer / VIP_LANES : NULL;
    }
}

/* ---------------------------------------------------------------------------------------------------------- backward */

/* The places in a block that backward walks. */
typedef struct {
    const float *d1, *d2, *out, *y, *residual;
    float *g;
} walk;

INLINE vec
arriving(const walk *w, size_t i)
{
    const vec d = V(w->d1 + i);
    return w->d2 != NULL ? d + V(w->d2 + i) : d;
}

INLINE void
backward_block(const vip_plane *plane, const walk *w, vec mean, float keep_scale, const bool relu, double *sum,
               double *product)
{
    const size_t n = (size_t)plane->columns * plane->bins;
    for (size_t from = 0; from < n; from += SUMMED) {
        const size_t end = from + SUMMED < n ? from + SUMMED : n;
        vec s = {0}, q = {0};
        for (size_t i = from * VIP_LANES; i < end * VIP_LANES; i += VIP_LANES) {
            vec g = arriving(w, i);
            if (relu) {
                g = (vec)((bits)(g * keep_scale) & (bits)(V(w->out + i) > (vec){0}));
            }
            s += g;
            q += g * (V(w->y + i) - mean);
            PUT(w->g + i) = g;
        }
        add_to(sum, &s);
        add_to(product, &q);
    }
}

/* One of the four that were averaged. */
INLINE void
backward_quarter(const walk *w, size_t at, vec scale, vec shift, vec mean, vec g, vec *s, vec *q)
{
    const vec before = sum_before_relu(w->y, w->residual, at, scale, shift);
    g = (vec)((bits)g & (bits)(before > (vec){0}));
    *s += g;
    *q += g * (V(w->y + at) - mean);
    PUT(w->g + at) = g;
}

INLINE void
backward_pooled(const vip_plane *plane, const walk *w, vec scale, vec shift, vec mean, float keep_scale, double *sum,
                double *product)
{
    const size_t row = (size_t)plane->bins * VIP_LANES;
    size_t i = 0;
    uint32_t t = 0;
    for (; t + 1 < plane->columns; t += 2) {
        vec s = {0}, q = {0};
        for (uint32_t f = 0; f + 1 < plane->bins; f += 2) {
            const size_t at = t * row + f * VIP_LANES;
            const vec g = (vec)((bits)(arriving(w, i) * (0.25f * keep_scale)) & (bits)(V(w->out + i) > (vec){0}));
            backward_quarter(w, at, scale, shift, mean, g, &s, &q);
            backward_quarter(w, at + VIP_LANES, scale, shift, mean, g, &s, &q);
            backward_quarter(w, at + row, scale, shift, mean, g, &s, &q);
            backward_quarter(w, at + row + VIP_LANES, scale, shift, mean, g, &s, &q);
            i += VIP_LANES;
        }
        add_to(sum, &s);
        add_to(product, &q);
    }
    if (t < plane->columns) { /* the odd last column left no trace */
        memset(w->g + t * row, 0, row * sizeof *w->g);
    }
}

void
vip_plane_backward(const vip_plane *plane, const vip_plane_gradients *from, float *g, double *sum, double *product)
{
    const size_t inner = vip_plane_inner(plane) / plane->blocks, outer = vip_plane_outer(plane) / plane->blocks;
    memset(sum, 0, plane->blocks * VIP_LANES * sizeof *sum);
    memset(product, 0, plane->blocks * VIP_LANES * sizeof *product);
    walk w = {from->d1, from->d2, from->out, from->y, from->residual, g};
    for (uint32_t b = 0; b < plane->blocks; b++) {
        const vec mean = V(from->mean + b * VIP_LANES);
        double *s = sum + b * VIP_LANES, *q = product + b * VIP_LANES;
        if (plane->pool) {
            backward_pooled(plane, &w, V(from->scale + b * VIP_LANES), V(from->shift + b * VIP_LANES), mean,
                            from->keep_scale, s, q);
        } else if (plane->relu) {
            backward_block(plane, &w, mean, from->keep_scale, true, s, q);
        } else {
            backward_block(plane, &w, mean, 1, false, s, q);
        }
        w.d1 += outer;
        w.d2 = w.d2 != NULL ? w.d2 + outer : NULL;
        w.out += outer;
        w.y += inner;
        w.residual = w.residual != NULL ? w.residual + inner : NULL;
        w.g += inner;
    }
}

void
vip_plane_apply(const vip_plane *plane, const float *g, const float *a, const float *b, const float *c,
                const float *mean, float *y)
{
    const size_t inner = vip_plane_inner(plane) / plane->blocks;
    for (uint32_t block = 0; block < plane->blocks; block++) {
        const size_t at = block * VIP_LANES;
        const vec ka = V(a + at), kb = V(b + at), kc = V(c + at), m = V(mean + at);
        for (size_t i = 0; i < inner; i += VIP_LANES) {
            PUT(y + i) = rounded(ka * V(g + i) - kb - kc * (V(y + i) - m), plane->bf16);
        }
        y += inner;
        g += inner;
    }
}

/* ----------------------------------------------------------------------------------------------------------- Flipout */

void
vip_plane_signs(uint32_t blocks, size_t n, const float *x, const uint8_t *negative, bool per_channel, bool add,
                float *out)
{
    for (uint32_t b = 0; b < blocks; b++) {
        for (size_t i = 0; i < n; i++) {
            const bits flip = lanes_of(negative[per_channel ? b : b * n + i]) & INT32_MIN;
            const vec v = (vec)((bits)V(x) ^ flip);
            PUT(out) = add ? V(out) + v : v;
            x += VIP_LANES;
            out += VIP_LANES;
        }
    }
}

/* --------------------------------------------------------------------------------------------------- the two ends */

/* Each pixel of dx takes nine products per output channel; lanes of a block are summed at the end. */
void
vip_gradient_of_frames(uint32_t out, uint32_t columns, uint32_t bins, uint32_t left, const float *weights,
                       const float *dy, bool add, float *dx)
{
    enum { KERNEL = 3, AREA = KERNEL * KERNEL };
    const uint32_t blocks = (out + VIP_LANES - 1) / VIP_LANES;
    const size_t row = (size_t)bins * VIP_LANES, plane = columns * row;
    if (!add) {
        memset(dx, 0, (size_t)columns * bins * sizeof *dx);
    }
    for (uint32_t b = 0; b < blocks; b++) {
        vec w[AREA];
        for (int k = 0; k < AREA; k++) {
            for (uint32_t l = 0; l < VIP_LANES; l++) {
                const uint32_t channel = b * VIP_LANES + l;
                w[k][l] = channel < out ? weights[channel * AREA + (uint32_t)k] : 0;
            }
        }
        for (uint32_t t = 0; t < columns; t++) {
            for (uint32_t f = 0; f < bins; f++) { /* input t bears on outputs t + left - kt, f + 1 - kf */
                vec sum = {0};
                for (uint32_t kt = 0; kt < KERNEL; kt++) {
                    const uint32_t to = t + left - kt; /* wraps to something large before the first */
                    if (to >= columns) {
                        continue;
                    }
                    for (uint32_t kf = 0; kf < KERNEL; kf++) {
                        const uint32_t bin = f + 1 - kf;
                        if (bin < bins) {
                            sum += w[kt * KERNEL + kf] * V(dy + to * row + bin * VIP_LANES);
                        }
                    }
                }
                float total = 0;
                for (int l = 0; l < VIP_LANES; l++) {
                    total += sum[l];
                }
                dx[t * bins + f] += total;
            }
        }
        dy += plane;
    }
}

/* Nine sums of one column of outputs; column is what the middle of the kernel sees, which lies within the frames for
 * kernel row kt if frames[kt] is there. */
INLINE void
add_stem_column(const float *const frames[3], uint32_t bins, const float *dy, vec *sums)
{
    for (uint32_t kt = 0; kt < 3; kt++) {
        if (frames[kt] == NULL) {
            continue;
        }
        const float *x = frames[kt];
        vec left = {0}, middle = {0}, right = {0};
        for (uint32_t f = 1; f < bins; f++) {
            left += x[f - 1] * V(dy + f * VIP_LANES);
        }
        for (uint32_t f = 0; f < bins; f++) {
            middle += x[f] * V(dy + f * VIP_LANES);
        }
        for (uint32_t f = 0; f + 1 < bins; f++) {
            right += x[f + 1] * V(dy + f * VIP_LANES);
        }
        sums[kt * 3] += left;
        sums[kt * 3 + 1] += middle;
        sums[kt * 3 + 2] += right;
    }
}

void
vip_gradient_of_stem(uint32_t out, uint32_t columns, uint32_t bins, uint32_t left, const float *x, const float *dy,
                     double *gradient)
{
    enum { AREA = 9 };
    const uint32_t blocks = (out + VIP_LANES - 1) / VIP_LANES;
    memset(gradient, 0, (size_t)out * AREA * sizeof *gradient);
    for (uint32_t b = 0; b < blocks; b++) {
        for (uint32_t t = 0; t < columns; t++, dy += (size_t)bins * VIP_LANES) {
            vec sums[AREA] = {{0}};
            const float *frames[3];
            for (uint32_t kt = 0; kt < 3; kt++) {
                const uint32_t from = t + kt - left; /* wraps to something large before the first */
                frames[kt] = from < columns ? x + (size_t)from * bins : NULL;
            }
            add_stem_column(frames, bins, dy, sums);
            for (uint32_t l = 0; l < VIP_LANES && b * VIP_LANES + l < out; l++) {
                for (uint32_t k = 0; k < AREA; k++) {
                    gradient[(b * VIP_LANES + l) * AREA + k] += (double)sums[k][l];
                }
            }
        }
    }
}

void
vip_plane_pooled(const vip_plane *plane, const float *x, float *pooled, uint16_t *newest)
{
    for (uint32_t b = 0; b < plane->blocks; b++) {
        for (int l = 0; l < VIP_LANES; l++) {
            double sum = 0;
            float largest = 0;
            uint16_t at = 0;
            for (uint32_t t = 0; t < plane->columns; t++) {
                float mean = 0;
                for (uint32_t f = 0; f < plane->bins; f++) {
                    mean += x[(t * plane->bins + f) * VIP_LANES + (uint32_t)l];
                }
                mean /= (float)plane->bins;
                sum += (double)mean;
                if (t == 0 || mean > largest) {
                    largest = mean;
                    at = (uint16_t)t;
                }
            }
            pooled[b * VIP_LANES + (uint32_t)l] = largest + (float)(sum / plane->columns);
            newest[b * VIP_LANES + (uint32_t)l] = at;
        }
        x += (size_t)plane->columns * plane->bins * VIP_LANES;
    }
}

void
vip_plane_unpool(const vip_plane *plane, const float *d_pooled, const uint16_t *newest, float *dx)
{
    const float share = 1 / (float)plane->bins, mean = share / (float)plane->columns;
    for (uint32_t b = 0; b < plane->blocks; b++) {
        for (uint32_t t = 0; t < plane->columns; t++) {
            for (uint32_t f = 0; f < plane->bins; f++) {
                for (uint32_t l = 0; l < VIP_LANES; l++) {
                    const uint32_t c = b * VIP_LANES + l;
                    *dx++ = d_pooled[c] * (newest[c] == t ? mean + share : mean);
                }
            }
        }
    }
}
