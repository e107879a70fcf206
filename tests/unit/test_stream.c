/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_stream.c -- live streams: U1 to U9 of plugin/stream/README.md. Run under the thread sanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "failing.h"
#include "numbers.h"
#include "plugin/stream/stream.h"
#include "stream.h"
#include "tests/data/random_model.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { RATE = 16000, N = 60 * STREAM_COLUMN + 1000, BLOCK = 700, MOST_EVENTS = 512, OTHER_CLASSES = 9 };

/* All tests share the models, a sound with silence in it, and rules by which every class is present in what is loud. */
static struct {
    stream_models *models;
    vipann_model *other; /* of OTHER_CLASSES, causal */
    vipann_rules *rules, *others_rules;
    float *x;
} common;

typedef struct {
    stream_answers results;
    size_t n_events;
    vipann_event events[MOST_EVENTS];
} said;

/* --------------------------------------------------------------------------------------------------------- helpers */

static vipann_rules *
loud_rules(const vipann_model *model)
{
    vipann_rules *rules = vipann_rules_new(model, NULL);
    const bool made = rules != NULL && vipann_rules_set(rules, NULL, "threshold", "0", "a test", NULL) == VIPANN_OK &&
                      vipann_rules_set(rules, NULL, "report", "yes", "a test", NULL) == VIPANN_OK &&
                      vipann_rules_set(rules, NULL, "level", "-60", "a test", NULL) == VIPANN_OK;
    return made ? rules : NULL;
}

static const vipann_rules *
rules_of(void *user, const vipann_model *model)
{
    (void)user;
    return model == common.other ? common.others_rules : common.rules;
}

static int
open_common(void **state)
{
    void *models = NULL;
    if (stream_open_models(&models) != 0) {
        return -1;
    }
    common.models = models;
    const random_model_spec spec = {VIP_RESNET22,   1, OTHER_CLASSES, VIP_CAUSAL, VIPANN_DROPOUT, VIPANN_MULTILABEL,
                                    STREAM_SEED + 1};
    common.other = stream_open(common.models, "other.safetensors", random_model(&spec));
    common.x = stream_sound(5, N);
    if (common.other == NULL || common.x == NULL) {
        return -1;
    }
    common.rules = loud_rules(common.models->causal);
    common.others_rules = loud_rules(common.other);
    for (size_t i = 0; i < N; i++) { /* two seconds each */
        common.x[i] = i / RATE % 4 >= 2 ? 0 : common.x[i];
    }
    *state = models;
    return common.rules != NULL && common.others_rules != NULL ? 0 : -1;
}

static int
close_common(void **state)
{
    vipann_rules_free(common.rules);
    vipann_rules_free(common.others_rules);
    vipann_model_unref(common.other);
    free(common.x);
    return stream_close_models(state);
}

static vip_stream_options
options_of(bool threaded)
{
    vip_stream_options o;
    vip_stream_defaults(&o);
    o.rate = RATE;
    o.max_block = BLOCK;
    o.passes = 2;
    o.max_passes = 4;
    o.window_seconds = 1;
    o.seed = 3;
    o.rules = rules_of;
    o.threaded = threaded;
    o.governed = false;
    return o;
}

static vip_stream *
stream_of(const vip_stream_options *o, vipann_model *model)
{
    vipann_error error = {VIPANN_OK, ""};
    vip_stream *s = vip_stream_new(o, &error);
    if (s == NULL || (model != NULL && vip_stream_give_model(s, model, 0, true, &error) != VIPANN_OK)) {
        fail_msg("%s", error.text);
    }
    return s;
}

static void
free_said(said *s)
{
    for (size_t i = 0; i < s->results.n; i++) {
        vipann_result_free(s->results.results[i]);
    }
    free(s);
}

