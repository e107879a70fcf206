/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fuzz_options.c -- any words as the command lines of the program's own commands: refused with one line, or values that
 * their table allows. The input is words between tabs. */
#include "fuzz.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/options.h>
#include <plugin/program/commands.h>

/* The tables are private to the commands. So the linker sends the commands' call of vip_options_parse here: it keeps
 * the table and says that nothing can be done. */
vipann_status __real_vip_options_parse(const vip_command *command, int argc, char *const *argv,
                                       vip_arguments *arguments, vipann_error *error);
vipann_status __wrap_vip_options_parse(const vip_command *command, int argc, char *const *argv,
                                       vip_arguments *arguments, vipann_error *error);

static const vip_command *table;

vipann_status
__wrap_vip_options_parse(const vip_command *command, int argc, char *const *argv, vip_arguments *arguments,
                         vipann_error *error)
{
    (void)argc;
    (void)argv;
    table = command;
    memset(arguments, 0, sizeof *arguments);
    memset(error, 0, sizeof *error);
    return VIPANN_E_ARG;
}

enum { MOST_WORDS = 48, MOST_TABLES = 8 };

static const vip_command *tables[MOST_TABLES];
static size_t n_tables;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    int (*const commands[])(int, char **) = {vip_command_file, vip_command_info};
    char name[] = "command", *words[] = {name, NULL};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        fuzz_check(commands[i](1, words) == VIP_EXIT_ASKED_WRONGLY);
        fuzz_check(table != NULL);
        tables[n_tables++] = table;
    }
    return 0;
}

/* Writes "--NAME=VALUE" for an option of the tables, with a value at or beside its limits; returns its length. */
static size_t
invent(char *out, size_t size, uint32_t *random)
{
    const vip_command *command = tables[fuzz_random(random) % n_tables];
    const vip_option *option = command->options[fuzz_random(random) % command->n_options];
    const double limit = fuzz_random(random) % 2 == 0 ? option->least : option->most;
    const double step = option->kind == VIP_OPTION_WHOLE ? 1 : 0.001;
    const double value = limit + step * ((double)(fuzz_random(random) % 3) - 1);
    const char *words = option->words != NULL ? option->words[0] : "x";
    const char sign = fuzz_random(random) % 2 == 0 ? '=' : '\t';
    int n = option->kind == VIP_OPTION_FLAG ? snprintf(out, size, "\t--%s", option->name)
            : fuzz_random(random) % 4 == 0  ? snprintf(out, size, "\t--%s%c%s", option->name, sign, words)
            : value >= 0 && value < 0x1p64  ? snprintf(out, size, "\t--%s%c%.15g", option->name, sign, value)
                                            : snprintf(out, size, "\t--%s", option->name);
    return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint32_t random = seed;
    char word[128];
    size_t n = fuzz_random(&random) % 2 == 0 ? invent(word, sizeof word, &random) : 0;
    if (n == 0 || n > max_size - size) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    /* behind the last word or in front of one */
    size_t at = fuzz_random(&random) % (size + 1);
    while (at < size && data[at] != '\t') {
        at++;
    }
    memmove(data + at + n, data + at, size - at);
    memcpy(data + at, word, n);
    return size + n;
}

static bool
is_word_of(const vip_option *option, const vip_value *value)
{
    for (int i = 0; option->words != NULL && option->words[i] != NULL; i++) {
        if (i == value->word) {
            return strcmp(option->words[i], value->text) == 0;
        }
    }
    return false;
}

static void
check_value(const vip_option *option, const vip_value *value)
{
    if (value->text == NULL) {
        fuzz_check(option->standard == NULL && (!value->given || option->kind == VIP_OPTION_FLAG));
        return;
    }
    switch (option->kind) {
    case VIP_OPTION_FLAG:
        fuzz_check(false); /* has no text */
        break;
    case VIP_OPTION_TEXT:
        fuzz_check(value->text[0] != '\0');
        break;
    case VIP_OPTION_CHOICE:
        fuzz_check(is_word_of(option, value));
        break;
    default:
        if (value->word == VIP_NO_WORD) {
            fuzz_check(value->number >= option->least && value->number <= option->most);
            fuzz_check(option->kind != VIP_OPTION_WHOLE || value->number == (double)value->whole);
        } else {
            fuzz_check(is_word_of(option, value));
        }
    }
}

/* Every operand is one of the words, in their order. */
static void
check_operands(const vip_command *command, const vip_arguments *arguments, int argc, char **argv)
{
    int at = 1;
    fuzz_check(arguments->n_operands >= command->least_operands && arguments->n_operands <= command->most_operands);
    for (size_t i = 0; i < arguments->n_operands; i++) {
        while (at < argc && argv[at] != arguments->operands[i]) {
            at++;
        }
        fuzz_check(at++ < argc);
    }
}

static void
check_help(const vip_command *command)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    fuzz_check(out != NULL);
    vip_options_help(command, out);
    fuzz_check(fclose(out) == 0 && n > 0 && text[n - 1] == '\n');
    free(text);
}

static void
parse(const vip_command *command, int argc, char **argv)
{
    vip_arguments arguments;
    vipann_error error = {VIPANN_OK, ""};
    vipann_status status = __real_vip_options_parse(command, argc, argv, &arguments, &error);
    if (status != VIPANN_OK) {
        fuzz_check(status == VIPANN_E_ARG);
        fuzz_check_refusal(status, &error);
        fuzz_check(strncmp(error.text, command->name, strlen(command->name)) == 0);
    } else if (arguments.help) {
        check_help(command);
    } else {
        check_operands(command, &arguments, argc, argv);
        for (size_t i = 0; i < command->n_options; i++) {
            check_value(command->options[i], &arguments.values[i]);
        }
    }
    vip_arguments_free(&arguments);
}

/* Distances are symmetrical, 0 for equal words only, and at most the length of the longer word. */
static void
check_distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), distance = vip_word_distance(a, b);
    fuzz_check(distance == vip_word_distance(b, a));
    fuzz_check(distance == SIZE_MAX ? n > 64 || m > 64 : distance <= (n > m ? n : m));
    fuzz_check((distance == 0) == (strcmp(a, b) == 0));
    fuzz_check(distance == SIZE_MAX || distance >= (n > m ? n - m : m - n));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char command[] = "command", *argv[MOST_WORDS + 1] = {command};
    int argc = 1;
    char *line = malloc(size + 1);
    fuzz_check(line != NULL);
    memcpy(line, data, size);
    line[size] = '\0';
    for (char *at = line; at != NULL && argc < MOST_WORDS;) {
        char *tab = strchr(at, '\t');
        argv[argc++] = at;
        if (tab != NULL) {
            *tab++ = '\0';
        }
        at = tab;
    }
    for (size_t i = 0; i < n_tables; i++) {
        parse(tables[i], argc, argv);
    }
    if (argc > 2) {
        check_distance(argv[1], argv[2]);
    }
    free(line);
    return 0;
}
