/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_board.c -- holds the promises of ui/term/board.h and ui/term/layout.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <tests/data/random_model.h>
#include <ui/term/board.h>
#include <ui/term/layout.h>

#include "scratch.h"

#define HOSTILE  "\033]0;evil\a\n\xc2\x9b\u202e$(reboot)\u202c"
#define DISARMED "?]0;evil????$(reboot)?"

/* A model whose classes are called "PREFIX 0" and so on, but the last one HOSTILE. */
static vipann_model *
model_of(void **state, const char *name, uint32_t classes, const char *prefix)
{
    const random_model_spec spec = {VIP_RESNET22, 1, classes, VIP_SAME, VIPANN_DROPOUT, VIPANN_MULTILABEL, 1};
    char path[SCRATCH_PATH];
    vip_model *model = random_model(&spec);
    assert_non_null(model);
    for (uint32_t i = 0; i < classes; i++) {
        char label[64];
        (void)snprintf(label, sizeof label, "%s %u", prefix, (unsigned)i);
        vip_free(model->labels[i]);
        model->labels[i] = vip_copy_string(i + 1 == classes ? HOSTILE : label);
        assert_non_null(model->labels[i]);
    }
    assert_int_equal(vip_model_write(model, scratch_path(path, state, name), false, NULL), VIPANN_OK);
    vip_model_free(model);
    vipann_model *opened = vipann_model_open(path, NULL);
    assert_non_null(opened);
    return opened;
}

/* Probabilities that grow with the class, so that the last one is the most probable. */
static vipann_result *
result_of(const vipann_model *model)
{
    vipann_result *r = vipann_result_new(model);
    assert_non_null(r);
    for (uint32_t i = 0; i < r->classes; i++) {
        r->p[i] = (float)(i + 1) / (float)(r->classes + 1);
        r->std[i] = 0.125f;
    }
    r->has_epistemic = true;
    r->level_dbfs = -20;
    r->aleatoric_nats = 0.5;
    r->epistemic_nats = 0.25;
    r->unknown = VIPANN_NO;
    return r;
}

static vip_board
board_of(uint32_t inputs)
{
    static const char *const names[] = {"mike \033[31m", "line"};
    vip_board board = {.inputs = 0};
    assert_true(vip_board_make(&board, "title\n", inputs, names));
    return board;
}

static vipann_event
event_of(uint64_t id, uint32_t class, bool ended)
{
    return (vipann_event){.id = id,
                          .class_index = class,
                          .ended = ended,
                          .start_seconds = (double)id,
                          .end_seconds = (double)id + (ended ? 2.5 : 0.5),
                          .p_max = 0.75,
                          .unknown = VIPANN_NO};
}

static void
test_what_is_fed_is_what_the_board_holds(void **state)
{
    vipann_model *model = model_of(state, "a", 4, "class");
    vipann_result *r = result_of(model);
    vip_board board = board_of(2);
    vip_board_model(&board, model);
    vip_board_result(&board, 1, r);
    const vip_board_input *in = &board.input[1];
    assert_true(in->heard && in->has_unsure && !in->silent && !in->unknown);
    assert_string_equal(in->name, "line");
    assert_string_equal(in->model, "a");
    assert_float_equal(in->level_dbfs, -20, 0);
    assert_float_equal(in->open_nats, 0.5, 0);
    assert_float_equal(in->unsure_nats, 0.25, 0);
    assert_int_equal(in->tops, 4);
    for (uint32_t k = 0; k < 4; k++) {
        assert_float_equal(in->top[k].p, r->p[3 - k], 0);
        assert_float_equal(in->top[k].std, 0.125, 0);
    }
    assert_string_equal(in->top[1].label, "class 2");
    assert_true(in->top[2].present);  /* 0.4, and the model's threshold is 0.375 */
    assert_false(in->top[3].present); /* 0.2, and it is 0.25 */
    const vip_board_moment *m = vip_board_moment_at(in, 0);
    assert_non_null(m);
    assert_float_equal(m->open, (float)(0.5 / (log(2) * 2)), 1e-6f);
    assert_float_equal(m->unsure, (float)(0.25 / log(2)), 1e-6f);
    assert_null(vip_board_moment_at(in, 1));
    assert_false(board.input[0].heard); /* inputs do not mix */
    vip_board_free(&board);
    vipann_result_free(r);
    vipann_model_unref(model);
}

