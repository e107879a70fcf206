/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_results.c -- holds the invariants of results.h; run under the thread sanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <rt/results.h>

#include "failing.h"
#include "numbers.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* Record k: every word tells k, so that a mixture of two records shows. Its size is no power of two, nor a whole
 * number of cache lines. */
enum { WORDS = 53 };

typedef struct {
    uint32_t word[WORDS];
} record;

static record
numbered(uint32_t k)
{
    record r;
    for (uint32_t i = 0; i < WORDS; i++) {
        r.word[i] = k + i;
    }
    return r;
}

static bool
is_whole(const record *r)
{
    for (uint32_t i = 1; i < WORDS; i++) {
        if (r->word[i] != r->word[0] + i) {
            return false;
        }
    }
    return true;
}

/* ----------------------------------------------------------------------------------------------------- the queue */

static void
test_queue_refuses_sizes_out_of_range(void **state)
{
    (void)state;
    static const struct {
        size_t records, bytes;
    } refused[] = {
        {0, 4}, {4, 0}, {SIZE_MAX, 1}, {1, SIZE_MAX}, {SIZE_MAX / 2 + 1, 2}, {VIP_RESULTS_MAX_BYTES / 4 + 1, 4}};
    for (size_t i = 0; i < LENGTH(refused); i++) {
        assert_null(vip_queue_new(refused[i].records, refused[i].bytes));
    }
    vip_queue_free(NULL);
}

static void
test_new_says_when_memory_is_short(void **state)
{
    (void)state;
    failing_after(0);
    vip_queue *queue = vip_queue_new(4, 4);
    vip_slot *slot = vip_slot_new(4);
    failing_after(-1);
    assert_null(queue);
    assert_null(slot);
}

static void
test_queue_capacity_is_rounded_up_and_wholly_usable(void **state)
{
    (void)state;
    static const struct {
        size_t asked, given;
    } table[] = {{1, 1}, {2, 2}, {3, 4}, {5, 8}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_queue *queue = vip_queue_new(table[i].asked, sizeof(record));
        assert_non_null(queue);
        record r = numbered(0);
        for (size_t k = 0; k < table[i].given; k++) {
            assert_int_equal(vip_queue_write_space(queue), table[i].given - k);
            assert_true(vip_queue_write(queue, &r));
        }
        assert_int_equal(vip_queue_write_space(queue), 0);
        assert_false(vip_queue_write(queue, &r));
        vip_queue_free(queue);
    }
}

static void
test_queue_counts_what_it_refuses_and_keeps_nothing_of_it(void **state) /* Q1, Q2 */
{
    (void)state;
    vip_queue *queue = vip_queue_new(2, sizeof(record));
    for (uint32_t k = 0; k < 5; k++) {
        record r = numbered(100 * k);
        assert_int_equal(vip_queue_write(queue, &r), k < 2);
        assert_int_equal(vip_queue_lost(queue), k < 2 ? 0 : k - 1);
    }
    record r;
    for (uint32_t k = 0; k < 2; k++) {
        assert_true(vip_queue_read(queue, &r));
        assert_int_equal(r.word[0], 100 * k);
        assert_true(is_whole(&r));
    }
    record before = r;
    assert_false(vip_queue_read(queue, &r));
    assert_memory_equal(&r, &before, sizeof r);
    assert_int_equal(vip_queue_lost(queue), 3);
    vip_queue_free(queue);
}

static void
test_queue_peek_leaves_the_record_there(void **state) /* Q2 */
{
    (void)state;
    vip_queue *queue = vip_queue_new(4, sizeof(record));
    record r = numbered(7);
    assert_false(vip_queue_peek(queue, &r));
    assert_true(vip_queue_write(queue, &r));
    for (int i = 0; i < 3; i++) {
        memset(&r, 0, sizeof r);
        assert_true(vip_queue_peek(queue, &r));
        assert_int_equal(r.word[0], 7);
        assert_int_equal(vip_queue_write_space(queue), 3);
    }
    assert_true(vip_queue_read(queue, &r));
    assert_false(vip_queue_peek(queue, &r));
    vip_queue_free(queue);
}

/* Compares the queue with two counters, for every small capacity, over random writes, reads and peeks. */
static void
test_queue_order_over_many_turns(void **state) /* Q1, Q2 */
{
    (void)state;
    enum { LARGEST = 16, STEPS = 20000 };
    for (size_t capacity = 1; capacity <= LARGEST; capacity *= 2) {
        vip_queue *queue = vip_queue_new(capacity, sizeof(record));
        uint32_t written = 0, taken = 0, seed = 1;
        uint64_t lost = 0;
        record r;
        for (int step = 0; step < STEPS; step++) {
            bool fits = written - taken < capacity, there = written != taken;
            switch (next_random(&seed) % 4) {
            case 0:
            case 1:
                r = numbered(written);
                assert_int_equal(vip_queue_write(queue, &r), fits);
                written += fits;
                lost += !fits;
                break;
            case 2:
                assert_int_equal(vip_queue_peek(queue, &r), there);
                assert_true(!there || (r.word[0] == taken && is_whole(&r)));
                break;
            default:
                assert_int_equal(vip_queue_read(queue, &r), there);
                assert_true(!there || (r.word[0] == taken && is_whole(&r)));
                taken += there;
            }
            assert_int_equal(vip_queue_write_space(queue), capacity - (written - taken));
            assert_int_equal(vip_queue_lost(queue), lost);
        }
        vip_queue_reset(queue);
        assert_false(vip_queue_read(queue, &r));
        assert_int_equal(vip_queue_lost(queue), 0);
        assert_int_equal(vip_queue_write_space(queue), capacity);
        vip_queue_free(queue);
    }
}

