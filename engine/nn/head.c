/* SPDX-License-Identifier: GPL-3.0-or-later */
/* head.c -- see head.h for the contract. */
#include "head.h"

#include <base/memory.h>

#include <assert.h>
#include <string.h>

enum { HALO = 3 }; /* a dense layer is a 1x1 convolution of one bin, which has a bin of zeros on either side */

struct vip_head {
    const vip_kernels *kernels;
    const vip_network *network;
    vip_member_weights weights;
    vip_head_masks masks;
    uint32_t window, places, stored, members;
    uint32_t features; /* channels, filled up to whole blocks */
    uint32_t answered; /* stored members of the newest answer */

    float *columns; /* [places][stored][features]; column j in place j % places */

    /* Of the columns before `summed`, for endless windows: [stored][features]. */
    int64_t summed;
    float *max;
    double *sum;

    /* Of one answer. */
    float *one_max;   /* [features] */
    double *one_sum;  /* [features] */
    float *pooled;    /* [stored][features] */
    float *x, *h, *z; /* [blocks][members][HALO][16] */
    uint16_t *keep;   /* [members][blocks] */
};

vip_head *
vip_head_new(const vip_kernels *kernels, const vip_network *network, const vip_member_weights *weights,
             const vip_head_masks *masks, uint32_t window, uint32_t spare, uint32_t stored, uint32_t members)
{
    vip_head *head = vip_alloc(1, sizeof *head);
    if (head == NULL) {
        return NULL;
    }
    *head = (vip_head){.kernels = kernels,
                       .network = network,
                       .weights = *weights,
                       .masks = *masks,
                       .window = window,
                       .places = window + spare,
                       .stored = stored,
                       .members = members,
                       .features = (network->features + VIP_BLOCK - 1) / VIP_BLOCK * VIP_BLOCK};
    size_t vector = head->features, cell = (size_t)members * HALO;
    const vip_weights *any = vip_weights_of(weights, 0);
    size_t classes = (size_t)any->layers[any->n_layers - 1].out_blocks * VIP_BLOCK;
    head->columns = vip_alloc((size_t)head->places * stored, vector * sizeof(float));
    head->max = vip_alloc((size_t)stored * vector, sizeof(float));
    head->sum = vip_alloc((size_t)stored * vector, sizeof(double));
    head->one_max = vip_alloc(vector, sizeof(float));
    head->one_sum = vip_alloc(vector, sizeof(double));
    head->pooled = vip_alloc((size_t)stored * vector, sizeof(float));
    head->x = vip_alloc(cell * vector, sizeof(float));
    head->h = vip_alloc(cell * vector, sizeof(float));
    head->z = vip_alloc(cell * classes, sizeof(float));
    head->keep = vip_alloc(members * vector / VIP_BLOCK, sizeof(uint16_t));
    if (head->columns == NULL || head->max == NULL || head->sum == NULL || head->one_max == NULL ||
        head->one_sum == NULL || head->pooled == NULL || head->x == NULL || head->h == NULL || head->z == NULL ||
        head->keep == NULL) {
        vip_head_free(head);
        return NULL;
    }
    return head;
}

void
vip_head_free(vip_head *head)
{
    if (head == NULL) {
        return;
    }
    vip_free(head->columns);
    vip_free(head->max);
    vip_free(head->sum);
    vip_free(head->one_max);
    vip_free(head->one_sum);
    vip_free(head->pooled);
    vip_free(head->x);
    vip_free(head->h);
    vip_free(head->z);
    vip_free(head->keep);
    vip_free(head);
}

void
vip_head_reset(vip_head *head)
{
    head->summed = 0;
}

float *
vip_head_column(vip_head *head, int64_t j)
{
    return head->columns + (size_t)(j % head->places) * head->stored * head->features;
}

/* max and sum over columns begin .. end - 1 of one member, going on from what is there unless begin is the start. */
static void
gather(vip_head *head, int64_t begin, int64_t end, bool start, uint32_t member, float *restrict max,
       double *restrict sum)
{
    const size_t n = head->features;
    for (int64_t j = begin; j < end; j++) {
        const float *restrict column = vip_head_column(head, j) + member * n;
        if (start && j == begin) {
            for (size_t c = 0; c < n; c++) {
                max[c] = column[c];
                sum[c] = (double)column[c];
            }
            continue;
        }
        for (size_t c = 0; c < n; c++) {
            max[c] = column[c] > max[c] ? column[c] : max[c];
            sum[c] += (double)column[c];
        }
    }
}

void
vip_head_commit(vip_head *head, int64_t end, uint32_t members)
{
    if (head->window != 0 || end <= head->summed) {
        return;
    }
    for (uint32_t m = 0; m < head->stored && m < members; m++) {
        size_t at = (size_t)m * head->features;
        gather(head, head->summed, end, head->summed == 0, m, head->max + at, head->sum + at);
    }
    head->summed = end;
}

/* The pooled vector of one stored member. */
static void
pool(vip_head *head, int64_t end, uint32_t window, uint32_t member)
{
    const size_t n = head->features, at = (size_t)member * n;
    int64_t begin = 0;
    if (window == 0) {
        memcpy(head->one_max, head->max + at, n * sizeof(float));
        memcpy(head->one_sum, head->sum + at, n * sizeof(double));
        gather(head, head->summed, end, head->summed == 0, member, head->one_max, head->one_sum);
    } else {
        begin = end > (int64_t)window ? end - (int64_t)window : 0;
        gather(head, begin, end, true, member, head->one_max, head->one_sum);
    }
    const double count = (double)(end - begin);
    for (size_t c = 0; c < n; c++) {
        head->pooled[at + c] = head->one_max[c] + (float)(head->one_sum[c] / count);
    }
}

