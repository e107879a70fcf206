/* SPDX-License-Identifier: GPL-3.0-or-later */
/* results.c -- see results.h for the contract.
 *
 * The queue counts as the ring does (ring.c): two free-running counters, each published by its own side with a release
 * store and looked at by the other with an acquire load. Records are few and large, so neither side keeps what it last
 * saw of the other's counter.
 *
 * The slot has three buffers and one shared word: the number of the buffer that lies between the two sides, and
 * whether it holds a record that has not been read. Each side owns one buffer and trades it for the one in between by
 * an atomic exchange, so that every buffer always has exactly one owner. The exchange releases what its side did with
 * the buffer that it gives and acquires what the other did with the one that it gets: a writer never overwrites what
 * is still being copied out (L1). */
#include "results.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>

#include <base/memory.h>

enum { CACHE_LINE = 64 }; /* bytes; x86-64 and most 64-bit ARM */

_Static_assert(VIP_ALIGNMENT % CACHE_LINE == 0, "the words' lines must be the cache's");
_Static_assert(ATOMIC_LONG_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2, "the counters must be lock-free");
_Static_assert(sizeof(size_t) <= sizeof(long), "the counters must be lock-free");

/* ----------------------------------------------------------------------------------------------------- the queue */

struct vip_queue {
    /* Written at creation, then only read. */
    alignas(CACHE_LINE) size_t mask; /* capacity - 1 */
    size_t record_bytes;

    /* The writer's line. */
    alignas(CACHE_LINE) atomic_size_t written; /* records ever; release by the writer, acquire by the reader */
    atomic_ullong lost;                        /* relaxed: nothing else hangs on it */

    /* The reader's line. */
    alignas(CACHE_LINE) atomic_size_t taken; /* records ever; release by the reader, acquire by the writer */

    alignas(CACHE_LINE) unsigned char records[];
};

vip_queue *
vip_queue_new(size_t min_records, size_t record_bytes)
{
    if (min_records == 0 || record_bytes == 0 || vip_product(min_records, record_bytes) > VIP_RESULTS_MAX_BYTES) {
        return NULL;
    }
    size_t capacity = 1;
    while (capacity < min_records) {
        capacity *= 2; /* at most twice the limit: far from wrapping */
    }
    vip_queue *queue = vip_alloc(1, sizeof *queue + capacity * record_bytes);
    if (queue == NULL) {
        return NULL;
    }
    queue->mask = capacity - 1;
    queue->record_bytes = record_bytes;
    atomic_init(&queue->written, 0);
    atomic_init(&queue->taken, 0);
    atomic_init(&queue->lost, 0);
    return queue;
}

void
vip_queue_free(vip_queue *queue)
{
    vip_free(queue);
}

void
vip_queue_reset(vip_queue *queue)
{
    atomic_store_explicit(&queue->written, 0, memory_order_relaxed); /* nobody else is looking: see "owner" */
    atomic_store_explicit(&queue->taken, 0, memory_order_relaxed);
    atomic_store_explicit(&queue->lost, 0, memory_order_relaxed);
}

static unsigned char *
place(vip_queue *queue, size_t k)
{
    return queue->records + (k & queue->mask) * queue->record_bytes;
}

size_t
vip_queue_write_space(vip_queue *queue)
{
    size_t written = atomic_load_explicit(&queue->written, memory_order_relaxed); /* our own */
    size_t taken = atomic_load_explicit(&queue->taken, memory_order_acquire);     /* with the store in vip_queue_read */
    return queue->mask + 1 - (written - taken);
}

bool
vip_queue_write(vip_queue *queue, const void *record)
{
    if (vip_queue_write_space(queue) == 0) {
        atomic_fetch_add_explicit(&queue->lost, 1, memory_order_relaxed);
        return false;
    }
    size_t written = atomic_load_explicit(&queue->written, memory_order_relaxed);
    memcpy(place(queue, written), record, queue->record_bytes);
    atomic_store_explicit(&queue->written, written + 1, memory_order_release); /* with the load in vip_queue_peek */
    return true;
}

bool
vip_queue_peek(vip_queue *queue, void *record)
{
    size_t taken = atomic_load_explicit(&queue->taken, memory_order_relaxed);   /* our own */
    if (atomic_load_explicit(&queue->written, memory_order_acquire) == taken) { /* with vip_queue_write */
        return false;
    }
    memcpy(record, place(queue, taken), queue->record_bytes);
    return true;
}

bool
vip_queue_read(vip_queue *queue, void *record)
{
    if (!vip_queue_peek(queue, record)) {
        return false;
    }
    size_t taken = atomic_load_explicit(&queue->taken, memory_order_relaxed);
    atomic_store_explicit(&queue->taken, taken + 1, memory_order_release); /* with the load in vip_queue_write_space */
    return true;
}

uint64_t
vip_queue_lost(const vip_queue *queue)
{
    return atomic_load_explicit(&queue->lost, memory_order_relaxed);
}

/* ------------------------------------------------------------------------------------------------------ the slot */

enum {
    BUFFERS = 3,
    BUFFER = 3, /* the bits of `between` that number a buffer */
    UNREAD = 4  /* the bit that says that its record has not been read */
};

struct vip_slot {
    /* Written at creation, then only read. */
    alignas(CACHE_LINE) size_t record_bytes;
    size_t stride; /* from one buffer to the next: whole lines, so that the two sides share none */

    alignas(CACHE_LINE) atomic_uint between; /* exchanged by both sides, acquire and release: partners of each other */
    alignas(CACHE_LINE) unsigned writers;    /* the writer's buffer */
    alignas(CACHE_LINE) unsigned readers;    /* the reader's buffer */

    alignas(CACHE_LINE) unsigned char buffers[];
};

vip_slot *
vip_slot_new(size_t record_bytes)
{
    if (record_bytes == 0 || record_bytes > VIP_RESULTS_MAX_BYTES / BUFFERS) {
        return NULL;
    }
    size_t stride = (record_bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    vip_slot *slot = vip_alloc(1, sizeof *slot + BUFFERS * stride);
    if (slot == NULL) {
        return NULL;
    }
    slot->record_bytes = record_bytes;
    slot->stride = stride;
    atomic_init(&slot->between, 0);
    vip_slot_reset(slot);
    return slot;
}

void
vip_slot_free(vip_slot *slot)
{
    vip_free(slot);
}

void
vip_slot_reset(vip_slot *slot)
{
    atomic_store_explicit(&slot->between, 0, memory_order_relaxed); /* nobody else is looking: see "owner" */
    slot->writers = 1;
    slot->readers = 2;
}

void
vip_slot_write(vip_slot *slot, const void *record)
{
    memcpy(slot->buffers + slot->writers * slot->stride, record, slot->record_bytes);
    unsigned got = atomic_exchange_explicit(&slot->between, slot->writers | UNREAD, memory_order_acq_rel);
    slot->writers = got & BUFFER;
}

bool
vip_slot_read(vip_slot *slot, void *record)
{
    if ((atomic_load_explicit(&slot->between, memory_order_relaxed) & UNREAD) == 0) {
        return false; /* only a look; what is read is ordered by the exchange */
    }
    unsigned got = atomic_exchange_explicit(&slot->between, slot->readers, memory_order_acq_rel);
    slot->readers = got & BUFFER;
    memcpy(record, slot->buffers + slot->readers * slot->stride, slot->record_bytes);
    return true;
}
