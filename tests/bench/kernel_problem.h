/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernel_problem.h -- a convolution with random contents, and its result by the definition of kernels/conv.h.
 *
 * Nothing is zero, not even the halo: a kernel that reads the wrong place is found out. The memory of the outputs is
 * filled with a pattern, halo and margins included, and expected memory is compared as a whole: so a kernel that
 * writes anything more is found out, too. Include in one file of a program. */
#ifndef TESTS_BENCH_KERNEL_PROBLEM_H
#define TESTS_BENCH_KERNEL_PROBLEM_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <base/half.h>
#include <base/memory.h>
#include <kernels/kernels.h>

enum { MARGIN = 64 }; /* floats on either side of every array */

typedef struct {
    uint32_t in_blocks, out_blocks, kernel, columns, members, bins;
    bool flipout, half, scale, pool, relu, residual, keep, member_bias, shared_input;
} problem_shape;

typedef struct {
    float *memory, *copy; /* copy: what it was filled with */
    size_t n;
} problem_array;

typedef struct {
    problem_shape shape;
    vip_conv conv;
    vip_region region;
    problem_array x, w, scale, bias, residual, y; /* w: as floats in any case */
    uint16_t *half;
    uint8_t *sign_in;
    uint16_t *sign_out, *keep;
    float *fused, *separate; /* expected y.memory with products and sums rounded once, and each */
} problem;

static uint32_t
random_word(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u; /* Knuth's */
    return (uint32_t)(*state >> 32);
}

static float
random_sample(uint64_t *state)
{
    return (float)((double)random_word(state) * 0x1p-31 - 1.0);
}

static void
free_array(problem_array *array)
{
    vip_free(array->memory);
    vip_free(array->copy);
}

static void
problem_free(problem *p)
{
    problem_array *const arrays[] = {&p->x, &p->w, &p->scale, &p->bias, &p->residual, &p->y};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        free_array(arrays[i]);
    }
    vip_free(p->half);
    vip_free(p->sign_in);
    vip_free(p->sign_out);
    vip_free(p->keep);
    vip_free(p->fused);
    vip_free(p->separate);
    memset(p, 0, sizeof *p);
}

static bool
make_array(problem_array *array, size_t n, uint64_t *state)
{
    array->n = n + 2 * (size_t)MARGIN;
    array->memory = vip_alloc(array->n, sizeof(float));
    array->copy = vip_alloc(array->n, sizeof(float));
    if (array->memory == NULL || array->copy == NULL) {
        return false;
    }
    for (size_t i = 0; i < array->n; i++) {
        array->memory[i] = random_sample(state);
    }
    memcpy(array->copy, array->memory, array->n * sizeof(float));
    return true;
}

/* Rounds the weights to halves and lets the kernels read those. */
static bool
make_half(problem *p)
{
    p->half = vip_alloc(p->w.n, sizeof *p->half);
    for (size_t i = 0; i < p->w.n && p->half != NULL; i++) {
        p->half[i] = vip_float_to_half(p->w.memory[i]);
        p->w.memory[i] = p->w.copy[i] = vip_half_to_float(p->half[i]);
    }
    p->conv.half = p->half == NULL ? NULL : p->half + MARGIN;
    p->conv.w = NULL;
    return p->half != NULL;
}

static bool
make_signs(problem *p, uint64_t *state)
{
    const size_t n_in = (size_t)p->shape.members * p->shape.in_blocks * VIP_BLOCK;
    const size_t n_out = (size_t)p->shape.members * p->shape.out_blocks;
    p->sign_in = vip_alloc(n_in, sizeof *p->sign_in);
    p->sign_out = vip_alloc(n_out, sizeof *p->sign_out);
    if (p->sign_in == NULL || p->sign_out == NULL) {
        return false;
    }
    for (size_t i = 0; i < n_in; i++) {
        p->sign_in[i] = random_word(state) & 1 ? VIP_BLOCK : 0;
    }
    for (size_t i = 0; i < n_out; i++) {
        p->sign_out[i] = (uint16_t)random_word(state);
    }
    p->conv.sign_in = p->sign_in;
    p->conv.sign_out = p->sign_out;
    return true;
}

static bool
make_keep(problem *p, uint64_t *state)
{
    const uint32_t shrink = p->shape.pool ? 2 : 1;
    const size_t n =
        (size_t)(p->shape.columns / shrink) * p->shape.members * (p->shape.bins / shrink) * p->shape.out_blocks;
    p->keep = vip_alloc(n, sizeof *p->keep);
    if (p->keep == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        p->keep[i] = (uint16_t)random_word(state);
    }
    p->conv.keep = p->keep;
    p->conv.keep_scale = 1.25f;
    return true;
}

