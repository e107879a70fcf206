/* SPDX-License-Identifier: GPL-3.0-or-later */
/* governor.c -- see governor.h for the contract. */
#include "governor.h"

#include <vipann/vipann.h>

enum {
    LEAST_PASSES = 2,  /* fewer cannot disagree */
    MAX_DOUBLINGS = 4, /* a hop sixteen times as long saves nearly all that a hop can */
    LATE_HOPS = 4,     /* columns of a long hop that may wait */
    MOST_PATIENCE = 64
};
static const double LATE_SECONDS = 2; /* sound that may wait at most, whatever the hop: half of what an engine holds */
static const double SMOOTHING = 4;    /* seconds */
static const double ROOM = 0.8;       /* load up to which there is room for jitter */
static const double SHORT_CALM = 5;   /* seconds before a step back that the load leaves room for */
static const double LONG_CALM = 60;   /* and before one that it may not */
static const double LASTING = 30;     /* seconds after which a step back has lasted */
static const double NOT_SHRINKING = 0.99; /* of the backlog at the look before: less is being caught up with */

static uint32_t
halved(uint32_t passes, uint32_t times)
{
    for (uint32_t i = 0; i < times && passes > LEAST_PASSES; i++) {
        passes = (passes + 1) / 2;
    }
    return passes;
}

static uint32_t
doubled(uint32_t hop, uint32_t times)
{
    for (uint32_t i = 0; i < times && hop < VIPANN_MAX_HOP_COLUMNS; i++) {
        hop = hop > VIPANN_MAX_HOP_COLUMNS / 2 ? VIPANN_MAX_HOP_COLUMNS : hop * 2;
    }
    return hop;
}

static void
put_in_force(vip_governor *g)
{
    g->passes = halved(g->asked_passes, g->halvings);
    g->hop = doubled(g->asked_hop, g->doublings);
    g->load = -1;
}

void
vip_governor_reset(vip_governor *g, uint32_t passes, uint32_t hop)
{
    *g = (vip_governor){.asked_passes = passes, .asked_hop = hop, .since = -1, .patience = 1};
    put_in_force(g);
}

void
vip_governor_ask(vip_governor *g, uint32_t passes, uint32_t hop)
{
    if (passes == g->asked_passes && hop == g->asked_hop) {
        return;
    }
    const uint32_t most = g->passes;
    const bool taken = g->halvings > 0;
    g->asked_passes = passes;
    g->asked_hop = hop;
    g->halvings = 0;
    while (taken && halved(passes, g->halvings) > most && halved(passes, g->halvings) > LEAST_PASSES) {
        g->halvings++;
    }
    put_in_force(g);
}

static bool
take_away(vip_governor *g)
{
    if (g->passes > LEAST_PASSES) {
        g->halvings++;
    } else if (g->doublings < MAX_DOUBLINGS && g->hop < VIPANN_MAX_HOP_COLUMNS) {
        g->doublings++;
    } else {
        return false; /* there is nothing left to take */
    }
    put_in_force(g);
    return true;
}

static bool
give_back(vip_governor *g)
{
    if (g->doublings > 0) {
        g->doublings--;
    } else {
        g->halvings--;
    }
    put_in_force(g);
    g->calm = 0;
    g->since = 0;
    return true;
}

static bool
is_late(const vip_governor *g, const vip_governor_look *look)
{
    const uint32_t columns = 1 + (g->hop < LATE_HOPS ? g->hop : LATE_HOPS);
    const double allowed = columns * look->column_seconds;
    return look->backlog > (allowed < LATE_SECONDS ? allowed : LATE_SECONDS);
}

/* Work grows at most as the members do, or as the hop shrinks. */
static bool
has_room(const vip_governor *g)
{
    const double more = g->doublings > 0 ? (double)g->hop / doubled(g->asked_hop, g->doublings - 1)
                                         : (double)halved(g->asked_passes, g->halvings - 1) / g->passes;
    return g->load >= 0 && g->load * more < ROOM;
}

bool
vip_governor_step(vip_governor *g, const vip_governor_look *look)
{
    const double share = look->seconds < SMOOTHING ? look->seconds / SMOOTHING : 1;
    const bool late = is_late(g, look), shrinking = look->backlog < NOT_SHRINKING * g->backlog;
    g->load = g->load < 0 ? look->load : g->load + share * (look->load - g->load);
    g->backlog = look->backlog;
    if (g->since >= 0) {
        g->since += look->seconds;
    }
    if (late) {
        g->calm = 0;
        if (g->since >= 0) { /* the step back was too much */
            g->patience = g->patience < MOST_PATIENCE ? g->patience * 2 : MOST_PATIENCE;
            g->since = -1;
        }
        return !shrinking && take_away(g);
    }
    g->calm += look->seconds;
    if (g->since > LASTING) {
        g->since = -1;
        g->patience = 1;
    }
    if (g->halvings + g->doublings == 0 || g->load >= ROOM) {
        return false;
    }
    return g->calm >= g->patience * (has_room(g) ? SHORT_CALM : LONG_CALM) && give_back(g);
}
