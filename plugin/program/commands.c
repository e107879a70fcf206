/* SPDX-License-Identifier: GPL-3.0-or-later */
/* commands.c -- see commands.h for the contract. */
#include "commands.h"

#include <stdio.h>

int
vip_command_line(const vip_command *command, int argc, char **argv, int (*run)(const vip_arguments *arguments))
{
    vipann_error error;
    vip_arguments arguments;
    int status = VIP_EXIT_DONE;
    const vipann_status parsed = vip_options_parse(command, argc, argv, &arguments, &error);
    if (parsed != VIPANN_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
        status = parsed == VIPANN_E_ARG ? VIP_EXIT_ASKED_WRONGLY : VIP_EXIT_FAILED;
    } else if (arguments.help) {
        vip_options_help(command, stdout);
    } else {
        status = run(&arguments);
    }
    vip_arguments_free(&arguments);
    return status;
}
