/* SPDX-License-Identifier: GPL-3.0-or-later */
/* publish.c -- see publish.h and vipann.h for the contract.
 *
 * In a queue or slot a result is one record: the structure, whose pointers mean nothing there, and its four arrays. */
#include "publish.h"

#include <base/memory.h>
#include <base/status.h>
#include <rt/results.h>

#include <string.h>

enum {
    QUEUE = 64,   /* results that wait for a reader: more than the largest piece and a flush give at once */
    EVENTS = 256, /* events that wait for a reader, besides the most that a pump can tell: */
    MORE = 2,     /* of one class one at each column, and so many where the sound is interrupted */
    ARRAYS = 4
};

struct vipann_reader {
    uint32_t classes;
    vip_queue *results; /* NULL if not wanted */
    vip_queue *events;  /* NULL if not wanted */
    vip_slot *slot;     /* NULL if not wanted */
    void *record;       /* the reading thread's */
};

struct vip_publisher {
    uint32_t classes, columns, n_readers;
    size_t record_bytes;
    void *record; /* the analysis thread's */
    vipann_reader readers[VIPANN_MAX_READERS];
};

/* -------------------------------------------------------------------------------------------------------- results */

vipann_result *
vip_result_new(uint32_t classes)
{
    vipann_result *result = vip_alloc(1, sizeof *result);
    float *values = vip_alloc((size_t)ARRAYS * classes, sizeof *values);
    if (result == NULL || values == NULL) {
        vip_free(result);
        vip_free(values);
        return NULL;
    }
    result->classes = classes;
    result->p = values;
    result->std = values + classes;
    result->aleatoric = values + 2 * (size_t)classes;
    result->epistemic = values + 3 * (size_t)classes;
    return result;
}

vipann_result *
vipann_result_new(const vipann_model *model)
{
    vipann_model_info info;
    vipann_model_describe(model, &info);
    return vip_result_new(info.classes);
}

void
vipann_result_free(vipann_result *result)
{
    if (result != NULL) {
        vip_free(result->p); /* the first of one block */
        vip_free(result);
    }
}

/* The arrays lie behind one another, in a result as in a record. */
static void
pack(const vipann_result *result, void *record)
{
    memcpy(record, result, sizeof *result);
    memcpy((char *)record + sizeof *result, result->p, (size_t)ARRAYS * result->classes * sizeof(float));
}

static void
unpack(const void *record, vipann_result *result)
{
    const vipann_result before = *result;
    memcpy(result, record, sizeof *result);
    result->p = before.p;
    result->std = before.std;
    result->aleatoric = before.aleatoric;
    result->epistemic = before.epistemic;
    memcpy(result->p, (const char *)record + sizeof *result, (size_t)ARRAYS * result->classes * sizeof(float));
}

/* ------------------------------------------------------------------------------------------------------ publishing */

vip_publisher *
vip_publisher_new(uint32_t classes, uint32_t columns)
{
    vip_publisher *publisher = vip_alloc(1, sizeof *publisher);
    if (publisher == NULL) {
        return NULL;
    }
    publisher->classes = classes;
    publisher->columns = columns;
    publisher->record_bytes = sizeof(vipann_result) + (size_t)ARRAYS * classes * sizeof(float);
    publisher->record = vip_alloc(1, publisher->record_bytes);
    if (publisher->record == NULL) {
        vip_publisher_free(publisher);
        return NULL;
    }
    return publisher;
}

static void
clear_reader(vipann_reader *reader)
{
    vip_queue_free(reader->results);
    vip_queue_free(reader->events);
    vip_slot_free(reader->slot);
    vip_free(reader->record);
    *reader = (vipann_reader){0};
}

void
vip_publisher_free(vip_publisher *publisher)
{
    if (publisher == NULL) {
        return;
    }
    for (uint32_t i = 0; i < publisher->n_readers; i++) {
        clear_reader(&publisher->readers[i]);
    }
    vip_free(publisher->record);
    vip_free(publisher);
}

