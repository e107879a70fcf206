/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_memory.c -- holds the promises of base/memory.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include <base/memory.h>

#include "failing.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static bool
all_zero(const unsigned char *block, size_t bytes)
{
    size_t other = 0;
    for (size_t i = 0; i < bytes; i++) {
        other += block[i] != 0;
    }
    return other == 0;
}

static void
test_blocks_are_aligned_and_zero(void **state)
{
    (void)state;
    static const struct {
        size_t count, size;
    } table[] = {{1, 1}, {3, 7}, {64, 1}, {65, 1}, {1000, 4}, {1, 33u << 20}, {(33u << 20) + 1, 1}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        for (int again = 0; again < 2; again++) { /* the second time from memory that has been used */
            size_t bytes = table[i].count * table[i].size;
            unsigned char *block = vip_alloc(table[i].count, table[i].size);
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % VIP_ALIGNMENT, 0);
            assert_true(all_zero(block, bytes));
            memset(block, 0xa5, bytes);
            vip_free(block);
        }
    }
}

static void
test_nothing_is_a_block_too(void **state)
{
    (void)state;
    static const size_t table[][2] = {{0, 0}, {0, 8}, {8, 0}, {0, SIZE_MAX}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        void *block = vip_alloc(table[i][0], table[i][1]);
        assert_non_null(block);
        vip_free(block);
    }
    vip_free(NULL);
}

static void
test_sizes_that_overflow_are_refused_without_asking(void **state)
{
    (void)state;
    static const size_t table[][2] = {{SIZE_MAX, 1},
                                      {SIZE_MAX, 2},
                                      {SIZE_MAX / 2 + 1, 2},
                                      {SIZE_MAX, SIZE_MAX},
                                      {SIZE_MAX - 63, 1},
                                      {SIZE_MAX / 2, 1},
                                      {(size_t)1 << 32, (size_t)1 << 32}}; /* wraps to 0 */
    failing_after(-1);
    for (size_t i = 0; i < LENGTH(table); i++) {
        assert_null(vip_alloc(table[i][0], table[i][1]));
    }
    assert_int_equal(failing_count(), 0);
}

static void
test_product_saturates(void **state)
{
    (void)state;
    static const size_t table[][3] = {
        {0, 0, 0},
        {0, SIZE_MAX, 0},
        {SIZE_MAX, 0, 0},
        {6, 7, 42},
        {SIZE_MAX, 1, SIZE_MAX},
        {SIZE_MAX / 3, 3, SIZE_MAX / 3 * 3},
        {SIZE_MAX / 3 + 1, 3, SIZE_MAX},
        {SIZE_MAX, SIZE_MAX, SIZE_MAX},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        assert_true(vip_product(table[i][0], table[i][1]) == table[i][2]);
    }
}

static void
test_short_memory_is_told(void **state)
{
    (void)state;
    failing_after(0);
    void *block = vip_alloc(4, 4);
    char *copy = vip_copy_string("text");
    failing_after(-1);
    assert_null(block);
    assert_null(copy);
}

static void
test_a_copied_string_is_its_own(void **state)
{
    (void)state;
    char text[] = "Gl\xc3\xbchw\xc3\xbcrmchen";
    char *copy = vip_copy_string(text);
    assert_non_null(copy);
    assert_string_equal(copy, text);
    text[0] = 'X';
    assert_int_equal(copy[0], 'G');
    vip_free(copy);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_are_aligned_and_zero),
        cmocka_unit_test(test_nothing_is_a_block_too),
        cmocka_unit_test(test_sizes_that_overflow_are_refused_without_asking),
        cmocka_unit_test(test_product_saturates),
        cmocka_unit_test(test_short_memory_is_told),
        cmocka_unit_test(test_a_copied_string_is_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
