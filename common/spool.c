/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spool.c -- see spool.h for the contract. */
#define _GNU_SOURCE /* fopencookie */
#include "spool.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <base/memory.h>
#include <base/status.h>

#include "temporary.h"

enum { FIRST = 1 << 14, PIECE = 1 << 16 };

static const char WHOSE[] = "what waits to be written";

struct vip_spool {
    FILE *stream;
    char *kept; /* [room], of which `size` are used, unless there is a file */
    size_t size, room;
    int file; /* -1: none */
    vipann_error failure;
};

/* Makes room for n more bytes in memory; false: memory is short. */
static bool
grow(vip_spool *spool, size_t n)
{
    size_t room = spool->room > 0 ? spool->room : FIRST;
    while (room < spool->size + n) {
        room *= 2;
    }
    if (room == spool->room) {
        return true;
    }
    char *larger = vip_alloc(room, 1);
    if (larger == NULL) {
        (void)vip_fail_memory(&spool->failure, WHOSE);
        return false;
    }
    if (spool->size > 0) {
        memcpy(larger, spool->kept, spool->size);
    }
    vip_free(spool->kept);
    spool->kept = larger;
    spool->room = room;
    return true;
}

static bool
put_into_file(vip_spool *spool, const char *bytes, size_t n)
{
    if (spool->file < 0) {
        spool->file = vip_temporary_open(WHOSE, &spool->failure);
        if (spool->file < 0) {
            return false;
        }
        if (!vip_write_all(spool->file, spool->kept, spool->size)) {
            vip_temporary_refuse(WHOSE, &spool->failure);
            return false;
        }
        vip_free(spool->kept);
        spool->kept = NULL;
        spool->size = spool->room = 0;
    }
    if (!vip_write_all(spool->file, bytes, n)) {
        vip_temporary_refuse(WHOSE, &spool->failure);
        return false;
    }
    return true;
}

/* For fopencookie: what is written into the stream. 0 is a failure there. */
static ssize_t
take(void *cookie, const char *bytes, size_t n)
{
    vip_spool *spool = cookie;
    if (spool->failure.status != VIPANN_OK) {
        return 0;
    }
    if (spool->file >= 0 || n > VIP_SPOOL_KEPT - spool->size) {
        return put_into_file(spool, bytes, n) ? (ssize_t)n : 0;
    }
    if (!grow(spool, n)) {
        return 0;
    }
    memcpy(spool->kept + spool->size, bytes, n);
    spool->size += n;
    return (ssize_t)n;
}

vip_spool *
vip_spool_new(vipann_error *error)
{
    vip_spool *spool = vip_alloc(1, sizeof *spool);
    if (spool != NULL) {
        spool->file = -1;
        spool->stream = fopencookie(spool, "w", (cookie_io_functions_t){.write = take});
    }
    if (spool == NULL || spool->stream == NULL) {
        (void)vip_fail_memory(error, WHOSE);
        vip_spool_free(spool);
        return NULL;
    }
    return spool;
}

void
vip_spool_free(vip_spool *spool)
{
    if (spool == NULL) {
        return;
    }
    if (spool->stream != NULL) {
        (void)fclose(spool->stream);
    }
    if (spool->file >= 0) {
        (void)close(spool->file);
    }
    vip_free(spool->kept);
    vip_free(spool);
}

FILE *
vip_spool_stream(vip_spool *spool)
{
    return spool->stream;
}

vipann_status
vip_spool_finish(vip_spool *spool, vipann_error *error)
{
    bool whole = fflush(spool->stream) == 0 && ferror(spool->stream) == 0;
    if (whole && spool->failure.status == VIPANN_OK) {
        return VIPANN_OK;
    }
    return spool->failure.status != VIPANN_OK ? vip_fail(error, spool->failure.status, "%s", spool->failure.text)
                                              : vip_fail_memory(error, WHOSE);
}

int
vip_spool_send(const vip_spool *spool, int fd)
{
    if (spool->file < 0) {
        return vip_write_all(fd, spool->kept, spool->size) ? 0 : errno;
    }
    static const size_t most = PIECE;
    char *piece = vip_alloc(most, 1);
    int reason = piece == NULL ? ENOMEM : 0;
    ssize_t n = 0;
    for (off_t at = 0; reason == 0 && (n = pread(spool->file, piece, most, at)) != 0; at += n > 0 ? n : 0) {
        bool again = n < 0 && errno == EINTR;
        if (!again && (n < 0 || !vip_write_all(fd, piece, (size_t)n))) {
            reason = errno;
        }
    }
    vip_free(piece);
    return reason;
}
