/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weights.h -- a network's numbers in the form that the kernels read: packed, batch norm folded in (or, where they are
 * kept in half precision, beside them).
 *
 * Layers are the steps of the network in order, then fc1 and the head. Immutable once made; any thread may read. */
#ifndef VIP_NN_WEIGHTS_H
#define VIP_NN_WEIGHTS_H

#include <model/model.h>

enum { VIP_MAX_LAYERS = VIP_MAX_STEPS + 2 };

/* One layer; see vip_conv for the shapes. */
typedef struct {
    float *w, *bias; /* within numbers */
    uint16_t *half;  /* instead of w, which is NULL then; scale goes with it */
    float *scale;
    size_t w_block; /* weights */
    uint32_t in_blocks, out_blocks;
} vip_layer;

typedef struct {
    bool flipout;   /* w holds pairs of vectors, sum and difference of mean and noise */
    float *numbers; /* of all layers in one block, for the sake of large pages */
    size_t bytes;   /* of the block */
    int n_layers;
    vip_layer layers[VIP_MAX_LAYERS];
    float bn0_scale[VIP_MELS], bn0_shift[VIP_MELS]; /* of the input, per bin */
} vip_weights;

/* Packs the model's tensors. values: one array per tensor of the model, usually model->values; noise: NULL for plain
 * weights, else sigma * eps per tensor, NULL where a tensor is deterministic. The bias of a linear layer is its mean;
 * its noise belongs to the members (vip_signs). */
vip_weights *vip_weights_new(const vip_model *model, float *const *values, float *const *noise);
void vip_weights_free(vip_weights *weights);

/* The signs of channel Flipout (Wen et al. 2018; per channel so that each member is one fixed function): tables as
 * vip_conv wants them, for each layer, and each member's bias of the two dense layers. */
typedef struct {
    uint32_t members;
    uint8_t *in[VIP_MAX_LAYERS];   /* [members][in_blocks * 16] */
    uint16_t *out[VIP_MAX_LAYERS]; /* [members][out_blocks] */
    float *fc1_bias, *head_bias;   /* [members][out_blocks * 16] */
} vip_signs;

/* Room for the signs of so many members, all zero; NULL if memory is short. */
vip_signs *vip_signs_new(const vip_weights *weights, uint32_t members);
void vip_signs_free(vip_signs *signs);

/* What the members of a pass compute with. */
typedef struct {
    const vip_weights *shared;      /* by all, unless there are sets */
    const vip_weights *const *sets; /* [members] of the same network, none of Flipout; NULL: there are none */
    const vip_signs *signs;         /* of Flipout, else NULL */
} vip_member_weights;

/* One member's. */
static inline const vip_weights *
vip_weights_of(const vip_member_weights *weights, uint32_t member)
{
    return weights->sets != NULL ? weights->sets[member] : weights->shared;
}

#endif /* VIP_NN_WEIGHTS_H */
