/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seat.c -- see seat.h for the contract. */
#include "seat.h"

#include <common/support.h>

#include <math.h>

static const uint64_t NOT_STARTED = UINT64_MAX;

/* --------------------------------------------------------------------------------------------------------- set-up */

static double
clamp(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

static uint32_t
columns_of(double seconds, double column_seconds, uint32_t most)
{
    return (uint32_t)clamp(floor(seconds / column_seconds + 0.5), 1, most);
}

/* What the engine is made with: of the stream's options, what this model can do; a parameter that was changed since the
 * stream was made stays so. */
static vipann_options
engine_options(const vipann_model *model, const vipann_model_info *info, const vip_stream_options *options,
               const double *asked)
{
    vipann_options o;
    vipann_options_default(&o, model);
    const uint32_t most = info->members > 0 ? info->members : VIPANN_MAX_PASSES;
    const uint32_t passes = options->passes == VIP_STREAM_MODELS ? o.passes : options->passes;
    const uint32_t max_window =
        options->max_window_seconds > 0
            ? columns_of(options->max_window_seconds, info->column_seconds, VIPANN_MAX_WINDOW_COLUMNS)
            : 0;
    if (isinf(options->window_seconds)) {
        o.window_columns = 0;
    } else if (options->window_seconds > 0) {
        o.window_columns = columns_of(options->window_seconds, info->column_seconds, VIPANN_MAX_WINDOW_COLUMNS);
    }
    o.rate = options->rate;
    o.channels = options->channels;
    o.channel = options->channel;
    o.max_passes = (uint32_t)clamp(options->max_passes, 0, most);
    o.passes = (uint32_t)clamp(passes, 0, most);
    o.hop_columns = columns_of(options->hop_seconds, info->column_seconds, VIPANN_MAX_HOP_COLUMNS);
    o.max_window_columns = max_window > o.window_columns ? max_window : o.window_columns;
    o.horizon_seconds = options->horizon_seconds;
    o.latency = options->latency;
    o.members = options->members;
    o.seed = options->seed;
    o.max_block = options->max_block;
    o.rules = options->rules == NULL ? NULL : options->rules(options->user, model);
    if (!isnan(asked[VIPANN_PASSES]) && info->posterior != VIPANN_DETERMINISTIC) {
        const uint32_t largest = o.passes > o.max_passes ? o.passes : o.max_passes;
        o.max_passes = largest;
        o.passes = (uint32_t)clamp(asked[VIPANN_PASSES], 1, largest > 0 ? largest : 1);
    }
    if (options->lean) {
        o.max_passes = (uint32_t)clamp(passes, 0, most); /* not fewer than without being asked */
        o.max_window_columns =
            isnan(asked[VIPANN_WINDOW]) ? 0 : (uint32_t)clamp(asked[VIPANN_WINDOW], 1, o.max_window_columns);
    }
    return o;
}

vip_seat *
vip_seat_new(vipann_model *model, uint32_t tag, const vip_stream_options *options, const double *asked,
             vipann_error *error)
{
    vipann_model_info info;
    vipann_model_describe(model, &info);
    vip_seat *seat = vip_alloc(1, sizeof *seat);
    if (seat == NULL) {
        (void)vip_fail_memory(error, "an engine of the stream");
        return NULL;
    }
    const vipann_options o = engine_options(model, &info, options, asked);
    const bool members = o.passes > 0 && info.posterior != VIPANN_DETERMINISTIC;
    seat->model = vipann_model_ref(model);
    seat->tag = tag;
    seat->rate = o.rate;
    seat->column_seconds = info.column_seconds;
    seat->column_frames = info.column_seconds * o.rate;
    seat->held = o.ring_seconds * o.rate > 2.0 * o.max_block ? o.ring_seconds * o.rate : 2.0 * o.max_block;
    seat->classes = info.classes;
    seat->look_ahead = (uint32_t)ceil(info.look_ahead_seconds / info.column_seconds);
    seat->most_passes = !members ? 0 : o.passes > o.max_passes ? o.passes : o.max_passes;
    seat->defaults[VIPANN_PASSES] = o.passes;
    seat->defaults[VIPANN_HOP] = o.hop_columns;
    seat->defaults[VIPANN_WINDOW] = o.window_columns;
    seat->defaults[VIPANN_HORIZON] = o.horizon_seconds;
    seat->open = vip_alloc(info.classes, sizeof *seat->open);
    seat->result = vipann_result_new(model);
    if (seat->open == NULL || seat->result == NULL) {
        (void)vip_fail_memory(error, "an engine of the stream");
        vip_seat_free(seat);
        return NULL;
    }
    seat->engine = vipann_engine_new(model, &o, error);
    seat->reader = seat->engine == NULL ? NULL : vipann_reader_new(seat->engine, VIPANN_RESULTS | VIPANN_EVENTS, error);
    if (seat->reader == NULL) {
        vip_seat_free(seat);
        return NULL;
    }
    vip_seat_reset(seat);
    return seat;
}

void
vip_seat_free(vip_seat *seat)
{
    if (seat == NULL) {
        return;
    }
    vipann_engine_free(seat->engine);
    vipann_model_unref(seat->model);
    vipann_result_free(seat->result);
    vip_free(seat->open);
    vip_free(seat);
}

void
vip_seat_reset(vip_seat *seat)
{
    vipann_engine_reset(seat->engine);
    atomic_store_explicit(&seat->start, NOT_STARTED, memory_order_relaxed);
    atomic_store_explicit(&seat->accepted, 0, memory_order_relaxed);
    seat->columns = 0;
    seat->heard = 0;
    seat->at_column = 0;
    seat->offset = (vip_seat_line){0};
    for (uint32_t c = 0; c < seat->classes; c++) {
        seat->open[c].id = 0;
    }
}

double
vip_seat_param(const vip_seat *seat, vipann_param param, double asked)
{
    const double value = isnan(asked) ? seat->defaults[param] : asked;
    switch (param) {
    case VIPANN_PASSES:
        return seat->most_passes == 0 ? 0 : clamp(floor(value + 0.5), 1, seat->most_passes);
    case VIPANN_HOP:
        return clamp(floor(value + 0.5), 1, VIPANN_MAX_HOP_COLUMNS);
    default:
        return value;
    }
}

/* ----------------------------------------------------------------------------------------------------------- sound */

/* The worker learns from the engine that there is sound, by an acquire that belongs to the release of the sound's
 * writer: so it sees `start`, which was stored before. */
VIP_HOT uint32_t
vip_seat_push(vip_seat *seat, uint64_t at, const float *const *channels, uint32_t frames)
{
    if (atomic_load_explicit(&seat->start, memory_order_relaxed) == NOT_STARTED) {
        atomic_store_explicit(&seat->start, at, memory_order_relaxed);
    }
    const uint32_t taken = vipann_push(seat->engine, channels, frames);
    const uint64_t before = atomic_load_explicit(&seat->accepted, memory_order_relaxed); /* only we write it */
    atomic_store_explicit(&seat->accepted, before + taken, memory_order_relaxed);
    return taken;
}

bool
vip_seat_has_begun(const vip_seat *seat)
{
    return atomic_load_explicit(&seat->start, memory_order_relaxed) != NOT_STARTED;
}

int
vip_seat_pump(vip_seat *seat)
{
    const uint64_t there = atomic_load_explicit(&seat->accepted, memory_order_relaxed);
    const double accepted = (double)there;
    const int columns = vipann_pump(seat->engine);
    if (columns > 0) {
        seat->at_column = there;
    }
    if (columns == 0) {
        seat->heard = accepted; /* exactly: what drifted on the way, such as at gaps, is gone */
    } else if (columns > 0) {
        seat->columns += (uint64_t)columns;
        seat->heard += columns * seat->column_frames;
        seat->heard = seat->heard < accepted - seat->held ? accepted - seat->held : seat->heard;
    }
    return columns > 0 ? columns : 0;
}

double
vip_seat_backlog(const vip_seat *seat)
{
    const double waits = (double)atomic_load_explicit(&seat->accepted, memory_order_relaxed) - seat->heard;
    return waits > 0 ? waits / seat->rate : 0;
}

/* The column was complete when its last frame came, which was not after what is remembered of it. */
double
vip_seat_rest(const vip_seat *seat)
{
    const uint64_t accepted = atomic_load_explicit(&seat->accepted, memory_order_relaxed);
    const double rest = (double)seat->at_column + seat->column_frames - (double)accepted;
    return seat->at_column > 0 && rest > 0 ? rest / seat->rate : 0;
}

bool
vip_seat_is_warm(const vip_seat *seat, double window)
{
    return (double)seat->columns >= window + seat->look_ahead;
}

/* --------------------------------------------------------------------------------------------------------- telling */

static double
start_seconds(const vip_seat *seat)
{
    const uint64_t start = atomic_load_explicit(&seat->start, memory_order_relaxed);
    return start == NOT_STARTED ? 0 : (double)start / seat->rate;
}

/* A class has one event at a time. One whose beginning was not told, because it was before the seat served or because
 * there was no room, has no end either. */
static void
tell_event(vip_seat *seat, vip_seat_line *line, vip_outbox *outbox, vipann_event *event)
{
    vipann_event *open = &seat->open[event->class_index];
    if (!event->ended) {
        *open = *event;
        if (seat->serves) {
            event->id = line->events + 1;
            open->id = vip_outbox_put_event(outbox, seat->tag, event) ? ++line->events : 0;
        }
    } else if (open->id != 0) {
        event->id = open->id;
        open->id = 0;
        if (seat->serves) {
            (void)vip_outbox_put_event(outbox, seat->tag, event);
        }
    }
}

static void
tell_result(vip_seat *seat, vip_seat_line *line, vip_outbox *outbox, bool last)
{
    vipann_result *r = seat->result;
    r->t_seconds += start_seconds(seat);
    if (!seat->serves) { /* so that what was lost so far counts from here on */
        seat->offset.gap_seconds = -r->gap_seconds;
        seat->offset.not_finite = 0 - r->not_finite;
        seat->offset.clipped = 0 - r->clipped;
        return;
    }
    r->last = r->last && last;
    if (r->t_seconds < line->newest || (r->t_seconds <= line->newest && !r->last)) {
        return; /* that time has been answered for, by another model or before this one was ended */
    }
    r->gap_seconds += seat->offset.gap_seconds;
    r->not_finite += seat->offset.not_finite;
    r->clipped += seat->offset.clipped;
    line->newest = r->t_seconds;
    line->gap_seconds = r->gap_seconds;
    line->not_finite = r->not_finite;
    line->clipped = r->clipped;
    line->results++;
    line->unread += !vip_outbox_put_result(outbox, seat->tag, r);
}

void
vip_seat_tell(vip_seat *seat, vip_seat_line *line, vip_outbox *outbox, bool last)
{
    while (vipann_next_result(seat->reader, seat->result)) {
        tell_result(seat, line, outbox, last);
    }
    vipann_event event;
    while ((!seat->serves || vip_outbox_event_space(outbox) > 0) && vipann_next_event(seat->reader, &event)) {
        event.start_seconds += start_seconds(seat);
        event.end_seconds += start_seconds(seat);
        tell_event(seat, line, outbox, &event);
    }
}

void
vip_seat_serve(vip_seat *seat, vip_seat_line *line, vip_outbox *outbox)
{
    vip_seat_tell(seat, line, outbox, false); /* what came before is only kept in mind */
    seat->serves = true;
    seat->offset.gap_seconds += line->gap_seconds;
    seat->offset.not_finite += line->not_finite;
    seat->offset.clipped += line->clipped;
    for (uint32_t c = 0; c < seat->classes; c++) {
        if (seat->open[c].id != 0) {
            vipann_event event = seat->open[c];
            tell_event(seat, line, outbox, &event);
        }
    }
}