/* ------------------------------------------------------------------------------------------------------ the slot */

static void
test_slot_refuses_sizes_out_of_range(void **state)
{
    (void)state;
    static const size_t refused[] = {0, SIZE_MAX, VIP_RESULTS_MAX_BYTES / 3 + 1};
    for (size_t i = 0; i < LENGTH(refused); i++) {
        assert_null(vip_slot_new(refused[i]));
    }
    vip_slot_free(NULL);
}

/* Compares the slot with the number last written and the number last read, over random writes and reads. */
static void
test_slot_gives_the_latest_record_once(void **state) /* L1, L2 */
{
    (void)state;
    vip_slot *slot = vip_slot_new(sizeof(record));
    assert_non_null(slot);
    uint32_t written = 0, seen = 0, seed = 1;
    record r = numbered(9);
    assert_false(vip_slot_read(slot, &r));
    for (int step = 0; step < 20000; step++) {
        if (next_random(&seed) % 2 == 0) {
            r = numbered(++written);
            vip_slot_write(slot, &r);
        } else {
            record before = r;
            bool newer = written != seen;
            assert_int_equal(vip_slot_read(slot, &r), newer);
            if (newer) {
                assert_int_equal(r.word[0], written);
                assert_true(is_whole(&r));
                seen = written;
            } else {
                assert_memory_equal(&r, &before, sizeof r);
            }
        }
    }
    r = numbered(1);
    vip_slot_write(slot, &r);
    vip_slot_reset(slot);
    assert_false(vip_slot_read(slot, &r));
    vip_slot_write(slot, &r);
    assert_true(vip_slot_read(slot, &r));
    vip_slot_free(slot);
}

/* --------------------------------------------------------------------------------------------------- two threads */

enum { STREAM = 300000 };

static void *
write_queue(void *argument)
{
    vip_queue *queue = argument;
    for (uint32_t k = 0; k < STREAM;) {
        record r = numbered(k);
        if (vip_queue_write(queue, &r)) {
            k++;
        } else {
            sched_yield();
        }
    }
    return NULL;
}

static void
test_queue_with_two_threads(void **state) /* Q1; the thread sanitizer sees a memory order that is too weak */
{
    (void)state;
    vip_queue *queue = vip_queue_new(8, sizeof(record));
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, write_queue, queue), 0);
    size_t wrong = 0;
    record r;
    for (uint32_t k = 0; k < STREAM;) {
        if (vip_queue_read(queue, &r)) {
            wrong += r.word[0] != k || !is_whole(&r);
            k++;
        } else {
            sched_yield();
        }
    }
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_int_equal(wrong, 0);
    assert_false(vip_queue_read(queue, &r));
    vip_queue_free(queue);
}

typedef struct {
    vip_slot *slot;
    atomic_bool done;
} broadcast;

static void *
write_slot(void *argument)
{
    broadcast *b = argument;
    for (uint32_t k = 1; k <= STREAM; k++) {
        record r = numbered(k);
        vip_slot_write(b->slot, &r);
        if (k % 64 == 0) {
            sched_yield(); /* on one core too the reader comes between */
        }
    }
    atomic_store(&b->done, true);
    return NULL;
}

static void
test_slot_with_two_threads(void **state) /* L1, L2 */
{
    (void)state;
    broadcast b = {.slot = vip_slot_new(sizeof(record))};
    atomic_init(&b.done, false);
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, write_slot, &b), 0);
    size_t mixed = 0, backwards = 0;
    uint32_t newest = 0;
    for (bool done = false; !done;) {
        done = atomic_load(&b.done); /* before the read: what comes after the last write must be the last record */
        record r;
        if (vip_slot_read(b.slot, &r)) {
            mixed += !is_whole(&r);
            backwards += r.word[0] <= newest;
            newest = r.word[0];
        }
    }
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_int_equal(mixed, 0);
    assert_int_equal(backwards, 0);
    assert_int_equal(newest, STREAM);
    vip_slot_free(b.slot);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_refuses_sizes_out_of_range),
        cmocka_unit_test(test_new_says_when_memory_is_short),
        cmocka_unit_test(test_queue_capacity_is_rounded_up_and_wholly_usable),
        cmocka_unit_test(test_queue_counts_what_it_refuses_and_keeps_nothing_of_it),
        cmocka_unit_test(test_queue_peek_leaves_the_record_there),
        cmocka_unit_test(test_queue_order_over_many_turns),
        cmocka_unit_test(test_slot_refuses_sizes_out_of_range),
        cmocka_unit_test(test_slot_gives_the_latest_record_once),
        cmocka_unit_test(test_queue_with_two_threads),
        cmocka_unit_test(test_slot_with_two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
