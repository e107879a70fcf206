/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schedule.c -- see schedule.h for the contract. */
#include "schedule.h"

#include <string.h>

static int64_t
smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t
larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t
vip_schedule_ready(const vip_network *network, const vip_schedule *schedule, int step, bool ended)
{
    const vip_step *s = &network->steps[step];
    const int64_t *there = ended ? schedule->tail : schedule->end;
    int64_t columns = there[s->source + 1];
    if (s->kernel == 3 && !ended) {
        columns -= network->right;
    }
    if (s->residual != VIP_NONE) {
        columns = smaller(columns, there[s->residual + 1]);
    }
    columns = larger(columns, 0) / (s->pool ? 2 : 1);
    return larger(columns, schedule->end[step + 1]);
}

int64_t
vip_schedule_needed(const vip_network *network, const vip_schedule *schedule, int level)
{
    int64_t oldest = schedule->end[level];
    for (int i = level; i < network->n_steps; i++) { /* readers come later in the table */
        const vip_step *s = &network->steps[i];
        int64_t next = schedule->end[i + 1] * (s->pool ? 2 : 1);
        if (s->source + 1 == level) {
            oldest = smaller(oldest, s->kernel == 3 ? next - network->left : next);
        }
        if (s->residual != VIP_NONE && s->residual + 1 == level) {
            oldest = smaller(oldest, next);
        }
    }
    return oldest;
}

void
vip_schedule_push(const vip_network *network, vip_schedule *schedule, int64_t frames)
{
    schedule->end[0] += frames;
    for (int i = 0; i < network->n_steps; i++) {
        schedule->end[i + 1] = vip_schedule_ready(network, schedule, i, false);
    }
    memcpy(schedule->tail, schedule->end, sizeof schedule->tail);
}

void
vip_schedule_finish(const vip_network *network, vip_schedule *schedule, bool commit)
{
    schedule->tail[0] = schedule->end[0];
    for (int i = 0; i < network->n_steps; i++) {
        schedule->tail[i + 1] = vip_schedule_ready(network, schedule, i, true);
    }
    if (commit) {
        memcpy(schedule->end, schedule->tail, sizeof schedule->end);
    }
}

/* Enough frames that every level is in its steady state: the look-back of the deepest network, in whole columns. */
enum { SETTLED = 64 * VIP_COLUMN_FRAMES };

void
vip_schedule_capacity(const vip_network *network, uint32_t max_frames, uint32_t *capacity)
{
    memset(capacity, 0, VIP_MAX_LEVELS * sizeof *capacity);
    /* What is held depends on the frames heard so far only; when settled, only on their remainder. */
    for (int64_t heard = 0; heard < SETTLED + VIP_COLUMN_FRAMES; heard++) {
        vip_schedule before = {{0}, {0}};
        vip_schedule_push(network, &before, heard);
        vip_schedule after = before;
        vip_schedule_push(network, &after, max_frames);
        vip_schedule_finish(network, &after, false);
        for (int level = 0; level <= network->n_steps; level++) {
            int64_t held = after.tail[level] + network->right - vip_schedule_needed(network, &before, level);
            capacity[level] = (uint32_t)larger(held, capacity[level]);
        }
        if (heard > 2 * VIP_COLUMN_FRAMES && heard < SETTLED) {
            heard = SETTLED - 1;
        }
    }
}

uint64_t
vip_step_macs(const vip_step *step)
{
    return (uint64_t)step->in * step->out * step->kernel * step->kernel * step->bins;
}

uint64_t
vip_dense_macs(const vip_network *network)
{
    return (uint64_t)network->features * network->features + (uint64_t)network->features * network->classes;
}

void
vip_schedule_shared(const vip_network *network, const float *rates, bool own_weights, bool *shared)
{
    bool same[VIP_MAX_LEVELS] = {true}; /* the level, with its dropout, is the same for all members */
    for (int i = 0; i < network->n_steps; i++) {
        const vip_step *s = &network->steps[i];
        shared[i] = !own_weights && same[s->source + 1] && (s->residual == VIP_NONE || same[s->residual + 1]);
        bool dropped = rates != NULL && s->site != VIP_NONE && rates[s->site] > 0;
        same[i + 1] = shared[i] && !dropped;
    }
}

void
vip_schedule_macs(const vip_network *network, uint32_t hop_columns, bool edge, const bool *shared_steps,
                  uint64_t *shared, uint64_t *per_member)
{
    vip_schedule before = {{0}, {0}}, after;
    vip_schedule_push(network, &before, SETTLED);
    after = before;
    vip_schedule_push(network, &after, (int64_t)hop_columns * VIP_COLUMN_FRAMES);
    if (edge) {
        vip_schedule_finish(network, &after, false);
    }
    *shared = 0;
    *per_member = vip_dense_macs(network);
    for (int i = 0; i < network->n_steps; i++) {
        const vip_step *s = &network->steps[i];
        uint64_t columns = (uint64_t)(after.tail[i + 1] - before.end[i + 1]) * (s->pool ? 2 : 1);
        *(shared_steps[i] ? shared : per_member) += columns * vip_step_macs(s);
    }
}
