/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net.c -- see net.h for the contract: one step of training, forward and backward. net_plan.c makes what it works with. */
#include "net_parts.h"

#include <base/denormals.h>
#include <offline_trainer/base/parallel.h>

#include <math.h>
#include <string.h>

/* A loop over the rows at one step. */
typedef struct {
    vip_net *net;
    int step;
    const uint8_t *keep;
    float *other;        /* Flipout: the other gradient of what the convolution read */
    const float *x, *dy; /* of the convolution of frames */
} at_step;

enum { STEM_AREA = 9 /* weights of its kernel */ };

static const vip_step *
step_at(const vip_net *net, int s)
{
    return &net->parameters->network.steps[s];
}

/* What a row of the convolution's input takes, in floats. */
static size_t
input_size(const vip_net *net, int s)
{
    const vip_plane *plane = &net->length->planes[s];
    return (size_t)plane->columns * plane->bins * vip_padded(step_at(net, s)->in);
}

static const float *
input_of(const vip_net *net, int s)
{
    const int source = step_at(net, s)->source;
    return source == VIP_INPUT ? net->input : net->act[source];
}

/* ------------------------------------------------------------------------------------------------------ signs of rows */

static size_t
sign_area(const vip_net *net, int s)
{
    const vip_plane *plane = &net->length->planes[s];
    return net->options.flipout == VIP_FLIPOUT_CHANNEL ? 1 : (size_t)plane->columns * plane->bins;
}

/* out = x with the signs of the convolution's input, or added. Frames have one channel: their bit is the lowest. */
static void
sign_input(const vip_net *net, int s, size_t row, const float *x, bool add, float *out)
{
    const bool per_channel = net->options.flipout == VIP_FLIPOUT_CHANNEL;
    const vip_plane *plane = &net->length->planes[s];
    const size_t n = (size_t)plane->columns * plane->bins;
    const uint32_t in = step_at(net, s)->in, blocks = (in + VIP_LANES - 1) / VIP_LANES;
    const uint8_t *negative = net->signs[s].in + row * blocks * sign_area(net, s);
    if (in > 1) {
        vip_plane_signs(blocks, n, x, negative, per_channel, add, out);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const float v = (negative[per_channel ? 0 : i] & 1) != 0 ? -x[i] : x[i];
        out[i] = add ? out[i] + v : v;
    }
}

static void
sign_input_row(void *context, size_t row)
{
    const at_step *at = context;
    const size_t size = input_size(at->net, at->step);
    sign_input(at->net, at->step, row, input_of(at->net, at->step) + row * size, false, at->net->moved_x + row * size);
}

static void
sign_output(const vip_net *net, int s, size_t row, const float *x, bool add, float *out)
{
    const vip_plane *plane = &net->length->planes[s];
    vip_plane_signs(plane->blocks, (size_t)plane->columns * plane->bins, x,
                    net->signs[s].out + row * plane->blocks * sign_area(net, s),
                    net->options.flipout == VIP_FLIPOUT_CHANNEL, add, out);
}

static void
add_noise_row(void *context, size_t row)
{
    const at_step *at = context;
    const size_t size = vip_plane_inner(&at->net->length->planes[at->step]);
    sign_output(at->net, at->step, row, at->net->moved_y + row * size, true, at->net->y[at->step] + row * size);
}

static void
sign_output_row(void *context, size_t row)
{
    const at_step *at = context;
    const size_t size = vip_plane_inner(&at->net->length->planes[at->step]);
    sign_output(at->net, at->step, row, at->net->y[at->step] + row * size, false, at->net->moved_y + row * size);
}

/* ---------------------------------------------------------------------------------------------------------- forward */

/* y = conv(x, mean weights) + s * conv(x * r, noise). */
static void
convolve(vip_net *net, int s)
{
    const vip_dnn_conv *conv = net->length->convs[s];
    const float *weights = net->parameters->values + net->layers[s].weight->offset;
    (void)vip_dnn_pack_forward(conv, weights, net->packed, net->scratch);
    (void)vip_dnn_forward(conv, input_of(net, s), net->packed, net->y[s], net->scratch);
    if (vip_net_is_noisy(net, &net->layers[s])) {
        at_step at = {.net = net, .step = s};
        vip_parallel(net->options.rows, sign_input_row, &at);
        (void)vip_dnn_pack_forward(conv, vip_net_noise_of(net, net->layers[s].rho), net->packed, net->scratch);
        (void)vip_dnn_forward(conv, net->moved_x, net->packed, net->moved_y, net->scratch);
        vip_parallel(net->options.rows, add_noise_row, &at);
    }
}

