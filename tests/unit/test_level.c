/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_level.c -- holds the promises of decide/level.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <decide/level.h>

#include "failing.h"
#include "numbers.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { FRAMES = 20000 };

static float samples[FRAMES];

/* Noise whose loudness changes over many powers of ten. */
static void
fill_samples(void)
{
    uint32_t seed = 4;
    for (size_t i = 0; i < FRAMES; i++) {
        samples[i] = (float)((next_random(&seed) / 8388608.0 - 1) * pow(10, -3 - 3 * cos((double)i / 900)));
    }
}

static vip_level *
level_of(double column_frames, uint32_t kept)
{
    vip_level *level = vip_level_new(column_frames, kept);
    assert_non_null(level);
    return level;
}

/* By the definition: over the frames from .. to - 1 of samples. */
static double
expected_level(size_t from, size_t to)
{
    double sum = 0;
    for (size_t i = from; i < to; i++) {
        sum += (double)samples[i] * (double)samples[i];
    }
    return fmax(-200, 10 * log10(sum / (double)(to - from)));
}

static void
test_full_scale_is_zero_and_silence_is_the_floor(void **state)
{
    (void)state;
    static const struct {
        float amplitude;
        double dbfs;
    } table[] = {{1, 0}, {-1, 0}, {0.1f, -20}, {1e-5f, -100}, {1e-11f, -200}, {0, -200}, {100, 40}};
    float x[32];
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_level *level = level_of(16, 4);
        assert_true(vip_level_window(level, 1, 1) == -200); /* nothing yet */
        assert_true(vip_level_window(level, 0, 0) == -200);
        for (size_t k = 0; k < LENGTH(x); k++) {
            x[k] = table[i].amplitude;
        }
        vip_level_feed(level, x, LENGTH(x));
        assert_near(vip_level_window(level, 2, 2), table[i].dbfs, 1e-5);
        vip_level_free(level);
    }
    vip_level *level = level_of(480, 4); /* a sine of full scale: its root mean square is 3 dB less */
    float sine[480];
    for (size_t k = 0; k < LENGTH(sine); k++) {
        sine[k] = (float)sin(2 * 3.14159265358979 * (double)k / 48);
    }
    vip_level_feed(level, sine, LENGTH(sine));
    assert_near(vip_level_window(level, 1, 1), 10 * log10(0.5), 1e-4);
    vip_level_free(level);
}

/* Columns that are not whole numbers of frames, wherever the first one lies in the sound. */
static void
test_a_window_has_the_frames_of_its_columns(void **state)
{
    (void)state;
    static const double lengths[] = {100, 321.5, 97.0 / 3, 1};
    static const int64_t firsts[] = {0, 1, 1000003};
    for (size_t k = 0; k < LENGTH(lengths) * LENGTH(firsts); k++) {
        const double length = lengths[k % LENGTH(lengths)];
        const int64_t first = firsts[k / LENGTH(lengths)];
        const double origin = ceil((double)first * length);
        vip_level *level = level_of(length, 8);
        vip_level_reset(level, first);
        size_t fed = 0;
        for (int64_t end = 1; end <= 40; end++) {
            const size_t to = (size_t)(ceil((double)(first + end) * length) - origin);
            vip_level_feed(level, samples + fed, to - fed);
            fed = to;
            for (uint32_t columns = 1; columns <= 8; columns++) {
                const int64_t begin = end > (int64_t)columns ? end - (int64_t)columns : 0;
                const size_t from = (size_t)(ceil((double)(first + begin) * length) - origin);
                assert_near(vip_level_window(level, end, columns), expected_level(from, to), 1e-9);
            }
            assert_near(vip_level_window(level, end, 0), expected_level(0, to), 1e-9);
        }
        vip_level_free(level);
    }
}

/* Answers come later than the sound they are about: what is behind them does not count, and all since the start does. */
static void
test_windows_that_end_in_the_past_are_those_of_then(void **state)
{
    (void)state;
    vip_level *level = level_of(100, 12), *then = level_of(100, 12);
    for (size_t column = 0; column < 60; column++) {
        vip_level_feed(level, samples + 100 * column, 100);
        if (column < 7) {
            continue;
        }
        vip_level_feed(then, samples + 100 * (column - 7), 100);
        const int64_t end = (int64_t)column - 6;
        for (uint32_t columns = 0; columns <= 5; columns++) {
            assert_true(vip_level_window(level, end, columns) == vip_level_window(then, end, columns));
        }
    }
    vip_level_free(level);
    vip_level_free(then);
}

