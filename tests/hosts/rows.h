/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rows.h -- what the rows of the test host share: the bundle, models, sounds, features as hosts give them. */
#ifndef TESTS_HOSTS_ROWS_H
#define TESTS_HOSTS_ROWS_H

#include <lv2/buf-size/buf-size.h>
#include <lv2/log/log.h>
#include <lv2/options/options.h>
#include <lv2/state/state.h>
#include <lv2/worker/worker.h>

#include "rig.h"

typedef struct {
    bundle lv2;
    uris *names;
    const char *tiny, *other, *broken; /* two models of different classes, and a file that is none; absolute paths */
    const char *vipann;                /* the program */
    const char *scratch;               /* an empty folder */
} bench;

/* A row holds (true) or says in comment lines why it does not. */
typedef struct {
    const char *name;
    bool (*holds)(bench *b);
} row;

extern const row audio_rows[], matrix_rows[], message_rows[], state_rows[],
    answer_rows[]; /* each ends with a NULL name */

/* Prints a comment line and returns false. */
bool no(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --------------------------------------------------------------------------------------------------------- features */

typedef enum {
    GIVES_NULL,        /* no list at all */
    GIVES_NOTHING,     /* an empty list: lv2apply */
    GIVES_MAP,         /* map, no unmap */
    GIVES_HALF,        /* map, unmap and log without data, a feature without URI, options: lv2file and worse */
    GIVES_MAP_NO_DATA, /* even the map has none */
    GIVES_STRANGE,     /* options of wrong types and sizes, a map that refuses */
    GIVES_ALL,         /* map, unmap, options, log, bounded: as a good host does */
    GIVES_LOG,         /* log, map, unmap: GStreamer */
    GIVES_FIXED,       /* map, unmap, blocks of one size that is a power of two, which is not kept to: ffmpeg */
    GIVES_WORKER,      /* map, unmap, worker, log, options, default state, the same blocks: jalv */
    GIVES_MUCH, /* access to the instance without data, paths, worker, log, options, bounded, names of its own: Ardour */
    N_GIVES
} gives;

typedef struct {
    LV2_URID_Map map;
    LV2_URID_Unmap unmap;
    LV2_Log_Log log;
    LV2_Options_Option options[5];
    LV2_Worker_Schedule worker;
    LV2_State_Make_Path paths;
    LV2_Feature given[12];
    const LV2_Feature *list[13];
    float rate;
    int32_t max_block, min_block;
} features;

/* What to give to rig_new; lies in *f, which must last as long as the instance. */
const LV2_Feature *const *features_make(features *f, gives what, uris *names);
const char *gives_name(gives what);

/* ----------------------------------------------------------------------------------------------------------- sounds */

/* Numbers that are the same each time. */
typedef struct {
    uint64_t s;
} dice;
uint32_t dice_below(dice *d, uint32_t n); /* 0 .. n - 1 */

typedef enum { SOUND_SILENCE, SOUND_NOISE, SOUND_DENORMAL, SOUND_LOUD, SOUND_INFINITE, SOUND_NAN, N_SOUNDS } sound;
void sound_fill(float *x, uint32_t n, sound kind, dice *d);

/* Noise into every input, and a block. */
void play(rig *r, uint32_t frames, sound kind, dice *d);

/* Connects the outputs of sound to the inputs' buffers. */
void put_in_place(rig *r);

/* One block from in[] to out[], or in place; false: some bit differs. */
bool passes(rig *r, uint32_t frames, sound kind, dice *d, bool in_place);

/* Sleeps. */
void wait_ms(unsigned ms);

/* Plays noise and asks for the model until it is that of `path`; false after 20 s. */
bool model_becomes(rig *r, const char *path);

/* ------------------------------------------------------------------------------------------------------------ notes */

enum { MOST_NOTES = 128 * 16 };

typedef struct {
    bool sounds[MOST_NOTES];
    unsigned begun[MOST_NOTES]; /* how often */
} notes;

/* Takes the notes of the last block; false: one begins twice, or ends without having begun, or is malformed. */
bool notes_take(notes *kept, const rig *r);
unsigned notes_sounding(const notes *kept);

/* Plays noise in blocks of 512, at most as many milliseconds as `most_ms`, until the last block's messages have `text`. */
bool play_until_heard(rig *r, const char *text, unsigned most_ms);

#endif /* TESTS_HOSTS_ROWS_H */
