/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_net.c -- the training network: what the reference's vectors do not show (tests/gradients has those). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <base/memory.h>
#include <base/philox.h>
#include <bayes/keyed.h>
#include <nn/pass.h>
#include <offline_trainer/base/parallel.h>
#include <offline_trainer/grad/bf16.h>
#include <offline_trainer/grad/loss.h>
#include <offline_trainer/grad/net.h>
#include <offline_trainer/grad/planes.h>

enum { ROWS = 3, FRAMES = 70, SHORT = 33, CLASSES = 5, SECOND = 3, EMBEDDING = 4, WIDTH = 2 };

static const float RHO = -4; /* so that few ReLUs tip with it */

static const uint32_t DRAWS[ROWS] = {4, 9, 2};

/* Numbers in -1 .. 1, a pure function of their place. */
static void
fill(float *values, size_t n, uint32_t which, float scale)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t counter[4] = {(uint32_t)i, which, 0, 0};
        uint32_t words[4];
        vip_philox(5, counter, words);
        values[i] = scale * (2 * vip_uniform(words[0]) - 1);
    }
}

typedef struct {
    vip_parameters *parameters;
    vip_net *net;
    float *logmel;
    float *targets[VIP_N_OUTPUTS];
    vip_stripes stripes[2 * ROWS];
    float mix[ROWS];
    vip_batch batch;
} subject;

/* Random weights that are not degenerate: residual branches count, running statistics differ from those of the batch. */
static void
shake(vip_parameters *p)
{
    for (int i = 0; i < p->n_segments; i++) {
        const vip_segment *s = &p->segments[i];
        float *values = p->values + s->offset;
        if (s->kind == VIP_BN_WEIGHT) {
            fill(values, s->count, (uint32_t)i, 0.3f);
            for (size_t e = 0; e < s->count; e++) {
                values[e] += 1;
            }
        } else if (s->kind == VIP_BN_BIAS || s->kind == VIP_LINEAR_BIAS) {
            fill(values, s->count, (uint32_t)i, s->rho ? 0 : 0.2f);
        }
        for (size_t e = 0; s->rho && e < s->count; e++) {
            values[e] = RHO;
        }
    }
}

static subject
make(const vip_net_options *base, bool mean_field, bool further, vip_padding padding)
{
    subject s = {0};
    vip_network network;
    vipann_error error;
    vip_network_fill(&network, VIP_RESNET22, WIDTH, CLASSES, padding);
    const vip_further more = {SECOND, EMBEDDING};
    s.parameters = vip_parameters_new(&network, further ? &more : NULL, mean_field, false);
    assert_non_null(s.parameters);
    vip_parameters_init(s.parameters, 3);
    shake(s.parameters);
    vip_net_options options = *base;
    options.rows = ROWS;
    options.n_lengths = 2;
    options.lengths[0] = FRAMES;
    options.lengths[1] = SHORT;
    options.seed = 11;
    s.net = vip_net_new(s.parameters, &options, &error);
    assert_non_null(s.net);
    const size_t n = (size_t)2 * ROWS * FRAMES * VIP_MELS;
    s.logmel = vip_alloc(n, sizeof *s.logmel);
    fill(s.logmel, n, 1000, 20);
    const size_t sizes[] = {CLASSES, SECOND, EMBEDDING};
    for (int o = 0; o < VIP_N_OUTPUTS; o++) {
        s.targets[o] = vip_alloc(ROWS * sizes[o], sizeof(float));
        for (size_t i = 0; i < ROWS * sizes[o]; i++) {
            s.targets[o][i] = i % sizes[o] == i / sizes[o] % sizes[o];
        }
    }
    s.batch = (vip_batch){.frames = FRAMES, .logmel = s.logmel, .draws = DRAWS, .eps_draw = 6, .momentum = 0};
    return s;
}

static void
subject_free(subject *s)
{
    vip_net_free(s->net);
    vip_parameters_free(s->parameters);
    vip_free(s->logmel);
    for (int o = 0; o < VIP_N_OUTPUTS; o++) {
        vip_free(s->targets[o]);
    }
}

