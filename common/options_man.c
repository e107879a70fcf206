/* SPDX-License-Identifier: GPL-3.0-or-later */
/* options_man.c -- man pages from the tables of the commands, in mdoc. */
#include <ctype.h>
#include <string.h>

#include "options.h"

enum { WIDTH = 78, INDENT = 11 /* of examples, with that of all text */, TEXT = 2048 };

/* ---------------------------------------------------------------------------------------------------------- text */

/* Writes characters so that roff takes none for an escape, nor makes something typographic of it; dashes and apostrophes
 * too if they are to be typed. Returns how many bytes were written. */
static size_t
put_typed(const char *word, size_t length, bool typed, FILE *out)
{
    size_t written = 0;
    for (size_t i = 0; i < length; i++) {
        const char *escaped = word[i] == '\\'            ? "\\e"
                              : word[i] == '-' && typed  ? "\\-"
                              : word[i] == '"'           ? "\\(dq"
                              : word[i] == '`'           ? "\\(ga"
                              : word[i] == '\'' && typed ? "\\(aq"
                              : word[i] == '~'           ? "\\(ti"
                              : word[i] == '^'           ? "\\(ha"
                                                         : NULL;
        if (escaped != NULL) {
            (void)fputs(escaped, out);
            written += strlen(escaped);
        } else {
            (void)fputc(word[i], out);
            written++;
        }
    }
    return written;
}

/* The same for a word of a sentence. first: it begins a line, where a point or an apostrophe would begin a request. */
static size_t
put_word(const char *word, size_t length, bool first, FILE *out)
{
    size_t written = 0;
    if (first && (*word == '.' || *word == '\'')) {
        (void)fputs("\\&", out);
        written = 2;
    }
    size_t plain = strcspn(word, "./_=");
    bool typed = *word == '-' || memchr(word, '=', length) != NULL;
    if (typed || plain + 1 < length) { /* a name or what one types, not to be hyphenated */
        (void)fputs("\\%", out);
        written += 2;
    }
    return written + put_typed(word, length, typed, out);
}

static bool
ends_sentence(const char *word, size_t length)
{
    return length > 1 && word[length - 1] == '.' && isdigit((unsigned char)word[length - 2]) == 0;
}

/* Words of text up to its end or a line break, in lines of which each begins a sentence or continues one. */
static const char *
put_paragraph(const char *text, FILE *out)
{
    size_t column = 0;
    while (*text != '\0' && *text != '\n') {
        size_t length = strcspn(text, " \n");
        if (column > 0) {
            bool full = column + 1 + length > WIDTH;
            (void)fputc(full ? '\n' : ' ', out);
            column = full ? 0 : column + 1;
        }
        column += put_word(text, length, column == 0, out);
        if (ends_sentence(text, length) && text[length] == ' ') {
            (void)fputc('\n', out);
            column = 0;
        }
        text += length + strspn(text + length, " ");
    }
    if (column > 0) {
        (void)fputc('\n', out);
    }
    return text + (*text == '\n');
}

/* All paragraphs. */
static void
put_text(const char *text, FILE *out)
{
    for (bool first = true; *text != '\0'; first = false) {
        if (!first) {
            (void)fputs(".Pp\n", out);
        }
        text = put_paragraph(text, out);
    }
}

/* The name of a command as the name of its page: "vipann file" is vipann-file. */
static void
put_page_name(const char *name, FILE *out)
{
    for (; *name != '\0'; name++) {
        (void)fputc(*name == ' ' ? '-' : *name, out);
    }
}

/* "vipann file" as a macro: the program's name, then the command's. */
static void
put_invocation(const char *name, FILE *out)
{
    size_t length = strcspn(name, " ");
    bool part = name[length] != '\0';
    (void)fprintf(out, ".Nm %.*s%s%s\n", (int)length, name, part ? " Cm " : "", part ? name + length + 1 : "");
}

