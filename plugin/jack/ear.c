/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ear.c -- see ear.h for the contract.
 *
 * Whether a push is under way: JACK's thread says that it is busy and then looks whether the ear is open; the main thread
 * shuts it and then looks whether JACK's is busy. All four are sequentially consistent, so one of the two sees the other. */
#include "ear.h"

void
vip_ear_init(vip_ear *ear, vip_live *live, uint32_t inputs)
{
    ear->live = live;
    ear->inputs = inputs;
    atomic_init(&ear->open, false);
    atomic_init(&ear->busy, false);
}

void
vip_ear_open(vip_ear *ear)
{
    atomic_store(&ear->open, true);
}

void
vip_ear_shut(vip_ear *ear)
{
    atomic_store(&ear->open, false);
    while (atomic_load(&ear->busy)) {
        (void)vip_live_turn(ear->live);
    }
}

static bool enter(vip_ear *ear) VIPANN_RT;
static void leave(vip_ear *ear) VIPANN_RT;

/* Whether the cycle may be heard; then it must be left. */
static bool
enter(vip_ear *ear)
{
    atomic_store(&ear->busy, true);
    if (atomic_load(&ear->open)) {
        return true;
    }
    atomic_store(&ear->busy, false);
    return false;
}

static void
leave(vip_ear *ear)
{
    atomic_store(&ear->busy, false);
}

void
vip_ear_hear(vip_ear *ear, const float *const *inputs, uint32_t frames)
{
    if (enter(ear)) {
        for (uint32_t i = 0; i < ear->inputs; i++) {
            vip_live_push(ear->live, i, &inputs[i], frames);
        }
        leave(ear);
    }
}

void
vip_ear_hear_all(vip_ear *ear, const float *const *inputs, uint32_t frames)
{
    if (enter(ear)) {
        for (uint32_t i = 0; i < ear->inputs; i++) {
            vip_live_push_all(ear->live, i, &inputs[i], frames);
        }
        leave(ear);
    }
}