/* Forward and losses of all outputs that are there; gradients of the outputs are filled. */
static double
loss(subject *s)
{
    vip_net_forward(s->net, &s->batch, true);
    double sum = vip_loss_binary(vip_net_output(s->net, VIP_OUTPUT_LOGITS), s->targets[0], NULL, ROWS, CLASSES, 1,
                                 vip_net_output_gradient(s->net, VIP_OUTPUT_LOGITS));
    if (s->parameters->further.second != 0) {
        sum += vip_loss_softmax(vip_net_output(s->net, VIP_OUTPUT_SECOND), s->targets[1], NULL, ROWS, SECOND, 0.5,
                                vip_net_output_gradient(s->net, VIP_OUTPUT_SECOND));
        sum += vip_loss_square(vip_net_output(s->net, VIP_OUTPUT_EMBEDDING), s->targets[2], NULL, ROWS, EMBEDDING, 0.3,
                               vip_net_output_gradient(s->net, VIP_OUTPUT_EMBEDDING));
    }
    return sum;
}

/* The slope along a random direction in each segment, by central differences, against the gradient. */
static void
check_slopes(subject *s)
{
    (void)loss(s);
    vip_net_backward(s->net);
    vip_parameters *p = s->parameters;
    float *gradients = vip_alloc(p->n_trainable, sizeof *gradients),
          *direction = vip_alloc(p->n_trainable, sizeof *direction);
    memcpy(gradients, p->gradients, p->n_trainable * sizeof *gradients);
    double all = 0;
    for (size_t i = 0; i < p->n_trainable; i++) {
        all = fmax(all, fabs((double)gradients[i]));
    }
    for (int i = 0; i < p->n_segments && p->segments[i].offset < p->n_trainable; i++) {
        const vip_segment *segment = &p->segments[i];
        float *values = p->values + segment->offset;
        const float *g = gradients + segment->offset;
        double slope = 0, length = 0;
        for (size_t e = 0; e < segment->count; e++) { /* along the gradient itself the slope is its length */
            length += (double)g[e] * (double)g[e];
        }
        length = sqrt(length);
        if (length < 1e-3 * all) {
            continue; /* too flat for single precision */
        }
        const double step = 5e-4 / fmax(1, length);
        memcpy(direction, values, segment->count * sizeof *values);
        double at[2];
        for (int side = 0; side < 2; side++) {
            for (size_t e = 0; e < segment->count; e++) {
                values[e] = direction[e] + (float)((side == 0 ? -step : step) * (double)g[e] / length);
            }
            at[side] = loss(s);
        }
        memcpy(values, direction, segment->count * sizeof *values);
        slope = (at[1] - at[0]) / (2 * step);
        if (!(fabs(slope - length) <= 0.05 * length + 2e-3)) { /* ReLUs tip and sums are f32: 5 % */
            fail_msg("%s: slope %g, gradient %g", segment->name, slope, length);
        }
    }
    vip_free(gradients);
    vip_free(direction);
}

static void
test_slopes_of_all_outputs_with_mixup_and_stripes(void **state)
{
    (void)state;
    vip_net_options options = {.mixup = true};
    for (int i = 0; i < VIP_MAX_SITES; i++) {
        options.rates[i] = 0.1f;
    }
    subject s = make(&options, false, true, VIP_CAUSAL);
    for (size_t row = 0; row < 2 * (size_t)ROWS; row++) {
        s.stripes[row] = (vip_stripes){{(uint16_t)(5 * row), 40}, {7, (uint16_t)row}, {3, 20}, {(uint8_t)row, 2}};
    }
    s.mix[0] = 0.3f;
    s.mix[1] = 1;
    s.mix[2] = 0.6f;
    s.batch.stripes = s.stripes;
    s.batch.mix = s.mix;
    check_slopes(&s);
    subject_free(&s);
}

