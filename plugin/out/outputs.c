/* SPDX-License-Identifier: GPL-3.0-or-later */
/* outputs.c -- see outputs.h for the contract. */
#include "outputs.h"

#include <string.h>
#include <time.h>

#include <common/clock.h>
#include <common/support.h>

struct vip_outputs {
    uint32_t inputs;
    const char *const *names;
    vip_hook *hook; /* NULL: not asked for; likewise below */
    vip_clips *clips;
    vip_osc *osc;
    vip_record *record;
};

/* Without SQLite there is no store, and no option that asks for it. */
#ifndef VIPANN_SQLITE
#define RECORD(call) (void)0
#else
#define RECORD(call) (outputs->record != NULL ? (call) : (void)0)
#endif

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
vip_outputs_new(const vip_arguments *arguments, uint32_t inputs, const char *const *names, vipann_error *error)
{
    vip_outputs *outputs = vip_alloc(1, sizeof *outputs);
    if (outputs == NULL) {
        (void)vip_fail_memory(error, "who is told");
        return NULL;
    }
    outputs->inputs = inputs;
    outputs->names = names;
    vipann_status good = vip_hook_asked(arguments, &outputs->hook, error);
    good = good == VIPANN_OK ? vip_clips_asked(arguments, inputs, &outputs->clips, error) : good;
#ifdef VIPANN_SQLITE
    good = good == VIPANN_OK ? vip_record_asked(arguments, &outputs->record, error) : good;
#endif
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
        vip_clips_free(outputs->clips);
        OSC(vip_osc_free(outputs->osc));
        RECORD(vip_record_free(outputs->record));
        vip_free(outputs);
    }
}

/* ------------------------------------------------------------------------------------------------------------ sound */

vipann_status
vip_outputs_begin(vip_outputs *outputs, uint32_t input, double rate, uint32_t channels, double zero,
                  vipann_error *error)
{
    return outputs->clips != NULL ? vip_clips_begin(outputs->clips, input, rate, channels, zero, error) : VIPANN_OK;
}

void
vip_outputs_hear(vip_outputs *outputs, uint32_t input, const float *const *channels, uint32_t frames)
{
    if (outputs->clips != NULL) {
        vip_clips_hear(outputs->clips, input, channels, frames);
    }
}

double
vip_outputs_fill(const vip_outputs *outputs, uint32_t input)
{
    return outputs->clips != NULL ? vip_clips_fill(outputs->clips, input) : 0;
}

/* Of clips that are there now. */
static void
record_clips(vip_outputs *outputs)
{
    vip_clip clip;
    while (outputs->clips != NULL && vip_clips_next(outputs->clips, &clip)) {
        RECORD(vip_record_clip(outputs->record, outputs->names[clip.input], &clip));
    }
}

void
vip_outputs_end(vip_outputs *outputs, uint32_t input)
{
    if (outputs->clips != NULL) {
        vip_clips_end(outputs->clips, input);
        record_clips(outputs);
    }
}

/* -------------------------------------------------------------------------------------------------- what is heard */

void
vip_outputs_result(vip_outputs *outputs, uint32_t input, const vipann_model *model, const vipann_result *result)
{
    OSC(vip_osc_result(outputs->osc, outputs->names[input], model, result));
    (void)outputs;
    (void)input;
    (void)model;
    (void)result;
}

void
vip_outputs_event(vip_outputs *outputs, uint32_t input, const vipann_model *model, double utc,
                  const vipann_event *event)
{
    vipann_model_info info;
    vipann_model_describe(model, &info);
    const vip_told told = {.index = input,
                           .input = outputs->names[input],
                           .label = vipann_model_label(model, event->class_index),
                           .model = info.name,
                           .utc = utc,
                           .event = event};
    RECORD(vip_record_event(outputs->record, &told));
    if (outputs->clips != NULL) {
        vip_clips_event(outputs->clips, &told);
    }
    OSC(vip_osc_event(outputs->osc, &told));
    if (outputs->hook != NULL) {
        vip_hook_run(outputs->hook, &told, vip_clock_seconds(CLOCK_MONOTONIC));
    }
}

/* ----------------------------------------------------------------------------------------------------------- turns */

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

static void
look_at_clips(vip_clips *clips, vip_outputs_say *say, void *user)
{
    vip_clips_news news;
    if (clips == NULL || !vip_clips_look(clips, &news)) {
        return;
    }
    if (news.failed > 0) {
        say(user, "--save-events: a clip was not saved: %s", news.why);
    }
    if (news.left_out > 0) {
        say(user, "--save-events: clips were left out, since too many events lasted at a time or were told too late");
    }
    if (news.lost > 0) {
        say(user, "--save-events: %.2f s of sound are missing in clips, since writing them took too long", news.lost);
    }
}

void
vip_outputs_turn(vip_outputs *outputs, vip_outputs_say *say, void *user)
{
    const char *why = NULL;
    if (outputs->clips != NULL) {
        vip_clips_turn(outputs->clips);
    }
    record_clips(outputs);
    look_at_clips(outputs->clips, say, user);
    look_at_commands(outputs->hook, say, user);
#ifdef VIPANN_SQLITE
    if (outputs->record != NULL) {
        vip_record_turn(outputs->record, vip_clock_seconds(CLOCK_MONOTONIC));
        why = vip_record_look(outputs->record);
        if (why != NULL) {
            say(user, "--store: events are lost: %s", why);
        }
    }
#endif
#ifdef VIPANN_LO
    why = outputs->osc != NULL ? vip_osc_look(outputs->osc) : NULL;
    if (why != NULL) {
        say(user, "--osc: messages are lost: %s", why);
    }
#endif
    (void)why;
}
