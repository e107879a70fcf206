/* SPDX-License-Identifier: GPL-3.0-or-later */
/* client.c -- see client.h for the contract. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <jack/jack.h>
#include <jack/midiport.h>

#include <common/clock.h>
#include <common/support.h>
#include <plugin/stream/stream.h>

enum { NAME_BYTES = 16 };

/* So many times as fast as the clock, and so many blocks besides, no sound card is. */
static const double FAST_TIMES = 4, FAST_BLOCKS = 8;

static const struct timespec A_MOMENT = {0, 50000000}, TWO_MOMENTS = {0, 150000000};

struct vip_client {
    vip_client_setup setup;
    jack_client_t *jack;
    jack_port_t *ports[VIP_LIVE_MOST_INPUTS];
    jack_port_t *events; /* NULL: none */
    bool active;
    jack_nframes_t opened; /* JACK's time then, frames */
    double opened_at;      /* the clock's, s */

    /* Set by threads of JACK. None orders anything else: relaxed. */
    atomic_bool freewheels, lost, rewired;
    atomic_uint_least64_t xruns;
};

static bool
is(atomic_bool *flag)
{
    return atomic_load_explicit(flag, memory_order_relaxed);
}

static void
set(atomic_bool *flag)
{
    atomic_store_explicit(flag, true, memory_order_relaxed);
}

/* ---------------------------------------------------------------------------------------------------- JACK's thread */

static bool send_message(void *to, uint32_t frame, const uint8_t *message) VIPANN_RT;

static bool
send_message(void *to, uint32_t frame, const uint8_t *message)
{
    int status;
    VIP_WHERE_IT_MAY_WAIT(status = jack_midi_event_write(to, frame, message, VIP_MIDI_BYTES)) /* it only copies */
    return status == 0;
}

static void
play(vip_client *c, jack_nframes_t frames)
{
    void *buffer = jack_port_get_buffer(c->events, frames);
    if (buffer != NULL) {
        jack_midi_clear_buffer(buffer);
        vip_note_queue_play(c->setup.notes, &(vip_midi_port){send_message, buffer});
    }
}

static int
on_process(jack_nframes_t frames, void *user)
{
    vip_client *c = user;
    const float *inputs[VIP_LIVE_MOST_INPUTS];
    if (c->events != NULL) {
        play(c, frames);
    }
    for (uint32_t i = 0; i < c->setup.inputs; i++) {
        inputs[i] = jack_port_get_buffer(c->ports[i], frames);
        if (inputs[i] == NULL) {
            return 0;
        }
    }
    if (c->setup.transport && jack_transport_query(c->jack, NULL) != JackTransportRolling) {
        return 0;
    }
    if (is(&c->freewheels)) {
        vip_ear_hear_all(c->setup.ear, inputs, frames);
    } else {
        vip_ear_hear(c->setup.ear, inputs, frames);
    }
    return 0;
}

/* ------------------------------------------------------------------------------------------ other threads of JACK's */

static void
on_freewheel(int starting, void *user)
{
    vip_client *c = user;
    atomic_store_explicit(&c->freewheels, starting != 0, memory_order_relaxed);
}

static void
on_shutdown(jack_status_t code, const char *reason, void *user)
{
    vip_client *c = user;
    (void)code;
    (void)reason; /* "JACK server has been closed", and the like */
    set(&c->lost);
}

static void
on_registration(jack_port_id_t port, int registered, void *user)
{
    vip_client *c = user;
    (void)port;
    (void)registered;
    set(&c->rewired);
}

static void
on_connection(jack_port_id_t a, jack_port_id_t b, int connected, void *user)
{
    vip_client *c = user;
    (void)a;
    (void)b;
    (void)connected;
    set(&c->rewired);
}

static int
on_xrun(void *user)
{
    vip_client *c = user;
    (void)atomic_fetch_add_explicit(&c->xruns, 1, memory_order_relaxed);
    return 0;
}

/* --------------------------------------------------------------------------------------------------- open and close */

static void
say_nothing(const char *text)
{
    (void)text;
}

void
vip_client_hush(void)
{
    jack_set_error_function(say_nothing);
    jack_set_info_function(say_nothing);
}

