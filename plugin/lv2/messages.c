/* SPDX-License-Identifier: GPL-3.0-or-later */
/* messages.c -- see messages.h for the contract. */
#include "messages.h"

#include <string.h>

#include <lv2/atom/util.h>
#include <lv2/midi/midi.h>
#include <lv2/patch/patch.h>
#include <lv2/time/time.h>

#include <common/support.h>

enum { SHOWN_CLASSES = 8 }; /* most probable ones in a message of a result */

void
vip_messages_map(vip_instance *p)
{
    vip_lv2_uris *u = &p->uris;
    const struct {
        LV2_URID *where;
        const char *uri;
    } table[] = {
        {&u->atom_sequence, LV2_ATOM__Sequence},
        {&u->atom_object, LV2_ATOM__Object},
        {&u->atom_blank, LV2_ATOM__Blank},
        {&u->atom_path, LV2_ATOM__Path},
        {&u->atom_string, LV2_ATOM__String},
        {&u->atom_urid, LV2_ATOM__URID},
        {&u->atom_float, LV2_ATOM__Float},
        {&u->atom_int, LV2_ATOM__Int},
        {&u->atom_long, LV2_ATOM__Long},
        {&u->atom_double, LV2_ATOM__Double},
        {&u->atom_vector, LV2_ATOM__Vector},
        {&u->midi_event, LV2_MIDI__MidiEvent},
        {&u->patch_set, LV2_PATCH__Set},
        {&u->patch_get, LV2_PATCH__Get},
        {&u->patch_property, LV2_PATCH__property},
        {&u->patch_value, LV2_PATCH__value},
        {&u->time_position, LV2_TIME__Position},
        {&u->time_speed, LV2_TIME__speed},
        {&u->model, VIP_URI "model"},
        {&u->bundled, VIP_URI "bundled"},
        {&u->error, VIP_URI "error"},
        {&u->result, VIP_URI "Result"},
        {&u->event, VIP_URI "Event"},
        {&u->time, VIP_URI "time"},
        {&u->level, VIP_URI "level"},
        {&u->passes, VIP_URI "passes"},
        {&u->calibrated, VIP_URI "calibrated"},
        {&u->unknown, VIP_URI "unknown"},
        {&u->total, VIP_URI "total"},
        {&u->aleatoric, VIP_URI "aleatoric"},
        {&u->epistemic, VIP_URI "epistemic"},
        {&u->classes, VIP_URI "classes"},
        {&u->probabilities, VIP_URI "probabilities"},
        {&u->deviations, VIP_URI "deviations"},
        {&u->doubts, VIP_URI "doubts"},
        {&u->id, VIP_URI "id"},
        {&u->ended, VIP_URI "ended"},
        {&u->start, VIP_URI "start"},
        {&u->end, VIP_URI "end"},
        {&u->probability, VIP_URI "probability"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        *table[i].where = p->map->map(p->map->handle, table[i].uri);
    }
}

/* --------------------------------------------------------------------------------------------------------- writing */

VIP_HOT void
vip_messages_begin(vip_instance *p)
{
    LV2_Atom_Sequence *sequence = p->ports[vip_port_index(p->channels, VIP_PORT_NOTIFY)];
    p->outbox = (vip_outbox){NULL, 0};
    /* Without the map there are no types to write; and what is connected may be four bytes that say so. */
    if (p->map == NULL || sequence == NULL || sequence->atom.size < sizeof *sequence) {
        return;
    }
    p->outbox = (vip_outbox){sequence, sequence->atom.size};
    sequence->atom.type = p->uris.atom_sequence;
    sequence->atom.size = sizeof sequence->body;
    sequence->body.unit = 0; /* frames */
    sequence->body.pad = 0;
}

bool
vip_messages_add(vip_instance *p, uint32_t frame, LV2_URID type, const void *body, uint32_t size)
{
    LV2_Atom_Sequence *sequence = p->outbox.sequence;
    if (sequence == NULL) {
        return false;
    }
    uint32_t used = (uint32_t)sizeof(LV2_Atom) + sequence->atom.size; /* both bounded by the capacity */
    uint32_t needed = (uint32_t)sizeof(LV2_Atom_Event) + lv2_atom_pad_size(size);
    if (needed > p->outbox.capacity - used) {
        return false;
    }
    LV2_Atom_Event *event = (LV2_Atom_Event *)(void *)((uint8_t *)sequence + used);
    event->time.frames = frame;
    event->body.type = type;
    event->body.size = size;
    memcpy(event + 1, body, size);
    sequence->atom.size += needed;
    return true;
}

/* A message is put together beside the port, so that it is there wholly or not at all. `at` bytes of it are written; what
 * does not fit spoils it. */
typedef struct {
    vip_instance *p;
    uint32_t at;
} message;

/* Appends as many bytes, and zeros to where the next part begins. */
static void
append(message *m, const void *bytes, uint32_t size)
{
    const uint32_t padded = lv2_atom_pad_size(size);
    uint8_t *to = (uint8_t *)m->p->message + m->at;
    if (size > VIP_MESSAGE_BYTES || padded > VIP_MESSAGE_BYTES - m->at) {
        m->at = VIP_MESSAGE_BYTES; /* nothing fits any more: every part has some bytes */
        return;
    }
    memcpy(to, bytes, size);
    memset(to + size, 0, padded - size);
    m->at += padded;
}

static message
begin(vip_instance *p, LV2_URID type)
{
    message m = {p, 0};
    const LV2_Atom_Object_Body head = {.id = 0, .otype = type};
    append(&m, &head, sizeof head);
    return m;
}

static bool
send_message(const message *m, uint32_t frame)
{
    return m->at < VIP_MESSAGE_BYTES && vip_messages_add(m->p, frame, m->p->uris.atom_object, m->p->message, m->at);
}

static void
put(message *m, LV2_URID key, LV2_URID type, const void *value, uint32_t size)
{
    const LV2_Atom_Property_Body head = {.key = key, .context = 0, .value = {.size = size, .type = type}};
    append(m, &head, sizeof head);
    append(m, value, size);
}

static void
put_float(message *m, LV2_URID key, double value)
{
    const float f = (float)value;
    put(m, key, m->p->uris.atom_float, &f, sizeof f);
}

static void
put_double(message *m, LV2_URID key, double value)
{
    put(m, key, m->p->uris.atom_double, &value, sizeof value);
}

static void
put_int(message *m, LV2_URID key, int32_t value)
{
    put(m, key, m->p->uris.atom_int, &value, sizeof value);
}

/* -1 where it cannot be said. */
static int32_t
answer(vipann_answer a)
{
    return a == VIPANN_CANNOT_SAY ? -1 : a == VIPANN_YES;
}

static bool
send_property(vip_instance *p, LV2_URID property, LV2_URID type, const char *text)
{
    message m = begin(p, p->uris.patch_set);
    put(&m, p->uris.patch_property, p->uris.atom_urid, &property, sizeof property);
    put(&m, p->uris.patch_value, type, text, (uint32_t)strlen(text) + 1);
    return send_message(&m, 0);
}

VIP_COLD void
vip_messages_tell(vip_instance *p)
{
    if (p->tell_model) {
        p->tell_model = !send_property(p, p->uris.model, p->uris.atom_path, p->report != NULL ? p->report->path : "");
    }
    if (p->tell_error) {
        p->tell_error = !send_property(p, p->uris.error, p->uris.atom_string, p->refusal);
    }
}

/* The most probable classes, best first; of equal ones the first. */
static uint32_t
best_classes(const vipann_result *r, int32_t best[SHOWN_CLASSES])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->classes; i++) {
        if (n == SHOWN_CLASSES && !(r->p[i] > r->p[best[n - 1]])) {
            continue;
        }
        uint32_t at = n < SHOWN_CLASSES ? n++ : n - 1;
        while (at > 0 && r->p[i] > r->p[best[at - 1]]) {
            best[at] = best[at - 1];
            at--;
        }
        best[at] = (int32_t)i;
    }
    return n;
}

