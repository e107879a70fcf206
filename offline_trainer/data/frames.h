/* SPDX-License-Identifier: GPL-3.0-or-later */
/* frames.h -- from a recording to log-mel frames, as the engine hears them. */
#ifndef VIP_TRAINER_FRAMES_H
#define VIP_TRAINER_FRAMES_H

#include <model/model.h>

typedef struct {
    size_t n;       /* frames */
    uint16_t *half; /* f16, [n][VIP_MELS], to be freed with free */
    double seconds;
    char sha256[65]; /* of the audio file */
} vip_clip_frames;

/* Hears a whole recording; channels are mixed to mono. Errors: E_IO, E_FORMAT (it names the file), E_MEMORY. */
vipann_status vip_frames_of(const char *path, const vip_frontend_spec *spec, vip_clip_frames *out, vipann_error *error);

/* SHA-256 of a file alone. */
vipann_status vip_hash_of(const char *path, char sha256[65], vipann_error *error);

#endif /* VIP_TRAINER_FRAMES_H */
