/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_events.c -- holds the promises of decide/events.h. The worked example X22 is method's; the definition itself,
 * written out over whole arrays, is what random runs are compared with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <decide/events.h>

#include "failing.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { CLASSES = 3, MOST_ANSWERS = 128, MOST_TOLD = 4 * MOST_ANSWERS };

static char zero[] = "0", one[] = "1", two[] = "2";
static char *const labels[CLASSES] = {zero, one, two};

static uint32_t
next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static double
uniform(uint32_t *seed)
{
    return next_random(seed) / 16777216.0;
}

static vipann_rules *
rules_of(uint32_t classes, const char *text)
{
    vipann_error error = {VIPANN_OK, ""};
    vipann_rules *rules = vip_rules_new(labels, NULL, 0.5, classes, &error);
    assert_non_null(rules);
    if (vip_rules_parse(rules, "rules", text, strlen(text), &error) != VIPANN_OK) {
        print_error("%s\n", error.text);
        fail();
    }
    return rules;
}

static vip_detector *
detector_of(uint32_t classes, const char *text)
{
    vipann_rules *rules = rules_of(classes, text);
    vip_detector *detector = vip_detector_new(rules);
    assert_non_null(detector);
    vipann_rules_free(rules);
    return detector;
}

/* What has been told. */
typedef struct {
    vipann_event events[MOST_TOLD];
    size_t n;
} listener;

static void
listen(void *user, const vipann_event *event)
{
    listener *heard = user;
    assert_true(heard->n < MOST_TOLD);
    heard->events[heard->n++] = *event;
}

/* Answers at whole seconds, of one class, without lag. */
static void
hear_row(vip_detector *detector, const float *p, size_t n, listener *heard)
{
    const vip_event_sink sink = {heard, listen};
    for (size_t i = 0; i < n; i++) {
        const vip_moment moment = {.since = (double)i, .t = (double)i + 1, .p = &p[i], .calibrated = true};
        vip_detector_hear(detector, &moment, &sink);
    }
}

static void
assert_event(const listener *heard, size_t i, uint64_t id, bool ended, double start, double end)
{
    assert_true(i < heard->n);
    const vipann_event *e = &heard->events[i];
    if (e->id != id || e->ended != ended || fabs(e->start_seconds - start) > 1e-9 ||
        fabs(e->end_seconds - end) > 1e-9) {
        print_error("event %zu: %u %d %g %g\n", i, (unsigned)e->id, e->ended, e->start_seconds, e->end_seconds);
        fail();
    }
}

/* ---------------------------------------------------------------------------------------------------- worked example */

static const float x22[] = {.1f, .7f, .5f, .3f, .8f, .9f, .2f, .1f, .1f, .65f, .1f, .1f, .1f, .7f, .7f};

static void
test_worked_example_of_hysteresis_filling_and_dropping(void **state) /* X22: on .6, off .4 */
{
    (void)state;
    static const struct {
        const char *rules;
        size_t n;
        double events[4][2];
    } table[] = {
        {"threshold=0.6\nhysteresis=0.3333333333\nmin_length=2\nmerge_gap=2", 2, {{1, 6}, {13, 15}}},
        {"threshold=0.6\nhysteresis=0.3333333333\nmin_length=1\nmerge_gap=1", 4, {{1, 3}, {4, 6}, {9, 10}, {13, 15}}},
    };
    for (size_t row = 0; row < LENGTH(table); row++) {
        vip_detector *detector = detector_of(1, table[row].rules);
        listener heard = {.n = 0};
        const vip_event_sink sink = {&heard, listen};
        hear_row(detector, x22, LENGTH(x22), &heard);
        vip_detector_end(detector, &sink);
        size_t ended = 0;
        for (size_t i = 0; i < heard.n; i++) {
            if (heard.events[i].ended) {
                assert_true(ended < table[row].n);
                const double *expected = table[row].events[ended];
                assert_event(&heard, i, ++ended, true, expected[0], expected[1]);
            }
        }
        assert_int_equal(ended, table[row].n);
        assert_int_equal(heard.n, 2 * ended);
        vip_detector_free(detector);
    }
}

