/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net_input.c -- the beginning of the training network: batch norm of the frames per bin, then SpecAugment and mixup of
 * what comes of it, as Kong et al. (2020) do; 0 is the mean there. */
#include "bf16.h"
#include "net_parts.h"

#include <offline_trainer/base/parallel.h>

#include <math.h>
#include <string.h>

/* --------------------------------------------------------------------------------------------------------- forward */

static void
sum_row(void *context, size_t row)
{
    vip_net *net = context;
    const float *x = net->batch.logmel + row * net->batch.frames * VIP_MELS;
    double *sum = net->partial + row * 2 * VIP_MELS, *square = sum + VIP_MELS;
    memset(sum, 0, 2 * VIP_MELS * sizeof *sum);
    for (uint32_t t = 0; t < net->batch.frames; t++) {
        for (int m = 0; m < VIP_MELS; m++) {
            const double v = (double)x[t * VIP_MELS + (uint32_t)m];
            sum[m] += v;
            square[m] += v * v;
        }
    }
}

static void
find_statistics(vip_net *net, size_t rows)
{
    float *values = net->parameters->values;
    float *running_mean = values + net->bn0_numbers.mean->offset;
    float *running_variance = values + net->bn0_numbers.variance->offset;
    const double n = (double)rows * net->batch.frames, momentum = (double)net->batch.momentum;
    for (int m = 0; m < VIP_MELS; m++) {
        double mean = (double)running_mean[m], variance = (double)running_variance[m];
        if (!net->options.frozen_statistics) {
            double sum = 0, square = 0;
            for (size_t row = 0; row < rows; row++) {
                sum += net->partial[row * 2 * VIP_MELS + (size_t)m];
                square += net->partial[row * 2 * VIP_MELS + VIP_MELS + (size_t)m];
            }
            const double found = square / n - sum / n * (sum / n);
            mean = sum / n;
            variance = found < 0 ? 0 : found; /* NaN stays */
            running_mean[m] += (float)(momentum * (mean - (double)running_mean[m]));
            const double unbiased = n > 1 ? variance * n / (n - 1) : variance;
            running_variance[m] += (float)(momentum * (unbiased - (double)running_variance[m]));
        }
        net->bn0_mean[m] = (float)mean;
        net->bn0_deviation[m] = (float)(1 / sqrt(variance + (double)VIP_BN_EPSILON));
    }
}

static bool
is_masked(const vip_stripes *stripes, uint32_t t)
{
    for (int i = 0; i < VIP_STRIPES; i++) {
        if (t - stripes->time[i] < stripes->time_width[i]) { /* wraps to something large before the first */
            return true;
        }
    }
    return false;
}

static void
mask_bins(const vip_stripes *stripes, float *frame)
{
    for (int i = 0; i < VIP_STRIPES; i++) {
        for (uint32_t m = stripes->bin[i]; m < (uint32_t)stripes->bin[i] + stripes->bin_width[i] && m < VIP_MELS; m++) {
            frame[m] = 0;
        }
    }
}

/* out += weight * the frame behind bn0 and stripes. */
static void
add_frame(const vip_net *net, size_t row, uint32_t t, float weight, float *out)
{
    const vip_stripes *stripes = net->batch.stripes != NULL ? &net->batch.stripes[row] : NULL;
    if (stripes != NULL && is_masked(stripes, t)) {
        return;
    }
    const float *x = net->batch.logmel + (row * net->batch.frames + t) * VIP_MELS;
    const float *scale = net->parameters->values + net->bn0_numbers.weight->offset;
    const float *shift = net->parameters->values + net->bn0_numbers.bias->offset;
    float frame[VIP_MELS];
    for (int m = 0; m < VIP_MELS; m++) {
        frame[m] = (x[m] - net->bn0_mean[m]) * net->bn0_deviation[m] * scale[m] + shift[m];
    }
    if (stripes != NULL) {
        mask_bins(stripes, frame);
    }
    for (int m = 0; m < VIP_MELS; m++) {
        out[m] += weight * frame[m];
    }
}

static void
forward_row(void *context, size_t row)
{
    vip_net *net = context;
    float *out = net->input + row * net->batch.frames * VIP_MELS;
    memset(out, 0, (size_t)net->batch.frames * VIP_MELS * sizeof *out);
    for (uint32_t t = 0; t < net->batch.frames; t++, out += VIP_MELS) {
        if (net->batch.mix == NULL) {
            add_frame(net, row, t, 1, out);
        } else {
            add_frame(net, 2 * row, t, net->batch.mix[row], out);
            add_frame(net, 2 * row + 1, t, 1 - net->batch.mix[row], out);
        }
        for (int m = 0; m < VIP_MELS && net->options.precision == VIP_PRECISION_BF16; m++) {
            out[m] = vip_bf16(out[m]);
        }
    }
}

