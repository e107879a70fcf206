/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_portaudio_shared.c -- sound on its way from the process that hears. Run under the thread sanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <common/support.h>
#include <plugin/portaudio/shared.h>

#include "numbers.h"

enum { MOST_CHANNELS = 3, LONGEST = 5000 };

/* What channel c has at frame k of every stream in this file: a float holds it exactly. */
static float
sample(uint64_t k, uint32_t c)
{
    return (float)((k * 4 + c) & 0xffffff);
}

static void
fill(float *x, uint64_t k, uint32_t channels, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++) {
        for (uint32_t c = 0; c < channels; c++) {
            x[i * channels + c] = sample(k + i, c);
        }
    }
}

/* Takes at most `most` frames, which are to be those from k on. */
static uint32_t
take(vip_shared *shared, uint32_t channels, uint64_t k, uint32_t most, size_t *wrong)
{
    static float space[MOST_CHANNELS][LONGEST];
    float *out[MOST_CHANNELS] = {space[0], space[1], space[2]};
    const uint32_t n = vip_shared_take(shared, channels, out, most);
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t c = 0; c < channels; c++) {
            *wrong += space[c][i] != sample(k + i, c);
        }
    }
    return n;
}

static void
test_what_is_taken_is_what_was_put_channel_by_channel(void **state) /* D4 */
{
    (void)state;
    static float x[MOST_CHANNELS * LONGEST];
    for (uint32_t channels = 1; channels <= MOST_CHANNELS; channels++) {
        vip_shared *shared = vip_alloc(1, sizeof *shared);
        uint64_t put = 0, taken = 0;
        uint32_t seed = channels;
        size_t wrong = 0;
        while (put < 10 * (uint64_t)VIP_SHARED_FRAMES) { /* round the ring several times */
            const uint32_t n = next_random(&seed) % LONGEST;
            fill(x, put, channels, n);
            vip_shared_put(shared, channels, x, n);
            put += n;
            do {
                taken += take(shared, channels, taken, next_random(&seed) % LONGEST, &wrong);
            } while (put - taken > VIP_SHARED_FRAMES - LONGEST);
        }
        while (taken < put) {
            taken += take(shared, channels, taken, LONGEST, &wrong);
        }
        assert_int_equal(wrong, 0);
        assert_int_equal(take(shared, channels, taken, LONGEST, &wrong), 0);
        assert_int_equal(atomic_load(&shared->dropped), 0);
        vip_free(shared);
    }
}

static void
test_what_has_no_room_is_counted_and_leaves_the_rest_as_it_is(void **state) /* D5 */
{
    (void)state;
    enum { ROUND = 4096, CHANNELS = 2 };
    static float x[CHANNELS * ROUND];
    vip_shared *shared = vip_alloc(1, sizeof *shared);
    uint64_t put = 0;
    size_t wrong = 0;
    fill(x, put, CHANNELS, 100);
    vip_shared_put(shared, CHANNELS, x, 100); /* so that the ring does not begin at its beginning */
    assert_int_equal(take(shared, CHANNELS, put, LONGEST, &wrong), 100);
    for (put = 100; put < 100 + (uint64_t)VIP_SHARED_FRAMES + ROUND; put += ROUND) {
        fill(x, put, CHANNELS, ROUND);
        vip_shared_put(shared, CHANNELS, x, ROUND);
    }
    assert_int_equal(atomic_load(&shared->dropped), put - 100 - VIP_SHARED_FRAMES);
    vip_shared_put(shared, CHANNELS, x, ROUND);
    vip_shared_put(shared, CHANNELS, NULL, 7); /* a driver that has nothing to give */
    assert_int_equal(atomic_load(&shared->dropped), put - 100 - VIP_SHARED_FRAMES + ROUND + 7);
    uint64_t taken = 100;
    for (uint32_t n = 1; n > 0; taken += n) {
        n = take(shared, CHANNELS, taken, LONGEST, &wrong);
    }
    assert_int_equal(taken, 100 + VIP_SHARED_FRAMES);
    assert_int_equal(wrong, 0);
    vip_free(shared);
}

static void
test_what_is_skipped_is_gone_and_what_follows_is_there(void **state) /* D4 */
{
    (void)state;
    float x[10];
    vip_shared *shared = vip_alloc(1, sizeof *shared);
    size_t wrong = 0;
    fill(x, 0, 1, 10);
    vip_shared_put(shared, 1, x, 10);
    vip_shared_skip(shared);
    assert_int_equal(take(shared, 1, 0, LONGEST, &wrong), 0);
    fill(x, 50, 1, 10);
    vip_shared_put(shared, 1, x, 10);
    assert_int_equal(take(shared, 1, 50, LONGEST, &wrong), 10);
    assert_int_equal(wrong, 0);
    vip_free(shared);
}

enum { STREAM = 2000000, BLOCK = 997 };

