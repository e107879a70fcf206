/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main.c -- the program `vipann-train`: finds the sub-command and lets it run. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <common/options.h>
#include <vipann/vipann.h>

#include "train_commands.h"

static int
show_version(void)
{
    (void)printf("vipann-train %s (kernels: %s)\n", vipann_version(), vipann_kernels());
    return VIP_EXIT_DONE;
}

static int
refuse(const char *found)
{
    const char *nearest = NULL;
    size_t closest = SIZE_MAX;
    for (const vip_subcommand *c = VIP_TRAIN_PROGRAM.commands; c->name != NULL; c++) {
        size_t distance = vip_word_distance(found, c->name);
        if (distance < closest) {
            closest = distance;
            nearest = vip_word_is_near(found, distance) ? c->name : NULL;
        }
    }
    const char *kind = found[0] == '-' ? "option" : "command";
    if (nearest != NULL) {
        (void)fprintf(stderr, "vipann-train: unknown %s \"%s\"; did you mean \"%s\"?\n", kind, found, nearest);
    } else {
        (void)fprintf(stderr, "vipann-train: unknown %s \"%s\"; \"vipann-train --help\" lists all\n", kind, found);
    }
    return VIP_EXIT_ASKED_WRONGLY;
}

static int
dispatch(int argc, char **argv)
{
    if (argc < 2) {
        (void)fputs("vipann-train: no command; expected one, such as \"vipann-train features manifest.csv -o "
                    "sounds.cache\" (see \"vipann-train --help\")\n",
                    stderr);
        return VIP_EXIT_ASKED_WRONGLY;
    }
    if (strcmp(argv[1], "--help") == 0) {
        vip_options_help(&VIP_TRAIN_PROGRAM, stdout);
        return VIP_EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        return show_version();
    }
    for (const vip_subcommand *c = VIP_TRAIN_PROGRAM.commands; c->name != NULL; c++) {
        if (strcmp(argv[1], c->name) == 0) {
            return c->run(argc - 1, argv + 1);
        }
    }
    return refuse(argv[1]);
}

int
main(int argc, char **argv)
{
    int status = dispatch(argc, argv);
    errno = 0;
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && status == VIP_EXIT_DONE) {
        if (errno != EPIPE) {
            (void)fprintf(stderr, "vipann-train: standard output: %s\n",
                          errno != 0 ? strerror(errno) : "cannot be written");
        }
        return VIP_EXIT_FAILED;
    }
    return status;
}
