/* SPDX-License-Identifier: GPL-3.0-or-later */
/* notes.h -- a MIDI note for each event, while it lasts. For the audio thread, and where the plugin is activated.
 *
 * Every note that was begun is ended, in a later run if there is no room in this one. */
#ifndef VIP_PLUGIN_LV2_NOTES_H
#define VIP_PLUGIN_LV2_NOTES_H

#include "instance.h"

/* Begins or ends the note of the event's class; `play` false: begins none. */
void vip_notes_event(vip_instance *p, uint32_t frame, const vipann_event *event, bool play) VIPANN_RT;

/* Ends what could not be ended before. */
void vip_notes_settle(vip_instance *p) VIPANN_RT;

/* Ends all notes. */
void vip_notes_release(vip_instance *p) VIPANN_RT;

#endif /* VIP_PLUGIN_LV2_NOTES_H */
