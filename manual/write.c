/* SPDX-License-Identifier: GPL-3.0-or-later */
/* write.c -- writes the man pages and the completion of `vipann` from the tables of its commands.
 *
 *   write man vipann-file DATE     one page, on standard output; DATE as it is shown
 *   write bash                     the completion */
#include <stdio.h>
#include <string.h>

#include <plugin/program/commands.h>

/* clang-format off */
static const char *const PAGES[] = {
    "vipann 1",
#ifdef VIPANN_PORTAUDIO
    "vipann-devices 1",
#endif
    "vipann-file 1",
    "vipann-info 1",
#ifdef VIPANN_JACK
    "vipann-jack 1",
#endif
#ifdef VIPANN_PORTAUDIO
    "vipann-live 1",
#endif
    "vipann-rules 5",
    NULL,
};
/* clang-format on */

/* The command that the page is of: the program itself, or the one whose name stands behind its name. */
static const vip_command *
find_command(const char *page)
{
    const size_t length = strlen(VIP_PROGRAM.name);
    if (strcmp(page, VIP_PROGRAM.name) == 0) {
        return &VIP_PROGRAM;
    }
    if (strncmp(page, VIP_PROGRAM.name, length) != 0 || page[length] != '-') {
        return NULL;
    }
    const vip_subcommand *c = VIP_PROGRAM.commands;
    while (c->name != NULL && strcmp(page + length + 1, c->name) != 0) {
        c++;
    }
    return c->command;
}

static int
write_man(const char *page, const char *date)
{
    const vip_manual manual = {"vipann " VIPANN_VERSION, date, &VIP_PROGRAM, PAGES};
    const vip_command *command = find_command(page);
    if (command == NULL) {
        (void)fprintf(stderr, "write: there is no command for a page %s\n", page);
        return VIP_EXIT_ASKED_WRONGLY;
    }
    vip_options_man(command, &manual, stdout);
    return VIP_EXIT_DONE;
}

int
main(int argc, char **argv)
{
    int status = VIP_EXIT_DONE;
    if (argc == 4 && strcmp(argv[1], "man") == 0) {
        status = write_man(argv[2], argv[3]);
    } else if (argc == 2 && strcmp(argv[1], "bash") == 0) {
        vip_options_bash(&VIP_PROGRAM, VIPANN_PREFIX "/share/vipann", stdout);
    } else {
        (void)fputs("expected: write man PAGE DATE, or write bash\n", stderr);
        status = VIP_EXIT_ASKED_WRONGLY;
    }
    return fflush(stdout) == 0 ? status : VIP_EXIT_FAILED;
}
