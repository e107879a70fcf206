/* SPDX-License-Identifier: GPL-3.0-or-later */
/* offline_events.h -- what events are by their definition, written out over whole arrays of answers, and random answers
 * and rules over which a detector is held to it: for the tests of decide/events.h. */
#ifndef TESTS_UNIT_OFFLINE_EVENTS_H
#define TESTS_UNIT_OFFLINE_EVENTS_H

#include <decide/events.h>

enum { OFFLINE_CLASSES = 3, MOST_ANSWERS = 128, MOST_TOLD = 4 * MOST_ANSWERS };

/* What has been told, in order. */
typedef struct {
    size_t n;
    vipann_event events[MOST_TOLD];
} event_list;

/* For a vip_event_sink, whose user is an event_list; asserts that there is room. */
void append_event(void *list, const vipann_event *event);

typedef struct {
    double since, t, lag;
    float p[OFFLINE_CLASSES], epistemic[OFFLINE_CLASSES];
    bool has_epistemic, silent, calibrated;
    vipann_answer unknown;
    uint32_t passes;
} answer;

typedef struct {
    double start, end, p_max, p_sum, epistemic_sum;
    size_t n, n_epistemic, n_yes, n_cannot_say, n_calibrated;
    uint32_t passes;
} offline_event;

/* Tells a detector the answers, and appends what it tells. */
void hear_answers(vip_detector *detector, const answer *answers, size_t n, event_list *heard);

/* Stretches in which class c is present, in the order of time; returns how many (at most n, as there must be room for). */
size_t find_runs(const answer *answers, size_t n, uint32_t c, const vipann_rule *rule, offline_event *out);

/* Those that are joined over short gaps and have lasted. */
size_t find_events(const answer *answers, size_t n, uint32_t c, const vipann_rule *rule, offline_event *out);

/* The event told is the one found; means may differ in their last digits. */
void assert_same_event(const vipann_event *event, const offline_event *expected);

/* One answer or more, at most MOST_ANSWERS; returns how many. */
size_t random_answers(uint32_t *seed, answer *answers);

/* A rule file for OFFLINE_CLASSES classes, the second and third of which ("1", "2") have rules of their own. */
enum { RULES_TEXT = 256 };
void random_rules(uint32_t *seed, char text[RULES_TEXT]);

#endif /* TESTS_UNIT_OFFLINE_EVENTS_H */
