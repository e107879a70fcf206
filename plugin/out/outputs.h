/* SPDX-License-Identifier: GPL-3.0-or-later */
/* outputs.h -- all who are told what is heard live, besides whoever reads the results: a store (record.h), clips
 * (clips.h), commands of the user's (hook.h) and OSC (osc.h), as far as they were asked for. Nothing here waits for anybody but vip_outputs_free.
 *
 *   audio thread  vip_outputs_hear
 *   main thread   all else; vip_outputs_fill: any */
#ifndef VIP_PLUGIN_OUT_OUTPUTS_H
#define VIP_PLUGIN_OUT_OUTPUTS_H

#include "clips.h"
#include "hook.h"
#include "osc.h"
#include "record.h"

typedef struct vip_outputs vip_outputs;

/* At the end of a table of options. */
#define VIP_OUTPUT_OPTIONS                                                                                             \
    VIP_RECORD_OPTIONS &VIP_OPTION_SAVE_EVENTS, &VIP_OPTION_SAVE, &VIP_OPTION_SAVE_BEFORE, &VIP_OPTION_SAVE_LONGEST,   \
        &VIP_OPTION_SAVE_LIMIT, &VIP_OPTION_ON_EVENT, &VIP_OPTION_ON_EVENT_MOST,                                       \
        &VIP_OPTION_ON_EVENT_PATIENCE VIP_OSC_OPTIONS

/* What the options ask for; names[inputs] is borrowed. NULL: E_ARG, E_IO, E_MEMORY. */
vip_outputs *vip_outputs_new(const vip_arguments *arguments, uint32_t inputs, const char *const *names,
                             vipann_error *error);

/* Gives commands that still run a second to end. NULL is allowed. */
void vip_outputs_free(vip_outputs *outputs);

/* Sound of an input comes from now on; its first frame is at `zero` s of the time that events have. E_MEMORY. */
vipann_status vip_outputs_begin(vip_outputs *outputs, uint32_t input, double rate, uint32_t channels, double zero,
                                vipann_error *error);

void vip_outputs_hear(vip_outputs *outputs, uint32_t input, const float *const *channels, uint32_t frames) VIPANN_RT;

/* How much of the room for sound is taken, 0 .. 1: who can wait does so where it is much. */
double vip_outputs_fill(const vip_outputs *outputs, uint32_t input);

/* model: which says so; utc: the clock's time when t was 0, seconds since 1970. */
void vip_outputs_result(vip_outputs *outputs, uint32_t input, const vipann_model *model, const vipann_result *result);
void vip_outputs_event(vip_outputs *outputs, uint32_t input, const vipann_model *model, double utc,
                       const vipann_event *event);

/* No more sound of the input comes; its events have ended. */
void vip_outputs_end(vip_outputs *outputs, uint32_t input);

/* Does what there is to do, some times a second, and says what has gone wrong since the last time, a line each, which the
 * caller need not repeat within a minute. */
typedef void vip_outputs_say(void *user, const char *format, ...);
void vip_outputs_turn(vip_outputs *outputs, vip_outputs_say *say, void *user);

#endif /* VIP_PLUGIN_OUT_OUTPUTS_H */