void
vip_net_input_forward(vip_net *net)
{
    const size_t rows = net->batch.mix != NULL ? 2 * net->options.rows : net->options.rows;
    if (!net->options.frozen_statistics) {
        vip_parallel(rows, sum_row, net);
    }
    find_statistics(net, rows);
    vip_parallel(net->options.rows, forward_row, net);
}

/* -------------------------------------------------------------------------------------------------------- backward */

/* The gradient of one frame behind bn0, before stripes and mixup. */
static bool
gradient_of_frame(const vip_net *net, size_t row, uint32_t t, float *g)
{
    const vip_stripes *stripes = net->batch.stripes != NULL ? &net->batch.stripes[row] : NULL;
    if (stripes != NULL && is_masked(stripes, t)) {
        memset(g, 0, VIP_MELS * sizeof *g);
        return false;
    }
    const size_t mixed = net->batch.mix != NULL ? row / 2 : row;
    const float lambda = net->batch.mix != NULL ? net->batch.mix[mixed] : 1;
    const float weight = net->batch.mix != NULL && row % 2 == 1 ? 1 - lambda : lambda;
    const float *d = net->d_input + (mixed * net->batch.frames + t) * VIP_MELS;
    for (int m = 0; m < VIP_MELS; m++) {
        g[m] = weight * d[m];
    }
    if (stripes != NULL) {
        mask_bins(stripes, g);
    }
    return true;
}

static void
backward_row(void *context, size_t row)
{
    vip_net *net = context;
    const float *x = net->batch.logmel + row * net->batch.frames * VIP_MELS;
    double *sum = net->partial + row * 2 * VIP_MELS, *product = sum + VIP_MELS;
    memset(sum, 0, 2 * VIP_MELS * sizeof *sum);
    for (uint32_t t = 0; t < net->batch.frames; t++, x += VIP_MELS) {
        float g[VIP_MELS];
        if (gradient_of_frame(net, row, t, g)) {
            for (int m = 0; m < VIP_MELS; m++) {
                sum[m] += (double)g[m];
                product[m] += (double)(g[m] * (x[m] - net->bn0_mean[m]));
            }
        }
    }
}

static void
frames_row(void *context, size_t row)
{
    vip_net *net = context;
    const float *scale = net->parameters->values + net->bn0_numbers.weight->offset;
    const float *sum = net->parameters->gradients + net->bn0_numbers.bias->offset;
    const float *product = net->parameters->gradients + net->bn0_numbers.weight->offset;
    const float n = net->options.frozen_statistics ? INFINITY : (float)(net->options.rows * net->batch.frames);
    const float *x = net->batch.logmel + row * net->batch.frames * VIP_MELS;
    float *out = net->d_frames + row * net->batch.frames * VIP_MELS;
    for (uint32_t t = 0; t < net->batch.frames; t++, x += VIP_MELS, out += VIP_MELS) {
        float g[VIP_MELS];
        (void)gradient_of_frame(net, row, t, g);
        for (int m = 0; m < VIP_MELS; m++) {
            const float centred = (x[m] - net->bn0_mean[m]) * net->bn0_deviation[m];
            out[m] = scale[m] * net->bn0_deviation[m] * (g[m] - sum[m] / n - centred * product[m] / n);
        }
    }
}

void
vip_net_input_backward(vip_net *net)
{
    const size_t rows = net->batch.mix != NULL ? 2 * net->options.rows : net->options.rows;
    vip_parallel(rows, backward_row, net);
    float *bias = net->parameters->gradients + net->bn0_numbers.bias->offset;
    float *weight = net->parameters->gradients + net->bn0_numbers.weight->offset;
    for (int m = 0; m < VIP_MELS; m++) {
        double sum = 0, product = 0;
        for (size_t row = 0; row < rows; row++) {
            sum += net->partial[row * 2 * VIP_MELS + (size_t)m];
            product += net->partial[row * 2 * VIP_MELS + VIP_MELS + (size_t)m];
        }
        bias[m] = (float)sum;
        weight[m] = (float)(product * (double)net->bn0_deviation[m]);
    }
}

const float *
vip_net_input_gradient(vip_net *net)
{
    vip_parallel(net->options.rows, frames_row, net);
    return net->d_frames;
}