static void
sums_row(void *context, size_t row)
{
    const at_step *at = context;
    const vip_plane *plane = &at->net->length->planes[at->step];
    double *sum = at->net->partial + row * 2 * plane->blocks * VIP_LANES;
    vip_plane_sums(plane, at->net->y[at->step] + row * vip_plane_inner(plane), sum, sum + plane->blocks * VIP_LANES);
}

/* Both sums of a channel over all rows, in their order. */
static void
sum_over_rows(const vip_net *net, int s, uint32_t channel, double *sum, double *other)
{
    const size_t channels = (size_t)net->length->planes[s].blocks * VIP_LANES;
    *sum = *other = 0;
    for (size_t row = 0; row < net->options.rows; row++) {
        *sum += net->partial[row * 2 * channels + channel];
        *other += net->partial[(row * 2 + 1) * channels + channel];
    }
}

static double
elements(const vip_net *net, int s)
{
    const vip_plane *plane = &net->length->planes[s];
    return (double)net->options.rows * plane->columns * plane->bins;
}

static void
normalise(vip_net *net, int s)
{
    const vip_norm_numbers *numbers = &net->norm_numbers[s];
    vip_norm *norm = &net->norms[s];
    float *values = net->parameters->values;
    const double n = elements(net, s), momentum = (double)net->batch.momentum;
    for (uint32_t c = 0; c < step_at(net, s)->out; c++) {
        float *running_mean = values + numbers->mean->offset + c;
        float *running_variance = values + numbers->variance->offset + c;
        double mean = (double)*running_mean, variance = (double)*running_variance;
        if (!net->options.frozen_statistics) {
            double sum, square;
            sum_over_rows(net, s, c, &sum, &square);
            mean = sum / n;
            variance = square / n - mean * mean;
            variance = variance < 0 ? 0 : variance; /* NaN stays */
            *running_mean += (float)(momentum * (mean - (double)*running_mean));
            const double unbiased = n > 1 ? variance * n / (n - 1) : variance;
            *running_variance += (float)(momentum * (unbiased - (double)*running_variance));
        }
        norm->deviation[c] = 1 / sqrt(variance + (double)VIP_BN_EPSILON);
        const double scale = (double)values[numbers->weight->offset + c] * norm->deviation[c];
        norm->mean[c] = (float)mean;
        norm->scale[c] = (float)scale;
        norm->shift[c] = (float)((double)values[numbers->bias->offset + c] - mean * scale);
    }
}

static const float *
residual_of(const vip_net *net, int s, size_t row)
{
    const int residual = step_at(net, s)->residual;
    return residual == VIP_NONE ? NULL : net->act[residual] + row * vip_plane_inner(&net->length->planes[s]);
}

static void
forward_row(void *context, size_t row)
{
    const at_step *at = context;
    const vip_net *net = at->net;
    const vip_plane *plane = &net->length->planes[at->step];
    const vip_norm *norm = &net->norms[at->step];
    const size_t outer = vip_plane_outer(plane);
    vip_plane_forward(plane, net->y[at->step] + row * vip_plane_inner(plane), norm->scale, norm->shift,
                      residual_of(net, at->step, row), at->keep != NULL ? at->keep + row * (outer / VIP_LANES) : NULL,
                      vip_net_keep_scale(net, step_at(net, at->step)->site), net->act[at->step] + row * outer);
}

static const vip_length *
length_of(const vip_net *net, uint32_t frames)
{
    const vip_length *length = net->lengths;
    while (length->frames != frames) {
        length++;
    }
    return length;
}

void
vip_net_forward(vip_net *net, const vip_batch *batch, bool train)
{
    const unsigned before = vip_denormals_off();
    net->batch = *batch;
    net->train = train;
    net->length = length_of(net, batch->frames);
    vip_net_draw(net);
    vip_net_input_forward(net);
    for (int s = 0; s < net->parameters->network.n_steps; s++) {
        at_step at = {.net = net, .step = s};
        convolve(net, s);
        if (!net->options.frozen_statistics) {
            vip_parallel(net->options.rows, sums_row, &at);
        }
        normalise(net, s);
        at.keep = vip_net_keep(net, s);
        vip_parallel(net->options.rows, forward_row, &at);
    }
    vip_net_heads_forward(net);
    vip_denormals_restore(before);
}

