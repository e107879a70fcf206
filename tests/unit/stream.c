/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stream.c -- see stream.h for the contract. */
#include "stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../data/random_model.h"
#include "numbers.h"
#include "scratch.h"

/* ---------------------------------------------------------------------------------------------------------- models */

vipann_model *
stream_open(stream_models *models, const char *name, vip_model *file)
{
    char path[SCRATCH_PATH];
    vipann_error error = {VIPANN_E_MEMORY, "not enough memory for a model"};
    vipann_model *model = NULL;
    if (file != NULL && vip_model_write(file, scratch_path(path, &models->folder, name), false, &error) == VIPANN_OK) {
        model = vipann_model_open(path, &error);
    }
    if (model == NULL) {
        fprintf(stderr, "%s\n", error.text);
    }
    vip_model_free(file);
    return model;
}

/* One of the models of stream.h; late: dropout before fc1 only. NULL if that fails. */
static vipann_model *
open_model(stream_models *models, const char *name, vip_padding padding, vipann_posterior posterior, vipann_task task,
           bool late)
{
    const random_model_spec spec = {VIP_RESNET22, 1, STREAM_CLASSES, padding, posterior, task, STREAM_SEED};
    vip_model *file = random_ensemble(&spec, STREAM_MEMBERS);
    for (int i = 0; file != NULL && late && i < file->network.n_sites; i++) {
        file->rates[i] = i == file->network.fc1_site ? 0.5f : 0.0f;
    }
    return stream_open(models, name, file);
}

int
stream_open_models(void **state)
{
    stream_models *m = calloc(1, sizeof *m);
    *state = m;
    if (m == NULL || scratch_make(&m->folder) != 0) {
        return -1;
    }
    m->same = open_model(m, "same.safetensors", VIP_SAME, VIPANN_DROPOUT, VIPANN_MULTILABEL, false);
    m->causal = open_model(m, "causal.safetensors", VIP_CAUSAL, VIPANN_DROPOUT, VIPANN_MULTILABEL, false);
    m->late = open_model(m, "late.safetensors", VIP_CAUSAL, VIPANN_DROPOUT, VIPANN_MULTILABEL, true);
    m->flipout = open_model(m, "flipout.safetensors", VIP_CAUSAL, VIPANN_MEANFIELD, VIPANN_MULTICLASS, false);
    m->plain = open_model(m, "plain.safetensors", VIP_SAME, VIPANN_DETERMINISTIC, VIPANN_MULTICLASS, false);
    m->ensemble = open_model(m, "ensemble.safetensors", VIP_SAME, VIPANN_ENSEMBLE, VIPANN_MULTILABEL, false);
    bool all = m->ensemble != NULL && m->same != NULL && m->causal != NULL && m->late != NULL && m->flipout != NULL &&
               m->plain != NULL;
    return all ? 0 : -1;
}

int
stream_close_models(void **state)
{
    stream_models *m = *state;
    vipann_model_unref(m->same);
    vipann_model_unref(m->causal);
    vipann_model_unref(m->late);
    vipann_model_unref(m->flipout);
    vipann_model_unref(m->plain);
    vipann_model_unref(m->ensemble);
    int failed = scratch_remove(&m->folder);
    free(m);
    return failed;
}

vipann_options
stream_options(const vipann_model *model, uint32_t passes, vipann_latency latency)
{
    vipann_options o;
    vipann_options_default(&o, model);
    o.rate = 16000;
    o.passes = passes;
    o.seed = 3;
    o.latency = latency;
    return o;
}

/* ----------------------------------------------------------------------------------------------------------- sound */

float *
stream_sound(uint32_t seed, size_t n)
{
    float *x = malloc((n > 0 ? n : 1) * sizeof *x);
    uint32_t random = seed;
    double phase = 0, step = 0.1, loudness = 0.1;
    for (size_t i = 0; x != NULL && i < n; i++) {
        if (i % 3000 == 0) {
            step = 0.02 + 1e-3 * (next_random(&random) % 1000);
            loudness = 2.5e-4 * (next_random(&random) % 1000);
        }
        phase += step;
        double noise = (double)(next_random(&random) & 0xffff) / 65536 - 0.5;
        x[i] = (float)(loudness * sin(phase) + 0.02 * noise);
    }
    return x;
}

/* ------------------------------------------------------------------------------------------------------------ host */

void
stream_answers_free(stream_answers *answers)
{
    for (size_t i = 0; answers != NULL && i < answers->n; i++) {
        vipann_result_free(answers->results[i]);
    }
    free(answers);
}

void
stream_collect(vipann_reader *reader, const vipann_model *model, stream_answers *answers)
{
    for (;;) {
        vipann_result *r = vipann_result_new(model);
        if (r == NULL || answers->n == STREAM_RESULTS || !vipann_next_result(reader, r)) {
            vipann_result_free(r);
            return;
        }
        answers->results[answers->n++] = r;
    }
}

static void
pump_all(vipann_engine *engine)
{
    while (vipann_pump(engine) > 0) {
    }
}

/* One block, of at most `most` frames; returns its length. */
static uint32_t
feed_block(vipann_engine *engine, const float *x, size_t most, uint32_t max_block, const stream_host *host,
           uint32_t *random)
{
    uint32_t frames = host->block;
    if (host->seed != 0) { /* as many small blocks as large ones */
        uint32_t limit = max_block >> next_random(random) % 14;
        frames = 1 + next_random(random) % (limit > 0 ? limit : 1);
    }
    frames = frames < most ? frames : (uint32_t)most;
    if (vipann_push_space(engine) < frames) {
        pump_all(engine);
    }
    frames = vipann_push(engine, &x, frames);
    if (host->seed == 0) {
        pump_all(engine);
    }
    for (uint32_t k = host->seed != 0 ? next_random(random) % 3 : 0; k > 0; k--) {
        (void)vipann_pump(engine);
    }
    return frames;
}

