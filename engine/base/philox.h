/* SPDX-License-Identifier: GPL-3.0-or-later */
/* philox.h -- Philox4x32-10 (Salmon et al. 2011), the counter-based generator under every random number.
 *
 * A number is a pure function of (seed, kind, id, draw, column, element): nothing is consumed in order, so a stream, a
 * clip and any number of threads see the same values. Key: the halves of the seed, low first. Counter: block of
 * elements, absolute column, kind << 24 | id, draw. */
#ifndef VIP_BASE_PHILOX_H
#define VIP_BASE_PHILOX_H

#include <stdint.h>

/* What a number is for. The id is a dropout site (kind 1) or the position of a weight tensor (the others). */
typedef enum {
    VIP_KEYED_DROPOUT = 1,
    VIP_KEYED_EPS = 2,
    VIP_KEYED_SIGN_IN = 3,
    VIP_KEYED_SIGN_OUT = 4,
    VIP_KEYED_INIT = 5,
    VIP_KEYED_ORDER = 6
} vip_keyed_kind;

enum { VIP_PHILOX_ROUNDS = 10 };
static const uint32_t VIP_PHILOX_M0 = 0xD2511F53u, VIP_PHILOX_M1 = 0xCD9E8D57u;
static const uint32_t VIP_PHILOX_W0 = 0x9E3779B9u, VIP_PHILOX_W1 = 0xBB67AE85u;

/* out[0..3] = the four words of counter[0..3] under the seed; out may be counter. */
static inline void
vip_philox(uint64_t seed, const uint32_t counter[4], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < VIP_PHILOX_ROUNDS; round++) {
        uint64_t p0 = (uint64_t)c0 * VIP_PHILOX_M0, p1 = (uint64_t)c2 * VIP_PHILOX_M1;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += VIP_PHILOX_W0;
        k1 += VIP_PHILOX_W1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

#endif /* VIP_BASE_PHILOX_H */
