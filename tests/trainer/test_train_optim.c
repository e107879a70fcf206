/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_optim.c -- steps, the norm, the average and schedules against closed forms. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <base/memory.h>
#include <offline_trainer/base/parallel.h>
#include <offline_trainer/optim/optim.h>
#include <offline_trainer/optim/schedule.h>

static const double RATE = 0.01;

/* Single precision, summed over some steps. */
static const double TOLERANCE = 2e-6;

static void
assert_near(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance)) {
        fail_msg("found %.9g, expected %.9g +- %.2g", found, expected, tolerance);
    }
}

/* Three numbers, the second without decay, the third frozen. */
static const vip_stretch STRETCHES[] = {{0, 1, 1, 1}, {1, 1, 1, 0}, {2, 1, 0, 1}};

static vip_optimiser *
make(const vip_optimiser_options *options)
{
    vip_optimiser *o = vip_optimiser_new(options, STRETCHES, 3, 3);
    assert_non_null(o);
    return o;
}

/* ---------------------------------------------------------------------------------------------------------- the steps */

/* With a constant gradient g, v_t = g (1 - m^t) / (1 - m), and a step is rate (g + m v_t). */
static void
test_sgd_with_a_constant_gradient_is_a_geometric_sum(void **state)
{
    (void)state;
    const vip_optimiser_options options = vip_optimiser_defaults(VIP_SGD);
    vip_optimiser *o = make(&options);
    const float g[3] = {0.5f, -2, 1};
    float w[3] = {1, 1, 1};
    double expected[2] = {1, 1};
    for (int t = 1; t <= 20; t++) {
        vip_optimiser_step(o, RATE, 1, g, w);
        for (int i = 0; i < 2; i++) {
            const double v = (double)g[i] * (1 - pow(0.9, t)) / (1 - 0.9);
            expected[i] -= RATE * ((double)g[i] + 0.9 * v);
            assert_near((double)w[i], expected[i], TOLERANCE);
        }
    }
    assert_true(w[2] == 1);
    assert_int_equal(vip_optimiser_steps(o), 20);
    vip_optimiser_free(o);
}

/* Both corrected moments of a constant gradient are g and g^2 from the first step on, so each step is the rate. */
static void
test_adam_with_a_constant_gradient_walks_at_the_rate(void **state)
{
    (void)state;
    static const vip_optimiser_kind kinds[] = {VIP_ADAM, VIP_AMSGRAD, VIP_ADAMW};
    for (size_t k = 0; k < 3; k++) {
        const vip_optimiser_options options = vip_optimiser_defaults(kinds[k]);
        vip_optimiser *o = make(&options);
        const float g[3] = {0.003f, -70, 1};
        float w[3] = {1, 1, 1};
        for (int t = 1; t <= 50; t++) {
            vip_optimiser_step(o, RATE, 1, g, w);
            assert_near((double)w[0], 1 - RATE * t, 1e-5);
            assert_near((double)w[1], 1 + RATE * t, 1e-5);
        }
        assert_true(w[2] == 1);
        vip_optimiser_free(o);
    }
}

/* One gradient G, then none: m_t = b1^(t-1) (1 - b1) G, v_t = b2^(t-1) (1 - b2) G^2, of which AMSGrad keeps the first. */
static void
test_amsgrad_divides_by_the_largest_second_moment_and_adam_by_the_newest(void **state)
{
    (void)state;
    for (int largest = 0; largest < 2; largest++) {
        const vip_optimiser_options options = vip_optimiser_defaults(largest != 0 ? VIP_AMSGRAD : VIP_ADAM);
        vip_optimiser *o = make(&options);
        const double G = 3;
        float w[3] = {0, 0, 0};
        double expected = 0;
        for (int t = 1; t <= 30; t++) {
            const float g[3] = {t == 1 ? (float)G : 0, 0, 0};
            vip_optimiser_step(o, RATE, 1, g, w);
            const double m = pow(0.9, t - 1) * 0.1 * G / (1 - pow(0.9, t));
            const double v = (largest != 0 ? 1 : pow(0.999, t - 1)) * 0.001 * G * G / (1 - pow(0.999, t));
            expected -= RATE * m / (sqrt(v) + 1e-8);
            assert_near((double)w[0], expected, TOLERANCE);
        }
        vip_optimiser_free(o);
    }
}

