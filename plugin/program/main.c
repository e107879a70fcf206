/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main.c -- the program `vipann`. */
#include "commands.h"

int
main(int argc, char **argv)
{
    return vip_program_main(&VIP_PROGRAM, argc, argv);
}
