/* SPDX-License-Identifier: GPL-3.0-or-later */
/* client.h -- a client of a JACK server: its ports, what the server calls, and who is connected to it.
 *
 *   JACK's thread     calls vip_ear_hear or vip_ear_hear_all, and vip_note_queue_play
 *   others of JACK's  set flags
 *   main thread       all that is declared here */
#ifndef VIP_PLUGIN_JACK_CLIENT_H
#define VIP_PLUGIN_JACK_CLIENT_H

#include "ear.h"
#include "note_queue.h"
#include "wires.h"

typedef struct vip_client vip_client;

typedef struct {
    const char *name;      /* borrowed, as all here */
    const char *server;    /* NULL: what JACK_DEFAULT_SERVER says, else "default" */
    bool exact;            /* another client of that name is an error */
    bool transport;        /* hear only while the transport rolls */
    uint32_t inputs;       /* ports in_1, in_2 and so on: 1 .. VIP_LIVE_MOST_INPUTS */
    vip_ear *ear;          /* of as many inputs */
    vip_note_queue *notes; /* NULL: no port for MIDI, else one called events */
} vip_client_setup;

/* The longest name that a client may have, in bytes. */
size_t vip_client_longest_name(void);

/* What JACK itself would say on stderr is not said, from now on and in the whole process. */
void vip_client_hush(void);

/* Joins a server; with may_start one is started if there is none. Nobody sees ports before start. NULL: E_IO (there is no
 * server), E_BUSY (the name is taken), E_UNSUPPORTED (the server does not let us in), E_MEMORY; the text is one line that
 * says what to do. */
vip_client *vip_client_open(const vip_client_setup *setup, bool may_start, vipann_error *error);

/* Stops, and takes the ports away. NULL is allowed. */
void vip_client_close(vip_client *client);

/* Makes the ports, and cycles begin; while the ear is open they are heard. Nobody tells whether JACK is free-wheeling
 * already: that is seen by how fast its time went since open, a tenth of a second or more. Errors: E_UNSUPPORTED. */
vipann_status vip_client_start(vip_client *client, vipann_error *error);

/* Hz; of a server that lives. */
double vip_client_rate(const vip_client *client);

/* Whether the server has gone or has thrown us out. Nothing but close may follow. */
bool vip_client_lost(const vip_client *client);

/* Whether ports or connections have changed since the last call. */
bool vip_client_rewired(vip_client *client);

/* Looks who is there and who is connected, and connects those that are to be. */
void vip_client_wire(vip_client *client, vip_wires *wires);

/* Whether any of our inputs is connected. */
bool vip_client_connected(const vip_client *client);

/* Times that the server was late so far (xruns): what it played and recorded then has a hole. */
uint64_t vip_client_xruns(const vip_client *client);

#endif /* VIP_PLUGIN_JACK_CLIENT_H */
