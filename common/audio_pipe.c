/* SPDX-License-Identifier: GPL-3.0-or-later */
/* audio_pipe.c -- see audio_pipe.h for the contract. */
#include "audio_pipe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <base/memory.h>
#include <base/status.h>

#include "temporary.h"

enum { KEPT = 1 << 17 };

static const int64_t UNKNOWN_LENGTH = INT64_C(1) << 60; /* bytes; far from where sums of lengths would wrap */

struct vip_audio_pipe {
    int fd;
    bool ended;
    int64_t at;   /* where the next read begins */
    int64_t come; /* bytes that have come out so far; the first min(come, KEPT) are kept */
    unsigned char kept[KEPT];
};

vip_audio_pipe *
vip_audio_pipe_new(int fd)
{
    vip_audio_pipe *pipe = vip_alloc(1, sizeof *pipe);
    if (pipe != NULL) {
        pipe->fd = fd;
    }
    return pipe;
}

void
vip_audio_pipe_free(vip_audio_pipe *pipe)
{
    vip_free(pipe);
}

/* The next bytes, as many as there are at once; 0 at the end. A pipe that fails has ended. */
static size_t
take(vip_audio_pipe *pipe, void *out, size_t bytes)
{
    ssize_t n = -1;
    while (!pipe->ended && (n = read(pipe->fd, out, bytes)) < 0 && errno == EINTR) {
    }
    pipe->ended = n <= 0;
    pipe->come += n > 0 ? n : 0;
    return n > 0 ? (size_t)n : 0;
}

/* Sees to it that the first `bytes` (at most KEPT) are kept, if the pipe gives so many. */
static size_t
keep(vip_audio_pipe *pipe, size_t bytes)
{
    while (pipe->come < (int64_t)bytes && take(pipe, pipe->kept + pipe->come, bytes - (size_t)pipe->come) > 0) {
    }
    return pipe->come < (int64_t)bytes ? (size_t)pipe->come : bytes;
}

/* ---------------------------------------------------------------------------------------------- what comes */

bool
vip_audio_pipe_is_empty(vip_audio_pipe *pipe)
{
    return keep(pipe, 1) == 0;
}

static uint32_t
little_endian(const unsigned char *b)
{
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* Walks the chunks of a wav header up to its sound, and gives that the largest length there is. A length of 0 is
 * made so too: a recorder that never came back to fill it in. False if the sound does not begin within what is kept:
 * libsndfile would make room for as much as a chunk before it claims to have, gigabytes in a pipe of a few bytes. */
static bool
open_end(vip_audio_pipe *pipe)
{
    static const uint32_t absurd = 0x7fff0000; /* recorders without an end in sight write this, or a bit more */
    for (size_t at = 12; at + 8 <= KEPT && keep(pipe, at + 8) == at + 8;) {
        unsigned char *chunk = pipe->kept + at;
        uint32_t length = little_endian(chunk + 4);
        if (memcmp(chunk, "data", 4) == 0) {
            if (length >= absurd || length == 0) {
                memset(chunk + 4, 0xff, 4);
            }
            return true;
        }
        if (length > KEPT) {
            return false;
        }
        at += 8 + length + (length & 1); /* chunks begin at even places */
    }
    return false;
}

bool
vip_audio_pipe_streams(vip_audio_pipe *pipe)
{
    if (keep(pipe, 4) < 4) {
        return false;
    }
    if (memcmp(pipe->kept, "RIFF", 4) == 0) {
        return open_end(pipe);
    }
    return memcmp(pipe->kept, ".snd", 4) == 0 || memcmp(pipe->kept, "dns.", 4) == 0;
}

/* ------------------------------------------------------------------------------------------ a temporary copy */

int
vip_audio_pipe_spool(vip_audio_pipe *pipe, vipann_error *error)
{
    static const char whose[] = "standard input";
    int fd = vip_temporary_open(whose, error);
    if (fd < 0) {
        return -1;
    }
    size_t n = (size_t)pipe->come;
    bool written = vip_write_all(fd, pipe->kept, n);
    while (written && (n = take(pipe, pipe->kept, KEPT)) > 0) {
        written = vip_write_all(fd, pipe->kept, n);
    }
    if (!written || lseek(fd, 0, SEEK_SET) != 0) {
        vip_temporary_refuse(whose, error);
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* ------------------------------------------------------------------------------------------ a virtual file */

int64_t
vip_audio_pipe_length(vip_audio_pipe *pipe)
{
    (void)pipe;
    return UNKNOWN_LENGTH;
}

int64_t
vip_audio_pipe_seek(vip_audio_pipe *pipe, int64_t offset, int whence)
{
    int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? pipe->at : UNKNOWN_LENGTH;
    int64_t least = -from, most = UNKNOWN_LENGTH - from;
    if (offset < least || offset > most) {
        return -1;
    }
    pipe->at = from + offset;
    return pipe->at;
}

int64_t
vip_audio_pipe_read(vip_audio_pipe *pipe, void *out, int64_t bytes)
{
    unsigned char *to = out;
    int64_t done = 0;
    while (done < bytes) {
        int64_t want = bytes - done, n;
        if (pipe->at < KEPT) {
            int64_t end = pipe->at + want < KEPT ? pipe->at + want : KEPT;
            n = (int64_t)keep(pipe, (size_t)end) - pipe->at;
            if (n > 0) {
                memcpy(to + done, pipe->kept + pipe->at, (size_t)n);
            }
        } else {
            n = pipe->at == pipe->come ? (int64_t)take(pipe, to + done, (size_t)want) : 0;
        }
        if (n <= 0) {
            break;
        }
        done += n;
        pipe->at += n;
    }
    return done;
}

int64_t
vip_audio_pipe_tell(vip_audio_pipe *pipe)
{
    return pipe->at;
}
