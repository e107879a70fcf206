/* SPDX-License-Identifier: GPL-3.0-or-later */
/* listen.c -- `vipann live`: hears an input device through PortAudio.
 *
 * Three of us are at it: the process that hears (child.c), a thread that takes what it has heard to the analysis whatever
 * the main thread waits for, and the main thread, which watches both and writes. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <common/clock.h>
#include <common/support.h>
#include <plugin/live/live.h>
#include <plugin/out/outputs.h>
#include <plugin/program/asked.h>
#include <plugin/program/commands.h>

#include "child.h"
#include "ear.h"

enum { BLOCK = 1024 }; /* frames that are taken at once */

static const struct timespec NAP = {0, 5000000}; /* between two looks into the ring */
static const double RETRY_S = 0.5;               /* between two looks for a device that has gone */

static const vip_option DEVICE = {
    .name = "device",
    .kind = VIP_OPTION_TEXT,
    .argument = "NAME|N",
    .otherwise = "the system's own",
    .group = VIP_GROUP_SOUND,
    .help = "Hear this input device: its name, a part of its name, or its number; \"vipann devices\" lists them.",
};

static const vip_option NO_WAIT = {
    .name = "no-wait",
    .kind = VIP_OPTION_FLAG,
    .group = VIP_GROUP_SOUND,
    .help = "End, with status 1, when the device goes away. Without this it is waited for.",
};

/* clang-format off */
static const vip_option *const OPTIONS[] = {&DEVICE, &VIP_OPTION_CHANNEL, &NO_WAIT, VIP_LIVE_OPTIONS,
                                            VIP_OUTPUT_OPTIONS, &VIP_OPTION_LOG};
/* clang-format on */

const vip_command VIP_LIVE_COMMAND = {
    .name = "vipann live",
    .operands = "",
    .summary = "Hears a microphone, or another input, and says what it hears as it hears it.",
    .details =
        "Any input that PortAudio knows: sound cards, and the clients of a JACK server. All its channels are heard "
        "as one, or the first two of more than eight, which sound servers claim to have whatever is behind them.\n"
        "A device that goes away, or a server that ends, is told of and waited for; times go on meanwhile. SIGINT "
        "and SIGTERM end the program, after the last results are written; SIGHUP has it read the model and the "
        "rules anew.",
    .examples = "vipann live\n"
                "vipann live --device USB --channel 1 --events\n"
                "vipann live --format jsonl --duration 60 | jq -r '.top[0].label'",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_operands = 0,
    .most_operands = 0,
};

typedef struct {
    const vip_arguments *arguments;
    vip_wanted wanted;
    uint32_t least_channels;
    vip_live *live;
    vip_ear *ear;               /* NULL: the device is waited for */
    double ended;               /* s, of the clock that only goes forward: when there was no ear any more */
    bool begun, has_begun;      /* sound comes; it came once */
    uint64_t dropped, lost;     /* frames of this stretch of sound, as last seen by the thread, as last told */
    char name[VIP_DEVICE_NAME]; /* of the device, as results call it */
    uint32_t channels;
    double rate; /* Hz */
    pthread_t thread;
    atomic_bool over; /* the thread is to take what is left and end; relaxed: the join orders what comes after */
    double heard;     /* s, of the same clock: when the newest sound came; the thread's */
    float *blocks[VIPANN_MAX_CHANNELS]; /* [channel][BLOCK], likewise */
} listener;

/* ------------------------------------------------------------------------------------------------------- the thread */

static void
push(listener *l, uint32_t frames)
{
    const float *channels[VIPANN_MAX_CHANNELS];
    for (uint32_t c = 0; c < l->channels; c++) {
        channels[c] = l->blocks[c];
    }
    vip_live_push(l->live, 0, channels, frames);
}

/* Silence stands for what was not heard, so that times stay true. */
static void
push_gap(listener *l, uint64_t frames)
{
    for (uint32_t c = 0; c < l->channels; c++) {
        memset(l->blocks[c], 0, BLOCK * sizeof(float));
    }
    for (uint64_t left = frames; left > 0;) {
        const uint32_t n = left < BLOCK ? (uint32_t)left : BLOCK;
        push(l, n);
        left -= n;
    }
}

