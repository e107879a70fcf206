/* SPDX-License-Identifier: GPL-3.0-or-later */
/* listener.c -- see listener.h for the contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include <tests/data/random_model.h>

#include "listener.h"
#include "numbers.h"

float *
random_frames(uint64_t seed, size_t n)
{
    float *frames = malloc(n * VIP_MELS * sizeof *frames);
    assert_non_null(frames);
    for (size_t i = 0; i < n * VIP_MELS; i++) {
        const double event = vip_random_uniform(seed, 1, (uint32_t)(i / VIP_MELS / 16), 0) > 0.6 ? 20 : 0;
        frames[i] = (float)(-50 + event + 8 * vip_random_normal(seed, 2, (uint32_t)i));
    }
    return frames;
}

int
make_frames(void **state)
{
    *state = random_frames(1, SOUND_FRAMES);
    return 0;
}

int
free_frames(void **state)
{
    free(*state);
    return 0;
}

vip_model *
tiny_model(vip_arch arch, vip_padding padding, vipann_posterior posterior)
{
    const random_model_spec spec = {.arch = arch,
                                    .width = TINY_WIDTH,
                                    .classes = TINY_CLASSES,
                                    .padding = padding,
                                    .posterior = posterior,
                                    .task = VIPANN_MULTILABEL,
                                    .seed = 5};
    vip_model *model = random_ensemble(&spec, TINY_MEMBERS);
    assert_non_null(model);
    return model;
}

/* The numbers of a model take longer to make than many a test takes with them: each is made once. */
static const vip_model *
shared_model(const listener_options *o)
{
    static vip_model *models[VIP_N_ARCHS][2][VIPANN_ENSEMBLE + 1]; /* [arch][padding][posterior] */
    vip_model **model = &models[o->arch][o->padding][o->posterior];
    if (*model == NULL) {
        *model = tiny_model(o->arch, o->padding, o->posterior);
    }
    return *model;
}

listener_options
kind_of(size_t kind)
{
    static const listener_options kinds[KINDS] = {
        {.arch = VIP_RESNET22, .padding = VIP_SAME, .posterior = VIPANN_DROPOUT, .members = 3, .seed = 11},
        {.arch = VIP_RESNET22, .padding = VIP_CAUSAL, .posterior = VIPANN_DROPOUT, .members = 2, .seed = 11},
        {.arch = VIP_RESNET54, .padding = VIP_SAME, .posterior = VIPANN_DROPOUT, .members = 2, .seed = 11},
        {.arch = VIP_RESNET54, .padding = VIP_CAUSAL, .posterior = VIPANN_DETERMINISTIC, .members = 1, .seed = 11},
        {.arch = VIP_RESNET38, .padding = VIP_SAME, .posterior = VIPANN_DETERMINISTIC, .members = 2, .seed = 11},
        {.arch = VIP_RESNET22, .padding = VIP_CAUSAL, .posterior = VIPANN_MEANFIELD, .members = 3, .seed = 11},
        {.arch = VIP_RESNET22,
         .padding = VIP_SAME,
         .posterior = VIPANN_MEANFIELD,
         .explicit_members = true,
         .members = 3,
         .seed = 11},
        {.arch = VIP_RESNET22, .padding = VIP_SAME, .posterior = VIPANN_ENSEMBLE, .members = 3, .seed = 11},
        {.arch = VIP_RESNET54, .padding = VIP_CAUSAL, .posterior = VIPANN_ENSEMBLE, .members = 2, .seed = 11},
    };
    return kinds[kind];
}

/* Weights of each member's own. */
static void
make_sets(listener *l, uint64_t seed, uint32_t members)
{
    l->sets = calloc(VIPANN_MAX_PASSES, sizeof *l->sets);
    assert_non_null(l->sets);
    for (uint32_t m = 0; m < members; m++) {
        if (l->model->posterior == VIPANN_ENSEMBLE) {
            l->sets[m] = vip_weights_new(l->model, vip_model_values(l->model, m), NULL);
        } else {
            vip_tensors drawn = vip_draw_weights(l->model, seed, m);
            assert_non_null(drawn);
            l->sets[m] = vip_weights_new(l->model, drawn, NULL);
            vip_tensors_free(drawn);
        }
        assert_non_null(l->sets[m]);
    }
}

listener
listener_new(const listener_options *o)
{
    listener l = {.model = shared_model(o)};
    const uint32_t members = o->members == 0 ? 1 : o->members;
    const bool flipout = o->posterior == VIPANN_MEANFIELD && !o->explicit_members;
    if (flipout) {
        l.noise = vip_draw_noise(l.model, o->seed, 0);
        assert_non_null(l.noise);
    }
    l.weights = vip_weights_new(l.model, l.model->values, l.noise);
    assert_non_null(l.weights);
    if (flipout) {
        l.signs = vip_draw_signs(l.model, l.weights, l.noise, o->seed, members);
        assert_non_null(l.signs);
    }
    if (o->explicit_members || o->posterior == VIPANN_ENSEMBLE) {
        make_sets(&l, o->seed, members);
    }
    const vip_pass_options options = {.kernels = o->kernels == NULL ? vip_kernels_choose(NULL) : o->kernels,
                                      .rates = l.model->rates,
                                      .signs = l.signs,
                                      .sets = (const vip_weights *const *)l.sets,
                                      .seed = o->seed,
                                      .max_members = members,
                                      .max_frames = o->max_frames == 0 ? VIP_COLUMN_FRAMES : o->max_frames,
                                      .max_window = o->max_window};
    l.pass = vip_pass_new(&l.model->network, l.weights, &options);
    assert_non_null(l.pass);
    return l;
}

void
listener_free(listener *l)
{
    vip_pass_free(l->pass);
    for (size_t m = 0; l->sets != NULL && m < VIPANN_MAX_PASSES; m++) {
        vip_weights_free(l->sets[m]);
    }
    free(l->sets);
    vip_signs_free(l->signs);
    vip_weights_free(l->weights);
    vip_tensors_free(l->noise);
}

static void
answer_new_columns(vip_pass *pass, hearing *h)
{
    while (h->columns < vip_pass_columns(pass)) {
        float *out = h->answers + (size_t)h->columns * h->members * TINY_CLASSES;
        h->columns++;
        vip_pass_answer(pass, h->columns, h->window, h->members, out);
    }
}

void
hear(vip_pass *pass, hearing *h, size_t from, size_t to)
{
    while (from < to) {
        size_t n = h->random == NULL ? h->max_piece : 1 + next_random(h->random) % h->max_piece;
        n = n < to - from ? n : to - from;
        vip_pass_push(pass, h->frames + from * VIP_MELS, (uint32_t)n);
        from += n;
        answer_new_columns(pass, h);
    }
}

void
hear_end(vip_pass *pass, hearing *h)
{
    vip_pass_finish(pass, true);
    answer_new_columns(pass, h);
}

float *
new_answers(size_t columns, size_t members)
{
    float *answers = malloc(columns * members * TINY_CLASSES * sizeof *answers);
    assert_non_null(answers);
    for (size_t i = 0; i < columns * members * TINY_CLASSES; i++) {
        answers[i] = NAN;
    }
    return answers;
}
