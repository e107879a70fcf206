/* SPDX-License-Identifier: GPL-3.0-or-later */
/* osc.c -- see osc.h for the contract. */
#include "osc.h"

#include <lo/lo.h>
#include <math.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <common/clock.h>
#include <common/support.h>

enum { LONGEST_HOST = 255, LONGEST_PREFIX = 128, LONGEST_PATH = LONGEST_PREFIX + 16, MOST_TOP = 32 };

struct vip_osc {
    lo_address to;
    uint32_t top;
    char event[LONGEST_PATH], label[LONGEST_PATH], uncertainty[LONGEST_PATH];
    char why[128];
    bool failed;
};

const vip_option VIP_OPTION_OSC = {
    .name = "osc",
    .kind = VIP_OPTION_TEXT,
    .argument = "HOST:PORT",
    .group = "Who is told",
    .help = "Send what is heard as OSC messages over UDP, such as to localhost:9000: /vipann/event, /vipann/class and "
            "/vipann/uncertainty.",
};

const vip_option VIP_OPTION_OSC_PREFIX = {
    .name = "osc-prefix",
    .kind = VIP_OPTION_TEXT,
    .argument = "PATH",
    .standard = "/vipann",
    .group = "Who is told",
    .help = "What the addresses of OSC messages begin with.",
};

/* ------------------------------------------------------------------------------------------------------------- set-up */

/* HOST:PORT or [HOST]:PORT. */
static bool
split(const char *target, char host[LONGEST_HOST + 1], char port[6])
{
    const bool bracketed = target[0] == '[';
    const char *const end = bracketed ? strchr(target, ']') : strrchr(target, ':');
    const char *const first = bracketed ? target + 1 : target;
    if (end == NULL || end == first || end - first > LONGEST_HOST || (bracketed && end[1] != ':')) {
        return false;
    }
    const char *const number = bracketed ? end + 2 : end + 1;
    const size_t digits = strspn(number, "0123456789");
    (void)snprintf(host, LONGEST_HOST + 1, "%.*s", (int)(end - first), first);
    (void)snprintf(port, 6, "%.5s", number);
    return digits > 0 && digits <= 5 && number[digits] == '\0' && (bracketed || strchr(host, ':') == NULL);
}

/* The numbers of a name are looked up here, while somebody waits for the program, and never again. */
static vipann_status
look_up(const char *target, char host[LONGEST_HOST + 1], char port[6], vipann_error *error)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    int why = getaddrinfo(host, port, &hints, &found);
    if (why == 0) {
        why = getnameinfo(found->ai_addr, found->ai_addrlen, host, LONGEST_HOST + 1, NULL, 0, NI_NUMERICHOST);
        freeaddrinfo(found);
    }
    return why == 0 ? VIPANN_OK
                    : vip_fail(error, VIPANN_E_ARG, "--osc: %.100s: %s; give a host that can be found, or its number",
                               target, gai_strerror(why));
}

static bool
is_prefix(const char *prefix)
{
    return prefix[0] == '/' && strlen(prefix) <= LONGEST_PREFIX && prefix[strlen(prefix) - 1] != '/' &&
           strpbrk(prefix, " #*,?[]{}") == NULL;
}

vip_osc *
vip_osc_new(const char *target, const char *prefix, uint32_t top, vipann_error *error)
{
    char host[LONGEST_HOST + 1], port[6];
    if (!split(target, host, port)) {
        (void)vip_fail(error, VIPANN_E_ARG, "--osc: found \"%.80s\"; expected HOST:PORT, such as localhost:9000",
                       target);
        return NULL;
    }
    if (!is_prefix(prefix)) {
        (void)vip_fail(error, VIPANN_E_ARG,
                       "--osc-prefix: found \"%.80s\"; expected a path such as /vipann, without spaces and #*,?[]{}",
                       prefix);
        return NULL;
    }
    if (look_up(target, host, port, error) != VIPANN_OK) {
        return NULL;
    }
    vip_osc *osc = vip_alloc(1, sizeof *osc);
    if (osc != NULL) {
        osc->to = lo_address_new_with_proto(LO_UDP, host, port);
        osc->top = top < MOST_TOP ? top : MOST_TOP;
        (void)snprintf(osc->event, LONGEST_PATH, "%s/event", prefix);
        (void)snprintf(osc->label, LONGEST_PATH, "%s/class", prefix);
        (void)snprintf(osc->uncertainty, LONGEST_PATH, "%s/uncertainty", prefix);
    }
    if (osc == NULL || osc->to == NULL) {
        vip_free(osc);
        (void)vip_fail_memory(error, "OSC");
        return NULL;
    }
    return osc;
}

