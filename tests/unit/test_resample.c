/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_resample.c -- holds the promises of resample.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include <frontend/resample.h>

#include "failing.h"
#include "numbers.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static const double PI = 3.14159265358979323846;

static float tone[1 << 18], resampled[1 << 18];

/* Resamples n samples of x in pieces of at most `cut`, end and all. */
static size_t
resample(vip_resampler *resampler, const float *x, size_t n, size_t cut, float *out)
{
    size_t made = 0;
    for (size_t i = 0; i < n; i += cut) {
        made += vip_resampler_push(resampler, x + i, n - i < cut ? n - i : cut, out + made);
    }
    return made + vip_resampler_end(resampler, out + made);
}

/* Resamples one second of a tone. */
static size_t
resample_tone(double from, double to, double hz)
{
    const size_t most = LENGTH(tone), second = (size_t)from;
    size_t n = second < most ? second : most;
    for (size_t i = 0; i < n; i++) {
        tone[i] = (float)(0.8 * sin(2 * PI * hz * (double)i / from));
    }
    vip_resampler *resampler = vip_resampler_new(from, to);
    assert_non_null(resampler);
    n = resample(resampler, tone, n, 1024, resampled);
    vip_resampler_free(resampler);
    return n;
}

/* Level and phase are held together, so that a delay or a drooping response would show. Both ends are left out, where
 * the filter sees the edge of the sound. The rates that are no whole numbers are exact in sixteenths, and
 * their ratios not simple. */
static void
test_tones_keep_level_and_phase(void **state)
{
    (void)state;
    static const struct {
        double from, to, hz, snr;
    } table[] = {
        {8000, 16000, 440, 100},   {8000, 16000, 3200, 100},      {11025, 16000, 1000, 100},
        {22050, 16000, 1000, 100}, {22050, 16000, 6500, 100},     {44100, 16000, 440, 100},
        {44100, 16000, 6500, 100}, {48000, 16000, 50, 100},       {48000, 16000, 6500, 100},
        {96000, 16000, 3000, 100}, {192000, 16000, 5000, 100},    {44100, 32000, 13000, 100},
        {88200, 16000, 6500, 100}, {384000, 16000, 440, 100},     {47999.5, 16000, 6500, 100},
        {11025, 32000, 4000, 98},  {44100, 15999.9375, 440, 100},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        size_t n = resample_tone(table[i].from, table[i].to, table[i].hz);
        double signal = 0, off = 0;
        for (size_t k = n / 10; k < n - n / 10; k++) {
            double expected = 0.8 * sin(2 * PI * table[i].hz * (double)k / table[i].to);
            signal += expected * expected;
            off += ((double)resampled[k] - expected) * ((double)resampled[k] - expected);
        }
        double snr = 10 * log10(signal / off);
        if (snr < table[i].snr) {
            print_error("%g -> %g Hz, tone %g Hz: %.1f dB\n", table[i].from, table[i].to, table[i].hz, snr);
        }
        assert_true(snr >= table[i].snr);
    }
}

static void
test_tones_above_half_the_rate_vanish(void **state)
{
    (void)state;
    static const struct {
        double from, to, hz, below_db;
    } table[] = {{48000, 16000, 8080, 98},  {44100, 32000, 16160, 98}, {48000, 16000, 9000, 90},
                 {48000, 16000, 15500, 90}, {44100, 16000, 20000, 90}, {96000, 32000, 18000, 90},
                 {192000, 16000, 40000, 90}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        size_t n = resample_tone(table[i].from, table[i].to, table[i].hz);
        double rest = 0;
        for (size_t k = n / 10; k < n - n / 10; k++) {
            rest += (double)resampled[k] * (double)resampled[k];
        }
        double level = 10 * log10(rest / (0.8 * (double)n) / 0.32);
        if (level > -table[i].below_db) {
            print_error("%g -> %g Hz, tone %g Hz: %.1f dB\n", table[i].from, table[i].to, table[i].hz, level);
        }
        assert_true(level <= -table[i].below_db);
    }
}