/* A copy with arrays of its own; the result has room for more classes than it has. */
static vipann_result *
copy_of(const vipann_result *r, const vipann_model *model)
{
    vipann_result *copy = vipann_result_new(model);
    const vipann_result own = *copy;
    assert_int_equal(r->classes, own.classes);
    *copy = *r;
    copy->p = own.p;
    copy->std = own.std;
    copy->aleatoric = own.aleatoric;
    copy->epistemic = own.epistemic;
    const size_t bytes = r->classes * sizeof(float);
    memcpy(copy->p, r->p, bytes);
    memcpy(copy->std, r->std, bytes);
    memcpy(copy->aleatoric, r->aleatoric, bytes);
    memcpy(copy->epistemic, r->epistemic, bytes);
    return copy;
}

static void
collect_events(vip_stream *s, said *got)
{
    vipann_event event;
    while (vip_stream_next_event(s, &event, NULL)) {
        assert_true(got->n_events < MOST_EVENTS);
        got->events[got->n_events++] = event;
    }
}

/* Everything that has not been read. The model is the one whose classes a result has. */
static void
collect(vip_stream *s, said *got)
{
    vipann_result *r = vip_stream_result_new();
    while (vip_stream_next_result(s, r, NULL)) {
        assert_true(got->results.n < STREAM_RESULTS);
        const vipann_model *model = r->classes == OTHER_CLASSES ? common.other : common.models->causal;
        got->results.results[got->results.n++] = copy_of(r, model);
    }
    vip_stream_result_free(r);
    collect_events(s, got);
}

/* What an engine says of x that is alone with it; flushed or not. */
static said *
alone(vipann_model *model, const float *x, size_t n, bool flushed)
{
    said *got = calloc(1, sizeof *got);
    vipann_options o;
    vipann_options_default(&o, model);
    o.rate = RATE;
    o.passes = model == common.models->plain ? 0 : 2;
    o.max_passes = 4;
    o.seed = 3;
    o.window_columns = 3;
    o.rules = rules_of(NULL, model);
    vipann_engine *engine = vipann_engine_new(model, &o, NULL);
    vipann_reader *reader = vipann_reader_new(engine, VIPANN_RESULTS | VIPANN_EVENTS, NULL);
    const stream_host host = {.block = 512, .open = !flushed};
    stream_feed(engine, reader, model, &o, x, n, &host, &got->results);
    while (got->n_events < MOST_EVENTS && vipann_next_event(reader, &got->events[got->n_events])) {
        got->n_events++;
    }
    vipann_engine_free(engine);
    return got;
}

static bool
same_event(const vipann_event *a, const vipann_event *b)
{
    return a->id == b->id && a->class_index == b->class_index && a->ended == b->ended &&
           a->start_seconds == b->start_seconds && a->end_seconds == b->end_seconds && a->p_max == b->p_max &&
           a->p_mean == b->p_mean && a->has_epistemic == b->has_epistemic && a->epistemic_nats == b->epistemic_nats &&
           a->unknown == b->unknown && a->passes == b->passes && a->calibrated == b->calibrated;
}

static void
assert_same_said(const said *a, const said *b)
{
    assert_true(stream_all_equal(&a->results, &b->results));
    assert_int_equal(a->n_events, b->n_events);
    for (size_t i = 0; i < a->n_events; i++) {
        assert_true(same_event(&a->events[i], &b->events[i]));
    }
}

/* Hears x in blocks of random sizes from 0 on, some of them larger than the largest of a push. */
static void
push_all(vip_stream *s, const float *x, size_t n, uint32_t *random, said *got)
{
    for (size_t done = 0; done < n;) {
        const float *channel = x + done;
        const uint32_t most = 3u * BLOCK >> next_random(random) % 12;
        uint32_t frames = next_random(random) % (most + 1);
        frames = frames < n - done ? frames : (uint32_t)(n - done);
        vip_stream_push_all(s, &channel, frames);
        done += frames;
        if (got != NULL) {
            collect(s, got);
        }
    }
}

static void
rest(long milliseconds)
{
    const struct timespec time = {0, milliseconds * 1000000};
    (void)nanosleep(&time, NULL);
}

