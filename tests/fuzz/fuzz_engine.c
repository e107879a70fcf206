/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fuzz_engine.c -- any options, any sound in any blocks, parameters set at any time: options are refused with one line,
 * or every result and event that comes out makes sense and time goes on. */
#include "fuzz.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <decide/rules.h>

#include "tests/data/random_model.h"

enum { MODELS = 5, CLASSES = 3, MOST_CHANNELS = 3, MOST_BLOCK = 2048, MOST_FRAMES = 24000, MOST_STEPS = 64 };

static vipann_model *models[MODELS];
static vipann_rules *rules[MODELS]; /* by which nearly everything is an event */

/* A network of the least width, with a front-end of so few samples that a column is short. */
static vipann_model *
make(vip_padding padding, vipann_posterior posterior, vipann_task task)
{
    const random_model_spec spec = {.arch = VIP_RESNET22,
                                    .width = 1,
                                    .classes = CLASSES,
                                    .padding = padding,
                                    .posterior = posterior,
                                    .task = task,
                                    .seed = 5};
    vip_model *model = random_model(&spec);
    fuzz_check(model != NULL);
    model->frontend = (vip_frontend_spec){"tiny", 8000, 128, 40, VIP_MELS, 20, 4000, 1e-10};
    vipann_error error = {VIPANN_OK, ""};
    const char *path = fuzz_path("model.safetensors");
    (void)vip_model_write(model, path, false, &error);
    fuzz_check_success(&error);
    vip_model_free(model);
    vipann_model *opened = vipann_model_open(path, &error);
    fuzz_check_success(&error);
    return opened;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    models[0] = make(VIP_SAME, VIPANN_DROPOUT, VIPANN_MULTILABEL);
    models[1] = make(VIP_CAUSAL, VIPANN_DROPOUT, VIPANN_MULTICLASS);
    models[2] = make(VIP_CAUSAL, VIPANN_MEANFIELD, VIPANN_MULTILABEL);
    models[3] = make(VIP_SAME, VIPANN_DETERMINISTIC, VIPANN_MULTICLASS);
    models[4] = make(VIP_SAME, VIPANN_ENSEMBLE, VIPANN_MULTICLASS);
    for (size_t i = 0; i < MODELS; i++) {
        static const char text[] = "threshold = 0.3\nhysteresis = 0\nmin_length = 0\nmerge_gap = 0\nlevel = -40\n";
        vipann_error error = {VIPANN_OK, ""};
        rules[i] = vipann_rules_new(models[i], &error);
        fuzz_check_success(&error);
        (void)vip_rules_parse(rules[i], "rules", text, sizeof text - 1, &error);
        fuzz_check_success(&error);
    }
    return 0;
}

/* ------------------------------------------------------------------------------------------------ what comes out */

/* One reader of a stream, and what it has heard so far. */
typedef struct {
    vipann_reader *reader;
    vipann_result *result;
    bool begun, last;
    bool flushed;
    double t, gap;
    uint64_t not_finite, clipped;
    uint64_t told, ended; /* events */
    uint64_t missed;      /* frames that were not taken */
} witness;

static void
check_classes(const vipann_result *r)
{
    double sum = 0;
    for (uint32_t i = 0; i < r->classes; i++) {
        double p = (double)r->p[i], std = (double)r->std[i];
        fuzz_check(p >= 0 && p <= 1 && std >= 0 && std <= 0.5 + 1e-6);
        fuzz_check(isfinite(r->aleatoric[i]) && isfinite(r->epistemic[i]));
        fuzz_check(r->aleatoric[i] >= 0 && r->epistemic[i] >= 0);
        sum += p;
    }
    fuzz_check(r->reduction != VIPANN_REDUCTION_NONE || fabs(sum - 1) < 1e-4); /* multi-class: one of them */
}

static void
check_result(witness *w, const vipann_result *r, const vipann_options *o)
{
    check_classes(r);
    fuzz_check(isfinite(r->total_nats) && r->aleatoric_nats >= 0 && r->epistemic_nats >= 0);
    fuzz_check(fabs(r->total_nats - r->aleatoric_nats - r->epistemic_nats) < 1e-9);
    fuzz_check(r->passes <= VIPANN_MAX_PASSES && r->has_epistemic == (r->passes >= 2));
    fuzz_check(r->has_epistemic || r->epistemic_nats == 0);
    fuzz_check(r->columns >= 1 && r->window_seconds > 0 && isfinite(r->window_seconds));
    fuzz_check(r->t_seconds > 0 && isfinite(r->t_seconds));
    fuzz_check(r->level_dbfs >= -200 && r->level_dbfs <= 40 + 1e-6); /* sound is cut at 40 dB above full scale */
    fuzz_check(!r->silent || r->unknown != VIPANN_YES);
    fuzz_check(!w->begun || r->t_seconds > w->t || (r->last && r->t_seconds >= w->t));
    fuzz_check(r->gap_seconds >= w->gap && r->gap_seconds * o->rate <= (double)MOST_FRAMES + 0.5);
    fuzz_check(r->not_finite >= w->not_finite && r->clipped >= w->clipped && !w->last);
    w->begun = true;
    w->last = r->last;
    w->t = r->t_seconds;
    w->gap = r->gap_seconds;
    w->not_finite = r->not_finite;
    w->clipped = r->clipped;
}

