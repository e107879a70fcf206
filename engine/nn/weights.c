/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weights.c -- see weights.h for the contract. */
#include "weights.h"

#include <base/memory.h>
#include <kernels/conv.h>

#include <assert.h>
#include <math.h>
#include <stdio.h>

/* What is to be packed into one layer. */
typedef struct {
    const float *values, *noise; /* [out][in][kernel][kernel]; noise may be NULL */
    uint32_t in, out, kernel;
    bool unfolded;       /* the first step: its one input channel is seen as nine */
    const double *scale; /* [out], of batch norm; NULL: 1 */
} source;

static uint32_t
blocks_of(uint32_t channels)
{
    return (channels + VIP_BLOCK - 1) / VIP_BLOCK;
}

static const float *
tensor(const vip_model *model, float *const *arrays, const char *base, const char *leaf)
{
    char name[VIP_NAME_SIZE + 20];
    (void)snprintf(name, sizeof name, "%s.%s", base, leaf);
    int i = vip_model_tensor(model, name);
    assert(i >= 0); /* the reader has compared the file with the table */
    return arrays[i];
}

/* Batch norm y = x * scale + shift from its four tensors. */
static void
fold(const vip_model *model, float *const *values, const char *bn, uint32_t n, double *scale, double *shift)
{
    const float *weight = tensor(model, values, bn, "weight"), *bias = tensor(model, values, bn, "bias");
    const float *mean = tensor(model, values, bn, "running_mean"), *var = tensor(model, values, bn, "running_var");
    for (uint32_t c = 0; c < n; c++) {
        scale[c] = (double)weight[c] / sqrt((double)var[c] + (double)VIP_BN_EPSILON);
        shift[c] = (double)bias[c] - (double)mean[c] * scale[c];
    }
}

/* Writes src to layer->w in the order of vip_conv. The first step has one input channel and is computed as a 1x1
 * convolution of the 9 inputs around each pixel (unfold): its "channels" are the kernel positions in their order. */
static void
pack(const source *src, bool flipout, const vip_layer *layer)
{
    const uint32_t positions = src->kernel * src->kernel;
    const size_t vectors = flipout ? 2 : 1;
    for (uint32_t o = 0; o < src->out; o++) {
        const double scale = src->scale == NULL ? 1.0 : src->scale[o];
        float *block = layer->w + o / VIP_BLOCK * layer->w_block + o % VIP_BLOCK;
        for (uint32_t i = 0; i < src->in; i++) {
            for (uint32_t k = 0; k < positions; k++) {
                size_t from = ((size_t)o * src->in + i) * positions + k;
                size_t at = src->unfolded ? k : ((size_t)(i / VIP_BLOCK) * positions + k) * VIP_BLOCK + i % VIP_BLOCK;
                double value = (double)src->values[from];
                double noise = src->noise == NULL ? 0.0 : (double)src->noise[from];
                float *to = block + at * vectors * VIP_BLOCK;
                to[0] = (float)((value + noise) * scale);
                if (flipout) {
                    to[VIP_BLOCK] = (float)((value - noise) * scale);
                }
            }
        }
    }
}

/* Shapes all layers and gives each its place in one block. */
static bool
place_layers(vip_weights *weights, const vip_network *network)
{
    size_t at[VIP_MAX_LAYERS], floats = 0;
    weights->n_layers = network->n_steps + 2;
    for (int i = 0; i < weights->n_layers; i++) {
        const vip_step *step = i < network->n_steps ? &network->steps[i] : NULL;
        const bool unfolded = step != NULL && step->source == VIP_INPUT;
        const size_t positions = step == NULL || unfolded ? 1 : (size_t)step->kernel * step->kernel;
        const uint32_t dense_out = i == network->n_steps ? network->features : network->classes;
        vip_layer *layer = &weights->layers[i];
        layer->in_blocks = blocks_of(step != NULL ? step->in : network->features);
        layer->out_blocks = blocks_of(step != NULL ? step->out : dense_out);
        layer->w_block = layer->in_blocks * positions * VIP_BLOCK_WEIGHTS * (weights->flipout ? 2 : 1);
        at[i] = floats;
        floats += layer->out_blocks * (layer->w_block + VIP_BLOCK);
    }
    weights->bytes = floats * sizeof(float);
    weights->numbers = vip_alloc(floats, sizeof(float));
    for (int i = 0; i < weights->n_layers && weights->numbers != NULL; i++) {
        vip_layer *layer = &weights->layers[i];
        layer->w = weights->numbers + at[i];
        layer->bias = layer->w + layer->out_blocks * layer->w_block;
    }
    return weights->numbers != NULL;
}

