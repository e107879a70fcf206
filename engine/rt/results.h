/* SPDX-License-Identifier: GPL-3.0-or-later */
/* results.h -- how results go from the analysis thread to one reader: a bounded queue, and a latest-value slot.
 *
 * Both carry records of one fixed size, chosen at creation, copied in and out. Neither side waits, allocates or calls
 * the system; either may be an audio thread.
 *
 *   writer  one thread at a time: vip_queue_write, vip_queue_write_space; vip_slot_write
 *   reader  one thread at a time: vip_queue_read, vip_queue_peek; vip_slot_read
 *   owner   while neither of them runs: the functions new, reset and free
 *   anyone  vip_queue_lost
 *
 * Invariants (held by tests/unit/test_results.c)
 *   Q1  Queue: what is read is what was written, in order, none twice; what did not fit is counted, none forgotten.
 *   Q2  Queue: a record that was refused leaves no trace but the count, and a peek none at all.
 *   L1  Slot: a record that is read is one that was written, whole, never a mixture of two.
 *   L2  Slot: no record is read twice, nor one older than another read before; after the last write that one is read.
 *   L3  A call costs O(record) and takes no turn that depends on the other thread. */
#ifndef VIP_RT_RESULTS_H
#define VIP_RT_RESULTS_H

#include <vipann/vipann.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ----------------------------------------------------------------------------------------------------- the queue */

typedef struct vip_queue vip_queue;

/* The most bytes that the records of a queue or a slot may take together. */
#define VIP_RESULTS_MAX_BYTES ((size_t)1 << 30)

/* Returns an empty queue of at least min_records records (rounded up to a power of two, all of it usable) of
 * record_bytes each; NULL if memory is short, a number is 0, or together they exceed VIP_RESULTS_MAX_BYTES. Its memory
 * is touched here. The owner frees it with vip_queue_free. */
vip_queue *vip_queue_new(size_t min_records, size_t record_bytes);

/* NULL is allowed. */
void vip_queue_free(vip_queue *queue);

/* Owner: forgets everything in it, the count of lost records too. */
void vip_queue_reset(vip_queue *queue);

/* Writer: appends a copy of the record and returns true; if the queue is full, counts it as lost and returns false. */
bool vip_queue_write(vip_queue *queue, const void *record) VIPANN_RT;

/* Writer: records that fit now. The true number may already be higher, never lower. */
size_t vip_queue_write_space(vip_queue *queue) VIPANN_RT;

/* Reader: moves the oldest record to *record; false: there is none. */
bool vip_queue_read(vip_queue *queue, void *record) VIPANN_RT;

/* Reader: copies the oldest record and leaves it there; false: there is none. */
bool vip_queue_peek(vip_queue *queue, void *record) VIPANN_RT;

/* Anyone: records lost since creation or reset. */
uint64_t vip_queue_lost(const vip_queue *queue) VIPANN_RT;

/* ------------------------------------------------------------------------------------------------------ the slot */

/* Three buffers: the writer's, the reader's and the one in between, which they exchange for their own. */
typedef struct vip_slot vip_slot;

/* Returns an empty slot for a record of record_bytes; NULL if memory is short, or it is 0 or more than a third of
 * VIP_RESULTS_MAX_BYTES. Its memory is touched here. The owner frees it with vip_slot_free. */
vip_slot *vip_slot_new(size_t record_bytes);

/* NULL is allowed. */
void vip_slot_free(vip_slot *slot);

/* Owner: forgets what was written. */
void vip_slot_reset(vip_slot *slot);

/* Writer: replaces the latest record. */
void vip_slot_write(vip_slot *slot, const void *record) VIPANN_RT;

/* Reader: copies the latest record if it is newer than the last one read; false: nothing new. */
bool vip_slot_read(vip_slot *slot, void *record) VIPANN_RT;

#endif /* VIP_RT_RESULTS_H */
