/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_jack_wires.c -- which ports are connected to which inputs, as they come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <plugin/jack/wires.h>

#include "failing.h"

/* A look at a server with these ports and connections ("port>own"), each list separated by blanks; a port that ends in "!"
 * is no source. Returns what is wanted then, as "port>own" in order, separated by blanks. */
static const char *
look(vip_wires *w, const char *ports, const char *connections)
{
    static char wanted[512];
    char text[256], *rest;
    vip_wires_begin(w);
    (void)snprintf(text, sizeof text, "%s", ports);
    for (char *name = strtok_r(text, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest)) {
        char *mark = strchr(name, '!');
        if (mark != NULL) {
            *mark = '\0';
        }
        vip_wires_port(w, name, mark == NULL);
    }
    (void)snprintf(text, sizeof text, "%s", connections);
    for (char *name = strtok_r(text, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest)) {
        char *arrow = strchr(name, '>');
        *arrow = '\0';
        vip_wires_connection(w, name, (uint32_t)(arrow[1] - '0'));
    }
    vip_wires_finish(w);
    const char *name;
    uint32_t own;
    size_t used = 0;
    wanted[0] = '\0';
    for (size_t i = 0; vip_wires_wanted(w, i, &name, &own); i++) {
        used += (size_t)snprintf(wanted + used, sizeof wanted - used, "%s%s>%u", i > 0 ? " " : "", name, own);
    }
    return wanted;
}

static vip_wires *
make(const char *pattern, uint32_t inputs, bool keeps)
{
    vipann_error error = {VIPANN_OK, ""};
    const vip_wires_setup setup = {pattern, inputs, keeps};
    vip_wires *w = vip_wires_new(&setup, &error);
    assert_string_equal(error.text, "");
    assert_non_null(w);
    return w;
}

static void
test_the_kth_port_that_matches_goes_to_input_k_modulo_their_number(void **state) /* J5 */
{
    (void)state;
    vip_wires *w = make("^(a|b):out_[0-9]+$", 2, false);
    assert_string_equal(look(w, "a:out_1 x:out_1 a:out_2 b:out_1 a:in! a:out_x", ""), "a:out_1>0 a:out_2>1 b:out_1>0");
    /* those that appear later go on counting */
    assert_string_equal(look(w, "a:out_1 a:out_2 b:out_1 b:out_2", "a:out_1>0 a:out_2>1 b:out_1>0"), "b:out_2>1");
    /* one that goes and comes back stays where it was */
    assert_string_equal(look(w, "a:out_1 b:out_1 b:out_2", "a:out_1>0 b:out_1>0 b:out_2>1"), "");
    assert_string_equal(look(w, "a:out_1 b:out_1 b:out_2 a:out_2", "a:out_1>0 b:out_1>0 b:out_2>1"), "a:out_2>1");
    vip_wires_free(w);
}

static void
test_a_wire_is_wanted_until_it_is_seen_laid(void **state) /* J5 */
{
    (void)state;
    vip_wires *w = make("out", 1, false);
    assert_string_equal(look(w, "a:out", ""), "a:out>0");
    assert_string_equal(look(w, "a:out", ""), "a:out>0"); /* its client was not ready */
    assert_string_equal(look(w, "a:out", "a:out>0"), "");
    vip_wires_free(w);
}

static void
test_what_a_user_disconnects_stays_so_while_the_port_is_there(void **state) /* J5 */
{
    (void)state;
    vip_wires *w = make("^a:", 1, true);
    assert_string_equal(look(w, "a:out b:out", ""), "a:out>0");
    assert_string_equal(look(w, "a:out b:out", "a:out>0 b:out>0"), "");
    assert_string_equal(look(w, "a:out b:out", ""), "");
    assert_string_equal(look(w, "b:out", ""), "");
    assert_string_equal(look(w, "a:out b:out", ""), "a:out>0");
    vip_wires_free(w);
}

