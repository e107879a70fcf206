/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_engine.c -- what goes into an engine and when it gives what: the contract of vipann.h, R1 and R5 of
 * engine/README.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "failing.h"
#include "stream.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static const stream_host plain_host = {.block = 512};

/* ----------------------------------------------------------------------------------------------------------- options */

static void
test_option_out_of_range_is_named(void **state)
{
    const stream_models *models = *state;
    vipann_options d;
    vipann_options_default(&d, models->same);
    static const struct {
        const char *name;
        size_t offset;
        enum { DOUBLE, UNSIGNED, SIGNED } type;
        double bad[3];
    } table[] = {
        {"rate", offsetof(vipann_options, rate), DOUBLE, {7999, 384001, NAN}},
        {"channels", offsetof(vipann_options, channels), UNSIGNED, {0, 65, 4e9}},
        {"channel", offsetof(vipann_options, channel), SIGNED, {-2, 1, -2e9}},
        {"passes", offsetof(vipann_options, passes), UNSIGNED, {65, 1000, 4e9}},
        {"max_passes", offsetof(vipann_options, max_passes), UNSIGNED, {65, 1000, 4e9}},
        {"hop_columns", offsetof(vipann_options, hop_columns), UNSIGNED, {0, 376, 4e9}},
        {"window_columns", offsetof(vipann_options, window_columns), UNSIGNED, {376, 1000, 4e9}},
        {"max_window_columns", offsetof(vipann_options, max_window_columns), UNSIGNED, {376, 1000, 4e9}},
        {"horizon_seconds", offsetof(vipann_options, horizon_seconds), DOUBLE, {-1, 3601, NAN}},
        {"latency", offsetof(vipann_options, latency), UNSIGNED, {2, 100, 4e9}},
        {"piece_columns", offsetof(vipann_options, piece_columns), UNSIGNED, {0, 33, 4e9}},
        {"max_block", offsetof(vipann_options, max_block), UNSIGNED, {0, 65537, 4e9}},
        {"ring_seconds", offsetof(vipann_options, ring_seconds), DOUBLE, {0.05, 61, NAN}},
    };
    for (size_t i = 0; i < 3 * LENGTH(table); i++) {
        vipann_options o = d;
        const double bad = table[i / 3].bad[i % 3];
        void *place = (char *)&o + table[i / 3].offset;
        const uint32_t word = table[i / 3].type == SIGNED     ? (uint32_t)(int32_t)bad
                              : table[i / 3].type == UNSIGNED ? (uint32_t)bad
                                                              : 0;
        memcpy(place, table[i / 3].type == DOUBLE ? (const void *)&bad : &word,
               table[i / 3].type == DOUBLE ? sizeof bad : sizeof word);
        vipann_error error = {VIPANN_OK, ""};
        assert_null(vipann_engine_new(models->same, &o, &error));
        assert_int_equal(error.status, VIPANN_E_ARG);
        char expected[64];
        (void)snprintf(expected, sizeof expected, "option %s is ", table[i / 3].name);
        assert_true(strncmp(error.text, expected, strlen(expected)) == 0);
        assert_null(vipann_engine_new(models->same, &o, NULL));
    }
}

static void
test_no_options_are_the_defaults_of_the_model(void **state)
{
    const stream_models *models = *state;
    vipann_options o;
    vipann_options_default(&o, models->same); /* calibrated with 4 members and 15 columns: random_model.h */
    assert_true(o.rate == 48000 && o.channels == 1 && o.channel == -1 && o.passes == 4 && o.seed == 1);
    assert_true(o.hop_columns == 1 && o.window_columns == 15 && o.latency == VIPANN_CENTRED);
    vipann_options_default(&o, models->plain);
    assert_int_equal(o.passes, 0);
    float *x = stream_sound(1, 48000);
    vipann_options_default(&o, models->same);
    stream_answers *expected = stream_run(models->same, &o, x, 48000, &plain_host);
    stream_answers *answers = stream_run(models->same, NULL, x, 48000, &(stream_host){.block = 512});
    assert_true(stream_all_equal(expected, answers));
    stream_answers_free(expected);
    stream_answers_free(answers);
    free(x);
}

