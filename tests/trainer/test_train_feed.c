/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_feed.c -- batches for training, and what a teacher heard. */
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

#include <base/half.h>
#include <base/memory.h>
#include <offline_trainer/base/parallel.h>
#include <offline_trainer/data/augment.h>
#include <offline_trainer/data/feed.h>
#include <tests/unit/scratch.h>

enum { CLIPS = 20, LABELS = 3, ROWS = 4, FRAMES = 40 };

static const char *const NAMES[LABELS] = {"a", "b", "c"};

/* Clip i has label i % 3, but for the last two, which have none; its frames say which clip it is. */
static vip_cache *
make_cache(void **state)
{
    char path[SCRATCH_PATH];
    static char paths[CLIPS][16];
    static const char sha[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const vip_frontend_spec spec = {"panns16k", 16000, 512, 160, VIP_MELS, 50, 8000, 1e-10};
    vip_cache_entry entries[CLIPS];
    vipann_error error;
    for (size_t i = 0; i < CLIPS; i++) {
        (void)snprintf(paths[i], sizeof paths[i], "%zu.wav", i);
        entries[i] = (vip_cache_entry){
            "made", paths[i], i < CLIPS - 2 ? NAMES[i % LABELS] : "", paths[i], sha, 1, 2.5, i % 2 == 0 ? 250 : 33};
    }
    vip_cache_writer *writer =
        vip_cache_writer_new(scratch_path(path, state, "feed.cache"), &spec, entries, CLIPS, &error);
    assert_non_null(writer);
    for (size_t i = 0; i < CLIPS; i++) {
        uint16_t half[VIP_MELS];
        for (size_t m = 0; m < VIP_MELS; m++) {
            half[m] = vip_float_to_half(-(float)i);
        }
        for (size_t t = 0; t < entries[i].n_frames; t++) {
            vip_cache_writer_frames(writer, half, 1);
        }
    }
    assert_int_equal(vip_cache_writer_commit(writer, &error), VIPANN_OK);
    vip_cache *cache = vip_cache_open(path, &error);
    assert_non_null(cache);
    return cache;
}

static vip_feed_options
plain(const vip_cache *cache, const vip_part *part)
{
    return (vip_feed_options){.cache = cache,
                              .part = part,
                              .rows = ROWS,
                              .n_lengths = 2,
                              .lengths = {FRAMES, 64},
                              .seed = 2,
                              .logits = VIP_LEARN_LABELS,
                              .multilabel = true,
                              .classes = LABELS,
                              .labels = NAMES};
}

/* The clip that a row of plain frames comes from. */
static size_t
clip_in(const vip_fed *fed, size_t row)
{
    float loudest = VIP_SILENCE_DB;
    const float *frames = fed->batch.logmel + row * fed->batch.frames * VIP_MELS;
    for (size_t i = 0; i < (size_t)fed->batch.frames * VIP_MELS; i++) {
        loudest = frames[i] > loudest ? frames[i] : loudest;
    }
    return (size_t)-loudest;
}

static void
test_a_batch_is_a_function_of_seed_and_step(void **state)
{
    vip_cache *cache = make_cache(state);
    vip_part part;
    vipann_error error;
    assert_int_equal(vip_select(cache, "label=a,b,c", &part, &error), VIPANN_OK);
    vip_feed_options o = plain(cache, &part);
    o.background = &part;
    o.mixup = 0.5;
    o.stripes = true;
    o.gain_db = 12;
    o.tilt_db = 6;
    o.noise_share = 0.5;
    o.noise_high = 20;
    o.floor_low = 35;
    o.floor_high = 75;
    vip_feed *one = vip_feed_new(&o, &error), *two = vip_feed_new(&o, &error);
    assert_true(one != NULL && two != NULL);
    vip_fed a, b;
    for (uint64_t step = 30; step-- > 0;) { /* the other one goes the other way, and is shared by three threads */
        vip_parallel_threads(1);
        vip_feed_batch(one, 29 - step, &a);
        vip_feed_batch(one, step, &a);
        vip_parallel_threads(3);
        vip_feed_batch(two, step, &b);
        assert_int_equal(a.batch.frames, b.batch.frames);
        assert_int_equal(a.clips, b.clips);
        assert_memory_equal(a.batch.logmel, b.batch.logmel, a.clips * a.batch.frames * VIP_MELS * sizeof(float));
        assert_memory_equal(a.batch.stripes, b.batch.stripes, a.clips * sizeof *a.batch.stripes);
        assert_memory_equal(a.logits, b.logits, ROWS * LABELS * sizeof(float));
        for (size_t i = 0; i < a.clips * a.batch.frames * VIP_MELS; i++) {
            assert_true(isfinite(a.batch.logmel[i]) != 0);
        }
        for (size_t row = 0; row < a.clips; row++) {
            for (int k = 0; k < VIP_STRIPES; k++) {
                const vip_stripes *s = &a.batch.stripes[row];
                assert_true(s->time_width[k] <= a.batch.frames / 4 &&
                            s->time[k] + s->time_width[k] <= (int)a.batch.frames);
                assert_true(s->bin_width[k] < 8 && s->bin[k] + s->bin_width[k] <= VIP_MELS);
            }
        }
    }
    vip_parallel_threads(0);
    vip_feed_free(one);
    vip_feed_free(two);
    vip_part_free(&part);
    vip_cache_close(cache);
}

static void
test_an_epoch_has_each_clip_once(void **state)
{
    vip_cache *cache = make_cache(state);
    vip_part part;
    vipann_error error;
    assert_int_equal(vip_select(cache, "all", &part, &error), VIPANN_OK);
    const vip_feed_options o = plain(cache, &part);
    vip_feed *feed = vip_feed_new(&o, &error);
    assert_non_null(feed);
    assert_int_equal(vip_feed_epoch(feed), CLIPS / ROWS);
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        int seen[CLIPS] = {0};
        for (uint64_t step = 0; step < CLIPS / ROWS; step++) {
            vip_fed fed;
            vip_feed_batch(feed, epoch * (CLIPS / ROWS) + step, &fed);
            for (size_t row = 0; row < ROWS; row++) {
                seen[clip_in(&fed, row)]++;
            }
        }
        for (size_t i = 0; i < CLIPS; i++) {
            assert_int_equal(seen[i], 1);
        }
    }
    vip_feed_free(feed);
    vip_part_free(&part);
    vip_cache_close(cache);
}

