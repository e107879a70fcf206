/* SPDX-License-Identifier: GPL-3.0-or-later */
/* notes.c -- see notes.h for the contract. */
#include "notes.h"

#include <lv2/midi/midi.h>

#include "messages.h"

enum { A_CHANNEL = 128, LOUDEST = 127 };

static bool
send_note(vip_instance *p, uint32_t frame, uint32_t class_index, uint8_t message, uint8_t velocity)
{
    const uint8_t bytes[3] = {(uint8_t)(message | class_index / A_CHANNEL), (uint8_t)(class_index % A_CHANNEL),
                              velocity};
    return vip_messages_add(p, frame, p->uris.midi_event, bytes, sizeof bytes);
}

static void
end_note(vip_instance *p, uint32_t frame, uint32_t class_index)
{
    vip_notes *notes = &p->notes;
    if (notes->sounding[class_index] == 0) {
        return;
    }
    bool was_owed = notes->owed[class_index] != 0;
    bool ended = send_note(p, frame, class_index, LV2_MIDI_MSG_NOTE_OFF, 0);
    notes->sounding[class_index] = !ended;
    notes->owed[class_index] = !ended;
    notes->n_sounding -= ended;
    notes->n_owed = notes->n_owed + (!ended && !was_owed) - (ended && was_owed);
}

void
vip_notes_event(vip_instance *p, uint32_t frame, const vipann_event *event, bool play)
{
    uint32_t i = event->class_index;
    if (i >= VIP_NOTES) {
        return; /* there are sixteen channels */
    }
    end_note(p, frame, i);
    if (event->ended || !play || p->notes.sounding[i] != 0) {
        return;
    }
    double velocity = event->p_max * LOUDEST + 0.5;
    bool begun = send_note(p, frame, i, LV2_MIDI_MSG_NOTE_ON,
                           velocity < 1         ? 1
                           : velocity > LOUDEST ? LOUDEST
                                                : (uint8_t)velocity);
    p->notes.sounding[i] = begun;
    p->notes.n_sounding += begun;
}

void
vip_notes_settle(vip_instance *p)
{
    for (uint32_t i = 0; i < VIP_NOTES && p->notes.n_owed > 0; i++) {
        if (p->notes.owed[i] != 0) {
            end_note(p, 0, i);
        }
    }
}

void
vip_notes_release(vip_instance *p)
{
    for (uint32_t i = 0, left = p->notes.n_sounding; i < VIP_NOTES && left > 0; i++) {
        left -= p->notes.sounding[i];
        end_note(p, 0, i);
    }
}
