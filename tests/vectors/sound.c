/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sound.c -- the cases without a network: front-ends, their filters, keyed random numbers. */
#include "case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bayes/keyed.h>
#include <frontend/frontend.h>
#include <kernels/kernels.h>

/* ------------------------------------------------------------------------------------------------------- front-end */

static vip_frontend_spec
read_spec(const vector_case *c)
{
    const json_t *about = json_object_get(c->about, "frontend");
    const char *name = json_string_value(json_object_get(about, "name"));
    vip_frontend_spec spec = {.sample_rate = json_number_value(json_object_get(about, "sample_rate")),
                              .n_fft = (uint32_t)json_integer_value(json_object_get(about, "n_fft")),
                              .hop = (uint32_t)json_integer_value(json_object_get(about, "hop")),
                              .mels = VIP_MELS,
                              .fmin = json_number_value(json_object_get(about, "fmin")),
                              .fmax = json_number_value(json_object_get(about, "fmax")),
                              .amin = json_number_value(json_object_get(about, "amin"))};
    (void)snprintf(spec.name, sizeof spec.name, "%s", name == NULL ? "" : name);
    return spec;
}

/* The frames of a sound, fed in pieces of at most `piece` samples; returns their number, or n_frames + 1 if there are
 * more. */
static size_t
hear(vip_frontend *frontend, const float *wave, size_t n, size_t piece, float *frames, size_t n_frames)
{
    float more[VIP_MELS];
    size_t there = 0, done = 0;
    bool ended = false;
    for (;;) {
        const size_t got = vip_frontend_read(frontend, frames + there * VIP_MELS, n_frames - there);
        there += got;
        if (got > 0) {
            continue;
        }
        if (there == n_frames && vip_frontend_read(frontend, more, 1) > 0) {
            return n_frames + 1;
        }
        if (ended) {
            return there;
        }
        size_t space = vip_frontend_space(frontend);
        space = space < piece ? space : piece;
        const size_t fed = n - done < space ? n - done : space;
        if (done == n) {
            vip_frontend_end_plain(frontend);
            ended = true;
        } else if (fed == 0) {
            return there; /* neither frames nor space: it is stuck */
        }
        vip_frontend_feed(frontend, wave + done, fed);
        done += fed;
    }
}

/* Single precision loses what lies far below the loudest band of a frame; so the tolerance depends on that. */
static const struct {
    const char *check;
    double depth, tolerance; /* dB */
} bands[] = {{"logmel within 80 dB of the frame's largest", 80, 2e-3},
             {"logmel within 100 dB", 100, 0.05},
             {"logmel further below", INFINITY, 0.5}};

enum { N_BANDS = sizeof bands / sizeof *bands };

static void
compare_frames(tally *t, const float *got, const float *want, size_t n_frames)
{
    double worst[N_BANDS] = {0};
    size_t n[N_BANDS] = {0};
    for (size_t frame = 0; frame < n_frames; frame++) {
        const float *a = got + frame * VIP_MELS, *b = want + frame * VIP_MELS;
        double largest = -INFINITY;
        for (int m = 0; m < VIP_MELS; m++) {
            largest = fmax(largest, (double)b[m]);
        }
        for (int m = 0; m < VIP_MELS; m++) {
            int band = 0;
            while (largest - (double)b[m] > bands[band].depth) {
                band++;
            }
            const double error = fabs((double)a[m] - (double)b[m]);
            worst[band] = error <= worst[band] ? worst[band] : error; /* keeps a NaN */
            n[band]++;
        }
    }
    for (int band = 0; band < N_BANDS; band++) {
        if (n[band] > 0) {
            tally_error(t, bands[band].check, worst[band], bands[band].tolerance);
        }
    }
}

