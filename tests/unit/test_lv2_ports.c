/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_lv2_ports.c -- the tables that the plugin's description is written from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <math.h>
#include <string.h>

#include <plugin/lv2/ports.h>

static bool
is_control(const vip_port_info *port)
{
    return port->kind == VIP_CONTROL_IN || port->kind == VIP_CONTROL_OUT;
}

static void
test_every_port_is_described_and_its_symbol_is_its_own(void **state) /* L1 */
{
    (void)state;
    for (int i = 0; i < VIP_N_PORTS; i++) {
        const vip_port_info *port = &VIP_PORTS[i];
        assert_non_null(port->symbol);
        assert_non_null(port->name);
        assert_non_null(port->comment);
        assert_true(isalpha((unsigned char)port->symbol[0]) || port->symbol[0] == '_');
        for (const char *c = port->symbol; *c != '\0'; c++) {
            assert_true(isalnum((unsigned char)*c) || *c == '_');
        }
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(port->symbol, VIP_PORTS[k].symbol);
        }
    }
}

/* Whoever has a session with the plugin has these in it. */
static void
test_symbols_stay_where_they_are(void **state) /* L1 */
{
    (void)state;
    static const char *const symbols[] = {
        "control",   "notify",      "enabled",
        "passes",    "hop",         "window",
        "smoothing", "threshold",   "uncertainty_limit",
        "midi",      "blocking",    "reset",
        "freewheel", "probability", "class",
        "total",     "aleatoric",   "epistemic",
        "unknown",   "level",       "time",
        "events",    "passes_used", "gaps",
        "load",      "status",      "latency",
    };
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        assert_string_equal(VIP_PORTS[i].symbol, symbols[i]);
    }
    assert_int_equal(vip_port_index(1, VIP_PORT_CONTROL), 2);
    assert_int_equal(vip_port_index(2, VIP_PORT_CONTROL), 4);
    assert_true(vip_port_index(VIP_LV2_CHANNELS, VIP_N_PORTS) <= VIP_MAX_PORTS);
}

static void
test_normal_values_and_scale_points_lie_in_the_range(void **state) /* L1 */
{
    (void)state;
    for (int i = 0; i < VIP_N_PORTS; i++) {
        const vip_port_info *port = &VIP_PORTS[i];
        if (!is_control(port)) {
            continue;
        }
        assert_true(port->least < port->most);
        assert_true(port->least <= port->normal && port->normal <= port->most);
        int n = 0;
        for (; n < VIP_SCALE_POINTS && port->points[n].label != NULL; n++) {
            assert_true(port->least <= port->points[n].value && port->points[n].value <= port->most);
        }
        if ((port->flags & VIP_ENUMERATION) != 0) {
            assert_int_equal(n, (int)(port->most - port->least) + 1);
        }
        if ((port->flags & VIP_TOGGLED) != 0) {
            assert_true(port->least == 0 && port->most == 1);
        }
    }
}

static void
test_presets_set_inputs_within_their_ranges(void **state) /* L2 */
{
    (void)state;
    for (size_t i = 0; i < VIP_N_PRESETS; i++) {
        const vip_preset *preset = &VIP_PRESETS[i];
        for (int p = 0; p < VIP_N_PORTS; p++) {
            if (is_control(&VIP_PORTS[p])) {
                float value = vip_preset_value(preset, (vip_port)p);
                assert_true(VIP_PORTS[p].least <= value && value <= VIP_PORTS[p].most);
            }
        }
        for (size_t k = 0; k < VIP_PRESET_SETTINGS && preset->settings[k].option != NULL; k++) {
            vip_port port = vip_setting_port(preset->settings[k].option);
            assert_true(port == VIP_N_PORTS || VIP_PORTS[port].kind == VIP_CONTROL_IN);
        }
        assert_true(vip_preset_value(preset, VIP_PORT_BLOCKING) == VIP_PORTS[VIP_PORT_BLOCKING].normal);
    }
}

static void
test_a_preset_sets_a_port_as_it_sets_the_option(void **state) /* L2 */
{
    (void)state;
    static const vip_preset preset = {
        "name",
        "Label",
        "Comment",
        {{"hop", "0.64"}, {"latency", "edge"}, {"midi", "yes"}, {"uncertainty-limit", "0.1"}}};
    assert_true(vip_preset_value(&preset, VIP_PORT_HOP) == 0.64f);
    assert_true(vip_preset_value(&preset, VIP_PORT_MIDI) == 1);
    assert_true(vip_preset_value(&preset, VIP_PORT_UNCERTAINTY_LIMIT) == 0.1f);
    assert_true(vip_preset_value(&preset, VIP_PORT_PASSES) == VIP_PORTS[VIP_PORT_PASSES].normal);
    assert_int_equal(vip_setting_port("events"), VIP_N_PORTS);
    assert_true(vip_preset_value(&preset, VIP_PORT_LATENCY) == VIPANN_EDGE);
    assert_int_equal(vip_setting_port("horizon"), VIP_PORT_SMOOTHING);
    static const vip_preset patient = {"name", "Label", "Comment", {{"latency", "centred"}}};
    assert_true(vip_preset_value(&patient, VIP_PORT_LATENCY) == VIPANN_CENTRED);
}

static void
test_what_a_host_gives_is_brought_into_the_range(void **state) /* L1 */
{
    (void)state;
    static const struct {
        float given, taken;
    } table[] = {{0.3f, 0.3f}, {-1, 0}, {2, 1}, {NAN, 0}, {INFINITY, 1}, {-INFINITY, 0}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_true(vip_port_clamp(VIP_PORT_THRESHOLD, table[i].given) == table[i].taken);
    }
    assert_true(vip_port_clamp(VIP_PORT_HOP, NAN) == VIP_PORTS[VIP_PORT_HOP].normal);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_port_is_described_and_its_symbol_is_its_own),
        cmocka_unit_test(test_symbols_stay_where_they_are),
        cmocka_unit_test(test_normal_values_and_scale_points_lie_in_the_range),
        cmocka_unit_test(test_presets_set_inputs_within_their_ranges),
        cmocka_unit_test(test_a_preset_sets_a_port_as_it_sets_the_option),
        cmocka_unit_test(test_what_a_host_gives_is_brought_into_the_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
