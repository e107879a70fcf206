/* SPDX-License-Identifier: GPL-3.0-or-later */
/* live_options.c -- the options that programs which hear live share, and what they mean for a stream. */
#include "live_options.h"

#include <math.h>

#include <common/support.h>
#include <plugin/program/measure.h>

#include "live.h"
#include "pumps.h"

enum { AUTO = VIPANN_EDGE + 1 };

static const char *const LATENCIES[] = {"centred", "edge", "auto", NULL};      /* first those of vipann_latency */
static const char *const FORMATS[] = {"text", "jsonl", "csv", "labels", NULL}; /* in the order of VIP_FORMATS */
static const double ROOM = 0.5; /* of the processors, which an edge may take without being asked for */

const vip_option VIP_OPTION_LIVE_DURATION = {
    .name = "duration",
    .kind = VIP_OPTION_NUMBER,
    .argument = "SECONDS",
    .least = 1e-3,
    .most = 1e9,
    .otherwise = "until it is told to end",
    .group = VIP_GROUP_SOUND,
    .help = "End when the sound, and what was missing of it while a device or server had gone, has lasted so long.",
};

const vip_option VIP_OPTION_LIVE_LATENCY = {
    .name = "latency",
    .kind = VIP_OPTION_CHOICE,
    .words = LATENCIES,
    .standard = "auto",
    .group = VIP_GROUP_NETWORK,
    .help =
        "edge: a result says at once what it can. centred: it waits for all sound that bears on it, up to 1.8 s; a "
        "third "
        "of the work. auto: edge if half of this machine is enough for it. Causal models have no such choice: nothing "
        "waits.",
};

const vip_option VIP_OPTION_LIVE_FORMAT = {
    .name = "format",
    .kind = VIP_OPTION_CHOICE,
    .words = FORMATS,
    .standard = "text",
    .group = VIP_GROUP_RESULTS,
    .help = "text for eyes, jsonl (one JSON object per line), csv (one row each), or of the events of one input: "
            "labels (an "
            "Audacity label track). Each line is written at once, with the time of day (UTC, in text local).",
};

const vip_option VIP_OPTION_LIVE_BEGINS = {
    .name = "begins",
    .kind = VIP_OPTION_FLAG,
    .group = VIP_GROUP_RESULTS,
    .help = "With --events: write an event when it begins, too, and not only when it has ended.",
};

vipann_status
vip_live_check(const vip_arguments *a, uint32_t inputs, vipann_error *error)
{
    const vip_format *format = vip_live_format(a);
    const bool events = vip_live_subject(a) == VIP_EVENTS;
    const char *contradiction = NULL;
    if (format->single && inputs > 1) {
        contradiction =
            "--format labels tells of one input; hear each with a program of its own, or give another --format";
    } else if (vip_argument(a, &VIP_OPTION_APPEND_LABELS)->given && inputs > 1) {
        contradiction =
            "--append-labels tells of one input; hear each with a program of its own, or give --append-jsonl";
    } else if (vip_argument(a, &VIP_OPTION_LIVE_BEGINS)->given && (!events || format->single)) {
        contradiction = "--begins is about events as text, jsonl or csv; give --events and one of these";
    }
    return contradiction == NULL ? VIPANN_OK : vip_fail(error, VIPANN_E_ARG, "%s", contradiction);
}

const vip_format *
vip_live_format(const vip_arguments *a)
{
    return &VIP_FORMATS[vip_argument(a, &VIP_OPTION_LIVE_FORMAT)->word];
}

vip_subject
vip_live_subject(const vip_arguments *a)
{
    return vip_argument(a, &VIP_OPTION_EVENTS)->given || vip_live_format(a)->result == NULL ? VIP_EVENTS : VIP_RESULTS;
}

vipann_status
vip_live_latency(const vip_arguments *a, vipann_model *model, uint32_t inputs, vipann_latency *latency, double *load,
                 vipann_error *error)
{
    vipann_model_info info;
    vipann_options options;
    const int asked = vip_argument(a, &VIP_OPTION_LIVE_LATENCY)->word;
    vipann_model_describe(model, &info);
    *load = NAN;
    *latency = asked == VIPANN_EDGE ? VIPANN_EDGE : VIPANN_CENTRED;
    if (asked != AUTO || info.causal) {
        return VIPANN_OK;
    }
    vip_asked_engine_options(a, model, &options);
    options.latency = VIPANN_EDGE;
    double core = 0;
    const vipann_status status = vip_measure_core(model, &options, &core, error);
    *load = core * inputs / vip_pumps_processors();
    *latency = status == VIPANN_OK && *load <= ROOM ? VIPANN_EDGE : VIPANN_CENTRED;
    return status;
}

void
vip_live_stream_options(const vip_arguments *a, const vipann_model *model, vipann_latency latency,
                        vip_stream_options *o)
{
    vipann_options asked; /* a window beyond what a model can count is one back to the start */
    vip_asked_engine_options(a, model, &asked);
    vip_stream_defaults(o);
    const vip_value *passes = vip_argument(a, &VIP_OPTION_PASSES), *hop = vip_argument(a, &VIP_OPTION_HOP);
    const vip_value *window = vip_argument(a, &VIP_OPTION_WINDOW);
    o->channel = asked.channel;
    o->passes = passes->given ? (uint32_t)passes->whole : VIP_STREAM_MODELS;
    o->hop_seconds = hop->given ? hop->number : 0;
    o->window_seconds = !window->given ? 0 : asked.window_columns == 0 ? HUGE_VAL : window->number;
    o->horizon_seconds = asked.horizon_seconds;
    o->members = asked.members;
    o->latency = latency;
    o->seed = asked.seed;
    o->threaded = false;
}