/* --------------------------------------------------------------------------------------------------------- backward */

static void
backward_row(void *context, size_t row)
{
    const at_step *at = context;
    const vip_net *net = at->net;
    const int s = at->step;
    const vip_plane *plane = &net->length->planes[s];
    const vip_slots *slots = &net->slots[s];
    const vip_norm *norm = &net->norms[s];
    const size_t inner = vip_plane_inner(plane), outer = vip_plane_outer(plane);
    const int site = step_at(net, s)->site;
    const vip_plane_gradients from = {
        .d1 = net->slot[slots->d1] + row * outer,
        .d2 = slots->d2 != VIP_NO_SLOT ? net->slot[slots->d2] + row * outer : NULL,
        .out = net->act[s] + row * outer,
        .y = net->y[s] + row * inner,
        .residual = residual_of(net, s, row),
        .scale = norm->scale,
        .shift = norm->shift,
        .mean = norm->mean,
        .keep_scale = site != VIP_NONE && net->rates[site] > 0 ? vip_net_keep_scale(net, site) : 1,
    };
    double *sum = net->partial + row * 2 * plane->blocks * VIP_LANES;
    vip_plane_backward(plane, &from, net->slot[slots->g] + row * inner, sum, sum + plane->blocks * VIP_LANES);
}

/* The gradients of weight and bias, and what the next loop multiplies with. */
static void
differentiate(vip_net *net, int s)
{
    const vip_norm_numbers *numbers = &net->norm_numbers[s];
    vip_norm *norm = &net->norms[s];
    const double n = elements(net, s);
    const bool fixed = net->options.frozen_statistics;
    for (uint32_t c = 0; c < step_at(net, s)->out; c++) {
        double sum, product;
        sum_over_rows(net, s, c, &sum, &product);
        const double deviation = norm->deviation[c], a = (double)norm->scale[c];
        net->parameters->gradients[numbers->bias->offset + c] = (float)sum;
        net->parameters->gradients[numbers->weight->offset + c] = (float)(product * deviation);
        norm->a[c] = (float)a;
        norm->b[c] = fixed ? 0 : (float)(a * sum / n);
        norm->c[c] = fixed ? 0 : (float)(a * product * deviation * deviation / n);
    }
}

static void
apply_row(void *context, size_t row)
{
    const at_step *at = context;
    const vip_net *net = at->net;
    const vip_plane *plane = &net->length->planes[at->step];
    const vip_norm *norm = &net->norms[at->step];
    const size_t inner = vip_plane_inner(plane);
    vip_plane_apply(plane, net->slot[net->slots[at->step].g] + row * inner, norm->a, norm->b, norm->c, norm->mean,
                    net->y[at->step] + row * inner);
}

static void
frames_row(void *context, size_t row)
{
    const at_step *at = context;
    const vip_net *net = at->net;
    const vip_plane *plane = &net->length->planes[at->step];
    const vip_network *network = &net->parameters->network;
    const size_t inner = vip_plane_inner(plane), frames = (size_t)plane->columns * plane->bins;
    const vip_layer_numbers *numbers = &net->layers[at->step];
    float *dx = net->d_input + row * frames;
    vip_gradient_of_frames(step_at(net, at->step)->out, plane->columns, plane->bins, network->left,
                           net->parameters->values + numbers->weight->offset, net->y[at->step] + row * inner, false,
                           dx);
    if (vip_net_is_noisy(net, numbers)) {
        float *other = net->moved_x + row * frames;
        vip_gradient_of_frames(step_at(net, at->step)->out, plane->columns, plane->bins, network->left,
                               vip_net_noise_of(net, numbers->rho), net->moved_y + row * inner, false, other);
        sign_input(net, at->step, row, other, true, dx);
    }
}

static void
stem_row(void *context, size_t row)
{
    const at_step *at = context;
    const vip_net *net = at->net;
    const vip_plane *plane = &net->length->planes[at->step];
    const vip_step *step = step_at(net, at->step);
    vip_gradient_of_stem(step->out, plane->columns, plane->bins, net->parameters->network.left,
                         at->x + row * plane->columns * plane->bins, at->dy + row * vip_plane_inner(plane),
                         net->partial + row * STEM_AREA * step->out);
}

