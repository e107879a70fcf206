/* SPDX-License-Identifier: GPL-3.0-or-later */
/* shared.c -- see shared.h for the contract. */
#include "shared.h"

#include <stddef.h>
#include <string.h>

_Static_assert((VIP_SHARED_FRAMES & (VIP_SHARED_FRAMES - 1)) == 0, "the place of a frame is its number's last bits");

enum { MASK = VIP_SHARED_FRAMES - 1 };

/* Only one thread writes it: others may look at any time. */
static void
count_more(atomic_uint_least64_t *counter, uint64_t n)
{
    const uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, before + n, memory_order_relaxed);
}

void
vip_shared_put(vip_shared *s, uint32_t channels, const float *x, uint32_t frames)
{
    const uint64_t written = atomic_load_explicit(&s->written, memory_order_relaxed); /* our own */
    const uint64_t taken = atomic_load_explicit(&s->taken, memory_order_acquire);     /* with the store in take */
    const uint64_t room = VIP_SHARED_FRAMES - (written - taken);
    const uint64_t n = x == NULL ? 0 : frames < room ? frames : room;
    if (n > 0) {
        const size_t begin = written & MASK;
        const size_t first =
            n < VIP_SHARED_FRAMES - begin ? n : VIP_SHARED_FRAMES - begin; /* the rest from the start */
        memcpy(s->ring + begin * channels, x, first * channels * sizeof(float));
        memcpy(s->ring, x + first * channels, (n - first) * channels * sizeof(float));
    }
    count_more(&s->dropped, frames - n);
    count_more(&s->calls, 1);
    atomic_store_explicit(&s->written, written + n, memory_order_release); /* with the load in take */
}

uint32_t
vip_shared_take(vip_shared *s, uint32_t channels, float *const *out, uint32_t most)
{
    const uint64_t written = atomic_load_explicit(&s->written, memory_order_acquire); /* with the store in put */
    const uint64_t taken = atomic_load_explicit(&s->taken, memory_order_relaxed);     /* our own */
    const uint64_t there = written - taken;
    const uint32_t n = there < most ? (uint32_t)there : most;
    for (uint32_t i = 0; i < n; i++) {
        const float *frame = s->ring + ((taken + i) & MASK) * channels;
        for (uint32_t c = 0; c < channels; c++) {
            out[c][i] = frame[c];
        }
    }
    atomic_store_explicit(&s->taken, taken + n, memory_order_release); /* with the load in put */
    return n;
}

void
vip_shared_skip(vip_shared *s)
{
    const uint64_t written = atomic_load_explicit(&s->written, memory_order_acquire); /* with the store in put */
    atomic_store_explicit(&s->taken, written, memory_order_release);                  /* with the load in put */
}

static void
end_names(vip_device *device)
{
    device->name[VIP_DEVICE_NAME - 1] = '\0';
    device->api[VIP_DEVICE_API - 1] = '\0';
}

bool
vip_shared_devices(const vip_shared *s, vip_devices *out)
{
    *out = s->devices;
    for (uint32_t i = 0; i < VIP_MOST_DEVICES; i++) {
        end_names(&out->of[i]);
    }
    return out->n <= VIP_MOST_DEVICES;
}

bool
vip_shared_heard(const vip_shared *s, vip_device *device, uint32_t *channels, double *rate)
{
    const uint32_t which = s->device; /* once: what is looked at is what is used */
    *channels = s->channels;
    *rate = s->rate;
    if (which >= VIP_MOST_DEVICES || *channels < 1 || *channels > VIPANN_MAX_CHANNELS || !(*rate > 0)) {
        return false;
    }
    *device = s->devices.of[which];
    end_names(device);
    return true;
}