/* Without gradients AdamW's weights shrink by 1 - rate decay a step; the others see decay times w as their gradient. */
static void
test_decay_shrinks_weights_alone_and_is_no_gradient_in_adamw(void **state)
{
    (void)state;
    const float none[3] = {0, 0, 0};
    vip_optimiser_options options = vip_optimiser_defaults(VIP_ADAMW);
    options.decay = 0.5;
    vip_optimiser *o = make(&options);
    float w[3] = {2, 2, 2};
    for (int t = 1; t <= 40; t++) {
        vip_optimiser_step(o, RATE, 1, none, w);
        assert_near((double)w[0], 2 * pow(1 - RATE * 0.5, t), TOLERANCE);
    }
    assert_true(w[1] == 2 && w[2] == 2);
    vip_optimiser_free(o);

    options = vip_optimiser_defaults(VIP_SGD);
    options.decay = 0.5;
    options.momentum = 0;
    o = make(&options);
    w[0] = 2;
    for (int t = 1; t <= 40; t++) {
        vip_optimiser_step(o, RATE, 1, none, w);
        assert_near((double)w[0], 2 * pow(1 - RATE * 0.5, t), TOLERANCE);
    }
    assert_true(w[1] == 2 && w[2] == 2);
    vip_optimiser_free(o);
}

static void
test_a_step_with_a_scale_is_one_with_scaled_gradients(void **state)
{
    (void)state;
    for (int kind = 0; kind < VIP_N_OPTIMISERS; kind++) {
        const vip_optimiser_options options = vip_optimiser_defaults((vip_optimiser_kind)kind);
        vip_optimiser *a = make(&options), *b = make(&options);
        const float g[3] = {3, -4, 12}, half[3] = {1.5f, -2, 6};
        float w[3] = {1, 1, 1}, v[3] = {1, 1, 1};
        for (int t = 0; t < 5; t++) {
            vip_optimiser_step(a, RATE, 0.5, g, w);
            vip_optimiser_step(b, RATE, 1, half, v);
            assert_memory_equal(w, v, sizeof w);
        }
        vip_optimiser_free(a);
        vip_optimiser_free(b);
    }
}

static void
test_the_norm_is_that_of_what_is_trained(void **state)
{
    (void)state;
    const vip_optimiser_options options = vip_optimiser_defaults(VIP_ADAMW);
    vip_optimiser *o = make(&options);
    const float g[3] = {3, -4, 12};
    assert_near(vip_optimiser_norm(o, g), 5, 1e-12);
    const float broken[3] = {3, NAN, 12}, frozen[3] = {3, -4, NAN};
    assert_false(isfinite(vip_optimiser_norm(o, broken)) != 0);
    assert_near(vip_optimiser_norm(o, frozen), 5, 1e-12);
    vip_optimiser_free(o);
}

/* ------------------------------------------------------------------------------------------------------- many numbers */

enum { MANY = 200003 };

static void
walk(unsigned threads, vip_optimiser_kind kind, float *w, float *average, double *norm)
{
    vip_parallel_threads(threads);
    const vip_stretch whole[] = {{0, 70000, 1, 1}, {70000, MANY - 70000, 1, 0}};
    vip_optimiser_options options = vip_optimiser_defaults(kind);
    options.decay = 0.02;
    vip_optimiser *o = vip_optimiser_new(&options, whole, 2, MANY);
    float *g = vip_alloc(MANY, sizeof *g);
    assert_non_null(o);
    assert_non_null(g);
    for (size_t i = 0; i < MANY; i++) {
        w[i] = (float)sin((double)i);
        average[i] = 0;
    }
    for (int t = 0; t < 3; t++) {
        for (size_t i = 0; i < MANY; i++) {
            g[i] = (float)cos((double)i * (t + 1)) - 0.1f * w[i];
        }
        *norm = vip_optimiser_norm(o, g);
        vip_optimiser_step(o, RATE, 5 / *norm, g, w);
        vip_average(average, w, MANY, vip_average_decay(0.999, (uint64_t)t));
    }
    vip_free(g);
    vip_optimiser_free(o);
    vip_parallel_threads(0);
}