/* Numbers of four bytes each. */
static void
put_vector(message *m, LV2_URID key, LV2_URID type, const void *values, uint32_t n)
{
    struct {
        LV2_Atom_Vector_Body head;
        uint32_t values[SHOWN_CLASSES];
    } vector = {.head = {.child_size = sizeof *vector.values, .child_type = type}};
    memcpy(vector.values, values, n * sizeof *vector.values);
    put(m, key, m->p->uris.atom_vector, &vector, (uint32_t)(sizeof vector.head + n * sizeof *vector.values));
}

static void
put_picked(message *m, LV2_URID key, const float *values, const int32_t *which, uint32_t n)
{
    float picked[SHOWN_CLASSES];
    for (uint32_t i = 0; i < n; i++) {
        picked[i] = values[which[i]];
    }
    put_vector(m, key, m->p->uris.atom_float, picked, n);
}

void
vip_messages_result(vip_instance *p, uint32_t frame, const vipann_result *r)
{
    if (p->outbox.sequence == NULL) {
        return;
    }
    const vip_lv2_uris *u = &p->uris;
    message m = begin(p, u->result);
    put_double(&m, u->time, r->t_seconds);
    put_float(&m, u->level, r->level_dbfs);
    put_int(&m, u->passes, (int32_t)r->passes);
    put_int(&m, u->calibrated, r->calibrated);
    put_int(&m, u->unknown, answer(r->unknown));
    put_float(&m, u->total, r->total_nats);
    put_float(&m, u->aleatoric, r->aleatoric_nats);
    if (r->has_epistemic) {
        put_float(&m, u->epistemic, r->epistemic_nats);
    }
    int32_t best[SHOWN_CLASSES];
    uint32_t n = best_classes(r, best);
    put_vector(&m, u->classes, u->atom_int, best, n);
    put_picked(&m, u->probabilities, r->p, best, n);
    if (r->has_epistemic) {
        put_picked(&m, u->deviations, r->std, best, n);
        put_picked(&m, u->doubts, r->epistemic, best, n);
    }
    (void)send_message(&m, frame); /* there is a newer one soon */
}