static void
check_event(witness *w, const vipann_event *e)
{
    fuzz_check(e->id >= 1 && e->class_index < CLASSES);
    fuzz_check(e->start_seconds >= 0 && e->end_seconds >= e->start_seconds && isfinite(e->end_seconds));
    fuzz_check(e->p_max >= 0 && e->p_max <= 1 && e->p_mean >= 0 && e->p_mean <= e->p_max + 1e-9);
    fuzz_check(e->has_epistemic ? e->epistemic_nats >= 0 && isfinite(e->epistemic_nats) : e->epistemic_nats == 0);
    fuzz_check(e->passes <= VIPANN_MAX_PASSES);
    if (e->ended) {
        w->ended++;
        fuzz_check(e->id <= w->told); /* it was told when it began */
    } else {
        fuzz_check(e->id == ++w->told);
    }
}

static void
read_all(witness *w, const vipann_options *o)
{
    while (vipann_next_result(w->reader, w->result)) {
        check_result(w, w->result, o);
    }
    vipann_event event;
    while (vipann_next_event(w->reader, &event)) {
        check_event(w, &event);
    }
}

/* ------------------------------------------------------------------------------------------------- what goes in */

/* Mostly what an engine takes: an ensemble has three members, so that some ask for too many. */
static vipann_options
choose_options(fuzz_bytes *bytes, const vipann_model *model)
{
    static const double rates[] = {8000, 8000, 16000, 11025, 44100, 8000.5};
    vipann_options o;
    vipann_options_default(&o, model);
    o.rate = rates[fuzz_byte(bytes) % (sizeof rates / sizeof *rates)];
    o.channels = fuzz_range(bytes, 1, MOST_CHANNELS);
    o.channel = (int32_t)fuzz_range(bytes, 0, o.channels) - 1;
    o.passes = fuzz_range(bytes, 0, 4);
    o.max_passes = fuzz_range(bytes, 0, 5);
    o.members = (vipann_members)fuzz_range(bytes, VIPANN_FLIPOUT, VIPANN_EXPLICIT);
    o.seed = fuzz_byte(bytes);
    o.hop_columns = fuzz_range(bytes, 1, 4);
    o.window_columns = fuzz_range(bytes, 0, 5);
    o.max_window_columns = fuzz_range(bytes, 0, 8);
    o.horizon_seconds = fuzz_byte(bytes) % 4 == 0 ? 0.2 : 0;
    o.latency = fuzz_byte(bytes) % 2 ? VIPANN_EDGE : VIPANN_CENTRED;
    o.piece_columns = fuzz_range(bytes, 1, 4);
    o.max_block = fuzz_range(bytes, 1, MOST_BLOCK);
    o.ring_seconds = 0.1 + fuzz_byte(bytes) / 100.0;
    switch (fuzz_byte(bytes) % 32) { /* now and then anything */
    case 0:
        o.rate = fuzz_double(bytes);
        break;
    case 1:
        o.channels = fuzz_word(bytes) % 70 > 64 ? fuzz_word(bytes) : 65;
        break;
    case 2:
        o.channel = (int32_t)fuzz_word(bytes) | 64;
        break;
    case 3:
        o.passes = 65 + fuzz_word(bytes) / 2;
        break;
    case 4:
        o.horizon_seconds = fuzz_double(bytes);
        break;
    case 5:
        o.hop_columns = 376 + fuzz_word(bytes) / 2;
        break;
    case 6:
        o.latency = (vipann_latency)fuzz_byte(bytes);
        break;
    case 7:
        o.piece_columns = 33 + fuzz_word(bytes) / 2;
        break;
    default:
        break;
    }
    return o;
}

