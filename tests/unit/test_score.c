/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_score.c -- holds the parts of the score of *unknown*, and their sum, to their formulas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>

#include <decide/score.h>

#include "numbers.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* Closed forms: of n equal logits z, -(z + log n), and multi-label -n log(1 + exp(z)). */
static void
test_energy_is_minus_the_log_of_all_that_is_excited(void **state)
{
    (void)state;
    const double ln2 = 0.69314718055994531;
    static const float zeros[4] = {0}, large[] = {100, 100}, small[] = {-100, -100}, mixed[] = {1, -2, 0.5f};
    const struct {
        vipann_task task;
        const float *z;
        size_t n;
        double energy, tolerance;
    } table[] = {
        {VIPANN_MULTICLASS, zeros, 4, -2 * ln2, 1e-15},
        {VIPANN_MULTICLASS, large, 2, -100 - ln2, 1e-13},
        {VIPANN_MULTICLASS, small, 2, 100 - ln2, 1e-13},
        {VIPANN_MULTICLASS, mixed, 1, -1, 1e-15},
        {VIPANN_MULTICLASS, mixed, 3, -log(exp(1) + exp(-2) + exp(0.5)), 1e-15},
        {VIPANN_MULTILABEL, zeros, 4, -4 * ln2, 1e-15},
        {VIPANN_MULTILABEL, large, 2, -200, 1e-13},
        {VIPANN_MULTILABEL, small, 2, 0, 1e-15}, /* 2 exp(-100) is no more */
        {VIPANN_MULTILABEL, mixed, 3, -log((1 + exp(1)) * (1 + exp(-2)) * (1 + exp(0.5))), 1e-14},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        assert_near(vip_energy(table[i].task, table[i].z, table[i].n), table[i].energy, table[i].tolerance);
    }
}

/* More classes than share a logarithm. */
static void
test_energy_of_many_classes_is_the_sum_of_each(void **state)
{
    (void)state;
    enum { MOST = 1300 };
    float z[MOST];
    double sum = 0;
    uint32_t seed = 3;
    for (size_t n = 1; n <= MOST; n++) {
        z[n - 1] = (float)next_random(&seed) / (1 << 19) - 16;
        sum += vip_energy(VIPANN_MULTILABEL, &z[n - 1], 1);
        assert_near(vip_energy(VIPANN_MULTILABEL, z, n), sum, 1e-10);
    }
}

static void
test_energy_is_finite_whatever_the_logits(void **state)
{
    (void)state;
    static const float odd[][3] = {{NAN, NAN, NAN},        {INFINITY, 0, 0},    {-INFINITY, -INFINITY, -INFINITY},
                                   {FLT_MAX, FLT_MAX, -1}, {NAN, 2, -INFINITY}, {-FLT_MAX, -FLT_MAX, -FLT_MAX}};
    for (size_t i = 0; i < LENGTH(odd); i++) {
        assert_true(isfinite(vip_energy(VIPANN_MULTICLASS, odd[i], 3)));
        assert_true(isfinite(vip_energy(VIPANN_MULTILABEL, odd[i], 3)));
    }
    assert_near(vip_energy(VIPANN_MULTICLASS, odd[4], 3), -2, 1e-15); /* what is not there adds nothing */
}

static void
test_features_are_roots_with_their_sign_less_the_mean(void **state)
{
    (void)state;
    float x[] = {4, -9, 0, 0.25f};
    static const float mean[] = {1, 1, 0.5f, -1}, without[] = {2, -3, 0, 0.5f}, with[] = {1, -4, -0.5f, 1.5f};
    float out[4];
    vip_features(x, NULL, 4, out);
    assert_memory_equal(out, without, sizeof out);
    vip_features(x, mean, 4, x); /* in place */
    assert_memory_equal(x, with, sizeof x);
}

/* In the plane, where the angles are seen; lengths do not matter. */
static void
test_distance_is_to_the_nearest_direction(void **state)
{
    (void)state;
    static const float prototypes[] = {3, 0, 0, 0.5f, -1e-3f, -1e-3f};
    float inverse[3];
    vip_prototype_scales(prototypes, 3, 2, inverse);
    static const struct {
        float x[2];
        double distance;
    } table[] = {{{1, 0}, 0},
                 {{0, 1e-20f}, 0},
                 {{7, 7}, 0.29289321881345248},  /* 1 - cos 45 degrees, from either of the first two */
                 {{-2, 0}, 0.29289321881345248}, /* from the third */
                 {{0, 0}, 1}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        assert_near(vip_distance(table[i].x, prototypes, inverse, 3, 2), table[i].distance, 1e-6);
    }
    static const float opposite[] = {-1, 0};
    assert_near(vip_distance(opposite, prototypes, inverse, 1, 2), 2, 1e-6);
    static const float nothing[] = {0, 0};
    vip_prototype_scales(nothing, 1, 2, inverse);
    assert_true(inverse[0] == 0 && vip_distance(opposite, nothing, inverse, 1, 2) == 1); /* it is near to nothing */
}

