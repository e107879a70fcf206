/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_scores.c -- holds what finds the unheard in the trainer: prototypes, the fit, and the comparison of scores. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <base/memory.h>
#include <decide/score.h>
#include <frontend/frontend.h>
#include <nn/pass.h>
#include <offline_trainer/base/parallel.h>
#include <offline_trainer/judge/metrics.h>
#include <offline_trainer/judge/prototypes.h>
#include <offline_trainer/judge/score_fit.h>
#include <offline_trainer/judge/score_study.h>

#include "tests/data/random_model.h"
#include "tests/unit/numbers.h"
#include "tests/unit/stream.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { FEATURES = 32, CLASSES = STREAM_CLASSES, MEMBERS = 3 };

/* A number of -1 .. 1. */
static float
any(uint32_t *seed)
{
    return (float)next_random(seed) / (1 << 23) - 1;
}

/* --------------------------------------------------------------------------------------------------------- prototypes */

/* Three bundles of directions, of any length: each gets a prototype, which is its mean direction. */
static void
test_prototypes_are_the_directions_of_bundles(void **state)
{
    (void)state;
    enum { N = 90, WIDTH = 20 };
    float x[N * WIDTH], prototypes[3 * WIDTH];
    uint32_t seed = 4;
    for (size_t i = 0; i < N; i++) {
        const float length = 1.5f + any(&seed);
        for (size_t c = 0; c < WIDTH; c++) {
            x[i * WIDTH + c] = length * ((c == i % 3 ? 1.0f : 0) + 0.05f * any(&seed));
        }
    }
    assert_true(vip_prototypes_find(x, N, WIDTH, 3, 30, 1, prototypes));
    bool found[3] = {false};
    for (size_t k = 0; k < 3; k++) {
        double squares = 0;
        for (size_t c = 0; c < WIDTH; c++) {
            squares += (double)prototypes[k * WIDTH + c] * (double)prototypes[k * WIDTH + c];
        }
        assert_near(squares, 1, 1e-5);
        for (size_t c = 0; c < 3; c++) {
            found[c] = found[c] || prototypes[k * WIDTH + c] > 0.99f;
        }
    }
    assert_true(found[0] && found[1] && found[2]);
}

/* Rounds only ever bring prototypes nearer. */
static double
mean_distance(const float *x, size_t n, size_t width, const float *prototypes, size_t count)
{
    float inverse[64];
    double sum = 0;
    vip_prototype_scales(prototypes, count, width, inverse);
    for (size_t i = 0; i < n; i++) {
        sum += vip_distance(x + i * width, prototypes, inverse, count, width) / (double)n;
    }
    return sum;
}

static void
test_more_rounds_and_more_prototypes_are_nearer(void **state)
{
    (void)state;
    enum { N = 400, WIDTH = 16 };
    static float x[N * WIDTH], prototypes[64 * WIDTH];
    uint32_t seed = 11;
    for (size_t i = 0; i < N * WIDTH; i++) {
        x[i] = any(&seed);
    }
    double before = 2;
    for (unsigned rounds = 0; rounds <= 9; rounds += 3) {
        assert_true(vip_prototypes_find(x, N, WIDTH, 16, rounds, 1, prototypes));
        const double now = mean_distance(x, N, WIDTH, prototypes, 16);
        assert_true(now < before);
        before = now;
    }
    assert_true(vip_prototypes_find(x, N, WIDTH, 64, 9, 1, prototypes));
    assert_true(mean_distance(x, N, WIDTH, prototypes, 64) < before);
}

static void
test_prototypes_do_not_depend_on_threads_but_on_the_seed(void **state)
{
    (void)state;
    enum { N = 300, WIDTH = 24, COUNT = 12 };
    static float x[N * WIDTH], one[COUNT * WIDTH], two[COUNT * WIDTH], other[COUNT * WIDTH];
    uint32_t seed = 12;
    for (size_t i = 0; i < N * WIDTH; i++) {
        x[i] = any(&seed);
    }
    vip_parallel_threads(1);
    assert_true(vip_prototypes_find(x, N, WIDTH, COUNT, 30, 5, one));
    vip_parallel_threads(2);
    assert_true(vip_prototypes_find(x, N, WIDTH, COUNT, 30, 5, two));
    assert_true(vip_prototypes_find(x, N, WIDTH, COUNT, 30, 6, other));
    assert_memory_equal(one, two, sizeof one);
    assert_memory_not_equal(one, other, sizeof one);
}

