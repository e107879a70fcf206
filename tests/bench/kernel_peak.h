/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernel_peak.h -- the most multiply-adds that one core does, by the instruction set of each variant.
 *
 * Independent chains on registers alone: enough of them to hide the latency of every processor known. */
#ifndef TESTS_BENCH_KERNEL_PEAK_H
#define TESTS_BENCH_KERNEL_PEAK_H

#include <string.h>

enum { CHAINS = 12 };

/* Keeps a value from being known to the compiler. */
#define OPAQUE(x) __asm__ volatile("" : "+x"(x))
#if defined(__clang__)
#define EACH_CHAIN _Pragma("clang loop unroll(full)")
#else
#define EACH_CHAIN _Pragma("GCC unroll 12")
#endif

#if defined(__x86_64__)
#include <immintrin.h>

#define DEFINE_PEAK(name, target, vector, set, step)                                                                   \
    target static double name(long turns)                                                                              \
    {                                                                                                                  \
        vector sum[CHAINS], factor = set(0.999f), addend = set(0.001f);                                                \
        EACH_CHAIN                                                                                                     \
        for (int i = 0; i < CHAINS; i++) {                                                                             \
            sum[i] = set(1.0f);                                                                                        \
        }                                                                                                              \
        for (long turn = 0; turn < turns; turn++) {                                                                    \
            EACH_CHAIN                                                                                                 \
            for (int i = 0; i < CHAINS; i++) {                                                                         \
                sum[i] = step(sum[i], factor, addend);                                                                 \
                OPAQUE(sum[i]);                                                                                        \
            }                                                                                                          \
        }                                                                                                              \
        return 2.0 * (double)turns * CHAINS * (double)(sizeof(vector) / sizeof(float));                                \
    }

#define MULTIPLY_THEN_ADD(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)

DEFINE_PEAK(peak_avx512, __attribute__((target("avx512f"))), __m512, _mm512_set1_ps, _mm512_fmadd_ps)
DEFINE_PEAK(peak_avx2, __attribute__((target("avx2,fma"))), __m256, _mm256_set1_ps, _mm256_fmadd_ps)
DEFINE_PEAK(peak_c, , __m128, _mm_set1_ps, MULTIPLY_THEN_ADD)
#else
static double
peak_avx512(long turns)
{
    (void)turns;
    return 0;
}
#define peak_avx2 peak_avx512

static double
peak_c(long turns)
{
    float sum[CHAINS] = {0};
    volatile float factor = 0.999f, addend = 0.001f;
    const float f = factor, a = addend;
    for (long turn = 0; turn < turns; turn++) {
        for (int i = 0; i < CHAINS; i++) {
            sum[i] = sum[i] * f + a;
        }
    }
    factor = sum[0];
    return 2.0 * (double)turns * CHAINS;
}
#endif

/* Does that many turns with the variant's instructions, which must run here, and returns the operations done. */
static double
peak_work(const char *variant, long turns)
{
    return strcmp(variant, "avx512") == 0 ? peak_avx512(turns)
           : strcmp(variant, "avx2") == 0 ? peak_avx2(turns)
                                          : peak_c(turns);
}

#endif /* TESTS_BENCH_KERNEL_PEAK_H */