static void
test_parameters_are_clamped_and_nonsense_is_ignored(void **state)
{
    const stream_models *models = *state;
    enum { N = 8 * STREAM_COLUMN };
    float *x = stream_sound(2, N);
    vipann_options o = stream_options(models->causal, 4, VIPANN_CENTRED);
    o.window_columns = 3;
    static const stream_change nonsense[] = {
        {2 * STREAM_COLUMN, VIPANN_WINDOW, 99},        {2 * STREAM_COLUMN, VIPANN_PASSES, 1e30},
        {3 * STREAM_COLUMN, VIPANN_HOP, NAN},          {3 * STREAM_COLUMN, VIPANN_HOP, -5},
        {4 * STREAM_COLUMN, VIPANN_N_PARAMS, 1},       {5 * STREAM_COLUMN, (vipann_param)-1, 1},
        {5 * STREAM_COLUMN, VIPANN_HORIZON, -HUGE_VAL}};
    const stream_host host = {.block = 512, .changes = nonsense, .n_changes = LENGTH(nonsense)};
    stream_answers *expected = stream_run(models->causal, &o, x, N, &plain_host);
    stream_answers *answers = stream_run(models->causal, &o, x, N, &host);
    assert_true(stream_all_equal(expected, answers));
    stream_answers_free(expected);
    stream_answers_free(answers);
    free(x);
}

/* ------------------------------------------------------------------------------------------------------------- input */

/* Hears n frames of so many channels, `block` at a time, to the end. */
static stream_answers *
hear_channels(vipann_model *model, const vipann_options *o, const float *const *channels, size_t n, uint32_t block)
{
    vipann_engine *engine = vipann_engine_new(model, o, NULL);
    vipann_reader *reader = vipann_reader_new(engine, VIPANN_RESULTS, NULL);
    stream_answers *answers = calloc(1, sizeof *answers);
    assert_true(reader != NULL && answers != NULL);
    for (size_t done = 0; done < n; done += block) {
        const float *at[4];
        for (uint32_t c = 0; c < o->channels; c++) {
            at[c] = channels[c] + done;
        }
        const uint32_t frames = n - done < block ? (uint32_t)(n - done) : block;
        assert_int_equal(vipann_push(engine, at, frames), frames);
        while (vipann_pump(engine) > 0) {
        }
    }
    assert_true(vipann_flush(engine));
    stream_collect(reader, model, answers);
    vipann_engine_free(engine);
    return answers;
}

static void
test_channels_are_mixed_or_one_is_heard(void **state)
{
    const stream_models *models = *state;
    enum { N = 9000, BLOCK = 700 };
    float *x[3] = {stream_sound(1, N), stream_sound(2, N), stream_sound(3, N)}, *mono = malloc(N * sizeof *mono);
    vipann_options o = stream_options(models->causal, 1, VIPANN_CENTRED);
    for (int32_t channel = -1; channel < 3; channel++) {
        o.channels = 3;
        o.channel = channel;
        stream_answers *answers = hear_channels(models->causal, &o, (const float *const *)x, N, BLOCK);
        for (size_t i = 0; i < N; i++) {
            mono[i] = channel >= 0 ? x[channel][i] : (x[0][i] + x[1][i] + x[2][i]) * (1.0f / 3);
        }
        o.channels = 1;
        o.channel = channel == 0 ? 0 : -1; /* the only one, either way */
        stream_answers *expected = stream_run(models->causal, &o, mono, N, &plain_host);
        assert_true(stream_all_equal(expected, answers));
        stream_answers_free(expected);
        stream_answers_free(answers);
    }
    for (int c = 0; c < 3; c++) {
        free(x[c]);
    }
    free(mono);
}

