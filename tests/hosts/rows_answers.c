/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rows_answers.c -- the plugin says the same as `vipann file` of the same sound, however it is cut into blocks. */
#include <lv2/atom/util.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"

enum { RATE = 48000, SECONDS = 30, FRAMES = RATE * SECONDS, MOST_BLOCK = 8192 };

/* Bursts of noise and of tones with pauses between; the end is silent, so that every event ends. */
static float *
scene(uint32_t channels)
{
    float *x = calloc((size_t)channels * FRAMES, sizeof *x);
    dice d = {12};
    for (uint32_t c = 0; x != NULL && c < channels; c++) {
        for (uint32_t i = 0; i < FRAMES - 9 * RATE; i++) {
            double t = (double)i / RATE;
            double noise = dice_below(&d, 20001) / 10000.0 - 1;
            double tone = sin(6.283185307179586 * (300 + 90 * floor(t)) * t);
            double pause = fmod(t, 7) > 5;
            x[(size_t)c * FRAMES + i] = (float)(pause > 0 ? 0 : fmod(t, 3) < 1.5 ? 0.2 * noise : 0.3 * tone);
        }
    }
    return x;
}

static void
little(FILE *f, uint32_t x, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        (void)fputc((int)(x >> (8 * i) & 255), f);
    }
}

/* A wav file of 32-bit floats. */
static bool
write_wav(const char *path, const float *x, uint32_t channels)
{
    FILE *f = fopen(path, "wb");
    if (f == NULL) {
        return false;
    }
    uint32_t bytes = 4 * channels * FRAMES;
    (void)fputs("RIFF", f);
    little(f, 36 + bytes, 4);
    (void)fputs("WAVEfmt ", f);
    little(f, 16, 4);
    little(f, 3, 2); /* floats */
    little(f, channels, 2);
    little(f, RATE, 4);
    little(f, 4 * channels * RATE, 4);
    little(f, 4 * channels, 2);
    little(f, 32, 2);
    (void)fputs("data", f);
    little(f, bytes, 4);
    for (uint32_t i = 0; i < FRAMES; i++) {
        for (uint32_t c = 0; c < channels; c++) {
            uint32_t bits;
            memcpy(&bits, &x[(size_t)c * FRAMES + i], sizeof bits);
            little(f, bits, 4);
        }
    }
    return fclose(f) == 0;
}

/* ------------------------------------------------------------------------------------------------------- the plugin */

static answer
answer_of(const rig *r)
{
    return (answer){.time = (double)rig_get(r, "time"),
                    .probability = (double)rig_get(r, "probability"),
                    .class_index = (double)rig_get(r, "class"),
                    .total = (double)rig_get(r, "total"),
                    .aleatoric = (double)rig_get(r, "aleatoric"),
                    .epistemic = (double)rig_get(r, "epistemic"),
                    .level = (double)rig_get(r, "level"),
                    .passes = (double)rig_get(r, "passes_used")};
}

/* The events of the last block's messages that have ended. */
static void
take_spans(account *a, const rig *r)
{
    LV2_URID what = uris_number(r->names, "urn:vipann:Event");
    LV2_ATOM_SEQUENCE_FOREACH(&r->from->head, event)
    {
        const LV2_Atom_Object *object = (const LV2_Atom_Object *)&event->body;
        if (event->body.type != uris_number(r->names, LV2_ATOM__Object) || object->body.otype != what) {
            continue;
        }
        const LV2_Atom *ended = NULL, *which = NULL, *start = NULL, *end = NULL, *p = NULL, *doubt = NULL;
        (void)lv2_atom_object_get(
            object, uris_number(r->names, "urn:vipann:ended"), &ended, uris_number(r->names, "urn:vipann:classes"),
            &which, uris_number(r->names, "urn:vipann:start"), &start, uris_number(r->names, "urn:vipann:end"), &end,
            uris_number(r->names, "urn:vipann:probability"), &p, uris_number(r->names, "urn:vipann:epistemic"), &doubt,
            0);
        bool whole = ended != NULL && which != NULL && start != NULL && end != NULL && p != NULL;
        if (whole && ((const LV2_Atom_Int *)ended)->body != 0 && a->n_spans < MOST_ANSWERS) {
            a->spans[a->n_spans++] =
                (span){((const LV2_Atom_Int *)which)->body, ((const LV2_Atom_Double *)start)->body,
                       ((const LV2_Atom_Double *)end)->body, (double)((const LV2_Atom_Float *)p)->body,
                       doubt != NULL ? (double)((const LV2_Atom_Float *)doubt)->body : -1};
        }
    }
}

