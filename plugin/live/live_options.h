/* SPDX-License-Identifier: GPL-3.0-or-later */
/* live_options.h -- what the options of programs that hear live mean. For live.c only; the rows are in live.h. */
#ifndef VIP_PLUGIN_LIVE_LIVE_OPTIONS_H
#define VIP_PLUGIN_LIVE_LIVE_OPTIONS_H

#include <plugin/program/asked.h>
#include <plugin/report/report.h>
#include <plugin/stream/stream.h>

/* Says what options ask for that cannot go together: E_ARG. */
vipann_status vip_live_check(const vip_arguments *arguments, uint32_t inputs, vipann_error *error);

const vip_format *vip_live_format(const vip_arguments *arguments);
vip_subject vip_live_subject(const vip_arguments *arguments);

/* Which latency it is to be; with `auto` the model is measured, which takes a second or two. *load: what an edge of all
 * inputs takes of this machine's processors, NaN if that was not measured. Errors: as vip_measure_core. */
vipann_status vip_live_latency(const vip_arguments *arguments, vipann_model *model, uint32_t inputs,
                               vipann_latency *latency, double *load, vipann_error *error);

/* Fills the options of a stream, but for rate, channels and rules. */
void vip_live_stream_options(const vip_arguments *arguments, const vipann_model *model, vipann_latency latency,
                             vip_stream_options *options);

#endif /* VIP_PLUGIN_LIVE_LIVE_OPTIONS_H */