static void
test_what_is_no_number_is_silence_and_what_is_too_loud_is_cut(void **state)
{
    const stream_models *models = *state;
    enum { N = 12000 };
    static const struct {
        size_t at;
        float is, heard;
    } table[] = {{0, NAN, 0},         {1, INFINITY, 0},     {5000, -INFINITY, 0}, {5001, 100, 100},
                 {6000, 100.5f, 100}, {6001, -3e38f, -100}, {7000, -100, -100},   {N - 1, NAN, 0}};
    float *x = stream_sound(4, N), *clean = stream_sound(4, N), *other = stream_sound(5, N);
    for (size_t i = 0; i < LENGTH(table); i++) {
        x[table[i].at] = table[i].is;
        clean[table[i].at] = table[i].heard;
    }
    vipann_options o = stream_options(models->same, 2, VIPANN_EDGE);
    stream_answers *expected = stream_run(models->same, &o, clean, N, &plain_host);
    stream_answers *answers = stream_run(models->same, &o, x, N, &plain_host);
    assert_int_equal(answers->n, expected->n);
    for (size_t i = 0; i < answers->n; i++) {
        vipann_result *r = answers->results[i];
        assert_true(stream_sane(r));
        assert_int_equal(r->not_finite, i == 0 ? 3 : i + 1 < answers->n ? 3 : 4);
        assert_int_equal(r->clipped, i == 0 ? 0 : 2);
        r->not_finite = r->clipped = 0;
        assert_true(stream_same_content(r, expected->results[i]));
    }
    stream_answers_free(answers);

    const float *both[] = {x, other}; /* a frame of which one channel is no number is silence */
    o.channels = 2;
    answers = hear_channels(models->same, &o, both, N, 512);
    assert_int_equal(answers->results[answers->n - 1]->not_finite, 4);
    assert_int_equal(answers->results[answers->n - 1]->clipped, 1);
    stream_answers_free(answers);
    stream_answers_free(expected);
    free(x);
    free(clean);
    free(other);
}

/* ------------------------------------------------------------------------------------------------- beginning and end */

static void
test_short_sound_gives_one_answer_and_it_is_the_last(void **state)
{
    const stream_models *models = *state;
    vipann_model *const tried[] = {models->same, models->causal, models->plain};
    static const double rates[] = {8000, 16000, 192000};
    static const double lengths[] = {0, 1e-3, 0.0159, 0.05, 0.31, 0.3199}; /* seconds; 0: one sample */
    float *x = stream_sound(6, 192000);
    for (size_t i = 0; i < LENGTH(tried) * LENGTH(rates) * LENGTH(lengths); i++) {
        vipann_model *model = tried[i % LENGTH(tried)];
        for (int latency = VIPANN_CENTRED; latency <= VIPANN_EDGE; latency++) {
            vipann_options o = stream_options(model, model == models->plain ? 0 : 2, (vipann_latency)latency);
            o.rate = rates[i / LENGTH(tried) % LENGTH(rates)];
            const size_t n = (size_t)(lengths[i / LENGTH(tried) / LENGTH(rates)] * o.rate) + 1;
            stream_answers *answers = stream_run(model, &o, x, n, &plain_host);
            assert_int_equal(answers->n, 1);
            assert_true(answers->results[0]->last && stream_sane(answers->results[0]));
            assert_int_equal(answers->results[0]->columns, 1);
            assert_true(fabs(answers->results[0]->t_seconds - 0.32) < 1e-12);
            assert_true(fabs(answers->results[0]->window_seconds - 0.32) < 1e-12);
            stream_answers_free(answers);
        }
    }
    free(x);
}

static void
test_nothing_heard_gives_no_answer(void **state)
{
    const stream_models *models = *state;
    vipann_engine *engine = vipann_engine_new(models->same, NULL, NULL);
    vipann_reader *reader = vipann_reader_new(engine, VIPANN_RESULTS, NULL);
    vipann_result *r = vipann_result_new(models->same);
    const float *none = NULL;
    assert_int_equal(vipann_push(engine, &none, 0), 0);
    assert_int_equal(vipann_pump(engine), 0);
    assert_false(vipann_flush(engine));
    assert_false(vipann_next_result(reader, r));
    assert_non_null(vipann_reader_new(engine, VIPANN_RESULTS, NULL)); /* nothing was pushed */

    float x = 0.5f;
    const float *one = &x;
    assert_int_equal(vipann_push(engine, &one, 1), 1); /* and sound is still welcome */
    assert_true(vipann_flush(engine));
    assert_true(vipann_next_result(reader, r) && r->last);
    vipann_result_free(r);
    vipann_engine_free(engine);
}

