/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_engine_members.c -- holds the invariants of members: S4 and S7 of engine/README.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include <base/memory.h>
#include <library.h>
#include <nn/pass.h>

#include "stream.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static const stream_host plain_host = {.block = 512};

/* Columns that a member must have heard before a window of its own begins: what a column of ResNet-22 sees before its
 * own 32 frames, 372 frames if it is causal and 186 if not (../shared/reference/README.md), in whole columns. */
enum { CAUSAL_LOOK_BACK = 12, SAME_LOOK_BACK = 6 };

/* ------------------------------------------------------------------------------------------------------ independence */

/* Logits of the members after all of n_frames, [members][classes]. */
static void
pass_logits(const vipann_model *model, uint32_t members, uint32_t max_members, const float *frames, uint32_t n_frames,
            float *logits)
{
    const vip_pass_options options = {.kernels = vip_kernels_choose(NULL),
                                      .rates = model->file->rates,
                                      .seed = 3,
                                      .max_members = max_members,
                                      .max_frames = n_frames,
                                      .max_window = 0};
    vip_pass *pass = vip_pass_new(&model->file->network, model->weights, &options);
    assert_non_null(pass);
    vip_pass_set_members(pass, members);
    vip_pass_push(pass, frames, n_frames);
    vip_pass_finish(pass, true);
    vip_pass_answer(pass, vip_pass_columns(pass), 0, members, logits);
    vip_pass_free(pass);
}

static void
test_member_does_not_depend_on_how_many_there_are(void **state) /* S4 */
{
    const stream_models *models = *state;
    vipann_model *const tried[] = {models->same, models->causal, models->late};
    enum { FRAMES = 200 };
    float *frames = stream_sound(4, (size_t)FRAMES * VIP_MELS);
    for (size_t i = 0; i < (size_t)FRAMES * VIP_MELS; i++) {
        frames[i] = -60 + 100 * frames[i];
    }
    for (size_t i = 0; i < LENGTH(tried); i++) {
        float eight[8 * STREAM_CLASSES], fewer[8 * STREAM_CLASSES];
        pass_logits(tried[i], 8, 8, frames, FRAMES, eight);
        for (uint32_t members = 1; members < 8; members++) {
            pass_logits(tried[i], members, members + members % 3, frames, FRAMES, fewer);
            assert_memory_equal(fewer, eight, members * STREAM_CLASSES * sizeof *eight);
        }
        for (uint32_t m = 1; m < 8; m++) { /* and they differ from one another */
            assert_memory_not_equal(eight, eight + (size_t)m * STREAM_CLASSES, STREAM_CLASSES * sizeof *eight);
        }
    }
    free(frames);
}

static void
test_room_for_more_members_changes_nothing(void **state) /* S4 */
{
    const stream_models *models = *state;
    vipann_model *const tried[] = {models->same, models->flipout, models->ensemble};
    enum { N = 20000 };
    float *x = stream_sound(5, N);
    for (size_t i = 0; i < LENGTH(tried); i++) {
        vipann_options o = stream_options(tried[i], 3, VIPANN_EDGE);
        stream_answers *expected = stream_run(tried[i], &o, x, N, &plain_host);
        o.max_passes = 7;
        stream_answers *answers = stream_run(tried[i], &o, x, N, &plain_host);
        assert_true(stream_all_equal(expected, answers));
        assert_int_equal(answers->results[0]->passes, 3);
        stream_answers_free(expected);
        stream_answers_free(answers);
    }
    free(x);
}

/* ----------------------------------------------------------------------------------------------------- late joining */

