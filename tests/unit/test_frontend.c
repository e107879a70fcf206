/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_frontend.c -- holds the promises of frontend.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <frontend/frontend.h>

#include "failing.h"
#include "numbers.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { SEED = 20, MOST_FRAMES = 400, LONGEST_FEED = 8192 };

static const vip_frontend_spec panns16k = {
    .sample_rate = 16000, .n_fft = 512, .hop = 160, .mels = 64, .fmin = 50, .fmax = 8000, .amin = 1e-10};
static const vip_frontend_spec panns32k = {
    .sample_rate = 32000, .n_fft = 1024, .hop = 320, .mels = 64, .fmin = 50, .fmax = 14000, .amin = 1e-10};
static const vip_frontend_spec sparse = {
    .sample_rate = 16000, .n_fft = 400, .hop = 400, .mels = 64, .fmin = 50, .fmax = 8000, .amin = 1e-10};
static const vip_frontend_spec dense = {
    .sample_rate = 8000, .n_fft = 1024, .hop = 3, .mels = 64, .fmin = 50, .fmax = 4000, .amin = 1e-10};

static float sound[400000];
static float first[MOST_FRAMES * VIP_MELS], second[MOST_FRAMES * VIP_MELS];

/* Noise over a tone, the same for every test. */
static int
make_sound(void **state)
{
    (void)state;
    uint32_t seed = SEED;
    for (size_t i = 0; i < LENGTH(sound); i++) {
        sound[i] = (float)(0.3 * ((double)next_random(&seed) / 8388608.0 - 1.0) + 0.5 * sin(0.05 * (double)i));
    }
    return 0;
}

typedef void end_of_sound(vip_frontend *frontend);

/* Feeds n samples of sound cut at random (seed 0: as large as it takes them), reads at most `reads` frames at a time,
 * ends and returns the number of frames. */
static size_t
hear(vip_frontend *frontend, size_t n, uint32_t seed, size_t reads, end_of_sound *end, float *frames)
{
    size_t fed = 0, there = 0, got;
    while (fed < n) {
        size_t cut = seed == 0 ? n : 1 + next_random(&seed) % LONGEST_FEED;
        cut = cut < n - fed ? cut : n - fed;
        while (cut > 0) {
            size_t space = vip_frontend_space(frontend);
            assert_true(space > 0);
            size_t piece = cut < space ? cut : space;
            vip_frontend_feed(frontend, sound + fed, piece);
            fed += piece;
            cut -= piece;
            while ((got = vip_frontend_read(frontend, frames + there * VIP_MELS, reads)) > 0) {
                assert_true(vip_frontend_space(frontend) > 0 || got == reads);
                there += got;
                assert_true(there <= MOST_FRAMES - reads);
            }
        }
    }
    end(frontend);
    assert_int_equal(vip_frontend_space(frontend), 0);
    while ((got = vip_frontend_read(frontend, frames + there * VIP_MELS, reads)) > 0) {
        there += got;
        assert_true(there <= MOST_FRAMES - reads);
    }
    return there;
}

static void
test_frames_do_not_depend_on_the_cut(void **state)
{
    (void)state;
    static const struct {
        const vip_frontend_spec *spec;
        double rate;
    } table[] = {
        {&panns16k, 8000},  {&panns16k, 11025}, {&panns16k, 16000},  {&panns16k, 22050},  {&panns16k, 44100},
        {&panns16k, 48000}, {&panns16k, 96000}, {&panns16k, 192000}, {&panns16k, 384000}, {&panns16k, 12345.678},
        {&panns32k, 8000},  {&panns32k, 32000}, {&panns32k, 44100},  {&panns32k, 384000}, {&sparse, 48000},
        {&sparse, 16000},   {&dense, 8000},     {&dense, 44100},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_frontend *frontend = vip_frontend_new(table[i].spec, table[i].rate, NULL);
        assert_non_null(frontend);
        size_t n = (size_t)(table[i].rate * (table[i].spec == &dense ? 0.12 : 0.9)) + 7;
        size_t frames = hear(frontend, n, 0, 16, vip_frontend_end, first);
        for (uint32_t seed = 1; seed <= 6; seed++) {
            vip_frontend_reset(frontend);
            assert_int_equal(hear(frontend, n, seed, seed % 3 + 1, vip_frontend_end, second), frames);
            assert_memory_equal(first, second, frames * VIP_MELS * sizeof(float));
        }
        vip_frontend_free(frontend);
    }
}

