/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_ring.c -- holds the invariants of ring.h; run under the thread sanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include <rt/ring.h>

#include "failing.h"
#include "numbers.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* The value of sample k of every stream in this file: a float holds it exactly. */
static float
sample(size_t k)
{
    return (float)(k & 0xffffff);
}

static void
test_new_refuses_a_capacity_out_of_range(void **state)
{
    (void)state;
    static const size_t refused[] = {0, VIP_RING_MAX_CAPACITY + 1, SIZE_MAX};
    for (size_t i = 0; i < LENGTH(refused); i++) {
        assert_null(vip_ring_new(refused[i]));
    }
    vip_ring_free(NULL);
}

static void
test_new_says_when_memory_is_short(void **state)
{
    (void)state;
    failing_after(0);
    vip_ring *ring = vip_ring_new(8);
    failing_after(-1);
    assert_null(ring);
}

static void
test_capacity_is_rounded_up_and_wholly_usable(void **state)
{
    (void)state;
    static const struct {
        size_t asked, given;
    } table[] = {{1, 1}, {2, 2}, {3, 4}, {4, 4}, {1000, 1024}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_ring *ring = vip_ring_new(table[i].asked);
        assert_non_null(ring);
        assert_int_equal(vip_ring_capacity(ring), table[i].given);
        float x = 0;
        for (size_t k = 0; k < table[i].given; k++) {
            assert_int_equal(vip_ring_write_space(ring), table[i].given - k);
            assert_true(vip_ring_write(ring, &x, 1));
        }
        assert_false(vip_ring_write(ring, &x, 1));
        vip_ring_free(ring);
    }
}

static void
test_write_takes_effect_wholly_or_not_at_all(void **state) /* I2 */
{
    (void)state;
    static const struct {
        size_t held, written;
        bool fits;
    } table[] = {{0, 8, true}, {0, 9, false}, {5, 3, true}, {5, 4, false}, {8, 0, true}, {8, 1, false}};
    static const float zeros[9];
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_ring *ring = vip_ring_new(8);
        assert_true(vip_ring_write(ring, zeros, table[i].held));
        assert_int_equal(vip_ring_write(ring, zeros, table[i].written), table[i].fits);
        assert_int_equal(vip_ring_read_space(ring), table[i].held + (table[i].fits ? table[i].written : 0));
        vip_ring_free(ring);
    }
}

/* Compares the ring with two counters, for every small capacity, over random writes, reads and skips of every length. */
static void
test_order_over_many_turns(void **state) /* I1, I2 */
{
    (void)state;
    enum { LARGEST = 64, STEPS = 20000 };
    float buffer[LARGEST + 2];
    for (size_t capacity = 1; capacity <= LARGEST; capacity *= 2) {
        vip_ring *ring = vip_ring_new(capacity);
        size_t written = 0, taken = 0;
        uint32_t seed = 1;
        for (int step = 0; step < STEPS; step++) {
            size_t n = next_random(&seed) % (capacity + 2);
            size_t there = written - taken;
            size_t expected = n < there ? n : there;
            switch (next_random(&seed) % 4) {
            case 0:
            case 1:
                for (size_t i = 0; i < n; i++) {
                    buffer[i] = sample(written + i);
                }
                assert_int_equal(vip_ring_write(ring, buffer, n), n <= capacity - there);
                written += n <= capacity - there ? n : 0;
                break;
            case 2:
                assert_int_equal(vip_ring_read(ring, buffer, n), expected);
                for (size_t i = 0; i < expected; i++) {
                    assert_true(buffer[i] == sample(taken + i));
                }
                taken += expected;
                break;
            default:
                assert_int_equal(vip_ring_skip(ring, n), expected);
                taken += expected;
            }
            assert_int_equal(vip_ring_read_space(ring), written - taken);
            assert_int_equal(vip_ring_write_space(ring), capacity - (written - taken));
        }
        vip_ring_reset(ring);
        assert_int_equal(vip_ring_read_space(ring), 0);
        assert_int_equal(vip_ring_write_space(ring), capacity);
        vip_ring_free(ring);
    }
}

enum { STREAM = 2000000, LONGEST_WRITE = 97, LONGEST_READ = 61 };

static void *
write_stream(void *argument)
{
    vip_ring *ring = argument;
    float buffer[LONGEST_WRITE];
    uint32_t seed = 2;
    for (size_t k = 0; k < STREAM;) {
        size_t n = 1 + next_random(&seed) % LONGEST_WRITE;
        n = n < STREAM - k ? n : STREAM - k;
        for (size_t i = 0; i < n; i++) {
            buffer[i] = sample(k + i);
        }
        while (!vip_ring_write(ring, buffer, n)) {
            sched_yield();
        }
        k += n;
    }
    return NULL;
}

static void
test_two_threads(void **state) /* I1, I3; the thread sanitizer sees a memory order that is too weak */
{
    (void)state;
    vip_ring *ring = vip_ring_new(256);
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, write_stream, ring), 0);
    float buffer[LONGEST_READ];
    uint32_t seed = 3;
    size_t wrong = 0;
    for (size_t k = 0; k < STREAM;) {
        size_t n = vip_ring_read(ring, buffer, 1 + next_random(&seed) % LONGEST_READ);
        for (size_t i = 0; i < n; i++) {
            wrong += buffer[i] != sample(k + i);
        }
        k += n;
        if (n == 0) {
            sched_yield();
        }
    }
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_int_equal(wrong, 0);
    assert_int_equal(vip_ring_read_space(ring), 0);
    vip_ring_free(ring);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_refuses_a_capacity_out_of_range),
        cmocka_unit_test(test_new_says_when_memory_is_short),
        cmocka_unit_test(test_capacity_is_rounded_up_and_wholly_usable),
        cmocka_unit_test(test_write_takes_effect_wholly_or_not_at_all),
        cmocka_unit_test(test_order_over_many_turns),
        cmocka_unit_test(test_two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