/* A summary is a sentence; behind a name it goes on in lower case, unless it begins with an abbreviation. */
static void
put_summary(const char *summary, bool closed, FILE *out)
{
    char text[TEXT];
    size_t length = strlen(summary);
    bool stop = !closed && length > 0 && summary[length - 1] == '.';
    (void)snprintf(text, sizeof text, "%.*s", (int)(length - stop), summary);
    if (isupper((unsigned char)text[0]) != 0 && islower((unsigned char)text[1]) != 0) {
        text[0] = (char)tolower((unsigned char)text[0]);
    }
    (void)put_paragraph(text, out);
}

/* ------------------------------------------------------------------------------------------------------ sections */

static void
put_head(const vip_command *command, const vip_manual *manual, FILE *out)
{
    (void)fprintf(out, ".Dd %s\n.Dt ", manual->date);
    for (const char *letter = command->name; *letter != '\0'; letter++) {
        (void)fputc(*letter == ' ' ? '-' : toupper((unsigned char)*letter), out);
    }
    (void)fprintf(out, " 1\n.Os \"%s\"\n.Sh NAME\n.Nm ", manual->version);
    put_page_name(command->name, out);
    (void)fputs("\n.Nd ", out);
    put_summary(command->summary, false, out);
}

/* The operands of the usage line, each word by itself: "COMMAND [OPTION...]". */
static void
put_operands(const char *operands, FILE *out)
{
    while (*operands != '\0') {
        size_t length = strcspn(operands, " ");
        bool optional = *operands == '[' && operands[length - 1] == ']';
        int inner = (int)length - (optional ? 2 : 0);
        (void)fprintf(out, ".%sAr %.*s\n", optional ? "Op " : "", inner, operands + (optional ? 1 : 0));
        operands += length + strspn(operands + length, " ");
    }
}

static void
put_synopsis(const vip_command *command, FILE *out)
{
    (void)fputs(".Sh SYNOPSIS\n", out);
    put_invocation(command->name, out);
    if (command->commands != NULL) {
        put_operands(command->operands, out);
        put_invocation(command->name, out);
        for (size_t i = 0; i < command->n_options; i++) {
            (void)fprintf(out, "%s Fl -%s", i == 0 ? ".Fl -help |" : " |", command->options[i]->name);
        }
        (void)fputc('\n', out);
    } else {
        (void)fputs(".Op Ar OPTION...\n", out);
        put_operands(command->operands, out);
    }
}

static void
put_description(const vip_command *command, FILE *out)
{
    (void)fputs(".Sh DESCRIPTION\n", out);
    put_invocation(command->name, out);
    put_summary(command->summary, true, out);
    if (command->details != NULL) {
        (void)fputs(".Pp\n", out);
        put_text(command->details, out);
    }
}

static void
put_commands(const vip_command *program, FILE *out)
{
    (void)fputs(".Sh COMMANDS\n.Bl -tag -width Ds\n", out);
    for (const vip_subcommand *c = program->commands; c->name != NULL; c++) {
        (void)fprintf(out, ".It Cm %s\n", c->name);
        put_text(c->command->summary, out);
        (void)fprintf(out, "See\n.Xr %s-%s 1 .\n", program->name, c->name);
    }
    (void)fputs(".El\n", out);
}

static void
put_option(const vip_option *option, FILE *out)
{
    char text[TEXT];
    (void)fprintf(out, ".It %sFl -%s", strcmp(option->name, "output") == 0 ? "Fl o , " : "", option->name);
    if (option->argument != NULL) {
        (void)fputs(" Ar ", out);
        (void)put_typed(option->argument, strlen(option->argument), false, out);
    }
    for (size_t i = 0; option->words != NULL && option->words[i] != NULL; i++) {
        (void)fprintf(out, "%s Cm %s", i > 0 || option->argument != NULL ? " |" : "", option->words[i]);
    }
    (void)fputc('\n', out);
    put_text(vip_option_describe(option, text, sizeof text), out);
}