void
stream_feed(vipann_engine *engine, vipann_reader *reader, const vipann_model *model, const vipann_options *options,
            const float *x, size_t n, const stream_host *host, stream_answers *answers)
{
    const uint32_t max_block = options == NULL ? 8192 : options->max_block; /* the default */
    uint32_t random = host->seed;
    size_t change = 0;
    for (size_t done = 0; done < n;) {
        while (change < host->n_changes && host->changes[change].at == done) {
            pump_all(engine);
            vipann_set(engine, host->changes[change].param, host->changes[change].value);
            change++;
        }
        size_t end = change < host->n_changes && host->changes[change].at < n ? host->changes[change].at : n;
        done += feed_block(engine, x + done, end - done, max_block, host, &random);
        stream_collect(reader, model, answers);
    }
    pump_all(engine);
    stream_collect(reader, model, answers);
    if (!host->open) {
        (void)vipann_flush(engine);
        stream_collect(reader, model, answers);
    }
}

stream_answers *
stream_run(vipann_model *model, const vipann_options *options, const float *x, size_t n, const stream_host *host)
{
    vipann_error error = {VIPANN_OK, ""};
    stream_answers *answers = calloc(1, sizeof *answers);
    vipann_engine *engine = vipann_engine_new(model, options, &error);
    vipann_reader *reader = engine == NULL ? NULL : vipann_reader_new(engine, VIPANN_RESULTS, &error);
    if (reader != NULL && answers != NULL) {
        stream_feed(engine, reader, model, options, x, n, host, answers);
    } else {
        fprintf(stderr, "%s\n", error.text);
    }
    vipann_engine_free(engine);
    return answers;
}

/* --------------------------------------------------------------------------------------------------------- results */

/* Numbers are compared as bits: equal values with different signs of zero count as different. */
static bool
same_bits(const void *a, const void *b, size_t bytes)
{
    return memcmp(a, b, bytes) == 0;
}

bool
stream_same_content(const vipann_result *a, const vipann_result *b)
{
    const size_t bytes = a->classes * sizeof *a->p;
    return a->columns == b->columns && same_bits(&a->window_seconds, &b->window_seconds, sizeof a->window_seconds) &&
           a->passes == b->passes && a->has_epistemic == b->has_epistemic && a->unknown == b->unknown &&
           a->reduction == b->reduction && a->silent == b->silent &&
           same_bits(&a->level_dbfs, &b->level_dbfs, sizeof a->level_dbfs) &&
           same_bits(&a->total_nats, &b->total_nats, sizeof a->total_nats) &&
           same_bits(&a->aleatoric_nats, &b->aleatoric_nats, sizeof a->aleatoric_nats) &&
           same_bits(&a->epistemic_nats, &b->epistemic_nats, sizeof a->epistemic_nats) &&
           a->not_finite == b->not_finite && a->clipped == b->clipped && a->classes == b->classes &&
           same_bits(a->p, b->p, bytes) && same_bits(a->std, b->std, bytes) &&
           same_bits(a->aleatoric, b->aleatoric, bytes) && same_bits(a->epistemic, b->epistemic, bytes);
}

bool
stream_equal(const vipann_result *a, const vipann_result *b)
{
    return stream_same_content(a, b) && a->last == b->last && a->calibrated == b->calibrated &&
           same_bits(&a->t_seconds, &b->t_seconds, sizeof a->t_seconds) &&
           same_bits(&a->gap_seconds, &b->gap_seconds, sizeof a->gap_seconds);
}

bool
stream_all_equal(const stream_answers *a, const stream_answers *b)
{
    const size_t n = a->n < b->n ? a->n : b->n;
    for (size_t i = 0; i < n; i++) {
        if (!stream_equal(a->results[i], b->results[i])) {
            const vipann_result *x = a->results[i], *y = b->results[i];
            fprintf(stderr, "result %zu: t %g and %g, passes %u and %u, columns %u and %u, p[0] %.9g and %.9g\n", i,
                    x->t_seconds, y->t_seconds, (unsigned)x->passes, (unsigned)y->passes, (unsigned)x->columns,
                    (unsigned)y->columns, (double)x->p[0], (double)y->p[0]);
            return false;
        }
    }
    if (a->n != b->n) {
        fprintf(stderr, "%zu results and %zu\n", a->n, b->n);
    }
    return a->n == b->n && n > 0;
}

bool
stream_sane(const vipann_result *r)
{
    bool sane = isfinite(r->t_seconds) && isfinite(r->window_seconds) && isfinite(r->gap_seconds) &&
                isfinite(r->total_nats) && r->aleatoric_nats >= 0 && r->epistemic_nats >= 0 &&
                fabs(r->total_nats - r->aleatoric_nats - r->epistemic_nats) < 1e-9 && r->columns >= 1;
    for (uint32_t i = 0; i < r->classes; i++) {
        sane = sane && r->p[i] >= 0 && r->p[i] <= 1 && isfinite(r->std[i]) && r->aleatoric[i] >= 0 &&
               r->epistemic[i] >= 0 && isfinite(r->aleatoric[i]) && isfinite(r->epistemic[i]);
    }
    return sane;
}
