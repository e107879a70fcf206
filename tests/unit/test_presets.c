/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_presets.c -- holds the promises of presets/: what stands in the table is understood wherever it is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/option_file.h>
#include <plugin/live/live.h>
#include <plugin/lv2/ports.h>
#include <plugin/program/asked.h>
#include <plugin/program/commands.h>
#include <presets/presets.h>

/* The option file of a preset, to be freed. */
static char *
write_file(const vip_preset *preset, size_t *bytes)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, bytes);
    assert_non_null(out);
    vip_preset_write(preset, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static bool
is_in(const char *const *list, const char *word)
{
    while (*list != NULL && strcmp(*list, word) != 0) {
        list++;
    }
    return *list != NULL;
}

static void
test_names_are_plain_and_each_its_own(void **state) /* P1 */
{
    (void)state;
    for (size_t i = 0; i < VIP_N_PRESETS; i++) {
        const vip_preset *preset = &VIP_PRESETS[i];
        for (const char *c = preset->name; *c != '\0'; c++) {
            assert_true(islower((unsigned char)*c));
        }
        assert_null(strpbrk(preset->label, "\"\\\n"));
        assert_null(strpbrk(preset->comment, "\"\\\n"));
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(preset->name, VIP_PRESETS[k].name);
        }
    }
}

/* Sessions and scripts have these in them. */
static void
test_names_stay(void **state) /* P1 */
{
    (void)state;
    static const char *const names[] = {"quick", "careful", "night", "fast", "midi"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t k = 0;
        while (k < VIP_N_PRESETS && strcmp(VIP_PRESETS[k].name, names[i]) != 0) {
            k++;
        }
        assert_true(k < VIP_N_PRESETS);
    }
}

/* Reads the option files of all presets for the command; returns how many. */
static size_t
read_all(const vip_command *command)
{
    const vip_option_keys keys = {&VIP_OPTION_PRESET, VIP_PROGRAM.commands, VIP_PRESET_CLIENTS};
    size_t read = 0;
    for (; read < VIP_N_PRESETS; read++) {
        vip_arguments a;
        vipann_error error = {VIPANN_OK, ""};
        char *argv[] = {"test", "--", "x"};
        size_t bytes = 0;
        char *text = write_file(&VIP_PRESETS[read], &bytes);
        assert_int_equal(vip_options_parse(command, command->least_operands > 0 ? 3 : 2, argv, &a, &error), VIPANN_OK);
        if (vip_option_file_parse(&a, &keys, VIP_PRESETS[read].name, text, bytes, &error) != VIPANN_OK) {
            print_error("%s: %s\n", command->name, error.text);
            fail();
        }
        vip_arguments_free(&a);
        free(text);
    }
    return read;
}

static void
test_every_option_file_suits_every_command_that_reads_any(void **state) /* P2 */
{
    (void)state;
    static const vip_option *const options[] = {VIP_LIVE_OPTIONS}; /* of clients that this build may not have */
    static const vip_command live = {
        .name = "live", .operands = "", .options = options, .n_options = sizeof options / sizeof *options};
    size_t read = read_all(&live);
    for (const vip_subcommand *c = VIP_PROGRAM.commands; c->name != NULL; c++) {
        if (vip_option_find(c->command, "preset", 6) < c->command->n_options) {
            read += read_all(c->command);
        }
    }
    assert_true(read >= 2 * VIP_N_PRESETS);
}

/* What the option file leaves out is left out on purpose. */
static void
test_option_files_say_all_but_what_plugins_alone_have(void **state) /* P2 */
{
    (void)state;
    for (size_t i = 0; i < VIP_N_PRESETS; i++) {
        const vip_preset_setting *settings = VIP_PRESETS[i].settings;
        size_t bytes = 0;
        char *text = write_file(&VIP_PRESETS[i], &bytes), line[64];
        for (size_t k = 0; k < VIP_PRESET_SETTINGS && settings[k].option != NULL; k++) {
            (void)snprintf(line, sizeof line, "\n%s = %s\n", settings[k].option, settings[k].value);
            bool alone = is_in(VIP_PRESET_PLUGINS, settings[k].option);
            assert_int_equal(strstr(text, line) != NULL, !alone);
            assert_true(!alone || vip_setting_port(settings[k].option) != VIP_N_PORTS);
        }
        assert_int_equal(strncmp(text, "# ", 2), 0);
        assert_non_null(strstr(text, VIP_PRESETS[i].comment));
        free(text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_plain_and_each_its_own),
        cmocka_unit_test(test_names_stay),
        cmocka_unit_test(test_every_option_file_suits_every_command_that_reads_any),
        cmocka_unit_test(test_option_files_say_all_but_what_plugins_alone_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
