/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_keyed.c -- holds the promises of keyed.h and of base/philox.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include <bayes/keyed.h>

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { N = 1 << 18 };

static const uint64_t SEED = 0xfedcba9876543210u;

static float numbers[N];
static unsigned char bits[N], more_bits[N];

/* The known answers that Random123 publishes for philox4x32 with 10 rounds. */
static void
test_words_equal_the_published_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4];
        uint64_t key;
        uint32_t words[4];
    } table[] = {
        {{0, 0, 0, 0}, 0, {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}},
        {{0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu},
         0xffffffffffffffffu,
         {0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}},
        {{0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u},
         0x299f31d0a4093822u,
         {0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        uint32_t words[4];
        vip_philox(table[i].key, table[i].counter, words);
        assert_memory_equal(words, table[i].words, sizeof words);
        memcpy(words, table[i].counter, sizeof words);
        vip_philox(table[i].key, words, words);
        assert_memory_equal(words, table[i].words, sizeof words);
    }
}

static void
test_uniform_numbers_are_the_upper_24_bits(void **state)
{
    (void)state;
    assert_true(vip_uniform(0) == 0.0f);
    assert_true(vip_uniform(0xff) == 0.0f);
    assert_true(vip_uniform(0x100) == 0x1p-24f);
    assert_true(vip_uniform(0x80000000u) == 0.5f);
    assert_true(vip_uniform(0xffffffffu) == 1.0f - 0x1p-24f);
}

/* The normal number x of a word is where the distribution function, from the C library's erfc, is (word + 1/2) / 2^32.
 * A float's rounding of x shifts that by at most density(x) * |x| * 2^-24. */
static void
test_normal_numbers_invert_the_distribution_function(void **state)
{
    (void)state;
    uint32_t word = 0;
    for (int i = 0; i < 200000; i++, word = word * 1664525u + 1013904223u) {
        double p = ((double)word + 0.5) * 0x1p-32, x = (double)vip_normal(word);
        double here = 0.5 * erfc(-x / sqrt(2)), density = exp(-x * x / 2) / sqrt(2 * 3.14159265358979323846);
        double smaller = fmin(p, 1 - p);
        assert_true(fabs(here - p) <= density * fabs(x) * 0x1p-24 + 1e-14 * smaller + 2e-16);
    }
}

static void
test_normal_numbers_are_symmetric_and_finite(void **state)
{
    (void)state;
    static const uint32_t words[] = {0, 1, 1000, 0x10000000u, 0x13333332u, 0x13333333u, 0x13333334u, 0x7fffffffu};
    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_true(vip_normal(words[i]) == -vip_normal(~words[i]));
        assert_true(fabsf(vip_normal(words[i])) < 6.5f);
    }
    assert_true(fabs((double)vip_normal(0) + 6.33795) < 1e-4);
}

static void
test_eps_is_standard_normal_word_by_word(void **state)
{
    (void)state;
    vip_keyed_eps(SEED, 7, 2, numbers, N);
    double moments[5] = {0};
    for (size_t e = 0; e < N; e++) {
        uint32_t counter[4] = {(uint32_t)(e / 4), 0, 2u << 24 | 7, 2};
        vip_philox(SEED, counter, counter);
        assert_true(numbers[e] == vip_normal(counter[e % 4]));
        for (int power = 1; power <= 4; power++) {
            moments[power] += pow((double)numbers[e], power) / N;
        }
    }
    /* five standard errors: sqrt(var / N) is 0.002, 0.0028, 0.0076, 0.019 */
    assert_true(fabs(moments[1]) < 0.010 && fabs(moments[2] - 1) < 0.014);
    assert_true(fabs(moments[3]) < 0.038 && fabs(moments[4] - 3) < 0.096);
    float start[5];
    vip_keyed_eps(SEED, 7, 2, start, LENGTH(start));
    assert_memory_equal(start, numbers, sizeof start);
}

static void
test_signs_are_the_bits_of_the_block(void **state)
{
    (void)state;
    static const vip_keyed_kind kinds[] = {VIP_KEYED_SIGN_IN, VIP_KEYED_SIGN_OUT};
    for (size_t k = 0; k < LENGTH(kinds); k++) {
        size_t n = 301, negative = 0;
        bits[n] = 77;
        vip_keyed_signs(SEED, kinds[k], 9, 3, 1234567, bits, n);
        for (size_t e = 0; e < n; e++) {
            uint32_t counter[4] = {(uint32_t)(e / 128), 1234567, (uint32_t)kinds[k] << 24 | 9, 3};
            vip_philox(SEED, counter, counter);
            assert_int_equal(bits[e], counter[e / 32 % 4] >> (e % 32) & 1);
            negative += bits[e];
        }
        assert_int_equal(bits[n], 77);
        assert_true(negative > 100 && negative < 200);
    }
}

static void
test_masks_drop_lanes_below_the_rate(void **state)
{
    (void)state;
    static const struct {
        float rate;
        uint32_t dropped_below;
    } table[] = {{0.0f, 0}, {0.1f, 6554}, {0.2f, 13107}, {0.5f, 32768}, {0.9f, 58982}, {1e-5f, 1}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        size_t n = N - 5, dropped = 0; /* so many that every lane value occurs */
        bits[n] = 77;
        vip_keyed_keep(SEED, 0x21, 3, 1000, table[i].rate, bits, n);
        for (size_t e = 0; e < n; e++) {
            uint32_t counter[4] = {(uint32_t)(e / 8), 1000, 1u << 24 | 0x21, 3};
            vip_philox(SEED, counter, counter);
            uint32_t word = counter[e % 8 / 2];
            uint32_t lane = e % 2 == 0 ? word & 0xffff : word >> 16;
            assert_int_equal(bits[e], lane >= table[i].dropped_below);
            dropped += !bits[e];
        }
        assert_int_equal(bits[n], 77);
        double expected = (double)table[i].rate * (double)n;
        assert_true(fabs((double)dropped - expected) <= 5 * sqrt(expected) + 1e-9);
    }
}

/* Members, columns, sites and seeds have masks of their own; two of them agree as chance would have it. */
static void
test_masks_of_different_keys_are_independent(void **state)
{
    (void)state;
    static const struct {
        uint64_t seed;
        uint32_t site, member, column;
    } table[] = {{2, 0x10, 0, 0}, {1, 0x11, 0, 0}, {1, 0x10, 1, 0}, {1, 0x10, 0, 1}, {1ull << 32 | 1, 0x10, 0, 0}};
    size_t n = 65536;
    vip_keyed_keep(1, 0x10, 0, 0, 0.5f, bits, n);
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_keyed_keep(table[i].seed, table[i].site, table[i].member, table[i].column, 0.5f, more_bits, n);
        size_t equal = 0;
        for (size_t e = 0; e < n; e++) {
            equal += bits[e] == more_bits[e];
        }
        assert_true(equal > n / 2 - 640 && equal < n / 2 + 640); /* five standard deviations */
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_equal_the_published_answers),
        cmocka_unit_test(test_uniform_numbers_are_the_upper_24_bits),
        cmocka_unit_test(test_normal_numbers_invert_the_distribution_function),
        cmocka_unit_test(test_normal_numbers_are_symmetric_and_finite),
        cmocka_unit_test(test_eps_is_standard_normal_word_by_word),
        cmocka_unit_test(test_signs_are_the_bits_of_the_block),
        cmocka_unit_test(test_masks_drop_lanes_below_the_rate),
        cmocka_unit_test(test_masks_of_different_keys_are_independent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
