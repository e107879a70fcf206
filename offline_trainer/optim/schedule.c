/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schedule.c -- see schedule.h for the contract. */
#include "schedule.h"

#include <math.h>
#include <stddef.h>

static const double PI = 3.14159265358979323846;
static const double FIRST_STEP = 1e-3; /* of a run whose steps are not known: a share that one step may have */

const char *const VIP_SCHEDULE_NAMES[VIP_N_SCHEDULES + 1] = {"constant", "cosine", "cyclical", NULL};

double
vip_schedule_share(const vip_schedule *schedule, uint64_t step, double time)
{
    const double steps = schedule->steps > 0 ? (double)step / (double)schedule->steps : 0;
    const double share = steps > time ? steps : time;
    return share < 1 ? share : 1;
}

/* The share of its cycle; with known steps cycles have ceil(steps / cycles) of them, as in Zhang et al. */
static double
share_of_cycle(const vip_schedule *s, double share)
{
    const double cycles = s->cycles > 0 ? (double)s->cycles : 1;
    if (s->steps == 0) {
        return fmod(share * cycles, 1);
    }
    const double length = ceil((double)s->steps / cycles), step = floor(share * (double)s->steps + 1e-6);
    return fmod(step, length) / length;
}

double
vip_schedule_factor(const vip_schedule *schedule, double share)
{
    const double one = schedule->steps > 0 ? 1 / (double)schedule->steps : FIRST_STEP;
    const double warm = share + one < schedule->warm_up ? (share + one) / schedule->warm_up : 1;
    if (schedule->kind == VIP_CYCLICAL) {
        return warm * (cos(PI * share_of_cycle(schedule, share)) + 1) / 2;
    }
    if (schedule->kind == VIP_CONSTANT || warm < 1) {
        return warm;
    }
    const double begun = schedule->warm_up > one ? schedule->warm_up - one : 0;
    const double x = (share - begun) / (1 - begun);
    return (cos(PI * (x < 0 ? 0 : x > 1 ? 1 : x)) + 1) / 2;
}

double
vip_ramp(double from, double end, double share)
{
    return share < end ? from + (1 - from) * share / end : 1;
}