void
vip_messages_event(vip_instance *p, uint32_t frame, const vipann_event *e)
{
    if (p->outbox.sequence == NULL) {
        return;
    }
    const vip_lv2_uris *u = &p->uris;
    const int64_t id = (int64_t)e->id;
    message m = begin(p, u->event);
    put(&m, u->id, u->atom_long, &id, sizeof id);
    put_int(&m, u->classes, (int32_t)e->class_index);
    put_int(&m, u->ended, e->ended);
    put_double(&m, u->start, e->start_seconds);
    put_double(&m, u->end, e->end_seconds);
    put_float(&m, u->probability, e->p_max);
    put_int(&m, u->unknown, answer(e->unknown));
    if (e->has_epistemic) {
        put_float(&m, u->epistemic, e->epistemic_nats);
    }
    (void)send_message(&m, frame);
}

/* --------------------------------------------------------------------------------------------------------- reading */

/* The property's value in an object of `size` bytes, NULL if it is not there wholly. */
static const LV2_Atom *
find_property(const uint8_t *object, uint32_t size, LV2_URID key)
{
    const uint32_t head = (uint32_t)offsetof(LV2_Atom_Property_Body, value) + (uint32_t)sizeof(LV2_Atom);
    for (uint32_t at = sizeof(LV2_Atom_Object_Body); at <= size && size - at >= head;) {
        const LV2_Atom_Property_Body *property = (const LV2_Atom_Property_Body *)(const void *)(object + at);
        uint32_t left = size - at - head;
        if (property->value.size > left) {
            return NULL;
        }
        if (property->key == key) {
            return &property->value;
        }
        uint32_t padded = lv2_atom_pad_size(property->value.size);
        if (padded > left) {
            return NULL;
        }
        at += head + padded;
    }
    return NULL;
}

