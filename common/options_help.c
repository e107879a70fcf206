/* SPDX-License-Identifier: GPL-3.0-or-later */
/* options_help.c -- what "--help" shows, from the same table as the parser. */
#include <string.h>

#include "number.h"
#include "options.h"
#include "text.h"

enum { WIDTH = 80, COLUMN = 24, LINE = 512 };

/* "  --format text|jsonl|csv" into out. */
static void
write_left(const vip_option *option, char *out, size_t size)
{
    const char *letter = strcmp(option->name, "output") == 0 ? "-o, " : "";
    int n = snprintf(out, size, "  %s--%s%s%s", letter, option->name, option->argument != NULL ? " " : "",
                     option->argument != NULL ? option->argument : "");
    for (size_t i = 0; n > 0 && (size_t)n < size && option->words != NULL && option->words[i] != NULL; i++) {
        const char *link = i > 0 || option->argument != NULL ? "|" : " ";
        n += snprintf(out + n, size - (size_t)n, "%s%s", link, option->words[i]);
    }
}

const char *
vip_option_describe(const vip_option *option, char *out, size_t size)
{
    char least[VIP_NUMBER_SIZE], most[VIP_NUMBER_SIZE];
    const char *fallback = option->otherwise != NULL ? option->otherwise : option->standard;
    bool ranged = option->kind == VIP_OPTION_NUMBER || (option->kind == VIP_OPTION_WHOLE && option->most < 1e9);
    int n = snprintf(out, size, "%s", option->help);
    if (ranged && n > 0 && (size_t)n < size) {
        (void)snprintf(out + n, size - (size_t)n, " (%s to %s%s%s)", vip_number_write(least, option->least, 9),
                       vip_number_write(most, option->most, 9), fallback != NULL ? "; default: " : "",
                       fallback != NULL ? fallback : "");
    } else if (fallback != NULL && n > 0 && (size_t)n < size) {
        (void)snprintf(out + n, size - (size_t)n, " (default: %s)", fallback);
    }
    return out;
}

/* What stands in the left column, and beside it or below what it means. */
static void
write_row(const char *left, const char *right, FILE *out)
{
    size_t at = strlen(left);
    (void)fputs(left, out);
    if (at + 2 > COLUMN) {
        (void)fputc('\n', out);
        at = 0;
    }
    (void)fprintf(out, "%*s", (int)(COLUMN - at), "");
    vip_text_wrap(out, right, COLUMN, COLUMN, WIDTH);
}

static void
write_option(const vip_option *option, FILE *out)
{
    char left[LINE], right[LINE];
    write_left(option, left, sizeof left);
    write_row(left, vip_option_describe(option, right, sizeof right), out);
}

static void
write_commands(const vip_subcommand *commands, FILE *out)
{
    (void)fputs("\nCommands\n", out);
    for (; commands->name != NULL; commands++) {
        char left[LINE];
        (void)snprintf(left, sizeof left, "  %s", commands->name);
        write_row(left, commands->command->summary, out);
    }
}

static void
write_environment(const vip_entry *entries, FILE *out)
{
    (void)fputs("\nEnvironment\n", out);
    for (; entries->name != NULL; entries++) {
        char left[LINE];
        (void)snprintf(left, sizeof left, "  %s", entries->name);
        write_row(left, entries->help, out);
    }
}

static void
write_paragraphs(const char *text, FILE *out)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        char paragraph[2 * LINE];
        size_t kept = length < sizeof paragraph ? length : sizeof paragraph - 1;
        memcpy(paragraph, text, kept);
        paragraph[kept] = '\0';
        (void)fputc('\n', out);
        vip_text_wrap(out, paragraph, 0, 0, WIDTH);
        text += length + (text[length] == '\n');
    }
}

size_t
vip_option_example_part(const char *line, size_t columns)
{
    const size_t length = strcspn(line, "\n");
    size_t any = 0, before_option = 0; /* where the last good space is */
    bool quoted = false;
    for (size_t i = 0; length > columns && i + strlen(" \\") <= columns; i++) {
        quoted = quoted != (line[i] == '\'');
        if (line[i] == ' ' && !quoted) {
            any = i;
            before_option = line[i + 1] == '-' ? i : before_option;
        }
    }
    return before_option > 0 ? before_option : any > 0 ? any : length;
}

static void
write_examples(const char *line, FILE *out)
{
    (void)fputs("\nExamples\n", out);
    const char *indent = "  ";
    while (*line != '\0') {
        const size_t length = vip_option_example_part(line, WIDTH - strlen(indent));
        const bool goes_on = line[length] == ' ';
        (void)fprintf(out, "%s%.*s%s\n", indent, (int)length, line, goes_on ? " \\" : "");
        line += length + (line[length] != '\0');
        indent = goes_on ? "      " : "  ";
    }
}

void
vip_options_help(const vip_command *command, FILE *out)
{
    bool program = command->commands != NULL; /* its options belong to no command, so its operands say where they go */
    (void)fprintf(out, "Usage: %s%s%s%s\n", command->name, command->n_options > 0 && !program ? " [OPTION...]" : "",
                  *command->operands != '\0' ? " " : "", command->operands);
    vip_text_wrap(out, command->summary, 0, 0, WIDTH);
    if (command->details != NULL) {
        write_paragraphs(command->details, out);
    }
    if (program) {
        write_commands(command->commands, out);
    }
    const char *group = NULL;
    for (size_t i = 0; i < command->n_options; i++) {
        const vip_option *option = command->options[i];
        if (group == NULL || strcmp(group, option->group) != 0) {
            group = option->group;
            (void)fprintf(out, "\n%s\n", group);
        }
        write_option(option, out);
    }
    (void)fputs(command->n_options > 0 ? "\n" : "\nOptions\n", out);
    write_row("  --help", program ? "Show this; after a command: its own help." : "Show this.", out);
    if (command->environment != NULL) {
        write_environment(command->environment, out);
    }
    write_examples(command->examples, out);
}
