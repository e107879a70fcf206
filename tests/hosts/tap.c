/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tap.c -- stands in the plugin's place in a copy of the bundle and writes down what a host gives and gets.
 *
 * In the copy vipann.so is this and real.so the plugin: hosts see the same URIs, ports and files. The environment
 * variable TAP is the start of names: for each stretch of sound between two activations, changes of free-wheeling or
 * starts of the transport in it, TAP-N.log says what was heard and TAP-N.au is the sound. This is no plugin for real
 * use: its run writes files. */
#define _GNU_SOURCE /* dladdr */
#include <dlfcn.h>
#include <limits.h>
#include <lv2/atom/util.h>
#include <lv2/core/lv2.h>
#include <lv2/patch/patch.h>
#include <lv2/state/state.h>
#include <lv2/time/time.h>
#include <lv2/urid/urid.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <plugin/lv2/ports.h>

typedef struct {
    LV2_URID object, blank, patch_set, property, value, model, error, event, position, speed;
    LV2_URID id, which, ended, start, end, probability, epistemic;
} names;

typedef struct {
    LV2_Descriptor as_host_sees_it;
    const LV2_Descriptor *real;
} tapped;

typedef struct {
    const LV2_Descriptor *real;
    LV2_Handle handle;
    LV2_URID_Map *map; /* NULL: messages are not read */
    names names;
    double rate;
    uint32_t channels;
    void *ports[VIP_MAX_PORTS];
    FILE *log, *sound; /* NULL: no stretch has begun */
    bool freewheel, rolling;
    float time; /* of the last answer */
    uint64_t blocks, frames;
    uint32_t least, most; /* frames of a block */
    bool in_place;
} tap;

/* ----------------------------------------------------------------------------------------------------- what is written */

static void
end_stretch(tap *t)
{
    if (t->log != NULL) {
        (void)fprintf(t->log, "end blocks %llu of %u to %u frames, %llu in all%s\n", (unsigned long long)t->blocks,
                      t->least, t->most, (unsigned long long)t->frames, t->in_place ? ", in place" : "");
        (void)fclose(t->log);
    }
    if (t->sound != NULL) {
        (void)fclose(t->sound);
    }
    t->log = t->sound = NULL;
}

static FILE *
open_next(const char *prefix, unsigned n, const char *ending)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s-%u.%s", prefix, n, ending);
    return fopen(path, "wb");
}

static void
begin_stretch(tap *t)
{
    static atomic_uint count; /* of this process */
    const char *prefix = getenv("TAP");
    end_stretch(t);
    t->blocks = t->frames = 0;
    t->least = UINT32_MAX;
    t->most = 0;
    t->time = 0;
    t->in_place = false;
    if (prefix == NULL) {
        return;
    }
    unsigned n = atomic_fetch_add(&count, 1u);
    t->log = open_next(prefix, n, "log");
    t->sound = open_next(prefix, n, "au");
    /* Sun's format with its bytes in this order: 32-bit floats up to wherever the file ends */
    const uint32_t header[6] = {0x2e736e64, 24, UINT32_MAX, 6, (uint32_t)t->rate, t->channels};
    if (t->sound != NULL) {
        (void)fwrite(header, sizeof header, 1, t->sound);
    }
    if (t->log != NULL) {
        (void)setvbuf(t->log, NULL, _IOLBF, 0); /* to be read meanwhile */
        (void)fprintf(t->log, "begin %s freewheel %d\n", t->real->URI, t->freewheel);
    }
}

static void
write_sound(tap *t, uint32_t frames)
{
    for (uint32_t i = 0; i < frames && t->sound != NULL; i++) {
        for (uint32_t c = 0; c < t->channels; c++) {
            const float *in = t->ports[c];
            float x = in != NULL ? in[i] : 0;
            (void)fwrite(&x, sizeof x, 1, t->sound);
        }
    }
    for (uint32_t c = 0; c < t->channels; c++) {
        t->in_place = t->in_place || t->ports[c] == t->ports[t->channels + c];
    }
    t->blocks++;
    t->frames += frames;
    t->least = frames < t->least ? frames : t->least;
    t->most = frames > t->most ? frames : t->most;
}

static double
control(const tap *t, vip_port port)
{
    const float *value = t->ports[vip_port_index(t->channels, port)];
    return value != NULL ? (double)*value : 0;
}

