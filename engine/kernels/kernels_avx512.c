/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels_avx512.c -- kernels for AVX-512: a block of 16 channels is one register, of which there are 32. */
#include "kernels.h"

#include <base/philox.h>

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__BMI2__)
#include <immintrin.h>
#include <string.h>

typedef __m512 vec;
enum { LANES = 16 };
#define load(p)              _mm512_loadu_ps(p)
#define load_half(p)         _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)(p)))
#define store(p, v)          _mm512_storeu_ps(p, v)
#define spread(p)            _mm512_set1_ps(*(p))
#define fma(a, b, c)         _mm512_fmadd_ps(a, b, c)
#define add(a, b)            _mm512_add_ps(a, b)
#define mul(a, b)            _mm512_mul_ps(a, b)
#define zero()               _mm512_setzero_ps()
#define positive(a)          _mm512_max_ps(a, _mm512_setzero_ps())
#define lanes_of(bits, part) _mm512_castsi512_ps(_mm512_maskz_set1_epi32((__mmask16)(bits), -1))
#define choose(lanes, a, b)                                                                                            \
    _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_castps_si512(lanes), _mm512_castps_si512(b),                  \
                                                  _mm512_castps_si512(a), 0xCA)) /* lanes ? b : a */
#define keep_lanes(bits, part, a) _mm512_maskz_mov_ps((__mmask16)(bits), a)
#define prefetch(p)               _mm_prefetch((const char *)(p), _MM_HINT_T0)
#define fetch_later(p)            _mm_prefetch((const char *)(p), _MM_HINT_T1)
#include "conv_tile.h"

/* 16 sums where there is so much to do, else fewer: two multiply-add units of a latency of 4 want 8. */
#define BY_PIXELS(T) T(1, 16, 1) T(1, 8, 2) T(2, 8, 1) T(2, 4, 2) T(4, 4, 1) T(4, 2, 2) T(8, 2, 1) T(8, 1, 2)
#define BY_BLOCKS(T) T(1, 4, 4) T(2, 2, 4) T(4, 1, 4) T(2, 1, 4) T(1, 2, 4) T(1, 1, 4)
#define FOR_FEW(T)   T(1, 8, 1) T(1, 4, 1) T(2, 4, 1) T(2, 2, 1) T(1, 2, 1) T(1, 1, 1)
#define TILES(T)     BY_PIXELS(T) BY_BLOCKS(T) FOR_FEW(T)

TILES(DEFINE_TILE)
static const vip_tile tiles[] = {TILES(TILE_ROW){0, 0, 0, NULL, NULL, NULL}};

/* High and low halves of the products of 16 words with a constant. */
static inline void
multiply(__m512i a, __m512i factor, __m512i *high, __m512i *low)
{
    const __mmask16 odd = 0xAAAA;
    __m512i even_product = _mm512_mul_epu32(a, factor);
    __m512i odd_product = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), factor);
    *high = _mm512_mask_mov_epi32(_mm512_srli_epi64(even_product, 32), odd, odd_product);
    *low = _mm512_mask_mov_epi32(even_product, odd, _mm512_slli_epi64(odd_product, 32));
}

/* 16 blocks at once, one per lane: c[0..3] are the counters and then the words. */
static inline void
philox16(uint64_t seed, __m512i c[4])
{
    const __m512i m0 = _mm512_set1_epi32((int)VIP_PHILOX_M0), m1 = _mm512_set1_epi32((int)VIP_PHILOX_M1);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < VIP_PHILOX_ROUNDS; round++) {
        __m512i high0, low0, high1, low1;
        multiply(c[0], m0, &high0, &low0);
        multiply(c[2], m1, &high1, &low1);
        c[0] = _mm512_ternarylogic_epi32(high1, c[1], _mm512_set1_epi32((int)k0), 0x96); /* a ^ b ^ c */
        c[1] = low1;
        c[2] = _mm512_ternarylogic_epi32(high0, c[3], _mm512_set1_epi32((int)k1), 0x96);
        c[3] = low0;
        k0 += VIP_PHILOX_W0;
        k1 += VIP_PHILOX_W1;
    }
}

static void
keep(uint64_t seed, uint32_t site, uint32_t member, uint32_t column, uint32_t threshold, uint16_t *words,
     size_t n_words)
{
    enum { WORDS = 8 }; /* 16 blocks make 128 bits */
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i limit = _mm512_set1_epi16((short)threshold);
    const uint32_t all = threshold > 0xffff ? 0 : UINT32_MAX; /* no lane of 16 bits reaches 65536 */
    for (size_t done = 0; done < n_words; done += WORDS) {
        __m512i c[4] = {_mm512_add_epi32(lane, _mm512_set1_epi32((int)(2 * done))), _mm512_set1_epi32((int)column),
                        _mm512_set1_epi32((int)((uint32_t)VIP_KEYED_DROPOUT << 24 | site)),
                        _mm512_set1_epi32((int)member)};
        philox16(seed, c);
        uint64_t half[2] = {0, 0};
        for (int word = 0; word < 4; word++) {
            /* bits 2b and 2b+1 of kept are lanes 2*word and 2*word+1 of block b, which is byte b of the result */
            uint32_t kept = _mm512_cmpge_epu16_mask(c[word], limit) & all;
            uint64_t place = 0x0303030303030303u << (2 * word);
            half[0] |= _pdep_u64(kept & 0xffff, place);
            half[1] |= _pdep_u64(kept >> 16, place);
        }
        size_t n = n_words - done < WORDS ? n_words - done : WORDS;
        memcpy(words + done, half, n * sizeof *words); /* x86 is little-endian: bytes are in order */
    }
}

const vip_kernels vip_kernels_avx512 = {"avx512", tiles, PARTS, keep, drop, true};
#else
static const vip_tile no_tiles[] = {{0, 0, 0, NULL, NULL, NULL}};
const vip_kernels vip_kernels_avx512 = {"avx512", no_tiles, 0, NULL, NULL, true};
#endif
