/* SPDX-License-Identifier: GPL-3.0-or-later */
/* outputs.h -- all who are told what is heard live, besides whoever reads the results: commands of the user's (hook.h) and
 * OSC (osc.h), as far as they were asked for. Main thread; nothing here waits but vip_outputs_free. */
#ifndef VIP_PLUGIN_OUT_OUTPUTS_H
#define VIP_PLUGIN_OUT_OUTPUTS_H

#include "hook.h"
#include "osc.h"

typedef struct vip_outputs vip_outputs;

/* At the end of a table of options. */
#define VIP_OUTPUT_OPTIONS                                                                                             \
    &VIP_OPTION_ON_EVENT, &VIP_OPTION_ON_EVENT_MOST, &VIP_OPTION_ON_EVENT_PATIENCE VIP_OSC_OPTIONS

/* What the options ask for. NULL: E_ARG, E_MEMORY. */
vip_outputs *vip_outputs_new(const vip_arguments *arguments, vipann_error *error);

/* Gives commands that still run a second to end. NULL is allowed. */
void vip_outputs_free(vip_outputs *outputs);

void vip_outputs_result(vip_outputs *outputs, const vip_osc_source *source, const vipann_result *result);
void vip_outputs_event(vip_outputs *outputs, const vip_osc_source *source, const vipann_event *event);

/* Says what has gone wrong since the last look, a line each, which the caller need not repeat within a minute. */
typedef void vip_outputs_say(void *user, const char *format, ...);
void vip_outputs_look(vip_outputs *outputs, vip_outputs_say *say, void *user);

#endif /* VIP_PLUGIN_OUT_OUTPUTS_H */