/* Equal vectors, vectors of zeros, as many prototypes as vectors. */
static void
test_prototypes_of_little_are_still_prototypes(void **state)
{
    (void)state;
    static const float same[] = {0, 2, 0, 0, 0, 2, 0, 2}, zeros[8] = {0};
    float prototypes[8];
    assert_true(vip_prototypes_find(same, 4, 2, 4, 30, 1, prototypes));
    for (size_t k = 0; k < 4; k++) {
        assert_true(prototypes[2 * k] == 0 && prototypes[2 * k + 1] == 1);
    }
    assert_true(vip_prototypes_find(zeros, 4, 2, 4, 30, 1, prototypes));
    assert_memory_equal(prototypes, zeros, sizeof zeros);
    static const float opposite[] = {1, 0, -1, 0}; /* their mean has no direction */
    assert_true(vip_prototypes_find(opposite, 2, 2, 1, 30, 1, prototypes));
    assert_near(fabs((double)prototypes[0]), 1, 1e-6);
}

/* ------------------------------------------------------------------------------------------------------------ the fit */

/* A model, and what it might have answered to some clips. */
typedef struct {
    vip_model *model;
    size_t n;
    float *logits, *pooled;
    vip_listened heard;
} answered;

static answered
answer(vipann_task task, uint32_t passes, size_t n, uint32_t seed)
{
    const random_model_spec spec = {VIP_RESNET22, 1, CLASSES, VIP_CAUSAL, VIPANN_DROPOUT, task, 3};
    const uint32_t answers = passes > 0 ? passes : 1;
    answered a = {
        random_model(&spec), n, calloc(n * answers * CLASSES, sizeof(float)), calloc(n * FEATURES, sizeof(float)), {0}};
    assert_true(a.model != NULL && a.logits != NULL && a.pooled != NULL);
    for (size_t i = 0; i < n * answers * CLASSES; i++) {
        a.logits[i] = 3 * any(&seed);
    }
    for (size_t i = 0; i < n * FEATURES; i++) {
        a.pooled[i] = 1 + any(&seed);
    }
    a.heard = (vip_listened){n, passes, answers, a.logits, a.pooled};
    return a;
}

static void
drop(answered *a)
{
    vip_model_free(a->model);
    free(a->logits);
    free(a->pooled);
}

/* On its own clips each part has mean 0 and deviation 1, and of those that are right the share that was asked for lies
 * beyond the limit. */
static void
test_a_fit_standardises_parts_and_refuses_its_share(void **state)
{
    (void)state;
    enum { N = 200, TRAINING = 50 };
    for (int task = VIPANN_MULTILABEL; task <= VIPANN_MULTICLASS; task++) {
        answered a = answer((vipann_task)task, MEMBERS, N, 7), training = answer((vipann_task)task, 1, TRAINING, 8);
        vip_score_options o = vip_score_defaults((vipann_task)task);
        vip_evidence evidence[N];
        bool right[N];
        vipann_error error = {VIPANN_OK, ""};
        for (size_t i = 0; i < N; i++) {
            right[i] = i % 4 != 0;
        }
        for (uint32_t i = 0; i < CLASSES; i++) {
            a.model->calibration.thresholds[i] = 0.95f; /* now and then a class is active: that clip is not refused */
        }
        for (int i = 0; i < VIPANN_N_PARTS; i++) {
            o.has[i] = true;
        }
        o.refused = 0.1;
        if (vip_score_fit(a.model, training.pooled, TRAINING, &a.heard, right, &o, &error) != VIPANN_OK) {
            fail_msg("%s", error.text);
        }
        const vip_calibration *c = &a.model->calibration;
        assert_int_equal(c->sum.n_prototypes, TRAINING); /* fewer than 128: as many as there are clips */
        assert_true(vip_evidence_of(a.model, &a.heard, evidence));
        for (int part = 0; part < VIPANN_N_PARTS; part++) {
            double sum = 0, squares = 0, value;
            for (size_t i = 0; i < N; i++) {
                assert_true(vip_part_value((vipann_part)part, &evidence[i], &value));
                sum += (value - c->sum.mean[part]) / c->sum.std[part];
                squares += pow((value - c->sum.mean[part]) / c->sum.std[part], 2);
            }
            assert_near(sum / N, 0, 1e-9);
            assert_near(squares / N, 1, 1e-9);
        }
        size_t beyond = 0, counted = 0;
        for (size_t i = 0; i < N; i++) {
            double value;
            assert_true(vip_sum_value(&c->sum, &evidence[i], &value));
            counted += right[i];
            beyond += right[i] && evidence[i].n_active == 0 && value > c->unknown[VIPANN_SCORE_SUM];
        }
        assert_true(counted >= 10 && fabs((double)beyond - 0.1 * (double)counted) <= 1);
        drop(&a);
        drop(&training);
    }
}