/* Each event that begins ends once, under its id and class; ids count from 1. Returns how many there were. */
static size_t
assert_paired(const said *got)
{
    size_t begun = 0, ended = 0;
    for (size_t i = 0; i < got->n_events; i++) {
        const vipann_event *event = &got->events[i];
        assert_true(event->end_seconds >= event->start_seconds);
        if (!event->ended) {
            assert_int_equal(event->id, ++begun);
            continue;
        }
        ended++;
        size_t before = 0;
        for (size_t k = 0; k < got->n_events; k++) {
            if (got->events[k].id == event->id && k != i) {
                assert_false(got->events[k].ended);
                assert_int_equal(got->events[k].class_index, event->class_index);
                before += k < i;
            }
        }
        assert_int_equal(before, 1);
    }
    assert_int_equal(begun, ended);
    return begun;
}

/* ------------------------------------------------------------------------------------------------------- one model */

static void
test_a_stream_says_what_its_engine_would_say_alone(void **state) /* U1 */
{
    (void)state;
    vipann_model *const models[] = {common.models->causal, common.models->same, common.models->late};
    for (uint32_t i = 0; i < LENGTH(models); i++) {
        said *expected = alone(models[i], common.x, N, true), *got = calloc(1, sizeof *got);
        const vip_stream_options o = options_of(false);
        vip_stream *s = stream_of(&o, models[i]);
        uint32_t random = i + 1;
        push_all(s, common.x, N, &random, got);
        vip_stream_flush(s);
        collect(s, got);
        assert_same_said(expected, got);
        assert_true(expected->results.n >= 60 && assert_paired(got) >= 4 * STREAM_CLASSES);
        vip_stream_free(s);
        free_said(expected);
        free_said(got);
    }
}

/* Pushes x as fast as the stream hears it, so that nothing is lost. */
static void
push_patiently(vip_stream *s, const float *x, size_t n, said *got)
{
    double newest = 0;
    for (size_t done = 0; done < n;) {
        while ((double)done / RATE - newest > 2) {
            const size_t before = got->results.n;
            collect(s, got);
            newest = got->results.n > 0 ? got->results.results[got->results.n - 1]->t_seconds : 0;
            if (got->results.n == before) {
                rest(1);
            }
        }
        const float *channel = x + done;
        const uint32_t frames = n - done < BLOCK ? (uint32_t)(n - done) : BLOCK;
        assert_int_equal(vip_stream_push(s, &channel, frames), frames);
        done += frames;
    }
}

static void
test_its_own_thread_hears_the_same(void **state) /* U1 */
{
    (void)state;
    said *expected = alone(common.models->causal, common.x, N, true), *got = calloc(1, sizeof *got);
    const vip_stream_options o = options_of(true);
    vip_stream *s = stream_of(&o, common.models->causal);
    push_patiently(s, common.x, N / 2, got);
    uint32_t random = 3;
    push_all(s, common.x + N / 2, 3 * N / 8, &random, NULL); /* the two ways of pushing may take turns */
    collect(s, got);
    for (size_t done = N / 2 + 3 * N / 8; done < N; done += BLOCK) { /* less than what an engine holds */
        const float *channel = common.x + done;
        const uint32_t frames = N - done < BLOCK ? (uint32_t)(N - done) : BLOCK;
        assert_int_equal(vip_stream_push(s, &channel, frames), frames);
    }
    vip_stream_flush(s);
    collect(s, got);
    assert_same_said(expected, got);
    vip_stream_state now;
    vip_stream_look(s, &now);
    assert_true(now.has_model && now.lost_seconds == 0 && now.exchanges == 0);
    assert_true(now.passes == 2 && now.hop_columns == 1);
    vip_stream_free(s);
    free_said(expected);
    free_said(got);
}

