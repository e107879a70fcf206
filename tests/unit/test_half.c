/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_half.c -- holds half.h to IEEE 754: exact one way, nearest and even the other, over all numbers of 16 bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include <base/half.h>

static void
test_every_half_is_the_number_of_its_bits(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 0x10000; bits++) {
        int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 0x3ff);
        float x = vip_half_to_float((uint16_t)bits);
        if (exponent == 31) {
            assert_true(fraction != 0 ? isnan(x) : isinf(x));
        } else {
            double expected = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
            assert_true((double)fabsf(x) == expected);
        }
        assert_true(isnan(x) || (signbit(x) != 0) == (bits >> 15 != 0));
    }
}

static void
test_every_half_survives_the_way_there_and_back(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 0x10000; bits++) {
        float x = vip_half_to_float((uint16_t)bits);
        if (isnan(x)) {
            assert_true(isnan(vip_half_to_float(vip_float_to_half(x))));
        } else {
            assert_int_equal(vip_float_to_half(x), bits);
        }
    }
}

/* Between any two neighbours: below, at and above the middle. */
static void
test_floats_round_to_the_nearest_half_and_ties_to_even(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 0x7bff; bits++) {
        float low = vip_half_to_float((uint16_t)bits), high = vip_half_to_float((uint16_t)(bits + 1));
        float middle = low + (high - low) / 2; /* exact: a float has 13 bits more */
        assert_int_equal(vip_float_to_half(nextafterf(middle, 0)), bits);
        assert_int_equal(vip_float_to_half(nextafterf(middle, high)), bits + 1);
        assert_int_equal(vip_float_to_half(middle), bits + (bits & 1));
        assert_int_equal(vip_float_to_half(-middle), 0x8000 + bits + (bits & 1));
    }
}

static void
test_the_ends_of_the_range_behave(void **state)
{
    (void)state;
    static const struct {
        float x;
        uint16_t half;
    } table[] = {{65504.0f, 0x7bff}, {65519.99f, 0x7bff}, {65520.0f, 0x7c00}, {1e30f, 0x7c00}, {-INFINITY, 0xfc00},
                 {0.0f, 0},          {-0.0f, 0x8000},     {1e-10f, 0},        {0x1p-149f, 0},  {0x1p-25f, 0},
                 {0x1p-24f, 1},      {0x1.8p-25f, 1},     {1.0f, 0x3c00},     {-2.0f, 0xc000}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(vip_float_to_half(table[i].x), table[i].half);
    }
}

static void
test_a_number_is_a_half_if_it_survives_the_way_there_and_back(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 0x10000; bits++) {
        const float x = vip_half_to_float((uint16_t)bits);
        if (!isnan(x)) {
            assert_true(vip_is_half(x));
        }
        if (isfinite(x)) {
            assert_false(vip_is_half(nextafterf(x, INFINITY)) || vip_is_half(nextafterf(x, -INFINITY)));
        }
    }
    assert_false(vip_is_half(65520.0f) || vip_is_half(1e30f) || vip_is_half(0x1p-25f));
}

static void
test_bfloat_is_the_upper_half_of_a_float(void **state)
{
    (void)state;
    assert_true(vip_bfloat_to_float(0x3f80) == 1.0f);
    assert_true(vip_bfloat_to_float(0xc040) == -3.0f);
    assert_true(isinf(vip_bfloat_to_float(0x7f80)) && isnan(vip_bfloat_to_float(0x7fc0)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_half_is_the_number_of_its_bits),
        cmocka_unit_test(test_every_half_survives_the_way_there_and_back),
        cmocka_unit_test(test_floats_round_to_the_nearest_half_and_ties_to_even),
        cmocka_unit_test(test_the_ends_of_the_range_behave),
        cmocka_unit_test(test_a_number_is_a_half_if_it_survives_the_way_there_and_back),
        cmocka_unit_test(test_bfloat_is_the_upper_half_of_a_float),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
