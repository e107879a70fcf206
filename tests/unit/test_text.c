/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_text.c -- holds the promises of common/text.h and common/progress.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/progress.h>
#include <common/text.h>

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static const vip_text_style PLAIN = {.terminal = false};
static const vip_text_style UNICODE = {.unicode = true};

static void
test_bars_fill_all_their_cells(void **state)
{
    (void)state;
    static const struct {
        double fraction;
        const char *plain, *unicode;
    } table[] = {{0, "....", "    "},
                 {1, "####", "\u2588\u2588\u2588\u2588"},
                 {0.5, "##..", "\u2588\u2588  "},
                 {7, "####", "\u2588\u2588\u2588\u2588"},
                 {-1, "....", "    "},
                 {1e-9, "#...", "\u258f   "}, /* something is not nothing */
                 {0.40625, "##..", "\u2588\u258b  "}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        for (int unicode = 0; unicode < 2; unicode++) {
            char *text = NULL;
            size_t size = 0;
            FILE *out = open_memstream(&text, &size);
            assert_non_null(out);
            vip_text_bar(out, unicode ? &UNICODE : &PLAIN, table[i].fraction, 4);
            assert_int_equal(fclose(out), 0);
            assert_string_equal(text, unicode ? table[i].unicode : table[i].plain);
            free(text);
        }
    }
}

static void
test_a_bar_of_no_cells_is_nothing(void **state)
{
    (void)state;
    char text[16] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    vip_text_bar(out, &PLAIN, 0.5, 0);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "");
}

static void
test_put_cuts_pads_and_disarms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t least, most;
        bool unicode;
        const char *written;
        size_t cells;
    } table[] = {
        {"Dog", 0, 10, true, "Dog", 3},
        {"Dog", 5, 10, true, "Dog  ", 5},
        {"Livestock", 0, 5, true, "Live\u2026", 5},
        {"Livestock", 0, 5, false, "Liv..", 5},
        {"K\u00fcche", 0, 5, true, "K\u00fcche", 5},
        {"\033[31mred\n", 0, 20, true, "?[31mred?", 9},
        {"\xff\xc2\x9b", 0, 20, true, "??", 2},       /* not UTF-8, and a control character of two bytes */
        {"a\u202eb\u202cc", 0, 20, true, "a?b?c", 5}, /* which would turn the rest of the line round */
        {"abc", 0, 0, true, "", 0},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        assert_non_null(out);
        const vip_text_style *style = table[i].unicode ? &UNICODE : &PLAIN;
        assert_int_equal(vip_text_put(out, style, table[i].text, table[i].least, table[i].most), table[i].cells);
        assert_int_equal(fclose(out), 0);
        assert_string_equal(text, table[i].written);
        free(text);
    }
}

static void
test_a_copy_is_short_whole_and_harmless(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        const char *copy;
    } table[] = {
        {"Dog", 16, "Dog"},
        {"Livestock", 10, "Livestock"},
        {"Livestock", 9, "Lives..."},
        {"K\u00fc\u00fc\u00fcche", 9, "K\u00fc\u00fc..."}, /* half a character is none */
        {"\033]0;evil\a\n", 16, "?]0;evil??"},
        {"\xff\xc2\x9b\xc2", 16, "???"},
        {"\u061ca\u200eb\u200fc\u202ad\u202ee\u2028f\u2029g\u2066h\u2069i\u206a", 64, "?a?b?c?d?e?f?g?h?i\u206a"},
        {"", 5, ""},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        char copy[64];
        assert_string_equal(vip_text_copy(copy, table[i].size, table[i].text), table[i].copy);
    }
}

static void
test_wrap_breaks_between_words_and_disarms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at, indent, columns;
        const char *written;
    } table[] = {
        {"a dog and a cat", 0, 0, 80, "a dog and a cat\n"},
        {"a dog and a cat", 0, 2, 9, "a dog and\n  a cat\n"}, /* a full line is no longer than it may be */
        {"a dog and a cat", 0, 2, 8, "a dog\n  and a\n  cat\n"},
        {"a dog and a cat", 4, 4, 9, "a dog\n    and a\n    cat\n"},
        {"  a\n\tdog ", 0, 2, 80, "a dog\n"},
        {"K\u00fcche \u00fcber", 0, 0, 10, "K\u00fcche \u00fcber\n"}, /* characters count, not bytes */
        {"incomprehensible words", 0, 2, 8, "incomprehensible\n  words\n"},
        {"\033[31mred \xff", 0, 0, 80, "?[31mred ?\n"},
        {"", 4, 4, 80, "\n"},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        assert_non_null(out);
        vip_text_wrap(out, table[i].text, table[i].at, table[i].indent, table[i].columns);
        assert_int_equal(fclose(out), 0);
        assert_string_equal(text, table[i].written);
        free(text);
    }
}

static void
test_the_tail_of_a_text_is_short_and_whole(void **state)
{
    (void)state;
    assert_string_equal(vip_text_tail("dog.wav", 7), "dog.wav");
    assert_string_equal(vip_text_tail("a/dog.wav", 7), "dog.wav");
    assert_string_equal(vip_text_tail("K\u00fcche", 4), "che"); /* half a character is none */
    assert_string_equal(vip_text_tail("K\u00fcche", 5), "\u00fcche");
    assert_string_equal(vip_text_tail("\xbc\x9f", 2), "\xbc\x9f"); /* what is short enough stays, whatever it is */
    assert_string_equal(vip_text_tail("", 0), "");
}

static void
test_what_is_no_terminal_gets_no_colour_and_no_bar(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    vip_text_style style = vip_text_style_of(out);
    assert_false(style.terminal);
    assert_int_equal(style.columns, 0);
    vip_text_look_set(out, &style, VIP_RED);
    vip_progress progress = vip_progress_begin(out);
    progress.begun -= 10; /* it has been at it for a while */
    vip_progress_update(&progress, 0.5, "file");
    vip_progress_clear(&progress);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(size, 0);
    free(text);
}

static void
test_a_bar_leaves_the_line_as_it_was(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    vip_progress progress = vip_progress_begin(out);
    progress.style.terminal = true;
    vip_progress_update(&progress, 0.5, "file");
    assert_int_equal(fflush(out), 0);
    assert_int_equal(size, 0); /* what is over in a moment needs no bar */
    progress.begun -= 10;
    vip_progress_update(&progress, 0.5, "file");
    assert_non_null(strstr(text, "50 %"));
    assert_non_null(strstr(text, "0:10 left"));
    vip_progress_clear(&progress);
    vip_progress_clear(&progress);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text + size - 4, "\r\033[K");
    assert_null(strchr(text, '\n'));
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bars_fill_all_their_cells),
        cmocka_unit_test(test_a_bar_of_no_cells_is_nothing),
        cmocka_unit_test(test_put_cuts_pads_and_disarms),
        cmocka_unit_test(test_a_copy_is_short_whole_and_harmless),
        cmocka_unit_test(test_wrap_breaks_between_words_and_disarms),
        cmocka_unit_test(test_the_tail_of_a_text_is_short_and_whole),
        cmocka_unit_test(test_what_is_no_terminal_gets_no_colour_and_no_bar),
        cmocka_unit_test(test_a_bar_leaves_the_line_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
