/* SPDX-License-Identifier: GPL-3.0-or-later */
/* engine.c -- the rooms put together: push, pump, read. See vipann.h for the contract.
 *
 * The pushing thread owns what stands under "pushing"; the pumping thread, which holds `busy`, owns the rest. They meet
 * in the ring, the queue of gaps and the atomic words only. */
#include "answers.h"
#include "hearing.h"
#include "library.h"

#include <base/denormals.h>
#include <base/hot.h>
#include <base/memory.h>
#include <base/status.h>
#include <decide/level.h>
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
    double column_frames; /* frames of input in a column */

    /* Pushing. */
    alignas(CACHE_LINE) uint64_t carried; /* frames that the ring has taken */
    uint64_t missing;                     /* lost since the last that it took */

    /* Both, but seldom written. */
    alignas(CACHE_LINE) atomic_bool running;       /* something was pushed; relaxed: for refusing late readers */
    atomic_uint_least64_t lost;                    /* frames in gaps; relaxed, a counter */
    atomic_uint_least64_t params[VIPANN_N_PARAMS]; /* bits of a double; relaxed: each stands alone */
    vip_ring *ring;
    vip_queue *gaps; /* a gap is written before the sample behind it: who sees that sample sees the gap */

    /* Pumping: sound. */
    alignas(CACHE_LINE) atomic_flag busy; /* acquire and release by the pumping thread, whichever that is */
    uint64_t read;                        /* frames taken from the ring */
    uint64_t heard;                       /* frames of input heard, with gaps */
    uint64_t silence;                     /* frames of silence still to be heard for a gap */
    uint64_t not_finite, clipped;
    bool flushed;
    float samples[FEED];
    vip_frontend *frontend;
    float *frames; /* [piece_columns * 32][VIP_MELS] */
    uint32_t n_frames;

    /* Pumping: columns. */
    vip_hearing *hearing;
    vip_pass *pass;       /* of hearing */
    vip_level *level;     /* of the input, in the pass's columns */
    int64_t first;        /* column of the sound that is the pass's column 0 */
    int64_t listened;     /* the pass's column up to which events have been heard */
    int64_t answered;     /* that up to which the last answer went */
    int64_t due;          /* that of the next one; never behind what has been heard */
    uint32_t hop, window; /* columns; parameters in force */
    double horizon;

    vip_answers *answers;
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

static uint32_t
larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Columns whose level may be asked for: a window, and what has been heard behind it while its answer waited for the
 * look-ahead, for the end of a frame, for what is fed and resampled in blocks, and for the end of a piece. */
static uint32_t
kept_columns(const vipann_engine *g)
{
    enum { ON_THE_WAY = 8 };
    const vip_model *file = g->model->file;
    const uint32_t window = larger(g->options.max_window_columns, VIPANN_EVENT_COLUMNS);
    const uint32_t ahead = vip_network_look_ahead(&file->network, NULL) + file->frontend.n_fft / file->frontend.hop;
    const uint32_t fed = (uint32_t)(FEED / g->column_frames);
    return window + g->options.piece_columns + ahead / VIP_COLUMN_FRAMES + fed + ON_THE_WAY;
}

/* Columns that one pump or a flush can tell of: a piece, or what waited for the look-ahead and in the front-end. */
static uint32_t
told_columns(const vipann_engine *g)
{
    enum { IN_THE_FRONT_END = 2 };
    const uint32_t ahead = vip_network_look_ahead(&g->model->file->network, NULL);
    return larger(g->options.piece_columns, ahead / VIP_COLUMN_FRAMES + 1 + IN_THE_FRONT_END);
}

static bool
make_hearing(vipann_engine *g, const vip_kernels *kernels)
{
    g->hearing = vip_hearing_new(g->model, &g->options, kernels);
    g->pass = g->hearing == NULL ? NULL : vip_hearing_pass(g->hearing);
    return g->pass != NULL;
}