static void
ask(rig *r, const asked *q)
{
    const struct {
        const char *symbol, *value;
    } controls[] = {{"passes", q->passes},
                    {"hop", q->hop},
                    {"window", q->window},
                    {"smoothing", q->smoothing},
                    {"threshold", q->threshold}};
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++) {
        if (controls[i].value != NULL) {
            rig_set(r, controls[i].symbol, strtof(controls[i].value, NULL));
        }
    }
    rig_set(r, "midi", 1);
}

/* Hosts let plugins run before they export, and Ardour before the transport starts in it, for as long as it happens to
 * take. */
static void
run_before(rig *r, dice *d)
{
    unsigned blocks = 1 + dice_below(d, 40);
    for (unsigned i = 0; i < blocks; i++) {
        play(r, 1024, SOUND_NOISE, d);
        wait_ms(1);
    }
    if (dice_below(d, 2) == 0) {
        rig_set(r, "freewheel", 1);
        rig_send_speed(r, 0);
        for (unsigned i = 0; i < blocks; i++) {
            play(r, 1024, SOUND_NOISE, d);
        }
        rig_send_speed(r, 1);
    }
}

/* Plays the scene in blocks of random sizes. `freewheel`: the port of the host; else that of the user. */
static bool
run_plugin(bench *b, const subject *s, const asked *q, const float *x, bool freewheel, uint64_t seed, account *a)
{
    static notes kept;
    features f;
    dice d = {seed};
    kept = (notes){.begun = {0}};
    rig *r = rig_new(s, b->names, RATE, features_make(&f, GIVES_ALL, b->names));
    if (r == NULL) {
        return no("not made");
    }
    rig_activate(r);
    if (freewheel) {
        run_before(r, &d);
    }
    ask(r, q);
    rig_set(r, freewheel ? "freewheel" : "blocking", 1);
    bool well = true;
    for (uint32_t at = 0, n; at < FRAMES && well; at += n) {
        n = dice_below(&d, dice_below(&d, 8) == 0 ? MOST_BLOCK + 1 : 600);
        n = n < FRAMES - at ? n : FRAMES - at;
        for (uint32_t c = 0; c < s->channels; c++) {
            memcpy(r->in[c], x + (size_t)c * FRAMES + at, n * sizeof *x);
        }
        rig_run(r, n);
        well = notes_take(&kept, r);
        take_spans(a, r);
        answer now = answer_of(r);
        if (now.time > 0 && a->n < MOST_ANSWERS && (a->n == 0 || now.time != a->list[a->n - 1].time)) {
            a->list[a->n++] = now;
        }
    }
    memcpy(a->begun, kept.begun, sizeof a->begun);
    well = well && (notes_sounding(&kept) == 0 || no("a note sounds after nine seconds of silence"));
    rig_free(r);
    return well;
}

static bool
same_account(account *file, account *plugin)
{
    for (size_t i = 0; i < MOST_NOTES; i++) {
        if (file->begun[i] != plugin->begun[i]) {
            return no("%u notes of class %zu, and %u events in the file", plugin->begun[i], i, file->begun[i]);
        }
    }
    return account_same_answers(file, plugin, true) && account_same_events(file, plugin);
}

static bool
same_as_file(bench *b, const subject *s, const asked *q, unsigned times)
{
    static account file, plugin;
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/scene-%u.wav", b->scratch, s->channels);
    file = (account){.n = 0};
    float *x = scene(s->channels);
    json_t *labels = account_labels(b->vipann, q);
    bool well = x != NULL && labels != NULL && write_wav(path, x, s->channels) &&
                account_add_file(&file, b->vipann, q, path, false, labels) &&
                account_add_file(&file, b->vipann, q, path, true, labels);
    for (unsigned i = 0; i < times && well; i++) {
        plugin = (account){.n = 0};
        well = run_plugin(b, s, q, x, i % 2, i + 1, &plugin) && same_account(&file, &plugin);
    }
    json_decref(labels);
    free(x);
    return well;
}

static bool
small_model(bench *b)
{
    const asked plain = {.model = b->tiny, .threshold = "0.45"};
    const asked precise = {
        .model = b->tiny, .passes = "3", .hop = "0.64", .window = "1.6", .smoothing = "0.5", .threshold = "0.45"};
    return same_as_file(b, &b->lv2.mono, &plain, 4) && same_as_file(b, &b->lv2.stereo, &precise, 4);
}

/* VIPANN_MODEL is what the other rows go by; here it is not there. */
static bool
model_of_the_bundle(bench *b)
{
    const asked plain = {.model = NULL};
    (void)unsetenv("VIPANN_MODEL");
    bool well = same_as_file(b, &b->lv2.mono, &plain, 1);
    (void)setenv("VIPANN_MODEL", b->tiny, 1);
    return well;
}

const row answer_rows[] = {
    {"any blocks give the numbers and events of vipann file, whichever way the host waits, and an export begins anew",
     small_model},
    {"so does the model of the bundle, which needs no word", model_of_the_bundle},
    {NULL, NULL}};
