/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schedule.h -- which columns of which step can be computed when so many frames have been heard.
 *
 * Pure arithmetic on column counts, without any numbers of the network: it drives the pass, sizes its buffers and
 * counts its work, so that the three cannot disagree. Levels: 0 is the input (frames), i + 1 the output of step i.
 * A column is computed once, when all its inputs exist; what an early end of the sound touches is computed from
 * provisional columns, which are forgotten afterwards unless the sound really has ended. */
#ifndef VIP_NN_SCHEDULE_H
#define VIP_NN_SCHEDULE_H

#include <model/network.h>

enum { VIP_MAX_LEVELS = VIP_MAX_STEPS + 1 };

typedef struct {
    int64_t end[VIP_MAX_LEVELS];  /* columns that are there for good */
    int64_t tail[VIP_MAX_LEVELS]; /* with the provisional ones: >= end */
} vip_schedule;

/* One past the last column of step i's output that can be computed: for good, or (ended) as if no more columns came
 * than the provisional ones of its inputs, with the padding on the right that the network has there. */
int64_t vip_schedule_ready(const vip_network *network, const vip_schedule *schedule, int step, bool ended);

/* The oldest column of a level that a step still has to read; negative ones are padding. */
int64_t vip_schedule_needed(const vip_network *network, const vip_schedule *schedule, int level);

/* Hears `frames` more: end and tail of every level become what they are then. */
void vip_schedule_push(const vip_network *network, vip_schedule *schedule, int64_t frames);

/* Sets tail of every level as if the sound ended now; commit: it has. */
void vip_schedule_finish(const vip_network *network, vip_schedule *schedule, bool commit);

/* capacity[level]: columns that a level must hold so that pushes of at most max_frames fit at any moment, provisional
 * columns and one of padding behind them included. */
void vip_schedule_capacity(const vip_network *network, uint32_t max_frames, uint32_t *capacity);

/* Multiply-adds of step i for one column of its output (before the pool) and one member; of the two dense layers. */
uint64_t vip_step_macs(const vip_step *step);
uint64_t vip_dense_macs(const vip_network *network);

/* shared[step]: the step's output before its dropout is the same for all members, so it is computed once. rates: of the
 * sites ([n_sites]), NULL: none acts. own_weights: members have weights of their own. */
void vip_schedule_shared(const vip_network *network, const float *rates, bool own_weights, bool *shared);

/* Multiply-adds in the steady state for one hop of that many columns, with answers computed centred or at the edge:
 * those that all members share, and those that each member has for itself. */
void vip_schedule_macs(const vip_network *network, uint32_t hop_columns, bool edge, const bool *shared_steps,
                       uint64_t *shared, uint64_t *per_member);

#endif /* VIP_NN_SCHEDULE_H */
