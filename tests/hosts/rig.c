/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rig.c -- instances, their ports and what is sent to them. */
#include "rig.h"

#include <lv2/atom/forge.h>
#include <lv2/atom/util.h>
#include <lv2/patch/patch.h>
#include <lv2/time/time.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t
port_of(const subject *s, const char *symbol)
{
    for (uint32_t i = 0; i < s->n; i++) {
        if (strcmp(s->ports[i].symbol, symbol) == 0) {
            return i;
        }
    }
    (void)printf("Bail out! %s has no port \"%s\"\n", s->uri, symbol);
    exit(1);
}

static void *
place_of(rig *r, uint32_t i, uint32_t channel)
{
    const port *p = &r->of->ports[i];
    switch (p->kind) {
    case PORT_AUDIO:
        return p->input ? r->in[channel] : r->out[channel];
    case PORT_ATOM:
        return p->input ? r->to : r->from;
    default:
        return &r->controls[i];
    }
}

static void
empty(sequence *s)
{
    s->head = (LV2_Atom_Sequence){.atom = {.size = sizeof s->head.body}};
}

/* Connects everything, as every host does that is not one of the tests' careless ones. */
static void
connect_all(rig *r)
{
    uint32_t channels[2] = {0, 0}; /* seen so far, out and in */
    for (uint32_t i = 0; i < r->of->n; i++) {
        const port *p = &r->of->ports[i];
        uint32_t channel = p->kind == PORT_AUDIO ? channels[p->input]++ : 0;
        r->controls[i] = p->usual;
        r->of->descriptor->connect_port(r->handle, i, place_of(r, i, channel));
    }
}

rig *
rig_new(const subject *s, uris *names, double rate, const LV2_Feature *const *features)
{
    rig *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return NULL;
    }
    r->of = s;
    r->names = names;
    r->capacity = SEQUENCE_BYTES;
    r->to = calloc(1, sizeof *r->to);
    r->from = calloc(1, sizeof *r->from);
    bool whole = r->to != NULL && r->from != NULL;
    for (uint32_t c = 0; c < MOST_CHANNELS; c++) {
        r->in[c] = calloc(MOST_FRAMES, sizeof *r->in[c]);
        r->out[c] = calloc(MOST_FRAMES, sizeof *r->out[c]);
        whole = whole && r->in[c] != NULL && r->out[c] != NULL;
    }
    r->handle = whole ? s->descriptor->instantiate(s->descriptor, rate, s->folder, features) : NULL;
    if (r->handle == NULL) {
        rig_free(r);
        return NULL;
    }
    empty(r->to);
    connect_all(r);
    return r;
}

void
rig_free(rig *r)
{
    if (r == NULL) {
        return;
    }
    if (r->handle != NULL) {
        r->of->descriptor->cleanup(r->handle);
    }
    for (uint32_t c = 0; c < MOST_CHANNELS; c++) {
        free(r->in[c]);
        free(r->out[c]);
    }
    free(r->to);
    free(r->from);
    free(r);
}

void
rig_activate(rig *r)
{
    if (r->of->descriptor->activate != NULL) {
        r->of->descriptor->activate(r->handle);
    }
}

void
rig_deactivate(rig *r)
{
    if (r->of->descriptor->deactivate != NULL) {
        r->of->descriptor->deactivate(r->handle);
    }
}

void
rig_run(rig *r, uint32_t frames)
{
    LV2_Atom_Sequence *from = &r->from->head;
    from->atom = (LV2_Atom){.size = r->capacity, .type = uris_number(r->names, LV2_ATOM__Chunk)};
    r->to->head.atom.type = uris_number(r->names, LV2_ATOM__Sequence);
    uint8_t *behind = (uint8_t *)from + sizeof from->atom + r->capacity; /* what a careless plugin would write over */
    bool fits = sizeof from->atom + r->capacity + 8 <= sizeof *r->from;
    if (fits) {
        memset(behind, 0xa5, 8);
    }
    r->of->descriptor->run(r->handle, frames);
    if (fits) {
        for (size_t i = 0; i < 8; i++) {
            r->refused = r->refused || behind[i] != 0xa5;
        }
    }
    r->refused = r->refused || from->atom.size > r->capacity;
    empty(r->to);
}

void
rig_connect(rig *r, const char *symbol, void *to)
{
    r->of->descriptor->connect_port(r->handle, port_of(r->of, symbol), to);
}

void
rig_set(rig *r, const char *symbol, float value)
{
    r->controls[port_of(r->of, symbol)] = value;
}