static void
test_late_member_counts_once_its_window_is_its_own(void **state) /* S4 */
{
    const stream_models *models = *state;
    const struct {
        vipann_model *model;
        vipann_latency latency;
        uint32_t look_back, members;
    } table[] = {
        {models->causal, VIPANN_CENTRED, CAUSAL_LOOK_BACK, 8},  {models->late, VIPANN_CENTRED, CAUSAL_LOOK_BACK, 4},
        {models->flipout, VIPANN_CENTRED, CAUSAL_LOOK_BACK, 4}, {models->same, VIPANN_CENTRED, SAME_LOOK_BACK, 4},
        {models->same, VIPANN_EDGE, SAME_LOOK_BACK, 4},         {models->ensemble, VIPANN_CENTRED, SAME_LOOK_BACK, 4},
        {models->ensemble, VIPANN_EDGE, SAME_LOOK_BACK, 8}};
    enum { JOIN = 5, WINDOW = 4, COLUMNS = 24, N = COLUMNS * STREAM_COLUMN };
    float *x = stream_sound(6, N);
    for (size_t i = 0; i < LENGTH(table); i++) {
        const stream_change joining = {(size_t)JOIN * STREAM_COLUMN + 200, VIPANN_PASSES, table[i].members};
        const stream_host host = {.block = 512, .changes = &joining, .n_changes = 1};
        vipann_options o = stream_options(table[i].model, table[i].members, table[i].latency);
        o.window_columns = WINDOW;
        stream_answers *always = stream_run(table[i].model, &o, x, N, &plain_host);
        o.passes = 2;
        stream_answers *few = stream_run(table[i].model, &o, x, N, &plain_host);
        o.max_passes = table[i].members;
        o.piece_columns = 1 + (uint32_t)i;
        stream_answers *answers = stream_run(table[i].model, &o, x, N, &host);
        assert_int_equal(answers->n, always->n);
        const size_t counts = JOIN + table[i].look_back + WINDOW; /* columns after which the others count */
        for (size_t k = 0; k < answers->n; k++) {
            const vipann_result *r = answers->results[k];
            const bool all = llround(r->t_seconds / 0.32) >= (long long)counts;
            assert_int_equal(r->passes, all ? table[i].members : 2);
            assert_true(stream_equal(r, (all ? always : few)->results[k]));
        }
        assert_int_equal(answers->results[answers->n - 1]->passes, table[i].members);
        stream_answers_free(always);
        stream_answers_free(few);
        stream_answers_free(answers);
    }
    free(x);
}

static void
test_member_that_left_comes_back_as_a_new_one(void **state) /* S4 */
{
    const stream_models *models = *state;
    enum { COLUMNS = 25, N = COLUMNS * STREAM_COLUMN };
    static const stream_change coming[] = {{4 * STREAM_COLUMN, VIPANN_PASSES, 2},
                                           {6 * STREAM_COLUMN, VIPANN_PASSES, 99},  /* clamped to the most */
                                           {22 * STREAM_COLUMN, VIPANN_PASSES, 0}}; /* and to 1 */
    const stream_host host = {.block = 512, .changes = coming, .n_changes = LENGTH(coming)};
    float *x = stream_sound(7, N);
    vipann_options o = stream_options(models->causal, 4, VIPANN_CENTRED);
    o.window_columns = 2;
    stream_answers *always = stream_run(models->causal, &o, x, N, &plain_host);
    stream_answers *answers = stream_run(models->causal, &o, x, N, &host);
    /* The third column has been heard at the first change, the fifth at the second: the last samples are missing. */
    const size_t back = 5 + CAUSAL_LOOK_BACK + 2;
    for (size_t k = 0; k < answers->n; k++) {
        const size_t column = k + 1;
        const vipann_result *r = answers->results[k];
        assert_int_equal(r->passes, column <= 3 ? 4 : column < back ? 2 : column <= 21 ? 4 : 1);
        assert_int_equal(r->has_epistemic, r->passes >= 2);
        if (r->passes == 4) {
            assert_true(stream_equal(r, always->results[k]));
        }
        assert_true(r->passes >= 2 || (r->epistemic_nats == 0 && r->std[0] == 0));
    }
    stream_answers_free(always);
    stream_answers_free(answers);
    free(x);
}

static void
test_member_that_comes_back_is_smoothed_anew(void **state)
{
    const stream_models *models = *state;
    enum { BACK = 5 + CAUSAL_LOOK_BACK + 2, N = (BACK + 1) * STREAM_COLUMN };
    static const stream_change coming[] = {{4 * STREAM_COLUMN, VIPANN_PASSES, 2},
                                           {6 * STREAM_COLUMN, VIPANN_PASSES, 4}};
    const stream_host host = {.block = 512, .changes = coming, .n_changes = LENGTH(coming)};
    float *x = stream_sound(7, N);
    double p[2][2]; /* of the answer after BACK columns: [horizon or not][2 or 4 members] */
    vipann_options o = stream_options(models->causal, 4, VIPANN_CENTRED);
    o.window_columns = 2;
    for (uint32_t i = 0; i < 4; i++) {
        o.horizon_seconds = i / 2 == 0 ? 0 : 100;
        o.passes = i % 2 == 0 ? 2 : 4;
        const stream_host *way = i == 3 ? &host : &plain_host;
        stream_answers *answers = stream_run(models->causal, &o, x, N, way);
        assert_int_equal(answers->results[BACK - 1]->passes, o.passes);
        p[i / 2][i % 2] = (double)answers->results[BACK - 1]->p[0];
        stream_answers_free(answers);
    }
    /* Members 0 and 1 have been smoothed all the time, 2 and 3 are as they are now. */
    const double returned = 2 * p[0][1] - p[0][0];
    assert_true(fabs(p[1][1] - (p[1][0] + returned) / 2) < 1e-6);
    assert_true(fabs(p[1][0] - p[0][0]) > 1e-4); /* smoothing is to be seen */
    free(x);
}

