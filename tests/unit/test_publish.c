/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_publish.c -- holds the promises made to readers: P1 to P3 of engine/README.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <publish.h>

#include "failing.h"
#include "stream.h"

enum { QUEUE = 64 }; /* results that wait for a reader */

/* Result k: every number in it tells k. */
static void
fill(vipann_result *r, uint32_t k)
{
    r->t_seconds = k;
    r->passes = k;
    r->last = k % 2 != 0;
    for (uint32_t c = 0; c < STREAM_CLASSES; c++) {
        r->p[c] = (float)k;
        r->std[c] = (float)(k + 1);
        r->aleatoric[c] = (float)(k + 2);
        r->epistemic[c] = (float)(k + 3 + c);
    }
}

static void
assert_is(const vipann_result *r, uint32_t k)
{
    assert_true(r->t_seconds == k && r->passes == k && r->last == (k % 2 != 0));
    assert_int_equal(r->classes, STREAM_CLASSES);
    for (uint32_t c = 0; c < STREAM_CLASSES; c++) {
        assert_true(r->p[c] == (float)k && r->std[c] == (float)(k + 1));
        assert_true(r->aleatoric[c] == (float)(k + 2) && r->epistemic[c] == (float)(k + 3 + c));
    }
}

static void
test_readers_do_not_steal_from_one_another(void **state) /* P1 */
{
    const stream_models *models = *state;
    vip_publisher *publisher = vip_publisher_new(STREAM_CLASSES, 1);
    vipann_reader *readers[VIPANN_MAX_READERS];
    for (int i = 0; i < VIPANN_MAX_READERS; i++) {
        readers[i] = vip_publisher_add(publisher, VIPANN_RESULTS | VIPANN_LATEST, NULL);
        assert_non_null(readers[i]);
    }
    vipann_result *given = vipann_result_new(models->same), *got = vipann_result_new(models->same);
    const float *const place = got->p;
    for (uint32_t k = 0; k < 10; k++) {
        fill(given, k);
        vip_publish_result(publisher, given);
    }
    for (int i = 0; i < VIPANN_MAX_READERS; i++) {
        for (uint32_t k = 0; k < 10; k++) {
            assert_true(vipann_next_result(readers[i], got));
            assert_is(got, k);
        }
        assert_false(vipann_next_result(readers[i], got));
        assert_true(vipann_latest(readers[i], got));
        assert_is(got, 9);
        assert_ptr_equal(got->p, place); /* the caller's own arrays */
    }
    vipann_result_free(given);
    vipann_result_free(got);
    vip_publisher_free(publisher);
    vip_publisher_free(NULL);
}

static void
test_latest_is_the_newest_once(void **state) /* P2 */
{
    const stream_models *models = *state;
    vip_publisher *publisher = vip_publisher_new(STREAM_CLASSES, 1);
    vipann_reader *reader = vip_publisher_add(publisher, VIPANN_LATEST, NULL);
    vipann_result *r = vipann_result_new(models->same);
    assert_false(vipann_latest(reader, r));
    for (uint32_t k = 0; k < 200; k++) {
        fill(r, k);
        vip_publish_result(publisher, r);
        if (k % 7 == 3) {
            assert_true(vipann_latest(reader, r));
            assert_is(r, k);
            assert_false(vipann_latest(reader, r));
            assert_is(r, k); /* nothing new leaves it alone */
        }
    }
    assert_false(vipann_next_result(reader, r)); /* was not asked for */
    assert_int_equal(vipann_reader_lost(reader), 0);
    vip_publisher_reset(publisher);
    assert_false(vipann_latest(reader, r));
    vipann_result_free(r);
    vip_publisher_free(publisher);
}

static void
test_slow_reader_loses_the_newest_and_is_told_how_many(void **state) /* P3 */
{
    const stream_models *models = *state;
    vip_publisher *publisher = vip_publisher_new(STREAM_CLASSES, 1);
    vipann_reader *slow = vip_publisher_add(publisher, VIPANN_RESULTS, NULL);
    vipann_reader *quick = vip_publisher_add(publisher, VIPANN_RESULTS, NULL);
    vipann_result *r = vipann_result_new(models->same);
    for (uint32_t k = 0; k < QUEUE + 9; k++) {
        fill(r, k);
        vip_publish_result(publisher, r);
        assert_true(vipann_next_result(quick, r));
        assert_is(r, k);
    }
    assert_int_equal(vipann_reader_lost(slow), 9);
    assert_int_equal(vipann_reader_lost(quick), 0);
    for (uint32_t k = 0; k < QUEUE; k++) {
        assert_true(vipann_next_result(slow, r));
        assert_is(r, k);
    }
    assert_false(vipann_next_result(slow, r));
    assert_false(vipann_latest(slow, r)); /* was not asked for */
    vip_publisher_reset(publisher);
    assert_int_equal(vipann_reader_lost(slow), 0);
    vipann_result_free(r);
    vip_publisher_free(publisher);
}

