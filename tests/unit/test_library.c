/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_library.c -- models of a process: shared, described, costed. Run under the thread sanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <library.h>

#include "failing.h"
#include "scratch.h"
#include "stream.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* ------------------------------------------------------------------------------------------------ opening and sharing */

/* The path of a file of the models' folder. */
static const char *
path_of(char out[SCRATCH_PATH], void **state, const char *name)
{
    stream_models *models = *state;
    return scratch_path(out, &models->folder, name);
}

static void
copy_file(const char *from, const char *to)
{
    enum { MOST = 4 << 20 };
    char *bytes = malloc(MOST);
    assert_non_null(bytes);
    const size_t n = scratch_read(from, bytes, MOST);
    assert_true(n > 0 && n < MOST - 1);
    scratch_write(to, bytes, n);
    free(bytes);
}

static void
test_same_file_is_opened_once(void **state)
{
    stream_models *models = *state;
    char path[SCRATCH_PATH], roundabout[SCRATCH_PATH];
    vipann_model *again = vipann_model_open(path_of(path, state, "same.safetensors"), NULL);
    assert_ptr_equal(again, models->same);
    vipann_model *around = vipann_model_open(path_of(roundabout, state, "./same.safetensors"), NULL);
    assert_ptr_equal(around, models->same);
    assert_ptr_equal(vipann_model_ref(around), models->same);
    vipann_model_unref(around);
    vipann_model_unref(around);
    vipann_model_unref(again);
    vipann_model_unref(NULL);
    assert_string_equal(vipann_model_label(models->same, 0), "class 0"); /* its first owner has it still */
}

static void
test_same_content_under_another_name_keeps_its_name(void **state)
{
    stream_models *models = *state;
    char from[SCRATCH_PATH], to[SCRATCH_PATH];
    vipann_model_info info, other;
    vipann_model_describe(models->causal, &info);
    copy_file(path_of(from, state, "causal.safetensors"), path_of(to, state, "copy.safetensors"));
    vipann_model *copy = vipann_model_open(to, NULL);
    assert_non_null(copy);
    assert_ptr_not_equal(copy, models->causal);
    vipann_model_describe(copy, &other);
    assert_string_equal(other.name, "copy");
    assert_string_equal(other.sha256, info.sha256);
    vipann_model_unref(copy);

    void *elsewhere = NULL; /* the same name in another folder is the same model */
    assert_int_equal(scratch_make(&elsewhere), 0);
    copy_file(from, scratch_path(to, &elsewhere, "causal.safetensors"));
    copy = vipann_model_open(to, NULL);
    assert_ptr_equal(copy, models->causal);
    vipann_model_unref(copy);
    assert_int_equal(scratch_remove(&elsewhere), 0);
}

static void
test_replaced_file_is_a_new_model(void **state)
{
    char from[SCRATCH_PATH], path[SCRATCH_PATH], fresh[SCRATCH_PATH];
    copy_file(path_of(from, state, "causal.safetensors"), path_of(path, state, "replaced.safetensors"));
    vipann_model *before = vipann_model_open(path, NULL);
    copy_file(path_of(from, state, "same.safetensors"), path_of(fresh, state, "fresh"));
    assert_int_equal(rename(fresh, path), 0); /* as vip_model_write does */
    vipann_model *after = vipann_model_open(path, NULL);
    assert_non_null(before);
    assert_non_null(after);
    assert_ptr_not_equal(before, after);
    vipann_model_info old, new;
    vipann_model_describe(before, &old);
    vipann_model_describe(after, &new);
    assert_string_equal(old.padding, "causal");
    assert_string_equal(new.padding, "same");
    assert_string_equal(old.name, new.name);
    vipann_model *again = vipann_model_open(path, NULL);
    assert_ptr_equal(again, after);
    vipann_model_unref(after);
    vipann_model_unref(before);
    vipann_model_unref(again);
}

static void
test_engine_keeps_its_model(void **state)
{
    char from[SCRATCH_PATH], path[SCRATCH_PATH];
    copy_file(path_of(from, state, "plain.safetensors"), path_of(path, state, "kept.safetensors"));
    vipann_model *model = vipann_model_open(path, NULL);
    vipann_options o = stream_options(model, 0, VIPANN_CENTRED);
    vipann_engine *engine = vipann_engine_new(model, &o, NULL);
    vipann_model_unref(model);
    assert_int_equal(unlink(path), 0);
    float x = 0.5f;
    const float *channel = &x;
    assert_int_equal(vipann_push(engine, &channel, 1), 1);
    assert_true(vipann_flush(engine));
    vipann_engine_free(engine); /* the last user: the address sanitizer sees that all of it is freed */
}