/* Everything but what can fail for other reasons than memory. */
static bool
allocate(vipann_engine *g, const vip_kernels *kernels)
{
    const vipann_options *o = &g->options;
    size_t ring = (size_t)(o->ring_seconds * o->rate);
    ring = ring < 2 * (size_t)o->max_block ? 2 * (size_t)o->max_block : ring;
    g->ring = vip_ring_new(ring);
    g->gaps = vip_queue_new(MAX_GAPS, sizeof(gap));
    g->frames = vip_alloc((size_t)o->piece_columns * VIP_COLUMN_FRAMES * VIP_MELS, sizeof(float));
    g->publisher = vip_publisher_new(g->model->file->network.classes, told_columns(g));
    g->level = vip_level_new(g->column_frames, kept_columns(g));
    return g->ring != NULL && g->gaps != NULL && g->frames != NULL && g->publisher != NULL && g->level != NULL &&
           make_hearing(g, kernels);
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
    if (kernels == NULL || vip_options_check(model, options, error) != VIPANN_OK) {
        return NULL;
    }
    vipann_engine *g = vip_alloc(1, sizeof *g);
    if (g == NULL) {
        (void)vip_fail_memory(error, "an engine");
        return NULL;
    }
    g->model = vipann_model_ref(model);
    g->options = *options;
    g->options.max_passes = vip_most_members(model, options);
    g->options.max_window_columns = larger(options->max_window_columns, options->window_columns);
    g->members = vip_has_members(model, options);
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
    g->answers = g->frontend == NULL ? NULL
                                     : vip_answers_new(model->file, g->publisher, options->rules, g->members,
                                                       g->members ? g->options.max_passes : 1, error);
    if (g->answers == NULL) {
        vipann_engine_free(g);
        return NULL;
    }
    g->options.rules = NULL; /* was the caller's */
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
    vip_hearing_free(g->hearing);
    vip_level_free(g->level);
    vip_answers_free(g->answers);
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
    vip_level_reset(g->level, first);
    g->first = first;
    g->listened = g->answered = 0;
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
    vip_answers_reset(g->answers);
    atomic_store_explicit(&g->lost, 0, memory_order_relaxed);
    atomic_store_explicit(&g->running, false, memory_order_relaxed);
    g->carried = g->missing = g->read = g->heard = 0;
    g->not_finite = g->clipped = 0;
    g->flushed = false;
    restart(g, 0);
}

/* --------------------------------------------------------------------------------------------------------- pushing */

/* One block of the chosen channel, or of the mean of all, from frame `begin` on. */
VIP_HOT static void
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

VIP_HOT uint32_t
vipann_push(vipann_engine *g, const float *const *channels, uint32_t frames)
{
    if (frames == 0) {
        return 0;
    }
    if (!atomic_load_explicit(&g->running, memory_order_relaxed)) { /* a store would take the line from the others */
        atomic_store_explicit(&g->running, true, memory_order_relaxed);
    }
    const gap before = {g->carried, g->missing};
    if (frames > g->options.max_block || !vip_ring_fits(g->ring, frames) ||
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

/* One column has become ready: gives the result if it is due, then hears events. */
static void
answer_column(vipann_engine *g, const vip_question *question, int64_t column, bool last)
{
    if (column >= g->due || last) {
        vip_answer(g->answers, question, g->answered, column, last);
        g->answered = column;
        g->due = column + g->hop;
    }
    if (column > g->listened) { /* the end of a sound may add none */
        vip_listen(g->answers, question, g->listened, column);
        g->listened = column;
    }
}

/* The pass's columns up to `end` are ready; last: nothing follows, and there is a result for `end` in any case. */
static void
answer_columns(vipann_engine *g, int64_t end, bool last)
{
    const vip_question question = {
        .pass = g->pass,
        .level = g->level,
        .first = g->first,
        .window = g->window,
        .horizon = g->horizon,
        .gap_seconds = (double)atomic_load_explicit(&g->lost, memory_order_relaxed) / g->options.rate,
        .not_finite = g->not_finite,
        .clipped = g->clipped,
    };
    for (int64_t column = g->listened + 1; column < end; column++) {
        answer_column(g, &question, column, false);
    }
    if (last || end > g->listened) {
        answer_column(g, &question, end, last);
    }
    if (last) {
        vip_answers_interrupt(g->answers);
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
    if (g->edge && newest(g) >= g->due && !g->flushed) {
        vip_pass_finish(g->pass, false);
        answer_columns(g, newest(g), false);
        return;
    }
    /* At the edge no answer is due in what is final, but events are heard while it is still there, however long the hop.
     * What may be the last column is left to vipann_flush. */
    answer_columns(g, vip_pass_columns(g->pass) - (g->flushed ? 1 : 0), false);
}

/* Frames to be collected before the network hears them: a piece, but no further than the next answer at the edge. */
static uint32_t
wanted_frames(const vipann_engine *g)
{
    uint32_t columns = g->options.piece_columns;
    if (g->edge && !g->flushed) {
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
        vip_answers_interrupt(g->answers);
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
    vip_level_feed(g->level, g->samples, n);
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
        answer_columns(g, vip_pass_columns(g->pass), true); /* the front-end makes a column of the shortest sound */
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
