/* SPDX-License-Identifier: GPL-3.0-or-later */
/* device.h -- input devices, as a list that can lie in memory which two processes share, and the choice of one by what a
 * user calls it. Knows no library of sound. */
#ifndef VIP_PLUGIN_PORTAUDIO_DEVICE_H
#define VIP_PLUGIN_PORTAUDIO_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <vipann/vipann.h>

enum { VIP_DEVICE_NAME = 128, VIP_DEVICE_API = 64, VIP_MOST_DEVICES = 256 };

typedef struct {
    char name[VIP_DEVICE_NAME]; /* ends with a zero; may hold anything else */
    char api[VIP_DEVICE_API];   /* through which it is reached, such as "ALSA" */
    uint32_t index;             /* how PortAudio counts it; output devices are counted too */
    uint32_t channels;          /* that it can give, at least 1 */
    double rate;                /* Hz, its own */
    bool standard;              /* the one to hear if none is asked for: at most one */
} vip_device;

typedef struct {
    uint32_t n;
    vip_device of[VIP_MOST_DEVICES];
} vip_devices;

typedef struct {
    char name[VIP_DEVICE_NAME]; /* "": the standard one, or where there is none the first */
    char api[VIP_DEVICE_API];   /* if not "": only the device of exactly this name that is reached so */
} vip_wanted;

/* Finds the device: by its whole name, else by its index, else by a part of its name, whatever the case of its letters
 * (of ASCII). Errors, which list what there is: E_IO (no such device just now), E_ARG (several). */
vipann_status vip_device_choose(const vip_devices *devices, const vip_wanted *wanted, uint32_t *which,
                                vipann_error *error);

/* How many of its channels to open, at least `least`; 0: it does not have so many. All that it has, but where it claims more
 * than eight, as sound servers do whatever is behind them, the first two will do. */
uint32_t vip_device_channels(const vip_device *device, uint32_t least);

#endif /* VIP_PLUGIN_PORTAUDIO_DEVICE_H */
