/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scores.c -- `vipann-train scores`: which score tells sounds that a model was not taught from those it was; the tables
 * are in scores_tables.c. */
#include "scores.h"
#include "train_commands.h"

#include <offline_trainer/base/parallel.h>
#include <offline_trainer/judge/listen.h>
#include <offline_trainer/judge/score_fit.h>
#include <offline_trainer/judge/temperature.h>

#include <base/memory.h>
#include <base/status.h>
#include <decide/score.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static const vip_option TRAIN = {"train", VIP_OPTION_TEXT,
                                 "EXPR",  0,
                                 0,       NULL,
                                 NULL,    NULL,
                                 "Clips", "What the model learnt from, such as 'set=esc50 & fold=1,2,3'."};
static const vip_option CALIBRATION = {
    "calibration",
    VIP_OPTION_TEXT,
    "EXPR",
    0,
    0,
    NULL,
    NULL,
    NULL,
    "Clips",
    "Known sounds kept out of training, by which scores are standardised and limits set."};
static const vip_option DEV = {
    "dev",   VIP_OPTION_NUMBER,
    "SHARE", 0.01,
    0.9,     NULL,
    NULL,    NULL,
    "Clips", "Instead: this share of --train, whole groups of it, as `vipann-train pretrain` keeps it apart."};
static const vip_option TEST = {"test",  VIP_OPTION_TEXT,
                                "EXPR",  0,
                                0,       NULL,
                                NULL,    NULL,
                                "Clips", "Known sounds to judge by; without it half of the calibration's groups."};
static const vip_option FOREIGN = {
    "ood",   VIP_OPTION_TEXT,
    "EXPR",  0,
    0,       NULL,
    NULL,    NULL,
    "Clips", "Sounds that the model was not taught, such as 'set=deepship,uav_onboard', each set for itself."};
static const vip_option FOREIGN_DEV = {
    "ood-dev", VIP_OPTION_TEXT,
    "EXPR",    0,
    0,         NULL,
    NULL,      NULL,
    "Clips",   "Others, by which a score may be chosen: against the calibration's clips."};
static const vip_option PASSES = {"passes",
                                  VIP_OPTION_WHOLE,
                                  "S",
                                  0,
                                  VIPANN_MAX_PASSES,
                                  NULL,
                                  "8",
                                  NULL,
                                  "How",
                                  "Passes with different random parts; 0: the deterministic one."};
static const vip_option PROTOTYPES = {"prototypes",
                                      VIP_OPTION_WHOLE,
                                      "P",
                                      1,
                                      VIP_MAX_PROTOTYPES,
                                      NULL,
                                      "128",
                                      NULL,
                                      "How",
                                      "Prototypes of the distance."};
static const vip_option SHORT = {
    "short",   VIP_OPTION_NUMBER,
    "SECONDS", 0,
    3600,      NULL,
    "1",       NULL,
    "How",     "Judge also by the loudest stretch of this length in each clip; 0: do not."};
static const vip_option REFUSED = {"unknown-share",
                                   VIP_OPTION_NUMBER,
                                   "SHARE",
                                   0.0001,
                                   0.5,
                                   NULL,
                                   "0.05",
                                   NULL,
                                   "How",
                                   "Share of the right answers that a limit may refuse."};
static const vip_option SEED = {"seed",
                                VIP_OPTION_WHOLE,
                                "N",
                                0,
                                1.8446744073709552e19,
                                NULL,
                                "1",
                                NULL,
                                "How",
                                "Of passes, prototypes, splits and intervals."};
static const vip_option THREADS = {"threads", VIP_OPTION_WHOLE,        "N", 1, 256, NULL, NULL, "all cores",
                                   "How",     "How many threads hear."};
static const vip_option *const OPTIONS[] = {&TRAIN,  &CALIBRATION, &DEV,   &TEST,    &FOREIGN, &FOREIGN_DEV,
                                            &PASSES, &PROTOTYPES,  &SHORT, &REFUSED, &SEED,    &THREADS};

const vip_command VIP_SCORES_COMMAND = {
    .name = "vipann-train scores",
    .operands = "MODEL CACHE",
    .summary = "Compares scores by which a model could tell what it was not taught.",
    .details =
        "For each score and each set of foreign sounds: the area under the ROC curve against known sounds (0.5: of no "
        "use), with the interval in which it lies in 95 of 100 draws of other recordings; how far its mean over the "
        "sets "
        "is ahead of that of the total doubt; and how many sounds a limit would call unknown that refuses a share of "
        "the right answers. Whole clips, then a short stretch of each. Tables in Markdown.",
    .examples = "vipann-train scores mine.safetensors all.cache --train 'set=esc50 & fold=1,2,3' --dev 0.15 "
                "--test 'set=esc50 & fold=4' --ood-dev 'set=drone' --ood 'set=deepship,uav_onboard'",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_operands = 2,
    .most_operands = 2,
};