static void
test_endless_window_counts_only_those_that_heard_it_all(void **state) /* S4 */
{
    const stream_models *models = *state;
    enum { N = 18 * STREAM_COLUMN };
    static const stream_change joining[] = {{2 * STREAM_COLUMN, VIPANN_PASSES, 4}};
    const stream_host host = {.block = 512, .changes = joining, .n_changes = 1};
    float *x = stream_sound(8, N);
    vipann_options o = stream_options(models->causal, 2, VIPANN_CENTRED);
    o.window_columns = 0;
    o.max_passes = 4;
    stream_answers *expected = stream_run(models->causal, &o, x, N, &plain_host);
    stream_answers *answers = stream_run(models->causal, &o, x, N, &host);
    assert_true(stream_all_equal(expected, answers));
    stream_answers_free(expected);
    stream_answers_free(answers);
    free(x);
}

static void
test_deterministic_pass_has_no_members(void **state)
{
    const stream_models *models = *state;
    vipann_model *const tried[] = {models->same, models->flipout, models->ensemble, models->plain};
    enum { N = 20000 };
    static const stream_change asked[] = {{6000, VIPANN_PASSES, 8}};
    const stream_host host = {.block = 512, .changes = asked, .n_changes = 1};
    float *x = stream_sound(9, N);
    for (size_t i = 0; i < LENGTH(tried); i++) {
        vipann_options o = stream_options(tried[i], tried[i] == models->plain ? 8 : 0, VIPANN_CENTRED);
        o.max_passes = 8;
        stream_answers *answers = stream_run(tried[i], &o, x, N, &host);
        for (size_t k = 0; k < answers->n; k++) {
            const vipann_result *r = answers->results[k];
            assert_true(r->passes == 0 && !r->has_epistemic && r->epistemic_nats == 0);
            assert_true(r->unknown != VIPANN_CANNOT_SAY && stream_sane(r)); /* a limit of confidence needs no members */
        }
        stream_answers_free(answers);
    }
    free(x);
}

static void
test_calibrated_says_whether_the_settings_are_those_of_the_model(void **state)
{
    const stream_models *models = *state; /* found with 4 members and 15 columns: random_model.h */
    static const struct {
        uint32_t passes, window;
        bool calibrated;
    } table[] = {{4, 15, true}, {3, 15, false}, {4, 14, false}, {0, 15, true}, {0, 3, false}, {4, 0, false}};
    float *x = stream_sound(10, 9000);
    for (size_t i = 0; i < LENGTH(table); i++) {
        vipann_options o = stream_options(models->causal, table[i].passes, VIPANN_CENTRED);
        o.window_columns = table[i].window;
        stream_answers *answers = stream_run(models->causal, &o, x, 9000, &plain_host);
        assert_int_equal(answers->results[0]->calibrated, table[i].calibrated);
        stream_answers_free(answers);
    }
    free(x);
}

/* ------------------------------------------------------------------------------------------------------- smoothing */

static void
test_probabilities_are_smoothed_with_the_time_that_passed(void **state)
{
    const stream_models *models = *state;
    enum { N = 12 * STREAM_COLUMN };
    static const stream_change to_three[] = {{5 * STREAM_COLUMN + 500, VIPANN_HOP, 3}};
    const stream_host host = {.block = 512, .changes = to_three, .n_changes = 1};
    float *x = stream_sound(13, N);
    vipann_options o = stream_options(models->plain, 0, VIPANN_EDGE);
    stream_answers *raw = stream_run(models->plain, &o, x, N, &host);
    o.horizon_seconds = 0.7;
    stream_answers *smooth = stream_run(models->plain, &o, x, N, &host);
    assert_int_equal(raw->n, smooth->n);
    double p = (double)raw->results[0]->p[0];
    for (size_t k = 1; k < raw->n; k++) {
        double elapsed = raw->results[k]->t_seconds - raw->results[k - 1]->t_seconds;
        p += (1 - exp(-elapsed / 0.7)) * ((double)raw->results[k]->p[0] - p);
        assert_true(fabs(p - (double)smooth->results[k]->p[0]) < 1e-6); /* float probabilities */
    }
    assert_true(raw->n == 5 + 2 + 1);
    stream_answers_free(raw);
    stream_answers_free(smooth);
    free(x);
}

/* ------------------------------------------------------------------------------------- what members share is done once */

