/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net_plan.c -- makes a training network: convolutions for each length of batches, buffers, and which gradient lies where
 * at what time. */
#include "net_parts.h"

#include <base/memory.h>
#include <base/status.h>

#include <stdio.h>
#include <string.h>

void *
vip_net_alloc(vip_net *net, size_t count, size_t size)
{
    net->bytes += vip_product(count, size);
    return vip_alloc(count, size);
}

/* ------------------------------------------------------------------------------------------------- where numbers are */

static const vip_segment *
find(const vip_net *net, const char *module, const char *leaf)
{
    char name[VIP_SEGMENT_NAME];
    (void)snprintf(name, sizeof name, "%s.%s", module, leaf);
    return vip_parameters_find(net->parameters, name);
}

static vip_norm_numbers
find_norm(const vip_net *net, const char *module)
{
    return (vip_norm_numbers){find(net, module, "weight"), find(net, module, "bias"), find(net, module, "running_mean"),
                              find(net, module, "running_var")};
}

static void
find_numbers(vip_net *net)
{
    const vip_network *network = &net->parameters->network;
    net->bn0_numbers = find_norm(net, "bn0");
    for (int s = 0; s < network->n_steps; s++) {
        const vip_segment *mean = find(net, network->steps[s].conv, "weight.mu");
        net->layers[s].weight = mean != NULL ? mean : find(net, network->steps[s].conv, "weight");
        net->layers[s].rho = find(net, network->steps[s].conv, "weight.rho");
        net->norm_numbers[s] = find_norm(net, network->steps[s].bn);
    }
}

/* ------------------------------------------------------------------------------------------------------------ lengths */

static uint32_t
columns_of(const vip_network *network, int s, uint32_t frames, const vip_plane *planes)
{
    const int source = network->steps[s].source;
    return source == VIP_INPUT ? frames : planes[source].columns / (planes[source].pool ? 2 : 1);
}

static bool
plan_length(vip_net *net, vip_length *length, uint32_t frames, vipann_error *error)
{
    const vip_network *network = &net->parameters->network;
    length->frames = frames;
    for (int s = 0; s < network->n_steps; s++) {
        const vip_step *step = &network->steps[s];
        vip_plane *plane = &length->planes[s];
        plane->blocks = (step->out + VIP_LANES - 1) / VIP_LANES;
        plane->columns = columns_of(network, s, frames, length->planes);
        plane->bins = step->bins;
        plane->relu = step->relu;
        plane->pool = step->pool;
        plane->bf16 = net->options.precision == VIP_PRECISION_BF16;
        const vip_dnn_shape shape = {net->options.rows, step->in,      step->out,      step->kernel, plane->columns,
                                     plane->bins,       network->left, network->right, plane->bf16};
        length->convs[s] = vip_dnn_conv_new(net->dnn, &shape, error);
        if (length->convs[s] == NULL) {
            return false;
        }
    }
    return true;
}

/* The length whose batches are largest. */
static const vip_length *
longest(const vip_net *net)
{
    const vip_length *best = net->lengths;
    for (uint32_t i = 1; i < net->options.n_lengths; i++) {
        best = net->lengths[i].frames > best->frames ? &net->lengths[i] : best;
    }
    return best;
}

/* -------------------------------------------------------------------------------------------------------------- slots */

/* While slots are planned: what each must hold, and whether it does. */
typedef struct {
    size_t sizes[VIP_MAX_SLOTS]; /* floats of a row */
    bool taken[VIP_MAX_SLOTS];
    int n;
    int arriving[VIP_MAX_STEPS][2]; /* slots with gradients of what leaves a step */
} slot_plan;

/* The smallest free slot that is large enough, else the largest free one, made larger, else a new one. */
static int
take(slot_plan *plan, size_t size)
{
    int best = VIP_NO_SLOT;
    for (int i = 0; i < plan->n; i++) {
        if (plan->taken[i]) {
            continue;
        }
        const bool fits = plan->sizes[i] >= size;
        const bool better =
            best == VIP_NO_SLOT || (fits ? plan->sizes[best] < size || plan->sizes[i] < plan->sizes[best]
                                         : plan->sizes[i] > plan->sizes[best] && plan->sizes[best] < size);
        best = better ? i : best;
    }
    if (best == VIP_NO_SLOT) {
        best = plan->n++;
        plan->sizes[best] = 0;
    }
    plan->sizes[best] = plan->sizes[best] < size ? size : plan->sizes[best];
    plan->taken[best] = true;
    return best;
}

static void
give(slot_plan *plan, int slot)
{
    if (slot != VIP_NO_SLOT) {
        plan->taken[slot] = false;
    }
}

static void
arrive(slot_plan *plan, int step, int slot)
{
    int *const slots = plan->arriving[step];
    slots[slots[0] == VIP_NO_SLOT ? 0 : 1] = slot;
}

