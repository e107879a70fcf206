/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_data.c -- manifests, caches, parts: what is read, and what is refused with which line. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/half.h>
#include <base/memory.h>
#include <offline_trainer/data/augment.h>
#include <offline_trainer/data/cache.h>
#include <offline_trainer/data/keyed_order.h>
#include <offline_trainer/data/manifest.h>
#include <offline_trainer/data/select.h>
#include <plugin/out/catalogue.h>
#include <tests/unit/scratch.h>

static vip_manifest *
parse(const char *text, vipann_error *error)
{
    return vip_manifest_parse("sounds/manifest.csv", text, strlen(text), error);
}

/* ---------------------------------------------------------------------------------------------------------- manifests */

static void
test_a_manifest_may_be_written_in_any_way_that_csv_allows(void **state)
{
    (void)state;
    vipann_error error = {VIPANN_OK, ""};
    vip_manifest *m = parse("\xef\xbb\xbfgroup,labels,path,fold\r\n"
                            "r1,\"dog, barking;cat\",a.wav,3\r\n"
                            "\r\n"
                            ",,\"b \"\"x\"\"\n.wav\",\r\n"
                            "r2,bird,/elsewhere/c.wav,0",
                            &error);
    assert_non_null(m);
    assert_int_equal(m->n, 3);
    assert_string_equal(m->set, "sounds");
    assert_string_equal(m->rows[0].labels, "dog, barking;cat");
    assert_int_equal(m->rows[0].fold, 3);
    assert_string_equal(m->rows[1].path, "b \"x\"\n.wav");
    assert_string_equal(m->rows[1].group, "b \"x\"\n.wav"); /* its own, if the manifest does not say */
    assert_int_equal(m->rows[1].line, 4);
    char *audio = vip_manifest_audio(m, 0), *absolute = vip_manifest_audio(m, 2);
    assert_string_equal(audio, "sounds/a.wav");
    assert_string_equal(absolute, "/elsewhere/c.wav");
    vip_free(audio);
    vip_free(absolute);
    vip_manifest_free(m);
}

/* What `vipann live --save-events` leaves is a manifest, whatever the labels of its model hold. */
static void
test_manifests_of_clips_are_read(void **state)
{
    static const char *const labels[][2] = {{"Dog, \"barking\"", "Dog, \"barking\""},
                                            {"a;b;;a", "a,b,,a"},
                                            {"$(x)\r\n\033[2J", "$(x)   [2J"},
                                            {"", ""},
                                            {"caf\xc3\xa9 \xff", "caf\xc3\xa9 \xef\xbf\xbd"}};
    enum { ROWS = sizeof labels / sizeof *labels };
    char path[SCRATCH_PATH], name[16];
    vipann_error error = {VIPANN_OK, ""};
    (void)scratch_path(path, state, "clips.csv");
    *strrchr(path, '/') = '\0';
    vip_catalogue *catalogue = vip_catalogue_open(path, 0, &error);
    assert_non_null(catalogue);
    for (int i = 0; i < ROWS; i++) {
        (void)snprintf(name, sizeof name, "%d.flac", i);
        const vip_clip_row row = {name, labels[i][0], "in_1 2026-12-01T21", 1};
        assert_int_equal(vip_catalogue_add(catalogue, &row, &error), VIPANN_OK);
    }
    vip_catalogue_close(catalogue);
    vip_manifest *m = vip_manifest_read(scratch_path(path, state, "clips.csv"), &error);
    assert_string_equal(error.text, "");
    assert_int_equal(m->n, ROWS);
    for (int i = 0; i < ROWS; i++) {
        assert_string_equal(m->rows[i].labels, labels[i][1]);
        assert_string_equal(m->rows[i].group, "in_1 2026-12-01T21");
    }
    vip_manifest_free(m);
}

