/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wall.h -- at what time of day a stream's sound was heard. A state and no more: it knows no clock and no thread.
 *
 * Sound comes in blocks, at a rate that is only nearly what it is called. The difference between the clock and the sound
 * that has come is never too small, but by what was delayed on the way: so the smallest counts, which may rise slowly,
 * as sound cards drift. */
#ifndef VIP_PLUGIN_LIVE_WALL_H
#define VIP_PLUGIN_LIVE_WALL_H

typedef struct {
    double zero;   /* of the clock when the stream's time was 0, s; NaN: not known yet */
    double seen;   /* of the clock at the last look */
    double pushed; /* sound that had come then, s */
} vip_wall;

void vip_wall_reset(vip_wall *wall);

/* now: the clock, s. pushed: sound that has come until now, s. */
void vip_wall_look(vip_wall *wall, double now, double pushed);

#endif /* VIP_PLUGIN_LIVE_WALL_H */
