/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net_heads.c -- the end of the training network: pooling over time, the dense layers of each head, and the vector that
 * a teacher's embedding is predicted with. */
#include "net_parts.h"

#include <base/memory.h>
#include <offline_trainer/base/parallel.h>

#include <string.h>

/* ------------------------------------------------------------------------------------------------------ dense layers */

static bool
dense_new(vip_net *net, vip_dense *dense, const char *module, uint32_t out, uint32_t in)
{
    const size_t rows = net->options.rows;
    dense->in = in;
    dense->out = out;
    dense->y = vip_net_alloc(net, rows * out, sizeof(float));
    dense->dy = vip_net_alloc(net, rows * out, sizeof(float));
    bool good = dense->y != NULL && dense->dy != NULL;
    static const struct {
        const char *leaf;
        size_t at;
    } parts[] = {
        {".weight", offsetof(vip_layer_numbers, weight)},  {".weight.mu", offsetof(vip_layer_numbers, weight)},
        {".weight.rho", offsetof(vip_layer_numbers, rho)}, {".bias", offsetof(vip_layer_numbers, bias)},
        {".bias.mu", offsetof(vip_layer_numbers, bias)},   {".bias.rho", offsetof(vip_layer_numbers, bias_rho)}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char name[VIP_SEGMENT_NAME] = "";
        (void)strncat(name, module, sizeof name - 16);
        const vip_segment *found = vip_parameters_find(net->parameters, strcat(name, parts[i].leaf));
        if (found != NULL) {
            *(const vip_segment **)(void *)((char *)&dense->numbers + parts[i].at) = found;
        }
    }
    if (dense->numbers.rho != NULL) {
        dense->signed_x = vip_net_alloc(net, rows * in, sizeof(float));
        dense->signed_y = vip_net_alloc(net, rows * out, sizeof(float));
        dense->sign_in = vip_net_alloc(net, rows * in, sizeof(float));
        dense->sign_out = vip_net_alloc(net, rows * out, sizeof(float));
        good = good && dense->signed_x != NULL && dense->signed_y != NULL && dense->sign_in != NULL &&
               dense->sign_out != NULL;
    }
    return good;
}

static void
dense_free(vip_dense *dense)
{
    float *const buffers[] = {dense->y, dense->dy, dense->signed_x, dense->signed_y, dense->sign_in, dense->sign_out};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) {
        vip_free(buffers[i]);
    }
}

static void
multiply(const float *a, const float *b, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = a[i] * b[i];
    }
}

/* Adds a row to each of the rows. */
static void
add_row(const float *row, size_t rows, size_t size, float *out)
{
    for (size_t i = 0; i < rows * size; i++) {
        out[i] += row[i % size];
    }
}

static void
sum_rows(const float *x, size_t rows, size_t size, float *out)
{
    for (size_t c = 0; c < size; c++) {
        double sum = 0;
        for (size_t row = 0; row < rows; row++) {
            sum += (double)x[row * size + c];
        }
        out[c] = (float)sum;
    }
}

static void
dense_forward(vip_net *net, vip_dense *dense, const float *x)
{
    const size_t rows = net->options.rows, in = dense->in, out = dense->out;
    const float *values = net->parameters->values;
    dense->x = x;
    vip_dnn_product(false, true, rows, out, in, x, values + dense->numbers.weight->offset, false, dense->y);
    add_row(values + dense->numbers.bias->offset, rows, out, dense->y);
    if (vip_net_is_noisy(net, &dense->numbers)) {
        multiply(x, dense->sign_in, rows * in, dense->signed_x);
        vip_dnn_product(false, true, rows, out, in, dense->signed_x, vip_net_noise_of(net, dense->numbers.rho), false,
                        dense->signed_y);
        add_row(vip_net_noise_of(net, dense->numbers.bias_rho), rows, out, dense->signed_y);
        for (size_t i = 0; i < rows * out; i++) {
            dense->y[i] += dense->sign_out[i] * dense->signed_y[i];
        }
    }
}

static void
dense_noise_backward(vip_net *net, vip_dense *dense, float *dx)
{
    const size_t rows = net->options.rows, in = dense->in, out = dense->out;
    multiply(dense->dy, dense->sign_out, rows * out, dense->signed_y);
    multiply(dense->x, dense->sign_in, rows * in, dense->signed_x);
    vip_dnn_product(true, false, out, in, rows, dense->signed_y, dense->signed_x, false, net->noise_gradient);
    vip_net_rho_gradient(net, dense->numbers.rho, net->noise_gradient);
    sum_rows(dense->signed_y, rows, out, net->noise_gradient);
    vip_net_rho_gradient(net, dense->numbers.bias_rho, net->noise_gradient);
    vip_dnn_product(false, false, rows, in, out, dense->signed_y, vip_net_noise_of(net, dense->numbers.rho), false,
                    dense->signed_x);
    for (size_t i = 0; i < rows * in; i++) {
        dx[i] += dense->sign_in[i] * dense->signed_x[i];
    }
}

