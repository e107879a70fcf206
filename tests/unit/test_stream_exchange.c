/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_stream_exchange.c -- live streams whose model is exchanged: U4 to U7 of plugin/stream/README.md. Run under the thread
 * sanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "numbers.h"
#include "said.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* --------------------------------------------------------------------------------------------------------- exchange */

static void
test_time_passes_without_a_model(void **state) /* U4 */
{
    (void)state;
    const vip_stream_options o = said_options(false);
    vip_stream *s = said_stream(&o, NULL);
    said *got = calloc(1, sizeof *got);
    uint32_t random = 4;
    vip_stream_state now;
    vip_stream_look(s, &now);
    assert_false(now.has_model);
    assert_null(vip_stream_model(s));
    const size_t before = 3 * RATE;
    const float *x = said_common.x;
    assert_int_equal(vip_stream_push(s, &x, BLOCK), BLOCK);
    said_push_all(s, said_common.x, before - BLOCK, &random, got);
    assert_int_equal(vip_stream_work(s), 0);
    assert_int_equal(got->results.n, 0);
    assert_int_equal(vip_stream_give_model(s, said_common.models->causal, 0, false, NULL), VIPANN_OK);
    said_push_all(s, said_common.x, N, &random, got);
    said *expected = said_alone(said_common.models->causal, said_common.x, N, false);
    assert_int_equal(got->results.n, expected->results.n);
    for (size_t i = 0; i < got->results.n; i++) {
        assert_true(stream_same_content(got->results.results[i], expected->results.results[i]));
        assert_true(got->results.results[i]->t_seconds == 3 + expected->results.results[i]->t_seconds);
    }
    assert_true(got->events[0].start_seconds == 3 + expected->events[0].start_seconds);
    vip_stream_free(s);
    said_free(expected);
    said_free(got);
}

static const double LOOK_AHEAD = 2; /* seconds; more than that of `same` */

/* The stream hears x up to `given`, is given the other model, and hears the said_rest. */
static said *
exchange(vipann_model *before, vipann_model *after, size_t given, bool at_once)
{
    const vip_stream_options o = said_options(false);
    vip_stream *s = said_stream(&o, before);
    said *got = calloc(1, sizeof *got);
    uint32_t random = 8;
    said_push_all(s, said_common.x, given, &random, got);
    assert_int_equal(vip_stream_give_model(s, after, 2, at_once, NULL), VIPANN_OK);
    vipann_model *serves = vip_stream_model(s);
    assert_ptr_equal(serves, at_once ? after : before);
    vipann_model_unref(serves);
    said_push_all(s, said_common.x + given, N - given, &random, got);
    serves = vip_stream_model(s);
    assert_ptr_equal(serves, after);
    vipann_model_unref(serves);
    vip_stream_state now;
    vip_stream_look(s, &now);
    assert_int_equal(now.exchanges, 1);
    vip_stream_flush(s);
    said_collect(s, got);
    vip_stream_look(s, &now);
    assert_int_equal(now.tag, 2);
    vip_stream_free(s);
    return got;
}

/* The two engines said_alone: the old one heard what came before, the new one what came since it was given. The old one's
 * sound ended with the exchange: answers that waited for what comes later are others. */
static void
assert_exchanged(const said *got, const said *old, const said *new, double given, uint32_t new_classes, double least)
{
    size_t n_old = 0, k = 0;
    for (size_t i = 0; i < got->results.n; i++) {
        const vipann_result *r = got->results.results[i];
        assert_true(i == 0 || r->t_seconds > got->results.results[i - 1]->t_seconds || r->last);
        assert_true(r->last == (i + 1 == got->results.n));
        assert_true(r->gap_seconds == 0);
        if (r->classes != new_classes) {
            assert_int_equal(n_old, i); /* not after the new model */
            n_old++;
            assert_true(i >= old->results.n || r->t_seconds > given - LOOK_AHEAD ||
                        stream_equal(r, old->results.results[i]));
            continue;
        }
        while (k < new->results.n &&new->results.results[k]->t_seconds + given < r->t_seconds - 1e-6) {
            k++;
        }
        assert_true(k < new->results.n);
        assert_true(stream_same_content(r, new->results.results[k]));
        assert_near(r->t_seconds, given + new->results.results[k]->t_seconds, 1e-9);
        assert_true(r->window_seconds >= least);
        k++;
    }
    assert_true(n_old > 5 && got->results.n - n_old > 5);
    assert_int_equal(k, new->results.n); /* to its end */
}

static void
test_an_exchange_gives_the_old_answers_then_the_new_and_time_goes_on(void **state) /* U4 */
{
    (void)state;
    vipann_model *const old[] = {said_common.models->causal, said_common.models->same};
    const size_t given = 11 * STREAM_COLUMN + 1234;
    said *after = said_alone(said_common.other, said_common.x + given, N - given, true);
    for (size_t i = 0; i < 4; i++) {
        const bool at_once = i >= 2;
        said *before = said_alone(old[i % 2], said_common.x, N, true);
        said *got = exchange(old[i % 2], said_common.other, given, at_once);
        assert_exchanged(got, before, after, (double)given / RATE, OTHER_CLASSES, at_once ? 0 : 0.95);
        for (size_t k = 0; k < got->results.n; k++) {
            assert_int_equal(got->result_tags[k], got->results.results[k]->classes == OTHER_CLASSES ? 2 : 1);
        }
        said_free(before);
        said_free(got);
    }
    said_free(after);
}