static void
test_stream_ends_once(void **state)
{
    const stream_models *models = *state;
    enum { N = 3 * STREAM_COLUMN };
    float *x = stream_sound(7, N);
    const vipann_options o = stream_options(models->same, 2, VIPANN_CENTRED);
    vipann_engine *engine = vipann_engine_new(models->same, &o, NULL);
    vipann_reader *reader = vipann_reader_new(engine, VIPANN_RESULTS, NULL);
    vipann_result *r = vipann_result_new(models->same);
    stream_answers *twice[2];
    for (int turn = 0; turn < 2; turn++) {
        twice[turn] = calloc(1, sizeof *twice[turn]);
        stream_feed(engine, reader, models->same, &o, x, N, &plain_host, twice[turn]);
        const size_t n = twice[turn]->n;
        assert_true(n >= 1 && twice[turn]->results[n - 1]->last);
        for (size_t i = 0; i + 1 < n; i++) {
            assert_false(twice[turn]->results[i]->last);
        }
        assert_false(vipann_flush(engine));
        assert_int_equal(vipann_pump(engine), 0);
        assert_false(vipann_next_result(reader, r));
        vipann_engine_reset(engine);
    }
    assert_true(stream_all_equal(twice[0], twice[1]));
    stream_answers_free(twice[0]);
    stream_answers_free(twice[1]);
    vipann_result_free(r);
    vipann_engine_free(engine);
    free(x);
}

static void
test_pump_says_how_many_columns_it_heard(void **state)
{
    const stream_models *models = *state;
    enum { N = 7 * STREAM_COLUMN };
    float *x = stream_sound(8, N);
    vipann_options o = stream_options(models->causal, 1, VIPANN_CENTRED);
    o.piece_columns = 4;
    o.ring_seconds = 10;
    o.max_block = N;
    vipann_engine *engine = vipann_engine_new(models->causal, &o, NULL);
    const float *channel = x;
    assert_int_equal(vipann_push(engine, &channel, N), N);
    assert_int_equal(vipann_pump(engine), 4);
    assert_int_equal(vipann_pump(engine), 2); /* the seventh waits for its last 96 samples */
    assert_int_equal(vipann_pump(engine), 0);
    assert_int_equal(vipann_push(engine, &channel, 96), 96);
    assert_int_equal(vipann_pump(engine), 1);
    vipann_engine_free(engine);
    free(x);
}

/* -------------------------------------------------------------------------------------------------- memory, registers */

static void
test_running_stream_allocates_nothing(void **state) /* R1 */
{
    const stream_models *models = *state;
    vipann_model *const tried[] = {models->same, models->causal, models->late, models->flipout, models->plain};
    enum { N = 20 * STREAM_COLUMN };
    static const double rates[] = {16000, 44100};
    float *x = stream_sound(9, N);
    for (size_t i = 0; i < 2 * LENGTH(tried); i++) {
        vipann_model *model = tried[i / 2];
        vipann_options o = stream_options(model, model == models->plain ? 0 : 2, VIPANN_EDGE);
        o.max_passes = 4;
        o.rate = rates[i % 2];
        o.window_columns = i % 2 == 0 ? 3 : 0;
        vipann_engine *engine = vipann_engine_new(model, &o, NULL);
        vipann_reader *reader = vipann_reader_new(engine, VIPANN_RESULTS | VIPANN_LATEST, NULL);
        vipann_result *r = vipann_result_new(model);
        size_t results = 0;
        failing_after(0);
        for (size_t done = 0; done < N; done += 1000) {
            const float *channel = x + done;
            (void)vipann_push(engine, &channel, done == 20000 ? 9000 : N - done < 1000 ? (uint32_t)(N - done) : 1000);
            (void)vipann_push_space(engine);
            const size_t passes = done / 10000, hop = 1 + done / 20000;
            vipann_set(engine, VIPANN_PASSES, (double)passes);
            vipann_set(engine, VIPANN_HOP, (double)hop);
            while (vipann_pump(engine) > 0) {
                results += vipann_next_result(reader, r);
                (void)vipann_latest(reader, r);
            }
        }
        (void)vipann_flush(engine);
        results += vipann_next_result(reader, r);
        vipann_engine_reset(engine);
        const long asked = failing_count();
        failing_after(-1);
        assert_int_equal(asked, 0);
        assert_true(results > 2);
        vipann_result_free(r);
        vipann_engine_free(engine);
    }
    free(x);
}

