/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_csv.c -- holds the promises of common/csv.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/csv.h>

static void
test_fields_are_quoted_where_the_standard_asks_and_stay_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *field, *written;
    } table[] = {{"plain", "plain"},
                 {"", ""},
                 {NULL, ""},
                 {"Narration, monologue", "\"Narration, monologue\""},
                 {"a \"b\"", "\"a \"\"b\"\"\""},
                 {"two\nlines", "\"two\nlines\""},
                 {"\r", "\"\r\""},
                 {" edge", "\" edge\""},
                 {"in side", "in side"},
                 {"\xff", "\xef\xbf\xbd"},
                 {"caf\xc3\xa9, \"\033\"", "\"caf\xc3\xa9, \"\"\xef\xbf\xbd\"\"\""},
                 {"\t\xc2\x9b", "\t\xef\xbf\xbd"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char *text = NULL, expected[64];
        size_t size = 0;
        vip_csv csv = {.out = open_memstream(&text, &size)};
        assert_non_null(csv.out);
        vip_csv_text(&csv, table[i].field);
        vip_csv_text(&csv, "x");
        vip_csv_end(&csv);
        assert_int_equal(fclose(csv.out), 0);
        (void)snprintf(expected, sizeof expected, "%s,x\r\n", table[i].written);
        assert_string_equal(text, expected);
        free(text);
    }
}

static void
test_rows_hold_numbers_and_gaps(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    vip_csv csv = {.out = open_memstream(&text, &size)};
    assert_non_null(csv.out);
    for (int row = 0; row < 2; row++) {
        vip_csv_number(&csv, 0.5, 7);
        vip_csv_number(&csv, NAN, 7);
        vip_csv_number(&csv, -1.0 / 3, 3);
        vip_csv_end(&csv);
    }
    assert_int_equal(fclose(csv.out), 0);
    assert_string_equal(text, "0.5,,-0.333\r\n0.5,,-0.333\r\n");
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_are_quoted_where_the_standard_asks_and_stay_utf8),
        cmocka_unit_test(test_rows_hold_numbers_and_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
