/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ear.c -- see ear.h for the contract. */
#define _GNU_SOURCE /* memfd_create, pipe2 */
#include "ear.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <common/clock.h>
#include <common/support.h>

#include "child.h"

static const double START_S = 5, STILL_S = 2; /* after which a process hangs: while it starts, while it hears */
static const double LEAVE_S = 0.5;            /* in which it leaves by itself, and then when it is killed */
static const struct timespec MOMENT = {0, 2000000};

extern char **environ;

struct vip_ear {
    pid_t process; /* 0: it has ended */
    int status;    /* of it, then */
    int lifeline;  /* our end of the pipe */
    bool hung;     /* killed by us */
    double began;  /* s */
    double moved;  /* s; the last look that saw a new call, or that it did not hear yet */
    uint64_t calls;
    vip_shared *shared;
};

/* ------------------------------------------------------------------------------------------------------------ start */

/* Files that the process gets: none of these descriptors is one of those that they become. */
typedef struct {
    int shared, lifeline;
} files;

static void
close_file(int *file)
{
    if (*file >= 0) {
        (void)close(*file);
    }
    *file = -1;
}

/* Moves a descriptor out of the way of those that the process has fixed numbers for. */
static int
lift(int file)
{
    const int lifted = file >= 0 ? fcntl(file, F_DUPFD_CLOEXEC, VIP_CHILD_LIFELINE + 1) : -1;
    close_file(&file);
    return lifted;
}

static bool
make_files(vip_ear *ear, files *f)
{
    int ends[2] = {-1, -1};
    f->shared = lift(memfd_create("vipann", MFD_CLOEXEC));
    if (f->shared < 0 || ftruncate(f->shared, (off_t)sizeof(vip_shared)) != 0 || pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    ear->lifeline = lift(ends[1]); /* nor is it to be our standard output where that was closed */
    f->lifeline = lift(ends[0]);
    void *at = mmap(NULL, sizeof(vip_shared), PROT_READ | PROT_WRITE, MAP_SHARED, f->shared, 0);
    ear->shared = at != MAP_FAILED ? at : NULL;
    return f->lifeline >= 0 && ear->lifeline >= 0 && ear->shared != NULL;
}

/* Drivers write what they think on stderr: it leads nowhere. */
static int
set_files(posix_spawn_file_actions_t *actions, const files *f)
{
    int failed = 0;
    for (int file = 0; file < 3 && failed == 0; file++) {
        failed = posix_spawn_file_actions_addopen(actions, file, "/dev/null", O_RDWR, 0);
    }
    failed = failed != 0 ? failed : posix_spawn_file_actions_adddup2(actions, f->shared, VIP_CHILD_SHARED);
    return failed != 0 ? failed : posix_spawn_file_actions_adddup2(actions, f->lifeline, VIP_CHILD_LIFELINE);
}

/* Its signals are as if nobody had touched them, and a group of its own keeps ^C from it: the parent says when to end. */
static int
set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    int failed = posix_spawnattr_setsigmask(attributes, &none);
    failed = failed != 0 ? failed : posix_spawnattr_setsigdefault(attributes, &all);
    failed = failed != 0 ? failed : posix_spawnattr_setpgroup(attributes, 0);
    return failed != 0 ? failed
                       : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                                  POSIX_SPAWN_SETPGROUP);
}