void
vip_osc_free(vip_osc *osc)
{
    if (osc != NULL) {
        lo_address_free(osc->to);
        vip_free(osc);
    }
}

/* ----------------------------------------------------------------------------------------------------------- messages */

static void
add_answer(lo_message message, vipann_answer answer)
{
    (void)(answer == VIPANN_YES  ? lo_message_add_true(message)
           : answer == VIPANN_NO ? lo_message_add_false(message)
                                 : lo_message_add_nil(message));
}

static void
add_float(lo_message message, double value)
{
    (void)(isfinite(value) ? lo_message_add_float(message, (float)value) : lo_message_add_nil(message));
}

/* Sends and frees it. */
static void
send_off(vip_osc *osc, const char *path, lo_message message)
{
    if (message == NULL || lo_send_message(osc->to, path, message) < 0) {
        const char *why = message != NULL ? lo_address_errstr(osc->to) : NULL;
        (void)snprintf(osc->why, sizeof osc->why, "%s", why != NULL ? why : "not enough memory");
        osc->failed = true;
    }
    lo_message_free(message);
}

/* The most probable class below the one before (of equals the next); false: there is none. */
static bool
next_class(const vipann_result *r, uint32_t *at, bool first)
{
    const uint32_t before = *at;
    bool found = false;
    for (uint32_t c = 0; c < r->classes; c++) {
        const bool later = first || r->p[c] < r->p[before] || (r->p[c] == r->p[before] && c > before);
        if (later && (!found || r->p[c] > r->p[*at])) {
            *at = c;
            found = true;
        }
    }
    return found;
}

void
vip_osc_result(vip_osc *osc, const char *input, const vipann_model *model, const vipann_result *r)
{
    lo_message message = lo_message_new();
    (void)lo_message_add_string(message, input);
    (void)lo_message_add_double(message, r->t_seconds);
    add_float(message, r->total_nats);
    add_float(message, r->aleatoric_nats);
    add_float(message, r->has_epistemic ? r->epistemic_nats : (double)NAN);
    add_answer(message, r->unknown);
    add_float(message, r->level_dbfs);
    send_off(osc, osc->uncertainty, message);
    uint32_t at = 0;
    for (uint32_t i = 0; i < osc->top && next_class(r, &at, i == 0); i++) {
        message = lo_message_new();
        (void)lo_message_add_string(message, input);
        (void)lo_message_add_double(message, r->t_seconds);
        (void)lo_message_add_string(message, vipann_model_label(model, at));
        add_float(message, (double)r->p[at]);
        add_float(message, r->has_epistemic ? (double)r->std[at] : (double)NAN);
        send_off(osc, osc->label, message);
    }
}

void
vip_osc_event(vip_osc *osc, const vip_told *told)
{
    const vipann_event *e = told->event;
    char utc[VIP_CLOCK_SIZE];
    const char *moment = vip_clock_utc(utc, told->utc + e->start_seconds);
    lo_message message = lo_message_new();
    (void)lo_message_add_string(message, e->ended ? "end" : "begin");
    (void)lo_message_add_string(message, told->input);
    (void)lo_message_add_string(message, told->label);
    (void)lo_message_add_int64(message, (int64_t)e->id);
    (void)lo_message_add_double(message, e->start_seconds);
    (void)lo_message_add_double(message, e->end_seconds);
    add_float(message, e->p_max);
    add_float(message, e->has_epistemic ? e->epistemic_nats : (double)NAN);
    add_answer(message, e->unknown);
    (void)lo_message_add_string(message, moment != NULL ? moment : "");
    send_off(osc, osc->event, message);
}

const char *
vip_osc_look(vip_osc *osc)
{
    const bool failed = osc->failed;
    osc->failed = false;
    return failed ? osc->why : NULL;
}
