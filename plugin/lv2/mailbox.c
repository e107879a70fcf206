/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mailbox.c -- see mailbox.h for the contract. */
#include "mailbox.h"

#include <stddef.h>

void
vip_mailbox_init(vip_mailbox *box)
{
    box->desk = 0;
    box->shelf = 1;
    atomic_init(&box->way, 2u);
}

vip_letter *
vip_mailbox_blank(vip_mailbox *box)
{
    return &box->letters[box->desk];
}

void
vip_mailbox_send(vip_mailbox *box)
{
    /* release: the letter is written before it is seen; acquire: the taker has done with the one that comes back.
     * Partner: the exchange in vip_mailbox_take. */
    box->desk =
        atomic_exchange_explicit(&box->way, box->desk | VIP_MAILBOX_FRESH, memory_order_acq_rel) & VIP_MAILBOX_WHICH;
}

const vip_letter *
vip_mailbox_take(vip_mailbox *box)
{
    if (!vip_mailbox_has_news(box)) {
        return NULL; /* whether to exchange at all; the exchange itself orders */
    }
    box->shelf = atomic_exchange_explicit(&box->way, box->shelf, memory_order_acq_rel) & VIP_MAILBOX_WHICH;
    return &box->letters[box->shelf];
}
