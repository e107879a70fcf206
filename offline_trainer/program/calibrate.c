/* SPDX-License-Identifier: GPL-3.0-or-later */
/* calibrate.c -- `vipann-train calibrate`: temperature, thresholds and the limits of *unknown*, written into a model. */
#include "train_commands.h"

#include <offline_trainer/base/parallel.h>
#include <offline_trainer/judge/heard.h>
#include <offline_trainer/judge/metrics.h>
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
static const vip_option *const OPTIONS[] = {&OUTPUT, &HALF,  &CLIPS, &TARGETS, &PASSES,     &WINDOW, &PRECISION,
                                            &SAFE,   &SHARE, &TRAIN, &PARTS,   &PROTOTYPES, &SEED,   &THREADS};

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
listen(fitting *f, const vip_part *clips, uint32_t passes, float **logits, float **pooled, size_t *members,
       vipann_error *error)
{
    const vip_listen_options options = {
        .passes = passes,
        .seed = vip_argument(f->arguments, &SEED)->whole,
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

static vipann_status
fit_temperatures(fitting *f, vipann_error *error)
{
    vip_calibration *c = &f->model->calibration;
    const uint32_t classes = f->model->network.classes;
    vip_heard *raw = vip_heard_new(f->model, f->cache, &f->clips, f->logits, f->members, false, NULL, f->targets);
    if (raw == NULL) {
        return vip_fail_memory(error, "answers");
    }
    double loss, plain_loss;
    const double temperature =
        vip_fit_temperature(f->model->task, f->logits, raw->y, raw->n, f->members, classes, &loss);
    const double plain = vip_fit_temperature(f->model->task, f->plain, raw->y, raw->n, 1, classes, &plain_loss);
    vip_heard_free(raw);
    if (isnan(temperature) || isnan(plain)) {
        return vip_fail_memory(error, "answers");
    }
    set_all(c->temperature, classes, temperature);
    c->temperature_deterministic = (float)plain;
    c->has_deterministic = true;
    (void)printf("temperature %.3f (NLL %.4f), without passes %.3f (NLL %.4f), %zu clips\n", temperature, loss, plain,
                 plain_loss, f->clips.n);
    return VIPANN_OK;
}

enum { LEAST_RIGHT = 5, LEAST_OWN = 20 };

/* Scores and truth of one class, or, if c is the number of classes, of all of them together. */
static size_t
collect(const vip_heard *h, size_t c, double *score, bool *positive)
{
    const float heard = 0.5f;
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++) {
        for (size_t k = 0; k < h->classes; k++) {
            if (c == h->classes || k == c) {
                score[n] = h->p[i * h->classes + k];
                positive[n++] = h->y[i * h->classes + k] >= heard;
            }
        }
    }
    return n;
}

static vipann_status
fit_thresholds(const fitting *f, vipann_error *error)
{
    const vip_heard *h = f->heard;
    const double precision = vip_argument(f->arguments, &PRECISION)->number;
    const bool safe = vip_argument(f->arguments, &SAFE)->given;
    double *score = vip_alloc(h->n, vip_product(h->classes, sizeof *score));
    bool *positive = vip_alloc(h->n, vip_product(h->classes, sizeof *positive));
    if (score == NULL || positive == NULL) {
        vip_free(score);
        vip_free(positive);
        return vip_fail_memory(error, "thresholds");
    }
    size_t n = collect(h, h->classes, score, positive);
    const double shared = vip_threshold_for(score, positive, n, precision, LEAST_RIGHT, safe);
    size_t own = 0;
    for (size_t c = 0; c < h->classes; c++) {
        n = collect(h, c, score, positive);
        size_t positives = 0;
        for (size_t i = 0; i < n; i++) {
            positives += positive[i];
        }
        double threshold = shared;
        if (positives >= LEAST_OWN) {
            threshold = vip_threshold_for(score, positive, n, precision, LEAST_RIGHT, safe);
            own++;
        }
        f->model->calibration.thresholds[c] = isnan(threshold) ? -1 : (float)threshold;
    }
    (void)printf("thresholds for a precision of %.2f: shared %.3f, own for %zu of %zu classes\n", precision, shared,
                 own, h->classes);
    vip_free(score);
    vip_free(positive);
    return VIPANN_OK;
}

/* Multi-label: the mean epistemic part over the active classes, as vip_unknown sees it. */
static double
active_epistemic(const fitting *f, size_t clip)
{
    const uint32_t classes = f->model->network.classes;
    float *z = vip_alloc(4 * (size_t)classes, sizeof *z), *mean = z + classes, *aleatoric = mean + classes;
    float *epistemic = aleatoric + classes;
    vip_probability *p = vip_alloc(f->members * classes, sizeof *p);
    double value = NAN;
    if (z != NULL && p != NULL) {
        for (size_t m = 0; m < f->members; m++) {
            memcpy(z, f->logits + (clip * f->members + m) * classes, classes * sizeof *z);
            vip_calibrate(&f->model->calibration, false, z, classes);
            vip_probabilities(f->model->task, z, classes, p + m * classes);
        }
        (void)vip_decompose(f->model->task, p, f->members, classes, mean, NULL, aleatoric, epistemic);
        value =
            vip_active_doubt(mean, aleatoric, epistemic, f->model->calibration.thresholds, f->members, classes, NULL)
                .epistemic;
    }
    vip_free(z);
    vip_free(p);
    return value;
}

/* Half of the budget to each rule (method 5.7): the largest epistemic part, and for one class per clip the smallest
 * confidence, of clips that are answered rightly. */
static vipann_status
fit_unknown(const fitting *f, vipann_error *error)
{
    const vip_heard *h = f->heard;
    const double share = vip_argument(f->arguments, &SHARE)->number;
    const bool multiclass = f->model->task == VIPANN_MULTICLASS;
    vip_calibration *c = &f->model->calibration;
    double *epistemic = vip_alloc(2 * h->n, sizeof *epistemic), *confidence = epistemic + h->n;
    if (epistemic == NULL) {
        return vip_fail_memory(error, "limits");
    }
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++) {
        if (multiclass && !h->right[i]) {
            continue;
        }
        confidence[n] = 1 - h->sign[VIP_BY_CONFIDENCE][i];
        epistemic[n++] =
            f->members < 2 ? 0
            : multiclass   ? vip_corrected_epistemic(h->sign[VIP_BY_TOTAL][i], h->sign[VIP_BY_EPISTEMIC][i], f->members)
                           : active_epistemic(f, i);
    }
    const double budget = multiclass && f->members > 1 ? share / 2 : share;
    if (f->members > 1 && n > 0) {
        c->has_unknown[VIPANN_SCORE_EPISTEMIC] = true;
        c->unknown[VIPANN_SCORE_EPISTEMIC] = vip_quantile(epistemic, n, 1 - budget);
        (void)printf("unknown: epistemic part above %.4f nats", c->unknown[VIPANN_SCORE_EPISTEMIC]);
    }
    if (multiclass && n > 0) {
        c->has_unknown[VIPANN_SCORE_CONFIDENCE] = true;
        c->unknown[VIPANN_SCORE_CONFIDENCE] = vip_quantile(confidence, n, budget);
        (void)printf("%slargest probability below %.4f",
                     f->members > 1 ? ", or " : "unknown: ", c->unknown[VIPANN_SCORE_CONFIDENCE]);
    }
    (void)printf(" (%zu clips answered rightly, %.1f %% may be refused)\n", n, 100 * share);
    vip_free(epistemic);
    return VIPANN_OK;
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

static void
tell_sum(const fitting *f, double refused)
{
    const vip_calibration *c = &f->model->calibration;
    const char *between = "";
    (void)printf("unknown: sum of ");
    for (int i = 0; i < VIPANN_N_PARTS; i++) {
        if (c->sum.has[i]) {
            (void)printf("%s%s", between, VIP_PART_NAMES[i]);
            between = ", ";
        }
    }
    (void)printf(" above %.3f (%u prototypes of %zu clips; %.1f %% of the right answers may be refused)\n",
                 c->unknown[VIPANN_SCORE_SUM], c->sum.n_prototypes, f->train.n, 100 * refused);
}

/* A sum of parts with one limit for all of the budget. */
static vipann_status
fit_sum(fitting *f, vipann_error *error)
{
    const vip_arguments *a = f->arguments;
    const bool exclusive = f->model->task == VIPANN_MULTICLASS;
    const uint32_t passes = (uint32_t)vip_argument(a, &PASSES)->whole;
    const vip_listened heard = {f->clips.n, passes, (uint32_t)f->members, f->logits, f->pooled};
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
        good = listen(f, &f->train, passes, &logits, &pooled, &members, error);
    }
    if (good == VIPANN_OK) {
        good = vip_score_fit(f->model, pooled, f->train.n, &heard, exclusive ? f->heard->right : NULL, &options, error);
    }
    if (good == VIPANN_OK) {
        tell_sum(f, options.refused);
    }
    vip_free(logits);
    vip_free(pooled);
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
    good = good == VIPANN_OK ? listen(f, &f->clips, passes, &f->logits, &f->pooled, &f->members, error) : good;
    good = good == VIPANN_OK ? listen(f, &f->clips, 0, &f->plain, NULL, &one, error) : good;
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
        good = vip_argument(a, &TRAIN)->given ? fit_sum(f, error) : fit_unknown(f, error);
    }
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
