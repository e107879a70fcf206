/* SPDX-License-Identifier: GPL-3.0-or-later */
/* child.c -- see child.h for the contract.
 *
 * Once a JACK server has died, PortAudio neither stops nor closes a stream nor ends, but hangs; and any driver may hang
 * while it opens. So this process never asks PortAudio to stop: it leaves, at any point, with _exit. A thread does so when
 * the parent lets go of the lifeline, whatever the others wait for. */
#include "child.h"

#include <poll.h>
#include <portaudio.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <common/support.h>

#include "shared.h"

#ifdef __has_include
#if __has_include(<pa_jack.h>) /* PortAudio may have been built without JACK */
#include <pa_jack.h>
#define NAME_CLIENT() (void)PaJack_SetClientName("vipann")
#endif
#endif
#ifndef NAME_CLIENT
#define NAME_CLIENT() (void)0
#endif

static const struct timespec LOOK = {0, 50000000}; /* between two looks whether sound still comes */
enum { STILL_LOOKS = 20 };                         /* without a call of PortAudio: the sound has ended */

/* What the audio thread knows. */
typedef struct {
    vip_shared *shared;
    uint32_t channels;
} sound;

static _Noreturn void
leave(vip_shared *shared, vip_child_end end, const char *why)
{
    (void)snprintf(shared->why, sizeof shared->why, "%s", why);
    _exit((int)end);
}

static void *
watch_lifeline(void *user)
{
    (void)user;
    struct pollfd lifeline = {.fd = VIP_CHILD_LIFELINE, .events = POLLIN};
    while (poll(&lifeline, 1, -1) != 1) {
    }
    _exit(VIP_CHILD_DONE);
}

/* ------------------------------------------------------------------------------------------------------ the devices */

static void
enter_device(vip_devices *devices, PaDeviceIndex index, bool standard)
{
    const PaDeviceInfo *info = Pa_GetDeviceInfo(index);
    if (info == NULL || info->maxInputChannels < 1 || devices->n == VIP_MOST_DEVICES) {
        return;
    }
    const PaHostApiInfo *api = Pa_GetHostApiInfo(info->hostApi);
    vip_device *device = &devices->of[devices->n++];
    (void)snprintf(device->name, sizeof device->name, "%s", info->name != NULL ? info->name : "");
    (void)snprintf(device->api, sizeof device->api, "%s", api != NULL && api->name != NULL ? api->name : "");
    device->index = (uint32_t)index;
    device->channels =
        info->maxInputChannels < VIPANN_MAX_CHANNELS ? (uint32_t)info->maxInputChannels : VIPANN_MAX_CHANNELS;
    device->rate = info->defaultSampleRate;
    device->standard = standard;
}

static void
list_devices(vip_shared *shared)
{
    (void)setenv("JACK_NO_START_SERVER", "1", 1);
    NAME_CLIENT();
    const PaError failed = Pa_Initialize();
    if (failed != paNoError) {
        leave(shared, VIP_CHILD_REFUSED, Pa_GetErrorText(failed));
    }
    const PaDeviceIndex n = Pa_GetDeviceCount(), standard = n > 0 ? Pa_GetDefaultInputDevice() : paNoDevice;
    for (PaDeviceIndex i = 0; i < n; i++) {
        enter_device(&shared->devices, i, i == standard);
    }
}

static const vip_device *
choose_device(vip_shared *shared)
{
    vipann_error error;
    const vipann_status status = vip_device_choose(&shared->devices, &shared->wanted, &shared->device, &error);
    if (status != VIPANN_OK) {
        leave(shared, status == VIPANN_E_ARG ? VIP_CHILD_REFUSED : VIP_CHILD_ABSENT, error.text);
    }
    const vip_device *device = &shared->devices.of[shared->device];
    shared->channels = vip_device_channels(device, shared->least_channels);
    shared->rate = device->rate;
    if (shared->channels == 0) {
        (void)vip_fail(&error, VIPANN_E_ARG, "%.100s has %u channels, and no channel %u; give another --channel",
                       device->name, device->channels, shared->least_channels);
        leave(shared, VIP_CHILD_REFUSED, error.text);
    }
    return device;
}

