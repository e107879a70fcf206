/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_members.c -- holds members' weights to their formulas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <base/memory.h>
#include <bayes/keyed.h>

#include "failing.h"
#include "listener.h"

enum { FRAMES = 150, MEMBERS = 5 };
static const uint64_t SEED = 0x123456789abcdefULL;

static bool
is_drawn(const vip_tensor_shape *shape)
{
    return shape->kind == VIP_CONV_WEIGHT || shape->kind == VIP_LINEAR_WEIGHT || shape->kind == VIP_LINEAR_BIAS;
}

/* A mean-field model whose dense layers are deterministic. */
static vip_model *
convolutions_only(void)
{
    vip_model *model = tiny_model(VIP_RESNET22, VIP_CAUSAL, VIPANN_MEANFIELD);
    for (int i = 0; i < model->n_tensors; i++) {
        if (model->shapes[i].kind != VIP_CONV_WEIGHT) {
            vip_free(model->rho[i]);
            model->rho[i] = NULL;
        }
    }
    return model;
}

static void
test_softplus_is_exact_for_any_size(void **state)
{
    (void)state;
    static const struct {
        double x, y;
    } table[] = {{0, 0.6931471805599453},
                 {1, 1.3132616875182228},
                 {-1, 0.3132616875182228},
                 {-3, 0.04858735157374206},
                 {-50, 1.9287498479639178e-22},
                 {50, 50},
                 {1e300, 1e300},
                 {-1e300, 0}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        assert_true(fabs(vip_softplus(table[i].x) - table[i].y) <= 1e-15 * table[i].y);
    }
}

static void
test_noise_is_sigma_times_the_keyed_numbers_of_the_tensor(void **state)
{
    (void)state;
    vip_model *model = convolutions_only();
    vip_tensors noise = vip_draw_noise(model, SEED, 3), weights = vip_draw_weights(model, SEED, 3);
    assert_non_null(noise);
    assert_non_null(weights);
    uint32_t id = 0;
    for (int i = 0; i < model->n_tensors; i++) {
        const size_t n = vip_tensor_size(&model->shapes[i]);
        const uint32_t tensor = id;
        id += is_drawn(&model->shapes[i]);
        if (model->rho[i] == NULL) {
            assert_null(noise[i]);
            if (model->values[i] != NULL) {
                assert_memory_equal(weights[i], model->values[i], n * sizeof(float));
            }
            continue;
        }
        float *eps = malloc(n * sizeof *eps);
        vip_keyed_eps(SEED, tensor, 3, eps, n);
        for (size_t e = 0; e < n; e++) {
            const double sigma = log1p(exp((double)model->rho[i][e]));
            const double expected = sigma * (double)eps[e];
            assert_true(fabs((double)noise[i][e] - expected) <= 1e-7 * fabs(expected));
            assert_true(weights[i][e] == model->values[i][e] + noise[i][e]);
        }
        free(eps);
    }
    vip_tensors_free(noise);
    vip_tensors_free(weights);
    vip_model_free(model);
}

/* The table of the network and the order of the tensors number them alike. */
static void
test_signs_are_keyed_by_the_same_numbers_as_the_noise(void **state)
{
    (void)state;
    vip_model *model = tiny_model(VIP_RESNET54, VIP_SAME, VIPANN_MEANFIELD);
    int id = 0;
    for (int i = 0; i < model->n_tensors; i++) {
        for (int step = 0; step < model->network.n_steps; step++) {
            const char *conv = model->network.steps[step].conv;
            const size_t n = strlen(conv);
            if (strncmp(model->shapes[i].name, conv, n) == 0 && strcmp(model->shapes[i].name + n, ".weight") == 0) {
                assert_int_equal(model->network.steps[step].tensor, id);
            }
        }
        if (strcmp(model->shapes[i].name, "fc1.weight") == 0) {
            assert_int_equal(model->network.fc1_tensor, id);
        }
        if (strcmp(model->shapes[i].name, "fc_audioset.weight") == 0) {
            assert_int_equal(model->network.head_tensor, id);
        }
        id += is_drawn(&model->shapes[i]);
    }
    vip_model_free(model);
}

/* The weights mu + dW * (s r^T) and the biases mu + db * s of one member, tensor by tensor. */
static vip_tensors
explicit_member(const vip_model *model, vip_tensors noise, uint32_t member)
{
    vip_tensors weights = vip_draw_weights(model, SEED, 0); /* for its room */
    assert_non_null(weights);
    unsigned char r[32 * TINY_WIDTH], s[32 * TINY_WIDTH];
    uint32_t id = 0;
    for (int i = 0; i < model->n_tensors; i++) {
        const vip_tensor_shape *shape = &model->shapes[i];
        const bool bias = shape->kind == VIP_LINEAR_BIAS;
        const uint32_t tensor = bias ? id - 1 : id; /* a bias has the output signs of its weight */
        id += is_drawn(shape);
        if (noise[i] == NULL) {
            continue;
        }
        const uint32_t out = shape->shape[0], in = bias ? 1 : shape->shape[1];
        const size_t positions = vip_tensor_size(shape) / out / in;
        vip_keyed_signs(SEED, VIP_KEYED_SIGN_IN, tensor, member, 0, r, in);
        vip_keyed_signs(SEED, VIP_KEYED_SIGN_OUT, tensor, member, 0, s, out);
        for (size_t e = 0; e < vip_tensor_size(shape); e++) {
            const size_t o = e / positions / in, c = e / positions % in;
            const bool negative = bias ? s[o] : s[o] != r[c];
            weights[i][e] = model->values[i][e] + (negative ? -noise[i][e] : noise[i][e]);
        }
    }
    return weights;
}