static void
test_gaps_and_the_unknown_are_marked_where_they_were(void **state)
{
    vipann_model *model = model_of(state, "a", 4, "class");
    vipann_result *r = result_of(model);
    vip_board board = board_of(1);
    vip_board_model(&board, model);
    static const struct {
        double gap;
        vipann_answer unknown;
        bool silent, has_gap, is_unknown;
    } table[] = {
        {0, VIPANN_NO, false, false, false},   {0.5, VIPANN_YES, false, true, true},
        {0.5, VIPANN_YES, false, false, true}, {0.5, VIPANN_CANNOT_SAY, false, false, false},
        {0.75, VIPANN_YES, true, true, false}, /* silence is like nothing, and nobody minds */
    };
    enum { N = sizeof table / sizeof *table };
    for (size_t i = 0; i < N; i++) {
        r->gap_seconds = table[i].gap;
        r->unknown = table[i].unknown;
        r->silent = table[i].silent;
        vip_board_result(&board, 0, r);
    }
    for (size_t i = 0; i < N; i++) {
        const vip_board_moment *m = vip_board_moment_at(&board.input[0], N - 1 - i);
        assert_non_null(m);
        assert_int_equal(m->gap, table[i].has_gap);
        assert_int_equal(m->unknown, table[i].is_unknown);
        assert_int_equal(m->silent, table[i].silent);
    }
    r->has_epistemic = false;
    r->aleatoric_nats = NAN;
    vip_board_result(&board, 0, r);
    assert_true(vip_board_moment_at(&board.input[0], 0)->unsure < 0);
    assert_float_equal(vip_board_moment_at(&board.input[0], 0)->open, 0, 0);
    vip_board_free(&board);
    vipann_result_free(r);
    vipann_model_unref(model);
}

static void
test_the_newest_are_kept_however_many_come(void **state)
{
    vipann_model *model = model_of(state, "a", 4, "class");
    vipann_result *r = result_of(model);
    vip_board board = board_of(1);
    vip_board_model(&board, model);
    const vip_board_input *in = &board.input[0];
    for (uint64_t i = 1; i <= 3 * VIP_BOARD_MOMENTS + 7; i++) {
        r->silent = i % 3 == 0;
        vip_board_result(&board, 0, r);
        const vipann_event event = event_of(i, 0, false);
        vip_board_event_told(&board, 0, 1000, &event);
        char text[32];
        (void)snprintf(text, sizeof text, "notice %u", (unsigned)i);
        vip_board_notice_told(&board, (double)i, text);
        for (uint64_t k = 0; k < VIP_BOARD_MOMENTS; k++) {
            const vip_board_moment *m = vip_board_moment_at(in, k);
            assert_int_equal(m != NULL, k < i);
            assert_true(m == NULL || m->silent == ((i - k) % 3 == 0));
        }
        for (uint64_t k = 0; k < VIP_BOARD_EVENTS; k++) {
            const vip_board_event *e = vip_board_event_at(in, k);
            assert_true(k < i ? e->id == i - k : e == NULL);
        }
    }
    assert_null(vip_board_moment_at(in, VIP_BOARD_MOMENTS));
    assert_null(vip_board_event_at(in, VIP_BOARD_EVENTS));
    assert_null(vip_board_notice_at(&board, VIP_BOARD_NOTICES));
    assert_float_equal(vip_board_notice_at(&board, 2)->time, 3 * VIP_BOARD_MOMENTS + 5, 0);
    assert_string_equal(vip_board_notice_at(&board, 0)->text, "notice 1543");
    vip_board_free(&board);
    vipann_result_free(r);
    vipann_model_unref(model);
}

static void
test_an_event_begins_and_ends_in_one_place(void **state)
{
    vipann_model *model = model_of(state, "a", 4, "class");
    vip_board board = board_of(1);
    vip_board_model(&board, model);
    const vipann_event told[] = {event_of(1, 0, false), event_of(2, 1, false), event_of(1, 0, true)};
    for (size_t i = 0; i < 3; i++) {
        vip_board_event_told(&board, 0, 1000, &told[i]);
    }
    const vip_board_event *newer = vip_board_event_at(&board.input[0], 0),
                          *older = vip_board_event_at(&board.input[0], 1);
    assert_int_equal(board.input[0].events, 2);
    assert_true(older->ended && !newer->ended);
    assert_float_equal(older->begun, 1001, 0);
    assert_float_equal(older->lasted, 2.5, 0);
    assert_float_equal(older->p, 0.75, 0);
    assert_string_equal(older->label, "class 0");
    assert_string_equal(newer->label, "class 1");
    vip_board_free(&board);
    vipann_model_unref(model);
}

/* A model with fewer classes comes; then results of the old size, which nobody may send, name nothing that is not there. */
static void
test_another_model_names_what_follows_and_nothing_before(void **state)
{
    vipann_model *large = model_of(state, "large", 40, "old"), *small = model_of(state, "small", 2, "new");
    vipann_result *of_large = result_of(large), *of_small = result_of(small);
    vip_board board = board_of(1);
    const vip_board_input *in = &board.input[0];
    vip_board_result(&board, 0, of_large); /* of no model yet */
    assert_false(in->heard);
    vip_board_model(&board, large);
    vip_board_result(&board, 0, of_large);
    assert_int_equal(in->tops, VIP_BOARD_TOP);
    const vipann_event begun = event_of(1, 38, false), ended = event_of(1, 38, true), other = event_of(2, 0, false);
    vip_board_event_told(&board, 0, 0, &begun);
    vip_board_model(&board, small);
    vipann_model_unref(large); /* the board does not need it any more */
    assert_string_equal(in->top[1].label, "old 38");
    vip_board_event_told(&board, 0, 0, &ended);
    vip_board_event_told(&board, 0, 0, &other);
    assert_string_equal(vip_board_event_at(in, 1)->label, "old 38");
    assert_string_equal(vip_board_event_at(in, 0)->label, "new 0");
    vip_board_result(&board, 0, of_small);
    assert_int_equal(in->tops, 2);
    assert_string_equal(in->top[1].label, "new 0");
    assert_string_equal(in->model, "small");
    vip_board_result(&board, 0, of_large);
    assert_int_equal(in->tops, 2);
    const vipann_event beyond = event_of(3, 38, false);
    vip_board_event_told(&board, 0, 0, &beyond);
    assert_string_equal(vip_board_event_at(in, 0)->label, "?");
    vip_board_free(&board);
    vipann_result_free(of_large);
    vipann_result_free(of_small);
    vipann_model_unref(small);
}

