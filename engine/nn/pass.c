/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pass.c -- see pass.h for the contract.
 *
 * The schedule says which columns of each step can be computed; this file computes them. Provisional columns lie behind
 * the final ones in the same buffers and are overwritten by the next push. */
#include "pass.h"

#include "fifo.h"
#include "head.h"

#include <base/memory.h>

#include <assert.h>
#include <string.h>

struct vip_pass {
    const vip_network *network;
    vip_member_weights weights;
    const vip_kernels *kernels;
    uint64_t seed;
    uint32_t max_members, members;
    uint32_t max_frames, max_window;
    uint32_t threshold[VIP_MAX_SITES]; /* of dropout; 0: the site is off */
    float scale[VIP_MAX_SITES];
    bool shared[VIP_MAX_STEPS]; /* the step is computed once for all members */

    vip_schedule at;
    int64_t first;                     /* column of the sound that is column 0 here */
    int64_t joined[VIPANN_MAX_PASSES]; /* the first column that the member heard wholly; 0: from the start */
    uint32_t look_ahead;               /* frames */
    uint32_t look_back_columns;        /* what a column sees before its own frames */

    vip_fifo levels[VIP_MAX_LEVELS]; /* [0]: frames after bn0, one lane; of one member if all have the same bn0 */
    float *numbers;                  /* the levels' and the next two in one block, for the sake of large pages */
    float *unfolded;                 /* the 9 inputs around each pixel: [columns][bins + 2][16] */
    float *undropped;                /* a shared step's output before dropout spreads it over the members */
    uint16_t *keep;                  /* masks of one step's new columns */
    vip_head *head;
};

/* --------------------------------------------------------------------------------------------------------- set-up */

static uint32_t
output_bins(const vip_step *step)
{
    return step->bins / (step->pool ? 2u : 1u);
}

static bool
drops(const vip_pass *pass, const vip_step *step)
{
    return step->site != VIP_NONE && pass->threshold[step->site] > 0;
}

/* Whether members hear the same frames: bn0 belongs to the weights, but most members have the same. */
static bool
shares_input(const vip_member_weights *weights, uint32_t members)
{
    bool same = true;
    for (uint32_t m = 1; weights->sets != NULL && m < members && same; m++) {
        const vip_weights *a = weights->sets[0], *b = weights->sets[m];
        same = memcmp(a->bn0_scale, b->bn0_scale, sizeof a->bn0_scale) == 0 &&
               memcmp(a->bn0_shift, b->bn0_shift, sizeof a->bn0_shift) == 0;
    }
    return same;
}

/* Shapes levels and scratch memory by the schedule's capacities, which the options' numbers decide. */
typedef struct {
    size_t levels, unfolded, undropped, keep; /* elements */
} plan;

static plan
shape(vip_pass *pass)
{
    const vip_network *network = pass->network;
    uint32_t capacity[VIP_MAX_LEVELS];
    vip_schedule_capacity(network, pass->max_frames, capacity);
    const uint32_t inputs = shares_input(&pass->weights, pass->max_members) ? 1 : pass->max_members;
    vip_fifo_shape(&pass->levels[0], 1, 1, VIP_MELS, inputs, capacity[0]);
    plan need = {.levels = vip_fifo_size(&pass->levels[0]),
                 .unfolded = (size_t)capacity[0] * (VIP_MELS + 2) * VIP_BLOCK};
    for (int i = 0; i < network->n_steps; i++) {
        const vip_step *step = &network->steps[i];
        const uint32_t bins = output_bins(step), columns = capacity[i + 1];
        const bool dropped = drops(pass, step);
        const uint32_t members = pass->shared[i] && !dropped ? 1 : pass->max_members;
        vip_fifo *level = &pass->levels[i + 1];
        vip_fifo_shape(level, VIP_BLOCK, step->out, bins, members, columns);
        need.levels += vip_fifo_size(level);
        if (dropped) {
            const size_t words = (size_t)columns * members * bins * level->blocks;
            const size_t floats = pass->shared[i] ? (size_t)level->blocks * columns * level->member : 0;
            need.keep = words > need.keep ? words : need.keep;
            need.undropped = floats > need.undropped ? floats : need.undropped;
        }
    }
    return need;
}

