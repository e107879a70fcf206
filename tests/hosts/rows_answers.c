/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rows_answers.c -- the plugin says the same as `vipann file` of the same sound, however it is cut into blocks. */
#include <jansson.h>
#include <lv2/atom/util.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"

enum { RATE = 48000, SECONDS = 30, FRAMES = RATE * SECONDS, MOST_ANSWERS = 256, MOST_BLOCK = 8192 };

/* What the control outputs say of one result. */
typedef struct {
    double time, probability, class_index, total, aleatoric, epistemic, level, passes;
} answer;

typedef struct {
    double class_index, start, end, p_max, epistemic;
} span;

typedef struct {
    size_t n, n_spans;
    answer list[MOST_ANSWERS];
    span spans[MOST_ANSWERS];   /* events that have ended */
    unsigned begun[MOST_NOTES]; /* events of each class */
} account;

/* How the same is asked for on both sides; NULL: not said. */
typedef struct {
    const char *model; /* NULL: the one in the bundle */
    const char *passes, *hop, *window, *smoothing, *threshold;
} asked;

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

/* ------------------------------------------------------------------------------------------------ the file analyser */

static double
number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : -1;
}

/* The place of a label among those that `vipann info` tells in order. */
static double
class_of(const json_t *labels, const char *label)
{
    size_t i;
    const json_t *value;
    json_array_foreach(labels, i, value)
    {
        if (strcmp(json_string_value(value), label) == 0) {
            return (double)i;
        }
    }
    return -1;
}

static void
take_line(account *a, const json_t *line, const json_t *labels)
{
    if (json_object_get(line, "start_s") != NULL) {
        double class_index = class_of(labels, json_string_value(json_object_get(line, "label")));
        if (class_index >= 0 && class_index < MOST_NOTES && a->n_spans < MOST_ANSWERS) {
            a->begun[(size_t)class_index]++;
            a->spans[a->n_spans++] = (span){class_index, number_of(line, "start_s"), number_of(line, "end_s"),
                                            number_of(line, "p_max"), number_of(line, "epistemic_nats")};
        }
        return;
    }
    const json_t *top = json_array_get(json_object_get(line, "top"), 0);
    if (a->n < MOST_ANSWERS) {
        a->list[a->n++] = (answer){.time = number_of(line, "t_s"),
                                   .probability = number_of(top, "p"),
                                   .class_index = class_of(labels, json_string_value(json_object_get(top, "label"))),
                                   .total = number_of(line, "total_nats"),
                                   .aleatoric = number_of(line, "aleatoric_nats"),
                                   .epistemic = number_of(line, "epistemic_nats"),
                                   .level = number_of(line, "level_dbfs"),
                                   .passes = number_of(line, "passes")};
    }
}

static json_t *
labels_of(const bench *b, const asked *q)
{
    char command[2048];
    (void)snprintf(command, sizeof command, "'%s' info --json --quick '%s'", b->vipann,
                   q->model != NULL ? q->model : "vipann-audioset-r22w16-drop");
    FILE *f = popen(command, "r");
    json_t *info = f != NULL ? json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
    json_t *labels = json_incref(json_object_get(info, "labels"));
    json_decref(info);
    if (f != NULL) {
        (void)pclose(f);
    }
    return labels;
}