static void
test_any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    float *w[2], *average[2];
    double norm[2];
    for (int kind = 0; kind < VIP_N_OPTIMISERS; kind++) {
        for (size_t i = 0; i < 2; i++) {
            w[i] = vip_alloc(MANY, sizeof *w[i]);
            average[i] = vip_alloc(MANY, sizeof *average[i]);
            assert_true(w[i] != NULL && average[i] != NULL);
            walk(i == 0 ? 1 : 3, (vip_optimiser_kind)kind, w[i], average[i], &norm[i]);
        }
        assert_memory_equal(w[0], w[1], MANY * sizeof *w[0]);
        assert_memory_equal(average[0], average[1], MANY * sizeof *average[0]);
        assert_true(norm[0] == norm[1]);
        for (size_t i = 0; i < 2; i++) {
            vip_free(w[i]);
            vip_free(average[i]);
        }
    }
}

/* decay never reaches batch norm, biases, rho (method 4.2), and a frozen trunk is left alone. */
static void
test_stretches_say_what_decays_and_what_is_trained(void **state)
{
    (void)state;
    vip_network network;
    vip_network_fill(&network, VIP_RESNET22, 2, 5, VIP_SAME);
    const vip_further further = {.second = 3, .embedding = 7};
    vip_parameters *p = vip_parameters_new(&network, &further, true, false);
    vip_stretch *stretches = vip_alloc(VIP_MAX_SEGMENTS, sizeof *stretches);
    assert_true(p != NULL && stretches != NULL);
    for (int frozen = 0; frozen < 2; frozen++) {
        const size_t n = vip_stretches(p, frozen != 0, stretches);
        size_t total = 0, trained = 0, decaying = 0;
        for (size_t i = 0; i < n; i++) {
            const vip_segment *s = &p->segments[i];
            total += stretches[i].count;
            trained += stretches[i].rate > 0;
            decaying += stretches[i].decay > 0;
            assert_int_equal(stretches[i].offset, s->offset);
            assert_true((stretches[i].decay > 0) == (strstr(s->name, "bn") == NULL && strstr(s->name, "bias") == NULL &&
                                                     strstr(s->name, ".rho") == NULL && s->rank > 1));
            const bool head = strncmp(s->name, "fc", 2) == 0 || strncmp(s->name, "second", 6) == 0 ||
                              strncmp(s->name, "embedding", 9) == 0;
            assert_true((stretches[i].rate > 0) == (head || frozen == 0));
        }
        assert_int_equal(total, p->n_trainable);
        assert_int_equal(trained, frozen != 0 ? 2 * 2 * 2 + 4 + 2 : n);
        assert_int_equal(decaying, network.n_steps + 2 + 2 + 1);
    }
    vip_free(stretches);
    vip_parameters_free(p);
}

/* -------------------------------------------------------------------------------------------------------- the average */

/* decay (1 + t) / (10 + t) until that is more than 0.999, at t = 8990. */
static void
test_the_average_forgets_its_start_soon_and_then_keeps_a_thousand_steps(void **state)
{
    (void)state;
    assert_near(vip_average_decay(0.999, 0), 0.1, 1e-15);
    assert_near(vip_average_decay(0.999, 90), 0.91, 1e-15);
    assert_near(vip_average_decay(0.999, 8989), 8990.0 / 8999, 1e-15);
    assert_near(vip_average_decay(0.999, 8991), 0.999, 1e-15);
    float average = 1000;
    const float value = 1;
    double start = 999;
    for (uint64_t t = 0; t < 20; t++) {
        vip_average(&average, &value, 1, vip_average_decay(0.999, t));
        start *= vip_average_decay(0.999, t);
        assert_near((double)average, 1 + start, 1e-4);
    }
    assert_true(fabsf(average - 1) < 1e-3f);
}

/* ---------------------------------------------------------------------------------------------------------- schedules */

static double
rate_of(const vip_schedule *s, uint64_t step)
{
    return vip_schedule_factor(s, vip_schedule_share(s, step, 0));
}

