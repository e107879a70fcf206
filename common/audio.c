/* SPDX-License-Identifier: GPL-3.0-or-later */
/* audio.c -- see audio.h for the contract. */
#include "audio.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sndfile.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/memory.h>
#include <base/status.h>

#include "audio_pipe.h"
#include "number.h"
#include "text.h"

enum { MOST_NAME = 120 }; /* bytes of a name in a message, which must have room for what is wrong */

static const double MOST_SECONDS = 1e7; /* a third of a year: a header that claims more is not believed */
static const double FRAME_LIMIT = 9e18; /* what a count of frames can hold */

struct vip_audio {
    const char *name; /* for messages */
    char *path;
    int fd; /* its own; -1: none */
    vip_audio_pipe *pipe;
    SNDFILE *file;
    vip_audio_facts facts;
    int64_t bytes, first_byte; /* of a file: its size, and where its sound began to be read */
    uint64_t start, wanted;    /* frames: left out at the beginning, and read after that at most */
    uint64_t taken;            /* frames that have been given out */
    uint64_t decoded;          /* frames that libsndfile gave, those left out included */
    uint32_t ahead, given;     /* frames in block: decoded, and given out of these */
    bool at_end;
    float *block; /* [VIP_AUDIO_BLOCK][channels] */
};

/* -------------------------------------------------------------------------------------------- what it stands on */

static sf_count_t
pipe_length(void *user)
{
    return vip_audio_pipe_length(user);
}

static sf_count_t
pipe_seek(sf_count_t offset, int whence, void *user)
{
    return vip_audio_pipe_seek(user, offset, whence);
}

static sf_count_t
pipe_read(void *out, sf_count_t bytes, void *user)
{
    return vip_audio_pipe_read(user, out, bytes);
}

static sf_count_t
pipe_write(const void *from, sf_count_t bytes, void *user)
{
    (void)from;
    (void)bytes;
    (void)user;
    return 0;
}

static sf_count_t
pipe_tell(void *user)
{
    return vip_audio_pipe_tell(user);
}

static SF_VIRTUAL_IO pipe_io = {pipe_length, pipe_seek, pipe_read, pipe_write, pipe_tell};

/* ------------------------------------------------------------------------------------------------------ opening */

static vipann_status
open_descriptor(vip_audio *a, const char *path, vipann_error *error)
{
    bool standard_input = strcmp(path, "-") == 0;
    a->fd = standard_input ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    if (a->fd < 0 || fstat(a->fd, &facts) != 0) {
        return vip_fail(error, VIPANN_E_IO, "%s: cannot be opened: %s; check the name", a->name, strerror(errno));
    }
    if (S_ISDIR(facts.st_mode)) {
        return vip_fail(error, VIPANN_E_IO, "%s: is a folder; name the files in it, or give --recursive", a->name);
    }
    a->bytes = facts.st_size;
    bool empty = a->bytes == 0;
    if (!S_ISREG(facts.st_mode)) {
        a->bytes = 0;
        a->pipe = vip_audio_pipe_new(a->fd);
        if (a->pipe == NULL) {
            return vip_fail_memory(error, "reading from a pipe");
        }
        empty = vip_audio_pipe_is_empty(a->pipe);
    }
    return empty ? vip_fail(error, VIPANN_E_FORMAT, "%s: is empty (0 bytes); expected a sound file", a->name)
                 : VIPANN_OK;
}

