/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jack.c -- `vipann jack`: ports of a JACK server in, results and events out, and events as MIDI. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <common/clock.h>
#include <common/support.h>
#include <plugin/live/live.h>
#include <plugin/live/signals.h>
#include <plugin/out/outputs.h>
#include <plugin/program/commands.h>

#include "client.h"

enum { NAME_BYTES = 8 };

static const double LOOK_S = 0.1;  /* at a server, before it is known how fast it goes */
static const double RETRY_S = 1;   /* between two attempts to find a server, and to connect ports that were not ready */
static const double SILENCE_S = 1; /* for notes to end in */
static const double ALONE_S = 5;   /* for somebody to connect something, before we say that nothing is connected */

/* ------------------------------------------------------------------------------------------------------- options */

static const vip_option NAME = {
    .name = "name",
    .kind = VIP_OPTION_TEXT,
    .argument = "NAME",
    .standard = "vipann",
    .group = VIP_GROUP_SOUND,
    .help = "What this client is called; if another one is called so already, NAME-01 and so on.",
};

static const vip_option EXACT_NAME = {
    .name = "exact-name",
    .kind = VIP_OPTION_FLAG,
    .group = VIP_GROUP_SOUND,
    .help = "Be called NAME and nothing else, or fail.",
};

static const vip_option SERVER = {
    .name = "server",
    .kind = VIP_OPTION_TEXT,
    .argument = "NAME",
    .otherwise = "that of JACK_DEFAULT_SERVER",
    .group = VIP_GROUP_SOUND,
    .help = "The JACK server to join, for those who run several.",
};

static const vip_option NO_START_SERVER = {
    .name = "no-start-server",
    .kind = VIP_OPTION_FLAG,
    .group = VIP_GROUP_SOUND,
    .help = "If no server is running, start none.",
};

static const vip_option INPUTS = {
    .name = "inputs",
    .kind = VIP_OPTION_WHOLE,
    .argument = "N",
    .least = 1,
    .most = VIP_LIVE_MOST_INPUTS,
    .standard = "1",
    .group = VIP_GROUP_SOUND,
    .help = "Ports to hear, in_1 to in_N, each for itself.",
};

static const vip_option CONNECT = {
    .name = "connect",
    .kind = VIP_OPTION_TEXT,
    .argument = "REGEX",
    .otherwise = "none",
    .group = VIP_GROUP_SOUND,
    .help =
        "Connect each audio port that gives sound and in whose name, such as system:capture_1, this extended regular "
        "expression is found: now, and later when it appears. Of several ports the first goes to in_1, the next to "
        "in_2 and so on, and round again.",
};

static const vip_option RECONNECT = {
    .name = "reconnect",
    .kind = VIP_OPTION_FLAG,
    .group = VIP_GROUP_SOUND,
    .help =
        "When the server ends, or is not there yet, wait for it, at whatever rate it comes; and connect again what was "
        "connected.",
};

static const vip_option TRANSPORT = {
    .name = "transport",
    .kind = VIP_OPTION_FLAG,
    .group = VIP_GROUP_SOUND,
    .help = "Hear only while JACK's transport rolls; times in results count what was heard.",
};

static const vip_option MIDI = {
    .name = "midi",
    .kind = VIP_OPTION_FLAG,
    .group = VIP_GROUP_RESULTS,
    .help =
        "A MIDI port, events, on which a note sounds while an event lasts: note = class mod 128, channel = 1 + class / "
        "128, velocity from the probability.",
};

static const vip_option *const OPTIONS[] = {
    &NAME,      &EXACT_NAME,      &SERVER, &NO_START_SERVER,   &INPUTS,         &CONNECT, &RECONNECT,
    &TRANSPORT, VIP_LIVE_OPTIONS, &MIDI,   VIP_OUTPUT_OPTIONS, &VIP_OPTION_LOG,
};

const vip_command VIP_JACK_COMMAND = {
    .name = "vipann jack",
    .operands = "",
    .summary = "Says what is heard in a JACK server, and how sure that is.",
    .details =
        "Its ports in_1 and so on can be connected to whatever gives sound; nothing is played. It ends by Ctrl-C or "
        "SIGTERM, or after --duration, with what was heard written and status 0; where the server ends, with "
        "status 1. SIGHUP reads the model and the rules anew. While JACK is free-wheeling, such as in an export, "
        "it waits for the analysis, so that nothing is lost and the same sound gives the same results.",
    .examples = "vipann jack --connect system:capture\n"
                "vipann jack --connect '^firefox' --events --format jsonl\n"
                "vipann jack --inputs 2 --connect '^system:capture_[12]$' --reconnect --midi\n"
                "vipann jack --transport --duration 60 --format csv",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
};

/* ------------------------------------------------------------------------------------------------------- session */

