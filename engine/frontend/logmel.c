/* SPDX-License-Identifier: GPL-3.0-or-later */
/* logmel.c -- see logmel.h for the contract.
 *
 * The loops run over blocks of a fixed number of elements, with what is short filled up with zeros, because compilers
 * vectorise a loop at -O2 only if its length is a constant. */
#include "logmel.h"

#include <fftw3.h>

#include <base/memory.h>

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

enum {
    BLOCK = 16, /* floats, a cache line: window and power */
    PARTS = 4   /* floats: filters, most of which are short */
};

/* The non-zero part of one filter: power bins from begin on, with `parts` times PARTS weights. */
typedef struct {
    uint32_t begin, parts;
    const float *weights;
} filter_run;

struct vip_logmel {
    size_t n_fft;
    size_t blocks;   /* of power bins */
    float floor;     /* power, not below the smallest normal number */
    float *window;   /* [n_fft] */
    float *windowed; /* [n_fft] */
    float *spectrum; /* [blocks][BLOCK][2] real and imaginary part; 0 behind the last bin */
    float *power;    /* [blocks + 1][BLOCK]; 0 behind the last bin, for what a filter was filled up with */
    float *weights;  /* of all runs */
    filter_run runs[VIP_MELS];
    fftwf_plan plan;
};

/* ------------------------------------------------------------------------------------------------ filters, window */

static const double LINEAR_HZ = 200.0 / 3.0; /* per mel, below BREAK_HZ */
static const double BREAK_HZ = 1000.0;       /* Slaney's scale is logarithmic from here on: 27 mels for a factor 6.4 */
static const double LOG_STEP = 6.4, LOG_MELS = 27.0;

static double
mel_of_hz(double hz)
{
    return hz < BREAK_HZ ? hz / LINEAR_HZ : BREAK_HZ / LINEAR_HZ + log(hz / BREAK_HZ) * LOG_MELS / log(LOG_STEP);
}

static double
hz_of_mel(double mel)
{
    double above = mel - BREAK_HZ / LINEAR_HZ;
    return above < 0.0 ? mel * LINEAR_HZ : BREAK_HZ * exp(above * log(LOG_STEP) / LOG_MELS);
}

void
vip_mel_filters(const vip_frontend_spec *spec, float *filters)
{
    size_t bins = spec->n_fft / 2 + 1;
    double first = mel_of_hz(spec->fmin), step = (mel_of_hz(spec->fmax) - first) / (VIP_MELS + 1);
    for (size_t mel = 0; mel < VIP_MELS; mel++) {
        double low = hz_of_mel(first + step * (double)mel);
        double middle = hz_of_mel(first + step * (double)(mel + 1));
        double high = hz_of_mel(first + step * (double)(mel + 2));
        for (size_t bin = 0; bin < bins; bin++) {
            double hz = (double)bin * spec->sample_rate / spec->n_fft;
            double height = fmin((hz - low) / (middle - low), (high - hz) / (high - middle));
            filters[mel * bins + bin] = (float)(fmax(height, 0.0) * 2.0 / (high - low));
        }
    }
}

void
vip_hann(uint32_t n_fft, float *window)
{
    const double turn = 2.0 * 3.14159265358979323846;
    for (uint32_t i = 0; i < n_fft; i++) {
        window[i] = (float)(0.5 - 0.5 * cos(turn * i / n_fft));
    }
}

/* Where one row of filters is not zero; its length is 0 if the filter passes nothing, being narrower than a bin. */
static void
find_run(const float *row, size_t bins, size_t *begin, size_t *length)
{
    size_t first = 0, last = bins;
    while (first < last && row[first] == 0.0f) {
        first++;
    }
    while (last > first && row[last - 1] == 0.0f) {
        last--;
    }
    *begin = last > first ? first : 0;
    *length = last - first;
}

/* The number of pieces of the given size that hold n. */
static size_t
pieces(size_t n, size_t size)
{
    return (n + size - 1) / size;
}

/* Packs the filters' non-zero parts, each filled up with zeros; false: memory is short. */
static bool
pack_filters(vip_logmel *logmel, const vip_frontend_spec *spec)
{
    size_t bins = spec->n_fft / 2 + 1, begin, length, parts = 0;
    float *filters = vip_alloc(VIP_MELS * bins, sizeof *filters);
    if (filters == NULL) {
        return false;
    }
    vip_mel_filters(spec, filters);
    for (size_t mel = 0; mel < VIP_MELS; mel++) {
        find_run(filters + mel * bins, bins, &begin, &length);
        parts += pieces(length, PARTS);
    }
    logmel->weights = vip_alloc(parts * PARTS, sizeof *logmel->weights);
    float *next = logmel->weights;
    for (size_t mel = 0; mel < VIP_MELS && next != NULL; mel++) {
        find_run(filters + mel * bins, bins, &begin, &length);
        memcpy(next, filters + mel * bins + begin, length * sizeof *next);
        logmel->runs[mel] = (filter_run){(uint32_t)begin, (uint32_t)pieces(length, PARTS), next};
        next += pieces(length, PARTS) * PARTS;
    }
    vip_free(filters);
    return next != NULL;
}

/* ------------------------------------------------------------------------------------------------------- the object */

static pthread_once_t planner_once = PTHREAD_ONCE_INIT; /* FFTW's planner, too, is one for the whole process */

