/* SPDX-License-Identifier: GPL-3.0-or-later */
/* calibrate.c -- `vipann-train calibrate`: temperature, thresholds and the limits of *unknown*, written into a model. */
#include "train_commands.h"

#include <offline_trainer/base/parallel.h>
#include <offline_trainer/judge/heard.h>
#include <offline_trainer/judge/limits.h>
#include <offline_trainer/judge/scale.h>
#include <offline_trainer/judge/score_fit.h>
#include <offline_trainer/judge/temperature.h>

#include <base/memory.h>
#include <base/status.h>
#include <bayes/uncertainty.h>
#include <common/progress.h>
#include <decide/decide.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static const vip_option OUTPUT = {"output",
                                  VIP_OPTION_TEXT,
                                  "MODEL",
                                  0,
                                  0,
                                  NULL,
                                  NULL,
                                  NULL,
                                  "What is made",
                                  "Where the calibrated model goes; it may be the model itself."};
static const vip_option HALF = {
    "half", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, "What is made", "Store weights in 16 bits: half the size."};
static const vip_option CLIPS = {
    "clips", VIP_OPTION_TEXT,
    "EXPR",  0,
    0,       NULL,
    "all",   NULL,
    "Clips", "Clips that the model has not learnt from and that no test will use, such as 'fold=3'."};
static const vip_option TARGETS = {"targets", VIP_OPTION_TEXT,
                                   "DIR",     0,
                                   0,         NULL,
                                   NULL,      NULL,
                                   "Clips",   "What is right is what this teacher heard, instead of the labels."};
static const vip_option PASSES = {"passes",
                                  VIP_OPTION_WHOLE,
                                  "S",
                                  1,
                                  VIPANN_MAX_PASSES,
                                  NULL,
                                  "8",
                                  NULL,
                                  "What it holds for",
                                  "Passes that the model will be used with."};
static const vip_option WINDOW = {"window",
                                  VIP_OPTION_WHOLE,
                                  "COLUMNS",
                                  1,
                                  375,
                                  NULL,
                                  "15",
                                  NULL,
                                  "What it holds for",
                                  "Columns of 0.32 s that an answer pools; of longer clips the beginning is heard."};
static const vip_option PRECISION = {
    "precision",
    VIP_OPTION_NUMBER,
    "P",
    0,
    1,
    NULL,
    "0.5",
    NULL,
    "Limits",
    "Multi-label: the smallest threshold of a class so that of what passes it so much is "
    "right; classes that are heard too seldom share one."};
static const vip_option SAFE = {"safe",   VIP_OPTION_FLAG,
                                NULL,     0,
                                0,        NULL,
                                NULL,     NULL,
                                "Limits", "Be sure of that precision, not only right on these clips (Wilson's bound)."};
static const vip_option SHARE = {"unknown-share",
                                 VIP_OPTION_NUMBER,
                                 "SHARE",
                                 0.0001,
                                 0.5,
                                 NULL,
                                 "0.05",
                                 NULL,
                                 "Limits",
                                 "Share of the clips that are answered rightly which *unknown* may refuse."};
static const vip_option TRAIN = {
    "train",
    VIP_OPTION_TEXT,
    "EXPR",
    0,
    0,
    NULL,
    NULL,
    NULL,
    "Limits",
    "Clips that the model has learnt from: *unknown* follows the sum of --parts then, instead of the epistemic part "
    "and the largest probability."};
static const vip_option PARTS = {
    "parts",  VIP_OPTION_TEXT,
    "LIST",   0,
    0,        NULL,
    NULL,     "energy,distance and, if classes are exclusive, total",
    "Limits", "What is added up: total, epistemic, confidence, energy, distance (from the clips of --train)."};
static const vip_option PROTOTYPES = {"prototypes",
                                      VIP_OPTION_WHOLE,
                                      "P",
                                      1,
                                      VIP_MAX_PROTOTYPES,
                                      NULL,
                                      "128",
                                      NULL,
                                      "Limits",
                                      "Prototypes that stand for the clips of --train."};
static const vip_option BACKGROUND = {
    "background",
    VIP_OPTION_TEXT,
    "EXPR",
    0,
    0,
    NULL,
    NULL,
    NULL,
    "Limits",
    "Clips that stand for what is always there: *unknown* is set off by them no more often than --alarms-per-hour."};
