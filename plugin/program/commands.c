/* SPDX-License-Identifier: GPL-3.0-or-later */
/* commands.c -- see commands.h for the contract. */
#include "commands.h"

#include <stdio.h>

#include "preset.h"

static int
status_of(vipann_status refusal)
{
    return refusal == VIPANN_E_ARG ? VIP_EXIT_ASKED_WRONGLY : VIP_EXIT_FAILED;
}

int
vip_command_line(const vip_command *command, int argc, char **argv, int (*run)(const vip_arguments *arguments))
{
    vipann_error error;
    vip_arguments arguments;
    int status = VIP_EXIT_DONE;
    vipann_status good = vip_options_parse(command, argc, argv, &arguments, &error);
    if (good != VIPANN_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
        status = status_of(good);
    } else if (arguments.help) {
        vip_options_help(command, stdout);
    } else if ((good = vip_preset_apply(&arguments, &error)) != VIPANN_OK) {
        (void)fprintf(stderr, "%s: %s\n", command->name, error.text);
        status = status_of(good);
    } else {
        status = run(&arguments);
    }
    vip_arguments_free(&arguments);
    return status;
}
