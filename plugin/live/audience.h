/* SPDX-License-Identifier: GPL-3.0-or-later */
/* audience.h -- all for whom what is heard is meant: files that grow by a line per event, clips, commands and OSC, then
 * whoever reads the results. In this order, so that what has been shown is kept, however the program ends.
 *
 *   audio thread  vip_audience_hear
 *   main thread   all else; vip_audience_fill: any */
#ifndef VIP_PLUGIN_LIVE_AUDIENCE_H
#define VIP_PLUGIN_LIVE_AUDIENCE_H

#include <plugin/out/outputs.h>

#include "live.h"

typedef struct vip_audience vip_audience;

/* Whom the options ask for; setup is borrowed. NULL: E_ARG, E_IO, E_MEMORY. */
vip_audience *vip_audience_new(const vip_live_setup *setup, vipann_error *error);

/* NULL is allowed. */
void vip_audience_free(vip_audience *audience);

/* As the functions of writer.h of these names. */
vipann_status vip_audience_enter(vip_audience *audience, uint32_t tag, vipann_model *model,
                                 const vipann_options *options, vipann_error *error);
void vip_audience_forget(vip_audience *audience, uint32_t tag);
vipann_status vip_audience_check(vip_audience *audience, vipann_error *error);

/* As those of outputs.h. */
vipann_status vip_audience_begin(vip_audience *audience, uint32_t input, double rate, uint32_t channels, double zero,
                                 vipann_error *error);
void vip_audience_hear(vip_audience *audience, uint32_t input, const float *const *channels, uint32_t frames) VIPANN_RT;
double vip_audience_fill(const vip_audience *audience, uint32_t input);
void vip_audience_end(vip_audience *audience, uint32_t input);
void vip_audience_turn(vip_audience *audience, vip_outputs_say *say, void *user);

/* The model that the tag is of, borrowed; NULL: it is not known. */
vipann_model *vip_audience_model(vip_audience *audience, uint32_t tag);

/* Tells what bears the tag; utc: the clock's time when t was 0, seconds since 1970. */
void vip_audience_result(vip_audience *audience, uint32_t input, uint32_t tag, double utc, const vipann_result *result);
void vip_audience_event(vip_audience *audience, uint32_t input, uint32_t tag, double utc, const vipann_event *event);

#endif /* VIP_PLUGIN_LIVE_AUDIENCE_H */
