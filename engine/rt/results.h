/* SPDX-License-Identifier: GPL-3.0-or-later */
/* results.h -- how results go from the analysis thread to one reader: a bounded queue, and a latest-value slot.
 *
 * Both carry records of one fixed size, chosen at creation, copied in and out. Neither side waits, allocates or calls
 * the system; either may be an audio thread. Contract, invariants and memory orders are as carefully stated as those
 * of ring.h. */
#ifndef VIP_RT_RESULTS_H
#define VIP_RT_RESULTS_H

#include <vipann/vipann.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ----------------------------------------------------------------------------------------------------- the queue */

typedef struct vip_queue vip_queue;

/* A queue of at least min_records records of record_bytes each; NULL if memory is short or a size is out of range. */
vip_queue *vip_queue_new(size_t min_records, size_t record_bytes);
void vip_queue_free(vip_queue *queue);

/* Owner: forgets everything in it, the count of lost records too. */
void vip_queue_reset(vip_queue *queue);

/* Writer: appends a copy of the record; false, counting it as lost, if the queue is full. */
bool vip_queue_write(vip_queue *queue, const void *record) VIPANN_RT;

/* Writer: records that fit now. */
size_t vip_queue_write_space(vip_queue *queue) VIPANN_RT;

/* Reader: moves the oldest record to *record; false: there is none. */
bool vip_queue_read(vip_queue *queue, void *record) VIPANN_RT;

/* Reader: copies the oldest record and leaves it there; false: there is none. */
bool vip_queue_peek(vip_queue *queue, void *record) VIPANN_RT;

/* Anyone: records lost since creation or reset. */
uint64_t vip_queue_lost(const vip_queue *queue) VIPANN_RT;

/* ------------------------------------------------------------------------------------------------------ the slot */

typedef struct vip_slot vip_slot; /* three buffers: the writer's, the reader's and the one in between */

vip_slot *vip_slot_new(size_t record_bytes);
void vip_slot_free(vip_slot *slot);

/* Owner: forgets what was written. */
void vip_slot_reset(vip_slot *slot);

/* Writer: replaces the latest record. */
void vip_slot_write(vip_slot *slot, const void *record) VIPANN_RT;

/* Reader: copies the latest record if it is newer than the last one read; false: nothing new. */
bool vip_slot_read(vip_slot *slot, void *record) VIPANN_RT;

#endif /* VIP_RT_RESULTS_H */