/* Copies member m's vector into the layout of the kernels, through its mask if there is one. */
static void
enter(vip_head *head, uint32_t m, uint32_t members, const float *vector, uint32_t site, uint32_t threshold, float scale,
      float *x)
{
    const uint32_t blocks = head->features / VIP_BLOCK;
    uint16_t *keep = head->keep + (size_t)m * blocks;
    if (threshold > 0) {
        vip_keep_column(head->kernels, head->masks.seed, site, m, 0, threshold, head->network->features, 1, keep);
    }
    for (uint32_t b = 0; b < blocks; b++) {
        float *to = x + (((size_t)b * members + m) * HALO + 1) * VIP_BLOCK;
        if (threshold > 0) {
            head->kernels->drop(vector + (size_t)b * VIP_BLOCK, keep + b, 1, scale, 1, to);
        } else {
            memcpy(to, vector + (size_t)b * VIP_BLOCK, VIP_BLOCK * sizeof(float));
        }
    }
}

/* One dense layer; x and y: [blocks][members][HALO][16]. */
typedef struct {
    int layer;
    bool relu;
    const uint16_t *keep; /* masks of the output, [members][blocks], or NULL */
    const float *x;
    float *y;
} dense_layer;

/* Computes it for `n` of the members from `first` on, which share their weights. */
static void
dense_for(const vip_head *head, const dense_layer *what, uint32_t members, uint32_t first, uint32_t n)
{
    const vip_layer *layer = &vip_weights_of(&head->weights, first)->layers[what->layer];
    const vip_signs *signs = head->weights.signs;
    const size_t cell = (size_t)HALO * VIP_BLOCK;
    vip_conv conv = {.x = what->x + first * cell + VIP_BLOCK,
                     .x_block = members * cell,
                     .x_column = members * cell,
                     .in_blocks = layer->in_blocks,
                     .out_blocks = layer->out_blocks,
                     .kernel = 1,
                     .w = layer->w,
                     .half = layer->half,
                     .scale = layer->scale,
                     .w_block = layer->w_block,
                     .bias = layer->bias,
                     .relu = what->relu,
                     .keep = what->keep == NULL ? NULL : what->keep + first * layer->out_blocks,
                     .keep_scale = head->masks.head_scale,
                     .y = what->y + first * cell + VIP_BLOCK,
                     .y_block = members * cell};
    if (signs != NULL) {
        conv.sign_in = signs->in[what->layer];
        conv.sign_out = signs->out[what->layer];
        conv.bias = what->relu ? signs->fc1_bias : signs->head_bias;
        conv.bias_member = (size_t)layer->out_blocks * VIP_BLOCK;
    }
    const vip_region region = {
        .columns = 1, .members = n, .bins = 1, .x_member = cell, .y_column = members * cell, .y_member = cell};
    vip_convolve(head->kernels, &conv, &region);
}

/* Computes it for all members: at once, or one after the other if they have weights of their own. */
static void
dense(const vip_head *head, const dense_layer *what, uint32_t members)
{
    if (head->weights.sets == NULL) {
        dense_for(head, what, members, 0, members);
        return;
    }
    for (uint32_t m = 0; m < members; m++) {
        dense_for(head, what, members, m, 1);
    }
}

void
vip_head_answer(vip_head *head, int64_t end, uint32_t window, uint32_t members, float *logits)
{
    assert(end > 0 && members >= 1 && members <= head->members && (head->window == 0 || window <= head->window));
    const vip_head_masks *masks = &head->masks;
    for (uint32_t m = 0; m < members; m++) {
        if (m < head->stored) {
            pool(head, end, window, m);
        }
        const float *vector = head->pooled + (size_t)(head->stored == 1 ? 0 : m) * head->features;
        enter(head, m, members, vector, masks->fc1_site, masks->fc1_threshold, masks->fc1_scale, head->x);
    }
    const uint16_t *keep = NULL;
    if (masks->head_threshold > 0) {
        for (uint32_t m = 0; m < members; m++) {
            uint16_t *row = head->keep + (size_t)m * (head->features / VIP_BLOCK);
            vip_keep_column(head->kernels, masks->seed, masks->head_site, m, 0, masks->head_threshold,
                            head->network->features, 1, row);
        }
        keep = head->keep;
    }
    const int fc1 = head->network->n_steps;
    dense(head, &(dense_layer){.layer = fc1, .relu = true, .keep = keep, .x = head->x, .y = head->h}, members);
    dense(head, &(dense_layer){.layer = fc1 + 1, .x = head->h, .y = head->z}, members);
    head->answered = members < head->stored ? members : head->stored;
    const uint32_t classes = head->network->classes;
    for (uint32_t m = 0; m < members; m++) {
        for (uint32_t c = 0; c < classes; c++) {
            size_t at = ((size_t)(c / VIP_BLOCK) * members + m) * HALO + 1;
            logits[(size_t)m * classes + c] = head->z[at * VIP_BLOCK + c % VIP_BLOCK];
        }
    }
}

void
vip_head_pooled(const vip_head *head, float *mean)
{
    assert(head->answered >= 1);
    for (uint32_t c = 0; c < head->network->features; c++) {
        double sum = 0;
        for (uint32_t m = 0; m < head->answered; m++) {
            sum += (double)head->pooled[(size_t)m * head->features + c];
        }
        mean[c] = (float)(sum / head->answered);
    }
}