static void
write_answer(tap *t)
{
    static const vip_port said[] = {VIP_PORT_TIME,      VIP_PORT_PROBABILITY, VIP_PORT_CLASS, VIP_PORT_TOTAL,
                                    VIP_PORT_ALEATORIC, VIP_PORT_EPISTEMIC,   VIP_PORT_LEVEL, VIP_PORT_PASSES_USED};
    float time = (float)control(t, VIP_PORT_TIME);
    if (t->log == NULL || time == t->time) {
        return;
    }
    t->time = time;
    (void)fprintf(t->log, "result");
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        (void)fprintf(t->log, " %.9g", control(t, said[i]));
    }
    (void)fprintf(t->log, " lost %.9g\n", control(t, VIP_PORT_GAPS));
}

static double
number(const LV2_Atom *atom, double otherwise)
{
    return atom == NULL                   ? otherwise
           : atom->size == sizeof(double) ? ((const LV2_Atom_Double *)atom)->body
                                          : (double)((const LV2_Atom_Float *)atom)->body;
}

static int
whole(const LV2_Atom *atom)
{
    return atom != NULL ? ((const LV2_Atom_Int *)atom)->body : -1;
}

static void
write_event(tap *t, const LV2_Atom_Object *object)
{
    const names *u = &t->names;
    const LV2_Atom *which = NULL, *ended = NULL, *start = NULL, *end = NULL, *p = NULL, *doubt = NULL;
    (void)lv2_atom_object_get(object, u->which, &which, u->ended, &ended, u->start, &start, u->end, &end,
                              u->probability, &p, u->epistemic, &doubt, 0);
    (void)fprintf(t->log, "event class %d %s %.12g %.12g %.9g %.9g\n", whole(which),
                  whole(ended) > 0 ? "ended" : "begun", number(start, -1), number(end, -1), number(p, -1),
                  number(doubt, -1));
}

static void
write_property(tap *t, const LV2_Atom_Object *object)
{
    const LV2_Atom *property = NULL, *value = NULL;
    (void)lv2_atom_object_get(object, t->names.property, &property, t->names.value, &value, 0);
    if (property != NULL && value != NULL) {
        LV2_URID key = ((const LV2_Atom_URID *)property)->body;
        const char *name = key == t->names.model ? "model" : key == t->names.error ? "error" : "other";
        (void)fprintf(t->log, "%s %s\n", name, (const char *)LV2_ATOM_BODY_CONST(value));
    }
}

static void
write_messages(tap *t)
{
    const LV2_Atom_Sequence *from = t->ports[vip_port_index(t->channels, VIP_PORT_NOTIFY)];
    if (t->map == NULL || from == NULL || t->log == NULL || from->atom.size < sizeof from->body) {
        return;
    }
    LV2_ATOM_SEQUENCE_FOREACH(from, event)
    {
        const LV2_Atom_Object *object = (const LV2_Atom_Object *)&event->body;
        if (event->body.type != t->names.object) {
            continue;
        }
        if (object->body.otype == t->names.event) {
            write_event(t, object);
        } else if (object->body.otype == t->names.patch_set) {
            write_property(t, object);
        }
    }
}

/* ------------------------------------------------------------------------------------------------ as hosts call it */

static void
map_names(tap *t)
{
    names *u = &t->names;
    const struct {
        LV2_URID *where;
        const char *uri;
    } table[] = {
        {&u->object, LV2_ATOM__Object},      {&u->blank, LV2_ATOM__Blank},    {&u->position, LV2_TIME__Position},
        {&u->speed, LV2_TIME__speed},        {&u->patch_set, LV2_PATCH__Set}, {&u->property, LV2_PATCH__property},
        {&u->value, LV2_PATCH__value},       {&u->model, VIP_URI "model"},    {&u->error, VIP_URI "error"},
        {&u->event, VIP_URI "Event"},        {&u->which, VIP_URI "classes"},  {&u->ended, VIP_URI "ended"},
        {&u->start, VIP_URI "start"},        {&u->end, VIP_URI "end"},        {&u->probability, VIP_URI "probability"},
        {&u->epistemic, VIP_URI "epistemic"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        *table[i].where = t->map->map(t->map->handle, table[i].uri);
    }
}

static LV2_Handle
instantiate(const LV2_Descriptor *d, double rate, const char *folder, const LV2_Feature *const *features)
{
    tap *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return NULL;
    }
    t->real = ((const tapped *)(const void *)d)->real;
    t->rate = rate;
    t->handle = t->real->instantiate(t->real, rate, folder, features);
    if (t->handle == NULL) {
        free(t);
        return NULL;
    }
    for (size_t i = 0; i < VIP_N_LV2_PLUGINS; i++) {
        if (strcmp(VIP_LV2_PLUGINS[i].uri, t->real->URI) == 0) {
            t->channels = VIP_LV2_PLUGINS[i].channels;
        }
    }
    for (; features != NULL && *features != NULL; features++) {
        if ((*features)->URI != NULL && strcmp((*features)->URI, LV2_URID__map) == 0) {
            t->map = (*features)->data;
        }
    }
    if (t->map != NULL) {
        map_names(t);
    }
    return t;
}