static void *
take_sound(void *user)
{
    listener *l = user;
    vip_shared *shared = vip_ear_shared(l->ear);
    for (bool over = false; !over;) {
        over = atomic_load_explicit(&l->over, memory_order_relaxed);
        const uint64_t dropped = atomic_load_explicit(&shared->dropped, memory_order_relaxed);
        uint32_t n;
        while ((n = vip_shared_take(shared, l->channels, l->blocks, BLOCK)) > 0) {
            push(l, n);
            l->heard = vip_clock_seconds(CLOCK_MONOTONIC);
        }
        if (dropped > l->dropped) {
            push_gap(l, dropped - l->dropped);
            l->dropped = dropped;
        }
        (void)nanosleep(&NAP, NULL);
    }
    return NULL;
}

/* Signals are the main thread's. */
static bool
start_thread(listener *l)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    atomic_store_explicit(&l->over, false, memory_order_relaxed);
    const bool started = pthread_create(&l->thread, NULL, take_sound, l) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

/* ---------------------------------------------------------------------------------------------------- begin and end */

/* A number means the device that had it, whatever has it when that comes back. */
static void
remember(listener *l, const vip_device *device)
{
    uint64_t number;
    if (vip_number_read_whole(l->wanted.name, &number)) {
        memcpy(l->wanted.name, device->name, sizeof l->wanted.name);
        memcpy(l->wanted.api, device->api, sizeof l->wanted.api);
    }
}

static vipann_status
begin(listener *l, vipann_error *error)
{
    vip_shared *shared = vip_ear_shared(l->ear);
    vip_device device;
    if (!vip_shared_heard(shared, &device, &l->channels, &l->rate)) {
        return vip_fail(error, VIPANN_E_IO, "a driver has spoilt what is known of the device");
    }
    memcpy(l->name, device.name, sizeof l->name);
    remember(l, &device);
    /* What was heard while the model was opened is of the past. */
    vip_shared_skip(shared);
    l->dropped = l->lost = atomic_load_explicit(&shared->dropped, memory_order_relaxed);
    l->heard = vip_clock_seconds(CLOCK_MONOTONIC);
    const vipann_status status = vip_live_begin(l->live, l->rate, l->channels, error);
    if (status != VIPANN_OK) {
        return status;
    }
    if (!start_thread(l)) {
        (void)vip_live_end(l->live);
        return vip_fail(error, VIPANN_E_MEMORY, "no more threads can be had");
    }
    if (l->has_begun) {
        vip_live_say(l->live, VIP_LOG_NOTICE, "%s is heard again, at %.0f Hz", l->name, l->rate);
    }
    l->begun = l->has_begun = true;
    return VIPANN_OK;
}

/* VIP_LIVE_FAILED if the last could not be written. */
static vip_live_state
end(listener *l)
{
    if (!l->begun) {
        return VIP_LIVE_ON;
    }
    atomic_store_explicit(&l->over, true, memory_order_relaxed);
    (void)pthread_join(l->thread, NULL);
    if (vip_ear_look(l->ear) == VIP_EAR_ENDED) { /* which was noticed some time after its last sound */
        push_gap(l, (uint64_t)((vip_clock_seconds(CLOCK_MONOTONIC) - l->heard) * l->rate));
    }
    l->begun = false;
    return vip_live_end(l->live);
}

/* ------------------------------------------------------------------------------------------------------------ turns */

static vipann_status
start_ear(listener *l, vipann_error *error)
{
    l->ear = vip_ear_start(VIP_DUTY_HEAR, &l->wanted, l->least_channels, error);
    l->ended = vip_clock_seconds(CLOCK_MONOTONIC);
    return l->ear != NULL ? VIPANN_OK : error->status;
}

