/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_clip.c -- holds the contract of vipann_clip. That a clip equals a stream: test_engine_streaming.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "failing.h"
#include "stream.h"

static void
test_clip_is_refused_with_a_reason_and_out_is_left_alone(void **state)
{
    const stream_models *models = *state;
    float x[4] = {0};
    static const struct {
        size_t n;
        double rate;
        uint32_t passes;
        const char *says;
    } table[] = {{0, 16000, 1, "no samples"},
                 {4, 7999, 1, "option rate"},
                 {4, 384001, 1, "option rate"},
                 {4, NAN, 1, "option rate"},
                 {4, 16000, 65, "option passes"}};
    vipann_result *r = vipann_result_new(models->same);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        vipann_options o = stream_options(models->same, table[i].passes, VIPANN_CENTRED);
        vipann_error error = {VIPANN_OK, ""};
        r->t_seconds = 7;
        r->p[0] = 7;
        assert_int_equal(vipann_clip(models->same, &o, x, table[i].n, table[i].rate, r, &error), VIPANN_E_ARG);
        assert_int_equal(error.status, VIPANN_E_ARG);
        assert_non_null(strstr(error.text, table[i].says));
        assert_int_equal(vipann_clip(models->same, &o, x, table[i].n, table[i].rate, r, NULL), VIPANN_E_ARG);
        assert_true(r->t_seconds == 7 && r->p[0] == 7);
    }
    vipann_result_free(r);
}

static void
test_options_of_streams_are_of_no_effect(void **state)
{
    const stream_models *models = *state;
    enum { N = 30000 };
    float *x = stream_sound(1, N);
    vipann_options o = stream_options(models->same, 3, VIPANN_CENTRED);
    vipann_result *expected = vipann_result_new(models->same), *r = vipann_result_new(models->same);
    assert_int_equal(vipann_clip(models->same, &o, x, N, 22050, expected, NULL), VIPANN_OK);
    o.rate = 1;
    o.channels = 7;
    o.channel = 99;
    o.hop_columns = 0;
    o.window_columns = 1;
    o.max_window_columns = 5;
    o.horizon_seconds = 100;
    o.latency = VIPANN_EDGE;
    o.piece_columns = 32;
    o.max_block = 1;
    o.ring_seconds = 0.1;
    assert_int_equal(vipann_clip(models->same, &o, x, N, 22050, r, NULL), VIPANN_OK);
    assert_true(stream_equal(expected, r));
    assert_true(r->last && r->columns == 4 && fabs(r->t_seconds - 1.28) < 1e-9 && stream_sane(r));

    vipann_options_default(&o, models->same);
    assert_int_equal(vipann_clip(models->same, &o, x, N, 22050, expected, NULL), VIPANN_OK);
    assert_int_equal(vipann_clip(models->same, NULL, x, N, 22050, r, NULL), VIPANN_OK);
    assert_true(stream_equal(expected, r));
    vipann_result_free(expected);
    vipann_result_free(r);
    free(x);
}

static void
test_long_clip_goes_through_a_small_ring(void **state)
{
    const stream_models *models = *state;
    enum { N = 70 * STREAM_COLUMN };
    float *x = stream_sound(2, N);
    vipann_options o = stream_options(models->causal, 1, VIPANN_CENTRED);
    o.piece_columns = 32;
    o.ring_seconds = 0.1;
    o.window_columns = 100;
    const stream_host host = {.block = 4096};
    stream_answers *answers = stream_run(models->causal, &o, x, N, &host);
    vipann_result *r = vipann_result_new(models->causal);
    assert_int_equal(vipann_clip(models->causal, &o, x, N, 16000, r, NULL), VIPANN_OK);
    assert_true(stream_same_content(answers->results[answers->n - 1], r));
    assert_int_equal(r->columns, 70);
    assert_true(r->gap_seconds == 0);
    stream_answers_free(answers);
    vipann_result_free(r);
    free(x);
}

static void
test_short_memory_is_said_and_out_is_left_alone(void **state)
{
    const stream_models *models = *state;
    float *x = stream_sound(3, 1000);
    vipann_options o = stream_options(models->flipout, 2, VIPANN_CENTRED);
    vipann_result *r = vipann_result_new(models->flipout);
    r->t_seconds = 7;
    vipann_status status = VIPANN_E_MEMORY;
    long n = 0;
    for (; status != VIPANN_OK; n++) {
        vipann_error error = {VIPANN_OK, ""};
        failing_after(n);
        status = vipann_clip(models->flipout, &o, x, 1000, 44100, r, &error);
        failing_after(-1);
        assert_int_equal(error.status, status);
        assert_true(status == VIPANN_OK || (status == VIPANN_E_MEMORY && error.text[0] != '\0' && r->t_seconds == 7));
    }
    assert_true(n > 20);
    vipann_result_free(r);
    free(x);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clip_is_refused_with_a_reason_and_out_is_left_alone),
        cmocka_unit_test(test_options_of_streams_are_of_no_effect),
        cmocka_unit_test(test_long_clip_goes_through_a_small_ring),
        cmocka_unit_test(test_short_memory_is_said_and_out_is_left_alone),
    };
    return cmocka_run_group_tests(tests, stream_open_models, stream_close_models);
}
