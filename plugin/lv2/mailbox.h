/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mailbox.h -- letters from one thread to another, of which the newest counts.
 *
 * Neither side waits, allocates or calls the system, so either may be the audio thread. One thread sends, one takes;
 * several may, if a lock keeps them apart. */
#ifndef VIP_PLUGIN_LV2_MAILBOX_H
#define VIP_PLUGIN_LV2_MAILBOX_H

#include <stdatomic.h>

#include <vipann/vipann.h>

enum { VIP_PATH_BYTES = 4096, VIP_TEXT_BYTES = 256 }; /* with the zero at the end */

/* To the loader: the path of a model to load. From it: the path of the model in force, "" if there is none, and what
 * went wrong, "" if nothing did. */
typedef struct {
    char path[VIP_PATH_BYTES];
    char text[VIP_TEXT_BYTES];
} vip_letter;

/* Three letters: one that is being written, one on its way, one that is being read. */
typedef struct {
    atomic_uint way;      /* which one is on its way, and whether nobody has taken it yet */
    unsigned desk, shelf; /* the sender's, the taker's */
    vip_letter letters[3];
} vip_mailbox;

void vip_mailbox_init(vip_mailbox *box);

/* The letter that is sent next, for the sender to fill; what was in it is old. */
vip_letter *vip_mailbox_blank(vip_mailbox *box) VIPANN_RT;

/* Sends it; one that nobody has taken yet is lost. */
void vip_mailbox_send(vip_mailbox *box) VIPANN_RT;

/* The newest letter, which stays as it is until the next call that is not NULL; NULL: nothing new. */
const vip_letter *vip_mailbox_take(vip_mailbox *box) VIPANN_RT;

#endif /* VIP_PLUGIN_LV2_MAILBOX_H */
