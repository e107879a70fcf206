/* SPDX-License-Identifier: GPL-3.0-or-later */
/* half.c -- see half.h for the contract. */
#include "half.h"

#include <string.h>

/* f16: sign, 5 bits of exponent (bias 15), 10 of fraction; float: sign, 8 (bias 127), 23. */
enum { FRACTION_SHIFT = 23 - 10, BIAS_DIFFERENCE = 127 - 15 };

static float
float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t
bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

float
vip_half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = (uint32_t)half >> 10 & 31;
    uint32_t fraction = half & 0x3ff;
    if (exponent == 0) { /* zero, or a multiple of 2^-24 */
        float x = (float)fraction * 0x1p-24f;
        return sign != 0 ? -x : x;
    }
    exponent = exponent == 31 ? 255 : exponent + BIAS_DIFFERENCE;
    return float_of(sign | exponent << 23 | fraction << FRACTION_SHIFT);
}

/* bits >> shift, rounded to nearest, ties to even; 1 <= shift <= 31. */
static uint32_t
shift_rounded(uint32_t bits, uint32_t shift)
{
    uint32_t kept = bits >> shift, rest = bits & ((1u << shift) - 1), middle = 1u << (shift - 1);
    return kept + (rest > middle || (rest == middle && (kept & 1) != 0));
}

uint16_t
vip_float_to_half(float x)
{
    uint32_t bits = bits_of(x);
    uint32_t sign = bits >> 16 & 0x8000, exponent = bits >> 23 & 255, fraction = bits & 0x7fffff;
    uint32_t half;
    if (exponent == 255) {
        half = fraction != 0 ? 0x7e00 : 0x7c00;
    } else if (exponent >= BIAS_DIFFERENCE + 31) {
        half = 0x7c00;
    } else if (exponent > BIAS_DIFFERENCE) { /* a carry out of the fraction raises the exponent, up to infinity */
        half = shift_rounded((exponent - BIAS_DIFFERENCE) << 23 | fraction, FRACTION_SHIFT);
    } else if (exponent + 11 > BIAS_DIFFERENCE) { /* a multiple of 2^-24, or rounded up to one */
        half = shift_rounded(fraction | 0x800000, FRACTION_SHIFT + 1 + BIAS_DIFFERENCE - exponent);
    } else {
        half = 0;
    }
    return (uint16_t)(sign | half);
}

float
vip_bfloat_to_float(uint16_t bfloat)
{
    return float_of((uint32_t)bfloat << 16);
}
