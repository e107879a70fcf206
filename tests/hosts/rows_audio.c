/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rows_audio.c -- audio goes through bit for bit, whatever the host does. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "rows.h"

/* The sizes that hosts were seen to use, and others at random. */
static uint32_t
block(unsigned i, dice *d)
{
    static const uint32_t sizes[] = {0, 1, 64, 8192, 8193, 512, 1, 1, 96, 1024, 4096, 0, 1920, MOST_FRAMES};
    size_t n = sizeof sizes / sizeof *sizes;
    return i < n ? sizes[i] : dice_below(d, 8193);
}

static bool
hears_blocks(rig *r, dice *d, bool in_place)
{
    rig_activate(r);
    for (unsigned i = 0; i < 40; i++) {
        if (!passes(r, block(i, d), (sound)(i % N_SOUNDS), d, in_place) || !rig_outputs_within(r)) {
            return no("block %u%s", i, in_place ? ", in place" : "");
        }
        if (r->refused) {
            return no("more was written to an output than it has room for");
        }
    }
    rig_deactivate(r);
    return true;
}

static bool
features_of(bench *b, const subject *s)
{
    dice d = {1};
    for (int i = 0; i < N_GIVES; i++) {
        for (int in_place = 0; in_place < 2; in_place++) {
            features f;
            rig *r = rig_new(s, b->names, 48000, features_make(&f, (gives)i, b->names));
            if (r == NULL) {
                return no("%s would not be made with %s", s->uri, gives_name((gives)i));
            }
            if (in_place) {
                put_in_place(r);
            }
            bool well = hears_blocks(r, &d, in_place);
            rig_free(r);
            if (!well) {
                return no("with %s", gives_name((gives)i));
            }
        }
    }
    return true;
}

static bool
whatever_features(bench *b)
{
    return features_of(b, &b->lv2.mono) && features_of(b, &b->lv2.stereo);
}

/* Port i, or with i == n each of them, is connected to nothing. */
static bool
without_port(bench *b, const subject *s, uint32_t i)
{
    features f;
    dice d = {2};
    rig *r = rig_new(s, b->names, 44100, features_make(&f, GIVES_ALL, b->names));
    if (r == NULL) {
        return no("not made");
    }
    for (uint32_t k = 0; k < s->n; k++) {
        if (i == k || i == s->n) {
            s->descriptor->connect_port(r->handle, k, NULL);
        }
    }
    bool audio = i == s->n || s->ports[i].kind == PORT_AUDIO;
    bool well = true;
    rig_activate(r);
    for (unsigned n = 0; n < 6 && well; n++) {
        if (audio) {
            play(r, 512, SOUND_NOISE, &d);
        } else {
            well = passes(r, 512, SOUND_NOISE, &d, false);
        }
    }
    rig_deactivate(r);
    rig_free(r);
    return well || no("without port %u", i);
}

static bool
ports_of_nothing(bench *b)
{
    const subject *subjects[] = {&b->lv2.mono, &b->lv2.stereo};
    for (size_t s = 0; s < 2; s++) {
        for (uint32_t i = 0; i <= subjects[s]->n; i++) {
            if (!without_port(b, subjects[s], i)) {
                return false;
            }
        }
    }
    return true;
}

/* lv2apply connects atom ports to a float. */
static bool
tiny_buffers(bench *b)
{
    static const uint32_t sizes[] = {0, 4, 8, 16, 24, 40, 64, 100, 200, 512, 1024};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        features f;
        dice d = {4};
        rig *r = rig_new(&b->lv2.mono, b->names, 48000, features_make(&f, GIVES_ALL, b->names));
        if (r == NULL) {
            return no("not made");
        }
        r->capacity = sizes[i];
        rig_set(r, "blocking", 1);
        rig_activate(r);
        bool well = true;
        for (unsigned n = 0; n < 30 && well; n++) {
            rig_send_get(r, NULL);
            well = passes(r, 8192, SOUND_NOISE, &d, false);
        }
        well = well && !r->refused;
        rig_free(r);
        if (!well) {
            return no("with %u bytes to write to", sizes[i]);
        }
    }
    return true;
}

/* A request for another model in a sequence or an event whose size is a lie: what lies behind the end is not read. */
static bool
lies(bench *b, rig *r, uint32_t sequence_size, uint32_t event_size)
{
    dice d = {5};
    rig_send_path(r, b->other);
    LV2_Atom_Event *event = (LV2_Atom_Event *)(void *)r->to->room;
    r->to->head.atom.size = sequence_size > 0 ? sequence_size : r->to->head.atom.size;
    event->body.size = event_size;
    if (!passes(r, 64, SOUND_NOISE, &d, false)) {
        return false;
    }
    for (unsigned i = 0; i < 40; i++) {
        play(r, 64, SOUND_NOISE, &d);
        wait_ms(1);
    }
    return model_becomes(r, b->tiny) || no("sizes %u and %u", sequence_size, event_size);
}

static bool
lying_inputs(bench *b)
{
    static const uint32_t sizes[] = {1, 7, 8, 9, 24, 31, 40, 56};
    features f;
    rig *r = rig_new(&b->lv2.mono, b->names, 48000, features_make(&f, GIVES_ALL, b->names));
    if (r == NULL) {
        return no("not made");
    }
    rig_activate(r);
    bool well = model_becomes(r, b->tiny) && lies(b, r, 0, 1U << 30) && lies(b, r, 0, UINT32_MAX) && lies(b, r, 0, 0);
    for (size_t i = 0; well && i < sizeof sizes / sizeof *sizes; i++) {
        well = lies(b, r, sizes[i], 200) && lies(b, r, 0, sizes[i]);
    }
    rig_free(r);
    return well;
}

