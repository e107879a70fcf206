/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nets.c -- clips through a network: deterministic with what lies inside, and with dropout. */
#include "subject.h"

#include <bayes/keyed.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------------- inside a net */

static const double NET_TOLERANCE = 1e-4; /* times the largest magnitude */

/* The last step whose convolution's name begins so: the output of that part of the network. */
static int
last_step(const vip_network *network, const char *part)
{
    char start[VIP_NAME_SIZE];
    (void)snprintf(start, sizeof start, "%s%s.", strncmp(part, "layer", 5) == 0 ? "resnet." : "", part);
    int last = -1;
    for (int i = 0; i < network->n_steps; i++) {
        if (strncmp(network->steps[i].conv, start, strlen(start)) == 0) {
            last = i;
        }
    }
    return last;
}

/* 2x2 averages of [channels][columns][bins]; odd last columns are dropped. */
static void
pool(const float *x, size_t channels, size_t columns, size_t bins, float *y)
{
    for (size_t c = 0; c < channels; c++) {
        for (size_t t = 0; t < columns / 2; t++) {
            for (size_t f = 0; f < bins / 2; f++) {
                const float *from = x + (c * columns + 2 * t) * bins + 2 * f;
                *y++ = (from[0] + from[1] + from[bins] + from[bins + 1]) / 4;
            }
        }
    }
}

/* Steps include the pool behind them; some of the reference's taps are taken in front of it. */
static void
check_tap(const vector_case *c, tally *t, const vip_network *network, const vip_pass *pass, const char *part)
{
    char name[VIP_NAME_SIZE];
    (void)snprintf(name, sizeof name, "tap.%s", part);
    vector_tensor tap;
    const float *want = need(c, t, name, TYPE_F32, 0, &tap);
    const int step = last_step(network, part);
    if (want == NULL || step < 0 || tap.rank != 4 || tap.shape[0] != 1) {
        tally_fail(t, name, "it cannot be compared");
        return;
    }
    const size_t bins = network->steps[step].bins / (network->steps[step].pool ? 2u : 1u);
    const size_t channels = tap.shape[1], shrink = tap.shape[3] / bins, columns = tap.shape[2] / shrink;
    const size_t n = channels * columns * bins;
    int64_t first;
    const uint32_t there = vip_pass_peek(pass, step, 0, &first, NULL);
    float *got = calloc(2 * n + 1, sizeof *got), *pooled = got + n;
    if (got == NULL || first != 0 || there != columns || network->steps[step].out != channels) {
        tally_fail(t, name, "%u columns of %u channels from %d on, expected %zu of %zu", (unsigned)there,
                   (unsigned)network->steps[step].out, (int)first, columns, channels);
    } else {
        (void)vip_pass_peek(pass, step, 0, &first, got);
        if (shrink == 2) {
            pool(want, channels, tap.shape[2], tap.shape[3], pooled);
            want = pooled;
        }
        tally_error(t, name, largest_difference(got, want, n), NET_TOLERANCE * magnitude(want, n));
    }
    free(got);
}

static void
check_input(const vector_case *c, tally *t, const vip_weights *weights, const float *frames, size_t n)
{
    const float *want = need(c, t, "tap.bn0", TYPE_F32, n, NULL);
    float *got = calloc(n, sizeof *got);
    if (want != NULL && got != NULL) {
        for (size_t i = 0; i < n; i++) {
            got[i] = frames[i] * weights->bn0_scale[i % VIP_MELS] + weights->bn0_shift[i % VIP_MELS];
        }
        tally_error(t, "tap.bn0", largest_difference(got, want, n), NET_TOLERANCE * magnitude(want, n));
    }
    free(got);
}

static void
check_taps(const vector_case *c, tally *t, const vip_model *model, const float *frames, size_t n_frames)
{
    static const char *const parts[] = {"conv_block1", "layer1", "layer2", "layer3", "layer4", "conv_block_after1"};
    subject s;
    float *logits = calloc(model->network.classes, sizeof *logits);
    const recipe how = {.members = 1, .max_frames = (uint32_t)n_frames};
    if (subject_open(&s, model, &how) && logits != NULL) {
        check_input(c, t, s.weights, frames, n_frames * VIP_MELS);
        subject_hear(&s, frames, n_frames, 1, logits);
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            check_tap(c, t, &model->network, s.pass, parts[i]);
        }
    }
    subject_close(&s);
    free(logits);
}

