/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rig.h -- a host for one LV2 bundle: as careful or as careless as a test wants it to be.
 *
 * What is known of the plugins is read from their Turtle through lilv: a port whose description and code differ shows.
 * Instances are made from the library itself, since lilv would add what a careless host leaves out. */
#ifndef TESTS_HOSTS_RIG_H
#define TESTS_HOSTS_RIG_H

#include <lilv/lilv.h>
#include <limits.h>
#include <lv2/atom/atom.h>
#include <lv2/core/lv2.h>
#include <lv2/urid/urid.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOST_PORTS = 64, MOST_FRAMES = 16384, MOST_CHANNELS = 2, SEQUENCE_BYTES = 1 << 16, MOST_URIS = 256 };

typedef enum { PORT_AUDIO, PORT_CONTROL, PORT_ATOM } port_kind;

typedef struct {
    char symbol[32];
    port_kind kind;
    bool input;
    float least, most, usual;
} port;

/* A plugin as its Turtle describes it. */
typedef struct {
    char uri[64], model_key[64]; /* of the plugin; of the property that is its model's path, "" if it has none */
    const LilvPlugin *described;
    const LV2_Descriptor *descriptor;
    const char *folder; /* of the bundle, with a final slash */
    uint32_t n, channels;
    port ports[MOST_PORTS];
} subject;

typedef struct {
    LilvWorld *world;
    char folder[PATH_MAX + 1];
    void *library;
    subject mono, stereo;
} bundle;

/* Opens the bundle in `folder`. Returns NULL on success, else why not (static). close in any case. */
const char *bundle_open(bundle *b, const char *folder);
void bundle_close(bundle *b);

/* The index of the port of that symbol; the program ends if there is none: symbols are a promise to those who save
 * sessions. */
uint32_t port_of(const subject *s, const char *symbol);

/* URIs and their numbers, for any thread. */
typedef struct uris uris;
uris *uris_new(void);
void uris_free(uris *u);
LV2_URID uris_number(uris *u, const char *uri);
const char *uris_text(uris *u, LV2_URID number); /* NULL: there is none */
LV2_URID_Map uris_map(uris *u);
LV2_URID_Unmap uris_unmap(uris *u);

typedef struct {
    LV2_Atom_Sequence head;
    uint8_t room[SEQUENCE_BYTES];
} sequence;

/* An instance and what its ports are connected to. */
typedef struct {
    const subject *of;
    uris *names;
    LV2_Handle handle;
    float controls[MOST_PORTS];
    float *in[MOST_CHANNELS], *out[MOST_CHANNELS]; /* [MOST_FRAMES] each */
    sequence *to, *from;
    uint32_t capacity; /* that `from` is said to have, in bytes behind its head */
    bool refused;      /* more than that was written */
} rig;

/* features: NULL is passed as NULL. NULL: the plugin would not be made. Every port is connected. */
rig *rig_new(const subject *s, uris *names, double rate, const LV2_Feature *const *features);
void rig_free(rig *r); /* NULL is allowed */
void rig_activate(rig *r);
void rig_deactivate(rig *r);

/* Runs one block from in[] to out[]; what `to` holds is taken as sent. */
void rig_run(rig *r, uint32_t frames);

void rig_connect(rig *r, const char *symbol, void *to);
void rig_set(rig *r, const char *symbol, float value);
float rig_get(const rig *r, const char *symbol);

/* Whether every control output that is connected lies within what its port states. */
bool rig_outputs_within(const rig *r);

/* Adds patch:Set of `key` to what the next block gets: a value of type `type` (a URI) and `size` bytes. */
void rig_send_set(rig *r, const char *key, const char *type, const void *value, uint32_t size);
void rig_send_path(rig *r, const char *path);
void rig_send_get(rig *r, const char *key); /* NULL: of everything */
void rig_send_speed(rig *r, float speed);   /* of the transport */

/* Whether the bytes of `text` are in what the last block sent. */
bool rig_heard(const rig *r, const char *text);

#endif /* TESTS_HOSTS_RIG_H */