static vipann_status
open_sound(vip_audio *a, vipann_error *error)
{
    SF_INFO info = {0};
    if (a->pipe != NULL && vip_audio_pipe_streams(a->pipe)) {
        a->facts.streamed = true;
        a->file = sf_open_virtual(&pipe_io, SFM_READ, &info, a->pipe);
    } else {
        if (a->pipe != NULL) {
            int copy = vip_audio_pipe_spool(a->pipe, error);
            if (copy < 0) {
                return VIPANN_E_IO;
            }
            (void)close(a->fd);
            a->fd = copy;
            struct stat facts;
            a->bytes = fstat(copy, &facts) == 0 ? facts.st_size : 0;
        }
        a->file = sf_open_fd(a->fd, SFM_READ, &info, SF_FALSE);
    }
    if (a->file == NULL) {
        char reason[80]; /* libsndfile's sentence without its full stop */
        (void)snprintf(reason, sizeof reason, "%s", sf_strerror(NULL));
        reason[strcspn(reason, ".\n")] = '\0';
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%s: is no sound file that can be read (%s); expected wav, flac, ogg, "
                        "opus, mp3 or the like",
                        a->name, reason);
    }
    a->facts.rate = info.samplerate;
    a->facts.channels = (uint32_t)info.channels;
    double claimed = (double)info.frames / a->facts.rate;
    bool guessed = (info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_MPEG; /* has no length, so it is worked out */
    bool believed = info.frames > 0 && claimed < MOST_SECONDS && !a->facts.streamed && !guessed;
    a->facts.claimed_seconds = believed ? claimed : 0;
    return VIPANN_OK;
}

/* Decodes the next block. What a broken decoder answers is not trusted to lie in range. */
static void
fill(vip_audio *a)
{
    sf_count_t n = a->at_end ? 0 : sf_readf_float(a->file, a->block, VIP_AUDIO_BLOCK);
    a->at_end = n <= 0;
    a->given = 0;
    a->ahead = n <= 0 ? 0 : n < VIP_AUDIO_BLOCK ? (uint32_t)n : VIP_AUDIO_BLOCK;
    a->decoded += a->ahead;
}

/* Moves on to frame `start`: at one bound where the file can do that exactly, else by reading. */
static void
skip_to_start(vip_audio *a)
{
    bool can_jump = !a->facts.streamed && a->start > 0 && a->start < INT64_MAX;
    if (can_jump && sf_seek(a->file, (sf_count_t)a->start, SEEK_SET) == (sf_count_t)a->start) {
        a->decoded = a->start;
        a->first_byte = a->bytes > 0 ? lseek(a->fd, 0, SEEK_CUR) : 0;
        fill(a);
        if (a->ahead > 0) {
            return;
        }
    }
    if (can_jump) {
        (void)sf_seek(a->file, 0, SEEK_SET); /* it led nowhere: the header may be wrong, so count what is there */
        a->decoded = 0;
        a->at_end = false;
    }
    do {
        fill(a);
    } while (!a->at_end && a->decoded <= a->start);
    a->given = a->ahead > 0 ? a->ahead - (uint32_t)(a->decoded - a->start) : 0;
}

static uint64_t
to_frames(double seconds, double rate)
{
    double frames = round(seconds * rate);
    return frames < FRAME_LIMIT ? (uint64_t)frames : UINT64_MAX;
}

static vipann_status
start_reading(vip_audio *a, double start, double duration, vipann_error *error)
{
    a->start = to_frames(start, a->facts.rate);
    a->facts.start_seconds = (double)a->start / a->facts.rate;
    uint64_t wanted = duration > 0 ? to_frames(duration, a->facts.rate) : UINT64_MAX;
    a->wanted = wanted > 0 ? wanted : 1;
    a->block = vip_alloc(vip_product(VIP_AUDIO_BLOCK, a->facts.channels), sizeof *a->block);
    if (a->block == NULL) {
        return vip_fail_memory(error, "reading sound");
    }
    skip_to_start(a);
    if (a->decoded == 0) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: has a header but no sound in it", a->name);
    }
    if (a->given >= a->ahead) {
        char from[VIP_NUMBER_SIZE], end[VIP_NUMBER_SIZE];
        return vip_fail(error, VIPANN_E_FORMAT, "%s: nothing is left after --start %s: the sound ends at %s s", a->name,
                        vip_number_write(from, start, 9), vip_number_write(end, (double)a->decoded / a->facts.rate, 6));
    }
    return VIPANN_OK;
}

