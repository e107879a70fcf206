/* SPDX-License-Identifier: GPL-3.0-or-later */
/* live.c -- see live.h for the contract.
 *
 * While sound comes there are three kinds of threads: those of the host, which push, the pumps, which hear, and the main
 * one, which reads what they have found and writes it. They meet in the streams alone. */
#include "live_parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <common/clock.h>
#include <common/number.h>
#include <common/support.h>

#include "live_options.h"
#include "signals.h"

static const struct timespec TURN = {0, 10000000};   /* between two looks for news */
static const struct timespec A_WHILE = {0, 1000000}; /* between two looks whether the writer has caught up */
static const double FULL = 0.5;                      /* of the queue of results, where sound waits for the writer */
static const double LOOK_S = 1;                      /* between two looks how the streams stand */
static const double TELL_S = 60;                     /* between two lines on that */

void
vip_live_say(vip_live *live, vip_log_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vip_notices_say(&live->notices, level, format, arguments);
    va_end(arguments);
}

/* --------------------------------------------------------------------------------------------------------- set-up */

static vipann_status
set_up(vip_live *live, vipann_error *error)
{
    const vip_arguments *a = live->arguments;
    const vip_value *duration = vip_argument(a, &VIP_OPTION_LIVE_DURATION);
    vipann_status status = vip_live_check(a, live->setup.inputs, error);
    if (status != VIPANN_OK) {
        return status;
    }
    live->duration = duration->given ? duration->number : 0;
    live->result = vip_stream_result_new();
    if (live->result == NULL) {
        return vip_fail_memory(error, "the results");
    }
    bool display;
    status = vip_panel_wanted(&live->setup, &display, error);
    if (status == VIPANN_OK && display) { /* what is shown is not written as well */
        live->setup.out = live->nowhere = fopen("/dev/null", "w");
    }
    live->audience = status == VIPANN_OK ? vip_audience_new(&live->setup, error) : NULL;
    status = live->audience != NULL ? vip_live_open_model(live, error) : error->status;
    if (status == VIPANN_OK && display) {
        live->panel = vip_panel_open(&live->setup, error);
        status = live->panel != NULL ? VIPANN_OK : error->status;
        live->notices.show = live->panel != NULL ? vip_panel_notice : NULL;
        live->notices.user = live->panel;
    }
    return status;
}

vip_live *
vip_live_new(const vip_live_setup *setup, vipann_error *error)
{
    vipann_error why = {VIPANN_E_MEMORY, "not enough memory to hear live"};
    vip_live *live = vip_alloc(1, sizeof *live);
    if (live != NULL) {
        live->setup = *setup;
        live->arguments = setup->arguments;
        live->notices.command = setup->arguments->command->name;
        vip_notices_asked(&live->notices, setup->arguments);
        vip_service_open(&live->service);
        live->ended = NAN;
        live->threshold = NAN;
        vip_signals_take();
        if (set_up(live, &why) == VIPANN_OK) {
            vip_service_ready(&live->service);
            return live;
        }
        vip_live_free(live);
    }
    if (error != NULL) {
        *error = why;
    }
    return NULL;
}

void
vip_live_free(vip_live *live)
{
    if (live == NULL) {
        return;
    }
    vip_panel_close(live->panel);
    vip_service_close(&live->service);
    vip_signals_give_back();
    vip_audience_free(live->audience);
    if (live->nowhere != NULL) {
        (void)fclose(live->nowhere);
    }
    vip_stream_result_free(live->result);
    vipann_rules_free(live->rules);
    vipann_model_unref(live->model);
    vip_free(live);
}

/* ------------------------------------------------------------------------------------------------ begin and end */

static void
free_streams(vip_live *live)
{
    vip_pumps_stop(live->pumps);
    live->pumps = NULL;
    for (uint32_t i = 0; i < live->setup.inputs; i++) {
        vip_stream_free(live->streams[i]);
        live->streams[i] = NULL;
    }
}

static vipann_status
begin_input(vip_live *live, uint32_t i, vipann_error *error)
{
    const double left = (live->duration - live->before) * live->options.rate;
    live->streams[i] = vip_stream_new(&live->options, error);
    const vipann_status status = live->streams[i] == NULL
                                     ? error->status
                                     : vip_stream_give_model(live->streams[i], live->model, live->tag, true, error);
    vip_live_input *in = &live->inputs[i];
    vip_wall_reset(&in->wall);
    in->standing = (vip_standing){0};
    in->newest = (vipann_result){.t_seconds = -1};
    atomic_store_explicit(&in->fast, false, memory_order_relaxed);
    atomic_store_explicit(&in->left,
                          live->duration <= 0 ? UINT64_MAX
                          : left > 0          ? (uint64_t)llround(left)
                                              : 0,
                          memory_order_relaxed);
    return status;
}