/* Everything that the options decide, without memory. */
static plan
prepare(vip_pass *pass, const vip_network *network, const vip_pass_options *options, bool own_weights)
{
    assert(options->max_members >= 1 && options->max_members <= VIPANN_MAX_PASSES && options->max_frames >= 1);
    pass->network = network;
    pass->kernels = options->kernels;
    pass->weights.signs = options->signs;
    pass->weights.sets = options->sets;
    pass->seed = options->seed;
    pass->max_members = options->max_members;
    pass->max_frames = options->max_frames;
    pass->max_window = options->max_window;
    for (int i = 0; options->rates != NULL && i < network->n_sites; i++) {
        pass->threshold[i] = vip_keep_threshold(options->rates[i]);
        pass->scale[i] = vip_keep_scale(options->rates[i]);
    }
    vip_schedule_shared(network, options->rates, own_weights, pass->shared);
    uint32_t look_back;
    pass->look_ahead = vip_network_look_ahead(network, &look_back);
    pass->look_back_columns = (look_back + VIP_COLUMN_FRAMES - 1) / VIP_COLUMN_FRAMES;
    return shape(pass);
}

static uint32_t
spare_columns(const vip_pass *pass)
{
    return (pass->max_frames + pass->look_ahead) / VIP_COLUMN_FRAMES + 2 + VIP_PASS_KEPT + VIPANN_EVENT_COLUMNS;
}

static bool
allocate(vip_pass *pass, const plan *need)
{
    pass->numbers = vip_alloc(need->levels + need->unfolded + need->undropped, sizeof(float));
    pass->keep = vip_alloc(need->keep, sizeof(uint16_t));
    if (pass->numbers == NULL || pass->keep == NULL) {
        return false;
    }
    pass->unfolded = pass->numbers;
    pass->undropped = pass->unfolded + need->unfolded;
    float *next = pass->undropped + need->undropped;
    for (int i = 0; i <= pass->network->n_steps; i++) {
        pass->levels[i].data = next;
        next += vip_fifo_size(&pass->levels[i]);
    }
    return true;
}

vip_pass *
vip_pass_new(const vip_network *network, const vip_weights *weights, const vip_pass_options *options)
{
    assert(options->sets != NULL ? options->signs == NULL : weights->flipout == (options->signs != NULL));
    vip_pass *pass = vip_alloc(1, sizeof *pass);
    if (pass == NULL) {
        return NULL;
    }
    pass->weights.shared = weights;
    const plan need = prepare(pass, network, options, options->sets != NULL || weights->flipout);
    if (!allocate(pass, &need)) {
        vip_pass_free(pass);
        return NULL;
    }
    const int8_t fc1 = network->fc1_site, head = network->head_site;
    const vip_head_masks masks = {.fc1_threshold = pass->threshold[fc1],
                                  .head_threshold = pass->threshold[head],
                                  .fc1_scale = pass->scale[fc1],
                                  .head_scale = pass->scale[head],
                                  .fc1_site = network->sites[fc1].id,
                                  .head_site = network->sites[head].id,
                                  .seed = pass->seed};
    pass->head = vip_head_new(pass->kernels, network, &pass->weights, &masks, pass->max_window, spare_columns(pass),
                              pass->levels[network->n_steps].members, pass->max_members);
    if (pass->head == NULL) {
        vip_pass_free(pass);
        return NULL;
    }
    vip_pass_reset(pass, 0);
    return pass;
}

size_t
vip_pass_measure(const vip_network *network, const vip_pass_options *options, bool own_weights)
{
    vip_pass *pass = vip_alloc(1, sizeof *pass);
    if (pass == NULL) {
        return 0;
    }
    const plan need = prepare(pass, network, options, own_weights);
    const uint32_t stored = pass->levels[network->n_steps].members;
    const size_t columns = ((size_t)pass->max_window + spare_columns(pass)) * stored * network->features;
    vip_pass_free(pass);
    return (need.levels + need.unfolded + need.undropped + columns) * sizeof(float) + need.keep * sizeof(uint16_t);
}

void
vip_pass_free(vip_pass *pass)
{
    if (pass == NULL) {
        return;
    }
    vip_free(pass->numbers);
    vip_free(pass->keep);
    vip_head_free(pass->head);
    vip_free(pass);
}

void
vip_pass_reset(vip_pass *pass, int64_t first)
{
    memset(&pass->at, 0, sizeof pass->at);
    memset(pass->joined, 0, sizeof pass->joined);
    pass->first = first;
    pass->members = pass->max_members;
    for (int level = 0; level <= pass->network->n_steps; level++) {
        vip_fifo_reset(&pass->levels[level], vip_schedule_needed(pass->network, &pass->at, level));
    }
    vip_head_reset(pass->head);
}