static void
test_each_mistake_in_a_manifest_has_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } table[] = {
        {"", "sounds/manifest.csv: is empty; expected a table in CSV with a header"},
        {"path,lables\na,b\n", "sounds/manifest.csv:1: unknown column \"lables\"; did you mean \"labels\"?"},
        {"path,path\n", "sounds/manifest.csv:1: the column \"path\" is there twice"},
        {"labels,fold\nx,1\n", "sounds/manifest.csv:1: no column \"path\", which there must be"},
        {"path,fold\na,1,2\n", "sounds/manifest.csv:2: has 3 fields; the header has 2"},
        {"path\na\nb\na\n", "sounds/manifest.csv:4: the path \"a\" is there already, in line 2"},
        {"path,labels\n,x\n", "sounds/manifest.csv:2: no path"},
        {"path,fold\na,one\n", "sounds/manifest.csv:2: the fold \"one\" is no whole number"},
        {"path,labels\na,x;;y\n", "sounds/manifest.csv:2: an empty label in \"x;;y\"; labels stand between ';'"},
        {"path,labels\na,x;y;x\n", "sounds/manifest.csv:2: the label \"x\" is there twice"},
        {"path,labels\na,\"x\n", "sounds/manifest.csv:2: a quote opens and never closes"},
        {"path\n", "sounds/manifest.csv: has 0 rows; expected 1 to 16777216"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        vipann_error error = {VIPANN_OK, ""};
        assert_null(parse(table[i].text, &error));
        assert_int_equal(error.status, VIPANN_E_FORMAT);
        assert_string_equal(error.text, table[i].message);
    }
}

static void
test_a_manifest_that_is_not_there_is_said(void **state)
{
    (void)state;
    vipann_error error = {VIPANN_OK, ""};
    assert_null(vip_manifest_read("/nonexistent/manifest.csv", &error));
    assert_int_equal(error.status, VIPANN_E_IO);
    assert_non_null(strstr(error.text, "/nonexistent/manifest.csv"));
}

/* -------------------------------------------------------------------------------------------------------------- caches */