static const vip_option ALARMS = {"alarms-per-hour",
                                  VIP_OPTION_NUMBER,
                                  "RATE",
                                  0,
                                  3600,
                                  NULL,
                                  "1",
                                  NULL,
                                  "Limits",
                                  "With --background: windows an hour that may be unknown."};
static const vip_option SEED = {"seed",
                                VIP_OPTION_WHOLE,
                                "N",
                                0,
                                1.8446744073709552e19,
                                NULL,
                                "1",
                                NULL,
                                "How",
                                "Of the passes and the prototypes."};
static const vip_option THREADS = {"threads", VIP_OPTION_WHOLE,        "N", 1, 256, NULL, NULL, "all cores",
                                   "How",     "How many threads hear."};
static const vip_option *const OPTIONS[] = {&OUTPUT,     &HALF,   &CLIPS, &TARGETS, &PASSES, &WINDOW,
                                            &PRECISION,  &SAFE,   &SHARE, &TRAIN,   &PARTS,  &PROTOTYPES,
                                            &BACKGROUND, &ALARMS, &SEED,  &THREADS};

const vip_command VIP_CALIBRATE_COMMAND = {
    .name = "vipann-train calibrate",
    .operands = "MODEL CACHE",
    .summary = "Makes a model's probabilities honest, and sets its limits, on clips kept out of training.",
    .details =
        "Finds the temperature by which logits are divided, with and without passes; thresholds of the classes of a "
        "multi-label model; and how doubtful an answer must be to be *unknown*. All of it holds for that number of "
        "passes and that window, which the model file says.",
    .examples =
        "vipann-train calibrate runs/first/best.safetensors esc50.cache --clips 'fold=3' --output mine.safetensors",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_operands = 2,
    .most_operands = 2,
};

typedef struct {
    const vip_arguments *arguments;
    vip_model *model;
    vip_cache *cache;
    vip_targets *targets;
    vip_part clips, train;
    size_t members;
    float *logits, *plain; /* with passes, and without: [n][members][classes], [n][1][classes] */
    float *pooled;         /* [n][features], with passes */
    vip_heard *heard;
} fitting;

/* ------------------------------------------------------------------------------------------------------------ hearing */

/* pooled may be NULL. */
static vipann_status
listen(fitting *f, const vip_part *clips, uint32_t passes, size_t first, float **logits, float **pooled,
       size_t *members, vipann_error *error)
{
    const vip_listen_options options = {
        .passes = passes,
        .seed = vip_argument(f->arguments, &SEED)->whole,
        .first = first,
        .frames = (size_t)vip_argument(f->arguments, &WINDOW)->whole * VIP_COLUMN_FRAMES,
    };
    *members = vip_listen_answers(f->model, &options);
    *logits = vip_alloc(clips->n, vip_product(*members * f->model->network.classes, sizeof(float)));
    if (pooled != NULL) {
        *pooled = vip_alloc(clips->n, vip_product(f->model->network.features, sizeof(float)));
    }
    return *logits == NULL || (pooled != NULL && *pooled == NULL)
               ? vip_fail_memory(error, "answers")
               : vip_listen_pooled(f->model, f->cache, clips->clips, clips->n, &options, *logits,
                                   pooled != NULL ? *pooled : NULL, NULL, NULL, error);
}

/* Clips that the model has no class for cannot tell anything. */
static vipann_status
keep_labelled(fitting *f, vipann_error *error)
{
    float *none = vip_alloc(f->clips.n, vip_product(f->model->network.classes, sizeof *none));
    vip_heard *h = none != NULL ? vip_heard_new(f->model, f->cache, &f->clips, none, 1, true, NULL, f->targets) : NULL;
    if (h == NULL) {
        vip_free(none);
        return vip_fail_memory(error, "answers");
    }
    size_t kept = 0;
    for (size_t i = 0; i < f->clips.n; i++) {
        if (h->label[i] != VIP_NO_LABEL) {
            f->clips.clips[kept++] = f->clips.clips[i];
        }
    }
    f->clips.n = kept;
    vip_heard_free(h);
    vip_free(none);
    enum { LEAST = 20 };
    return kept >= LEAST ? VIPANN_OK
                         : vip_fail(error, VIPANN_E_ARG, "%zu clips have labels that %s knows; expected at least %d",
                                    kept, f->model->name, LEAST);
}

