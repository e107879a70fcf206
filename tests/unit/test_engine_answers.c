/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_engine_answers.c -- answers where it is easy to lose one: long hops, ends at the edge, very short columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <decide/rules.h>
#include <publish.h>

#include "../data/random_model.h"
#include "stream.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { MOST_EVENTS = 400, PIECE = VIPANN_MAX_PIECE_COLUMNS };

static const stream_host plain_host = {.block = 512};

/* -------------------------------------------------------------------------------------------------------- helpers */

typedef struct {
    size_t n;
    vipann_event events[MOST_EVENTS];
} found;

static void
collect(vipann_reader *reader, found *f)
{
    for (vipann_event event; vipann_next_event(reader, &event);) {
        assert_true(f->n < MOST_EVENTS);
        f->events[f->n++] = event;
    }
}

/* The engine hears x from its first state to the end. */
static void
hear_again(vipann_engine *engine, vipann_reader *reader, const vipann_model *model, const vipann_options *o,
           const float *x, size_t n, found *f)
{
    stream_answers none = {0}; /* the reader is of events */
    f->n = 0;
    vipann_engine_reset(engine);
    stream_feed(engine, reader, model, o, x, n, &plain_host, &none);
    collect(reader, f);
    assert_int_equal(vipann_reader_lost(reader), 0);
}

/* Sets a rule for all classes. */
static void
set_rule(vipann_rules *rules, const char *key, const char *value)
{
    assert_int_equal(vipann_rules_set(rules, NULL, key, value, "a test", NULL), VIPANN_OK);
}

/* Rules by which every class is heard where there is any sound. */
static vipann_rules *
rules_of_sound(vipann_model *model)
{
    vipann_rules *rules = vipann_rules_new(model, NULL);
    assert_non_null(rules);
    set_rule(rules, "report", "yes");
    set_rule(rules, "threshold", "0");
    set_rule(rules, "min_length", "0");
    set_rule(rules, "merge_gap", "0");
    set_rule(rules, "level", "-70");
    return rules;
}

/* The last result that x gives. */
static void
last_result(vipann_model *model, const vipann_options *o, const float *x, size_t n, vipann_result *out)
{
    stream_answers *answers = stream_run(model, o, x, n, &plain_host);
    assert_true(answers->n > 0 && answers->results[answers->n - 1]->last);
    const vipann_result *r = answers->results[answers->n - 1];
    out->columns = r->columns;
    memcpy(out->p, r->p, r->classes * sizeof *r->p);
    stream_answers_free(answers);
}

/* ---------------------------------------------------------------------------------------------------------- tests */

/* Sounds that end just behind a column: the front-end's last frames bring one more column and a bit. */
static void
test_the_end_at_the_edge_is_that_of_the_whole_sound(void **state) /* S1 */
{
    const stream_models *models = *state;
    enum { N = 12 * STREAM_COLUMN, FRAME = STREAM_COLUMN / 32 };
    float *x = stream_sound(31, N + STREAM_COLUMN);
    vipann_result *edge = vipann_result_new(models->same), *centred = vipann_result_new(models->same);
    for (size_t n = N - 2 * FRAME; n <= N + 2 * FRAME; n += FRAME / 2) {
        vipann_options o = stream_options(models->same, 2, VIPANN_EDGE);
        o.window_columns = 0;
        last_result(models->same, &o, x, n, edge);
        o.latency = VIPANN_CENTRED;
        last_result(models->same, &o, x, n, centred);
        assert_int_equal(edge->columns, centred->columns);
        assert_memory_equal(edge->p, centred->p, STREAM_CLASSES * sizeof *edge->p);
    }
    vipann_result_free(edge);
    vipann_result_free(centred);
    free(x);
}

