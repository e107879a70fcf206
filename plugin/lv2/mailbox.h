/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mailbox.h -- letters from one thread to another, of which the newest counts.
 *
 * Neither side waits, allocates or calls the system, so either may be the audio thread. One thread sends, one takes;
 * several may, if a lock keeps them apart. */
#ifndef VIP_PLUGIN_LV2_MAILBOX_H
#define VIP_PLUGIN_LV2_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>

#include <vipann/vipann.h>

enum { VIP_PATH_BYTES = 4096, VIP_TEXT_BYTES = 256 };  /* with the zero at the end */
enum { VIP_MAILBOX_WHICH = 3, VIP_MAILBOX_FRESH = 4 }; /* bits of `way` */

/* To the loader: the path of a model to load. From it: the path of the model in force, "" if there is none, and what
 * went wrong, "" if nothing did. */
typedef struct {
    char path[VIP_PATH_BYTES];
    char text[VIP_TEXT_BYTES];
} vip_letter;

/* Three letters: one that is being written, one on its way, one that is being read. */
typedef struct {
    vip_letter letters[3];
    atomic_uint way;      /* which one is on its way, and whether nobody has taken it yet */
    unsigned desk, shelf; /* the sender's, the taker's */
} vip_mailbox;

void vip_mailbox_init(vip_mailbox *box);

/* The letter that is sent next, for the sender to fill; what was in it is old. */
vip_letter *vip_mailbox_blank(vip_mailbox *box) VIPANN_RT;

/* Sends it; one that nobody has taken yet is lost. */
void vip_mailbox_send(vip_mailbox *box) VIPANN_RT;

/* Whether there is one to take. */
static inline bool
vip_mailbox_has_news(const vip_mailbox *box)
{
    return (atomic_load_explicit(&box->way, memory_order_relaxed) & VIP_MAILBOX_FRESH) != 0;
}

/* The newest letter, which stays as it is until the next call that is not NULL; NULL: nothing new. */
const vip_letter *vip_mailbox_take(vip_mailbox *box) VIPANN_RT;

#endif /* VIP_PLUGIN_LV2_MAILBOX_H */
