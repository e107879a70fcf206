/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rows_messages.c -- models by patch:Set while audio runs, answers to patch:Get, notes. */
#include <lv2/atom/util.h>
#include <lv2/midi/midi.h>
#include <lv2/patch/patch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"

enum { PATIENCE_MS = 20000, REFUSED = 3 /* a scale point of the port "status" */ };

bool
model_becomes(rig *r, const char *path)
{
    dice d = {1};
    for (unsigned i = 0; i < PATIENCE_MS; i++) {
        rig_send_get(r, r->of->model_key);
        play(r, 256, SOUND_NOISE, &d);
        if (rig_heard(r, path)) {
            return true;
        }
        wait_ms(1);
    }
    return no("the model never became %s", path);
}

/* An active instance whose model is b->tiny. */
static rig *
begun(bench *b, const subject *s, features *f)
{
    rig *r = rig_new(s, b->names, 48000, features_make(f, GIVES_ALL, b->names));
    if (r != NULL) {
        rig_activate(r);
    }
    if (r == NULL || !model_becomes(r, b->tiny)) {
        rig_free(r);
        return NULL;
    }
    return r;
}

static bool
sets_a_model(bench *b)
{
    const subject *subjects[] = {&b->lv2.mono, &b->lv2.stereo};
    for (size_t i = 0; i < 2; i++) {
        features f;
        rig *r = begun(b, subjects[i], &f);
        if (r == NULL) {
            return no("%s: patch:Get does not tell the model", subjects[i]->uri);
        }
        rig_send_path(r, b->other);
        bool well = model_becomes(r, b->other);
        rig_send_path(r, b->tiny);
        well = well && model_becomes(r, b->tiny);
        rig_free(r);
        if (!well) {
            return false;
        }
    }
    return true;
}

/* After what is no model the old one goes on. Returns whether it does. */
static bool
old_one_goes_on(bench *b, rig *r)
{
    dice d = {2};
    for (unsigned i = 0; i < 80; i++) {
        play(r, 256, SOUND_NOISE, &d);
        wait_ms(1);
    }
    rig_send_get(r, r->of->model_key);
    play(r, 256, SOUND_NOISE, &d);
    return rig_heard(r, b->tiny) && rig_outputs_within(r) && !r->refused;
}

static bool
refuses_what_is_no_model(bench *b)
{
    static const char *const bad[] = {"",          "/",        ".", "relative", "/nowhere/at/all.safetensors",
                                      "/dev/null", "/dev/zero"};
    features f;
    rig *r = begun(b, &b->lv2.mono, &f);
    if (r == NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rig_send_path(r, bad[i]);
        if (!old_one_goes_on(b, r) || rig_get(r, "status") != REFUSED) {
            rig_free(r);
            return no("after \"%s\"", bad[i]);
        }
    }
    rig_send_path(r, b->broken);
    bool well =
        play_until_heard(r, "broken.safetensors", PATIENCE_MS) || no("%s was refused without a word", b->broken);
    well = well && old_one_goes_on(b, r);
    rig_free(r);
    return well;
}

static bool
refuses_long_paths(bench *b)
{
    static const size_t lengths[] = {4095, 4096, 4097, 8192, 18000, 30000, 60000};
    features f;
    rig *r = begun(b, &b->lv2.mono, &f);
    char *path = malloc(60001);
    bool well = r != NULL && path != NULL;
    for (size_t i = 0; well && i < sizeof lengths / sizeof *lengths; i++) {
        memset(path, 'x', lengths[i]);
        path[0] = '/';
        path[lengths[i]] = '\0';
        rig_send_path(r, path);
        well = old_one_goes_on(b, r) || no("after a path of %zu bytes", lengths[i]);
        rig_send_set(r, r->of->model_key, LV2_ATOM__Path, path, (uint32_t)lengths[i]); /* no final zero */
        well = well && (old_one_goes_on(b, r) || no("after a path of %zu bytes without an end", lengths[i]));
        well = well &&
               (rig_get(r, "status") == REFUSED || no("a path of %zu bytes was not said to be refused", lengths[i]));
    }
    free(path);
    rig_free(r);
    return well;
}

