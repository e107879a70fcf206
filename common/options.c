/* SPDX-License-Identifier: GPL-3.0-or-later */
/* options.c -- see options.h for the contract: the parser. The help is written in options_help.c. */
#include "options.h"

#include <string.h>

#include <base/memory.h>
#include <base/status.h>

#include "number.h"

enum { LONGEST_WORD = 64, HINT = 80, WHERE = 160 };

/* ------------------------------------------------------------------------------------------------- one value */

static int
find_word(const char *const *words, const char *text)
{
    for (int i = 0; words != NULL && words[i] != NULL; i++) {
        if (strcmp(words[i], text) == 0) {
            return i;
        }
    }
    return VIP_NO_WORD;
}

/* "text, jsonl or csv" into out, cut to fit. */
static const char *
list_words(const char *const *words, char *out, size_t size)
{
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = 0; words[i] != NULL && length < size; i++) {
        const char *link = i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ";
        int n = snprintf(out + length, size - length, "%s%s", link, words[i]);
        length += n > 0 ? (size_t)n : 0;
    }
    return out;
}

/* A limit of a whole number has all its digits. */
static const char *
write_limit(char out[VIP_NUMBER_SIZE], const vip_option *option, double limit)
{
    if (option->kind != VIP_OPTION_WHOLE) {
        return vip_number_write(out, limit, 9);
    }
    uint64_t whole = limit < 0x1p64 ? (uint64_t)limit : UINT64_MAX;
    (void)snprintf(out, VIP_NUMBER_SIZE, "%llu", (unsigned long long)whole);
    return out;
}

static vipann_status
refuse_value(const vip_option *option, const char *text, const char *where, vipann_status refusal, vipann_error *error)
{
    char words[HINT], least[VIP_NUMBER_SIZE], most[VIP_NUMBER_SIZE];
    const char *also = option->words != NULL ? list_words(option->words, words, sizeof words) : "";
    if (option->kind == VIP_OPTION_TEXT) {
        return vip_fail(error, refusal, "%s: the value is empty; give %s", where, option->argument);
    }
    if (option->kind == VIP_OPTION_CHOICE) {
        return vip_fail(error, refusal, "%s: found \"%.40s\"; expected %s", where, text, also);
    }
    return vip_fail(error, refusal, "%s: found \"%.40s\"; expected a %s of %s to %s%s%s", where, text,
                    option->kind == VIP_OPTION_WHOLE ? "whole number" : "number",
                    write_limit(least, option, option->least), write_limit(most, option, option->most),
                    option->words != NULL ? " or " : "", also);
}

vipann_status
vip_option_read(const vip_option *option, const char *text, const char *where, vipann_status refusal, vip_value *value,
                vipann_error *error)
{
    bool good = true;
    value->text = text;
    value->word = find_word(option->words, text);
    if (option->kind == VIP_OPTION_TEXT) {
        good = *text != '\0';
    } else if (option->kind == VIP_OPTION_CHOICE) {
        good = value->word != VIP_NO_WORD;
    } else if (value->word == VIP_NO_WORD) {
        if (option->kind == VIP_OPTION_WHOLE) {
            good = vip_number_read_whole(text, &value->whole);
            value->number = (double)value->whole;
        } else {
            good = vip_number_read(text, &value->number);
        }
        good = good && value->number >= option->least && value->number <= option->most;
    }
    return good ? VIPANN_OK : refuse_value(option, text, where, refusal, error);
}

/* ------------------------------------------------------------------------------------------------------- names */

size_t
vip_option_find(const vip_command *command, const char *name, size_t length)
{
    size_t i = 0;
    while (i < command->n_options &&
           (strlen(command->options[i]->name) != length || memcmp(command->options[i]->name, name, length) != 0)) {
        i++;
    }
    return i;
}

const char *
vip_option_nearest(const vip_command *command, const char *mistyped, size_t *closest)
{
    const char *nearest = NULL;
    size_t length = strlen(mistyped);
    for (size_t i = 0; i < command->n_options; i++) {
        const char *candidate = command->options[i]->name;
        bool begins = length >= 2 && strncmp(candidate, mistyped, length) == 0;
        size_t distance = begins ? 0 : vip_word_distance(mistyped, candidate);
        if (distance < *closest) {
            *closest = distance;
            nearest = begins || vip_word_is_near(mistyped, distance) ? candidate : NULL;
        }
    }
    return nearest;
}

/* --------------------------------------------------------------------------------------------------- the line */

/* A value that the command line or the table gives. */
static vipann_status
read_value(const vip_command *command, const vip_option *option, const char *text, vip_value *value,
           vipann_error *error)
{
    char where[WHERE];
    (void)snprintf(where, sizeof where, "%s: --%s", command->name, option->name);
    return vip_option_read(option, text, where, VIPANN_E_ARG, value, error);
}

