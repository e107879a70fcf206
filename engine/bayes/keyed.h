/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keyed.h -- the numbers that are made of keyed random words (base/philox.h). Pure functions; any thread. */
#ifndef VIP_BAYES_KEYED_H
#define VIP_BAYES_KEYED_H

#include <base/philox.h>

#include <stddef.h>

/* A word as a float in [0, 1): its upper 24 bits, exactly. */
float vip_uniform(uint32_t word);

/* A word as a standard normal number: the inverse distribution function at (word + 1/2) / 2^32, Wichura's algorithm
 * AS 241 (PPND16) in double, rounded once. */
float vip_normal(uint32_t word);

/* eps of a weight tensor, n numbers in C order: element e is word e % 4 of block e / 4; column 0. */
void vip_keyed_eps(uint64_t seed, uint32_t tensor, uint32_t draw, float *eps, size_t n);

/* Signs of one column: bit e % 32 of word (e % 128) / 32 of block e / 128, 1 meaning negative. negative[e] = 0 or 1.
 * kind: VIP_KEYED_SIGN_IN or VIP_KEYED_SIGN_OUT. For signs per channel column is 0 and e the channel. */
void vip_keyed_signs(uint64_t seed, vip_keyed_kind kind, uint32_t tensor, uint32_t draw, uint32_t column,
                     unsigned char *negative, size_t n);

/* Dropout mask of one column, keep[e] = 0 or 1, e = bin * channels + channel: the 16-bit lane e % 8 of block e / 8 (low
 * half of a word first); dropped iff lane < floor(65536 * rate + 1/2). The plain form; kernels/ has the fast ones. */
void vip_keyed_keep(uint64_t seed, uint32_t site, uint32_t member, uint32_t column, float rate, unsigned char *keep,
                    size_t n);

#endif /* VIP_BAYES_KEYED_H */