static void
test_file_that_cannot_be_opened_is_named(void **state)
{
    char path[SCRATCH_PATH];
    vipann_error error = {VIPANN_OK, ""};
    assert_null(vipann_model_open(NULL, &error));
    assert_int_equal(error.status, VIPANN_E_ARG);
    assert_null(vipann_model_open(path_of(path, state, "missing.safetensors"), &error));
    assert_int_equal(error.status, VIPANN_E_IO);
    assert_non_null(strstr(error.text, "missing.safetensors"));
    assert_null(vipann_model_open(path_of(path, state, "."), &error));
    assert_int_equal(error.status, VIPANN_E_IO);
    scratch_write(path_of(path, state, "empty.safetensors"), "", 0);
    assert_null(vipann_model_open(path, &error));
    assert_int_equal(error.status, VIPANN_E_FORMAT);
    assert_null(vipann_model_open(path, NULL));
}

static void
test_short_memory_is_said(void **state)
{
    static const char *const names[] = {"causal.safetensors", "flipout.safetensors", "ensemble.safetensors"};
    char from[SCRATCH_PATH], path[SCRATCH_PATH];
    for (size_t i = 0; i < LENGTH(names); i++) {
        copy_file(path_of(from, state, names[i]), path_of(path, state, "short.safetensors")); /* not open yet */
        vipann_model *model = NULL;
        long n = 0;
        for (; model == NULL; n += n < 500 ? 1 : 101) {
            vipann_error error = {VIPANN_OK, ""};
            failing_after(n);
            model = vipann_model_open(path, &error);
            failing_after(-1);
            assert_true(model != NULL || (error.status == VIPANN_E_MEMORY && error.text[0] != '\0'));
        }
        assert_true(n > 50);
        vipann_model_unref(model);
    }
}

static void *
open_and_close(void *path)
{
    for (int i = 0; i < 5; i++) {
        vipann_model *model = vipann_model_open(path, NULL);
        vipann_model *more = model == NULL ? NULL : vipann_model_ref(model);
        if (more == NULL || vipann_model_label(more, 0) == NULL) {
            return path;
        }
        vipann_model_unref(model);
        vipann_model_unref(more);
    }
    return NULL;
}

