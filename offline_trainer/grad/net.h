/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net.h -- the whole network forward and backward, in batches, as training needs it.
 *
 * Batch norm takes the statistics of the batch and keeps running ones; dropout and Flipout act as in method 3.1 and 3.4,
 * keyed by a draw per row; SpecAugment and mixup act behind bn0 (method 4.1). Everything is planned and allocated once,
 * for each length that batches may have; a step allocates nothing. The same threads give the same bits.
 *
 * Thread: one at a time; work is shared through vip_parallel and oneDNN. */
#ifndef VIP_TRAINER_NET_H
#define VIP_TRAINER_NET_H

#include "parameters.h"

enum { VIP_MAX_LENGTHS = 8, VIP_STRIPES = 2 };

typedef enum { VIP_FLIPOUT_CHANNEL, VIP_FLIPOUT_ELEMENT } vip_flipout;
/* bf16: the operands of all convolutions, forward and backward, are rounded (bf16.h), the weights as they are packed;
 * parameters stay f32, and so do dense layers and the last step backward, to the frames. It is computed with instructions
 * for f32 and saves no time. */
typedef enum { VIP_PRECISION_F32, VIP_PRECISION_BF16 } vip_precision;

typedef struct {
    uint32_t rows;                     /* of a batch, after mixup; >= 1 */
    uint32_t n_lengths;                /* 1 .. VIP_MAX_LENGTHS */
    uint32_t lengths[VIP_MAX_LENGTHS]; /* frames that batches may have, each >= 32 */
    bool mixup;                        /* batches may be mixed, from twice the rows */
    bool frozen_statistics;            /* batch norm uses the running statistics and leaves them alone */
    bool frozen_trunk;                 /* gradients are those of the heads only, and backward ends there */
    float rates[VIP_MAX_SITES];        /* dropout by index of network.sites; 0: none */
    vip_flipout flipout;               /* signs of mean-field parameters */
    vip_precision precision;           /* of what convolutions multiply; sums, and all else, are f32 */
    uint64_t seed;                     /* of masks, noise and signs */
} vip_net_options;

typedef struct vip_net vip_net;

/* Stretches of a row that are set to 0 behind bn0; a width of 0: none. */
typedef struct {
    uint16_t time[VIP_STRIPES], time_width[VIP_STRIPES]; /* frames */
    uint8_t bin[VIP_STRIPES], bin_width[VIP_STRIPES];
} vip_stripes;

typedef struct {
    uint32_t frames;            /* one of the lengths */
    const float *logmel;        /* [rows, or 2 * rows if mix is there][frames][VIP_MELS], dB */
    const vip_stripes *stripes; /* one per row of logmel; NULL: none */
    const float *mix;      /* [rows] lambda: row i is lambda * row 2i + (1 - lambda) * row 2i + 1; NULL: no mixup */
    const uint32_t *draws; /* [rows], keys of masks and signs: step * rows + row */
    uint32_t eps_draw;     /* key of Flipout's noise: the step */
    float momentum;        /* of the running statistics; 0.1 in training, 1 / k to average k batches */
} vip_batch;

/* The outputs, each [rows][size]. */
typedef enum { VIP_OUTPUT_LOGITS, VIP_OUTPUT_SECOND, VIP_OUTPUT_EMBEDDING, VIP_N_OUTPUTS } vip_output;

/* parameters is borrowed for the net's life; their values may change between steps. NULL: E_MEMORY, E_UNSUPPORTED (this
 * processor), E_ARG (a length). */
vip_net *vip_net_new(vip_parameters *parameters, const vip_net_options *options, vipann_error *error);
void vip_net_free(vip_net *net);

/* Forward; keeps what backward needs. train: false leaves dropout and noise out (mean weights), for refreshing batch
 * norm, and need not be followed by backward. */
void vip_net_forward(vip_net *net, const vip_batch *batch, bool train);

/* From the next forward on all dropout rates are those of the options times factor, 0 .. 1. */
void vip_net_set_dropout(vip_net *net, double factor);

/* What the last forward gave, [rows][size]; NULL if there is no such output. */
const float *vip_net_output(const vip_net *net, vip_output output);

/* Where the gradient of the loss with respect to that output goes; all of it is to be written before backward. */
float *vip_net_output_gradient(vip_net *net, vip_output output);

/* Backward from the outputs' gradients: writes all of parameters->gradients (nothing of KL or weight decay is in them). */
void vip_net_backward(vip_net *net);

/* The gradient of the log-mel input of the last backward, [rows][frames][VIP_MELS], for tests; without mixup only. */
const float *vip_net_input_gradient(vip_net *net);

/* Bytes that the net has allocated. */
size_t vip_net_bytes(const vip_net *net);

#endif /* VIP_TRAINER_NET_H */