static void
test_an_exchange_ends_the_old_events_before_it_tells_the_new(void **state) /* U5 */
{
    (void)state;
    static const size_t given[] = {11 * STREAM_COLUMN, 40000, 60000, 77777, 100000};
    for (size_t i = 0; i < 2 * LENGTH(given); i++) {
        said *got = exchange(said_common.models->same, said_common.other, given[i / 2], i % 2 == 0);
        assert_true(said_assert_paired(got) > STREAM_CLASSES + OTHER_CLASSES);
        size_t open = 0;
        bool others = false;
        for (size_t k = 0; k < got->n_events; k++) {
            const vipann_event *event = &got->events[k];
            open += event->ended ? 0 : 1;
            if (event->class_index >= STREAM_CLASSES && !others) { /* the first that only the new one can tell */
                others = true;
                assert_int_equal(got->event_tags[k], 2);
                assert_true(open <= OTHER_CLASSES);
            }
            open -= event->ended ? 1 : 0;
            assert_true(open <= OTHER_CLASSES);
        }
        assert_true(others);
        said_free(got);
    }
}

static void
test_a_request_that_was_not_carried_out_is_replaced(void **state) /* U4 */
{
    (void)state;
    const vip_stream_options o = said_options(false);
    vip_stream *s = said_stream(&o, said_common.models->same);
    said *got = calloc(1, sizeof *got);
    uint32_t random = 6;
    said_push_all(s, said_common.x, 30000, &random, got);
    assert_int_equal(vip_stream_give_model(s, said_common.models->causal, 0, false, NULL), VIPANN_OK);
    said_push_all(s, said_common.x, 2000, &random, got);
    assert_int_equal(vip_stream_give_model(s, said_common.other, 0, false, NULL), VIPANN_OK);
    said_push_all(s, said_common.x, N / 2, &random, got);
    vip_stream_state now;
    vip_stream_look(s, &now);
    assert_int_equal(now.exchanges, 1);
    assert_int_equal(got->results.results[got->results.n - 1]->classes, OTHER_CLASSES);
    assert_int_equal(vip_stream_give_model(s, said_common.models->causal, 0, false, NULL), VIPANN_OK);
    vip_stream_reset(s); /* there is nothing left that it would have to know */
    vipann_model *serves = vip_stream_model(s);
    assert_ptr_equal(serves, said_common.models->causal);
    vipann_model_unref(serves);
    vip_stream_free(s);
    said_free(got);
}

static void
test_what_was_lost_stays_lost_when_the_model_is_exchanged(void **state) /* U4 */
{
    (void)state;
    const vip_stream_options o = said_options(false);
    vip_stream *s = said_stream(&o, said_common.models->causal);
    said *got = calloc(1, sizeof *got);
    const float *x = said_common.x;
    uint32_t random = 2;
    said_push_all(s, x, 20000, &random, got);
    assert_int_equal(vip_stream_push(s, &x, BLOCK + 1), 0);
    said_push_all(s, x, 20000, &random, got);
    assert_int_equal(vip_stream_give_model(s, said_common.other, 0, false, NULL), VIPANN_OK);
    said_push_all(s, x, 3000, &random, got);
    assert_int_equal(vip_stream_push(s, &x, BLOCK + 2), 0); /* while the new one becomes warm */
    said_push_all(s, x, 37000, &random, got);
    assert_int_equal(vip_stream_push(s, &x, 2 * BLOCK), 0);
    said_push_all(s, x, 20000, &random, got);
    vip_stream_state now;
    vip_stream_look(s, &now);
    assert_near(now.lost_seconds, (4.0 * BLOCK + 3) / RATE, 1e-12);
    const vipann_result *r = got->results.results[got->results.n - 1];
    assert_int_equal(r->classes, OTHER_CLASSES);
    assert_near(r->gap_seconds, (4.0 * BLOCK + 3) / RATE, 1e-12);
    assert_true(r->t_seconds > (100000 + 4 * BLOCK + 3) / (double)RATE - 0.64);
    vip_stream_free(s);
    said_free(got);
}

static const vipann_rules *
wrong_rules(void *user, const vipann_model *model)
{
    const bool *wrong = user;
    return *wrong ? said_common.others_rules : said_rules(NULL, model);
}

