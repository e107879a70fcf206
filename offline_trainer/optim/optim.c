/* SPDX-License-Identifier: GPL-3.0-or-later */
/* optim.c -- see optim.h for the contract. */
#include "optim.h"

#include <base/memory.h>
#include <offline_trainer/base/parallel.h>

#include <math.h>
#include <string.h>

enum { PIECE = 1 << 14 /* numbers in one turn: 64 KiB of each array */ };

const char *const VIP_OPTIMISER_NAMES[VIP_N_OPTIMISERS + 1] = {"sgd", "adam", "amsgrad", "adamw", NULL};

/* Arrays of n numbers that each kind remembers. */
static const size_t MEMORIES[VIP_N_OPTIMISERS] = {[VIP_SGD] = 1, [VIP_ADAM] = 2, [VIP_AMSGRAD] = 3, [VIP_ADAMW] = 2};

struct vip_optimiser {
    vip_optimiser_options options;
    size_t n;
    uint64_t steps;
    float *memory;       /* [MEMORIES][n]: momentum; or first moment, second moment, its largest */
    vip_stretch *pieces; /* [n_pieces], of the stretches that are trained */
    size_t n_pieces;
    double *partial; /* [n_pieces] */
};

vip_optimiser_options
vip_optimiser_defaults(vip_optimiser_kind kind)
{
    return (vip_optimiser_options){.kind = kind, .momentum = 0.9, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
}

size_t
vip_stretches(const vip_parameters *parameters, bool frozen_trunk, vip_stretch *stretches)
{
    size_t n = 0;
    for (int i = 0; i < parameters->n_segments; i++) {
        const vip_segment *segment = &parameters->segments[i];
        if (segment->offset >= parameters->n_trainable) {
            continue;
        }
        const bool trunk = segment->layer >= -1; /* a step or bn0; below are the outputs */
        const bool weight = segment->kind == VIP_CONV_WEIGHT || segment->kind == VIP_LINEAR_WEIGHT;
        stretches[n++] = (vip_stretch){.offset = segment->offset,
                                       .count = segment->count,
                                       .rate = frozen_trunk && trunk ? 0.0f : 1.0f,
                                       .decay = weight && !segment->rho ? 1.0f : 0.0f};
    }
    return n;
}

/* ------------------------------------------------------------------------------------------------------- making one */

static size_t
pieces_of(const vip_stretch *stretch)
{
    return stretch->rate > 0 ? (stretch->count + PIECE - 1) / PIECE : 0;
}

static void
cut(vip_optimiser *o, const vip_stretch *stretch)
{
    for (size_t i = 0; i < pieces_of(stretch); i++) {
        vip_stretch *piece = &o->pieces[o->n_pieces++];
        *piece = *stretch;
        piece->offset += i * PIECE;
        piece->count = stretch->count - i * PIECE < PIECE ? stretch->count - i * PIECE : PIECE;
    }
}

vip_optimiser *
vip_optimiser_new(const vip_optimiser_options *options, const vip_stretch *stretches, size_t n_stretches, size_t n)
{
    vip_optimiser *o = vip_alloc(1, sizeof *o);
    if (o == NULL) {
        return NULL;
    }
    size_t n_pieces = 0;
    for (size_t i = 0; i < n_stretches; i++) {
        n_pieces += pieces_of(&stretches[i]);
    }
    o->options = *options;
    o->n = n;
    o->memory = vip_alloc(vip_product(n, MEMORIES[options->kind]), sizeof *o->memory);
    o->pieces = vip_alloc(n_pieces, sizeof *o->pieces);
    o->partial = vip_alloc(n_pieces, sizeof *o->partial);
    if (o->memory == NULL || o->pieces == NULL || o->partial == NULL) {
        vip_optimiser_free(o);
        return NULL;
    }
    for (size_t i = 0; i < n_stretches; i++) {
        cut(o, &stretches[i]);
    }
    return o;
}

void
vip_optimiser_free(vip_optimiser *optimiser)
{
    if (optimiser != NULL) {
        vip_free(optimiser->memory);
        vip_free(optimiser->pieces);
        vip_free(optimiser->partial);
        vip_free(optimiser);
    }
}

float *
vip_optimiser_memory(vip_optimiser *optimiser, size_t *count)
{
    *count = optimiser->n * MEMORIES[optimiser->options.kind];
    return optimiser->memory;
}

uint64_t
vip_optimiser_steps(const vip_optimiser *optimiser)
{
    return optimiser->steps;
}

void
vip_optimiser_set_steps(vip_optimiser *optimiser, uint64_t steps)
{
    optimiser->steps = steps;
}

/* --------------------------------------------------------------------------------------------------------- the norm */

typedef struct {
    vip_optimiser *optimiser;
    const float *gradients;
} measured;

static void
square_piece(void *context, size_t turn)
{
    const measured *m = context;
    const vip_stretch *piece = &m->optimiser->pieces[turn];
    const float *g = m->gradients + piece->offset;
    double sums[4] = {0, 0, 0, 0}; /* several at a time, in an order of their own */
    size_t i = 0;
    for (; i + 4 <= piece->count; i += 4) {
        for (size_t k = 0; k < 4; k++) {
            sums[k] += (double)g[i + k] * (double)g[i + k];
        }
    }
    for (; i < piece->count; i++) {
        sums[0] += (double)g[i] * (double)g[i];
    }
    m->optimiser->partial[turn] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

double
vip_optimiser_norm(vip_optimiser *optimiser, const float *gradients)
{
    measured m = {optimiser, gradients};
    vip_parallel(optimiser->n_pieces, square_piece, &m);
    double sum = 0;
    for (size_t i = 0; i < optimiser->n_pieces; i++) {
        sum += optimiser->partial[i];
    }
    return sqrt(sum);
}

/* ---------------------------------------------------------------------------------------------------------- the step */

/* What is the same for all numbers of a step; single precision as in PyTorch's kernels. */
typedef struct {
    const vip_optimiser *optimiser;
    const float *gradients;
    float *values;
    double rate;
    float scale;
    float root; /* of the second moment's correction */
    float step; /* rate over the first moment's correction */
} stepping;

static void
sgd(const stepping *s, const vip_stretch *piece)
{
    const float momentum = (float)s->optimiser->options.momentum, rate = (float)(s->rate * (double)piece->rate);
    const float decay = (float)s->optimiser->options.decay * piece->decay;
    const float *g = s->gradients + piece->offset;
    float *w = s->values + piece->offset, *v = s->optimiser->memory + piece->offset;
    for (size_t i = 0; i < piece->count; i++) {
        const float gradient = g[i] * s->scale + decay * w[i];
        v[i] = momentum * v[i] + gradient;
        w[i] -= rate * (gradient + momentum * v[i]);
    }
}

static void
adam(const stepping *s, const vip_stretch *piece)
{
    const vip_optimiser *o = s->optimiser;
    const bool decoupled = o->options.kind == VIP_ADAMW, largest = o->options.kind == VIP_AMSGRAD;
    const float decay = (float)o->options.decay * piece->decay;
    const float added = decoupled ? 0 : decay,
                kept = decoupled ? (float)(1 - s->rate * (double)(piece->rate * decay)) : 1;
    const float beta1 = (float)o->options.beta1, beta2 = (float)o->options.beta2;
    const float other1 = (float)(1 - o->options.beta1), other2 = (float)(1 - o->options.beta2);
    const float epsilon = (float)o->options.epsilon, step = s->step * piece->rate;
    const float *g = s->gradients + piece->offset;
    float *w = s->values + piece->offset, *m = o->memory + piece->offset, *v = m + o->n, *most = largest ? v + o->n : v;
    for (size_t i = 0; i < piece->count; i++) {
        const float gradient = g[i] * s->scale + added * w[i];
        m[i] = beta1 * m[i] + other1 * gradient;
        v[i] = beta2 * v[i] + other2 * gradient * gradient;
        most[i] = most[i] > v[i] ? most[i] : v[i];
        w[i] = kept * w[i] - step * (m[i] / (sqrtf(most[i]) * s->root + epsilon));
    }
}

static void
step_piece(void *context, size_t turn)
{
    const stepping *s = context;
    const vip_stretch *piece = &s->optimiser->pieces[turn];
    if (s->optimiser->options.kind == VIP_SGD) {
        sgd(s, piece);
    } else {
        adam(s, piece);
    }
}

void
vip_optimiser_step(vip_optimiser *optimiser, double rate, double scale, const float *gradients, float *values)
{
    const vip_optimiser_options *o = &optimiser->options;
    const double t = (double)++optimiser->steps;
    stepping s = {.optimiser = optimiser,
                  .gradients = gradients,
                  .values = values,
                  .rate = rate,
                  .scale = (float)scale,
                  .root = (float)(1 / sqrt(1 - pow(o->beta2, t))),
                  .step = (float)(rate / (1 - pow(o->beta1, t)))};
    vip_parallel(optimiser->n_pieces, step_piece, &s);
}

/* ------------------------------------------------------------------------------------------------------- the average */

typedef struct {
    float *average;
    const float *values;
    size_t n;
    float part;
} averaged;

static void
average_piece(void *context, size_t turn)
{
    const averaged *a = context;
    const size_t end = (turn + 1) * PIECE < a->n ? (turn + 1) * PIECE : a->n;
    for (size_t i = turn * PIECE; i < end; i++) {
        a->average[i] += a->part * (a->values[i] - a->average[i]);
    }
}

void
vip_average(float *average, const float *values, size_t n, double decay)
{
    averaged a = {average, values, n, (float)(1 - decay)};
    vip_parallel((n + PIECE - 1) / PIECE, average_piece, &a);
}

double
vip_average_decay(double most, uint64_t steps)
{
    const double start = (1 + (double)steps) / (10 + (double)steps);
    return start < most ? start : most;
}
