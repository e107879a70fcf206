/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train_commands.c -- see train_commands.h for the contract. */
#include "train_commands.h"

#include <stdio.h>

int
vip_train_line(const vip_command *command, int argc, char **argv, int (*run)(const vip_arguments *arguments))
{
    vipann_error error;
    vip_arguments arguments;
    int status = VIP_EXIT_DONE;
    vipann_status good = vip_options_parse(command, argc, argv, &arguments, &error);
    if (good != VIPANN_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
        status = good == VIPANN_E_ARG ? VIP_EXIT_ASKED_WRONGLY : VIP_EXIT_FAILED;
    } else if (arguments.help) {
        vip_options_help(command, stdout);
    } else {
        status = run(&arguments);
    }
    vip_arguments_free(&arguments);
    return status;
}
