/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_engine_gaps.c -- what an engine does when it cannot keep up: G1 to G4 of engine/README.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numbers.h"
#include "stream.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { BLOCK = 512, RING = 2048 }; /* frames; of the engines below at 16 kHz */

static vipann_options
small_ring(const vipann_model *model, uint32_t passes, vipann_latency latency)
{
    vipann_options o = stream_options(model, passes, latency);
    o.max_block = BLOCK;
    o.ring_seconds = 0.1; /* 1600 samples, rounded up */
    o.window_columns = 4;
    return o;
}

/* Sound that is heard, and then some that is not. */
typedef struct {
    size_t heard, lost;
} stretch;

/* Pushes n frames in blocks; returns how many were taken. */
static size_t
push(vipann_engine *engine, const float *x, size_t n)
{
    size_t taken = 0;
    for (size_t done = 0; done < n;) {
        const float *channel = x + done;
        uint32_t frames = n - done < BLOCK ? (uint32_t)(n - done) : BLOCK;
        taken += vipann_push(engine, &channel, frames);
        done += frames;
    }
    return taken;
}

static void
pump_all(vipann_engine *engine)
{
    while (vipann_pump(engine) > 0) {
    }
}

/* Hears x in stretches and then the rest of it, up to n. Whatever is lost is lost because nobody pumps and the ring is
 * full: so as much as it holds, or more, must be heard before. */
static stream_answers *
hear_with_gaps(vipann_model *model, const vipann_options *o, const float *x, size_t n, const stretch *stretches,
               size_t n_stretches)
{
    vipann_engine *engine = vipann_engine_new(model, o, NULL);
    vipann_reader *reader = vipann_reader_new(engine, VIPANN_RESULTS, NULL);
    stream_answers *answers = calloc(1, sizeof *answers);
    assert_true(reader != NULL && answers != NULL);
    const stream_host host = {.block = BLOCK, .open = true};
    const size_t ring = o->rate * o->ring_seconds > RING ? 2 * RING : RING;
    size_t at = 0;
    for (size_t i = 0; i < n_stretches; i++) {
        const stretch *s = &stretches[i];
        assert_true(s->heard >= ring);
        stream_feed(engine, reader, model, o, x + at, s->heard - ring, &host, answers);
        at += s->heard - ring;
        assert_int_equal(push(engine, x + at, ring), ring);
        at += ring;
        assert_int_equal(vipann_push_space(engine), 0);
        assert_int_equal(push(engine, x + at, s->lost), 0);
        at += s->lost;
        pump_all(engine);
        stream_collect(reader, model, answers);
    }
    const stream_host end = {.block = BLOCK};
    stream_feed(engine, reader, model, o, x + at, n - at, &end, answers);
    vipann_engine_free(engine);
    return answers;
}

static void
assert_same_contents(const stream_answers *a, const stream_answers *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        assert_true(stream_same_content(a->results[i], b->results[i]));
        assert_true(a->results[i]->t_seconds == b->results[i]->t_seconds);
        assert_int_equal(a->results[i]->last, b->results[i]->last);
    }
}

static void
test_block_that_does_not_fit_is_lost_whole_and_counted(void **state) /* G1 */
{
    const stream_models *models = *state;
    enum { N = 3 * STREAM_COLUMN };
    float *x = stream_sound(1, N);
    const vipann_options o = small_ring(models->causal, 1, VIPANN_CENTRED);
    vipann_engine *engine = vipann_engine_new(models->causal, &o, NULL);
    vipann_reader *reader = vipann_reader_new(engine, VIPANN_RESULTS, NULL);
    assert_int_equal(push(engine, x, RING - 100), RING - 100);
    const float *channel = x;
    assert_int_equal(vipann_push_space(engine), 100);
    assert_int_equal(vipann_push(engine, &channel, 101), 0); /* not the 100 that would fit */
    assert_int_equal(vipann_push_space(engine), 100);
    assert_int_equal(vipann_push(engine, &channel, BLOCK + 1), 0); /* longer than was agreed */
    assert_int_equal(vipann_push(engine, &channel, 100), 100);
    assert_int_equal(vipann_push(engine, &channel, 1), 0);
    pump_all(engine);
    for (size_t done = 0; done < N; done += BLOCK) {
        assert_int_equal(push(engine, x + done, BLOCK), BLOCK);
        pump_all(engine);
    }
    assert_true(vipann_flush(engine));
    vipann_result *r = vipann_result_new(models->causal);
    size_t n = 0;
    for (; vipann_next_result(reader, r); n++) {
        assert_true(r->gap_seconds == (101 + BLOCK + 1 + 1) / 16000.0);
    }
    assert_int_equal(n, 4); /* 2048 + 615 + 15360 samples are three columns; and the end */
    vipann_result_free(r);
    vipann_engine_free(engine);
    free(x);
}

