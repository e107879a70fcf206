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
#include "tests/data/random_model.h"

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

/* --------------------------------------------------------------------------------------------------------- moments */

enum { DRAWS = 160 };

/* Sums over draws of a weight's distance from its mean, in units of its sigma, and of the squares. */
typedef struct {
    float *sum, *squares;
} sums;

static void
add_draw(const vip_model *model, vip_tensors drawn, sums *s)
{
    size_t at = 0;
    for (int i = 0; i < model->n_tensors; i++) {
        for (size_t e = 0; model->rho[i] != NULL && e < vip_tensor_size(&model->shapes[i]); e++, at++) {
            const double sigma = vip_softplus((double)model->rho[i][e]);
            const float z = (float)(((double)drawn[i][e] - (double)model->values[i][e]) / sigma);
            s->sum[at] += z;
            s->squares[at] += z * z;
        }
    }
    vip_tensors_free(drawn);
}

/* Every weight's mean and variance are within five to six standard errors, which one in millions misses by chance, and
 * over all weights those errors are as large as they should be. */
static void
check_sums(const sums *s, size_t n)
{
    double mean_squared = 0, variance = 0;
    for (size_t i = 0; i < n; i++) {
        const double mean = (double)s->sum[i] / DRAWS, square = (double)s->squares[i] / DRAWS;
        assert_true(fabs(mean) < 5.5 / sqrt(DRAWS));
        assert_true(fabs(square - 1) < 7 * sqrt(2.0 / DRAWS)); /* its distribution leans to the right */
        mean_squared += mean * mean * DRAWS / (double)n;
        variance += square / (double)n;
    }
    assert_true(fabs(mean_squared - 1) < 5 * sqrt(2.0 / (double)n));
    assert_true(fabs(variance - 1) < 5 * sqrt(2.0 / DRAWS / (double)n));
}

/* Explicit: draw k. Flipout: member k of draw k. */
static void
test_each_weight_has_the_mean_and_variance_of_the_posterior(void **state)
{
    (void)state;
    vip_model *model = tiny_model(VIP_RESNET22, VIP_CAUSAL, VIPANN_MEANFIELD);
    size_t n = 0;
    for (int i = 0; i < model->n_tensors; i++) {
        n += model->rho[i] == NULL ? 0 : vip_tensor_size(&model->shapes[i]);
    }
    for (int flipout = 0; flipout < 2; flipout++) {
        sums s = {calloc(n, sizeof(float)), calloc(n, sizeof(float))};
        for (uint32_t k = 0; k < DRAWS; k++) {
            if (flipout) {
                vip_tensors noise = vip_draw_noise(model, SEED, k);
                add_draw(model, explicit_member(model, noise, k), &s);
                vip_tensors_free(noise);
            } else {
                add_draw(model, vip_draw_weights(model, SEED, k), &s);
            }
        }
        check_sums(&s, n);
        free(s.sum);
        free(s.squares);
    }
    vip_model_free(model);
}

enum { SAMPLES = 200, TOGETHER = 8, SHORT = VIP_COLUMN_FRAMES };

/* Logits of SAMPLES members, TOGETHER at a time with weights of each one's own. direct: their weights are not drawn with
 * the keyed numbers but by another way from mu and sigma (Box and Muller 1958). */
static void
sample_explicit(const vip_model *model, bool direct, const float *frames, float *logits)
{
    for (uint32_t first = 0; first < SAMPLES; first += TOGETHER) {
        vip_weights *sets[TOGETHER];
        for (uint32_t m = 0; m < TOGETHER; m++) {
            vip_tensors tensors = vip_draw_weights(model, SEED, first + m);
            for (int i = 0; direct && i < model->n_tensors; i++) {
                for (size_t e = 0; model->rho[i] != NULL && e < vip_tensor_size(&model->shapes[i]); e++) {
                    tensors[i][e] = (float)((double)model->values[i][e] +
                                            vip_softplus((double)model->rho[i][e]) *
                                                vip_random_normal(1000 + first + m, (uint32_t)i, (uint32_t)e));
                }
            }
            sets[m] = vip_weights_new(model, tensors, NULL);
            vip_tensors_free(tensors);
        }
        const vip_pass_options options = {.kernels = vip_kernels_choose(NULL),
                                          .sets = (const vip_weights *const *)sets,
                                          .max_members = TOGETHER,
                                          .max_frames = SHORT};
        vip_pass *pass = vip_pass_new(&model->network, NULL, &options);
        vip_pass_push(pass, frames, SHORT);
        vip_pass_finish(pass, true);
        vip_pass_answer(pass, 1, 0, TOGETHER, logits + (size_t)first * TINY_CLASSES);
        vip_pass_free(pass);
        for (uint32_t m = 0; m < TOGETHER; m++) {
            vip_weights_free(sets[m]);
        }
    }
}

