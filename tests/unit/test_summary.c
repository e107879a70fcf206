/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_summary.c -- holds the promises of plugin/report/summary.h; tests/cli/summary.sh holds it to the events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <plugin/report/summary.h>

#include "failing.h"

enum { CLASSES = 4 };

static const struct {
    const char *file;
    vipann_event event;
} HEARD[] = {
    {"a", {.class_index = 2, .start_seconds = 1, .end_seconds = 2, .p_max = 0.5}},
    {"a", {.class_index = 0, .start_seconds = 1, .end_seconds = 4, .p_max = 0.9}},
    {"b", {.class_index = 2, .start_seconds = 5, .end_seconds = 9, .p_max = 0.5}}, /* as certain: the first one stays */
    {"b", {.class_index = 3, .start_seconds = 0, .end_seconds = 3, .p_max = 0.1}},
    {"c", {.class_index = 0, .start_seconds = 7, .end_seconds = 7, .p_max = 0.95}},
};

static void
test_recordings_add_up_to_the_same_alone_and_together(void **state)
{
    (void)state;
    vip_summary all, whole;
    assert_int_equal(vip_summary_begin(&all, CLASSES, NULL), VIPANN_OK);
    assert_int_equal(vip_summary_begin(&whole, CLASSES, NULL), VIPANN_OK);
    for (size_t i = 0; i < sizeof HEARD / sizeof *HEARD; i++) {
        vip_summary one;
        assert_int_equal(vip_summary_begin(&one, CLASSES, NULL), VIPANN_OK);
        vip_summary_add(&one, HEARD[i].file, &HEARD[i].event);
        vip_summary_add(&all, HEARD[i].file, &HEARD[i].event);
        vip_summary_merge(&whole, &one);
        vip_summary_end(&one);
    }
    for (uint32_t i = 0; i < CLASSES; i++) {
        assert_int_equal(all.of[i].events, whole.of[i].events);
        assert_true(all.of[i].seconds == whole.of[i].seconds);
        assert_ptr_equal(all.of[i].file, whole.of[i].file);
    }
    assert_int_equal(all.of[2].events, 2);
    assert_true(all.of[2].seconds == 5);
    assert_string_equal(all.of[2].file, "a");
    assert_string_equal(all.of[0].file, "c");
    assert_true(all.of[0].start == 7 && all.of[0].p_max == 0.95);
    vip_summary_end(&all);
    vip_summary_end(&whole);
}

static void
test_the_longest_come_first_and_what_was_not_heard_not_at_all(void **state)
{
    (void)state;
    vip_summary all;
    uint32_t order[CLASSES];
    assert_int_equal(vip_summary_begin(&all, CLASSES, NULL), VIPANN_OK);
    assert_int_equal(vip_summary_rank(&all, order), 0);
    for (size_t i = 0; i < sizeof HEARD / sizeof *HEARD; i++) {
        vip_summary_add(&all, HEARD[i].file, &HEARD[i].event);
    }
    assert_int_equal(vip_summary_rank(&all, order), 3);
    assert_int_equal(order[0], 2);
    assert_int_equal(order[1], 0); /* as long as 3, and before it */
    assert_int_equal(order[2], 3);
    vip_summary_end(&all);
    failing_after(0);
    assert_int_equal(vip_summary_begin(&all, CLASSES, NULL), VIPANN_E_MEMORY);
    failing_after(-1);
    vip_summary_end(&all);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recordings_add_up_to_the_same_alone_and_together),
        cmocka_unit_test(test_the_longest_come_first_and_what_was_not_heard_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