/* Lengths round the width of the kernel's lanes, against sums in double. */
static void
test_distance_is_the_same_in_double_whatever_the_length(void **state)
{
    (void)state;
    enum { MOST = 70, COUNT = 5 };
    float x[MOST], prototypes[COUNT * MOST], inverse[COUNT];
    uint32_t seed = 5;
    for (size_t n = 1; n <= MOST; n++) {
        double nearest = -1, length = 0;
        for (size_t i = 0; i < n; i++) {
            x[i] = (float)(next_random(&seed) >> 8) / (1 << 23) - 1;
            length += (double)x[i] * (double)x[i];
        }
        for (size_t k = 0; k < COUNT; k++) {
            double dot = 0, other = 0;
            for (size_t i = 0; i < n; i++) {
                const float y = prototypes[k * n + i] = (float)(next_random(&seed) >> 8) / (1 << 23) - 1;
                dot += (double)x[i] * (double)y;
                other += (double)y * (double)y;
            }
            nearest = fmax(nearest, dot / sqrt(length * other));
        }
        vip_prototype_scales(prototypes, COUNT, n, inverse);
        assert_near(vip_distance(x, prototypes, inverse, COUNT, n), 1 - nearest, 1e-6); /* sums in single precision */
    }
}

static void
test_distance_is_finite_whatever_the_numbers(void **state)
{
    (void)state;
    static const float odd[] = {0, -0.0f, 1, -1, FLT_MAX, -FLT_MAX, 1e-45f, INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < LENGTH(odd) * LENGTH(odd); i++) {
        const float a = odd[i % LENGTH(odd)], b = odd[i / LENGTH(odd)];
        const float x[] = {a, b, 1}, prototypes[] = {b, a, a, 0, b, b};
        float inverse[2];
        vip_prototype_scales(prototypes, 2, 3, inverse);
        const double distance = vip_distance(x, prototypes, inverse, 2, 3);
        assert_true(distance >= 0 && distance <= 2);
    }
}

static void
test_sum_standardises_each_part(void **state)
{
    (void)state;
    const vip_evidence evidence = {
        .members = 2, .total = 1.5, .epistemic = 0.25, .largest = 0.75, .energy = -8, .distance = 0.5};
    static const double values[] = {1.5, 0.25, 0.25, -8, 0.5};
    vip_sum sum = {.mean = {1, 0, 0.5, -10, 0.25}, .std = {0.5, 0.5, 0.25, 4, 0.125}};
    static const double standard[] = {1, 0.5, -1, 0.5, 2};
    double value, all = 0;
    assert_false(vip_sum_value(&sum, &evidence, &value)); /* of nothing */
    for (int i = 0; i < VIPANN_N_PARTS; i++) {
        assert_true(vip_part_value((vipann_part)i, &evidence, &value) && value == values[i]);
        vip_sum one = sum;
        for (int k = 0; k < VIPANN_N_PARTS; k++) {
            one.has[k] = k == i;
        }
        assert_true(vip_sum_value(&one, &evidence, &value) && value == standard[i]);
        sum.has[i] = true;
        all += standard[i];
        assert_true(vip_sum_value(&sum, &evidence, &value) && value == all);
    }
}

/* With fewer than two members there is no epistemic part, and no sum that has it. */
static void
test_a_sum_has_no_value_where_a_part_has_none(void **state)
{
    (void)state;
    vip_sum sum = {.has = {true, true, true, true, true}, .std = {1, 1, 1, 1, 1}};
    for (size_t members = 0; members <= 2; members++) {
        const vip_evidence evidence = {.members = members};
        double value;
        sum.has[VIPANN_PART_EPISTEMIC] = true;
        assert_true(vip_sum_value(&sum, &evidence, &value) == (members == 2));
        sum.has[VIPANN_PART_EPISTEMIC] = false;
        assert_true(vip_sum_value(&sum, &evidence, &value));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_energy_is_minus_the_log_of_all_that_is_excited),
        cmocka_unit_test(test_energy_of_many_classes_is_the_sum_of_each),
        cmocka_unit_test(test_energy_is_finite_whatever_the_logits),
        cmocka_unit_test(test_features_are_roots_with_their_sign_less_the_mean),
        cmocka_unit_test(test_distance_is_to_the_nearest_direction),
        cmocka_unit_test(test_distance_is_the_same_in_double_whatever_the_length),
        cmocka_unit_test(test_distance_is_finite_whatever_the_numbers),
        cmocka_unit_test(test_sum_standardises_each_part),
        cmocka_unit_test(test_a_sum_has_no_value_where_a_part_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