static void
test_threads_share_the_registry(void **state)
{
    char from[SCRATCH_PATH], path[SCRATCH_PATH];
    copy_file(path_of(from, state, "late.safetensors"), path_of(path, state, "shared.safetensors"));
    pthread_t threads[4];
    void *failed;
    for (size_t i = 0; i < LENGTH(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, open_and_close, path), 0);
    }
    for (size_t i = 0; i < LENGTH(threads); i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

/* ------------------------------------------------------------------------------------------------------- description */

static void
test_model_is_described(void **state)
{
    const stream_models *models = *state;
    vipann_model_info i;
    vipann_model_describe(models->same, &i);
    assert_string_equal(i.name, "same");
    assert_int_equal(strlen(i.sha256), 64);
    assert_string_equal(i.arch, "resnet22");
    assert_string_equal(i.padding, "same");
    assert_string_equal(i.frontend, "panns16k");
    assert_string_equal(i.preset, "all");
    assert_string_equal(i.provenance, "random numbers for tests");
    assert_string_equal(i.license, "CC0-1.0");
    assert_string_equal(i.calibration_data, "none: made up for tests");
    assert_true(i.task == VIPANN_MULTILABEL && i.posterior == VIPANN_DROPOUT && !i.causal);
    assert_true(i.width == 1 && i.classes == STREAM_CLASSES && i.sample_rate == 16000 && i.n_fft == 512);
    assert_true(i.hop == 160 && i.mels == 64 && i.fmin == 50 && i.fmax == 8000);
    assert_true(fabs(i.column_seconds - 0.32) < 1e-12 && fabs(i.look_ahead_seconds - 1.86) < 1e-12);
    assert_true(i.has_calibration && i.temperature == 0.75 && i.temperature_deterministic == 0.875);
    assert_true(i.calibration_members == 4 && i.calibration_window_columns == 15);
    assert_true(i.has_unknown[VIPANN_SCORE_EPISTEMIC] && i.has_unknown[VIPANN_SCORE_CONFIDENCE]);
    assert_false(i.has_unknown[VIPANN_SCORE_TOTAL]);
    assert_true(i.unknown[VIPANN_SCORE_EPISTEMIC] == 0.4 && i.unknown[VIPANN_SCORE_CONFIDENCE] == 0.3);
    assert_int_equal(i.members, 0);
    assert_int_equal(i.weights, vip_network_weights(&models->same->file->network));

    vipann_model_describe(models->flipout, &i);
    assert_string_equal(i.padding, "causal");
    assert_string_equal(i.preset, "");
    assert_true(i.causal && i.look_ahead_seconds == 0);
    assert_true(i.posterior == VIPANN_MEANFIELD && i.task == VIPANN_MULTICLASS && i.members == 0);

    vipann_model_describe(models->ensemble, &i);
    assert_true(i.posterior == VIPANN_ENSEMBLE && i.members == STREAM_MEMBERS);
    assert_int_equal(i.weights, vip_network_weights(&models->ensemble->file->network)); /* of one */

    assert_string_equal(vipann_model_label(models->same, STREAM_CLASSES - 1), "class 4");
    assert_null(vipann_model_label(models->same, STREAM_CLASSES));
    assert_true(vipann_model_threshold(models->same, 1) == 0.375);
    assert_true(vipann_model_threshold(models->same, STREAM_CLASSES - 1) < 0); /* not reportable */
    assert_true(vipann_model_threshold(models->same, STREAM_CLASSES) < 0);
    assert_true(strlen(vipann_version()) >= 5 && strlen(vipann_kernels()) >= 1);
}

static void
test_scores_have_the_names_of_model_files(void **state)
{
    (void)state;
    assert_string_equal(vipann_score_name(VIPANN_SCORE_EPISTEMIC), "epistemic_nats");
    assert_string_equal(vipann_score_name(VIPANN_SCORE_TOTAL), "total_nats");
    assert_string_equal(vipann_score_name(VIPANN_SCORE_CONFIDENCE), "confidence");
    assert_string_equal(vipann_score_name(VIPANN_SCORE_SUM), "score");
    assert_string_equal(vipann_part_name(VIPANN_PART_TOTAL), "total");
    assert_string_equal(vipann_part_name(VIPANN_PART_DISTANCE), "distance");
    assert_null(vipann_part_name(VIPANN_N_PARTS));
    assert_null(vipann_part_name((vipann_part)-1));
    assert_null(vipann_score_name(VIPANN_N_SCORES));
    assert_null(vipann_score_name((vipann_score)-1));
}

static void
test_only_the_first_layer_is_unfolded(void **state) /* whatever the width: at width 1 others have one channel too */
{
    const stream_models *models = *state;
    const vip_weights *weights = models->same->weights;
    const vip_network *network = &models->same->file->network;
    for (int i = 0; i < network->n_steps; i++) {
        const uint32_t positions = i == 0 ? 1 : (uint32_t)network->steps[i].kernel * network->steps[i].kernel;
        assert_int_equal(weights->layers[i].w_block, (size_t)weights->layers[i].in_blocks * positions * 256);
    }
}

/* -------------------------------------------------------------------------------------------------------------- cost */

/* Millions of multiply-adds per hop in the steady state with 527 classes: the table of the reference's README. */
static const struct {
    vip_arch arch;
    uint32_t width;
    enum { CENTRED, EDGE, CAUSAL } mode;
    uint32_t hop;
    double shared, each;
} costs[] = {
    {VIP_RESNET22, 16, CENTRED, 1, 5.01, 23.73},     {VIP_RESNET22, 16, EDGE, 1, 5.32, 82.94},
    {VIP_RESNET22, 16, CAUSAL, 1, 5.01, 23.73},      {VIP_RESNET22, 16, CENTRED, 2, 10.03, 46.93},
    {VIP_RESNET22, 16, EDGE, 2, 10.33, 106.14},      {VIP_RESNET22, 16, CAUSAL, 2, 10.03, 46.93},
    {VIP_RESNET54, 16, CENTRED, 1, 5.01, 48.11},     {VIP_RESNET54, 16, EDGE, 1, 5.32, 152.23},
    {VIP_RESNET54, 16, CAUSAL, 1, 5.01, 48.11},      {VIP_RESNET54, 16, EDGE, 2, 10.33, 199.81},
    {VIP_RESNET22, 64, CENTRED, 1, 76.68, 376.47},   {VIP_RESNET22, 64, EDGE, 1, 81.43, 1323.73},
    {VIP_RESNET22, 64, CAUSAL, 2, 153.35, 747.67},   {VIP_RESNET54, 64, CENTRED, 1, 76.68, 766.54},
    {VIP_RESNET54, 64, EDGE, 1, 81.43, 2432.46},     {VIP_RESNET54, 64, CAUSAL, 1, 76.68, 766.54},
    {VIP_RESNET54, 64, CENTRED, 2, 153.35, 1527.81}, {VIP_RESNET54, 64, EDGE, 2, 158.11, 3193.73},
};

static void
test_cost_is_that_of_the_reference(void **state) /* S7 */
{
    (void)state;
    static vip_model file;
    static vip_weights weights = {.bytes = 1000};
    vipann_model model = {.file = &file, .weights = &weights};
    for (size_t i = 0; i < LENGTH(costs); i++) {
        file = (vip_model){.posterior = VIPANN_DROPOUT, .frontend = {.sample_rate = 16000, .hop = 160}};
        vip_network_fill(&file.network, costs[i].arch, costs[i].width, 527,
                         costs[i].mode == CAUSAL ? VIP_CAUSAL : VIP_SAME);
        for (int site = 0; site < file.network.n_sites; site++) {
            file.rates[site] = file.network.sites[site].training_rate;
        }
        vipann_options o;
        vipann_options_default(&o, &model);
        o.hop_columns = costs[i].hop;
        o.latency = costs[i].mode == CENTRED ? VIPANN_CENTRED : VIPANN_EDGE; /* of no effect on causal ones */
        vipann_cost one, eight, none;
        o.passes = 1;
        assert_int_equal(vipann_model_cost(&model, &o, &one, NULL), VIPANN_OK);
        o.passes = 8;
        assert_int_equal(vipann_model_cost(&model, &o, &eight, NULL), VIPANN_OK);
        o.passes = 0;
        assert_int_equal(vipann_model_cost(&model, &o, &none, NULL), VIPANN_OK);
        const double seconds = 0.32 * costs[i].hop, each = (eight.macs_per_second - one.macs_per_second) / 7 * seconds;
        /* The table's last digit. At the edge the reference keeps a column that waits for its partner in a pool; here
         * both are computed when they are joined, which is up to 0.3 % more. */
        const double more = costs[i].mode == EDGE ? 0.003 * 1e6 * costs[i].each : 0;
        assert_true(each > 1e6 * costs[i].each - 6e3 && each < 1e6 * costs[i].each + more + 6e3);
        assert_true(fabs(one.macs_per_second * seconds - each - 1e6 * costs[i].shared) < 6e3);
        assert_true(fabs(none.macs_per_second - one.macs_per_second) < 1);
        assert_true(eight.memory_bytes > one.memory_bytes && one.memory_bytes > weights.bytes);
    }
    vipann_options o;
    vipann_cost cost;
    vipann_error error;
    vipann_options_default(&o, &model);
    o.hop_columns = 0;
    assert_int_equal(vipann_model_cost(&model, &o, &cost, &error), VIPANN_E_ARG);
    assert_non_null(strstr(error.text, "hop_columns"));
}

/* The first member costs as much as no passes, every other what it has for itself; room for more costs memory only. */
static void
test_cost_of_every_kind(void **state)
{
    const stream_models *models = *state;
    const struct {
        vipann_model *model;
        vipann_members members;
    } table[] = {{models->causal, VIPANN_EXPLICIT},
                 {models->flipout, VIPANN_FLIPOUT},
                 {models->flipout, VIPANN_EXPLICIT},
                 {models->ensemble, VIPANN_EXPLICIT}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        vipann_options o = stream_options(table[i].model, 0, VIPANN_CENTRED);
        o.members = table[i].members;
        vipann_cost none, one, three, room;
        assert_int_equal(vipann_model_cost(table[i].model, &o, &none, NULL), VIPANN_OK);
        o.passes = 1;
        assert_int_equal(vipann_model_cost(table[i].model, &o, &one, NULL), VIPANN_OK);
        o.passes = 3;
        assert_int_equal(vipann_model_cost(table[i].model, &o, &three, NULL), VIPANN_OK);
        o.passes = 1;
        o.max_passes = 3;
        assert_int_equal(vipann_model_cost(table[i].model, &o, &room, NULL), VIPANN_OK);
        assert_true(fabs(one.macs_per_second - none.macs_per_second) < 1);
        const double each = (three.macs_per_second - one.macs_per_second) / 2;
        const bool dropout = table[i].model->file->posterior == VIPANN_DROPOUT;
        assert_true(dropout ? each < one.macs_per_second
                            : fabs(each - one.macs_per_second) < 1); /* nothing is shared */
        assert_true(room.macs_per_second == one.macs_per_second && room.memory_bytes == three.memory_bytes);
        assert_true(three.memory_bytes > one.memory_bytes && one.memory_bytes > table[i].model->weights->bytes);
    }
}

/* Members of mean field: a pair of vectors for all of them, or a set of weights for each. An ensemble has all of its sets
 * in memory whether they run or not. */
static void
test_cost_counts_the_sets_of_weights(void **state)
{
    const stream_models *models = *state;
    const vip_weights *packed = models->flipout->weights;
    uint64_t set = 0;
    for (int i = 0; i < packed->n_layers; i++) {
        set += packed->layers[i].out_blocks * packed->layers[i].w_block * sizeof(float);
    }
    for (uint32_t passes = 1; passes < 6; passes++) {
        vipann_options o = stream_options(models->flipout, passes, VIPANN_CENTRED);
        vipann_cost flipout, own;
        assert_int_equal(vipann_model_cost(models->flipout, &o, &flipout, NULL), VIPANN_OK);
        o.members = VIPANN_EXPLICIT;
        assert_int_equal(vipann_model_cost(models->flipout, &o, &own, NULL), VIPANN_OK);
        assert_int_equal(own.memory_bytes + 2 * set, flipout.memory_bytes + passes * set);
    }
    vipann_options o = stream_options(models->ensemble, 0, VIPANN_CENTRED);
    vipann_cost alone, same;
    assert_int_equal(vipann_model_cost(models->ensemble, &o, &alone, NULL), VIPANN_OK);
    assert_int_equal(vipann_model_cost(models->same, &o, &same, NULL), VIPANN_OK);
    assert_int_equal(alone.memory_bytes - same.memory_bytes, (STREAM_MEMBERS - 1) * models->same->weights->bytes);
}

/* An ensemble's networks are packed once, however many engines hear with them. */
static void
test_engines_share_an_ensemble(void **state)
{
    const stream_models *models = *state;
    assert_ptr_equal(models->ensemble->sets[0], models->ensemble->weights);
    assert_null(models->same->sets);
    vipann_options o = stream_options(models->ensemble, 2, VIPANN_CENTRED);
    failing_after(-1);
    vipann_engine *two = vipann_engine_new(models->ensemble, &o, NULL);
    const long of_two = failing_count();
    o.passes = STREAM_MEMBERS;
    failing_after(-1);
    vipann_engine *eight = vipann_engine_new(models->ensemble, &o, NULL);
    assert_int_equal(failing_count(), of_two); /* larger blocks, not more of them */
    vipann_engine_free(two);
    vipann_engine_free(eight);
}

static void
test_cost_says_when_memory_is_short(void **state)
{
    const stream_models *models = *state;
    vipann_options o;
    vipann_error error = {VIPANN_OK, ""};
    vipann_cost cost = {.macs_per_second = 1, .memory_bytes = 2};
    vipann_options_default(&o, models->same);
    failing_after(0);
    assert_int_equal(vipann_model_cost(models->same, &o, &cost, &error), VIPANN_E_MEMORY);
    failing_after(-1);
    assert_true(cost.macs_per_second == 1 && cost.memory_bytes == 2 && error.status == VIPANN_E_MEMORY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_file_is_opened_once),
        cmocka_unit_test(test_same_content_under_another_name_keeps_its_name),
        cmocka_unit_test(test_replaced_file_is_a_new_model),
        cmocka_unit_test(test_engine_keeps_its_model),
        cmocka_unit_test(test_file_that_cannot_be_opened_is_named),
        cmocka_unit_test(test_short_memory_is_said),
        cmocka_unit_test(test_threads_share_the_registry),
        cmocka_unit_test(test_model_is_described),
        cmocka_unit_test(test_scores_have_the_names_of_model_files),
        cmocka_unit_test(test_only_the_first_layer_is_unfolded),
        cmocka_unit_test(test_cost_is_that_of_the_reference),
        cmocka_unit_test(test_cost_of_every_kind),
        cmocka_unit_test(test_cost_counts_the_sets_of_weights),
        cmocka_unit_test(test_engines_share_an_ensemble),
        cmocka_unit_test(test_cost_says_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, stream_open_models, stream_close_models);
}