static void
test_nothing_is_lost_however_long_the_block(void **state) /* U2 */
{
    (void)state;
    said *expected = alone(common.models->causal, common.x, N, true), *got = calloc(1, sizeof *got);
    vip_stream_options o = options_of(true);
    o.governed = true; /* of no effect on what is not live */
    vip_stream *s = stream_of(&o, common.models->causal);
    const float *x = common.x;
    vip_stream_push_all(s, &x, N);
    vip_stream_flush(s);
    collect(s, got);
    assert_same_said(expected, got);
    vip_stream_free(s);
    free_said(got);
    got = calloc(1, sizeof *got);
    o.threaded = false; /* so that nobody hears what is pushed until the engine holds no more */
    s = stream_of(&o, common.models->causal);
    size_t done = 0;
    for (; vip_stream_push(s, &(const float *){common.x + done}, BLOCK) > 0; done += BLOCK) {
    }
    vip_stream_reset(s);
    for (size_t at = 0; at < done; at += BLOCK) {
        assert_int_equal(vip_stream_push(s, &(const float *){common.x + at}, BLOCK), BLOCK);
    }
    vip_stream_push_all(s, &(const float *){common.x + done}, (uint32_t)(N - done));
    vip_stream_flush(s);
    collect(s, got);
    assert_same_said(expected, got);
    vip_stream_free(s);
    free_said(expected);
    free_said(got);
}

static void
test_the_latest_is_the_newest_once(void **state) /* U1 */
{
    (void)state;
    const vip_stream_options o = options_of(false);
    vip_stream *s = stream_of(&o, common.models->causal);
    vipann_result *latest = vip_stream_result_new(), *next = vip_stream_result_new();
    const float *x = common.x;
    assert_false(vip_stream_latest(s, latest, NULL));
    vip_stream_push_all(s, &x, 5 * STREAM_COLUMN + 3000);
    assert_true(vip_stream_latest(s, latest, NULL));
    assert_false(vip_stream_latest(s, latest, NULL));
    size_t n = 0;
    while (vip_stream_next_result(s, next, NULL)) {
        n++;
    }
    assert_true(n >= 4 && latest->classes == STREAM_CLASSES && stream_equal(latest, next));
    vip_stream_result_free(latest);
    vip_stream_result_free(next);
    vip_stream_free(s);
}

static void
test_reset_begins_again_at_time_zero(void **state) /* U3 */
{
    (void)state;
    said *expected = alone(common.models->same, common.x, N, true);
    const vip_stream_options o = options_of(true);
    vip_stream *s = stream_of(&o, common.models->same);
    uint32_t random = 1;
    for (int i = 0; i < 3; i++) {
        said *got = calloc(1, sizeof *got);
        push_all(s, common.x, N, &random, got);
        vip_stream_flush(s);
        collect(s, got);
        assert_same_said(expected, got);
        push_all(s, common.x, 9000, &random, NULL); /* after the end: of no effect */
        vip_stream_reset(s);
        collect(s, got);
        assert_int_equal(got->results.n, expected->results.n);
        free_said(got);
    }
    vip_stream_free(s);
    free_said(expected);
}

static void
test_parameters_stay_when_the_model_is_exchanged(void **state) /* U6 */
{
    (void)state;
    const vip_stream_options o = options_of(false);
    vip_stream *s = stream_of(&o, common.models->causal);
    said *got = calloc(1, sizeof *got);
    vip_stream_set(s, VIPANN_PASSES, 99);
    vip_stream_set(s, VIPANN_HOP, 4);
    vip_stream_set(s, VIPANN_HOP, NAN);
    vip_stream_set(s, VIPANN_N_PARAMS, 7);
    uint32_t random = 1;
    for (int i = 0; i < 2; i++) {
        push_all(s, common.x, N / 2, &random, got);
        vip_stream_state now;
        vip_stream_look(s, &now);
        assert_int_equal(now.passes, 4); /* the most that may be asked for */
        assert_int_equal(now.hop_columns, 4);
        const stream_answers *r = &got->results;
        assert_int_equal(r->results[r->n - 1]->passes, 4);
        assert_near(r->results[r->n - 1]->t_seconds - r->results[r->n - 2]->t_seconds, 4 * 0.32, 1e-9);
        assert_int_equal(vip_stream_give_model(s, common.other, 0, true, NULL), VIPANN_OK);
    }
    vip_stream_free(s);
    free_said(got);
}

/* --------------------------------------------------------------------------------------------------------- exchange */