/* Method X12: twelve steps, three cycles, peak 0.1. */
static void
test_the_cyclical_schedule_is_the_worked_example(void **state)
{
    (void)state;
    static const double cycle[] = {.1, .085355, .05, .014645};
    const vip_schedule s = {.kind = VIP_CYCLICAL, .cycles = 3, .steps = 12};
    for (uint64_t k = 0; k < 12; k++) {
        assert_near(0.1 * rate_of(&s, k), cycle[k % 4], 1e-6);
    }
    const vip_schedule odd = {.kind = VIP_CYCLICAL, .cycles = 3, .steps = 10}; /* cycles of ceil(10 / 3) = 4 */
    for (uint64_t k = 0; k < 10; k++) {
        assert_near(0.1 * rate_of(&odd, k), cycle[k % 4], 1e-6);
    }
}

static void
test_the_cosine_rises_for_three_percent_and_falls_to_zero(void **state)
{
    (void)state;
    const vip_schedule s = {.kind = VIP_COSINE, .warm_up = 0.03, .steps = 1000};
    for (uint64_t k = 0; k < 30; k++) {
        assert_near(rate_of(&s, k), (double)(k + 1) / 30, 1e-12);
    }
    for (uint64_t k = 30; k < 1000; k++) {
        assert_near(rate_of(&s, k), (1 + cos(acos(-1) * (double)(k - 29) / 971)) / 2, 1e-12);
    }
    assert_true(rate_of(&s, 999) < 1e-5);
    assert_near(rate_of(&s, 1000), 0, 1e-12);
    const vip_schedule level = {.kind = VIP_CONSTANT, .warm_up = 0.03, .steps = 1000};
    assert_near(rate_of(&level, 14), 0.5, 1e-12);
    assert_near(rate_of(&level, 29), 1, 0);
    assert_near(rate_of(&level, 999), 1, 0);
}

static void
test_time_and_steps_end_a_run_whichever_is_first(void **state)
{
    (void)state;
    const vip_schedule s = {.kind = VIP_COSINE, .warm_up = 0.03, .steps = 1000}, open = {.kind = VIP_COSINE};
    assert_near(vip_schedule_share(&s, 250, 0), 0.25, 0);
    assert_near(vip_schedule_share(&s, 250, 0.5), 0.5, 0);
    assert_near(vip_schedule_share(&s, 750, 0.5), 0.75, 0);
    assert_near(vip_schedule_share(&s, 750, 1.5), 1, 0);
    assert_near(vip_schedule_share(&open, 1000000, 0.5), 0.5, 0);
    assert_near(vip_schedule_factor(&open, 1), 0, 1e-12);
    assert_near(vip_schedule_factor(&open, 0.5), 0.5, 1e-12);
}

static void
test_a_ramp_is_a_line_that_stays_at_one(void **state)
{
    (void)state;
    assert_near(vip_ramp(0.15, 0.5, 0), 0.15, 0);
    assert_near(vip_ramp(0.15, 0.5, 0.25), 0.575, 1e-12);
    assert_near(vip_ramp(0.15, 0.5, 0.5), 1, 0);
    assert_near(vip_ramp(0.15, 0.5, 0.9), 1, 0);
    assert_near(vip_ramp(0, 0, 0), 1, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sgd_with_a_constant_gradient_is_a_geometric_sum),
        cmocka_unit_test(test_adam_with_a_constant_gradient_walks_at_the_rate),
        cmocka_unit_test(test_amsgrad_divides_by_the_largest_second_moment_and_adam_by_the_newest),
        cmocka_unit_test(test_decay_shrinks_weights_alone_and_is_no_gradient_in_adamw),
        cmocka_unit_test(test_a_step_with_a_scale_is_one_with_scaled_gradients),
        cmocka_unit_test(test_the_norm_is_that_of_what_is_trained),
        cmocka_unit_test(test_any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(test_stretches_say_what_decays_and_what_is_trained),
        cmocka_unit_test(test_the_average_forgets_its_start_soon_and_then_keeps_a_thousand_steps),
        cmocka_unit_test(test_the_cyclical_schedule_is_the_worked_example),
        cmocka_unit_test(test_the_cosine_rises_for_three_percent_and_falls_to_zero),
        cmocka_unit_test(test_time_and_steps_end_a_run_whichever_is_first),
        cmocka_unit_test(test_a_ramp_is_a_line_that_stays_at_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
