/* SPDX-License-Identifier: GPL-3.0-or-later */
/* parameters.c -- see parameters.h for the contract. */
#include "parameters.h"

#include <base/memory.h>
#include <base/philox.h>
#include <base/status.h>
#include <bayes/keyed.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LAYER_BN0 = -1, LAYER_FC1 = -2, LAYER_HEAD = -3, LAYER_FURTHER = -4 };

/* ------------------------------------------------------------------------------------------------------ the segments */

static bool
is_weight(vip_tensor_kind kind)
{
    return kind == VIP_CONV_WEIGHT || kind == VIP_LINEAR_WEIGHT || kind == VIP_LINEAR_BIAS;
}

static bool
is_statistic(vip_tensor_kind kind)
{
    return kind == VIP_BN_MEAN || kind == VIP_BN_VARIANCE;
}

static bool
begins_with(const char *name, const char *module)
{
    const size_t n = strlen(module);
    return strncmp(name, module, n) == 0 && name[n] == '.';
}

static int
layer_of(const vip_network *network, const char *name)
{
    for (int i = 0; i < network->n_steps; i++) {
        if (begins_with(name, network->steps[i].conv) || begins_with(name, network->steps[i].bn)) {
            return i;
        }
    }
    return begins_with(name, "bn0") ? LAYER_BN0 : begins_with(name, "fc1") ? LAYER_FC1 : LAYER_HEAD;
}

static vip_segment *
add_segment(vip_parameters *p, const char *name, const char *suffix, const vip_tensor_shape *shape, int tensor)
{
    vip_segment *segment = &p->segments[p->n_segments++];
    (void)snprintf(segment->name, sizeof segment->name, "%.63s%s", name, suffix);
    segment->kind = shape->kind;
    segment->tensor = tensor;
    segment->keyed = -1;
    segment->rank = shape->rank;
    memcpy(segment->shape, shape->shape, sizeof segment->shape);
    segment->count = vip_tensor_size(shape);
    segment->offset = p->n;
    p->n += segment->count;
    return segment;
}

static void
add_linear(vip_parameters *p, const char *module, uint32_t out, uint32_t in)
{
    const vip_tensor_shape weight = {.kind = VIP_LINEAR_WEIGHT, .rank = 2, .shape = {out, in}};
    const vip_tensor_shape bias = {.kind = VIP_LINEAR_BIAS, .rank = 1, .shape = {out}};
    add_segment(p, module, ".weight", &weight, -1)->layer = LAYER_FURTHER;
    add_segment(p, module, ".bias", &bias, -1)->layer = LAYER_FURTHER;
}

/* Trainable segments first, those of batch norm's statistics behind them. */
static void
lay_out(vip_parameters *p, bool conv_only)
{
    vip_tensor_shape shapes[VIP_MAX_TENSORS];
    const int n = vip_network_tensors(&p->network, shapes);
    int keyed = 0;
    for (int i = 0; i < n; i++) {
        const vip_tensor_kind kind = shapes[i].kind;
        if (is_statistic(kind) || kind == VIP_BN_COUNT) {
            continue;
        }
        const bool stochastic = p->mean_field && (kind == VIP_CONV_WEIGHT || (is_weight(kind) && !conv_only));
        for (int part = 0; part < (stochastic ? 2 : 1); part++) {
            vip_segment *segment = add_segment(p, shapes[i].name,
                                               !stochastic ? ""
                                               : part == 0 ? ".mu"
                                                           : ".rho",
                                               &shapes[i], i);
            segment->stochastic = stochastic;
            segment->rho = part == 1;
            segment->keyed = is_weight(kind) ? keyed : -1;
            segment->layer = layer_of(&p->network, shapes[i].name);
        }
        keyed += is_weight(kind);
    }
    const uint32_t features = p->network.features;
    if (p->further.second != 0) {
        add_linear(p, "second.fc1", features, features);
        add_linear(p, "second.fc_audioset", p->further.second, features);
    }
    if (p->further.embedding != 0) {
        add_linear(p, "embedding", p->further.embedding, features);
    }
    p->n_trainable = p->n;
    for (int i = 0; i < n; i++) {
        if (is_statistic(shapes[i].kind)) {
            add_segment(p, shapes[i].name, "", &shapes[i], i)->layer = layer_of(&p->network, shapes[i].name);
        }
    }
}

vip_parameters *
vip_parameters_new(const vip_network *network, const vip_further *further, bool mean_field, bool conv_only)
{
    vip_parameters *p = vip_alloc(1, sizeof *p);
    if (p == NULL) {
        return NULL;
    }
    p->network = *network;
    p->mean_field = mean_field;
    if (further != NULL) {
        p->further = *further;
    }
    lay_out(p, conv_only);
    p->values = vip_alloc(p->n, sizeof *p->values);
    p->gradients = vip_alloc(p->n_trainable, sizeof *p->gradients);
    if (p->values == NULL || p->gradients == NULL) {
        vip_parameters_free(p);
        return NULL;
    }
    return p;
}

void
vip_parameters_free(vip_parameters *parameters)
{
    if (parameters != NULL) {
        vip_free(parameters->values);
        vip_free(parameters->gradients);
        vip_free(parameters);
    }
}

const vip_segment *
vip_parameters_find(const vip_parameters *parameters, const char *name)
{
    for (int i = 0; i < parameters->n_segments; i++) {
        if (strcmp(parameters->segments[i].name, name) == 0) {
            return &parameters->segments[i];
        }
    }
    return NULL;
}

/* -------------------------------------------------------------------------------------------------------- the start */

