/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keyed.c -- see keyed.h for the contract. */
#include "keyed.h"

#include <math.h>

enum { WORDS = 4, LANES = 8, BITS = 128 }; /* in one block: words, 16-bit lanes, bits */

/* One block of words: see base/philox.h for what the counter's parts are. */
static void
make_block(uint64_t seed, vip_keyed_kind kind, uint32_t id, uint32_t draw, uint32_t column, size_t block,
           uint32_t words[WORDS])
{
    const uint32_t counter[4] = {(uint32_t)block, column, (uint32_t)kind << 24 | id, draw};
    vip_philox(seed, counter, words);
}

float
vip_uniform(uint32_t word)
{
    return (float)(word >> 8) * 0x1p-24f;
}

/* numerator(r) / denominator(r), both of degree 7, by Horner's rule; coefficients from the constant on. */
static double
rational(const double numerator[8], const double denominator[8], double r)
{
    double above = numerator[7], below = denominator[7];
    for (int i = 6; i >= 0; i--) {
        above = above * r + numerator[i];
        below = below * r + denominator[i];
    }
    return above / below;
}

/* Wichura 1988, AS 241, PPND16. Its third range, p below exp(-25), is out of reach of 32 bits. The centre, 85 % of all
 * words, is exact arithmetic in a fixed order; the tails lean on the C library's log and on sqrt. */
float
vip_normal(uint32_t word)
{
    static const double A[8] = {3.387132872796366608,  133.14166789178437745, 1971.5909503065514427,
                                13731.693765509461125, 45921.953931549871457, 67265.770927008700853,
                                33430.575583588128105, 2509.0809287301226727};
    static const double B[8] = {1.0,
                                42.313330701600911252,
                                687.1870074920579083,
                                5394.1960214247511077,
                                21213.794301586595867,
                                39307.89580009271061,
                                28729.085735721942674,
                                5226.495278852545925};
    static const double C[8] = {1.42343711074968357734,   4.6303378461565452959,   5.7694972214606914055,
                                3.64784832476320460504,   1.27045825245236838258,  0.24178072517745061177,
                                0.0227238449892691845833, 7.7454501427834140764e-4};
    static const double D[8] = {1.0,
                                2.05319162663775882187,
                                1.6763848301838038494,
                                0.68976733498510000455,
                                0.14810397642748007459,
                                0.0151986665636164571966,
                                5.475938084995344946e-4,
                                1.05075007164441684324e-9};
    double p = ((double)word + 0.5) * 0x1p-32;
    double q = p - 0.5;
    if (fabs(q) <= 0.425) {
        return (float)(q * rational(A, B, 0.180625 - q * q));
    }
    double tail = rational(C, D, sqrt(-log(q < 0.0 ? p : 1.0 - p)) - 1.6);
    return (float)(q < 0.0 ? -tail : tail);
}

void
vip_keyed_eps(uint64_t seed, uint32_t tensor, uint32_t draw, float *eps, size_t n)
{
    uint32_t words[WORDS];
    for (size_t e = 0; e < n; e++) {
        if (e % WORDS == 0) {
            make_block(seed, VIP_KEYED_EPS, tensor, draw, 0, e / WORDS, words);
        }
        eps[e] = vip_normal(words[e % WORDS]);
    }
}

void
vip_keyed_signs(uint64_t seed, vip_keyed_kind kind, uint32_t tensor, uint32_t draw, uint32_t column,
                unsigned char *negative, size_t n)
{
    uint32_t words[WORDS];
    for (size_t e = 0; e < n; e++) {
        if (e % BITS == 0) {
            make_block(seed, kind, tensor, draw, column, e / BITS, words);
        }
        negative[e] = words[e % BITS / 32] >> e % 32 & 1;
    }
}

void
vip_keyed_keep(uint64_t seed, uint32_t site, uint32_t member, uint32_t column, float rate, unsigned char *keep,
               size_t n)
{
    uint32_t words[WORDS], dropped_below = (uint32_t)(65536.0 * (double)rate + 0.5);
    for (size_t e = 0; e < n; e++) {
        if (e % LANES == 0) {
            make_block(seed, VIP_KEYED_DROPOUT, site, member, column, e / LANES, words);
        }
        uint32_t lane = words[e % LANES / 2] >> e % 2 * 16 & 0xffff;
        keep[e] = lane >= dropped_below;
    }
}
