/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ear.h -- what JACK's thread does with the sound of a cycle, without JACK: hands it to the analysis while that listens.
 *
 *   JACK's thread   vip_ear_hear, vip_ear_hear_all
 *   main thread     all else */
#ifndef VIP_PLUGIN_JACK_EAR_H
#define VIP_PLUGIN_JACK_EAR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <plugin/live/live.h>

typedef struct {
    vip_live *live;
    uint32_t inputs;
    atomic_bool open; /* set by the main thread */
    atomic_bool busy; /* set by JACK's thread while it may push */
} vip_ear;

/* Shut. live is borrowed. */
void vip_ear_init(vip_ear *ear, vip_live *live, uint32_t inputs);

/* From the next cycle on sound is handed to the analysis. */
void vip_ear_open(vip_ear *ear);

/* No longer; returns when no push is under way any more. Takes turns of the analysis meanwhile, which a push may wait for. */
void vip_ear_shut(vip_ear *ear);

/* One cycle: inputs[input][frames], mono. What the analysis has no room for is lost. */
void vip_ear_hear(vip_ear *ear, const float *const *inputs, uint32_t frames) VIPANN_RT;

/* The same where JACK is free-wheeling: waits for the analysis, and nothing is lost. */
void vip_ear_hear_all(vip_ear *ear, const float *const *inputs, uint32_t frames);

#endif /* VIP_PLUGIN_JACK_EAR_H */
