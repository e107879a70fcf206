/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_engine_events.c -- events and silence as an engine tells them: E1 to E5 of engine/README.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "offline_events.h"
#include "stream.h"
#include "tests/data/random_model.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static const double COLUMN_S = 0.32;

static const stream_host plain_host = {.block = 512};

static void
collect(vipann_reader *reader, event_list *f)
{
    vipann_event event;
    while (vipann_next_event(reader, &event)) {
        append_event(f, &event);
    }
}

/* The events of x, heard by a host. */
static event_list *
hear(vipann_model *model, const vipann_options *o, const float *x, size_t n, const stream_host *host)
{
    event_list *f = calloc(1, sizeof *f);
    stream_answers *answers = calloc(1, sizeof *answers);
    vipann_engine *engine = vipann_engine_new(model, o, NULL);
    vipann_reader *results = vipann_reader_new(engine, VIPANN_RESULTS, NULL);
    vipann_reader *events = vipann_reader_new(engine, VIPANN_EVENTS, NULL);
    assert_true(f != NULL && answers != NULL && results != NULL && events != NULL);
    stream_feed(engine, results, model, o, x, n, host, answers);
    collect(events, f);
    assert_int_equal(vipann_reader_lost(events), 0);
    stream_answers_free(answers);
    vipann_engine_free(engine);
    return f;
}

static void
set_rule(vipann_rules *rules, const char *key, double value)
{
    char text[32];
    vipann_error error = {VIPANN_OK, ""};
    (void)snprintf(text, sizeof text, "%.9f", value);
    if (vipann_rules_set(rules, NULL, key, text, "a test", &error) != VIPANN_OK) {
        fail_msg("%s", error.text);
    }
}

/* Rules by which every class is always present, even one that the model calls not reportable. */
static void
hear_everything(vipann_rules *rules)
{
    set_rule(rules, "threshold", 0);
    set_rule(rules, "level", -200);
    assert_int_equal(vipann_rules_set(rules, NULL, "report", "yes", "a test", NULL), VIPANN_OK);
}

/* Rules by which every class is present now and then: each has its own median as the threshold. */
static vipann_rules *
median_rules(vipann_model *model, const stream_answers *answers)
{
    vipann_rules *rules = vipann_rules_new(model, NULL);
    assert_non_null(rules);
    set_rule(rules, "hysteresis", 0.01);
    set_rule(rules, "merge_gap", 0.5);
    set_rule(rules, "min_length", 0.4);
    for (uint32_t c = 0; c < STREAM_CLASSES; c++) {
        float sorted[STREAM_RESULTS];
        char text[32];
        for (size_t i = 0; i < answers->n; i++) {
            size_t k = i;
            for (; k > 0 && sorted[k - 1] > answers->results[i]->p[c]; k--) {
                sorted[k] = sorted[k - 1];
            }
            sorted[k] = answers->results[i]->p[c];
        }
        (void)snprintf(text, sizeof text, "%.9f", (double)sorted[answers->n / 2]);
        assert_int_equal(vipann_rules_set(rules, vipann_model_label(model, c), "threshold", text, "a test", NULL),
                         VIPANN_OK);
    }
    return rules;
}

/* What the detector makes of the answers of a short window, one per column. */
static void
detect(const vipann_rules *rules, const stream_answers *answers, event_list *f)
{
    const vip_event_sink sink = {f, append_event};
    vip_detector *detector = vip_detector_new(rules);
    assert_non_null(detector);
    double since = 0;
    for (size_t i = 0; i < answers->n; i++) {
        const vipann_result *r = answers->results[i];
        if (r->t_seconds <= since) {
            continue; /* the end added nothing */
        }
        const vip_moment moment = {.since = since,
                                   .t = r->t_seconds,
                                   .lag = (VIPANN_EVENT_COLUMNS - 1) * COLUMN_S,
                                   .p = r->p,
                                   .epistemic = r->has_epistemic ? r->epistemic : NULL,
                                   .passes = r->passes,
                                   .silent = r->silent,
                                   .unknown = r->unknown,
                                   .calibrated = r->calibrated};
        vip_detector_hear(detector, &moment, &sink);
        since = r->t_seconds;
    }
    vip_detector_end(detector, &sink);
    vip_detector_free(detector);
}

