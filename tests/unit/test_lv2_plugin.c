/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_lv2_plugin.c -- the plugin, called as a host calls it: what takes a failing allocator or a look inside.
 *
 * What hosts do to the bundle as a whole is in tests/hosts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lv2/atom/util.h>
#include <lv2/patch/patch.h>

#include <plugin/lv2/instance.h>
#include <plugin/lv2/messages.h>
#include <plugin/lv2/notes.h>

#include "failing.h"
#include "scratch.h"
#include "stream.h"

enum { RATE = 16000, NAMES = 128, NOTIFY = 8192, BLOCK = 1024 };

const LV2_Descriptor *lv2_descriptor(uint32_t index);

/* ----------------------------------------------------------------------------------------------------------- a host */

typedef struct {
    size_t n;
    char names[NAMES][96];
} name_table;

static LV2_URID
map_name(LV2_URID_Map_Handle handle, const char *uri)
{
    name_table *t = handle;
    size_t i = 0;
    while (i < t->n && strcmp(t->names[i], uri) != 0) {
        i++;
    }
    if (i == t->n && t->n < NAMES) {
        (void)snprintf(t->names[t->n++], sizeof t->names[0], "%s", uri);
    }
    return (LV2_URID)(i + 1);
}

typedef struct {
    name_table names;
    LV2_URID_Map map;
    const LV2_Descriptor *plugin;
    LV2_Handle instance;
    float in[BLOCK], out[BLOCK], controls[VIP_N_PORTS];
    union {
        LV2_Atom_Sequence sequence;
        uint64_t room[NOTIFY / sizeof(uint64_t)];
    } notify;
} test_host;

static void
begin_host(test_host *h, double rate)
{
    memset(h, 0, sizeof *h);
    h->map = (LV2_URID_Map){&h->names, map_name};
    const LV2_Feature map = {LV2_URID__map, &h->map};
    const LV2_Feature *const features[] = {&map, NULL};
    h->plugin = lv2_descriptor(0);
    h->instance = h->plugin->instantiate(h->plugin, rate, "", features);
    if (h->instance == NULL) {
        return;
    }
    h->plugin->connect_port(h->instance, 0, h->in);
    h->plugin->connect_port(h->instance, 1, h->out);
    for (int i = 0; i < VIP_N_PORTS; i++) {
        h->controls[i] = VIP_PORTS[i].normal;
        bool number = VIP_PORTS[i].kind == VIP_CONTROL_IN || VIP_PORTS[i].kind == VIP_CONTROL_OUT;
        h->plugin->connect_port(h->instance, vip_port_index(1, (vip_port)i), number ? &h->controls[i] : NULL);
    }
    h->plugin->connect_port(h->instance, vip_port_index(1, VIP_PORT_NOTIFY), &h->notify);
    h->controls[VIP_PORT_BLOCKING] = 1;
    h->plugin->activate(h->instance);
}

static void
end_host(test_host *h)
{
    if (h->instance != NULL) {
        h->plugin->deactivate(h->instance);
        h->plugin->cleanup(h->instance);
    }
}

static void
run_block(test_host *h, const float *x, uint32_t frames)
{
    memcpy(h->in, x, frames * sizeof *x);
    h->notify.sequence.atom.size = sizeof h->notify;
    h->plugin->run(h->instance, frames);
    assert_memory_equal(h->in, h->out, frames * sizeof *x);
}

static void
run_sound(test_host *h, const float *x, size_t n)
{
    for (size_t done = 0; done < n; done += BLOCK) {
        run_block(h, x + done, n - done < BLOCK ? (uint32_t)(n - done) : BLOCK);
    }
}

/* Whether the notify port holds a message of that type. */
static bool
was_told(const test_host *h, const char *uri)
{
    const LV2_Atom_Sequence *s = &h->notify.sequence;
    for (size_t i = 0; i < h->names.n; i++) {
        LV2_ATOM_SEQUENCE_FOREACH(s, event)
        {
            const LV2_Atom_Object_Body *body = LV2_ATOM_BODY_CONST(&event->body);
            if (strcmp(h->names.names[i], uri) == 0 && body->otype == i + 1) {
                return true;
            }
        }
    }
    return false;
}

