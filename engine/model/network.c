/* SPDX-License-Identifier: GPL-3.0-or-later */
/* network.c -- see network.h for the contract. */
#include "network.h"

#include <stdio.h>
#include <string.h>

enum { N_LAYERS = 4 };
typedef enum { BASIC = 1, BOTTLENECK = 4 } block_kind; /* the value is the factor by which a block widens its output */

static const struct {
    const char *name;
    block_kind block;
    uint8_t blocks[N_LAYERS]; /* layer i, from 0, has width << i planes; all but the first halve time and frequency */
} archs[VIP_N_ARCHS] = {
    {"resnet22", BASIC, {2, 2, 2, 2}},
    {"resnet38", BASIC, {3, 4, 6, 3}},
    {"resnet54", BOTTLENECK, {3, 4, 6, 3}},
};

/* Columns of zeros before and after every 3x3 convolution. */
static const struct {
    uint8_t left, right;
} paddings[] = {[VIP_SAME] = {1, 1}, [VIP_CAUSAL] = {2, 0}};

/* Where the sites' numbers begin; blocks are layer << 4 | block. */
enum { STEM_ID = 0x00, POOL_ID = 0x50, AFTER_ID = 0x51, FC1_ID = 0x52, HEAD_ID = 0x53 };

const char *
vip_arch_name(vip_arch arch)
{
    return archs[arch].name;
}

int
vip_arch_find(const char *name)
{
    for (int i = 0; i < VIP_N_ARCHS; i++) {
        if (strcmp(name, archs[i].name) == 0) {
            return i;
        }
    }
    return -1;
}

/* ------------------------------------------------------------------------------------------------- the list of steps */

/* What a step takes from the one in front: where its columns come from and what shape they have. */
typedef struct {
    int8_t step; /* VIP_INPUT at the start */
    uint32_t channels;
    uint8_t bins;
} flow;

static int8_t
add_site(vip_network *network, const char *name, unsigned id, float training_rate)
{
    vip_site *site = &network->sites[network->n_sites];
    (void)snprintf(site->name, sizeof site->name, "%s", name);
    site->id = (uint8_t)id;
    site->training_rate = training_rate;
    return (int8_t)network->n_sites++;
}

/* Appends a convolution with ReLU, neither pooled nor random: the caller changes what differs. `order` is the step's
 * place among the convolutions of the state dict. */
static vip_step *
add_step(vip_network *network, const flow *from, const char *block, const char *conv, const char *bn, uint8_t kernel,
         uint32_t out, int order)
{
    vip_step *step = &network->steps[network->n_steps++];
    (void)snprintf(step->conv, sizeof step->conv, "%.31s.%.15s", block, conv);
    (void)snprintf(step->bn, sizeof step->bn, "%.31s.%.15s", block, bn);
    step->in = from->channels;
    step->out = out;
    step->kernel = kernel;
    step->bins = from->bins;
    step->relu = true;
    step->source = from->step;
    step->residual = VIP_NONE;
    step->site = VIP_NONE;
    step->tensor = (uint8_t)order;
    return step;
}

/* What leaves the newest step. */
static flow
newest(const vip_network *network)
{
    const vip_step *step = &network->steps[network->n_steps - 1];
    uint8_t bins = (uint8_t)(step->pool ? step->bins / 2 : step->bins);
    return (flow){(int8_t)(network->n_steps - 1), step->out, bins};
}

/* Two convolutions; returns the second. */
static vip_step *
add_conv_block(vip_network *network, const flow *from, const char *name, uint32_t out)
{
    int order = network->n_steps;
    (void)add_step(network, from, name, "conv1", "bn1", 3, out, order);
    flow middle = newest(network);
    return add_step(network, &middle, name, "conv2", "bn2", 3, out, order + 1);
}

/* Returns the block's last step. The shortcut is computed before the step that adds it, but its tensor stands behind
 * those of the block in the state dict. */