static void
connect_port(LV2_Handle handle, uint32_t i, void *data)
{
    tap *t = handle;
    if (i < VIP_MAX_PORTS) {
        t->ports[i] = data;
    }
    t->real->connect_port(t->handle, i, data);
}

static void
activate(LV2_Handle handle)
{
    tap *t = handle;
    t->real->activate(t->handle);
    begin_stretch(t);
}

/* Whether the host says that the transport rolls; as before if it says nothing. */
static bool
rolls(const tap *t)
{
    const LV2_Atom_Sequence *to = t->ports[vip_port_index(t->channels, VIP_PORT_CONTROL)];
    bool rolling = t->rolling;
    if (t->map == NULL || to == NULL || to->atom.size < sizeof to->body) {
        return rolling;
    }
    LV2_ATOM_SEQUENCE_FOREACH(to, event)
    {
        const LV2_Atom_Object *object = (const LV2_Atom_Object *)&event->body;
        const LV2_Atom *speed = NULL;
        bool is_object = event->body.type == t->names.object || event->body.type == t->names.blank;
        if (is_object && object->body.otype == t->names.position) {
            (void)lv2_atom_object_get(object, t->names.speed, &speed, 0);
            rolling = speed != NULL ? number(speed, 0) != 0 : rolling;
        }
    }
    return rolling;
}

static void
run(LV2_Handle handle, uint32_t frames)
{
    tap *t = handle;
    bool freewheel = control(t, VIP_PORT_FREEWHEEL) > 0, rolling = rolls(t);
    bool begins = freewheel != t->freewheel || (freewheel && rolling && !t->rolling);
    t->freewheel = freewheel;
    t->rolling = rolling;
    if (begins) {
        begin_stretch(t);
    }
    write_sound(t, frames); /* before: it may be written over */
    t->real->run(t->handle, frames);
    write_answer(t);
    write_messages(t);
}

static void
deactivate(LV2_Handle handle)
{
    tap *t = handle;
    end_stretch(t);
    t->real->deactivate(t->handle);
}

static void
cleanup(LV2_Handle handle)
{
    tap *t = handle;
    end_stretch(t);
    t->real->cleanup(t->handle);
    free(t);
}

/* ------------------------------------------------------------------------------------------------------------ state */

static const LV2_State_Interface *
real_state(const tap *t)
{
    return t->real->extension_data(LV2_STATE__interface);
}

static LV2_State_Status
save(LV2_Handle handle, LV2_State_Store_Function store, LV2_State_Handle to, uint32_t flags,
     const LV2_Feature *const *features)
{
    tap *t = handle;
    return real_state(t)->save(t->handle, store, to, flags, features);
}

static LV2_State_Status
restore(LV2_Handle handle, LV2_State_Retrieve_Function retrieve, LV2_State_Handle from, uint32_t flags,
        const LV2_Feature *const *features)
{
    tap *t = handle;
    return real_state(t)->restore(t->handle, retrieve, from, flags, features);
}

static const void *
extension_data(const char *uri)
{
    static const LV2_State_Interface state = {save, restore};
    return strcmp(uri, LV2_STATE__interface) == 0 ? &state : NULL;
}

/* --------------------------------------------------------------------------------------------------------- the door */

/* The plugin's library lies beside this one. */
static LV2_Descriptor_Function
find_real(void)
{
    Dl_info here;
    char path[PATH_MAX];
    LV2_Descriptor_Function get = NULL;
    static const char self; /* something that is in here */
    if (dladdr(&self, &here) == 0) {
        return NULL;
    }
    const char *slash = strrchr(here.dli_fname, '/');
    int folder = slash != NULL ? (int)(slash - here.dli_fname) : 0;
    (void)snprintf(path, sizeof path, "%.*s/real.so", folder, here.dli_fname);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol = library != NULL ? dlsym(library, "lv2_descriptor") : NULL;
    memcpy(&get, &symbol, sizeof get); /* ISO C knows no way from data to functions */
    return get;
}

LV2_SYMBOL_EXPORT const LV2_Descriptor *
lv2_descriptor(uint32_t index)
{
    static tapped all[VIP_N_LV2_PLUGINS];
    LV2_Descriptor_Function get = find_real();
    const LV2_Descriptor *real = get != NULL && index < VIP_N_LV2_PLUGINS ? get(index) : NULL;
    if (real == NULL) {
        return NULL;
    }
    all[index] =
        (tapped){{real->URI, instantiate, connect_port, activate, run, deactivate, cleanup, extension_data}, real};
    return &all[index].as_host_sees_it;
}