/* An endless stream of events for readers that want them, some slow, beside results that are no concern of theirs. */
static void
test_events_reach_whoever_wants_them_and_what_is_lost_is_counted(void **state) /* P1, P3 */
{
    const stream_models *models = *state;
    enum { ROOM = 512, GIVEN = 3000 }; /* room: the queue's, a power of two */
    vip_publisher *publisher = vip_publisher_new(STREAM_CLASSES, 1);
    assert_false(vip_publisher_wants_events(publisher));
    vipann_reader *deaf = vip_publisher_add(publisher, VIPANN_RESULTS | VIPANN_LATEST, NULL);
    assert_false(vip_publisher_wants_events(publisher));
    vipann_reader *slow = vip_publisher_add(publisher, VIPANN_EVENTS | VIPANN_RESULTS, NULL);
    vipann_reader *quick = vip_publisher_add(publisher, VIPANN_EVENTS, NULL);
    assert_true(vip_publisher_wants_events(publisher));
    vipann_result *r = vipann_result_new(models->same);
    vipann_event e;
    fill(r, 1);
    vip_publish_result(publisher, r);
    for (uint64_t id = 1; id <= GIVEN; id++) {
        const vipann_event given = {.id = id, .class_index = (uint32_t)id % STREAM_CLASSES, .p_max = 0.5};
        vip_publish_event(publisher, &given);
        assert_true(vipann_next_event(quick, &e));
        assert_true(e.id == id && e.class_index == id % STREAM_CLASSES && e.p_max == 0.5);
        assert_false(vipann_next_event(quick, &e));
    }
    uint64_t kept = 0;
    for (; vipann_next_event(slow, &e); kept++) {
        assert_true(e.id == kept + 1); /* the newest are lost */
    }
    assert_true(kept >= 256 && kept <= ROOM);
    assert_int_equal(vipann_reader_lost(slow), GIVEN - kept);
    assert_int_equal(vipann_reader_lost(quick), 0);
    assert_false(vipann_next_event(deaf, &e));
    assert_true(vipann_next_result(slow, r) && vipann_next_result(deaf, r));
    vip_publish_event(publisher, &e);
    vip_publisher_reset(publisher);
    assert_false(vipann_next_event(slow, &e));
    vipann_result_free(r);
    vip_publisher_free(publisher);
}

static void
test_engine_refuses_readers_that_it_cannot_serve(void **state)
{
    const stream_models *models = *state;
    vipann_engine *engine = vipann_engine_new(models->same, NULL, NULL);
    static const unsigned nonsense[] = {0, 8, 15, ~0u};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        vipann_error error = {VIPANN_OK, ""};
        assert_null(vipann_reader_new(engine, nonsense[i], &error));
        assert_int_equal(error.status, VIPANN_E_ARG);
        assert_null(vipann_reader_new(engine, nonsense[i], NULL));
    }
    for (int i = 0; i < VIPANN_MAX_READERS - 1; i++) {
        assert_non_null(vipann_reader_new(engine, i % 2 == 0 ? VIPANN_LATEST : VIPANN_RESULTS, NULL));
    }
    float x = 0;
    const float *channel = &x;
    (void)vipann_push(engine, &channel, 1);
    vipann_error error = {VIPANN_OK, ""};
    assert_null(vipann_reader_new(engine, VIPANN_LATEST, &error));
    assert_true(error.status == VIPANN_E_ARG && strstr(error.text, "first push") != NULL);
    vipann_engine_reset(engine);
    assert_non_null(vipann_reader_new(engine, VIPANN_LATEST, NULL));
    assert_null(vipann_reader_new(engine, VIPANN_LATEST, &error));
    assert_true(error.status == VIPANN_E_ARG && strstr(error.text, "at most 8") != NULL);
    vipann_engine_free(engine);
}

static void
test_new_says_when_memory_is_short(void **state)
{
    (void)state;
    vip_publisher *publisher = NULL;
    long n = 0;
    for (; publisher == NULL; n++) {
        failing_after(n);
        publisher = vip_publisher_new(STREAM_CLASSES, 1);
        failing_after(-1);
    }
    assert_true(n > 1);
    for (int i = 0; i < 100; i++) { /* what fails takes no reader's place */
        failing_after(i % 4);
        assert_null(vip_publisher_add(publisher, VIPANN_RESULTS | VIPANN_LATEST | VIPANN_EVENTS, NULL));
        failing_after(-1);
    }
    for (int i = 0; i < VIPANN_MAX_READERS; i++) {
        assert_non_null(vip_publisher_add(publisher, VIPANN_RESULTS, NULL));
    }
    vip_publisher_free(publisher);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readers_do_not_steal_from_one_another),
        cmocka_unit_test(test_latest_is_the_newest_once),
        cmocka_unit_test(test_slow_reader_loses_the_newest_and_is_told_how_many),
        cmocka_unit_test(test_events_reach_whoever_wants_them_and_what_is_lost_is_counted),
        cmocka_unit_test(test_engine_refuses_readers_that_it_cannot_serve),
        cmocka_unit_test(test_new_says_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, stream_open_models, stream_close_models);
}
