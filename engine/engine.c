/* SPDX-License-Identifier: GPL-3.0-or-later */
/* engine.c -- the rooms put together: push, pump, read. See vipann.h for the contract.
 *
 * The pushing thread owns what stands under "pushing"; the pumping thread, which holds `busy`, owns the rest. They meet
 * in the ring, the queue of gaps and the atomic words only. */
#include "library.h"
#include "publish.h"

#include <base/denormals.h>
#include <base/memory.h>
#include <base/status.h>
#include <bayes/members.h>
#include <bayes/uncertainty.h>
#include <decide/decide.h>
#include <frontend/frontend.h>
#include <kernels/kernels.h>
#include <nn/pass.h>
#include <rt/results.h>
#include <rt/ring.h>

#include <math.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>

enum {
    CACHE_LINE = 64, /* bytes */
    MIX_BLOCK = 256, /* frames mixed at once, on the stack of the pushing thread */
    MAX_GAPS = 64,   /* gaps that may wait for the pumping thread */
    FEED = 1024      /* samples moved from the ring to the front-end at once */
};
static const float LOUDEST = 100.0f; /* 40 dB above full scale */

/* Sound that was lost: `frames` of it before frame `position` of what the ring has carried. */
typedef struct {
    uint64_t position, frames;
} gap;

struct vipann_engine {
    /* Written at creation, then only read. */
    vipann_model *model;
    vipann_options options;
    bool members; /* a posterior is drawn from; else the deterministic pass */
    bool edge;    /* and not causal */
    double column_seconds;
    double column_frames;     /* frames of input in a column */
    vip_weights *own_weights; /* of Flipout */
    vip_signs *signs;

    /* Pushing. */
    alignas(CACHE_LINE) uint64_t carried; /* frames that the ring has taken */
    uint64_t missing;                     /* lost since the last that it took */

    /* Both. */
    alignas(CACHE_LINE) atomic_flag busy;          /* acquire and release by the pumping thread, whichever that is */
    atomic_bool running;                           /* something was pushed; relaxed: for refusing late readers */
    atomic_uint_least64_t lost;                    /* frames in gaps; relaxed, a counter */
    atomic_uint_least64_t params[VIPANN_N_PARAMS]; /* bits of a double; relaxed: each stands alone */
    vip_ring *ring;
    vip_queue *gaps; /* a gap is written before the sample behind it: who sees that sample sees the gap */

    /* Pumping: sound. */
    alignas(CACHE_LINE) uint64_t read; /* frames taken from the ring */
    uint64_t heard;                    /* frames of input heard, with gaps */
    uint64_t silence;                  /* frames of silence still to be heard for a gap */
    uint64_t not_finite, clipped;
    bool flushed;
    float samples[FEED];
    vip_frontend *frontend;
    float *frames; /* [piece_columns * 32][VIP_MELS] */
    uint32_t n_frames;

    /* Pumping: columns. */
    vip_pass *pass;
    int64_t first;        /* column of the sound that is the pass's column 0 */
    int64_t answered;     /* the pass's column up to which the last answer went */
    int64_t due;          /* that of the next one; never behind what has been heard */
    uint32_t hop, window; /* columns; parameters in force */
    double horizon;

    /* Pumping: answers. */
    float *logits;                             /* [members][classes] */
    vip_probability *probabilities, *smoothed; /* [members][classes] */
    bool settled[VIPANN_MAX_PASSES];           /* the member's smoothed probabilities have a value */
    vipann_result *result;
    vip_publisher *publisher;
};

/* --------------------------------------------------------------------------------------------------------- set-up */

static void
store_param(vipann_engine *g, vipann_param param, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    atomic_store_explicit(&g->params[param], bits, memory_order_relaxed);
}