/* ------------------------------------------------------------------------------------------------ the definition */

typedef struct {
    double since, t, lag;
    float p[CLASSES], epistemic[CLASSES];
    bool has_epistemic, silent, calibrated;
    vipann_answer unknown;
    uint32_t passes;
} answer;

typedef struct {
    double start, end, p_max, p_sum, epistemic_sum;
    size_t n, n_epistemic, n_yes, n_cannot_say, n_calibrated;
    uint32_t passes;
} offline_event;

static void
count_answer(offline_event *event, const answer *a, uint32_t c)
{
    event->p_max = fmax(event->p_max, (double)a->p[c]);
    event->p_sum += (double)a->p[c];
    event->epistemic_sum += a->has_epistemic ? (double)a->epistemic[c] : 0;
    event->n++;
    event->n_epistemic += a->has_epistemic;
    event->n_yes += a->unknown == VIPANN_YES;
    event->n_cannot_say += a->unknown == VIPANN_CANNOT_SAY;
    event->n_calibrated += a->calibrated;
    event->passes = a->passes;
}

/* Whether answers i and up to n - 1 before it, but none before `first`, have k hits. */
static bool
is_risen(const answer *answers, size_t first, size_t i, uint32_t c, const vipann_rule *rule)
{
    uint32_t hits = 0;
    for (size_t j = i + 1 > first + rule->n ? i + 1 - rule->n : first; j <= i; j++) {
        hits += answers[j].p[c] >= (float)rule->threshold;
    }
    return hits >= rule->k;
}

/* Runs in which class c is present; returns how many. */
static size_t
find_runs(const answer *answers, size_t n, uint32_t c, const vipann_rule *rule, offline_event *out)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t first = i;
        bool risen = false;
        offline_event event = {.start = answers[first].since};
        for (; i < n && !answers[i].silent && answers[i].p[c] >= (float)rule->release; i++) {
            risen = risen || is_risen(answers, first, i, c, rule);
            count_answer(&event, &answers[i], c);
        }
        if (risen) {
            event.end = fmax(answers[i - 1].t - (i < n ? answers[i - 1].lag : 0), answers[first].t);
            out[found++] = event;
        }
    }
    return found;
}

static size_t
find_events(const answer *answers, size_t n, uint32_t c, const vipann_rule *rule, offline_event *out)
{
    size_t found = find_runs(answers, n, c, rule, out), merged = 0, kept = 0;
    for (size_t i = 0; i < found; i++) {
        if (merged > 0 && out[i].start - out[merged - 1].end < rule->merge_gap_seconds) {
            offline_event *last = &out[merged - 1];
            last->end = out[i].end;
            last->p_max = fmax(last->p_max, out[i].p_max);
            last->p_sum += out[i].p_sum;
            last->epistemic_sum += out[i].epistemic_sum;
            last->n += out[i].n;
            last->n_epistemic += out[i].n_epistemic;
            last->n_yes += out[i].n_yes;
            last->n_cannot_say += out[i].n_cannot_say;
            last->n_calibrated += out[i].n_calibrated;
            last->passes = out[i].passes;
        } else {
            out[merged++] = out[i];
        }
    }
    for (size_t i = 0; i < merged; i++) {
        if (out[i].end - out[i].start >= rule->min_length_seconds) {
            out[kept++] = out[i];
        }
    }
    return kept;
}

