/* SPDX-License-Identifier: GPL-3.0-or-later */
/* analyse.h -- one recording through one engine. */
#ifndef VIP_PLUGIN_FILE_ANALYSE_H
#define VIP_PLUGIN_FILE_ANALYSE_H

#include <stdbool.h>

#include <common/audio.h>
#include <vipann/vipann.h>

/* What is asked of each recording. */
typedef struct {
    vipann_model *model;    /* borrowed; serves any number of calls at once */
    vipann_options options; /* rate and channels are taken from the recording */
    double start, duration; /* s; duration 0: all */
    bool clip;              /* only the last result is wanted */
    bool events;            /* events are wanted, and no results */
    bool results_too;       /* with events: results as well, and events also when they begin */
} vip_analysis;

/* Whom to tell. Each returns false to stop the analysis. */
typedef struct {
    void *user;
    bool (*begin)(void *user, const vip_audio_facts *facts, const vipann_options *options);
    bool (*result)(void *user, const vipann_result *result);
    bool (*event)(void *user, const vipann_event *event); /* one that is over */
    bool (*progress)(void *user, double fraction);        /* 0 .. 1, or -1: nobody can know */
    bool (*note)(void *user, const char *text);           /* one line on something that is worth knowing */
} vip_listener;

/* Analyses one recording in this thread. At least one result comes unless it fails before
 * or events are wanted: there may be none.
 * Errors: as vip_audio_open, vip_audio_check (after the last result) and vipann_engine_new, naming the file; a listener
 * that stopped it: E_BUSY, no text. */
vipann_status vip_analyse(const vip_analysis *analysis, const char *path, const vip_listener *listener,
                          vipann_error *error);

#endif /* VIP_PLUGIN_FILE_ANALYSE_H */
