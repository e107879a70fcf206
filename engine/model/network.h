/* SPDX-License-Identifier: GPL-3.0-or-later */
/* network.h -- the networks as one table: PANNs ResNet-22, -38 and -54 (Kong et al. 2020) at any width.
 *
 * A network is a list of steps in the order in which they are computed. Each step is a convolution with its batch norm,
 * then in this order, where the step says so: a residual that is added, ReLU, 2x2 average pool, dropout. Strided
 * blocks pool their input once for both of their paths, which is the output of the block before: so pools belong to the
 * step in front and no convolution has a stride. Then come the mean over the two remaining bins, max + mean over the
 * window's columns, and two dense layers.
 *
 * Arrays are [channels][columns][bins]. */
#ifndef VIP_MODEL_NETWORK_H
#define VIP_MODEL_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VIP_MELS = 64,          /* bins at the input; 5 pools leave 2 */
    VIP_COLUMN_FRAMES = 32, /* frames in one column of features: 2^5 */
    VIP_FEATURE_BINS = 2,
    VIP_MAX_WIDTH = 128,
    VIP_MAX_CLASSES = 4096,
    VIP_MAX_STEPS = 64, /* resnet54 has 56 */
    VIP_NAME_SIZE = 48, /* the longest tensor name has 39 characters */
    VIP_INPUT = -1,     /* the source of the first step: the log-mel frames after bn0 */
    VIP_NONE = -1
};
static const float VIP_BN_EPSILON = 1e-5f;

typedef enum { VIP_RESNET22, VIP_RESNET38, VIP_RESNET54, VIP_N_ARCHS } vip_arch;
typedef enum { VIP_SAME, VIP_CAUSAL } vip_padding;

/* A place where dropout may act; the id keys its random numbers. */
typedef struct {
    char name[16]; /* "stem", "layer2.1", "pool", "after", "fc1", "head": the keys of vipann.posterior's rates */
    uint8_t id;
    float training_rate; /* the published one; 0 for head */
} vip_site;

enum { VIP_MAX_SITES = 24 };

typedef struct {
    char conv[VIP_NAME_SIZE]; /* "resnet.layer1.0.conv1": its tensor is conv + ".weight" */
    char bn[VIP_NAME_SIZE];   /* "resnet.layer1.0.bn1" */
    uint32_t in, out;         /* channels */
    uint8_t kernel;           /* 1 or 3, square */
    uint8_t bins;             /* of the convolution's input and output */
    bool relu, pool;          /* pool: the output has bins/2 and half as many columns, an odd last one dropped */
    int8_t source;            /* the step whose output is read, always an earlier one, or VIP_INPUT */
    int8_t residual;          /* the step whose output is added, or VIP_NONE */
    int8_t site;              /* index into sites, or VIP_NONE */
    uint8_t tensor;           /* position among the convolution and linear tensors, which keys their random numbers */
} vip_step;

typedef struct {
    vip_arch arch;
    vip_padding padding;
    uint32_t width, classes;
    uint32_t features;   /* channels of the last map, 32 * width; fc1 is [features][features] */
    uint8_t left, right; /* columns of zeros before and after every 3x3 convolution */
    int n_steps, n_sites;
    vip_step steps[VIP_MAX_STEPS];
    vip_site sites[VIP_MAX_SITES];
    int8_t fc1_site, head_site;
    uint8_t fc1_tensor, fc1_bias_tensor, head_tensor, head_bias_tensor;
} vip_network;

/* A tensor of the state dict of a deterministic network. */
typedef enum {
    VIP_CONV_WEIGHT,
    VIP_LINEAR_WEIGHT,
    VIP_LINEAR_BIAS,
    VIP_BN_WEIGHT,
    VIP_BN_BIAS,
    VIP_BN_MEAN,
    VIP_BN_VARIANCE,
    VIP_BN_COUNT
} vip_tensor_kind;

typedef struct {
    char name[VIP_NAME_SIZE + 20];
    vip_tensor_kind kind;
    uint8_t rank;
    uint32_t shape[4]; /* outermost first */
} vip_tensor_shape;

enum { VIP_MAX_TENSORS = 400 };

/* "resnet22" .. "resnet54", and back; -1 if there is no such network. */
const char *vip_arch_name(vip_arch arch);
int vip_arch_find(const char *name);

/* Fills *network. 1 <= width <= VIP_MAX_WIDTH, 1 <= classes <= VIP_MAX_CLASSES: the caller has checked. */
void vip_network_fill(vip_network *network, vip_arch arch, uint32_t width, uint32_t classes, vip_padding padding);

/* Writes the state dict in the order of the published checkpoints to tensors[VIP_MAX_TENSORS] and returns its length.
 * VIP_BN_COUNT (num_batches_tracked) has rank 0. */
int vip_network_tensors(const vip_network *network, vip_tensor_shape *tensors);

/* Numbers in a tensor; 1 if it has rank 0. No tensor of these networks comes near overflow. */
size_t vip_tensor_size(const vip_tensor_shape *shape);

/* The site of that name, or VIP_NONE. */
int vip_network_site(const vip_network *network, const char *name);

/* Parameters of the mean network: convolutions, linear layers, batch norm weights and biases. */
uint64_t vip_network_weights(const vip_network *network);

/* Frames that a column waits for behind its own 32; 0 if the network is causal. look_back: frames before its own 32
 * that it sees (may be NULL). */
uint32_t vip_network_look_ahead(const vip_network *network, uint32_t *look_back);

/* The first step whose output differs between members when the sites have these rates ([n_sites]); n_steps if only
 * fc1 or head does; -1 if none does. */
int vip_network_first_site(const vip_network *network, const float *rates);

#endif /* VIP_MODEL_NETWORK_H */
