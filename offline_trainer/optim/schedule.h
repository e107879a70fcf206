/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schedule.h -- how the rate, and whatever else changes over a run, depends on how much of the run is done. */
#ifndef VIP_TRAINER_SCHEDULE_H
#define VIP_TRAINER_SCHEDULE_H

#include <stdint.h>

typedef enum { VIP_CONSTANT, VIP_COSINE, VIP_CYCLICAL, VIP_N_SCHEDULES } vip_schedule_kind;

/* "constant", "cosine", "cyclical"; ends with NULL. */
extern const char *const VIP_SCHEDULE_NAMES[VIP_N_SCHEDULES + 1];

typedef struct {
    vip_schedule_kind kind;
    double warm_up;  /* share of the run over which the rate rises from nearly 0 to its peak */
    uint32_t cycles; /* of a cyclical schedule */
    uint64_t steps;  /* of the run; 0: unknown, as where time alone ends it */
} vip_schedule;

/* How much of the run is done before step `step` (the first is 0), 0 .. 1: the larger of the share of the steps and the
 * share of the time, of which 0 .. 1 has passed (0 where no time is set: so a pure function of the step). */
double vip_schedule_share(const vip_schedule *schedule, uint64_t step, double time);

/* The factor of the peak rate at a share of the run: 1 from the end of the warm-up on; cosine: falling to 0 at the end;
 * cyclical (Zhang et al. 2020): from 1 to nearly 0 in each cycle, (cos(pi r) + 1) / 2 with r the share of the cycle. Cycles
 * have whole steps where their number is known. */
double vip_schedule_factor(const vip_schedule *schedule, double share);

/* From `from` to 1 on a line while the share grows from 0 to `end`, 1 from then on; 1 if end is 0. */
double vip_ramp(double from, double end, double share);

#endif /* VIP_TRAINER_SCHEDULE_H */