/* ------------------------------------------------------------------------------------------------------ computing */

/* The members that are computed at once: all that are running, one of those with weights of their own, or what is
 * common to all. */
typedef struct {
    uint32_t first, n;
} crowd;

/* Where a member stands in the columns of a level. */
static size_t
place_of(const vip_fifo *level, uint32_t member)
{
    return level->members == 1 ? 0 : member * level->member;
}

/* The 9 inputs around each pixel of the columns a .. b-1 of the first convolution, in the order of its weights. */
static void
unfold(vip_pass *pass, uint32_t member, int64_t a, int64_t b)
{
    const vip_fifo *frames = &pass->levels[0];
    float *to = pass->unfolded;
    for (int64_t t = a; t < b; t++) {
        const float *from = vip_fifo_at(frames, t - pass->network->left) + place_of(frames, member);
        for (int bin = 0; bin < VIP_MELS; bin++) {
            float *cell = to + (bin + 1) * VIP_BLOCK;
            for (int k = 0; k < 3; k++) {
                memcpy(cell + 3 * k, from + (size_t)k * frames->column + bin, 3 * sizeof(float));
            }
        }
        to += (VIP_MELS + 2) * VIP_BLOCK;
    }
}

/* The masks of a step's new columns a .. b-1, [columns][members][bins][blocks]. */
static void
draw_masks(vip_pass *pass, const vip_step *step, const vip_fifo *level, crowd who, int64_t a, int64_t b)
{
    const uint32_t site = pass->network->sites[step->site].id;
    const int64_t first = pass->first * (level->bins * VIP_COLUMN_FRAMES / VIP_MELS); /* in columns of this level */
    uint16_t *keep = pass->keep;
    for (int64_t t = a; t < b; t++) {
        for (uint32_t m = who.first; m < who.first + who.n; m++) {
            vip_keep_column(pass->kernels, pass->seed, site, m, (uint32_t)(uint64_t)(first + t),
                            pass->threshold[step->site], level->channels, level->bins, keep);
            keep += (size_t)level->bins * level->blocks;
        }
    }
}

/* Where a step reads; with the first step's unfolded inputs as a level of their own. */
static void
set_source(const vip_pass *pass, int i, uint32_t member, int64_t column, vip_conv *conv, vip_region *region)
{
    const vip_step *step = &pass->network->steps[i];
    if (step->source == VIP_INPUT) {
        conv->kernel = 1;
        conv->x = pass->unfolded + VIP_BLOCK;
        conv->x_column = (VIP_MELS + 2) * VIP_BLOCK;
        return;
    }
    const vip_fifo *source = &pass->levels[step->source + 1];
    conv->kernel = step->kernel;
    conv->x =
        step->kernel == 3 ? vip_fifo_at(source, column - pass->network->left) : vip_fifo_at(source, column) + VIP_BLOCK;
    conv->x += place_of(source, member);
    conv->x_block = source->block;
    conv->x_column = source->column;
    region->x_member = source->members == 1 ? 0 : source->member;
}

/* Spreads a shared step's output over the members through their masks. */
static void
spread(vip_pass *pass, const vip_step *step, const vip_fifo *level, int64_t a, int64_t b)
{
    const size_t words = (size_t)level->bins * level->blocks;
    for (uint32_t block = 0; block < level->blocks; block++) {
        for (int64_t t = a; t < b; t++) {
            const size_t row = (size_t)(t - a);
            const float *from = pass->undropped + (block * (size_t)(b - a) + row) * level->member + VIP_BLOCK;
            float *to = vip_fifo_at(level, t) + block * level->block + VIP_BLOCK;
            for (uint32_t m = 0; m < pass->members; m++) {
                pass->kernels->drop(from, pass->keep + (row * pass->members + m) * words + block, level->blocks,
                                    pass->scale[step->site], level->bins, to + m * level->member);
            }
        }
    }
}