static int
begin_group(void **state)
{
    if (stream_open_models(state) != 0) {
        return -1;
    }
    stream_models *models = *state;
    char path[SCRATCH_PATH];
    return setenv("VIPANN_MODEL", scratch_path(path, &models->folder, "causal.safetensors"), 1);
}

/* ------------------------------------------------------------------------------------------------------------ tests */

static void
test_no_memory_is_no_instance_or_one_that_passes_sound(void **state) /* L8 */
{
    (void)state;
    enum { LENGTH = 3 * STREAM_COLUMN };
    static test_host host;
    float *x = stream_sound(1, LENGTH);
    assert_non_null(x);
    bool failed = true;
    long n = 0;
    for (; failed; n++) {
        failing_after(n);
        begin_host(&host, RATE);
        failed = failing_count() > n;
        failing_after(-1);
        if (host.instance != NULL) {
            run_sound(&host, x, LENGTH);
        }
        end_host(&host);
    }
    assert_true(n > 10); /* there was something to fail */
    free(x);
}

static void
test_reset_and_activate_begin_anew_with_the_same_answers(void **state) /* L5 */
{
    (void)state;
    enum { LENGTH = 6 * STREAM_COLUMN };
    static test_host host;
    float *x = stream_sound(2, LENGTH);
    assert_non_null(x);
    begin_host(&host, RATE);
    float first[VIP_N_PORTS];
    for (int round = 0; round < 3; round++) {
        run_sound(&host, x, LENGTH);
        if (round == 0) {
            memcpy(first, host.controls, sizeof first);
            assert_true(first[VIP_PORT_TIME] > 0);
            assert_true(first[VIP_PORT_CLASS] >= 0 && first[VIP_PORT_EPISTEMIC] >= 0);
            assert_true(first[VIP_PORT_STATUS] == VIP_STATUS_RUNNING);
        }
        for (int i = VIP_PORT_PROBABILITY; i <= VIP_PORT_PASSES_USED; i++) {
            assert_true(host.controls[i] == first[i]);
        }
        if (round == 0) { /* a trigger */
            host.controls[VIP_PORT_RESET] = 1;
            run_block(&host, x, 0);
            assert_true(host.controls[VIP_PORT_TIME] == 0 && host.controls[VIP_PORT_CLASS] == -1);
            host.controls[VIP_PORT_RESET] = 0;
        } else {
            host.plugin->deactivate(host.instance);
            host.plugin->activate(host.instance);
        }
    }
    end_host(&host);
    free(x);
}

static void
test_off_means_that_nothing_is_heard(void **state) /* L5 */
{
    (void)state;
    enum { LENGTH = 4 * STREAM_COLUMN };
    static test_host host;
    float *x = stream_sound(2, LENGTH);
    assert_non_null(x);
    begin_host(&host, RATE);
    host.controls[VIP_PORT_ENABLED] = 0;
    run_sound(&host, x, LENGTH);
    assert_true(host.controls[VIP_PORT_TIME] == 0 && host.controls[VIP_PORT_CLASS] == -1);
    assert_false(was_told(&host, VIP_URI "Result"));
    host.controls[VIP_PORT_ENABLED] = 1;
    run_sound(&host, x, LENGTH);
    assert_true(host.controls[VIP_PORT_TIME] > 0 && host.controls[VIP_PORT_TIME] < 4.5f * 0.32f);
    end_host(&host);
    free(x);
}

static void
test_a_control_that_is_taken_away_has_its_normal_value(void **state) /* L5 */
{
    (void)state;
    enum { LENGTH = 6 * STREAM_COLUMN };
    static test_host host;
    float *x = stream_sound(3, LENGTH);
    assert_non_null(x);
    begin_host(&host, RATE);
    run_sound(&host, x, LENGTH);
    host.controls[VIP_PORT_ENABLED] = 0;
    run_sound(&host, x, LENGTH);
    assert_true(host.controls[VIP_PORT_TIME] == 0);
    host.plugin->connect_port(host.instance, vip_port_index(1, VIP_PORT_ENABLED), NULL);
    run_sound(&host, x, LENGTH);
    assert_true(host.controls[VIP_PORT_TIME] > 0);
    end_host(&host);
    free(x);
}

