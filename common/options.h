/* SPDX-License-Identifier: GPL-3.0-or-later */
/* options.h -- one table per command, from which its parser, its --help, its messages, its man page and what the shell
 * completes come.
 *
 * Options are long ("--passes 8" or "--passes=8"), may stand before, after or among the operands, and the last of
 * several counts. "--" ends them; "-" is an operand. "--help" needs no entry in a table, and where there is "--output",
 * "-o" is short for it. */
#ifndef VIP_COMMON_OPTIONS_H
#define VIP_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <base/words.h> /* whoever reads words may offer the nearest one */
#include <vipann/vipann.h>

typedef enum {
    VIP_OPTION_FLAG,   /* takes no value */
    VIP_OPTION_TEXT,   /* any text but the empty one */
    VIP_OPTION_WHOLE,  /* a whole number of least .. most, or one of the words */
    VIP_OPTION_NUMBER, /* a decimal number of least .. most, or one of the words */
    VIP_OPTION_CHOICE  /* one of the words */
} vip_option_kind;

typedef struct {
    const char *name; /* without the dashes */
    vip_option_kind kind;
    const char *argument;     /* what the help calls the value, such as "SECONDS"; NULL: the words themselves. The shell
                               * completes what has FILE, DIR or MODEL in it as such, MANIFEST, CACHE and RUN as files,
                               * and NAME|FILE as a preset */
    double least, most;       /* both allowed */
    const char *const *words; /* ends with NULL; NULL: none */
    const char *standard;     /* the value if it is not given, written as a user would; NULL: none */
    const char *otherwise;    /* instead of that in the help, such as "the model's own"; NULL: nothing to say */
    const char *group;        /* the heading under which the help lists it; options of a group stand together */
    const char *help;         /* one or a few sentences without line breaks */
} vip_option;

/* A line of a list: a variable of the environment, a file. */
typedef struct {
    const char *name;
    const char *help; /* one or a few sentences without line breaks */
} vip_entry;

typedef struct vip_subcommand vip_subcommand;

typedef struct {
    const char *name;                 /* "vipann file" */
    const char *operands;             /* for the usage line: "FILE..."; completed like the value of an option */
    const char *summary;              /* one sentence */
    const char *details;              /* paragraphs between line breaks, or NULL */
    const char *examples;             /* lines, each one command */
    const vip_option *const *options; /* [n_options]: commands share those that they have in common */
    size_t n_options;
    size_t least_operands, most_operands;
    const vip_subcommand *commands; /* of a program, ends with a NULL name; NULL: none */
    const vip_entry *environment;   /* variables that it heeds, ends with a NULL name; NULL: none */
    const vip_entry *files;         /* for the man page, likewise */
} vip_command;

struct vip_subcommand {
    const char *name; /* "file" */
    const vip_command *command;
    int (*run)(int argc, char **argv); /* argv[0] is the name; returns the exit status */
};

enum { VIP_NO_WORD = -1 };

/* The value of one option: of the option at the same place in the table. */
typedef struct {
    bool given;       /* false: what follows comes from `standard`, or is empty */
    const char *text; /* as it was written, borrowed; NULL: none */
    double number;    /* NUMBER and WHOLE */
    uint64_t whole;   /* WHOLE */
    int word;         /* its index in words, or VIP_NO_WORD */
} vip_value;

/* What the arguments of a command say. */
typedef struct {
    const vip_command *command; /* borrowed */
    bool help;                  /* "--help" was among them: nothing else has been looked at */
    const char **operands;      /* [n_operands], borrowed from argv */
    size_t n_operands;
    vip_value *values; /* [n_options] */
    char *file;        /* what values that an option file gave point into; NULL: none did */
} vip_arguments;

/* Parses argv[1 .. argc-1] into *arguments (freed with vip_arguments_free, after a failure as well).
 * Errors: E_ARG with one line that says what was found, what was expected and, for a mistyped name, the nearest one;
 * E_MEMORY. */
vipann_status vip_options_parse(const vip_command *command, int argc, char *const *argv, vip_arguments *arguments,
                                vipann_error *error);

void vip_arguments_free(vip_arguments *arguments);

/* The value of an option that several commands may share; of one that this command does not have: not given, no text. */
const vip_value *vip_argument(const vip_arguments *arguments, const vip_option *option);

/* The next three are for whoever reads options from elsewhere, as option_file.h does. */

/* Reads text as the value of an option that is no flag. where: how a message begins, such as "vipann file: --passes".
 * Errors: `refusal`, with one line that says what was found and what was expected; *value is of no use then. */
vipann_status vip_option_read(const vip_option *option, const char *text, const char *where, vipann_status refusal,
                              vip_value *value, vipann_error *error);

/* The place in the command's table of the option whose name is these `length` bytes; n_options: it has none. */
size_t vip_option_find(const vip_command *command, const char *name, size_t length);

/* The name among the command's options that is likely meant by a mistyped one, if it is nearer than *closest, at first
 * SIZE_MAX, which then says how near; else NULL. */
const char *vip_option_nearest(const vip_command *command, const char *mistyped, size_t *closest);

/* Writes the help of the command, at most 80 columns wide where words allow. */
void vip_options_help(const vip_command *command, FILE *out);

/* How many bytes of an example stand in one line of so many columns: all of them, or as many as come before a space outside
 * of quotes; then a backslash follows, and the rest goes on in another line. If there is no such space, all. */
size_t vip_option_example_part(const char *line, size_t columns);

/* What the help says of an option, with its range and default behind it, into out, cut to fit; returns out. */
const char *vip_option_describe(const vip_option *option, char *out, size_t size);

/* What all man pages of a program have in common. */
typedef struct {
    const char *version; /* "vipann 0.1.0" */
    const char *date;    /* "November 21, 2026" */
    const vip_command *program;
    const char *const *pages; /* for "see also": name and section, "vipann-file 1", in order; ends with NULL */
} vip_manual;

/* Writes the man page of a command, or of the program itself, in mdoc. The name of the page is that of the command with
 * dashes for spaces. */
void vip_options_man(const vip_command *command, const vip_manual *manual, FILE *out);

/* Writes what bash completes for a program with commands. shared is the folder in which `models` and `presets` lie that come
 * with it. */
void vip_options_bash(const vip_command *program, const char *shared, FILE *out);

#endif /* VIP_COMMON_OPTIONS_H */