static int
spawn(vip_ear *ear, const files *f)
{
    char name[] = "vipann", command[] = "live", word[] = VIP_CHILD_WORD;
    char *arguments[] = {name, command, word, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed != 0) {
        return failed;
    }
    failed = posix_spawnattr_init(&attributes);
    if (failed == 0) {
        failed = set_files(&actions, f);
        failed = failed != 0 ? failed : set_signals(&attributes);
        failed = failed != 0 ? failed
                             : posix_spawn(&ear->process, "/proc/self/exe", &actions, &attributes, arguments, environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed;
}

/* Whoever started us may ignore that children end, and so do we then: nobody would know with what. */
static void
heed_children(void)
{
    struct sigaction action;
    if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN) {
        (void)signal(SIGCHLD, SIG_DFL);
    }
}

vip_ear *
vip_ear_start(vip_duty duty, const vip_wanted *wanted, uint32_t least_channels, vipann_error *error)
{
    vip_ear *ear = vip_alloc(1, sizeof *ear);
    if (ear == NULL) {
        (void)vip_fail_memory(error, "what hears the device");
        return NULL;
    }
    files f = {-1, -1};
    ear->lifeline = -1;
    heed_children();
    const bool made = make_files(ear, &f);
    int failed = errno;
    if (made) {
        ear->shared->version = VIP_SHARED_VERSION;
        ear->shared->duty = duty;
        ear->shared->wanted = *wanted;
        ear->shared->least_channels = least_channels;
        ear->began = vip_clock_seconds(CLOCK_MONOTONIC);
        failed = spawn(ear, &f);
        ear->process = failed == 0 ? ear->process : 0;
    }
    close_file(&f.shared);
    close_file(&f.lifeline);
    if (!made || failed != 0) {
        vip_ear_stop(ear);
        (void)vip_fail(error, VIPANN_E_IO, "the process that hears the device cannot be started: %s", strerror(failed));
        return NULL;
    }
    return ear;
}

/* ------------------------------------------------------------------------------------------------------------- look */

/* Whether the process has ended; what is not our child any more has too. */
static bool
has_ended(vip_ear *ear)
{
    if (ear->process != 0) {
        const pid_t ended = waitpid(ear->process, &ear->status, WNOHANG);
        if (ended == ear->process || (ended < 0 && errno != EINTR)) {
            ear->process = 0;
        }
    }
    return ear->process == 0;
}

vip_ear_state
vip_ear_look(vip_ear *ear)
{
    if (has_ended(ear)) {
        return VIP_EAR_ENDED;
    }
    const double now = vip_clock_seconds(CLOCK_MONOTONIC);
    /* acquire: what is known of the sound is seen. Partner: vip_child_run. */
    const bool hears = atomic_load_explicit(&ear->shared->state, memory_order_acquire) == VIP_CHILD_HEARS;
    const uint64_t calls = atomic_load_explicit(&ear->shared->calls, memory_order_relaxed);
    if (!hears || calls != ear->calls) {
        ear->calls = calls;
        ear->moved = now;
    }
    if (!ear->hung && (hears ? now - ear->moved > STILL_S : now - ear->began > START_S)) {
        ear->hung = true;
        (void)kill(ear->process, SIGKILL);
    }
    return hears ? VIP_EAR_HEARS : VIP_EAR_STARTS;
}

vip_child_end
vip_ear_end(const vip_ear *ear, vipann_error *error)
{
    const int status = WIFEXITED(ear->status) ? WEXITSTATUS(ear->status) : VIP_CHILD_LOST;
    if (status == VIP_CHILD_ABSENT || status == VIP_CHILD_REFUSED) {
        (void)vip_fail(error, VIPANN_E_IO, "%.*s", (int)sizeof ear->shared->why, ear->shared->why);
        return (vip_child_end)status;
    }
    if (status == VIP_CHILD_DONE) {
        return VIP_CHILD_DONE;
    }
    if (ear->hung) {
        (void)vip_fail(error, VIPANN_E_IO, "the sound system does not answer; is a server or a driver stuck?");
    } else if (WIFSIGNALED(ear->status)) {
        (void)vip_fail(error, VIPANN_E_IO, "PortAudio, or a driver that it uses, was broken off by signal %d",
                       WTERMSIG(ear->status));
    } else {
        (void)vip_fail(error, VIPANN_E_IO, "the sound system gives no more sound");
    }
    return VIP_CHILD_LOST;
}

vip_shared *
vip_ear_shared(vip_ear *ear)
{
    return ear->shared;
}

/* ------------------------------------------------------------------------------------------------------------- stop */

static void
wait_a_while(vip_ear *ear)
{
    const double until = vip_clock_seconds(CLOCK_MONOTONIC) + LEAVE_S;
    while (!has_ended(ear) && vip_clock_seconds(CLOCK_MONOTONIC) < until) {
        (void)nanosleep(&MOMENT, NULL);
    }
}

void
vip_ear_stop(vip_ear *ear)
{
    if (ear == NULL) {
        return;
    }
    close_file(&ear->lifeline);
    wait_a_while(ear);
    if (ear->process != 0) {
        (void)kill(ear->process, SIGKILL);
        wait_a_while(ear);
    }
    if (ear->shared != NULL) {
        (void)munmap(ear->shared, sizeof *ear->shared);
    }
    vip_free(ear);
}
