/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_portaudio_device.c -- which input device is meant, and how many of its channels are opened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <plugin/portaudio/device.h>

static const vip_devices DEVICES = {
    5,
    {{"HDA Intel PCH: ALC257 (hw:0,0)", "ALSA", 0, 2, 44100, false},
     {"USB microphone (hw:1,0)", "ALSA", 2, 1, 48000, false},
     {"system", "JACK", 5, 2, 48000, true},
     {"7", "JACK", 6, 1, 48000, false},
     {"system", "OSS", 7, 1, 8000, false}},
};

static vipann_status
choose(const vip_devices *devices, const char *name, const char *api, uint32_t *which, vipann_error *error)
{
    vip_wanted wanted;
    (void)snprintf(wanted.name, sizeof wanted.name, "%s", name);
    (void)snprintf(wanted.api, sizeof wanted.api, "%s", api);
    return vip_device_choose(devices, &wanted, which, error);
}

static void
test_a_device_is_found_by_name_by_number_and_by_a_part_of_its_name(void **state) /* D2 */
{
    (void)state;
    static const struct {
        const char *name, *api;
        uint32_t which;
    } table[] = {
        {"", "", 2},          /* the standard one */
        {"0", "", 0},         /* its number, not its place */
        {"2", "", 1},         /* likewise */
        {"7", "", 3},         /* a name goes before a number */
        {"usb MICRO", "", 1}, /* a part, whatever the case */
        {"hw:0", "", 0},      /* likewise */
        {"system", "OSS", 4}, /* the one that it was */
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        vipann_error error = {VIPANN_OK, ""};
        uint32_t which = UINT32_MAX;
        assert_int_equal(choose(&DEVICES, table[i].name, table[i].api, &which, &error), VIPANN_OK);
        assert_int_equal(which, table[i].which);
    }
}

static void
test_without_a_standard_device_the_first_is_heard(void **state) /* D2 */
{
    (void)state;
    static const vip_devices two = {2, {{"one", "ALSA", 3, 1, 48000, false}, {"two", "ALSA", 4, 1, 48000, false}}};
    uint32_t which = UINT32_MAX;
    assert_int_equal(choose(&two, "", "", &which, NULL), VIPANN_OK);
    assert_int_equal(which, 0);
}

static void
test_what_fits_none_or_several_is_refused_with_a_list(void **state) /* D2 */
{
    (void)state;
    static const vip_devices none;
    static const struct {
        const vip_devices *devices;
        const char *name, *api;
        vipann_status status;
        const char *says;
    } table[] = {
        {&none, "", "", VIPANN_E_IO, "no input device; connect one"},
        {&none, "system", "", VIPANN_E_IO, "no input device; connect one"},
        {&DEVICES, "flute", "", VIPANN_E_IO, "--device flute: there is no such input device, but 0 HDA"},
        {&DEVICES, "system", "", VIPANN_E_ARG, "give a number: 5 system, 7 system"},
        {&DEVICES, "HW:", "", VIPANN_E_ARG, "give a number: 0 HDA Intel PCH: ALC257 (hw:0,0), 2 USB microphone"},
        {&DEVICES, "syst", "JACK", VIPANN_E_IO, "no such input device"}, /* what has gone is not replaced by its like */
        {&DEVICES, "system", "Core", VIPANN_E_IO, "no such input device"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        vipann_error error = {VIPANN_OK, ""};
        uint32_t which = 0;
        assert_int_equal(choose(table[i].devices, table[i].name, table[i].api, &which, &error), table[i].status);
        if (strstr(error.text, table[i].says) == NULL) {
            fail_msg("\"%s\" is not in: %s", table[i].says, error.text);
        }
    }
}

static void
test_a_long_list_is_cut(void **state) /* D2 */
{
    (void)state;
    static vip_devices many;
    vipann_error error = {VIPANN_OK, ""};
    uint32_t which;
    many.n = VIP_MOST_DEVICES;
    for (uint32_t i = 0; i < many.n; i++) {
        memset(many.of[i].name, 'a', VIP_DEVICE_NAME - 1);
        many.of[i].index = i;
    }
    assert_int_equal(choose(&many, "b", "", &which, &error), VIPANN_E_IO);
    assert_non_null(strstr(error.text, "but 0 aaa"));
    assert_true(strlen(error.text) < sizeof error.text);
}

static void
test_channels_that_servers_only_claim_are_not_opened(void **state) /* D3 */
{
    (void)state;
    static const struct {
        uint32_t has, least, opened;
    } table[] = {{1, 0, 1},    {2, 0, 2}, {8, 0, 8}, {9, 0, 2},  {64, 0, 2},
                 {64, 40, 40}, {2, 2, 2}, {2, 3, 0}, {64, 1, 2}, {64, 64, 64}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const vip_device device = {.channels = table[i].has};
        assert_int_equal(vip_device_channels(&device, table[i].least), table[i].opened);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_device_is_found_by_name_by_number_and_by_a_part_of_its_name),
        cmocka_unit_test(test_without_a_standard_device_the_first_is_heard),
        cmocka_unit_test(test_what_fits_none_or_several_is_refused_with_a_list),
        cmocka_unit_test(test_a_long_list_is_cut),
        cmocka_unit_test(test_channels_that_servers_only_claim_are_not_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
