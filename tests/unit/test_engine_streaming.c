/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_engine_streaming.c -- holds the invariants of a stream: S1, S2, S3, S5, S6 and S8 of engine/README.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <base/memory.h>
#include <bayes/uncertainty.h>
#include <decide/decide.h>
#include <frontend/frontend.h>
#include <library.h>
#include <nn/pass.h>

#include "stream.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static const stream_host plain_host = {.block = 512};

/* ------------------------------------------------------------------------------------------- against whole recordings */

enum { MOST_FRAMES = 1024 };

/* All frames of x, heard in one go, to frames[MOST_FRAMES][VIP_MELS]; returns their number. */
static uint32_t
all_frames(const vipann_model *model, const float *x, size_t n, float *frames)
{
    vip_frontend *frontend = vip_frontend_new(&model->file->frontend, 16000, NULL);
    assert_non_null(frontend);
    size_t made = 0;
    for (size_t done = 0; done < n;) {
        size_t space = vip_frontend_space(frontend);
        size_t m = n - done < space ? n - done : space;
        vip_frontend_feed(frontend, x + done, m);
        done += m;
        made += vip_frontend_read(frontend, frames + made * VIP_MELS, MOST_FRAMES - made);
    }
    vip_frontend_end(frontend);
    made += vip_frontend_read(frontend, frames + made * VIP_MELS, MOST_FRAMES - made);
    vip_frontend_free(frontend);
    return (uint32_t)made;
}

/* The answer of one pass that hears n_frames at once and then ends. */
static void
one_pass(const vipann_model *model, uint64_t seed, uint32_t members, const float *frames, uint32_t n_frames,
         vipann_result *r)
{
    const vip_model *file = model->file;
    const vip_pass_options options = {.kernels = vip_kernels_choose(NULL),
                                      .rates = members > 0 ? file->rates : NULL,
                                      .seed = seed,
                                      .max_members = members > 0 ? members : 1,
                                      .max_frames = n_frames,
                                      .max_window = 0};
    vip_pass *pass = vip_pass_new(&file->network, model->weights, &options);
    assert_non_null(pass);
    vip_pass_push(pass, frames, n_frames);
    vip_pass_finish(pass, true);
    float logits[8 * STREAM_CLASSES];
    vip_probability probabilities[8 * STREAM_CLASSES];
    vip_pass_answer(pass, vip_pass_columns(pass), 0, options.max_members, logits);
    for (uint32_t m = 0; m < options.max_members; m++) {
        float *z = logits + m * STREAM_CLASSES;
        vip_calibrate(&file->calibration, members == 0, z, STREAM_CLASSES);
        vip_probabilities(file->task, z, STREAM_CLASSES, probabilities + m * STREAM_CLASSES);
    }
    const vip_doubt doubt = vip_decompose(file->task, probabilities, options.max_members, STREAM_CLASSES, r->p, r->std,
                                          r->aleatoric, r->epistemic);
    r->total_nats = doubt.total;
    r->aleatoric_nats = doubt.aleatoric;
    r->epistemic_nats = doubt.epistemic;
    r->columns = (uint32_t)vip_pass_columns(pass);
    vip_pass_free(pass);
}

static void
assert_same_numbers(const vipann_result *a, const vipann_result *b)
{
    const size_t bytes = STREAM_CLASSES * sizeof *a->p;
    assert_int_equal(a->columns, b->columns);
    assert_memory_equal(a->p, b->p, bytes);
    assert_memory_equal(a->std, b->std, bytes);
    assert_memory_equal(a->aleatoric, b->aleatoric, bytes);
    assert_memory_equal(a->epistemic, b->epistemic, bytes);
    assert_true(a->total_nats == b->total_nats && a->aleatoric_nats == b->aleatoric_nats &&
                a->epistemic_nats == b->epistemic_nats);
}

static void
test_flushed_stream_equals_one_pass_over_the_whole_recording(void **state) /* S1 */
{
    const stream_models *models = *state;
    vipann_model *const tried[] = {models->same, models->causal, models->late, models->plain};
    static const size_t lengths[] = {1, 700, STREAM_COLUMN, 5 * STREAM_COLUMN - 1, 32100};
    float *frames = vip_alloc((size_t)MOST_FRAMES * VIP_MELS, sizeof *frames);
    for (size_t i = 0; i < LENGTH(tried) * LENGTH(lengths); i++) {
        vipann_model *model = tried[i / LENGTH(lengths)];
        const size_t n = lengths[i % LENGTH(lengths)];
        float *x = stream_sound((uint32_t)i, n);
        const uint32_t members = model == models->plain ? 0 : 4;
        vipann_options o = stream_options(model, members, VIPANN_CENTRED);
        vipann_result *expected = vipann_result_new(model);
        one_pass(model, o.seed, members, frames, all_frames(model, x, n, frames), expected);
        for (uint32_t window = 0; window <= 200; window += 200) { /* endless, and longer than the sound */
            o.window_columns = window;
            stream_answers *answers = stream_run(model, &o, x, n, &plain_host);
            assert_true(answers->n > 0);
            assert_true(answers->results[answers->n - 1]->last);
            assert_same_numbers(answers->results[answers->n - 1], expected);
            stream_answers_free(answers);
        }
        vipann_result_free(expected);
        free(x);
    }
    vip_free(frames);
}