static void
test_balanced_batches_have_each_class_as_often_as_the_others(void **state)
{
    vip_cache *cache = make_cache(state);
    vip_part part;
    vipann_error error;
    assert_int_equal(vip_select(cache, "label=a | path=1.wav,4.wav | label=c", &part, &error),
                     VIPANN_OK); /* two of b */
    vip_feed_options o = plain(cache, &part);
    o.balanced = true;
    o.multilabel = false;
    vip_feed *feed = vip_feed_new(&o, &error);
    assert_non_null(feed);
    int counts[LABELS] = {0};
    enum { STEPS = 30 };
    for (uint64_t step = 0; step < STEPS; step++) {
        vip_fed fed;
        vip_feed_batch(feed, step, &fed);
        for (size_t row = 0; row < ROWS; row++) {
            const size_t label = clip_in(&fed, row) % LABELS;
            counts[label]++;
            assert_true(fed.logits[row * LABELS + label] == 1);
        }
    }
    for (size_t c = 0; c < LABELS; c++) {
        assert_int_equal(counts[c], STEPS * ROWS / LABELS);
    }
    vip_feed_free(feed);
    vip_part_free(&part);
    vip_cache_close(cache);
}

static void
test_a_share_of_each_batch_is_the_second_outputs(void **state)
{
    vip_cache *cache = make_cache(state);
    vip_part part, second;
    vipann_error error;
    assert_int_equal(vip_select(cache, "label=a,b,c", &part, &error), VIPANN_OK);
    assert_int_equal(vip_select(cache, "label=b", &second, &error), VIPANN_OK);
    static const char *const LABEL[] = {"b"};
    vip_feed_options o = plain(cache, &part);
    o.second = 1;
    o.second_labels = LABEL;
    o.second_part = &second;
    o.second_share = 0.5;
    vip_feed *feed = vip_feed_new(&o, &error);
    assert_non_null(feed);
    enum { STEPS = 30 };
    size_t others = 0;
    for (uint64_t step = 0; step < STEPS; step++) {
        vip_fed fed;
        vip_feed_batch(feed, step, &fed);
        for (size_t row = 0; row < ROWS; row++) {
            const bool is_b = clip_in(&fed, row) % LABELS == 1;
            assert_true(is_b || row >= ROWS / 2);
            assert_true(fed.second_mask[row] == (is_b ? 1 : 0));
            others += !is_b;
        }
    }
    assert_in_range(others, STEPS * ROWS / 4, STEPS * ROWS / 2 - 1); /* about two thirds of the other half */
    vip_feed_free(feed);
    vip_part_free(&part);
    vip_part_free(&second);
    vip_cache_close(cache);
}