static void
test_a_model_that_cannot_be_used_leaves_the_old_one_running(void **state) /* U6 */
{
    (void)state;
    bool wrong = false;
    vip_stream_options o = said_options(false);
    o.rules = wrong_rules;
    o.user = &wrong;
    vip_stream *s = said_stream(&o, said_common.models->causal);
    said *expected = said_alone(said_common.models->causal, said_common.x, N, true), *got = calloc(1, sizeof *got);
    uint32_t random = 9;
    said_push_all(s, said_common.x, N / 2, &random, got);
    wrong = true;
    vipann_error error = {VIPANN_OK, ""};
    assert_int_equal(vip_stream_give_model(s, said_common.models->same, 0, true, &error), VIPANN_E_ARG);
    assert_int_equal(error.status, VIPANN_E_ARG);
    assert_true(strlen(error.text) > 0);
    assert_int_equal(vip_stream_give_model(s, said_common.models->same, 0, false, NULL), VIPANN_E_ARG);
    said_push_all(s, said_common.x + N / 2, N - N / 2, &random, got);
    vip_stream_flush(s);
    said_collect(s, got);
    said_assert_same(expected, got);
    vip_stream_free(s);
    said_free(expected);
    said_free(got);
}

/* ---------------------------------------------------------------------------------------------------------- threads */

typedef struct {
    vip_stream *stream;
    atomic_bool stop;
    size_t wrong, results;
    uint64_t open[MOST_EVENTS]; /* ids that have begun and not ended */
    size_t n_open;
} player;

static void
hear_event(player *p, const vipann_event *event)
{
    if (!event->ended) {
        p->wrong += p->n_open == MOST_EVENTS;
        p->open[p->n_open < MOST_EVENTS ? p->n_open++ : 0] = event->id;
        return;
    }
    size_t k = 0;
    while (k < p->n_open && p->open[k] != event->id) {
        k++;
    }
    p->wrong += k == p->n_open;
    p->open[k] = p->open[p->n_open > 0 ? --p->n_open : 0];
}

/* An audio thread: pushes, reads, sets, looks; at some fifty times the speed of sound. */
static void *
play(void *argument)
{
    player *p = argument;
    vipann_result *r = vip_stream_result_new();
    double newest = 0;
    for (size_t at = 0; !atomic_load_explicit(&p->stop, memory_order_relaxed); at = (at + BLOCK) % (N - BLOCK)) {
        const float *channel = said_common.x + at;
        (void)vip_stream_push(p->stream, &channel, BLOCK);
        vip_stream_set(p->stream, VIPANN_HORIZON, 0.1);
        if (vip_stream_latest(p->stream, r, NULL)) {
            p->wrong += !stream_sane(r) || r->t_seconds <= newest || r->last;
            newest = r->t_seconds;
            p->results++;
        }
        while (vip_stream_next_result(p->stream, r, NULL)) {
            p->wrong += !stream_sane(r);
        }
        vipann_event event;
        while (vip_stream_next_event(p->stream, &event, NULL)) {
            hear_event(p, &event);
        }
        vip_stream_state now;
        vip_stream_look(p->stream, &now);
        p->wrong += !now.has_model || now.passes > 4;
        said_rest(1);
    }
    vip_stream_result_free(r);
    return NULL;
}

static void
test_two_hundred_exchanges_while_sound_comes(void **state) /* U7 */
{
    (void)state;
    const vip_stream_options o = said_options(true);
    player p = {.stream = said_stream(&o, said_common.models->causal)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, play, &p), 0);
    vip_stream_state now = {0};
    for (unsigned i = 0; now.exchanges < 200 && i < 2000; i++) {
        vipann_model *const models[] = {said_common.other, said_common.models->same, said_common.models->plain};
        assert_int_equal(vip_stream_give_model(p.stream, models[i % 3], 0, i % 4 != 0, NULL), VIPANN_OK);
        vipann_model_unref(vip_stream_model(p.stream));
        if (i % 4 == 0) {
            said_rest(i % 8 == 0 ? 40 : 0); /* the time that some need to become warm, and others do not get */
        }
        vip_stream_look(p.stream, &now);
    }
    said_rest(50);
    atomic_store_explicit(&p.stop, true, memory_order_relaxed);
    assert_int_equal(pthread_join(thread, NULL), 0);
    print_message("# %u exchanges, %u results\n", (unsigned)now.exchanges, (unsigned)p.results);
    assert_true(now.exchanges >= 200);
    assert_int_equal(p.wrong, 0);
    assert_true(p.results > 20);
    vip_stream_flush(p.stream);
    vipann_event event;
    while (vip_stream_next_event(p.stream, &event, NULL)) {
        hear_event(&p, &event);
    }
    assert_int_equal(p.wrong + p.n_open, 0); /* whatever began has ended, over all exchanges */
    vip_stream_free(p.stream);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_passes_without_a_model),
        cmocka_unit_test(test_an_exchange_gives_the_old_answers_then_the_new_and_time_goes_on),
        cmocka_unit_test(test_an_exchange_ends_the_old_events_before_it_tells_the_new),
        cmocka_unit_test(test_a_request_that_was_not_carried_out_is_replaced),
        cmocka_unit_test(test_what_was_lost_stays_lost_when_the_model_is_exchanged),
        cmocka_unit_test(test_a_model_that_cannot_be_used_leaves_the_old_one_running),
        cmocka_unit_test(test_two_hundred_exchanges_while_sound_comes),
    };
    return cmocka_run_group_tests(tests, said_open, said_close);
}
