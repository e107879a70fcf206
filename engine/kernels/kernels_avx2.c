/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels_avx2.c -- kernels for AVX2 and FMA: a block of 16 channels is two registers, of which there are 16. */
#include "kernels.h"

#include <base/philox.h>

#if defined(__AVX2__) && defined(__FMA__) && defined(__F16C__) && defined(__BMI2__)
#include <immintrin.h>
#include <string.h>

typedef __m256 vec;
enum { LANES = 8 };

/* All ones in the lanes of one half whose bit is set. */
static inline __m256
lanes_of(uint32_t bits, int part)
{
    const __m256i one = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    __m256i half = _mm256_set1_epi32((int)(bits >> (8 * part)));
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_and_si256(half, one), one));
}

#define load(p)                   _mm256_loadu_ps(p)
#define load_half(p)              _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(p)))
#define store(p, v)               _mm256_storeu_ps(p, v)
#define spread(p)                 _mm256_broadcast_ss(p)
#define fma(a, b, c)              _mm256_fmadd_ps(a, b, c)
#define add(a, b)                 _mm256_add_ps(a, b)
#define mul(a, b)                 _mm256_mul_ps(a, b)
#define zero()                    _mm256_setzero_ps()
#define positive(a)               _mm256_max_ps(a, _mm256_setzero_ps())
#define choose(lanes, a, b)       _mm256_xor_ps(a, _mm256_and_ps(lanes, _mm256_xor_ps(a, b)))
#define keep_lanes(bits, part, a) _mm256_and_ps(a, lanes_of(bits, part))
#define prefetch(p)               _mm_prefetch((const char *)(p), _MM_HINT_T0)
#define fetch_later(p)            _mm_prefetch((const char *)(p), _MM_HINT_T1)
#include "conv_tile.h"

/* A pixel's sums are two registers: 8 to 12 of them leave room for the weights and the input. */
#define TILES(T)                                                                                                       \
    T(6, 1, 1) T(1, 4, 1) T(2, 2, 1) T(4, 1, 1) T(1, 2, 2) T(2, 1, 2) T(1, 1, 4) T(1, 2, 1) T(1, 1, 2) T(1, 1, 1)

TILES(DEFINE_TILE)
static const vip_tile tiles[] = {TILES(TILE_ROW){0, 0, 0, NULL, NULL, NULL}};

/* High and low halves of the products of 8 words with a constant. */
static inline void
multiply(__m256i a, __m256i factor, __m256i *high, __m256i *low)
{
    enum { ODD = 0xAA };
    __m256i even_product = _mm256_mul_epu32(a, factor);
    __m256i odd_product = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), factor);
    *high = _mm256_blend_epi32(_mm256_srli_epi64(even_product, 32), odd_product, ODD);
    *low = _mm256_blend_epi32(even_product, _mm256_slli_epi64(odd_product, 32), ODD);
}

/* 8 blocks at once, one per lane: c[0..3] are the counters and then the words. */
static inline void
philox8(uint64_t seed, __m256i c[4])
{
    const __m256i m0 = _mm256_set1_epi32((int)VIP_PHILOX_M0), m1 = _mm256_set1_epi32((int)VIP_PHILOX_M1);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < VIP_PHILOX_ROUNDS; round++) {
        __m256i high0, low0, high1, low1;
        multiply(c[0], m0, &high0, &low0);
        multiply(c[2], m1, &high1, &low1);
        c[0] = _mm256_xor_si256(_mm256_xor_si256(high1, c[1]), _mm256_set1_epi32((int)k0));
        c[1] = low1;
        c[2] = _mm256_xor_si256(_mm256_xor_si256(high0, c[3]), _mm256_set1_epi32((int)k1));
        c[3] = low0;
        k0 += VIP_PHILOX_W0;
        k1 += VIP_PHILOX_W1;
    }
}

static void
keep(uint64_t seed, uint32_t site, uint32_t member, uint32_t column, uint32_t threshold, uint16_t *words,
     size_t n_words)
{
    enum { WORDS = 4 }; /* 8 blocks make 64 bits */
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i limit = _mm256_set1_epi16((short)threshold);
    const uint32_t all = threshold > 0xffff ? 0 : UINT32_MAX; /* no lane of 16 bits reaches 65536 */
    for (size_t done = 0; done < n_words; done += WORDS) {
        __m256i c[4] = {_mm256_add_epi32(lane, _mm256_set1_epi32((int)(2 * done))), _mm256_set1_epi32((int)column),
                        _mm256_set1_epi32((int)((uint32_t)VIP_KEYED_DROPOUT << 24 | site)),
                        _mm256_set1_epi32((int)member)};
        philox8(seed, c);
        uint64_t bits = 0;
        for (int word = 0; word < 4; word++) {
            /* two equal bits per lane, of which one is taken; bits 2b and 2b+1 belong to byte b of the result */
            __m256i at_least = _mm256_cmpeq_epi16(_mm256_max_epu16(c[word], limit), c[word]);
            uint32_t kept = _pext_u32((uint32_t)_mm256_movemask_epi8(at_least) & all, 0x55555555u);
            bits |= _pdep_u64(kept, 0x0303030303030303u << (2 * word));
        }
        size_t n = n_words - done < WORDS ? n_words - done : WORDS;
        memcpy(words + done, &bits, n * sizeof *words); /* x86 is little-endian: bytes are in order */
    }
}

const vip_kernels vip_kernels_avx2 = {"avx2", tiles, PARTS, keep, drop, true};
#else
static const vip_tile no_tiles[] = {{0, 0, 0, NULL, NULL, NULL}};
const vip_kernels vip_kernels_avx2 = {"avx2", no_tiles, 0, NULL, NULL, true};
#endif
