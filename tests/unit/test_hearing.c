/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_hearing.c -- holds engines to their members, whichever kind these are: independent of one another, of blocks, pieces
 * and threads, and those of an ensemble to its models run alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <hearing.h>

#include "failing.h"
#include "stream.h"
#include "tests/data/random_model.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static const stream_host plain_host = {.block = 512};

/* All that members can be. */
typedef struct {
    vipann_model *model;
    vipann_members members;
} kind;

enum { KINDS = 4 };

static void
all_kinds(const stream_models *models, kind kinds[KINDS])
{
    kinds[0] = (kind){models->same, VIPANN_FLIPOUT}; /* of no effect on dropout */
    kinds[1] = (kind){models->flipout, VIPANN_FLIPOUT};
    kinds[2] = (kind){models->flipout, VIPANN_EXPLICIT};
    kinds[3] = (kind){models->ensemble, VIPANN_FLIPOUT};
}

static vipann_options
options_of(const kind *k, uint32_t passes, vipann_latency latency)
{
    vipann_options o = stream_options(k->model, passes, latency);
    o.members = k->members;
    o.window_columns = 3;
    return o;
}

/* ------------------------------------------------------------------------------------------------------ independence */

/* Logits of the members after some frames, at the edge. */
static void
hear_frames(const kind *k, uint32_t passes, uint32_t max_passes, const float *frames, uint32_t n_frames, float *logits)
{
    vipann_options o = options_of(k, passes, VIPANN_EDGE);
    o.max_passes = max_passes;
    o.piece_columns = VIPANN_MAX_PIECE_COLUMNS;
    vip_hearing *hearing = vip_hearing_new(k->model, &o, vip_kernels_choose(NULL));
    assert_non_null(hearing);
    vip_pass *pass = vip_hearing_pass(hearing);
    vip_pass_set_members(pass, passes);
    vip_pass_push(pass, frames, n_frames);
    vip_pass_finish(pass, false);
    vip_pass_answer(pass, vip_pass_provisional(pass), 3, passes, logits);
    vip_hearing_free(hearing);
}

static void
test_members_of_every_kind_do_not_depend_on_how_many_there_are(void **state) /* S4 */
{
    enum { FRAMES = 140, MOST = 8 };
    static const uint32_t passes[] = {1, 2, 3};
    kind kinds[KINDS];
    all_kinds(*state, kinds);
    float *frames = stream_sound(4, (size_t)FRAMES * VIP_MELS);
    for (size_t i = 0; i < (size_t)FRAMES * VIP_MELS; i++) {
        frames[i] = -60 + 100 * frames[i];
    }
    for (size_t i = 0; i < KINDS; i++) {
        float all[MOST * STREAM_CLASSES], few[MOST * STREAM_CLASSES];
        hear_frames(&kinds[i], MOST, MOST, frames, FRAMES, all);
        for (size_t p = 0; p < LENGTH(passes); p++) {
            hear_frames(&kinds[i], passes[p], passes[p] + (uint32_t)p, frames, FRAMES, few);
            assert_memory_equal(few, all, passes[p] * STREAM_CLASSES * sizeof *all);
        }
        for (size_t m = 1; m < MOST; m++) { /* and no two are the same */
            assert_memory_not_equal(all, all + m * STREAM_CLASSES, STREAM_CLASSES * sizeof *all);
        }
    }
    free(frames);
}

static void
test_passes_may_change_on_the_way_whatever_the_kind(void **state) /* S4 */
{
    enum { COLUMNS = 26, N = COLUMNS * STREAM_COLUMN };
    static const stream_change changes[] = {{3 * STREAM_COLUMN + 100, VIPANN_PASSES, 3},
                                            {6 * STREAM_COLUMN + 100, VIPANN_PASSES, 1},
                                            {7 * STREAM_COLUMN + 100, VIPANN_PASSES, 8}};
    const stream_host host = {.block = 512, .changes = changes, .n_changes = LENGTH(changes)};
    kind kinds[KINDS];
    all_kinds(*state, kinds);
    float *x = stream_sound(6, N);
    for (size_t i = 0; i < KINDS; i++) {
        stream_answers *always[9] = {NULL};
        static const uint32_t passes[] = {1, 2, 3, 8};
        for (size_t p = 0; p < LENGTH(passes); p++) {
            vipann_options o = options_of(&kinds[i], passes[p], VIPANN_CENTRED);
            always[passes[p]] = stream_run(kinds[i].model, &o, x, N, &plain_host);
        }
        vipann_options o = options_of(&kinds[i], 2, VIPANN_CENTRED);
        o.max_passes = 8;
        stream_answers *changing = stream_run(kinds[i].model, &o, x, N, &host);
        size_t seen[9] = {0};
        assert_int_equal(changing->n, COLUMNS);
        for (size_t k = 0; k < changing->n; k++) {
            const uint32_t counted = changing->results[k]->passes;
            assert_true(counted <= 8 && always[counted] != NULL);
            assert_true(stream_equal(changing->results[k], always[counted]->results[k]));
            seen[counted]++;
        }
        assert_true(seen[1] > 0 && seen[8] > 0);
        for (size_t p = 0; p < LENGTH(always); p++) {
            if (always[p] != NULL) {
                stream_answers_free(always[p]);
            }
        }
        stream_answers_free(changing);
    }
    free(x);
}

