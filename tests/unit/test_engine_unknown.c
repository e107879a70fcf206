/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_engine_unknown.c -- what an engine calls unknown by a sum of parts that its model states: E7 of engine/README.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <base/memory.h>
#include <bayes/uncertainty.h>
#include <decide/score.h>
#include <frontend/frontend.h>
#include <hearing.h>

#include "../data/random_model.h"
#include "failing.h"
#include "stream.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { COLUMNS = 24, N = COLUMNS * STREAM_COLUMN, FEATURES = 32, PROTOTYPES = 5, WINDOW = 4, MOST_MEMBERS = 4 };

static const stream_host plain_host = {.block = 512};

/* ---------------------------------------------------------------------------------------------------------- models */

/* Which parts the sum has; limits of other scores there are none, and no class is ever active. */
typedef struct {
    const char *name;
    random_model_spec spec;
    uint32_t passes;
    bool has[VIPANN_N_PARTS];
} sum_case;

static const sum_case CASES[] = {
    {"a",
     {VIP_RESNET22, 1, STREAM_CLASSES, VIP_CAUSAL, VIPANN_DROPOUT, VIPANN_MULTILABEL, 1},
     4,
     {true, true, true, true, true}},
    {"b",
     {VIP_RESNET22, 1, STREAM_CLASSES, VIP_SAME, VIPANN_DROPOUT, VIPANN_MULTICLASS, 2},
     3,
     {true, true, true, true, true}},
    {"c",
     {VIP_RESNET22, 1, STREAM_CLASSES, VIP_CAUSAL, VIPANN_MEANFIELD, VIPANN_MULTICLASS, 3},
     4,
     {true, true, true, true, true}},
    {"d",
     {VIP_RESNET22, 1, STREAM_CLASSES, VIP_SAME, VIPANN_ENSEMBLE, VIPANN_MULTILABEL, 4},
     3,
     {true, true, true, true, true}},
    {"e",
     {VIP_RESNET22, 1, STREAM_CLASSES, VIP_SAME, VIPANN_DETERMINISTIC, VIPANN_MULTICLASS, 5},
     0,
     {true, false, true, true, true}},
    {"f",
     {VIP_RESNET22, 1, STREAM_CLASSES, VIP_CAUSAL, VIPANN_DROPOUT, VIPANN_MULTICLASS, 6},
     0,
     {false, false, false, false, true}},
    {"g",
     {VIP_RESNET22, 1, STREAM_CLASSES, VIP_CAUSAL, VIPANN_DROPOUT, VIPANN_MULTICLASS, 7},
     2,
     {false, false, false, true, false}},
};

static vipann_model *
open_case(stream_models *models, const sum_case *c, double limit, const char *suffix)
{
    vip_model *file = random_model(&c->spec);
    assert_true(file != NULL && random_model_sum(file, PROTOTYPES, 3));
    vip_calibration *calibration = &file->calibration;
    memset(calibration->has_unknown, 0, sizeof calibration->has_unknown);
    memcpy(calibration->sum.has, c->has, sizeof c->has);
    calibration->has_unknown[VIPANN_SCORE_SUM] = true;
    calibration->unknown[VIPANN_SCORE_SUM] = limit;
    for (uint32_t i = 0; i < STREAM_CLASSES; i++) {
        calibration->thresholds[i] = -1;
    }
    char name[64];
    (void)snprintf(name, sizeof name, "%s%s.safetensors", c->name, suffix);
    vipann_model *model = stream_open(models, name, file);
    assert_non_null(model);
    return model;
}

static vipann_options
options_of(const vipann_model *model, const sum_case *c, double horizon)
{
    vipann_options o = stream_options(model, c->passes, VIPANN_CENTRED);
    o.window_columns = WINDOW;
    o.horizon_seconds = horizon;
    return o;
}

/* ------------------------------------------------------------------------------------- energy and distance, once more */

typedef struct {
    size_t n;
    double energy[COLUMNS + 2], distance[COLUMNS + 2];
} parts;

