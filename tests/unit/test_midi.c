/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_midi.c -- notes of classes, and a port that has room or has not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include <plugin/out/midi.h>

enum { MOST = 8192 };

/* A port that takes so many messages more. */
typedef struct {
    unsigned room, n;
    uint8_t messages[MOST][VIP_MIDI_BYTES];
    uint32_t frames[MOST];
} heard;

static bool
hear(void *to, uint32_t frame, const uint8_t *message)
{
    heard *h = to;
    if (h->room == 0 || h->n == MOST) {
        return false;
    }
    h->room--;
    memcpy(h->messages[h->n], message, VIP_MIDI_BYTES);
    h->frames[h->n++] = frame;
    return true;
}

static void
is_message(const heard *h, unsigned i, uint8_t status, uint8_t note, uint8_t velocity)
{
    assert_true(i < h->n);
    assert_int_equal(h->messages[i][0], status);
    assert_int_equal(h->messages[i][1], note);
    assert_int_equal(h->messages[i][2], velocity);
}

static void
test_each_class_has_a_note_of_its_own_as_far_as_there_are_channels(void **state) /* O1 */
{
    (void)state;
    static heard h;
    static vip_midi midi;
    const vip_midi_port port = {hear, &h};
    h = (heard){.room = MOST};
    for (uint32_t i = 0; i < VIP_MIDI_NOTES + 100; i++) {
        vip_midi_begin(&midi, &port, i, i, 64);
    }
    assert_int_equal(h.n, VIP_MIDI_NOTES);
    for (uint32_t i = 0; i < VIP_MIDI_NOTES; i++) {
        is_message(&h, i, (uint8_t)(0x90 + i / 128), (uint8_t)(i % 128), 64);
        assert_int_equal(h.frames[i], i);
    }
    vip_midi_end(&midi, &port, 7, 300);
    is_message(&h, VIP_MIDI_NOTES, 0x82, 44, 0);
    vip_midi_end(&midi, &port, 7, 300); /* once */
    vip_midi_end(&midi, &port, 7, VIP_MIDI_NOTES);
    assert_int_equal(h.n, VIP_MIDI_NOTES + 1);
    vip_midi_release(&midi, &port);
    assert_int_equal(h.n, 2 * VIP_MIDI_NOTES);
    assert_int_equal(midi.n_sounding, 0);
}

static void
test_a_velocity_is_one_of_those_that_sound(void **state) /* O1 */
{
    (void)state;
    static const struct {
        double p;
        int velocity;
    } table[] = {{0, 1}, {-1, 1}, {0.004, 1}, {0.5, 64}, {0.9999, 127}, {1, 127}, {2, 127}, {NAN, 1}, {INFINITY, 127}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(vip_midi_velocity(table[i].p), table[i].velocity);
    }
}

static void
test_what_has_no_room_to_end_ends_later(void **state) /* O2 */
{
    (void)state;
    static heard h;
    static vip_midi midi;
    const vip_midi_port port = {hear, &h};
    h = (heard){.room = 2};
    midi = (vip_midi){.n_sounding = 0};
    vip_midi_begin(&midi, &port, 0, 1, 10);
    vip_midi_begin(&midi, &port, 0, 2, 20);
    vip_midi_begin(&midi, &port, 0, 3, 30); /* no room: it never began */
    for (int twice = 0; twice < 2; twice++) {
        vip_midi_end(&midi, &port, 0, 1);
        vip_midi_end(&midi, &port, 0, 3);
        vip_midi_settle(&midi, &port);
        assert_true(midi.n_sounding == 2 && midi.n_owed == 1 && h.n == 2);
    }
    vip_midi_begin(&midi, &port, 0, 1, 11); /* it sounds still */
    h.room = 9;
    vip_midi_settle(&midi, &port);
    is_message(&h, 2, 0x80, 1, 0);
    assert_true(h.n == 3 && midi.n_sounding == 1 && midi.n_owed == 0);
    vip_midi_begin(&midi, &port, 0, 2, 22); /* again: ends first */
    is_message(&h, 3, 0x80, 2, 0);
    is_message(&h, 4, 0x90, 2, 22);
    vip_midi_release(&midi, &port);
    is_message(&h, 5, 0x80, 2, 0);
    assert_true(h.n == 6 && midi.n_sounding == 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_class_has_a_note_of_its_own_as_far_as_there_are_channels),
        cmocka_unit_test(test_a_velocity_is_one_of_those_that_sound),
        cmocka_unit_test(test_what_has_no_room_to_end_ends_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