/* ------------------------------------------------------------------------------------------------------------ fitting */

static void
set_all(float *values, size_t n, double value)
{
    for (size_t i = 0; i < n; i++) {
        values[i] = (float)value;
    }
}

static vipann_status
new_calibration(fitting *f, vipann_error *error)
{
    vip_calibration *c = &f->model->calibration;
    const uint32_t classes = f->model->network.classes;
    float **const arrays[] = {&c->temperature, &c->offset, &c->thresholds};
    for (size_t i = 0; i < 3; i++) {
        vip_free(*arrays[i]);
        *arrays[i] = NULL;
    }
    for (int s = 0; s < VIPANN_N_SCORES; s++) {
        c->has_unknown[s] = false;
    }
    c->temperature = vip_alloc(classes, sizeof(float));
    c->offset = vip_alloc(classes, sizeof(float));
    c->thresholds = f->model->task == VIPANN_MULTILABEL ? vip_alloc(classes, sizeof(float)) : NULL;
    if (c->temperature == NULL || c->offset == NULL || (f->model->task == VIPANN_MULTILABEL && c->thresholds == NULL)) {
        return vip_fail_memory(error, "the calibration");
    }
    set_all(c->temperature, classes, 1);
    c->present = true;
    c->members = f->model->posterior == VIPANN_DETERMINISTIC ? 0 : (uint32_t)f->members;
    c->window_columns = (uint32_t)vip_argument(f->arguments, &WINDOW)->whole;
    return VIPANN_OK;
}

/* The deterministic pass of a model that has members has one temperature of its own. */
static vipann_status
fit_plain(fitting *f, const vip_heard *raw, vipann_error *error)
{
    vip_calibration *c = &f->model->calibration;
    double loss;
    const double plain =
        vip_fit_temperature(f->model->task, f->plain, raw->y, raw->n, 1, f->model->network.classes, &loss);
    if (isnan(plain)) {
        return vip_fail_memory(error, "answers");
    }
    c->temperature_deterministic = (float)plain;
    c->has_deterministic = true;
    (void)printf("temperature without passes %.3f (NLL %.4f)\n", plain, loss);
    return VIPANN_OK;
}

/* One temperature, or, where each class is a question of its own, temperatures and offsets of those heard often enough. */
static vipann_status
fit_temperatures(fitting *f, vipann_error *error)
{
    vip_calibration *c = &f->model->calibration;
    const uint32_t classes = f->model->network.classes;
    vip_heard *raw = vip_heard_new(f->model, f->cache, &f->clips, f->logits, f->members, false, NULL, f->targets);
    if (raw == NULL) {
        return vip_fail_memory(error, "answers");
    }
    double loss, before;
    size_t own = 0;
    const double temperature =
        vip_fit_temperature(f->model->task, f->logits, raw->y, raw->n, f->members, classes, &before);
    bool good = !isnan(temperature);
    if (good && f->model->task == VIPANN_MULTILABEL) {
        good = vip_fit_scales(f->logits, raw->y, raw->n, f->members, classes, c->temperature, c->offset, &own, &loss);
    }
    if (!good) {
        vip_heard_free(raw);
        return vip_fail_memory(error, "answers");
    }
    if (f->model->task == VIPANN_MULTILABEL) {
        (void)printf("temperatures and offsets: own for %zu of %u classes (NLL %.4f; %.4f with one temperature of "
                     "%.3f), %zu clips\n",
                     own, classes, loss, before, temperature, f->clips.n);
    } else {
        set_all(c->temperature, classes, temperature);
        (void)printf("temperature %.3f (NLL %.4f), %zu clips\n", temperature, before, f->clips.n);
    }
    c->has_deterministic = false;
    const vipann_status status = f->model->posterior != VIPANN_DETERMINISTIC ? fit_plain(f, raw, error) : VIPANN_OK;
    vip_heard_free(raw);
    return status;
}

