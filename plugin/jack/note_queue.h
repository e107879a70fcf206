/* SPDX-License-Identifier: GPL-3.0-or-later */
/* note_queue.h -- notes on their way from the main thread to JACK's: a note lasts while a class is heard on any input.
 *
 *   JACK's thread   vip_note_queue_play
 *   main thread     all else
 *
 * A note that is begun is ended: nothing begins that the queue has no room left to end. */
#ifndef VIP_PLUGIN_JACK_NOTE_QUEUE_H
#define VIP_PLUGIN_JACK_NOTE_QUEUE_H

#include <plugin/out/midi.h>

typedef struct vip_note_queue vip_note_queue;

/* NULL: memory is short. */
vip_note_queue *vip_note_queue_new(void);

/* No play is under way. NULL is allowed. */
void vip_note_queue_free(vip_note_queue *queue);

/* An event of any input began or ended. */
void vip_note_queue_event(vip_note_queue *queue, const vipann_event *event);

/* Ends all notes. */
void vip_note_queue_end(vip_note_queue *queue);

/* Nothing waits and nothing sounds. */
bool vip_note_queue_silent(const vip_note_queue *queue);

/* Forgets everything, what sounds included: the port has gone. No play is under way. */
void vip_note_queue_clear(vip_note_queue *queue);

/* Sends what waits, at frame 0 of the block, as far as the port has room for it; a bounded number in one call. */
void vip_note_queue_play(vip_note_queue *queue, const vip_midi_port *port) VIPANN_RT;

#endif /* VIP_PLUGIN_JACK_NOTE_QUEUE_H */