static void
test_edge_answers_as_if_the_sound_ended_there(void **state) /* S2 */
{
    const stream_models *models = *state;
    enum { COLUMNS = 9, N = COLUMNS * STREAM_COLUMN + 300 };
    float *x = stream_sound(11, N), *frames = vip_alloc((size_t)MOST_FRAMES * VIP_MELS, sizeof *frames);
    (void)all_frames(models->same, x, N, frames);
    for (uint32_t hop = 1; hop <= 3; hop += 2) {
        vipann_options o = stream_options(models->same, 4, VIPANN_EDGE);
        o.window_columns = 0;
        o.hop_columns = hop;
        stream_host host = plain_host;
        host.open = true;
        stream_answers *answers = stream_run(models->same, &o, x, N, &host);
        assert_int_equal(answers->n, COLUMNS / hop);
        vipann_result *expected = vipann_result_new(models->same);
        for (uint32_t i = 0; i < answers->n; i++) {
            const uint32_t column = (i + 1) * hop;
            one_pass(models->same, o.seed, 4, frames, column * VIP_COLUMN_FRAMES, expected);
            assert_same_numbers(answers->results[i], expected);
            assert_true(fabs(answers->results[i]->t_seconds - 0.32 * column) < 1e-9);
            assert_false(answers->results[i]->last);
        }
        vipann_result_free(expected);
        stream_answers_free(answers);
    }
    vip_free(frames);
    free(x);
}

static void
test_clip_equals_the_last_answer_of_a_long_window(void **state) /* S1 */
{
    const stream_models *models = *state;
    vipann_model *const tried[] = {models->same, models->causal, models->flipout, models->plain};
    enum { N = 40000 };
    float *x = stream_sound(12, N);
    for (size_t i = 0; i < LENGTH(tried); i++) {
        for (int latency = VIPANN_CENTRED; latency <= VIPANN_EDGE; latency++) {
            vipann_options o = stream_options(tried[i], 3, (vipann_latency)latency);
            o.window_columns = 119;
            o.rate = 22050;
            stream_answers *answers = stream_run(tried[i], &o, x, N, &plain_host);
            vipann_result *clip = vipann_result_new(tried[i]);
            assert_int_equal(vipann_clip(tried[i], &o, x, N, o.rate, clip, NULL), VIPANN_OK);
            assert_true(stream_same_content(answers->results[answers->n - 1], clip));
            assert_true(clip->last);
            vipann_result_free(clip);
            stream_answers_free(answers);
        }
    }
    free(x);
}

/* ---------------------------------------------------------------------------------------------- the way does not matter */

/* Hops of 1, 3, 2, 4 and 1 columns, and two windows, set on the way. */
static const stream_change changes[] = {
    {11000, VIPANN_HOP, 3},    {21500, VIPANN_WINDOW, 2}, {26000, VIPANN_HOP, 2},
    {33001, VIPANN_WINDOW, 7}, {33001, VIPANN_HOP, 4},    {39000, VIPANN_HOP, 1},
};

static void
test_bits_do_not_depend_on_blocks_pumps_and_pieces(void **state) /* S3 */
{
    const stream_models *models = *state;
    vipann_model *const tried[] = {models->same, models->causal, models->flipout};
    static const uint32_t passes[] = {1, 4, 8}, pieces[] = {2, 7, 32};
    enum { N = 44000 };
    float *x = stream_sound(21, N);
    for (uint32_t i = 0; i < LENGTH(tried) * LENGTH(passes) * 2; i++) {
        vipann_model *model = tried[i / 2 % LENGTH(tried)];
        const uint32_t members = passes[i / 2 / LENGTH(tried)];
        vipann_options o = stream_options(model, members, i % 2 == 0 ? VIPANN_CENTRED : VIPANN_EDGE);
        o.window_columns = 5;
        o.max_window_columns = 8;
        stream_host host = {.block = 512, .changes = changes, .n_changes = LENGTH(changes)};
        stream_answers *expected = stream_run(model, &o, x, N, &host);
        o.piece_columns = pieces[i % LENGTH(pieces)];
        host.seed = i + 1;
        print_message("# %s, %u passes, latency %d, pieces of %u columns, blocks of seed %u\n", model->file->name,
                      (unsigned)members, (int)o.latency, (unsigned)o.piece_columns, (unsigned)host.seed);
        stream_answers *answers = stream_run(model, &o, x, N, &host);
        assert_true(stream_all_equal(expected, answers));
        for (size_t k = 0; k < answers->n; k++) {
            assert_true(stream_sane(answers->results[k]));
        }
        stream_answers_free(expected);
        stream_answers_free(answers);
    }
    free(x);
}

