/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ports.h -- the plugins and their ports as tables, and what presets say of ports: the description is written from them,
 * and the plugin reads its indexes and ranges from them, so that the two cannot say different things. */
#ifndef VIP_PLUGIN_LV2_PORTS_H
#define VIP_PLUGIN_LV2_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <presets/presets.h>
#include <vipann/vipann.h>

#define VIP_URI        "urn:vipann:"
#define VIP_URI_MONO   VIP_URI "mono"
#define VIP_URI_STEREO VIP_URI "stereo"

enum {
    VIP_LV2_MINOR = 4, /* of the description: grows, and stays even, when ports are added */
    VIP_LV2_MICRO = 0,
    VIP_LV2_CHANNELS = 2,     /* at most */
    VIP_LV2_PASSES = 16,      /* the most members that can be asked for */
    VIP_LV2_WINDOW = 30,      /* seconds, likewise */
    VIP_NOTIFY_BYTES = 32768, /* room that hosts are asked for on the notify port */
};

/* The ports behind the audio ports, which come first: inputs, then outputs. Symbols are never renamed and new ports are
 * added at the end. */
typedef enum {
    VIP_PORT_CONTROL,
    VIP_PORT_NOTIFY,
    VIP_PORT_ENABLED,
    VIP_PORT_PASSES,
    VIP_PORT_HOP,
    VIP_PORT_WINDOW,
    VIP_PORT_SMOOTHING,
    VIP_PORT_THRESHOLD,
    VIP_PORT_UNCERTAINTY_LIMIT,
    VIP_PORT_MIDI,
    VIP_PORT_BLOCKING,
    VIP_PORT_RESET,
    VIP_PORT_FREEWHEEL,
    VIP_PORT_PROBABILITY,
    VIP_PORT_CLASS,
    VIP_PORT_TOTAL,
    VIP_PORT_ALEATORIC,
    VIP_PORT_EPISTEMIC,
    VIP_PORT_UNKNOWN,
    VIP_PORT_LEVEL,
    VIP_PORT_TIME,
    VIP_PORT_EVENTS,
    VIP_PORT_PASSES_USED,
    VIP_PORT_GAPS,
    VIP_PORT_LOAD,
    VIP_PORT_STATUS,
    VIP_PORT_LATENCY,
    VIP_N_PORTS
} vip_port;

enum { VIP_MAX_PORTS = 2 * VIP_LV2_CHANNELS + VIP_N_PORTS };

typedef enum { VIP_CONTROL_IN, VIP_CONTROL_OUT, VIP_ATOM_IN, VIP_ATOM_OUT } vip_port_kind;

/* What a port is besides a number between two others. */
enum {
    VIP_TOGGLED = 1,
    VIP_INTEGER = 2,
    VIP_TRIGGER = 4,     /* acts when it rises */
    VIP_NOT_ON_GUI = 8,  /* for hosts, not for people */
    VIP_ENUMERATION = 16 /* its scale points are all that it can be */
};

/* What the values of VIP_PORT_STATUS mean. */
typedef enum { VIP_STATUS_NO_MODEL, VIP_STATUS_LOADING, VIP_STATUS_RUNNING, VIP_STATUS_FAILED } vip_lv2_status;

typedef struct {
    float value;
    const char *label; /* NULL: no more */
} vip_scale_point;

enum { VIP_SCALE_POINTS = 4 };

typedef struct {
    const char *symbol, *name;
    vip_port_kind kind;
    unsigned flags;
    float least, most, normal; /* of controls */
    const char *unit;          /* a name as in Turtle, such as "units:s"; NULL: none */
    const char *designation;   /* likewise */
    const char *comment;       /* for people */
    vip_scale_point points[VIP_SCALE_POINTS];
} vip_port_info;

extern const vip_port_info VIP_PORTS[VIP_N_PORTS];

typedef struct {
    const char *uri, *name;
    uint32_t channels;
    const char *symbols[VIP_LV2_CHANNELS]; /* of a channel, behind in_ and out_ */
    const char *labels[VIP_LV2_CHANNELS];
    const char *designations[VIP_LV2_CHANNELS]; /* within the port group */
} vip_lv2_plugin;

enum { VIP_N_LV2_PLUGINS = 2 };
extern const vip_lv2_plugin VIP_LV2_PLUGINS[VIP_N_LV2_PLUGINS];

/* The index of a port that both plugins have, in the one with that many channels. */
static inline uint32_t
vip_port_index(uint32_t channels, vip_port port)
{
    return 2 * channels + (uint32_t)port;
}

/* The port that an option of presets is about; VIP_N_PORTS: none, since a plugin has no such choice. */
vip_port vip_setting_port(const char *option);

/* What the preset sets the port to: an input that it does not name, to its normal value. */
float vip_preset_value(const vip_preset *preset, vip_port port);

/* The value, or what is nearest to it in the port's range; the normal one for NaN. */
float vip_port_clamp(vip_port port, float value) VIPANN_RT;

#endif /* VIP_PLUGIN_LV2_PORTS_H */
