/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_stream.c -- live streams of one model: U1 to U3 and U6 to U9 of plugin/stream/README.md. Run under the thread sanitizer
 * too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "failing.h"
#include "numbers.h"
#include "said.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* ------------------------------------------------------------------------------------------------------- one model */

static void
test_a_stream_says_what_its_engine_would_say_alone(void **state) /* U1 */
{
    (void)state;
    vipann_model *const models[] = {said_common.models->causal, said_common.models->same, said_common.models->late};
    for (uint32_t i = 0; i < LENGTH(models); i++) {
        said *expected = said_alone(models[i], said_common.x, N, true), *got = calloc(1, sizeof *got);
        const vip_stream_options o = said_options(false);
        vip_stream *s = said_stream(&o, models[i]);
        uint32_t random = i + 1;
        said_push_all(s, said_common.x, N, &random, got);
        vip_stream_flush(s);
        said_collect(s, got);
        said_assert_same(expected, got);
        assert_true(expected->results.n >= 60 && said_assert_paired(got) >= 4 * STREAM_CLASSES);
        vip_stream_free(s);
        said_free(expected);
        said_free(got);
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
            said_collect(s, got);
            newest = got->results.n > 0 ? got->results.results[got->results.n - 1]->t_seconds : 0;
            if (got->results.n == before) {
                said_rest(1);
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
    said *expected = said_alone(said_common.models->causal, said_common.x, N, true), *got = calloc(1, sizeof *got);
    const vip_stream_options o = said_options(true);
    vip_stream *s = said_stream(&o, said_common.models->causal);
    push_patiently(s, said_common.x, N / 2, got);
    uint32_t random = 3;
    said_push_all(s, said_common.x + N / 2, 3 * N / 8, &random, NULL); /* the two ways of pushing may take turns */
    said_collect(s, got);
    for (size_t done = N / 2 + 3 * N / 8; done < N; done += BLOCK) { /* less than what an engine holds */
        const float *channel = said_common.x + done;
        const uint32_t frames = N - done < BLOCK ? (uint32_t)(N - done) : BLOCK;
        assert_int_equal(vip_stream_push(s, &channel, frames), frames);
    }
    vip_stream_flush(s);
    said_collect(s, got);
    said_assert_same(expected, got);
    vip_stream_state now;
    vip_stream_look(s, &now);
    assert_true(now.has_model && now.lost_seconds == 0 && now.exchanges == 0);
    assert_true(now.passes == 2 && now.hop_columns == 1);
    vip_stream_free(s);
    said_free(expected);
    said_free(got);
}

static void
test_nothing_is_lost_however_long_the_block(void **state) /* U2 */
{
    (void)state;
    said *expected = said_alone(said_common.models->causal, said_common.x, N, true), *got = calloc(1, sizeof *got);
    vip_stream_options o = said_options(true);
    o.governed = true; /* of no effect on what is not live */
    vip_stream *s = said_stream(&o, said_common.models->causal);
    const float *x = said_common.x;
    vip_stream_push_all(s, &x, N);
    vip_stream_flush(s);
    said_collect(s, got);
    said_assert_same(expected, got);
    vip_stream_free(s);
    said_free(got);
    got = calloc(1, sizeof *got);
    o.threaded = false; /* so that nobody hears what is pushed until the engine holds no more */
    s = said_stream(&o, said_common.models->causal);
    size_t done = 0;
    for (; vip_stream_push(s, &(const float *){said_common.x + done}, BLOCK) > 0; done += BLOCK) {
    }
    vip_stream_reset(s);
    for (size_t at = 0; at < done; at += BLOCK) {
        assert_int_equal(vip_stream_push(s, &(const float *){said_common.x + at}, BLOCK), BLOCK);
    }
    vip_stream_push_all(s, &(const float *){said_common.x + done}, (uint32_t)(N - done));
    vip_stream_flush(s);
    said_collect(s, got);
    said_assert_same(expected, got);
    vip_stream_free(s);
    said_free(expected);
    said_free(got);
}

static void
test_the_latest_is_the_newest_once(void **state) /* U1 */
{
    (void)state;
    const vip_stream_options o = said_options(false);
    vip_stream *s = said_stream(&o, said_common.models->causal);
    vipann_result *latest = vip_stream_result_new(), *next = vip_stream_result_new();
    const float *x = said_common.x;
    vipann_event event;
    assert_false(vip_stream_has_news(s));
    assert_false(vip_stream_latest(s, latest, NULL));
    vip_stream_push_all(s, &x, 5 * STREAM_COLUMN + 3000);
    assert_true(vip_stream_has_news(s));
    assert_true(vip_stream_latest(s, latest, NULL));
    assert_false(vip_stream_latest(s, latest, NULL));
    while (vip_stream_has_news(s)) {
        assert_true(vip_stream_next_event(s, &event, NULL));
    }
    assert_false(vip_stream_next_event(s, &event, NULL));
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
    said *expected = said_alone(said_common.models->same, said_common.x, N, true);
    const vip_stream_options o = said_options(true);
    vip_stream *s = said_stream(&o, said_common.models->same);
    uint32_t random = 1;
    for (int i = 0; i < 3; i++) {
        said *got = calloc(1, sizeof *got);
        said_push_all(s, said_common.x, N, &random, got);
        vip_stream_flush(s);
        said_collect(s, got);
        said_assert_same(expected, got);
        said_push_all(s, said_common.x, 9000, &random, NULL); /* after the end: of no effect */
        vip_stream_reset(s);
        said_collect(s, got);
        assert_int_equal(got->results.n, expected->results.n);
        said_free(got);
    }
    vip_stream_free(s);
    said_free(expected);
}

static void
test_parameters_stay_when_the_model_is_exchanged(void **state) /* U6 */
{
    (void)state;
    const vip_stream_options o = said_options(false);
    vip_stream *s = said_stream(&o, said_common.models->causal);
    said *got = calloc(1, sizeof *got);
    vip_stream_set(s, VIPANN_PASSES, 99);
    vip_stream_set(s, VIPANN_HOP, 4);
    vip_stream_set(s, VIPANN_HOP, NAN);
    vip_stream_set(s, VIPANN_N_PARAMS, 7);
    uint32_t random = 1;
    for (int i = 0; i < 2; i++) {
        said_push_all(s, said_common.x, N / 2, &random, got);
        vip_stream_state now;
        vip_stream_look(s, &now);
        assert_int_equal(now.passes, 4); /* the most that may be asked for */
        assert_int_equal(now.hop_columns, 4);
        const stream_answers *r = &got->results;
        assert_int_equal(r->results[r->n - 1]->passes, 4);
        assert_near(r->results[r->n - 1]->t_seconds - r->results[r->n - 2]->t_seconds, 4 * 0.32, 1e-9);
        assert_int_equal(vip_stream_give_model(s, said_common.other, 0, true, NULL), VIPANN_OK);
    }
    vip_stream_free(s);
    said_free(got);
}

static void
test_a_lean_stream_has_more_members_when_the_model_is_given_again(void **state) /* U6 */
{
    (void)state;
    vip_stream_options o = said_options(false);
    o.lean = true;
    vip_stream *s = said_stream(&o, said_common.models->causal);
    vip_stream_set(s, VIPANN_PASSES, 4);
    static const uint32_t passes[] = {2, 4};
    for (size_t i = 0; i < 2; i++) {
        (void)vip_stream_work(s);
        vip_stream_state now;
        vip_stream_look(s, &now);
        assert_int_equal(now.passes, passes[i]);
        assert_int_equal(vip_stream_give_model(s, said_common.models->causal, 1, true, NULL), VIPANN_OK);
    }
    vip_stream_free(s);
}

static void
test_a_stream_can_go_while_its_thread_works(void **state) /* U7 */
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        const vip_stream_options o = said_options(true);
        vip_stream *s = said_stream(&o, i % 4 == 3 ? NULL : said_common.models->same);
        for (int k = 0; k < 5 * i; k++) {
            const float *x = said_common.x + k * BLOCK;
            (void)vip_stream_push(s, &x, BLOCK);
        }
        assert_int_equal(vip_stream_give_model(s, said_common.other, 0, i % 2 == 0, NULL), VIPANN_OK);
        vip_stream_free(s);
    }
    vip_stream_free(NULL);
}

