/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_words.c -- holds the promises of base/words.h; test_number.c and test_options.c hold those about numbers and about
 * distances. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <base/words.h>

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static void
test_near_is_at_most_two_letters_and_not_the_whole_word(void **state)
{
    (void)state;
    assert_true(vip_word_is_near("hops", 0) && vip_word_is_near("hops", 2));
    assert_false(vip_word_is_near("hops", 3));
    assert_false(vip_word_is_near("ab", 2));
    assert_false(vip_word_is_near("", 0));
    assert_false(vip_word_is_near("hops", SIZE_MAX));
}

static void
test_what_is_shown_is_whole_characters_and_nothing_that_steers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } table[] = {
        {"", ""},
        {"Door, slam", "Door, slam"},
        {"a\tb\x1b[2J\x7f", "a?b?[2J?"},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x95", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x95"},
        {"\xc2\x85|\xc2\x9b|\xc2\xa0", "?|?|\xc2\xa0"},       /* control characters of two bytes */
        {"\x80|\xbf|\xc3|\xe2\x82|\xf8|\xff", "?|?|?|?|?|?"}, /* no characters */
        {"\xc0\x80|\xe0\x80\x80|\xed\xa0\x80|\xf4\x90\x80\x80",
         "??|???|???|????"}, /* too long, half a pair, beyond the last */
        {"123456789012345678901234567890", "123456789012345678901234567890"},
        {"1234567890123456789012345678901", "1234567890123456789012345678901"}, /* just fits */
        {"12345678901234567890123456789012", "1234567890123456789012345678..."},
        {"123456789012345678901234567\xe2\x82\xac\xe2\x82\xac", "123456789012345678901234567..."},
        {"1234567890123456789012345\xe2\x82\xac|123456", "1234567890123456789012345\xe2\x82\xac..."},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        char out[33];
        memset(out, '#', sizeof out);
        assert_ptr_equal(vip_shown(out, 32, table[i].text, strlen(table[i].text)), out);
        assert_string_equal(out, table[i].shown);
        assert_int_equal(out[32], '#');
    }
    char out[8];
    assert_string_equal(vip_shown(out, sizeof out, "a\0b", 3), "a?b");
    assert_string_equal(vip_shown(out, sizeof out, "abcdefghij", 3), "abc"); /* no more than asked for */
    assert_string_equal(vip_shown(out, sizeof out, "ab\xe2\x82\xac", 3), "ab?");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_near_is_at_most_two_letters_and_not_the_whole_word),
        cmocka_unit_test(test_what_is_shown_is_whole_characters_and_nothing_that_steers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