static void
test_targets_follow_the_mixture(void **state)
{
    vip_cache *cache = make_cache(state);
    vip_part part;
    vipann_error error;
    assert_int_equal(vip_select(cache, "label=a,b,c", &part, &error), VIPANN_OK);
    vip_feed_options o = plain(cache, &part);
    o.mixup = 1;
    vip_feed *feed = vip_feed_new(&o, &error);
    vip_fed fed;
    for (uint64_t step = 0; step < 10; step++) {
        vip_feed_batch(feed, step, &fed);
        assert_int_equal(fed.clips, 2 * ROWS);
        for (size_t row = 0; row < ROWS; row++) {
            float want[LABELS] = {0};
            const float lambda = fed.batch.mix[row];
            want[clip_in(&fed, 2 * row) % LABELS] += lambda;
            want[clip_in(&fed, 2 * row + 1) % LABELS] += 1 - lambda;
            for (size_t c = 0; c < LABELS; c++) {
                assert_true(fabsf(fed.logits[row * LABELS + c] - want[c]) <= 1e-6f);
            }
        }
    }
    vip_feed_free(feed);
    vip_part_free(&part);
    vip_cache_close(cache);
}

static void
test_rows_without_a_label_are_masked(void **state)
{
    vip_cache *cache = make_cache(state);
    vip_part part;
    vipann_error error;
    assert_int_equal(vip_select(cache, "all", &part, &error), VIPANN_OK);
    vip_feed_options o = plain(cache, &part);
    o.second = LABELS;
    o.second_labels = NAMES;
    vip_feed *feed = vip_feed_new(&o, &error);
    assert_non_null(feed);
    for (uint64_t step = 0; step < 10; step++) {
        vip_fed fed;
        vip_feed_batch(feed, step, &fed);
        for (size_t row = 0; row < ROWS; row++) {
            const size_t clip = clip_in(&fed, row);
            assert_true(fed.second_mask[row] == (clip < CLIPS - 2));
            assert_true(clip >= CLIPS - 2 || fed.second[row * LABELS + clip % LABELS] == 1);
        }
    }
    vip_feed_free(feed);
    o.multilabel = false; /* now each clip needs a class */
    assert_null(vip_feed_new(&o, &error));
    assert_int_equal(error.status, VIPANN_E_ARG);
    assert_non_null(strstr(error.text, "18.wav"));
    vip_part_free(&part);
    vip_cache_close(cache);
}

/* ------------------------------------------------------------------------------------------------------------- teacher */

/* Two rows for clip 0: class 1 scores 255 in the first and 51 in the second, class 0 nothing and 255; clip 2 has one row. */
static void
write_teacher(void **state, size_t cut)
{
    char path[SCRATCH_PATH];
    static const char map[] = "index,mid,display_name\n0,/m/a,Dog\n1,/m/b,\"Cat, purring\"\n";
    static const char list[] = "path,first_row,rows\n0.wav,0,2\n2.wav,2,1\n";
    static const char header[] = "{\"start\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[0,16]},"
                                 "\"class\":{\"dtype\":\"I16\",\"shape\":[4],\"data_offsets\":[16,24]},"
                                 "\"score\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[24,28]},"
                                 "\"embedding\":{\"dtype\":\"U8\",\"shape\":[2,2],\"data_offsets\":[28,32]}}";
    static const unsigned char data[] = {0, 0, 0, 0, 1, 0, 0, 0, 3,   0,   0,  0,   4,  0,   0,  0,
                                         1, 0, 0, 0, 1, 0, 1, 0, 255, 255, 51, 128, 80, 160, 40, 0};
    unsigned char file[sizeof header + 8 + sizeof data];
    const size_t length = sizeof header - 1;
    memset(file, 0, 8);
    file[0] = (unsigned char)(length & 0xff);
    file[1] = (unsigned char)(length >> 8);
    memcpy(file + 8, header, length);
    memcpy(file + 8 + length, data, sizeof data);
    scratch_write(scratch_path(path, state, "class_map.csv"), map, sizeof map - 1);
    scratch_write(scratch_path(path, state, "made.csv"), list, sizeof list - 1);
    scratch_write(scratch_path(path, state, "made.safetensors"), file, 8 + length + sizeof data - cut);
}