vipann_status
vip_live_begin(vip_live *live, double rate, uint32_t channels, vipann_error *error)
{
    vipann_error why = {VIPANN_OK, ""};
    if (!isnan(live->ended)) {
        live->before += vip_clock_seconds(CLOCK_MONOTONIC) - live->ended;
    }
    live->options.rate = rate;
    live->options.channels = channels;
    vipann_status status = VIPANN_OK;
    for (uint32_t i = 0; i < live->setup.inputs && status == VIPANN_OK; i++) {
        status = vip_audience_begin(live->audience, i, rate, channels, live->before, &why);
        status = status == VIPANN_OK ? begin_input(live, i, &why) : status;
    }
    if (status == VIPANN_OK) {
        live->pumps = vip_pumps_start(live->streams, live->setup.inputs, &why);
        status = live->pumps != NULL ? VIPANN_OK : why.status;
    }
    if (status != VIPANN_OK) {
        free_streams(live);
        if (error != NULL) {
            *error = why;
        }
        return status;
    }
    return VIPANN_OK;
}

/* -------------------------------------------------------------------------------------------------------- reading */

/* Where nothing waits for sound to come, as in a causal network, the end may have nothing to add: the last result is then
 * the one before once more. Sums over all classes tell. */
static bool
repeats(const vipann_result *last, const vipann_result *before)
{
    return last->last && last->t_seconds == before->t_seconds && last->columns == before->columns &&
           last->passes == before->passes && last->calibrated == before->calibrated &&
           last->unknown == before->unknown && last->total_nats == before->total_nats &&
           last->aleatoric_nats == before->aleatoric_nats && last->epistemic_nats == before->epistemic_nats &&
           last->level_dbfs == before->level_dbfs && last->silent == before->silent;
}

/* On the display, if there is one: an event, or else the result. */
static void
show(vip_live *live, uint32_t i, uint32_t tag, double utc, const vipann_event *event)
{
    vipann_model *model = live->panel != NULL ? vip_audience_model(live->audience, tag) : NULL;
    if (model != NULL && event != NULL) {
        vip_panel_event(live->panel, i, model, utc, event);
    } else if (model != NULL) {
        vip_panel_result(live->panel, i, model, live->result);
    }
}

/* Writes what an input has to say, and passes its events on. */
static bool
read_input(vip_live *live, uint32_t i)
{
    vip_live_input *in = &live->inputs[i];
    vip_stream_state state;
    uint32_t tag;
    vipann_event event;
    bool any = false;
    vip_stream_look(live->streams[i], &state);
    if (!atomic_load_explicit(&in->fast, memory_order_relaxed) || isnan(in->wall.zero)) {
        vip_wall_look(&in->wall, vip_clock_seconds(CLOCK_REALTIME), state.pushed_seconds);
    }
    const double utc = in->wall.zero - live->before;
    while (vip_stream_next_result(live->streams[i], live->result, &tag)) {
        live->result->t_seconds += live->before;
        live->result->gap_seconds += in->lost_before;
        if (!repeats(live->result, &in->newest)) {
            live->results++;
            vip_audience_result(live->audience, i, tag, utc, live->result);
            show(live, i, tag, utc, NULL);
        }
        in->newest = *live->result;
        any = true;
    }
    while (vip_stream_next_event(live->streams[i], &event, &tag)) {
        event.start_seconds += live->before;
        event.end_seconds += live->before;
        live->events += event.ended;
        if (live->setup.event != NULL) {
            live->setup.event(live->setup.user, i, &event);
        }
        vip_audience_event(live->audience, i, tag, utc, &event);
        show(live, i, tag, utc, &event);
        any = true;
    }
    return any;
}

/* Reads all inputs. What was told before a model began to serve was told before that was seen: so it has been read now,
 * and who told it can be forgotten. */
static bool
read_all(vip_live *live)
{
    bool any = false;
    uint32_t oldest = live->tag;
    for (uint32_t i = 0; i < live->setup.inputs; i++) {
        vip_stream_state state;
        vip_stream_look(live->streams[i], &state);
        oldest = state.tag < oldest ? state.tag : oldest;
    }
    for (uint32_t i = 0; i < live->setup.inputs; i++) {
        any = read_input(live, i) || any;
    }
    vip_audience_forget(live->audience, oldest);
    return any;
}

/* Whether all could be written so far; if not, and nobody has gone away who read it, one line says why. */
static bool
is_written(vip_live *live)
{
    vipann_error error = {VIPANN_OK, ""};
    const bool written = vip_audience_check(live->audience, &error) == VIPANN_OK;
    if (!written && error.text[0] != '\0') {
        vip_live_say(live, VIP_LOG_ERROR, "%s", error.text);
    }
    return written;
}

