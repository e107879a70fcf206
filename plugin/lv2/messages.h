/* SPDX-License-Identifier: GPL-3.0-or-later */
/* messages.h -- what host and plugin tell one another through the atom ports.
 *
 * All for the audio thread but vip_messages_map. Nothing that the host has written is trusted, neither sizes nor types,
 * and what does not fit is not written at all. */
#ifndef VIP_PLUGIN_LV2_MESSAGES_H
#define VIP_PLUGIN_LV2_MESSAGES_H

#include "instance.h"

/* Asks the host for its numbers of our names; p->map is not NULL. */
void vip_messages_map(vip_instance *p);

/* Begins the notify port's sequence. */
void vip_messages_begin(vip_instance *p) VIPANN_RT;

/* Obeys what the control port says: patch:Set of the model sends a request to the loader, patch:Get is answered. */
void vip_messages_obey(vip_instance *p) VIPANN_RT;

/* Writes what there is to be told of the model and of errors, as far as there is room; the rest in the next run. */
void vip_messages_tell(vip_instance *p) VIPANN_RT;

void vip_messages_result(vip_instance *p, uint32_t frame, const vipann_result *result) VIPANN_RT;
void vip_messages_event(vip_instance *p, uint32_t frame, const vipann_event *event) VIPANN_RT;

/* Adds one event to the sequence; false: there is no room, nothing was written. */
bool vip_messages_add(vip_instance *p, uint32_t frame, LV2_URID type, const void *body, uint32_t size) VIPANN_RT;

#endif /* VIP_PLUGIN_LV2_MESSAGES_H */