static void
test_scores_of_a_crop_are_weighted_rows(void **state)
{
    vip_cache *cache = make_cache(state);
    vipann_error error = {VIPANN_OK, ""};
    char folder[SCRATCH_PATH];
    write_teacher(state, 0);
    vip_targets *t = vip_targets_open(scratch_path(folder, state, "."), cache, &error);
    assert_string_equal(error.text, "");
    assert_int_equal(vip_targets_classes(t), 2);
    assert_string_equal(vip_targets_label(t, 1), "Cat, purring");
    assert_string_equal(vip_targets_mid(t, 0), "/m/a");
    float scores[2], vector[2];
    assert_true(vip_targets_scores(t, 0, 0, 10, scores)); /* both rows wholly: 0.96 s each */
    assert_true(fabsf(scores[0] - 0.5f) < 1e-6f && fabsf(scores[1] - 0.6f) < 1e-6f);
    assert_true(vip_targets_scores(t, 0, 0.24, 0.72, scores)); /* 0.48 s of the first row, 0.24 of the second: 4 to 1 */
    assert_true(fabsf(scores[0] - 0.2f) < 1e-6f && fabsf(scores[1] - (4 + 0.2f) / 5) < 1e-6f);
    assert_true(vip_targets_largest(t, 0, scores) && scores[0] == 1 && scores[1] == 1);
    assert_false(vip_targets_scores(t, 1, 0, 1, scores)); /* not heard */
    assert_false(vip_targets_has(t, 1));
    assert_true(vip_targets_embedding(t, 2, vector) && vector[0] == 0.25f && vector[1] == 0);
    assert_true(vip_targets_embedding(t, 0, vector) && vector[0] == 1 && vector[1] == 4);
    vip_targets_close(t);
    vip_cache_close(cache);
}

static void
test_a_teacher_whose_files_do_not_fit_is_refused(void **state)
{
    vip_cache *cache = make_cache(state);
    vipann_error error = {VIPANN_OK, ""};
    char folder[SCRATCH_PATH], path[SCRATCH_PATH];
    write_teacher(state, 1); /* the last byte is missing */
    assert_null(vip_targets_open(scratch_path(folder, state, "."), cache, &error));
    assert_int_equal(error.status, VIPANN_E_FORMAT);
    assert_non_null(strstr(error.text, "do not fit together"));
    write_teacher(state, 0);
    static const char beyond[] = "path,first_row,rows\n0.wav,2,2\n";
    scratch_write(scratch_path(path, state, "made.csv"), beyond, sizeof beyond - 1);
    assert_null(vip_targets_open(folder, cache, &error));
    assert_non_null(strstr(error.text, "made.csv:2: rows that the tensors do not have"));
    static const char holes[] = "index,mid,display_name\n1,/m/a,Dog\n";
    scratch_write(scratch_path(path, state, "class_map.csv"), holes, sizeof holes - 1);
    assert_null(vip_targets_open(folder, cache, &error));
    assert_non_null(strstr(error.text, "class_map.csv:2: the index \"1\"; expected 0"));
    vip_cache_close(cache);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_batch_is_a_function_of_seed_and_step, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_an_epoch_has_each_clip_once, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_balanced_batches_have_each_class_as_often_as_the_others, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_a_share_of_each_batch_is_the_second_outputs, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_targets_follow_the_mixture, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_rows_without_a_label_are_masked, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_scores_of_a_crop_are_weighted_rows, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_a_teacher_whose_files_do_not_fit_is_refused, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