static vipann_status
fit_thresholds(const fitting *f, vipann_error *error)
{
    const double precision = vip_argument(f->arguments, &PRECISION)->number;
    double shared;
    size_t own;
    const vipann_status good = vip_fit_thresholds(f->model, f->heard, precision,
                                                  vip_argument(f->arguments, &SAFE)->given, &shared, &own, error);
    if (good == VIPANN_OK) {
        (void)printf("thresholds for a precision of %.2f: shared %.3f, own for %zu of %u classes\n", precision, shared,
                     own, f->model->network.classes);
    }
    return good;
}

static void
tell_limits(const vip_calibration *c)
{
    const char *between = "unknown: ";
    if (c->has_unknown[VIPANN_SCORE_EPISTEMIC]) {
        (void)printf("%sepistemic part above %.4f nats", between, c->unknown[VIPANN_SCORE_EPISTEMIC]);
        between = ", or ";
    }
    if (c->has_unknown[VIPANN_SCORE_CONFIDENCE]) {
        (void)printf("%slargest probability below %.4f", between, c->unknown[VIPANN_SCORE_CONFIDENCE]);
        between = ", or ";
    }
    if (c->has_unknown[VIPANN_SCORE_SUM]) {
        (void)printf("%ssum of ", between);
        between = "";
        for (int i = 0; i < VIPANN_N_PARTS; i++) {
            if (c->sum.has[i]) {
                (void)printf("%s%s", between, VIP_PART_NAMES[i]);
                between = ", ";
            }
        }
        (void)printf(" above %.3f", c->unknown[VIPANN_SCORE_SUM]);
    }
}

static vip_listened
listened(const fitting *f)
{
    const uint32_t passes = (uint32_t)vip_argument(f->arguments, &PASSES)->whole;
    return (vip_listened){f->clips.n, passes, (uint32_t)f->members, f->logits, f->pooled};
}

static vipann_status
fit_pair(const fitting *f, vipann_error *error)
{
    const vip_listened heard = listened(f);
    const double share = vip_argument(f->arguments, &SHARE)->number;
    const bool exclusive = f->model->task == VIPANN_MULTICLASS;
    size_t n;
    const vipann_status good = vip_fit_pair(f->model, &heard, exclusive ? f->heard->right : NULL, share, &n, error);
    if (good == VIPANN_OK && n > 0) {
        tell_limits(&f->model->calibration);
        (void)printf(" (%zu clips answered rightly, %.1f %% may be refused)\n", n, 100 * share);
    }
    return good;
}

/* "total,energy" and the like. */
static vipann_status
read_parts(const char *list, bool has[VIPANN_N_PARTS], vipann_error *error)
{
    for (const char *at = list; at != NULL; at = strchr(at, ',') != NULL ? strchr(at, ',') + 1 : NULL) {
        const size_t n = strcspn(at, ",");
        int part = 0;
        while (part < VIPANN_N_PARTS &&
               (strlen(VIP_PART_NAMES[part]) != n || strncmp(VIP_PART_NAMES[part], at, n) != 0)) {
            part++;
        }
        if (part == VIPANN_N_PARTS) {
            return vip_fail(error, VIPANN_E_ARG,
                            "--parts: found \"%.32s\"; expected total, epistemic, confidence, energy, distance, with "
                            "commas between them",
                            at);
        }
        has[part] = true;
    }
    return VIPANN_OK;
}

