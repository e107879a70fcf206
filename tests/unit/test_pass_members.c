/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_pass_members.c -- holds members with weights of their own to being the networks that they are alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <base/half.h>

#include "listener.h"
#include "tests/data/random_model.h"

enum { FRAMES = 330, COLUMNS = FRAMES / VIP_COLUMN_FRAMES, WINDOW = 3 };

/* A pass; rates may be NULL, sets too. */
static vip_pass *
new_pass(const vip_model *model, const vip_weights *weights, vip_weights **sets, const float *rates, uint32_t members,
         uint32_t max_frames, uint32_t window)
{
    const vip_pass_options options = {.kernels = vip_kernels_choose(NULL),
                                      .rates = rates,
                                      .sets = (const vip_weights *const *)sets,
                                      .seed = 11,
                                      .max_members = members,
                                      .max_frames = max_frames,
                                      .max_window = window};
    vip_pass *pass = vip_pass_new(&model->network, weights, &options);
    assert_non_null(pass);
    return pass;
}

/* Two ways to the same members are the same bits: answers of a stream in pieces, those at its edge, and those at its
 * end. member: the one of `many` that `one` is; VIP_NONE: both have all. */
static void
compare(const float *frames, vip_pass *many, vip_pass *one, uint32_t members, int member, uint32_t piece,
        uint32_t window)
{
    float all[8 * TINY_CLASSES], alone[8 * TINY_CLASSES];
    const float *part = all + (member == VIP_NONE ? 0 : member) * TINY_CLASSES;
    const uint32_t n = member == VIP_NONE ? members : 1;
    size_t compared = 0;
    vip_pass_reset(many, 0);
    vip_pass_reset(one, 0);
    for (uint32_t heard = 0; heard < FRAMES;) {
        const uint32_t length = heard + piece < FRAMES ? piece : FRAMES - heard;
        vip_pass_push(many, frames + (size_t)heard * VIP_MELS, length);
        vip_pass_push(one, frames + (size_t)heard * VIP_MELS, length);
        heard += length;
        for (int edge = 0; edge < 2; edge++) {
            if (edge == 1) {
                vip_pass_finish(many, heard == FRAMES);
                vip_pass_finish(one, heard == FRAMES);
            }
            const int64_t end = edge == 1 ? vip_pass_provisional(many) : vip_pass_columns(many);
            if (end == 0) {
                continue;
            }
            vip_pass_answer(many, end, window, members, all);
            vip_pass_answer(one, end, window, n, alone);
            assert_memory_equal(part, alone, n * TINY_CLASSES * sizeof *alone);
            compared++;
        }
    }
    assert_true(compared > (piece < 50 ? 8u : 1u) && vip_pass_columns(many) == COLUMNS);
}

static void
test_a_member_with_weights_of_its_own_is_that_network_alone(void **state)
{
    const float *frames = *state;
    static const size_t which[] = {EXPLICIT_KIND, ENSEMBLE_KIND, CAUSAL_ENSEMBLE_KIND};
    static const uint32_t pieces[] = {32, 7, FRAMES};
    for (size_t i = 0; i < LENGTH(which); i++) {
        for (uint32_t window = 0; window <= WINDOW; window += WINDOW) {
            listener_options options = kind_of(which[i]);
            options.max_window = window;
            options.max_frames = FRAMES;
            options.members = 3;
            listener l = listener_new(&options);
            for (uint32_t m = 0; m < options.members; m++) {
                vip_pass *one = new_pass(l.model, l.sets[m], NULL, NULL, 1, FRAMES, window);
                compare(frames, l.pass, one, options.members, (int)m, pieces[(i + m) % LENGTH(pieces)], window);
                vip_pass_free(one);
            }
            listener_free(&l);
        }
    }
}

