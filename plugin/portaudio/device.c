/* SPDX-License-Identifier: GPL-3.0-or-later */
/* device.c -- see device.h for the contract. */
#include "device.h"

#include <stdio.h>
#include <string.h>

#include <common/number.h>
#include <common/support.h>

enum { LIST = 160, BELIEVED = 8, ENOUGH = 2 };

/* Each says whether a device is meant by what was asked for. */
typedef bool meant(const vip_device *device, const vip_wanted *wanted);

static bool
is_called(const vip_device *device, const vip_wanted *wanted)
{
    return strcmp(device->name, wanted->name) == 0 && (wanted->api[0] == '\0' || strcmp(device->api, wanted->api) == 0);
}

static bool
is_counted(const vip_device *device, const vip_wanted *wanted)
{
    uint64_t index;
    return vip_number_read_whole(wanted->name, &index) && index == device->index;
}

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
begins_with(const char *text, const char *part)
{
    while (*part != '\0' && lower(*text) == lower(*part)) {
        text++;
        part++;
    }
    return *part == '\0';
}

static bool
contains(const vip_device *device, const vip_wanted *wanted)
{
    const char *at = device->name;
    while (*at != '\0' && !begins_with(at, wanted->name)) {
        at++;
    }
    return *at != '\0';
}

/* How many are meant; *which: the first of them. */
static uint32_t
count(const vip_devices *devices, const vip_wanted *wanted, meant *is_meant, uint32_t *which)
{
    uint32_t n = 0;
    for (uint32_t i = devices->n; i-- > 0;) {
        if (is_meant(&devices->of[i], wanted)) {
            *which = i;
            n++;
        }
    }
    return n;
}

/* "0 system, 3 USB microphone" of those that are meant, or of all if is_meant is NULL. */
static const char *
list(const vip_devices *devices, const vip_wanted *wanted, meant *is_meant, char out[LIST])
{
    size_t length = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < devices->n && length < LIST; i++) {
        const vip_device *d = &devices->of[i];
        if (is_meant == NULL || is_meant(d, wanted)) {
            const int n = snprintf(out + length, LIST - length, "%s%u %s", length > 0 ? ", " : "", d->index, d->name);
            length += n > 0 ? (size_t)n : 0;
        }
    }
    return out;
}

static uint32_t
choose_standard(const vip_devices *devices)
{
    uint32_t i = 0;
    while (i < devices->n && !devices->of[i].standard) {
        i++;
    }
    return i < devices->n ? i : 0;
}

vipann_status
vip_device_choose(const vip_devices *devices, const vip_wanted *wanted, uint32_t *which, vipann_error *error)
{
    static meant *const ways[] = {is_called, is_counted, contains};
    char there[LIST];
    if (devices->n == 0) {
        return vip_fail(error, VIPANN_E_IO, "no input device; connect one, start a JACK server, or use vipann file");
    }
    if (wanted->name[0] == '\0') {
        *which = choose_standard(devices);
        return VIPANN_OK;
    }
    const size_t n_ways = wanted->api[0] != '\0' ? 1 : sizeof ways / sizeof *ways;
    for (size_t i = 0; i < n_ways; i++) {
        const uint32_t n = count(devices, wanted, ways[i], which);
        if (n == 1 || (n > 1 && wanted->api[0] != '\0')) {
            return VIPANN_OK;
        }
        if (n > 1) {
            return vip_fail(error, VIPANN_E_ARG,
                            "--device %.40s: several input devices are called so; give a number: %s", wanted->name,
                            list(devices, wanted, ways[i], there));
        }
    }
    return vip_fail(error, VIPANN_E_IO, "--device %.40s: there is no such input device, but %s", wanted->name,
                    list(devices, wanted, NULL, there));
}

uint32_t
vip_device_channels(const vip_device *device, uint32_t least)
{
    if (least > device->channels) {
        return 0;
    }
    const uint32_t some = device->channels <= BELIEVED ? device->channels : ENOUGH;
    return some > least ? some : least;
}
