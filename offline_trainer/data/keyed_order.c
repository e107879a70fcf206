/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keyed_order.c -- see keyed_order.h for the contract. */
#include "keyed_order.h"

#include <base/philox.h>

enum { ROUNDS = 4 };

void
vip_choice_words(uint64_t seed, vip_choice purpose, uint64_t step, uint32_t row, uint32_t which, uint32_t words[4])
{
    /* Steps beyond 2^32 go into the row's upper half: nobody gets there, but nothing repeats if they do. */
    const uint32_t counter[4] = {which, row ^ (uint32_t)(step >> 32) << 16,
                                 (uint32_t)VIP_KEYED_ORDER << 24 | (uint32_t)purpose, (uint32_t)step};
    vip_philox(seed, counter, words);
}

/* A Feistel network over as many bits as n needs, walked until it falls below n (Black and Rogaway 2002). */
size_t
vip_choice_order(uint64_t seed, vip_choice purpose, uint32_t id, uint32_t round, size_t n, size_t i)
{
    uint32_t half = 1;
    while (half < 31 && (uint64_t)n > UINT64_C(1) << 2 * half) {
        half++;
    }
    const uint32_t mask = (UINT32_C(1) << half) - 1;
    uint64_t value = i;
    do {
        uint32_t left = (uint32_t)(value >> half), right = (uint32_t)value & mask;
        for (uint32_t r = 0; r < ROUNDS; r++) {
            const uint32_t counter[4] = {right, id << 3 | r, (uint32_t)VIP_KEYED_ORDER << 24 | (uint32_t)purpose,
                                         round};
            uint32_t words[4];
            vip_philox(seed, counter, words);
            const uint32_t next = left ^ (words[0] & mask);
            left = right;
            right = next;
        }
        value = (uint64_t)left << half | right;
    } while (value >= n);
    return (size_t)value;
}