static void
test_short_gap_is_heard_as_silence(void **state) /* G2 */
{
    const stream_models *models = *state;
    static const stretch stretches[] = {{7000, 1}, {4100, 700}, {2 * RING, 5119}, {6000, 513}};
    static const double rates[] = {16000, 22050};
    enum { N = 40000 };
    float *x = stream_sound(2, N), *silenced = stream_sound(2, N);
    for (size_t i = 0, at = 0; i < LENGTH(stretches); i++) {
        at += stretches[i].heard;
        memset(silenced + at, 0, stretches[i].lost * sizeof *silenced);
        at += stretches[i].lost;
    }
    for (size_t i = 0; i < 3 * LENGTH(rates); i++) {
        vipann_model *model = i % 3 == 0 ? models->causal : models->same;
        vipann_options o = small_ring(model, 2, i % 3 == 1 ? VIPANN_EDGE : VIPANN_CENTRED);
        o.rate = rates[i / 3];
        const stream_host host = {.block = BLOCK};
        stream_answers *expected = stream_run(model, &o, silenced, N, &host);
        stream_answers *answers = hear_with_gaps(model, &o, x, N, stretches, LENGTH(stretches));
        assert_same_contents(expected, answers);
        assert_true(answers->results[answers->n - 1]->gap_seconds == (1 + 700 + 5119 + 513) / o.rate);
        stream_answers_free(expected);
        stream_answers_free(answers);
    }
    free(x);
    free(silenced);
}

static void
test_long_gap_starts_the_network_anew_on_the_same_time_line(void **state) /* G3 */
{
    const stream_models *models = *state;
    enum { HEARD = 12000, LOST = 3 * STREAM_COLUMN + 2000, REST = 4 * STREAM_COLUMN, N = HEARD + LOST + REST };
    /* The gap ends in column 5, after 29360 samples, the first 3760 of which are silence: nothing else is left of it. */
    enum { FIRST = (HEARD + LOST) / STREAM_COLUMN, SILENT = (HEARD + LOST) % STREAM_COLUMN };
    static const stretch stretches[] = {{HEARD, LOST}};
    const struct {
        vipann_model *model;
        uint32_t passes;
        bool keyed; /* by the absolute column: so that a fresh engine has other masks */
    } table[] = {{models->plain, 0, false},
                 {models->late, 3, false},
                 {models->flipout, 3, false},
                 {models->causal, 3, true},
                 {models->same, 3, true}};
    float *x = stream_sound(3, N), *fresh = calloc(SILENT + REST, sizeof *fresh);
    assert_non_null(fresh);
    memcpy(fresh + SILENT, x + HEARD + LOST, REST * sizeof *fresh);
    for (size_t i = 0; i < 2 * LENGTH(table); i++) {
        vipann_model *model = table[i / 2].model;
        vipann_options o = small_ring(model, table[i / 2].passes, i % 2 == 0 ? VIPANN_CENTRED : VIPANN_EDGE);
        stream_answers *answers = hear_with_gaps(model, &o, x, N, stretches, 1);
        const stream_host host = {.block = BLOCK};
        stream_answers *expected = stream_run(model, &o, fresh, SILENT + REST, &host);
        const size_t before = answers->n - expected->n;
        assert_true(answers->n > expected->n || (i % 2 == 0 && model == models->plain) || model == models->same);
        for (size_t k = 0; k < expected->n; k++) {
            const vipann_result *r = answers->results[before + k], *e = expected->results[k];
            assert_true(fabs(r->t_seconds - e->t_seconds - 0.32 * FIRST) < 1e-9);
            assert_int_equal(stream_same_content(r, e), !table[i / 2].keyed);
            assert_true(r->gap_seconds == LOST / 16000.0 && stream_sane(r));
            assert_int_equal(r->passes, table[i / 2].passes);
        }
        stream_answers_free(expected);
        stream_answers_free(answers);
    }
    free(x);
    free(fresh);
}