static size_t
random_answers(uint32_t *seed, answer *answers)
{
    const size_t n = 1 + next_random(seed) % MOST_ANSWERS;
    const double lag = next_random(seed) % 2 * 0.64, hop = 0.32 * (1 + next_random(seed) % 2);
    const bool uneven = next_random(seed) % 2;
    double t = uneven ? uniform(seed) : 0, p[CLASSES] = {0};
    for (size_t i = 0; i < n; i++) {
        answer *a = &answers[i];
        t += uneven && next_random(seed) % 10 == 0 ? uniform(seed) : 0; /* sound that nobody has heard */
        *a = (answer){.since = t, .lag = uneven ? lag * uniform(seed) : lag, .passes = next_random(seed) % 9};
        t += uneven ? 0.1 + uniform(seed) : hop;
        a->t = t;
        a->lag = i > 0 ? fmin(a->lag, t - answers[i - 1].t + answers[i - 1].lag) : a->lag;
        a->silent = next_random(seed) % 16 == 0;
        a->calibrated = next_random(seed) % 64 != 0;
        a->unknown = (vipann_answer)(next_random(seed) % 3);
        a->has_epistemic = next_random(seed) % 4 != 0;
        for (uint32_t c = 0; c < CLASSES; c++) { /* tenths, so that thresholds are met exactly */
            p[c] += (uniform(seed) - 0.5) * 0.8;
            p[c] = p[c] < 0 ? 0 : p[c] > 1 ? 1 : p[c];
            a->p[c] = (float)(floor(p[c] * 10 + 0.5) / 10);
            a->epistemic[c] = (float)uniform(seed);
        }
    }
    return n;
}

static void
random_rules(uint32_t *seed, char text[256])
{
    static const double hystereses[] = {0, 0.25, 0.5, 1}, lengths[] = {0, 0.32, 0.64, 1, 3},
                        gaps[] = {0, 0.5, 0.64, 1.5, 4};
    const unsigned n =
        next_random(seed) % 3 == 0 ? 1 + next_random(seed) % VIPANN_MAX_RULE_HOPS : 1 + next_random(seed) % 4;
    const unsigned k = 1 + next_random(seed) % n;
    (void)snprintf(
        text, 256,
        "threshold=%.1f\nhysteresis=%g\nmin_length=%g\nmerge_gap=%g\nhops=%u of %u\n[class \"1\"]\nhops=1 of 1\n"
        "[class \"2\"]\nthreshold=0.%u\nreport=%s\n",
        0.1 * (next_random(seed) % 10), hystereses[next_random(seed) % LENGTH(hystereses)],
        lengths[next_random(seed) % LENGTH(lengths)], gaps[next_random(seed) % LENGTH(gaps)], k, n,
        1 + (unsigned)next_random(seed) % 9, next_random(seed) % 2 ? "yes" : "no");
}

static void
hear_answers(vip_detector *detector, const answer *answers, size_t n, listener *heard)
{
    const vip_event_sink sink = {heard, listen};
    for (size_t i = 0; i < n; i++) {
        const answer *a = &answers[i];
        const vip_moment moment = {.since = a->since,
                                   .t = a->t,
                                   .lag = a->lag,
                                   .p = a->p,
                                   .epistemic = a->has_epistemic ? a->epistemic : NULL,
                                   .passes = a->passes,
                                   .silent = a->silent,
                                   .unknown = a->unknown,
                                   .calibrated = a->calibrated};
        vip_detector_hear(detector, &moment, &sink);
    }
}

/* Each event is told twice, first in the order of ids, the second time no earlier. Returns how many there are. */
static size_t
assert_told_twice(const listener *heard)
{
    bool ended[MOST_TOLD] = {false};
    static vipann_event begun[MOST_TOLD];
    size_t n = 0, n_ended = 0;
    for (size_t i = 0; i < heard->n; i++) {
        const vipann_event *e = &heard->events[i];
        if (!e->ended) {
            assert_int_equal(e->id, n + 1);
            begun[n++] = *e;
            continue;
        }
        assert_true(e->id >= 1 && e->id <= n && !ended[e->id - 1]);
        const vipann_event *before = &begun[e->id - 1];
        ended[e->id - 1] = true;
        n_ended++;
        assert_true(e->class_index == before->class_index && e->start_seconds == before->start_seconds);
        assert_true(e->end_seconds >= before->end_seconds && e->p_max >= before->p_max);
    }
    assert_int_equal(n_ended, n);
    return n;
}

