/* SPDX-License-Identifier: GPL-3.0-or-later */
/* shared.h -- the memory through which the child that hears and the process that wants to know talk, and the ring of sound
 * in it. One child uses it once; what follows a child has a memory of its own.
 *
 *   parent         before the child begins: version, duty, wanted, least_channels. Then takes; one thread at a time
 *   child          devices, then either `why` before it ends, or device, channels and rate before it says HEARS
 *   audio thread   of the child: vip_shared_put, which never waits, allocates or calls the system
 *
 * Counters run freely and are never wrapped: their difference is what the ring holds. */
#ifndef VIP_PLUGIN_PORTAUDIO_SHARED_H
#define VIP_PLUGIN_PORTAUDIO_SHARED_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include <vipann/vipann.h>

#include "device.h"

enum {
    VIP_SHARED_VERSION = 1,
    VIP_SHARED_FRAMES = 1 << 16, /* in the ring; a power of two */
    VIP_SHARED_WHY = 256,
    VIP_SHARED_LINE = 64 /* bytes of a cache line */
};

typedef enum { VIP_DUTY_HEAR, VIP_DUTY_LIST } vip_duty;

typedef enum { VIP_CHILD_STARTS, VIP_CHILD_HEARS } vip_child_state;

/* With what a child ends; 0 also when it is not wanted any more. */
typedef enum {
    VIP_CHILD_DONE = 0,
    VIP_CHILD_ABSENT = 3,  /* there is no such device now: why */
    VIP_CHILD_REFUSED = 4, /* there is one, but it cannot be heard: why */
    VIP_CHILD_LOST = 5,    /* no more sound comes */
} vip_child_end;

typedef struct {
    uint32_t version;
    uint32_t duty; /* vip_duty */
    vip_wanted wanted;
    uint32_t least_channels; /* 0: any number */

    vip_devices devices;
    char why[VIP_SHARED_WHY]; /* one line */
    uint32_t device;          /* in devices */
    uint32_t channels;        /* 1 .. VIPANN_MAX_CHANNELS */
    double rate;              /* Hz */
    atomic_uint state;        /* vip_child_state: release by the child, acquire by the parent */

    /* The child's line. */
    alignas(VIP_SHARED_LINE) atomic_uint_least64_t written; /* frames; release by put, acquire by take */
    atomic_uint_least64_t dropped; /* frames for which there was no room; written by put alone, relaxed */
    atomic_uint_least64_t calls;   /* of put; likewise */

    /* The parent's line. */
    alignas(VIP_SHARED_LINE) atomic_uint_least64_t taken; /* frames; release by take, acquire by put */

    alignas(VIP_SHARED_LINE) float ring[(size_t)VIP_SHARED_FRAMES * VIPANN_MAX_CHANNELS]; /* [frame][channel] */
} vip_shared;

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "processes cannot share a lock");

/* Child: appends x[frames][channels], as much of it as there is room for; the rest, and all if x is NULL, is counted as
 * dropped. channels is the same in all calls. */
void vip_shared_put(vip_shared *shared, uint32_t channels, const float *x, uint32_t frames) VIPANN_RT;

/* Parent: moves the oldest frames, at most `most`, to out[channel][frame] and returns their number. */
uint32_t vip_shared_take(vip_shared *shared, uint32_t channels, float *const *out, uint32_t most);

/* Parent: copies the devices, or the one that is heard with the number of its channels and the rate: as a process may have
 * left them whose driver writes where it should not, but so that names end and numbers are within their ranges. False: they
 * are not, and nothing of it can be used. */
bool vip_shared_devices(const vip_shared *shared, vip_devices *out);
bool vip_shared_heard(const vip_shared *shared, vip_device *device, uint32_t *channels, double *rate);

/* Parent: forgets what is there now. */
void vip_shared_skip(vip_shared *shared);

#endif /* VIP_PLUGIN_PORTAUDIO_SHARED_H */