static void
test_time_passes_without_a_model(void **state) /* U4 */
{
    (void)state;
    const vip_stream_options o = options_of(false);
    vip_stream *s = stream_of(&o, NULL);
    said *got = calloc(1, sizeof *got);
    uint32_t random = 4;
    vip_stream_state now;
    vip_stream_look(s, &now);
    assert_false(now.has_model);
    assert_null(vip_stream_model(s));
    const size_t before = 3 * RATE;
    const float *x = common.x;
    assert_int_equal(vip_stream_push(s, &x, BLOCK), BLOCK);
    push_all(s, common.x, before - BLOCK, &random, got);
    assert_int_equal(vip_stream_work(s), 0);
    assert_int_equal(got->results.n, 0);
    assert_int_equal(vip_stream_give_model(s, common.models->causal, 0, false, NULL), VIPANN_OK);
    push_all(s, common.x, N, &random, got);
    said *expected = alone(common.models->causal, common.x, N, false);
    assert_int_equal(got->results.n, expected->results.n);
    for (size_t i = 0; i < got->results.n; i++) {
        assert_true(stream_same_content(got->results.results[i], expected->results.results[i]));
        assert_true(got->results.results[i]->t_seconds == 3 + expected->results.results[i]->t_seconds);
    }
    assert_true(got->events[0].start_seconds == 3 + expected->events[0].start_seconds);
    vip_stream_free(s);
    free_said(expected);
    free_said(got);
}

static const double LOOK_AHEAD = 2; /* seconds; more than that of `same` */

/* The stream hears x up to `given`, is given the other model, and hears the rest. */
static said *
exchange(vipann_model *before, vipann_model *after, size_t given, bool at_once)
{
    const vip_stream_options o = options_of(false);
    vip_stream *s = stream_of(&o, before);
    said *got = calloc(1, sizeof *got);
    uint32_t random = 8;
    push_all(s, common.x, given, &random, got);
    assert_int_equal(vip_stream_give_model(s, after, 0, at_once, NULL), VIPANN_OK);
    vipann_model *serves = vip_stream_model(s);
    assert_ptr_equal(serves, at_once ? after : before);
    vipann_model_unref(serves);
    push_all(s, common.x + given, N - given, &random, got);
    serves = vip_stream_model(s);
    assert_ptr_equal(serves, after);
    vipann_model_unref(serves);
    vip_stream_state now;
    vip_stream_look(s, &now);
    assert_int_equal(now.exchanges, 1);
    vip_stream_flush(s);
    collect(s, got);
    vip_stream_free(s);
    return got;
}

/* The two engines alone: the old one heard what came before, the new one what came since it was given. The old one's
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
    vipann_model *const old[] = {common.models->causal, common.models->same};
    const size_t given = 11 * STREAM_COLUMN + 1234;
    said *after = alone(common.other, common.x + given, N - given, true);
    for (size_t i = 0; i < 4; i++) {
        const bool at_once = i >= 2;
        said *before = alone(old[i % 2], common.x, N, true);
        said *got = exchange(old[i % 2], common.other, given, at_once);
        assert_exchanged(got, before, after, (double)given / RATE, OTHER_CLASSES, at_once ? 0 : 0.95);
        free_said(before);
        free_said(got);
    }
    free_said(after);
}

static void
test_an_exchange_ends_the_old_events_before_it_tells_the_new(void **state) /* U5 */
{
    (void)state;
    static const size_t given[] = {11 * STREAM_COLUMN, 40000, 60000, 77777, 100000};
    for (size_t i = 0; i < 2 * LENGTH(given); i++) {
        said *got = exchange(common.models->same, common.other, given[i / 2], i % 2 == 0);
        assert_true(assert_paired(got) > STREAM_CLASSES + OTHER_CLASSES);
        size_t open = 0;
        bool others = false;
        for (size_t k = 0; k < got->n_events; k++) {
            const vipann_event *event = &got->events[k];
            open += event->ended ? 0 : 1;
            if (event->class_index >= STREAM_CLASSES && !others) { /* the first that only the new one can tell */
                others = true;
                assert_true(open <= OTHER_CLASSES);
            }
            open -= event->ended ? 1 : 0;
            assert_true(open <= OTHER_CLASSES);
        }
        assert_true(others);
        free_said(got);
    }
}