void
check_frontend(const vector_case *c, tally *t)
{
    vector_tensor wave, logmel;
    if (need(c, t, "wave", TYPE_F32, 0, &wave) == NULL || need(c, t, "logmel", TYPE_F32, 0, &logmel) == NULL) {
        return;
    }
    const vip_frontend_spec spec = read_spec(c);
    const size_t n_frames = logmel.n / VIP_MELS;
    vipann_error error = {0};
    vip_frontend *frontend = vip_frontend_new(&spec, spec.sample_rate, &error);
    float *frames = calloc(logmel.n, sizeof *frames), *pieces = calloc(logmel.n, sizeof *pieces);
    if (frontend == NULL || frames == NULL || pieces == NULL) {
        tally_fail(t, "front-end", "%s", error.text);
    } else {
        const size_t whole = hear(frontend, wave.data, wave.n, SIZE_MAX, frames, n_frames);
        vip_frontend_reset(frontend);
        const size_t cut = hear(frontend, wave.data, wave.n, 77, pieces, n_frames);
        if (whole != n_frames || cut != n_frames) {
            tally_fail(t, "logmel", "%zu frames at once and %zu in pieces, expected %zu", whole, cut, n_frames);
        } else {
            compare_frames(t, frames, logmel.data, n_frames);
            tally_exact(t, "logmel in pieces", memcmp(frames, pieces, logmel.n * sizeof *frames) != 0, logmel.n);
        }
    }
    vip_frontend_free(frontend);
    free(frames);
    free(pieces);
}

void
check_filters(const vector_case *c, tally *t)
{
    const vip_frontend_spec spec = read_spec(c);
    const size_t n_mel = (size_t)VIP_MELS * (spec.n_fft / 2 + 1);
    const float *mel = need(c, t, "mel", TYPE_F32, n_mel, NULL);
    const float *hann = need(c, t, "hann", TYPE_F32, spec.n_fft, NULL);
    float *ours = calloc(n_mel + spec.n_fft, sizeof *ours);
    if (mel != NULL && hann != NULL && ours != NULL) {
        vip_mel_filters(&spec, ours);
        vip_hann(spec.n_fft, ours + n_mel);
        tally_error(t, "mel", largest_difference(ours, mel, n_mel), 2e-9);
        tally_error(t, "hann", largest_difference(ours + n_mel, hann, spec.n_fft), 1e-7);
    }
    free(ours);
}

/* --------------------------------------------------------------------------------------------------- keyed numbers */

/* What the case's note lays down. */
enum { TENSOR = 7, DRAW = 2, SITE = 0x21, MEMBER = 3, COLUMN = 1000, COLUMNS = 6, CHANNELS = 12, BINS = 16 };
static const float RATE = 0.1f;

static void
check_words(const vector_case *c, tally *t)
{
    vector_tensor counter;
    const uint32_t *counters = need(c, t, "kat.counter", TYPE_U32, 0, &counter);
    const uint32_t *keys = need(c, t, "kat.key", TYPE_U32, counter.n / 2, NULL);
    const uint32_t *results = need(c, t, "kat.result", TYPE_U32, counter.n, NULL);
    if (counters == NULL || keys == NULL || results == NULL) {
        return;
    }
    size_t wrong = 0;
    uint32_t words[4];
    for (size_t i = 0; i < counter.n / 4; i++) {
        vip_philox((uint64_t)keys[2 * i + 1] << 32 | keys[2 * i], counters + 4 * i, words);
        wrong += memcmp(words, results + 4 * i, sizeof words) != 0;
    }
    tally_exact(t, "published answers", wrong, counter.n / 4);
    vector_tensor table;
    const uint32_t *raw = need(c, t, "words", TYPE_U32, 0, &table);
    const float *uniform = need(c, t, "uniform", TYPE_F32, table.n, NULL);
    if (raw == NULL || uniform == NULL) {
        return;
    }
    size_t wrong_uniform = 0;
    wrong = 0;
    for (size_t i = 0; i < table.n; i++) {
        const uint32_t block[4] = {(uint32_t)(i / 4), 3, (uint32_t)VIP_KEYED_EPS << 24 | TENSOR, DRAW};
        vip_philox(case_seed(c), block, words);
        wrong += words[i % 4] != raw[i];
        wrong_uniform += vip_uniform(raw[i]) != uniform[i];
    }
    tally_exact(t, "words", wrong, table.n);
    tally_exact(t, "uniform", wrong_uniform, table.n);
}