/* ------------------------------------------------------------------------------------------------ deterministic net */

/* A model's output is its logits; with dense layers that pass their input on, it is what lies before them. Values there
 * are not negative, so ReLU passes them too. */
static vip_model *
see_through(const vip_model *model, bool fc1_too)
{
    const vip_network *network = &model->network;
    const uint32_t n = network->features;
    vip_model *probe = vip_model_new(network->arch, network->width, n, network->padding);
    for (int i = 0; probe != NULL && i < model->n_tensors; i++) {
        const vip_tensor_shape *shape = &probe->shapes[i];
        if (model->values[i] == NULL) {
            continue;
        }
        const bool head = strncmp(shape->name, "fc_audioset.", 12) == 0, fc1 = strncmp(shape->name, "fc1.", 4) == 0;
        if (head || (fc1 && fc1_too)) {
            for (uint32_t k = 0; shape->kind == VIP_LINEAR_WEIGHT && k < n; k++) {
                probe->values[i][(size_t)k * n + k] = 1;
            }
            continue;
        }
        memcpy(probe->values[i], model->values[i], vip_tensor_size(shape) * sizeof(float));
    }
    return probe;
}

/* Every row of the clip through the model; want: [rows][classes]. */
static void
check_rows(tally *t, const char *name, const vip_model *model, const float *frames, size_t rows, size_t n_frames,
           const float *want)
{
    const size_t classes = model->network.classes;
    subject s;
    const recipe how = {.members = 1, .max_frames = (uint32_t)n_frames};
    float *got = calloc(rows * classes, sizeof *got);
    if (subject_open(&s, model, &how) && got != NULL) {
        for (size_t row = 0; row < rows; row++) {
            subject_hear(&s, frames + row * n_frames * VIP_MELS, n_frames, 1, got + row * classes);
        }
        tally_error(t, name, largest_difference(got, want, rows * classes),
                    NET_TOLERANCE * magnitude(want, rows * classes));
    } else {
        tally_fail(t, name, "memory is short");
    }
    subject_close(&s);
    free(got);
}

static void
check_probe(const vector_case *c, tally *t, const char *name, const vip_model *model, bool fc1_too, const float *frames,
            size_t rows, size_t n_frames)
{
    const float *want = need(c, t, name, TYPE_F32, rows * model->network.features, NULL);
    vip_model *probe = see_through(model, fc1_too);
    if (want != NULL && probe != NULL) {
        check_rows(t, name, probe, frames, rows, n_frames, want);
    }
    vip_model_free(probe);
}

void
check_net(const vector_case *c, tally *t)
{
    size_t rows, n_frames;
    vector_tensor tap;
    vip_model *model = open_model(c, t);
    const float *frames = need_logmel(c, t, &rows, &n_frames);
    if (model != NULL && frames != NULL) {
        const float *want = need(c, t, "logits", TYPE_F32, rows * model->network.classes, NULL);
        if (want != NULL) {
            check_rows(t, "logits", model, frames, rows, n_frames, want);
        }
        check_probe(c, t, "embedding", model, false, frames, rows, n_frames);
        if (case_tensor(c, "tap.pooled", &tap)) {
            check_probe(c, t, "tap.pooled", model, true, frames, rows, n_frames);
            check_taps(c, t, model, frames, n_frames);
        }
    }
    vip_model_free(model);
}

/* --------------------------------------------------------------------------------------------------------- dropout */