static vipann_status
refuse_option(const vip_command *command, const char *found, vipann_error *error)
{
    const char *nearest = NULL, *letters = found + strspn(found, "-");
    char name[LONGEST_WORD + 1];
    size_t length = strcspn(letters, "="), closest = SIZE_MAX;
    if (length < sizeof name) {
        memcpy(name, letters, length);
        name[length] = '\0';
        nearest = vip_option_nearest(command, name, &closest);
    }
    if (nearest != NULL) {
        return vip_fail(error, VIPANN_E_ARG, "%s: unknown option %.60s; did you mean --%s?", command->name, found,
                        nearest);
    }
    return vip_fail(error, VIPANN_E_ARG, "%s: unknown option %.60s; \"%s --help\" lists all", command->name, found,
                    command->name);
}

/* Reads the option at argv[*at] and moves *at to the last argument it took. */
static vipann_status
read_option(const vip_command *command, int argc, char *const *argv, int *at, vip_value *values, vipann_error *error)
{
    const char *found = strcmp(argv[*at], "-o") == 0 ? "--output" : argv[*at];
    size_t length = found[1] == '-' ? strcspn(found + 2, "=") : 0; /* another single dash: no option of ours */
    size_t place = length > 0 ? vip_option_find(command, found + 2, length) : command->n_options;
    if (place == command->n_options) {
        return refuse_option(command, argv[*at], error);
    }
    const vip_option *option = command->options[place];
    vip_value *value = &values[place];
    const char *equals = found[2 + length] == '=' ? found + 2 + length + 1 : NULL;
    value->given = true;
    if (option->kind == VIP_OPTION_FLAG) {
        return equals == NULL ? VIPANN_OK
                              : vip_fail(error, VIPANN_E_ARG, "%s: --%s takes no value; found \"%.40s\"", command->name,
                                         option->name, equals);
    }
    if (equals != NULL) {
        return read_value(command, option, equals, value, error);
    }
    const char *next = *at + 1 < argc ? argv[*at + 1] : NULL;
    if (next == NULL || (strncmp(next, "--", 2) == 0 &&
                         vip_option_find(command, next + 2, strcspn(next + 2, "=")) < command->n_options)) {
        return vip_fail(error, VIPANN_E_ARG, "%s: --%s needs a value%s%s; expected --%s %s", command->name,
                        option->name, next != NULL ? " before " : "", next != NULL ? next : "", option->name,
                        option->argument != NULL ? option->argument : "WORD");
    }
    (*at)++;
    return read_value(command, option, next, value, error);
}

static vipann_status
read_line(const vip_command *command, int argc, char *const *argv, vip_arguments *a, vipann_error *error)
{
    bool ended = false;
    for (int i = 1; i < argc; i++) {
        const char *found = argv[i];
        if (ended || found[0] != '-' || found[1] == '\0') {
            a->operands[a->n_operands++] = found;
        } else if (strcmp(found, "--") == 0) {
            ended = true;
        } else if (read_option(command, argc, argv, &i, a->values, error) != VIPANN_OK) {
            return VIPANN_E_ARG;
        }
    }
    if (a->n_operands < command->least_operands) {
        return vip_fail(error, VIPANN_E_ARG, "%s: nothing to work on; expected %s %s (see \"%s --help\")",
                        command->name, command->name, command->operands, command->name);
    }
    if (a->n_operands > command->most_operands) {
        const char *operands = command->most_operands > 0 ? command->operands : "[OPTION...]";
        return vip_fail(error, VIPANN_E_ARG, "%s: \"%.60s\" is one argument too many; expected %s %s", command->name,
                        a->operands[command->most_operands], command->name, operands);
    }
    return VIPANN_OK;
}

static bool
asks_for_help(int argc, char *const *argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            return true;
        }
    }
    return false;
}

vipann_status
vip_options_parse(const vip_command *command, int argc, char *const *argv, vip_arguments *arguments,
                  vipann_error *error)
{
    memset(arguments, 0, sizeof *arguments);
    arguments->command = command;
    arguments->help = asks_for_help(argc, argv);
    arguments->operands = vip_alloc((size_t)argc, sizeof *arguments->operands);
    arguments->values = vip_alloc(command->n_options, sizeof *arguments->values);
    if (arguments->operands == NULL || arguments->values == NULL) {
        return vip_fail_memory(error, "the options");
    }
    for (size_t i = 0; i < command->n_options; i++) {
        const vip_option *option = command->options[i];
        arguments->values[i].word = VIP_NO_WORD;
        if (option->standard != NULL &&
            read_value(command, option, option->standard, &arguments->values[i], error) != VIPANN_OK) {
            return VIPANN_E_ARG; /* the table contradicts itself: a test sees it */
        }
    }
    return arguments->help ? VIPANN_OK : read_line(command, argc, argv, arguments, error);
}

const vip_value *
vip_argument(const vip_arguments *arguments, const vip_option *option)
{
    static const vip_value none = {.word = VIP_NO_WORD};
    for (size_t i = 0; i < arguments->command->n_options; i++) {
        if (arguments->command->options[i] == option) {
            return &arguments->values[i];
        }
    }
    return &none;
}

void
vip_arguments_free(vip_arguments *arguments)
{
    vip_free(arguments->operands);
    vip_free(arguments->values);
    vip_free(arguments->file);
    memset(arguments, 0, sizeof *arguments);
}