static void
assert_same_event(const vipann_event *event, const offline_event *expected)
{
    assert_true(event->start_seconds == expected->start && event->end_seconds == expected->end);
    assert_true(event->p_max == expected->p_max);
    assert_true(fabs(event->p_mean - expected->p_sum / (double)expected->n) < 1e-12);
    assert_int_equal(event->has_epistemic, expected->n_epistemic > 0);
    const double epistemic = expected->n_epistemic > 0 ? expected->epistemic_sum / (double)expected->n_epistemic : 0;
    assert_true(fabs(event->epistemic_nats - epistemic) < 1e-12);
    assert_int_equal(event->unknown, 2 * expected->n_yes > expected->n          ? VIPANN_YES
                                     : 2 * expected->n_cannot_say > expected->n ? VIPANN_CANNOT_SAY
                                                                                : VIPANN_NO);
    assert_int_equal(event->calibrated, expected->n_calibrated == expected->n);
    assert_int_equal(event->passes, expected->passes);
}

static void
test_live_events_are_those_found_afterwards(void **state)
{
    (void)state;
    static answer answers[MOST_ANSWERS];
    static listener heard;
    uint32_t seed = 22;
    size_t total = 0, merged = 0, quiet = 0;
    for (int turn = 0; turn < 6000; turn++) {
        char text[256];
        random_rules(&seed, text);
        const size_t n = random_answers(&seed, answers);
        vipann_rules *rules = rules_of(CLASSES, text);
        vip_detector *detector = vip_detector_new(rules);
        const vip_event_sink sink = {&heard, listen};
        heard.n = 0;
        hear_answers(detector, answers, n, &heard);
        vip_detector_end(detector, &sink);
        size_t told = assert_told_twice(&heard), expected = 0;
        for (uint32_t c = 0; c < CLASSES; c++) {
            static offline_event found[MOST_ANSWERS], stretches[MOST_ANSWERS];
            vipann_rule rule;
            vipann_rules_describe(rules, c, &rule);
            const size_t events = rule.report ? find_events(answers, n, c, &rule, found) : 0;
            merged += find_runs(answers, n, c, &rule, stretches) > events;
            expected += events;
            for (size_t i = 0, k = 0; i < heard.n; i++) { /* of a class they end in the order of time */
                if (heard.events[i].ended && heard.events[i].class_index == c) {
                    assert_true(k < events);
                    assert_same_event(&heard.events[i], &found[k++]);
                }
            }
        }
        if (told != expected) {
            print_error("turn %d: %zu told, %zu expected\n%s", turn, told, expected, text);
            fail();
        }
        total += told;
        quiet += told == 0;
        vip_detector_free(detector);
        vipann_rules_free(rules);
    }
    assert_true(total > 10000 && merged > 3000 && quiet < 3000); /* there was something to compare */
}

/* An event that is over but not told so must be one that hits to come can still be joined to: the best that can come are
 * n hits at once. */
static void
test_an_event_is_closed_as_soon_as_nothing_can_be_joined(void **state)
{
    (void)state;
    static answer answers[MOST_ANSWERS + VIPANN_MAX_RULE_HOPS];
    static listener heard, after;
    uint32_t seed = 5;
    size_t open = 0;
    for (int turn = 0; turn < 1500; turn++) {
        char text[256];
        random_rules(&seed, text);
        size_t n = random_answers(&seed, answers);
        n = 1 + next_random(&seed) % n;
        vip_detector *detector = detector_of(CLASSES, text);
        heard.n = after.n = 0;
        hear_answers(detector, answers, n, &heard);
        for (size_t i = n; i < n + VIPANN_MAX_RULE_HOPS; i++) {
            answers[i] = (answer){.since = answers[i - 1].t, .t = answers[i - 1].t + 1e-6, .p = {1, 1, 1}};
        }
        hear_answers(detector, answers + n, VIPANN_MAX_RULE_HOPS, &after);
        for (size_t i = 0; i < heard.n;
             i++) { /* of those not ended before, none may end before the last hit is heard */
            bool closed = false;
            for (size_t k = i + 1; k < heard.n; k++) {
                closed = closed || (heard.events[k].id == heard.events[i].id && heard.events[k].ended);
            }
            for (size_t k = 0; k < after.n && !closed && !heard.events[i].ended; k++) {
                assert_false(after.events[k].ended && after.events[k].id == heard.events[i].id);
            }
            open += !closed && !heard.events[i].ended;
        }
        vip_detector_free(detector);
    }
    assert_true(open > 300);
}