/* mask.<site>: (draw, channels, columns, bins), or (draw, channels) behind the pooling over time. */
static void
check_site(const vector_case *c, tally *t, const vip_site *site, float rate, const json_t *draws)
{
    char name[VIP_NAME_SIZE];
    vector_tensor mask;
    (void)snprintf(name, sizeof name, "mask.%s", site->name);
    if (!case_tensor(c, name, &mask)) {
        return; /* large ones are left out */
    }
    const json_t *about = json_object_get(json_object_get(c->about, "sites"), site->name);
    const vip_kernels *kernels = vip_kernels_choose(NULL);
    const uint32_t channels = (uint32_t)mask.shape[1];
    const uint32_t columns = mask.rank == 4 ? (uint32_t)mask.shape[2] : 1,
                   bins = mask.rank == 4 ? (uint32_t)mask.shape[3] : 1;
    const uint32_t blocks = (channels + VIP_BLOCK - 1) / VIP_BLOCK, threshold = vip_keep_threshold(rate);
    const float *want = mask.data, scale = vip_keep_scale(rate);
    uint16_t *bits = calloc((size_t)bins * blocks + 1, sizeof *bits);
    unsigned char *keep = calloc((size_t)bins * channels + 1, 1);
    size_t wrong =
        json_integer_value(json_object_get(about, "id")) != site->id || mask.shape[0] != json_array_size(draws);
    for (size_t d = 0; wrong == 0 && d < mask.shape[0] && bits != NULL && keep != NULL; d++) {
        const uint32_t draw = (uint32_t)json_integer_value(json_array_get(draws, d));
        for (uint32_t column = 0; column < columns; column++) {
            vip_keep_column(kernels, case_seed(c), site->id, draw, column, threshold, channels, bins, bits);
            vip_keyed_keep(case_seed(c), site->id, draw, column, rate, keep, (size_t)channels * bins);
            for (uint32_t e = 0; e < channels * bins; e++) {
                const uint32_t bin = e / channels, channel = e % channels;
                const float expected = want[((d * channels + channel) * columns + column) * bins + bin];
                const int kept = bits[bin * blocks + channel / VIP_BLOCK] >> (channel % VIP_BLOCK) & 1;
                wrong += (kept ? scale : 0) != expected || keep[e] != kept;
            }
        }
    }
    tally_exact(t, name, wrong, mask.n);
    free(bits);
    free(keep);
}

/* Members from the first draw to the last, of which some are in the case. */
static void
check_draws(const vector_case *c, tally *t, const vip_model *model, const float *rates, const json_t *draws,
            const float *frames, size_t n_frames)
{
    const size_t classes = model->network.classes, n = json_array_size(draws);
    const float *want = need(c, t, "logits", TYPE_F32, n * classes, NULL);
    uint32_t first = UINT32_MAX, last = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t draw = (uint32_t)json_integer_value(json_array_get(draws, i));
        first = draw < first ? draw : first;
        last = draw > last ? draw : last;
    }
    if (want == NULL || n == 0 || last - first >= VIPANN_MAX_PASSES) {
        tally_fail(t, "logits", "no draws, or draws that are more than %d apart", VIPANN_MAX_PASSES);
        return;
    }
    first = last < VIPANN_MAX_PASSES ? 0 : first;
    const recipe how = {.members = last - first + 1,
                        .first_member = first,
                        .max_frames = (uint32_t)n_frames,
                        .rates = rates,
                        .seed = case_seed(c)};
    subject s;
    float *all = calloc(how.members * classes, sizeof *all), *got = calloc(n * classes, sizeof *got);
    if (subject_open(&s, model, &how) && all != NULL && got != NULL) {
        subject_hear(&s, frames, n_frames, how.members, all);
        for (size_t i = 0; i < n; i++) {
            const size_t member = (size_t)json_integer_value(json_array_get(draws, i)) - first;
            memcpy(got + i * classes, all + member * classes, classes * sizeof *got);
        }
        tally_error(t, "logits", largest_difference(got, want, n * classes),
                    NET_TOLERANCE * magnitude(want, n * classes));
    }
    subject_close(&s);
    free(all);
    free(got);
}

void
check_dropout(const vector_case *c, tally *t)
{
    size_t rows, n_frames;
    vip_model *model = open_model(c, t);
    const float *frames = need_logmel(c, t, &rows, &n_frames);
    if (model != NULL && frames != NULL) {
        const json_t *draws = json_object_get(c->about, "draws");
        float rates[VIP_MAX_SITES];
        read_rates(c, &model->network, rates);
        for (int i = 0; i < model->network.n_sites; i++) {
            check_site(c, t, &model->network.sites[i], rates[i], draws);
        }
        check_draws(c, t, model, rates, draws, frames, n_frames);
    }
    vip_model_free(model);
}