static double
load_param(vipann_engine *g, vipann_param param)
{
    uint64_t bits = atomic_load_explicit(&g->params[param], memory_order_relaxed);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Weights and signs of Flipout members. */
static bool
draw_members(vipann_engine *g)
{
    const vip_model *file = g->model->file;
    vip_tensors noise = vip_draw_noise(file, g->options.seed, 0);
    if (noise != NULL) {
        g->own_weights = vip_weights_new(file, file->values, noise);
    }
    if (g->own_weights != NULL) {
        g->signs = vip_draw_signs(file, g->own_weights, noise, g->options.seed, g->options.max_passes);
    }
    vip_tensors_free(noise);
    return g->signs != NULL;
}

static bool
make_pass(vipann_engine *g, const vip_kernels *kernels)
{
    const vip_model *file = g->model->file;
    const bool flipout = g->members && file->posterior == VIPANN_MEANFIELD;
    if (flipout && !draw_members(g)) {
        return false;
    }
    const vip_pass_options options = {
        .kernels = kernels,
        .rates = g->members && file->posterior == VIPANN_DROPOUT ? file->rates : NULL,
        .signs = g->signs,
        .seed = g->options.seed,
        .max_members = g->members ? g->options.max_passes : 1,
        .max_frames = g->options.piece_columns * VIP_COLUMN_FRAMES,
        .max_window = g->options.window_columns == 0 ? 0 : g->options.max_window_columns,
    };
    g->pass = vip_pass_new(&file->network, flipout ? g->own_weights : g->model->weights, &options);
    return g->pass != NULL;
}

static uint32_t
larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Everything but what can fail for other reasons than memory. */
static bool
allocate(vipann_engine *g, const vip_kernels *kernels)
{
    const vipann_options *o = &g->options;
    const size_t classes = g->model->file->network.classes;
    const size_t cells = vip_product(g->members ? o->max_passes : 1, classes);
    size_t ring = (size_t)(o->ring_seconds * o->rate);
    ring = ring < 2 * (size_t)o->max_block ? 2 * (size_t)o->max_block : ring;
    g->ring = vip_ring_new(ring);
    g->gaps = vip_queue_new(MAX_GAPS, sizeof(gap));
    g->frames = vip_alloc((size_t)o->piece_columns * VIP_COLUMN_FRAMES * VIP_MELS, sizeof(float));
    g->logits = vip_alloc(cells, sizeof *g->logits);
    g->probabilities = vip_alloc(cells, sizeof *g->probabilities);
    g->smoothed = vip_alloc(cells, sizeof *g->smoothed);
    g->result = vipann_result_new(g->model);
    g->publisher = vip_publisher_new((uint32_t)classes);
    return g->ring != NULL && g->gaps != NULL && g->frames != NULL && g->logits != NULL && g->probabilities != NULL &&
           g->smoothed != NULL && g->result != NULL && g->publisher != NULL && make_pass(g, kernels);
}

vipann_engine *
vipann_engine_new(vipann_model *model, const vipann_options *options, vipann_error *error)
{
    vipann_options defaults;
    if (options == NULL) {
        vipann_options_default(&defaults, model);
        options = &defaults;
    }
    const vip_kernels *kernels = vip_kernels_choose(error);
    if (kernels == NULL || vip_options_check(options, error) != VIPANN_OK) {
        return NULL;
    }
    vipann_engine *g = vip_alloc(1, sizeof *g);
    if (g == NULL) {
        (void)vip_fail_memory(error, "an engine");
        return NULL;
    }
    g->model = vipann_model_ref(model);
    g->options = *options;
    g->options.max_passes = larger(options->max_passes, larger(options->passes, 1));
    g->options.max_window_columns = larger(options->max_window_columns, options->window_columns);
    g->members = options->passes > 0 && model->file->posterior != VIPANN_DETERMINISTIC;
    g->edge = options->latency == VIPANN_EDGE && model->file->network.padding != VIP_CAUSAL;
    g->column_seconds = vip_column_seconds(model->file);
    g->column_frames = g->column_seconds * options->rate;
    atomic_flag_clear(&g->busy);
    if (!allocate(g, kernels)) {
        (void)vip_fail(error, VIPANN_E_MEMORY, "not enough memory for an engine; ask for fewer passes");
        vipann_engine_free(g);
        return NULL;
    }
    g->frontend = vip_frontend_new(&model->file->frontend, options->rate, error);
    if (g->frontend == NULL) {
        vipann_engine_free(g);
        return NULL;
    }
    store_param(g, VIPANN_PASSES, options->passes);
    store_param(g, VIPANN_HOP, options->hop_columns);
    store_param(g, VIPANN_WINDOW, options->window_columns);
    store_param(g, VIPANN_HORIZON, options->horizon_seconds);
    vipann_engine_reset(g);
    return g;
}

void
vipann_engine_free(vipann_engine *g)
{
    if (g == NULL) {
        return;
    }
    vip_ring_free(g->ring);
    vip_queue_free(g->gaps);
    vip_frontend_free(g->frontend);
    vip_free(g->frames);
    vip_pass_free(g->pass);
    vip_weights_free(g->own_weights);
    vip_signs_free(g->signs);
    vip_free(g->logits);
    vip_free(g->probabilities);
    vip_free(g->smoothed);
    vipann_result_free(g->result);
    vip_publisher_free(g->publisher);
    vipann_model_unref(g->model);
    vip_free(g);
}

/* Columns that an answer could have gone to by now. */
static int64_t
newest(const vipann_engine *g)
{
    return g->edge ? vip_pass_frames(g->pass) / VIP_COLUMN_FRAMES : vip_pass_columns(g->pass);
}

/* Parameters take effect between columns. A shorter hop may have made an answer overdue: it comes with the next column,
 * since older ones may be gone. */
static void
apply_params(vipann_engine *g)
{
    const uint32_t hop = (uint32_t)load_param(g, VIPANN_HOP);
    if (hop != g->hop) {
        g->hop = hop;
        g->due = g->answered + hop > newest(g) ? g->answered + hop : newest(g) + 1;
    }
    g->horizon = load_param(g, VIPANN_HORIZON);
    g->window = g->options.window_columns == 0 ? 0 : (uint32_t)load_param(g, VIPANN_WINDOW);
    if (g->members) {
        vip_pass_set_members(g->pass, (uint32_t)load_param(g, VIPANN_PASSES));
    }
}

/* The network forgets what it has heard; its next column is column `first` of the sound. */
static void
restart(vipann_engine *g, int64_t first)
{
    vip_frontend_reset(g->frontend);
    vip_pass_reset(g->pass, first);
    memset(g->settled, 0, sizeof g->settled);
    g->first = first;
    g->answered = 0;
    g->n_frames = 0;
    g->silence = 0;
    apply_params(g); /* the pass has begun with as many members as there may be */
    g->due = g->hop;
}

void
vipann_engine_reset(vipann_engine *g)
{
    vip_ring_reset(g->ring);
    vip_queue_reset(g->gaps);
    vip_publisher_reset(g->publisher);
    atomic_store_explicit(&g->lost, 0, memory_order_relaxed);
    atomic_store_explicit(&g->running, false, memory_order_relaxed);
    g->carried = g->missing = g->read = g->heard = 0;
    g->not_finite = g->clipped = 0;
    g->flushed = false;
    restart(g, 0);
}

/* --------------------------------------------------------------------------------------------------------- pushing */

/* One block of the chosen channel, or of the mean of all, from frame `begin` on. */
static void
mix(const vipann_engine *g, const float *const *channels, uint32_t begin, uint32_t n, float *mono)
{
    const uint32_t count = g->options.channels;
    if (g->options.channel >= 0 || count == 1) {
        memcpy(mono, channels[g->options.channel >= 0 ? g->options.channel : 0] + begin, n * sizeof *mono);
        return;
    }
    const float share = 1.0f / (float)count;
    for (uint32_t i = 0; i < n; i++) {
        float sum = 0;
        for (uint32_t c = 0; c < count; c++) {
            sum += channels[c][begin + i];
        }
        mono[i] = sum * share;
    }
}

uint32_t
vipann_push(vipann_engine *g, const float *const *channels, uint32_t frames)
{
    if (frames == 0) {
        return 0;
    }
    atomic_store_explicit(&g->running, true, memory_order_relaxed);
    const gap before = {g->carried, g->missing};
    if (frames > g->options.max_block || vip_ring_write_space(g->ring) < frames ||
        (before.frames > 0 && vip_queue_write_space(g->gaps) == 0)) {
        g->missing += frames;
        atomic_fetch_add_explicit(&g->lost, frames, memory_order_relaxed);
        return 0;
    }
    if (before.frames > 0) {
        (void)vip_queue_write(g->gaps, &before); /* fits: only the writer makes space smaller */
        g->missing = 0;
    }
    float mono[MIX_BLOCK];
    for (uint32_t done = 0; done < frames;) { /* ceil(frames / MIX_BLOCK) turns */
        uint32_t n = frames - done < MIX_BLOCK ? frames - done : MIX_BLOCK;
        mix(g, channels, done, n, mono);
        (void)vip_ring_write(g->ring, mono, n);
        done += n;
    }
    g->carried += frames;
    return frames;
}

uint32_t
vipann_push_space(vipann_engine *g)
{
    if (g->missing > 0 && vip_queue_write_space(g->gaps) == 0) {
        return 0; /* there is room for sound, but not for saying what is missing before it */
    }
    size_t space = vip_ring_write_space(g->ring);
    return space < g->options.max_block ? (uint32_t)space : g->options.max_block;
}

void
vipann_set(vipann_engine *g, vipann_param param, double value)
{
    const double most[VIPANN_N_PARAMS] = {g->options.max_passes, VIPANN_MAX_HOP_COLUMNS, g->options.max_window_columns,
                                          3600};
    if ((int)param < 0 || param >= VIPANN_N_PARAMS || !(value == value)) {
        return;
    }
    const double least = param == VIPANN_HORIZON ? 0 : 1;
    value = value < least ? least : value > most[param] ? most[param] : value;
    store_param(g, param, param == VIPANN_HORIZON ? value : floor(value + 0.5));
}

/* --------------------------------------------------------------------------------------------------------- answers */

/* Probabilities of the members that count, smoothed; returns how many there are. */
static uint32_t
listen_to_members(vipann_engine *g, int64_t end)
{
    const vip_model *file = g->model->file;
    const size_t classes = file->network.classes;
    const uint32_t settled = vip_pass_settled(g->pass, end, g->window);
    const uint32_t members = settled > 0 ? settled : 1;
    const double elapsed = (double)(end - g->answered) * g->column_seconds;
    const double weight = vip_smoothing_weight(elapsed, g->horizon);
    vip_pass_answer(g->pass, end, g->window, members, g->logits);
    for (uint32_t m = 0; m < members; m++) {
        float *logits = g->logits + m * classes;
        vip_probability *now = g->probabilities + m * classes, *smoothed = g->smoothed + m * classes;
        vip_calibrate(&file->calibration, !g->members, logits, classes);
        vip_probabilities(file->task, logits, classes, now);
        if (weight >= 1 || !g->settled[m]) {
            memcpy(smoothed, now, classes * sizeof *now);
            g->settled[m] = true;
            continue;
        }
        for (size_t c = 0; c < classes; c++) {
            smoothed[c].p += weight * (now[c].p - smoothed[c].p);
            smoothed[c].q += weight * (now[c].q - smoothed[c].q);
        }
    }
    for (uint32_t m = members; m < VIPANN_MAX_PASSES; m++) {
        g->settled[m] = false; /* one that leaves and comes back begins anew */
    }
    return members;
}

static vipann_answer
is_unknown(const vipann_engine *g, const vipann_result *r, uint32_t members)
{
    const vip_model *file = g->model->file;
    vip_evidence evidence = {
        .members = g->members ? members : 0, .total = r->total_nats, .epistemic = r->epistemic_nats};
    for (uint32_t c = 0; c < r->classes; c++) {
        evidence.largest = (double)r->p[c] > evidence.largest ? (double)r->p[c] : evidence.largest;
    }
    if (file->task == VIPANN_MULTILABEL && evidence.members >= 2) {
        const float *thresholds = file->calibration.present ? file->calibration.thresholds : NULL;
        evidence.active_epistemic =
            vip_active_epistemic(r->p, r->aleatoric, r->epistemic, thresholds, members, r->classes, &evidence.n_active);
    }
    return vip_unknown(file, &evidence);
}

/* Gives the answer for the columns up to `end` of the pass. */
static void
answer(vipann_engine *g, int64_t end, bool last)
{
    const vip_model *file = g->model->file;
    vipann_result *r = g->result;
    const uint32_t members = listen_to_members(g, end);
    const vip_doubt doubt =
        vip_decompose(file->task, g->smoothed, members, r->classes, r->p, r->std, r->aleatoric, r->epistemic);
    r->columns = (uint32_t)(g->window == 0 || end < (int64_t)g->window ? end : (int64_t)g->window);
    r->t_seconds = (double)(g->first + end) * g->column_seconds;
    r->window_seconds = r->columns * g->column_seconds;
    r->passes = g->members ? members : 0;
    r->calibrated = vip_calibration_applies(file, r->passes, g->window == 0 ? r->columns : g->window);
    r->last = last;
    r->has_epistemic = r->passes >= 2;
    r->reduction = file->task == VIPANN_MULTILABEL ? VIPANN_REDUCTION_SUM : VIPANN_REDUCTION_NONE;
    r->total_nats = doubt.total;
    r->aleatoric_nats = doubt.aleatoric;
    r->epistemic_nats = doubt.epistemic;
    r->unknown = is_unknown(g, r, members);
    r->gap_seconds = (double)atomic_load_explicit(&g->lost, memory_order_relaxed) / g->options.rate;
    r->not_finite = g->not_finite;
    r->clipped = g->clipped;
    vip_publish(g->publisher, r);
    g->answered = end;
    g->due = end + g->hop;
}

/* Answers that are due with the final columns. After the end of the sound that for the newest column is left to the
 * caller, who knows whether it is the last. */
static void
answer_final(vipann_engine *g)
{
    const int64_t end = vip_pass_columns(g->pass) - (g->flushed ? 1 : 0);
    while (g->due <= end) {
        answer(g, g->due, false);
    }
}

/* --------------------------------------------------------------------------------------------------------- pumping */

/* The network hears the first n_frames collected frames. */
static void
hear_frames(vipann_engine *g, uint32_t n_frames)
{
    vip_pass_push(g->pass, g->frames, n_frames);
    g->n_frames -= n_frames;
    memmove(g->frames, g->frames + (size_t)n_frames * VIP_MELS, (size_t)g->n_frames * VIP_MELS * sizeof(float));
    if (!g->edge) {
        answer_final(g);
    } else if (newest(g) >= g->due && !g->flushed) {
        vip_pass_finish(g->pass, false);
        answer(g, newest(g), false);
    }
}

/* Frames to be collected before the network hears them: a piece, but no further than the next answer at the edge. */
static uint32_t
wanted_frames(const vipann_engine *g)
{
    uint32_t columns = g->options.piece_columns;
    if (g->edge) {
        const int64_t left = g->due - newest(g); /* at least 1 */
        columns = left < (int64_t)columns ? (uint32_t)left : columns;
    }
    return columns * VIP_COLUMN_FRAMES;
}

static bool
is_long(const vipann_engine *g, const gap *lost)
{
    return (double)lost->frames >= g->column_frames;
}

/* A short gap is heard as silence. After a long one the network starts anew with the column in which the gap ends, what
 * was lost of that column being silence: so the work that could not be done in time is not done later either. */
static void
begin_gap(vipann_engine *g, const gap *lost)
{
    g->silence = lost->frames;
    if (is_long(g, lost)) {
        const uint64_t end = g->heard + lost->frames;
        const double column = floor((double)end / g->column_frames);
        restart(g, (int64_t)column);
        g->heard = (uint64_t)llround(column * g->column_frames);
        g->silence = end - g->heard;
    }
}

/* NaN and infinities become silence, what is far too loud is cut; both are counted. */
static void
clean(vipann_engine *g, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            x[i] = 0;
            g->not_finite++;
        } else if (fabsf(x[i]) > LOUDEST) {
            x[i] = x[i] > 0 ? LOUDEST : -LOUDEST;
            g->clipped++;
        }
    }
}