/* ------------------------------------------------------------------------------------------------------------- clips */

/* The clips of an expression, set by set. */
static vipann_status
add_foreign(vip_scores *s, const char *expression, vipann_error *error)
{
    vip_part all;
    const size_t before = s->n_foreign;
    vipann_status good = vip_select(s->cache, expression, &all, error);
    for (size_t i = 0; good == VIPANN_OK && i < all.n; i++) {
        const char *set = vip_cache_clip_at(s->cache, all.clips[i])->set;
        size_t k = before;
        while (k < s->n_foreign && strcmp(s->foreign[k].name, set) != 0) {
            k++;
        }
        if (k == VIP_SCORES_SETS) {
            good = vip_fail(error, VIPANN_E_ARG, "there are more than %d foreign sets", VIP_SCORES_SETS);
            break;
        }
        if (k == s->n_foreign) {
            s->foreign[k].name = set;
            s->foreign[k].part.clips = vip_alloc(all.n, sizeof *all.clips);
            if (s->foreign[k].part.clips == NULL) {
                good = vip_fail_memory(error, "a list of clips");
                break;
            }
            s->n_foreign++;
        }
        vip_part *part = &s->foreign[k].part;
        part->clips[part->n++] = all.clips[i];
    }
    vip_part_free(&all);
    return good;
}

static vipann_status
choose_known(vip_scores *s, vipann_error *error)
{
    const vip_arguments *a = s->arguments;
    const uint64_t seed = s->seed;
    const char *calibration = vip_argument(a, &CALIBRATION)->text, *test = vip_argument(a, &TEST)->text;
    const vip_value *dev = vip_argument(a, &DEV);
    const double half = 0.5;
    vipann_status good = vip_select(s->cache, vip_argument(a, &TRAIN)->text, &s->train.part, error);
    if (good == VIPANN_OK) {
        good = calibration != NULL
                   ? vip_select(s->cache, calibration, &s->calibration.part, error)
                   : vip_split_groups(s->cache, &s->train.part, dev->number, seed, &s->calibration.part, error);
    }
    if (good == VIPANN_OK) {
        good = test != NULL ? vip_select(s->cache, test, &s->test.part, error)
                            : vip_split_groups(s->cache, &s->calibration.part, half, seed, &s->test.part, error);
    }
    if (good == VIPANN_OK) { /* recordings that are on both sides would seem near */
        (void)vip_drop_shared(s->cache, &s->train.part, &s->calibration.part);
        (void)vip_drop_shared(s->cache, &s->train.part, &s->test.part);
    }
    s->train.name = "training";
    s->calibration.name = "calibration";
    s->test.name = "test";
    return good;
}

static vipann_status
choose_clips(vip_scores *s, vipann_error *error)
{
    const vip_arguments *a = s->arguments;
    const char *dev = vip_argument(a, &FOREIGN_DEV)->text, *foreign = vip_argument(a, &FOREIGN)->text;
    vipann_status good = choose_known(s, error);
    good = good == VIPANN_OK && dev != NULL ? add_foreign(s, dev, error) : good;
    s->n_dev = s->n_foreign;
    good = good == VIPANN_OK && foreign != NULL ? add_foreign(s, foreign, error) : good;
    return good;
}

/* ---------------------------------------------------------------------------------------------------------- listening */

static void
show(void *user, size_t done, size_t n)
{
    vip_scores *s = user;
    vip_progress_update(&s->progress, (double)done / (double)n, "clips");
}

static vipann_status
listen(vip_scores *s, const vip_part *part, double seconds, float **logits, float **pooled, vipann_error *error)
{
    const double frames = s->model->frontend.sample_rate / s->model->frontend.hop; /* in a second */
    const vip_listen_options options = {.passes = (uint32_t)vip_argument(s->arguments, &PASSES)->whole,
                                        .seed = s->seed,
                                        .frames = (size_t)(seconds * frames),
                                        .loudest = seconds > 0};
    const vip_network *network = &s->model->network;
    s->answers = vip_listen_answers(s->model, &options);
    *logits = vip_alloc(part->n, vip_product((size_t)s->answers * network->classes, sizeof **logits));
    *pooled = vip_alloc(part->n, vip_product(network->features, sizeof **pooled));
    return *logits == NULL || *pooled == NULL ? vip_fail_memory(error, "answers")
                                              : vip_listen_pooled(s->model, s->cache, part->clips, part->n, &options,
                                                                  *logits, *pooled, show, s, error);
}

