/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_engine_threads.c -- one engine, several threads: R2 of engine/README.md. Run under the thread sanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "stream.h"

enum { N = 40 * STREAM_COLUMN + 1000, BLOCK = 700 };

/* What the threads of one stream share. */
typedef struct {
    vipann_engine *engine;
    const float *x;
    bool patient;        /* waits for room, so that nothing is lost; else sound is lost now and then */
    atomic_bool pushed;  /* all of x; release by the pusher, acquire by who flushes */
    atomic_bool flushed; /* release by who flushes, acquire by readers */
    uint64_t lost;       /* frames; the pusher's until it has been joined */
} stream;

static void *
push_all(void *argument)
{
    stream *s = argument;
    for (size_t done = 0; done < N;) {
        const float *channel = s->x + done;
        const uint32_t frames = N - done < BLOCK ? (uint32_t)(N - done) : BLOCK;
        if (s->patient && vipann_push_space(s->engine) < frames) {
            sched_yield();
            continue;
        }
        s->lost += frames - vipann_push(s->engine, &channel, frames);
        done += frames;
        if (done % (20 * BLOCK) == 0) {
            vipann_set(s->engine, VIPANN_HORIZON, 0); /* any thread may, here to what it is already */
            sched_yield();
        }
    }
    atomic_store_explicit(&s->pushed, true, memory_order_release);
    return NULL;
}

/* Pumps until all was pushed, and then once more until nothing is left. */
static void *
pump_all(void *argument)
{
    stream *s = argument;
    for (;;) {
        const bool pushed = atomic_load_explicit(&s->pushed, memory_order_acquire);
        const int columns = vipann_pump(s->engine);
        if (pushed && columns == 0) {
            return NULL;
        }
        if (columns <= 0) {
            sched_yield();
        }
    }
}

static void *
pump_and_flush(void *argument)
{
    stream *s = argument;
    pump_all(s);
    (void)vipann_flush(s->engine);
    atomic_store_explicit(&s->flushed, true, memory_order_release);
    return NULL;
}

static vipann_options
threaded_options(const vipann_model *model)
{
    vipann_options o = stream_options(model, 2, VIPANN_CENTRED);
    o.max_block = BLOCK;
    o.ring_seconds = 0.5;
    o.window_columns = 3;
    return o;
}

static void
test_three_threads_hear_the_same_as_one(void **state) /* R2, S3 */
{
    const stream_models *models = *state;
    float *x = stream_sound(1, N);
    const vipann_options o = threaded_options(models->causal);
    const stream_host host = {.block = 512};
    stream_answers *expected = stream_run(models->causal, &o, x, N, &host), *got = calloc(1, sizeof *got);
    stream s = {.engine = vipann_engine_new(models->causal, &o, NULL), .x = x, .patient = true};
    vipann_reader *reader = vipann_reader_new(s.engine, VIPANN_RESULTS, NULL);
    vipann_reader *display = vipann_reader_new(s.engine, VIPANN_LATEST, NULL);
    vipann_result *latest = vipann_result_new(models->causal);
    pthread_t pusher, pumper;
    assert_int_equal(pthread_create(&pusher, NULL, push_all, &s), 0);
    assert_int_equal(pthread_create(&pumper, NULL, pump_and_flush, &s), 0);
    size_t wrong = 0, newest = 0;
    for (bool flushed = false; !flushed;) {
        flushed = atomic_load_explicit(&s.flushed, memory_order_acquire);
        stream_collect(reader, models->causal, got);
        if (vipann_latest(display, latest)) { /* whole, and newer than the one before */
            size_t k = newest;
            while (k < expected->n && !stream_equal(latest, expected->results[k])) {
                k++;
            }
            wrong += k == expected->n;
            newest = k + 1;
        }
        sched_yield();
    }
    assert_int_equal(pthread_join(pusher, NULL), 0);
    assert_int_equal(pthread_join(pumper, NULL), 0);
    assert_int_equal(wrong, 0);
    assert_int_equal(newest, expected->n);
    assert_int_equal(s.lost, 0);
    assert_true(stream_all_equal(expected, got));
    vipann_result_free(latest);
    vipann_engine_free(s.engine);
    stream_answers_free(expected);
    stream_answers_free(got);
    free(x);
}

static void
test_two_that_pump_take_turns(void **state) /* R2 */
{
    const stream_models *models = *state;
    float *x = stream_sound(2, N);
    const vipann_options o = threaded_options(models->same);
    const stream_host host = {.block = 512};
    stream_answers *expected = stream_run(models->same, &o, x, N, &host), *got = calloc(1, sizeof *got);
    stream s = {.engine = vipann_engine_new(models->same, &o, NULL), .x = x, .patient = true};
    vipann_reader *reader = vipann_reader_new(s.engine, VIPANN_RESULTS, NULL);
    pthread_t pusher, pumpers[2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&pumpers[i], NULL, pump_all, &s), 0);
    }
    assert_int_equal(pthread_create(&pusher, NULL, push_all, &s), 0);
    assert_int_equal(pthread_join(pusher, NULL), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(pumpers[i], NULL), 0);
    }
    assert_true(vipann_flush(s.engine));
    stream_collect(reader, models->same, got);
    assert_int_equal(vipann_reader_lost(reader), 0);
    assert_true(stream_all_equal(expected, got));
    vipann_engine_free(s.engine);
    stream_answers_free(expected);
    stream_answers_free(got);
    free(x);
}

static void
test_overload_keeps_the_time(void **state) /* R2, G4 */
{
    const stream_models *models = *state;
    float *x = stream_sound(3, N);
    const vipann_options o = threaded_options(models->causal);
    stream s = {.engine = vipann_engine_new(models->causal, &o, NULL), .x = x, .patient = false};
    vipann_reader *reader = vipann_reader_new(s.engine, VIPANN_RESULTS, NULL);
    vipann_result *r = vipann_result_new(models->causal);
    pthread_t pusher, pumper;
    assert_int_equal(pthread_create(&pusher, NULL, push_all, &s), 0);
    assert_int_equal(pthread_create(&pumper, NULL, pump_and_flush, &s), 0);
    size_t insane = 0;
    double newest = 0;
    for (bool flushed = false; !flushed;) {
        flushed = atomic_load_explicit(&s.flushed, memory_order_acquire);
        while (vipann_next_result(reader, r)) {
            insane += !stream_sane(r) || r->t_seconds < newest;
            newest = r->t_seconds;
        }
        sched_yield();
    }
    assert_int_equal(pthread_join(pusher, NULL), 0);
    assert_int_equal(pthread_join(pumper, NULL), 0);
    print_message("# %.2f s of %.2f were lost\n", (double)s.lost / 16000, N / 16000.0);
    assert_int_equal(insane, 0);
    assert_true(r->last && r->gap_seconds == (double)s.lost / 16000);
    assert_true(newest < N / 16000.0 + 0.33);
    vipann_result_free(r);
    vipann_engine_free(s.engine);
    free(x);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_threads_hear_the_same_as_one),
        cmocka_unit_test(test_two_that_pump_take_turns),
        cmocka_unit_test(test_overload_keeps_the_time),
    };
    return cmocka_run_group_tests(tests, stream_open_models, stream_close_models);
}