/* A hop longer than the sound: at the edge all columns but the last are heard when they are final, as centred. */
static void
test_a_long_hop_at_the_edge_leaves_no_column_unheard(void **state) /* E1 */
{
    const stream_models *models = *state;
    enum { N = 60 * STREAM_COLUMN + 777, STRETCH = 6 * STREAM_COLUMN };
    float *x = stream_sound(32, N);
    for (size_t i = 0; i < N; i++) {
        x[i] = i / STRETCH % 2 == 0 ? x[i] : 0;
    }
    vipann_rules *rules = rules_of_sound(models->same);
    found *expected = calloc(1, sizeof *expected), *heard = calloc(1, sizeof *heard);
    for (uint32_t k = 0; k < 4; k++) {
        vipann_options o = stream_options(models->same, 2, k == 0 ? VIPANN_CENTRED : VIPANN_EDGE);
        o.rules = rules;
        o.hop_columns = k == 0 ? 1 : VIPANN_MAX_HOP_COLUMNS;
        o.window_columns = k == 3 ? 0 : 15;
        o.piece_columns = k == 1 ? 1 : PIECE;
        vipann_engine *engine = vipann_engine_new(models->same, &o, NULL);
        vipann_reader *reader = vipann_reader_new(engine, VIPANN_EVENTS, NULL);
        assert_non_null(reader);
        hear_again(engine, reader, models->same, &o, x, N, k == 0 ? expected : heard);
        vipann_engine_free(engine);
        assert_int_equal(expected->n, 2 * 5 * STREAM_CLASSES);
        for (size_t i = 0; k > 0 && i < expected->n; i++) {
            const vipann_event *a = &expected->events[i], *b = &heard->events[i];
            assert_true(i < heard->n && a->class_index == b->class_index && a->ended == b->ended);
            assert_true(a->start_seconds == b->start_seconds && a->end_seconds == b->end_seconds);
            assert_true(a->p_max == b->p_max && a->p_mean == b->p_mean);
        }
        assert_true(k == 0 || expected->n == heard->n);
    }
    free(expected);
    free(heard);
    vipann_rules_free(rules);
    free(x);
}

/* What events say of results that have not come yet is nothing, and not what the stream before had to say. */
static void
test_events_before_the_first_result_say_nothing_of_it(void **state) /* E6 */
{
    const stream_models *models = *state;
    enum { N = 40 * STREAM_COLUMN, MEMBERS = 4 };
    float *x = stream_sound(33, N);
    vipann_rules *rules = rules_of_sound(models->flipout);
    vipann_options o = stream_options(models->flipout, MEMBERS, VIPANN_CENTRED);
    o.rules = rules;
    found *f = calloc(1, sizeof *f);
    for (uint32_t hop = 1; hop <= 30; hop += 29) {
        o.hop_columns = hop;
        vipann_engine *engine = vipann_engine_new(models->flipout, &o, NULL);
        vipann_reader *reader = vipann_reader_new(engine, VIPANN_EVENTS, NULL);
        assert_non_null(reader);
        for (int turn = 0; turn < 2; turn++) {
            hear_again(engine, reader, models->flipout, &o, x, N, f);
            assert_int_equal(f->n, 2 * STREAM_CLASSES);
            for (size_t i = 0; i < f->n; i++) {
                const vipann_event *e = &f->events[i];
                assert_true(e->calibrated); /* as the model has it: 4 members, 15 columns */
                assert_true((e->unknown == VIPANN_CANNOT_SAY) == (hop > 1));
            }
        }
        vipann_engine_free(engine);
    }
    free(f);
    vipann_rules_free(rules);
    free(x);
}