/* The mean of the roots is taken off, so that training clips lie round 0, and near to some prototype. */
static void
test_distances_are_small_to_what_was_heard_in_training(void **state)
{
    (void)state;
    enum { N = 60 };
    answered a = answer(VIPANN_MULTICLASS, 0, N, 9);
    double sum[FEATURES] = {0};
    assert_int_equal(vip_score_prototypes(a.model, a.pooled, N, N, 1, NULL), VIPANN_OK);
    for (size_t i = 0; i < N; i++) {
        for (size_t c = 0; c < FEATURES; c++) {
            sum[c] += sqrt((double)a.pooled[i * FEATURES + c]) / N;
        }
    }
    for (size_t c = 0; c < FEATURES; c++) {
        assert_near((double)a.model->calibration.sum.centre[c], sum[c], 1e-6);
    }
    vip_evidence evidence[N];
    assert_true(vip_evidence_of(a.model, &a.heard, evidence));
    for (size_t i = 0; i < N; i++) { /* as many prototypes as clips: each is one */
        assert_near(evidence[i].distance, 0, 1e-5);
        for (size_t c = 0; c < FEATURES; c++) {
            a.pooled[i * FEATURES + c] = (float)((c * 7 + i) % 5);
        }
    }
    assert_true(vip_evidence_of(a.model, &a.heard, evidence));
    for (size_t i = 0; i < N; i++) {
        assert_true(evidence[i].distance > 0.1);
    }
    drop(&a);
}

static void
test_what_cannot_be_fitted_is_said(void **state)
{
    (void)state;
    enum { N = 40 };
    bool none_right[N] = {false};
    const struct {
        size_t n;
        uint32_t passes;
        const bool *right;
        bool parts[VIPANN_N_PARTS];
        size_t training;
        const char *message;
    } table[] = {
        {19, 2, NULL, {true}, 0, "the score needs 20 calibration clips at least, but there are 19"},
        {N, 2, none_right, {true}, 0, "of 40 clips only 0 are right"},
        {N, 1, NULL, {true, true}, 0, "the part epistemic of the score has no value without members"},
        {N, 2, NULL, {false, false, false, false, true}, 0, "the distance needs training clips, but there are none"},
        {N, 2, NULL, {false, false, false, false, true}, N, "the distance needs training clips with finite answers"},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        answered a = answer(VIPANN_MULTICLASS, table[i].passes, N, 10);
        vip_score_options o = vip_score_defaults(VIPANN_MULTICLASS);
        vipann_error error = {VIPANN_OK, ""};
        memcpy(o.has, table[i].parts, sizeof o.has);
        a.heard.n = table[i].n;
        a.pooled[3] = NAN;
        assert_int_equal(vip_score_fit(a.model, a.pooled, table[i].training, &a.heard, table[i].right, &o, &error),
                         VIPANN_E_ARG);
        if (strstr(error.text, table[i].message) == NULL) {
            fail_msg("%s, expected %s", error.text, table[i].message);
        }
        assert_false(a.model->calibration.has_unknown[VIPANN_SCORE_SUM]);
        drop(&a);
    }
    answered a = answer(VIPANN_MULTICLASS, 2, N, 10);
    vipann_error error = {VIPANN_OK, ""};
    memset(a.logits, 0, N * 2 * CLASSES * sizeof *a.logits);
    const vip_score_options o = {.has = {[VIPANN_PART_TOTAL] = true}, .refused = 0.05};
    assert_int_equal(vip_score_fit(a.model, NULL, 0, &a.heard, NULL, &o, &error), VIPANN_E_ARG);
    assert_non_null(strstr(error.text, "the part total of the score is the same for all 40 clips"));
    drop(&a);
}

