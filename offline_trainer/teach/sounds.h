/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sounds.h -- what somebody with recordings and ears has to teach with: recordings whose label tracks say what is heard when, as
 * Audacity writes them, and clips in folders that are named by what is heard in them, or in a table. All that is not
 * labelled is background. */
#ifndef VIP_TRAINER_TEACH_SOUNDS_H
#define VIP_TRAINER_TEACH_SOUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vipann/vipann.h>

enum { VIP_TEACH_CLASSES = 64, VIP_TEACH_FOLDS = 5 };
extern const char VIP_TEACH_BACKGROUND[]; /* the name of a folder, or a label, that is none */

/* A stretch of a recording in which a class is heard; of a clip all of it, and end is infinite. */
typedef struct {
    double start, end; /* s */
    uint32_t class_index;
    uint32_t fold; /* < VIP_TEACH_FOLDS: what is judged together, by rows that were learnt without it */
} vip_stretch_of_sound;

typedef struct {
    char *path;
    bool clip;     /* short, and all of one kind */
    uint32_t fold; /* of a clip */
    vip_stretch_of_sound *stretches;
    size_t n, room;
} vip_recording;

typedef struct {
    char *classes[VIP_TEACH_CLASSES];
    uint32_t n_classes;
    uint32_t stretches[VIP_TEACH_CLASSES]; /* of each class */
    vip_recording *recordings;
    size_t n, room;
} vip_sounds;

/* Begin with {0}. Takes a recording (with its label track beside it: the same name with .txt instead of its ending, or behind
 * it; without one it is background), a folder (with labels.csv or clips.csv, or folders that are named by class), or a table
 * (a manifest as `vipann-train features` reads it). Errors, one line with the file and, where there are any, the line: E_IO,
 * E_FORMAT, E_ARG (too many classes), E_MEMORY. */
vipann_status vip_sounds_take(vip_sounds *sounds, const char *path, vipann_error *error);

void vip_sounds_free(vip_sounds *sounds);

/* Reads a label track from memory, for fuzzing as well; name appears in messages. recording is filled. */
vipann_status vip_sounds_track(vip_sounds *sounds, vip_recording *recording, const char *name, char *text,
                               vipann_error *error);

#endif /* VIP_TRAINER_TEACH_SOUNDS_H */
