/* SPDX-License-Identifier: GPL-3.0-or-later */
/* said.c -- see said.h for the contract. */
#include "said.h"

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
#include "tests/data/random_model.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

struct said_shared said_common;

static vipann_rules *
loud_rules(const vipann_model *model)
{
    vipann_rules *rules = vipann_rules_new(model, NULL);
    const bool made = rules != NULL && vipann_rules_set(rules, NULL, "threshold", "0", "a test", NULL) == VIPANN_OK &&
                      vipann_rules_set(rules, NULL, "report", "yes", "a test", NULL) == VIPANN_OK &&
                      vipann_rules_set(rules, NULL, "level", "-60", "a test", NULL) == VIPANN_OK;
    return made ? rules : NULL;
}

const vipann_rules *
said_rules(void *user, const vipann_model *model)
{
    (void)user;
    return model == said_common.other ? said_common.others_rules : said_common.rules;
}

int
said_open(void **state)
{
    void *models = NULL;
    if (stream_open_models(&models) != 0) {
        return -1;
    }
    said_common.models = models;
    const random_model_spec spec = {VIP_RESNET22,   1, OTHER_CLASSES, VIP_CAUSAL, VIPANN_DROPOUT, VIPANN_MULTILABEL,
                                    STREAM_SEED + 1};
    said_common.other = stream_open(said_common.models, "other.safetensors", random_model(&spec));
    said_common.x = stream_sound(5, N);
    if (said_common.other == NULL || said_common.x == NULL) {
        return -1;
    }
    said_common.rules = loud_rules(said_common.models->causal);
    said_common.others_rules = loud_rules(said_common.other);
    for (size_t i = 0; i < N; i++) { /* two seconds each */
        said_common.x[i] = i / RATE % 4 >= 2 ? 0 : said_common.x[i];
    }
    *state = models;
    return said_common.rules != NULL && said_common.others_rules != NULL ? 0 : -1;
}

int
said_close(void **state)
{
    vipann_rules_free(said_common.rules);
    vipann_rules_free(said_common.others_rules);
    vipann_model_unref(said_common.other);
    free(said_common.x);
    return stream_close_models(state);
}

vip_stream_options
said_options(bool threaded)
{
    vip_stream_options o;
    vip_stream_defaults(&o);
    o.rate = RATE;
    o.max_block = BLOCK;
    o.passes = 2;
    o.max_passes = 4;
    o.window_seconds = 1;
    o.seed = 3;
    o.rules = said_rules;
    o.threaded = threaded;
    o.governed = false;
    return o;
}

vip_stream *
said_stream(const vip_stream_options *o, vipann_model *model)
{
    vipann_error error = {VIPANN_OK, ""};
    vip_stream *s = vip_stream_new(o, &error);
    if (s == NULL || (model != NULL && vip_stream_give_model(s, model, 1, true, &error) != VIPANN_OK)) {
        fail_msg("%s", error.text);
    }
    return s;
}

void
said_free(said *s)
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
    uint32_t tag;
    while (vip_stream_next_event(s, &event, &tag)) {
        assert_true(got->n_events < MOST_EVENTS);
        got->event_tags[got->n_events] = tag;
        got->events[got->n_events++] = event;
    }
}

/* Everything that has not been read. The model is the one whose classes a result has. */
void
said_collect(vip_stream *s, said *got)
{
    vipann_result *r = vip_stream_result_new();
    uint32_t tag;
    while (vip_stream_next_result(s, r, &tag)) {
        assert_true(got->results.n < STREAM_RESULTS);
        got->result_tags[got->results.n] = tag;
        const vipann_model *model = r->classes == OTHER_CLASSES ? said_common.other : said_common.models->causal;
        got->results.results[got->results.n++] = copy_of(r, model);
    }
    vip_stream_result_free(r);
    collect_events(s, got);
}

/* What an engine says of x that is said_alone with it; flushed or not. */
said *
said_alone(vipann_model *model, const float *x, size_t n, bool flushed)
{
    said *got = calloc(1, sizeof *got);
    vipann_options o;
    vipann_options_default(&o, model);
    o.rate = RATE;
    o.passes = model == said_common.models->plain ? 0 : 2;
    o.max_passes = 4;
    o.seed = 3;
    o.window_columns = 3;
    o.rules = said_rules(NULL, model);
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

void
said_assert_same(const said *a, const said *b)
{
    assert_true(stream_all_equal(&a->results, &b->results));
    assert_int_equal(a->n_events, b->n_events);
    for (size_t i = 0; i < a->n_events; i++) {
        assert_true(same_event(&a->events[i], &b->events[i]));
    }
}

/* Hears x in blocks of random sizes from 0 on, some of them larger than the largest of a push. */
void
said_push_all(vip_stream *s, const float *x, size_t n, uint32_t *random, said *got)
{
    for (size_t done = 0; done < n;) {
        const float *channel = x + done;
        const uint32_t most = 3u * BLOCK >> next_random(random) % 12;
        uint32_t frames = next_random(random) % (most + 1);
        frames = frames < n - done ? frames : (uint32_t)(n - done);
        vip_stream_push_all(s, &channel, frames);
        done += frames;
        if (got != NULL) {
            said_collect(s, got);
        }
    }
}

void
said_rest(long milliseconds)
{
    const struct timespec time = {0, milliseconds * 1000000};
    (void)nanosleep(&time, NULL);
}

/* Each event that begins ends once, under its id and class; ids count from 1. Returns how many there were. */
size_t
said_assert_paired(const said *got)
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