static vip_step *
add_residual_block(vip_network *network, const flow *from, uint8_t layer, uint8_t block, block_kind kind,
                   uint32_t planes)
{
    char name[32], site[16];
    (void)snprintf(name, sizeof name, "resnet.layer%d.%d", layer, block);
    (void)snprintf(site, sizeof site, "layer%d.%d", layer, block);
    int8_t site_index = add_site(network, site, (unsigned)(layer << 4 | block), 0.1f);
    int order = network->n_steps;
    int n_convs = kind == BASIC ? 2 : 3;
    uint32_t out = planes * (uint32_t)kind;

    vip_step *random = add_step(network, from, name, "conv1", "bn1", kind == BASIC ? 3 : 1, planes, order);
    flow inner = newest(network);
    if (kind == BOTTLENECK) {
        random = add_step(network, &inner, name, "conv2", "bn2", 3, planes, order + 1);
        inner = newest(network);
    }
    random->site = site_index;

    int8_t shortcut = from->step;
    if (from->channels != out) { /* the first block of a layer, but for the first layer of basic blocks */
        bool first = layer == 1; /* in the others the average pool is downsample.0 */
        vip_step *down = add_step(network, from, name, first ? "downsample.0" : "downsample.1",
                                  first ? "downsample.1" : "downsample.2", 1, out, order + n_convs);
        down->relu = false;
        shortcut = (int8_t)(network->n_steps - 1);
    }
    vip_step *last = kind == BASIC ? add_step(network, &inner, name, "conv2", "bn2", 3, out, order + 1)
                                   : add_step(network, &inner, name, "conv3", "bn3", 1, out, order + 2);
    last->residual = shortcut;
    return last;
}

void
vip_network_fill(vip_network *network, vip_arch arch, uint32_t width, uint32_t classes, vip_padding padding)
{
    memset(network, 0, sizeof *network);
    network->arch = arch;
    network->padding = padding;
    network->width = width;
    network->classes = classes;
    network->features = 32 * width;
    network->left = paddings[padding].left;
    network->right = paddings[padding].right;

    flow from = {VIP_INPUT, 1, VIP_MELS};
    vip_step *last = add_conv_block(network, &from, "conv_block1", width);
    last->pool = true;
    last->site = add_site(network, "stem", STEM_ID, 0.2f);
    for (int i = 0; i < N_LAYERS; i++) {
        for (uint8_t block = 0; block < archs[arch].blocks[i]; block++) {
            from = newest(network);
            last = add_residual_block(network, &from, (uint8_t)(i + 1), block, archs[arch].block, width << i);
        }
        last->pool = true; /* the next layer's first block halves its input; behind the last stands a pool of its own */
    }
    last->site = add_site(network, "pool", POOL_ID, 0.2f);
    from = newest(network);
    last = add_conv_block(network, &from, "conv_block_after1", network->features);
    last->site = add_site(network, "after", AFTER_ID, 0.2f);

    network->fc1_site = add_site(network, "fc1", FC1_ID, 0.5f);
    network->head_site = add_site(network, "head", HEAD_ID, 0.0f);
    network->fc1_tensor = (uint8_t)network->n_steps;
    network->fc1_bias_tensor = (uint8_t)(network->n_steps + 1);
    network->head_tensor = (uint8_t)(network->n_steps + 2);
    network->head_bias_tensor = (uint8_t)(network->n_steps + 3);
}

/* ----------------------------------------------------------------------------------------------- the list of tensors */

typedef struct {
    vip_tensor_shape *tensors;
    int n;
} tensor_list;

static void
add_tensor(tensor_list *list, const char *module, const char *leaf, vip_tensor_kind kind, uint8_t rank,
           const uint32_t *shape)
{
    vip_tensor_shape *tensor = &list->tensors[list->n++];
    memset(tensor, 0, sizeof *tensor);
    (void)snprintf(tensor->name, sizeof tensor->name, "%.47s.%.19s", module, leaf);
    tensor->kind = kind;
    tensor->rank = rank;
    for (int i = 0; i < rank; i++) {
        tensor->shape[i] = shape[i];
    }
}