/* Says why there is no more sound, unless that has been said, and clears up. Fails where nobody is to wait. */
static vipann_status
lose(listener *l, vipann_error *error)
{
    const bool lost = l->begun;
    vipann_error why = {VIPANN_E_IO, "the sound system has ended without a word"};
    const vip_child_end how = vip_ear_end(l->ear, &why);
    (void)end(l); /* the next turn sees what went wrong with it */
    vip_ear_stop(l->ear);
    l->ear = NULL;
    l->ended = vip_clock_seconds(CLOCK_MONOTONIC);
    if (!l->has_begun) {
        return vip_fail(error, VIPANN_E_IO, "%s", why.text);
    }
    if (vip_argument(l->arguments, &NO_WAIT)->given) {
        return vip_fail(error, VIPANN_E_IO, "%s has gone", l->name);
    }
    if (lost) {
        vip_live_say(l->live, VIP_LOG_WARNING, "%s has gone; waiting until it comes back", l->name);
    } else if (how == VIP_CHILD_REFUSED) {
        vip_live_say(l->live, VIP_LOG_WARNING, "still waiting: %s", why.text);
    }
    return VIPANN_OK;
}

static void
tell_lost(listener *l)
{
    const uint64_t dropped = atomic_load_explicit(&vip_ear_shared(l->ear)->dropped, memory_order_relaxed);
    if (dropped > l->lost) {
        vip_live_say(l->live, VIP_LOG_WARNING, "%s: %.2f s of sound were lost while this program was held up", l->name,
                     (double)(dropped - l->lost) / l->rate);
        l->lost = dropped;
    }
}

/* Looks after the process that hears. */
static vipann_status
attend(listener *l, vipann_error *error)
{
    if (l->ear == NULL) {
        return vip_clock_seconds(CLOCK_MONOTONIC) - l->ended >= RETRY_S ? start_ear(l, error) : VIPANN_OK;
    }
    switch (vip_ear_look(l->ear)) {
    case VIP_EAR_STARTS:
        return VIPANN_OK;
    case VIP_EAR_HEARS:
        if (l->begun) {
            tell_lost(l);
            return VIPANN_OK;
        }
        return begin(l, error);
    case VIP_EAR_ENDED:
        break;
    }
    return lose(l, error);
}

static int
complain(const vipann_error *error)
{
    return vip_command_end(&VIP_LIVE_COMMAND, error->status, error);
}

static int
listen_until_the_end(listener *l)
{
    vipann_error error = {VIPANN_OK, ""};
    vip_live_state state = VIP_LIVE_ON;
    while (state == VIP_LIVE_ON) {
        if (attend(l, &error) != VIPANN_OK) {
            return complain(&error);
        }
        state = vip_live_turn(l->live);
    }
    const vip_live_state ended = end(l);
    return state == VIP_LIVE_DONE && ended == VIP_LIVE_ON ? VIP_EXIT_DONE : VIP_EXIT_FAILED;
}

/* The process looks for the device while the model is opened. */
static int
run(const vip_arguments *arguments)
{
    vipann_error error;
    const vip_value *device = vip_argument(arguments, &DEVICE), *channel = vip_argument(arguments, &VIP_OPTION_CHANNEL);
    listener l = {.arguments = arguments, .least_channels = channel->given ? (uint32_t)channel->whole : 0};
    const char *names[] = {l.name};
    const vip_live_setup setup = {.arguments = arguments, .inputs = 1, .names = names};
    (void)snprintf(l.wanted.name, sizeof l.wanted.name, "%s", device->given ? device->text : "");
    atomic_init(&l.over, false);
    float *blocks = vip_alloc((size_t)VIPANN_MAX_CHANNELS * BLOCK, sizeof *blocks);
    if (blocks == NULL) {
        (void)vip_fail_memory(&error, "the sound");
        return complain(&error);
    }
    for (uint32_t c = 0; c < VIPANN_MAX_CHANNELS; c++) {
        l.blocks[c] = blocks + (size_t)c * BLOCK;
    }
    int status;
    if (start_ear(&l, &error) != VIPANN_OK || (l.live = vip_live_new(&setup, &error)) == NULL) {
        status = complain(&error);
    } else {
        status = listen_until_the_end(&l);
    }
    end(&l);
    vip_ear_stop(l.ear);
    vip_live_free(l.live);
    vip_free(blocks);
    return status;
}

int
vip_command_live(int argc, char **argv)
{
    if (vip_child_is_meant(argc, argv)) {
        vip_child_run();
    }
    return vip_command_line(&VIP_LIVE_COMMAND, argc, argv, vip_preset_apply, run);
}
