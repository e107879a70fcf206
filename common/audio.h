/* SPDX-License-Identifier: GPL-3.0-or-later */
/* audio.h -- reads sound from files and pipes, in everything that libsndfile knows.
 *
 * What counts is what can be read, not the length that a header claims: headers of cut-off, streamed or broken files
 * claim anything. wav and au are read from a pipe as they come; other formats need to be searched and are first
 * copied to a temporary file. */
#ifndef VIP_COMMON_AUDIO_H
#define VIP_COMMON_AUDIO_H

#include <stdbool.h>
#include <stdint.h>

#include <vipann/vipann.h>

typedef struct vip_audio vip_audio;

typedef struct {
    double rate; /* Hz */
    uint32_t channels;
    bool streamed;          /* from a pipe, as it comes: it may be slow, and its length is not known */
    double start_seconds;   /* what is left out at the beginning, in whole samples */
    double claimed_seconds; /* what the header says of the whole recording; 0: nothing sensible */
} vip_audio_facts;

enum { VIP_AUDIO_BLOCK = 8192 }; /* most frames in one read */

/* Opens a recording and reads its first block, so that what is opened has sound in it.
 *
 * path      "-" is standard input
 * start     seconds to leave out at the beginning
 * duration  seconds to read from there, at least one sample; 0: all
 *
 * Errors, one line that names the file: E_IO (missing, unreadable, a directory), E_FORMAT (empty, not audio, no sound
 * in it, nothing after start), E_MEMORY. */
vip_audio *vip_audio_open(const char *path, double start, double duration, vipann_error *error);

/* NULL is allowed. */
void vip_audio_close(vip_audio *audio);

const vip_audio_facts *vip_audio_describe(const vip_audio *audio);

/* Reads up to min(frames, VIP_AUDIO_BLOCK) frames; channels[c] takes those of channel c. Returns how many; 0: the end.
 * Values are as they are in the file, so they may be NaN. */
uint32_t vip_audio_read(vip_audio *audio, float *const *channels, uint32_t frames);

/* The part of what is to be read that has been read, 0 .. 1, or -1 if nobody can know. */
double vip_audio_fraction(const vip_audio *audio);

/* After the end: E_FORMAT and a line if the recording is damaged or stops before its header says; what came before was
 * read all the same. */
vipann_status vip_audio_check(const vip_audio *audio, vipann_error *error);

#endif /* VIP_COMMON_AUDIO_H */
