/* SPDX-License-Identifier: GPL-3.0-or-later */
/* midi.h -- a MIDI note for each class while it is heard: note = class mod 128, channel = 1 + class / 128, velocity from
 * the probability. Classes beyond the sixteen channels have none.
 *
 * Every note that was begun is ended: where there is no room for its end, later. One thread, which may be an audio thread. */
#ifndef VIP_PLUGIN_OUT_MIDI_H
#define VIP_PLUGIN_OUT_MIDI_H

#include <stdbool.h>
#include <stdint.h>

#include <vipann/vipann.h>

enum { VIP_MIDI_NOTES = 2048, VIP_MIDI_BYTES = 3 };

/* Where messages go: `send` takes VIP_MIDI_BYTES bytes of them, for a frame of the block; false: there is no room. */
typedef struct {
    bool (*send)(void *to, uint32_t frame, const uint8_t *message) VIPANN_RT;
    void *to;
} vip_midi_port;

/* Notes that sound, and those of them whose end did not fit into the port yet. All zero: silence. */
typedef struct {
    uint32_t n_sounding, n_owed; /* first: all that is looked at where nothing is owed */
    uint8_t sounding[VIP_MIDI_NOTES], owed[VIP_MIDI_NOTES];
} vip_midi;

/* The velocity of a probability: 1 .. 127. */
uint8_t vip_midi_velocity(double p) VIPANN_RT;

/* Begins the note of a class, and ends it before that if it sounds; where that has no room it sounds on, and one that has no
 * room to begin is left out. */
void vip_midi_begin(vip_midi *midi, const vip_midi_port *port, uint32_t frame, uint32_t class_index,
                    uint8_t velocity) VIPANN_RT;

/* Ends the note of a class, if it sounds. */
void vip_midi_end(vip_midi *midi, const vip_midi_port *port, uint32_t frame, uint32_t class_index) VIPANN_RT;

/* Ends, at frame 0, what could not be ended before. */
void vip_midi_settle(vip_midi *midi, const vip_midi_port *port) VIPANN_RT;

/* Ends all notes at frame 0. */
void vip_midi_release(vip_midi *midi, const vip_midi_port *port) VIPANN_RT;

#endif /* VIP_PLUGIN_OUT_MIDI_H */