/* One member each of SAMPLES draws of Flipout. */
static void
sample_flipout(const vip_model *model, const float *frames, float *logits)
{
    for (uint32_t k = 0; k < SAMPLES; k++) {
        vip_tensors noise = vip_draw_noise(model, SEED + k, 0);
        vip_weights *weights = vip_weights_new(model, model->values, noise);
        vip_signs *signs = vip_draw_signs(model, weights, noise, SEED + k, 1);
        const vip_pass_options options = {
            .kernels = vip_kernels_choose(NULL), .signs = signs, .max_members = 1, .max_frames = SHORT};
        vip_pass *pass = vip_pass_new(&model->network, weights, &options);
        vip_pass_push(pass, frames, SHORT);
        vip_pass_finish(pass, true);
        vip_pass_answer(pass, 1, 0, 1, logits + (size_t)k * TINY_CLASSES);
        vip_pass_free(pass);
        vip_signs_free(signs);
        vip_weights_free(weights);
        vip_tensors_free(noise);
    }
}

/* Mean, variance and the standard error of either of one class. */
typedef struct {
    double mean, variance, mean_error, variance_error;
} moments;

static moments
moments_of(const float *logits, uint32_t class_index)
{
    moments m = {0, 0, 0, 0};
    double fourth = 0;
    for (size_t k = 0; k < SAMPLES; k++) {
        m.mean += (double)logits[k * TINY_CLASSES + class_index] / SAMPLES;
    }
    for (size_t k = 0; k < SAMPLES; k++) {
        const double d = (double)logits[k * TINY_CLASSES + class_index] - m.mean;
        m.variance += d * d / (SAMPLES - 1);
        fourth += d * d * d * d / SAMPLES;
    }
    m.mean_error = sqrt(m.variance / SAMPLES);
    m.variance_error = sqrt((fourth - m.variance * m.variance) / SAMPLES);
    return m;
}

/* Whether explicit, whether Flipout: members' logits are distributed like those of weights drawn from the posterior. */
static void
test_logits_have_the_mean_and_variance_of_the_posterior(void **state)
{
    (void)state;
    vip_model *model = tiny_model(VIP_RESNET22, VIP_SAME, VIPANN_MEANFIELD);
    float *frames = random_frames(6, SHORT), *logits[3];
    for (size_t i = 0; i < LENGTH(logits); i++) {
        logits[i] = calloc(SAMPLES * TINY_CLASSES, sizeof(float));
    }
    sample_explicit(model, true, frames, logits[0]);
    sample_explicit(model, false, frames, logits[1]);
    sample_flipout(model, frames, logits[2]);
    for (uint32_t c = 0; c < TINY_CLASSES; c++) {
        const moments want = moments_of(logits[0], c);
        assert_true(want.variance > 1e-4);
        for (size_t i = 1; i < LENGTH(logits); i++) {
            const moments got = moments_of(logits[i], c);
            print_message("# class %u: mean %.4f and %.4f, variance %.4f and %.4f\n", (unsigned)c, want.mean, got.mean,
                          want.variance, got.variance);
            assert_true(fabs(got.mean - want.mean) < 4.5 * hypot(got.mean_error, want.mean_error));
            assert_true(fabs(got.variance - want.variance) < 4.5 * hypot(got.variance_error, want.variance_error));
        }
    }
    for (size_t i = 0; i < LENGTH(logits); i++) {
        free(logits[i]);
    }
    free(frames);
    vip_model_free(model);
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
        cmocka_unit_test(test_each_weight_has_the_mean_and_variance_of_the_posterior),
        cmocka_unit_test(test_logits_have_the_mean_and_variance_of_the_posterior),
        cmocka_unit_test(test_members_are_the_first_of_more),
        cmocka_unit_test(test_memory_that_fails_anywhere_gives_no_members_and_no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
