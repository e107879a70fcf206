/* SPDX-License-Identifier: GPL-3.0-or-later */
/* outputs.c -- see outputs.h for the contract. */
#include "outputs.h"

#include <string.h>
#include <time.h>

#include <common/clock.h>
#include <common/support.h>

struct vip_outputs {
    vip_hook *hook; /* NULL: not asked for; likewise below */
    vip_osc *osc;
};

/* Without liblo there is nobody to send to, and no option that asks for it. */
#ifndef VIPANN_LO
#define OSC(call) (void)0
#else
#define OSC(call) (outputs->osc != NULL ? (call) : (void)0)

static vipann_status
open_osc(vip_outputs *outputs, const vip_arguments *a, vipann_error *error)
{
    enum { TOP = 5 };
    const char *target = vip_argument(a, &VIP_OPTION_OSC)->text;
    if (target == NULL) {
        return VIPANN_OK;
    }
    outputs->osc = vip_osc_new(target, vip_argument(a, &VIP_OPTION_OSC_PREFIX)->text, TOP, error);
    return outputs->osc != NULL ? VIPANN_OK : error->status;
}
#endif

vip_outputs *
vip_outputs_new(const vip_arguments *arguments, vipann_error *error)
{
    vip_outputs *outputs = vip_alloc(1, sizeof *outputs);
    if (outputs == NULL) {
        (void)vip_fail_memory(error, "who is told");
        return NULL;
    }
    vipann_status good = vip_hook_asked(arguments, &outputs->hook, error);
#ifdef VIPANN_LO
    good = good == VIPANN_OK ? open_osc(outputs, arguments, error) : good;
#endif
    if (good != VIPANN_OK) {
        vip_outputs_free(outputs);
        return NULL;
    }
    return outputs;
}

void
vip_outputs_free(vip_outputs *outputs)
{
    if (outputs != NULL) {
        vip_hook_free(outputs->hook);
        OSC(vip_osc_free(outputs->osc));
        vip_free(outputs);
    }
}

void
vip_outputs_result(vip_outputs *outputs, const vip_osc_source *source, const vipann_result *result)
{
    OSC(vip_osc_result(outputs->osc, source, result));
    (void)outputs;
    (void)source;
    (void)result;
}

void
vip_outputs_event(vip_outputs *outputs, const vip_osc_source *source, const vipann_event *event)
{
    OSC(vip_osc_event(outputs->osc, source, event));
    if (outputs->hook != NULL) {
        vipann_model_info info;
        vipann_model_describe(source->model, &info);
        const vip_hook_event told = {.input = source->input,
                                     .label = vipann_model_label(source->model, event->class_index),
                                     .model = info.name,
                                     .utc = source->utc,
                                     .event = event};
        vip_hook_run(outputs->hook, &told, vip_clock_seconds(CLOCK_MONOTONIC));
    }
}

static void
look_at_commands(vip_hook *hook, vip_outputs_say *say, void *user)
{
    vip_hook_news news;
    if (hook == NULL || !vip_hook_look(hook, vip_clock_seconds(CLOCK_MONOTONIC), &news)) {
        return;
    }
    if (news.unstarted > 0) {
        say(user, "--on-event: a command could not be run: %s", strerror(news.why));
    }
    if (news.failed > 0) {
        say(user, "--on-event: a command ended with status %d; expected 0", news.status);
    }
    if (news.killed > 0) {
        say(user, "--on-event: a command took longer than --on-event-patience and was killed");
    }
    if (news.left_out > 0) {
        say(user, "--on-event: events come faster than commands may be run, so some were left out; raise "
                  "--on-event-most, or let the command end sooner");
    }
}

void
vip_outputs_look(vip_outputs *outputs, vip_outputs_say *say, void *user)
{
    look_at_commands(outputs->hook, say, user);
#ifdef VIPANN_LO
    const char *why = outputs->osc != NULL ? vip_osc_look(outputs->osc) : NULL;
    if (why != NULL) {
        say(user, "--osc: messages are lost: %s", why);
    }
#endif
}