/* Those of each column, from a pass of one's own. */
static void
ask(const vipann_model *model, const sum_case *c, vip_pass *pass, parts *out)
{
    const vip_model *file = model->file;
    const vip_sum *sum = &file->calibration.sum;
    const uint32_t members = c->passes > 0 ? c->passes : 1;
    float z[MOST_MEMBERS * STREAM_CLASSES], pooled[FEATURES], inverse[PROTOTYPES];
    vip_prototype_scales(sum->prototypes, sum->n_prototypes, FEATURES, inverse);
    while ((int64_t)out->n < vip_pass_columns(pass)) {
        vip_pass_answer(pass, (int64_t)out->n + 1, WINDOW, members, z);
        vip_pass_pooled(pass, pooled);
        double energy = 0;
        for (uint32_t m = 0; m < members; m++) {
            vip_calibrate(&file->calibration, c->passes == 0, z + m * STREAM_CLASSES, STREAM_CLASSES);
            energy += vip_energy(file->task, z + m * STREAM_CLASSES, STREAM_CLASSES);
        }
        vip_features(pooled, sum->centre, FEATURES, pooled);
        out->energy[out->n] = energy / members;
        out->distance[out->n++] = vip_distance(pooled, sum->prototypes, inverse, sum->n_prototypes, FEATURES);
    }
}

static void
find_parts(const vipann_model *model, const sum_case *c, const vipann_options *o, const float *x, parts *out)
{
    vip_hearing *hearing = vip_hearing_new(model, o, vip_kernels_choose(NULL));
    vip_frontend *frontend = vip_frontend_new(&model->file->frontend, 16000, NULL);
    assert_true(hearing != NULL && frontend != NULL);
    float frames[VIP_COLUMN_FRAMES * VIP_MELS];
    vip_pass *pass = vip_hearing_pass(hearing);
    out->n = 0;
    vip_pass_set_members(pass, c->passes > 0 ? c->passes : 1);
    for (size_t done = 0; done <= N; done += STREAM_COLUMN / 32) {
        if (done < N) {
            vip_frontend_feed(frontend, x + done, STREAM_COLUMN / 32); /* a frame */
        } else {
            vip_frontend_end(frontend);
        }
        for (size_t n; (n = vip_frontend_read(frontend, frames, VIP_COLUMN_FRAMES)) > 0;) {
            vip_pass_push(pass, frames, (uint32_t)n);
            ask(model, c, pass, out);
        }
    }
    vip_pass_finish(pass, true);
    ask(model, c, pass, out);
    vip_frontend_free(frontend);
    vip_hearing_free(hearing);
}

/* The sum at each result: what results say of doubt is taken from them, energy and distance are smoothed here. */
static size_t
expect(const vipann_model *model, const sum_case *c, const vipann_options *o, const stream_answers *answers,
       const parts *p, double *sums)
{
    double energy = 0, distance = 0;
    const double weight = vip_smoothing_weight(0.32, o->horizon_seconds);
    for (size_t i = 0; i < p->n; i++) {
        const vipann_result *r = answers->results[i];
        const uint32_t members = c->passes > 0 ? c->passes : 1;
        energy += (i == 0 ? 1 : weight) * (p->energy[i] - energy);
        distance += (i == 0 ? 1 : weight) * (p->distance[i] - distance);
        vip_evidence evidence = {.members = c->passes, .total = r->total_nats, .energy = energy, .distance = distance};
        for (uint32_t k = 0; k < STREAM_CLASSES; k++) {
            evidence.largest = fmax(evidence.largest, (double)r->p[k]);
        }
        if (c->spec.task == VIPANN_MULTILABEL) {
            const vip_doubt doubt =
                vip_active_doubt(r->p, r->aleatoric, r->epistemic, NULL, members, STREAM_CLASSES, NULL);
            evidence.total = doubt.total;
            evidence.epistemic = doubt.epistemic;
        } else if (members >= 2) {
            evidence.epistemic = vip_corrected_epistemic(r->total_nats, r->epistemic_nats, members);
        }
        assert_true(vip_sum_value(&model->file->calibration.sum, &evidence, &sums[i]));
    }
    return p->n;
}

