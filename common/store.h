/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store.h -- what was heard, kept for months: a file of SQLite that many may read while one program writes. Where SQLite was
 * not there to build with, neither is this.
 *
 * Each event is a transaction of its own: it outlasts the program however that ends. When a machine loses its power the
 * newest ones may be missing, but the file is whole. Labels and names are data to it, whatever they hold. One thread at a
 * time. */
#ifndef VIP_COMMON_STORE_H
#define VIP_COMMON_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <vipann/vipann.h>

typedef struct vip_store vip_store;

typedef struct {
    const char *path;
    double days;    /* events that began longer ago go, their counts by hour stay; 0: they stay */
    uint64_t bytes; /* most of the file; the oldest events go, then the oldest counts. 0: no limit */
} vip_store_setup;

/* Makes a store, with the folders that lead to it, or goes on with one; ids of events begin anew with it. NULL: E_IO,
 * E_FORMAT (it is something else, or of a newer version: it is left as it is), E_MEMORY. */
vip_store *vip_store_open(const vip_store_setup *setup, vipann_error *error);

/* NULL is allowed. */
void vip_store_close(vip_store *store);

/* Texts are borrowed for the call. */
typedef struct {
    const char *input, *label, *model;
    double utc; /* of time 0, seconds since 1970; NaN: not known */
    const vipann_event *event;
} vip_store_event;

/* Keeps an event that has begun, or its end. On failure it is not kept, and what was there is as it was: E_IO (the disk is
 * full or cannot be written, or somebody keeps the store locked), E_FORMAT (the file is damaged). */
vipann_status vip_store_put(vip_store *store, const vip_store_event *event, vipann_error *error);

/* Names the clip of an event of this run, which has been put. As above. */
vipann_status vip_store_clip(vip_store *store, const char *input, uint64_t id, const char *path, vipann_error *error);

/* Does what the limits ask for, a bite at a time: to be called about once a minute, and, while *more says that it was not
 * all, some times a second. now: seconds since 1970. Errors: as above. */
vipann_status vip_store_tend(vip_store *store, double now, bool *more, vipann_error *error);

/* What is asked of a store. */
typedef struct {
    double since, until; /* [since, until): seconds since 1970, of the beginning; NaN: no limit */
    const char *label;   /* a pattern as shells have it, of ASCII letters either case; NULL: any */
    const char *input;   /* NULL: any */
    bool unknown;        /* only what the model had not been taught */
    bool hours;          /* counts by hour instead of events */
    uint64_t newest;     /* only so many; 0: all */
} vip_store_query;

/* An event, or, if hours are asked for, what was counted of a label in the UTC hour that begins at `begin`; in the order of
 * time. Texts are borrowed for the call. */
typedef struct {
    double begin, end; /* seconds since 1970; NaN: not known, or not over when the program ended */
    double seconds;    /* that it lasted, or all of them; NaN: likewise */
    const char *input, *label;
    const char *model;                    /* of an event; likewise below */
    const char *clip;                     /* NULL: none */
    double p_max, p_mean, epistemic_nats; /* epistemic: NaN if it was not known */
    vipann_answer unknown;
    uint64_t events, unknown_events; /* of an hour */
} vip_store_row;

typedef void vip_store_take(void *user, const vip_store_row *row);

/* Reads a store, which somebody else may write to meanwhile, and calls take for each row. Errors: E_IO (it is not there or
 * cannot be read), E_FORMAT (no store of ours, or damaged: what came before was read), E_MEMORY. */
vipann_status vip_store_read(const char *path, const vip_store_query *query, vip_store_take *take, void *user,
                             vipann_error *error);

#endif /* VIP_COMMON_STORE_H */
