/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_tsv.c -- holds the promises of common/tsv.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/tsv.h>

static void
test_no_text_breaks_a_row_or_commands_a_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *field, *written;
    } table[] = {
        {"plain", "plain"},
        {"", ""},
        {"two\nlines\ttab\r", "two lines tab "},
        {"a \"b\"", "a \"b\""},
        {"caf\xe9", "caf\xef\xbf\xbd"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"\033[31mred", " [31mred"},
        {"\xc2\x9b!", " !"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char *text = NULL, expected[64];
        size_t size = 0;
        vip_tsv tsv = {.out = open_memstream(&text, &size)};
        assert_non_null(tsv.out);
        for (int row = 0; row < 2; row++) {
            vip_tsv_text(&tsv, table[i].field);
            vip_tsv_text(&tsv, "x");
            vip_tsv_end(&tsv);
        }
        assert_int_equal(fclose(tsv.out), 0);
        (void)snprintf(expected, sizeof expected, "%s\tx\n%s\tx\n", table[i].written, table[i].written);
        assert_string_equal(text, expected);
        free(text);
    }
}

static void
test_numbers_and_gaps(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    vip_tsv tsv = {.out = open_memstream(&text, &size)};
    assert_non_null(tsv.out);
    vip_tsv_whole(&tsv, 12345678901234567890u);
    vip_tsv_fixed(&tsv, NAN, 3);
    vip_tsv_fixed(&tsv, 1.0 / 3, 6);
    vip_tsv_fixed(&tsv, 0, 1);
    vip_tsv_end(&tsv);
    assert_int_equal(fclose(tsv.out), 0);
    assert_string_equal(text, "12345678901234567890\t\t0.333333\t0.0\n");
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_text_breaks_a_row_or_commands_a_terminal),
        cmocka_unit_test(test_numbers_and_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