vip_live_state
vip_live_end(vip_live *live)
{
    if (live->pumps == NULL) {
        return VIP_LIVE_ON;
    }
    vip_pumps_stop(live->pumps);
    live->pumps = NULL;
    double most = 0, lost = 0;
    uint64_t late = 0;
    for (uint32_t i = 0; i < live->setup.inputs; i++) {
        vip_stream_state state;
        vip_stream_flush(live->streams[i]);
        vip_stream_look(live->streams[i], &state);
        most = state.pushed_seconds > most ? state.pushed_seconds : most;
        (void)read_input(live, i);
        vip_audience_end(live->audience, i);
        live->inputs[i].lost_before += state.lost_seconds;
        lost += state.lost_seconds;
        late += state.late_hops;
    }
    if (lost > 0 || late > 0) {
        vip_live_say(live, VIP_LOG_WARNING, "%llu results came late and %.2f s of sound could not be heard, all in all",
                     (unsigned long long)late, lost);
    }
    live->before += most;
    live->ended = vip_clock_seconds(CLOCK_MONOTONIC);
    free_streams(live);
    return is_written(live) ? VIP_LIVE_ON : VIP_LIVE_FAILED;
}

/* ----------------------------------------------------------------------------------------------------------- turns */

static void
say_it(void *user, vip_log_level level, const char *format, ...)
{
    vip_live *live = user;
    va_list arguments;
    va_start(arguments, format);
    vip_notices_say(&live->notices, level, format, arguments);
    va_end(arguments);
}

/* How all inputs stand, in one line. */
static void
tell_all(vip_live *live)
{
    double load = 0, lost = 0;
    char text[160];
    for (uint32_t i = 0; i < live->setup.inputs; i++) {
        vip_stream_state state;
        vip_stream_look(live->streams[i], &state);
        load += state.load;
        lost += state.lost_seconds + live->inputs[i].lost_before;
    }
    (void)snprintf(text, sizeof text, "%llu results, %llu events that ended, %.1f %% of a core, %.2f s of sound lost",
                   (unsigned long long)live->results, (unsigned long long)live->events, 100 * load, lost);
    vip_live_say(live, VIP_LOG_DEBUG, "so far %s", text);
    vip_service_status(&live->service, text);
}

/* Says what is worth it of each input, and that all goes on if it does. */
static void
look(vip_live *live, double now)
{
    vipann_model_info info;
    const bool due = vip_service_is_due(&live->service, now);
    bool goes_on = true;
    vipann_model_describe(live->model, &info);
    for (uint32_t i = 0; i < live->setup.inputs && live->pumps != NULL; i++) {
        vip_stream_state state;
        vip_stream_look(live->streams[i], &state);
        vip_standing_tell(&live->inputs[i].standing, live->setup.names[i], &state, info.column_seconds, say_it, live);
        goes_on = (!due || vip_standing_goes_on(&live->inputs[i].standing, &state)) && goes_on;
    }
    if (due && goes_on) {
        vip_service_sign(&live->service, now);
    }
    if (live->pumps != NULL && now - live->told >= TELL_S) {
        tell_all(live);
        live->told = now;
    }
    live->looked = now;
}

/* For those who are told. */
static void
say(void *user, const char *format, ...)
{
    vip_live *live = user;
    va_list arguments;
    va_start(arguments, format);
    vip_notices_say(&live->notices, VIP_LOG_WARNING, format, arguments);
    va_end(arguments);
}

static bool
has_heard_all(const vip_live *live)
{
    for (uint32_t i = 0; i < live->setup.inputs; i++) {
        if (atomic_load_explicit(&live->inputs[i].left, memory_order_relaxed) > 0) {
            return false;
        }
    }
    return live->pumps != NULL;
}

/* Time goes on while nothing comes. */
static bool
has_waited_enough(const vip_live *live, double now)
{
    return live->pumps == NULL && live->duration > 0 && !isnan(live->ended) &&
           live->before + (now - live->ended) >= live->duration;
}

static vip_live_state
stop(vip_live *live, vip_live_state state)
{
    atomic_store_explicit(&live->stopping, true, memory_order_relaxed);
    return state;
}

/* All inputs, from what is in force of the first. */
static void
step_hop(vip_live *live, int step)
{
    vip_stream_state state;
    if (live->pumps != NULL) {
        vip_stream_look(live->streams[0], &state);
        const double hop = fmax((double)state.hop_columns + step, 1);
        for (uint32_t i = 0; i < live->setup.inputs; i++) {
            vip_stream_set(live->streams[i], VIPANN_HOP, hop);
        }
    }
}