/* Strides and arrays of activations [blocks][columns][members][bins + 2][16], as the network has them. */
static bool
make_activations(problem *p, uint64_t *state)
{
    const problem_shape *s = &p->shape;
    vip_conv *conv = &p->conv;
    vip_region *region = &p->region;
    const uint32_t shrink = s->pool ? 2 : 1;
    const size_t row = (size_t)(s->bins + 2) * VIP_BLOCK, y_row = (size_t)(s->bins / shrink + 2) * VIP_BLOCK;
    const size_t x_columns = s->columns + s->kernel - 1;
    conv->x_column = row * (s->shared_input ? 1 : s->members);
    conv->x_block = conv->x_column * x_columns;
    region->x_member = s->shared_input ? 0 : row;
    region->y_member = y_row;
    region->y_column = y_row * s->members;
    conv->y_block = region->y_column * (s->columns / shrink);
    if (!make_array(&p->x, conv->x_block * s->in_blocks, state) ||
        !make_array(&p->y, conv->y_block * s->out_blocks, state)) {
        return false;
    }
    conv->x = p->x.memory + MARGIN + (s->kernel == 1 ? VIP_BLOCK : 0);
    conv->y = p->y.memory + MARGIN + VIP_BLOCK;
    if (!s->residual) {
        return true;
    }
    region->residual_member = row;
    region->residual_column = row * s->members;
    conv->residual_block = region->residual_column * s->columns;
    if (!make_array(&p->residual, conv->residual_block * s->out_blocks, state)) {
        return false;
    }
    conv->residual = p->residual.memory + MARGIN + VIP_BLOCK;
    return true;
}

/* Fills *p; false: memory is short. Free with problem_free in either case. */
static bool
problem_init(problem *p, const problem_shape *s, uint64_t *state)
{
    memset(p, 0, sizeof *p);
    p->shape = *s;
    p->conv = (vip_conv){
        .in_blocks = s->in_blocks, .out_blocks = s->out_blocks, .kernel = s->kernel, .relu = s->relu, .pool = s->pool};
    p->region = (vip_region){.columns = s->columns, .members = s->members, .bins = s->bins};
    p->conv.w_block = (size_t)s->in_blocks * s->kernel * s->kernel * VIP_BLOCK_WEIGHTS * (s->flipout ? 2 : 1);
    p->conv.bias_member = s->member_bias ? (size_t)s->out_blocks * VIP_BLOCK : 0;
    if (!make_activations(p, state) || !make_array(&p->w, p->conv.w_block * s->out_blocks, state) ||
        !make_array(&p->bias, (size_t)s->out_blocks * VIP_BLOCK * (s->member_bias ? s->members : 1), state) ||
        (s->scale && !make_array(&p->scale, (size_t)s->out_blocks * VIP_BLOCK, state)) ||
        (s->flipout && !make_signs(p, state)) || (s->keep && !make_keep(p, state))) {
        return false;
    }
    p->conv.w = p->w.memory + MARGIN;
    p->conv.scale = s->scale ? p->scale.memory + MARGIN : NULL;
    p->conv.bias = p->bias.memory + MARGIN;
    return !s->half || make_half(p);
}

/* ------------------------------------------------------------------------------------------------------- definition */

/* The weight from channel c of an input block's kernel position to channel o of its output block, for the member. */
static float
weight_of(const vip_conv *conv, const float *w, uint32_t member, uint32_t in, uint32_t block, uint32_t c, uint32_t o)
{
    if (conv->sign_in == NULL) {
        return w[c * VIP_BLOCK + o];
    }
    bool minus_in = conv->sign_in[((size_t)member * conv->in_blocks + in) * VIP_BLOCK + c] != 0;
    bool minus_out = conv->sign_out[(size_t)member * conv->out_blocks + block] >> o & 1;
    return w[c * 2 * VIP_BLOCK + (minus_in != minus_out ? VIP_BLOCK : 0) + o];
}

