/* SPDX-License-Identifier: GPL-3.0-or-later */
/* parallel.h -- one loop shared by several threads: those that oneDNN computes with, so that nobody waits for a core.
 *
 * Which thread takes which turn does not matter to any result: turns write to places of their own, and sums are formed
 * in an order that the number of turns fixes, not the number of threads. */
#ifndef VIP_TRAINER_PARALLEL_H
#define VIP_TRAINER_PARALLEL_H

#include <stddef.h>

/* One turn of a loop. Turns may run at the same time, in any order. */
typedef void vip_turn(void *context, size_t turn);

/* Calls turn(context, 0 .. turns - 1) and comes back when all are done. Not from within a turn. */
void vip_parallel(size_t turns, vip_turn *turn, void *context);

/* How many threads share loops from now on, oneDNN's included; 0: as many as there are cores. */
void vip_parallel_threads(unsigned threads);

/* How many they are. */
unsigned vip_parallel_count(void);

#endif /* VIP_TRAINER_PARALLEL_H */