static int
by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* --------------------------------------------------------------------------------------------------------- the tests */

/* The limit is put into a gap among the sums of a sound, so that at least a quarter of it is unknown, and known. */
static void
test_a_result_is_unknown_above_the_limit_of_the_sum(void **state)
{
    stream_models *models = *state;
    float *x = stream_sound(17, N);
    for (size_t i = 0; i < 2 * LENGTH(CASES); i++) {
        const sum_case *c = &CASES[i / 2];
        double sums[COLUMNS + 2], sorted[COLUMNS + 2];
        parts p;
        vipann_model *first = open_case(models, c, 0, i % 2 == 0 ? "0" : "1");
        vipann_options o = options_of(first, c, i % 2 == 0 ? 0 : 1.5);
        stream_answers *answers = stream_run(first, &o, x, N, &plain_host);
        find_parts(first, c, &o, x, &p);
        assert_true(answers->n >= p.n && answers->n <= p.n + 1); /* of a causal network the last says it once more */
        const size_t n = expect(first, c, &o, answers, &p, sums);
        memcpy(sorted, sums, n * sizeof *sums);
        qsort(sorted, n, sizeof *sorted, by_value);
        size_t at = n / 4;
        for (size_t k = n / 4; k < n - n / 4; k++) {
            at = sorted[k + 1] - sorted[k] > sorted[at + 1] - sorted[at] ? k : at;
        }
        const double limit = (sorted[at] + sorted[at + 1]) / 2;
        assert_true(sorted[at + 1] - sorted[at] > 1e-9);
        stream_answers_free(answers);
        vipann_model_unref(first);

        vipann_model *model = open_case(models, c, limit, i % 2 == 0 ? "2" : "3");
        answers = stream_run(model, &o, x, N, &plain_host);
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(answers->results[k]->unknown, sums[k] > limit ? VIPANN_YES : VIPANN_NO);
        }
        stream_answers_free(answers);
        vipann_model_unref(model);
    }
    free(x);
}

/* A sum that has an epistemic part has no value without members, and then nothing is said. */
static void
test_a_sum_of_members_cannot_say_without_them(void **state)
{
    stream_models *models = *state;
    float *x = stream_sound(18, N);
    vipann_model *model = open_case(models, &CASES[0], 0, "9");
    vipann_options o = options_of(model, &CASES[0], 0);
    for (o.passes = 0; o.passes < 3; o.passes++) {
        stream_answers *answers = stream_run(model, &o, x, N, &plain_host);
        assert_true(answers->n > 0);
        for (size_t i = 0; i < answers->n; i++) {
            assert_true((answers->results[i]->unknown == VIPANN_CANNOT_SAY) == (o.passes < 2));
        }
        stream_answers_free(answers);
    }
    vipann_model_unref(model);
    free(x);
}

/* Hears x without asking for memory, and then begins anew; what was said of each result goes to said. */
static size_t
hear_and_reset(vipann_engine *engine, vipann_reader *reader, vipann_result *r, const float *x,
               vipann_answer said[COLUMNS + 2])
{
    enum { BLOCK = STREAM_COLUMN / 4 };
    size_t n = 0;
    failing_after(0);
    for (size_t done = 0; done < N; done += BLOCK) {
        const float *channel = x + done;
        (void)vipann_push(engine, &channel, BLOCK);
        while (vipann_pump(engine) > 0 && vipann_next_result(reader, r)) {
            said[n++] = r->unknown;
        }
    }
    vipann_engine_reset(engine);
    const long asked = failing_count();
    failing_after(-1);
    assert_int_equal(asked, 0);
    return n;
}

/* Nothing of one stream is left in the next: with a horizon the first result would show it. The limits are those that
 * tell the sums of the first sound from one another. */