enum { SOUND = 9 * STREAM_COLUMN + 321, FRAMES = 400 };

/* All frames of the sound; returns their number. */
static uint32_t
frames_of(const vip_model *file, const float *x, float *frames)
{
    vip_frontend *frontend = vip_frontend_new(&file->frontend, 16000, NULL);
    assert_non_null(frontend);
    size_t n = 0;
    for (size_t done = 0; done < SOUND;) {
        const size_t space = vip_frontend_space(frontend), m = SOUND - done < space ? SOUND - done : space;
        vip_frontend_feed(frontend, x + done, m);
        done += m;
        n += vip_frontend_read(frontend, frames + n * VIP_MELS, FRAMES - n);
    }
    vip_frontend_end(frontend);
    n += vip_frontend_read(frontend, frames + n * VIP_MELS, FRAMES - n);
    vip_frontend_free(frontend);
    return (uint32_t)n;
}

/* The sum that the trainer finds for it. */
static double
sum_of(const vip_model *file, uint32_t passes, const float *x)
{
    static float frames[FRAMES * VIP_MELS];
    const uint32_t answers = passes > 0 ? passes : 1, n = frames_of(file, x, frames);
    float logits[MEMBERS * CLASSES], pooled[FEATURES];
    vip_weights *weights = vip_weights_new(file, file->values, NULL);
    const vip_pass_options how = {.kernels = vip_kernels_choose(NULL),
                                  .rates = passes > 0 ? file->rates : NULL,
                                  .seed = 3,
                                  .max_members = answers,
                                  .max_frames = n};
    vip_pass *pass = vip_pass_new(&file->network, weights, &how);
    assert_non_null(pass);
    vip_pass_set_members(pass, answers);
    vip_pass_push(pass, frames, n);
    vip_pass_finish(pass, true);
    vip_pass_answer(pass, vip_pass_columns(pass), 0, answers, logits);
    vip_pass_pooled(pass, pooled);
    vip_pass_free(pass);
    vip_weights_free(weights);
    vip_evidence evidence;
    double sum;
    assert_true(vip_evidence_of(file, &(vip_listened){1, passes, answers, logits, pooled}, &evidence));
    assert_true(vip_sum_value(&file->calibration.sum, &evidence, &sum));
    return sum;
}

/* The trainer's evidence is the engine's: with a limit just below the sum that it gives vipann_clip says unknown, with one
 * just above it does not. */
static void
test_the_trainers_sum_is_the_engines(void **state)
{
    stream_models *models = *state;
    float *x = stream_sound(41, SOUND);
    for (int k = 0; k < 8; k++) {
        const random_model_spec spec = {.arch = VIP_RESNET22,
                                        .width = 1,
                                        .classes = CLASSES,
                                        .posterior = VIPANN_DROPOUT,
                                        .task = k % 2 == 0 ? VIPANN_MULTILABEL : VIPANN_MULTICLASS,
                                        .seed = 21};
        const uint32_t passes = k / 4 == 0 ? MEMBERS : 0;
        const bool above = k / 2 % 2 == 1;
        vip_model *file = random_model(&spec);
        assert_true(file != NULL && random_model_sum(file, 4, 2));
        vip_calibration *c = &file->calibration;
        c->sum.has[VIPANN_PART_EPISTEMIC] = passes > 0;
        c->has_unknown[VIPANN_SCORE_EPISTEMIC] = c->has_unknown[VIPANN_SCORE_CONFIDENCE] = false;
        for (uint32_t i = 0; i < CLASSES; i++) {
            c->thresholds[i] = -1;
        }
        c->unknown[VIPANN_SCORE_SUM] = sum_of(file, passes, x) + (above ? 1e-6 : -1e-6);
        char name[32];
        (void)snprintf(name, sizeof name, "engine%d.safetensors", k);
        vipann_model *model = stream_open(models, name, file);
        vipann_options o = stream_options(model, passes, VIPANN_CENTRED);
        vipann_result *r = vipann_result_new(model);
        assert_int_equal(vipann_clip(model, &o, x, SOUND, 16000, r, NULL), VIPANN_OK);
        assert_int_equal(r->unknown, above ? VIPANN_NO : VIPANN_YES);
        vipann_result_free(r);
        vipann_model_unref(model);
    }
    free(x);
}

