/* SPDX-License-Identifier: GPL-3.0-or-later */
/* events.c -- see events.h for the contract. */
#include "events.h"

#include <base/memory.h>

/* What all answers of an event say together. */
typedef struct {
    double p_max, p_sum, epistemic_sum;
    uint32_t n, n_epistemic, n_unknown, n_cannot_say, n_not_calibrated;
    uint32_t passes;
} event_tally;

/* A stretch of time in which a class is heard. */
typedef struct {
    double start, end; /* s; end: so far */
    event_tally tally;
} stretch;

/* The rule of a class, and what has been heard of it. */
typedef struct {
    uint32_t class_index, k, n;
    float threshold, release;
    double min_length, merge_gap; /* s */

    bool running;     /* the newest answer belongs to a run */
    bool present;     /* the run has had its k hits: it belongs to the event */
    uint32_t hits;    /* of the run's last n answers, the newest in bit 0; until it is present */
    double least_end; /* s: t of the run's first answer */
    stretch run;      /* the run, until it is present */

    bool pending; /* there is an event that has not been closed; always so while present */
    bool told;    /* that it counts */
    uint64_t id;
    stretch event;
} class_track;

struct vip_detector {
    uint32_t n_tracks; /* classes that are reported */
    uint64_t next_id;
    double t; /* of the newest answer */
    class_track *tracks;
};

/* ------------------------------------------------------------------------------------------------------------ life */

static void
set_rule(class_track *track, uint32_t i, const vipann_rule *rule)
{
    track->class_index = i;
    track->k = rule->k;
    track->n = rule->n;
    track->threshold = (float)rule->threshold;
    track->release = (float)rule->release;
    track->min_length = rule->min_length_seconds;
    track->merge_gap = rule->merge_gap_seconds;
}

vip_detector *
vip_detector_new(const vipann_rules *rules)
{
    const uint32_t classes = vip_rules_classes(rules);
    vip_detector *detector = vip_alloc(1, sizeof *detector);
    class_track *tracks = vip_alloc(classes, sizeof *tracks);
    if (detector == NULL || tracks == NULL) {
        vip_free(detector);
        vip_free(tracks);
        return NULL;
    }
    detector->tracks = tracks;
    for (uint32_t i = 0; i < classes; i++) {
        vipann_rule rule;
        vipann_rules_describe(rules, i, &rule);
        if (rule.report) {
            set_rule(&tracks[detector->n_tracks++], i, &rule);
        }
    }
    vip_detector_reset(detector);
    return detector;
}

void
vip_detector_free(vip_detector *detector)
{
    if (detector == NULL) {
        return;
    }
    vip_free(detector->tracks);
    vip_free(detector);
}

static void
forget(class_track *track)
{
    track->running = track->present = track->pending = track->told = false;
}

void
vip_detector_reset(vip_detector *detector)
{
    for (uint32_t i = 0; i < detector->n_tracks; i++) {
        forget(&detector->tracks[i]);
    }
    detector->next_id = 1;
}

/* --------------------------------------------------------------------------------------------------------- answers */

/* One answer more. */
static void
count(event_tally *tally, const vip_moment *moment, uint32_t c)
{
    const double p = (double)moment->p[c];
    tally->p_max = p > tally->p_max ? p : tally->p_max;
    tally->p_sum += p;
    tally->epistemic_sum += moment->epistemic != NULL ? (double)moment->epistemic[c] : 0.0;
    tally->n++;
    tally->n_epistemic += moment->epistemic != NULL ? 1 : 0;
    tally->n_unknown += moment->unknown == VIPANN_YES ? 1 : 0;
    tally->n_cannot_say += moment->unknown == VIPANN_CANNOT_SAY ? 1 : 0;
    tally->n_not_calibrated += moment->calibrated ? 0 : 1;
    tally->passes = moment->passes;
}

/* What follows later. */
static void
add(event_tally *tally, const event_tally *later)
{
    tally->p_max = later->p_max > tally->p_max ? later->p_max : tally->p_max;
    tally->p_sum += later->p_sum;
    tally->epistemic_sum += later->epistemic_sum;
    tally->n += later->n;
    tally->n_epistemic += later->n_epistemic;
    tally->n_unknown += later->n_unknown;
    tally->n_cannot_say += later->n_cannot_say;
    tally->n_not_calibrated += later->n_not_calibrated;
    tally->passes = later->passes;
}

/* --------------------------------------------------------------------------------------------------------- telling */

