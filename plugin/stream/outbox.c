/* SPDX-License-Identifier: GPL-3.0-or-later */
/* outbox.c -- see outbox.h for the contract.
 *
 * The two queues count what was ever written and taken; each counter is stored with release by its own side and loaded
 * with acquire by the other. The latest result lies in one of three buffers: the worker's, the reader's and the one in
 * between, which either side trades for its own by an exchange that releases the one and acquires the other, so that
 * nobody overwrites what is being copied. */
#include "outbox.h"

#include <common/support.h>

#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>

enum { ARRAYS = 4, LINE = 64 /* bytes of a cache line */ };
enum { BUFFERS = 3, BUFFER = 3 /* bits that number one */, UNREAD = 4 /* the bit that says that it is news */ };
/* What stands before the arrays of a result. */
typedef struct {
    vipann_result result; /* its pointers mean nothing here */
    uint32_t tag;
} header;

typedef struct {
    vipann_event event;
    uint32_t tag;
} event_record;

enum { LARGEST = sizeof(header) + ARRAYS * VIP_OUTBOX_CLASSES * sizeof(float) };

_Static_assert((VIP_OUTBOX_BYTES & (VIP_OUTBOX_BYTES - 1)) == 0, "positions wrap by a mask");
_Static_assert((VIP_OUTBOX_EVENTS & (VIP_OUTBOX_EVENTS - 1)) == 0, "positions wrap by a mask");
_Static_assert(ATOMIC_LONG_LOCK_FREE == 2 && sizeof(size_t) <= sizeof(long), "the counters must be lock-free");

struct vip_outbox {
    /* The worker's. */
    alignas(LINE) atomic_size_t bytes_written; /* of results, ever; with the load in vip_outbox_next_result */
    atomic_size_t events_written;              /* ever; with the load in vip_outbox_next_event */
    unsigned workers;                          /* its buffer */

    /* The reader's. */
    alignas(LINE) atomic_size_t bytes_taken; /* with the load in vip_outbox_put_result */
    atomic_size_t events_taken;              /* with the load in vip_outbox_event_space */
    unsigned readers;                        /* its buffer */

    alignas(LINE) atomic_uint between; /* exchanged by both sides, acquire and release: partners of each other */

    alignas(LINE) event_record events[VIP_OUTBOX_EVENTS];
    alignas(LINE) unsigned char results[VIP_OUTBOX_BYTES];
    alignas(LINE) unsigned char latest[BUFFERS][(LARGEST + LINE - 1) / LINE * LINE];
};

/* --------------------------------------------------------------------------------------------------------- set-up */

vip_outbox *
vip_outbox_new(void)
{
    vip_outbox *o = vip_alloc(1, sizeof *o);
    if (o != NULL) {
        vip_outbox_reset(o);
    }
    return o;
}

void
vip_outbox_free(vip_outbox *o)
{
    vip_free(o);
}

void
vip_outbox_reset(vip_outbox *o)
{
    atomic_store_explicit(&o->bytes_written, 0, memory_order_relaxed); /* nobody else is looking: see "owner" */
    atomic_store_explicit(&o->bytes_taken, 0, memory_order_relaxed);
    atomic_store_explicit(&o->events_written, 0, memory_order_relaxed);
    atomic_store_explicit(&o->events_taken, 0, memory_order_relaxed);
    atomic_store_explicit(&o->between, 0, memory_order_relaxed);
    o->workers = 1;
    o->readers = 2;
}

vipann_result *
vip_outbox_result_new(void)
{
    vipann_result *result = vip_alloc(1, sizeof *result);
    float *values = vip_alloc((size_t)ARRAYS * VIP_OUTBOX_CLASSES, sizeof *values);
    if (result == NULL || values == NULL) {
        vip_free(result);
        vip_free(values);
        return NULL;
    }
    result->p = values;
    result->std = values + VIP_OUTBOX_CLASSES;
    result->aleatoric = values + 2 * (size_t)VIP_OUTBOX_CLASSES;
    result->epistemic = values + 3 * (size_t)VIP_OUTBOX_CLASSES;
    return result;
}