/* A sum of parts with one limit for all of the budget. */
static vipann_status
fit_sum(fitting *f, vipann_error *error)
{
    const vip_arguments *a = f->arguments;
    const bool exclusive = f->model->task == VIPANN_MULTICLASS;
    const uint32_t passes = (uint32_t)vip_argument(a, &PASSES)->whole;
    const vip_listened heard = listened(f);
    vip_score_options options = vip_score_defaults(f->model->task);
    float *logits = NULL, *pooled = NULL;
    size_t members;
    options.prototypes = (uint32_t)vip_argument(a, &PROTOTYPES)->whole;
    options.refused = vip_argument(a, &SHARE)->number;
    options.seed = vip_argument(a, &SEED)->whole;
    vipann_status good = VIPANN_OK;
    if (vip_argument(a, &PARTS)->given) {
        memset(options.has, 0, sizeof options.has);
        good = read_parts(vip_argument(a, &PARTS)->text, options.has, error);
    }
    good = good == VIPANN_OK ? vip_select(f->cache, vip_argument(a, &TRAIN)->text, &f->train, error) : good;
    if (good == VIPANN_OK) {
        (void)vip_drop_shared(f->cache, &f->train, &f->clips);
        good = listen(f, &f->train, passes, 0, &logits, &pooled, &members, error);
    }
    if (good == VIPANN_OK) {
        good = vip_score_fit(f->model, pooled, f->train.n, &heard, exclusive ? f->heard->right : NULL, &options, error);
    }
    if (good == VIPANN_OK) {
        tell_limits(&f->model->calibration);
        (void)printf(" (%u prototypes of %zu clips; %.1f %% of the right answers may be refused)\n",
                     f->model->calibration.sum.n_prototypes, f->train.n, 100 * options.refused);
    }
    vip_free(logits);
    vip_free(pooled);
    return good;
}

/* Windows of the background one after the other, of each clip as many as it has; *hours: how long they last. */
static vipann_status
hear_background(fitting *f, const vip_part *all, vip_evidence **evidence, size_t *n, double *hours, vipann_error *error)
{
    const uint32_t passes = (uint32_t)vip_argument(f->arguments, &PASSES)->whole;
    const size_t window = (size_t)f->model->calibration.window_columns * VIP_COLUMN_FRAMES;
    vip_part some = {0, vip_alloc(all->n, sizeof *some.clips)};
    vipann_status good = some.clips != NULL ? VIPANN_OK : vip_fail_memory(error, "the background");
    *hours = 0;
    for (size_t turn = 0; good == VIPANN_OK; turn++) {
        some.n = 0;
        for (size_t i = 0; i < all->n; i++) {
            const size_t frames = vip_cache_clip_at(f->cache, all->clips[i])->n_frames;
            if (turn == 0 || frames >= (turn + 1) * window) {
                some.clips[some.n++] = all->clips[i];
                *hours += (double)(frames < window ? frames : window) * f->model->frontend.hop /
                          f->model->frontend.sample_rate / 3600;
            }
        }
        if (some.n == 0) {
            break;
        }
        float *logits = NULL, *pooled = NULL;
        size_t members = 0;
        vip_evidence *more = vip_alloc(*n + some.n, sizeof *more);
        good = more == NULL ? vip_fail_memory(error, "the background")
                            : listen(f, &some, passes, turn * window, &logits, &pooled, &members, error);
        const vip_listened heard = {some.n, passes, (uint32_t)members, logits, pooled};
        if (good == VIPANN_OK && !vip_evidence_of(f->model, &heard, more + *n)) {
            good = vip_fail_memory(error, "the background");
        }
        if (good == VIPANN_OK && *n > 0) {
            memcpy(more, *evidence, *n * sizeof *more);
        }
        vip_free(logits);
        vip_free(pooled);
        vip_free(*evidence);
        *evidence = more;
        *n += some.n;
    }
    vip_part_free(&some);
    return good;
}

/* The limits of *unknown* once more, so that a background does not set them off too often. */
static vipann_status
fit_background(fitting *f, vipann_error *error)
{
    const double rate = vip_argument(f->arguments, &ALARMS)->number;
    vip_part all;
    vipann_status good = vip_select(f->cache, vip_argument(f->arguments, &BACKGROUND)->text, &all, error);
    if (good != VIPANN_OK) {
        return good;
    }
    vip_evidence *evidence = NULL;
    size_t n = 0, found = 0;
    double hours;
    good = hear_background(f, &all, &evidence, &n, &hours, error);
    const size_t most = (size_t)(rate * hours);
    good = good == VIPANN_OK ? vip_fit_background(f->model, evidence, n, most, &found, error) : good;
    if (good == VIPANN_OK) {
        tell_limits(&f->model->calibration);
        (void)printf(" (%zu of %zu windows of a background of %.2f hours, %.2g an hour", found, n, hours,
                     (double)found / hours);
        if (rate * hours < 1) {
            (void)printf("; it is too short to tell %g an hour from none", rate);
        }
        (void)printf(")\n");
    }
    vip_free(evidence);
    vip_part_free(&all);
    return good;
}