/* Whether the most probable class is among a clip's labels; true if the model knows none of them. */
static bool
is_right(const vip_scores *s, const vip_cache_clip *clip, const double *p)
{
    const vip_model *model = s->model;
    uint32_t best = 0;
    bool known = false, right = false;
    for (uint32_t c = 0; c < model->network.classes; c++) {
        best = p[c] > p[best] ? c : best;
    }
    for (uint32_t i = 0; i < clip->n_labels; i++) {
        right = right || strcmp(clip->labels[i], model->labels[best]) == 0;
        for (uint32_t c = 0; c < model->network.classes && !known; c++) {
            known = strcmp(clip->labels[i], model->labels[c]) == 0;
        }
    }
    return right || !known;
}

static vipann_status
find_right(vip_scores *s, vip_scored *c, const float *logits, vipann_error *error)
{
    const vip_calibration *calibration = &s->model->calibration;
    const size_t classes = s->model->network.classes;
    double *p = vip_alloc(c->part.n, vip_product(classes, sizeof *p));
    vip_free(c->right);
    c->right = vip_alloc(c->part.n, sizeof *c->right);
    const bool good = p != NULL && c->right != NULL;
    if (good) {
        vip_mean_probabilities(s->model->task, logits, c->part.n, s->answers, classes, calibration->temperature,
                               calibration->offset, p);
    }
    for (size_t i = 0; good && i < c->part.n; i++) {
        c->right[i] = is_right(s, vip_cache_clip_at(s->cache, c->part.clips[i]), p + i * classes);
    }
    vip_free(p);
    return good ? VIPANN_OK : vip_fail_memory(error, "answers");
}

/* The single scores of clips, of all of each or (seconds > 0) of a stretch. */
static vipann_status
score(vip_scores *s, vip_scored *c, double seconds, vipann_error *error)
{
    float *logits, *pooled;
    vipann_status good = listen(s, &c->part, seconds, &logits, &pooled, error);
    if (good == VIPANN_OK) {
        const vip_listened heard = {c->part.n, (uint32_t)vip_argument(s->arguments, &PASSES)->whole, s->answers, logits,
                                    pooled};
        vip_free(c->scores);
        vip_free(c->active);
        c->scores = vip_alloc(c->part.n, s->candidates.n * sizeof *c->scores);
        c->active = vip_alloc(c->part.n, sizeof *c->active);
        const bool found = c->scores != NULL && c->active != NULL &&
                           vip_candidates_find(&s->candidates, s->model, s->far, &heard, c->scores, c->active);
        good = found ? find_right(s, c, logits, error) : vip_fail_memory(error, "scores");
    }
    vip_free(logits);
    vip_free(pooled);
    return good;
}

/* What distances are measured with, from the training's clips, of which as much is heard as of the others. */
static vipann_status
learn_distances(vip_scores *s, double seconds, vipann_error *error)
{
    float *logits, *pooled;
    const size_t n = s->train.part.n, features = s->model->network.features;
    vipann_status good = listen(s, &s->train.part, seconds, &logits, &pooled, error);
    if (good == VIPANN_OK) {
        good = vip_score_prototypes(s->model, pooled, n, (uint32_t)vip_argument(s->arguments, &PROTOTYPES)->whole,
                                    s->seed, error);
    }
    if (good == VIPANN_OK) {
        for (size_t i = 0; i < n; i++) {
            float *x = pooled + i * features;
            vip_features(x, s->model->calibration.sum.centre, features, x);
        }
        vip_far_free(s->far);
        s->far = vip_far_new(pooled, n, features);
        good = s->far != NULL ? VIPANN_OK : vip_fail_memory(error, "distances");
    }
    vip_free(logits);
    vip_free(pooled);
    return good;
}

/* ----------------------------------------------------------------------------------------------------------- judging */

/* Scores all clips, standardises by the calibration's, and adds up: as `calibrate` would for that length. */
static vipann_status
score_all(vip_scores *s, double seconds, vipann_error *error)
{
    vipann_status good = learn_distances(s, seconds, error);
    vip_candidates_of(s->model, s->answers, &s->candidates);
    good = good == VIPANN_OK ? score(s, &s->calibration, seconds, error) : good;
    good = good == VIPANN_OK ? score(s, &s->test, seconds, error) : good;
    for (size_t k = 0; k < s->n_foreign && good == VIPANN_OK; k++) {
        good = score(s, &s->foreign[k], seconds, error);
    }
    if (good != VIPANN_OK) {
        return good;
    }
    vip_candidates_scale(&s->candidates, s->calibration.scores, s->calibration.part.n);
    vip_candidates_sum(&s->candidates, s->calibration.scores, s->calibration.part.n);
    vip_candidates_sum(&s->candidates, s->test.scores, s->test.part.n);
    for (size_t k = 0; k < s->n_foreign; k++) {
        vip_candidates_sum(&s->candidates, s->foreign[k].scores, s->foreign[k].part.n);
    }
    return VIPANN_OK;
}

