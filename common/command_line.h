/* SPDX-License-Identifier: GPL-3.0-or-later */
/* command_line.h -- what a program with sub-commands does around them: finds the one that is meant, reads its options, says what
 * went wrong, and ends with the right status. */
#ifndef VIP_COMMON_COMMAND_LINE_H
#define VIP_COMMON_COMMAND_LINE_H

#include "options.h"

/* Exit statuses, the same in all programs. */
enum { VIP_EXIT_DONE = 0, VIP_EXIT_FAILED = 1, VIP_EXIT_ASKED_WRONGLY = 2 };

/* main of a program: runs the sub-command that argv[1] names, shows help or version, or says in one line what is wrong. A
 * standard output that could not be written, but to a pipe that nobody reads any more, is a failure too. */
int vip_program_main(const vip_command *program, int argc, char **argv);

/* What a sub-command does with its command line: reads it by the table, says what is wrong with it or shows the help, else
 * calls prepare (NULL: none), which may complete the arguments or refuse them, and then run; returns the exit status. */
int vip_command_line(const vip_command *command, int argc, char **argv,
                     vipann_status (*prepare)(vip_arguments *arguments, vipann_error *error),
                     int (*run)(const vip_arguments *arguments));

/* The exit status of a sub-command that ended like this; says what failed in one line, after the command's name. */
int vip_command_end(const vip_command *command, vipann_status good, const vipann_error *error);

#endif /* VIP_COMMON_COMMAND_LINE_H */
