/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stream_options.c -- what a stream is made with: the defaults, and what is out of range. */
#include "seat.h"

#include <common/support.h>

#include <math.h>

void
vip_stream_defaults(vip_stream_options *options)
{
    *options = (vip_stream_options){
        .rate = 48000,
        .channels = 1,
        .channel = -1,
        .max_block = 8192,
        .passes = VIP_STREAM_MODELS,
        .hop_seconds = 0, /* one column */
        .latency = VIPANN_CENTRED,
        .seed = 1,
        .governed = true,
        .threaded = true,
    };
}

vipann_status
vip_stream_check(const vip_stream_options *o, vipann_error *error)
{
    const struct {
        const char *name;
        double value, least, most;
    } ranges[] = {
        {"rate", o->rate, 8000, 384000},
        {"channels", o->channels, 1, VIPANN_MAX_CHANNELS},
        {"channel", o->channel, -1, o->channels - 1.0},
        {"max_block", o->max_block, 1, 65536},
        {"passes", o->passes == VIP_STREAM_MODELS ? 0 : o->passes, 0, VIPANN_MAX_PASSES},
        {"max_passes", o->max_passes, 0, VIPANN_MAX_PASSES},
        {"hop_seconds", o->hop_seconds, 0, 3600},
        {"window_seconds", isinf(o->window_seconds) ? 0 : o->window_seconds, 0, 3600},
        {"max_window_seconds", o->max_window_seconds, 0, 3600},
        {"horizon_seconds", o->horizon_seconds, 0, 3600},
        {"members", o->members, VIPANN_FLIPOUT, VIPANN_EXPLICIT},
        {"latency", o->latency, VIPANN_CENTRED, VIPANN_EDGE},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        if (!(ranges[i].value >= ranges[i].least && ranges[i].value <= ranges[i].most)) { /* NaN is out of range */
            return vip_fail(error, VIPANN_E_ARG, "option %s of a stream is %g; it must be between %g and %g",
                            ranges[i].name, ranges[i].value, ranges[i].least, ranges[i].most);
        }
    }
    return VIPANN_OK;
}