static void
test_no_text_on_the_board_commands_a_terminal(void **state)
{
    vipann_model *model = model_of(state, "evil\033[2J", 2, "class");
    vipann_result *r = result_of(model);
    vip_board board = board_of(1);
    vip_board_model(&board, model);
    vip_board_result(&board, 0, r);
    const vipann_event event = event_of(1, 1, false);
    vip_board_event_told(&board, 0, NAN, &event);
    vip_board_notice_told(&board, NAN, HOSTILE);
    char flood[2000];
    memset(flood, 'x', sizeof flood);
    flood[sizeof flood - 1] = '\0';
    vip_board_notice_told(&board, NAN, flood);
    assert_string_equal(board.title, "title?");
    assert_string_equal(board.input[0].name, "mike ?[31m");
    assert_string_equal(board.input[0].model, "evil?[2J");
    assert_string_equal(board.input[0].top[0].label, DISARMED);
    assert_string_equal(vip_board_event_at(&board.input[0], 0)->label, DISARMED);
    assert_string_equal(vip_board_notice_at(&board, 1)->text, DISARMED);
    assert_int_equal(strlen(vip_board_notice_at(&board, 0)->text), VIP_BOARD_TEXT - 1);
    vip_board_free(&board);
    vipann_result_free(r);
    vipann_model_unref(model);
}

static void
test_only_what_is_new_is_a_change(void **state)
{
    (void)state;
    vip_board board = board_of(1);
    const vip_term_engine engine = {8, 0.32, 0.1, 0, NAN, 0}, slower = {4, 0.32, 0.1, 0, NAN, 0};
    const uint64_t before = board.changes;
    vip_board_engine(&board, 0, &engine);
    assert_int_equal(board.changes, before + 1);
    vip_board_engine(&board, 0, &engine);
    assert_int_equal(board.changes, before + 1);
    vip_board_engine(&board, 0, &slower);
    assert_int_equal(board.changes, before + 2);
    vip_board_engine(&board, 1, &engine); /* there is no such input */
    assert_int_equal(board.changes, before + 2);
    vip_board_free(&board);
}

static void
test_a_copy_stands_still(void **state)
{
    vipann_model *model = model_of(state, "a", 4, "class");
    vipann_result *r = result_of(model);
    vip_board board = board_of(2), still = board_of(2);
    vip_board_model(&board, model);
    vip_board_result(&board, 1, r);
    vip_board_copy(&still, &board);
    r->level_dbfs = -40;
    vip_board_result(&board, 1, r);
    assert_float_equal(still.input[1].level_dbfs, -20, 0);
    assert_int_equal(still.input[1].moments, 1);
    assert_string_equal(still.input[1].top[1].label, "class 2");
    vip_board_free(&board);
    vip_board_free(&still);
    vipann_result_free(r);
    vipann_model_unref(model);
}

static void
test_each_row_of_the_screen_belongs_to_one_part(void **state)
{
    (void)state;
    for (int rows = VIP_LAYOUT_LEAST_ROWS; rows < 300; rows++) {
        const vip_layout layout = vip_layout_of(rows);
        int y = 0;
        for (int part = 0; part < VIP_N_PARTS; part++) {
            assert_int_equal(layout.y[part], y);
            assert_true(layout.height[part] >= 0);
            y += layout.height[part];
        }
        assert_int_equal(y, rows);
        assert_true(layout.height[VIP_PART_HEAD] == 1 && layout.height[VIP_PART_CLASSES] >= (rows < 15 ? 1 : 5));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_fed_is_what_the_board_holds, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_gaps_and_the_unknown_are_marked_where_they_were, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_the_newest_are_kept_however_many_come, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_an_event_begins_and_ends_in_one_place, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_another_model_names_what_follows_and_nothing_before, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_no_text_on_the_board_commands_a_terminal, scratch_make, scratch_remove),
        cmocka_unit_test(test_only_what_is_new_is_a_change),
        cmocka_unit_test_setup_teardown(test_a_copy_stands_still, scratch_make, scratch_remove),
        cmocka_unit_test(test_each_row_of_the_screen_belongs_to_one_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
