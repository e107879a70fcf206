/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ear.h -- the parent's side of a process that hears a device, or lists devices. Whatever becomes of a driver or a sound
 * server, nothing here waits for it.
 *
 * An ear is used once: where its sound has ended, stop it and start another. vip_shared_take may go on in one thread beside
 * vip_ear_look in another; all else belongs to one thread. */
#ifndef VIP_PLUGIN_PORTAUDIO_EAR_H
#define VIP_PLUGIN_PORTAUDIO_EAR_H

#include "shared.h"

typedef struct vip_ear vip_ear;

typedef enum {
    VIP_EAR_STARTS, /* PortAudio is looking for the device */
    VIP_EAR_HEARS,  /* sound comes; device, channels and rate are known */
    VIP_EAR_ENDED,  /* the process has gone; what is in the ring can still be taken */
} vip_ear_state;

/* Starts the process. least_channels: 0 for any number. NULL: E_IO, E_MEMORY. */
vip_ear *vip_ear_start(vip_duty duty, const vip_wanted *wanted, uint32_t least_channels, vipann_error *error);

/* Ends the process, which takes a moment, or a second if it hangs. NULL is allowed. */
void vip_ear_stop(vip_ear *ear);

/* How it stands; kills the process if it has not come to hearing in five seconds or has heard nothing for two. To be called
 * several times a second. */
vip_ear_state vip_ear_look(vip_ear *ear);

/* With what it has ended, and unless that is VIP_CHILD_DONE why, in one line. */
vip_child_end vip_ear_end(const vip_ear *ear, vipann_error *error);

/* What it shares with the process. */
vip_shared *vip_ear_shared(vip_ear *ear);

#endif /* VIP_PLUGIN_PORTAUDIO_EAR_H */