static void
test_single_samples_give_the_same_frames(void **state)
{
    (void)state;
    static const double rates[] = {16000, 44100};
    for (size_t i = 0; i < LENGTH(rates); i++) {
        vip_frontend *frontend = vip_frontend_new(&panns16k, rates[i], NULL);
        size_t n = 20000, frames = hear(frontend, n, 0, 16, vip_frontend_end, first), there = 0;
        vip_frontend_reset(frontend);
        for (size_t k = 0; k < n; k++) {
            vip_frontend_feed(frontend, sound + k, 1);
            there += vip_frontend_read(frontend, second + there * VIP_MELS, 2);
        }
        vip_frontend_end(frontend);
        there += vip_frontend_read(frontend, second + there * VIP_MELS, 16);
        assert_int_equal(there, frames);
        assert_memory_equal(first, second, frames * VIP_MELS * sizeof(float));
        vip_frontend_free(frontend);
    }
}

static void
test_number_of_frames(void **state)
{
    (void)state;
    static const struct {
        double rate;
        size_t samples, frames, plain;
    } table[] = {
        {16000, 0, 0, 0},       {16000, 1, 32, 1},         {16000, 159, 32, 1},     {16000, 160, 32, 2},
        {16000, 255, 32, 2},    {16000, 256, 32, 2},       {16000, 257, 32, 2},     {16000, 4959, 32, 31},
        {16000, 4960, 32, 32},  {16000, 5119, 32, 32},     {16000, 5120, 33, 33},   {16000, 40000, 251, 251},
        {48000, 0, 0, 0},       {48000, 1, 32, 0},         {48000, 3, 32, 1},       {48000, 479, 32, 1},
        {48000, 480, 32, 2},    {48000, 14879, 32, 31},    {48000, 14880, 32, 32},  {48000, 15359, 32, 32},
        {48000, 15360, 33, 33}, {48000, 120000, 251, 251}, {384000, 1, 32, 0},      {384000, 1151, 32, 1},
        {8000, 2479, 32, 31},   {8000, 2480, 32, 32},      {8000, 20000, 251, 251},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_frontend *frontend = vip_frontend_new(&panns16k, table[i].rate, NULL);
        assert_int_equal(hear(frontend, table[i].samples, 0, 16, vip_frontend_end, first), table[i].frames);
        vip_frontend_reset(frontend);
        assert_int_equal(hear(frontend, table[i].samples, 0, 16, vip_frontend_end_plain, first), table[i].plain);
        vip_frontend_free(frontend);
    }
}

static void
test_a_frame_is_there_with_its_last_sample(void **state)
{
    (void)state;
    vip_frontend *frontend = vip_frontend_new(&panns16k, 16000, NULL);
    for (size_t t = 0, fed = 0; t < 5; t++) {
        for (; fed < t * 160 + 256; fed++) {
            assert_int_equal(vip_frontend_read(frontend, first, 1), 0);
            assert_true(vip_frontend_space(frontend) > 0);
            vip_frontend_feed(frontend, sound + fed, 1);
        }
        assert_int_equal(vip_frontend_space(frontend), 0);
        assert_int_equal(vip_frontend_read(frontend, first, 9), 1);
    }
    vip_frontend_free(frontend);
}

static size_t
mirrored(long i, long n)
{
    while (i < 0 || i >= n) { /* step by step, unlike the code that is tested */
        i = i < 0 ? -i : 2 * (n - 1) - i;
        if (n == 1) {
            i = 0;
        }
    }
    return (size_t)i;
}