/* One run of the command. */
typedef struct {
    const vip_arguments *arguments;
    vip_client_setup setup;
    char names[VIP_LIVE_MOST_INPUTS][NAME_BYTES];
    const char *inputs[VIP_LIVE_MOST_INPUTS]; /* names */
    bool reconnects;
    vip_live *live;
    vip_ear ear;
    vip_note_queue *notes; /* NULL: no MIDI */
    vip_wires *wires;
    vip_client *client; /* NULL: no server */
    double rate;        /* that is being heard, Hz */
    double wired;       /* s: the last look at ports and connections */
    double connected;   /* s: when something was connected last; infinite: that nothing is has been said */
    uint64_t xruns;     /* of clients before this one */
} session;

static void
on_event(void *user, uint32_t input, const vipann_event *event)
{
    (void)input;
    vip_note_queue_event(user, event);
}

/* One line on stderr, and the exit status. */
static int
complain(const char *before, const vipann_error *error)
{
    (void)fprintf(stderr, "%s: %s%s\n", VIP_JACK_COMMAND.name, before, error->text);
    return error->status == VIPANN_E_ARG ? VIP_EXIT_ASKED_WRONGLY : VIP_EXIT_FAILED;
}

/* Turns for so long, or until there is something else to do. */
static vip_live_state
wait(session *s, double most)
{
    vip_live_state state = VIP_LIVE_ON;
    for (double until = vip_clock_seconds(CLOCK_MONOTONIC) + most;
         state == VIP_LIVE_ON && vip_clock_seconds(CLOCK_MONOTONIC) < until;) {
        state = vip_live_turn(s->live);
    }
    return state;
}

static vip_live_state
fail(session *s, const vipann_error *error)
{
    vip_live_say(s->live, VIP_LOG_ERROR, "%s", error->text);
    return VIP_LIVE_FAILED;
}

/* -------------------------------------------------------------------------------------------------------- server */

/* Finds a server, `again` after it had gone. On VIP_LIVE_ON there is a client. */
static vip_live_state
join(session *s, bool again)
{
    bool may_start = !again && !vip_argument(s->arguments, &NO_START_SERVER)->given;
    bool waited = again;
    for (;;) {
        vipann_error error;
        vip_signals_interrupt(true);
        s->client = vip_client_open(&s->setup, may_start, &error);
        vip_signals_interrupt(false);
        if (s->client != NULL) {
            break;
        }
        if (vip_signals_end()) {
            return VIP_LIVE_DONE;
        }
        if (!s->reconnects || (!again && error.status != VIPANN_E_IO)) {
            return fail(s, &error);
        }
        if (!waited) {
            vip_live_say(s->live, VIP_LOG_NOTICE, "there is no JACK server yet; waiting for one");
        } else if (error.status != VIPANN_E_IO) {
            vip_live_say(s->live, VIP_LOG_WARNING, "%s; trying again", error.text);
        }
        waited = true;
        may_start = false;
        const vip_live_state state = wait(s, RETRY_S);
        if (state != VIP_LIVE_ON) {
            return state;
        }
    }
    if (waited) {
        vip_live_say(s->live, VIP_LOG_NOTICE, "a JACK server is there, at %.0f Hz", vip_client_rate(s->client));
    }
    return wait(s, LOOK_S);
}

/* The client goes; what it knew of lives on. */
static void
leave(session *s)
{
    if (s->client != NULL) {
        s->xruns += vip_client_xruns(s->client);
        vip_client_close(s->client);
        s->client = NULL;
    }
    vip_wires_lose(s->wires);
    if (s->notes != NULL) {
        vip_note_queue_clear(s->notes);
    }
}

/* No more sound comes for now: what was heard is written, and notes end where somebody is there to hear it.
 * VIP_LIVE_FAILED if it could not be written. */
static vip_live_state
finish(session *s)
{
    vip_ear_shut(&s->ear);
    const vip_live_state ended = vip_live_end(s->live);
    if (s->notes != NULL) {
        vip_note_queue_end(s->notes);
        for (double until = vip_clock_seconds(CLOCK_MONOTONIC) + SILENCE_S;
             !vip_client_lost(s->client) && !vip_note_queue_silent(s->notes);) {
            if (vip_clock_seconds(CLOCK_MONOTONIC) > until) {
                break;
            }
            (void)vip_live_turn(s->live);
        }
    }
    return ended;
}

/* Who mistypes --connect would otherwise listen to silence for a night, and not know. */
static void
tell_alone(session *s, double now)
{
    if (vip_client_connected(s->client)) {
        s->connected = now;
    } else if (now - s->connected >= ALONE_S) {
        vip_live_say(s->live, VIP_LOG_WARNING,
                     "nothing is connected to %s, so silence is heard; connect something, or give a --connect that "
                     "matches a port (jack_lsp lists them)",
                     s->setup.inputs > 1 ? "any input" : s->inputs[0]);
        s->connected = INFINITY;
    }
}

static void
wire(session *s)
{
    const double now = vip_clock_seconds(CLOCK_MONOTONIC);
    if (vip_client_rewired(s->client) || now - s->wired >= RETRY_S) {
        vip_client_wire(s->client, s->wires);
        tell_alone(s, now);
        s->wired = now;
    }
}

