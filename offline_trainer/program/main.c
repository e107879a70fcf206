/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main.c -- the program `vipann-train`. */
#include "train_commands.h"

int
main(int argc, char **argv)
{
    return vip_program_main(&VIP_TRAIN_PROGRAM, argc, argv);
}