/* Lays the sound out with its silence and its reflections, sample by sample, and takes the frames from there. */
static void
test_both_ends_reflect(void **state)
{
    (void)state;
    static const struct {
        size_t samples;
        end_of_sound *end;
    } table[] = {
        {1, vip_frontend_end_plain},   {2, vip_frontend_end_plain},    {3, vip_frontend_end_plain},
        {156, vip_frontend_end_plain}, {256, vip_frontend_end_plain},  {257, vip_frontend_end_plain},
        {412, vip_frontend_end_plain}, {1, vip_frontend_end},          {700, vip_frontend_end},
        {4900, vip_frontend_end},      {4960, vip_frontend_end},       {8000, vip_frontend_end},
        {12345, vip_frontend_end},     {9000, vip_frontend_end_plain},
    };
    static const vip_frontend_spec *const specs[] = {&panns16k, &sparse};
    for (size_t k = 0; k < LENGTH(table) * LENGTH(specs); k++) {
        const vip_frontend_spec *spec = specs[k % LENGTH(specs)];
        size_t i = k / LENGTH(specs), heard = table[i].samples, total = heard;
        size_t least = (VIP_COLUMN_FRAMES - 1) * spec->hop;
        if (table[i].end == vip_frontend_end && total < least) {
            total = least;
        }
        vip_frontend *frontend = vip_frontend_new(spec, 16000, NULL);
        vip_logmel *logmel = vip_logmel_new(spec);
        size_t frames = hear(frontend, heard, 0, 16, table[i].end, first);
        assert_int_equal(frames, 1 + total / spec->hop);
        for (size_t t = 0; t < frames; t++) {
            float frame[1024], expected[VIP_MELS];
            for (size_t s = 0; s < spec->n_fft; s++) {
                size_t at = mirrored((long)(t * spec->hop + s) - (long)(spec->n_fft / 2), (long)total);
                frame[s] = at < heard ? sound[at] : 0.0f;
            }
            vip_logmel_frame(logmel, frame, expected);
            assert_memory_equal(expected, first + t * VIP_MELS, sizeof expected);
        }
        vip_logmel_free(logmel);
        vip_frontend_free(frontend);
    }
}

static void
test_reset_is_the_first_state(void **state)
{
    (void)state;
    static const double rates[] = {16000, 44100};
    for (size_t i = 0; i < LENGTH(rates); i++) {
        vip_frontend *frontend = vip_frontend_new(&panns16k, rates[i], NULL);
        size_t frames = hear(frontend, 30000, 0, 16, vip_frontend_end, first);
        for (size_t before = 1; before < 4000; before = before * 3 + 50) { /* left in the middle of a block */
            vip_frontend_reset(frontend);
            vip_frontend_feed(frontend, sound + 777, before);
            vip_frontend_reset(frontend);
            assert_int_equal(hear(frontend, 30000, 0, 16, vip_frontend_end, second), frames);
            assert_memory_equal(first, second, frames * VIP_MELS * sizeof(float));
        }
        vip_frontend_free(frontend);
    }
}

static void
test_rates_out_of_range_are_refused(void **state)
{
    (void)state;
    static const double refused[] = {0, -16000, 7999.9, 384000.1, NAN, INFINITY};
    for (size_t i = 0; i < LENGTH(refused); i++) {
        vipann_error error = {VIPANN_OK, ""};
        assert_null(vip_frontend_new(&panns16k, refused[i], &error));
        assert_int_equal(error.status, VIPANN_E_ARG);
        assert_non_null(strstr(error.text, "8000 to 384000"));
        assert_null(vip_frontend_new(&panns16k, refused[i], NULL));
    }
    vip_frontend_free(NULL);
}

static void
test_new_survives_every_failing_allocation(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        vipann_error error = {VIPANN_OK, ""};
        failing_after(n);
        vip_frontend *frontend = vip_frontend_new(&panns16k, 44100, &error);
        bool complete = failing_count() <= n;
        failing_after(-1);
        assert_int_equal(frontend != NULL, complete);
        assert_int_equal(error.status, complete ? VIPANN_OK : VIPANN_E_MEMORY);
        vip_frontend_free(frontend);
        if (complete) {
            assert_true(n > 8);
            return;
        }
    }
}

static void
test_hearing_allocates_nothing(void **state)
{
    (void)state;
    vip_frontend *frontend = vip_frontend_new(&panns16k, 44100, NULL);
    failing_after(0);
    size_t frames = hear(frontend, 50000, 3, 4, vip_frontend_end, first);
    vip_frontend_reset(frontend);
    long asked = failing_count();
    failing_after(-1);
    assert_true(frames > 100);
    assert_int_equal(asked, 0);
    vip_frontend_free(frontend);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_do_not_depend_on_the_cut),
        cmocka_unit_test(test_single_samples_give_the_same_frames),
        cmocka_unit_test(test_number_of_frames),
        cmocka_unit_test(test_a_frame_is_there_with_its_last_sample),
        cmocka_unit_test(test_both_ends_reflect),
        cmocka_unit_test(test_reset_is_the_first_state),
        cmocka_unit_test(test_rates_out_of_range_are_refused),
        cmocka_unit_test(test_new_survives_every_failing_allocation),
        cmocka_unit_test(test_hearing_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, make_sound, NULL);
}