static vip_live_state
begin(session *s)
{
    vipann_error error;
    s->rate = vip_client_rate(s->client);
    s->connected = vip_clock_seconds(CLOCK_MONOTONIC);
    if (vip_live_begin(s->live, s->rate, 1, &error) != VIPANN_OK) {
        return fail(s, &error);
    }
    vip_ear_open(&s->ear);
    return VIP_LIVE_ON;
}

/* Hears until all is heard or the server has gone, which is VIP_LIVE_ON. */
static vip_live_state
listen(session *s)
{
    vipann_error error;
    vip_live_state state = begin(s);
    if (state != VIP_LIVE_ON) {
        return state;
    }
    if (vip_client_start(s->client, &error) != VIPANN_OK && !vip_client_lost(s->client)) {
        state = fail(s, &error);
    }
    while (state == VIP_LIVE_ON && !vip_client_lost(s->client)) {
        wire(s);
        state = vip_live_turn(s->live);
        if (state == VIP_LIVE_ON && !vip_client_lost(s->client) && vip_client_rate(s->client) != s->rate) {
            state = finish(s);
            state = state == VIP_LIVE_ON ? begin(s) : state;
        }
    }
    return finish(s) == VIP_LIVE_ON ? state : VIP_LIVE_FAILED;
}

/* ----------------------------------------------------------------------------------------------------------- run */

static int
hear(session *s)
{
    vip_live_state state = join(s, false);
    while (state == VIP_LIVE_ON) {
        state = listen(s);
        if (state == VIP_LIVE_ON) {
            leave(s);
            if (!s->reconnects) {
                vip_live_say(s->live, VIP_LOG_ERROR,
                             "the JACK server has ended; with --reconnect we would wait for it");
                return VIP_EXIT_FAILED;
            }
            vip_live_say(s->live, VIP_LOG_WARNING, "the JACK server has ended; waiting for it to come back");
            state = join(s, true);
        }
    }
    leave(s);
    if (state == VIP_LIVE_DONE && s->xruns > 0) {
        vip_live_say(s->live, VIP_LOG_WARNING, "JACK was late %llu times (xruns); what it played then has a hole",
                     (unsigned long long)s->xruns);
    }
    return state == VIP_LIVE_DONE ? VIP_EXIT_DONE : VIP_EXIT_FAILED;
}

static vipann_status
check_name(const char *name, vipann_error *error)
{
    const size_t longest = vip_client_longest_name();
    if (strlen(name) > longest || strchr(name, ':') != NULL) {
        return vip_fail(error, VIPANN_E_ARG, "found \"%.80s\"; expected at most %zu bytes without a colon", name,
                        longest);
    }
    return VIPANN_OK;
}

static int
set_up(session *s)
{
    vipann_error error;
    const vip_arguments *a = s->arguments;
    const vip_value *server = vip_argument(a, &SERVER), *connect = vip_argument(a, &CONNECT);
    const bool midi = vip_argument(a, &MIDI)->given;
    s->reconnects = vip_argument(a, &RECONNECT)->given;
    s->setup = (vip_client_setup){.name = vip_argument(a, &NAME)->text,
                                  .server = server->given ? server->text : NULL,
                                  .exact = vip_argument(a, &EXACT_NAME)->given,
                                  .transport = vip_argument(a, &TRANSPORT)->given,
                                  .inputs = (uint32_t)vip_argument(a, &INPUTS)->whole,
                                  .ear = &s->ear};
    if (check_name(s->setup.name, &error) != VIPANN_OK) {
        return complain("--name: ", &error);
    }
    const vip_wires_setup wires = {connect->given ? connect->text : NULL, s->setup.inputs, s->reconnects};
    s->wires = vip_wires_new(&wires, &error);
    if (s->wires == NULL) {
        return complain("--connect: ", &error);
    }
    s->notes = midi ? vip_note_queue_new() : NULL;
    if (midi && s->notes == NULL) {
        (void)vip_fail_memory(&error, "the notes");
        return complain("", &error);
    }
    for (uint32_t i = 0; i < s->setup.inputs; i++) {
        (void)snprintf(s->names[i], NAME_BYTES, "in_%u", i + 1);
        s->inputs[i] = s->names[i];
    }
    const vip_live_setup live = {.arguments = a,
                                 .inputs = s->setup.inputs,
                                 .names = s->inputs,
                                 .event = midi ? on_event : NULL,
                                 .user = s->notes};
    s->live = vip_live_new(&live, &error);
    if (s->live == NULL) {
        return complain("", &error);
    }
    s->setup.notes = s->notes;
    vip_ear_init(&s->ear, s->live, s->setup.inputs);
    return VIP_EXIT_DONE;
}

static int
run(const vip_arguments *arguments)
{
    session s = {.arguments = arguments};
    vip_client_hush();
    int status = set_up(&s);
    if (status == VIP_EXIT_DONE) {
        status = hear(&s);
    }
    vip_live_free(s.live);
    vip_note_queue_free(s.notes);
    vip_wires_free(s.wires);
    return status;
}

int
vip_command_jack(int argc, char **argv)
{
    return vip_command_line(&VIP_JACK_COMMAND, argc, argv, vip_preset_apply, run);
}