static bool
refuses_other_types(bench *b)
{
    static const struct {
        const char *key, *type;
        const void *value;
        uint32_t size;
    } table[] = {
        {NULL, LV2_ATOM__Int, "\1\0\0\0", 4},
        {NULL, LV2_ATOM__Float, "\0\0\200?", 4},
        {NULL, LV2_ATOM__Path, "", 0},
        {NULL, LV2_ATOM__Chunk, "/tmp", 5},
        {NULL, LV2_ATOM__URI, "file:///nowhere", 16},
        {NULL, LV2_ATOM__Object, "\0\0\0\0", 4},
        {NULL, LV2_ATOM__Tuple, "", 0},
        {"urn:nobody:knows", LV2_ATOM__Path, "/nowhere", 9},
    };
    features f;
    rig *r = begun(b, &b->lv2.mono, &f);
    if (r == NULL) {
        return false;
    }
    bool well = true;
    static const char *const types[] = {LV2_ATOM__Chunk, LV2_ATOM__URI, LV2_ATOM__Literal, LV2_MIDI__MidiEvent};
    for (size_t i = 0; well && i < sizeof types / sizeof *types; i++) { /* a model, but said wrongly */
        rig_send_set(r, r->of->model_key, types[i], b->other, (uint32_t)strlen(b->other) + 1);
        well = old_one_goes_on(b, r) || no("after a %s", types[i]);
    }
    for (size_t i = 0; well && i < sizeof table / sizeof *table; i++) {
        const char *key = table[i].key != NULL ? table[i].key : r->of->model_key;
        rig_send_set(r, key, table[i].type, table[i].value, table[i].size);
        well = old_one_goes_on(b, r) || no("after a %s of %u bytes", table[i].type, table[i].size);
    }
    rig_free(r);
    return well;
}

/* What hosts and their users ask for; NULL stands for a path that is too long. */
static bool
ask_for(bench *b, rig *r, unsigned i)
{
    static char too_long[20000];
    const char *const paths[] = {b->tiny, b->other, b->broken, b->tiny, "", b->other, "/nowhere/at/all", NULL};
    const char *path = paths[i % (sizeof paths / sizeof *paths)];
    if (path == NULL) {
        memset(too_long, 'x', sizeof too_long - 1);
        path = too_long;
    }
    rig_send_path(r, path);
    return path == b->tiny || path == b->other;
}

/* Plays some blocks; false: a bit of the sound differs, or an output is beyond its range. */
static bool
goes_on(rig *r, unsigned blocks, dice *d)
{
    for (unsigned n = 0; n < blocks; n++) {
        uint32_t frames = 256 + dice_below(d, 256);
        play(r, frames, SOUND_NOISE, d);
        for (uint32_t c = 0; c < r->of->channels; c++) {
            if (memcmp(r->in[c], r->out[c], frames * sizeof(float)) != 0) {
                return no("sound came out different");
            }
        }
        if (!rig_outputs_within(r) || r->refused) {
            return no("an output is beyond its range, or was written over");
        }
        wait_ms(blocks > 1);
    }
    return true;
}

/* A request a block, and every fifth time a pause in which it is carried out; the last one counts. */
static bool
many_switches(bench *b)
{
    enum { REQUESTS = 1000, PAUSE_BLOCKS = 15 };
    features f;
    dice d = {9};
    rig *r = begun(b, &b->lv2.stereo, &f);
    if (r == NULL) {
        return false;
    }
    bool well = true;
    unsigned good = 0;
    for (unsigned i = 0; i < REQUESTS && well; i++) {
        good += ask_for(b, r, i);
        well = goes_on(r, i % 5 == 4 ? PAUSE_BLOCKS : 1, &d) || no("after request %u", i);
    }
    well = well && (good == REQUESTS / 2 || no("%u good requests", good));
    rig_send_path(r, b->other);
    well = well && model_becomes(r, b->other);
    rig_send_path(r, b->tiny);
    well = well && model_becomes(r, b->tiny);
    rig_free(r);
    return well;
}

/* ------------------------------------------------------------------------------------------------------------ notes */

bool
notes_take(notes *kept, const rig *r)
{
    LV2_URID midi = uris_number(r->names, LV2_MIDI__MidiEvent);
    int64_t before = 0;
    LV2_ATOM_SEQUENCE_FOREACH(&r->from->head, event)
    {
        if (event->time.frames < before) {
            return no("events of a block are not in order");
        }
        before = event->time.frames;
        if (event->body.type != midi) {
            continue;
        }
        const uint8_t *m = LV2_ATOM_BODY_CONST(&event->body);
        unsigned note = m[1] + 128U * (m[0] & 15U);
        unsigned what = m[0] & 0xf0U;
        if (event->body.size != 3 || m[1] > 127 || m[2] > 127) {
            return no("a message of %u bytes, %x %x %x", event->body.size, m[0], m[1], m[2]);
        }
        if (what == LV2_MIDI_MSG_NOTE_ON && m[2] > 0) {
            if (kept->sounds[note]) {
                return no("note %u begins twice", note);
            }
            kept->sounds[note] = true;
            kept->begun[note]++;
        } else if (what == LV2_MIDI_MSG_NOTE_OFF || what == LV2_MIDI_MSG_NOTE_ON) {
            if (!kept->sounds[note]) {
                return no("note %u ends without having begun", note);
            }
            kept->sounds[note] = false;
        }
    }
    return true;
}