/* Words of keyed numbers: element e is word e % 4 of block e / 4. */
static uint32_t
keyed_word(uint64_t seed, uint32_t id, size_t e, uint32_t words[4])
{
    if (e % 4 == 0) {
        const uint32_t counter[4] = {(uint32_t)(e / 4), 0, (uint32_t)VIP_KEYED_INIT << 24 | id, 0};
        vip_philox(seed, counter, words);
    }
    return words[e % 4];
}

static void
fill(float *values, size_t n, float value)
{
    for (size_t i = 0; i < n; i++) {
        values[i] = value;
    }
}

/* Xavier (Glorot and Bengio 2010): uniform in +-sqrt(6 / (fan_in + fan_out)). */
static void
xavier(const vip_segment *segment, uint64_t seed, uint32_t id, float *values)
{
    const double area = segment->rank == 4 ? (double)segment->shape[2] * segment->shape[3] : 1;
    const double bound = sqrt(6 / (area * ((double)segment->shape[0] + segment->shape[1])));
    uint32_t words[4];
    for (size_t e = 0; e < segment->count; e++) {
        values[e] = (float)(bound * (2 * (double)vip_uniform(keyed_word(seed, id, e, words)) - 1));
    }
}

/* Whether it is the last batch norm of a residual block, which begins as if the block were not there. */
static bool
ends_block(const vip_network *network, const vip_segment *segment)
{
    return segment->layer >= 0 && network->steps[segment->layer].residual != VIP_NONE;
}

static void
init_segment(const vip_parameters *p, const vip_segment *segment, uint64_t seed, uint32_t id)
{
    float *values = p->values + segment->offset;
    uint32_t words[4];
    if (segment->rho) {
        for (size_t e = 0; e < segment->count; e++) {
            values[e] = -5 + 0.1f * vip_normal(keyed_word(seed, id, e, words));
        }
        return;
    }
    switch (segment->kind) {
    case VIP_CONV_WEIGHT:
    case VIP_LINEAR_WEIGHT:
        xavier(segment, seed, id, values);
        break;
    case VIP_BN_WEIGHT:
        fill(values, segment->count, ends_block(&p->network, segment) ? 0.0f : 1.0f);
        break;
    case VIP_BN_VARIANCE:
        fill(values, segment->count, 1);
        break;
    default:
        fill(values, segment->count, 0);
        break;
    }
}

void
vip_parameters_init(vip_parameters *parameters, uint64_t seed)
{
    for (int i = 0; i < parameters->n_segments; i++) {
        init_segment(parameters, &parameters->segments[i], seed, (uint32_t)i);
    }
}

/* ------------------------------------------------------------------------------------------------------- and models */

static bool
is_head(const vip_segment *segment)
{
    return segment->layer == LAYER_FC1 || segment->layer == LAYER_HEAD;
}

vipann_status
vip_parameters_take(vip_parameters *parameters, const vip_model *model, bool heads, vipann_error *error)
{
    const vip_network *ours = &parameters->network, *theirs = &model->network;
    if (ours->arch != theirs->arch || ours->width != theirs->width || ours->padding != theirs->padding) {
        return vip_fail(
            error, VIPANN_E_ARG,
            "%s: is a %s of width %u with %s padding; the network to train is a %s of width %u with %s padding",
            model->name, vip_arch_name(theirs->arch), theirs->width, theirs->padding == VIP_CAUSAL ? "causal" : "same",
            vip_arch_name(ours->arch), ours->width, ours->padding == VIP_CAUSAL ? "causal" : "same");
    }
    if (heads && ours->classes != theirs->classes) {
        return vip_fail(error, VIPANN_E_ARG, "%s: has %u classes; the network to train has %u", model->name,
                        theirs->classes, ours->classes);
    }
    for (int i = 0; i < parameters->n_segments; i++) {
        const vip_segment *segment = &parameters->segments[i];
        if (segment->tensor < 0 || (is_head(segment) && !heads)) {
            continue;
        }
        const float *from = segment->rho ? model->rho[segment->tensor] : model->values[segment->tensor];
        if (from != NULL) {
            memcpy(parameters->values + segment->offset, from, segment->count * sizeof *from);
        }
    }
    return VIPANN_OK;
}

/* The index in a model's state dict where a segment belongs; -1: nowhere. second: fc1 and fc_audioset are those of the
 * second head. */
static int
place_of(const vip_model *model, const vip_segment *segment, bool second)
{
    if (segment->layer == LAYER_FURTHER) {
        return second && begins_with(segment->name, "second")
                   ? vip_model_tensor(model, segment->name + strlen("second."))
                   : -1;
    }
    return second && is_head(segment) ? -1 : segment->tensor;
}

vip_model *
vip_parameters_model(const vip_parameters *parameters, const float *values, bool second)
{
    const vip_network *network = &parameters->network;
    const uint32_t classes = second ? parameters->further.second : network->classes;
    vip_model *model = vip_model_new(network->arch, network->width, classes, network->padding);
    if (model == NULL) {
        return NULL;
    }
    for (int i = 0; i < parameters->n_segments; i++) {
        const vip_segment *segment = &parameters->segments[i];
        const int place = place_of(model, segment, second);
        if (place < 0) {
            continue;
        }
        if (segment->rho) {
            model->rho[place] = vip_alloc(segment->count, sizeof(float));
            if (model->rho[place] == NULL) {
                vip_model_free(model);
                return NULL;
            }
            model->posterior = VIPANN_MEANFIELD;
        }
        memcpy(segment->rho ? model->rho[place] : model->values[place], values + segment->offset,
               segment->count * sizeof *values);
    }
    return model;
}