/* ---------------------------------------------------------------------------------------------------- the comparison */

/* In the plane, where all of it can be written down. */
static void
test_distances_for_comparison_are_those_of_their_formulas(void **state)
{
    (void)state;
    static const float x[] = {1, 0, 0, 2, -3, 0, 2, 2, 1, 3}, probe[] = {2, 0};
    enum { N = 5 };
    vip_far *far = vip_far_new(x, N, 2);
    assert_non_null(far);
    const double half = sqrt(0.5), tenth = 1 / sqrt(10);
    const double nearest[] = {0, 1 - half, 1 - tenth, 1, 2};
    for (size_t k = 1; k <= N; k++) {
        assert_near(vip_far_nearest(far, probe, k), nearest[k - 1], 1e-6);
    }
    assert_near(vip_far_nearest(far, probe, 99), 2, 1e-6); /* no more than there are */

    double mean[2] = {0}, c[2][2] = {{0}}, chance = 0, apart = 0;
    for (size_t j = 0; j < N; j++) {
        mean[0] += (double)x[2 * j] / N;
        mean[1] += (double)x[2 * j + 1] / N;
    }
    for (size_t j = 0; j < N; j++) {
        for (size_t e = 0; e < 4; e++) {
            c[e / 2][e % 2] += ((double)x[2 * j + e / 2] - mean[e / 2]) * ((double)x[2 * j + e % 2] - mean[e % 2]) / N;
        }
    }
    const double m = (c[0][0] + c[1][1]) / 2;
    for (size_t e = 0; e < 4; e++) {
        apart += pow(c[e / 2][e % 2] - (e % 3 == 0 ? m : 0), 2);
        for (size_t j = 0; j < N; j++) {
            const double product = ((double)x[2 * j + e / 2] - mean[e / 2]) * ((double)x[2 * j + e % 2] - mean[e % 2]);
            chance += pow(product - c[e / 2][e % 2], 2) / (N * N);
        }
    }
    const double by = fmin(1, chance / apart);
    assert_near(vip_far_shrinkage(far), by, 1e-12);
    for (size_t e = 0; e < 4; e++) {
        c[e / 2][e % 2] = (1 - by) * c[e / 2][e % 2] + (e % 3 == 0 ? by * m : 0);
    }
    const double dx = 2 - mean[0], dy = -mean[1], determinant = c[0][0] * c[1][1] - c[0][1] * c[1][0];
    const double squares = (c[1][1] * dx * dx - 2 * c[0][1] * dx * dy + c[0][0] * dy * dy) / determinant;
    assert_near(vip_far_mahalanobis(far, probe), sqrt(squares), 1e-9);
    vip_far_free(far);
    vip_far_free(NULL);
}

/* What a candidate is called and what it adds up fits what it says of clips, with members and without, for either task. */
static void
test_candidates_are_single_scores_and_their_sums(void **state)
{
    (void)state;
    enum { N = 30 };
    for (int k = 0; k < 4; k++) {
        const uint32_t passes = k % 2 == 0 ? MEMBERS : 0;
        answered a = answer(k / 2 == 0 ? VIPANN_MULTILABEL : VIPANN_MULTICLASS, passes, N, 13);
        vip_candidates c;
        double scores[N * VIP_MOST_CANDIDATES];
        bool active[N];
        vip_evidence evidence[N];
        assert_int_equal(vip_score_prototypes(a.model, a.pooled, N, 8, 1, NULL), VIPANN_OK);
        vip_far *far = vip_far_new(a.pooled, N, FEATURES);
        vip_candidates_of(a.model, a.heard.answers, &c);
        assert_true(c.n <= VIP_MOST_CANDIDATES && vip_candidates_find(&c, a.model, far, &a.heard, scores, active));
        assert_true(vip_evidence_of(a.model, &a.heard, evidence));
        vip_candidates_scale(&c, scores, N);
        vip_candidates_sum(&c, scores, N);
        bool members = false, labels = false;
        for (size_t s = 0; s < c.n; s++) {
            members = members || strstr(c.names[s], "epistemic") != NULL;
            labels = labels || strstr(c.names[s], "all classes") != NULL;
            double mean = 0, squares = 0;
            for (size_t i = 0; i < N; i++) {
                assert_true(isfinite(scores[i * c.n + s]));
                mean += scores[i * c.n + s] / N;
            }
            for (size_t i = 0; i < N; i++) {
                squares += pow(scores[i * c.n + s] - mean, 2) / N;
            }
            assert_near(mean, c.sum_of[s] != 0 ? 0 : c.mean[s], 1e-9);
            assert_true(c.sum_of[s] != 0 || fabs(sqrt(squares) - c.std[s]) < 1e-9);
        }
        assert_true(members == (passes > 0) && labels == (k / 2 == 0));
        for (size_t i = 0; i < N; i++) {
            assert_true(scores[i * c.n] == evidence[i].total && active[i] == (evidence[i].n_active > 0));
        }
        const size_t all = passes > 0 ? 4 : 3; /* distance follows total, epistemic, confidence, energy */
        assert_string_equal(c.names[all], "distance");
        assert_true(scores[all] == evidence[0].distance && scores[all - 1] == evidence[0].energy);
        vip_far_free(far);
        drop(&a);
    }
}

