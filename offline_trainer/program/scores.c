/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scores.c -- `vipann-train scores`: which score tells sounds that a model was not taught from those it was. */
#include "train_commands.h"

#include <offline_trainer/base/parallel.h>
#include <offline_trainer/data/select.h>
#include <offline_trainer/judge/listen.h>
#include <offline_trainer/judge/score_fit.h>
#include <offline_trainer/judge/score_study.h>
#include <offline_trainer/judge/temperature.h>

#include <base/memory.h>
#include <base/status.h>
#include <common/progress.h>
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
                                      "256",
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

enum { MOST_SETS = 24 };

/* Clips of one kind with what the model said of them. */
typedef struct {
    const char *name;
    vip_part part;
    double *scores; /* [n][candidates] */
    bool *right;    /* [n] */
} clips;

typedef struct {
    const vip_arguments *arguments;
    vip_model *model;
    vip_cache *cache;
    vip_progress progress;
    clips train, calibration, test;
    size_t n_foreign, n_dev; /* of the foreign ones, those to choose by: they come first */
    clips foreign[MOST_SETS];
    uint32_t answers;
    vip_candidates candidates;
    vip_far *far;
    double limit[VIP_MOST_CANDIDATES];
} study;

/* The clips of an expression, set by set. */
static vipann_status
add_foreign(study *s, const char *expression, vipann_error *error)
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
        if (k == MOST_SETS) {
            good = vip_fail(error, VIPANN_E_ARG, "there are more than %d foreign sets", MOST_SETS);
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
choose_known(study *s, vipann_error *error)
{
    const vip_arguments *a = s->arguments;
    const uint64_t seed = vip_argument(a, &SEED)->whole;
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
choose_clips(study *s, vipann_error *error)
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
    study *s = user;
    vip_progress_update(&s->progress, (double)done / (double)n, "clips");
}

static vipann_status
listen(study *s, const vip_part *part, double seconds, float **logits, float **pooled, vipann_error *error)
{
    const double frames = s->model->frontend.sample_rate / s->model->frontend.hop; /* in a second */
    const vip_listen_options options = {.passes = (uint32_t)vip_argument(s->arguments, &PASSES)->whole,
                                        .seed = vip_argument(s->arguments, &SEED)->whole,
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
is_right(const study *s, const vip_cache_clip *clip, const double *p)
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
find_right(study *s, clips *c, const float *logits, vipann_error *error)
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
score(study *s, clips *c, double seconds, vipann_error *error)
{
    float *logits, *pooled;
    vipann_status good = listen(s, &c->part, seconds, &logits, &pooled, error);
    if (good == VIPANN_OK) {
        const vip_listened heard = {c->part.n, (uint32_t)vip_argument(s->arguments, &PASSES)->whole, s->answers, logits,
                                    pooled};
        vip_free(c->scores);
        c->scores = vip_alloc(c->part.n, s->candidates.n * sizeof *c->scores);
        const bool found =
            c->scores != NULL && vip_candidates_find(&s->candidates, s->model, s->far, &heard, c->scores);
        good = found ? find_right(s, c, logits, error) : vip_fail_memory(error, "scores");
    }
    vip_free(logits);
    vip_free(pooled);
    return good;
}

/* What distances are measured with, from the training's clips, of which as much is heard as of the others. */
static vipann_status
learn_distances(study *s, double seconds, vipann_error *error)
{
    float *logits, *pooled;
    const size_t n = s->train.part.n, features = s->model->network.features;
    vipann_status good = listen(s, &s->train.part, seconds, &logits, &pooled, error);
    if (good == VIPANN_OK) {
        good = vip_score_prototypes(s->model, pooled, n, (uint32_t)vip_argument(s->arguments, &PROTOTYPES)->whole,
                                    vip_argument(s->arguments, &SEED)->whole, error);
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

/* A limit for each candidate, at a share of the right answers of the calibration. */
static vipann_status
find_limits(study *s, vipann_error *error)
{
    const clips *c = &s->calibration;
    double *values = vip_alloc(c->part.n, sizeof *values);
    if (values == NULL) {
        return vip_fail_memory(error, "limits");
    }
    for (size_t k = 0; k < s->candidates.n; k++) {
        size_t n = 0;
        for (size_t i = 0; i < c->part.n; i++) {
            if (c->right[i]) {
                values[n++] = c->scores[i * s->candidates.n + k];
            }
        }
        s->limit[k] = vip_quantile(values, n, 1 - vip_argument(s->arguments, &REFUSED)->number);
    }
    vip_free(values);
    return VIPANN_OK;
}

/* Scores all clips, standardises by the calibration's, and adds up: as `calibrate` would for that length. */
static vipann_status
score_all(study *s, double seconds, vipann_error *error)
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
    return find_limits(s, error);
}

/* Clips of known sounds and of some foreign sets in one row, with recordings numbered. */
typedef struct {
    vip_study view;
    double *scores;
    uint32_t *set, *group;
    const vip_cache_clip **clip;
} row_of_clips;

static void
append(row_of_clips *r, const study *s, const clips *c, uint32_t set)
{
    const size_t width = s->candidates.n;
    for (size_t i = 0; i < c->part.n; i++) {
        const size_t at = r->view.n++;
        r->clip[at] = vip_cache_clip_at(s->cache, c->part.clips[i]);
        memcpy(r->scores + at * width, c->scores + i * width, width * sizeof *r->scores);
        r->set[at] = set;
        r->group[at] = (uint32_t)at;
        for (size_t k = 0; k < at; k++) {
            if (vip_same_group(r->clip[k], r->clip[at])) {
                r->group[at] = r->group[k];
                break;
            }
        }
    }
}

static void
row_free(row_of_clips *r)
{
    vip_free(r->scores);
    vip_free(r->set);
    vip_free(r->group);
    vip_free(r->clip);
}

static vipann_status
make_row(row_of_clips *r, const study *s, const clips *known, size_t first, size_t n, vipann_error *error)
{
    size_t all = known->part.n;
    for (size_t k = first; k < first + n; k++) {
        all += s->foreign[k].part.n;
    }
    *r = (row_of_clips){.scores = vip_alloc(all, s->candidates.n * sizeof *r->scores),
                        .set = vip_alloc(all, sizeof *r->set),
                        .group = vip_alloc(all, sizeof *r->group),
                        .clip = vip_alloc(all, sizeof *r->clip)};
    if (r->scores == NULL || r->set == NULL || r->group == NULL || r->clip == NULL) {
        return vip_fail_memory(error, "scores");
    }
    append(r, s, known, 0);
    for (size_t k = 0; k < n; k++) {
        append(r, s, &s->foreign[first + k], (uint32_t)k + 1);
    }
    r->view = (vip_study){r->view.n, n + 1, s->candidates.n, r->scores, r->set, r->group};
    return VIPANN_OK;
}

/* ------------------------------------------------------------------------------------------------------------- tables */

static void
put_interval(vip_interval i)
{
    (void)printf(" %.3f (%.3f–%.3f) |", i.value, i.low, i.high);
}

static void
put_head(const study *s, size_t first, size_t n, const char *more)
{
    (void)printf("\n| score |");
    for (size_t k = first; k < first + n; k++) {
        (void)printf(" %s (%zu) |", s->foreign[k].name, s->foreign[k].part.n);
    }
    (void)printf("%s\n|---|", more);
    for (size_t k = 0; k < n; k++) {
        (void)printf("---|");
    }
    for (const char *c = more; *c != '\0'; c++) {
        (void)fputs(*c == '|' ? "---|" : "", stdout);
    }
    (void)putchar('\n');
}

static void
put_areas(const study *s, const vip_study *view, size_t first, size_t n)
{
    const uint64_t seed = vip_argument(s->arguments, &SEED)->whole;
    put_head(s, first, n, " mean of the sets | ahead of total |");
    for (size_t c = 0; c < s->candidates.n; c++) {
        (void)printf("| %s |", s->candidates.names[c]);
        for (size_t k = 1; k <= n; k++) {
            put_interval(vip_study_auroc(view, c, (uint32_t)k, seed));
        }
        put_interval(vip_study_auroc(view, c, 0, seed));
        const vip_interval ahead = vip_study_ahead(view, c, 0, 0, seed);
        (void)printf(" %+.3f (%+.3f–%+.3f) |\n", ahead.value, ahead.low, ahead.high);
        (void)fflush(stdout);
    }
}

/* How many per cent lie beyond the limit, of those that are right (which > 0), wrong (which < 0), or all. */
static double
beyond(const study *s, const clips *c, size_t candidate, int which)
{
    size_t n = 0, above = 0;
    for (size_t i = 0; i < c->part.n; i++) {
        if (which == 0 || c->right[i] == (which > 0)) {
            n++;
            above += c->scores[i * s->candidates.n + candidate] > s->limit[candidate];
        }
    }
    return n > 0 ? 100 * (double)above / (double)n : NAN;
}

static void
put_refused(const study *s, const clips *known, size_t first, size_t n)
{
    (void)printf(
        "\nCalled unknown, %%, at a limit that refuses %g %% of the right answers of the calibration's clips:\n",
        100 * vip_argument(s->arguments, &REFUSED)->number);
    put_head(s, first, n, " right known | wrong known |");
    for (size_t c = 0; c < s->candidates.n; c++) {
        (void)printf("| %s |", s->candidates.names[c]);
        for (size_t k = first; k < first + n; k++) {
            (void)printf(" %.1f |", beyond(s, &s->foreign[k], c, 0));
        }
        const double wrong = beyond(s, known, c, -1);
        (void)printf(isnan(wrong) ? " %.1f | - |\n" : " %.1f | %.1f |\n", beyond(s, known, c, 1), wrong);
    }
}

static vipann_status
compare(study *s, const clips *known, size_t first, size_t n, vipann_error *error)
{
    row_of_clips row;
    size_t right = 0;
    if (n == 0) {
        return VIPANN_OK;
    }
    for (size_t i = 0; i < known->part.n; i++) {
        right += known->right[i];
    }
    (void)printf("\n%s sounds against %zu %s clips (%.1f %% right): area under the ROC curve, 95 %% interval\n",
                 first < s->n_dev ? "Development" : "Test", known->part.n, known->name,
                 100 * (double)right / (double)known->part.n);
    vipann_status good = make_row(&row, s, known, first, n, error);
    if (good == VIPANN_OK) {
        put_areas(s, &row.view, first, n);
        put_refused(s, known, first, n);
    }
    row_free(&row);
    return good;
}

static vipann_status
tell(study *s, vipann_error *error)
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
        good = good == VIPANN_OK ? compare(s, &s->calibration, 0, s->n_dev, error) : good;
        good = good == VIPANN_OK ? compare(s, &s->test, s->n_dev, s->n_foreign - s->n_dev, error) : good;
    }
    return good;
}

/* -------------------------------------------------------------------------------------------------------------- command */

static vipann_status
open_both(study *s, vipann_error *error)
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
free_clips(clips *c)
{
    vip_part_free(&c->part);
    vip_free(c->scores);
    vip_free(c->right);
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
    study *s = vip_alloc(1, sizeof *s);
    if (s == NULL) {
        (void)fputs("vipann-train scores: not enough memory\n", stderr);
        return VIP_EXIT_FAILED;
    }
    s->arguments = arguments;
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
    if (good != VIPANN_OK) {
        (void)fprintf(stderr, "vipann-train scores: %s\n", error.text);
    }
    return good == VIPANN_OK ? VIP_EXIT_DONE : good == VIPANN_E_ARG ? VIP_EXIT_ASKED_WRONGLY : VIP_EXIT_FAILED;
}

int
vip_scores_run(int argc, char **argv)
{
    return vip_train_line(&VIP_SCORES_COMMAND, argc, argv, run_scores);
}