static void
test_a_request_that_was_not_carried_out_is_replaced(void **state) /* U4 */
{
    (void)state;
    const vip_stream_options o = options_of(false);
    vip_stream *s = stream_of(&o, common.models->same);
    said *got = calloc(1, sizeof *got);
    uint32_t random = 6;
    push_all(s, common.x, 30000, &random, got);
    assert_int_equal(vip_stream_give_model(s, common.models->causal, 0, false, NULL), VIPANN_OK);
    push_all(s, common.x, 2000, &random, got);
    assert_int_equal(vip_stream_give_model(s, common.other, 0, false, NULL), VIPANN_OK);
    push_all(s, common.x, N / 2, &random, got);
    vip_stream_state now;
    vip_stream_look(s, &now);
    assert_int_equal(now.exchanges, 1);
    assert_int_equal(got->results.results[got->results.n - 1]->classes, OTHER_CLASSES);
    assert_int_equal(vip_stream_give_model(s, common.models->causal, 0, false, NULL), VIPANN_OK);
    vip_stream_reset(s); /* there is nothing left that it would have to know */
    vipann_model *serves = vip_stream_model(s);
    assert_ptr_equal(serves, common.models->causal);
    vipann_model_unref(serves);
    vip_stream_free(s);
    free_said(got);
}

static void
test_what_was_lost_stays_lost_when_the_model_is_exchanged(void **state) /* U4 */
{
    (void)state;
    const vip_stream_options o = options_of(false);
    vip_stream *s = stream_of(&o, common.models->causal);
    said *got = calloc(1, sizeof *got);
    const float *x = common.x;
    uint32_t random = 2;
    push_all(s, x, 20000, &random, got);
    assert_int_equal(vip_stream_push(s, &x, BLOCK + 1), 0);
    push_all(s, x, 20000, &random, got);
    assert_int_equal(vip_stream_give_model(s, common.other, 0, false, NULL), VIPANN_OK);
    push_all(s, x, 3000, &random, got);
    assert_int_equal(vip_stream_push(s, &x, BLOCK + 2), 0); /* while the new one becomes warm */
    push_all(s, x, 37000, &random, got);
    assert_int_equal(vip_stream_push(s, &x, 2 * BLOCK), 0);
    push_all(s, x, 20000, &random, got);
    vip_stream_state now;
    vip_stream_look(s, &now);
    assert_near(now.lost_seconds, (4.0 * BLOCK + 3) / RATE, 1e-12);
    const vipann_result *r = got->results.results[got->results.n - 1];
    assert_int_equal(r->classes, OTHER_CLASSES);
    assert_near(r->gap_seconds, (4.0 * BLOCK + 3) / RATE, 1e-12);
    assert_true(r->t_seconds > (100000 + 4 * BLOCK + 3) / (double)RATE - 0.64);
    vip_stream_free(s);
    free_said(got);
}

static const vipann_rules *
wrong_rules(void *user, const vipann_model *model)
{
    const bool *wrong = user;
    return *wrong ? common.others_rules : rules_of(NULL, model);
}

static void
test_a_model_that_cannot_be_used_leaves_the_old_one_running(void **state) /* U6 */
{
    (void)state;
    bool wrong = false;
    vip_stream_options o = options_of(false);
    o.rules = wrong_rules;
    o.user = &wrong;
    vip_stream *s = stream_of(&o, common.models->causal);
    said *expected = alone(common.models->causal, common.x, N, true), *got = calloc(1, sizeof *got);
    uint32_t random = 9;
    push_all(s, common.x, N / 2, &random, got);
    wrong = true;
    vipann_error error = {VIPANN_OK, ""};
    assert_int_equal(vip_stream_give_model(s, common.models->same, 0, true, &error), VIPANN_E_ARG);
    assert_int_equal(error.status, VIPANN_E_ARG);
    assert_true(strlen(error.text) > 0);
    assert_int_equal(vip_stream_give_model(s, common.models->same, 0, false, NULL), VIPANN_E_ARG);
    push_all(s, common.x + N / 2, N - N / 2, &random, got);
    vip_stream_flush(s);
    collect(s, got);
    assert_same_said(expected, got);
    vip_stream_free(s);
    free_said(expected);
    free_said(got);
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
        const float *channel = common.x + at;
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
        rest(1);
    }
    vip_stream_result_free(r);
    return NULL;
}

