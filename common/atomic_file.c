/* SPDX-License-Identifier: GPL-3.0-or-later */
/* atomic_file.c -- see atomic_file.h for the contract. */
#define _GNU_SOURCE /* O_TMPFILE, realpath */
#include "atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/memory.h>
#include <base/status.h>

enum { ATTEMPTS = 1000, SUFFIX = 64 };

struct vip_atomic_file {
    FILE *out;
    char *path;   /* the name it will have */
    char *folder; /* of path */
    char *beside; /* the name it has until then, if any */
    bool direct;  /* a device or a pipe: path itself is written to */
};

static void
release(vip_atomic_file *file)
{
    vip_free(file->path);
    vip_free(file->folder);
    vip_free(file->beside);
    vip_free(file);
}

void
vip_atomic_file_discard(vip_atomic_file *file)
{
    if (file == NULL) {
        return;
    }
    if (file->out != NULL) {
        (void)fclose(file->out);
    }
    if (file->beside != NULL) {
        (void)unlink(file->beside);
    }
    release(file);
}

/* Where links lead, or path itself if nothing is there yet. */
static char *
follow(const char *path)
{
    char *real = realpath(path, NULL);
    char *copy = vip_copy_string(real != NULL ? real : path);
    free(real);
    return copy;
}

static char *
folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = vip_copy_string(slash != NULL ? path : ".");
    if (folder != NULL && slash != NULL) {
        folder[slash == path ? 1 : slash - path] = '\0';
    }
    return folder;
}

/* Finds a name that nobody has, next to the final one, and takes it: for a new file (fd < 0), or for one that has none.
 * Returns a descriptor. Not mkstemp: that ignores the user's umask. */
static int
take_name(vip_atomic_file *file, int fd)
{
    size_t size = strlen(file->folder) + SUFFIX;
    file->beside = vip_alloc(size, 1);
    if (file->beside == NULL) {
        errno = ENOMEM;
        return -1;
    }
    char nameless[SUFFIX];
    (void)snprintf(nameless, sizeof nameless, "/proc/self/fd/%d", fd);
    for (int i = 0; i < ATTEMPTS; i++) {
        (void)snprintf(file->beside, size, "%s/.vipann-%ld-%d.part", file->folder, (long)getpid(), i);
        int taken = fd < 0 ? open(file->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)
                    : linkat(AT_FDCWD, nameless, AT_FDCWD, file->beside, AT_SYMLINK_FOLLOW) == 0 ? fd
                                                                                                 : -1;
        if (taken >= 0) {
            return taken;
        }
        if (errno != EEXIST) {
            break;
        }
    }
    vip_free(file->beside); /* it is somebody else's, or is not there */
    file->beside = NULL;
    return -1;
}

/* A file in the folder without a name, so that nothing is left behind whatever ends the program; where the system cannot
 * do that, one with a name of its own. */
static int
create_beside(vip_atomic_file *file)
{
    int fd = access("/proc/self/fd", X_OK) == 0 ? open(file->folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666) : -1;
    return fd >= 0 ? fd : take_name(file, -1);
}

static int
open_for_writing(vip_atomic_file *file)
{
    struct stat before;
    bool there = stat(file->path, &before) == 0;
    if (there && S_ISDIR(before.st_mode)) {
        errno = EISDIR;
        return -1;
    }
    if (there && !S_ISREG(before.st_mode)) {
        file->direct = true;
        return open(file->path, O_WRONLY | O_CLOEXEC);
    }
    if (there && access(file->path, W_OK) != 0) {
        return -1; /* a rename would go round the protection of the file that stands there */
    }
    int fd = create_beside(file);
    if (fd >= 0 && there) {
        (void)fchmod(fd, before.st_mode & 07777); /* where it is refused, the umask's choice stands */
    }
    return fd;
}

vip_atomic_file *
vip_atomic_file_open(const char *path, vipann_error *error)
{
    vip_atomic_file *file = vip_alloc(1, sizeof *file);
    if (file == NULL) {
        goto out_of_memory;
    }
    file->path = follow(path);
    file->folder = file->path != NULL ? folder_of(file->path) : NULL;
    if (file->folder == NULL) {
        goto out_of_memory;
    }
    int fd = open_for_writing(file);
    if (fd < 0) {
        if (errno == ENOMEM) {
            goto out_of_memory;
        }
        (void)vip_fail(error, VIPANN_E_IO, "%s: cannot be written: %s%s", path, strerror(errno),
                       errno == ENOENT ? "; make its folder first" : "");
        vip_atomic_file_discard(file);
        return NULL;
    }
    file->out = fdopen(fd, "w");
    if (file->out == NULL) {
        (void)close(fd);
        goto out_of_memory;
    }
    return file;

out_of_memory:
    (void)vip_fail_memory(error, "the output file");
    vip_atomic_file_discard(file);
    return NULL;
}

FILE *
vip_atomic_file_stream(vip_atomic_file *file)
{
    return file->out;
}

/* The new name is safe only when the folder that holds it is on the disk too; not every file system can do that. */
static void
sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

vipann_status
vip_atomic_file_commit(vip_atomic_file *file, vipann_error *error)
{
    errno = 0;
    bool failed = ferror(file->out) != 0 || fflush(file->out) != 0;
    if (!file->direct) {
        failed = failed || fsync(fileno(file->out)) != 0;
        failed = failed || (file->beside == NULL && take_name(file, fileno(file->out)) < 0);
    }
    int reason = errno;
    if (fclose(file->out) != 0 && !failed) {
        failed = true;
        reason = errno;
    }
    file->out = NULL;
    if (!failed && !file->direct && rename(file->beside, file->path) != 0) {
        failed = true;
        reason = errno;
    }
    if (failed) {
        vipann_status status = vip_fail(error, VIPANN_E_IO, "%s: cannot be written: %s; nothing was changed",
                                        file->path, reason != 0 ? strerror(reason) : "an earlier write failed");
        vip_atomic_file_discard(file);
        return status;
    }
    if (!file->direct) {
        sync_folder(file->folder);
    }
    release(file);
    return VIPANN_OK;
}

bool
vip_make_folders(char *path)
{
    for (char *slash = *path != '\0' ? strchr(path + 1, '/') : NULL; slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        const int why = mkdir(path, 0777) == 0 || errno == EEXIST ? 0 : errno;
        if (why != 0 && access(path, F_OK) != 0) {
            errno = why;
            return false;
        }
        *slash = '/';
    }
    return true;
}