static void
test_blocks_and_pieces_change_no_bit_whatever_the_kind(void **state) /* S3 */
{
    enum { N = 40000 };
    kind kinds[KINDS];
    all_kinds(*state, kinds);
    float *x = stream_sound(21, N);
    for (uint32_t i = 0; i < 2 * KINDS; i++) {
        const kind *k = &kinds[i / 2];
        vipann_options o = options_of(k, 3, i % 2 == 0 ? VIPANN_CENTRED : VIPANN_EDGE);
        stream_answers *expected = stream_run(k->model, &o, x, N, &plain_host);
        o.piece_columns = 2 + 4 * i;
        o.max_passes = 5;
        const stream_host host = {.seed = 40 + i};
        stream_answers *answers = stream_run(k->model, &o, x, N, &host);
        assert_true(stream_all_equal(expected, answers));
        stream_answers_free(expected);
        stream_answers_free(answers);
    }
    free(x);
}

/* A stream of a thread's own. */
typedef struct {
    const kind *k;
    const float *x;
    size_t n;
    stream_answers *answers;
} task;

static void *
run_task(void *argument)
{
    task *t = argument;
    vipann_options o = options_of(t->k, 4, VIPANN_CENTRED);
    t->answers = stream_run(t->k->model, &o, t->x, t->n, &plain_host);
    return NULL;
}

static void
test_engines_of_one_model_run_in_several_threads(void **state) /* S3 */
{
    enum { N = 30000 };
    kind kinds[KINDS];
    all_kinds(*state, kinds);
    float *x = stream_sound(22, N);
    for (size_t i = 0; i < KINDS; i++) {
        task tasks[3];
        pthread_t threads[2];
        for (size_t t = 0; t < LENGTH(tasks); t++) {
            tasks[t] = (task){.k = &kinds[i], .x = x, .n = N};
        }
        (void)run_task(&tasks[2]);
        for (size_t t = 0; t < LENGTH(threads); t++) {
            assert_int_equal(pthread_create(&threads[t], NULL, run_task, &tasks[t]), 0);
        }
        for (size_t t = 0; t < LENGTH(threads); t++) {
            assert_int_equal(pthread_join(threads[t], NULL), 0);
            assert_true(stream_all_equal(tasks[2].answers, tasks[t].answers));
            stream_answers_free(tasks[t].answers);
        }
        stream_answers_free(tasks[2].answers);
    }
    free(x);
}

/* --------------------------------------------------------------------------------------------------------- ensembles */

/* One of the ensemble's models, whose deterministic pass is calibrated as members are: member m is that of the m-th seed
 * after the first one's. */
static vipann_model *
open_single(stream_models *models, uint32_t member)
{
    const random_model_spec spec = {
        VIP_RESNET22, 1, STREAM_CLASSES, VIP_SAME, VIPANN_DETERMINISTIC, VIPANN_MULTILABEL, STREAM_SEED + member};
    vip_model *file = random_model(&spec);
    assert_non_null(file);
    file->calibration.has_deterministic = false;
    char name[] = "single-0.safetensors";
    name[strlen("single-")] = (char)('0' + member);
    vipann_model *model = stream_open(models, name, file);
    assert_non_null(model);
    return model;
}

enum { SINGLES = 3 };

/* Mean and deviation of the single models' probabilities are the ensemble's. */
static void
compare_with_singles(const vipann_result *r, const vipann_result *const singles[SINGLES])
{
    for (uint32_t c = 0; c < r->classes; c++) {
        double sum = 0, squares = 0;
        for (size_t m = 0; m < SINGLES; m++) {
            sum += (double)singles[m]->p[c];
        }
        for (size_t m = 0; m < SINGLES; m++) {
            squares += pow((double)singles[m]->p[c] - sum / SINGLES, 2);
        }
        assert_true(fabs((double)r->p[c] - sum / SINGLES) < 1e-7); /* p is rounded to a float */
        assert_true(fabs((double)r->std[c] - sqrt(squares / SINGLES)) < 1e-6);
    }
}