static bool
run_file(const bench *b, const asked *q, const char *path, bool events, account *a, const json_t *labels)
{
    char command[4096];
    size_t n = (size_t)snprintf(command, sizeof command, "'%s' file --format jsonl %s", b->vipann,
                                events ? "--events" : "--top 1");
    const struct {
        const char *option, *value;
    } options[] = {{"model", q->model},   {"passes", q->passes},     {"hop", q->hop},
                   {"window", q->window}, {"horizon", q->smoothing}, {"threshold", events ? q->threshold : NULL}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (options[i].value != NULL) {
            n += (size_t)snprintf(command + n, sizeof command - n, " --%s '%s'", options[i].option, options[i].value);
        }
    }
    (void)snprintf(command + n, sizeof command - n, " '%s'", path);
    FILE *f = popen(command, "r");
    static char text[65536];
    while (f != NULL && fgets(text, sizeof text, f) != NULL) {
        json_t *line = json_loads(text, 0, NULL);
        if (line == NULL) {
            (void)pclose(f);
            return no("%s: not JSON", command);
        }
        take_line(a, line, labels);
        json_decref(line);
    }
    return (f != NULL && pclose(f) == 0) || no("%s failed", command);
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
    ask(r, q);
    rig_set(r, freewheel ? "freewheel" : "blocking", 1);
    rig_activate(r);
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

/* --------------------------------------------------------------------------------------------------------- compared */

/* Files give seven digits, levels three decimals, ports single precision. */
static bool
equal(double file, double plugin, double margin)
{
    return fabs(file - plugin) <= margin + 2e-6 * fabs(file);
}

static bool
same_answer(const answer *file, const answer *plugin)
{
    return equal(file->time, plugin->time, 0) && equal(file->probability, plugin->probability, 0) &&
           file->class_index == plugin->class_index && equal(file->total, plugin->total, 0) &&
           equal(file->aleatoric, plugin->aleatoric, 0) && equal(file->epistemic, plugin->epistemic, 1e-9) &&
           equal(file->level, plugin->level, 1e-3) && file->passes == plugin->passes;
}

static int
earlier(const void *a, const void *b)
{
    const span *x = a, *y = b;
    return x->start != y->start ? (x->start > y->start) - (x->start < y->start)
                                : (x->class_index > y->class_index) - (x->class_index < y->class_index);
}

static bool
same_spans(account *file, account *plugin)
{
    qsort(file->spans, file->n_spans, sizeof *file->spans, earlier);
    qsort(plugin->spans, plugin->n_spans, sizeof *plugin->spans, earlier);
    if (file->n_spans == 0 || file->n_spans != plugin->n_spans) {
        return no("%zu events, and %zu in the file", plugin->n_spans, file->n_spans);
    }
    for (size_t i = 0; i < file->n_spans; i++) {
        const span *x = &file->spans[i], *y = &plugin->spans[i];
        if (x->class_index != y->class_index || !equal(x->start, y->start, 0) || !equal(x->end, y->end, 0) ||
            !equal(x->p_max, y->p_max, 0) || !equal(x->epistemic, y->epistemic, 1e-9)) {
            return no("event %zu: class %g %g, from %.9g %.9g to %.9g %.9g, p %.9g %.9g, epistemic %.9g %.9g", i,
                      x->class_index, y->class_index, x->start, y->start, x->end, y->end, x->p_max, y->p_max,
                      x->epistemic, y->epistemic);
        }
    }
    return true;
}

/* Results of the file that only its end brings are not in the plugin's. */
static bool
same_account(account *file, account *plugin)
{
    enum { AT_THE_END = 6 };
    if (file->n < 10 || plugin->n > file->n || plugin->n + AT_THE_END < file->n) {
        return no("%zu answers, and %zu of the file", plugin->n, file->n);
    }
    for (size_t i = 0; i < plugin->n; i++) {
        const answer *x = &file->list[i], *y = &plugin->list[i];
        if (!same_answer(x, y)) {
            return no("answer %zu: t %g %g, p %.9g %.9g, class %g %g, total %.9g %.9g, epistemic %.9g %.9g, "
                      "level %g %g, passes %g %g",
                      i, x->time, y->time, x->probability, y->probability, x->class_index, y->class_index, x->total,
                      y->total, x->epistemic, y->epistemic, x->level, y->level, x->passes, y->passes);
        }
    }
    for (size_t i = 0; i < MOST_NOTES; i++) {
        if (file->begun[i] != plugin->begun[i]) {
            return no("%u notes of class %zu, and %u events in the file", plugin->begun[i], i, file->begun[i]);
        }
    }
    return same_spans(file, plugin);
}

static bool
same_as_file(bench *b, const subject *s, const asked *q, unsigned times)
{
    static account file, plugin;
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/scene-%u.wav", b->scratch, s->channels);
    file = (account){.n = 0};
    float *x = scene(s->channels);
    json_t *labels = labels_of(b, q);
    bool well = x != NULL && labels != NULL && write_wav(path, x, s->channels) &&
                run_file(b, q, path, false, &file, labels) && run_file(b, q, path, true, &file, labels);
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
    {"any blocks give the numbers and events of vipann file, whichever way the host waits", small_model},
    {"so does the model of the bundle, which needs no word", model_of_the_bundle},
    {NULL, NULL}};