/* --------------------------------------------------------------------------------------------------- promise by promise */

static void
test_an_event_is_told_when_it_has_lasted_and_when_it_is_over(void **state)
{
    (void)state;
    static const float p[] = {0, .9f, .7f, .8f, 0, 0, .9f, 0, 0, 0, 0};
    vip_detector *detector = detector_of(1, "threshold=0.5\nmin_length=2\nmerge_gap=3");
    static const size_t told[] = {0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2}; /* gap 2: joined; then 3 seconds of nothing */
    listener heard = {.n = 0};
    const vip_event_sink sink = {&heard, listen};
    for (size_t i = 0; i < LENGTH(p); i++) {
        const vip_moment moment = {.since = (double)i, .t = (double)i + 1, .p = &p[i]};
        vip_detector_hear(detector, &moment, &sink);
        assert_int_equal(heard.n, told[i]);
    }
    assert_event(&heard, 0, 1, false, 1, 3);
    assert_event(&heard, 1, 1, true, 1, 7);
    assert_true(heard.events[1].p_max == (double).9f);
    assert_true(fabs(heard.events[1].p_mean - (.9 + .7 + .8 + .9) / 4) < 1e-7); /* the gap is left out */
    vip_detector_free(detector);
}

static void
test_a_gap_as_long_as_merge_gap_is_not_bridged(void **state)
{
    (void)state;
    static const float p[] = {.9f, 0, .9f, 0};
    static const double since[] = {0, 1, 3, 4}; /* from 2 to 3 nobody listened */
    static const struct {
        const char *rules;
        size_t told;
    } table[] = {{"min_length=0\nmerge_gap=2", 3}, {"min_length=0\nmerge_gap=2.001", 1}};
    for (size_t row = 0; row < LENGTH(table); row++) {
        vip_detector *detector = detector_of(1, table[row].rules);
        listener heard = {.n = 0};
        const vip_event_sink sink = {&heard, listen};
        for (size_t i = 0; i < LENGTH(p); i++) {
            const vip_moment moment = {.since = since[i], .t = since[i] + 1, .p = &p[i]};
            vip_detector_hear(detector, &moment, &sink);
        }
        assert_int_equal(heard.n, table[row].told);
        vip_detector_free(detector);
    }
}

static void
test_k_of_n_hits_make_an_event_of_their_run(void **state)
{
    (void)state;
    static const float p[] = {.9f, 0, .9f, 0, .3f, .8f, .3f, .6f, .3f, 0, .9f, .3f, .3f, .9f, 0};
    vip_detector *detector = detector_of(1, "threshold=0.5\nhysteresis=0.5\nmin_length=0\nmerge_gap=0\nhops=2 of 3");
    listener heard = {.n = 0};
    hear_row(detector, p, LENGTH(p), &heard);
    assert_int_equal(heard.n, 2);            /* .9 at 0 and 2 are of different runs, those at 10 and 13 too far apart */
    assert_event(&heard, 0, 1, false, 4, 8); /* told when .6 has come */
    assert_event(&heard, 1, 1, true, 4, 9);
    assert_true(fabs(heard.events[1].p_max - .8) < 1e-7 && fabs(heard.events[1].p_mean - 2.3 / 5) < 1e-7);
    vip_detector_free(detector);
}

