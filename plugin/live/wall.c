/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wall.c -- see wall.h for the contract. */
#include "wall.h"

#include <math.h>

static const double DRIFT = 500e-6; /* of a sound card's clock, generously: seconds per second */
static const double STILL = 1;      /* s without sound after which it was interrupted, not delayed */

void
vip_wall_reset(vip_wall *wall)
{
    *wall = (vip_wall){NAN, NAN, NAN};
}

void
vip_wall_look(vip_wall *wall, double now, double pushed)
{
    const double zero = now - pushed;
    if (pushed == wall->pushed && pushed > 0) {
        return;
    }
    if (!(wall->pushed > 0) || zero - wall->zero > STILL || wall->seen - now > STILL) { /* or the clock was set */
        wall->zero = zero;
    } else {
        const double most = wall->zero + DRIFT * fmax(now - wall->seen, 0);
        wall->zero = zero < most ? zero : most;
    }
    wall->seen = now;
    wall->pushed = pushed;
}
