/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_listen.c -- what a model hears in the clips of a cache is what its pass answers to their frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <base/half.h>
#include <base/memory.h>
#include <nn/pass.h>
#include <offline_trainer/base/parallel.h>
#include <offline_trainer/judge/listen.h>

#include "tests/data/random_model.h"
#include "tests/unit/numbers.h"
#include "tests/unit/scratch.h"

enum { CLIPS = 11, CLASSES = 5, FEATURES = 32, MOST_FRAMES = 300, PASSES = 3, LOUD = 96 };

static uint16_t frames[CLIPS][MOST_FRAMES * VIP_MELS];

static size_t
length_of(size_t clip)
{
    return 40 + 23 * clip;
}

/* Where a clip is loud, in steps of 8 frames: LOUD of them, or all. */
static size_t
loud_from(size_t clip)
{
    return length_of(clip) > LOUD ? (length_of(clip) - LOUD) / 16 * 8 : 0;
}

/* Quiet noise, and louder noise for a while. */
static void
make_frames(void)
{
    uint32_t seed = 2;
    for (size_t clip = 0; clip < CLIPS; clip++) {
        for (size_t i = 0; i < length_of(clip) * VIP_MELS; i++) {
            const size_t frame = i / VIP_MELS;
            const bool loud = frame >= loud_from(clip) && frame < loud_from(clip) + LOUD;
            const float level = (loud ? -30.0f : -70.0f) + 10 * (float)next_random(&seed) / (1 << 24);
            frames[clip][i] = vip_float_to_half(level);
        }
    }
}

static vip_cache *
make_cache(void **state)
{
    static const vip_frontend_spec spec = {"panns16k", 16000, 512, 160, VIP_MELS, 50, 8000, 1e-10};
    char path[SCRATCH_PATH], names[CLIPS][16];
    vip_cache_entry entries[CLIPS];
    vipann_error error = {VIPANN_OK, ""};
    make_frames();
    for (size_t i = 0; i < CLIPS; i++) {
        (void)snprintf(names[i], sizeof names[i], "%zu.wav", i);
        entries[i] = (vip_cache_entry){.set = "a",
                                       .path = names[i],
                                       .labels = "x",
                                       .group = names[i],
                                       .sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                                       .fold = 1,
                                       .seconds = (double)length_of(i) / 100,
                                       .n_frames = length_of(i)};
    }
    scratch_path(path, state, "a.cache");
    vip_cache_writer *writer = vip_cache_writer_new(path, &spec, entries, CLIPS, &error);
    assert_non_null(writer);
    for (size_t i = 0; i < CLIPS; i++) {
        vip_cache_writer_frames(writer, frames[i], length_of(i));
    }
    if (vip_cache_writer_commit(writer, &error) != VIPANN_OK) {
        fail_msg("%s", error.text);
    }
    vip_cache *cache = vip_cache_open(path, &error);
    if (cache == NULL) {
        fail_msg("%s", error.text);
    }
    return cache;
}

/* What a pass of one's own answers to n frames of a clip. */
static void
answer(const vip_model *model, uint32_t answers, bool masks, size_t clip, size_t first, size_t n, float *logits,
       float *pooled)
{
    float x[MOST_FRAMES * VIP_MELS];
    vip_weights *weights = vip_weights_new(model, model->values, NULL);
    const vip_pass_options how = {.kernels = vip_kernels_choose(NULL),
                                  .rates = masks ? model->rates : NULL,
                                  .seed = 9,
                                  .max_members = answers,
                                  .max_frames = MOST_FRAMES};
    vip_pass *pass = vip_pass_new(&model->network, weights, &how);
    assert_non_null(pass);
    for (size_t i = 0; i < n * VIP_MELS; i++) {
        x[i] = vip_half_to_float(frames[clip][first * VIP_MELS + i]);
    }
    vip_pass_set_members(pass, answers);
    vip_pass_push(pass, x, (uint32_t)n);
    vip_pass_finish(pass, true);
    vip_pass_answer(pass, vip_pass_columns(pass), 0, answers, logits);
    vip_pass_pooled(pass, pooled);
    vip_pass_free(pass);
    vip_weights_free(weights);
}

/* With masks and without, of one thread and of two: whole clips, a stretch from a frame on, and the loudest one. */
static void
test_answers_and_pooled_vectors_are_those_of_a_pass(void **state)
{
    const random_model_spec spec = {VIP_RESNET22, 1, CLASSES, VIP_CAUSAL, VIPANN_DROPOUT, VIPANN_MULTILABEL, 4};
    static const vip_listen_options table[] = {{.passes = PASSES, .seed = 9},
                                               {.passes = 0, .seed = 9},
                                               {.passes = PASSES, .seed = 9, .first = 50, .frames = 64},
                                               {.passes = 0, .seed = 9, .frames = LOUD, .loudest = true}};
    static const size_t clips[] = {10, 0, 3, 4, 5, 9, 8, 7, 6};
    enum { N = sizeof clips / sizeof *clips };
    vip_model *model = random_model(&spec);
    vip_cache *cache = make_cache(state);
    for (size_t k = 0; k < 2 * sizeof table / sizeof *table; k++) {
        const vip_listen_options *o = &table[k / 2];
        const uint32_t answers = vip_listen_answers(model, o);
        float logits[N * PASSES * CLASSES], pooled[N * FEATURES], alone[N * PASSES * CLASSES];
        assert_int_equal(answers, o->passes > 0 ? PASSES : 1);
        vip_parallel_threads(1 + k % 2);
        assert_int_equal(vip_listen_pooled(model, cache, clips, N, o, logits, pooled, NULL, NULL, NULL), VIPANN_OK);
        assert_int_equal(vip_listen(model, cache, clips, N, o, alone, NULL, NULL, NULL), VIPANN_OK);
        assert_memory_equal(alone, logits, N * answers * CLASSES * sizeof *logits);
        for (size_t i = 0; i < N; i++) {
            const size_t all = length_of(clips[i]), n = o->frames == 0 || o->frames > all ? all : o->frames;
            const size_t latest = all - n;
            const size_t first = o->loudest ? loud_from(clips[i]) : o->first < latest ? o->first : latest;
            float z[PASSES * CLASSES], vector[FEATURES];
            answer(model, answers, o->passes > 0, clips[i], first, n, z, vector);
            assert_memory_equal(z, logits + i * answers * CLASSES, answers * CLASSES * sizeof *z);
            assert_memory_equal(vector, pooled + i * FEATURES, sizeof vector);
        }
    }
    vip_cache_close(cache);
    vip_model_free(model);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers_and_pooled_vectors_are_those_of_a_pass, scratch_make,
                                        scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
