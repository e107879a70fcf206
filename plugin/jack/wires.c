/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wires.c -- see wires.h for the contract. */
#include "wires.h"

#include <regex.h>
#include <string.h>

#include <common/support.h>

/* Of ports that have gone away, so many are remembered: names that are never used again do not add up for weeks. */
enum { FIRST_ROOM = 16, MOST_AWAY = 1024 };

typedef enum {
    AWAY,   /* the port is not there */
    WANTED, /* it is there, and is to be connected */
    LAID,   /* it is connected */
    CUT,    /* it is there; somebody has disconnected it */
} wire_state;

typedef struct {
    char *name;
    uint32_t own;
    bool matches; /* the pattern */
    wire_state state;
    bool seen, connected; /* in this look */
} wire;

struct vip_wires {
    regex_t pattern;
    bool has_pattern, keeps;
    uint32_t inputs;
    uint32_t matches; /* ports so far */
    wire *all;        /* [n], with room for more */
    size_t n, room;
};

vip_wires *
vip_wires_new(const vip_wires_setup *setup, vipann_error *error)
{
    vip_wires *w = vip_alloc(1, sizeof *w);
    if (w == NULL) {
        (void)vip_fail_memory(error, "the connections");
        return NULL;
    }
    w->inputs = setup->inputs;
    w->keeps = setup->keeps;
    const int wrong = setup->pattern != NULL ? regcomp(&w->pattern, setup->pattern, REG_EXTENDED | REG_NOSUB) : 0;
    if (wrong != 0) {
        char why[80];
        (void)regerror(wrong, &w->pattern, why, sizeof why);
        (void)vip_fail(error, VIPANN_E_ARG, "\"%.80s\" is no regular expression: %s", setup->pattern, why);
        vip_free(w);
        return NULL;
    }
    w->has_pattern = setup->pattern != NULL;
    return w;
}

void
vip_wires_free(vip_wires *w)
{
    if (w == NULL) {
        return;
    }
    if (w->has_pattern) {
        regfree(&w->pattern);
    }
    for (size_t i = 0; i < w->n; i++) {
        vip_free(w->all[i].name);
    }
    vip_free(w->all);
    vip_free(w);
}

/* ---------------------------------------------------------------------------------------------------------- a look */

/* A new wire at the end; NULL: memory is short. */
static wire *
add(vip_wires *w, const char *name, uint32_t own)
{
    if (w->n == w->room) {
        const size_t room = w->room > 0 ? 2 * w->room : FIRST_ROOM;
        wire *all = vip_alloc(room, sizeof *all);
        if (all == NULL) {
            return NULL;
        }
        if (w->n > 0) {
            memcpy(all, w->all, w->n * sizeof *all);
        }
        vip_free(w->all);
        w->all = all;
        w->room = room;
    }
    char *copy = vip_copy_string(name);
    if (copy == NULL) {
        return NULL;
    }
    wire *added = &w->all[w->n++];
    *added = (wire){.name = copy, .own = own, .state = AWAY};
    return added;
}

static wire *
find(const vip_wires *w, const char *name, uint32_t own)
{
    for (size_t i = 0; i < w->n; i++) {
        if (w->all[i].own == own && strcmp(w->all[i].name, name) == 0) {
            return &w->all[i];
        }
    }
    return NULL;
}

void
vip_wires_begin(vip_wires *w)
{
    for (size_t i = 0; i < w->n; i++) {
        w->all[i].seen = w->all[i].connected = false;
    }
}

void
vip_wires_port(vip_wires *w, const char *name, bool source)
{
    bool known = false;
    for (size_t i = 0; i < w->n; i++) {
        if (strcmp(w->all[i].name, name) == 0) {
            w->all[i].seen = true;
            known = known || w->all[i].matches;
        }
    }
    if (!known && source && w->has_pattern && regexec(&w->pattern, name, 0, NULL, 0) == 0) {
        const uint32_t own = w->matches % w->inputs;
        wire *found = find(w, name, own);
        found = found != NULL ? found : add(w, name, own);
        if (found != NULL) {
            found->matches = found->seen = true;
            w->matches++;
        }
    }
}

void
vip_wires_connection(vip_wires *w, const char *name, uint32_t own)
{
    wire *found = find(w, name, own);
    found = found == NULL && w->keeps ? add(w, name, own) : found;
    if (found != NULL) {
        found->seen = found->connected = true;
    }
}

static void
settle(wire *one)
{
    if (!one->seen) {
        one->state = AWAY;
    } else if (one->connected) {
        one->state = LAID;
    } else if (one->state == AWAY) {
        one->state = WANTED;
    } else if (one->state == LAID) {
        one->state = CUT;
    }
}

void
vip_wires_finish(vip_wires *w)
{
    size_t kept = 0, away = 0;
    for (size_t i = 0; i < w->n; i++) {
        wire one = w->all[i];
        settle(&one);
        away += one.state == AWAY;
        if ((one.state == CUT && !one.matches) || (one.state == AWAY && away > MOST_AWAY)) {
            vip_free(one.name); /* nobody wants it back */
        } else {
            w->all[kept++] = one;
        }
    }
    w->n = kept;
}

void
vip_wires_lose(vip_wires *w)
{
    vip_wires_begin(w);
    vip_wires_finish(w);
}

bool
vip_wires_wanted(const vip_wires *w, size_t i, const char **name, uint32_t *own)
{
    for (size_t k = 0; k < w->n; k++) {
        if (w->all[k].state == WANTED && i-- == 0) {
            *name = w->all[k].name;
            *own = w->all[k].own;
            return true;
        }
    }
    return false;
}
