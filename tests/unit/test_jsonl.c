/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_jsonl.c -- holds the promises of common/jsonl.h; jansson, which knows JSON from elsewhere, reads what we write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/jsonl.h>

static void
test_one_value_is_one_line(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    vip_json json = {.out = open_memstream(&text, &size)};
    assert_non_null(json.out);
    for (int line = 0; line < 2; line++) {
        vip_json_object(&json, NULL);
        vip_json_text(&json, "a", "b");
        vip_json_array(&json, "top");
        vip_json_object(&json, NULL);
        vip_json_number(&json, "p", 0.25, 7);
        vip_json_null(&json, "std");
        vip_json_close(&json);
        vip_json_whole(&json, NULL, UINT64_MAX);
        vip_json_close(&json);
        vip_json_array(&json, "none");
        vip_json_close(&json);
        vip_json_truth(&json, "yes", true);
        vip_json_number(&json, "nan", NAN, 7);
        vip_json_text(&json, "nothing", NULL);
        vip_json_close(&json);
    }
    assert_int_equal(fclose(json.out), 0);
    static const char one[] = "{\"a\":\"b\",\"top\":[{\"p\":0.25,\"std\":null},18446744073709551615],\"none\":[],"
                              "\"yes\":true,\"nan\":null,\"nothing\":null}\n";
    assert_int_equal(size, 2 * (sizeof one - 1));
    assert_memory_equal(text, one, sizeof one - 1);
    assert_string_equal(text + sizeof one - 1, one);
    free(text);
}

/* What jansson reads in the line that we write for text. */
static void
assert_reads_as(const char *text, const char *expected)
{
    char *line = NULL;
    size_t size = 0;
    vip_json json = {.out = open_memstream(&line, &size)};
    assert_non_null(json.out);
    vip_json_object(&json, NULL);
    vip_json_text(&json, text, text);
    vip_json_close(&json);
    assert_int_equal(fclose(json.out), 0);
    json_t *read = json_loads(line, 0, NULL);
    assert_non_null(read);
    assert_string_equal(json_string_value(json_object_get(read, expected)), expected);
    json_decref(read);
    free(line);
}

static void
test_text_survives_and_bytes_that_are_not_utf8_are_replaced(void **state)
{
    (void)state;
    static const struct {
        const char *text, *read;
    } table[] = {
        {"plain", "plain"},
        {"q\" b\\ s/", "q\" b\\ s/"},
        {"\x01\n\t\x1f\x7f", "\x01\n\t\x1f\x7f"},
        {"K\xc3\xbc"
         "che \xe2\x82\xac \xf0\x9f\x90\x95",
         "K\xc3\xbc"
         "che \xe2\x82\xac \xf0\x9f\x90\x95"},
        {"latin\xfc.wav", "latin\xef\xbf\xbd.wav"},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"}, /* longer than needed */
        {"\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* half of a surrogate pair */
        {"\xf5\x80", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* beyond the last character */
        {"cut\xe2\x82", "cut\xef\xbf\xbd"},                       /* ends inside a character */
        {"\xe2\x82x", "\xef\xbf\xbdx"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_reads_as(table[i].text, table[i].read);
    }
}

static void
test_every_pair_of_bytes_makes_valid_json(void **state)
{
    (void)state;
    for (int a = 1; a < 256; a++) {
        for (int b = 1; b < 256; b++) {
            const char text[] = {(char)a, (char)b, '\0'};
            char *line = NULL;
            size_t size = 0;
            vip_json json = {.out = open_memstream(&line, &size)};
            assert_non_null(json.out);
            vip_json_array(&json, NULL);
            vip_json_text(&json, NULL, text);
            vip_json_close(&json);
            assert_int_equal(fclose(json.out), 0);
            json_t *read = json_loads(line, 0, NULL);
            assert_non_null(read);
            json_decref(read);
            for (const char *at = line; *at != '\0' && *at != '\n'; at++) {
                bool c1 = (unsigned char)at[0] == 0xc2 && (unsigned char)at[1] < 0xa0;
                assert_true((unsigned char)*at >= 0x20 && *at != 0x7f && !c1); /* nothing commands a terminal */
            }
            free(line);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_value_is_one_line),
        cmocka_unit_test(test_text_survives_and_bytes_that_are_not_utf8_are_replaced),
        cmocka_unit_test(test_every_pair_of_bytes_makes_valid_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