static void
test_controls_reach_the_analysis(void **state) /* L5 */
{
    (void)state;
    enum { LENGTH = 12 * STREAM_COLUMN };
    static test_host host;
    float *x = stream_sound(3, LENGTH);
    assert_non_null(x);
    begin_host(&host, RATE);
    host.controls[VIP_PORT_PASSES] = 3;
    host.controls[VIP_PORT_THRESHOLD] = 0.999999f;
    run_sound(&host, x, LENGTH);
    assert_true(host.controls[VIP_PORT_PASSES_USED] == 3);
    assert_true(host.controls[VIP_PORT_EVENTS] == 0);
    end_host(&host);
    begin_host(&host, RATE);
    host.controls[VIP_PORT_THRESHOLD] = 1e-6f;
    run_sound(&host, x, LENGTH);
    assert_true(host.controls[VIP_PORT_EVENTS] > 0 && host.controls[VIP_PORT_EVENTS] <= STREAM_CLASSES);
    end_host(&host);
    free(x);
}

/* At once, an answer speaks of all that has come; else up to 1.8 s of it are waited for. */
static void
test_another_latency_is_another_engine(void **state) /* L5 */
{
    stream_models *models = *state;
    char causal[SCRATCH_PATH], same[SCRATCH_PATH];
    (void)setenv("VIPANN_MODEL", scratch_path(same, &models->folder, "same.safetensors"), 1);
    enum { LENGTH = 40 * STREAM_COLUMN };
    static const double seconds = (double)LENGTH / RATE;
    static test_host host;
    float *x = stream_sound(3, LENGTH);
    assert_non_null(x);
    begin_host(&host, RATE);
    const vip_instance *p = host.instance;
    run_sound(&host, x, LENGTH);
    assert_true(p->result->t_seconds > seconds - 0.33);
    host.controls[VIP_PORT_LATENCY] = VIPANN_CENTRED;
    run_sound(&host, x, LENGTH);
    assert_true(p->result->t_seconds < 2 * seconds - 1 && p->result->t_seconds > 2 * seconds - 2.5);
    end_host(&host);
    free(x);
    (void)setenv("VIPANN_MODEL", scratch_path(causal, &models->folder, "causal.safetensors"), 1);
}

/* Memory is set aside for the model's own. Asked for before the first sound there is more at once; later, when the new
 * engine has heard a window. */
static void
test_more_members_and_a_longer_window_are_another_engine(void **state) /* L5 */
{
    (void)state;
    enum { FEW = 2 * STREAM_COLUMN, MANY = 70 * STREAM_COLUMN };
    static test_host host;
    float *x = stream_sound(5, MANY);
    assert_non_null(x);
    for (int later = 0; later < 2; later++) {
        begin_host(&host, RATE);
        const vip_instance *p = host.instance;
        if (later) {
            run_sound(&host, x, FEW);
            assert_true(p->result->passes > 0 && p->result->passes < 12);
        }
        host.controls[VIP_PORT_PASSES] = 12;
        run_sound(&host, x, FEW);
        assert_true((p->result->passes == 12) == !later);
        run_sound(&host, x, MANY);
        assert_int_equal(p->result->passes, 12);
        assert_true(p->result->window_seconds < 9);
        host.controls[VIP_PORT_WINDOW] = 9.6f;
        run_sound(&host, x, MANY);
        assert_true(fabs(p->result->window_seconds - 9.6) < 1e-6);
        host.controls[VIP_PORT_PASSES] = 3;
        run_sound(&host, x, FEW);
        assert_int_equal(p->result->passes, 3);
        end_host(&host);
    }
    free(x);
}

static void
test_a_rate_that_cannot_be_analysed_is_said_and_sound_passes(void **state) /* L3 */
{
    (void)state;
    static test_host host;
    float *x = stream_sound(4, BLOCK);
    assert_non_null(x);
    begin_host(&host, 1000);
    assert_non_null(host.instance);
    run_block(&host, x, BLOCK);
    assert_true(was_told(&host, LV2_PATCH__Set));
    assert_true(host.controls[VIP_PORT_STATUS] == VIP_STATUS_FAILED);
    end_host(&host);
    free(x);
}