static void
test_a_stream_with_a_sum_begins_anew_and_allocates_nothing(void **state)
{
    stream_models *models = *state;
    float *x = stream_sound(19, N), *other = stream_sound(20, N);
    double sums[COLUMNS + 2];
    vipann_answer first[COLUMNS + 2], between[COLUMNS + 2], last[COLUMNS + 2];
    vipann_model *model = open_case(models, &CASES[0], 0, "8");
    vipann_options o = options_of(model, &CASES[0], 5);
    parts p;
    stream_answers *answers = stream_run(model, &o, x, N, &plain_host);
    find_parts(model, &CASES[0], &o, x, &p);
    const size_t n = expect(model, &CASES[0], &o, answers, &p, sums);
    qsort(sums, n, sizeof *sums, by_value);
    stream_answers_free(answers);
    for (size_t k = 0; k + 1 < n; k++) {
        char suffix[16];
        (void)snprintf(suffix, sizeof suffix, "at%zu", k);
        vipann_model_unref(model);
        model = open_case(models, &CASES[0], (sums[k] + sums[k + 1]) / 2, suffix);
        vipann_engine *engine = vipann_engine_new(model, &o, NULL);
        vipann_reader *reader = vipann_reader_new(engine, VIPANN_RESULTS, NULL);
        vipann_result *r = vipann_result_new(model);
        assert_non_null(reader);
        const size_t heard = hear_and_reset(engine, reader, r, x, first);
        assert_int_equal(hear_and_reset(engine, reader, r, other, between), heard);
        assert_int_equal(hear_and_reset(engine, reader, r, x, last), heard);
        assert_memory_equal(first, last, heard * sizeof *first);
        vipann_result_free(r);
        vipann_engine_free(engine);
    }
    vipann_model_unref(model);
    free(x);
    free(other);
}

static void
test_no_memory_for_a_sum_is_said(void **state)
{
    stream_models *models = *state;
    vipann_model *model = open_case(models, &CASES[0], 0, "7");
    vipann_options o = options_of(model, &CASES[0], 0);
    vipann_engine *engine = NULL;
    for (long n = 0; engine == NULL; n++) {
        vipann_error error = {VIPANN_OK, ""};
        failing_after(n);
        engine = vipann_engine_new(model, &o, &error);
        failing_after(-1);
        assert_true(engine != NULL || error.status == VIPANN_E_MEMORY);
    }
    vipann_engine_free(engine);
    vipann_model_unref(model);
}

/* What the model says of it, to whoever asks. */
static void
test_a_model_says_what_its_sum_adds_up(void **state)
{
    stream_models *models = *state;
    vipann_model_info info;
    vipann_model *model = open_case(models, &CASES[5], 0.25, "6");
    vipann_model_describe(model, &info);
    assert_true(info.has_unknown[VIPANN_SCORE_SUM] && info.unknown[VIPANN_SCORE_SUM] == 0.25);
    for (int i = 0; i < VIPANN_N_PARTS; i++) {
        assert_true(info.has_part[i] == (i == VIPANN_PART_DISTANCE));
    }
    assert_int_equal(info.prototypes, PROTOTYPES);
    vipann_model_unref(model);
    vipann_model_describe(models->plain, &info);
    assert_true(!info.has_unknown[VIPANN_SCORE_SUM] && !info.has_part[VIPANN_PART_DISTANCE] && info.prototypes == 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_result_is_unknown_above_the_limit_of_the_sum),
        cmocka_unit_test(test_a_sum_of_members_cannot_say_without_them),
        cmocka_unit_test(test_a_stream_with_a_sum_begins_anew_and_allocates_nothing),
        cmocka_unit_test(test_no_memory_for_a_sum_is_said),
        cmocka_unit_test(test_a_model_says_what_its_sum_adds_up),
    };
    return cmocka_run_group_tests(tests, stream_open_models, stream_close_models);
}