/* Samples from the ring, or of a gap's silence, to the front-end: at most `room`. Returns how many. 0: there are none, or
 * a long gap comes next and whole columns before it have been collected, which the network must hear first. */
static size_t
hear_samples(vipann_engine *g, size_t room)
{
    size_t n = room < FEED ? room : FEED;
    const size_t there = vip_ring_read_space(g->ring); /* before the gaps are looked at: see `gaps` */
    gap next; /* begins only when there is sound behind it, so that after every new start something is heard */
    if (g->silence == 0 && there > 0 && vip_queue_peek(g->gaps, &next) && next.position == g->read) {
        if (g->n_frames >= VIP_COLUMN_FRAMES && is_long(g, &next)) {
            return 0;
        }
        (void)vip_queue_read(g->gaps, &next);
        begin_gap(g, &next);
    }
    if (g->silence > 0) {
        n = g->silence < n ? (size_t)g->silence : n;
        memset(g->samples, 0, n * sizeof(float));
        g->silence -= n;
    } else {
        n = n < there ? n : there;
        if (vip_queue_peek(g->gaps, &next) && next.position - g->read < n) {
            n = (size_t)(next.position - g->read);
        }
        n = vip_ring_read(g->ring, g->samples, n);
        g->read += n;
        clean(g, g->samples, n);
    }
    g->heard += n;
    vip_frontend_feed(g->frontend, g->samples, n);
    return n;
}

