/* SPDX-License-Identifier: GPL-3.0-or-later */
/* service.c -- see service.h for the contract. */
#include "service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <common/number.h>

/* Connects to the manager's socket, which is a file or, after '@', a name of the kernel's. */
static int
reach(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const size_t length = path != NULL ? strlen(path) : 0;
    if (length < 2 || length >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@')) {
        return -1;
    }
    memcpy(to.sun_path, path, length);
    to.sun_path[0] = path[0] == '@' ? '\0' : path[0];
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const socklen_t size = (socklen_t)(sizeof to - sizeof to.sun_path + length);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, size) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void
tell(const vip_service *s, const char *text)
{
    if (s->socket >= 0) {
        (void)send(s->socket, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

void
vip_service_open(vip_service *s)
{
    const char *every = getenv("WATCHDOG_USEC"), *whom = getenv("WATCHDOG_PID");
    uint64_t microseconds = 0, pid = (uint64_t)getpid();
    *s = (vip_service){.socket = reach(getenv("NOTIFY_SOCKET"))};
    const bool us = whom == NULL || (vip_number_read_whole(whom, &pid) && pid == (uint64_t)getpid());
    if (s->socket >= 0 && us && every != NULL && vip_number_read_whole(every, &microseconds)) {
        s->interval = (double)microseconds * 1e-6 / 2; /* twice as often as is asked */
    }
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
}

void
vip_service_ready(vip_service *s)
{
    if (!s->ready) {
        tell(s, "READY=1");
        s->ready = true;
    }
}

bool
vip_service_is_due(const vip_service *s, double now)
{
    return s->interval > 0 && now - s->last >= s->interval;
}

void
vip_service_sign(vip_service *s, double now)
{
    tell(s, "WATCHDOG=1");
    s->last = now;
}

void
vip_service_status(vip_service *s, const char *text)
{
    char line[256];
    (void)snprintf(line, sizeof line, "STATUS=%s", text);
    tell(s, line);
}

void
vip_service_close(vip_service *s)
{
    tell(s, "STOPPING=1");
    if (s->socket >= 0) {
        (void)close(s->socket);
    }
    s->socket = -1;
}
