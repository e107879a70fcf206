/* SPDX-License-Identifier: GPL-3.0-or-later */
/* half.h -- numbers of 16 bits: IEEE 754 binary16 (f16), and bfloat16 (the upper half of a float). */
#ifndef VIP_BASE_HALF_H
#define VIP_BASE_HALF_H

#include <stdint.h>

/* Exact: every f16 is a float. Infinities stay infinite and NaN stays NaN. */
float vip_half_to_float(uint16_t half);

/* Rounded to nearest, ties to even; infinite from 65520 on. */
uint16_t vip_float_to_half(float x);

/* Exact. */
float vip_bfloat_to_float(uint16_t bfloat);

#endif /* VIP_BASE_HALF_H */
