/* SPDX-License-Identifier: GPL-3.0-or-later */
/* listen.c -- see listen.h for the contract. */
#include "listen.h"

#include <base/memory.h>
#include <base/status.h>
#include <bayes/members.h>
#include <nn/pass.h>
#include <offline_trainer/base/parallel.h>

#include <math.h>

enum { PIECE = 512 /* frames pushed at once */, CLIPS_A_TURN = 8, CLIPS_A_ROUND = 256, STEP = 8 /* frames */ };

/* What all passes over a model share. */
typedef struct {
    const vip_model *model;
    const vip_listen_options *options;
    const vip_kernels *kernels;
    uint32_t answers;
    bool differ;         /* members do */
    vip_weights *shared; /* plain, or Flipout's pairs */
    vip_signs *signs;
    vip_weights *sets[VIPANN_MAX_PASSES]; /* members' own */
    bool has_sets;
} ears;

uint32_t
vip_listen_answers(const vip_model *model, const vip_listen_options *options)
{
    if (options->passes == 0 || model->posterior == VIPANN_DETERMINISTIC) {
        return 1;
    }
    const bool few = model->posterior == VIPANN_ENSEMBLE && options->passes > model->members;
    return few ? model->members : options->passes;
}

static bool
make_flipout(ears *e)
{
    vip_tensors noise = vip_draw_noise(e->model, e->options->seed, 0);
    e->shared = noise != NULL ? vip_weights_new(e->model, e->model->values, noise) : NULL;
    e->signs = e->shared != NULL ? vip_draw_signs(e->model, e->shared, noise, e->options->seed, e->answers) : NULL;
    vip_tensors_free(noise);
    return e->signs != NULL;
}

static bool
make_sets(ears *e)
{
    e->has_sets = true;
    for (uint32_t m = 0; m < e->answers; m++) {
        if (e->model->posterior == VIPANN_ENSEMBLE) {
            e->sets[m] = vip_weights_new(e->model, vip_model_values(e->model, m), NULL);
        } else {
            vip_tensors drawn = vip_draw_weights(e->model, e->options->seed, m);
            e->sets[m] = drawn != NULL ? vip_weights_new(e->model, drawn, NULL) : NULL;
            vip_tensors_free(drawn);
        }
        if (e->sets[m] == NULL) {
            return false;
        }
    }
    return true;
}

static bool
make_ears(ears *e)
{
    const vipann_posterior posterior = e->model->posterior;
    e->differ = e->options->passes > 0 && posterior != VIPANN_DETERMINISTIC;
    if (e->differ && posterior == VIPANN_MEANFIELD && !e->options->explicit_members) {
        return make_flipout(e);
    }
    if (e->differ && posterior != VIPANN_DROPOUT) {
        return make_sets(e);
    }
    e->shared = vip_weights_new(e->model, e->model->values, NULL);
    return e->shared != NULL;
}

static void
free_ears(ears *e)
{
    vip_weights_free(e->shared);
    vip_signs_free(e->signs);
    for (uint32_t m = 0; m < VIPANN_MAX_PASSES; m++) {
        vip_weights_free(e->sets[m]);
    }
}

/* ------------------------------------------------------------------------------------------------------------ passes */

typedef struct {
    const ears *ears;
    const vip_cache *cache;
    const size_t *clips;
    size_t first, n; /* of this round, in clips */
    float *logits, *pooled;
    bool *failed; /* one per turn */
} round_of_clips;

static vip_pass *
new_pass(const ears *e)
{
    const vip_pass_options options = {
        .kernels = e->kernels,
        .rates = e->differ && e->model->posterior == VIPANN_DROPOUT ? e->model->rates : NULL,
        .signs = e->signs,
        .sets = e->has_sets ? (const vip_weights *const *)e->sets : NULL,
        .seed = e->options->seed,
        .max_members = e->answers,
        .max_frames = PIECE,
        .max_window = 0,
    };
    return vip_pass_new(&e->model->network, e->shared, &options);
}

/* Energy of the STEP frames from `first` on, in the unit of the decibels. */
static double
energy_at(const vip_cache_clip *clip, size_t first)
{
    float frames[STEP * VIP_MELS];
    const size_t n = clip->n_frames - first < STEP ? clip->n_frames - first : STEP;
    double sum = 0;
    vip_cache_frames(clip, first, n, frames);
    for (size_t i = 0; i < n * VIP_MELS; i++) {
        sum += pow(10, (double)frames[i] / 10);
    }
    return sum;
}

