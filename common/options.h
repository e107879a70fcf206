/* SPDX-License-Identifier: GPL-3.0-or-later */
/* options.h -- one table per command, from which its parser, its --help and its messages come.
 *
 * Options are long ("--passes 8" or "--passes=8"), may stand before, after or among the operands, and the last of
 * several counts. "--" ends them; "-" is an operand. "--help" needs no entry in a table. */
#ifndef VIP_COMMON_OPTIONS_H
#define VIP_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

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
    const char *argument;     /* what the help calls the value, such as "SECONDS"; NULL: the words themselves */
    double least, most;       /* both allowed */
    const char *const *words; /* ends with NULL; NULL: none */
    const char *standard;     /* the value if it is not given, written as a user would; NULL: none */
    const char *otherwise;    /* instead of that in the help, such as "the model's own"; NULL: nothing to say */
    const char *group;        /* the heading under which the help lists it; options of a group stand together */
    const char *help;         /* one or a few sentences without line breaks */
} vip_option;

typedef struct {
    const char *name;     /* "vipann file" */
    const char *operands; /* for the usage line: "FILE..." */
    const char *summary;  /* one sentence */
    const char *details;  /* paragraphs between line breaks, or NULL */
    const char *examples; /* lines, each one command */
    const vip_option *options;
    size_t n_options;
    size_t least_operands, most_operands;
} vip_command;

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
    bool help;             /* "--help" was among them: nothing else has been looked at */
    const char **operands; /* [n_operands], borrowed from argv */
    size_t n_operands;
    vip_value *values; /* [n_options] */
} vip_arguments;

/* Parses argv[1 .. argc-1] into *arguments (freed with vip_arguments_free, after a failure as well).
 * Errors: E_ARG with one line that says what was found, what was expected and, for a mistyped name, the nearest one;
 * E_MEMORY. */
vipann_status vip_options_parse(const vip_command *command, int argc, char *const *argv, vip_arguments *arguments,
                                vipann_error *error);

void vip_arguments_free(vip_arguments *arguments);

/* Writes the help of the command, at most 80 columns wide where words allow. */
void vip_options_help(const vip_command *command, FILE *out);

/* How many letters one must insert, delete, replace or swap with a neighbour to make one word of the other, up to 64
 * letters; longer words are infinitely far (SIZE_MAX). */
size_t vip_word_distance(const char *a, const char *b);

/* Whether a word at this distance is near enough to be offered for the mistyped one. */
bool vip_word_is_near(const char *mistyped, size_t distance);

#endif /* VIP_COMMON_OPTIONS_H */
