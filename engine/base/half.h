/* SPDX-License-Identifier: GPL-3.0-or-later */
/* half.h -- numbers of 16 bits: IEEE 754 binary16 (f16), and bfloat16 (the upper half of a float).
 *
 * Inline, since millions are converted when a model is opened. In integers, since a host may have made the processor
 * take small floats for zero.
 *
 * f16: sign, 5 bits of exponent (bias 15), 10 of fraction; float: sign, 8 (bias 127), 23. */
#ifndef VIP_BASE_HALF_H
#define VIP_BASE_HALF_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { VIP_HALF_SHIFT = 23 - 10, VIP_HALF_BIAS = 127 - 15 };

static inline float
vip_float_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint32_t
vip_bits_of_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Exact: every f16 is a float. Infinities stay infinite and NaN stays NaN. */
static inline float
vip_half_to_float(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, fraction = half & 0x3ff;
    uint32_t exponent = (uint32_t)half >> 10 & 31;
    if (exponent == 0) { /* zero, or a multiple of 2^-24 */
        const float x = (float)fraction * 0x1p-24f;
        return sign != 0 ? -x : x;
    }
    exponent = exponent == 31 ? 255 : exponent + VIP_HALF_BIAS;
    return vip_float_of_bits(sign | exponent << 23 | fraction << VIP_HALF_SHIFT);
}

/* bits >> shift, rounded to nearest, ties to even; 1 <= shift <= 31. */
static inline uint32_t
vip_shift_rounded(uint32_t bits, uint32_t shift)
{
    const uint32_t kept = bits >> shift, rest = bits & ((1u << shift) - 1), middle = 1u << (shift - 1);
    return kept + (rest > middle || (rest == middle && (kept & 1) != 0));
}

/* Rounded to nearest, ties to even; infinite from 65520 on. */
static inline uint16_t
vip_float_to_half(float x)
{
    const uint32_t bits = vip_bits_of_float(x);
    const uint32_t sign = bits >> 16 & 0x8000, exponent = bits >> 23 & 255, fraction = bits & 0x7fffff;
    uint32_t half;
    if (exponent == 255) {
        half = fraction != 0 ? 0x7e00 : 0x7c00;
    } else if (exponent >= VIP_HALF_BIAS + 31) {
        half = 0x7c00;
    } else if (exponent > VIP_HALF_BIAS) { /* a carry out of the fraction raises the exponent, up to infinity */
        half = vip_shift_rounded((exponent - VIP_HALF_BIAS) << 23 | fraction, VIP_HALF_SHIFT);
    } else if (exponent + 11 > VIP_HALF_BIAS) { /* a multiple of 2^-24, or rounded up to one */
        half = vip_shift_rounded(fraction | 0x800000, VIP_HALF_SHIFT + 1 + VIP_HALF_BIAS - exponent);
    } else {
        half = 0;
    }
    return (uint16_t)(sign | half);
}

/* Whether an f16 is this number exactly. */
static inline bool
vip_is_half(float x)
{
    const uint32_t bits = vip_bits_of_float(x), exponent = bits >> 23 & 255;
    if (exponent > VIP_HALF_BIAS && exponent < VIP_HALF_BIAS + 31) { /* nearly all: their fractions must be short */
        return (bits & ((1u << VIP_HALF_SHIFT) - 1)) == 0;
    }
    return vip_bits_of_float(vip_half_to_float(vip_float_to_half(x))) == bits;
}

/* Exact. */
static inline float
vip_bfloat_to_float(uint16_t bfloat)
{
    return vip_float_of_bits((uint32_t)bfloat << 16);
}

#endif /* VIP_BASE_HALF_H */