/* From dense->dy; dx += what comes of it. */
static void
dense_backward(vip_net *net, vip_dense *dense, float *dx)
{
    const size_t rows = net->options.rows, in = dense->in, out = dense->out;
    float *gradients = net->parameters->gradients;
    vip_dnn_product(true, false, out, in, rows, dense->dy, dense->x, false, gradients + dense->numbers.weight->offset);
    sum_rows(dense->dy, rows, out, gradients + dense->numbers.bias->offset);
    vip_dnn_product(false, false, rows, in, out, dense->dy, net->parameters->values + dense->numbers.weight->offset,
                    true, dx);
    if (vip_net_is_noisy(net, &dense->numbers)) {
        dense_noise_backward(net, dense, dx);
    } else if (dense->numbers.rho != NULL) { /* no noise, no gradient */
        memset(gradients + dense->numbers.rho->offset, 0, dense->numbers.rho->count * sizeof *gradients);
        memset(gradients + dense->numbers.bias_rho->offset, 0, dense->numbers.bias_rho->count * sizeof *gradients);
    }
}

/* ------------------------------------------------------------------------------------------------------------- heads */

static int
n_heads(const vip_net *net)
{
    return net->parameters->further.second != 0 ? 2 : 1;
}

bool
vip_net_heads_new(vip_net *net)
{
    const uint32_t features = net->parameters->network.features;
    const size_t n = (size_t)net->options.rows * features;
    float **const vectors[] = {&net->pooled,    &net->d_pooled, &net->dropped,
                               &net->d_dropped, &net->keep_fc1, &net->keep_head};
    bool good = true;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        *vectors[i] = vip_net_alloc(net, n, sizeof(float));
        good = good && *vectors[i] != NULL;
    }
    net->newest = vip_net_alloc(net, n, sizeof *net->newest);
    static const char *const fc1[] = {"fc1", "second.fc1"}, *const head[] = {"fc_audioset", "second.fc_audioset"};
    const uint32_t classes[] = {net->parameters->network.classes, net->parameters->further.second};
    for (int h = 0; h < n_heads(net); h++) {
        net->hidden[h] = vip_net_alloc(net, n, sizeof(float));
        good = good && net->hidden[h] != NULL && dense_new(net, &net->fc1[h], fc1[h], features, features) &&
               dense_new(net, &net->head[h], head[h], classes[h], features);
    }
    if (net->parameters->further.embedding != 0) {
        good = good && dense_new(net, &net->embedding, "embedding", net->parameters->further.embedding, features);
    }
    return good && net->newest != NULL;
}

void
vip_net_heads_free(vip_net *net)
{
    float *const vectors[] = {net->pooled,   net->d_pooled,  net->dropped,   net->d_dropped,
                              net->keep_fc1, net->keep_head, net->hidden[0], net->hidden[1]};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        vip_free(vectors[i]);
    }
    vip_free(net->newest);
    for (int h = 0; h < VIP_N_HEADS; h++) {
        dense_free(&net->fc1[h]);
        dense_free(&net->head[h]);
    }
    dense_free(&net->embedding);
}

static void
pool_row(void *context, size_t row)
{
    vip_net *net = context;
    const int last = net->parameters->network.n_steps - 1;
    const vip_plane *plane = &net->length->planes[last];
    const size_t features = net->parameters->network.features;
    vip_plane_pooled(plane, net->act[last] + row * vip_plane_outer(plane), net->pooled + row * features,
                     net->newest + row * features);
}

void
vip_net_heads_forward(vip_net *net)
{
    const vip_network *network = &net->parameters->network;
    const size_t n = (size_t)net->options.rows * network->features;
    vip_parallel(net->options.rows, pool_row, net);
    vip_net_keep_vector(net, network->fc1_site, net->keep_fc1);
    vip_net_keep_vector(net, network->head_site, net->keep_head);
    multiply(net->pooled, net->keep_fc1, n, net->dropped);
    for (int h = 0; h < n_heads(net); h++) {
        dense_forward(net, &net->fc1[h], net->dropped);
        for (size_t i = 0; i < n; i++) {
            net->hidden[h][i] = net->fc1[h].y[i] <= 0 ? 0 : net->fc1[h].y[i] * net->keep_head[i];
        }
        dense_forward(net, &net->head[h], net->hidden[h]);
    }
    if (net->parameters->further.embedding != 0) {
        dense_forward(net, &net->embedding, net->pooled);
    }
}

static void
unpool_row(void *context, size_t row)
{
    vip_net *net = context;
    const int last = net->parameters->network.n_steps - 1;
    const vip_plane *plane = &net->length->planes[last];
    const size_t features = net->parameters->network.features;
    vip_plane_unpool(plane, net->d_pooled + row * features, net->newest + row * features,
                     net->slot[net->head_slot] + row * vip_plane_outer(plane));
}

void
vip_net_heads_backward(vip_net *net)
{
    const size_t n = (size_t)net->options.rows * net->parameters->network.features;
    memset(net->d_dropped, 0, n * sizeof *net->d_dropped);
    for (int h = 0; h < n_heads(net); h++) {
        float *d_hidden = net->fc1[h].dy;
        memset(d_hidden, 0, n * sizeof *d_hidden);
        dense_backward(net, &net->head[h], d_hidden);
        for (size_t i = 0; i < n; i++) {
            d_hidden[i] = net->fc1[h].y[i] <= 0 ? 0 : d_hidden[i] * net->keep_head[i];
        }
        dense_backward(net, &net->fc1[h], net->d_dropped);
    }
    multiply(net->d_dropped, net->keep_fc1, n, net->d_pooled);
    if (net->parameters->further.embedding != 0) {
        dense_backward(net, &net->embedding, net->d_pooled);
    }
    if (!net->options.frozen_trunk) {
        vip_parallel(net->options.rows, unpool_row, net);
    }
}
