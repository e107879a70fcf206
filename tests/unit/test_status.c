/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_status.c -- holds the promises of base/status.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <string.h>

#include <base/status.h>

static void
test_a_failure_carries_its_status_and_line(void **state)
{
    (void)state;
    vipann_error error = {0};
    assert_int_equal(vip_fail(&error, VIPANN_E_FORMAT, "%s: %d classes, expected %d", "a.safetensors", 3, 5),
                     VIPANN_E_FORMAT);
    assert_int_equal(error.status, VIPANN_E_FORMAT);
    assert_string_equal(error.text, "a.safetensors: 3 classes, expected 5");
}

static void
test_numbers_in_messages_have_a_point_in_every_locale(void **state)
{
    (void)state;
    static const char *const commas[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    vipann_error error = {0};
    for (size_t i = 0; i < sizeof commas / sizeof *commas; i++) { /* those that the machine has */
        (void)setlocale(LC_ALL, commas[i]);
        (void)vip_fail(&error, VIPANN_E_ARG, "rate is %g", 0.5);
        assert_string_equal(error.text, "rate is 0.5");
    }
    (void)setlocale(LC_ALL, "C");
}

static void
test_nobody_need_listen(void **state)
{
    (void)state;
    assert_int_equal(vip_fail(NULL, VIPANN_E_IO, "%s", "unheard"), VIPANN_E_IO);
    assert_int_equal(vip_fail_memory(NULL, "the model"), VIPANN_E_MEMORY);
}

static void
test_a_long_line_is_cut_to_fit(void **state)
{
    (void)state;
    char name[1000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    struct {
        vipann_error error;
        unsigned char after[16];
    } held;
    memset(&held, 0x5a, sizeof held);
    vip_fail(&held.error, VIPANN_E_ARG, "%s", name);
    assert_int_equal(strlen(held.error.text), sizeof held.error.text - 1);
    for (size_t i = 0; i < sizeof held.after; i++) {
        assert_int_equal(held.after[i], 0x5a);
    }
}

static void
test_a_long_line_is_cut_behind_a_word(void **state)
{
    (void)state;
    static const char *const table[] = {"word ", "path/", "\u00e4", "x\u00e4\u20ac"}; /* only the first has words */
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        for (size_t offset = 0; offset < 8; offset++) {
            char line[1000] = "0123456789";
            for (size_t n = offset; n < sizeof line - 16; n += strlen(table[i])) {
                strncpy(line + n, table[i], 16);
            }
            vipann_error error;
            vip_fail(&error, VIPANN_E_ARG, "%s", line);
            size_t length = strlen(error.text), most = sizeof error.text - 1;
            assert_true(length <= most && length + 8 > most);
            assert_string_equal(error.text + length - 4, " ...");
            assert_memory_equal(error.text, line, length - 4);
            assert_int_not_equal((unsigned char)line[length - 4] & 0xc0, 0x80); /* no character is cut in two */
            assert_true(i > 0 || line[length - 4] == ' ');
        }
    }
}

static void
test_control_characters_do_not_pass(void **state) /* a file's own name for a tensor must not steer a terminal */
{
    (void)state;
    char name[34];
    for (int i = 0; i < 31; i++) {
        name[i] = (char)(i + 1);
    }
    memcpy(name + 31, "\x7f!", 3);
    vipann_error error;
    vip_fail(&error, VIPANN_E_FORMAT, "%s", name);
    for (size_t i = 0; i < 32; i++) {
        assert_int_equal(error.text[i], '?');
    }
    assert_string_equal(error.text + 32, "!");
    vip_fail(&error, VIPANN_E_FORMAT,
             "a\xc2\x9b"
             "31mb\x9b"
             "c"); /* "control sequence introducer" in one and two bytes */
    assert_string_equal(error.text, "a?31mb?c");
    vip_fail(&error, VIPANN_E_FORMAT, "%.2s: \xc0\x8a \xed\xa0\x80", "\xe2\x82\xac"); /* cut within a character */
    assert_null(strpbrk(error.text, "\xe2\x82\xc0\x8a\xed\xa0"));
    assert_non_null(strchr(error.text, ':'));
    vip_fail(&error, VIPANN_E_FORMAT, "\xc3\xa4 stays"); /* bytes of UTF-8 are no control characters */
    assert_string_equal(error.text, "\xc3\xa4 stays");
}

static void
test_the_line_for_memory_names_what_did_not_fit(void **state)
{
    (void)state;
    vipann_error error;
    assert_int_equal(vip_fail_memory(&error, "the model"), VIPANN_E_MEMORY);
    assert_int_equal(error.status, VIPANN_E_MEMORY);
    assert_non_null(strstr(error.text, "not enough memory for the model"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failure_carries_its_status_and_line),
        cmocka_unit_test(test_numbers_in_messages_have_a_point_in_every_locale),
        cmocka_unit_test(test_nobody_need_listen),
        cmocka_unit_test(test_a_long_line_is_cut_to_fit),
        cmocka_unit_test(test_a_long_line_is_cut_behind_a_word),
        cmocka_unit_test(test_control_characters_do_not_pass),
        cmocka_unit_test(test_the_line_for_memory_names_what_did_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
