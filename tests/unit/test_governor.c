/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_governor.c -- the governor and a simulated machine: V1 to V5 of plugin/stream/README.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "numbers.h"
#include "plugin/stream/governor.h"

static const double COLUMN = 0.32, HELD = 4; /* seconds: of a column, and of sound that an engine holds */

/* What a column costs, as a share of its own length: whatever the members, for each, and for each at each answer. */
typedef struct {
    double base, member, answer;
} machine;

typedef struct {
    vip_governor governor;
    double backlog, lost; /* seconds */
    unsigned changes;
} simulation;

static simulation
begin(uint32_t passes, uint32_t hop)
{
    simulation s = {.backlog = 0};
    vip_governor_reset(&s.governor, passes, hop);
    return s;
}

/* So many seconds, one look in each. */
static void
run(simulation *s, const machine *m, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        const vip_governor *g = &s->governor;
        const double load = m->base + g->passes * (m->member + m->answer / g->hop);
        const double can = load > 0 ? 1 / load : HELD + 1;
        s->backlog += 1 - (can < s->backlog + 1 ? can : s->backlog + 1);
        if (s->backlog > HELD) {
            s->lost += s->backlog - HELD;
            s->backlog = HELD;
        }
        const vip_governor_look look = {1, s->backlog, load, COLUMN};
        s->changes += vip_governor_step(&s->governor, &look);
    }
}

static void
test_what_the_machine_can_do_is_left_alone(void **state) /* V1 */
{
    (void)state;
    const machine fits = {0.1, 0.1, 0};
    simulation s = begin(8, 1);
    run(&s, &fits, 3600);
    assert_int_equal(s.changes, 0);
    assert_int_equal(s.governor.passes, 8);
    assert_int_equal(s.governor.hop, 1);
}

static void
test_overload_takes_members_and_recovers(void **state) /* V1, V2 */
{
    (void)state;
    static const struct {
        machine m;
        uint32_t asked, passes, hop, within; /* seconds */
    } table[] = {
        {{0.1, 0.2, 0}, 8, 4, 1, 10},                                  /* 1.7: 0.9 with half of them */
        {{0.1, 0.2, 0}, 7, 4, 1, 10},                                  /* halves are rounded up */
        {{0.2, 0.08, 0}, 64, 8, 1, 10}, {{0.3, 0.3, 0}, 64, 2, 1, 12}, /* fewer than two could not disagree */
        {{0.2, 0.1, 1}, 8, 2, 4, 12},                                  /* answers are what is dear */
        {{0.7, 0, 1}, 1, 1, 4, 12},                                    /* one member: only the hop is left */
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        simulation s = begin(table[i].asked, 1);
        run(&s, &table[i].m, table[i].within);
        assert_int_equal(s.governor.passes, table[i].passes);
        assert_int_equal(s.governor.hop, table[i].hop);
        run(&s, &table[i].m, 20);
        const double lost = s.lost;
        run(&s, &table[i].m, 20);
        assert_true(s.lost == lost); /* nothing more is lost */
        assert_int_equal(s.governor.passes, table[i].passes);
        assert_int_equal(s.governor.hop, table[i].hop);
    }
}

static void
test_what_cannot_be_helped_goes_no_further(void **state) /* V2 */
{
    (void)state;
    const machine hopeless = {5, 1, 1};
    simulation s = begin(64, 300);
    run(&s, &hopeless, 100);
    assert_int_equal(s.governor.passes, 2);
    assert_int_equal(s.governor.hop, 375);
    s = begin(0, 1); /* a deterministic pass has no members to take */
    run(&s, &hopeless, 100);
    assert_int_equal(s.governor.passes, 0);
    assert_int_equal(s.governor.hop, 16);
    vip_governor_reset(&s.governor, 8, 1);
    assert_int_equal(s.governor.passes, 8);
    assert_int_equal(s.governor.hop, 1);
}

static void
test_calm_gives_all_of_it_back(void **state) /* V3 */
{
    (void)state;
    const machine heavy = {3, 0.5, 1}, light = {0.02, 0.02, 0.02};
    simulation s = begin(16, 2);
    run(&s, &heavy, 60);
    assert_int_equal(s.governor.passes, 2);
    assert_int_equal(s.governor.hop, 32);
    run(&s, &light, 3);
    assert_int_equal(s.governor.hop, 32); /* not at once */
    run(&s, &light, 60);
    assert_int_equal(s.governor.passes, 16);
    assert_int_equal(s.governor.hop, 2);
    const unsigned changes = s.changes;
    run(&s, &light, 3600);
    assert_int_equal(s.changes, changes);
}

static void
test_a_stall_is_forgotten_even_if_the_load_leaves_little_room(void **state) /* V3 */
{
    (void)state;
    const machine stalled = {2, 0, 0}, usual = {0.4, 0.05, 0}; /* 0.8 with all members */
    simulation s = begin(8, 1);
    run(&s, &stalled, 2);
    assert_int_not_equal(s.governor.passes, 8);
    run(&s, &usual, 300);
    assert_int_equal(s.governor.passes, 8);
}

