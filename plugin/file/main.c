/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main.c -- the program `vipann`: finds the sub-command and lets it run. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <common/options.h>
#include <vipann/vipann.h>

#include "commands.h"

static const struct {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} COMMANDS[] = {
    {"file", "say what is heard in sound files", vip_command_file},
    {"info", "describe a model, and what it costs on this machine", vip_command_info},
};

enum { N_COMMANDS = sizeof COMMANDS / sizeof *COMMANDS };

static int
show_help(void)
{
    (void)fputs("Usage: vipann COMMAND [OPTION...] [ARGUMENT...]\n"
                "Hears what a sound is and says how sure it is.\n\nCommands\n",
                stdout);
    for (size_t i = 0; i < N_COMMANDS; i++) {
        (void)printf("  %-20s  %s\n", COMMANDS[i].name, COMMANDS[i].summary);
    }
    (void)fputs("\nOptions\n"
                "  --help                Show this; after a command: its own help.\n"
                "  --version             Show the version and the kernels in use.\n"
                "\nEnvironment\n"
                "  VIPANN_MODEL_PATH     Folders of models, separated by colons.\n"
                "  VIPANN_KERNELS        Force one set of kernels: c, avx2 or avx512.\n"
                "  NO_COLOR              If set, no colours on terminals.\n"
                "\nExamples\n"
                "  vipann file street.wav\n"
                "  vipann file --help\n",
                stdout);
    return VIP_EXIT_DONE;
}

static int
show_version(void)
{
    (void)printf("vipann %s (kernels: %s)\n", vipann_version(), vipann_kernels());
    return VIP_EXIT_DONE;
}

static int
refuse(const char *found)
{
    const char *nearest = NULL;
    size_t closest = SIZE_MAX;
    for (size_t i = 0; i < N_COMMANDS; i++) {
        size_t distance = vip_word_distance(found, COMMANDS[i].name);
        if (distance < closest) {
            closest = distance;
            nearest = vip_word_is_near(found, distance) ? COMMANDS[i].name : NULL;
        }
    }
    const char *kind = found[0] == '-' ? "option" : "command";
    if (nearest != NULL) {
        (void)fprintf(stderr, "vipann: unknown %s \"%s\"; did you mean \"%s\"?\n", kind, found, nearest);
    } else {
        (void)fprintf(stderr, "vipann: unknown %s \"%s\"; \"vipann --help\" lists all\n", kind, found);
    }
    return VIP_EXIT_ASKED_WRONGLY;
}

static int
dispatch(int argc, char **argv)
{
    if (argc < 2) {
        (void)fputs("vipann: no command; expected one, such as \"vipann file street.wav\" (see \"vipann --help\")\n",
                    stderr);
        return VIP_EXIT_ASKED_WRONGLY;
    }
    if (strcmp(argv[1], "--help") == 0) {
        return show_help();
    }
    if (strcmp(argv[1], "--version") == 0) {
        return show_version();
    }
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(argv[1], COMMANDS[i].name) == 0) {
            return COMMANDS[i].run(argc - 1, argv + 1);
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
            (void)fprintf(stderr, "vipann: standard output: %s\n", errno != 0 ? strerror(errno) : "cannot be written");
        }
        return VIP_EXIT_FAILED;
    }
    return status;
}