static void
fill_layer(const vip_weights *weights, int i, const source *src, const double *shift, const float *bias)
{
    const vip_layer *layer = &weights->layers[i];
    pack(src, weights->flipout, layer);
    for (uint32_t c = 0; c < src->out; c++) {
        layer->bias[c] = shift != NULL ? (float)shift[c] : bias[c];
    }
}

static const float *
noise_of(const vip_model *model, float *const *noise, const char *base)
{
    return noise == NULL ? NULL : tensor(model, noise, base, "weight");
}

static void
fill_all(vip_weights *weights, const vip_model *model, float *const *values, float *const *noise, double *scale,
         double *shift)
{
    const vip_network *network = &model->network;
    for (int i = 0; i < network->n_steps; i++) {
        const vip_step *step = &network->steps[i];
        fold(model, values, step->bn, step->out, scale, shift);
        const source src = {tensor(model, values, step->conv, "weight"),
                            noise_of(model, noise, step->conv),
                            step->in,
                            step->out,
                            step->kernel,
                            step->source == VIP_INPUT,
                            scale};
        fill_layer(weights, i, &src, shift, NULL);
    }
    static const char *const dense[] = {"fc1", "fc_audioset"};
    for (int i = 0; i < 2; i++) {
        const source src = {tensor(model, values, dense[i], "weight"),
                            noise_of(model, noise, dense[i]),
                            network->features,
                            i == 0 ? network->features : network->classes,
                            1,
                            false,
                            NULL};
        fill_layer(weights, network->n_steps + i, &src, NULL, tensor(model, values, dense[i], "bias"));
    }
    fold(model, values, "bn0", VIP_MELS, scale, shift);
    for (int bin = 0; bin < VIP_MELS; bin++) {
        weights->bn0_scale[bin] = (float)scale[bin];
        weights->bn0_shift[bin] = (float)shift[bin];
    }
}

vip_weights *
vip_weights_new(const vip_model *model, float *const *values, float *const *noise)
{
    enum { MOST_CHANNELS = 32 * VIP_MAX_WIDTH };
    vip_weights *weights = vip_alloc(1, sizeof *weights);
    double *scale = vip_alloc(MOST_CHANNELS, sizeof *scale), *shift = vip_alloc(MOST_CHANNELS, sizeof *shift);
    bool done = false;
    if (weights != NULL && scale != NULL && shift != NULL) {
        weights->flipout = noise != NULL;
        done = place_layers(weights, &model->network);
    }
    if (done) {
        fill_all(weights, model, values, noise, scale, shift);
    }
    vip_free(scale);
    vip_free(shift);
    if (!done) {
        vip_weights_free(weights);
        return NULL;
    }
    return weights;
}

void
vip_weights_free(vip_weights *weights)
{
    if (weights == NULL) {
        return;
    }
    vip_free(weights->numbers);
    vip_free(weights);
}

vip_signs *
vip_signs_new(const vip_weights *weights, uint32_t members)
{
    vip_signs *signs = vip_alloc(1, sizeof *signs);
    if (signs == NULL) {
        return NULL;
    }
    signs->members = members;
    for (int i = 0; i < weights->n_layers; i++) {
        const vip_layer *layer = &weights->layers[i];
        signs->in[i] = vip_alloc((size_t)members * layer->in_blocks * VIP_BLOCK, sizeof *signs->in[i]);
        signs->out[i] = vip_alloc((size_t)members * layer->out_blocks, sizeof *signs->out[i]);
        if (signs->in[i] == NULL || signs->out[i] == NULL) {
            goto out_of_memory;
        }
    }
    const vip_layer *fc1 = &weights->layers[weights->n_layers - 2], *head = &weights->layers[weights->n_layers - 1];
    signs->fc1_bias = vip_alloc((size_t)members * fc1->out_blocks * VIP_BLOCK, sizeof(float));
    signs->head_bias = vip_alloc((size_t)members * head->out_blocks * VIP_BLOCK, sizeof(float));
    if (signs->fc1_bias == NULL || signs->head_bias == NULL) {
        goto out_of_memory;
    }
    return signs;

out_of_memory:
    vip_signs_free(signs);
    return NULL;
}

void
vip_signs_free(vip_signs *signs)
{
    if (signs == NULL) {
        return;
    }
    for (int i = 0; i < VIP_MAX_LAYERS; i++) {
        vip_free(signs->in[i]);
        vip_free(signs->out[i]);
    }
    vip_free(signs->fc1_bias);
    vip_free(signs->head_bias);
    vip_free(signs);
}