static const char SHA[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static const vip_frontend_spec SPEC = {"panns16k", 16000, 512, 160, VIP_MELS, 50, 8000, 1e-10};

static const vip_cache_entry ENTRIES[] = {
    {"esc50", "a.wav", "dog", "100", SHA, 1, 0.4, 32},   {"esc50", "b.wav", "dog", "100", SHA, 1, 0.4, 33},
    {"esc50", "c.wav", "cat", "101", SHA, 2, 0.4, 32},   {"city", "d.wav", "dog;siren", "fs101", SHA, 2, 0.4, 32},
    {"city", "e.wav", "siren", "yard", SHA, 3, 0.4, 32}, {"other", "f.wav", "", "yard", SHA, 0, 0.4, 40},
};
enum { N = sizeof ENTRIES / sizeof *ENTRIES };

static float
level(size_t clip, size_t frame, size_t bin)
{
    return -50 + (float)(clip + frame % 4) + (float)bin / 4; /* exact in 16 bits */
}

static void
write_cache(const char *path)
{
    vipann_error error;
    vip_cache_writer *writer = vip_cache_writer_new(path, &SPEC, ENTRIES, N, &error);
    assert_non_null(writer);
    for (size_t i = 0; i < N; i++) {
        for (size_t t = 0; t < ENTRIES[i].n_frames; t++) {
            uint16_t half[VIP_MELS];
            for (size_t m = 0; m < VIP_MELS; m++) {
                half[m] = vip_float_to_half(level(i, t, m));
            }
            vip_cache_writer_frames(writer, half, 1);
        }
    }
    assert_int_equal(vip_cache_writer_commit(writer, &error), VIPANN_OK);
}

static vip_cache *
made_cache(void **state)
{
    char path[SCRATCH_PATH];
    vipann_error error = {VIPANN_OK, ""};
    write_cache(scratch_path(path, state, "made.cache"));
    vip_cache *cache = vip_cache_open(path, &error);
    assert_string_equal(error.text, "");
    assert_non_null(cache);
    return cache;
}

static void
test_a_cache_gives_back_what_was_written(void **state)
{
    vip_cache *cache = made_cache(state);
    assert_int_equal(vip_cache_clips(cache), N);
    assert_string_equal(vip_cache_frontend(cache)->name, "panns16k");
    for (size_t i = 0; i < N; i++) {
        const vip_cache_clip *clip = vip_cache_clip_at(cache, i);
        assert_string_equal(clip->path, ENTRIES[i].path);
        assert_string_equal(clip->group, ENTRIES[i].group);
        assert_int_equal(clip->n_frames, ENTRIES[i].n_frames);
        assert_int_equal(clip->fold, ENTRIES[i].fold);
        float frame[VIP_MELS];
        vip_cache_frames(clip, 7, 1, frame);
        for (size_t m = 0; m < VIP_MELS; m++) {
            assert_true(frame[m] == level(i, 7, m));
        }
    }
    assert_int_equal(vip_cache_clip_at(cache, 3)->n_labels, 2);
    assert_string_equal(vip_cache_clip_at(cache, 3)->labels[1], "siren");
    assert_int_equal(vip_cache_clip_at(cache, 5)->n_labels, 0);
    vip_cache_close(cache);
}

static void
test_a_cache_that_is_broken_anywhere_is_refused_with_what_to_do(void **state)
{
    enum { MOST = 1 << 16 };
    static char bytes[MOST], changed[MOST];
    char path[SCRATCH_PATH], hurt[SCRATCH_PATH];
    write_cache(scratch_path(path, state, "whole.cache"));
    const size_t n = scratch_read(path, bytes, MOST);
    static const struct {
        int what; /* 0: cut to, 1: byte at changed, 2: bytes added */
        long place;
        const char *message;
    } table[] = {
        {0, 10, "is too short"},      {0, -1, "ends before all frames"}, {2, 128, "has more in it"},
        {1, 0, "is no cache"},        {1, 12, "longer than the file"},   {1, 17, "the header"},
        {1, -1, "no finite numbers"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        vipann_error error = {VIPANN_OK, ""};
        const size_t place = table[i].place < 0 ? (size_t)((long)n + table[i].place) : (size_t)table[i].place;
        memset(changed, 0, sizeof changed);
        memcpy(changed, bytes, n);
        if (table[i].what == 1) {
            changed[place] = 0x7f; /* as the upper half of a frame's number it is infinite or NaN */
        }
        scratch_write(scratch_path(hurt, state, "hurt.cache"), changed,
                      table[i].what == 0   ? place
                      : table[i].what == 2 ? n + place
                                           : n);
        assert_null(vip_cache_open(hurt, &error));
        if (strstr(error.text, table[i].message) == NULL) {
            fail_msg("row %zu: \"%s\" does not say \"%s\"", i, error.text, table[i].message);
        }
    }
}

/* --------------------------------------------------------------------------------------------------------------- parts */

static void
test_expressions_mean_the_clips_that_they_say(void **state)
{
    vip_cache *cache = made_cache(state);
    static const struct {
        const char *expression, *clips; /* by the letters of their paths; NULL: refused */
    } table[] = {
        {"all", "abcdef"},
        {"fold=1", "ab"},
        {"fold=1,3", "abe"},
        {"set=esc50 & !label=dog", "c"},
        {"set=esc50 & fold=2 | label=siren", "cde"},
        {"label=dog , cat", "abcd"},
        {"group=10*", "abc"},
        {"!set=esc50", "def"},
        {"path=f.wav", "f"},
        {"fold=9", NULL},
        {"fodl=1", NULL},
        {"", NULL},
        {"set=esc50 &", NULL},
        {"(fold=1)", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        vip_part part;
        vipann_error error = {VIPANN_OK, ""};
        const vipann_status good = vip_select(cache, table[i].expression, &part, &error);
        assert_int_equal(good, table[i].clips != NULL ? VIPANN_OK : VIPANN_E_ARG);
        if (table[i].clips == NULL) {
            assert_non_null(strstr(error.text, table[i].expression));
            continue;
        }
        assert_int_equal(part.n, strlen(table[i].clips));
        for (size_t k = 0; k < part.n; k++) {
            assert_int_equal(vip_cache_clip_at(cache, part.clips[k])->path[0], table[i].clips[k]);
        }
        vip_part_free(&part);
    }
    vip_cache_close(cache);
}

static void
test_recordings_on_both_sides_are_found_across_sets(void **state)
{
    vip_cache *cache = made_cache(state);
    vip_part train, test;
    vipann_error error;
    char names[64];
    assert_int_equal(vip_select(cache, "set=city,other", &train, &error), VIPANN_OK);
    assert_int_equal(vip_select(cache, "set=esc50 & fold=2", &test, &error), VIPANN_OK);
    assert_int_equal(vip_shared_groups(cache, &train, &test, names, sizeof names), 1); /* fs101 is Freesound's 101 */
    assert_string_equal(names, "fs101");
    assert_int_equal(vip_drop_shared(cache, &train, &test), 1);
    assert_int_equal(train.n, 2);
    assert_false(vip_same_group(vip_cache_clip_at(cache, 4), vip_cache_clip_at(cache, 5))); /* two yards */
    vip_part_free(&train);
    vip_part_free(&test);
    vip_cache_close(cache);
}

static void
test_recordings_that_a_manifest_names_are_left_out(void **state)
{
    vip_cache *cache = made_cache(state);
    vip_part train;
    vipann_error error;
    size_t dropped;
    static const char TEXT[] = "path,labels,fold,group\nx.wav,dog,1,101\ny.wav,dog,1,nobody's\n";
    vip_manifest *manifest = vip_manifest_parse("elsewhere/manifest.csv", TEXT, sizeof TEXT - 1, &error);
    assert_non_null(manifest);
    assert_int_equal(vip_select(cache, "set=city,other", &train, &error), VIPANN_OK);
    assert_int_equal(vip_drop_listed(cache, &train, manifest, &dropped, &error), VIPANN_OK);
    assert_int_equal(dropped, 1); /* fs101 is Freesound's 101 */
    assert_int_equal(train.n, 2);
    assert_int_equal(vip_drop_listed(cache, &train, manifest, &dropped, &error), VIPANN_OK);
    assert_int_equal(dropped, 0);
    vip_manifest_free(manifest);
    vip_part_free(&train);
    vip_cache_close(cache);
}

static void
test_a_development_part_never_splits_a_group(void **state)
{
    vip_cache *cache = made_cache(state);
    for (uint64_t seed = 0; seed < 20; seed++) {
        vip_part train, dev;
        vipann_error error;
        assert_int_equal(vip_select(cache, "all", &train, &error), VIPANN_OK);
        if (vip_split_groups(cache, &train, 0.4, seed, &dev, &error) == VIPANN_OK) {
            char names[64];
            assert_int_equal(train.n + dev.n, N);
            assert_int_equal(vip_shared_groups(cache, &train, &dev, names, sizeof names), 0);
            vip_part_free(&dev);
        }
        vip_part_free(&train);
    }
    vip_cache_close(cache);
}

/* -------------------------------------------------------------------------------------------------------- random choices */

static void
test_an_order_is_a_permutation_of_its_own(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 97, 1000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        bool seen[1000] = {false};
        size_t moved = 0;
        for (size_t i = 0; i < sizes[s]; i++) {
            const size_t to = vip_choice_order(1, VIP_CHOICE_EPOCH, 0, 5, sizes[s], i);
            assert_true(to < sizes[s] && !seen[to]);
            seen[to] = true;
            moved += to != vip_choice_order(1, VIP_CHOICE_EPOCH, 0, 6, sizes[s], i);
        }
        assert_true(sizes[s] < 97 || moved > sizes[s] * 9 / 10);
    }
}

static void
test_powers_and_logarithms_are_as_near_as_promised(void **state)
{
    (void)state;
    for (int i = -1200; i <= 1200; i++) {
        const float x = (float)i / 10 + 0.0137f;
        assert_true(fabs((double)vip_exp2(x) / exp2((double)x) - 1) <= 2e-6);
        assert_true(fabs((double)vip_log2(vip_exp2(x)) - log2((double)vip_exp2(x))) <= 2e-5);
    }
}

static void
test_added_sounds_are_sums_of_powers(void **state)
{
    (void)state;
    enum { FRAMES = 3 };
    float frames[FRAMES * VIP_MELS], other[FRAMES * VIP_MELS];
    double mean = 0, mean_other = 0, sum[FRAMES * VIP_MELS];
    for (size_t i = 0; i < FRAMES * VIP_MELS; i++) {
        frames[i] = -60 + (float)(i % 37);
        other[i] = -30 - (float)(i % 23);
        mean += pow(10, (double)frames[i] / 10) / (FRAMES * VIP_MELS);
        mean_other += pow(10, (double)other[i] / 10) / (FRAMES * VIP_MELS);
    }
    for (size_t i = 0; i < FRAMES * VIP_MELS; i++) {
        sum[i] = 10 * log10(pow(10, (double)frames[i] / 10) +
                            pow(10, (double)other[i] / 10) * mean / mean_other / pow(10, 0.7));
    }
    vip_augment_add(frames, other, FRAMES, 7, 0);
    for (size_t i = 0; i < FRAMES * VIP_MELS; i++) {
        assert_true(fabs((double)frames[i] - sum[i]) <= 0.01);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_manifest_may_be_written_in_any_way_that_csv_allows),
        cmocka_unit_test(test_each_mistake_in_a_manifest_has_its_line),
        cmocka_unit_test(test_a_manifest_that_is_not_there_is_said),
        cmocka_unit_test_setup_teardown(test_manifests_of_clips_are_read, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_a_cache_gives_back_what_was_written, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_a_cache_that_is_broken_anywhere_is_refused_with_what_to_do, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_expressions_mean_the_clips_that_they_say, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_recordings_on_both_sides_are_found_across_sets, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_recordings_that_a_manifest_names_are_left_out, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_a_development_part_never_splits_a_group, scratch_make, scratch_remove),
        cmocka_unit_test(test_an_order_is_a_permutation_of_its_own),
        cmocka_unit_test(test_powers_and_logarithms_are_as_near_as_promised),
        cmocka_unit_test(test_added_sounds_are_sums_of_powers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