static void
test_an_event_begins_where_it_last_was_below_its_release(void **state)
{
    (void)state;
    static const float p[] = {.3f, .2f, .3f, .4f, .6f, 0, .3f, .3f, .6f, 0, 0};
    static const struct {
        const char *rules;
        double start, end, p_mean;
    } table[] = {
        {"threshold=0.5\nhysteresis=0.5\nmin_length=0\nmerge_gap=1", 2, 5, 1.3 / 3},
        {"threshold=0.5\nhysteresis=0.5\nmin_length=0\nmerge_gap=1.5", 2, 9,
         2.5 / 6}, /* from 5 to 6, though the next hit is at 8 */
        {"threshold=0.5\nhysteresis=0\nmin_length=0\nmerge_gap=1.5", 4, 5, 0.6},
    };
    for (size_t row = 0; row < LENGTH(table); row++) {
        vip_detector *detector = detector_of(1, table[row].rules);
        listener heard = {.n = 0};
        hear_row(detector, p, LENGTH(p), &heard);
        assert_event(&heard, 1, 1, true, table[row].start, table[row].end);
        assert_true(fabs(heard.events[1].p_max - .6) < 1e-7);
        assert_true(fabs(heard.events[1].p_mean - table[row].p_mean) < 1e-7);
        vip_detector_free(detector);
    }
    vip_detector *detector = detector_of(1, "threshold=0.5\nhysteresis=0.5\nmin_length=0");
    listener heard = {.n = 0};
    const vip_event_sink sink = {&heard, listen};
    for (size_t i = 0; i < 2; i++) { /* nor does it begin before an interruption */
        const vip_moment moment = {.since = (double)i, .t = (double)i + 1, .p = &p[3 + i]};
        vip_detector_hear(detector, &moment, &sink);
        vip_detector_end(detector, &sink);
    }
    assert_event(&heard, 1, 1, true, 1, 2);
    vip_detector_free(detector);
}

static void
test_answers_before_a_fall_do_not_count_again(void **state)
{
    (void)state;
    static const float p[] = {.9f, .9f, 0, .9f, 0, 0, 0, 0}; /* 3 of 4 would be reached with those before the fall */
    vip_detector *detector = detector_of(1, "threshold=0.5\nmin_length=0\nmerge_gap=0\nhops=2 of 4");
    listener heard = {.n = 0};
    hear_row(detector, p, LENGTH(p), &heard);
    assert_int_equal(heard.n, 2);
    assert_event(&heard, 1, 1, true, 0, 2);
    vip_detector_free(detector);
}

static void
test_the_windows_lag_is_taken_off_the_end(void **state)
{
    (void)state;
    static const float p[] = {0, .9f, .9f, .9f, .9f, 0, 0, 0, 0, .9f, 0, 0, 0};
    vip_detector *detector = detector_of(1, "threshold=0.5\nmin_length=0\nmerge_gap=1");
    listener heard = {.n = 0};
    const vip_event_sink sink = {&heard, listen};
    for (size_t i = 0; i < LENGTH(p); i++) {
        const vip_moment moment = {.since = (double)i, .t = (double)i + 1, .lag = 2, .p = &p[i]};
        vip_detector_hear(detector, &moment, &sink);
    }
    assert_int_equal(heard.n, 4);
    assert_event(&heard, 1, 1, true, 1, 3);
    assert_event(&heard, 3, 2, true, 9, 10); /* but it lasts one answer's time */
    vip_detector_free(detector);
}

static void
test_in_silence_nothing_is_heard(void **state)
{
    (void)state;
    static const float p = 1;
    vip_detector *detector = detector_of(1, "min_length=0\nmerge_gap=0");
    listener heard = {.n = 0};
    const vip_event_sink sink = {&heard, listen};
    for (size_t i = 0; i < 6; i++) {
        const vip_moment moment = {.since = (double)i, .t = (double)i + 1, .p = &p, .silent = i < 2 || i > 3};
        vip_detector_hear(detector, &moment, &sink);
    }
    assert_int_equal(heard.n, 2);
    assert_event(&heard, 1, 1, true, 2, 4);
    vip_detector_free(detector);
}

/* Only the first class is reported, and there is not even a probability for the others. */
static void
test_what_is_not_reported_is_not_looked_at(void **state)
{
    (void)state;
    vip_detector *detector = detector_of(CLASSES, "report=no\nmin_length=0\n[class \"0\"]\nreport=yes");
    listener heard = {.n = 0};
    const vip_event_sink sink = {&heard, listen};
    float *p = malloc(sizeof *p);
    assert_non_null(p);
    *p = 1;
    const vip_moment moment = {.since = 0, .t = 1, .p = p};
    vip_detector_hear(detector, &moment, &sink);
    assert_int_equal(heard.n, 1);
    assert_int_equal(heard.events[0].class_index, 0);
    vip_detector_free(detector);
    detector = detector_of(CLASSES, "report=no");
    vip_detector_hear(detector, &(vip_moment){.t = 1}, &sink);
    vip_detector_end(detector, &sink);
    assert_int_equal(heard.n, 1);
    vip_detector_free(detector);
    free(p);
}