static void
test_without_noise_and_with_running_statistics_it_is_the_engines_pass(void **state)
{
    (void)state;
    for (int padding = 0; padding < 2; padding++) {
        const vip_net_options options = {.frozen_statistics = true};
        subject s = make(&options, false, false, (vip_padding)padding);
        vip_net_forward(s.net, &s.batch, false);
        vipann_error error;
        vip_model *model = vip_parameters_model(s.parameters, s.parameters->values, false);
        vip_weights *weights = vip_weights_new(model, model->values, NULL);
        const vip_pass_options how = {.kernels = vip_kernels_choose(&error), .max_members = 1, .max_frames = FRAMES};
        vip_pass *pass = vip_pass_new(&model->network, weights, &how);
        for (size_t row = 0; row < ROWS; row++) {
            float z[CLASSES];
            vip_pass_reset(pass, 0);
            vip_pass_set_members(pass, 1);
            vip_pass_push(pass, s.logmel + row * FRAMES * VIP_MELS, FRAMES);
            vip_pass_finish(pass, true);
            vip_pass_answer(pass, vip_pass_columns(pass), 0, 1, z);
            for (size_t c = 0; c < CLASSES; c++) {
                const double want = (double)z[c],
                             got = (double)vip_net_output(s.net, VIP_OUTPUT_LOGITS)[row * CLASSES + c];
                assert_true(fabs(got - want) <= 1e-4 * fmax(1, fabs(want)));
            }
        }
        vip_pass_free(pass);
        vip_weights_free(weights);
        vip_model_free(model);
        subject_free(&s);
    }
}

static void
test_threads_do_not_change_the_gradients_beyond_rounding(void **state)
{
    (void)state;
    const vip_net_options options = {.mixup = false};
    subject s = make(&options, true, true, VIP_SAME);
    const size_t n = s.parameters->n_trainable;
    float *one = vip_alloc(n, sizeof *one), *again = vip_alloc(n, sizeof *again);
    vip_parallel_threads(1);
    const double alone = loss(&s);
    vip_net_backward(s.net);
    memcpy(one, s.parameters->gradients, n * sizeof *one);
    vip_parallel_threads(2);
    const double two = loss(&s);
    vip_net_backward(s.net);
    memcpy(again, s.parameters->gradients, n * sizeof *again);
    assert_true(fabs(alone - two) <= 1e-6 * fabs(alone));
    double largest = 0, difference = 0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)one[i]));
        difference = fmax(difference, fabs((double)one[i] - (double)again[i]));
    }
    assert_true(difference <= 1e-4 * largest);
    const double repeated = loss(&s); /* the same threads: the same bits */
    vip_net_backward(s.net);
    assert_memory_equal(&repeated, &two, sizeof two);
    assert_memory_equal(again, s.parameters->gradients, n * sizeof *again);
    vip_parallel_threads(0);
    vip_free(one);
    vip_free(again);
    subject_free(&s);
}

static void
test_lengths_change_from_batch_to_batch_without_a_trace(void **state)
{
    (void)state;
    const vip_net_options options = {.mixup = false};
    subject s = make(&options, false, false, VIP_SAME);
    const double first = loss(&s);
    s.batch.frames = SHORT;
    const double other = loss(&s);
    vip_net_backward(s.net);
    s.batch.frames = FRAMES;
    const double again = loss(&s);
    assert_memory_equal(&first, &again, sizeof first);
    assert_true(other != first);
    subject_free(&s);
}

static void
test_a_frozen_trunk_has_no_gradient(void **state)
{
    (void)state;
    const vip_net_options options = {.frozen_trunk = true, .frozen_statistics = true};
    subject s = make(&options, false, false, VIP_SAME);
    (void)loss(&s);
    for (size_t i = 0; i < s.parameters->n_trainable; i++) {
        s.parameters->gradients[i] = NAN;
    }
    vip_net_backward(s.net);
    bool head = false;
    for (int i = 0; i < s.parameters->n_segments; i++) {
        const vip_segment *segment = &s.parameters->segments[i];
        for (size_t e = 0; segment->offset < s.parameters->n_trainable && e < segment->count; e++) {
            const float g = s.parameters->gradients[segment->offset + e];
            assert_true(segment->layer >= -1 ? g == 0 : isfinite(g) != 0);
            head = head || g != 0;
        }
    }
    assert_true(head);
    subject_free(&s);
}