static void
test_an_ensemble_is_its_models_run_alone(void **state)
{
    stream_models *models = *state;
    enum { N = 60000 };
    float *x = stream_sound(30, N);
    vipann_model *single[SINGLES];
    for (uint32_t m = 0; m < SINGLES; m++) {
        single[m] = open_single(models, m);
    }
    for (int mode = 0; mode < 3; mode++) { /* centred, edge, clip */
        vipann_options o = stream_options(models->ensemble, SINGLES, mode == 1 ? VIPANN_EDGE : VIPANN_CENTRED);
        o.window_columns = 4;
        stream_answers *alone[SINGLES], *together = NULL, *first = NULL;
        vipann_result *clips[SINGLES + 1];
        if (mode < 2) {
            together = stream_run(models->ensemble, &o, x, N, &plain_host);
            o.passes = 1;
            first = stream_run(models->ensemble, &o, x, N, &plain_host);
        }
        for (uint32_t m = 0; m < SINGLES; m++) {
            vipann_options own = o;
            own.passes = 0;
            alone[m] = mode < 2 ? stream_run(single[m], &own, x, N, &plain_host) : NULL;
            clips[m] = vipann_result_new(single[m]);
            assert_int_equal(vipann_clip(single[m], &own, x, N, 16000, clips[m], NULL), VIPANN_OK);
        }
        for (size_t k = 0; together != NULL && k < together->n; k++) {
            const vipann_result *const results[] = {alone[0]->results[k], alone[1]->results[k], alone[2]->results[k]};
            compare_with_singles(together->results[k], results);
            assert_memory_equal(first->results[k]->p, results[0]->p, STREAM_CLASSES * sizeof(float));
        }
        if (mode == 2) {
            clips[SINGLES] = vipann_result_new(models->ensemble);
            assert_int_equal(vipann_clip(models->ensemble, &o, x, N, 16000, clips[SINGLES], NULL), VIPANN_OK);
            assert_int_equal(clips[SINGLES]->passes, SINGLES);
            compare_with_singles(clips[SINGLES], (const vipann_result *const *)clips);
            vipann_result_free(clips[SINGLES]);
        }
        for (uint32_t m = 0; m < SINGLES; m++) {
            vipann_result_free(clips[m]);
            if (mode < 2) {
                stream_answers_free(alone[m]);
            }
        }
        if (mode < 2) {
            assert_true(together->n > 5);
            stream_answers_free(together);
            stream_answers_free(first);
        }
    }
    for (uint32_t m = 0; m < SINGLES; m++) {
        vipann_model_unref(single[m]);
    }
    free(x);
}

static void
test_an_ensemble_has_no_more_members_than_it_has(void **state)
{
    const stream_models *models = *state;
    vipann_options o;
    vipann_error error = {VIPANN_OK, ""};
    vipann_options_default(&o, models->ensemble);
    assert_int_equal(o.passes, 4); /* those of its calibration */
    o.passes = STREAM_MEMBERS + 1;
    assert_null(vipann_engine_new(models->ensemble, &o, &error));
    assert_int_equal(error.status, VIPANN_E_ARG);
    assert_string_equal(error.text, "option passes is 9; ensemble is an ensemble of 8 members: ask for at most 8");
    o.passes = 2;
    o.max_passes = STREAM_MEMBERS + 1;
    vipann_cost cost;
    assert_int_equal(vipann_model_cost(models->ensemble, &o, &cost, &error), VIPANN_E_ARG);
    assert_string_equal(error.text, "option max_passes is 9; ensemble is an ensemble of 8 members: ask for at most 8");
    o.max_passes = STREAM_MEMBERS;
    vipann_engine *engine = vipann_engine_new(models->ensemble, &o, &error);
    assert_non_null(engine);
    vipann_engine_free(engine);
    o.members = (vipann_members)2;
    assert_null(vipann_engine_new(models->flipout, &o, &error));
    assert_string_equal(error.text, "option members is 2; it must be between 0 and 1");
}

/* -------------------------------------------------------------------------------------------- the deterministic pass */