static void
test_a_machine_at_its_limit_does_not_swing(void **state) /* V4 */
{
    (void)state;
    static const machine table[] = {
        {0.1, 0.12, 0}, {0.2, 0.11, 0}, {0.7, 0.05, 0}, {0.05, 0.15, 0}, {0.5, 0.07, 0.03}, {0.2, 0.3, 0.3},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        simulation s = begin(8, 1);
        run(&s, &table[i], 60);
        const double lost = s.lost;
        s.changes = 0;
        run(&s, &table[i], 4 * 3600);
        assert_in_range(s.changes, 0, 24); /* trials, each later than the one before */
        assert_true(s.lost == lost);
    }
}

/* Two that share a machine: what one gives back the other may be late for. */
static void
test_a_step_back_that_does_not_last_makes_the_next_wait_longer(void **state) /* V4 */
{
    (void)state;
    const vip_governor_look calm = {1, 0, 0.3, COLUMN}, late = {1, 3, 0.3, COLUMN};
    vip_governor g;
    vip_governor_reset(&g, 8, 1);
    assert_true(vip_governor_step(&g, &late));
    unsigned waited[8];
    for (size_t i = 0; i < 8; i++) {
        waited[i] = 1;
        while (!vip_governor_step(&g, &calm)) {
            waited[i]++;
        }
        g.backlog = 0;
        assert_true(vip_governor_step(&g, &late));
    }
    for (size_t i = 1; i < 8; i++) {
        assert_int_equal(waited[i], i < 7 ? 2 * waited[i - 1] : waited[i - 1]);
    }
}

static void
test_sound_that_is_being_caught_up_with_takes_nothing_more(void **state) /* V4 */
{
    (void)state;
    vip_governor g;
    vip_governor_reset(&g, 64, 1);
    vip_governor_look look = {1, 3.9, 1.5, COLUMN};
    assert_true(vip_governor_step(&g, &look));
    while (look.backlog > 0.1) {
        look.backlog *= 0.9;
        assert_false(vip_governor_step(&g, &look));
    }
    assert_int_equal(g.passes, 32);
}

static void
test_what_is_asked_for_is_never_exceeded(void **state) /* V5 */
{
    (void)state;
    uint32_t random = 11;
    print_message("# seed %u\n", (unsigned)random);
    vip_governor g;
    vip_governor_reset(&g, 8, 1);
    uint32_t passes = 8, hop = 1;
    for (int i = 0; i < 200000; i++) {
        if (next_random(&random) % 50 == 0) {
            passes = next_random(&random) % 65;
            hop = 1 + next_random(&random) % 375;
            vip_governor_ask(&g, passes, hop);
        }
        const double size = next_random(&random) % 3 == 0 ? 4e-6 : 1e-8;
        const vip_governor_look look = {1 + 1e-7 * next_random(&random), size * (next_random(&random) & 0xfffff),
                                        1e-7 * next_random(&random), COLUMN};
        (void)vip_governor_step(&g, &look);
        assert_in_range(g.passes, passes < 2 ? passes : 2, passes);
        assert_in_range(g.hop, hop, 375);
    }
}

static void
test_what_was_taken_stays_away_when_something_else_is_asked_for(void **state) /* V5 */
{
    (void)state;
    const vip_governor_look late = {1, 3, 2, COLUMN};
    vip_governor g;
    vip_governor_reset(&g, 16, 1);
    assert_true(vip_governor_step(&g, &late) && vip_governor_step(&g, &late));
    assert_int_equal(g.passes, 4);
    static const struct {
        uint32_t asked, passes;
    } table[] = {{20, 3}, {64, 2}, {2, 2}, {1, 1}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        vip_governor_ask(&g, table[i].asked, 1);
        assert_int_equal(g.passes, table[i].passes);
    }
    vip_governor_reset(&g, 16, 1); /* nothing was taken: whatever is asked for is given */
    vip_governor_ask(&g, 64, 3);
    assert_int_equal(g.passes, 64);
    assert_int_equal(g.hop, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_machine_can_do_is_left_alone),
        cmocka_unit_test(test_overload_takes_members_and_recovers),
        cmocka_unit_test(test_what_cannot_be_helped_goes_no_further),
        cmocka_unit_test(test_calm_gives_all_of_it_back),
        cmocka_unit_test(test_a_stall_is_forgotten_even_if_the_load_leaves_little_room),
        cmocka_unit_test(test_a_machine_at_its_limit_does_not_swing),
        cmocka_unit_test(test_a_step_back_that_does_not_last_makes_the_next_wait_longer),
        cmocka_unit_test(test_sound_that_is_being_caught_up_with_takes_nothing_more),
        cmocka_unit_test(test_what_is_asked_for_is_never_exceeded),
        cmocka_unit_test(test_what_was_taken_stays_away_when_something_else_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