static void
add_bn(tensor_list *list, const char *module, uint32_t channels)
{
    static const struct {
        const char *leaf;
        vip_tensor_kind kind;
    } leaves[] = {{"weight", VIP_BN_WEIGHT},
                  {"bias", VIP_BN_BIAS},
                  {"running_mean", VIP_BN_MEAN},
                  {"running_var", VIP_BN_VARIANCE},
                  {"num_batches_tracked", VIP_BN_COUNT}};
    for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++) {
        add_tensor(list, module, leaves[i].leaf, leaves[i].kind, leaves[i].kind == VIP_BN_COUNT ? 0 : 1, &channels);
    }
}

static void
add_linear(tensor_list *list, const char *module, uint32_t out, uint32_t in)
{
    add_tensor(list, module, "weight", VIP_LINEAR_WEIGHT, 2, (const uint32_t[]){out, in});
    add_tensor(list, module, "bias", VIP_LINEAR_BIAS, 1, &out);
}

static const vip_step *
step_of_tensor(const vip_network *network, int tensor)
{
    const vip_step *step = network->steps;
    while (step->tensor != tensor) {
        step++;
    }
    return step;
}

int
vip_network_tensors(const vip_network *network, vip_tensor_shape *tensors)
{
    tensor_list list = {tensors, 0};
    add_bn(&list, "bn0", VIP_MELS);
    const vip_step *waiting = NULL; /* in a block without a shortcut both convolutions stand before both batch norms */
    for (int i = 0; i < network->n_steps; i++) {
        const vip_step *step = step_of_tensor(network, i);
        add_tensor(&list, step->conv, "weight", VIP_CONV_WEIGHT, 4,
                   (const uint32_t[]){step->out, step->in, step->kernel, step->kernel});
        if (strncmp(step->conv, "conv_block", strlen("conv_block")) == 0 && waiting == NULL) {
            waiting = step;
            continue;
        }
        if (waiting != NULL) {
            add_bn(&list, waiting->bn, waiting->out);
            waiting = NULL;
        }
        add_bn(&list, step->bn, step->out);
    }
    add_linear(&list, "fc1", network->features, network->features);
    add_linear(&list, "fc_audioset", network->classes, network->features);
    return list.n;
}

/* ---------------------------------------------------------------------------------------------------------- questions */

size_t
vip_tensor_size(const vip_tensor_shape *shape)
{
    size_t n = 1;
    for (int i = 0; i < shape->rank; i++) {
        n *= shape->shape[i];
    }
    return n;
}

int
vip_network_site(const vip_network *network, const char *name)
{
    for (int i = 0; i < network->n_sites; i++) {
        if (strcmp(name, network->sites[i].name) == 0) {
            return i;
        }
    }
    return VIP_NONE;
}

uint64_t
vip_network_weights(const vip_network *network)
{
    uint64_t n = 2 * (uint64_t)VIP_MELS; /* bn0 */
    for (int i = 0; i < network->n_steps; i++) {
        const vip_step *step = &network->steps[i];
        n += (uint64_t)step->out * step->in * step->kernel * step->kernel + 2 * (uint64_t)step->out;
    }
    n += (uint64_t)network->features * network->features + network->features;
    n += (uint64_t)network->classes * network->features + network->classes;
    return n;
}

uint32_t
vip_network_look_ahead(const vip_network *network, uint32_t *look_back)
{
    /* Columns first .. last at the input of step i bear on column 0 of the features. The shortcuts see less than the
     * path through the 3x3 convolutions, so only that one is followed. */
    uint32_t first = 0, last = 0; /* first is counted backwards */
    for (int8_t i = (int8_t)(network->n_steps - 1); i != VIP_INPUT; i = network->steps[i].source) {
        const vip_step *step = &network->steps[i];
        if (step->pool) {
            first = 2 * first;
            last = 2 * last + 1;
        }
        if (step->kernel == 3) {
            first += network->left;
            last += network->right;
        }
    }
    if (look_back != NULL) {
        *look_back = first;
    }
    return last - (VIP_COLUMN_FRAMES - 1);
}

int
vip_network_first_site(const vip_network *network, const float *rates)
{
    for (int i = 0; i < network->n_steps; i++) {
        int8_t site = network->steps[i].site;
        if (site != VIP_NONE && rates[site] > 0) {
            return i;
        }
    }
    return rates[network->fc1_site] > 0 || rates[network->head_site] > 0 ? network->n_steps : -1;
}
