/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_clock.c -- holds the promises of common/clock.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include <common/clock.h>

#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* 2026-11-21T21:30:05Z, by `date -u -d @1795296605`; and the last second of the year 9999. */
static const double MOMENT = 1795296605, LAST = 253402300799;

/* Rules of POSIX, which no machine needs a table for. */
static const char *const ZONES[] = {"UTC0", "ABC-14", "DEF+3:30", "CET-1CEST,M3.5.0,M10.5.0/3", "no zone", ""};

static void
choose_zone(const char *zone)
{
    assert_int_equal(setenv("TZ", zone, 1), 0);
}

static void
test_a_moment_is_the_same_in_every_zone_and_locale(void **state)
{
    (void)state;
    static const struct {
        double add;
        const char *text;
    } table[] = {
        {0, "2026-11-21T21:30:05.000Z"},         {0.123, "2026-11-21T21:30:05.123Z"},
        {0.0004, "2026-11-21T21:30:05.000Z"},    {0.9994, "2026-11-21T21:30:05.999Z"},
        {0.99951, "2026-11-21T21:30:06.000Z"},   {54.99951, "2026-11-21T21:31:00.000Z"},
        {8994.9996, "2026-11-22T00:00:00.000Z"}, {100 * 86400.0, "2027-03-01T21:30:05.000Z"},
    };
    static const char *const locales[] = {"C", "de_DE.utf8", "ps_AF.UTF-8", "fa_IR.UTF-8"};
    for (size_t i = 0; i < LENGTH(table) * LENGTH(ZONES) * LENGTH(locales); i++) {
        char out[VIP_CLOCK_SIZE];
        choose_zone(ZONES[i / LENGTH(table) % LENGTH(ZONES)]);
        (void)setlocale(LC_ALL, locales[i / LENGTH(table) / LENGTH(ZONES)]); /* those that the machine has */
        assert_string_equal(vip_clock_utc(out, MOMENT + table[i % LENGTH(table)].add), table[i % LENGTH(table)].text);
    }
    (void)setlocale(LC_ALL, "C");
}

static void
test_what_is_no_moment_of_four_digits_is_none(void **state)
{
    (void)state;
    static const double none[] = {NAN, INFINITY, -INFINITY, -0.06, -1, 1e300, -1e300, 1e19, LAST + 0.9996, LAST + 1};
    char out[VIP_CLOCK_SIZE];
    choose_zone("UTC0");
    for (size_t i = 0; i < LENGTH(none); i++) {
        assert_null(vip_clock_utc(out, none[i]));
        assert_null(vip_clock_local(out, none[i]));
    }
    assert_string_equal(vip_clock_utc(out, 0), "1970-01-01T00:00:00.000Z");
    assert_string_equal(vip_clock_utc(out, -0.0004), "1970-01-01T00:00:00.000Z");
    if (sizeof(time_t) > 4) {
        assert_string_equal(vip_clock_utc(out, LAST + 0.999), "9999-12-31T23:59:59.999Z");
        assert_string_equal(vip_clock_local(out, LAST + 0.9), "23:59:59.9");
    }
}

static void
test_the_time_of_the_day_is_that_of_the_zone(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        double add;
        const char *text;
    } table[] = {
        {"UTC0", 0.12, "21:30:05.1"},
        {"UTC0", 54.949, "21:30:59.9"},
        {"UTC0", 54.951, "21:31:00.0"}, /* never 21:30:60.0 */
        {"UTC0", 8994.96, "00:00:00.0"},
        {"ABC-14", 0, "11:30:05.0"},
        {"DEF+3:30", 0, "18:00:05.0"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 0, "22:30:05.0"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 200 * 86400.0, "23:30:05.0"}, /* in summer */
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        char out[VIP_CLOCK_SIZE];
        choose_zone(table[i].zone);
        assert_string_equal(vip_clock_local(out, MOMENT + table[i].add), table[i].text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_moment_is_the_same_in_every_zone_and_locale),
        cmocka_unit_test(test_what_is_no_moment_of_four_digits_is_none),
        cmocka_unit_test(test_the_time_of_the_day_is_that_of_the_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