/* Members that have the same weights are as if they shared them, with their own masks if there are any. */
static void
test_sets_of_the_same_weights_are_weights_that_are_shared(void **state)
{
    const float *frames = *state;
    for (size_t kind = 0; kind < FLIPOUT_KIND; kind++) {
        const listener_options options = kind_of(kind);
        vip_model *model = tiny_model(options.arch, options.padding, options.posterior);
        if (options.posterior == VIPANN_DROPOUT) {
            model->rates[model->network.head_site] = 0.5f; /* off in training */
        }
        vip_weights *weights = vip_weights_new(model, model->values, NULL);
        vip_weights *sets[] = {weights, weights, weights};
        vip_pass *shared = new_pass(model, weights, NULL, model->rates, 3, 50, WINDOW);
        vip_pass *own = new_pass(model, NULL, sets, model->rates, 3, 50, WINDOW);
        compare(frames, own, shared, 3, VIP_NONE, 50, WINDOW);
        vip_pass_free(shared);
        vip_pass_free(own);
        vip_weights_free(weights);
        vip_model_free(model);
    }
}

/* Whether a layer is kept as halves is each member's own affair. */
static void
test_members_may_differ_in_how_their_layers_are_kept(void **state)
{
    const float *frames = *state;
    const random_model_spec spec = {VIP_RESNET22, 8, TINY_CLASSES, VIP_SAME, VIPANN_ENSEMBLE, VIPANN_MULTILABEL, 4};
    vip_model *model = random_ensemble(&spec, 2);
    assert_non_null(model);
    const int tensor = vip_model_tensor(model, "conv_block_after1.conv2.weight"), last = model->network.n_steps - 1;
    for (size_t e = 0; e < vip_tensor_size(&model->shapes[tensor]); e++) {
        model->values[tensor][e] = vip_half_to_float(vip_float_to_half(model->values[tensor][e]));
    }
    vip_weights *sets[] = {vip_weights_new(model, vip_model_values(model, 0), NULL),
                           vip_weights_new(model, vip_model_values(model, 1), NULL)};
    assert_true(sets[0]->layers[last].half != NULL && sets[1]->layers[last].half == NULL);
    vip_pass *both = new_pass(model, NULL, sets, NULL, 2, 100, WINDOW);
    for (int m = 0; m < 2; m++) {
        vip_pass *one = new_pass(model, sets[m], NULL, NULL, 1, 100, WINDOW);
        compare(frames, both, one, 2, m, 100, WINDOW);
        vip_pass_free(one);
    }
    vip_pass_free(both);
    vip_weights_free(sets[0]);
    vip_weights_free(sets[1]);
    vip_model_free(model);
}

/* Frames are kept once, unless members see them through a bn0 of their own. */
static void
test_members_with_the_same_bn0_share_its_frames(void **state)
{
    (void)state;
    size_t bytes[2];
    for (size_t i = 0; i < 2; i++) {
        listener_options options = kind_of(ENSEMBLE_KIND);
        options.members = 2;
        listener l = listener_new(&options);
        if (i == 0) {
            memcpy(l.sets[1]->bn0_scale, l.sets[0]->bn0_scale, sizeof l.sets[0]->bn0_scale);
            memcpy(l.sets[1]->bn0_shift, l.sets[0]->bn0_shift, sizeof l.sets[0]->bn0_shift);
        }
        const vip_pass_options measured = {
            .sets = (const vip_weights *const *)l.sets, .max_members = 2, .max_frames = 32, .max_window = 1};
        bytes[i] = vip_pass_measure(&l.model->network, &measured, true);
        listener_free(&l);
    }
    assert_true(bytes[0] > 0 && bytes[1] >= bytes[0] + 34 * (VIP_MELS + 2) * sizeof(float)); /* 32 frames and padding */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_member_with_weights_of_its_own_is_that_network_alone),
        cmocka_unit_test(test_sets_of_the_same_weights_are_weights_that_are_shared),
        cmocka_unit_test(test_members_may_differ_in_how_their_layers_are_kept),
        cmocka_unit_test(test_members_with_the_same_bn0_share_its_frames),
    };
    return cmocka_run_group_tests(tests, make_frames, free_frames);
}