float
rig_get(const rig *r, const char *symbol)
{
    return r->controls[port_of(r->of, symbol)];
}

bool
rig_outputs_within(const rig *r)
{
    for (uint32_t i = 0; i < r->of->n; i++) {
        const port *p = &r->of->ports[i];
        float x = r->controls[i];
        if (p->kind == PORT_CONTROL && !p->input && !(x >= p->least && x <= p->most)) {
            (void)printf("# %s: %s is %g, not within %g .. %g\n", r->of->uri, p->symbol, (double)x, (double)p->least,
                         (double)p->most);
            return false;
        }
    }
    return true;
}

/* --------------------------------------------------------------------------------------------------------- messages */

/* Appends an event at frame 0 and hands out a forge to write its body with; `end` counts what was written. */
static LV2_Atom_Event *
begin(rig *r, LV2_Atom_Forge *forge)
{
    LV2_URID_Map map = uris_map(r->names);
    lv2_atom_forge_init(forge, &map);
    size_t used = lv2_atom_pad_size((uint32_t)sizeof(LV2_Atom) + r->to->head.atom.size);
    uint8_t *at = (uint8_t *)r->to + used;
    LV2_Atom_Event *event = (LV2_Atom_Event *)(void *)at;
    event->time.frames = 0;
    at += sizeof event->time;
    lv2_atom_forge_set_buffer(forge, at, sizeof *r->to - used - sizeof event->time);
    return event;
}

static void
end(rig *r, const LV2_Atom_Event *event)
{
    size_t used = (size_t)((const uint8_t *)event - (const uint8_t *)r->to) - sizeof(LV2_Atom);
    r->to->head.atom.size = (uint32_t)(used + sizeof *event + lv2_atom_pad_size(event->body.size));
}

void
rig_send_set(rig *r, const char *key, const char *type, const void *value, uint32_t size)
{
    LV2_Atom_Forge forge;
    LV2_Atom_Forge_Frame frame;
    LV2_Atom_Event *event = begin(r, &forge);
    lv2_atom_forge_object(&forge, &frame, 0, uris_number(r->names, LV2_PATCH__Set));
    lv2_atom_forge_key(&forge, uris_number(r->names, LV2_PATCH__property));
    lv2_atom_forge_urid(&forge, uris_number(r->names, key));
    lv2_atom_forge_key(&forge, uris_number(r->names, LV2_PATCH__value));
    lv2_atom_forge_atom(&forge, size, uris_number(r->names, type));
    lv2_atom_forge_write(&forge, value, size);
    lv2_atom_forge_pop(&forge, &frame);
    end(r, event);
}

void
rig_send_path(rig *r, const char *path)
{
    rig_send_set(r, r->of->model_key, LV2_ATOM__Path, path, (uint32_t)strlen(path) + 1);
}

void
rig_send_get(rig *r, const char *key)
{
    LV2_Atom_Forge forge;
    LV2_Atom_Forge_Frame frame;
    LV2_Atom_Event *event = begin(r, &forge);
    lv2_atom_forge_object(&forge, &frame, 0, uris_number(r->names, LV2_PATCH__Get));
    if (key != NULL) {
        lv2_atom_forge_key(&forge, uris_number(r->names, LV2_PATCH__property));
        lv2_atom_forge_urid(&forge, uris_number(r->names, key));
    }
    lv2_atom_forge_pop(&forge, &frame);
    end(r, event);
}

void
rig_send_speed(rig *r, float speed)
{
    LV2_Atom_Forge forge;
    LV2_Atom_Forge_Frame frame;
    LV2_Atom_Event *event = begin(r, &forge);
    lv2_atom_forge_object(&forge, &frame, 0, uris_number(r->names, LV2_TIME__Position));
    lv2_atom_forge_key(&forge, uris_number(r->names, LV2_TIME__speed));
    lv2_atom_forge_float(&forge, speed);
    lv2_atom_forge_pop(&forge, &frame);
    end(r, event);
}

bool
rig_heard(const rig *r, const char *text)
{
    const LV2_Atom_Sequence *from = &r->from->head;
    size_t n = strlen(text);
    if (from->atom.type != uris_number(r->names, LV2_ATOM__Sequence) || from->atom.size > r->capacity) {
        return false;
    }
    const uint8_t *bytes = (const uint8_t *)from + sizeof from->atom;
    for (size_t i = 0; i + n <= from->atom.size; i++) {
        if (memcmp(bytes + i, text, n) == 0) {
            return true;
        }
    }
    return false;
}