/* Where the loudest n frames begin, of equal stretches the first; in steps. n < clip->n_frames. */
static size_t
loudest(const vip_cache_clip *clip, size_t n)
{
    size_t best = 0;
    double now = 0, most;
    for (size_t i = 0; i < n; i += STEP) {
        now += energy_at(clip, i);
    }
    most = now;
    for (size_t from = STEP; from + n <= clip->n_frames; from += STEP) {
        now += energy_at(clip, from + (n - 1) / STEP * STEP) - energy_at(clip, from - STEP);
        if (now > most) {
            best = from;
            most = now;
        }
    }
    return best;
}

static void
hear(const ears *e, vip_pass *pass, const vip_cache_clip *clip, float *logits, float *pooled)
{
    float frames[PIECE * VIP_MELS];
    size_t from = 0, end = clip->n_frames;
    if (e->options->frames != 0 && e->options->frames < end) {
        const size_t latest = end - e->options->frames;
        from = e->options->first < latest ? e->options->first : latest;
        from = e->options->loudest ? loudest(clip, e->options->frames) : from;
        end = from + e->options->frames;
    }
    vip_pass_reset(pass, 0);
    vip_pass_set_members(pass, e->answers);
    while (from < end) {
        const size_t n = end - from < PIECE ? end - from : PIECE;
        vip_cache_frames(clip, from, n, frames);
        vip_pass_push(pass, frames, (uint32_t)n);
        from += n;
    }
    vip_pass_finish(pass, true);
    vip_pass_answer(pass, vip_pass_columns(pass), 0, e->answers, logits);
    if (pooled != NULL) {
        vip_pass_pooled(pass, pooled);
    }
}

static void
hear_some(void *context, size_t turn)
{
    const round_of_clips *r = context;
    const size_t begin = r->first + turn * CLIPS_A_TURN, limit = r->first + r->n;
    const size_t end = begin + CLIPS_A_TURN < limit ? begin + CLIPS_A_TURN : limit;
    const size_t size = (size_t)r->ears->answers * r->ears->model->network.classes;
    vip_pass *pass = new_pass(r->ears);
    r->failed[turn] = pass == NULL;
    for (size_t i = begin; pass != NULL && i < end; i++) {
        float *pooled = r->pooled == NULL ? NULL : r->pooled + i * r->ears->model->network.features;
        hear(r->ears, pass, vip_cache_clip_at(r->cache, r->clips[i]), r->logits + i * size, pooled);
    }
    vip_pass_free(pass);
}

vipann_status
vip_listen(const vip_model *model, const vip_cache *cache, const size_t *clips, size_t n,
           const vip_listen_options *options, float *logits, vip_listen_progress *progress, void *user,
           vipann_error *error)
{
    return vip_listen_pooled(model, cache, clips, n, options, logits, NULL, progress, user, error);
}

vipann_status
vip_listen_pooled(const vip_model *model, const vip_cache *cache, const size_t *clips, size_t n,
                  const vip_listen_options *options, float *logits, float *pooled, vip_listen_progress *progress,
                  void *user, vipann_error *error)
{
    ears e = {.model = model, .options = options, .answers = vip_listen_answers(model, options)};
    e.kernels = vip_kernels_choose(error);
    if (e.kernels == NULL) {
        return error != NULL ? error->status : VIPANN_E_ARG;
    }
    bool good = make_ears(&e);
    for (size_t first = 0; first < n && good; first += CLIPS_A_ROUND) {
        bool failed[CLIPS_A_ROUND / CLIPS_A_TURN] = {false};
        round_of_clips r = {&e,     cache,  clips, first, n - first < CLIPS_A_ROUND ? n - first : CLIPS_A_ROUND,
                            logits, pooled, failed};
        const size_t turns = (r.n + CLIPS_A_TURN - 1) / CLIPS_A_TURN;
        vip_parallel(turns, hear_some, &r);
        for (size_t i = 0; i < turns; i++) {
            good = good && !failed[i];
        }
        if (progress != NULL) {
            progress(user, first + r.n, n);
        }
    }
    free_ears(&e);
    return good ? VIPANN_OK : vip_fail_memory(error, "listening");
}
