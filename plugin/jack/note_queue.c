/* SPDX-License-Identifier: GPL-3.0-or-later */
/* note_queue.c -- see note_queue.h for the contract. */
#include "note_queue.h"

#include <stdatomic.h>
#include <string.h>

#include <common/support.h>

/* Room for all notes to end, and for as many messages before that. Of a call at most MOST_A_CYCLE are sent. */
enum { CELLS = 2 * VIP_MIDI_NOTES, MOST_A_CYCLE = 128 };

/* An end has velocity 0, as in MIDI. */
typedef struct {
    uint16_t class_index;
    uint8_t velocity;
} cell;

struct vip_note_queue {
    cell cells[CELLS];
    atomic_uint put, taken; /* counts of cells, which may wrap: CELLS is a power of two */
    atomic_uint sounding;   /* notes, as JACK's thread left them */

    /* Main thread. */
    uint16_t lasting[VIP_MIDI_NOTES]; /* events of the class */
    bool begun[VIP_MIDI_NOTES];       /* a beginning has been put, and no end since */
    uint32_t n_begun;

    /* JACK's thread. */
    vip_midi midi;
};

vip_note_queue *
vip_note_queue_new(void)
{
    return vip_alloc(1, sizeof(vip_note_queue)); /* all zero: nothing waits, nothing sounds */
}

void
vip_note_queue_free(vip_note_queue *queue)
{
    vip_free(queue);
}

/* ------------------------------------------------------------------------------------------------------ main thread */

/* acquire: cells that have been taken may be written again. Partner: vip_note_queue_play. */
static uint32_t
waiting(const vip_note_queue *queue)
{
    return atomic_load_explicit(&queue->put, memory_order_relaxed) -
           atomic_load_explicit(&queue->taken, memory_order_acquire);
}

static void
put(vip_note_queue *queue, uint32_t class_index, uint8_t velocity)
{
    const uint32_t at = atomic_load_explicit(&queue->put, memory_order_relaxed);
    queue->cells[at % CELLS] = (cell){(uint16_t)class_index, velocity};
    /* release: the cell is written. Partner: vip_note_queue_play. */
    atomic_store_explicit(&queue->put, at + 1, memory_order_release);
}

static void
begin(vip_note_queue *queue, uint32_t class_index, double p)
{
    if (CELLS - waiting(queue) >= queue->n_begun + 2) { /* for this beginning, its end, and those of the others */
        put(queue, class_index, vip_midi_velocity(p));
        queue->begun[class_index] = true;
        queue->n_begun++;
    }
}

static void
end(vip_note_queue *queue, uint32_t class_index)
{
    if (queue->begun[class_index]) {
        put(queue, class_index, 0);
        queue->begun[class_index] = false;
        queue->n_begun--;
    }
}

void
vip_note_queue_event(vip_note_queue *queue, const vipann_event *event)
{
    const uint32_t i = event->class_index;
    if (i >= VIP_MIDI_NOTES) {
        return;
    }
    uint16_t *lasting = &queue->lasting[i];
    if (!event->ended) {
        if (++*lasting == 1) {
            begin(queue, i, event->p_max);
        }
    } else if (*lasting > 0 && --*lasting == 0) {
        end(queue, i);
    }
}

void
vip_note_queue_end(vip_note_queue *queue)
{
    for (uint32_t i = 0; i < VIP_MIDI_NOTES; i++) {
        queue->lasting[i] = 0;
        end(queue, i);
    }
}

bool
vip_note_queue_silent(const vip_note_queue *queue)
{
    /* waiting() sees all that was taken, and `sounding` as it was left before that. */
    return waiting(queue) == 0 && atomic_load_explicit(&queue->sounding, memory_order_relaxed) == 0;
}

void
vip_note_queue_clear(vip_note_queue *queue)
{
    memset(queue->lasting, 0, sizeof queue->lasting);
    memset(queue->begun, 0, sizeof queue->begun);
    queue->n_begun = 0;
    queue->midi = (vip_midi){.n_sounding = 0};
    atomic_store(&queue->taken, atomic_load(&queue->put));
    atomic_store(&queue->sounding, 0);
}

/* ---------------------------------------------------------------------------------------------------- JACK's thread */

void
vip_note_queue_play(vip_note_queue *queue, const vip_midi_port *port)
{
    vip_midi *midi = &queue->midi;
    vip_midi_settle(midi, port);
    uint32_t at = atomic_load_explicit(&queue->taken, memory_order_relaxed);
    /* acquire: the cells before it are written. Partner: put. */
    const uint32_t n = atomic_load_explicit(&queue->put, memory_order_acquire) - at;
    for (uint32_t i = 0; i < n && i < MOST_A_CYCLE; i++, at++) {
        const cell *c = &queue->cells[at % CELLS];
        if (c->velocity > 0) {
            vip_midi_begin(midi, port, 0, c->class_index, c->velocity);
        } else {
            vip_midi_end(midi, port, 0, c->class_index);
        }
    }
    atomic_store_explicit(&queue->sounding, midi->n_sounding, memory_order_relaxed);
    /* release: the cells may be written again, and `sounding` tells of them. Partner: waiting. */
    atomic_store_explicit(&queue->taken, at, memory_order_release);
}
