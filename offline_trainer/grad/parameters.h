/* SPDX-License-Identifier: GPL-3.0-or-later */
/* parameters.h -- all numbers of a network that is being trained, in one flat array.
 *
 * First come the trainable numbers, tensor after tensor in the order of the state dict (mean field: mu, then rho, of each
 * stochastic tensor), then those of further outputs; behind them the running statistics of batch norm. So an optimiser,
 * an average and a checkpoint need to know of arrays only, and whoever cares for tensors walks the segments. */
#ifndef VIP_TRAINER_PARAMETERS_H
#define VIP_TRAINER_PARAMETERS_H

#include <model/model.h>

enum { VIP_MAX_SEGMENTS = 2 * VIP_MAX_TENSORS, VIP_SEGMENT_NAME = VIP_NAME_SIZE + 24 };

typedef struct {
    char name[VIP_SEGMENT_NAME]; /* "conv_block1.conv1.weight", mean field with ".mu" or ".rho" behind it */
    vip_tensor_kind kind;
    bool stochastic; /* has a posterior: this segment is its mu, or its rho */
    bool rho;
    int tensor; /* index in the state dict of the network; -1: of a further output */
    int keyed;  /* position among the convolution and linear tensors, which keys its random numbers; -1: none */
    int layer;  /* convolutions, their batch norms: the step. -1: bn0; -2: fc1; -3: fc_audioset; -4: further outputs */
    uint8_t rank;
    uint32_t shape[4];
    size_t offset, count; /* in values, and in gradients if it is trainable */
} vip_segment;

/* Outputs besides the network's own, all fed by the same pooled vector. */
typedef struct {
    uint32_t second;    /* classes of a second head, with an fc1 of its own; 0: there is none */
    uint32_t embedding; /* size of a vector that a linear layer predicts from the pooled one; 0: none */
} vip_further;

typedef struct {
    vip_network network;
    vip_further further;
    bool mean_field;
    int n_segments;
    vip_segment segments[VIP_MAX_SEGMENTS];
    size_t n_trainable; /* numbers that are trained */
    size_t n;           /* all numbers: the running statistics of batch norm come last */
    float *values;      /* [n] */
    float *gradients;   /* [n_trainable] */
} vip_parameters;

/* All zero. further may be NULL. mean_field: every convolution and linear tensor of the network is stochastic (biases
 * of linear layers too), or, if conv_only, every convolution. NULL: memory is short. */
vip_parameters *vip_parameters_new(const vip_network *network, const vip_further *further, bool mean_field,
                                   bool conv_only);
void vip_parameters_free(vip_parameters *parameters);

/* The segment of that name, or NULL. */
const vip_segment *vip_parameters_find(const vip_parameters *parameters, const char *name);

/* A random start (keyed numbers of kind 5): convolutions and linear weights Xavier uniform, biases 0, batch norm 1 and 0
 * with running statistics 0 and 1, the last batch norm of each residual block 0; rho -5 + N(0, 0.1^2). */
void vip_parameters_init(vip_parameters *parameters, uint64_t seed);

/* Takes the tensors of a model of the same network: the trunk (all but fc1 and fc_audioset), and these two if heads is
 * true. Of a mean-field model mu and rho go to mean-field parameters, mu alone to others; to mean-field parameters a
 * deterministic model gives mu, rho is left alone. Errors: E_ARG, with what does not fit. */
vipann_status vip_parameters_take(vip_parameters *parameters, const vip_model *model, bool heads, vipann_error *error);

/* A model of these values ([n], such as parameters->values or an average), made from labels, front-end and texts by the
 * caller later. posterior: deterministic or dropout models from mean-field parameters have the weights mu. second: its
 * head is the second one. NULL: memory is short. */
vip_model *vip_parameters_model(const vip_parameters *parameters, const float *values, bool second);

#endif /* VIP_TRAINER_PARAMETERS_H */