static void
test_two_hundred_exchanges_while_sound_comes(void **state) /* U7 */
{
    (void)state;
    const vip_stream_options o = options_of(true);
    player p = {.stream = stream_of(&o, common.models->causal)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, play, &p), 0);
    vip_stream_state now = {0};
    for (unsigned i = 0; now.exchanges < 200 && i < 2000; i++) {
        vipann_model *const models[] = {common.other, common.models->same, common.models->plain};
        assert_int_equal(vip_stream_give_model(p.stream, models[i % 3], 0, i % 4 != 0, NULL), VIPANN_OK);
        vipann_model_unref(vip_stream_model(p.stream));
        if (i % 4 == 0) {
            rest(i % 8 == 0 ? 40 : 0); /* the time that some need to become warm, and others do not get */
        }
        vip_stream_look(p.stream, &now);
    }
    rest(50);
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

static void
test_a_stream_can_go_while_its_thread_works(void **state) /* U7 */
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        const vip_stream_options o = options_of(true);
        vip_stream *s = stream_of(&o, i % 4 == 3 ? NULL : common.models->same);
        for (int k = 0; k < 5 * i; k++) {
            const float *x = common.x + k * BLOCK;
            (void)vip_stream_push(s, &x, BLOCK);
        }
        assert_int_equal(vip_stream_give_model(s, common.other, 0, i % 2 == 0, NULL), VIPANN_OK);
        vip_stream_free(s);
    }
    vip_stream_free(NULL);
}

static void
test_overload_takes_members_and_results_say_so(void **state) /* U8 */
{
    (void)state;
    vip_stream_options o = options_of(true);
    o.passes = 8;
    o.governed = true;
    vip_stream *s = stream_of(&o, common.models->causal);
    vipann_result *r = vip_stream_result_new();
    vip_stream_state now;
    bool fewer = false;
    const double give_up = 30;
    const time_t begin = time(NULL);
    for (size_t at = 0; !fewer && difftime(time(NULL), begin) < give_up; at = (at + BLOCK) % (N - BLOCK)) {
        const float *channel = common.x + at; /* far more sound than any machine can hear */
        (void)vip_stream_push(s, &channel, BLOCK);
        while (vip_stream_next_result(s, r, NULL)) {
            fewer = fewer || r->passes < 8;
        }
    }
    vip_stream_look(s, &now);
    assert_true(fewer && now.passes >= 2 && now.passes < 8);
    assert_true(now.late_hops > 0 && now.lost_seconds > 0 && now.backlog_seconds > 0 && now.load > 0);
    const float *x = common.x;
    vip_stream_push_all(s, &x, 20 * STREAM_COLUMN); /* is not live: all that is asked for */
    while (vip_stream_next_result(s, r, NULL)) {
    }
    vip_stream_look(s, &now);
    assert_int_equal(now.passes, 8);
    assert_int_equal(r->passes, 8);
    vip_stream_result_free(r);
    vip_stream_free(s);
}

/* ----------------------------------------------------------------------------------------------------------- memory */

static void
test_a_running_stream_allocates_nothing(void **state) /* U9 */
{
    (void)state;
    const vip_stream_options o = options_of(false);
    vip_stream *s = stream_of(&o, common.models->causal);
    vipann_result *r = vip_stream_result_new();
    vipann_event event;
    vip_stream_state now;
    failing_after(-1);
    for (size_t at = 0; at + BLOCK <= N; at += BLOCK) {
        const float *channel = common.x + at;
        (void)vip_stream_push(s, &channel, BLOCK);
        vip_stream_set(s, VIPANN_PASSES, at % 1000 < 500 ? 2 : 4);
        (void)vip_stream_work(s);
        (void)vip_stream_latest(s, r, NULL);
        (void)vip_stream_next_result(s, r, NULL);
        (void)vip_stream_next_event(s, &event, NULL);
        vip_stream_look(s, &now);
    }
    assert_int_equal(failing_count(), 0);
    assert_true(r->t_seconds > 0);
    vip_stream_result_free(r);
    vip_stream_free(s);
}