/* Shows how the inputs stand, and does what a key asks for; false: the program is to end. */
static bool
look_at_panel(vip_live *live, double now)
{
    vipann_model_info info;
    int step = 0;
    vipann_model_describe(live->model, &info);
    for (uint32_t i = 0; i < live->setup.inputs && live->pumps != NULL; i++) {
        vip_stream_state state;
        vip_stream_look(live->streams[i], &state);
        vip_panel_state(live->panel, i, &state, info.column_seconds, vip_live_threshold(live));
    }
    switch (vip_panel_turn(live->panel, now, &step)) {
    case VIP_TERM_QUIT:
        return false;
    case VIP_TERM_RELOAD:
        vip_live_reload(live);
        break;
    case VIP_TERM_PASSES:
        vip_live_step_passes(live, step);
        break;
    case VIP_TERM_HOP:
        step_hop(live, step);
        break;
    case VIP_TERM_THRESHOLD:
        vip_live_step_threshold(live, step);
        break;
    default:
        break;
    }
    return true;
}

vip_live_state
vip_live_turn(vip_live *live)
{
    if (vip_signals_reload()) {
        vip_live_reload(live);
    }
    const bool any = live->pumps != NULL && read_all(live);
    if (atomic_load_explicit(&live->stopping, memory_order_relaxed)) {
        (void)nanosleep(&A_WHILE, NULL); /* whoever goes on asking waits for something else */
    }
    if (!is_written(live)) {
        return stop(live, VIP_LIVE_FAILED);
    }
    const double now = vip_clock_seconds(CLOCK_MONOTONIC);
    if (now - live->looked >= LOOK_S) {
        look(live, now);
    }
    vip_audience_turn(live->audience, say, live);
    const bool quit = live->panel != NULL && !look_at_panel(live, now);
    if (quit || vip_signals_end() || has_heard_all(live) || has_waited_enough(live, now)) {
        return stop(live, VIP_LIVE_DONE);
    }
    (void)nanosleep(any ? &A_WHILE : &TURN, NULL);
    return VIP_LIVE_ON;
}

/* ---------------------------------------------------------------------------------------------------- audio thread */

/* How much of a block may be heard. */
static uint32_t
take(vip_live_input *in, uint32_t frames)
{
    const uint64_t left = atomic_load_explicit(&in->left, memory_order_relaxed);
    const uint32_t n = frames < left ? frames : (uint32_t)left;
    if (left != UINT64_MAX) {
        atomic_store_explicit(&in->left, left - n, memory_order_relaxed);
    }
    return n;
}

/* The part of a block that begins at frame `from`, at most so much as a stream takes at once; returns its frames. */
static uint32_t
part_of(const vip_live *live, const float *const *channels, uint32_t from, uint32_t frames, const float **part)
{
    for (uint32_t c = 0; c < live->options.channels; c++) {
        part[c] = channels[c] + from;
    }
    return frames - from < live->options.max_block ? frames - from : live->options.max_block;
}

void
vip_live_push(vip_live *live, uint32_t i, const float *const *channels, uint32_t frames)
{
    vip_live_input *in = &live->inputs[i];
    const float *part[VIPANN_MAX_CHANNELS];
    const uint32_t n = take(in, frames);
    atomic_store_explicit(&in->fast, false, memory_order_relaxed);
    for (uint32_t done = 0; done < n;) {
        const uint32_t block = part_of(live, channels, done, n, part);
        (void)vip_stream_push(live->streams[i], part, block);
        vip_audience_hear(live->audience, i, part, block);
        done += block;
    }
}

/* Nobody is going to write what is heard from here on, or not for long. */
static bool
is_over(const vip_live *live)
{
    return atomic_load_explicit(&live->stopping, memory_order_relaxed) || vip_signals_end();
}

static bool
is_behind(const vip_live *live, uint32_t i)
{
    vip_stream_state state;
    vip_stream_look(live->streams[i], &state);
    return state.unread >= FULL || vip_audience_fill(live->audience, i) >= FULL;
}

static void
wait_for_the_writer(const vip_live *live, uint32_t i)
{
    while (is_behind(live, i) && !is_over(live)) {
        (void)nanosleep(&A_WHILE, NULL);
    }
}

void
vip_live_push_all(vip_live *live, uint32_t i, const float *const *channels, uint32_t frames)
{
    vip_live_input *in = &live->inputs[i];
    const float *part[VIPANN_MAX_CHANNELS];
    const uint32_t n = take(in, frames);
    atomic_store_explicit(&in->fast, true, memory_order_relaxed);
    for (uint32_t done = 0; done < n && !is_over(live);) {
        const uint32_t block = part_of(live, channels, done, n, part);
        vip_audience_hear(live->audience, i, part, block);
        vip_stream_push_all(live->streams[i], part, block);
        wait_for_the_writer(live, i);
        done += block;
    }
}