static void
plan_step(vip_net *net, slot_plan *plan, int s)
{
    const vip_step *step = &net->parameters->network.steps[s];
    const vip_plane *planes = longest(net)->planes;
    vip_slots *slots = &net->slots[s];
    slots->d1 = plan->arriving[s][0];
    slots->d2 = plan->arriving[s][1];
    slots->g = step->pool ? take(plan, vip_plane_inner(&planes[s])) : slots->d1;
    if (step->pool) {
        give(plan, slots->d1);
    }
    give(plan, slots->d2);
    if (step->residual != VIP_NONE) {
        arrive(plan, step->residual, slots->g);
    } else {
        give(plan, slots->g); /* once the gradient with respect to y is there */
    }
    slots->dx = VIP_NO_SLOT;
    if (step->source != VIP_INPUT) {
        slots->dx = take(plan, vip_plane_outer(&planes[step->source]));
        arrive(plan, step->source, slots->dx);
    }
}

static bool
make_slots(vip_net *net)
{
    slot_plan plan = {.n = 0};
    const int last = net->parameters->network.n_steps - 1;
    for (int s = 0; s <= last; s++) {
        plan.arriving[s][0] = plan.arriving[s][1] = VIP_NO_SLOT;
    }
    net->head_slot = take(&plan, vip_plane_outer(&longest(net)->planes[last]));
    arrive(&plan, last, net->head_slot);
    for (int s = last; s >= 0; s--) {
        plan_step(net, &plan, s);
    }
    net->n_slots = plan.n;
    bool good = true;
    for (int i = 0; i < plan.n && !net->options.frozen_trunk; i++) {
        net->slot[i] = vip_net_alloc(net, net->options.rows * plan.sizes[i], sizeof(float));
        good = good && net->slot[i] != NULL;
    }
    return good;
}

/* ------------------------------------------------------------------------------------------------------------ buffers */

static size_t
larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The most that any step takes. */
typedef struct {
    size_t channels, input, inner, vectors, packed, scratch, weights;
} needs;

static needs
measure(const vip_net *net)
{
    const vip_network *network = &net->parameters->network;
    needs n = {.channels = VIP_MELS,
               .weights = (size_t)network->features * larger(network->features, network->classes)};
    for (uint32_t i = 0; i < net->options.n_lengths; i++) {
        for (int s = 0; s < network->n_steps; s++) {
            const vip_plane *plane = &net->lengths[i].planes[s];
            n.channels = larger(n.channels, (size_t)plane->blocks * VIP_LANES);
            n.input = larger(n.input, (size_t)plane->columns * plane->bins * vip_padded(network->steps[s].in));
            n.inner = larger(n.inner, vip_plane_inner(plane));
            n.vectors = larger(n.vectors, vip_plane_outer(plane) / VIP_LANES);
            n.packed = larger(n.packed, vip_dnn_packed(net->lengths[i].convs[s]));
            n.scratch = larger(n.scratch, vip_dnn_scratch(net->lengths[i].convs[s]));
            n.weights = larger(n.weights, net->layers[s].weight->count);
        }
    }
    return n;
}

static bool
make_step_buffers(vip_net *net)
{
    const vip_plane *planes = longest(net)->planes;
    const size_t rows = net->options.rows;
    bool good = true;
    for (int s = 0; s < net->parameters->network.n_steps; s++) {
        const size_t channels = (size_t)planes[s].blocks * VIP_LANES;
        vip_norm *norm = &net->norms[s];
        float **const vectors[] = {&norm->scale, &norm->shift, &norm->mean, &norm->a, &norm->b, &norm->c};
        for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
            *vectors[i] = vip_net_alloc(net, channels, sizeof(float));
            good = good && *vectors[i] != NULL;
        }
        norm->deviation = vip_net_alloc(net, channels, sizeof(double));
        net->y[s] = vip_net_alloc(net, rows * vip_plane_inner(&planes[s]), sizeof(float));
        net->act[s] = vip_net_alloc(net, rows * vip_plane_outer(&planes[s]), sizeof(float));
        good = good && norm->deviation != NULL && net->y[s] != NULL && net->act[s] != NULL;
        if (net->layers[s].rho != NULL) {
            const size_t area =
                net->options.flipout == VIP_FLIPOUT_CHANNEL ? 1 : (size_t)planes[s].columns * planes[s].bins;
            const size_t in_blocks = (net->parameters->network.steps[s].in + VIP_LANES - 1) / VIP_LANES;
            net->signs[s].in = vip_net_alloc(net, rows * in_blocks * area, 1);
            net->signs[s].out = vip_net_alloc(net, rows * planes[s].blocks * area, 1);
            good = good && net->signs[s].in != NULL && net->signs[s].out != NULL;
        }
    }
    return good;
}