static void
put_options(const vip_command *command, FILE *out)
{
    const char *group = NULL;
    (void)fputs(".Sh OPTIONS\n", out);
    if (command->commands == NULL) {
        (void)fputs("Options may stand before, after or among the operands;\n.Fl -\nends them.\n"
                    "The value of an option is the next argument, or follows a\n.Ql = .\n"
                    "Of an option that is given several times the last counts.\n",
                    out);
    }
    for (size_t i = 0; i < command->n_options; i++) {
        const vip_option *option = command->options[i];
        if (group == NULL || strcmp(group, option->group) != 0) {
            bool only = strcmp(option->group, "Options") == 0; /* the heading of a short list, which is there already */
            if (group != NULL) {
                (void)fputs(".El\n", out);
            }
            group = option->group;
            if (!only) {
                (void)fprintf(out, ".Ss %s\n", group);
            }
            (void)fputs(".Bl -tag -width Ds\n", out);
        }
        put_option(option, out);
    }
    (void)fprintf(out, "%s.It Fl -help\nShow all of this in short.\n.El\n",
                  command->n_options > 0 ? "" : ".Bl -tag -width Ds\n");
}

static void
put_entries(const char *heading, const char *macro, const vip_entry *entries, FILE *out)
{
    if (entries == NULL) {
        return;
    }
    (void)fprintf(out, ".Sh %s\n.Bl -tag -width Ds\n", heading);
    for (; entries->name != NULL; entries++) {
        (void)fprintf(out, ".It %s %s\n", macro, entries->name);
        put_text(entries->help, out);
    }
    (void)fputs(".El\n", out);
}

static void
put_statuses(FILE *out)
{
    (void)fputs(".Sh EXIT STATUS\n.Bl -tag -width Ds\n"
                ".It 0\nAll that was asked for has been done.\n"
                ".It 1\nSomething could not be done;\na line on the standard error says what, and what would help.\n"
                ".It 2\nIt was asked wrongly, and nothing has been done;\na line says what was expected.\n.El\n",
                out);
}

static void
put_examples(const char *line, FILE *out)
{
    (void)fputs(".Sh EXAMPLES\n.Bd -literal -offset indent\n", out);
    const char *begin = "$ ";
    while (*line != '\0') {
        const size_t length = vip_option_example_part(line, WIDTH - INDENT - strlen(begin));
        const bool goes_on = line[length] == ' ';
        (void)fputs(begin, out);
        (void)put_typed(line, length, true, out);
        (void)fputs(goes_on ? " \\e\n" : "\n", out);
        line += length + (line[length] != '\0');
        begin = goes_on ? "      " : "$ ";
    }
    (void)fputs(".Ed\n", out);
}

static bool
is_page_of(const char *page, const char *command)
{
    size_t length = strlen(command);
    for (size_t i = 0; i < length; i++) {
        if (page[i] != (command[i] == ' ' ? '-' : command[i])) {
            return false;
        }
    }
    return page[length] == ' ';
}

static void
put_see_also(const vip_command *command, const char *const *pages, FILE *out)
{
    const char *separator = "";
    (void)fputs(".Sh SEE ALSO\n", out);
    for (; *pages != NULL; pages++) {
        if (!is_page_of(*pages, command->name)) {
            (void)fprintf(out, "%s.Xr %s", separator, *pages);
            separator = " ,\n";
        }
    }
    (void)fputc('\n', out);
}

void
vip_options_man(const vip_command *command, const vip_manual *manual, FILE *out)
{
    put_head(command, manual, out);
    put_synopsis(command, out);
    put_description(command, out);
    if (command->commands != NULL) {
        put_commands(command, out);
    }
    put_options(command, out);
    put_entries("ENVIRONMENT", "Ev", manual->program->environment, out);
    put_entries("FILES", "Pa", manual->program->files, out);
    put_statuses(out);
    put_examples(command->examples, out);
    put_see_also(command, manual->pages, out);
}
