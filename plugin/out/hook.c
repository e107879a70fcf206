/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hook.c -- see hook.h for the contract. */
#define _GNU_SOURCE /* posix_spawn_file_actions_addclosefrom_np */
#include "hook.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <common/clock.h>
#include <common/number.h>
#include <common/support.h>

extern char **environ;

/* Our own are never passed on: a command that runs us again would take them for its own event's. */
static const char PREFIX[] = "VIPANN_";
enum { VARIABLES = 11 };

static const double MINUTE = 60, LAST_WAIT = 1;
static const struct timespec A_WHILE = {0, 5000000};

typedef struct {
    pid_t pid; /* 0: this place is free */
    double began;
    bool killed;
} child;

struct vip_hook {
    vip_hook_setup setup;
    child children[VIP_HOOK_AT_ONCE];
    double *begun; /* [a_minute], a ring: when the last so many began */
    uint32_t next;
    vip_hook_news news;
};

#define GROUP "Who is told"

const vip_option VIP_OPTION_ON_EVENT = {
    .name = "on-event",
    .kind = VIP_OPTION_TEXT,
    .argument = "COMMAND",
    .group = GROUP,
    .help =
        "Run this command, as `sh -c` has it, when an event begins and when it ends. What happened is in its "
        "environment: VIPANN_EVENT (begin, end), VIPANN_LABEL, VIPANN_INPUT, VIPANN_MODEL, VIPANN_ID, VIPANN_START, "
        "VIPANN_END (seconds), VIPANN_UTC (of the start), VIPANN_P, VIPANN_EPISTEMIC (nats), VIPANN_UNKNOWN "
        "(true, false). What it prints goes to stderr.",
};

const vip_option VIP_OPTION_ON_EVENT_MOST = {
    .name = "on-event-most",
    .kind = VIP_OPTION_WHOLE,
    .argument = "N",
    .least = 1,
    .most = 6000,
    .standard = "60",
    .group = GROUP,
    .help = "Commands that may begin within a minute; more are left out, and that is said.",
};

const vip_option VIP_OPTION_ON_EVENT_PATIENCE = {
    .name = "on-event-patience",
    .kind = VIP_OPTION_NUMBER,
    .argument = "SECONDS",
    .least = 0.1,
    .most = 86400,
    .standard = "30",
    .group = GROUP,
    .help = "A command that takes longer is killed.",
};

vip_hook *
vip_hook_new(const vip_hook_setup *setup, vipann_error *error)
{
    vip_hook *hook = vip_alloc(1, sizeof *hook);
    if (hook != NULL) {
        hook->setup = *setup;
        hook->begun = vip_alloc(setup->a_minute, sizeof *hook->begun);
    }
    if (hook == NULL || hook->begun == NULL) {
        vip_free(hook);
        (void)vip_fail_memory(error, "the commands of events");
        return NULL;
    }
    for (uint32_t i = 0; i < setup->a_minute; i++) {
        hook->begun[i] = -INFINITY;
    }
    return hook;
}

vipann_status
vip_hook_asked(const vip_arguments *a, vip_hook **hook, vipann_error *error)
{
    *hook = NULL;
    const char *command = vip_argument(a, &VIP_OPTION_ON_EVENT)->text;
    if (command == NULL) {
        return VIPANN_OK;
    }
    const vip_hook_setup setup = {.command = command,
                                  .a_minute = (uint32_t)vip_argument(a, &VIP_OPTION_ON_EVENT_MOST)->whole,
                                  .patience = vip_argument(a, &VIP_OPTION_ON_EVENT_PATIENCE)->number};
    *hook = vip_hook_new(&setup, error);
    return *hook != NULL ? VIPANN_OK : error->status;
}

/* -------------------------------------------------------------------------------------------------------- environment */

/* NAME=text, to be freed; NULL: memory is short. */
static char *
variable(const char *name, const char *text)
{
    const size_t size = strlen(PREFIX) + strlen(name) + strlen(text) + 2;
    char *out = vip_alloc(size, 1);
    if (out != NULL) {
        (void)snprintf(out, size, "%s%s=%s", PREFIX, name, text);
    }
    return out;
}

static char *
variable_number(const char *name, double value, int digits)
{
    char text[VIP_NUMBER_SIZE] = "";
    return variable(name, isfinite(value) ? vip_number_fixed(text, value, digits) : "");
}

static void
free_environment(char **variables)
{
    for (size_t i = 0; variables != NULL && i < VARIABLES; i++) {
        vip_free(variables[i]);
    }
    vip_free(variables);
}