static bool
same_events(const event_list *a, const event_list *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        const vipann_event *x = &a->events[i], *y = &b->events[i];
        if (x->id != y->id || x->class_index != y->class_index || x->ended != y->ended ||
            x->start_seconds != y->start_seconds || x->end_seconds != y->end_seconds || x->p_max != y->p_max ||
            x->p_mean != y->p_mean || x->has_epistemic != y->has_epistemic || x->epistemic_nats != y->epistemic_nats ||
            x->passes != y->passes) {
            fprintf(stderr, "event %zu: class %u %g..%g p %g, and class %u %g..%g p %g\n", i, (unsigned)x->class_index,
                    x->start_seconds, x->end_seconds, x->p_max, (unsigned)y->class_index, y->start_seconds,
                    y->end_seconds, y->p_max);
            return false;
        }
    }
    if (a->n != b->n) {
        fprintf(stderr, "%zu events and %zu\n", a->n, b->n);
    }
    return a->n == b->n;
}

/* Whatever the window, the hop, the blocks and the pieces: events are those of the short window at every column. */
static void
test_events_are_those_of_the_short_window_whatever_hop_and_pieces(void **state) /* E1 */
{
    const stream_models *models = *state;
    const struct {
        vipann_model *model;
        uint32_t passes;
    } table[] = {{models->same, 3}, {models->causal, 1}, {models->flipout, 4}, {models->plain, 0}};
    enum { N = 60 * STREAM_COLUMN + 777 };
    float *x = stream_sound(21, N);
    for (size_t i = 0; i < LENGTH(table); i++) {
        vipann_options o = stream_options(table[i].model, table[i].passes, VIPANN_CENTRED);
        o.window_columns = VIPANN_EVENT_COLUMNS;
        stream_answers *answers = stream_run(table[i].model, &o, x, N, &plain_host);
        vipann_rules *rules = median_rules(table[i].model, answers);
        event_list *expected = calloc(1, sizeof *expected);
        detect(rules, answers, expected);
        assert_true(expected->n > 10);
        o.rules = rules;
        static const uint32_t hops[] = {1, 4, 30}, windows[] = {15, 1, 0}, pieces[] = {1, 5, 32};
        for (size_t k = 0; k < LENGTH(hops); k++) {
            o.hop_columns = hops[k];
            o.window_columns = windows[k];
            o.piece_columns = pieces[k];
            o.horizon_seconds = (double)k;
            const stream_host host = {.seed = (uint32_t)(7 * k), .block = 300};
            event_list *events = hear(table[i].model, &o, x, N, &host);
            assert_true(same_events(expected, events));
            free(events);
        }
        vipann_rules_free(rules);
        stream_answers_free(answers);
        free(expected);
    }
    free(x);
}

/* At the edge too blocks change nothing, and a hop that is longer than what can still be asked for loses no event. */
static void
test_events_at_the_edge_do_not_depend_on_blocks(void **state) /* E1 */
{
    const stream_models *models = *state;
    enum { N = 40 * STREAM_COLUMN + 99 };
    float *x = stream_sound(22, N);
    vipann_options o = stream_options(models->same, 2, VIPANN_EDGE);
    vipann_rules *rules = vipann_rules_new(models->same, NULL);
    hear_everything(rules);
    o.rules = rules;
    static const uint32_t hops[] = {1, 3, 20};
    for (size_t k = 0; k < LENGTH(hops); k++) {
        o.hop_columns = hops[k];
        const stream_host host = {.seed = 5};
        event_list *a = hear(models->same, &o, x, N, &plain_host), *b = hear(models->same, &o, x, N, &host);
        assert_true(same_events(a, b));
        assert_int_equal(a->n, 2 * STREAM_CLASSES); /* everything is always present: one event a class, told twice */
        free(a);
        free(b);
    }
    vipann_rules_free(rules);
    free(x);
}