/* Collects frames until there are `wanted` or the sound runs out. */
static void
collect(vipann_engine *g, uint32_t wanted)
{
    while (g->n_frames < wanted) {
        g->n_frames +=
            (uint32_t)vip_frontend_read(g->frontend, g->frames + (size_t)g->n_frames * VIP_MELS, wanted - g->n_frames);
        if (g->n_frames < wanted && (g->flushed || hear_samples(g, vip_frontend_space(g->frontend)) == 0)) {
            return;
        }
    }
}

/* Whole columns of one piece; returns how many. */
static uint32_t
pump_piece(vipann_engine *g)
{
    apply_params(g);
    collect(g, wanted_frames(g));
    const uint32_t columns = g->n_frames / VIP_COLUMN_FRAMES;
    if (columns > 0) {
        hear_frames(g, columns * VIP_COLUMN_FRAMES);
    }
    return columns;
}

int
vipann_pump(vipann_engine *g)
{
    if (atomic_flag_test_and_set_explicit(&g->busy, memory_order_acquire)) {
        return -1;
    }
    unsigned mode = vip_denormals_off();
    int columns = g->flushed ? 0 : (int)pump_piece(g);
    vip_denormals_restore(mode);
    atomic_flag_clear_explicit(&g->busy, memory_order_release);
    return columns;
}