static void
check_normal(const vector_case *c, tally *t)
{
    vector_tensor words, stored;
    const uint32_t *of = need(c, t, "normal_of", TYPE_U32, 0, &words);
    const float *normal = need(c, t, "normal", TYPE_F32, words.n, NULL);
    const float *eps = need(c, t, "eps", TYPE_F32, 0, &stored);
    float *ours = calloc(stored.n, sizeof *ours);
    if (of != NULL && normal != NULL && eps != NULL && ours != NULL) {
        uint32_t apart = 0;
        for (size_t i = 0; i < words.n; i++) {
            const uint32_t u = ulps(vip_normal(of[i]), normal[i]);
            apart = u > apart ? u : apart;
        }
        tally_error(t, "normal (units in the last place)", apart, 1);
        vip_keyed_eps(case_seed(c), TENSOR, DRAW, ours, stored.n);
        apart = 0;
        for (size_t i = 0; i < stored.n; i++) {
            const uint32_t u = ulps(ours[i], eps[i]);
            apart = u > apart ? u : apart;
        }
        tally_error(t, "eps (units in the last place)", apart, 1);
    }
    free(ours);
}

/* Masks by the plain form and by the kernels' own. */
static void
check_mask(const vector_case *c, tally *t)
{
    const float *mask = need(c, t, "mask", TYPE_F32, CHANNELS * COLUMNS * BINS, NULL);
    const vip_kernels *kernels = vip_kernels_choose(NULL);
    if (mask == NULL || kernels == NULL) {
        return;
    }
    size_t wrong = 0, wrong_bits = 0;
    for (uint32_t column = 0; column < COLUMNS; column++) {
        unsigned char keep[CHANNELS * BINS];
        uint16_t bits[BINS];
        vip_keyed_keep(case_seed(c), SITE, MEMBER, COLUMN + column, RATE, keep, sizeof keep);
        vip_keep_column(kernels, case_seed(c), SITE, MEMBER, COLUMN + column, vip_keep_threshold(RATE), CHANNELS, BINS,
                        bits);
        for (size_t e = 0; e < sizeof keep; e++) {
            const size_t bin = e / CHANNELS, channel = e % CHANNELS;
            const float want = mask[(channel * COLUMNS + column) * BINS + bin];
            wrong += (keep[e] ? vip_keep_scale(RATE) : 0) != want;
            wrong_bits += (bits[bin] >> channel & 1 ? vip_keep_scale(RATE) : 0) != want;
        }
    }
    tally_exact(t, "mask", wrong, CHANNELS * COLUMNS * BINS);
    tally_exact(t, "mask of the kernels", wrong_bits, CHANNELS * COLUMNS * BINS);
}

static void
check_signs(const vector_case *c, tally *t)
{
    vector_tensor per_channel;
    const float *in = need(c, t, "sign_in", TYPE_F32, CHANNELS * COLUMNS * BINS, NULL);
    const float *out = need(c, t, "sign_out_channel", TYPE_F32, 0, &per_channel);
    unsigned char *negative = calloc(per_channel.n + CHANNELS * BINS, 1);
    if (in != NULL && out != NULL && negative != NULL) {
        size_t wrong = 0;
        for (uint32_t column = 0; column < COLUMNS; column++) {
            vip_keyed_signs(case_seed(c), VIP_KEYED_SIGN_IN, TENSOR, DRAW, COLUMN + column, negative, CHANNELS * BINS);
            for (size_t e = 0; e < CHANNELS * BINS; e++) {
                const float want = in[(e % CHANNELS * COLUMNS + column) * BINS + e / CHANNELS];
                wrong += (negative[e] ? -1.0f : 1.0f) != want;
            }
        }
        tally_exact(t, "sign_in", wrong, CHANNELS * COLUMNS * BINS);
        vip_keyed_signs(case_seed(c), VIP_KEYED_SIGN_OUT, TENSOR, DRAW, 0, negative, per_channel.n);
        wrong = 0;
        for (size_t e = 0; e < per_channel.n; e++) {
            wrong += (negative[e] ? -1.0f : 1.0f) != out[e];
        }
        tally_exact(t, "sign_out_channel", wrong, per_channel.n);
    }
    free(negative);
}

void
check_keyed(const vector_case *c, tally *t)
{
    check_words(c, t);
    check_normal(c, t);
    check_mask(c, t);
    check_signs(c, t);
}
