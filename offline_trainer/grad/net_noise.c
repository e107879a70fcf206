/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net_noise.c -- what is random in the training network, all of it keyed (method 3): dropout masks, Flipout's noise and
 * signs. The numbers are those that a stream or a clip would see at the same place. */
#include "net_parts.h"

#include <base/philox.h>
#include <bayes/keyed.h>
#include <offline_trainer/base/parallel.h>

#include <math.h>
#include <string.h>

enum { CHUNK = 1 << 14 /* numbers that one turn draws */, WIDEST = 128 * 32 * 8, MOST_ELEMENTS = 1 << 15 };

/* ---------------------------------------------------------------------------------------------------------- dropout */

float
vip_net_keep_scale(const vip_net *net, int site)
{
    return site == VIP_NONE || !net->train ? 1 : vip_keep_scale(net->rates[site]);
}

void
vip_net_set_dropout(vip_net *net, double factor)
{
    for (int i = 0; i < VIP_MAX_SITES; i++) {
        net->rates[i] = (float)(factor * (double)net->options.rates[i]);
    }
}

typedef struct {
    vip_net *net;
    int step;
} place;

/* Masks of 16 channels a word become bytes of 8. */
static void
keep_row(void *context, size_t row)
{
    const place *p = context;
    vip_net *net = p->net;
    const vip_step *step = &net->parameters->network.steps[p->step];
    const vip_site *site = &net->parameters->network.sites[step->site];
    const vip_plane *plane = &net->length->planes[p->step];
    const uint32_t shrink = plane->pool ? 2 : 1, columns = plane->columns / shrink, bins = plane->bins / shrink;
    const uint32_t words = (step->out + 15) / 16, threshold = vip_keep_threshold(net->rates[step->site]);
    uint16_t keep[WIDEST / 16];
    uint8_t *out = net->keep + row * (vip_plane_outer(plane) / VIP_LANES);
    for (uint32_t t = 0; t < columns; t++) {
        vip_keep_column(net->kernels, net->options.seed, site->id, net->batch.draws[row], t, threshold, step->out, bins,
                        keep);
        for (uint32_t f = 0; f < bins; f++) {
            for (uint32_t b = 0; b < plane->blocks; b++) {
                const uint16_t word = keep[f * words + b / 2];
                out[(b * columns + t) * bins + f] = (uint8_t)(b % 2 == 0 ? word & 0xff : word >> 8);
            }
        }
    }
}

const uint8_t *
vip_net_keep(vip_net *net, int step)
{
    const int site = net->parameters->network.steps[step].site;
    if (site == VIP_NONE || !net->train || net->rates[site] <= 0) {
        return NULL;
    }
    place p = {net, step};
    vip_parallel(net->options.rows, keep_row, &p);
    return net->keep;
}

void
vip_net_keep_vector(const vip_net *net, int site, float *keep)
{
    const vip_network *network = &net->parameters->network;
    const float rate = net->train ? net->rates[site] : 0, scale = vip_keep_scale(rate);
    unsigned char kept[32 * VIP_MAX_WIDTH];
    for (size_t row = 0; row < net->options.rows; row++, keep += network->features) {
        if (rate > 0) {
            vip_keyed_keep(net->options.seed, network->sites[site].id, net->batch.draws[row], 0, rate, kept,
                           network->features);
        }
        for (uint32_t c = 0; c < network->features; c++) {
            keep[c] = rate <= 0 ? 1 : kept[c] != 0 ? scale : 0;
        }
    }
}

/* ------------------------------------------------------------------------------------------------------------ noise */

bool
vip_net_is_noisy(const vip_net *net, const vip_layer_numbers *numbers)
{
    return net->train && numbers->rho != NULL;
}

const float *
vip_net_noise_of(const vip_net *net, const vip_segment *rho)
{
    return net->noise + net->eps_offset[rho - net->parameters->segments];
}

typedef struct {
    vip_net *net;
    const vip_segment *rho;
    const float *noise_gradient;
} tensor_place;

/* softplus and its derivative, in double since sigma is small. */
static void
draw_chunk(void *context, size_t turn)
{
    const tensor_place *p = context;
    const size_t first = turn * CHUNK, end = first + CHUNK < p->rho->count ? first + CHUNK : p->rho->count;
    const float *rho = p->net->parameters->values + p->rho->offset;
    float *eps = p->net->eps + p->net->eps_offset[p->rho - p->net->parameters->segments];
    float *noise = p->net->noise + (eps - p->net->eps);
    for (size_t e = first; e < end; e += 4) {
        uint32_t words[4];
        const uint32_t counter[4] = {(uint32_t)(e / 4), 0, (uint32_t)VIP_KEYED_EPS << 24 | (uint32_t)p->rho->keyed,
                                     p->net->batch.eps_draw};
        vip_philox(p->net->options.seed, counter, words);
        for (size_t i = 0; i < 4 && e + i < end; i++) {
            const float r = rho[e + i];
            eps[e + i] = vip_normal(words[i]);
            noise[e + i] = ((r > 0 ? r : 0) + log1pf(expf(-fabsf(r)))) * eps[e + i];
        }
    }
}

