/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clips.h -- the sound of events, each as a FLAC file of its own in a folder (catalogue.h), with some sound before it.
 *
 *   audio thread  vip_clips_hear
 *   main thread   all else; vip_clips_fill: any
 *
 * A clip is [start - before, end) of its event to the sample, as far as that was heard and no longer than a limit; it appears
 * whole, when the event has ended. */
#ifndef VIP_PLUGIN_OUT_CLIPS_H
#define VIP_PLUGIN_OUT_CLIPS_H

#include <stdbool.h>

#include <common/options.h>

#include "told.h"

typedef struct vip_clips vip_clips;

typedef struct {
    const char *folder; /* borrowed */
    bool unknown;       /* only of events that the model had not been taught */
    double before;      /* s */
    double longest;     /* s, what was before the event included */
    uint64_t most;      /* bytes that all clips may take; 0: no limit */
    uint32_t inputs;
} vip_clips_setup;

/* NULL: as vip_catalogue_open. */
vip_clips *vip_clips_new(const vip_clips_setup *setup, vipann_error *error);

/* Clips that have not ended are lost. NULL is allowed. */
void vip_clips_free(vip_clips *clips);

/* Sound of an input comes from now on, at this rate (Hz) in so many channels, of which the first eight are saved; its first
 * frame is at `zero` s of the time that events have. E_MEMORY. */
vipann_status vip_clips_begin(vip_clips *clips, uint32_t input, double rate, uint32_t channels, double zero,
                              vipann_error *error);

/* channels[channel][frames] of the input. */
void vip_clips_hear(vip_clips *clips, uint32_t input, const float *const *channels, uint32_t frames) VIPANN_RT;

/* How much of the room between the two threads is taken, 0 .. 1. */
double vip_clips_fill(const vip_clips *clips, uint32_t input);

void vip_clips_event(vip_clips *clips, const vip_told *told);

/* Takes what has been heard, and writes it where it belongs: some times a second. */
void vip_clips_turn(vip_clips *clips);

/* No more sound of the input comes; its events have ended. */
void vip_clips_end(vip_clips *clips, uint32_t input);

/* A clip that is there now. */
typedef struct {
    uint32_t input;
    uint64_t id;      /* of its event */
    const char *path; /* borrowed until the next call */
} vip_clip;

/* The next of those that have not been told; false: none. */
bool vip_clips_next(vip_clips *clips, vip_clip *clip);

/* What has gone wrong since the last look. */
typedef struct {
    uint64_t left_out; /* too many events at a time */
    uint64_t failed;   /* clips that could not be written; */
    char why[256];     /* the newest of these */
    double lost;       /* s of sound that did not get here in time */
} vip_clips_news;
bool vip_clips_look(vip_clips *clips, vip_clips_news *news);

/* --save-events and what belongs to it. */
extern const vip_option VIP_OPTION_SAVE_EVENTS, VIP_OPTION_SAVE, VIP_OPTION_SAVE_BEFORE, VIP_OPTION_SAVE_LONGEST,
    VIP_OPTION_SAVE_LIMIT;

/* From these options; *clips is NULL, and that is no failure, if they do not ask for it. */
vipann_status vip_clips_asked(const vip_arguments *arguments, uint32_t inputs, vip_clips **clips, vipann_error *error);

#endif /* VIP_PLUGIN_OUT_CLIPS_H */