static void
tell(const class_track *track, bool ended, const vip_event_sink *sink)
{
    const event_tally *tally = &track->event.tally;
    const vipann_event event = {
        .id = track->id,
        .class_index = track->class_index,
        .ended = ended,
        .start_seconds = track->event.start,
        .end_seconds = track->event.end,
        .p_max = tally->p_max,
        .p_mean = tally->p_sum / tally->n,
        .has_epistemic = tally->n_epistemic > 0,
        .epistemic_nats = tally->n_epistemic > 0 ? tally->epistemic_sum / tally->n_epistemic : 0.0,
        .unknown = tally->n_unknown > tally->n / 2      ? VIPANN_YES
                   : tally->n_cannot_say > tally->n / 2 ? VIPANN_CANNOT_SAY
                                                        : VIPANN_NO,
        .passes = tally->passes,
        .calibrated = tally->n_not_calibrated == 0,
    };
    sink->tell(sink->user, &event);
}

/* Nothing can be joined to the event any more. */
static void
close_event(class_track *track, const vip_event_sink *sink)
{
    if (track->pending && track->told) {
        tell(track, true, sink);
    }
    track->pending = track->told = false;
}

/* --------------------------------------------------------------------------------------------------------- hearing */

static uint32_t
count_bits(uint32_t bits)
{
    uint32_t n = 0;
    for (; bits != 0; bits &= bits - 1) {
        n++;
    }
    return n;
}

_Static_assert(VIPANN_MAX_RULE_HOPS == 32, "a word has a bit for each answer");

/* Whether the newest answer makes k hits among the last n of its run. */
static bool
has_risen(class_track *track, bool hit)
{
    const uint32_t last = UINT32_MAX >> (VIPANN_MAX_RULE_HOPS - track->n);
    track->hits = (track->hits << 1 | (hit ? 1u : 0u)) & last;
    return hit && count_bits(track->hits) >= track->k;
}

/* The run joins the event before it, or begins one of its own. */
static void
rise(class_track *track, const vip_event_sink *sink)
{
    if (track->pending && track->run.start - track->event.end < track->merge_gap) {
        track->event.end = track->run.end;
        add(&track->event.tally, &track->run.tally);
    } else {
        close_event(track, sink);
        track->event = track->run;
        track->pending = true;
    }
    track->present = true;
}

/* The newest answer belongs to the run, whose first it may be. */
static void
go_on(class_track *track, const vip_moment *moment, const vip_event_sink *sink)
{
    if (!track->running) {
        track->running = true;
        track->hits = 0;
        track->least_end = moment->t;
        track->run = (stretch){.start = moment->since};
    }
    stretch *now = track->present ? &track->event : &track->run;
    const double end = moment->t - moment->lag;
    now->end = end > track->least_end ? end : track->least_end;
    count(&now->tally, moment, track->class_index);
    if (!track->present && has_risen(track, moment->p[track->class_index] >= track->threshold)) {
        rise(track, sink);
    }
}

/* Tells an event that has just lasted long enough to count. */
static void
tell_if_long(vip_detector *detector, class_track *track, const vip_event_sink *sink)
{
    if (!track->told && track->event.end - track->event.start >= track->min_length) {
        track->told = true;
        track->id = detector->next_id++;
        tell(track, false, sink);
    }
}

/* One class's part of vip_detector_hear. */
static void
hear(vip_detector *detector, class_track *track, const vip_moment *moment, const vip_event_sink *sink)
{
    if (moment->silent || moment->p[track->class_index] < track->release) {
        track->running = track->present = false;
    } else {
        go_on(track, moment, sink);
    }
    if (track->present) {
        tell_if_long(detector, track, sink);
    } else if (track->pending) { /* a run that goes on may still join */
        const double next = track->running ? track->run.start : moment->t;
        if (next - track->event.end >= track->merge_gap) {
            close_event(track, sink);
        }
    }
}

void
vip_detector_hear(vip_detector *detector, const vip_moment *moment, const vip_event_sink *sink)
{
    detector->t = moment->t;
    for (uint32_t i = 0; i < detector->n_tracks; i++) {
        hear(detector, &detector->tracks[i], moment, sink);
    }
}

void
vip_detector_end(vip_detector *detector, const vip_event_sink *sink)
{
    for (uint32_t i = 0; i < detector->n_tracks; i++) {
        class_track *track = &detector->tracks[i];
        if (track->present) { /* what is heard up to the end has not left the window */
            track->event.end = detector->t;
            tell_if_long(detector, track, sink);
        }
        close_event(track, sink);
        forget(track);
    }
}