static void
test_what_others_have_connected_comes_back_if_it_is_to_be_kept(void **state) /* J5 */
{
    (void)state;
    for (int keeps = 0; keeps < 2; keeps++) {
        vip_wires *w = make(NULL, 2, keeps != 0);
        assert_string_equal(look(w, "a:out b:out synth:in!", "a:out>1 b:out>0 synth:in>2"), "");
        vip_wires_lose(w);
        assert_string_equal(look(w, "", ""), "");
        assert_string_equal(look(w, "b:out synth:in!", ""), keeps != 0 ? "b:out>0 synth:in>2" : "");
        assert_string_equal(look(w, "a:out b:out synth:in!", "b:out>0 synth:in>2"), keeps != 0 ? "a:out>1" : "");
        vip_wires_free(w);
    }
}

static void
test_one_port_to_two_inputs_is_two_wires(void **state) /* J5 */
{
    (void)state;
    vip_wires *w = make("^a:", 2, true);
    assert_string_equal(look(w, "a:out", "a:out>0 a:out>1"), "");
    vip_wires_lose(w);
    assert_string_equal(look(w, "a:out", ""), "a:out>0 a:out>1");
    /* one that somebody had connected as the pattern would is one wire */
    vip_wires_free(w);
    w = make("^b:", 1, true);
    vip_wires_begin(w);
    vip_wires_connection(w, "b:out", 0);
    vip_wires_port(w, "b:out", true);
    vip_wires_finish(w);
    assert_string_equal(look(w, "b:out", "b:out>0"), "");
    vip_wires_free(w);
}

static void
test_what_is_no_expression_is_said(void **state) /* J5 */
{
    (void)state;
    vipann_error error;
    const vip_wires_setup setup = {"system:(", 1, false};
    assert_null(vip_wires_new(&setup, &error));
    assert_int_equal(error.status, VIPANN_E_ARG);
    assert_non_null(strstr(error.text, "\"system:(\" is no regular expression: "));
}

static void
test_without_memory_a_look_does_less_and_the_next_makes_up_for_it(void **state) /* J5 */
{
    (void)state;
    const vip_wires_setup setup = {"out", 1, true};
    failing_after(0);
    assert_null(vip_wires_new(&setup, NULL));
    failing_after(-1);
    vip_wires *w = make("out", 1, true);
    for (long n = 0; n < 3; n++) {
        failing_after(n);
        (void)look(w, "a:out b:out", "c:x>0");
        failing_after(-1);
    }
    assert_string_equal(look(w, "a:out b:out", ""), "a:out>0 b:out>0");
    vip_wires_free(w);
}

static void
test_ports_that_went_away_are_remembered_up_to_a_thousand(void **state) /* J5 */
{
    (void)state;
    vip_wires *w = make("out", 7, false);
    char name[32], wanted[40];
    for (unsigned i = 0; i < 3000; i++) {
        (void)snprintf(name, sizeof name, "client-%u:out", i);
        (void)snprintf(wanted, sizeof wanted, "%s>%u", name, i % 7);
        assert_string_equal(look(w, name, ""), wanted);
    }
    assert_string_equal(look(w, "client-5:out", ""), "client-5:out>5");
    assert_string_equal(look(w, "client-2500:out", ""), "client-2500:out>4"); /* as the 3000th */
    vip_wires_free(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_kth_port_that_matches_goes_to_input_k_modulo_their_number),
        cmocka_unit_test(test_a_wire_is_wanted_until_it_is_seen_laid),
        cmocka_unit_test(test_what_a_user_disconnects_stays_so_while_the_port_is_there),
        cmocka_unit_test(test_what_others_have_connected_comes_back_if_it_is_to_be_kept),
        cmocka_unit_test(test_one_port_to_two_inputs_is_two_wires),
        cmocka_unit_test(test_what_is_no_expression_is_said),
        cmocka_unit_test(test_ports_that_went_away_are_remembered_up_to_a_thousand),
        cmocka_unit_test(test_without_memory_a_look_does_less_and_the_next_makes_up_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
