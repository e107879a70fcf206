/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_number.c -- holds the promises of common/number.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#include <common/number.h>

#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* A locale with a decimal comma, if the machine has one; what holds must hold under any. */
static void
choose_comma(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "ps_AF.UTF-8", "de_DE"};
    for (size_t i = 0; i < LENGTH(names); i++) {
        if (setlocale(LC_ALL, names[i]) != NULL) {
            return;
        }
    }
}

static void
test_numbers_have_a_point_in_every_locale(void **state)
{
    (void)state;
    static const struct {
        double value;
        int digits;
        const char *text;
    } table[] = {{0.25, 7, "0.25"},     {-1.5, 7, "-1.5"},  {1.0 / 3, 4, "0.3333"}, {1e-9, 7, "1e-09"},
                 {9.6, 10, "9.6"},      {-0.0, 7, "0"},     {1e300, 3, "1e+300"},   {NAN, 7, "null"},
                 {INFINITY, 3, "null"}, {16000, 7, "16000"}};
    char out[VIP_NUMBER_SIZE];
    choose_comma();
    for (size_t i = 0; i < LENGTH(table); i++) {
        assert_string_equal(vip_number_write(out, table[i].value, table[i].digits), table[i].text);
    }
    assert_string_equal(vip_number_fixed(out, 2.5, 2), "2.50");
    double value = 0;
    assert_true(vip_number_read("2.5", &value));
    assert_true(value == 2.5);
    (void)setlocale(LC_ALL, "C");
}

static void
test_read_takes_finite_decimal_numbers_only(void **state)
{
    (void)state;
    static const char *const refused[] = {"",      " 1",  "1 ",  "nan",   "inf", "0x10",
                                          "1e999", "1,5", "--1", "1.2.3", "e",   "."};
    double value = 7;
    for (size_t i = 0; i < LENGTH(refused); i++) {
        assert_false(vip_number_read(refused[i], &value));
        assert_true(value == 7);
    }
    assert_true(vip_number_read("-1e3", &value));
    assert_true(value == -1000);
    assert_true(vip_number_read(".5", &value));
    assert_true(value == 0.5);
}

static void
test_whole_numbers_stop_at_64_bits(void **state)
{
    (void)state;
    static const char *const refused[] = {"", "-1", "+1", "1.0", "18446744073709551616", "99999999999999999999", " 1"};
    uint64_t value = 7;
    for (size_t i = 0; i < LENGTH(refused); i++) {
        assert_false(vip_number_read_whole(refused[i], &value));
        assert_int_equal(value, 7);
    }
    assert_true(vip_number_read_whole("18446744073709551615", &value));
    assert_true(value == UINT64_MAX);
}

static void
test_clock_never_shows_sixty_seconds(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        int decimals;
        const char *text;
    } table[] = {{0, 2, "0:00.00"}, {4.8, 2, "0:04.80"},           {59.996, 2, "1:00.00"},   {59.4, 0, "0:59"},
                 {59.6, 0, "1:00"}, {3599.9996, 3, "1:00:00.000"}, {3661.25, 1, "1:01:01.3"}};
    char out[VIP_NUMBER_SIZE];
    for (size_t i = 0; i < LENGTH(table); i++) {
        assert_string_equal(vip_number_clock(out, table[i].seconds, table[i].decimals), table[i].text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_have_a_point_in_every_locale),
        cmocka_unit_test(test_read_takes_finite_decimal_numbers_only),
        cmocka_unit_test(test_whole_numbers_stop_at_64_bits),
        cmocka_unit_test(test_clock_never_shows_sixty_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