size_t
vip_client_longest_name(void)
{
    return (size_t)jack_client_name_size() - 1;
}

static vipann_status
explain(const vip_client_setup *setup, bool may_start, jack_status_t status, vipann_error *error)
{
    const char *server = setup->server != NULL ? setup->server : getenv("JACK_DEFAULT_SERVER");
    server = server != NULL && *server != '\0' ? server : "default";
    if ((status & JackServerFailed) != 0) {
        return vip_fail(error, VIPANN_E_IO,
                        "no JACK server \"%.60s\" is running%s; start one, such as with qjackctl or jackd, or give "
                        "--reconnect to wait for one",
                        server, may_start ? ", nor could one be started" : "");
    }
    /* jackd says this, and nothing more, of a name that is taken */
    if (setup->exact && (status & (JackNameNotUnique | JackServerError)) != 0) {
        return vip_fail(
            error, VIPANN_E_BUSY,
            "the JACK server \"%.60s\" does not let us in under the name \"%.60s\", which another client may "
            "have; give another --name, or leave out --exact-name",
            server, setup->name);
    }
    return vip_fail(error, VIPANN_E_UNSUPPORTED,
                    "the JACK server \"%.60s\" does not let us in (%s, status 0x%02x); is it of another user, or of "
                    "another version than libjack?",
                    server, (status & JackVersionError) != 0 ? "its protocol is another" : "no reason given",
                    (unsigned)status);
}

static vipann_status
open_ports(vip_client *c, vipann_error *error)
{
    bool well = true;
    for (uint32_t i = 0; i < c->setup.inputs && well; i++) {
        char name[NAME_BYTES];
        (void)snprintf(name, sizeof name, "in_%u", i + 1);
        c->ports[i] =
            jack_port_register(c->jack, name, JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput | JackPortIsTerminal, 0);
        well = c->ports[i] != NULL;
    }
    if (well && c->setup.notes != NULL) {
        c->events = jack_port_register(c->jack, "events", JACK_DEFAULT_MIDI_TYPE, JackPortIsOutput, 0);
        well = c->events != NULL;
    }
    return well ? VIPANN_OK
                : vip_fail(error, VIPANN_E_UNSUPPORTED,
                           "the JACK server has no room for %u more ports; give fewer --inputs", c->setup.inputs);
}

static bool
set_callbacks(vip_client *c)
{
    return jack_set_process_callback(c->jack, on_process, c) == 0 &&
           jack_set_freewheel_callback(c->jack, on_freewheel, c) == 0 &&
           jack_set_port_registration_callback(c->jack, on_registration, c) == 0 &&
           jack_set_port_connect_callback(c->jack, on_connection, c) == 0 &&
           jack_set_xrun_callback(c->jack, on_xrun, c) == 0;
}

vip_client *
vip_client_open(const vip_client_setup *setup, bool may_start, vipann_error *error)
{
    vip_client *c = vip_alloc(1, sizeof *c); /* all flags false, no answer yet */
    if (c == NULL) {
        (void)vip_fail_memory(error, "a client of JACK");
        return NULL;
    }
    c->setup = *setup;
    const int options = (setup->exact ? JackUseExactName : 0) | (may_start ? 0 : JackNoStartServer) |
                        (setup->server != NULL ? JackServerName : 0);
    jack_status_t status = 0;
    c->jack = jack_client_open(setup->name, (jack_options_t)options, &status, setup->server);
    if (c->jack == NULL) {
        (void)explain(setup, may_start, status, error);
        vip_client_close(c);
        return NULL;
    }
    jack_on_info_shutdown(c->jack, on_shutdown, c);
    c->opened = jack_last_frame_time(c->jack);
    c->opened_at = vip_clock_seconds(CLOCK_MONOTONIC);
    return c;
}

/* Leaves in steps. A server that is still busy with one of them, above all while it free-wheels, is stopped for five to ten
 * seconds by the next, or for good (jackd 1.9.21: it waits for an answer of a client that has just gone). */