vip_logmel *
vip_logmel_new(const vip_frontend_spec *spec)
{
    vip_logmel *logmel = vip_alloc(1, sizeof *logmel);
    if (logmel == NULL) {
        return NULL;
    }
    size_t bins = spec->n_fft / 2 + 1;
    logmel->n_fft = spec->n_fft;
    logmel->blocks = pieces(bins, BLOCK);
    logmel->floor = fmaxf((float)spec->amin, FLT_MIN);
    logmel->window = vip_alloc(logmel->n_fft, sizeof(float));
    logmel->windowed = vip_alloc(logmel->n_fft, sizeof(float));
    logmel->spectrum = vip_alloc(logmel->blocks * BLOCK, 2 * sizeof(float));
    logmel->power = vip_alloc((logmel->blocks + 1) * BLOCK, sizeof(float));
    if (logmel->window == NULL || logmel->windowed == NULL || logmel->spectrum == NULL || logmel->power == NULL ||
        !pack_filters(logmel, spec)) {
        vip_logmel_free(logmel);
        return NULL;
    }
    vip_hann(spec->n_fft, logmel->window);
    (void)pthread_once(&planner_once, fftwf_make_planner_thread_safe);
    /* ESTIMATE: the same plan, and so the same bits, today and tomorrow. */
    logmel->plan =
        fftwf_plan_dft_r2c_1d((int)spec->n_fft, logmel->windowed, (fftwf_complex *)logmel->spectrum, FFTW_ESTIMATE);
    if (logmel->plan == NULL) {
        vip_logmel_free(logmel);
        return NULL;
    }
    return logmel;
}

void
vip_logmel_free(vip_logmel *logmel)
{
    if (logmel == NULL) {
        return;
    }
    if (logmel->plan != NULL) {
        fftwf_destroy_plan(logmel->plan);
    }
    vip_free(logmel->window);
    vip_free(logmel->windowed);
    vip_free(logmel->spectrum);
    vip_free(logmel->power);
    vip_free(logmel->weights);
    vip_free(logmel);
}

/* -------------------------------------------------------------------------------------------------------- one frame */

static void
apply_window(const float *restrict x, const float *restrict window, size_t n, float *restrict out)
{
    size_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        for (size_t k = 0; k < BLOCK; k++) {
            out[i + k] = x[i + k] * window[i + k];
        }
    }
    for (; i < n; i++) {
        out[i] = x[i] * window[i];
    }
}

static void
take_power(const float *restrict spectrum, size_t blocks, float *restrict power)
{
    for (size_t block = 0; block < blocks; block++) {
        for (size_t k = 0; k < BLOCK; k++) {
            float re = spectrum[2 * k], im = spectrum[2 * k + 1];
            power[k] = re * re + im * im;
        }
        spectrum += 2 * BLOCK;
        power += BLOCK;
    }
}

/* Every filter: PARTS partial sums over its run; then these, for all filters alike. */
static void
apply_filters(const filter_run runs[restrict VIP_MELS], const float *restrict power, float bands[restrict VIP_MELS])
{
    float parts[VIP_MELS][PARTS];
    for (size_t mel = 0; mel < VIP_MELS; mel++) {
        const float *restrict weights = runs[mel].weights;
        const float *restrict x = power + runs[mel].begin;
        float sum[PARTS] = {0.0f};
        for (size_t part = 0; part < runs[mel].parts; part++) {
            for (size_t k = 0; k < PARTS; k++) {
                sum[k] += weights[k] * x[k];
            }
            weights += PARTS;
            x += PARTS;
        }
        memcpy(parts[mel], sum, sizeof sum);
    }
    for (size_t mel = 0; mel < VIP_MELS; mel++) {
        bands[mel] = (parts[mel][0] + parts[mel][2]) + (parts[mel][1] + parts[mel][3]);
    }
}

/* x = m * 2^e with m in [sqrt(1/2), sqrt(2)), by moving that range's lower end to where the mantissa overflows. Then
 * ln m = 2 atanh(s), s = (m-1)/(m+1), |s| <= 0.172: the first term left out is below 2e-7 dB. */
void
vip_decibels(const float power[restrict VIP_MELS], float floor, float db[restrict VIP_MELS])
{
    static const float DB_PER_OCTAVE = 3.01029995664f, DB_PER_NEPER = 4.34294481903f;
    static const uint32_t ONE = 0x3f800000u, ROOT_HALF = 0x3f3504f3u, MANTISSA = 0x007fffffu;
    for (size_t i = 0; i < VIP_MELS; i++) {
        float x = power[i] > floor ? power[i] : floor;
        uint32_t bits;
        memcpy(&bits, &x, sizeof bits);
        bits += ONE - ROOT_HALF;
        float exponent = (float)((int32_t)(bits >> 23) - 127);
        bits = (bits & MANTISSA) + ROOT_HALF;
        float m;
        memcpy(&m, &bits, sizeof m);
        float s = (m - 1.0f) / (m + 1.0f), square = s * s;
        float series = 1.0f / 7.0f;
        series = series * square + 1.0f / 5.0f;
        series = series * square + 1.0f / 3.0f;
        series = series * square + 1.0f;
        db[i] = exponent * DB_PER_OCTAVE + 2.0f * s * series * DB_PER_NEPER;
    }
}

void
vip_logmel_frame(vip_logmel *logmel, const float *samples, float *out)
{
    apply_window(samples, logmel->window, logmel->n_fft, logmel->windowed);
    fftwf_execute(logmel->plan);
    take_power(logmel->spectrum, logmel->blocks, logmel->power);
    float bands[VIP_MELS];
    apply_filters(logmel->runs, logmel->power, bands);
    vip_decibels(bands, logmel->floor, out);
}
