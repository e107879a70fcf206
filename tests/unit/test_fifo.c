/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_fifo.c -- holds the buffer of columns to its contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <base/memory.h>
#include <nn/fifo.h>

#include "listener.h"
#include "numbers.h"

enum { LANES = 16, CHANNELS = 20, BINS = 4, MEMBERS = 3, CAPACITY = 9 };

/* The value of a column's bin: halo bins, 0 and BINS + 1, are zero. */
static float
value(int64_t column, uint32_t block, uint32_t member, uint32_t bin, uint32_t lane)
{
    if (column < 0 || bin == 0 || bin == BINS + 1) {
        return 0;
    }
    return (float)(1 + column * 1000 + block * 500 + member * 100 + bin * 16 + lane);
}

static void
new_fifo(vip_fifo *fifo)
{
    vip_fifo_shape(fifo, LANES, CHANNELS, BINS, MEMBERS, CAPACITY);
    assert_int_equal(vip_fifo_size(fifo), 2 * LANES * CAPACITY * MEMBERS * (BINS + 2));
    fifo->data = vip_alloc(vip_fifo_size(fifo), sizeof *fifo->data);
    assert_non_null(fifo->data);
}

static float *
place(const vip_fifo *fifo, int64_t column, uint32_t block, uint32_t member, uint32_t bin)
{
    return vip_fifo_at(fifo, column) + block * fifo->block + member * fifo->member + (size_t)bin * LANES;
}

static void
write_column(const vip_fifo *fifo, int64_t column)
{
    for (uint32_t block = 0; block < fifo->blocks; block++) {
        for (uint32_t member = 0; member < MEMBERS; member++) {
            for (uint32_t bin = 1; bin <= BINS; bin++) {
                for (uint32_t lane = 0; lane < LANES; lane++) {
                    place(fifo, column, block, member, bin)[lane] = value(column, block, member, bin, lane);
                }
            }
        }
    }
}

static void
check_column(const vip_fifo *fifo, int64_t column)
{
    for (uint32_t block = 0; block < fifo->blocks; block++) {
        for (uint32_t member = 0; member < MEMBERS; member++) {
            for (uint32_t bin = 0; bin <= BINS + 1; bin++) {
                for (uint32_t lane = 0; lane < LANES; lane++) {
                    assert_true(place(fifo, column, block, member, bin)[lane] ==
                                value(column, block, member, bin, lane));
                }
            }
        }
    }
}

static void
test_columns_stay_what_they_are_while_they_are_needed(void **state)
{
    (void)state;
    vip_fifo fifo;
    new_fifo(&fifo);
    assert_int_equal(fifo.blocks, 2);
    vip_fifo_reset(&fifo, -2);
    int64_t needed = -2, end = 0;
    uint32_t random = 3;
    for (int step = 0; step < 2000; step++) {
        const int64_t room = CAPACITY - (end - needed), n = (int64_t)next_random(&random) % (room + 1);
        vip_fifo_reserve(&fifo, needed, end, end + n);
        for (int64_t t = end; t < end + n; t++) {
            write_column(&fifo, t);
        }
        end += n;
        for (int64_t t = needed; t < end; t++) {
            check_column(&fifo, t);
        }
        needed += (int64_t)next_random(&random) % (end - needed + 1);
    }
    vip_free(fifo.data);
}

static void
test_a_move_is_made_only_when_there_is_no_room(void **state)
{
    (void)state;
    vip_fifo fifo;
    new_fifo(&fifo);
    vip_fifo_reset(&fifo, 0);
    vip_fifo_reserve(&fifo, 4, CAPACITY, CAPACITY);
    assert_int_equal(fifo.origin, 0);
    vip_fifo_reserve(&fifo, 4, CAPACITY, CAPACITY + 1);
    assert_int_equal(fifo.origin, 4);
    vip_free(fifo.data);
}

static void
test_zero_clears_those_members_and_columns_and_no_others(void **state)
{
    (void)state;
    vip_fifo fifo;
    new_fifo(&fifo);
    vip_fifo_reset(&fifo, 0);
    for (int64_t t = 0; t < CAPACITY; t++) {
        write_column(&fifo, t);
    }
    vip_fifo_zero(&fifo, 2, 3, 1, 2);
    for (int64_t t = 0; t < CAPACITY; t++) {
        for (uint32_t block = 0; block < fifo.blocks; block++) {
            for (uint32_t member = 0; member < MEMBERS; member++) {
                const bool cleared = t >= 2 && t < 5 && member == 1;
                const float expected = cleared ? 0 : value(t, block, member, 2, 5);
                assert_true(place(&fifo, t, block, member, 2)[5] == expected);
            }
        }
    }
    vip_free(fifo.data);
}

static void
test_reset_forgets_everything(void **state) /* S8 */
{
    (void)state;
    vip_fifo fifo;
    new_fifo(&fifo);
    vip_fifo_reset(&fifo, 0);
    for (int64_t t = 0; t < CAPACITY; t++) {
        write_column(&fifo, t);
    }
    vip_fifo_reset(&fifo, -2);
    assert_int_equal(fifo.origin, -2);
    for (size_t i = 0; i < fifo.blocks * fifo.block; i++) {
        assert_true(fifo.data[i] == 0);
    }
    vip_free(fifo.data);
}

static void
test_a_narrow_shape_is_rounded_up_to_whole_lines(void **state)
{
    (void)state;
    vip_fifo fifo;
    vip_fifo_shape(&fifo, 1, 1, 64, 1, 3);
    assert_int_equal(fifo.column, 66);
    assert_int_equal(vip_fifo_size(&fifo), 208); /* 3 * 66 = 198 */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_stay_what_they_are_while_they_are_needed),
        cmocka_unit_test(test_a_move_is_made_only_when_there_is_no_room),
        cmocka_unit_test(test_zero_clears_those_members_and_columns_and_no_others),
        cmocka_unit_test(test_reset_forgets_everything),
        cmocka_unit_test(test_a_narrow_shape_is_rounded_up_to_whole_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
