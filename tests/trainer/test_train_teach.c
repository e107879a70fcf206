/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_teach.c -- what is taught with, what is learnt from it, and what of a model stays: E1 to E6 of
 * offline_trainer/teach/README.md. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/memory.h>
#include <model/model.h>
#include <offline_trainer/teach/extend.h>
#include <offline_trainer/teach/rows.h>
#include <offline_trainer/teach/sounds.h>
#include <offline_trainer/teach/trial.h>
#include <tests/data/random_model.h>
#include <tests/unit/scratch.h>

/* ----------------------------------------------------------------------------------------------------------- sounds */

static vipann_status
read_track(vip_sounds *s, vip_recording *r, const char *text, vipann_error *error)
{
    char *copy = vip_copy_string(text);
    *s = (vip_sounds){0};
    *r = (vip_recording){0};
    const vipann_status status = vip_sounds_track(s, r, "rain.txt", copy, error);
    vip_free(copy);
    return status;
}

static void
test_a_label_track_is_what_audacity_writes(void **state)
{
    (void)state;
    vip_sounds s;
    vip_recording r;
    vipann_error error = {VIPANN_OK, ""};
    assert_int_equal(
        read_track(&s, &r, "0.5\t2.25\train\r\n\\\t100.0\t2000.0\n3\t3\tdrip, drip\n\n4.0\t5\tBackground\n6\t7\train",
                   &error),
        VIPANN_OK);
    assert_int_equal(s.n_classes, 2);
    assert_string_equal(s.classes[0], "rain");
    assert_string_equal(s.classes[1], "drip, drip");
    assert_int_equal(s.stretches[0], 2);
    assert_int_equal(r.n, 3);
    assert_true(r.stretches[0].start == 0.5 && r.stretches[0].end == 2.25 && r.stretches[2].class_index == 0);
    assert_int_not_equal(r.stretches[0].fold, r.stretches[1].fold);
    vip_free(r.stretches);
    vip_sounds_free(&s);
    static const char *const bad[] = {"1\t2\train\nrain\n", "1\t2\n",   "2\t1\train\n", "x\t2\train\n",
                                      "-1\t2\train",        "1\t2\t\n", "1 2 rain\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(read_track(&s, &r, bad[i], &error), VIPANN_E_FORMAT);
        assert_non_null(
            strstr(error.text, i == 0 ? "rain.txt:2: expected start, end and label" : "rain.txt:1: expected"));
        vip_free(r.stretches);
        vip_sounds_free(&s);
    }
}

/* Whatever a file of labels holds, it is read or refused. */
static void
test_any_text_is_read_or_refused(void **state)
{
    (void)state;
    static const char letters[] = "0123456789.\t\n\r\\eabc-\xff";
    uint32_t random = 7;
    for (int round = 0; round < 20000; round++) {
        char text[48] = "";
        for (size_t i = 0; i + 1 < sizeof text; i++) {
            random = random * 1664525 + 1013904223;
            text[i] = letters[(random >> 8) % (sizeof letters)];
        }
        text[sizeof text - 1] = '\0';
        vip_sounds s;
        vip_recording r;
        vipann_error error = {VIPANN_OK, ""};
        (void)read_track(&s, &r, text, &error);
        assert_null(strchr(error.text, '\n'));
        for (size_t i = 0; i < r.n; i++) {
            assert_true(r.stretches[i].end >= r.stretches[i].start && r.stretches[i].class_index < s.n_classes);
        }
        vip_free(r.stretches);
        vip_sounds_free(&s);
    }
}

static void
touch(void **state, const char *name, const char *text)
{
    char path[SCRATCH_PATH];
    scratch_write(scratch_path(path, state, name), text, strlen(text));
}

