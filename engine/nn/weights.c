/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weights.c -- see weights.h for the contract. */
#include "weights.h"

#include <base/half.h>
#include <base/memory.h>
#include <kernels/conv.h>

#include <assert.h>
#include <math.h>
#include <stdio.h>

/* What is to be packed into one layer. */
typedef struct {
    const float *values, *noise; /* [out][in][kernel][kernel]; noise may be NULL */
    uint32_t in, out, kernel;
    bool unfolded;     /* the first step: its one input channel is seen as nine */
    const char *bn;    /* of a convolution; NULL: a dense layer */
    const float *bias; /* [out], of a dense layer */
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

/* Large layers are kept as halves where that is exact, as it is for models stored so: their weights come from memory at
 * every hop, while those of small ones stay in the caches, where reading halves would cost more than it saves. */
static bool
fits_half(const source *src)
{
    static const size_t HALF_FROM = (size_t)64 << 10; /* weights */
    const size_t n = (size_t)src->out * src->in * src->kernel * src->kernel;
    bool fits = src->noise == NULL && n >= HALF_FROM;
    for (size_t i = 0; i < n && fits; i++) {
        fits = vip_is_half(src->values[i]);
    }
    return fits;
}

/* Puts weight `from` into its place. scale: of batch norm, which goes into floats but not into halves. */
static void
put(const source *src, bool flipout, double scale, size_t from, const vip_layer *layer, size_t to)
{
    if (layer->half != NULL) {
        layer->half[to] = vip_float_to_half(src->values[from]);
        return;
    }
    const double value = (double)src->values[from];
    const double noise = src->noise == NULL ? 0.0 : (double)src->noise[from];
    layer->w[to] = (float)((value + noise) * scale);
    if (flipout) {
        layer->w[to + VIP_BLOCK] = (float)((value - noise) * scale);
    }
}

/* Writes src to layer->w or layer->half in the order of vip_conv, the lanes of a block innermost, so that what is written
 * is written in a row. The first step has one input channel and is computed as a 1x1 convolution of the 9 inputs around
 * each pixel (unfold): its "channels" are the kernel positions in their order. */
static void
pack(const source *src, bool flipout, const double *scale, const vip_layer *layer)
{
    const uint32_t positions = src->kernel * src->kernel;
    const size_t vector = (flipout ? 2 : 1) * (size_t)VIP_BLOCK, next = (size_t)src->in * positions;
    for (uint32_t first = 0; first < src->out; first += VIP_BLOCK) {
        const uint32_t lanes = src->out - first < VIP_BLOCK ? src->out - first : VIP_BLOCK;
        const size_t block = first / VIP_BLOCK * layer->w_block;
        for (uint32_t i = 0; i < src->in; i++) {
            for (uint32_t k = 0; k < positions; k++) {
                const size_t row =
                    src->unfolded ? k : ((size_t)(i / VIP_BLOCK) * positions + k) * VIP_BLOCK + i % VIP_BLOCK;
                const size_t from = first * next + (size_t)i * positions + k;
                for (uint32_t lane = 0; lane < lanes; lane++) {
                    put(src, flipout, scale[first + lane], from + lane * next, layer, block + row * vector + lane);
                }
            }
        }
    }
}

/* Shapes all layers and gives each its place in one block. */
static bool
place_layers(vip_weights *weights, const source *sources)
{
    size_t at[VIP_MAX_LAYERS], floats = 0;
    bool half[VIP_MAX_LAYERS];
    for (int i = 0; i < weights->n_layers; i++) {
        const source *src = &sources[i];
        vip_layer *layer = &weights->layers[i];
        const size_t positions = src->unfolded ? 1 : (size_t)src->kernel * src->kernel;
        layer->in_blocks = blocks_of(src->in);
        layer->out_blocks = blocks_of(src->out);
        layer->w_block = layer->in_blocks * positions * VIP_BLOCK_WEIGHTS * (weights->flipout ? 2 : 1);
        half[i] = !weights->flipout && fits_half(src);
        at[i] = floats;
        floats += layer->out_blocks * (half[i] ? layer->w_block / 2 + 2 * VIP_BLOCK : layer->w_block + VIP_BLOCK);
    }
    weights->bytes = floats * sizeof(float);
    weights->numbers = vip_alloc(floats, sizeof(float));
    for (int i = 0; i < weights->n_layers && weights->numbers != NULL; i++) {
        vip_layer *layer = &weights->layers[i];
        float *place = weights->numbers + at[i];
        if (half[i]) {
            layer->half = (uint16_t *)place;
            layer->scale = place + layer->out_blocks * layer->w_block / 2;
            layer->bias = layer->scale + (size_t)layer->out_blocks * VIP_BLOCK;
        } else {
            layer->w = place;
            layer->bias = place + layer->out_blocks * layer->w_block;
        }
    }
    return weights->numbers != NULL;
}

/* What each layer is packed from. */
static void
list_sources(const vip_model *model, float *const *values, float *const *noise, source *sources)
{
    static const char *const dense[] = {"fc1", "fc_audioset"};
    const vip_network *network = &model->network;
    for (int i = 0; i < network->n_steps + 2; i++) {
        const vip_step *step = i < network->n_steps ? &network->steps[i] : NULL;
        const char *name = step != NULL ? step->conv : dense[i - network->n_steps];
        source *src = &sources[i];
        *src = (source){.values = tensor(model, values, name, "weight"),
                        .noise = noise == NULL ? NULL : tensor(model, noise, name, "weight"),
                        .in = network->features,
                        .out = i == network->n_steps ? network->features : network->classes,
                        .kernel = 1};
        if (step != NULL) {
            src->in = step->in;
            src->out = step->out;
            src->kernel = step->kernel;
            src->unfolded = step->source == VIP_INPUT;
            src->bn = step->bn;
        } else {
            src->bias = tensor(model, values, name, "bias");
        }
    }
}

/* scale and shift are room for one batch norm. */
static void
fill_layers(vip_weights *weights, const vip_model *model, float *const *values, const source *sources, double *scale,
            double *shift)
{
    for (int i = 0; i < weights->n_layers; i++) {
        const source *src = &sources[i];
        const vip_layer *layer = &weights->layers[i];
        for (uint32_t c = 0; c < src->out && src->bn == NULL; c++) {
            scale[c] = 1;
            shift[c] = (double)src->bias[c];
        }
        if (src->bn != NULL) {
            fold(model, values, src->bn, src->out, scale, shift);
        }
        pack(src, weights->flipout, scale, layer);
        for (uint32_t c = 0; c < src->out; c++) {
            layer->bias[c] = (float)shift[c];
            if (layer->scale != NULL) {
                layer->scale[c] = (float)scale[c];
            }
        }
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
        source sources[VIP_MAX_LAYERS];
        weights->n_layers = model->network.n_steps + 2;
        list_sources(model, values, noise, sources);
        done = place_layers(weights, sources);
        if (done) {
            fill_layers(weights, model, values, sources, scale, shift);
        }
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
