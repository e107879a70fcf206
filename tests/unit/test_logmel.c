/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_logmel.c -- holds the promises of logmel.h: filters, window, logarithm, one frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <frontend/logmel.h>

#include "failing.h"
#include "numbers.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { MOST_FFT = 8192, MOST_BINS = MOST_FFT / 2 + 1 };

static const double PI = 3.14159265358979323846;

static const vip_frontend_spec specs[] = {
    {.sample_rate = 16000, .n_fft = 512, .hop = 160, .mels = 64, .fmin = 50, .fmax = 8000, .amin = 1e-10},
    {.sample_rate = 32000, .n_fft = 1024, .hop = 320, .mels = 64, .fmin = 50, .fmax = 14000, .amin = 1e-10},
    {.sample_rate = 96000, .n_fft = 8192, .hop = 8192, .mels = 64, .fmin = 0, .fmax = 48000, .amin = 1e-10},
    {.sample_rate = 8000, .n_fft = 64, .hop = 1, .mels = 64, .fmin = 0, .fmax = 4000, .amin = 1e-10}, /* empty bands */
    {.sample_rate = 22050, .n_fft = 686, .hop = 200, .mels = 64, .fmin = 20, .fmax = 11025, .amin = 1e-7},
};

static float filters[VIP_MELS * MOST_BINS];
static float window[MOST_FFT];

static float
noise(uint32_t *state)
{
    return (float)((double)next_random(state) / 8388608.0 - 1.0);
}

/* Edge k of the bands, by bisection of the scale's definition rather than by its inverse. */
static double
edge_hz(const vip_frontend_spec *spec, int k)
{
    double at[2] = {spec->fmin, spec->fmax}, mel[2];
    for (int i = 0; i < 2; i++) {
        mel[i] = at[i] < 1000 ? at[i] * 3 / 200 : 15 + 27 * log(at[i] / 1000) / log(6.4);
    }
    double wanted = mel[0] + (mel[1] - mel[0]) * k / 65, low = 0, high = 48001;
    for (int i = 0; i < 80; i++) {
        double middle = (low + high) / 2;
        double here = middle < 1000 ? middle * 3 / 200 : 15 + 27 * log(middle / 1000) / log(6.4);
        *(here < wanted ? &low : &high) = middle;
    }
    return low;
}

static double
direct_weight(const vip_frontend_spec *spec, int mel, size_t bin)
{
    double low = edge_hz(spec, mel), middle = edge_hz(spec, mel + 1), high = edge_hz(spec, mel + 2);
    double hz = (double)bin * spec->sample_rate / spec->n_fft;
    if (hz <= low || hz >= high) {
        return 0;
    }
    return (hz < middle ? (hz - low) / (middle - low) : (high - hz) / (high - middle)) * 2 / (high - low);
}

static void
test_filters_are_slaneys_triangles_of_equal_area(void **state)
{
    (void)state;
    for (size_t s = 0; s < LENGTH(specs); s++) {
        size_t bins = specs[s].n_fft / 2 + 1;
        vip_mel_filters(&specs[s], filters);
        for (int mel = 0; mel < VIP_MELS; mel += 7) {
            for (size_t bin = 0; bin < bins; bin++) {
                double weight = (double)filters[(size_t)mel * bins + bin];
                assert_true(fabs(weight - direct_weight(&specs[s], mel, bin)) <= 2e-9); /* float32 of 0.02: 1e-9 */
            }
        }
    }
}

static void
test_window_is_periodic_hann(void **state)
{
    (void)state;
    for (size_t s = 0; s < LENGTH(specs); s++) {
        uint32_t n = specs[s].n_fft;
        vip_hann(n, window);
        assert_true(window[0] == 0.0f);
        assert_true(window[n / 2] == 1.0f);
        for (uint32_t i = 1; i < n; i++) {
            double half = sin(PI * i / n);
            assert_true(fabs((double)window[i] - half * half) <= 1e-7);
            assert_true(fabs((double)(window[i] - window[n - i])) <= 1e-7);
        }
    }
}

static void
test_decibels_are_ten_times_the_decimal_logarithm(void **state)
{
    (void)state;
    float power[VIP_MELS], db[VIP_MELS];
    uint32_t seed = 1;
    for (int exponent = -100; exponent <= 100; exponent++) {
        for (size_t i = 0; i < VIP_MELS; i++) {
            power[i] = ldexpf(1.0f + (float)next_random(&seed) / 16777216.0f, exponent);
        }
        power[0] = ldexpf(1.0f, exponent);
        power[1] = ldexpf(0x1.6a09e6p0f, exponent); /* where the mantissa's range is cut */
        power[2] = nextafterf(power[1], FLT_MAX);
        vip_decibels(power, FLT_MIN, db);
        for (size_t i = 0; i < VIP_MELS; i++) {
            assert_true(fabs((double)db[i] - 10 * log10((double)power[i])) <= 3e-5);
        }
    }
}