void
vip_outbox_result_free(vipann_result *result)
{
    if (result != NULL) {
        vip_free(result->p); /* the first of one block */
        vip_free(result);
    }
}

/* -------------------------------------------------------------------------------------------------------- results */

/* A record is its header and the four arrays. A part of it goes to or comes from a place of the ring, around the end where
 * it must. */
static size_t
put(vip_outbox *o, size_t at, const void *part, size_t bytes)
{
    const size_t begin = at & (VIP_OUTBOX_BYTES - 1);
    const size_t straight = bytes < VIP_OUTBOX_BYTES - begin ? bytes : VIP_OUTBOX_BYTES - begin;
    memcpy(o->results + begin, part, straight);
    memcpy(o->results, (const unsigned char *)part + straight, bytes - straight);
    return at + bytes;
}

static size_t
get(const vip_outbox *o, size_t at, void *part, size_t bytes)
{
    const size_t begin = at & (VIP_OUTBOX_BYTES - 1);
    const size_t straight = bytes < VIP_OUTBOX_BYTES - begin ? bytes : VIP_OUTBOX_BYTES - begin;
    memcpy(part, o->results + begin, straight);
    memcpy((unsigned char *)part + straight, o->results, bytes - straight);
    return at + bytes;
}

/* The numbers of a record; the arrays of `out` stay its own. */
static void
take_numbers(const header *record, vipann_result *out, uint32_t *tag)
{
    const vipann_result own = *out;
    *out = record->result;
    out->p = own.p;
    out->std = own.std;
    out->aleatoric = own.aleatoric;
    out->epistemic = own.epistemic;
    if (tag != NULL) {
        *tag = record->tag;
    }
}

static void
put_latest(vip_outbox *o, const header *record)
{
    unsigned char *place = o->latest[o->workers];
    const vipann_result *result = &record->result;
    const float *const arrays[ARRAYS] = {result->p, result->std, result->aleatoric, result->epistemic};
    const size_t bytes = result->classes * sizeof(float);
    memcpy(place, record, sizeof *record);
    for (size_t i = 0; i < ARRAYS; i++) {
        memcpy(place + sizeof *record + i * bytes, arrays[i], bytes);
    }
    o->workers = atomic_exchange_explicit(&o->between, o->workers | UNREAD, memory_order_acq_rel) & BUFFER;
}

VIP_HOT double
vip_outbox_fill(const vip_outbox *o)
{
    /* acquire: what was taken had been written, so no difference is negative. Partners: next_result, next_event. */
    const size_t bytes_taken = atomic_load_explicit(&o->bytes_taken, memory_order_acquire);
    const size_t events_taken = atomic_load_explicit(&o->events_taken, memory_order_acquire);
    const size_t bytes = atomic_load_explicit(&o->bytes_written, memory_order_relaxed) - bytes_taken;
    const size_t events = atomic_load_explicit(&o->events_written, memory_order_relaxed) - events_taken;
    const double of_results = (double)bytes / VIP_OUTBOX_BYTES, of_events = (double)events / VIP_OUTBOX_EVENTS;
    return of_results > of_events ? of_results : of_events;
}

bool
vip_outbox_put_result(vip_outbox *o, uint32_t tag, const vipann_result *result)
{
    const header record = {*result, tag};
    put_latest(o, &record);
    const float *const arrays[ARRAYS] = {result->p, result->std, result->aleatoric, result->epistemic};
    const size_t bytes = result->classes * sizeof(float);
    size_t at = atomic_load_explicit(&o->bytes_written, memory_order_relaxed);        /* our own */
    const size_t taken = atomic_load_explicit(&o->bytes_taken, memory_order_acquire); /* with next_result */
    if (VIP_OUTBOX_BYTES - (at - taken) < sizeof record + ARRAYS * bytes) {
        return false;
    }
    at = put(o, at, &record, sizeof record);
    for (size_t i = 0; i < ARRAYS; i++) {
        at = put(o, at, arrays[i], bytes);
    }
    atomic_store_explicit(&o->bytes_written, at, memory_order_release);
    return true;
}