/* Computes columns a .. b-1 of step i's output for some members. */
static void
compute_for(vip_pass *pass, int i, crowd who, int64_t a, int64_t b)
{
    const vip_step *step = &pass->network->steps[i];
    const vip_layer *layer = &vip_weights_of(&pass->weights, who.first)->layers[i];
    const vip_fifo *level = &pass->levels[i + 1];
    const uint32_t shrink = step->pool ? 2 : 1;
    const bool dropped = drops(pass, step);
    vip_conv conv = {.in_blocks = layer->in_blocks,
                     .out_blocks = layer->out_blocks,
                     .w = layer->w,
                     .half = layer->half,
                     .scale = layer->scale,
                     .w_block = layer->w_block,
                     .bias = layer->bias,
                     .relu = step->relu,
                     .pool = step->pool,
                     .y = vip_fifo_at(level, a) + place_of(level, who.first) + VIP_BLOCK,
                     .y_block = level->block};
    vip_region region = {.columns = (uint32_t)(b - a) * shrink,
                         .members = who.n,
                         .bins = step->bins,
                         .y_column = level->column,
                         .y_member = level->member};
    if (step->source == VIP_INPUT) {
        unfold(pass, who.first, a * shrink, b * shrink);
    }
    set_source(pass, i, who.first, a * shrink, &conv, &region);
    if (step->residual != VIP_NONE) {
        const vip_fifo *residual = &pass->levels[step->residual + 1];
        conv.residual = vip_fifo_at(residual, a * shrink) + place_of(residual, who.first) + VIP_BLOCK;
        conv.residual_block = residual->block;
        region.residual_column = residual->column;
        region.residual_member = residual->members == 1 ? 0 : residual->member;
    }
    if (pass->weights.signs != NULL) {
        conv.sign_in = pass->weights.signs->in[i];
        conv.sign_out = pass->weights.signs->out[i];
    }
    if (dropped) {
        draw_masks(pass, step, level, pass->shared[i] ? (crowd){0, pass->members} : who, a, b);
    }
    if (dropped && pass->shared[i]) {
        conv.y = pass->undropped + VIP_BLOCK;
        conv.y_block = (size_t)(b - a) * level->member;
        region.y_column = level->member;
    } else if (dropped) {
        conv.keep = pass->keep;
        conv.keep_scale = pass->scale[step->site];
    }
    vip_convolve(pass->kernels, &conv, &region);
    if (dropped && pass->shared[i]) {
        spread(pass, step, level, a, b);
    }
}

/* Computes columns a .. b-1 of step i's output: at once for all members, or for those with weights of their own one
 * after the other. */
static void
compute(vip_pass *pass, int i, int64_t a, int64_t b)
{
    if (pass->weights.sets == NULL) {
        compute_for(pass, i, (crowd){0, pass->shared[i] ? 1 : pass->members}, a, b);
        return;
    }
    for (uint32_t m = 0; m < pass->members; m++) {
        compute_for(pass, i, (crowd){m, 1}, a, b);
    }
}

/* The mean over bins of the last level's columns a .. b-1 becomes columns of the head. */
static void
hand_over(vip_pass *pass, int64_t a, int64_t b)
{
    const vip_fifo *level = &pass->levels[pass->network->n_steps];
    const uint32_t members = level->members == 1 ? 1 : pass->members;
    const size_t features = (size_t)level->blocks * VIP_BLOCK;
    for (int64_t t = a; t < b; t++) {
        float *column = vip_head_column(pass->head, t);
        for (uint32_t m = 0; m < members; m++) {
            const float *from = vip_fifo_at(level, t) + m * level->member + VIP_BLOCK;
            float *to = column + m * features;
            for (uint32_t block = 0; block < level->blocks; block++) {
                const float *low = from + block * level->block, *high = low + VIP_BLOCK;
                for (uint32_t c = 0; c < VIP_BLOCK; c++) {
                    to[block * VIP_BLOCK + c] = (low[c] + high[c]) * 0.5f; /* VIP_FEATURE_BINS */
                }
            }
        }
    }
}

/* Computes all that can be computed; ended: provisionally, as if the sound ended with the columns there are. */
static void
advance(vip_pass *pass, bool ended)
{
    const vip_network *network = pass->network;
    vip_schedule *at = &pass->at;
    for (int i = 0; i < network->n_steps; i++) {
        const int source = network->steps[i].source + 1;
        const int64_t a = at->end[i + 1], b = vip_schedule_ready(network, at, i, ended);
        at->tail[i + 1] = b;
        if (a == b) {
            continue;
        }
        if (ended && network->steps[i].kernel == 3 && network->right > 0) {
            vip_fifo *level = &pass->levels[source];
            vip_fifo_reserve(level, vip_schedule_needed(network, at, source), at->tail[source],
                             at->tail[source] + network->right);
            vip_fifo_zero(level, at->tail[source], network->right, 0, level->members);
        }
        vip_fifo_reserve(&pass->levels[i + 1], vip_schedule_needed(network, at, i + 1), a, b);
        compute(pass, i, a, b);
        if (!ended) {
            at->end[i + 1] = b;
        }
        if (i == network->n_steps - 1) {
            hand_over(pass, a, b);
        }
    }
}

