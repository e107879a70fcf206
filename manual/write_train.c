/* SPDX-License-Identifier: GPL-3.0-or-later */
/* write_train.c -- writes the man pages and the completion of `vipann-train` from the tables of its commands; see
 * pages.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <offline_trainer/program/train_commands.h>

#include "pages.h"

enum { MOST_COMMANDS = 16, PAGE = 64 };

static int
by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

int
main(int argc, char **argv)
{
    static char names[MOST_COMMANDS][PAGE];
    const char *pages[MOST_COMMANDS + 4] = {"vipann 1", "vipann-info 1", "vipann-train 1"};
    const vip_subcommand *commands = VIP_TRAIN_PROGRAM.commands;
    size_t n = 0;
    for (; commands[n].name != NULL && n < MOST_COMMANDS; n++) {
        (void)snprintf(names[n], PAGE, "%s-%s 1", VIP_TRAIN_PROGRAM.name, commands[n].name);
    }
    qsort(names, n, PAGE, by_name);
    for (size_t i = 0; i < n; i++) {
        pages[3 + i] = names[i];
    }
    return vip_write_pages(&(const vip_written){&VIP_TRAIN_PROGRAM, pages, VIPANN_PREFIX "/share/vipann"}, argc, argv);
}