unsigned
notes_sounding(const notes *kept)
{
    unsigned n = 0;
    for (size_t i = 0; i < MOST_NOTES; i++) {
        n += kept->sounds[i];
    }
    return n;
}

/* Plays noise of 200 blocks with the hearing inline. */
static bool
play_notes(rig *r, notes *kept, sound kind, unsigned blocks)
{
    dice d = {11};
    for (unsigned i = 0; i < blocks; i++) {
        play(r, 2048, kind, &d);
        if (!notes_take(kept, r)) {
            return false;
        }
    }
    return true;
}

static bool
paired_notes(bench *b)
{
    features f;
    static notes kept;
    kept = (notes){.begun = {0}};
    rig *r = begun(b, &b->lv2.mono, &f);
    if (r == NULL) {
        return false;
    }
    rig_set(r, "blocking", 1);
    rig_set(r, "midi", 1);
    rig_set(r, "threshold", 0.01F);
    bool well = play_notes(r, &kept, SOUND_NOISE, 200);
    well = well && (notes_sounding(&kept) > 0 || no("no note of eight seconds of noise"));
    well = well && play_notes(r, &kept, SOUND_SILENCE, 400);
    well = well && (notes_sounding(&kept) == 0 || no("a note sounds after 17 s of silence"));
    well = well && play_notes(r, &kept, SOUND_NOISE, 200);
    rig_set(r, "midi", 0);
    well = well && play_notes(r, &kept, SOUND_NOISE, 4);
    well = well && (notes_sounding(&kept) == 0 || no("a note sounds after notes were switched off"));
    rig_set(r, "midi", 1);
    well = well && play_notes(r, &kept, SOUND_SILENCE, 400) && play_notes(r, &kept, SOUND_NOISE, 200);
    rig_send_path(r, b->other);
    well = well && play_notes(r, &kept, SOUND_NOISE, 100) && model_becomes(r, b->other);
    well = well && notes_take(&kept, r) && play_notes(r, &kept, SOUND_SILENCE, 400);
    well = well && (notes_sounding(&kept) == 0 || no("a note of the old model sounds on"));
    rig_free(r);
    return well;
}

/* A host may give its buffers to others as soon as it has deactivated: what has to be said is said in the next run. */
static bool
leaves_old_buffers(bench *b)
{
    static notes kept;
    static sequence old, untouched;
    features f;
    kept = (notes){.begun = {0}};
    rig *r = begun(b, &b->lv2.mono, &f);
    if (r == NULL) {
        return false;
    }
    rig_set(r, "blocking", 1);
    rig_set(r, "midi", 1);
    rig_set(r, "threshold", 0.01F);
    bool well = play_notes(r, &kept, SOUND_NOISE, 200);
    well = well && (notes_sounding(&kept) > 0 || no("no note of eight seconds of noise"));
    rig_connect(r, "notify", &old);
    old.head.atom = (LV2_Atom){.size = r->capacity, .type = uris_number(b->names, LV2_ATOM__Chunk)};
    r->of->descriptor->run(r->handle, 0);
    untouched = old;
    rig_deactivate(r);
    rig_activate(r);
    rig_connect(r, "notify", r->from);
    well = well && (memcmp(&old, &untouched, sizeof old) == 0 || no("written to while no block ran"));
    well = well && play_notes(r, &kept, SOUND_SILENCE, 2);
    well = well && (notes_sounding(&kept) == 0 || no("a note sounds on after the plugin was stopped"));
    rig_free(r);
    return well;
}

const row message_rows[] = {
    {"patch:Set exchanges the model, patch:Get tells it", sets_a_model},
    {"what is no model leaves the old one running and says so", refuses_what_is_no_model},
    {"paths that are too long or have no end do no harm", refuses_long_paths},
    {"values of other types and other properties do no harm", refuses_other_types},
    {"of 1000 requests while audio runs, good ones and bad ones, the last one counts", many_switches},
    {"each note that begins ends, also in silence, when notes are switched off, and when the model is exchanged",
     paired_notes},
    {"notes that sound when the plugin is stopped end in its next block, and not before", leaves_old_buffers},
    {NULL, NULL}};