static const double rates[] = {8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000};

static void
test_bits_do_not_depend_on_blocks_at_any_rate(void **state) /* S3 */
{
    const stream_models *models = *state;
    for (uint32_t i = 0; i < 2 * LENGTH(rates); i++) {
        vipann_model *model = i % 2 == 0 ? models->same : models->causal;
        vipann_options o = stream_options(model, 2, VIPANN_EDGE);
        o.rate = rates[i / 2];
        const size_t n = (size_t)(1.5 * o.rate) + 77;
        float *x = stream_sound(31 + i, n);
        stream_answers *expected = stream_run(model, &o, x, n, &plain_host);
        o.piece_columns = 4;
        o.latency = model == models->causal ? VIPANN_CENTRED : VIPANN_EDGE;
        const stream_host host = {.seed = 100 + i};
        stream_answers *answers = stream_run(model, &o, x, n, &host);
        assert_true(stream_all_equal(expected, answers));
        assert_int_equal(answers->n, 5); /* 1.5 s are four columns; and the end */
        for (size_t k = 0; k < answers->n; k++) {
            const double column = k < 4 ? (double)k + 1 : 4;
            assert_true(fabs(answers->results[k]->t_seconds - 0.32 * column) < 1e-9);
            assert_int_equal(answers->results[k]->last, k == 4);
        }
        stream_answers_free(expected);
        stream_answers_free(answers);
        free(x);
    }
}

static void
test_answers_come_a_hop_apart(void **state)
{
    const stream_models *models = *state;
    static const struct {
        bool edge;
        double t[8];
    } table[] = {{false, {1.28, 2.56, 3.84, 5.12, 5.44}}, {true, {1.28, 2.56, 3.84, 5.12, 5.44}}};
    enum { N = 17 * STREAM_COLUMN + 2000 };
    float *x = stream_sound(41, N);
    for (size_t i = 0; i < LENGTH(table); i++) {
        vipann_options o = stream_options(models->same, 1, table[i].edge ? VIPANN_EDGE : VIPANN_CENTRED);
        o.hop_columns = 4;
        stream_answers *answers = stream_run(models->same, &o, x, N, &plain_host);
        assert_int_equal(answers->n, 5);
        for (size_t k = 0; k < answers->n; k++) {
            assert_true(fabs(answers->results[k]->t_seconds - table[i].t[k]) < 1e-9);
        }
        stream_answers_free(answers);
    }
    free(x);
}

static void
test_a_shorter_hop_acts_from_the_next_column_on(void **state)
{
    const stream_models *models = *state;
    enum { N = 20 * STREAM_COLUMN, CHANGE = 15 * STREAM_COLUMN + 500 };
    static const stream_change shorter[] = {{CHANGE, VIPANN_HOP, 2}};
    const stream_host host = {.block = 512, .changes = shorter, .n_changes = 1, .open = true};
    float *x = stream_sound(42, N);
    for (int latency = VIPANN_CENTRED; latency <= VIPANN_EDGE; latency++) {
        vipann_options o = stream_options(models->causal, 1, (vipann_latency)latency);
        o.window_columns = 3;
        stream_answers *each = stream_run(models->causal, &o, x, N, &plain_host);
        o.hop_columns = 375; /* at the change 15 columns wait, far more than are kept */
        stream_answers *answers = stream_run(models->causal, &o, x, N, &host);
        assert_int_equal(answers->n, 2); /* after 16 and 18 columns: the 20th waits for its last samples */
        assert_true(stream_equal(answers->results[0], each->results[15]));
        assert_true(stream_equal(answers->results[1], each->results[17]));
        stream_answers_free(each);
        stream_answers_free(answers);
    }
    free(x);
}

/* --------------------------------------------------------------------------------------- seeds, causal networks, reset */

static void
test_same_seed_same_bits_and_another_seed_others(void **state) /* S5 */
{
    const stream_models *models = *state;
    vipann_model *const tried[] = {models->same, models->flipout, models->plain};
    enum { N = 20000 };
    float *x = stream_sound(51, N);
    for (size_t i = 0; i < LENGTH(tried); i++) {
        vipann_options o = stream_options(tried[i], 4, VIPANN_CENTRED);
        stream_answers *first = stream_run(tried[i], &o, x, N, &plain_host);
        stream_answers *second = stream_run(tried[i], &o, x, N, &plain_host);
        o.seed += (uint64_t)1 << 32; /* all 64 bits count */
        stream_answers *other = stream_run(tried[i], &o, x, N, &plain_host);
        assert_true(stream_all_equal(first, second));
        assert_int_equal(stream_same_content(first->results[0], other->results[0]), tried[i] == models->plain);
        stream_answers_free(first);
        stream_answers_free(second);
        stream_answers_free(other);
    }
    free(x);
}

