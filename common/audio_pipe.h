/* SPDX-License-Identifier: GPL-3.0-or-later */
/* audio_pipe.h -- what cannot be searched, made fit for libsndfile; for audio.c alone.
 *
 * A pipe gives each byte once, and libsndfile looks around in a file before it reads. So the beginning of the pipe is
 * kept: there one can go back, and behind it only forward. */
#ifndef VIP_COMMON_AUDIO_PIPE_H
#define VIP_COMMON_AUDIO_PIPE_H

#include <stdbool.h>
#include <stdint.h>

#include <vipann/vipann.h>

typedef struct vip_audio_pipe vip_audio_pipe;

/* A pipe on fd (borrowed) of which nothing has been read yet; NULL if memory is short. */
vip_audio_pipe *vip_audio_pipe_new(int fd);

/* NULL is allowed. */
void vip_audio_pipe_free(vip_audio_pipe *pipe);

/* Whether nothing comes out of the pipe at all. Waits for the first bytes. */
bool vip_audio_pipe_is_empty(vip_audio_pipe *pipe);

/* Whether its format is one that can be read as it comes: au, and wav whose sound begins early. A wav header that gives
 * the length as 0 or as absurdly large (programs that write into a pipe do so) is changed to mean "up to the end, at
 * most 4 GiB". */
bool vip_audio_pipe_streams(vip_audio_pipe *pipe);

/* Copies all of the pipe to a temporary file without a name, at whose beginning the descriptor then stands; it belongs
 * to the caller. -1: E_IO. */
int vip_audio_pipe_spool(vip_audio_pipe *pipe, vipann_error *error);

/* The four calls of a virtual file. The length is unknown and given as very large. A read behind what is kept, away
 * from the end of what has come out so far, finds nothing. */
int64_t vip_audio_pipe_length(vip_audio_pipe *pipe);
int64_t vip_audio_pipe_seek(vip_audio_pipe *pipe, int64_t offset, int whence);
int64_t vip_audio_pipe_read(vip_audio_pipe *pipe, void *out, int64_t bytes);
int64_t vip_audio_pipe_tell(vip_audio_pipe *pipe);

#endif /* VIP_COMMON_AUDIO_PIPE_H */