static bool
toggled(bench *b)
{
    features f;
    dice d = {6};
    rig *r = rig_new(&b->lv2.stereo, b->names, 48000, features_make(&f, GIVES_ALL, b->names));
    if (r == NULL) {
        return no("not made");
    }
    bool well = true;
    for (unsigned again = 0; again < 3 && well; again++) { /* hosts deactivate and activate after an export */
        rig_activate(r);
        for (unsigned i = 0; i < 60 && well; i++) {
            rig_set(r, "freewheel", (float)(i / 7 % 2));
            rig_set(r, "blocking", (float)(i / 11 % 2));
            rig_set(r, "reset", (float)(i / 13 % 2));
            rig_set(r, "enabled", (float)(i / 17 % 2));
            well = passes(r, dice_below(&d, 8193), (sound)(i % N_SOUNDS), &d, false) && rig_outputs_within(r);
        }
        rig_deactivate(r);
    }
    rig_free(r);
    return well;
}

/* Controls at random, within and beyond what their ports state. */
static bool
wild_controls(bench *b)
{
    static const float strange[] = {0, -1, 1e30F, -1e30F, __builtin_inff(), -__builtin_inff(), __builtin_nanf("")};
    features f;
    dice d = {7};
    rig *r = rig_new(&b->lv2.mono, b->names, 48000, features_make(&f, GIVES_ALL, b->names));
    if (r == NULL) {
        return no("not made");
    }
    rig_activate(r);
    bool well = true;
    for (unsigned i = 0; i < 300 && well; i++) {
        for (uint32_t k = 0; k < r->of->n; k++) {
            const port *p = &r->of->ports[k];
            if (p->kind == PORT_CONTROL && p->input && strcmp(p->symbol, "blocking") != 0 && dice_below(&d, 4) == 0) {
                float within = p->least + (p->most - p->least) * (float)dice_below(&d, 1000) / 999;
                r->controls[k] = dice_below(&d, 2) ? within : strange[dice_below(&d, sizeof strange / sizeof *strange)];
            }
        }
        well = passes(r, dice_below(&d, 2048), SOUND_NOISE, &d, false) && rig_outputs_within(r);
    }
    rig_free(r);
    return well;
}

static bool
strange_rates(bench *b)
{
    static const double rates[] = {8000, 22050, 44100, 88200, 96000, 192000, 384000, 1000, 0, -1, 1e9};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        features f;
        dice d = {8};
        rig *r = rig_new(&b->lv2.mono, b->names, rates[i], features_make(&f, GIVES_ALL, b->names));
        bool well = r == NULL ? rates[i] < 8000 || rates[i] > 384000 : hears_blocks(r, &d, false);
        rig_free(r);
        if (!well) {
            return no("at %g Hz", rates[i]);
        }
    }
    return true;
}

/* At a host's pace: ten milliseconds of sound every five. */
static bool
answers_in_time(bench *b)
{
    features f;
    dice d = {10};
    rig *r = rig_new(&b->lv2.stereo, b->names, 48000, features_make(&f, GIVES_ALL, b->names));
    if (r == NULL) {
        return no("not made");
    }
    rig_activate(r);
    for (unsigned i = 0; i < 600; i++) {
        play(r, 480, SOUND_NOISE, &d);
        wait_ms(5);
    }
    bool well = rig_get(r, "time") > 3 && rig_get(r, "class") >= 0 && rig_get(r, "gaps") == 0;
    well =
        well || no("after 6 s: an answer for %g s, %g s lost", (double)rig_get(r, "time"), (double)rig_get(r, "gaps"));
    rig_free(r);
    return well;
}

/* -------------------------------------------------------------------------------------------------- several at once */

typedef struct {
    bench *b;
    const subject *of;
    unsigned seed;
    bool well;
} player;

static void *
play_a_while(void *data)
{
    player *p = data;
    dice d = {p->seed};
    p->well = true;
    for (unsigned again = 0; again < 3 && p->well; again++) {
        features f;
        rig *r = rig_new(p->of, p->b->names, 48000, features_make(&f, GIVES_ALL, p->b->names));
        p->well = r != NULL && hears_blocks(r, &d, false);
        rig_free(r);
    }
    return NULL;
}

static bool
several_at_once(bench *b)
{
    enum { N = 4 };
    pthread_t threads[N];
    player players[N];
    unsigned n = 0;
    for (; n < N; n++) {
        players[n] = (player){b, n % 2 ? &b->lv2.stereo : &b->lv2.mono, n, false};
        if (pthread_create(&threads[n], NULL, play_a_while, &players[n]) != 0) {
            break;
        }
    }
    bool well = n == N;
    for (unsigned i = 0; i < n; i++) {
        (void)pthread_join(threads[i], NULL);
        well = well && players[i].well;
    }
    return well;
}

const row audio_rows[] = {
    {"audio passes bit for bit whatever features a host gives, in place or not", whatever_features},
    {"any port may be connected to nothing, and all of them", ports_of_nothing},
    {"nothing is written beyond what an atom output has room for", tiny_buffers},
    {"what lies behind the end of a sequence or a message is not read", lying_inputs},
    {"free-wheeling, blocking, reset and analysis can be switched while audio runs, and after it has been stopped",
     toggled},
    {"controls at random and beyond their ranges leave outputs within theirs", wild_controls},
    {"any sample rate of the engine works, and no other one does harm", strange_rates},
    {"answers come while sound goes on, and nothing of it is lost", answers_in_time},
    {"several instances in several threads do not disturb each other", several_at_once},
    {NULL, NULL}};
