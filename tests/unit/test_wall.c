/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_wall.c -- the parts of programs that hear live which only count seconds: N9 and N10 of plugin/live/README.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "plugin/live/notices.h"
#include "plugin/live/wall.h"

static void
test_the_clock_follows_the_least_delay(void **state)
{
    (void)state;
    vip_wall wall;
    vip_wall_reset(&wall);
    for (int i = 0; i < 10000; i++) { /* blocks of 0.1 s, looked at between 0 and 0.1 s after they came */
        const double delay = 0.01 * ((i * 7) % 11), t = 0.1 * i;
        vip_wall_look(&wall, 1000 + t + delay, t);
        if (i >= 11) {
            assert_true(fabs(wall.zero - 1000) < 0.002);
        }
    }
    for (int i = 0; i < 100000; i++) { /* a card that is slow by 100 ppm: the clock gets ahead of the sound */
        const double t = 1000 + 0.1 * i;
        vip_wall_look(&wall, 2000 + 0.1 * i * 1.0001 + 0.01 * (i % 5), t);
    }
    assert_true(fabs(wall.zero - (1000 + 1)) < 0.01);
    vip_wall_look(&wall, 20000, 11001); /* the machine has slept */
    assert_true(fabs(wall.zero - (20000 - 11001)) < 1e-6);
    vip_wall_look(&wall, 5000, 11002); /* the clock was set back */
    assert_true(fabs(wall.zero - (5000 - 11002)) < 1e-6);
}

static void
test_sound_that_begins_late_or_again_is_known_by_when_it_came(void **state)
{
    (void)state;
    vip_wall wall;
    double now = 1000;
    vip_wall_reset(&wall);
    for (int i = 0; i < 70; i++, now += 0.01) { /* nothing for 0.7 s, as where a transport stands */
        vip_wall_look(&wall, now, 0);
    }
    const double first = now;
    for (int i = 1; i <= 100; i++, now += 0.01) {
        vip_wall_look(&wall, now, 0.01 * i);
        assert_true(fabs(wall.zero - first) < 0.02);
    }
    for (int i = 0; i < 170; i++, now += 0.01) { /* and again for 1.7 s */
        vip_wall_look(&wall, now, 1);
        assert_true(fabs(wall.zero - first) < 0.02); /* results of before may still come */
    }
    const double second = now - 1;
    for (int i = 1; i <= 100; i++, now += 0.01) {
        vip_wall_look(&wall, now, 1 + 0.01 * i);
        assert_true(fabs(wall.zero - second) < 0.02);
    }
}

static void
test_what_is_repeated_within_a_minute_is_said_once(void **state)
{
    (void)state;
    static const char one[] = "one %d", other[] = "other";
    vip_notices notices = {.command = "test"};
    assert_true(vip_notices_may(&notices, one, 100));
    assert_true(vip_notices_may(&notices, other, 101));
    assert_false(vip_notices_may(&notices, one, 159));
    assert_true(vip_notices_may(&notices, one, 160));
    assert_false(vip_notices_may(&notices, other, 160));
    assert_false(vip_notices_may(&notices, one, 219));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_clock_follows_the_least_delay),
        cmocka_unit_test(test_sound_that_begins_late_or_again_is_known_by_when_it_came),
        cmocka_unit_test(test_what_is_repeated_within_a_minute_is_said_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
