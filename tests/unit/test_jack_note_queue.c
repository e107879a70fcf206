/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_jack_note_queue.c -- notes between two threads. Run under the thread sanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#include <plugin/jack/note_queue.h>

#include "failing.h"

/* What came out: on and off must take turns in each class. */
typedef struct {
    unsigned room, begun, ended, wrong;
    bool on[VIP_MIDI_NOTES];
} heard;

static bool
hear(void *to, uint32_t frame, const uint8_t *message)
{
    heard *h = to;
    if (h->room == 0) {
        return false;
    }
    h->room--;
    const unsigned i = 128U * (message[0] & 0x0fU) + message[1];
    const bool on = (message[0] & 0xf0) == 0x90;
    h->wrong += h->on[i] == on || frame != 0;
    h->on[i] = on;
    h->begun += on;
    h->ended += !on;
    return true;
}

static void
tell(vip_note_queue *q, uint32_t class_index, bool ended)
{
    const vipann_event event = {.class_index = class_index, .ended = ended, .p_max = 0.5};
    vip_note_queue_event(q, &event);
}

static void
test_a_note_lasts_while_any_input_hears_the_class(void **state) /* J3 */
{
    (void)state;
    static heard h;
    h = (heard){.room = 100};
    const vip_midi_port port = {hear, &h};
    vip_note_queue *q = vip_note_queue_new();
    tell(q, 5, false);
    tell(q, 5, false);
    tell(q, 4000, false); /* has none */
    assert_false(vip_note_queue_silent(q));
    tell(q, 5, true);
    vip_note_queue_play(q, &port);
    assert_true(h.begun == 1 && h.ended == 0 && h.on[5] && !vip_note_queue_silent(q));
    tell(q, 5, true);
    tell(q, 5, true); /* one too many */
    vip_note_queue_play(q, &port);
    assert_true(h.begun == 1 && h.ended == 1 && h.wrong == 0 && vip_note_queue_silent(q));
    tell(q, 6, false);
    vip_note_queue_play(q, &port);
    vip_note_queue_end(q);
    vip_note_queue_play(q, &port);
    assert_true(h.ended == 2 && vip_note_queue_silent(q));
    vip_note_queue_free(q);
}

static void
test_whatever_is_told_and_nobody_takes_each_note_that_begins_ends(void **state) /* J3 */
{
    (void)state;
    static heard h;
    h = (heard){.room = 0};
    const vip_midi_port port = {hear, &h};
    vip_note_queue *q = vip_note_queue_new();
    for (int round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < VIP_MIDI_NOTES; i++) {
            tell(q, i, false);
        }
        if (round == 2) {
            vip_note_queue_play(q, &port); /* which has no room */
            h.room = 77;
            vip_note_queue_play(q, &port);
        }
        for (uint32_t i = 0; i < VIP_MIDI_NOTES; i++) {
            tell(q, i, true);
        }
    }
    h.room = 100000;
    for (int i = 0; i < 200; i++) {
        vip_note_queue_play(q, &port);
    }
    assert_true(h.begun > 1000 && h.begun == h.ended && h.wrong == 0);
    assert_true(vip_note_queue_silent(q));
    tell(q, 1, false);
    vip_note_queue_play(q, &port);
    vip_note_queue_clear(q);
    assert_true(vip_note_queue_silent(q));
    vip_note_queue_free(q);
}

enum { ROUNDS = 30000 };

typedef struct {
    vip_note_queue *queue;
    atomic_bool over;
    heard heard;
} listener;

static void *
listen(void *data)
{
    listener *l = data;
    const vip_midi_port port = {hear, &l->heard};
    while (!atomic_load(&l->over)) {
        l->heard.room = 50;
        vip_note_queue_play(l->queue, &port);
    }
    return NULL;
}

static void
test_notes_of_another_thread_come_in_order_and_end(void **state) /* J3 */
{
    (void)state;
    static listener l;
    pthread_t thread;
    l.queue = vip_note_queue_new();
    atomic_init(&l.over, false);
    assert_int_equal(pthread_create(&thread, NULL, listen, &l), 0);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        tell(l.queue, i * 7 % VIP_MIDI_NOTES, false);
        tell(l.queue, i * 7 % VIP_MIDI_NOTES, true);
    }
    tell(l.queue, 9, false);
    vip_note_queue_end(l.queue);
    while (!vip_note_queue_silent(l.queue)) {
    }
    atomic_store(&l.over, true);
    (void)pthread_join(thread, NULL);
    assert_true(l.heard.begun > 0 && l.heard.begun == l.heard.ended && l.heard.wrong == 0);
    vip_note_queue_free(l.queue);
}

static void
test_no_memory_is_no_queue(void **state) /* J3 */
{
    (void)state;
    failing_after(0);
    vip_note_queue *q = vip_note_queue_new();
    failing_after(-1);
    assert_null(q);
    vip_note_queue_free(q);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_note_lasts_while_any_input_hears_the_class),
        cmocka_unit_test(test_whatever_is_told_and_nobody_takes_each_note_that_begins_ends),
        cmocka_unit_test(test_notes_of_another_thread_come_in_order_and_end),
        cmocka_unit_test(test_no_memory_is_no_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