static vipann_status
tell(vip_scores *s, vipann_error *error)
{
    const double lengths[] = {0, vip_argument(s->arguments, &SHORT)->number};
    vipann_status good = VIPANN_OK;
    for (int i = 0; i < 2 && good == VIPANN_OK && (i == 0 || lengths[i] > 0); i++) {
        good = score_all(s, lengths[i], error);
        vip_progress_clear(&s->progress);
        if (good == VIPANN_OK && i == 0) {
            (void)printf("%s (%.12s), S = %u, %zu training clips, %u prototypes\n\n## Whole clips\n", s->model->name,
                         s->model->sha256, (unsigned)vip_argument(s->arguments, &PASSES)->whole, s->train.part.n,
                         s->model->calibration.sum.n_prototypes);
        } else if (good == VIPANN_OK) {
            (void)printf("\n## The loudest %g s of each clip\n", lengths[i]);
        }
        good = good == VIPANN_OK ? vip_scores_compare(s, &s->calibration, 0, s->n_dev, error) : good;
        good = good == VIPANN_OK ? vip_scores_compare(s, &s->test, s->n_dev, s->n_foreign - s->n_dev, error) : good;
    }
    return good;
}

/* -------------------------------------------------------------------------------------------------------------- command */

static vipann_status
open_both(vip_scores *s, vipann_error *error)
{
    s->model = vip_model_read(s->arguments->operands[0], error);
    s->cache = s->model != NULL ? vip_cache_open(s->arguments->operands[1], error) : NULL;
    if (s->cache == NULL) {
        return error->status;
    }
    const vip_frontend_spec *cache = vip_cache_frontend(s->cache), *own = &s->model->frontend;
    return cache->sample_rate == own->sample_rate && cache->n_fft == own->n_fft && cache->hop == own->hop
               ? VIPANN_OK
               : vip_fail(error, VIPANN_E_ARG,
                          "%s hears with the front-end %s, the cache was made with %s; make one with `vipann-train "
                          "features --frontend %s`",
                          s->model->name, own->name, cache->name, own->name);
}

static void
free_clips(vip_scored *c)
{
    vip_part_free(&c->part);
    vip_free(c->scores);
    vip_free(c->right);
    vip_free(c->active);
}

static int
run_scores(const vip_arguments *arguments)
{
    const bool calibration =
        vip_argument(arguments, &CALIBRATION)->given != vip_argument(arguments, &DEV)->given; /* one of them */
    if (!vip_argument(arguments, &TRAIN)->given || !calibration ||
        (!vip_argument(arguments, &FOREIGN)->given && !vip_argument(arguments, &FOREIGN_DEV)->given)) {
        (void)fputs(
            "vipann-train scores: --train, one of --calibration and --dev, and --ood or --ood-dev say which clips "
            "to compare; see --help\n",
            stderr);
        return VIP_EXIT_ASKED_WRONGLY;
    }
    vipann_error error = {VIPANN_OK, ""};
    vip_scores *s = vip_alloc(1, sizeof *s);
    if (s == NULL) {
        (void)fputs("vipann-train scores: not enough memory\n", stderr);
        return VIP_EXIT_FAILED;
    }
    s->arguments = arguments;
    s->seed = vip_argument(arguments, &SEED)->whole;
    s->refused = vip_argument(arguments, &REFUSED)->number;
    s->progress = vip_progress_begin(stderr);
    vip_parallel_threads((unsigned)vip_argument(arguments, &THREADS)->whole);
    vipann_status good = open_both(s, &error);
    good = good == VIPANN_OK ? choose_clips(s, &error) : good;
    good = good == VIPANN_OK ? tell(s, &error) : good;
    vip_progress_clear(&s->progress);
    free_clips(&s->train);
    free_clips(&s->calibration);
    free_clips(&s->test);
    for (size_t k = 0; k < s->n_foreign; k++) {
        free_clips(&s->foreign[k]);
    }
    vip_far_free(s->far);
    vip_cache_close(s->cache);
    vip_model_free(s->model);
    vip_free(s);
    return vip_command_end(&VIP_SCORES_COMMAND, good, &error);
}

int
vip_scores_run(int argc, char **argv)
{
    return vip_command_line(&VIP_SCORES_COMMAND, argc, argv, NULL, run_scores);
}