static void
test_every_event_that_begins_ends_once(void **state) /* E2 */
{
    const stream_models *models = *state;
    enum { N = 50 * STREAM_COLUMN };
    float *x = stream_sound(23, N);
    vipann_options o = stream_options(models->causal, 2, VIPANN_CENTRED);
    o.window_columns = VIPANN_EVENT_COLUMNS;
    stream_answers *answers = stream_run(models->causal, &o, x, N, &plain_host);
    vipann_rules *rules = median_rules(models->causal, answers);
    o.rules = rules;
    event_list *f = hear(models->causal, &o, x, N, &plain_host);
    bool open[MOST_TOLD + 1] = {false}, ended[MOST_TOLD + 1] = {false};
    uint64_t last = 0;
    for (size_t i = 0; i < f->n; i++) {
        const vipann_event *e = &f->events[i];
        assert_true(e->id >= 1 && e->id <= MOST_TOLD && e->class_index < STREAM_CLASSES);
        assert_true(e->start_seconds >= 0 && e->end_seconds > e->start_seconds &&
                    e->end_seconds <= 50 * COLUMN_S + 1e-9);
        assert_true(e->p_mean > 0 && e->p_mean <= e->p_max && e->p_max <= 1 && e->passes == 2 && e->has_epistemic);
        if (e->ended) {
            assert_true(open[e->id] && !ended[e->id]);
            ended[e->id] = true;
        } else {
            assert_int_equal(e->id, ++last);
            open[e->id] = true;
        }
    }
    assert_int_equal(f->n, 2 * last); /* the flush ends what is left */
    free(f);
    vipann_rules_free(rules);
    stream_answers_free(answers);
    free(x);
}

static void
test_a_long_gap_ends_events_where_they_were_last_heard(void **state) /* E3 */
{
    const stream_models *models = *state;
    enum { BLOCK = 512, BEFORE = 8 * BLOCK, RING = 64 * BLOCK, LOST = 40 * BLOCK, AFTER = 30 * BLOCK };
    float *x = stream_sound(24, BEFORE + RING + LOST + AFTER);
    vipann_options o = stream_options(models->causal, 1, VIPANN_CENTRED);
    vipann_rules *rules = vipann_rules_new(models->causal, NULL);
    hear_everything(rules);
    o.rules = rules;
    o.max_block = BLOCK;
    o.ring_seconds = RING / 16000.0;
    vipann_engine *engine = vipann_engine_new(models->causal, &o, NULL);
    vipann_reader *reader = vipann_reader_new(engine, VIPANN_EVENTS, NULL);
    assert_non_null(reader);
    size_t taken = 0;
    for (size_t done = 0; done < BEFORE + RING + LOST + AFTER; done += BLOCK) {
        const float *channel = x + done;
        while ((done <= BEFORE || done >= BEFORE + RING + LOST) && vipann_pump(engine) > 0) {
        }
        taken += vipann_push(engine, &channel, BLOCK);
    }
    assert_int_equal(taken, BEFORE + RING + AFTER);
    assert_true(vipann_flush(engine));
    event_list *f = calloc(1, sizeof *f);
    collect(reader, f);
    assert_int_equal(f->n, 4 * STREAM_CLASSES);
    const double lost_from = (BEFORE + RING) / 16000.0, lost_to = lost_from + LOST / 16000.0;
    size_t before = 0, after = 0;
    for (size_t i = 0; i < f->n; i++) {
        const vipann_event *e = &f->events[i];
        before += e->ended && e->start_seconds == 0 && e->end_seconds <= lost_from;
        after += e->ended && e->start_seconds > lost_to - COLUMN_S && e->id > STREAM_CLASSES;
    }
    assert_int_equal(before, STREAM_CLASSES);
    assert_int_equal(after, STREAM_CLASSES);
    free(f);
    vipann_engine_free(engine);
    vipann_rules_free(rules);
    free(x);
}

/* A model that calls every answer unknown. */
static vipann_model *
open_doubtful(stream_models *models)
{
    const random_model_spec spec = {VIP_RESNET22,      1,          STREAM_CLASSES, VIP_SAME, VIPANN_DROPOUT,
                                    VIPANN_MULTICLASS, STREAM_SEED};
    vip_model *file = random_model(&spec);
    assert_non_null(file);
    file->calibration.unknown[VIPANN_SCORE_CONFIDENCE] = 1;
    vipann_model *model = stream_open(models, "doubtful.safetensors", file);
    assert_non_null(model);
    return model;
}

