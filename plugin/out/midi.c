/* SPDX-License-Identifier: GPL-3.0-or-later */
/* midi.c -- see midi.h for the contract. */
#include "midi.h"

enum { NOTE_OFF = 0x80, NOTE_ON = 0x90, A_CHANNEL = 128, LOUDEST = 127 };

static bool
send_note(const vip_midi_port *port, uint32_t frame, uint32_t class_index, uint8_t message, uint8_t velocity)
{
    const uint8_t bytes[VIP_MIDI_BYTES] = {(uint8_t)(message | class_index / A_CHANNEL),
                                           (uint8_t)(class_index % A_CHANNEL), velocity};
    return port->send(port->to, frame, bytes);
}

uint8_t
vip_midi_velocity(double p)
{
    const int loudest = LOUDEST;
    const double velocity = p * loudest + 0.5;
    return velocity >= 1 ? velocity <= loudest ? (uint8_t)velocity : LOUDEST : 1; /* 1 of NaN, too */
}

void
vip_midi_end(vip_midi *midi, const vip_midi_port *port, uint32_t frame, uint32_t class_index)
{
    if (class_index >= VIP_MIDI_NOTES || midi->sounding[class_index] == 0) {
        return;
    }
    const bool was_owed = midi->owed[class_index] != 0;
    const bool ended = send_note(port, frame, class_index, NOTE_OFF, 0);
    midi->sounding[class_index] = !ended;
    midi->owed[class_index] = !ended;
    midi->n_sounding -= ended;
    midi->n_owed = midi->n_owed + (!ended && !was_owed) - (ended && was_owed);
}

void
vip_midi_begin(vip_midi *midi, const vip_midi_port *port, uint32_t frame, uint32_t class_index, uint8_t velocity)
{
    if (class_index >= VIP_MIDI_NOTES) {
        return;
    }
    vip_midi_end(midi, port, frame, class_index);
    if (midi->sounding[class_index] == 0) {
        const bool begun = send_note(port, frame, class_index, NOTE_ON, velocity);
        midi->sounding[class_index] = begun;
        midi->n_sounding += begun;
    }
}

void
vip_midi_settle(vip_midi *midi, const vip_midi_port *port)
{
    for (uint32_t i = 0; i < VIP_MIDI_NOTES && midi->n_owed > 0; i++) {
        if (midi->owed[i] != 0) {
            vip_midi_end(midi, port, 0, i);
        }
    }
}

void
vip_midi_release(vip_midi *midi, const vip_midi_port *port)
{
    for (uint32_t i = 0, left = midi->n_sounding; i < VIP_MIDI_NOTES && left > 0; i++) {
        left -= midi->sounding[i];
        vip_midi_end(midi, port, 0, i);
    }
}