/* Logits of the clip with weights of one's own. */
static void
hear_explicit(const vip_model *model, vip_tensors tensors, const float *frames, float *logits)
{
    vip_weights *weights = vip_weights_new(model, tensors, NULL);
    assert_non_null(weights);
    const vip_pass_options options = {
        .kernels = vip_kernels_choose(NULL), .max_members = 1, .max_frames = FRAMES, .max_window = 0};
    vip_pass *pass = vip_pass_new(&model->network, weights, &options);
    assert_non_null(pass);
    vip_pass_push(pass, frames, FRAMES);
    vip_pass_finish(pass, true);
    vip_pass_answer(pass, vip_pass_columns(pass), 0, 1, logits);
    vip_pass_free(pass);
    vip_weights_free(weights);
}

static void
check_flipout(vip_model *model)
{
    float *frames = random_frames(6, FRAMES), all[MEMBERS * TINY_CLASSES], one[TINY_CLASSES];
    vip_tensors noise = vip_draw_noise(model, SEED, 0);
    vip_weights *weights = vip_weights_new(model, model->values, noise);
    vip_signs *signs = vip_draw_signs(model, weights, noise, SEED, MEMBERS);
    assert_non_null(signs);
    const vip_pass_options options = {
        .kernels = vip_kernels_choose(NULL), .signs = signs, .max_members = MEMBERS, .max_frames = FRAMES};
    vip_pass *pass = vip_pass_new(&model->network, weights, &options);
    assert_non_null(pass);
    vip_pass_push(pass, frames, FRAMES);
    vip_pass_finish(pass, true);
    vip_pass_answer(pass, vip_pass_columns(pass), 0, MEMBERS, all);
    for (uint32_t m = 0; m < MEMBERS; m++) {
        vip_tensors tensors = explicit_member(model, noise, m);
        hear_explicit(model, tensors, frames, one);
        for (uint32_t k = 0; k < TINY_CLASSES; k++) {
            assert_true(fabsf(one[k] - all[m * TINY_CLASSES + k]) < 2e-5f);
            assert_true(m == 0 || fabsf(one[k] - all[k]) > 1e-4f); /* members do differ */
        }
        vip_tensors_free(tensors);
    }
    vip_pass_free(pass);
    vip_signs_free(signs);
    vip_weights_free(weights);
    vip_tensors_free(noise);
    vip_model_free(model);
    free(frames);
}

static void
test_a_flipout_member_is_one_explicit_set_of_weights(void **state)
{
    (void)state;
    check_flipout(tiny_model(VIP_RESNET22, VIP_SAME, VIPANN_MEANFIELD));
    check_flipout(tiny_model(VIP_RESNET54, VIP_CAUSAL, VIPANN_MEANFIELD));
    check_flipout(convolutions_only());
}

static void
test_members_are_the_first_of_more(void **state) /* S4 */
{
    (void)state;
    vip_model *model = tiny_model(VIP_RESNET22, VIP_SAME, VIPANN_MEANFIELD);
    vip_tensors noise = vip_draw_noise(model, SEED, 0);
    vip_weights *weights = vip_weights_new(model, model->values, noise);
    vip_signs *two = vip_draw_signs(model, weights, noise, SEED, 2),
              *five = vip_draw_signs(model, weights, noise, SEED, 5);
    for (int i = 0; i < weights->n_layers; i++) {
        const vip_layer *layer = &weights->layers[i];
        assert_memory_equal(two->in[i], five->in[i], (size_t)2 * layer->in_blocks * 16);
        assert_memory_equal(two->out[i], five->out[i], 2 * layer->out_blocks * sizeof *two->out[i]);
    }
    vip_signs_free(two);
    vip_signs_free(five);
    vip_weights_free(weights);
    vip_tensors_free(noise);
    vip_model_free(model);
}

static void
test_memory_that_fails_anywhere_gives_no_members_and_no_leak(void **state)
{
    (void)state;
    vip_model *model = convolutions_only();
    vip_tensors noise = NULL, drawn = NULL;
    long n = 0;
    for (; noise == NULL; n++) {
        failing_after(n);
        noise = vip_draw_noise(model, SEED, 0);
        failing_after(-1);
    }
    assert_true(n > 10);
    for (n = 0; drawn == NULL; n++) {
        failing_after(n);
        drawn = vip_draw_weights(model, SEED, 0);
        failing_after(-1);
    }
    assert_true(n > 10);
    vip_weights *weights = vip_weights_new(model, model->values, noise);
    vip_signs *signs = NULL;
    for (n = 0; signs == NULL; n++) {
        failing_after(n);
        signs = vip_draw_signs(model, weights, noise, SEED, 2);
        failing_after(-1);
    }
    assert_true(n > 10);
    vip_signs_free(signs);
    vip_weights_free(weights);
    vip_tensors_free(noise);
    vip_tensors_free(drawn);
    vip_tensors_free(NULL);
    vip_model_free(model);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_softplus_is_exact_for_any_size),
        cmocka_unit_test(test_noise_is_sigma_times_the_keyed_numbers_of_the_tensor),
        cmocka_unit_test(test_signs_are_keyed_by_the_same_numbers_as_the_noise),
        cmocka_unit_test(test_a_flipout_member_is_one_explicit_set_of_weights),
        cmocka_unit_test(test_members_are_the_first_of_more),
        cmocka_unit_test(test_memory_that_fails_anywhere_gives_no_members_and_no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