/* Tones of known level after silence: what a result says of level and silence is of its own window. */
static void
test_silence_is_told_and_is_never_unknown(void **state) /* E4 */
{
    stream_models *models = *state;
    vipann_model *const tried[] = {models->same, models->flipout, open_doubtful(models)};
    enum { DOUBTFUL = 2 };
    enum { QUIET = 20 * STREAM_COLUMN, N = 40 * STREAM_COLUMN, WINDOW = 3 };
    float *x = calloc(N, sizeof *x);
    for (size_t i = 0; i < N; i++) {
        x[i] = (float)((i < QUIET ? 1e-4 : 0.1) * sin(0.3 * (double)i)); /* -83 and -23 dBFS */
    }
    for (size_t k = 0; k < LENGTH(tried); k++) {
        vipann_rules *rules = vipann_rules_new(tried[k], NULL);
        hear_everything(rules);
        for (int strict = 0; strict < 2; strict++) {
            set_rule(rules, "level", strict ? -90 : -70);
            vipann_options o = stream_options(tried[k], 4, VIPANN_CENTRED);
            o.window_columns = WINDOW;
            o.rules = rules;
            stream_answers *answers = stream_run(tried[k], &o, x, N, &plain_host);
            for (size_t i = 0; i < answers->n; i++) {
                const vipann_result *r = answers->results[i];
                const bool quiet = r->t_seconds <= 20 * COLUMN_S + 1e-9;
                if (quiet || r->t_seconds > (20 + WINDOW) * COLUMN_S) {
                    assert_true(fabs(r->level_dbfs - (quiet ? -83.01 : -23.01)) < 0.05);
                }
                assert_int_equal(r->silent, quiet && !strict);
                assert_true(!r->silent || r->unknown == VIPANN_NO);
                assert_true(r->silent || k != DOUBTFUL || r->unknown == VIPANN_YES);
            }
            event_list *f = hear(tried[k], &o, x, N, &plain_host);
            for (size_t i = 0; i < f->n; i++) {
                assert_true(strict ? f->events[i].start_seconds == 0 : f->events[i].start_seconds >= 19.99 * COLUMN_S);
            }
            assert_int_equal(f->n, 2 * STREAM_CLASSES);
            free(f);
            stream_answers_free(answers);
        }
        vipann_rules_free(rules);
    }
    vipann_model_unref(tried[DOUBTFUL]);
    free(x);
}

static void
test_nothing_at_all_is_as_quiet_as_can_be(void **state) /* E4 */
{
    const stream_models *models = *state;
    float *x = calloc(10 * STREAM_COLUMN, sizeof *x);
    vipann_options o = stream_options(models->same, 2, VIPANN_CENTRED);
    stream_answers *answers = stream_run(models->same, &o, x, 10 * STREAM_COLUMN, &plain_host);
    for (size_t i = 0; i < answers->n; i++) {
        assert_true(answers->results[i]->level_dbfs == -200 && answers->results[i]->silent);
    }
    stream_answers_free(answers);
    free(x);
}

static void
test_rules_for_another_model_are_refused(void **state) /* E5 */
{
    const stream_models *models = *state;
    char labels[2][8] = {"a", "b"};
    char *both[] = {labels[0], labels[1]};
    vipann_error error = {VIPANN_OK, ""};
    vipann_options o = stream_options(models->same, 1, VIPANN_CENTRED);
    vipann_rules *rules = vip_rules_new(both, NULL, 0.5, 2, &error);
    assert_non_null(rules);
    o.rules = rules;
    assert_null(vipann_engine_new(models->same, &o, &error));
    assert_int_equal(error.status, VIPANN_E_ARG);
    assert_string_equal(error.text, "the rules are for 2 classes, but the model has 5; make them for this model");
    vipann_rules_free(rules);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_are_those_of_the_short_window_whatever_hop_and_pieces),
        cmocka_unit_test(test_events_at_the_edge_do_not_depend_on_blocks),
        cmocka_unit_test(test_every_event_that_begins_ends_once),
        cmocka_unit_test(test_a_long_gap_ends_events_where_they_were_last_heard),
        cmocka_unit_test(test_silence_is_told_and_is_never_unknown),
        cmocka_unit_test(test_nothing_at_all_is_as_quiet_as_can_be),
        cmocka_unit_test(test_rules_for_another_model_are_refused),
    };
    return cmocka_run_group_tests(tests, stream_open_models, stream_close_models);
}