/* Moments of the logits over many draws of noise and signs, against as many explicit draws of the weights. */
static void
test_channel_flipout_has_the_mean_and_spread_of_explicit_weights(void **state)
{
    (void)state;
    const vip_net_options options = {.frozen_statistics = true};
    subject s = make(&options, true, false, VIP_SAME), plain = make(&options, false, false, VIP_SAME);
    enum { DRAWN = 300 };
    double moments[2][2][CLASSES] = {{{0}}};
    uint32_t draws[ROWS];
    for (uint32_t k = 0; k < DRAWN; k++) {
        for (uint32_t row = 0; row < ROWS; row++) {
            draws[row] = k * ROWS + row;
        }
        s.batch.draws = draws;
        s.batch.eps_draw = k;
        vip_net_forward(s.net, &s.batch, true);
        for (int i = 0; i < plain.parameters->n_segments; i++) { /* W = mu + sigma eps, drawn elsewhere */
            const vip_segment *to = &plain.parameters->segments[i];
            char name[VIP_SEGMENT_NAME + 8];
            (void)snprintf(name, sizeof name, "%s.mu", to->name);
            const vip_segment *mu = vip_parameters_find(s.parameters, name);
            if (mu == NULL) { /* batch norm */
                const vip_segment *same = vip_parameters_find(s.parameters, to->name);
                memcpy(plain.parameters->values + to->offset, s.parameters->values + same->offset,
                       to->count * sizeof(float));
                continue;
            }
            float *values = plain.parameters->values + to->offset;
            vip_keyed_eps(77, (uint32_t)mu->keyed, k, values, to->count);
            for (size_t e = 0; e < to->count; e++) {
                values[e] = s.parameters->values[mu->offset + e] + log1pf(expf(RHO)) * values[e];
            }
        }
        vip_net_forward(plain.net, &plain.batch, true);
        for (int which = 0; which < 2; which++) {
            const float *z = vip_net_output(which == 0 ? s.net : plain.net, VIP_OUTPUT_LOGITS);
            for (size_t c = 0; c < CLASSES; c++) {
                moments[which][0][c] += (double)z[c] / DRAWN;
                moments[which][1][c] += (double)z[c] * (double)z[c] / DRAWN;
            }
        }
    }
    for (size_t c = 0; c < CLASSES; c++) {
        double variance[2];
        for (int which = 0; which < 2; which++) {
            variance[which] = moments[which][1][c] - moments[which][0][c] * moments[which][0][c];
        }
        const double error = sqrt((variance[0] + variance[1]) / DRAWN);
        assert_true(fabs(moments[0][0][c] - moments[1][0][c]) <= 4.5 * error);
        assert_true(variance[0] > 0 && fabs(log(variance[0] / variance[1])) <=
                                           4.5 * sqrt(2 * 3.0 / DRAWN)); /* heavy tails: 3 times the normal's */
    }
    subject_free(&s);
    subject_free(&plain);
}

static void
test_bf16_is_the_nearest_of_eight_bits(void **state)
{
    (void)state;
    const float step = 1.0f / 128; /* behind 1 */
    assert_true(vip_bf16(1) == 1 && vip_bf16(-2.5f) == -2.5f && vip_bf16(0) == 0);
    assert_true(vip_bf16(1 + step / 2) == 1 && vip_bf16(1 + 3 * step / 2) == 1 + 2 * step); /* ties go to even */
    assert_true(vip_bf16(-1 - 0.51f * step) == -1 - step && vip_bf16(1 + 0.49f * step) == 1);
    assert_true(vip_bf16(3.4e38f) == INFINITY && vip_bf16(-INFINITY) == -INFINITY && isnan(vip_bf16(NAN)) != 0);
}

static size_t
count_unrounded(const float *values, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += vip_bf16(values[i]) != values[i];
    }
    return count;
}