static void
refuse(vip_instance *p, const char *text)
{
    memcpy(p->refusal, text, strlen(text) + 1);
    p->tell_error = true;
    p->refused = true;
}

static void
set_model(vip_instance *p, const LV2_Atom *value)
{
    const char *text = (const char *)(value + 1);
    if (value->type != p->uris.atom_path && value->type != p->uris.atom_string) {
        refuse(p, "the model was given as something else than a path; a path or a string was expected");
        return;
    }
    const char *end = memchr(text, '\0', value->size);
    size_t length = end != NULL ? (size_t)(end - text) : value->size;
    if (length == 0) {
        refuse(p, "the path of the model is empty; give that of a .safetensors file");
        return;
    }
    if (length >= VIP_PATH_BYTES) {
        refuse(p, "the path of the model is longer than 4095 bytes; put it where its path is shorter");
        return;
    }
    vip_letter *request = vip_mailbox_blank(&p->requests);
    memcpy(request->path, text, length);
    request->path[length] = '\0';
    vip_mailbox_send(&p->requests);
    p->loading = true;
}

/* Some messages say where the transport is and not how fast; then it is as it was. */
static void
heed_position(vip_instance *p, const LV2_Atom *speed)
{
    float value;
    if (speed != NULL && speed->type == p->uris.atom_float && speed->size == sizeof value) {
        memcpy(&value, speed + 1, sizeof value);
        p->rolling = value != 0;
    }
}

static void
obey(vip_instance *p, const uint8_t *object, uint32_t size)
{
    const vip_lv2_uris *u = &p->uris;
    LV2_URID what = ((const LV2_Atom_Object_Body *)(const void *)object)->otype;
    const LV2_Atom *property = find_property(object, size, u->patch_property);
    LV2_URID key = 0;
    if (property != NULL && property->type == u->atom_urid && property->size == sizeof key) {
        memcpy(&key, property + 1, sizeof key);
    }
    if (what == u->patch_get) {
        p->tell_model = p->tell_model || property == NULL || key == u->model;
        p->tell_error = p->tell_error || property == NULL || key == u->error;
    } else if (what == u->patch_set && key == u->model) {
        const LV2_Atom *value = find_property(object, size, u->patch_value);
        if (value != NULL) {
            set_model(p, value);
        } else {
            refuse(p, "the model was to be set, and no value was given");
        }
    } else if (what == u->time_position) {
        heed_position(p, find_property(object, size, u->time_speed));
    }
}

/* Of a sequence that has something in it. */
VIP_COLD static void
obey_all(vip_instance *p, const LV2_Atom_Sequence *sequence)
{
    p->unlooked = p->look_frames; /* it may change how we stand */
    const uint8_t *events = (const uint8_t *)(sequence + 1);
    uint32_t size = sequence->atom.size - (uint32_t)sizeof sequence->body;
    for (uint32_t at = 0; at <= size && size - at >= sizeof(LV2_Atom_Event);) {
        const LV2_Atom_Event *event = (const LV2_Atom_Event *)(const void *)(events + at);
        uint32_t left = size - at - (uint32_t)sizeof *event;
        if (event->body.size > left) {
            return;
        }
        bool is_object = event->body.type == p->uris.atom_object || event->body.type == p->uris.atom_blank;
        if (is_object && event->body.size >= sizeof(LV2_Atom_Object_Body)) {
            obey(p, (const uint8_t *)(event + 1), event->body.size);
        }
        uint32_t padded = lv2_atom_pad_size(event->body.size);
        if (padded > left) {
            return;
        }
        at += (uint32_t)sizeof *event + padded;
    }
}

VIP_HOT void
vip_messages_obey(vip_instance *p)
{
    const LV2_Atom_Sequence *sequence = p->ports[vip_port_index(p->channels, VIP_PORT_CONTROL)];
    if (sequence != NULL && sequence->atom.size > sizeof sequence->body && p->map != NULL &&
        sequence->atom.type == p->uris.atom_sequence) {
        obey_all(p, sequence);
    }
}
