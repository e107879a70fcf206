/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hear.c -- see hear.h for the contract. Columns are pushed one at a time, as live. */
#include "hear.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/half.h>
#include <base/memory.h>
#include <base/status.h>
#include <nn/pass.h>
#include <offline_trainer/base/parallel.h>
#include <offline_trainer/data/frames.h>

typedef struct {
    const vip_model *model;
    const vip_sounds *sounds;
    const vip_kernels *kernels;
    vip_weights *weights;
    const float *fc1, *bias; /* [features][features], [features] */
    vip_heard_vectors *out;
    vipann_error *errors; /* [sounds->n] */
} ears;

double
vip_hear_column(const vip_model *model)
{
    return VIP_COLUMN_FRAMES * model->frontend.hop / model->frontend.sample_rate;
}

/* relu(fc1 pooled + bias). */
static void
through_fc1(const ears *e, const float *pooled, float *out)
{
    const uint32_t n = e->model->network.features;
    for (uint32_t i = 0; i < n; i++) {
        const float *w = e->fc1 + (size_t)i * n;
        float sum = 0;
        for (uint32_t k = 0; k < n; k++) {
            sum += w[k] * pooled[k];
        }
        sum += e->bias[i];
        out[i] = sum > 0 ? sum : 0;
    }
}

/* Vectors of the columns that have become final. logits, pooled: room for an answer. */
static void
answer(const ears *e, vip_pass *pass, int64_t to, vip_heard_vectors *out, float *logits, float *pooled)
{
    while ((int64_t)out->columns < to) {
        const int64_t end = (int64_t)++out->columns;
        const uint32_t window = end < VIPANN_EVENT_COLUMNS ? (uint32_t)end : VIPANN_EVENT_COLUMNS;
        vip_pass_answer(pass, end, window, 1, logits);
        vip_pass_pooled(pass, pooled);
        through_fc1(e, pooled, out->vectors + (size_t)(end - 1) * e->model->network.features);
    }
}

static vipann_status
hear(const ears *e, const vip_clip_frames *frames, vip_heard_vectors *out, vipann_error *error)
{
    const vip_pass_options options = {
        .kernels = e->kernels, .max_members = 1, .max_frames = VIP_COLUMN_FRAMES, .max_window = VIPANN_EVENT_COLUMNS};
    const uint32_t features = e->model->network.features;
    const size_t columns = frames->n / VIP_COLUMN_FRAMES + 1;
    vip_pass *pass = vip_pass_new(&e->model->network, e->weights, &options);
    float *logits = vip_alloc(e->model->network.classes + features, sizeof *logits);
    out->vectors = vip_alloc(columns * features, sizeof *out->vectors);
    if (pass == NULL || logits == NULL || out->vectors == NULL) {
        vip_pass_free(pass);
        vip_free(logits);
        return vip_fail_memory(error, "hearing");
    }
    float *pooled = logits + e->model->network.classes, piece[VIP_COLUMN_FRAMES * VIP_MELS];
    vip_pass_reset(pass, 0);
    vip_pass_set_members(pass, 1);
    for (size_t at = 0; at < frames->n; at += VIP_COLUMN_FRAMES) {
        const size_t n = frames->n - at < VIP_COLUMN_FRAMES ? frames->n - at : VIP_COLUMN_FRAMES;
        for (size_t i = 0; i < n * VIP_MELS; i++) {
            piece[i] = vip_half_to_float(frames->half[at * VIP_MELS + i]);
        }
        vip_pass_push(pass, piece, (uint32_t)n);
        answer(e, pass, vip_pass_columns(pass), out, logits, pooled);
    }
    vip_pass_finish(pass, true);
    answer(e, pass, vip_pass_columns(pass), out, logits, pooled);
    vip_pass_free(pass);
    vip_free(logits);
    return VIPANN_OK;
}

static void
hear_one(void *context, size_t turn)
{
    const ears *e = context;
    vip_clip_frames frames = {0};
    vipann_error *error = &e->errors[turn];
    if (vip_frames_of(e->sounds->recordings[turn].path, &e->model->frontend, &frames, error) == VIPANN_OK) {
        e->out[turn].seconds = frames.seconds;
        if (frames.n >= VIP_COLUMN_FRAMES) {
            (void)hear(e, &frames, &e->out[turn], error);
        }
        free(frames.half);
    }
}

static bool
find_fc1(ears *e)
{
    const int weight = vip_model_tensor(e->model, "fc1.weight"), bias = vip_model_tensor(e->model, "fc1.bias");
    e->fc1 = weight >= 0 ? e->model->values[weight] : NULL;
    e->bias = bias >= 0 ? e->model->values[bias] : NULL;
    return e->fc1 != NULL && e->bias != NULL;
}

/* In rounds, so that somebody can be told how far it is. */
static vipann_status
hear_all(ears *e, vip_hear_progress *progress, void *user, vipann_error *error)
{
    enum { ROUND = 16 };
    for (size_t first = 0; first < e->sounds->n; first += ROUND) {
        const size_t left = e->sounds->n - first, n = left < ROUND ? left : ROUND;
        vip_sounds some = *e->sounds;
        some.recordings += first;
        ears round = *e;
        round.sounds = &some;
        round.out += first;
        round.errors += first;
        vip_parallel(n, hear_one, &round);
        for (size_t i = first; i < first + n; i++) {
            if (e->errors[i].status != VIPANN_OK) {
                *error = e->errors[i];
                return error->status;
            }
        }
        if (progress != NULL) {
            progress(user, first + n, e->sounds->n);
        }
    }
    return VIPANN_OK;
}

vip_heard_vectors *
vip_hear_vectors(const vip_model *model, const vip_sounds *sounds, vip_hear_progress *progress, void *user,
                 vipann_error *error)
{
    ears e = {.model = model, .sounds = sounds, .kernels = vip_kernels_choose(error)};
    if (e.kernels == NULL) {
        return NULL;
    }
    e.weights = vip_weights_new(model, model->values, NULL);
    e.out = vip_alloc(sounds->n, sizeof *e.out);
    e.errors = vip_alloc(sounds->n, sizeof *e.errors);
    vipann_status status = e.weights != NULL && e.out != NULL && e.errors != NULL && find_fc1(&e)
                               ? hear_all(&e, progress, user, error)
                               : vip_fail_memory(error, "hearing");
    vip_weights_free(e.weights);
    vip_free(e.errors);
    if (status != VIPANN_OK) {
        vip_hear_free(e.out, sounds->n);
        return NULL;
    }
    return e.out;
}

void
vip_hear_free(vip_heard_vectors *heard, size_t n)
{
    for (size_t i = 0; heard != NULL && i < n; i++) {
        vip_free(heard[i].vectors);
    }
    vip_free(heard);
}