static void
part(vip_client *c)
{
    for (uint32_t i = 0; i < c->setup.inputs; i++) {
        (void)jack_port_disconnect(c->jack, c->ports[i]);
    }
    if (c->events != NULL) {
        (void)jack_port_disconnect(c->jack, c->events);
    }
    (void)nanosleep(&A_MOMENT, NULL);
    (void)jack_deactivate(c->jack);
    (void)nanosleep(&TWO_MOMENTS, NULL);
}

void
vip_client_close(vip_client *c)
{
    if (c == NULL) {
        return;
    }
    if (c->jack != NULL) {
        if (c->active && !vip_client_lost(c)) {
            part(c);
        }
        (void)jack_client_close(c->jack);
    }
    vip_free(c);
}

static bool
goes_fast(const vip_client *c)
{
    const jack_nframes_t gone = jack_last_frame_time(c->jack) - c->opened; /* of a count that wraps */
    const double most =
        FAST_TIMES * (vip_clock_seconds(CLOCK_MONOTONIC) - c->opened_at) * jack_get_sample_rate(c->jack) +
        FAST_BLOCKS * jack_get_buffer_size(c->jack);
    return gone > most;
}

vipann_status
vip_client_start(vip_client *c, vipann_error *error)
{
    atomic_store_explicit(&c->freewheels, goes_fast(c), memory_order_relaxed);
    set(&c->rewired);
    const vipann_status status = open_ports(c, error);
    if (status != VIPANN_OK) {
        return status;
    }
    c->active = set_callbacks(c) && jack_activate(c->jack) == 0;
    return c->active ? VIPANN_OK : vip_fail(error, VIPANN_E_UNSUPPORTED, "the JACK server does not let us take part");
}

/* ---------------------------------------------------------------------------------------------------------- the rest */

double
vip_client_rate(const vip_client *c)
{
    return jack_get_sample_rate(c->jack);
}

bool
vip_client_lost(const vip_client *c)
{
    return atomic_load_explicit(&c->lost, memory_order_relaxed);
}

bool
vip_client_rewired(vip_client *c)
{
    return atomic_exchange_explicit(&c->rewired, false, memory_order_relaxed);
}

uint64_t
vip_client_xruns(const vip_client *c)
{
    return atomic_load_explicit(&c->xruns, memory_order_relaxed);
}

/* ----------------------------------------------------------------------------------------------------------- wiring */

static void
list_ports(vip_client *c, vip_wires *wires, const char *type, unsigned long flags, bool sources)
{
    const char **names = jack_get_ports(c->jack, NULL, type, flags);
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        vip_wires_port(wires, names[i], sources);
    }
    jack_free(names);
}

static void
list_connections(vip_wires *wires, const jack_port_t *port, uint32_t own)
{
    const char **names = jack_port_get_connections(port);
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        vip_wires_connection(wires, names[i], own);
    }
    jack_free(names);
}

bool
vip_client_connected(const vip_client *c)
{
    for (uint32_t i = 0; i < c->setup.inputs; i++) {
        if (jack_port_connected(c->ports[i]) > 0) {
            return true;
        }
    }
    return false;
}

void
vip_client_wire(vip_client *c, vip_wires *wires)
{
    vip_wires_begin(wires);
    list_ports(c, wires, JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, true); /* none of them is ours */
    for (uint32_t i = 0; i < c->setup.inputs; i++) {
        list_connections(wires, c->ports[i], i);
    }
    if (c->events != NULL) {
        list_ports(c, wires, JACK_DEFAULT_MIDI_TYPE, JackPortIsInput, false);
        list_connections(wires, c->events, c->setup.inputs);
    }
    if (vip_client_lost(c)) { /* what the server has let go of meanwhile nobody has disconnected */
        vip_wires_lose(wires);
        return;
    }
    vip_wires_finish(wires);
    const char *name;
    uint32_t own;
    for (size_t i = 0; vip_wires_wanted(wires, i, &name, &own); i++) {
        /* One whose client is not ready yet is connected another time. */
        if (own < c->setup.inputs) {
            (void)jack_connect(c->jack, name, jack_port_name(c->ports[own]));
        } else {
            (void)jack_connect(c->jack, jack_port_name(c->events), name);
        }
    }
}