static void
test_in_bf16_planes_are_rounded_as_numbers_are(void **state)
{
    (void)state;
    enum { COLUMNS = 6, BINS = 4, N = 2 * COLUMNS * BINS * VIP_LANES };
    const vip_plane f32 = {2, COLUMNS, BINS, true, false, false}, pooled = {2, COLUMNS, BINS, true, true, false};
    float *y = vip_alloc(N, sizeof(float)), *g = vip_alloc(N, sizeof(float)), *out[2];
    _Alignas(64) float channels[5][2 * VIP_LANES];
    for (uint32_t i = 0; i < 5; i++) {
        fill(channels[i], 2 * VIP_LANES, 10 + i, 1);
    }
    for (int kind = 0; kind < 3; kind++) {
        for (int i = 0; i < 2; i++) { /* f32, bf16 */
            vip_plane plane = kind == 1 ? pooled : f32;
            plane.bf16 = i == 1;
            out[i] = vip_alloc(N, sizeof(float));
            fill(y, N, 1, 3);
            fill(g, N, 2, 3);
            if (kind < 2) {
                vip_plane_forward(&plane, y, channels[0], channels[1], g, NULL, 1, out[i]);
            } else {
                vip_plane_apply(&plane, g, channels[0], channels[1], channels[2], channels[3], y);
                memcpy(out[i], y, N * sizeof *y);
            }
        }
        const size_t n = kind == 1 ? N / 4 : N;
        assert_true(count_unrounded(out[0], n) > n / 3 && count_unrounded(out[1], n) == 0);
        for (size_t i = 0; i < n; i++) {
            assert_true(out[1][i] == vip_bf16(out[0][i]));
        }
        vip_free(out[0]);
        vip_free(out[1]);
    }
    vip_free(y);
    vip_free(g);
}

/* A convolution in bf16 is that of rounded weights, whose own numbers it leaves alone. */
static void
test_in_bf16_convolutions_read_rounded_weights(void **state)
{
    (void)state;
    enum { CHANNELS = 16, N = CHANNELS * 5 * 4, WEIGHTS = CHANNELS * CHANNELS * 9 };
    vipann_error error;
    vip_dnn *dnn = vip_dnn_new(&error);
    float weights[WEIGHTS], nearest[WEIGHTS], before[WEIGHTS];
    fill(weights, WEIGHTS, 3, 1);
    memcpy(before, weights, sizeof before);
    for (size_t i = 0; i < WEIGHTS; i++) {
        nearest[i] = vip_bf16(weights[i]);
    }
    float *x = vip_alloc(N, sizeof(float)), *y[2], *dx[2];
    fill(x, N, 4, 1);
    for (int i = 0; i < 2; i++) {
        const vip_dnn_shape shape = {1, CHANNELS, CHANNELS, 3, 5, 4, 1, 1, i == 1};
        vip_dnn_conv *conv = vip_dnn_conv_new(dnn, &shape, &error);
        float *packed = vip_alloc(vip_dnn_packed(conv), sizeof(float));
        float *scratch = vip_alloc(vip_dnn_scratch(conv), sizeof(float));
        y[i] = vip_alloc(N, sizeof(float));
        dx[i] = vip_alloc(N, sizeof(float));
        const float *from = i == 1 ? weights : nearest;
        assert_true(vip_dnn_pack_forward(conv, from, packed, scratch));
        assert_true(vip_dnn_forward(conv, x, packed, y[i], scratch));
        assert_true(vip_dnn_pack_backward(conv, from, packed, scratch));
        assert_true(vip_dnn_backward_data(conv, x, packed, dx[i], scratch));
        vip_free(packed);
        vip_free(scratch);
        vip_dnn_conv_free(conv);
    }
    assert_memory_equal(y[0], y[1], N * sizeof(float));
    assert_memory_equal(dx[0], dx[1], N * sizeof(float));
    assert_memory_equal(weights, before, sizeof before);
    for (int i = 0; i < 2; i++) {
        vip_free(y[i]);
        vip_free(dx[i]);
    }
    vip_free(x);
    vip_dnn_free(dnn);
}

/* One minus the cosine of two arrays. */
static double
apart(const float *a, const float *b, size_t n)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return 1 - ab / sqrt(aa * bb);
}

/* Eight significant bits bend gradients a little; what they do to each layer the other tests show exactly. Statistics are
 * frozen: those of three short rows of two channels would make much of little. */
