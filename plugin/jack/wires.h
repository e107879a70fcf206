/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wires.h -- which ports of others are connected to ours, which are to be, and which were: kept by name, without JACK.
 *
 * A wire goes from a port of somebody else to one of ours. It is laid
 *   - to each port that matches a pattern, the k-th one to our input k modulo their number, whenever that port appears;
 *   - again to a port that was connected by somebody else, went away and came back, if that is wanted.
 * What a user has disconnected stays so as long as the port is there. Main thread. */
#ifndef VIP_PLUGIN_JACK_WIRES_H
#define VIP_PLUGIN_JACK_WIRES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vipann/vipann.h>

typedef struct vip_wires vip_wires;

typedef struct {
    const char *pattern; /* extended regular expression for names of ports, found anywhere in them; NULL: none */
    uint32_t inputs;     /* our ports 0 .. inputs-1; those from there on match no pattern */
    bool keeps;          /* what others have connected is connected again */
} vip_wires_setup;

/* pattern is not needed any more afterwards. NULL: E_ARG (it is no regular expression: where and why), E_MEMORY. */
vip_wires *vip_wires_new(const vip_wires_setup *setup, vipann_error *error);

/* NULL is allowed. */
void vip_wires_free(vip_wires *wires);

/* A look at the server: begin; then all ports of others that might be connected, and what is connected; then finish, which
 * brings it together. Names are copied. What memory is too short for is left out until the next look. */
void vip_wires_begin(vip_wires *wires);
void vip_wires_port(vip_wires *wires, const char *name, bool source); /* source: one that may match the pattern */
void vip_wires_connection(vip_wires *wires, const char *name, uint32_t own);
void vip_wires_finish(vip_wires *wires);

/* Nobody is there any more: what was connected will be laid again. */
void vip_wires_lose(vip_wires *wires);

/* The wires that are to be laid now, i from 0; false: there are no more. Until somebody sees it connected or it goes away, a
 * wire stays among them. */
bool vip_wires_wanted(const vip_wires *wires, size_t i, const char **name, uint32_t *own);

#endif /* VIP_PLUGIN_JACK_WIRES_H */
