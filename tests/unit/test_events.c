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

#include "failing.h"
#include "numbers.h"
#include "offline_events.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { CLASSES = OFFLINE_CLASSES };

static char zero[] = "0", one[] = "1", two[] = "2";
static char *const labels[CLASSES] = {zero, one, two};

static vipann_rules *
rules_of(uint32_t classes, const char *text)
{
    vipann_error error = {VIPANN_OK, ""};
    vipann_rules *rules = vip_rules_new(labels, NULL, 0.5, classes, &error);
    assert_non_null(rules);
    if (vip_rules_parse(rules, "rules", text, strlen(text), &error) != VIPANN_OK) {
        fail_msg("%s", error.text);
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

/* The answer of one class from second i to the next. */
static void
hear_second(vip_detector *detector, size_t i, const vip_moment *what, event_list *heard)
{
    vip_moment moment = *what;
    moment.since = (double)i;
    moment.t = (double)i + 1;
    vip_detector_hear(detector, &moment, &(vip_event_sink){heard, append_event});
}

/* The same of n seconds, without lag. */
static void
hear_row(vip_detector *detector, const float *p, size_t n, event_list *heard)
{
    for (size_t i = 0; i < n; i++) {
        hear_second(detector, i, &(vip_moment){.p = &p[i], .calibrated = true}, heard);
    }
}

static void
hear_end(vip_detector *detector, event_list *heard)
{
    vip_detector_end(detector, &(vip_event_sink){heard, append_event});
}

static void
assert_event(const event_list *heard, size_t i, uint64_t id, bool ended, double start, double end)
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
        event_list heard = {.n = 0};
        hear_row(detector, x22, LENGTH(x22), &heard);
        hear_end(detector, &heard);
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

/* Each event is told twice, first in the order of ids, the second time no earlier. Returns how many there are. */
static size_t
assert_told_twice(const event_list *heard)
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
test_live_events_are_those_found_afterwards(void **state)
{
    (void)state;
    static answer answers[MOST_ANSWERS];
    static event_list heard;
    uint32_t seed = 22;
    size_t total = 0, merged = 0, quiet = 0;
    for (int turn = 0; turn < 6000; turn++) {
        char text[RULES_TEXT];
        random_rules(&seed, text);
        const size_t n = random_answers(&seed, answers);
        vipann_rules *rules = rules_of(CLASSES, text);
        vip_detector *detector = vip_detector_new(rules);
        heard.n = 0;
        hear_answers(detector, answers, n, &heard);
        hear_end(detector, &heard);
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
    static event_list heard, after;
    uint32_t seed = 5;
    size_t open = 0;
    for (int turn = 0; turn < 1500; turn++) {
        char text[RULES_TEXT];
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
        for (size_t i = 0; i < heard.n; i++) { /* of those still open none may end before the last hit is heard */
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
    event_list heard = {.n = 0};
    for (size_t i = 0; i < LENGTH(p); i++) {
        hear_second(detector, i, &(vip_moment){.p = &p[i]}, &heard);
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
    static const size_t since[] = {0, 1, 3, 4}; /* from 2 to 3 nobody listened */
    static const struct {
        const char *rules;
        size_t told;
    } table[] = {{"min_length=0\nmerge_gap=2", 3}, {"min_length=0\nmerge_gap=2.001", 1}};
    for (size_t row = 0; row < LENGTH(table); row++) {
        vip_detector *detector = detector_of(1, table[row].rules);
        event_list heard = {.n = 0};
        for (size_t i = 0; i < LENGTH(p); i++) {
            hear_second(detector, since[i], &(vip_moment){.p = &p[i]}, &heard);
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
    event_list heard = {.n = 0};
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
        event_list heard = {.n = 0};
        hear_row(detector, p, LENGTH(p), &heard);
        assert_event(&heard, 1, 1, true, table[row].start, table[row].end);
        assert_true(fabs(heard.events[1].p_max - .6) < 1e-7);
        assert_true(fabs(heard.events[1].p_mean - table[row].p_mean) < 1e-7);
        vip_detector_free(detector);
    }
    vip_detector *detector = detector_of(1, "threshold=0.5\nhysteresis=0.5\nmin_length=0");
    event_list heard = {.n = 0};
    for (size_t i = 0; i < 2; i++) { /* nor does it begin before an interruption */
        hear_second(detector, i, &(vip_moment){.p = &p[3 + i]}, &heard);
        hear_end(detector, &heard);
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
    event_list heard = {.n = 0};
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
    event_list heard = {.n = 0};
    for (size_t i = 0; i < LENGTH(p); i++) {
        hear_second(detector, i, &(vip_moment){.lag = 2, .p = &p[i]}, &heard);
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
    event_list heard = {.n = 0};
    for (size_t i = 0; i < 6; i++) {
        hear_second(detector, i, &(vip_moment){.p = &p, .silent = i < 2 || i > 3}, &heard);
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
    event_list heard = {.n = 0};
    float *p = malloc(sizeof *p);
    assert_non_null(p);
    *p = 1;
    hear_second(detector, 0, &(vip_moment){.p = p}, &heard);
    assert_int_equal(heard.n, 1);
    assert_int_equal(heard.events[0].class_index, 0);
    vip_detector_free(detector);
    detector = detector_of(CLASSES, "report=no");
    hear_second(detector, 0, &(vip_moment){.p = NULL}, &heard);
    hear_end(detector, &heard);
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
    event_list heard = {.n = 0};
    hear_row(detector, lasting, 3, &heard);
    hear_end(detector, &heard);
    assert_int_equal(heard.n, 2);
    assert_event(&heard, 1, 1, true, 0, 3);
    hear_row(detector, fallen, 3, &heard); /* as if the stream went on after an interruption: ids go on */
    hear_end(detector, &heard);
    assert_int_equal(heard.n, 4);
    assert_event(&heard, 3, 2, true, 0, 2);
    hear_row(detector, brief, 3, &heard);
    hear_end(detector, &heard);
    hear_end(detector, &heard);
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
    static event_list heard;
    uint32_t seed = 3;
    const size_t length = random_answers(&seed, answers);
    heard.n = 0;
    failing_after(0);
    hear_answers(detector, answers, length, &heard);
    hear_end(detector, &heard);
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
