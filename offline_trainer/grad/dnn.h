/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dnn.h -- convolutions forward and backward by oneDNN; the only header behind which it is known.
 *
 * Activations are [rows][blocks][columns][bins][VIP_LANES], blocks of VIP_LANES channels, those beyond the last channel
 * zero; what has one channel is [rows][columns][bins]. Weights are plain, [out][in][kernel][kernel], outside, and packed
 * as oneDNN wants them for one shape inside. */
#ifndef VIP_TRAINER_DNN_H
#define VIP_TRAINER_DNN_H

#include <vipann/vipann.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VIP_LANES = 8 }; /* of a vector of AVX2, and so of oneDNN's layout nChw8c */

typedef struct vip_dnn vip_dnn;
typedef struct vip_dnn_conv vip_dnn_conv;

typedef struct {
    uint32_t rows, in, out; /* channels as they are, not rounded up to lanes */
    uint32_t kernel;        /* 1 or 3 */
    uint32_t columns, bins; /* of input and output */
    uint32_t left, right;   /* columns of zeros before and after, for a kernel of 3 */
    bool bf16;              /* weights are rounded as they are packed (bf16.h) */
} vip_dnn_shape;

/* Channels rounded up to whole blocks; one channel stays one. */
static inline uint32_t
vip_padded(uint32_t channels)
{
    return channels == 1 ? 1 : (channels + VIP_LANES - 1) / VIP_LANES * VIP_LANES;
}

/* oneDNN's engine and stream. NULL: E_MEMORY, E_UNSUPPORTED (oneDNN cannot work here). */
vip_dnn *vip_dnn_new(vipann_error *error);
void vip_dnn_free(vip_dnn *dnn);

/* One convolution of that shape; dnn is borrowed. Backward is left out where the input has one channel: oneDNN falls back
 * to plain loops there (planes.h has vip_gradient_of_frames and vip_gradient_of_stem). NULL: as above. */
vip_dnn_conv *vip_dnn_conv_new(vip_dnn *dnn, const vip_dnn_shape *shape, vipann_error *error);
void vip_dnn_conv_free(vip_dnn_conv *conv);

/* Floats of packed weights, the larger of those for forward and backward; of what a pass needs for a moment. */
size_t vip_dnn_packed(const vip_dnn_conv *conv);
size_t vip_dnn_scratch(const vip_dnn_conv *conv);

/* All passes take `scratch` of at least vip_dnn_scratch floats, aligned to 64 bytes, which nobody else uses meanwhile.
 * They return false if oneDNN failed, which it does not once the primitive has been made. */
bool vip_dnn_pack_forward(const vip_dnn_conv *conv, const float *plain, float *packed, float *scratch);
bool vip_dnn_pack_backward(const vip_dnn_conv *conv, const float *plain, float *packed, float *scratch);
bool vip_dnn_forward(const vip_dnn_conv *conv, const float *x, const float *packed, float *y, float *scratch);
bool vip_dnn_backward_data(const vip_dnn_conv *conv, const float *dy, const float *packed, float *dx, float *scratch);

/* gradient: plain. */
bool vip_dnn_backward_weights(const vip_dnn_conv *conv, const float *x, const float *dy, float *gradient,
                              float *scratch);

/* c [m][n] = a [m][k] times b [k][n] (either stored transposed if its flag is set), plus c if add is true; all rows
 * dense. */
void vip_dnn_product(bool a_transposed, bool b_transposed, size_t m, size_t n, size_t k, const float *a, const float *b,
                     bool add, float *c);

#endif /* VIP_TRAINER_DNN_H */
