/* SPDX-License-Identifier: GPL-3.0-or-later */
/* append_file.c -- see append_file.h for the contract. Lines are collected in memory and appended by one call of the
 * system, so that the end of the program finds them there or not there. */
#include "append_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/memory.h>
#include <base/status.h>

enum { SUFFIX = 16, STRIDE = 4096 };

struct vip_append_file {
    vip_append_setup setup;
    char *path, *from, *to; /* from, to: room for names that are put aside */
    size_t room;            /* bytes of from and of to */
    int fd;                 /* -1: it could not be opened again; tried with the next line */
    uint64_t size;
    FILE *lines; /* in memory */
    char *text;
    size_t length;
};

/* Where the last whole line ends. */
static off_t
end_of_lines(int fd, off_t size)
{
    char text[STRIDE];
    while (size > 0) {
        const off_t from = size > STRIDE ? size - STRIDE : 0;
        ssize_t n = pread(fd, text, (size_t)(size - from), from);
        if (n <= 0) {
            return size; /* what cannot be read is left alone */
        }
        for (; n > 0; n--) {
            if (text[n - 1] == '\n') {
                return from + n;
            }
        }
        size = from;
    }
    return 0;
}

/* Returns 0 or an errno. */
static int
open_file(vip_append_file *f)
{
    struct stat there;
    f->fd = open(f->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (f->fd < 0) {
        return errno;
    }
    int why = fstat(f->fd, &there) != 0 ? errno : S_ISREG(there.st_mode) ? 0 : EINVAL;
    if (why == 0) {
        const off_t end = end_of_lines(f->fd, there.st_size);
        why = end == there.st_size || ftruncate(f->fd, end) == 0 ? 0 : errno;
        f->size = (uint64_t)end;
    }
    if (why != 0) {
        (void)close(f->fd);
        f->fd = -1;
    }
    return why;
}

static void
close_file(vip_append_file *f)
{
    if (f->fd >= 0) {
        (void)close(f->fd);
        f->fd = -1;
    }
}

/* PATH becomes PATH.1, and so on. A name that cannot be given up is written over. */
static void
put_aside(vip_append_file *f)
{
    close_file(f);
    for (uint32_t i = f->setup.keep; i > 0; i--) {
        (void)snprintf(f->from, f->room, i > 1 ? "%s.%u" : "%s", f->path, i - 1);
        (void)snprintf(f->to, f->room, "%s.%u", f->path, i);
        (void)rename(f->from, f->to);
    }
    if (f->setup.keep == 0) {
        (void)unlink(f->path);
    }
    f->size = 0;
}

vip_append_file *
vip_append_open(const vip_append_setup *setup, vipann_error *error)
{
    vip_append_file *f = vip_alloc(1, sizeof *f);
    if (f != NULL) {
        f->setup = *setup;
        f->fd = -1;
        f->room = strlen(setup->path) + SUFFIX;
        f->path = vip_copy_string(setup->path);
        f->from = vip_alloc(f->room, 1);
        f->to = vip_alloc(f->room, 1);
        f->lines = open_memstream(&f->text, &f->length);
    }
    if (f == NULL || f->path == NULL || f->from == NULL || f->to == NULL || f->lines == NULL) {
        vip_append_close(f);
        (void)vip_fail_memory(error, setup->path);
        return NULL;
    }
    int why = open_file(f);
    if (why == 0 && setup->anew && f->size > 0) {
        put_aside(f);
        why = open_file(f);
    }
    if (why != 0) {
        (void)vip_fail(error, VIPANN_E_IO, "%s: cannot be written: %s", setup->path,
                       why == EINVAL ? "it is no regular file" : strerror(why));
        vip_append_close(f);
        return NULL;
    }
    return f;
}

void
vip_append_close(vip_append_file *f)
{
    if (f == NULL) {
        return;
    }
    close_file(f);
    if (f->lines != NULL) {
        (void)fclose(f->lines);
        free(f->text);
    }
    vip_free(f->path);
    vip_free(f->from);
    vip_free(f->to);
    vip_free(f);
}

FILE *
vip_append_stream(vip_append_file *f)
{
    return f->lines;
}

uint64_t
vip_append_size(const vip_append_file *f)
{
    return f->size;
}

/* All or nothing: what found no room is taken back. Returns 0 or an errno. */
static int
append(vip_append_file *f, size_t n)
{
    const uint64_t before = f->size;
    int why = 0;
    for (size_t done = 0; done < n && why == 0;) {
        const ssize_t wrote = write(f->fd, f->text + done, n - done);
        if (wrote > 0) {
            done += (size_t)wrote;
            f->size += (uint64_t)wrote;
        } else if (wrote == 0 || errno != EINTR) {
            why = wrote == 0 ? ENOSPC : errno;
        }
    }
    if (why != 0) {
        (void)ftruncate(f->fd, (off_t)before);
        f->size = before;
    }
    return why;
}

vipann_status
vip_append_commit(vip_append_file *f, vipann_error *error)
{
    int why = fflush(f->lines) == 0 ? 0 : errno;
    const size_t n = f->length;
    rewind(f->lines);
    if (n == 0 && why == 0) {
        return VIPANN_OK;
    }
    if (why == 0 && f->setup.most > 0 && f->size > 0 && f->size + n > f->setup.most) {
        put_aside(f);
    }
    if (why == 0 && f->fd < 0) {
        why = open_file(f);
    }
    why = why == 0 ? append(f, n) : why;
    return why == 0 ? VIPANN_OK
                    : vip_fail(error, VIPANN_E_IO, "%s: cannot be written: %s; make room or give another file", f->path,
                               strerror(why));
}
