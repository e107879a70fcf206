/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_outbox.c -- results and events on their way between two threads: X1 of plugin/stream/README.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "numbers.h"
#include "plugin/stream/outbox.h"

/* Result number k: so many classes, all numbers of which say which they are. */
static void
fill(vipann_result *r, uint32_t k, uint32_t classes)
{
    r->t_seconds = k;
    r->classes = classes;
    for (uint32_t c = 0; c < classes; c++) {
        r->p[c] = (float)(k + c);
        r->std[c] = (float)(k + c) + 0.25f;
        r->aleatoric[c] = (float)(k + c) + 0.5f;
        r->epistemic[c] = (float)(k + c) + 0.75f;
    }
}

static void
assert_result(const vipann_result *r, uint32_t k, uint32_t classes)
{
    size_t wrong = r->t_seconds != k || r->classes != classes;
    for (uint32_t c = 0; c < classes; c++) {
        wrong += r->p[c] != (float)(k + c) || r->std[c] != (float)(k + c) + 0.25f;
        wrong += r->aleatoric[c] != (float)(k + c) + 0.5f || r->epistemic[c] != (float)(k + c) + 0.75f;
    }
    assert_int_equal(wrong, 0);
}

static void
test_results_of_all_sizes_come_out_in_order(void **state) /* X1 */
{
    (void)state;
    vip_outbox *outbox = vip_outbox_new();
    vipann_result *in = vip_outbox_result_new(), *out = vip_outbox_result_new();
    uint32_t random = 1, sizes[8];
    for (uint32_t k = 0, taken = 0; taken < 500;) { /* many times around */
        const uint32_t waiting = k - taken;
        if (waiting < 8 && (waiting == 0 || next_random(&random) % 2 == 0)) {
            sizes[k % 8] = 1 + next_random(&random) % VIP_OUTBOX_CLASSES;
            fill(in, k, sizes[k % 8]);
            vip_outbox_put_result(outbox, 1000 + k, in);
            k++;
            continue;
        }
        uint32_t tag = 0;
        assert_true(vip_outbox_next_result(outbox, out, &tag));
        assert_int_equal(tag, 1000 + taken);
        assert_result(out, taken, sizes[taken % 8]);
        taken++;
    }
    vip_outbox_result_free(in);
    vip_outbox_result_free(out);
    vip_outbox_free(outbox);
}

static void
test_what_does_not_fit_leaves_no_trace(void **state) /* X1 */
{
    (void)state;
    vip_outbox *outbox = vip_outbox_new();
    vipann_result *in = vip_outbox_result_new(), *out = vip_outbox_result_new();
    for (uint32_t k = 0; k < 40; k++) {
        fill(in, k, VIP_OUTBOX_CLASSES);
        assert_int_equal(vip_outbox_put_result(outbox, 0, in), k < 15);
        assert_true(vip_outbox_fill(outbox) > 0 && vip_outbox_fill(outbox) <= 1);
    }
    for (uint32_t k = 0; k < 15; k++) {
        assert_true(vip_outbox_next_result(outbox, out, NULL));
        assert_result(out, k, VIP_OUTBOX_CLASSES);
    }
    assert_false(vip_outbox_next_result(outbox, out, NULL));
    assert_true(vip_outbox_fill(outbox) == 0);
    assert_true(vip_outbox_latest(outbox, out, NULL)); /* the latest is always there */
    assert_result(out, 39, VIP_OUTBOX_CLASSES);
    vipann_event event = {.id = 0};
    for (uint64_t round = 0; round < 3; round++) {
        for (event.id = 0; vip_outbox_put_event(outbox, (uint32_t)(7 * event.id), &event); event.id++) {
            assert_int_equal(vip_outbox_event_space(outbox), VIP_OUTBOX_EVENTS - event.id - 1);
        }
        assert_int_equal(event.id, VIP_OUTBOX_EVENTS);
        assert_true(vip_outbox_fill(outbox) == 1);
        uint32_t tag;
        for (uint64_t id = 0; vip_outbox_next_event(outbox, &event, &tag); id++) {
            assert_int_equal(event.id, id);
            assert_int_equal(tag, 7 * id);
        }
        assert_int_equal(event.id, VIP_OUTBOX_EVENTS - 1);
    }
    vip_outbox_result_free(in);
    vip_outbox_result_free(out);
    vip_outbox_free(outbox);
}

static void
test_the_latest_is_whole_and_comes_once(void **state) /* X1 */
{
    (void)state;
    vip_outbox *outbox = vip_outbox_new();
    vipann_result *in = vip_outbox_result_new(), *out = vip_outbox_result_new();
    assert_false(vip_outbox_latest(outbox, out, NULL));
    for (uint32_t k = 1; k < 30; k++) {
        fill(in, k, 7 * k);
        vip_outbox_put_result(outbox, k, in);
        if (k % 3 == 0) {
            uint32_t tag;
            assert_true(vip_outbox_latest(outbox, out, &tag));
            assert_int_equal(tag, k);
            assert_result(out, k, 7 * k);
            assert_false(vip_outbox_latest(outbox, out, NULL));
        }
    }
    vip_outbox_reset(outbox);
    assert_false(vip_outbox_latest(outbox, out, NULL));
    assert_false(vip_outbox_next_result(outbox, out, NULL));
    vip_outbox_result_free(in);
    vip_outbox_result_free(out);
    vip_outbox_free(outbox);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_of_all_sizes_come_out_in_order),
        cmocka_unit_test(test_what_does_not_fit_leaves_no_trace),
        cmocka_unit_test(test_the_latest_is_whole_and_comes_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