/* The band that a model hears of: no tone up to nine tenths of half the slower rate loses a tenth of a decibel. */
static void
test_nine_tenths_of_the_band_are_flat(void **state)
{
    (void)state;
    static const struct {
        double from, to, hz;
    } table[] = {{8000, 16000, 3600},   {22050, 16000, 7200},  {44100, 16000, 7200},  {48000, 16000, 7200},
                 {384000, 16000, 7200}, {44100, 32000, 14400}, {48000, 32000, 14400}, {48000, 32000, 8000}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        size_t n = resample_tone(table[i].from, table[i].to, table[i].hz), counted = 0;
        double power = 0;
        for (size_t k = n / 10; k < n - n / 10; k++, counted++) {
            power += (double)resampled[k] * (double)resampled[k];
        }
        double level = 10 * log10(power / (double)counted / 0.32);
        if (fabs(level) > 0.1) {
            print_error("%g -> %g Hz, tone %g Hz: %.2f dB\n", table[i].from, table[i].to, table[i].hz, level);
        }
        assert_true(fabs(level) <= 0.1);
    }
}

static void
test_resampled_length_is_rounded_down_and_bounded(void **state)
{
    (void)state;
    static const double rates[] = {8000, 11025, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 192000, 384000};
    static const double models[] = {8000, 16000, 32000, 96000};
    static const size_t lengths[] = {0, 1, 127, 128, 129, 1000, 5000};
    for (size_t i = 0; i < LENGTH(rates) * LENGTH(models) * LENGTH(lengths); i++) {
        double from = rates[i % LENGTH(rates)], to = models[i / LENGTH(rates) % LENGTH(models)];
        size_t n = lengths[i / LENGTH(rates) / LENGTH(models)], total = 0;
        vip_resampler *resampler = vip_resampler_new(from, to);
        for (size_t k = 0; k < n; k += 128) {
            size_t piece = n - k < 128 ? n - k : 128;
            size_t made = vip_resampler_push(resampler, tone + k, piece, resampled);
            assert_true(made <= vip_resampler_most(resampler, piece));
            total += made;
        }
        size_t held = vip_resampler_end(resampler, resampled);
        assert_true(held <= vip_resampler_most(resampler, 0));
        total += held;
        assert_true(total <= vip_resampler_most(resampler, n));
        assert_int_equal(total, (size_t)floor((double)n * to / from * (1 + 1e-12)));
        vip_resampler_free(resampler);
    }
}

static void
test_samples_do_not_depend_on_the_cut(void **state)
{
    (void)state;
    static const double rates[] = {8000, 22050, 44100, 48000, 384000, 12345.678};
    static float whole[20000];
    uint32_t seed = 3;
    for (size_t i = 0; i < 5000; i++) {
        tone[i] = (float)next_random(&seed) / 8388608.0f - 1.0f;
    }
    for (size_t i = 0; i < LENGTH(rates); i++) {
        vip_resampler *resampler = vip_resampler_new(rates[i], 16000);
        size_t n = resample(resampler, tone, 5000, 5000, whole);
        for (size_t cut = 1; cut < 5000; cut = 3 * cut + 1) {
            vip_resampler_reset(resampler);
            assert_int_equal(resample(resampler, tone, 5000, cut, resampled), n);
            assert_memory_equal(whole, resampled, n * sizeof(float));
        }
        vip_resampler_free(resampler);
    }
}

static void
test_reset_is_the_first_state(void **state)
{
    (void)state;
    enum { N = 1000 };
    static float before[N], after[N];
    for (size_t i = 0; i < N; i++) {
        tone[i] = (float)sin(0.1 * (double)i);
    }
    vip_resampler *resampler = vip_resampler_new(44100, 16000);
    size_t n = resample(resampler, tone, N, N, before);
    vip_resampler_reset(resampler);
    (void)vip_resampler_push(resampler, tone, N / 3, after);
    vip_resampler_reset(resampler);
    assert_int_equal(resample(resampler, tone, N, N, after), n);
    assert_memory_equal(before, after, n * sizeof(float));
    vip_resampler_free(resampler);
    vip_resampler_free(NULL);
}

static void
test_new_survives_a_failing_allocation(void **state)
{
    (void)state;
    failing_after(0);
    vip_resampler *resampler = vip_resampler_new(44100, 16000);
    failing_after(-1);
    assert_null(resampler);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tones_keep_level_and_phase),
        cmocka_unit_test(test_tones_above_half_the_rate_vanish),
        cmocka_unit_test(test_nine_tenths_of_the_band_are_flat),
        cmocka_unit_test(test_resampled_length_is_rounded_down_and_bounded),
        cmocka_unit_test(test_samples_do_not_depend_on_the_cut),
        cmocka_unit_test(test_reset_is_the_first_state),
        cmocka_unit_test(test_new_survives_a_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