static vipann_status
describe(fitting *f, vipann_error *error)
{
    char text[512];
    (void)snprintf(text, sizeof text, "%zu clips (%s) of cache %.12s, the first %.1f s of each, seed %s", f->clips.n,
                   vip_argument(f->arguments, &CLIPS)->text, vip_cache_hash(f->cache),
                   (double)f->model->calibration.window_columns * VIP_COLUMN_FRAMES * f->model->frontend.hop /
                       f->model->frontend.sample_rate,
                   vip_argument(f->arguments, &SEED)->text);
    vip_free(f->model->calibration.data);
    f->model->calibration.data = vip_copy_string(text);
    return f->model->calibration.data != NULL ? VIPANN_OK : vip_fail_memory(error, "the calibration");
}

static vipann_status
fit(fitting *f, vipann_error *error)
{
    const vip_arguments *a = f->arguments;
    size_t one;
    f->model = vip_model_read(a->operands[0], error);
    f->cache = f->model != NULL ? vip_cache_open(a->operands[1], error) : NULL;
    vipann_status good =
        f->cache == NULL ? error->status : vip_select(f->cache, vip_argument(a, &CLIPS)->text, &f->clips, error);
    if (good == VIPANN_OK && vip_argument(a, &TARGETS)->text != NULL) {
        f->targets = vip_targets_open(vip_argument(a, &TARGETS)->text, f->cache, error);
        good = f->targets == NULL ? error->status : VIPANN_OK;
    }
    good = good == VIPANN_OK ? keep_labelled(f, error) : good;
    const uint32_t passes = (uint32_t)vip_argument(a, &PASSES)->whole;
    good = good == VIPANN_OK ? listen(f, &f->clips, passes, 0, &f->logits, &f->pooled, &f->members, error) : good;
    good = good == VIPANN_OK ? listen(f, &f->clips, 0, 0, &f->plain, NULL, &one, error) : good;
    good = good == VIPANN_OK ? new_calibration(f, error) : good;
    good = good == VIPANN_OK ? fit_temperatures(f, error) : good;
    if (good != VIPANN_OK) {
        return good;
    }
    f->heard =
        vip_heard_new(f->model, f->cache, &f->clips, f->logits, f->members, false, &f->model->calibration, f->targets);
    good = f->heard == NULL ? vip_fail_memory(error, "answers") : VIPANN_OK;
    good = good == VIPANN_OK && f->model->task == VIPANN_MULTILABEL ? fit_thresholds(f, error) : good;
    if (good == VIPANN_OK) {
        good = vip_argument(a, &TRAIN)->given ? fit_sum(f, error) : fit_pair(f, error);
    }
    good = good == VIPANN_OK && vip_argument(a, &BACKGROUND)->given ? fit_background(f, error) : good;
    good = good == VIPANN_OK ? describe(f, error) : good;
    return good == VIPANN_OK
               ? vip_model_write(f->model, vip_argument(a, &OUTPUT)->text, vip_argument(a, &HALF)->given, error)
               : good;
}

static int
run_calibrate(const vip_arguments *arguments)
{
    if (vip_argument(arguments, &OUTPUT)->text == NULL) {
        (void)fputs("vipann-train calibrate: --output says where the model goes, such as --output mine.safetensors\n",
                    stderr);
        return VIP_EXIT_ASKED_WRONGLY;
    }
    vip_parallel_threads((unsigned)vip_argument(arguments, &THREADS)->whole);
    vipann_error error = {VIPANN_OK, ""};
    fitting f = {.arguments = arguments};
    const vipann_status good = fit(&f, &error);
    vip_heard_free(f.heard);
    vip_free(f.logits);
    vip_free(f.plain);
    vip_free(f.pooled);
    vip_part_free(&f.train);
    vip_part_free(&f.clips);
    vip_targets_close(f.targets);
    vip_cache_close(f.cache);
    vip_model_free(f.model);
    return vip_command_end(&VIP_CALIBRATE_COMMAND, good, &error);
}

int
vip_calibrate_run(int argc, char **argv)
{
    return vip_command_line(&VIP_CALIBRATE_COMMAND, argc, argv, NULL, run_calibrate);
}