static bool
make_noise(vip_net *net, const needs *n)
{
    const vip_parameters *p = net->parameters;
    net->eps_offset = vip_net_alloc(net, (size_t)p->n_segments, sizeof *net->eps_offset);
    if (net->eps_offset == NULL) {
        return false;
    }
    size_t total = 0;
    for (int i = 0; i < p->n_segments; i++) {
        if (p->segments[i].rho) {
            net->eps_offset[i] = total;
            total += p->segments[i].count;
        }
    }
    net->eps = vip_net_alloc(net, total, sizeof(float));
    net->noise = vip_net_alloc(net, total, sizeof(float));
    net->moved_x = vip_net_alloc(net, net->options.rows * n->input, sizeof(float));
    net->moved_y = vip_net_alloc(net, net->options.rows * n->inner, sizeof(float));
    net->noise_gradient = vip_net_alloc(net, n->weights, sizeof(float));
    return net->eps != NULL && net->noise != NULL && net->moved_x != NULL && net->moved_y != NULL &&
           net->noise_gradient != NULL;
}

static bool
make_buffers(vip_net *net)
{
    const needs n = measure(net);
    const size_t rows = net->options.rows, frames = (size_t)longest(net)->frames * VIP_MELS;
    net->input = vip_net_alloc(net, rows * frames, sizeof(float));
    net->d_input = vip_net_alloc(net, rows * frames, sizeof(float));
    net->d_frames = vip_net_alloc(net, rows * frames, sizeof(float));
    net->partial = vip_net_alloc(
        net, net->input_rows * larger(2 * n.channels, (size_t)9 * net->parameters->network.width), sizeof(double));
    net->keep = vip_net_alloc(net, rows * n.vectors, 1);
    net->packed = vip_net_alloc(net, n.packed, sizeof(float));
    net->scratch = vip_net_alloc(net, n.scratch, sizeof(float));
    return net->input != NULL && net->d_input != NULL && net->d_frames != NULL && net->partial != NULL &&
           net->keep != NULL && net->packed != NULL && net->scratch != NULL && make_step_buffers(net) &&
           make_slots(net) && (!net->parameters->mean_field || make_noise(net, &n)) && vip_net_heads_new(net);
}

/* ---------------------------------------------------------------------------------------------------------- new, free */

static vipann_status
check(const vip_net_options *options, vipann_error *error)
{
    for (uint32_t i = 0; i < options->n_lengths; i++) {
        if (options->lengths[i] < VIP_COLUMN_FRAMES || options->lengths[i] > UINT16_MAX) {
            return vip_fail(error, VIPANN_E_ARG, "batches of %u frames; expected %d to %d", options->lengths[i],
                            VIP_COLUMN_FRAMES, UINT16_MAX);
        }
    }
#if defined(__x86_64__) && defined(__GNUC__)
    if (!__builtin_cpu_supports("avx2")) {
        return vip_fail(error, VIPANN_E_UNSUPPORTED, "training needs a processor with AVX2, which this one is without");
    }
#endif
    return VIPANN_OK;
}

vip_net *
vip_net_new(vip_parameters *parameters, const vip_net_options *options, vipann_error *error)
{
    if (check(options, error) != VIPANN_OK) {
        return NULL;
    }
    vip_net *net = vip_alloc(1, sizeof *net);
    if (net == NULL) {
        (void)vip_fail_memory(error, "the network to train");
        return NULL;
    }
    net->parameters = parameters;
    net->options = *options;
    net->input_rows = options->mixup ? 2 * options->rows : options->rows;
    net->bytes = sizeof *net;
    vip_net_set_dropout(net, 1);
    net->kernels = vip_kernels_choose(error);
    net->dnn = net->kernels != NULL ? vip_dnn_new(error) : NULL;
    find_numbers(net);
    bool good = net->dnn != NULL;
    for (uint32_t i = 0; i < options->n_lengths && good; i++) {
        good = plan_length(net, &net->lengths[i], options->lengths[i], error);
    }
    if (good && !make_buffers(net)) {
        good = false;
        (void)vip_fail(error, VIPANN_E_MEMORY, "not enough memory for the network to train; try a smaller --batch");
    }
    if (!good) {
        vip_net_free(net);
        return NULL;
    }
    return net;
}

static void
free_step(vip_net *net, int s)
{
    vip_norm *norm = &net->norms[s];
    void *const buffers[] = {norm->scale,     norm->shift, norm->mean,  norm->a,          norm->b,          norm->c,
                             norm->deviation, net->y[s],   net->act[s], net->signs[s].in, net->signs[s].out};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) {
        vip_free(buffers[i]);
    }
    for (uint32_t i = 0; i < net->options.n_lengths; i++) {
        vip_dnn_conv_free(net->lengths[i].convs[s]);
    }
}

void
vip_net_free(vip_net *net)
{
    if (net == NULL) {
        return;
    }
    for (int s = 0; s < net->parameters->network.n_steps; s++) {
        free_step(net, s);
    }
    for (int i = 0; i < VIP_MAX_SLOTS; i++) {
        vip_free(net->slot[i]);
    }
    void *const buffers[] = {net->input,  net->d_input,        net->d_frames,  net->partial, net->keep,
                             net->packed, net->scratch,        net->moved_x,   net->moved_y, net->eps,
                             net->noise,  net->noise_gradient, net->eps_offset};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) {
        vip_free(buffers[i]);
    }
    vip_net_heads_free(net);
    vip_dnn_free(net->dnn);
    vip_free(net);
}