static void
test_folders_and_tables_say_what_clips_are(void **state)
{
    char path[SCRATCH_PATH], sub[SCRATCH_PATH];
    vipann_error error = {VIPANN_OK, ""};
    vip_sounds s = {0};
    static const char *const folders[] = {"sorted",         "sorted/dog", "sorted/background",
                                          "sorted/.hidden", "table",      "empty"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        assert_int_equal(mkdir(scratch_path(sub, state, folders[i]), 0777), 0);
    }
    touch(state, "sorted/dog/a.flac", "x");
    touch(state, "sorted/dog/b.flac", "x");
    touch(state, "sorted/background/c.flac", "x");
    touch(state, "sorted/.hidden/d.flac", "x");
    assert_int_equal(vip_sounds_take(&s, scratch_path(path, state, "sorted"), &error), VIPANN_OK);
    assert_int_equal(s.n, 3);
    assert_int_equal(s.n_classes, 1);
    assert_int_equal(s.stretches[0], 2);
    assert_true(s.recordings[0].clip && s.recordings[0].n == 0);
    touch(state, "table/labels.csv",
          "path,labels,fold,group\r\na.flac,dog;bark,,g1\r\nb.flac,cat,,g1\r\nc.flac,,,g2\r\n");
    assert_int_equal(vip_sounds_take(&s, scratch_path(path, state, "table"), &error), VIPANN_OK);
    assert_int_equal(s.n, 6);
    assert_int_equal(s.n_classes, 3);
    assert_int_equal(s.recordings[3].n, 2);
    assert_int_equal(s.recordings[3].fold, s.recordings[4].fold); /* one group: judged together */
    assert_int_not_equal(s.recordings[3].fold, s.recordings[5].fold);
    assert_int_equal(vip_sounds_take(&s, scratch_path(path, state, "empty"), &error), VIPANN_E_FORMAT);
    assert_non_null(strstr(error.text, "expected labels.csv, or folders"));
    assert_int_equal(vip_sounds_take(&s, scratch_path(path, state, "missing.wav"), &error), VIPANN_E_IO);
    vip_sounds_free(&s);
    static const char *const files[] = {"sorted/dog/a.flac", "sorted/dog/b.flac", "sorted/background/c.flac",
                                        "sorted/.hidden/d.flac", "table/labels.csv"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        (void)unlink(scratch_path(path, state, files[i]));
    }
    for (size_t i = sizeof folders / sizeof *folders; i-- > 0;) {
        (void)rmdir(scratch_path(path, state, folders[i]));
    }
}

/* ------------------------------------------------------------------------------------------------------------ rows */

enum { N = 300, FEATURES = 9 };

/* Two clouds that overlap, along one direction; numbers of very different sizes, and one that never changes. */
static void
make_clouds(float x[N][FEATURES], const float *places[N], int8_t *y, uint8_t *fold)
{
    uint32_t random = 3;
    for (int i = 0; i < N; i++) {
        y[i] = i % 3 == 0;
        fold[i] = (uint8_t)(i % 5);
        for (int k = 0; k < FEATURES; k++) {
            random = random * 1664525 + 1013904223;
            const float noise = (float)(random >> 8) / 8388608 - 1;
            x[i][k] = k == FEATURES - 1 ? 4 : (noise + (k < 2 ? 0.6f * (float)y[i] : 0)) * powf(10, (float)(k % 3) - 1);
        }
        places[i] = x[i];
    }
}

static void
test_a_row_is_the_optimum_of_what_it_learns_from(void **state)
{
    (void)state;
    static float x[N][FEATURES];
    const float *places[N];
    int8_t y[N];
    uint8_t fold[N];
    float mean[FEATURES], scale[FEATURES], w[FEATURES], other[FEATURES], bias, other_bias;
    make_clouds(x, places, y, fold);
    vip_row_standardise(places, N, FEATURES, mean, scale);
    assert_true(scale[FEATURES - 1] == 0 && scale[0] > 0);
    const vip_examples e = {places, y, fold, N, FEATURES, mean, scale};
    const double penalty = 0.01;
    assert_true(vip_row_learn(&e, 4, penalty, w, &bias));
    double slope[FEATURES + 1] = {0};
    size_t n = 0;
    for (int i = 0; i < N; i++) {
        if (fold[i] != 4) {
            const double d = 1 / (1 + exp(-(double)vip_row_logit(w, bias, x[i], FEATURES))) - y[i];
            for (int k = 0; k < FEATURES; k++) {
                slope[k] += d * (double)((x[i][k] - mean[k]) * scale[k]);
            }
            slope[FEATURES] += d;
            n++;
        }
    }
    for (int k = 0; k <= FEATURES; k++) { /* what is left of the gradient */
        const double standardised = k < FEATURES && scale[k] > 0 ? (double)w[k] / (double)scale[k] : 0;
        assert_true(fabs(slope[k] / (double)n + penalty * standardised) < 2e-4);
    }
    assert_true(w[FEATURES - 1] == 0 && vip_row_loss(&e, 4, w, bias) < 0.6);
    for (int i = 0; i < N; i++) { /* what is left out has no say */
        y[i] = fold[i] == 4 ? !y[i] : y[i];
    }
    assert_true(vip_row_learn(&e, 4, penalty, other, &other_bias));
    assert_memory_equal(w, other, sizeof w);
    assert_true(bias == other_bias);
    assert_true(vip_row_learn(&e, VIP_ROW_ALL, penalty, other, &other_bias));
    assert_true(memcmp(w, other, sizeof w) != 0);
}