/* Of dropout without masks, of mean-field the mean weights, of an ensemble its first model. */
static void
test_no_passes_are_the_deterministic_pass_of_every_kind(void **state)
{
    stream_models *models = *state;
    enum { N = 20000 };
    kind kinds[KINDS];
    all_kinds(models, kinds);
    vipann_model *first = open_single(models, 0);
    float *x = stream_sound(9, N);
    for (size_t i = 0; i < KINDS; i++) {
        vipann_options o = options_of(&kinds[i], 0, VIPANN_CENTRED);
        o.max_passes = 8;
        stream_answers *answers = stream_run(kinds[i].model, &o, x, N, &plain_host);
        o.seed = 99;
        o.members = VIPANN_EXPLICIT;
        stream_answers *again = stream_run(kinds[i].model, &o, x, N, &plain_host);
        assert_true(stream_all_equal(answers, again));
        for (size_t k = 0; k < answers->n; k++) {
            const vipann_result *r = answers->results[k];
            assert_true(r->passes == 0 && !r->has_epistemic && r->epistemic_nats == 0 && stream_sane(r));
        }
        stream_answers_free(answers);
        stream_answers_free(again);
    }
    /* The calibration of a deterministic pass is another, so logits are what can be compared. */
    float frames[32 * VIP_MELS], ensemble[STREAM_CLASSES], alone[STREAM_CLASSES];
    for (size_t i = 0; i < LENGTH(frames); i++) {
        frames[i] = -60 + 100 * x[i];
    }
    const kind one = {first, VIPANN_FLIPOUT};
    for (uint32_t passes = 0; passes < 2; passes++) {
        vipann_options o = options_of(&kinds[3], passes, VIPANN_EDGE);
        vip_hearing *a = vip_hearing_new(models->ensemble, &o, vip_kernels_choose(NULL));
        vip_hearing *b = vip_hearing_new(one.model, &o, vip_kernels_choose(NULL));
        vip_hearing *both[] = {a, b};
        float *logits[] = {ensemble, alone};
        for (size_t i = 0; i < 2; i++) {
            vip_pass_push(vip_hearing_pass(both[i]), frames, 32);
            vip_pass_finish(vip_hearing_pass(both[i]), false);
            vip_pass_answer(vip_hearing_pass(both[i]), 1, 1, 1, logits[i]);
            vip_hearing_free(both[i]);
        }
        assert_memory_equal(ensemble, alone, sizeof alone);
    }
    vipann_model_unref(first);
    free(x);
}

static void
test_explicit_members_are_others_than_those_of_flipout(void **state)
{
    const stream_models *models = *state;
    enum { N = 12000 };
    float *x = stream_sound(11, N);
    stream_answers *answers[4];
    for (uint32_t i = 0; i < LENGTH(answers); i++) {
        vipann_options o = stream_options(models->flipout, 3, VIPANN_CENTRED);
        o.members = i < 1 ? VIPANN_FLIPOUT : VIPANN_EXPLICIT;
        o.seed = i < 3 ? 3 : 4;
        answers[i] = stream_run(models->flipout, &o, x, N, &plain_host);
    }
    assert_false(stream_equal(answers[0]->results[0], answers[1]->results[0]));
    assert_true(stream_all_equal(answers[1], answers[2]));
    assert_false(stream_equal(answers[1]->results[0], answers[3]->results[0])); /* the seed draws them */
    for (size_t i = 0; i < LENGTH(answers); i++) {
        stream_answers_free(answers[i]);
    }
    free(x);
}

static void
test_memory_that_fails_anywhere_gives_no_hearing_and_no_leak(void **state)
{
    kind kinds[KINDS];
    all_kinds(*state, kinds);
    const vip_kernels *kernels = vip_kernels_choose(NULL);
    for (size_t i = 0; i < KINDS; i++) {
        const vipann_options o = options_of(&kinds[i], 2, VIPANN_CENTRED);
        vip_hearing *hearing = NULL;
        long n = 0;
        for (; hearing == NULL; n++) {
            failing_after(n);
            hearing = vip_hearing_new(kinds[i].model, &o, kernels);
            failing_after(-1);
        }
        assert_true(n > 10);
        vip_hearing_free(hearing);

        vipann_engine *engine = NULL;
        for (n = 0; engine == NULL; n++) {
            vipann_error error = {VIPANN_OK, ""};
            failing_after(n);
            engine = vipann_engine_new(kinds[i].model, &o, &error);
            failing_after(-1);
            assert_true(engine != NULL || error.status == VIPANN_E_MEMORY);
        }
        vipann_engine_free(engine);
    }
    vip_hearing_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_of_every_kind_do_not_depend_on_how_many_there_are),
        cmocka_unit_test(test_passes_may_change_on_the_way_whatever_the_kind),
        cmocka_unit_test(test_blocks_and_pieces_change_no_bit_whatever_the_kind),
        cmocka_unit_test(test_engines_of_one_model_run_in_several_threads),
        cmocka_unit_test(test_an_ensemble_is_its_models_run_alone),
        cmocka_unit_test(test_an_ensemble_has_no_more_members_than_it_has),
        cmocka_unit_test(test_no_passes_are_the_deterministic_pass_of_every_kind),
        cmocka_unit_test(test_explicit_members_are_others_than_those_of_flipout),
        cmocka_unit_test(test_memory_that_fails_anywhere_gives_no_hearing_and_no_leak),
    };
    return cmocka_run_group_tests(tests, stream_open_models, stream_close_models);
}
