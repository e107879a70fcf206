/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rows_matrix.c -- hosts as they were seen to be: what they give, how long their blocks are, where they connect ports. */
#include <stdio.h>
#include <string.h>

#include "rows.h"

typedef enum { ATOMS_HAVE_ROOM, ATOMS_ARE_A_FLOAT, ATOMS_ARE_NOTHING } atoms;

typedef struct {
    const char *name;
    gives gives;
    uint32_t least, most; /* frames of a block */
    bool last_is_short;
    atoms atoms;
    uint32_t room; /* bytes on the notify port */
    bool in_place;
    bool wakes_again; /* is deactivated and activated in between */
} kind_of_host;

static const kind_of_host kinds[] = {
    {"lv2apply", GIVES_NOTHING, 1, 1, false, ATOMS_ARE_A_FLOAT, 0, false, false},
    {"lv2bench", GIVES_MAP, 512, 512, false, ATOMS_HAVE_ROOM, 1024, false, false},
    {"lv2file", GIVES_HALF, 512, 512, false, ATOMS_HAVE_ROOM, 32768, false, false},
    {"ffmpeg", GIVES_FIXED, 4096, 4096, true, ATOMS_HAVE_ROOM, 9624, true, false},
    {"gst-launch", GIVES_LOG, 1920, 2048, true, ATOMS_ARE_NOTHING, 0, true, false},
    {"jalv", GIVES_WORKER, 1024, 1024, false, ATOMS_HAVE_ROOM, 16384, false, false},
    {"Ardour", GIVES_MUCH, 1, 8192, false, ATOMS_HAVE_ROOM, 32768, true, true},
};

/* What lv2apply has for an atom port: one float, with others beside it. */
typedef struct {
    float before, port, after;
} lone_float;

static void
connect_atoms(rig *r, const kind_of_host *kind, lone_float lone[2])
{
    static const char *const symbols[] = {"control", "notify"};
    for (size_t i = 0; i < 2; i++) {
        lone[i] = (lone_float){1, 64, 1}; /* read as the size of an atom this would be much */
        if (kind->atoms != ATOMS_HAVE_ROOM) {
            rig_connect(r, symbols[i], kind->atoms == ATOMS_ARE_NOTHING ? NULL : &lone[i].port);
        }
    }
    r->capacity = kind->room > 0 ? kind->room : r->capacity;
}

/* Two seconds, as far as blocks of one frame allow. */
static bool
plays(rig *r, const kind_of_host *kind, dice *d)
{
    enum { MOST_BLOCKS = 4000, TWO_SECONDS = 96077 };
    uint32_t left = TWO_SECONDS;
    for (unsigned i = 0; i < MOST_BLOCKS && left > 0; i++) {
        uint32_t n = kind->least + dice_below(d, kind->most - kind->least + 1);
        n = n > left && kind->last_is_short ? left : n;
        if (!passes(r, n, SOUND_NOISE, d, kind->in_place) || !rig_outputs_within(r) || r->refused) {
            return no("block %u of %u frames", i, n);
        }
        left -= n < left ? n : left;
    }
    return true;
}

static bool
hosted(bench *b, const subject *s, const kind_of_host *kind)
{
    features f;
    dice d = {14};
    lone_float lone[2];
    rig *r = rig_new(s, b->names, 48000, features_make(&f, kind->gives, b->names));
    if (r == NULL) {
        return no("not made");
    }
    connect_atoms(r, kind, lone);
    if (kind->in_place) {
        put_in_place(r);
    }
    bool well = true;
    for (int again = 0; again <= kind->wakes_again && well; again++) {
        rig_activate(r);
        well = plays(r, kind, &d);
        rig_deactivate(r);
    }
    for (size_t i = 0; i < 2; i++) {
        well = well && lone[i].before == 1 && lone[i].port == 64 && lone[i].after == 1;
    }
    well = well && (rig_get(r, "status") == 2 || no("status %g", (double)rig_get(r, "status")));
    rig_free(r);
    return well;
}

static bool
every_host(bench *b)
{
    const subject *subjects[] = {&b->lv2.mono, &b->lv2.stereo};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        for (size_t s = 0; s < 2; s++) {
            if (!hosted(b, subjects[s], &kinds[i])) {
                return no("%s in the manner of %s", subjects[s]->uri, kinds[i].name);
            }
        }
    }
    return true;
}

const row matrix_rows[] = {
    {"audio passes and the model serves in the manner of each host that was looked at", every_host}, {NULL, NULL}};
