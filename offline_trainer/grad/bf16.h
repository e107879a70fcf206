/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bf16.h -- numbers of 8 significant bits, the upper half of a float, kept in floats.
 *
 * The product of two of them is exact in single precision. A convolution of rounded operands therefore gives what
 * instructions for bf16 with sums in single precision give, but for the order of the sums. */
#ifndef VIP_TRAINER_BF16_H
#define VIP_TRAINER_BF16_H

#include <stdint.h>
#include <string.h>

/* The nearest one, of two equally near that with an even last bit. Infinities and NaN stay what they are (of NaN the kind
 * that arithmetic makes). */
static inline float
vip_bf16(float x)
{
    uint32_t word;
    memcpy(&word, &x, sizeof word);
    word = (word + 0x7fff + (word >> 16 & 1)) & 0xffff0000;
    memcpy(&x, &word, sizeof x);
    return x;
}

#endif /* VIP_TRAINER_BF16_H */
