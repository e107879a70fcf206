/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clip_name.c -- see clip_name.h for the contract. */
#include "clip_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <common/clock.h>

enum { WORD = 40 /* letters of a label in a name */, HOUR = 13 /* of "2026-12-01T21" */ };

static bool
is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* Letters and digits of text; what stands between them is one dash. */
static void
slug(char out[WORD + 1], const char *text)
{
    size_t n = 0;
    for (; *text != '\0' && n < WORD; text++) {
        if (is_plain(*text)) {
            out[n++] = *text;
        } else if (n > 0 && out[n - 1] != '-') {
            out[n++] = '-';
        }
    }
    n -= n > 0 && out[n - 1] == '-';
    out[n] = '\0';
}

/* "2026-11-21T21:30:05.123Z" without what names should not hold. */
static void
compact(char out[VIP_CLOCK_SIZE], const char *moment)
{
    size_t n = 0;
    for (; *moment != '\0'; moment++) {
        if (*moment != '-' && *moment != ':') {
            out[n++] = *moment;
        }
    }
    out[n] = '\0';
}

void
vip_clip_name(vip_clip_names *out, const char *folder, const vip_told *told, double start)
{
    char utc[VIP_CLOCK_SIZE], when[VIP_CLOCK_SIZE], label[WORD + 1], input[WORD + 1];
    const char *moment = vip_clock_utc(utc, told->utc + start);
    slug(label, told->label);
    slug(input, told->input);
    compact(when, moment != NULL ? moment : "19700101T000000.000Z");
    const unsigned long long id = (unsigned long long)told->event->id;
    (void)snprintf(out->name, sizeof out->name, "%s_%s_%llu_%s.flac", when, input[0] != '\0' ? input : "input", id,
                   label[0] != '\0' ? label : "event");
    (void)snprintf(out->path, sizeof out->path, "%s/%s", folder, out->name);
    (void)snprintf(out->label, sizeof out->label, "%s", told->label);
    (void)snprintf(out->comment, sizeof out->comment, "event %llu of %.60s, heard by %.100s", id, told->input,
                   told->model);
    (void)snprintf(out->date, sizeof out->date, "%s", moment != NULL ? moment : "");
    (void)snprintf(out->group, sizeof out->group, "%s %.*s", input[0] != '\0' ? input : "input", HOUR,
                   moment != NULL ? moment : "no time");
}
