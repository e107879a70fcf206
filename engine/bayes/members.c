/* SPDX-License-Identifier: GPL-3.0-or-later */
/* members.c -- see members.h for the contract. */
#include "members.h"

#include "keyed.h"

#include <base/memory.h>
#include <kernels/conv.h>

#include <assert.h>
#include <math.h>
#include <string.h>

double
vip_softplus(double x)
{
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

static bool
is_weight(const vip_tensor_shape *shape)
{
    return shape->kind == VIP_CONV_WEIGHT || shape->kind == VIP_LINEAR_WEIGHT || shape->kind == VIP_LINEAR_BIAS;
}

void
vip_tensors_free(vip_tensors tensors)
{
    for (int i = 0; tensors != NULL && i < VIP_MAX_TENSORS; i++) {
        vip_free(tensors[i]);
    }
    vip_free(tensors);
}

vip_tensors
vip_draw_noise(const vip_model *model, uint64_t seed, uint32_t draw)
{
    vip_tensors noise = vip_alloc(VIP_MAX_TENSORS, sizeof *noise);
    uint32_t id = 0; /* position among the convolution and linear tensors */
    for (int i = 0; noise != NULL && i < model->n_tensors; i++) {
        const uint32_t tensor = id;
        id += is_weight(&model->shapes[i]);
        if (model->rho[i] == NULL) {
            continue;
        }
        const size_t n = vip_tensor_size(&model->shapes[i]);
        noise[i] = vip_alloc(n, sizeof(float));
        if (noise[i] == NULL) {
            vip_tensors_free(noise);
            return NULL;
        }
        vip_keyed_eps(seed, tensor, draw, noise[i], n);
        for (size_t e = 0; e < n; e++) {
            noise[i][e] = (float)(vip_softplus((double)model->rho[i][e]) * (double)noise[i][e]);
        }
    }
    return noise;
}

vip_tensors
vip_draw_weights(const vip_model *model, uint64_t seed, uint32_t draw)
{
    vip_tensors weights = vip_draw_noise(model, seed, draw);
    for (int i = 0; weights != NULL && i < model->n_tensors; i++) {
        const float *mean = model->values[i];
        if (mean == NULL) {
            continue;
        }
        const size_t n = vip_tensor_size(&model->shapes[i]);
        if (weights[i] == NULL) {
            weights[i] = vip_alloc(n, sizeof(float));
            if (weights[i] == NULL) {
                vip_tensors_free(weights);
                return NULL;
            }
        }
        for (size_t e = 0; e < n; e++) {
            weights[i][e] += mean[e];
        }
    }
    return weights;
}

/* Signs of one layer and member as the kernels want them: an offset per input, a bit per output. */
static void
draw_layer(const vip_layer *layer, uint64_t seed, uint32_t tensor, uint32_t member, uint32_t in, uint32_t out,
           unsigned char *negative, uint8_t *sign_in, uint16_t *sign_out)
{
    const size_t places = (size_t)layer->in_blocks * VIP_BLOCK;
    vip_keyed_signs(seed, VIP_KEYED_SIGN_IN, tensor, member, 0, negative, in);
    for (size_t i = 0; i < places; i++) {
        /* the first step's inputs are nine views of one channel (weights.c) */
        const size_t channel = in == 1 ? 0 : i;
        sign_in[i] = channel < in && negative[channel] ? VIP_BLOCK : 0;
    }
    vip_keyed_signs(seed, VIP_KEYED_SIGN_OUT, tensor, member, 0, negative, out);
    for (uint32_t o = 0; o < out; o++) {
        sign_out[o / VIP_BLOCK] |= (uint16_t)(negative[o] << (o % VIP_BLOCK));
    }
}

/* A member's bias of a dense layer: mu + s * db, s being the signs of the layer's outputs. */
static void
draw_bias(const vip_model *model, vip_tensors noise, const char *name, const uint16_t *sign_out, uint32_t n,
          float *bias)
{
    const int i = vip_model_tensor(model, name);
    assert(i >= 0);
    for (uint32_t o = 0; o < n; o++) {
        const float db = noise[i] == NULL ? 0 : noise[i][o];
        bias[o] = model->values[i][o] + (sign_out[o / VIP_BLOCK] >> (o % VIP_BLOCK) & 1 ? -db : db);
    }
}

vip_signs *
vip_draw_signs(const vip_model *model, const vip_weights *weights, vip_tensors noise, uint64_t seed, uint32_t members)
{
    const vip_network *network = &model->network;
    const uint32_t most = 32 * VIP_MAX_WIDTH;
    unsigned char *negative = vip_alloc(most, 1);
    vip_signs *signs = negative == NULL ? NULL : vip_signs_new(weights, members);
    const int fc1 = network->n_steps;
    for (uint32_t m = 0; signs != NULL && m < members; m++) {
        for (int i = 0; i < weights->n_layers; i++) {
            const vip_layer *layer = &weights->layers[i];
            const bool step = i < fc1;
            const uint32_t tensor = step       ? network->steps[i].tensor
                                    : i == fc1 ? network->fc1_tensor
                                               : network->head_tensor;
            const uint32_t in = step ? network->steps[i].in : network->features;
            const uint32_t out = step ? network->steps[i].out : i == fc1 ? network->features : network->classes;
            draw_layer(layer, seed, tensor, m, in, out, negative,
                       signs->in[i] + (size_t)m * layer->in_blocks * VIP_BLOCK,
                       signs->out[i] + (size_t)m * layer->out_blocks);
        }
        const uint32_t fc1_blocks = weights->layers[fc1].out_blocks, head_blocks = weights->layers[fc1 + 1].out_blocks;
        draw_bias(model, noise, "fc1.bias", signs->out[fc1] + (size_t)m * fc1_blocks, network->features,
                  signs->fc1_bias + (size_t)m * fc1_blocks * VIP_BLOCK);
        draw_bias(model, noise, "fc_audioset.bias", signs->out[fc1 + 1] + (size_t)m * head_blocks, network->classes,
                  signs->head_bias + (size_t)m * head_blocks * VIP_BLOCK);
    }
    vip_free(negative);
    return signs;
}
