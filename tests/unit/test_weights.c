/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_weights.c -- holds the packed form of a network's numbers to what the kernels read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <base/half.h>
#include <kernels/conv.h>

#include "failing.h"
#include "listener.h"

static const float *
values_of(const vip_model *model, float *const *arrays, const char *base, const char *leaf)
{
    char name[VIP_NAME_SIZE + 20];
    (void)snprintf(name, sizeof name, "%s.%s", base, leaf);
    const int i = vip_model_tensor(model, name);
    assert_true(i >= 0);
    return arrays[i];
}

/* Scale and shift that a batch norm puts on channel c. */
static void
norm(const vip_model *model, const char *bn, uint32_t c, double *scale, double *shift)
{
    float *const *v = model->values;
    *scale = (double)values_of(model, v, bn, "weight")[c] /
             sqrt((double)values_of(model, v, bn, "running_var")[c] + (double)VIP_BN_EPSILON);
    *shift = (double)values_of(model, v, bn, "bias")[c] - (double)values_of(model, v, bn, "running_mean")[c] * *scale;
}

/* Where the weight from input i to output o at kernel position k stands; vectors: 2 for pairs. */
static size_t
place(const vip_step *step, const vip_layer *layer, uint32_t o, uint32_t i, uint32_t k, size_t vectors)
{
    const uint32_t positions = step->in == 1 ? 1 : (uint32_t)step->kernel * step->kernel;
    const uint32_t row = step->in == 1 ? k : i % VIP_BLOCK, position = step->in == 1 ? 0 : k;
    return o / VIP_BLOCK * layer->w_block +
           (((size_t)(i / VIP_BLOCK) * positions + position) * VIP_BLOCK + row) * vectors * VIP_BLOCK + o % VIP_BLOCK;
}

static void
assert_close(float got, double want)
{
    assert_true(fabs((double)got - want) <= 1e-7 * fmax(1, fabs(want)));
}

/* Every weight stands where the kernels read it, with the batch norm behind it folded in; all other places are zero. */
static void
check_step(const vip_model *model, const vip_weights *weights, int index, float *const *noise)
{
    const vip_step *step = &model->network.steps[index];
    const vip_layer *layer = &weights->layers[index];
    const float *value = values_of(model, model->values, step->conv, "weight");
    const float *dw = noise == NULL ? NULL : values_of(model, noise, step->conv, "weight");
    const uint32_t positions = (uint32_t)step->kernel * step->kernel;
    const size_t vectors = noise == NULL ? 1 : 2, n = layer->out_blocks * layer->w_block;
    double all = 0, placed = 0;
    for (uint32_t o = 0; o < step->out; o++) {
        double scale, shift;
        norm(model, step->bn, o, &scale, &shift);
        assert_close(layer->bias[o], shift);
        for (uint32_t i = 0; i < step->in; i++) {
            for (uint32_t k = 0; k < positions; k++) {
                const size_t from = ((size_t)o * step->in + i) * positions + k;
                const float *at = layer->w + place(step, layer, o, i, k, vectors);
                const double d = dw == NULL ? 0 : (double)dw[from];
                assert_close(at[0], ((double)value[from] + d) * scale);
                placed += fabs((double)at[0]);
                if (vectors == 2) {
                    assert_close(at[VIP_BLOCK], ((double)value[from] - d) * scale);
                    placed += fabs((double)at[VIP_BLOCK]);
                }
            }
        }
    }
    for (size_t k = 0; k < n; k++) {
        all += fabs((double)layer->w[k]);
    }
    assert_true(fabs(all - placed) <= 1e-9 * all);
    for (size_t o = step->out; o < (size_t)layer->out_blocks * VIP_BLOCK; o++) {
        assert_true(layer->bias[o] == 0);
    }
}

/* A layer that is large and whose values are halves is kept so, with the batch norm's scale beside it; one value that is
 * no half, noise, or a small layer, and it is kept as floats. */
static void
test_large_layers_of_halves_are_kept_exactly_and_others_as_floats(void **state)
{
    (void)state;
    vip_model *model = vip_model_new(VIP_RESNET22, 8, 4, VIP_SAME); /* conv_block_after1.conv2: 256 -> 256 */
    assert_non_null(model);
    const int last = model->network.n_steps - 1;
    const vip_step *step = &model->network.steps[last];
    float *value = model->values[vip_model_tensor(model, "conv_block_after1.conv2.weight")];
    float *variance = model->values[vip_model_tensor(model, "conv_block_after1.bn2.running_var")];
    float *weight = model->values[vip_model_tensor(model, "conv_block_after1.bn2.weight")];
    const size_t n = (size_t)step->in * step->out * 9;
    for (size_t i = 0; i < n; i++) {
        value[i] = (float)((int)(i % 2001) - 1000) / 1024;
    }
    for (uint32_t c = 0; c < step->out; c++) {
        variance[c] = 0.5f;
        weight[c] = 1 + (float)c / 100;
    }
    vip_weights *weights = vip_weights_new(model, model->values, NULL);
    assert_non_null(weights);
    const vip_layer *layer = &weights->layers[last];
    assert_null(layer->w);
    for (uint32_t o = 0; o < step->out; o++) {
        assert_close(layer->scale[o], (double)weight[o] / sqrt(0.5 + (double)VIP_BN_EPSILON));
        for (uint32_t i = 0; i < step->in; i++) {
            for (uint32_t k = 0; k < 9; k++) {
                assert_true(vip_half_to_float(layer->half[place(step, layer, o, i, k, 1)]) ==
                            value[((size_t)o * step->in + i) * 9 + k]);
            }
        }
    }
    assert_null(weights->layers[0].half);
    assert_null(weights->layers[0].scale);
    vip_weights_free(weights);
    value[n - 1] = 1.0f / 3;
    weights = vip_weights_new(model, model->values, NULL);
    assert_non_null(weights);
    assert_null(weights->layers[last].half);
    assert_non_null(weights->layers[last].w);
    vip_weights_free(weights);
    vip_model_free(model);
}