static void
test_of_a_column_that_is_not_complete_what_there_is_counts(void **state)
{
    (void)state;
    vip_level *level = level_of(100, 4);
    vip_level_feed(level, samples, 250);
    assert_near(vip_level_window(level, 3, 1), expected_level(200, 250), 1e-9);
    assert_near(vip_level_window(level, 3, 2), expected_level(100, 250), 1e-9);
    assert_near(vip_level_window(level, 3, 0), expected_level(0, 250), 1e-9);
    assert_near(vip_level_window(level, 2, 1), expected_level(100, 200), 1e-9);
    assert_near(vip_level_window(level, 4, 2), expected_level(200, 250), 1e-9); /* its last column has not begun */
    assert_true(vip_level_window(level, 4, 1) == -200);
    vip_level_feed(level, samples + 250, 1000);
    assert_near(vip_level_window(level, 15, 4), expected_level(1100, 1250), 1e-9);
    vip_level_free(level);
}

static void
test_what_is_quiet_after_something_loud_keeps_its_level(void **state)
{
    (void)state;
    enum { LOUD = 100000, COLUMN = 100 };
    vip_level *level = level_of(COLUMN, 4);
    float x[COLUMN];
    for (size_t i = 0; i < COLUMN; i++) {
        x[i] = 100;
    }
    for (size_t i = 0; i < LOUD / COLUMN; i++) {
        vip_level_feed(level, x, COLUMN);
    }
    for (size_t i = 0; i < COLUMN; i++) {
        x[i] = 1e-8f;
    }
    vip_level_feed(level, x, COLUMN);
    assert_near(vip_level_window(level, LOUD / COLUMN + 1, 1), -160, 1e-5);
    vip_level_free(level);
}

static void
test_pieces_change_no_bit(void **state) /* S3 */
{
    (void)state;
    uint32_t seed = 9;
    vip_level *whole = level_of(97.3, 30);
    vip_level_feed(whole, samples, FRAMES);
    const int64_t end = (int64_t)floor(FRAMES / 97.3) + 1;
    for (int turn = 0; turn < 20; turn++) {
        vip_level *level = level_of(97.3, 30);
        for (size_t fed = 0; fed < FRAMES;) {
            size_t n = next_random(&seed) % (turn == 0 ? 2 : 700);
            n = n < FRAMES - fed ? n : FRAMES - fed;
            vip_level_feed(level, samples + fed, n);
            fed += n;
        }
        for (int64_t e = end - 20; e <= end; e++) {
            for (uint32_t columns = 0; columns < 10; columns++) {
                assert_true(vip_level_window(level, e, columns) == vip_level_window(whole, e, columns));
            }
        }
        vip_level_free(level);
    }
    vip_level_free(whole);
}

static void
test_reset_leads_back_to_the_first_state_of_a_level(void **state)
{
    (void)state;
    vip_level *level = level_of(100, 3), *fresh = level_of(100, 3);
    vip_level_feed(level, samples, 1234);
    vip_level_reset(level, 0);
    assert_true(vip_level_window(level, 1, 0) == -200);
    vip_level_feed(level, samples + 500, 720);
    vip_level_feed(fresh, samples + 500, 720);
    for (uint32_t columns = 0; columns < 4; columns++) {
        assert_true(vip_level_window(level, 8, columns) == vip_level_window(fresh, 8, columns));
    }
    vip_level_free(level);
    vip_level_free(fresh);
}

static void
test_feeding_a_level_allocates_nothing(void **state)
{
    (void)state;
    for (long i = 0; i < 2; i++) {
        failing_after(i);
        assert_null(vip_level_new(100, 8));
    }
    failing_after(2);
    vip_level *level = vip_level_new(100, 8);
    failing_after(0);
    assert_non_null(level);
    vip_level_feed(level, samples, FRAMES);
    (void)vip_level_window(level, FRAMES / 100, 5);
    vip_level_reset(level, 7);
    assert_int_equal(failing_count(), 0);
    failing_after(-1);
    vip_level_free(level);
    vip_level_free(NULL);
}

int
main(void)
{
    fill_samples();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_scale_is_zero_and_silence_is_the_floor),
        cmocka_unit_test(test_a_window_has_the_frames_of_its_columns),
        cmocka_unit_test(test_windows_that_end_in_the_past_are_those_of_then),
        cmocka_unit_test(test_of_a_column_that_is_not_complete_what_there_is_counts),
        cmocka_unit_test(test_what_is_quiet_after_something_loud_keeps_its_level),
        cmocka_unit_test(test_pieces_change_no_bit),
        cmocka_unit_test(test_reset_leads_back_to_the_first_state_of_a_level),
        cmocka_unit_test(test_feeding_a_level_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
