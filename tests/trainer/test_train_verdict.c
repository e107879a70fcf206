/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_verdict.c -- what is said of a model: figures of answers that are made up, as JSON that fits its schema. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <base/half.h>
#include <base/philox.h>
#include <offline_trainer/judge/verdict.h>

#include "tests/data/random_model.h"
#include "tests/unit/schema.h"
#include "tests/unit/scratch.h"

#define SCHEMA "offline_trainer/judge/eval.schema.json"

enum { CLIPS = 60, FOREIGN = 10, CLASSES = 4, MEMBERS = 3, FRAMES = 32 };

/* Clips of the set a, class i % CLASSES each, and of the set b, of which the model knows none. */
static vip_cache *
make_cache(void **state)
{
    static const vip_frontend_spec spec = {"panns16k", 16000, 512, 160, VIP_MELS, 50, 8000, 1e-10};
    static const uint16_t silence[FRAMES * VIP_MELS];
    char path[SCRATCH_PATH], names[CLIPS][16], labels[CLIPS][16];
    vip_cache_entry entries[CLIPS];
    vipann_error error = {VIPANN_OK, ""};
    for (size_t i = 0; i < CLIPS; i++) {
        (void)snprintf(names[i], sizeof names[i], "%zu.wav", i);
        (void)snprintf(labels[i], sizeof labels[i], i < CLIPS - FOREIGN ? "class %zu" : "odd %zu", i % CLASSES);
        entries[i] = (vip_cache_entry){.set = i < CLIPS - FOREIGN ? "a" : "b",
                                       .path = names[i],
                                       .labels = labels[i],
                                       .group = names[i],
                                       .sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                                       .fold = 1,
                                       .seconds = 0.32,
                                       .n_frames = FRAMES};
    }
    vip_cache_writer *writer =
        vip_cache_writer_new(scratch_path(path, state, "a.cache"), &spec, entries, CLIPS, &error);
    assert_non_null(writer);
    for (size_t i = 0; i < CLIPS; i++) {
        vip_cache_writer_frames(writer, silence, FRAMES);
    }
    assert_int_equal(vip_cache_writer_commit(writer, &error), VIPANN_OK);
    vip_cache *cache = vip_cache_open(path, &error);
    assert_non_null(cache);
    return cache;
}

/* Clip i answers class i % CLASSES, every fifth one the next class; the later the clip, the less sure. */
static void
make_logits(size_t n, float *logits)
{
    for (size_t i = 0; i < n; i++) {
        const size_t said = i % 5 == 4 ? (i + 1) % CLASSES : i % CLASSES;
        for (size_t m = 0; m < MEMBERS; m++) {
            for (size_t c = 0; c < CLASSES; c++) {
                uint32_t words[4];
                vip_philox(5, (const uint32_t[4]){(uint32_t)i, (uint32_t)m, (uint32_t)c, 0}, words);
                logits[(i * MEMBERS + m) * CLASSES + c] =
                    (c == said ? 4.0f - 0.04f * (float)i : 0) + 1e-3f * (float)words[0] / 4294967296.0f;
            }
        }
    }
}

typedef struct {
    vip_cache *cache;
    vip_model *model;
    vip_part known, foreign;
    float logits[CLIPS * MEMBERS * CLASSES], odd[FOREIGN * MEMBERS * CLASSES];
    vip_heard *raw, *calibrated, *other, *strange;
    vip_verdict verdict;
} scene;

static void
make_scene(scene *s, void **state, vipann_task task)
{
    const random_model_spec spec = {VIP_RESNET22, 1, CLASSES, VIP_CAUSAL, VIPANN_DROPOUT, task, 4};
    vipann_error error;
    s->cache = make_cache(state);
    s->model = random_model(&spec);
    assert_non_null(s->model);
    assert_int_equal(vip_select(s->cache, "set=a", &s->known, &error), VIPANN_OK);
    assert_int_equal(vip_select(s->cache, "set=b", &s->foreign, &error), VIPANN_OK);
    make_logits(s->known.n, s->logits);
    const vip_calibration *c = &s->model->calibration;
    s->raw = vip_heard_new(s->model, s->cache, &s->known, s->logits, MEMBERS, false, NULL, NULL);
    s->calibrated = vip_heard_new(s->model, s->cache, &s->known, s->logits, MEMBERS, false, c, NULL);
    s->other = vip_heard_new(s->model, s->cache, &s->known, s->logits, 1, true, c, NULL);
    s->strange = vip_heard_new(s->model, s->cache, &s->foreign, s->odd, MEMBERS, false, c, NULL);
    assert_true(s->raw != NULL && s->calibrated != NULL && s->other != NULL && s->strange != NULL);
    s->verdict = (vip_verdict){.model = s->model,
                               .cache = s->cache,
                               .passes = MEMBERS,
                               .seed = 1,
                               .expression = "set=a",
                               .truth = "labels",
                               .raw = s->raw,
                               .calibrated = s->calibrated,
                               .n_foreign = 1,
                               .n_others = 1};
    s->verdict.foreign[0] = (vip_foreign){.name = "b", .heard = s->strange};
    s->verdict.others[0] = (vip_other_passes){.passes = 0, .heard = s->other};
    vip_verdict_fill(&s->verdict);
}

