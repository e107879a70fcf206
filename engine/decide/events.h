/* SPDX-License-Identifier: GPL-3.0-or-later */
/* events.h -- from a run of answers to events with a beginning and an end, class by class.
 *
 * An answer is a hit of a class if its probability reaches the threshold (compared as the floats that probabilities are).
 * A run is an unbroken row of answers that are not below the release and not silent. A class is present from the first to
 * the last answer of every run in which somewhere k of n successive answers are hits:
 *
 *   start   `since` of the run's first answer, so that a slow rise makes no late beginning
 *   end     t - lag of the last, but no less than t of the first; where the stream ends within the run, t
 *
 * Absences shorter than merge_gap, from an end to the next start, are bridged first; then what is shorter than min_length
 * is dropped. An event is told when what has been heard has lasted min_length, and again when nothing that comes can be
 * joined to it. So live and afterwards the events are the same, live they are told later. Times decide, not counts of
 * answers, so the time between answers may change.
 *
 * p_max, p_mean and the like are over all answers of the runs. `unknown` is YES or CANNOT_SAY if more than half of them
 * said so, else NO.
 *
 * An answer costs a bounded time for each class that is reported, and none for the others. Nothing is allocated after
 * vip_detector_new. */
#ifndef VIP_DECIDE_EVENTS_H
#define VIP_DECIDE_EVENTS_H

#include "rules.h"

typedef struct vip_detector vip_detector;

/* One answer of the short window. */
typedef struct {
    double since, t;        /* s: it speaks for what came after `since`, the time of the answer before, up to `t` */
    double lag;             /* s: so much longer than the sound lasts does a class stay in the window */
    const float *p;         /* [classes] */
    const float *epistemic; /* [classes] nats, or NULL: there is no such value */
    uint32_t passes;
    bool silent;           /* no class counts as heard */
    vipann_answer unknown; /* of the newest result */
    bool calibrated;       /* a result now would be */
} vip_moment;

/* Whom to tell; called by vip_detector_hear and vip_detector_end. */
typedef struct {
    void *user;
    void (*tell)(void *user, const vipann_event *event);
} vip_event_sink;

/* rules: for `classes` classes, copied. NULL: memory is short. */
vip_detector *vip_detector_new(const vipann_rules *rules);
void vip_detector_free(vip_detector *detector);

/* First state: nothing is heard, ids begin at 1. */
void vip_detector_reset(vip_detector *detector);

/* Takes the next answer; answers come in the order of time, and t - lag never goes back. What it has to tell comes in
 * the order of classes, of one class the end of one event before the next. */
void vip_detector_hear(vip_detector *detector, const vip_moment *moment, const vip_event_sink *sink);

/* The stream has ended or is interrupted: what has lasted long enough ends where it was last heard, all else is dropped.
 * Ids go on. */
void vip_detector_end(vip_detector *detector, const vip_event_sink *sink);

#endif /* VIP_DECIDE_EVENTS_H */