/* -------------------------------------------------------------------------------------------------------- the sound */

static int
hear(const void *in, void *out, unsigned long frames, const PaStreamCallbackTimeInfo *when, PaStreamCallbackFlags flags,
     void *user)
{
    (void)out, (void)when, (void)flags;
    const sound *s = user;
    vip_shared_put(s->shared, s->channels, in, (uint32_t)frames);
    return paContinue;
}

static PaStream *
open_device(const vip_device *device, sound *s)
{
    const PaDeviceInfo *info = Pa_GetDeviceInfo((PaDeviceIndex)device->index);
    const PaStreamParameters in = {.device = (PaDeviceIndex)device->index,
                                   .channelCount = (int)s->channels,
                                   .sampleFormat = paFloat32,
                                   .suggestedLatency = info->defaultHighInputLatency};
    PaStream *stream = NULL;
    PaError failed = Pa_OpenStream(&stream, &in, NULL, device->rate, paFramesPerBufferUnspecified, 0, hear, s);
    if (failed == paNoError) {
        failed = Pa_StartStream(stream);
    }
    if (failed != paNoError) {
        vipann_error error;
        (void)vip_fail(&error, VIPANN_E_IO, "%.100s cannot be opened: %s", device->name, Pa_GetErrorText(failed));
        leave(s->shared, VIP_CHILD_REFUSED, error.text);
    }
    return stream;
}

/* The callback that tells that a stream has ended does not come when a JACK server dies: so we look. */
static _Noreturn void
hear_until_it_ends(vip_shared *shared, PaStream *stream)
{
    uint64_t seen = 0;
    for (int still = 0; still < STILL_LOOKS && Pa_IsStreamActive(stream) == 1; still++) {
        const uint64_t calls = atomic_load_explicit(&shared->calls, memory_order_relaxed);
        if (calls != seen) {
            seen = calls;
            still = 0;
        }
        (void)nanosleep(&LOOK, NULL);
    }
    _exit(VIP_CHILD_LOST);
}

bool
vip_child_is_meant(int argc, char **argv)
{
    struct stat shared, lifeline;
    return argc == 2 && strcmp(argv[1], VIP_CHILD_WORD) == 0 && fstat(VIP_CHILD_SHARED, &shared) == 0 &&
           shared.st_size == (off_t)sizeof(vip_shared) && fstat(VIP_CHILD_LIFELINE, &lifeline) == 0 &&
           S_ISFIFO(lifeline.st_mode);
}

void
vip_child_run(void)
{
    static sound s;
    pthread_t watch;
    s.shared = mmap(NULL, sizeof *s.shared, PROT_READ | PROT_WRITE, MAP_SHARED, VIP_CHILD_SHARED, 0);
    if (s.shared == MAP_FAILED || s.shared->version != VIP_SHARED_VERSION ||
        pthread_create(&watch, NULL, watch_lifeline, NULL) != 0) {
        _exit(VIP_CHILD_LOST);
    }
    list_devices(s.shared);
    if (s.shared->duty == VIP_DUTY_LIST) {
        _exit(VIP_CHILD_DONE);
    }
    const vip_device *device = choose_device(s.shared);
    s.channels = s.shared->channels;
    /* So that the audio thread is not the first to touch a page. */
    memset(s.shared->ring, 0, (size_t)VIP_SHARED_FRAMES * s.channels * sizeof(float));
    PaStream *stream = open_device(device, &s);
    atomic_store_explicit(&s.shared->state, VIP_CHILD_HEARS, memory_order_release); /* with the load in vip_ear_look */
    hear_until_it_ends(s.shared, stream);
}
