/* SPDX-License-Identifier: GPL-3.0-or-later */
/* governor.h -- how much of what is asked for a machine can do: takes members away, then makes the hop longer.
 *
 * A state and no more: it knows no clock, no engine and no thread. Whoever owns it tells it now and then how much sound
 * waits and what the work costs, and asks the engine for what it says.
 *
 * One step at a time: the members are halved, not below two; then the hop is doubled. A step is taken where sound waits
 * that should have been heard, and waits longer than at the look before. It is taken back after a calm while, which is
 * short where the load leaves room for it, and long where only a trial can tell. A step back that does not last makes
 * all later ones wait twice as long, so that a machine at its limit does not swing. */
#ifndef VIP_PLUGIN_STREAM_GOVERNOR_H
#define VIP_PLUGIN_STREAM_GOVERNOR_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint32_t asked_passes, asked_hop; /* passes 0: there are no members to take away */
    uint32_t passes, hop;             /* in force: never more work than was asked for */

    uint32_t halvings, doublings; /* taken away so far */
    double load;                  /* work's time to sound's time, smoothed; negative: not known since the last step */
    double backlog;               /* seconds, at the look before */
    double calm, since;           /* seconds: without being late; since the last step back (negative: it has lasted) */
    double patience;              /* factor of all waiting, 1 .. 64 */
} vip_governor;

/* One look, of a while in which at least two columns were heard. */
typedef struct {
    double seconds;        /* since the look before */
    double backlog;        /* seconds of sound that waits now */
    double load;           /* time that the work took to the time of the sound that was heard, since the look before */
    double column_seconds; /* of the network */
} vip_governor_look;

/* Nothing is taken away. hop: columns, at least 1. */
void vip_governor_reset(vip_governor *governor, uint32_t passes, uint32_t hop);

/* Other numbers are asked for. What was taken away stays away as far as it can be: passes do not rise above those in
 * force. Nothing happens if they are those that are asked for already. */
void vip_governor_ask(vip_governor *governor, uint32_t passes, uint32_t hop);

/* Returns whether passes or hop have changed. */
bool vip_governor_step(vip_governor *governor, const vip_governor_look *look);

#endif /* VIP_PLUGIN_STREAM_GOVERNOR_H */
