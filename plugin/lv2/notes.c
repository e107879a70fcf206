/* SPDX-License-Identifier: GPL-3.0-or-later */
/* notes.c -- see notes.h for the contract. */
#include "notes.h"

#include <common/support.h>

#include "messages.h"

static bool send_note(void *to, uint32_t frame, const uint8_t *message) VIPANN_RT;

/* To the notify port. */
static bool
send_note(void *to, uint32_t frame, const uint8_t *message)
{
    vip_instance *p = to;
    return vip_messages_add(p, frame, p->uris.midi_event, message, VIP_MIDI_BYTES);
}

void
vip_notes_event(vip_instance *p, uint32_t frame, const vipann_event *event, bool play)
{
    const vip_midi_port port = {send_note, p};
    if (event->ended || !play) {
        vip_midi_end(&p->notes, &port, frame, event->class_index);
    } else {
        vip_midi_begin(&p->notes, &port, frame, event->class_index, vip_midi_velocity(event->p_max));
    }
}

VIP_COLD void
vip_notes_settle(vip_instance *p)
{
    vip_midi_settle(&p->notes, &(vip_midi_port){send_note, p});
}

VIP_COLD void
vip_notes_release(vip_instance *p)
{
    vip_midi_release(&p->notes, &(vip_midi_port){send_note, p});
}
