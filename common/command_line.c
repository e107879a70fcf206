/* SPDX-License-Identifier: GPL-3.0-or-later */
/* command_line.c -- see command_line.h for the contract. */
#include "command_line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void
offer(const char *found, const char *name, size_t *closest, const char **nearest)
{
    const size_t distance = vip_word_distance(found, name);
    if (distance < *closest) {
        *closest = distance;
        *nearest = vip_word_is_near(found, distance) ? name : NULL;
    }
}

static int
refuse(const vip_command *program, const char *found)
{
    const char *nearest = NULL;
    size_t closest = SIZE_MAX;
    for (const vip_subcommand *c = program->commands; c->name != NULL; c++) {
        offer(found, c->name, &closest, &nearest);
    }
    offer(found, "--help", &closest, &nearest);
    offer(found, "--version", &closest, &nearest);
    const char *kind = found[0] == '-' ? "option" : "command";
    if (nearest != NULL) {
        (void)fprintf(stderr, "%s: unknown %s \"%s\"; did you mean \"%s\"?\n", program->name, kind, found, nearest);
    } else {
        (void)fprintf(stderr, "%s: unknown %s \"%s\"; \"%s --help\" lists all\n", program->name, kind, found,
                      program->name);
    }
    return VIP_EXIT_ASKED_WRONGLY;
}

static int
dispatch(const vip_command *program, int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "%s: no command; expected one, such as \"%.*s\" (see \"%s --help\")\n", program->name,
                      (int)strcspn(program->examples, "\n"), program->examples, program->name);
        return VIP_EXIT_ASKED_WRONGLY;
    }
    if (strcmp(argv[1], "--help") == 0) {
        vip_options_help(program, stdout);
        return VIP_EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("%s %s (kernels: %s)\n", program->name, vipann_version(), vipann_kernels());
        return VIP_EXIT_DONE;
    }
    for (const vip_subcommand *c = program->commands; c->name != NULL; c++) {
        if (strcmp(argv[1], c->name) == 0) {
            return c->run(argc - 1, argv + 1);
        }
    }
    return refuse(program, argv[1]);
}

int
vip_program_main(const vip_command *program, int argc, char **argv)
{
    const int status = dispatch(program, argc, argv);
    errno = 0;
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && status == VIP_EXIT_DONE) {
        if (errno != EPIPE) {
            (void)fprintf(stderr, "%s: standard output: %s\n", program->name,
                          errno != 0 ? strerror(errno) : "cannot be written");
        }
        return VIP_EXIT_FAILED;
    }
    return status;
}

static int
status_of(vipann_status good)
{
    return good == VIPANN_OK ? VIP_EXIT_DONE : good == VIPANN_E_ARG ? VIP_EXIT_ASKED_WRONGLY : VIP_EXIT_FAILED;
}

int
vip_command_line(const vip_command *command, int argc, char **argv,
                 vipann_status (*prepare)(vip_arguments *arguments, vipann_error *error),
                 int (*run)(const vip_arguments *arguments))
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
    } else if (prepare != NULL && (good = prepare(&arguments, &error)) != VIPANN_OK) {
        status = vip_command_end(command, good, &error);
    } else {
        status = run(&arguments);
    }
    vip_arguments_free(&arguments);
    return status;
}

int
vip_command_end(const vip_command *command, vipann_status good, const vipann_error *error)
{
    if (good != VIPANN_OK) {
        (void)fprintf(stderr, "%s: %s\n", command->name, error->text);
    }
    return status_of(good);
}