static void
test_few_events_bound_their_rate(void **state)
{
    (void)state;
    static const double most[] = {3.6889, 5.5716, 7.2247, 8.7673}; /* half of the chi-squared quantiles of 97.5 % */
    for (uint32_t seen = 0; seen < 4; seen++) {
        assert_true(fabs(vip_rate_at_most(seen) - most[seen]) < 1e-3);
    }
    assert_true(fabs(vip_rate_at_most(100) - 121.63) < 0.01);
}

/* ----------------------------------------------------------------------------------------------------------- models */

static void
test_all_of_a_model_but_the_new_rows_stays_to_the_bit(void **state)
{
    enum { CLASSES = 4, NEW = 2 };
    for (int posterior = 0; posterior <= VIPANN_ENSEMBLE; posterior++) {
        const random_model_spec spec = {VIP_RESNET22,      1, CLASSES, VIP_CAUSAL, (vipann_posterior)posterior,
                                        VIPANN_MULTILABEL, 3};
        char path[SCRATCH_PATH];
        vipann_error error = {VIPANN_OK, ""};
        vip_model *base = posterior == VIPANN_ENSEMBLE ? random_ensemble(&spec, 3) : random_model(&spec);
        assert_non_null(base);
        const uint32_t features = base->network.features;
        float *w = vip_alloc((size_t)NEW * features, sizeof *w);
        for (uint32_t k = 0; k < NEW * features; k++) {
            w[k] = (float)k * 0.001f - 1;
        }
        const vip_new_class classes[NEW] = {{"kettle", w, 0.5f, 2, 0.75f},
                                            {"gate; \"creak\"", w + features, -1, 1, -1}};
        vip_model *made = vip_model_extend(base, classes, NEW, "a note", &error);
        assert_non_null(made);
        assert_int_equal(vip_model_write(made, scratch_path(path, state, "m.safetensors"), false, &error), VIPANN_OK);
        vip_model_free(made);
        made = vip_model_read(path, &error);
        assert_string_equal(error.text, "");
        assert_int_equal(made->network.classes, CLASSES + NEW);
        assert_string_equal(made->labels[0], base->labels[0]);
        assert_string_equal(made->labels[5], "gate; \"creak\"");
        assert_int_equal(made->posterior, base->posterior);
        for (uint32_t m = 0; m < (base->members > 0 ? base->members : 1); m++) {
            for (int i = 0; i < base->n_tensors; i++) {
                const float *from = vip_model_values(base, m)[i], *to = vip_model_values(made, m)[i];
                if (from != NULL) {
                    assert_memory_equal(from, to, vip_tensor_size(&base->shapes[i]) * sizeof *from);
                }
            }
            const float *rows = vip_model_values(made, m)[vip_model_tensor(made, "fc_audioset.weight")];
            const float *biases = vip_model_values(made, m)[vip_model_tensor(made, "fc_audioset.bias")];
            assert_memory_equal(rows + (size_t)CLASSES * features, w, NEW * features * sizeof *w);
            assert_true(biases[4] == 0.5f && biases[5] == -1);
        }
        assert_true(made->calibration.temperature[4] == 2 &&
                    made->calibration.temperature[1] == base->calibration.temperature[1]);
        assert_true(made->calibration.thresholds[4] == 0.75f && made->calibration.thresholds[5] < 0);
        assert_non_null(strstr(made->calibration.data, "a note"));
        vip_model_free(made);
        vip_model_free(base);
        vip_free(w);
    }
}

static void
test_exclusive_classes_go(void **state)
{
    (void)state;
    const random_model_spec spec = {VIP_RESNET22, 1, 4, VIP_SAME, VIPANN_DROPOUT, VIPANN_MULTICLASS, 3};
    vipann_error error = {VIPANN_OK, ""};
    vip_model *base = random_model(&spec);
    float *w = vip_alloc(base->network.features, sizeof *w);
    const vip_new_class kettle = {"kettle", w, 0, 1, 0.5f};
    vip_model *made = vip_model_extend(base, &kettle, 1, "a note", &error);
    assert_non_null(made);
    assert_int_equal(made->network.classes, 1);
    assert_int_equal(made->task, VIPANN_MULTILABEL);
    assert_string_equal(made->labels[0], "kettle");
    vip_model_free(made);
    vip_model_free(base);
    vip_free(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_label_track_is_what_audacity_writes),
        cmocka_unit_test(test_any_text_is_read_or_refused),
        cmocka_unit_test_setup_teardown(test_folders_and_tables_say_what_clips_are, scratch_make, scratch_remove),
        cmocka_unit_test(test_a_row_is_the_optimum_of_what_it_learns_from),
        cmocka_unit_test(test_few_events_bound_their_rate),
        cmocka_unit_test_setup_teardown(test_all_of_a_model_but_the_new_rows_stays_to_the_bit, scratch_make,
                                        scratch_remove),
        cmocka_unit_test(test_exclusive_classes_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
