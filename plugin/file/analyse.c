/* SPDX-License-Identifier: GPL-3.0-or-later */
/* analyse.c -- see analyse.h for the contract. */
#include "analyse.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <common/number.h>
#include <common/support.h>
#include <common/text.h>

enum { STREAM_BLOCKS_PER_SECOND = 10, LEAST_BLOCK = 256, NOTE = 256, MOST_NAME = 120 };

static const double MOST_RING_S = 60;
static const double LEAST_RATE = 8000, MOST_RATE = 384000; /* Hz; the engine's */

/* One recording on its way. */
typedef struct {
    const vip_analysis *analysis;
    const vip_listener *listener;
    const char *name; /* of the recording, in messages */
    vip_audio *audio;
    vipann_options options;
    vipann_engine *engine;
    vipann_reader *reader; /* belongs to the engine */
    vipann_result *result, *last;
    bool any;       /* last holds a result */
    float *samples; /* [channels][VIP_AUDIO_BLOCK] */
    float *channels[VIPANN_MAX_CHANNELS];
    uint32_t block; /* frames read at once */
} run;

static void
release(run *r)
{
    vipann_engine_free(r->engine);
    vipann_result_free(r->result);
    vipann_result_free(r->last);
    vip_audio_close(r->audio);
    vip_free(r->samples);
}

/* The library's line does not know which recording it is about. */
static vipann_status
name_failure(const run *r, const vipann_error *found, vipann_error *error)
{
    return vip_fail(error, found->status, "%s: %s", r->name, found->text);
}

/* ------------------------------------------------------------------------------------------------------- set-up */

static vipann_status
fit_options(run *r, vipann_error *error)
{
    const vip_audio_facts *facts = vip_audio_describe(r->audio);
    if (facts->channels > VIPANN_MAX_CHANNELS) {
        return vip_fail(error, VIPANN_E_UNSUPPORTED, "%s: has %u channels; at most %d can be heard", r->name,
                        facts->channels, VIPANN_MAX_CHANNELS);
    }
    if (facts->rate < LEAST_RATE || facts->rate > MOST_RATE) {
        char rate[VIP_NUMBER_SIZE];
        return vip_fail(error, VIPANN_E_UNSUPPORTED,
                        "%s: has a sample rate of %s Hz; 8000 to 384000 can be heard, so convert it first", r->name,
                        vip_number_write(rate, facts->rate, 9));
    }
    vipann_options *o = &r->options;
    if (o->channel >= (int32_t)facts->channels) {
        return vip_fail(error, VIPANN_E_ARG, "%s: --channel %d: there %s only %u", r->name, (int)o->channel + 1,
                        facts->channels == 1 ? "is" : "are", facts->channels);
    }
    o->rate = facts->rate;
    o->channels = facts->channels;
    o->max_block = VIP_AUDIO_BLOCK;
    /* Room for one piece and for a block that crosses its end; a column takes longer than its own time at the start. */
    vipann_model_info info;
    vipann_model_describe(r->analysis->model, &info);
    double piece = (o->piece_columns + 2) * info.column_seconds;
    o->ring_seconds = fmin(fmax(o->ring_seconds, piece + 3.0 * VIP_AUDIO_BLOCK / o->rate), MOST_RING_S);
    /* What comes slowly is told at once: results must not wait for a block of a file's size. */
    r->block = VIP_AUDIO_BLOCK;
    if (facts->streamed) {
        double live = fmax(o->rate / STREAM_BLOCKS_PER_SECOND, LEAST_BLOCK);
        r->block = live < VIP_AUDIO_BLOCK ? (uint32_t)live : VIP_AUDIO_BLOCK;
    }
    return VIPANN_OK;
}

static vipann_status
set_up(run *r, vipann_error *error)
{
    vipann_error found = {VIPANN_OK, ""};
    vipann_status status = fit_options(r, error);
    if (status != VIPANN_OK) {
        return status;
    }
    r->engine = vipann_engine_new(r->analysis->model, &r->options, &found);
    unsigned what = VIPANN_RESULTS | (r->analysis->events ? (unsigned)VIPANN_EVENTS : 0);
    r->reader = r->engine != NULL ? vipann_reader_new(r->engine, what, &found) : NULL;
    if (r->reader == NULL) {
        return name_failure(r, &found, error);
    }
    r->result = vipann_result_new(r->analysis->model);
    r->last = vipann_result_new(r->analysis->model);
    r->samples = vip_alloc(vip_product(r->options.channels, VIP_AUDIO_BLOCK), sizeof *r->samples);
    if (r->result == NULL || r->last == NULL || r->samples == NULL) {
        return vip_fail_memory(error, "the analysis");
    }
    for (uint32_t c = 0; c < r->options.channels; c++) {
        r->channels[c] = r->samples + (size_t)c * VIP_AUDIO_BLOCK;
    }
    return VIPANN_OK;
}

/* --------------------------------------------------------------------------------------------------- on the way */

static bool
same_numbers(const float *a, const float *b, uint32_t n)
{
    return memcmp(a, b, n * sizeof *a) == 0;
}