static void
test_no_memory_is_a_clean_failure(void **state) /* U9 */
{
    (void)state;
    vip_stream_options o = options_of(false);
    vipann_error error;
    bool made = false;
    for (long n = 0; !made; n++) {
        failing_after(n);
        vip_stream *s = vip_stream_new(&o, &error);
        failing_after(-1);
        made = s != NULL;
        assert_true(made || error.status == VIPANN_E_MEMORY);
        vip_stream_free(s);
    }
    o.threaded = true;
    vip_stream *s = stream_of(&o, NULL);
    vipann_status status = VIPANN_E_MEMORY;
    for (long n = 0; status != VIPANN_OK; n++) {
        error.status = VIPANN_OK;
        failing_after(n);
        status = vip_stream_give_model(s, common.models->flipout, 0, n % 2 == 0, &error);
        failing_after(-1);
        assert_int_equal(status, status == VIPANN_OK ? VIPANN_OK : VIPANN_E_MEMORY);
        assert_int_equal(error.status, status);
    }
    vip_stream_free(s);
    vipann_result *result = NULL;
    for (long n = 0; result == NULL; n++) {
        failing_after(n);
        result = vip_stream_result_new();
        failing_after(-1);
    }
    vip_stream_result_free(result);
    vip_stream_result_free(NULL);
}

static void
test_options_out_of_range_are_named(void **state) /* U6 */
{
    (void)state;
    vip_stream_options table[9];
    static const char *const names[] = {"rate",           "channels",           "max_block",
                                        "passes",         "max_passes",         "latency",
                                        "window_seconds", "max_window_seconds", "horizon_seconds"};
    for (size_t i = 0; i < LENGTH(table); i++) {
        table[i] = options_of(false);
    }
    table[0].rate = NAN;
    table[1].channels = 0;
    table[2].max_block = 65537;
    table[3].passes = 65;
    table[4].max_passes = VIP_STREAM_MODELS;
    table[5].latency = (vipann_latency)2;
    table[6].window_seconds = -1;
    table[7].max_window_seconds = INFINITY;
    table[8].horizon_seconds = 3601;
    for (size_t i = 0; i < LENGTH(table); i++) {
        vipann_error error = {VIPANN_OK, ""};
        assert_null(vip_stream_new(&table[i], &error));
        assert_int_equal(error.status, VIPANN_E_ARG);
        assert_non_null(strstr(error.text, names[i]));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stream_says_what_its_engine_would_say_alone),
        cmocka_unit_test(test_its_own_thread_hears_the_same),
        cmocka_unit_test(test_nothing_is_lost_however_long_the_block),
        cmocka_unit_test(test_the_latest_is_the_newest_once),
        cmocka_unit_test(test_reset_begins_again_at_time_zero),
        cmocka_unit_test(test_parameters_stay_when_the_model_is_exchanged),
        cmocka_unit_test(test_time_passes_without_a_model),
        cmocka_unit_test(test_an_exchange_gives_the_old_answers_then_the_new_and_time_goes_on),
        cmocka_unit_test(test_an_exchange_ends_the_old_events_before_it_tells_the_new),
        cmocka_unit_test(test_a_request_that_was_not_carried_out_is_replaced),
        cmocka_unit_test(test_what_was_lost_stays_lost_when_the_model_is_exchanged),
        cmocka_unit_test(test_a_model_that_cannot_be_used_leaves_the_old_one_running),
        cmocka_unit_test(test_two_hundred_exchanges_while_sound_comes),
        cmocka_unit_test(test_a_stream_can_go_while_its_thread_works),
        cmocka_unit_test(test_overload_takes_members_and_results_say_so),
        cmocka_unit_test(test_a_running_stream_allocates_nothing),
        cmocka_unit_test(test_no_memory_is_a_clean_failure),
        cmocka_unit_test(test_options_out_of_range_are_named),
    };
    return cmocka_run_group_tests(tests, open_common, close_common);
}