static void
test_after_a_long_gap_nothing_is_left_of_the_sound_before_it(void **state) /* G3 */
{
    const stream_models *models = *state;
    enum { HEARD = 30000, LOST = 9000, N = 60000 };
    static const stretch stretches[] = {{HEARD, LOST}};
    float *x = stream_sound(4, N), *y = stream_sound(5, N);
    memcpy(y + HEARD + LOST, x + HEARD + LOST, (N - HEARD - LOST) * sizeof *y);
    for (int latency = VIPANN_CENTRED; latency <= VIPANN_EDGE; latency++) {
        vipann_options o = small_ring(models->same, 2, (vipann_latency)latency);
        o.horizon_seconds = 2;
        o.window_columns = 15;
        stream_answers *a = hear_with_gaps(models->same, &o, x, N, stretches, 1);
        stream_answers *b = hear_with_gaps(models->same, &o, y, N, stretches, 1);
        assert_int_equal(a->n, b->n);
        size_t after = 0;
        for (size_t i = 0; i < a->n; i++) {
            const bool behind = a->results[i]->t_seconds > (HEARD + LOST) / 16000.0;
            assert_int_equal(stream_equal(a->results[i], b->results[i]), behind);
            after += behind;
        }
        assert_int_equal(after, latency == VIPANN_EDGE ? 5 : 4); /* columns 7 to 10; at the edge twice for the last */
        stream_answers_free(a);
        stream_answers_free(b);
    }
    free(x);
    free(y);
}

static void
test_columns_before_a_long_gap_are_heard_whatever_the_piece(void **state) /* G3, S3 */
{
    const stream_models *models = *state;
    enum { HEARD = 3 * STREAM_COLUMN + 1000, LOST = 20000, REST = 2 * STREAM_COLUMN };
    float *x = stream_sound(6, HEARD + REST);
    static const float long_block[LOST];
    stream_answers *said[2];
    for (uint32_t i = 0; i < 2; i++) {
        vipann_options o = stream_options(models->causal, 2, VIPANN_CENTRED);
        o.max_block = BLOCK;
        o.piece_columns = i == 0 ? 1 : 32;
        o.max_passes = 5; /* more than run: a new start does not raise them */
        vipann_engine *engine = vipann_engine_new(models->causal, &o, NULL);
        vipann_reader *reader = vipann_reader_new(engine, VIPANN_RESULTS, NULL);
        const float *lost = long_block;
        assert_int_equal(push(engine, x, HEARD), HEARD);
        assert_int_equal(vipann_push(engine, &lost, LOST), 0);
        assert_int_equal(push(engine, x + HEARD, REST), REST);
        said[i] = calloc(1, sizeof *said[i]);
        assert_true(vipann_flush(engine)); /* which pumps what is left */
        stream_collect(reader, models->causal, said[i]);
        vipann_engine_free(engine);
    }
    assert_true(stream_all_equal(said[0], said[1]));
    for (size_t k = 0; k < said[0]->n; k++) {
        assert_int_equal(said[0]->results[k]->passes, 2);
    }
    assert_true(fabs(said[0]->results[2]->t_seconds - 0.96) < 1e-9);
    const int columns = (HEARD + LOST) / STREAM_COLUMN + 1; /* up to the end of that in which the gap ends */
    assert_true(fabs(said[0]->results[3]->t_seconds - 0.32 * columns) < 1e-9);
    stream_answers_free(said[0]);
    stream_answers_free(said[1]);
    free(x);
}

/* Reads what there is, into r; times are whole columns and go on from `newest`. Returns the new one. */
static double
read_on_the_grid(vipann_reader *reader, vipann_result *r, double newest)
{
    while (vipann_next_result(reader, r)) {
        const double column = r->t_seconds / 0.32;
        assert_true(fabs(column - floor(column + 0.5)) < 1e-6);
        assert_true(r->t_seconds > newest - (r->last ? 1e-9 : -1e-9) && stream_sane(r));
        newest = r->t_seconds;
    }
    assert_int_equal(vipann_reader_lost(reader), 0);
    return newest;
}

static void
test_time_never_slips(void **state) /* G4 */
{
    const stream_models *models = *state;
    static const double rates[] = {8000, 11025, 16000, 44099, 48000}; /* 44099: columns are no whole number of frames */
    static const float nothing[65536];
    for (uint32_t i = 0; i < 2 * LENGTH(rates); i++) {
        vipann_model *model = i % 2 == 1 ? models->same : models->causal;
        vipann_options o = stream_options(model, 1, VIPANN_EDGE);
        o.rate = rates[i / 2];
        o.max_block = BLOCK;
        vipann_engine *engine = vipann_engine_new(model, &o, NULL);
        vipann_reader *reader = vipann_reader_new(engine, VIPANN_RESULTS, NULL);
        const float *channel = nothing;
        uint32_t random = 1 + i;
        uint64_t total = 0, lost = 0;
        vipann_result *r = vipann_result_new(model);
        double newest = 0;
        for (int k = 0; k < 16; k++) {
            const uint32_t spread = next_random(&random) % 3 == 0 ? 30000 : 4000;
            const uint32_t gap = BLOCK + 1 + next_random(&random) % spread;
            const uint32_t sound = 1 + next_random(&random) % (2 * spread);
            assert_int_equal(vipann_push(engine, &channel, gap), 0);
            for (uint32_t done = 0; done < sound; done += BLOCK) {
                const uint32_t frames = sound - done < BLOCK ? sound - done : BLOCK;
                assert_int_equal(vipann_push(engine, &channel, frames), frames);
                if (next_random(&random) % 4 == 0) {
                    (void)vipann_pump(engine);
                }
            }
            pump_all(engine);
            total += gap + sound;
            lost += gap;
            newest = read_on_the_grid(reader, r, newest);
        }
        assert_true(vipann_flush(engine));
        newest = read_on_the_grid(reader, r, newest);
        assert_true(r->last);
        assert_true(fabs(newest - (double)total / o.rate) < 0.33);
        assert_true(fabs(r->gap_seconds - (double)lost / o.rate) < 1e-9);
        vipann_result_free(r);
        vipann_engine_free(engine);
    }
}