static void
test_run_allocates_nothing(void **state) /* L4 */
{
    (void)state;
    static test_host host;
    float *x = stream_sound(5, BLOCK);
    assert_non_null(x);
    begin_host(&host, RATE);
    host.controls[VIP_PORT_BLOCKING] = 0;
    run_block(&host, x, BLOCK);
    for (int i = 0; i < 300; i++) {
        host.controls[VIP_PORT_PASSES] = (float)(i % 5);
        host.controls[VIP_PORT_WINDOW] = (float)(i % 7);
        host.controls[VIP_PORT_MIDI] = (float)(i % 2);
        failing_after(-1);
        host.notify.sequence.atom.size = sizeof host.notify;
        host.plugin->run(host.instance, BLOCK);
        assert_int_equal(failing_count(), 0); /* in no thread: what the loader does comes with requests only */
    }
    end_host(&host);
    free(x);
}

/* ------------------------------------------------------------------------------------------------------------ notes */

static uint32_t
begin_port(test_host *h, vip_instance *p, uint32_t capacity)
{
    h->notify.sequence.atom.size = capacity;
    vip_messages_begin(p);
    return h->notify.sequence.atom.size;
}

/* Notes that sound after what the port says; every note-off must end one. */
static int
count_notes(const test_host *h, const vip_instance *p, int sounding)
{
    LV2_ATOM_SEQUENCE_FOREACH(&h->notify.sequence, event)
    {
        const uint8_t *bytes = LV2_ATOM_BODY_CONST(&event->body);
        assert_int_equal(event->body.type, p->uris.midi_event);
        assert_int_equal(event->body.size, 3);
        assert_true((bytes[0] >> 4) == 8 || (bytes[0] >> 4) == 9);
        assert_int_equal((bytes[0] & 0xf) * 128 + bytes[1], 300);
        assert_true((bytes[0] >> 4) == 8 || (bytes[2] >= 1 && bytes[2] <= 127));
        sounding += (bytes[0] >> 4) == 9 ? 1 : -1;
        assert_true(sounding == 0 || sounding == 1);
    }
    return sounding;
}

static void
test_a_note_ends_later_where_there_is_no_room(void **state) /* L7 */
{
    (void)state;
    static test_host host;
    begin_host(&host, RATE);
    vip_instance *p = host.instance;
    const vipann_event begin = {.class_index = 300, .p_max = 0.5};
    const vipann_event end = {.class_index = 300, .p_max = 0.5, .ended = true};

    begin_port(&host, p, sizeof host.notify);
    vip_notes_event(p, 0, &begin, true);
    assert_int_equal(count_notes(&host, p, 0), 1);

    for (uint32_t room = 0; room < 40;
         room += 8) { /* not enough for any: an event and three bytes take 24 more than 16 */
        begin_port(&host, p, room);
        vip_notes_settle(p);
        vip_notes_event(p, 0, &end, true);
        vip_notes_release(p);
        assert_true(p->notes.n_owed == 1 && p->notes.n_sounding == 1);
    }
    begin_port(&host, p, sizeof host.notify);
    vip_notes_settle(p);
    assert_int_equal(count_notes(&host, p, 1), 0);
    assert_true(p->notes.n_owed == 0 && p->notes.n_sounding == 0);

    /* A beginning after an end that was owed: the old note ends first. */
    begin_port(&host, p, sizeof host.notify);
    vip_notes_event(p, 0, &begin, true);
    begin_port(&host, p, 0);
    vip_notes_event(p, 0, &end, true);
    begin_port(&host, p, sizeof host.notify);
    vip_notes_event(p, 0, &begin, true);
    vip_notes_release(p);
    assert_int_equal(count_notes(&host, p, 1), 0);
    vip_notes_event(p, 0, &begin, false);
    assert_int_equal(p->notes.n_sounding, 0);
    end_host(&host);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_memory_is_no_instance_or_one_that_passes_sound),
        cmocka_unit_test(test_reset_and_activate_begin_anew_with_the_same_answers),
        cmocka_unit_test(test_off_means_that_nothing_is_heard),
        cmocka_unit_test(test_a_control_that_is_taken_away_has_its_normal_value),
        cmocka_unit_test(test_controls_reach_the_analysis),
        cmocka_unit_test(test_another_latency_is_another_engine),
        cmocka_unit_test(test_more_members_and_a_longer_window_are_another_engine),
        cmocka_unit_test(test_a_rate_that_cannot_be_analysed_is_said_and_sound_passes),
        cmocka_unit_test(test_run_allocates_nothing),
        cmocka_unit_test(test_a_note_ends_later_where_there_is_no_room),
    };
    return cmocka_run_group_tests(tests, begin_group, stream_close_models);
}
