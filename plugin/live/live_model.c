/* SPDX-License-Identifier: GPL-3.0-or-later */
/* live_model.c -- see live_parts.h for the contract: the model and the rules of a program that hears live. */
#include "live_parts.h"

#include <math.h>
#include <stdarg.h>

#include <common/number.h>
#include <common/support.h>
#include <plugin/program/models.h>

#include "live_options.h"

/* As vip_live_say, in any case: to somebody who asked for it. */
static void
answer(const vip_live *live, vip_log_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vip_notices_answer(&live->notices, level, format, arguments);
    va_end(arguments);
}

static const vipann_rules *
give_rules(void *user, const vipann_model *model)
{
    const vip_live *live = user;
    (void)model;
    return live->rules;
}

/* What the engines of the model are asked for, as far as results show it. */
static vipann_options
engine_options(const vip_live *live, const vipann_model *model)
{
    vipann_options options;
    vip_asked_engine_options(live->arguments, model, &options);
    options.latency = live->options.latency;
    return options;
}

/* Once: another model keeps to it, since it changes how late results are. */
static vipann_status
choose_latency(vip_live *live, vipann_model *model, vipann_error *error)
{
    double load;
    vipann_latency latency;
    const vipann_status status = vip_live_latency(live->arguments, model, live->setup.inputs, &latency, &load, error);
    if (status == VIPANN_OK && latency == VIPANN_CENTRED && !isnan(load)) {
        vipann_model_info info;
        char wait[VIP_NUMBER_SIZE];
        vipann_model_describe(model, &info);
        vip_live_say(
            live, VIP_LOG_NOTICE,
            "--latency edge would take %.0f %% of this machine, so results are centred: they wait %s s for the "
            "sound that follows",
            100 * load, vip_number_fixed(wait, info.look_ahead_seconds, 1));
    }
    vip_live_stream_options(live->arguments, model, latency, &live->options);
    live->options.max_passes = VIPANN_MAX_PASSES; /* keys may ask for more than options did */
    live->options.lean = true;
    live->options.rules = give_rules;
    live->options.user = live;
    return status;
}

/* What a key has set stands above what options say. */
static vipann_status
key_threshold(const vip_live *live, vipann_rules *rules, vipann_error *error)
{
    char text[VIP_NUMBER_SIZE];
    return isnan(live->threshold)
               ? VIPANN_OK
               : vipann_rules_set(rules, NULL, "threshold", vip_number_fixed(text, live->threshold, 2), "a key", error);
}

vipann_status
vip_live_open_model(vip_live *live, vipann_error *error)
{
    vipann_model *model = vip_models_open(vip_argument(live->arguments, &VIP_OPTION_MODEL)->text, error);
    vipann_rules *rules = model != NULL ? vip_asked_rules(live->arguments, model, error) : NULL;
    vipann_status status = rules != NULL ? key_threshold(live, rules, error) : error->status;
    if (status == VIPANN_OK) {
        vipann_options options = engine_options(live, model);
        vipann_cost cost;
        options.channels = VIPANN_MAX_CHANNELS; /* how many there are is not known yet */
        options.rules = rules;
        status = vipann_model_cost(model, &options, &cost, error);
        if (status == VIPANN_OK && live->model == NULL) {
            status = choose_latency(live, model, error);
            options.latency = live->options.latency;
        }
        if (status == VIPANN_OK) {
            status = vip_audience_enter(live->audience, live->tag + 1, model, &options, error);
        }
    }
    if (status != VIPANN_OK) {
        vipann_rules_free(rules);
        vipann_model_unref(model);
        return status;
    }
    vipann_rules_free(live->rules);
    vipann_model_unref(live->model);
    live->model = model;
    live->rules = rules;
    live->tag++;
    return VIPANN_OK;
}

/* Opens all anew and gives it to what is running. */
static vipann_status
renew(vip_live *live, vipann_error *error)
{
    vipann_status status = vip_live_open_model(live, error);
    for (uint32_t i = 0; i < live->setup.inputs && live->pumps != NULL && status == VIPANN_OK; i++) {
        status = vip_stream_give_model(live->streams[i], live->model, live->tag, false, error);
    }
    return status;
}

void
vip_live_reload(vip_live *live)
{
    vipann_error error = {VIPANN_OK, ""};
    const vipann_status status = renew(live, &error);
    vipann_model_info info;
    vipann_model_describe(live->model, &info);
    if (status != VIPANN_OK) {
        answer(live, VIP_LOG_WARNING, "%s; what was running goes on", error.text);
    } else {
        answer(live, VIP_LOG_NOTICE, "%s %.12s and its rules are loaded and take over once they have heard enough",
               info.name, info.sha256);
    }
}

double
vip_live_threshold(const vip_live *live)
{
    const vip_value *asked = vip_argument(live->arguments, &VIP_OPTION_THRESHOLD);
    return !isnan(live->threshold)                      ? live->threshold
           : asked->given && asked->word == VIP_NO_WORD ? asked->number
                                                        : (double)NAN;
}

void
vip_live_step_threshold(vip_live *live, int step)
{
    static const double MIDDLE = 0.5, STEP = 0.05, LEAST = 0.05, MOST = 0.95;
    vipann_error error = {VIPANN_OK, ""};
    const double before = live->threshold, now = vip_live_threshold(live);
    live->threshold = fmin(fmax((isnan(now) ? MIDDLE : now) + step * STEP, LEAST), MOST);
    if (renew(live, &error) != VIPANN_OK) {
        live->threshold = before;
        answer(live, VIP_LOG_WARNING, "%s; the threshold stays as it was", error.text);
    } else {
        answer(live, VIP_LOG_NOTICE, "the threshold is %.2f once enough has been heard", live->threshold);
    }
}

void
vip_live_step_passes(vip_live *live, int step)
{
    vipann_error error = {VIPANN_OK, ""};
    vip_stream_state state = {0};
    if (live->pumps == NULL) {
        return;
    }
    vip_stream_look(live->streams[0], &state);
    const double passes = fmin(fmax((double)state.passes + step, 1), VIPANN_MAX_PASSES);
    for (uint32_t i = 0; i < live->setup.inputs; i++) {
        vip_stream_set(live->streams[i], VIPANN_PASSES, passes);
    }
    if (step > 0 && state.passes > 0 && renew(live, &error) != VIPANN_OK) { /* there may be no room for more */
        answer(live, VIP_LOG_WARNING, "%s; the passes stay as they were", error.text);
    } else if (step > 0 && state.passes > 0) {
        answer(live, VIP_LOG_NOTICE, "%.0f passes once enough has been heard, as far as the model has them", passes);
    }
}