/* The gradient of the weights of a convolution that read x, from the gradient of what it gave. oneDNN has none for one
 * channel that is worth the name. */
static void
gradient_of_weights(vip_net *net, int s, const float *x, const float *dy, float *gradient)
{
    if (step_at(net, s)->in > 1) {
        (void)vip_dnn_backward_weights(net->length->convs[s], x, dy, gradient, net->scratch);
        return;
    }
    at_step at = {.net = net, .step = s, .x = x, .dy = dy};
    vip_parallel(net->options.rows, stem_row, &at);
    const size_t n = (size_t)STEM_AREA * step_at(net, s)->out;
    for (size_t e = 0; e < n; e++) {
        double sum = 0;
        for (size_t row = 0; row < net->options.rows; row++) {
            sum += net->partial[row * n + e];
        }
        gradient[e] = (float)sum;
    }
}

static void
add_noise_gradient_row(void *context, size_t row)
{
    const at_step *at = context;
    const size_t size = input_size(at->net, at->step);
    sign_input(at->net, at->step, row, at->net->moved_x + row * size, true, at->other + row * size);
}

/* From y, which holds the gradient with respect to the convolution's output: gradients of the weights, and of what it
 * read. */
static void
convolve_backward(vip_net *net, int s)
{
    const vip_dnn_conv *conv = net->length->convs[s];
    const vip_layer_numbers *numbers = &net->layers[s];
    float *gradients = net->parameters->gradients;
    at_step at = {.net = net, .step = s};
    const bool noisy = vip_net_is_noisy(net, numbers);
    gradient_of_weights(net, s, input_of(net, s), net->y[s], gradients + numbers->weight->offset);
    if (noisy) {
        vip_parallel(net->options.rows, sign_input_row, &at);
        vip_parallel(net->options.rows, sign_output_row, &at);
        gradient_of_weights(net, s, net->moved_x, net->moved_y, net->noise_gradient);
        vip_net_rho_gradient(net, numbers->rho, net->noise_gradient);
    } else if (numbers->rho != NULL) {
        memset(gradients + numbers->rho->offset, 0, numbers->rho->count * sizeof *gradients);
    }
    if (step_at(net, s)->source == VIP_INPUT) {
        vip_parallel(net->options.rows, frames_row, &at);
        return;
    }
    at.other = net->slot[net->slots[s].dx];
    (void)vip_dnn_pack_backward(conv, net->parameters->values + numbers->weight->offset, net->packed, net->scratch);
    (void)vip_dnn_backward_data(conv, net->y[s], net->packed, at.other, net->scratch);
    if (noisy) {
        (void)vip_dnn_pack_backward(conv, vip_net_noise_of(net, numbers->rho), net->packed, net->scratch);
        (void)vip_dnn_backward_data(conv, net->moved_y, net->packed, net->moved_x, net->scratch);
        vip_parallel(net->options.rows, add_noise_gradient_row, &at);
    }
}

static void
clear_trunk(vip_net *net)
{
    for (int i = 0; i < net->parameters->n_segments; i++) {
        const vip_segment *segment = &net->parameters->segments[i];
        if (segment->layer >= -1 && segment->offset < net->parameters->n_trainable) {
            memset(net->parameters->gradients + segment->offset, 0, segment->count * sizeof(float));
        }
    }
}

void
vip_net_backward(vip_net *net)
{
    const unsigned before = vip_denormals_off();
    vip_net_heads_backward(net);
    if (net->options.frozen_trunk) {
        clear_trunk(net);
    } else {
        for (int s = net->parameters->network.n_steps - 1; s >= 0; s--) {
            at_step at = {.net = net, .step = s};
            vip_parallel(net->options.rows, backward_row, &at);
            differentiate(net, s);
            vip_parallel(net->options.rows, apply_row, &at);
            convolve_backward(net, s);
        }
        vip_net_input_backward(net);
    }
    vip_denormals_restore(before);
}

const float *
vip_net_output(const vip_net *net, vip_output output)
{
    const vip_dense *const outputs[] = {&net->head[0], &net->head[1], &net->embedding};
    return outputs[output]->y;
}

float *
vip_net_output_gradient(vip_net *net, vip_output output)
{
    vip_dense *const outputs[] = {&net->head[0], &net->head[1], &net->embedding};
    return outputs[output]->dy;
}

size_t
vip_net_bytes(const vip_net *net)
{
    return net->bytes;
}