/* Ours, then what we found less what was ours. Ends with NULL. NULL: memory is short. */
static char **
make_environment(const vip_told *told)
{
    const vipann_event *e = told->event;
    size_t inherited = 0;
    while (environ[inherited] != NULL) {
        inherited++;
    }
    char **variables = vip_alloc(VARIABLES + inherited + 1, sizeof *variables);
    if (variables == NULL) {
        return NULL;
    }
    char id[24], utc[VIP_CLOCK_SIZE];
    (void)snprintf(id, sizeof id, "%llu", (unsigned long long)e->id);
    const char *moment = vip_clock_utc(utc, told->utc + e->start_seconds);
    char *const ours[VARIABLES] = {
        variable("EVENT", e->ended ? "end" : "begin"),
        variable("LABEL", told->label),
        variable("INPUT", told->input),
        variable("MODEL", told->model),
        variable("ID", id),
        variable_number("START", e->start_seconds, 3),
        variable_number("END", e->ended ? e->end_seconds : (double)NAN, 3),
        variable("UTC", moment != NULL ? moment : ""),
        variable_number("P", e->p_max, 4),
        variable_number("EPISTEMIC", e->has_epistemic ? e->epistemic_nats : (double)NAN, 4),
        variable("UNKNOWN", e->unknown == VIPANN_YES  ? "true"
                            : e->unknown == VIPANN_NO ? "false"
                                                      : ""),
    };
    memcpy(variables, ours, sizeof ours);
    size_t n = VARIABLES;
    for (size_t i = 0; i < inherited; i++) {
        if (strncmp(environ[i], PREFIX, strlen(PREFIX)) != 0) {
            variables[n++] = environ[i];
        }
    }
    for (size_t i = 0; i < VARIABLES; i++) {
        if (ours[i] == NULL) {
            free_environment(variables);
            return NULL;
        }
    }
    return variables;
}

/* --------------------------------------------------------------------------------------------------------- commands */

/* In a group of its own, so that all it begins can be ended; it inherits no file of ours, nor what we do about signals.
 * Returns an errno. */
static int
spawn(const char *command, char *const *variables, pid_t *pid)
{
    char shell[] = "sh", dash_c[] = "-c";
    char *words[] = {shell, dash_c, (char *)(uintptr_t)command, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, usual;
    (void)sigemptyset(&none);
    (void)sigemptyset(&usual);
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        (void)sigaddset(&usual, signals[i]);
    }
    if (posix_spawn_file_actions_init(&files) != 0) {
        return ENOMEM;
    }
    int why = posix_spawnattr_init(&how);
    if (why == 0) {
        (void)posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        (void)posix_spawnattr_setpgroup(&how, 0);
        (void)posix_spawnattr_setsigdefault(&how, &usual);
        (void)posix_spawnattr_setsigmask(&how, &none);
        why = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
        why = why == 0 ? posix_spawn_file_actions_adddup2(&files, 2, 1) : why;
        why = why == 0 ? posix_spawn_file_actions_addclosefrom_np(&files, 3) : why;
        why = why == 0 ? posix_spawn(pid, "/bin/sh", &files, &how, words, variables) : why;
        (void)posix_spawnattr_destroy(&how);
    }
    (void)posix_spawn_file_actions_destroy(&files);
    return why;
}

/* A place for one more, if it may begin. */
static child *
place_for(vip_hook *hook, double now)
{
    if (now - hook->begun[hook->next] < MINUTE) {
        return NULL;
    }
    for (size_t i = 0; i < VIP_HOOK_AT_ONCE; i++) {
        if (hook->children[i].pid == 0) {
            return &hook->children[i];
        }
    }
    return NULL;
}

static void look_at_all(vip_hook *hook, double now);

void
vip_hook_run(vip_hook *hook, const vip_told *event, double now)
{
    look_at_all(hook, now);
    child *c = place_for(hook, now);
    if (c == NULL) {
        hook->news.left_out++;
        return;
    }
    hook->begun[hook->next] = now;
    hook->next = (hook->next + 1) % hook->setup.a_minute;
    char **variables = make_environment(event);
    pid_t pid = 0;
    const int why = variables != NULL ? spawn(hook->setup.command, variables, &pid) : ENOMEM;
    free_environment(variables);
    if (why != 0) {
        hook->news.unstarted++;
        hook->news.why = why;
        return;
    }
    *c = (child){.pid = pid, .began = now};
}

static void
look_at(vip_hook *hook, child *c, double now)
{
    int status;
    if (waitpid(c->pid, &status, WNOHANG) == c->pid) {
        const int said = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (!c->killed && said != 0) {
            hook->news.failed++;
            hook->news.status = said;
        }
        c->pid = 0;
    } else if (!c->killed && now - c->began > hook->setup.patience) {
        (void)kill(-c->pid, SIGKILL);
        c->killed = true;
        hook->news.killed++;
    }
}

static void
look_at_all(vip_hook *hook, double now)
{
    for (size_t i = 0; i < VIP_HOOK_AT_ONCE; i++) {
        if (hook->children[i].pid != 0) {
            look_at(hook, &hook->children[i], now);
        }
    }
}

bool
vip_hook_look(vip_hook *hook, double now, vip_hook_news *news)
{
    look_at_all(hook, now);
    *news = hook->news;
    hook->news = (vip_hook_news){0};
    return news->left_out + news->failed + news->killed + news->unstarted > 0;
}

void
vip_hook_free(vip_hook *hook)
{
    if (hook == NULL) {
        return;
    }
    const double until = vip_clock_seconds(CLOCK_MONOTONIC) + LAST_WAIT;
    for (size_t i = 0; i < VIP_HOOK_AT_ONCE; i++) {
        const pid_t pid = hook->children[i].pid;
        while (pid != 0 && waitpid(pid, NULL, WNOHANG) == 0) {
            if (vip_clock_seconds(CLOCK_MONOTONIC) > until) {
                (void)kill(-pid, SIGKILL);
                (void)waitpid(pid, NULL, 0);
                break;
            }
            (void)nanosleep(&A_WHILE, NULL);
        }
    }
    vip_free(hook->begun);
    vip_free(hook);
}