static void
test_causal_edge_equals_centred(void **state) /* S6 */
{
    const stream_models *models = *state;
    vipann_model *const tried[] = {models->causal, models->late, models->flipout};
    enum { N = 45000 };
    float *x = stream_sound(61, N);
    for (size_t i = 0; i < LENGTH(tried); i++) {
        vipann_options o = stream_options(tried[i], 4, VIPANN_CENTRED);
        o.hop_columns = 1 + (uint32_t)i;
        stream_answers *centred = stream_run(tried[i], &o, x, N, &plain_host);
        o.latency = VIPANN_EDGE;
        stream_answers *edge = stream_run(tried[i], &o, x, N, &plain_host);
        assert_true(stream_all_equal(centred, edge));
        assert_true(fabs(edge->results[0]->t_seconds - 0.32 * o.hop_columns) < 1e-9);
        stream_answers_free(centred);
        stream_answers_free(edge);
    }
    free(x);
}

/* Hears x to the end, or only its first part, and is reset; then hears x again: what it says the second time. */
static stream_answers *
run_after_reset(vipann_model *model, const vipann_options *o, const float *x, size_t n, bool flush)
{
    vipann_engine *engine = vipann_engine_new(model, o, NULL);
    vipann_reader *reader = vipann_reader_new(engine, VIPANN_RESULTS | VIPANN_LATEST, NULL);
    assert_non_null(reader);
    stream_host host = plain_host;
    host.open = !flush;
    stream_answers *before = calloc(1, sizeof *before), *after = calloc(1, sizeof *after);
    static const float broken[] = {NAN, 1e9f};
    const float *channel = broken;
    assert_int_equal(vipann_push(engine, &channel, 2), 2);
    stream_feed(engine, reader, model, o, x, flush ? n : n / 2, &host, before);
    assert_int_equal(vipann_push(engine, &x, o->max_block + 1), 0); /* lost: a gap is open */
    (void)vipann_push(engine, &x, 100);                             /* and waits */
    vipann_engine_reset(engine);
    vipann_result *r = vipann_result_new(model);
    assert_false(vipann_latest(reader, r));
    assert_false(vipann_next_result(reader, r));
    vipann_result_free(r);
    host.open = false;
    stream_feed(engine, reader, model, o, x, n, &host, after);
    vipann_engine_free(engine);
    stream_answers_free(before);
    return after;
}

static void
test_reset_returns_to_the_first_state(void **state) /* S8 */
{
    const stream_models *models = *state;
    vipann_model *const tried[] = {models->same, models->causal, models->flipout, models->plain};
    enum { N = 21000 };
    float *x = stream_sound(81, N);
    for (size_t i = 0; i < 4 * LENGTH(tried); i++) {
        vipann_model *model = tried[i / 4];
        vipann_options o = stream_options(model, 3, i % 2 == 0 ? VIPANN_EDGE : VIPANN_CENTRED);
        o.window_columns = i % 4 < 2 ? 0 : 6;
        o.horizon_seconds = 1;
        o.rate = i % 2 == 0 ? 16000 : 22050;
        o.max_passes = 6;
        stream_answers *expected = stream_run(model, &o, x, N, &plain_host);
        stream_answers *answers = run_after_reset(model, &o, x, N, i % 4 == 1);
        assert_true(stream_all_equal(expected, answers));
        stream_answers_free(expected);
        stream_answers_free(answers);
    }
    free(x);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flushed_stream_equals_one_pass_over_the_whole_recording),
        cmocka_unit_test(test_edge_answers_as_if_the_sound_ended_there),
        cmocka_unit_test(test_clip_equals_the_last_answer_of_a_long_window),
        cmocka_unit_test(test_bits_do_not_depend_on_blocks_pumps_and_pieces),
        cmocka_unit_test(test_bits_do_not_depend_on_blocks_at_any_rate),
        cmocka_unit_test(test_answers_come_a_hop_apart),
        cmocka_unit_test(test_a_shorter_hop_acts_from_the_next_column_on),
        cmocka_unit_test(test_same_seed_same_bits_and_another_seed_others),
        cmocka_unit_test(test_causal_edge_equals_centred),
        cmocka_unit_test(test_reset_returns_to_the_first_state),
    };
    return cmocka_run_group_tests(tests, stream_open_models, stream_close_models);
}