/* Columns much shorter than the front-end's window: what is answered lies far behind what has been fed. */
static void
test_levels_are_there_however_short_a_column_is(void **state) /* E4 */
{
    enum { N = 12000 };
    const random_model_spec spec = {.arch = VIP_RESNET22,
                                    .width = 1,
                                    .classes = STREAM_CLASSES,
                                    .padding = VIP_CAUSAL,
                                    .posterior = VIPANN_DETERMINISTIC,
                                    .task = VIPANN_MULTILABEL};
    vip_model *file = random_model(&spec);
    assert_non_null(file);
    file->frontend.n_fft = 8192;
    file->frontend.hop = 1;
    vipann_model *model = stream_open(*state, "short.safetensors", file);
    assert_non_null(model);
    float x[N];
    for (size_t i = 0; i < N; i++) {
        x[i] = 0.1f;
    }
    for (uint32_t window = 0; window < 4; window += 3) {
        vipann_options o = stream_options(model, 0, VIPANN_CENTRED);
        o.window_columns = window;
        o.hop_columns = 10;
        stream_answers *answers = stream_run(model, &o, x, N, &plain_host);
        assert_true(answers->n > 10);
        for (size_t i = 0; i < answers->n; i++) {
            assert_true(fabs(answers->results[i]->level_dbfs + 20) < 1e-3 && !answers->results[i]->silent);
        }
        stream_answers_free(answers);
    }
    vipann_model_unref(model);
}

/* As many events as one piece can bring: each class is told of at every column, and twice at an interruption. */
static void
test_who_reads_after_each_pump_loses_no_event(void **state) /* P4 */
{
    (void)state;
    enum { CLASSES = 700 };
    vip_publisher *publisher = vip_publisher_new(CLASSES, PIECE);
    vipann_reader *reader = vip_publisher_add(publisher, VIPANN_EVENTS, NULL);
    assert_non_null(reader);
    for (int turn = 0; turn < 3; turn++) {
        for (uint32_t i = 0; i < (PIECE + 2) * CLASSES; i++) {
            vip_publish_event(publisher, &(vipann_event){.id = i + 1, .class_index = i % CLASSES});
        }
        uint32_t n = 0;
        for (vipann_event event; vipann_next_event(reader, &event); n++) {
            assert_int_equal(event.id, n + 1);
        }
        assert_int_equal(n, (PIECE + 2) * CLASSES);
    }
    assert_int_equal(vipann_reader_lost(reader), 0);
    vip_publisher_free(publisher);
}

/* As many classes, but called otherwise. */
static void
test_rules_for_other_labels_are_refused(void **state) /* E5 */
{
    const stream_models *models = *state;
    char *labels[STREAM_CLASSES];
    char names[STREAM_CLASSES][16];
    vipann_options o = stream_options(models->same, 1, VIPANN_CENTRED);
    for (int other = 0; other < 2; other++) {
        for (uint32_t i = 0; i < STREAM_CLASSES; i++) {
            (void)snprintf(names[i], sizeof names[i], "%s", vipann_model_label(models->same, i));
            labels[i] = names[i];
        }
        (void)snprintf(names[3], sizeof names[3], "%s", other ? "Cat\n" : vipann_model_label(models->same, 3));
        vipann_error error = {VIPANN_OK, ""};
        vipann_rules *rules = vip_rules_new(labels, NULL, 0.5, STREAM_CLASSES, &error);
        assert_non_null(rules);
        o.rules = rules;
        vipann_engine *engine = vipann_engine_new(models->same, &o, &error);
        assert_true((engine == NULL) == (other == 1));
        vipann_engine_free(engine);
        vipann_rules_free(rules);
        if (other == 1) {
            assert_int_equal(error.status, VIPANN_E_ARG);
            assert_string_equal(error.text, "the rules call class 3 \"Cat?\", but the model calls it \"class 3\"; make "
                                            "them for this model");
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_end_at_the_edge_is_that_of_the_whole_sound),
        cmocka_unit_test(test_a_long_hop_at_the_edge_leaves_no_column_unheard),
        cmocka_unit_test(test_events_before_the_first_result_say_nothing_of_it),
        cmocka_unit_test(test_levels_are_there_however_short_a_column_is),
        cmocka_unit_test(test_who_reads_after_each_pump_loses_no_event),
        cmocka_unit_test(test_rules_for_other_labels_are_refused),
    };
    return cmocka_run_group_tests(tests, stream_open_models, stream_close_models);
}