/* The next frames of all channels, of one kind. */
static void
make_sound(fuzz_bytes *bytes, uint32_t n, float *samples)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY, 1e-40f, -1e-45f, 3e38f, -3e38f, 100, 101, -0.0f, 1, 0};
    const uint8_t kind = fuzz_byte(bytes);
    const float loudness = (float)(fuzz_byte(bytes) / 128.0);
    uint32_t random = kind;
    for (uint32_t i = 0; i < n; i++) {
        float noise = (float)fuzz_random(&random) / 8388608.0f - 1;
        samples[i] = loudness * noise;
        if (kind % 4 == 0) {
            samples[i] = 0;
        } else if (kind % 4 == 1 && fuzz_random(&random) % 16 == 0) {
            samples[i] = odd[fuzz_random(&random) % (sizeof odd / sizeof *odd)];
        } else if (kind % 4 == 2) {
            samples[i] = loudness * sinf((float)i * (float)kind * 0.01f);
        }
    }
}

static void
push(vipann_engine *engine, witness *w, fuzz_bytes *bytes, const vipann_options *o, uint32_t *frames)
{
    static float samples[MOST_BLOCK + 1];
    const float *channels[MOST_CHANNELS] = {samples, samples, samples};
    uint32_t n = fuzz_range(bytes, 0, MOST_BLOCK);
    n = n % (o->max_block + o->max_block / 8 + 1); /* now and then one that is too long */
    n = n < MOST_BLOCK ? n : MOST_BLOCK;
    make_sound(bytes, n, samples);
    const uint32_t space = vipann_push_space(engine), taken = vipann_push(engine, channels, n);
    fuzz_check(taken == (n <= space ? n : 0));
    w->missed += n - taken;
    *frames += n;
}

/* Ends the stream, unless it has ended. */
static void
finish(vipann_engine *engine, witness *w, const vipann_options *o)
{
    if (w->flushed) {
        return;
    }
    const bool gave = vipann_flush(engine);
    read_all(w, o);
    fuzz_check(gave == w->last);
    fuzz_check(!gave || fabs(w->gap * o->rate - (double)w->missed) < 0.5); /* nothing that was lost is forgotten */
    fuzz_check(w->ended == w->told);                                       /* every event that began is over */
    fuzz_check(!vipann_flush(engine));
    w->flushed = true;
}

/* One thing that somebody may do with an engine. */
static void
step(vipann_engine *engine, witness *w, fuzz_bytes *bytes, const vipann_options *o, uint32_t *frames)
{
    switch (fuzz_byte(bytes) % 16) {
    case 0:
        vipann_set(engine, (vipann_param)fuzz_byte(bytes), fuzz_double(bytes));
        break;
    case 1:
        vipann_set(engine, (vipann_param)(fuzz_byte(bytes) % VIPANN_N_PARAMS), fuzz_byte(bytes) % 8);
        break;
    case 2:
        if (fuzz_byte(bytes) % 4 == 0) {
            vipann_engine_reset(engine);
            *w = (witness){.reader = w->reader, .result = w->result};
            *frames = 0;
        }
        break;
    case 3:
    case 4:
    case 5:
        while (vipann_pump(engine) > 0) {
            read_all(w, o);
        }
        break;
    case 6:
        fuzz_check(vipann_pump(engine) >= 0);
        break;
    case 7:
        if (fuzz_byte(bytes) % 8 == 0) {
            finish(engine, w, o);
        }
        break;
    default:
        if (!w->flushed) {
            push(engine, w, bytes, o, frames);
        }
    }
    read_all(w, o);
}

static void
live(vipann_engine *engine, witness *w, fuzz_bytes *bytes, const vipann_options *o)
{
    uint32_t frames = 0;
    for (int i = 0; i < MOST_STEPS && bytes->left > 0 && frames < MOST_FRAMES - MOST_BLOCK; i++) {
        step(engine, w, bytes, o, &frames);
    }
    finish(engine, w, o);
    fuzz_check(vipann_reader_lost(w->reader) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes bytes = {data, size};
    const size_t chosen = fuzz_byte(&bytes) % MODELS;
    vipann_model *model = models[chosen];
    vipann_options o = choose_options(&bytes, model);
    o.rules = fuzz_byte(&bytes) % 4 != 0 ? rules[chosen] : NULL;
    vipann_error error = {VIPANN_OK, ""};
    vipann_engine *engine = vipann_engine_new(model, &o, &error);
    if (engine == NULL) {
        fuzz_check_refusal(VIPANN_E_ARG, &error);
        return 0;
    }
    if (o.max_block > MOST_BLOCK || o.channels > MOST_CHANNELS) {
        vipann_engine_free(engine); /* allowed, but more than is pushed here */
        return 0;
    }
    witness w = {.reader = vipann_reader_new(engine, VIPANN_RESULTS | VIPANN_EVENTS | VIPANN_LATEST, &error),
                 .result = vipann_result_new(model)};
    fuzz_check(w.reader != NULL && w.result != NULL);
    live(engine, &w, &bytes, &o);
    vipann_result_free(w.result);
    vipann_engine_free(engine);
    return 0;
}