static void
test_weights_stand_where_kernels_read_them_with_batch_norm_inside(void **state)
{
    (void)state;
    for (int arch = 0; arch < VIP_N_ARCHS; arch++) {
        vip_model *model = tiny_model((vip_arch)arch, VIP_SAME, VIPANN_DETERMINISTIC);
        vip_weights *weights = vip_weights_new(model, model->values, NULL);
        assert_non_null(weights);
        assert_false(weights->flipout);
        assert_int_equal(weights->n_layers, model->network.n_steps + 2);
        for (int i = 0; i < model->network.n_steps; i++) {
            check_step(model, weights, i, NULL);
        }
        for (uint32_t bin = 0; bin < VIP_MELS; bin++) {
            double scale, shift;
            norm(model, "bn0", bin, &scale, &shift);
            assert_close(weights->bn0_scale[bin], scale);
            assert_close(weights->bn0_shift[bin], shift);
        }
        vip_weights_free(weights);
        vip_model_free(model);
    }
}

static void
test_pairs_hold_sum_and_difference_of_mean_and_noise(void **state)
{
    (void)state;
    vip_model *model = tiny_model(VIP_RESNET22, VIP_SAME, VIPANN_MEANFIELD);
    vip_tensors noise = vip_draw_noise(model, 3, 0);
    vip_weights *weights = vip_weights_new(model, model->values, noise);
    assert_non_null(weights);
    assert_true(weights->flipout);
    for (int i = 0; i < model->network.n_steps; i++) {
        check_step(model, weights, i, noise);
    }
    vip_weights_free(weights);
    vip_tensors_free(noise);
    vip_model_free(model);
}

static void
test_dense_layers_are_convolutions_of_one_pixel(void **state)
{
    (void)state;
    vip_model *model = tiny_model(VIP_RESNET22, VIP_SAME, VIPANN_DETERMINISTIC);
    vip_weights *weights = vip_weights_new(model, model->values, NULL);
    assert_non_null(weights);
    static const char *const names[] = {"fc1", "fc_audioset"};
    const uint32_t in = model->network.features, outs[] = {in, model->network.classes};
    for (int d = 0; d < 2; d++) {
        const vip_layer *layer = &weights->layers[model->network.n_steps + d];
        const vip_step step = {.in = in, .out = outs[d], .kernel = 1};
        for (uint32_t o = 0; o < outs[d]; o++) {
            assert_true(layer->bias[o] == values_of(model, model->values, names[d], "bias")[o]);
            for (uint32_t i = 0; i < in; i++) {
                assert_true(layer->w[place(&step, layer, o, i, 0, 1)] ==
                            values_of(model, model->values, names[d], "weight")[o * in + i]);
            }
        }
    }
    vip_weights_free(weights);
    vip_model_free(model);
}

static void
test_memory_that_fails_anywhere_gives_no_weights_and_no_leak(void **state)
{
    (void)state;
    vip_model *model = tiny_model(VIP_RESNET22, VIP_SAME, VIPANN_MEANFIELD);
    vip_tensors noise = vip_draw_noise(model, 3, 0);
    vip_weights *weights = NULL;
    long n = 0;
    for (; weights == NULL; n++) {
        failing_after(n);
        weights = vip_weights_new(model, model->values, noise);
        failing_after(-1);
    }
    assert_true(n > 3);
    vip_signs *signs = NULL;
    for (n = 0; signs == NULL; n++) {
        failing_after(n);
        signs = vip_signs_new(weights, 3);
        failing_after(-1);
    }
    assert_true(n > 2 * model->network.n_steps);
    vip_signs_free(signs);
    vip_weights_free(weights);
    vip_signs_free(NULL);
    vip_weights_free(NULL);
    vip_tensors_free(noise);
    vip_model_free(model);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large_layers_of_halves_are_kept_exactly_and_others_as_floats),
        cmocka_unit_test(test_weights_stand_where_kernels_read_them_with_batch_norm_inside),
        cmocka_unit_test(test_pairs_hold_sum_and_difference_of_mean_and_noise),
        cmocka_unit_test(test_dense_layers_are_convolutions_of_one_pixel),
        cmocka_unit_test(test_memory_that_fails_anywhere_gives_no_weights_and_no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
