/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fuzz_option_file.c -- any bytes as an option file of the program's commands: refused with one line and without effect, or
 * values that the command line would give as well, and that what it does give stays. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/option_file.h>
#include <plugin/program/asked.h>
#include <plugin/program/commands.h>

static const char *const OTHERS[] = {"midi", NULL};
static const char GIVEN[] = "--seed=7";

static void
read_line(const vip_command *command, int argc, char **argv, vip_arguments *arguments)
{
    vipann_error error = {VIPANN_OK, ""};
    fuzz_check(vip_options_parse(command, argc, argv, arguments, &error) == VIPANN_OK);
}

static bool
is_same(const vip_value *a, const vip_value *b)
{
    return a->given == b->given && a->word == b->word && a->whole == b->whole && !(a->number < b->number) &&
           !(a->number > b->number) && (a->text == NULL) == (b->text == NULL) &&
           (a->text == NULL || strcmp(a->text, b->text) == 0);
}

static void
check_same(const vip_arguments *a, const vip_arguments *b)
{
    for (size_t i = 0; i < a->command->n_options; i++) {
        fuzz_check(is_same(&a->values[i], &b->values[i]));
    }
}

/* All that is given, written as a command line, gives the same. */
static void
check_against_line(const vip_arguments *read)
{
    const vip_command *command = read->command;
    char **argv = calloc(command->n_options + 1, sizeof *argv), name[] = "command";
    int argc = 1;
    fuzz_check(argv != NULL);
    argv[0] = name;
    for (size_t i = 0; i < command->n_options; i++) {
        const vip_value *value = &read->values[i];
        const char *text = value->text != NULL ? value->text : "";
        const size_t size = strlen(command->options[i]->name) + strlen(text) + 4;
        if (value->given && (argv[argc] = malloc(size)) != NULL) {
            (void)snprintf(argv[argc++], size, "--%s%s%s", command->options[i]->name, value->text != NULL ? "=" : "",
                           text);
        }
    }
    vip_arguments again;
    read_line(command, argc, argv, &again);
    check_same(read, &again);
    vip_arguments_free(&again);
    while (--argc > 0) {
        free(argv[argc]);
    }
    free(argv);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const vip_option_keys keys = {&VIP_OPTION_PRESET, VIP_PROGRAM.commands, OTHERS};
    const vip_command *const command = &VIP_FILE_COMMAND;
    char name[] = "command", given[sizeof GIVEN], *argv[] = {name, given};
    vip_arguments before, arguments;
    vipann_error error = {VIPANN_OK, ""};
    memcpy(given, GIVEN, sizeof GIVEN);
    read_line(command, 2, argv, &before);
    read_line(command, 2, argv, &arguments);
    vipann_status status = vip_option_file_parse(&arguments, &keys, "fuzz.conf", (const char *)data, size, &error);
    if (status != VIPANN_OK) {
        fuzz_check_refusal(VIPANN_E_FORMAT, &error);
        fuzz_check(strncmp(error.text, "fuzz.conf:", 10) == 0); /* says where */
        check_same(&before, &arguments);
    } else {
        fuzz_check(vip_argument(&arguments, &VIP_OPTION_SEED)->whole == 7);
        fuzz_check(!vip_argument(&arguments, &VIP_OPTION_PRESET)->given);
        check_against_line(&arguments);
    }
    vip_arguments_free(&arguments);
    vip_arguments_free(&before);
    return 0;
}