/* Where nothing waits for sound to come, as in a causal network, the end of a recording may have nothing to add: the last
 * result is then the one before once more. */
static bool
repeats(const vipann_result *last, const vipann_result *before)
{
    return last->t_seconds == before->t_seconds && last->columns == before->columns && last->passes == before->passes &&
           last->calibrated == before->calibrated && last->unknown == before->unknown &&
           last->total_nats == before->total_nats && last->aleatoric_nats == before->aleatoric_nats &&
           last->epistemic_nats == before->epistemic_nats && last->level_dbfs == before->level_dbfs &&
           last->silent == before->silent && same_numbers(last->p, before->p, last->classes) &&
           same_numbers(last->std, before->std, last->classes) &&
           same_numbers(last->aleatoric, before->aleatoric, last->classes) &&
           same_numbers(last->epistemic, before->epistemic, last->classes);
}

/* Passes on what the engine has found. The newest result is always kept, for --clip and for the counters in it. Times
 * are of the recording, not of the stream. */
static bool
hand_on(run *r)
{
    double start = vip_audio_describe(r->audio)->start_seconds;
    vipann_event event;
    while (r->analysis->events && vipann_next_event(r->reader, &event)) {
        event.start_seconds += start;
        event.end_seconds += start;
        if ((event.ended || r->analysis->results_too) && !r->listener->event(r->listener->user, &event)) {
            return false;
        }
    }
    while (vipann_next_result(r->reader, r->result)) {
        vipann_result *newest = r->result;
        r->result = r->last;
        r->last = newest;
        newest->t_seconds += start;
        bool wanted = !r->analysis->clip && (!r->analysis->events || r->analysis->results_too) &&
                      !(r->any && newest->last && repeats(newest, r->result));
        r->any = true;
        if (wanted && !r->listener->result(r->listener->user, newest)) {
            return false;
        }
    }
    return true;
}

static bool
pump_all(run *r)
{
    while (vipann_pump(r->engine) > 0) {
        if (!hand_on(r)) {
            return false;
        }
    }
    return hand_on(r);
}

/* Ends the stream and hands on what that brings. */
static bool
finish(run *r)
{
    if (!pump_all(r)) {
        return false;
    }
    (void)vipann_flush(r->engine);
    if (!hand_on(r)) {
        return false;
    }
    return !r->analysis->clip || !r->any || r->listener->result(r->listener->user, r->last);
}

/* Reads to the end. A file is pumped when the ring is full, so that pieces are as long as was asked; a pipe at once. */
static bool
hear(run *r)
{
    bool streamed = vip_audio_describe(r->audio)->streamed;
    for (uint32_t n; (n = vip_audio_read(r->audio, r->channels, r->block)) > 0;) {
        if (vipann_push_space(r->engine) < n && !pump_all(r)) {
            return false;
        }
        (void)vipann_push(r->engine, (const float *const *)r->channels, n);
        if (streamed && !pump_all(r)) {
            return false;
        }
        if (!r->listener->progress(r->listener->user, vip_audio_fraction(r->audio))) {
            return false;
        }
    }
    return finish(r);
}

/* Nothing may be lost on the way: a file waits for its analysis. */
static vipann_status
check_completeness(const run *r, vipann_error *error)
{
    if (!r->any || vipann_reader_lost(r->reader) > 0 || r->last->gap_seconds > 0) {
        return vip_fail(error, VIPANN_E_UNSUPPORTED,
                        "%s: results were lost; please report this with the options that "
                        "were used",
                        r->name);
    }
    return vip_audio_check(r->audio, error);
}

/* What the engine counted on the way. */
static bool
tell_counts(run *r)
{
    char text[NOTE];
    if (r->last->not_finite > 0) {
        (void)snprintf(text, sizeof text, "%s: %llu samples are not numbers; they were heard as silence", r->name,
                       (unsigned long long)r->last->not_finite);
        if (!r->listener->note(r->listener->user, text)) {
            return false;
        }
    }
    if (r->last->clipped > 0) {
        (void)snprintf(text, sizeof text, "%s: %llu samples lie beyond 100 times full scale; they were cut there",
                       r->name, (unsigned long long)r->last->clipped);
        return r->listener->note(r->listener->user, text);
    }
    return true;
}

vipann_status
vip_analyse(const vip_analysis *analysis, const char *path, const vip_listener *listener, vipann_error *error)
{
    run r = {.analysis = analysis, .listener = listener, .options = analysis->options};
    r.name = strcmp(path, "-") == 0 ? "standard input" : vip_text_tail(path, MOST_NAME);
    r.audio = vip_audio_open(path, analysis->start, analysis->duration, error);
    if (r.audio == NULL) {
        return error != NULL ? error->status : VIPANN_E_IO;
    }
    vipann_status status = set_up(&r, error);
    if (status == VIPANN_OK) {
        bool whole =
            listener->begin(listener->user, vip_audio_describe(r.audio), &r.options) && hear(&r) && tell_counts(&r);
        status = whole ? check_completeness(&r, error) : VIPANN_E_BUSY;
    }
    release(&r);
    return status;
}
