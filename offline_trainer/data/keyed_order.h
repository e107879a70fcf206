/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keyed_order.h -- random choices of the room, each a pure function of what it is for. */
#ifndef VIP_TRAINER_KEYED_ORDER_H
#define VIP_TRAINER_KEYED_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* What a choice is for: the id of its keyed numbers, of kind 6. */
typedef enum {
    VIP_CHOICE_DEV = 1, /* select.c */
    VIP_CHOICE_EPOCH,
    VIP_CHOICE_CLASS,
    VIP_CHOICE_BATCH,
    VIP_CHOICE_ROW,
    VIP_CHOICE_PROTOTYPES,
    VIP_CHOICE_RESAMPLE
} vip_choice;

/* Four words keyed by seed and purpose, and by three numbers. */
void vip_choice_words(uint64_t seed, vip_choice purpose, uint64_t step, uint32_t row, uint32_t which,
                      uint32_t words[4]);

/* Where place i of 0 .. n - 1 goes in a random order of n that is keyed by purpose, id and round: a permutation. */
size_t vip_choice_order(uint64_t seed, vip_choice purpose, uint32_t id, uint32_t round, size_t n, size_t i);

#endif /* VIP_TRAINER_KEYED_ORDER_H */