vip_audio *
vip_audio_open(const char *path, double start, double duration, vipann_error *error)
{
    vip_audio *a = vip_alloc(1, sizeof *a);
    if (a == NULL) {
        (void)vip_fail_memory(error, "reading sound");
        return NULL;
    }
    a->fd = -1;
    a->path = vip_copy_string(strcmp(path, "-") == 0 ? "standard input" : path);
    a->name = a->path != NULL ? vip_text_tail(a->path, MOST_NAME) : NULL;
    if (a->path == NULL) {
        (void)vip_fail_memory(error, "reading sound");
    } else if (open_descriptor(a, path, error) == VIPANN_OK && open_sound(a, error) == VIPANN_OK &&
               start_reading(a, start, duration, error) == VIPANN_OK) {
        return a;
    }
    vip_audio_close(a);
    return NULL;
}

void
vip_audio_close(vip_audio *audio)
{
    if (audio == NULL) {
        return;
    }
    if (audio->file != NULL) {
        (void)sf_close(audio->file);
    }
    if (audio->fd >= 0) {
        (void)close(audio->fd);
    }
    vip_audio_pipe_free(audio->pipe);
    vip_free(audio->block);
    vip_free(audio->path);
    vip_free(audio);
}

/* ------------------------------------------------------------------------------------------------------ reading */

const vip_audio_facts *
vip_audio_describe(const vip_audio *audio)
{
    return &audio->facts;
}

uint32_t
vip_audio_read(vip_audio *a, float *const *channels, uint32_t frames)
{
    if (a->given == a->ahead) {
        fill(a);
    }
    uint64_t n = a->ahead - a->given;
    n = n < frames ? n : frames;
    n = n < a->wanted - a->taken ? n : a->wanted - a->taken;
    for (uint32_t c = 0; c < a->facts.channels; c++) {
        const float *from = a->block + (size_t)a->given * a->facts.channels + c;
        for (size_t i = 0; i < n; i++) {
            channels[c][i] = from[i * a->facts.channels];
        }
    }
    a->given += (uint32_t)n;
    a->taken += n;
    return (uint32_t)n;
}

double
vip_audio_fraction(const vip_audio *a)
{
    double by_time = a->wanted < UINT64_MAX ? (double)a->taken / (double)a->wanted : -1;
    double by_place = -1;
    if (a->bytes > a->first_byte) { /* where libsndfile has got to in the file, whatever the header said */
        double at = (double)lseek(a->fd, 0, SEEK_CUR);
        by_place = (at - (double)a->first_byte) / (double)(a->bytes - a->first_byte);
    }
    return fmin(fmax(by_time, by_place), 1);
}

vipann_status
vip_audio_check(const vip_audio *a, vipann_error *error)
{
    char end[VIP_NUMBER_SIZE], claimed[VIP_NUMBER_SIZE];
    if (!a->at_end) {
        return VIPANN_OK; /* not all of it was wanted */
    }
    double seconds = (double)a->decoded / a->facts.rate;
    (void)vip_number_fixed(end, seconds, 2);
    int code = sf_error(a->file);
    if (code != SF_ERR_NO_ERROR) {
        char reason[80];
        (void)snprintf(reason, sizeof reason, "%s", sf_error_number(code));
        reason[strcspn(reason, ".\n")] = '\0';
        return vip_fail(error, VIPANN_E_FORMAT, "%s: damaged after %s s (%s); what comes before was heard", a->name,
                        end, reason);
    }
    if (a->facts.claimed_seconds - seconds > 0.5 / a->facts.rate) {
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%s: cut off: ends after %s s, its header promises %s s; what is there "
                        "was heard",
                        a->name, end, vip_number_fixed(claimed, a->facts.claimed_seconds, 2));
    }
    return VIPANN_OK;
}