static void
test_new_says_when_memory_is_short(void **state)
{
    const stream_models *models = *state;
    vipann_model *const tried[] = {models->same, models->flipout};
    for (size_t i = 0; i < LENGTH(tried); i++) {
        vipann_options o = stream_options(tried[i], 2, VIPANN_CENTRED);
        o.rate = 44100;
        o.ring_seconds = 0.1;
        vipann_engine *engine = NULL;
        long n = 0;
        for (; engine == NULL; n++) {
            vipann_error error = {VIPANN_OK, ""};
            failing_after(n);
            engine = vipann_engine_new(tried[i], &o, &error);
            failing_after(-1);
            assert_true(engine != NULL || (error.status == VIPANN_E_MEMORY && error.text[0] != '\0'));
        }
        assert_true(n > 10);
        failing_after(n / 2);
        assert_null(vipann_engine_new(tried[i], &o, NULL));
        failing_after(-1);
        vipann_reader *reader = NULL;
        for (n = 0; reader == NULL; n++) {
            vipann_error error = {VIPANN_OK, ""};
            failing_after(n);
            reader = vipann_reader_new(engine, VIPANN_LATEST | VIPANN_RESULTS, &error);
            failing_after(-1);
            assert_true(reader != NULL || error.status == VIPANN_E_MEMORY);
        }
        assert_true(n > 2);
        for (n = 0; n < 2; n++) {
            failing_after(n);
            assert_null(vipann_result_new(tried[i]));
            failing_after(-1);
        }
        vipann_engine_free(engine);
        vipann_engine_free(NULL);
        vipann_result_free(NULL);
    }
}

static void
test_floating_point_state_of_the_caller_is_left_alone(void **state) /* R5 */
{
#if defined(__SSE2__)
    const stream_models *models = *state;
    static const unsigned states[] = {0x1f80, 0x9fc0, 0x3f80, 0x1fa0}; /* usual; zeros for denormals; down; inexact */
    enum { N = 2 * STREAM_COLUMN };
    float *x = stream_sound(10, N);
    const vipann_options o = stream_options(models->causal, 1, VIPANN_CENTRED);
    const unsigned before = _mm_getcsr();
    for (size_t i = 0; i < LENGTH(states); i++) {
        vipann_engine *engine = vipann_engine_new(models->causal, &o, NULL);
        vipann_result *r = vipann_result_new(models->causal);
        unsigned seen[4];
        const float *channel = x;
        _mm_setcsr(states[i]);
        (void)vipann_push(engine, &channel, 8000);
        seen[0] = _mm_getcsr();
        (void)vipann_pump(engine);
        seen[1] = _mm_getcsr();
        (void)vipann_flush(engine);
        seen[2] = _mm_getcsr();
        (void)vipann_clip(models->causal, &o, x, N, 16000, r, NULL);
        seen[3] = _mm_getcsr();
        _mm_setcsr(before);
        for (int k = 0; k < 3; k++) {
            assert_int_equal(seen[k], states[i]);
        }
        const unsigned sticky = 0x3f; /* setting up may round; the modes are what counts */
        assert_int_equal(seen[3] & ~sticky, states[i] & ~sticky);
        vipann_result_free(r);
        vipann_engine_free(engine);
    }
    free(x);
#else
    (void)state;
    print_message("# no such register on this machine\n");
    skip();
#endif
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_option_out_of_range_is_named),
        cmocka_unit_test(test_no_options_are_the_defaults_of_the_model),
        cmocka_unit_test(test_parameters_are_clamped_and_nonsense_is_ignored),
        cmocka_unit_test(test_channels_are_mixed_or_one_is_heard),
        cmocka_unit_test(test_what_is_no_number_is_silence_and_what_is_too_loud_is_cut),
        cmocka_unit_test(test_short_sound_gives_one_answer_and_it_is_the_last),
        cmocka_unit_test(test_nothing_heard_gives_no_answer),
        cmocka_unit_test(test_stream_ends_once),
        cmocka_unit_test(test_pump_says_how_many_columns_it_heard),
        cmocka_unit_test(test_running_stream_allocates_nothing),
        cmocka_unit_test(test_new_says_when_memory_is_short),
        cmocka_unit_test(test_floating_point_state_of_the_caller_is_left_alone),
    };
    return cmocka_run_group_tests(tests, stream_open_models, stream_close_models);
}