void
vip_pass_push(vip_pass *pass, const float *frames, uint32_t n_frames)
{
    assert(n_frames <= pass->max_frames);
    vip_schedule *at = &pass->at;
    vip_head_commit(pass->head, at->end[pass->network->n_steps] - VIP_PASS_KEPT, pass->members);
    vip_fifo *input = &pass->levels[0];
    vip_fifo_reserve(input, vip_schedule_needed(pass->network, at, 0), at->end[0], at->end[0] + n_frames);
    for (uint32_t m = 0; m < pass->members && m < input->members; m++) {
        const vip_weights *weights = vip_weights_of(&pass->weights, m);
        for (uint32_t t = 0; t < n_frames; t++) {
            float *to = vip_fifo_at(input, at->end[0] + t) + place_of(input, m) + 1;
            for (int bin = 0; bin < VIP_MELS; bin++) {
                to[bin] = frames[t * VIP_MELS + (uint32_t)bin] * weights->bn0_scale[bin] + weights->bn0_shift[bin];
            }
        }
    }
    at->end[0] += n_frames;
    at->tail[0] = at->end[0];
    advance(pass, false);
}

void
vip_pass_finish(vip_pass *pass, bool commit)
{
    pass->at.tail[0] = pass->at.end[0];
    advance(pass, true);
    if (commit) {
        memcpy(pass->at.end, pass->at.tail, sizeof pass->at.end);
    }
}

/* --------------------------------------------------------------------------------------------- members and answers */

void
vip_pass_set_members(vip_pass *pass, uint32_t members)
{
    assert(members >= 1 && members <= pass->max_members);
    for (uint32_t m = pass->members; m < members; m++) {
        pass->joined[m] = (pass->at.end[0] + VIP_COLUMN_FRAMES - 1) / VIP_COLUMN_FRAMES;
    }
    for (int level = 0; members > pass->members && level <= pass->network->n_steps; level++) {
        vip_fifo *fifo = &pass->levels[level];
        if (fifo->members > 1) {
            vip_fifo_zero(fifo, fifo->origin, pass->at.end[level] - fifo->origin, pass->members, members);
        }
    }
    pass->members = members;
}

int64_t
vip_pass_columns(const vip_pass *pass)
{
    return pass->at.end[pass->network->n_steps];
}

int64_t
vip_pass_provisional(const vip_pass *pass)
{
    return pass->at.tail[pass->network->n_steps];
}

int64_t
vip_pass_frames(const vip_pass *pass)
{
    return pass->at.end[0];
}

uint32_t
vip_pass_settled(const vip_pass *pass, int64_t end, uint32_t window)
{
    uint32_t settled = 0;
    while (settled < pass->members) {
        int64_t joined = pass->joined[settled];
        if (joined > 0 && (pass->max_window == 0 || end - (int64_t)window < joined + pass->look_back_columns)) {
            break;
        }
        settled++;
    }
    return settled;
}

void
vip_pass_answer(vip_pass *pass, int64_t end, uint32_t window, uint32_t members, float *logits)
{
    assert(end >= 1 && end <= vip_pass_provisional(pass) && members <= pass->max_members);
    vip_head_answer(pass->head, end, window, members, logits);
}

void
vip_pass_pooled(const vip_pass *pass, float *mean)
{
    vip_head_pooled(pass->head, mean);
}

uint32_t
vip_pass_peek(const vip_pass *pass, int step, uint32_t member, int64_t *first, float *out)
{
    const vip_fifo *level = &pass->levels[step + 1];
    *first = level->origin > 0 ? level->origin : 0;
    const uint32_t columns = (uint32_t)(pass->at.tail[step + 1] - *first);
    const size_t m = level->members == 1 ? 0 : member;
    for (uint32_t c = 0; out != NULL && c < level->channels; c++) {
        for (uint32_t t = 0; t < columns; t++) {
            const float *from = vip_fifo_at(level, *first + t) + c / VIP_BLOCK * level->block + m * level->member +
                                VIP_BLOCK + c % VIP_BLOCK;
            for (uint32_t bin = 0; bin < level->bins; bin++) {
                out[((size_t)c * columns + t) * level->bins + bin] = from[(size_t)bin * VIP_BLOCK];
            }
        }
    }
    return columns;
}