/* One output before the pool. */
static float
define_pixel(const problem *p, uint32_t column, uint32_t member, uint32_t bin, uint32_t block, uint32_t o, bool fused)
{
    const vip_conv *conv = &p->conv;
    const vip_region *region = &p->region;
    const float *w = p->w.memory + MARGIN + block * conv->w_block;
    const size_t step = (size_t)VIP_BLOCK_WEIGHTS * (conv->sign_in == NULL ? 1 : 2);
    float sum = 0;
    for (uint32_t in = 0; in < conv->in_blocks; in++) {
        for (uint32_t t = 0; t < conv->kernel; t++) {
            for (uint32_t f = 0; f < conv->kernel; f++, w += step) {
                const float *x = conv->x + in * conv->x_block + (column + t) * conv->x_column +
                                 member * region->x_member + (size_t)(bin + f) * VIP_BLOCK;
                for (uint32_t c = 0; c < VIP_BLOCK; c++) {
                    float weight = weight_of(conv, w, member, in, block, c, o);
                    sum = fused ? fmaf(x[c], weight, sum) : sum + x[c] * weight;
                }
            }
        }
    }
    sum *= conv->scale == NULL ? 1 : conv->scale[block * VIP_BLOCK + o];
    sum += conv->bias[member * conv->bias_member + block * VIP_BLOCK + o];
    if (conv->residual != NULL) {
        sum += conv->residual[column * region->residual_column + member * region->residual_member +
                              block * conv->residual_block + (size_t)bin * VIP_BLOCK + o];
    }
    return conv->relu && !(sum > 0) ? 0 : sum;
}

/* One output in its place of y, an image of p->y.memory. */
static void
define_output(const problem *p, uint32_t column, uint32_t member, uint32_t bin, uint32_t block, uint32_t o, bool fused,
              float *y)
{
    const problem_shape *s = &p->shape;
    float value;
    if (s->pool) {
        float a = define_pixel(p, 2 * column, member, 2 * bin, block, o, fused);
        float b = define_pixel(p, 2 * column + 1, member, 2 * bin, block, o, fused);
        float c = define_pixel(p, 2 * column, member, 2 * bin + 1, block, o, fused);
        float d = define_pixel(p, 2 * column + 1, member, 2 * bin + 1, block, o, fused);
        value = ((a + b) + (c + d)) / 4;
    } else {
        value = define_pixel(p, column, member, bin, block, o, fused);
    }
    if (s->keep) {
        size_t pixel = ((size_t)column * s->members + member) * (s->bins / (s->pool ? 2 : 1)) + bin;
        value = p->keep[pixel * s->out_blocks + block] >> o & 1 ? value * p->conv.keep_scale : 0;
    }
    y[(size_t)(p->conv.y - p->y.memory) + block * p->conv.y_block + column * p->region.y_column +
      member * p->region.y_member + (size_t)bin * VIP_BLOCK + o] = value;
}

/* Makes what the memory of y should be afterwards; false: memory is short. */
static bool
problem_define(problem *p, bool fused)
{
    const uint32_t shrink = p->shape.pool ? 2 : 1;
    float *y = vip_alloc(p->y.n, sizeof(float));
    if (y == NULL) {
        return false;
    }
    memcpy(y, p->y.copy, p->y.n * sizeof(float));
    for (uint32_t block = 0; block < p->shape.out_blocks; block++) {
        for (uint32_t column = 0; column < p->shape.columns / shrink; column++) {
            for (uint32_t member = 0; member < p->shape.members; member++) {
                for (uint32_t bin = 0; bin < p->shape.bins / shrink; bin++) {
                    for (uint32_t o = 0; o < VIP_BLOCK; o++) {
                        define_output(p, column, member, bin, block, o, fused, y);
                    }
                }
            }
        }
    }
    *(fused ? &p->fused : &p->separate) = y;
    return true;
}

static bool
unchanged(const problem_array *array)
{
    return array->n == 0 || memcmp(array->memory, array->copy, array->n * sizeof(float)) == 0;
}

/* Runs vip_convolve and compares all memory bit for bit: outputs, what lies around them, inputs. */
static bool
problem_holds(problem *p, const vip_kernels *kernels)
{
    memcpy(p->y.memory, p->y.copy, p->y.n * sizeof(float));
    vip_convolve(kernels, &p->conv, &p->region);
    const float *expected = kernels->fused ? p->fused : p->separate;
    return memcmp(p->y.memory, expected, p->y.n * sizeof(float)) == 0 && unchanged(&p->x) && unchanged(&p->w) &&
           unchanged(&p->scale) && unchanged(&p->bias) && unchanged(&p->residual);
}

#endif /* TESTS_BENCH_KERNEL_PROBLEM_H */
