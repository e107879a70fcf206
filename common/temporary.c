/* SPDX-License-Identifier: GPL-3.0-or-later */
/* temporary.c -- see temporary.h for the contract. */
#define _DEFAULT_SOURCE /* P_tmpdir */
#include "temporary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/status.h>

enum { NAME = 4096 };

static const char *
folder(void)
{
    const char *asked = getenv("TMPDIR");
    return asked != NULL && *asked != '\0' ? asked : P_tmpdir;
}

int
vip_temporary_open(const char *whose, vipann_error *error)
{
    char name[NAME];
    errno = ENAMETOOLONG;
    int length = snprintf(name, sizeof name, "%s/vipann-XXXXXX", folder());
    int fd = length > 0 && (size_t)length < sizeof name ? mkstemp(name) : -1;
    if (fd < 0) {
        (void)vip_fail(error, VIPANN_E_IO, "%s: no temporary file in %s: %s; set TMPDIR to another folder", whose,
                       folder(), strerror(errno));
        return -1;
    }
    (void)unlink(name);
    return fd;
}

void
vip_temporary_refuse(const char *whose, vipann_error *error)
{
    (void)vip_fail(error, VIPANN_E_IO, "%s: temporary file in %s: %s; set TMPDIR to another folder", whose, folder(),
                   strerror(errno));
}

bool
vip_write_all(int fd, const void *bytes, size_t n)
{
    const char *at = bytes;
    while (n > 0) {
        ssize_t written = write(fd, at, n);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        at += written > 0 ? written : 0;
        n -= written > 0 ? (size_t)written : 0;
    }
    return true;
}