/* Only a look, as it begins the functions that take. */
VIP_HOT bool
vip_outbox_has_news(const vip_outbox *o)
{
    return (atomic_load_explicit(&o->between, memory_order_relaxed) & UNREAD) != 0 ||
           atomic_load_explicit(&o->events_written, memory_order_relaxed) !=
               atomic_load_explicit(&o->events_taken, memory_order_relaxed);
}

bool
vip_outbox_latest(vip_outbox *o, vipann_result *out, uint32_t *tag)
{
    if ((atomic_load_explicit(&o->between, memory_order_relaxed) & UNREAD) == 0) {
        return false; /* only a look; what is read is ordered by the exchange */
    }
    o->readers = atomic_exchange_explicit(&o->between, o->readers, memory_order_acq_rel) & BUFFER;
    const unsigned char *place = o->latest[o->readers];
    header record;
    memcpy(&record, place, sizeof record);
    take_numbers(&record, out, tag);
    float *const arrays[ARRAYS] = {out->p, out->std, out->aleatoric, out->epistemic};
    const size_t bytes = record.result.classes * sizeof(float);
    for (size_t i = 0; i < ARRAYS; i++) {
        memcpy(arrays[i], place + sizeof record + i * bytes, bytes);
    }
    return true;
}

bool
vip_outbox_next_result(vip_outbox *o, vipann_result *out, uint32_t *tag)
{
    size_t at = atomic_load_explicit(&o->bytes_taken, memory_order_relaxed);   /* our own */
    if (atomic_load_explicit(&o->bytes_written, memory_order_acquire) == at) { /* with put_result */
        return false;
    }
    header record;
    at = get(o, at, &record, sizeof record);
    take_numbers(&record, out, tag);
    float *const arrays[ARRAYS] = {out->p, out->std, out->aleatoric, out->epistemic};
    for (size_t i = 0; i < ARRAYS; i++) {
        at = get(o, at, arrays[i], record.result.classes * sizeof(float));
    }
    atomic_store_explicit(&o->bytes_taken, at, memory_order_release);
    return true;
}

/* --------------------------------------------------------------------------------------------------------- events */

size_t
vip_outbox_event_space(vip_outbox *o)
{
    const size_t written = atomic_load_explicit(&o->events_written, memory_order_relaxed); /* our own */
    const size_t taken = atomic_load_explicit(&o->events_taken, memory_order_acquire);     /* with next_event */
    return VIP_OUTBOX_EVENTS - (written - taken);
}

bool
vip_outbox_put_event(vip_outbox *o, uint32_t tag, const vipann_event *event)
{
    if (vip_outbox_event_space(o) == 0) {
        return false;
    }
    const size_t written = atomic_load_explicit(&o->events_written, memory_order_relaxed);
    o->events[written & (VIP_OUTBOX_EVENTS - 1)] = (event_record){*event, tag};
    atomic_store_explicit(&o->events_written, written + 1, memory_order_release);
    return true;
}

bool
vip_outbox_next_event(vip_outbox *o, vipann_event *out, uint32_t *tag)
{
    const size_t taken = atomic_load_explicit(&o->events_taken, memory_order_relaxed); /* our own */
    if (atomic_load_explicit(&o->events_written, memory_order_acquire) == taken) {     /* with put_event */
        return false;
    }
    const event_record *record = &o->events[taken & (VIP_OUTBOX_EVENTS - 1)];
    *out = record->event;
    if (tag != NULL) {
        *tag = record->tag;
    }
    atomic_store_explicit(&o->events_taken, taken + 1, memory_order_release);
    return true;
}