static size_t
chunks(const vip_segment *segment)
{
    return (segment->count + CHUNK - 1) / CHUNK;
}

static void
rho_chunk(void *context, size_t turn)
{
    const tensor_place *p = context;
    const size_t first = turn * CHUNK, end = first + CHUNK < p->rho->count ? first + CHUNK : p->rho->count;
    const float *rho = p->net->parameters->values + p->rho->offset;
    const float *eps = p->net->eps + p->net->eps_offset[p->rho - p->net->parameters->segments];
    float *gradient = p->net->parameters->gradients + p->rho->offset;
    for (size_t e = first; e < end; e++) {
        gradient[e] = p->noise_gradient[e] * eps[e] / (1 + expf(-rho[e]));
    }
}

void
vip_net_rho_gradient(vip_net *net, const vip_segment *rho, const float *noise_gradient)
{
    tensor_place p = {net, rho, noise_gradient};
    vip_parallel(chunks(rho), rho_chunk, &p);
}

/* ------------------------------------------------------------------------------------------------------------ signs */

/* Signs of one column as bits of lanes: element e = bin * channels + channel becomes bit channel % 8 of the byte of its
 * block and bin, which are `step` bytes apart from block to block. */
static void
pack_signs(const unsigned char *negative, uint32_t channels, uint32_t bins, size_t step, uint8_t *out)
{
    for (uint32_t f = 0; f < bins; f++) {
        for (uint32_t c = 0; c < channels; c++) {
            uint8_t *byte = out + c / VIP_LANES * step + f;
            *byte = (uint8_t)((c % VIP_LANES == 0 ? 0 : *byte) | negative[f * channels + c] << c % VIP_LANES);
        }
    }
}

/* Of one row: [blocks] per channel, [blocks][columns][bins] per element. */
static void
draw_signs(const vip_net *net, vip_keyed_kind kind, int keyed, uint32_t draw, uint32_t channels, uint32_t columns,
           uint32_t bins, uint8_t *out)
{
    unsigned char negative[MOST_ELEMENTS];
    const bool per_channel = net->options.flipout == VIP_FLIPOUT_CHANNEL;
    for (uint32_t t = 0; t < (per_channel ? 1 : columns); t++) {
        const uint32_t wide = per_channel ? 1 : bins;
        vip_keyed_signs(net->options.seed, kind, (uint32_t)keyed, draw, t, negative, (size_t)channels * wide);
        pack_signs(negative, channels, wide, per_channel ? 1 : (size_t)columns * bins, out + (size_t)t * wide);
    }
}

static void
signs_row(void *context, size_t row)
{
    const place *p = context;
    vip_net *net = p->net;
    const vip_step *step = &net->parameters->network.steps[p->step];
    const vip_plane *plane = &net->length->planes[p->step];
    const int keyed = net->layers[p->step].rho->keyed;
    const size_t area = net->options.flipout == VIP_FLIPOUT_CHANNEL ? 1 : (size_t)plane->columns * plane->bins;
    const size_t in_blocks = (step->in + VIP_LANES - 1) / VIP_LANES;
    const uint32_t draw = net->batch.draws[row];
    draw_signs(net, VIP_KEYED_SIGN_IN, keyed, draw, step->in, plane->columns, plane->bins,
               net->signs[p->step].in + row * in_blocks * area);
    draw_signs(net, VIP_KEYED_SIGN_OUT, keyed, draw, step->out, plane->columns, plane->bins,
               net->signs[p->step].out + row * plane->blocks * area);
}

static void
draw_vector(const vip_net *net, vip_keyed_kind kind, const vip_segment *rho, uint32_t size, float *signs)
{
    unsigned char negative[MOST_ELEMENTS];
    for (size_t row = 0; row < net->options.rows; row++, signs += size) {
        vip_keyed_signs(net->options.seed, kind, (uint32_t)rho->keyed, net->batch.draws[row], 0, negative, size);
        for (uint32_t c = 0; c < size; c++) {
            signs[c] = negative[c] != 0 ? -1.0f : 1.0f;
        }
    }
}

void
vip_net_draw(vip_net *net)
{
    if (!net->train || !net->parameters->mean_field) {
        return;
    }
    for (int i = 0; i < net->parameters->n_segments; i++) {
        tensor_place p = {net, &net->parameters->segments[i], NULL};
        if (p.rho->rho) {
            vip_parallel(chunks(p.rho), draw_chunk, &p);
        }
    }
    for (int s = 0; s < net->parameters->network.n_steps; s++) {
        place p = {net, s};
        if (net->layers[s].rho != NULL) {
            vip_parallel(net->options.rows, signs_row, &p);
        }
    }
    vip_dense *const dense[] = {&net->fc1[0], &net->head[0]}; /* the second head is never stochastic */
    for (size_t i = 0; i < sizeof dense / sizeof *dense; i++) {
        if (dense[i]->numbers.rho != NULL) {
            draw_vector(net, VIP_KEYED_SIGN_IN, dense[i]->numbers.rho, dense[i]->in, dense[i]->sign_in);
            draw_vector(net, VIP_KEYED_SIGN_OUT, dense[i]->numbers.rho, dense[i]->out, dense[i]->sign_out);
        }
    }
}