/* Kernels that count the pixels (of one output block) that they compute; tiles of two runs, and of one for what does not
 * come in pairs. */
static uint64_t computed;
static const vip_tile *pair_tile, *single_tile;

static void
count_pair(const vip_conv *conv, const vip_run *runs, uint32_t out_block)
{
    computed += (uint64_t)pair_tile->runs * pair_tile->bins;
    pair_tile->plain(conv, runs, out_block);
}

static void
count_single(const vip_conv *conv, const vip_run *runs, uint32_t out_block)
{
    computed++;
    single_tile->plain(conv, runs, out_block);
}

/* The plain kernels' tile of that shape. */
static const vip_tile *
find_tile(uint8_t runs, uint8_t bins)
{
    const vip_tile *t = vip_kernels_c.tiles;
    while (t->runs > 0 && (t->runs != runs || t->bins != bins || t->blocks != 1)) {
        t++;
    }
    return t->runs > 0 ? t : NULL;
}

/* Pixels computed for one more column and an answer, once a causal pass is in its steady state. */
static uint64_t
count(const vipann_model *model, uint32_t members, const float *frames)
{
    vip_tile tiles[3] = {*pair_tile, *single_tile};
    tiles[0].plain = count_pair;
    tiles[1].plain = count_single;
    vip_kernels kernels = vip_kernels_c;
    kernels.tiles = tiles;
    const vip_pass_options options = {.kernels = &kernels,
                                      .rates = model->file->rates,
                                      .max_members = members,
                                      .max_frames = VIP_COLUMN_FRAMES,
                                      .max_window = 2};
    vip_pass *pass = vip_pass_new(&model->file->network, model->weights, &options);
    assert_non_null(pass);
    float logits[8 * STREAM_CLASSES];
    for (int column = 1; column <= 4; column++) {
        computed = 0;
        vip_pass_push(pass, frames, VIP_COLUMN_FRAMES);
        assert_int_equal(vip_pass_columns(pass), column);
        vip_pass_answer(pass, column, 1, members, logits);
    }
    vip_pass_free(pass);
    return computed;
}

/* Pixels of the steps first .. last - 1 for one column: bins / 2 columns of bins each. */
static uint64_t
pixels(const vip_network *network, int first, int last)
{
    uint64_t n = 0;
    for (int i = first; i < last; i++) {
        const vip_step *step = &network->steps[i];
        n += (uint64_t)step->bins / 2 * step->bins * ((step->out + 15) / 16);
    }
    return n;
}

static void
test_what_members_share_is_computed_once(void **state) /* S7, S6 */
{
    const stream_models *models = *state;
    enum { STEM = 2 }; /* the two convolutions before the first dropout */
    float frames[VIP_COLUMN_FRAMES * VIP_MELS] = {0};
    pair_tile = find_tile(2, 2);
    single_tile = find_tile(1, 1);
    assert_true(pair_tile != NULL && single_tile != NULL);
    const vip_network *network = &models->causal->file->network;
    const uint64_t dense = (network->features + 15) / 16 + (STREAM_CLASSES + 15) / 16;

    const uint64_t each = pixels(network, STEM, network->n_steps) + dense;
    assert_int_equal(count(models->causal, 4, frames), pixels(network, 0, STEM) + 4 * each);
    assert_int_equal(count(models->causal, 8, frames), pixels(network, 0, STEM) + 8 * each);

    /* Here all of the network is shared; a last tile that is filled up makes its count a little larger. */
    const uint64_t two = count(models->late, 2, frames);
    assert_int_equal(count(models->late, 8, frames), two + 6 * dense);
    assert_in_range(two - 2 * dense, pixels(network, 0, network->n_steps), pixels(network, 0, network->n_steps) + 100);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_member_does_not_depend_on_how_many_there_are),
        cmocka_unit_test(test_room_for_more_members_changes_nothing),
        cmocka_unit_test(test_late_member_counts_once_its_window_is_its_own),
        cmocka_unit_test(test_member_that_left_comes_back_as_a_new_one),
        cmocka_unit_test(test_member_that_comes_back_is_smoothed_anew),
        cmocka_unit_test(test_endless_window_counts_only_those_that_heard_it_all),
        cmocka_unit_test(test_deterministic_pass_has_no_members),
        cmocka_unit_test(test_calibrated_says_whether_the_settings_are_those_of_the_model),
        cmocka_unit_test(test_probabilities_are_smoothed_with_the_time_that_passed),
        cmocka_unit_test(test_what_members_share_is_computed_once),
    };
    return cmocka_run_group_tests(tests, stream_open_models, stream_close_models);
}