static void
test_more_gaps_than_can_wait_grow_instead(void **state) /* G4 */
{
    const stream_models *models = *state;
    enum { GAPS = 100, PART = 100, LOST = BLOCK + 1 }; /* 64 gaps wait */
    float *x = stream_sound(7, STREAM_COLUMN);
    static const float nothing[LOST];
    vipann_options o = stream_options(models->causal, 1, VIPANN_CENTRED);
    o.max_block = BLOCK;
    vipann_engine *engine = vipann_engine_new(models->causal, &o, NULL);
    vipann_reader *reader = vipann_reader_new(engine, VIPANN_RESULTS, NULL);
    uint64_t lost = 0, taken = 0;
    for (int i = 0; i < GAPS; i++) {
        const float *sound = x + PART * (i % 50), *silence = nothing;
        lost += LOST - vipann_push(engine, &silence, LOST);
        const uint32_t space = vipann_push_space(engine);
        assert_true(i < 64 ? space == BLOCK : space == 0);
        const uint32_t frames = vipann_push(engine, &sound, PART);
        taken += frames;
        lost += PART - frames;
    }
    assert_int_equal(taken, 64 * PART);
    pump_all(engine);
    assert_int_equal(vipann_push_space(engine), BLOCK);
    assert_int_equal(push(engine, x, STREAM_COLUMN), STREAM_COLUMN);
    assert_true(vipann_flush(engine));
    vipann_result *r = vipann_result_new(models->causal);
    while (vipann_next_result(reader, r)) {
    }
    const double total = (double)(lost + taken + STREAM_COLUMN) / 16000;
    assert_true(r->last && fabs(r->t_seconds - total) < 0.33);
    assert_true(fabs(r->gap_seconds - (double)lost / 16000) < 1e-9);
    vipann_result_free(r);
    vipann_engine_free(engine);
    free(x);
}

static void
test_sound_that_ends_in_a_gap_has_its_last_answer(void **state)
{
    const stream_models *models = *state;
    static const float nothing[3 * STREAM_COLUMN];
    for (uint32_t behind = 0; behind <= 1; behind++) {
        vipann_options o = stream_options(models->causal, 1, VIPANN_CENTRED);
        o.max_block = 4;
        vipann_engine *engine = vipann_engine_new(models->causal, &o, NULL);
        vipann_reader *reader = vipann_reader_new(engine, VIPANN_RESULTS, NULL);
        const float *channel = nothing;
        assert_int_equal(vipann_push(engine, &channel, 4), 4);
        assert_int_equal(vipann_push(engine, &channel, 2 * STREAM_COLUMN - 4), 0); /* ends with the second column */
        assert_int_equal(vipann_push(engine, &channel, 0), 0);
        assert_int_equal(vipann_push(engine, &channel, behind), behind);
        assert_true(vipann_flush(engine));
        vipann_result *r = vipann_result_new(models->causal);
        assert_true(vipann_next_result(reader, r));
        assert_true(r->last);
        assert_true(fabs(r->t_seconds - (behind == 0 ? 0.32 : 0.96)) < 1e-9);
        assert_false(vipann_next_result(reader, r));
        vipann_result_free(r);
        vipann_engine_free(engine);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block_that_does_not_fit_is_lost_whole_and_counted),
        cmocka_unit_test(test_short_gap_is_heard_as_silence),
        cmocka_unit_test(test_long_gap_starts_the_network_anew_on_the_same_time_line),
        cmocka_unit_test(test_after_a_long_gap_nothing_is_left_of_the_sound_before_it),
        cmocka_unit_test(test_columns_before_a_long_gap_are_heard_whatever_the_piece),
        cmocka_unit_test(test_time_never_slips),
        cmocka_unit_test(test_more_gaps_than_can_wait_grow_instead),
        cmocka_unit_test(test_sound_that_ends_in_a_gap_has_its_last_answer),
    };
    return cmocka_run_group_tests(tests, stream_open_models, stream_close_models);
}