/* Two foreign sets: areas are those of vip_auc, their mean is the mean, and no score is ahead of itself. */
static void
test_areas_are_those_of_each_set_and_their_mean(void **state)
{
    (void)state;
    enum { N = 120 };
    double scores[N * 2], one[N];
    uint32_t set[N], group[N], seed = 17;
    bool foreign[N];
    double area[2][3] = {{0}};
    for (size_t i = 0; i < N; i++) {
        set[i] = (uint32_t)(i % 3);
        group[i] = (uint32_t)(i / 6);
        scores[2 * i] = (double)any(&seed) + 0.5 * set[i];
        scores[2 * i + 1] = (double)any(&seed) - 0.1 * set[i];
    }
    for (size_t c = 0; c < 2; c++) {
        for (uint32_t s = 1; s < 3; s++) {
            size_t n = 0;
            for (size_t i = 0; i < N; i++) {
                if (set[i] == 0 || set[i] == s) {
                    one[n] = scores[2 * i + c];
                    foreign[n++] = set[i] == s;
                }
            }
            area[c][s] = vip_auc(one, foreign, n);
        }
        area[c][0] = (area[c][1] + area[c][2]) / 2;
    }
    const vip_study study = {N, 3, 2, scores, set, group};
    for (uint32_t s = 0; s < 3; s++) {
        for (size_t c = 0; c < 2; c++) {
            const vip_interval i = vip_study_auroc(&study, c, s, 1);
            assert_near(i.value, area[c][s], 1e-12);
            assert_true(i.low < i.value && i.value < i.high);
        }
        const vip_interval ahead = vip_study_ahead(&study, 0, 1, s, 1);
        assert_near(ahead.value, area[0][s] - area[1][s], 1e-12);
        assert_true(ahead.low > 0 && ahead.low < ahead.value && ahead.value < ahead.high);
        const vip_interval same = vip_study_ahead(&study, 1, 1, s, 1);
        assert_true(same.value == 0 && same.low == 0 && same.high == 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prototypes_are_the_directions_of_bundles),
        cmocka_unit_test(test_more_rounds_and_more_prototypes_are_nearer),
        cmocka_unit_test(test_prototypes_do_not_depend_on_threads_but_on_the_seed),
        cmocka_unit_test(test_prototypes_of_little_are_still_prototypes),
        cmocka_unit_test(test_a_fit_standardises_parts_and_refuses_its_share),
        cmocka_unit_test(test_distances_are_small_to_what_was_heard_in_training),
        cmocka_unit_test(test_what_cannot_be_fitted_is_said),
        cmocka_unit_test(test_the_trainers_sum_is_the_engines),
        cmocka_unit_test(test_distances_for_comparison_are_those_of_their_formulas),
        cmocka_unit_test(test_candidates_are_single_scores_and_their_sums),
        cmocka_unit_test(test_areas_are_those_of_each_set_and_their_mean),
    };
    return cmocka_run_group_tests(tests, stream_open_models, stream_close_models);
}
