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

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static const double PI = 3.14159265358979323846;

static float tone[1 << 18], resampled[1 << 18];

/* Resamples one second of a tone. */
static size_t
resample_tone(double from, double to, double hz)
{
    size_t n = LENGTH(tone), made = 0;
    n = from < (double)n ? (size_t)from : n;
    for (size_t i = 0; i < n; i++) {
        tone[i] = (float)(0.8 * sin(2 * PI * hz * (double)i / from));
    }
    vip_resampler *resampler = vip_resampler_new(from, to);
    assert_non_null(resampler);
    for (size_t i = 0; i < n; i += VIP_FEED) {
        size_t piece = n - i < VIP_FEED ? n - i : VIP_FEED;
        made += vip_resampler_push(resampler, tone + i, piece, n - i <= VIP_FEED, resampled + made);
    }
    vip_resampler_free(resampler);
    return made;
}

/* The converter's makers give it 121 dB and nine tenths of the band; level and phase are held too, so that a delay or a
 * drooping response would show. Both ends are left out, where the filter sees the edge of the sound. */
static void
test_tones_keep_level_and_phase(void **state)
{
    (void)state;
    static const struct {
        double from, to, hz, snr;
    } table[] = {
        {8000, 16000, 440, 100},   {8000, 16000, 3200, 100},  {11025, 16000, 1000, 100},  {22050, 16000, 1000, 100},
        {22050, 16000, 6500, 100}, {44100, 16000, 440, 100},  {44100, 16000, 6500, 100},  {48000, 16000, 50, 100},
        {48000, 16000, 6500, 100}, {96000, 16000, 3000, 100}, {192000, 16000, 5000, 100}, {44100, 32000, 13000, 100},
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
    } table[] = {{48000, 16000, 9000, 90},
                 {48000, 16000, 15500, 90},
                 {44100, 16000, 20000, 90},
                 {96000, 32000, 18000, 90},
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
        for (size_t k = 0; k <= n; k += VIP_FEED) {
            size_t piece = n - k < VIP_FEED ? n - k : VIP_FEED;
            size_t made = vip_resampler_push(resampler, tone + k, piece, n - k < VIP_FEED, resampled);
            assert_true(made <= vip_resampler_most(resampler, piece));
            total += made;
        }
        assert_true(total <= vip_resampler_most(resampler, n));
        assert_int_equal(total, (size_t)floor((double)n * to / from * (1 + 1e-12)));
        vip_resampler_free(resampler);
    }
}

static void
test_reset_is_the_first_state(void **state)
{
    (void)state;
    static float before[4 * VIP_FEED], after[4 * VIP_FEED];
    vip_resampler *resampler = vip_resampler_new(44100, 16000);
    for (size_t i = 0; i < VIP_FEED; i++) {
        tone[i] = (float)sin(0.1 * (double)i);
    }
    size_t n = vip_resampler_push(resampler, tone, VIP_FEED, true, before);
    vip_resampler_reset(resampler);
    (void)vip_resampler_push(resampler, tone, VIP_FEED, false, after);
    vip_resampler_reset(resampler);
    assert_int_equal(vip_resampler_push(resampler, tone, VIP_FEED, true, after), n);
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
        cmocka_unit_test(test_resampled_length_is_rounded_down_and_bounded),
        cmocka_unit_test(test_reset_is_the_first_state),
        cmocka_unit_test(test_new_survives_a_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