bool
vipann_flush(vipann_engine *g)
{
    if (atomic_flag_test_and_set_explicit(&g->busy, memory_order_acquire)) {
        return false;
    }
    unsigned mode = vip_denormals_off();
    while (!g->flushed && pump_piece(g) > 0) {
    }
    const bool any = g->heard > 0 && !g->flushed;
    if (any) {
        g->flushed = true;
        vip_frontend_end(g->frontend);
        while (pump_piece(g) > 0) {
        }
        vip_pass_push(g->pass, g->frames, g->n_frames); /* less than a column: context only */
        vip_pass_finish(g->pass, true);
        answer_final(g);
        answer(g, vip_pass_columns(g->pass), true); /* the front-end makes a column of the shortest sound */
    }
    vip_denormals_restore(mode);
    atomic_flag_clear_explicit(&g->busy, memory_order_release);
    return any;
}

/* --------------------------------------------------------------------------------------------------------- readers */

vipann_reader *
vipann_reader_new(vipann_engine *g, unsigned what, vipann_error *error)
{
    if (atomic_load_explicit(&g->running, memory_order_relaxed)) {
        (void)vip_fail(error, VIPANN_E_ARG,
                       "a reader was asked for while the stream runs; make readers before the "
                       "first push, or reset the engine");
        return NULL;
    }
    return vip_publisher_add(g->publisher, what, error);
}
