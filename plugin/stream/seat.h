/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seat.h -- an engine and its place in a stream: what it is asked for, when it began to hear, and what it has to say in
 * the stream's time. For stream.c only.
 *
 *   audio thread   vip_seat_push
 *   worker         all else, one thread at a time; free also not while the audio thread can see the seat */
#ifndef VIP_PLUGIN_STREAM_SEAT_H
#define VIP_PLUGIN_STREAM_SEAT_H

#include "outbox.h"
#include "stream.h"

#include <stdalign.h>
#include <stdatomic.h>

enum { VIP_SEAT_LINE = 64 }; /* bytes of a cache line: what one thread writes does not lie with what another does */

/* Says which of a stream's options is out of range: E_ARG. */
vipann_status vip_stream_check(const vip_stream_options *options, vipann_error *error);

/* What runs through all seats of a stream. */
typedef struct {
    double newest;      /* seconds: of the newest result that was put */
    uint64_t events;    /* begun so far: the newest one's id */
    double gap_seconds; /* as the newest result has them; an engine's own begin at 0 with it */
    uint64_t not_finite, clipped;
    uint64_t results, unread; /* given so far, and those of them for which the outbox had no room */
} vip_seat_line;

typedef struct {
    /* Written at creation, then only read. */
    vipann_model *model;
    uint32_t tag; /* of all that it says */
    vipann_engine *engine;
    vipann_reader *reader;
    double rate, column_seconds, column_frames;
    double defaults[VIPANN_N_PARAMS]; /* in force where nothing else is asked for */
    double most_passes;               /* 0: its members cannot be changed */
    double held;                      /* frames that wait at most */
    uint32_t look_ahead;              /* columns */
    uint32_t classes;

    /* The audio thread's. */
    alignas(VIP_SEAT_LINE)
        atomic_uint_least64_t start; /* frame of the stream that came first; relaxed: see vip_seat_push */
    atomic_uint_least64_t accepted;  /* frames that the engine took; relaxed, a number to look at */

    /* The worker's. */
    alignas(VIP_SEAT_LINE) bool serves; /* what it says is put into the outbox; else only kept in mind */
    uint64_t columns;                   /* heard */
    double heard;                       /* frames of those accepted */
    uint64_t at_column;                 /* frames that were accepted when the newest column was heard; 0: none was */
    vip_seat_line offset;               /* added to its own numbers */
    vipann_event *open; /* [classes] events that have begun, id 0: none; the stream's ids once it serves */
    vipann_result *result;
} vip_seat;

/* asked: the parameters asked for since, NaN where nothing was. Errors: as vipann_engine_new. */
vip_seat *vip_seat_new(vipann_model *model, uint32_t tag, const vip_stream_options *options, const double *asked,
                       vipann_error *error);
void vip_seat_free(vip_seat *seat);

/* As vipann_engine_reset; nobody pushes. */
void vip_seat_reset(vip_seat *seat);

/* The block begins at frame `at` of the stream. As vipann_push. */
uint32_t vip_seat_push(vip_seat *seat, uint64_t at, const float *const *channels, uint32_t frames) VIPANN_RT;

/* What is in force of a parameter where `asked` is (NaN: nothing was asked for), within what the engine can do. */
double vip_seat_param(const vip_seat *seat, vipann_param param, double asked);

/* It has been pushed to. */
bool vip_seat_has_begun(const vip_seat *seat);

/* Pumps once; returns the columns that were heard. */
int vip_seat_pump(vip_seat *seat);

/* Seconds of sound that it has not heard yet, but for the column that is being collected. */
double vip_seat_backlog(const vip_seat *seat);

/* Seconds of sound that must come before it can hear another column, no more than there must; 0: not known. */
double vip_seat_rest(const vip_seat *seat);

/* It has heard as much as a window of so many columns needs. */
bool vip_seat_is_warm(const vip_seat *seat, double window);

/* Begins to serve: its events that have begun are put, and from now on whatever it says that is newer than what was. */
void vip_seat_serve(vip_seat *seat, vip_seat_line *line, vip_outbox *outbox);

/* Puts what the engine has told since. Events wait in the engine where the outbox is full. last: results may say that
 * they are the last. */
void vip_seat_tell(vip_seat *seat, vip_seat_line *line, vip_outbox *outbox, bool last);

#endif /* VIP_PLUGIN_STREAM_SEAT_H */