void
vip_publisher_reset(vip_publisher *publisher)
{
    for (uint32_t i = 0; i < publisher->n_readers; i++) {
        if (publisher->readers[i].results != NULL) {
            vip_queue_reset(publisher->readers[i].results);
        }
        if (publisher->readers[i].events != NULL) {
            vip_queue_reset(publisher->readers[i].events);
        }
        if (publisher->readers[i].slot != NULL) {
            vip_slot_reset(publisher->readers[i].slot);
        }
    }
}

vipann_reader *
vip_publisher_add(vip_publisher *publisher, unsigned what, vipann_error *error)
{
    if (what == 0 || (what & ~(unsigned)(VIPANN_LATEST | VIPANN_RESULTS | VIPANN_EVENTS)) != 0) {
        (void)vip_fail(error, VIPANN_E_ARG,
                       "a reader was asked for %#x; expected one or more of VIPANN_LATEST, VIPANN_RESULTS and "
                       "VIPANN_EVENTS",
                       what);
        return NULL;
    }
    if (publisher->n_readers == VIPANN_MAX_READERS) {
        (void)vip_fail(error, VIPANN_E_ARG, "an engine has at most %d readers", VIPANN_MAX_READERS);
        return NULL;
    }
    vipann_reader *reader = &publisher->readers[publisher->n_readers];
    reader->classes = publisher->classes;
    reader->record = vip_alloc(1, publisher->record_bytes);
    reader->results = what & VIPANN_RESULTS ? vip_queue_new(QUEUE, publisher->record_bytes) : NULL;
    const size_t told = ((size_t)publisher->columns + MORE) * publisher->classes;
    reader->events = what & VIPANN_EVENTS ? vip_queue_new(EVENTS + told, sizeof(vipann_event)) : NULL;
    reader->slot = what & VIPANN_LATEST ? vip_slot_new(publisher->record_bytes) : NULL;
    if (reader->record == NULL || ((what & VIPANN_RESULTS) && reader->results == NULL) ||
        ((what & VIPANN_EVENTS) && reader->events == NULL) || ((what & VIPANN_LATEST) && reader->slot == NULL)) {
        clear_reader(reader);
        (void)vip_fail_memory(error, "a reader");
        return NULL;
    }
    publisher->n_readers++;
    return reader;
}

bool
vip_publisher_wants_events(const vip_publisher *publisher)
{
    for (uint32_t i = 0; i < publisher->n_readers; i++) {
        if (publisher->readers[i].events != NULL) {
            return true;
        }
    }
    return false;
}

void
vip_publish_result(vip_publisher *publisher, const vipann_result *result)
{
    pack(result, publisher->record);
    for (uint32_t i = 0; i < publisher->n_readers; i++) {
        if (publisher->readers[i].results != NULL) {
            (void)vip_queue_write(publisher->readers[i].results, publisher->record); /* what is lost is counted there */
        }
        if (publisher->readers[i].slot != NULL) {
            vip_slot_write(publisher->readers[i].slot, publisher->record);
        }
    }
}

void
vip_publish_event(vip_publisher *publisher, const vipann_event *event)
{
    for (uint32_t i = 0; i < publisher->n_readers; i++) {
        if (publisher->readers[i].events != NULL) {
            (void)vip_queue_write(publisher->readers[i].events, event); /* likewise */
        }
    }
}

/* --------------------------------------------------------------------------------------------------------- readers */

bool
vipann_latest(vipann_reader *reader, vipann_result *out)
{
    if (reader->slot == NULL || !vip_slot_read(reader->slot, reader->record)) {
        return false;
    }
    unpack(reader->record, out);
    return true;
}

bool
vipann_next_result(vipann_reader *reader, vipann_result *out)
{
    if (reader->results == NULL || !vip_queue_read(reader->results, reader->record)) {
        return false;
    }
    unpack(reader->record, out);
    return true;
}

bool
vipann_next_event(vipann_reader *reader, vipann_event *out)
{
    return reader->events != NULL && vip_queue_read(reader->events, out);
}

uint64_t
vipann_reader_lost(const vipann_reader *reader)
{
    return (reader->results == NULL ? 0 : vip_queue_lost(reader->results)) +
           (reader->events == NULL ? 0 : vip_queue_lost(reader->events));
}
