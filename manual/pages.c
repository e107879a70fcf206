/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pages.c -- see pages.h for the contract. */
#include "pages.h"

#include <stdio.h>
#include <string.h>

enum { DONE, FAILED, ASKED_WRONGLY }; /* exit statuses */

/* The command that the page is of: the program itself, or the one whose name stands behind its name. */
static const vip_command *
find_command(const vip_command *program, const char *page)
{
    const size_t length = strlen(program->name);
    if (strcmp(page, program->name) == 0) {
        return program;
    }
    if (strncmp(page, program->name, length) != 0 || page[length] != '-') {
        return NULL;
    }
    const vip_subcommand *c = program->commands;
    while (c->name != NULL && strcmp(page + length + 1, c->name) != 0) {
        c++;
    }
    return c->command;
}

static int
write_man(const vip_written *written, const char *page, const char *date)
{
    const vip_manual manual = {"vipann " VIPANN_VERSION, date, written->program, written->pages};
    const vip_command *command = find_command(written->program, page);
    if (command == NULL) {
        (void)fprintf(stderr, "there is no command for a page %s\n", page);
        return ASKED_WRONGLY;
    }
    vip_options_man(command, &manual, stdout);
    return DONE;
}

int
vip_write_pages(const vip_written *written, int argc, char **argv)
{
    int status = DONE;
    if (argc == 4 && strcmp(argv[1], "man") == 0) {
        status = write_man(written, argv[2], argv[3]);
    } else if (argc == 2 && strcmp(argv[1], "bash") == 0) {
        vip_options_bash(written->program, written->shared, stdout);
    } else {
        (void)fputs("expected: man PAGE DATE, or bash\n", stderr);
        status = ASKED_WRONGLY;
    }
    return fflush(stdout) == 0 ? status : FAILED;
}
