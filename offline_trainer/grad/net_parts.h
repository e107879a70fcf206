/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net_parts.h -- what the files of the training network share; for net*.c alone.
 *
 * For each step of the network y is what the convolution gives and later the gradient with respect to it, act what leaves
 * the step. Gradients live in slots that are shared over time: the plan says which, and is made once. */
#ifndef VIP_TRAINER_NET_PARTS_H
#define VIP_TRAINER_NET_PARTS_H

#include "net.h"
#include "planes.h"

#include <kernels/kernels.h>

enum { VIP_NO_SLOT = -1, VIP_MAX_SLOTS = 16, VIP_N_HEADS = 2 };

/* One step or dense layer in the flat arrays; NULL where it has no such thing. */
typedef struct {
    const vip_segment *weight, *rho, *bias, *bias_rho;
} vip_layer_numbers;

typedef struct {
    const vip_segment *weight, *bias, *mean, *variance;
} vip_norm_numbers;

/* Batch norm of the batch at hand; arrays have whole blocks, zero beyond the last channel. */
typedef struct {
    float *scale, *shift; /* y * scale + shift */
    float *mean;
    float *a, *b, *c;  /* of vip_plane_apply */
    double *deviation; /* 1 / sqrt(variance + epsilon) */
} vip_norm;

/* Where gradients of a step lie. */
typedef struct {
    int d1, d2; /* of what leaves it; d2: VIP_NO_SLOT if one layer reads it only */
    int g;      /* before ReLU */
    int dx;     /* of what its convolution read; VIP_NO_SLOT for frames */
} vip_slots;

/* Bits of lanes; per_channel: one byte per block of a row, else one per vector. */
typedef struct {
    uint8_t *in, *out;
} vip_signs_of_step;

/* Everything that depends on the length of batches. */
typedef struct {
    uint32_t frames;
    vip_plane planes[VIP_MAX_STEPS];
    vip_dnn_conv *convs[VIP_MAX_STEPS];
} vip_length;

/* A dense layer at work: output = x w^T + bias, with noise. */
typedef struct {
    vip_layer_numbers numbers;
    uint32_t in, out;
    const float *x;             /* [rows][in], borrowed */
    float *y, *dy;              /* [rows][out] */
    float *signed_x, *signed_y; /* [rows][in], [rows][out]; mean field only */
    float *sign_in, *sign_out;  /* the same shapes, +1 or -1 */
} vip_dense;

struct vip_net {
    vip_parameters *parameters;
    vip_net_options options;
    const vip_kernels *kernels;
    vip_dnn *dnn;
    uint32_t input_rows; /* before mixup */
    vip_length lengths[VIP_MAX_LENGTHS];
    const vip_length *length; /* of the batch at hand */
    vip_batch batch;
    bool train;
    float rates[VIP_MAX_SITES]; /* of dropout, in force */

    vip_layer_numbers layers[VIP_MAX_STEPS];
    vip_norm_numbers norm_numbers[VIP_MAX_STEPS], bn0_numbers;
    vip_norm norms[VIP_MAX_STEPS];
    float *y[VIP_MAX_STEPS], *act[VIP_MAX_STEPS];
    vip_slots slots[VIP_MAX_STEPS];
    int head_slot; /* the gradient of what leaves the last step */
    int n_slots;
    float *slot[VIP_MAX_SLOTS];
    vip_signs_of_step signs[VIP_MAX_STEPS];

    float *input, *d_input; /* behind bn0, stripes and mixup: [rows][frames][VIP_MELS] */
    float *d_frames;        /* [rows][frames][VIP_MELS], before bn0 */
    float bn0_mean[VIP_MELS], bn0_deviation[VIP_MELS];
    double *partial; /* [input rows or rows][2][channels], sums of each row */
    uint8_t *keep;   /* dropout of the step at hand, [rows][vectors] */
    float *packed, *scratch;
    float *moved_x, *moved_y; /* Flipout: with signs, or what came of that */
    float *eps, *noise;       /* [numbers with a posterior], in the order of segments; noise = sigma * eps */
    size_t *eps_offset;       /* [n_segments], of rho segments */
    float *noise_gradient;    /* of the largest tensor */

    float *pooled, *d_pooled; /* [rows][features] */
    uint16_t *newest;
    float *dropped, *d_dropped;  /* the pooled vector behind dropout fc1 */
    float *hidden[VIP_N_HEADS];  /* [rows][features], behind fc1, ReLU and dropout head */
    float *keep_fc1, *keep_head; /* [rows][features], 0 or the scale */
    vip_dense fc1[VIP_N_HEADS], head[VIP_N_HEADS], embedding;
    size_t bytes;
};

/* net_input.c: bn0, stripes and mixup. */
void vip_net_input_forward(vip_net *net);
void vip_net_input_backward(vip_net *net);

/* net_noise.c: dropout, Flipout's noise and signs. */
void vip_net_draw(vip_net *net);                     /* noise and signs of the batch at hand */
const uint8_t *vip_net_keep(vip_net *net, int step); /* NULL: no dropout there */
float vip_net_keep_scale(const vip_net *net, int site);
void vip_net_keep_vector(const vip_net *net, int site, float *keep); /* [rows][features] */
bool vip_net_is_noisy(const vip_net *net, const vip_layer_numbers *numbers);
const float *vip_net_noise_of(const vip_net *net, const vip_segment *rho);
void vip_net_rho_gradient(vip_net *net, const vip_segment *rho, const float *noise_gradient);

/* net_heads.c: what stands behind the last feature map. */
bool vip_net_heads_new(vip_net *net);
void vip_net_heads_free(vip_net *net);
void vip_net_heads_forward(vip_net *net);
void vip_net_heads_backward(vip_net *net);

/* Zeroed memory that the net counts; NULL if it is short. */
void *vip_net_alloc(vip_net *net, size_t count, size_t size);

#endif /* VIP_TRAINER_NET_PARTS_H */