/* Sound comes in blocks of a millisecond, and is looked for as seldom as the stream says. */
static void
test_whoever_works_may_sleep_and_hears_a_column_when_it_is_there(void **state) /* U11 */
{
    (void)state;
    enum { MILLISECOND = RATE / 1000, COLUMN_MS = 320 };
    const vip_stream_options o = said_options(false);
    vip_stream *s = said_stream(&o, NULL);
    assert_true(vip_stream_nap(s) > 0.04); /* without a model there is nothing to do */
    assert_int_equal(vip_stream_give_model(s, said_common.models->causal, 1, true, NULL), VIPANN_OK);
    double wake = 0;
    int looks = 0, columns = 0, last = 0;
    for (int now = 0; now < 20 * COLUMN_MS; now++) {
        const float *channel = said_common.x + now * MILLISECOND;
        assert_int_equal(vip_stream_push(s, &channel, MILLISECOND), MILLISECOND);
        while (now >= wake) {
            looks++;
            if (vip_stream_work(s) > 0) {
                assert_true(columns == 0 || (now - last >= COLUMN_MS - 3 && now - last <= COLUMN_MS + 3));
                last = now;
                columns++;
                continue;
            }
            assert_true(vip_stream_nap(s) >= 0.002 && vip_stream_nap(s) <= 0.05);
            wake = now + 1000 * vip_stream_nap(s);
        }
    }
    assert_true(columns >= 18);
    assert_true(looks <
                20 * columns + COLUMN_MS); /* of which the first, which nobody can expect, takes half of its time */
    vip_stream_free(s);
}