static void
free_scene(scene *s)
{
    vip_heard_free(s->raw);
    vip_heard_free(s->calibrated);
    vip_heard_free(s->other);
    vip_heard_free(s->strange);
    vip_part_free(&s->known);
    vip_part_free(&s->foreign);
    vip_model_free(s->model);
    vip_cache_close(s->cache);
}

static json_t *
written(const vip_verdict *verdict)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    assert_non_null(stream);
    vip_verdict_json(verdict, stream);
    assert_int_equal(fclose(stream), 0);
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    free(text);
    return json;
}

static void
test_a_verdict_fits_its_schema(void **state)
{
    json_t *schema = json_load_file(SCHEMA, 0, NULL);
    assert_non_null(schema);
    assert_null(schema_foreign_word(schema));
    static const vipann_task tasks[] = {VIPANN_MULTICLASS, VIPANN_MULTILABEL};
    for (size_t i = 0; i < 2; i++) {
        static scene s;
        char why[SCHEMA_WHY];
        make_scene(&s, state, tasks[i]);
        json_t *json = written(&s.verdict);
        if (!schema_check(schema, json, why)) {
            fail_msg("%s", why);
        }
        assert_int_equal(json_array_size(json_object_get(json, "by_passes")), 1);
        assert_int_equal(json_array_size(json_object_get(json, "ood")), 1);
        json_decref(json);
        free_scene(&s);
    }
    json_decref(schema);
}

static void
test_figures_of_one_class_per_clip(void **state)
{
    static scene s;
    make_scene(&s, state, VIPANN_MULTICLASS);
    const vip_interval *f = s.verdict.figures[0];
    assert_true(fabs(f[VIP_FIGURE_ACCURACY].value - 0.8) < 1e-9); /* every fifth is wrong */
    assert_true(f[VIP_FIGURE_ACCURACY].low < 0.8 && f[VIP_FIGURE_ACCURACY].high > 0.8);
    assert_true(fabs(f[VIP_FIGURE_RETAINED_50].value - 0.8) <
                1e-9); /* the surest are the first 25, of which 5 are wrong */
    assert_true(f[VIP_FIGURE_EXCESS_AURC].value > 0 && f[VIP_FIGURE_EXCESS_AURC].value < f[VIP_FIGURE_AURC].value);
    assert_true(isnan(f[VIP_FIGURE_MAP].value) && isnan(f[VIP_FIGURE_POOLED_ECE].value));
    assert_true(s.verdict.foreign[0].auroc[VIP_BY_TOTAL].value == 1); /* equal logits are the most doubtful */
    free_scene(&s);
}

static void
test_figures_of_many_classes_per_clip(void **state)
{
    static scene s;
    make_scene(&s, state, VIPANN_MULTILABEL);
    const vip_interval *f = s.verdict.figures[0];
    double sum = 0;
    for (uint32_t c = 0; c < CLASSES; c++) {
        const vip_class_figures figures = vip_class_figures_of(s.raw, c);
        assert_in_range(figures.positives, 12, 13);
        sum += figures.ece / CLASSES;
        assert_true(figures.average_precision > 0.5 && figures.auc > 0.5);
    }
    assert_true(fabs(f[VIP_FIGURE_ECE].value - sum) < 1e-12);
    assert_true(f[VIP_FIGURE_POOLED_ECE].value <= f[VIP_FIGURE_ECE].value); /* gaps of several classes cancel */
    assert_true(f[VIP_FIGURE_D_PRIME].value > 0 && isnan(f[VIP_FIGURE_ACCURACY].value));
    free_scene(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_verdict_fits_its_schema, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_figures_of_one_class_per_clip, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_figures_of_many_classes_per_clip, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
