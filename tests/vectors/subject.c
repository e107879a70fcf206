/* SPDX-License-Identifier: GPL-3.0-or-later */
/* subject.c -- see subject.h for the contract. */
#include "subject.h"

#include <stdio.h>
#include <string.h>

vip_model *
open_model(const vector_case *c, tally *t)
{
    char path[4096];
    vipann_error error = {0};
    (void)snprintf(path, sizeof path, "%s/%s.safetensors", c->folder, case_text(c, "weights"));
    vip_model *model = vip_model_read(path, &error);
    if (model == NULL) {
        tally_fail(t, "model", "%s", error.text);
        return NULL;
    }
    const vip_network *network = &model->network;
    const bool causal = strcmp(case_text(c, "padding"), "causal") == 0;
    if ((int)network->arch != vip_arch_find(case_text(c, "arch")) || network->width != case_number(c, "width", 0) ||
        (network->padding == VIP_CAUSAL) != causal) {
        tally_fail(t, "model", "%s is %s of width %u, %s: the case is about another", path,
                   vip_arch_name(network->arch), (unsigned)network->width,
                   network->padding == VIP_CAUSAL ? "causal" : "same");
        vip_model_free(model);
        return NULL;
    }
    return model;
}

void
read_rates(const vector_case *c, const vip_network *network, float rates[VIP_MAX_SITES])
{
    const json_t *sites = json_object_get(c->about, "sites"), *named = json_object_get(c->about, "rates");
    for (int i = 0; i < network->n_sites; i++) {
        const char *name = network->sites[i].name;
        rates[i] = network->sites[i].training_rate;
        if (json_is_object(named)) {
            rates[i] = (float)json_number_value(json_object_get(named, name));
        } else if (json_is_object(sites)) {
            rates[i] = (float)json_number_value(json_object_get(json_object_get(sites, name), "rate"));
        }
    }
}

/* A pass numbers its members from 0. Masks of any other draws come from kernels that add to the member's number: state
 * of the file, since a kernel is a bare function. */
static uint32_t first_member;
static const vip_kernels *plain_kernels;
static vip_kernels shifted_kernels;

static void
keep_shifted(uint64_t seed, uint32_t site, uint32_t member, uint32_t column, uint32_t threshold, uint16_t *words,
             size_t n_words)
{
    plain_kernels->keep(seed, site, first_member + member, column, threshold, words, n_words);
}

/* The weights that members share, or one set for each. */
static bool
make_weights(subject *s, const vip_model *model, const recipe *how)
{
    bool done = true;
    for (uint32_t m = 0; how->explicit_weights && m < how->members && done; m++) {
        vip_tensors drawn = vip_draw_weights(model, how->seed, how->draw + m);
        s->sets[m] = drawn == NULL ? NULL : vip_weights_new(model, drawn, NULL);
        vip_tensors_free(drawn);
        done = s->sets[m] != NULL;
    }
    if (how->explicit_weights) {
        return done;
    }
    if (how->flipout) {
        s->noise = vip_draw_noise(model, how->seed, how->draw);
        if (s->noise == NULL) {
            return false;
        }
    }
    s->weights = vip_weights_new(model, model->values, s->noise);
    if (s->weights != NULL && how->flipout) {
        s->signs = vip_draw_signs(model, s->weights, s->noise, how->seed, how->members);
    }
    return s->weights != NULL && (!how->flipout || s->signs != NULL);
}

bool
subject_open(subject *s, const vip_model *model, const recipe *how)
{
    *s = (subject){0};
    plain_kernels = vip_kernels_choose(NULL);
    if (plain_kernels == NULL) {
        return false;
    }
    shifted_kernels = *plain_kernels;
    shifted_kernels.keep = keep_shifted;
    first_member = how->first_member;
    if (!make_weights(s, model, how)) {
        return false;
    }
    const vip_pass_options options = {.kernels = how->first_member > 0 ? &shifted_kernels : plain_kernels,
                                      .rates = how->rates,
                                      .signs = s->signs,
                                      .sets = how->explicit_weights ? (const vip_weights *const *)s->sets : NULL,
                                      .seed = how->seed,
                                      .max_members = how->members,
                                      .max_frames = how->max_frames,
                                      .max_window = how->window};
    s->pass = vip_pass_new(&model->network, s->weights, &options);
    return s->pass != NULL;
}

void
subject_close(subject *s)
{
    vip_pass_free(s->pass);
    vip_signs_free(s->signs);
    vip_weights_free(s->weights);
    vip_tensors_free(s->noise);
    for (size_t m = 0; m < VIPANN_MAX_PASSES; m++) {
        vip_weights_free(s->sets[m]);
    }
    *s = (subject){0};
}

void
subject_hear(subject *s, const float *frames, size_t n, uint32_t members, float *logits)
{
    vip_pass_reset(s->pass, 0);
    vip_pass_push(s->pass, frames, (uint32_t)n);
    vip_pass_finish(s->pass, true);
    vip_pass_answer(s->pass, vip_pass_columns(s->pass), 0, members, logits);
}

const float *
need_logmel(const vector_case *c, tally *t, size_t *rows, size_t *n_frames)
{
    vector_tensor logmel;
    const float *frames = need(c, t, "logmel", TYPE_F32, 0, &logmel);
    if (frames == NULL) {
        return NULL;
    }
    const int rank = logmel.rank;
    const bool fits = rank >= 2 && logmel.shape[rank - 1] == VIP_MELS && logmel.shape[rank - 2] >= VIP_COLUMN_FRAMES;
    if (!fits || logmel.n == 0) {
        tally_fail(t, "logmel", "it has not the shape of frames for a column");
        return NULL;
    }
    *n_frames = logmel.shape[rank - 2];
    *rows = logmel.n / (*n_frames * VIP_MELS);
    return frames;
}