static void
test_in_bf16_gradients_are_near_and_parameters_as_they_were(void **state)
{
    (void)state;
    for (int mean_field = 0; mean_field < 2; mean_field++) {
        vip_net_options options = {.frozen_statistics = true};
        subject exact = make(&options, mean_field == 1, false, VIP_CAUSAL);
        options.precision = VIP_PRECISION_BF16;
        subject s = make(&options, mean_field == 1, false, VIP_CAUSAL);
        for (int i = 0; i < 2; i++) {
            subject *of = i == 0 ? &exact : &s;
            vip_net_forward(of->net, &of->batch, true);
            fill(vip_net_output_gradient(of->net, VIP_OUTPUT_LOGITS), (size_t)ROWS * CLASSES, 8, 1);
            vip_net_backward(of->net);
        }
        const size_t n = s.parameters->n_trainable;
        const double gap = apart(exact.parameters->gradients, s.parameters->gradients, n);
        assert_true(gap > 1e-7 && gap < 0.01);
        assert_true(count_unrounded(s.parameters->values, n) > n / 2);
        subject_free(&exact);
        subject_free(&s);
    }
}

static void
test_what_cannot_be_is_refused(void **state)
{
    (void)state;
    vip_network network;
    vipann_error error;
    vip_network_fill(&network, VIP_RESNET22, WIDTH, CLASSES, VIP_SAME);
    vip_parameters *p = vip_parameters_new(&network, NULL, false, false);
    vip_net_options options = {.rows = 1, .n_lengths = 1, .lengths = {31}};
    assert_null(vip_net_new(p, &options, &error));
    assert_int_equal(error.status, VIPANN_E_ARG);
    vip_parameters_free(p);
}

static void
test_losses_are_those_of_the_worked_examples(void **state) /* X1, X24 */
{
    (void)state;
    float g[2];
    const float z[] = {1, -2}, y[] = {0.3f, 0.7f};
    assert_true(fabs(vip_loss_binary(z, y, NULL, 1, 2, 1, g) - 1.270095) < 1e-6);
    assert_true(fabs((double)g[0] * 2 - 0.431059) < 1e-6 && fabs((double)g[1] * 2 + 0.580797) < 1e-6);
    const float far[] = {3, -3, 50}, truth[] = {1, 1, 0};
    const double want[] = {0.048587, 3.048587, 50};
    for (size_t i = 0; i < 3; i++) {
        assert_true(fabs(vip_loss_binary(far + i, truth + i, NULL, 1, 1, 1, g) - want[i]) < 1e-6);
    }
}

static void
test_rows_that_do_not_count_have_no_gradient(void **state)
{
    (void)state;
    const float z[] = {1, 2, 3, 4}, y[] = {1, 0, 1, 0}, mask[] = {0, 1}, none[] = {0, 0};
    float g[4], alone[2];
    const double masked = vip_loss_softmax(z, y, mask, 2, 2, 1, g);
    assert_true(masked == vip_loss_softmax(z + 2, y + 2, NULL, 1, 2, 1, alone));
    assert_true(g[0] == 0 && g[1] == 0 && g[2] == alone[0] && g[3] == alone[1]);
    assert_true(vip_loss_binary(z, y, none, 2, 2, 1, g) == 0 && g[3] == 0);
    assert_true(vip_loss_square(z, y, mask, 2, 2, 1, g) == 10 && g[0] == 0 && g[3] == 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_losses_are_those_of_the_worked_examples),
        cmocka_unit_test(test_rows_that_do_not_count_have_no_gradient),
        cmocka_unit_test(test_slopes_of_all_outputs_with_mixup_and_stripes),
        cmocka_unit_test(test_without_noise_and_with_running_statistics_it_is_the_engines_pass),
        cmocka_unit_test(test_threads_do_not_change_the_gradients_beyond_rounding),
        cmocka_unit_test(test_lengths_change_from_batch_to_batch_without_a_trace),
        cmocka_unit_test(test_a_frozen_trunk_has_no_gradient),
        cmocka_unit_test(test_channel_flipout_has_the_mean_and_spread_of_explicit_weights),
        cmocka_unit_test(test_bf16_is_the_nearest_of_eight_bits),
        cmocka_unit_test(test_in_bf16_planes_are_rounded_as_numbers_are),
        cmocka_unit_test(test_in_bf16_convolutions_read_rounded_weights),
        cmocka_unit_test(test_in_bf16_gradients_are_near_and_parameters_as_they_were),
        cmocka_unit_test(test_what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