/* As an audio thread that does not wait: but so that nothing is dropped, it lets the other have its turn. */
static void *
put_stream(void *user)
{
    static float x[2 * BLOCK];
    vip_shared *shared = user;
    uint32_t seed = 2;
    for (uint64_t k = 0; k < STREAM;) {
        uint32_t n = 1 + next_random(&seed) % BLOCK;
        n = n < STREAM - k ? n : (uint32_t)(STREAM - k);
        while (atomic_load_explicit(&shared->written, memory_order_relaxed) -
                   atomic_load_explicit(&shared->taken, memory_order_relaxed) >
               VIP_SHARED_FRAMES - BLOCK) {
            sched_yield();
        }
        fill(x, k, 2, n);
        vip_shared_put(shared, 2, x, n);
        k += n;
    }
    return NULL;
}

static void
test_two_threads_meet_in_the_ring(void **state) /* D4; the thread sanitizer sees a memory order that is too weak */
{
    (void)state;
    vip_shared *shared = vip_alloc(1, sizeof *shared);
    pthread_t putter;
    uint32_t seed = 3;
    size_t wrong = 0;
    assert_int_equal(pthread_create(&putter, NULL, put_stream, shared), 0);
    for (uint64_t k = 0; k < STREAM;) {
        const uint32_t n = take(shared, 2, k, 1 + next_random(&seed) % BLOCK, &wrong);
        k += n;
        if (n == 0) {
            sched_yield();
        }
    }
    assert_int_equal(pthread_join(putter, NULL), 0);
    assert_int_equal(wrong, 0);
    assert_int_equal(atomic_load(&shared->dropped), 0);
    vip_free(shared);
}

static void *
put_without_mercy(void *user)
{
    static const float zeros[LONGEST];
    for (unsigned i = 0; i < STREAM / LONGEST * 4; i++) {
        vip_shared_put(user, 1, zeros, LONGEST);
    }
    return NULL;
}

static void
test_under_overflow_each_frame_is_either_taken_or_counted(void **state) /* D5 */
{
    (void)state;
    static float space[LONGEST];
    float *out[] = {space};
    vip_shared *shared = vip_alloc(1, sizeof *shared);
    pthread_t putter;
    uint64_t taken = 0, all = (uint64_t)(STREAM / LONGEST * 4) * LONGEST;
    assert_int_equal(pthread_create(&putter, NULL, put_without_mercy, shared), 0);
    while (atomic_load(&shared->calls) < STREAM / LONGEST * 4) {
        taken += vip_shared_take(shared, 1, out, 100);
        sched_yield();
    }
    assert_int_equal(pthread_join(putter, NULL), 0);
    for (uint32_t n = 1; n > 0; taken += n) {
        n = vip_shared_take(shared, 1, out, LONGEST);
    }
    assert_true(atomic_load(&shared->dropped) > 0);
    assert_int_equal(taken + atomic_load(&shared->dropped), all);
    vip_free(shared);
}

static void
test_what_a_driver_has_spoilt_is_not_used(void **state) /* D9 */
{
    (void)state;
    static vip_devices devices;
    vip_device device;
    uint32_t channels;
    double rate;
    vip_shared *shared = vip_alloc(1, sizeof *shared);
    shared->devices.n = VIP_MOST_DEVICES;
    shared->device = VIP_MOST_DEVICES - 1;
    shared->channels = 2;
    shared->rate = 48000;
    memset(shared->devices.of[VIP_MOST_DEVICES - 1].name, 'x', VIP_DEVICE_NAME);
    memset(shared->devices.of[VIP_MOST_DEVICES - 1].api, 'x', VIP_DEVICE_API);
    assert_true(vip_shared_devices(shared, &devices));
    assert_int_equal(strlen(devices.of[VIP_MOST_DEVICES - 1].name), VIP_DEVICE_NAME - 1);
    assert_int_equal(strlen(devices.of[VIP_MOST_DEVICES - 1].api), VIP_DEVICE_API - 1);
    assert_true(vip_shared_heard(shared, &device, &channels, &rate));
    assert_int_equal(strlen(device.name), VIP_DEVICE_NAME - 1);
    assert_int_equal(strlen(device.api), VIP_DEVICE_API - 1);
    shared->devices.n = VIP_MOST_DEVICES + 1;
    assert_false(vip_shared_devices(shared, &devices));
    shared->device = VIP_MOST_DEVICES;
    assert_false(vip_shared_heard(shared, &device, &channels, &rate));
    shared->device = 0;
    shared->channels = VIPANN_MAX_CHANNELS + 1;
    assert_false(vip_shared_heard(shared, &device, &channels, &rate));
    shared->channels = 0;
    assert_false(vip_shared_heard(shared, &device, &channels, &rate));
    shared->channels = 1;
    shared->rate = NAN;
    assert_false(vip_shared_heard(shared, &device, &channels, &rate));
    vip_free(shared);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_taken_is_what_was_put_channel_by_channel),
        cmocka_unit_test(test_what_has_no_room_is_counted_and_leaves_the_rest_as_it_is),
        cmocka_unit_test(test_what_is_skipped_is_gone_and_what_follows_is_there),
        cmocka_unit_test(test_two_threads_meet_in_the_ring),
        cmocka_unit_test(test_under_overflow_each_frame_is_either_taken_or_counted),
        cmocka_unit_test(test_what_a_driver_has_spoilt_is_not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