static void
test_decibels_below_the_floor_are_the_floor(void **state)
{
    (void)state;
    float power[VIP_MELS] = {0.0f, -1.0f, NAN, 1e-11f, 1e-10f, FLT_MIN / 8, -0.0f}, db[VIP_MELS];
    vip_decibels(power, 1e-10f, db);
    for (size_t i = 0; i < VIP_MELS; i++) {
        assert_true(fabs((double)db[i] + 100) <= 1e-4);
    }
}

/* The frame's levels by the definition: double precision, a transform term by term. */
static void
direct_frame(const vip_frontend_spec *spec, const float *x, double db[VIP_MELS])
{
    size_t n = spec->n_fft, bins = n / 2 + 1;
    double bands[VIP_MELS] = {0};
    vip_mel_filters(spec, filters);
    for (size_t bin = 0; bin < bins; bin++) {
        double re = 0, im = 0;
        for (size_t i = 0; i < n; i++) {
            double turn = 2 * PI * (double)(bin * i % n) / (double)n;
            double sample = (double)x[i] * (0.5 - 0.5 * cos(2 * PI * (double)i / (double)n));
            re += sample * cos(turn);
            im -= sample * sin(turn);
        }
        for (size_t mel = 0; mel < VIP_MELS; mel++) {
            bands[mel] += (double)filters[mel * bins + bin] * (re * re + im * im);
        }
    }
    for (size_t mel = 0; mel < VIP_MELS; mel++) {
        db[mel] = 10 * log10(fmax(bands[mel], spec->amin));
    }
}

/* Single precision against double: 2e-3 dB where a band is within 80 dB of the loudest, the project's tolerance. */
static void
test_a_frame_equals_its_definition(void **state)
{
    (void)state;
    static float x[MOST_FFT];
    for (size_t s = 0; s < LENGTH(specs); s++) {
        if (specs[s].n_fft > 1024) {
            continue; /* term by term takes too long */
        }
        vip_logmel *logmel = vip_logmel_new(&specs[s]);
        assert_non_null(logmel);
        for (int signal = 0; signal < 3; signal++) {
            uint32_t seed = 7;
            for (size_t i = 0; i < specs[s].n_fft; i++) {
                x[i] = signal == 0 ? noise(&seed) : signal == 1 ? (float)sin(0.3 * (double)i) : (float)(i == 100);
            }
            double expected[VIP_MELS], loudest = -1000;
            float db[VIP_MELS];
            direct_frame(&specs[s], x, expected);
            vip_logmel_frame(logmel, x, db);
            for (size_t mel = 0; mel < VIP_MELS; mel++) {
                loudest = fmax(loudest, expected[mel]);
            }
            for (size_t mel = 0; mel < VIP_MELS; mel++) {
                double tolerance = expected[mel] > loudest - 80 ? 2e-3 : expected[mel] > loudest - 100 ? 0.05 : 0.5;
                assert_true(fabs((double)db[mel] - expected[mel]) <= tolerance);
            }
        }
        vip_logmel_free(logmel);
    }
}

static void
test_silence_is_the_floor(void **state)
{
    (void)state;
    static const float silence[MOST_FFT];
    for (size_t s = 0; s < LENGTH(specs); s++) {
        vip_logmel *logmel = vip_logmel_new(&specs[s]);
        float db[VIP_MELS];
        vip_logmel_frame(logmel, silence, db);
        for (size_t mel = 0; mel < VIP_MELS; mel++) {
            assert_true(fabs((double)db[mel] - 10 * log10(specs[s].amin)) <= 1e-4);
        }
        vip_logmel_free(logmel);
    }
}

static void
test_new_survives_every_failing_allocation(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        failing_after(n);
        vip_logmel *logmel = vip_logmel_new(&specs[0]);
        bool complete = failing_count() <= n;
        failing_after(-1);
        assert_int_equal(logmel != NULL, complete);
        vip_logmel_free(logmel);
        if (complete) {
            assert_true(n > 5);
            return;
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters_are_slaneys_triangles_of_equal_area),
        cmocka_unit_test(test_window_is_periodic_hann),
        cmocka_unit_test(test_decibels_are_ten_times_the_decimal_logarithm),
        cmocka_unit_test(test_decibels_below_the_floor_are_the_floor),
        cmocka_unit_test(test_a_frame_equals_its_definition),
        cmocka_unit_test(test_silence_is_the_floor),
        cmocka_unit_test(test_new_survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