/* A stream of eight members that has got more sound than any machine can hear, until results are of fewer. */
static vip_stream *
overloaded_stream(vipann_result *r)
{
    vip_stream_options o = said_options(true);
    o.passes = 8;
    o.max_passes = 8;
    o.governed = true;
    vip_stream *s = said_stream(&o, said_common.models->causal);
    vip_stream_state now;
    bool fewer = false;
    const double give_up = 30;
    const time_t begin = time(NULL);
    for (size_t at = 0; !fewer && difftime(time(NULL), begin) < give_up; at = (at + BLOCK) % (N - BLOCK)) {
        const float *channel = said_common.x + at;
        (void)vip_stream_push(s, &channel, BLOCK);
        while (vip_stream_next_result(s, r, NULL)) {
            fewer = fewer || r->passes < 8;
        }
    }
    vip_stream_look(s, &now);
    assert_true(fewer && now.passes >= 2 && now.passes < 8);
    return s;
}

static void
test_another_model_begins_with_all_that_is_asked_for(void **state) /* U8 */
{
    (void)state;
    vipann_result *r = vip_stream_result_new();
    vip_stream *s = overloaded_stream(r);
    assert_int_equal(vip_stream_give_model(s, said_common.other, 2, true, NULL), VIPANN_OK);
    vip_stream_state now;
    vip_stream_look(s, &now);
    assert_int_equal(now.passes, 8);
    vip_stream_result_free(r);
    vip_stream_free(s);
}

static void
test_overload_takes_members_and_results_say_so(void **state) /* U8 */
{
    (void)state;
    vipann_result *r = vip_stream_result_new();
    vip_stream *s = overloaded_stream(r);
    vip_stream_state now;
    vip_stream_look(s, &now);
    assert_true(now.late_hops > 0 && now.lost_seconds > 0 && now.backlog_seconds > 0 && now.load > 0);
    const float *x = said_common.x;
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
    const vip_stream_options o = said_options(false);
    vip_stream *s = said_stream(&o, said_common.models->causal);
    vipann_result *r = vip_stream_result_new();
    vipann_event event;
    vip_stream_state now;
    failing_after(-1);
    for (size_t at = 0; at + BLOCK <= N; at += BLOCK) {
        const float *channel = said_common.x + at;
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
    vip_stream_options o = said_options(false);
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
    vip_stream *s = said_stream(&o, NULL);
    vipann_status status = VIPANN_E_MEMORY;
    for (long n = 0; status != VIPANN_OK; n++) {
        error.status = VIPANN_OK;
        failing_after(n);
        status = vip_stream_give_model(s, said_common.models->flipout, 0, n % 2 == 0, &error);
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
        table[i] = said_options(false);
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
        cmocka_unit_test(test_a_lean_stream_has_more_members_when_the_model_is_given_again),
        cmocka_unit_test(test_a_stream_can_go_while_its_thread_works),
        cmocka_unit_test(test_whoever_works_may_sleep_and_hears_a_column_when_it_is_there),
        cmocka_unit_test(test_another_model_begins_with_all_that_is_asked_for),
        cmocka_unit_test(test_overload_takes_members_and_results_say_so),
        cmocka_unit_test(test_a_running_stream_allocates_nothing),
        cmocka_unit_test(test_no_memory_is_a_clean_failure),
        cmocka_unit_test(test_options_out_of_range_are_named),
    };
    return cmocka_run_group_tests(tests, said_open, said_close);
}