static void
test_the_end_of_the_stream_ends_what_has_lasted(void **state)
{
    (void)state;
    static const float lasting[] = {.9f, .9f, .9f}, fallen[] = {.9f, .9f, 0}, brief[] = {0, 0, .9f};
    vip_detector *detector = detector_of(1, "threshold=0.5\nmin_length=2\nmerge_gap=5");
    listener heard = {.n = 0};
    const vip_event_sink sink = {&heard, listen};
    hear_row(detector, lasting, 3, &heard);
    vip_detector_end(detector, &sink);
    assert_int_equal(heard.n, 2);
    assert_event(&heard, 1, 1, true, 0, 3);
    hear_row(detector, fallen, 3, &heard); /* as if the stream went on after an interruption: ids go on */
    vip_detector_end(detector, &sink);
    assert_int_equal(heard.n, 4);
    assert_event(&heard, 3, 2, true, 0, 2);
    hear_row(detector, brief, 3, &heard);
    vip_detector_end(detector, &sink);
    vip_detector_end(detector, &sink);
    assert_int_equal(heard.n, 4);
    hear_row(detector, lasting, 3, &heard); /* nothing is left of the brief one */
    assert_event(&heard, 4, 3, false, 0, 2);
    vip_detector_reset(detector);
    hear_row(detector, lasting, 3, &heard);
    assert_int_equal(heard.n, 6);
    assert_event(&heard, 5, 1, false, 0, 2);
    vip_detector_free(detector);
}

static void
test_hearing_allocates_nothing_and_no_memory_is_a_clean_failure(void **state)
{
    (void)state;
    vipann_rules *rules = rules_of(CLASSES, "hops=2 of 5");
    failing_after(-1);
    vip_detector *detector = vip_detector_new(rules);
    assert_non_null(detector);
    const long n = failing_count();
    assert_true(n > 0);
    for (long i = 0; i < n; i++) {
        failing_after(i);
        assert_null(vip_detector_new(rules));
    }
    static answer answers[MOST_ANSWERS];
    static listener heard;
    uint32_t seed = 3;
    const size_t length = random_answers(&seed, answers);
    heard.n = 0;
    failing_after(0);
    hear_answers(detector, answers, length, &heard);
    vip_detector_end(detector, &(vip_event_sink){&heard, listen});
    vip_detector_reset(detector);
    assert_int_equal(failing_count(), 0);
    failing_after(-1);
    vip_detector_free(detector);
    vip_detector_free(NULL);
    vipann_rules_free(rules);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worked_example_of_hysteresis_filling_and_dropping),
        cmocka_unit_test(test_live_events_are_those_found_afterwards),
        cmocka_unit_test(test_an_event_is_closed_as_soon_as_nothing_can_be_joined),
        cmocka_unit_test(test_an_event_is_told_when_it_has_lasted_and_when_it_is_over),
        cmocka_unit_test(test_a_gap_as_long_as_merge_gap_is_not_bridged),
        cmocka_unit_test(test_k_of_n_hits_make_an_event_of_their_run),
        cmocka_unit_test(test_an_event_begins_where_it_last_was_below_its_release),
        cmocka_unit_test(test_answers_before_a_fall_do_not_count_again),
        cmocka_unit_test(test_the_windows_lag_is_taken_off_the_end),
        cmocka_unit_test(test_in_silence_nothing_is_heard),
        cmocka_unit_test(test_what_is_not_reported_is_not_looked_at),
        cmocka_unit_test(test_the_end_of_the_stream_ends_what_has_lasted),
        cmocka_unit_test(test_hearing_allocates_nothing_and_no_memory_is_a_clean_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
