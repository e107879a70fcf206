/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stream.c -- see stream.h for the contract.
 *
 * The audio thread sees engines through two pointers, `serving` and `coming`; everything else about them belongs to
 * whoever holds `lock`, which the audio thread never takes: the stream's own thread for one pump at a time, the owner
 * for a call.
 *
 * To take an engine away from the audio thread is Dekker's game. The audio thread says that it is inside (an odd number
 * of turns), then loads the pointers; who takes an engine away stores another pointer, then looks at the turns. All four
 * are sequentially consistent, so in their one order either the store came before the load, and the audio thread does
 * not have the engine, or the announcement came before the look, and the other waits until that visit is over. Later
 * visits load the pointers anew: it is enough to see the number change. The audio thread itself waits for nobody.
 *
 * `coming` is loaded before `serving`, and stored after it: a block during an exchange reaches the new engine through
 * one of them at least, and where it is both, once. */
#include "stream.h"

#include "governor.h"
#include "outbox.h"
#include "seat.h"

#include <common/clock.h>
#include <common/support.h>

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { CACHE_LINE = 64 };            /* bytes */
static const double NAP = 0.002;     /* s between two looks whether a column is complete */
static const double LONG_NAP = 0.05; /* s between two looks before: often enough for a ring of seconds */
static const double EARLY =
    0.006; /* s before a column is expected: as late as the last one can have been seen, and more */
static const double SHORT_NAP = 5e-5;   /* s between two looks whether somebody has left */
static const double LOOK_SECONDS = 1;   /* between two looks of the governor */
static const uint64_t LOOK_COLUMNS = 2; /* and columns heard meanwhile, at least */

typedef atomic_uint_least64_t number; /* the bits of a double; relaxed: each stands alone */

struct vip_stream {
    /* Written at creation, then only read. */
    vip_stream_options options;
    vip_outbox *outbox;
    bool has_lock, has_thread;
    pthread_t thread;

    /* The audio thread's. */
    alignas(CACHE_LINE) atomic_uint turns; /* odd: it is inside; see above */
    atomic_uint_least64_t frames;          /* passed since the start; relaxed, as the two below: numbers to look at */
    atomic_uint_least64_t lost;            /* frames */
    atomic_uint_least32_t block;           /* frames of the newest block */

    /* Stored by who holds the lock, loaded by the audio thread; see above. With what is stored as seldom, so that the
     * line stays with the audio thread. */
    alignas(CACHE_LINE) _Atomic(vip_seat *) serving;
    _Atomic(vip_seat *) coming;
    number asked[VIPANN_N_PARAMS]; /* by anybody; NaN: nothing was */
    atomic_uint passes, hop;

    /* Anybody's. */
    alignas(CACHE_LINE) number load;
    number backlog, rest;
    atomic_uint tag;
    atomic_uint_least64_t late_hops, exchanges, unread_lost;
    atomic_bool stop;    /* the thread is to end; relaxed, the join orders what comes after */
    atomic_uint waiting; /* callers that want the lock; relaxed, a courtesy */

    /* Of who holds the lock. */
    pthread_mutex_t lock;
    vip_governor governor;
    vip_seat_line line;
    bool flushed;
    double busy, looked; /* seconds: work since the last look, and when that was (0: there was none) */
    double cpu;          /* seconds of the thread at that time */
    uint64_t columns;    /* heard since */
};

/* --------------------------------------------------------------------------------------------------------- numbers */

static void
store_number(number *n, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    atomic_store_explicit(n, bits, memory_order_relaxed);
}

static double
load_number(const number *n)
{
    const uint64_t bits = atomic_load_explicit(n, memory_order_relaxed);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void
nap(double time_seconds)
{
    const struct timespec time = {0, (long)(time_seconds * 1e9)};
    (void)nanosleep(&time, NULL); /* who is woken early looks early */
}

/* ------------------------------------------------------------------------------------------------------------ lock */

/* The stream's thread, which would take the lock again at once, lets those pass that have waited longer. */
static void
enter(vip_stream *s)
{
    atomic_fetch_add_explicit(&s->waiting, 1, memory_order_relaxed);
    (void)pthread_mutex_lock(&s->lock);
    atomic_fetch_sub_explicit(&s->waiting, 1, memory_order_relaxed);
}

static void
leave(vip_stream *s)
{
    (void)pthread_mutex_unlock(&s->lock);
}

/* Only who holds the lock stores them. */
static vip_seat *
seat_of(_Atomic(vip_seat *) *pointer)
{
    return atomic_load_explicit(pointer, memory_order_relaxed);
}

/* What was stored before is what the audio thread has, if it has anything. */
static void
wait_until_unseen(vip_stream *s)
{
    const unsigned turn = atomic_load(&s->turns);
    while (turn % 2 == 1 && atomic_load_explicit(&s->turns, memory_order_acquire) == turn) { /* with end_visit */
        nap(SHORT_NAP);
    }
}

/* ------------------------------------------------------------------------------------------------------- parameters */

static double
param(vip_stream *s, const vip_seat *seat, vipann_param which)
{
    return vip_seat_param(seat, which, load_number(&s->asked[which]));
}

static void
show_governor(vip_stream *s)
{
    atomic_store_explicit(&s->passes, s->governor.passes, memory_order_relaxed);
    atomic_store_explicit(&s->hop, s->governor.hop, memory_order_relaxed);
}

static void
apply_to(vip_stream *s, vip_seat *seat)
{
    const double passes = param(s, seat, VIPANN_PASSES), hop = param(s, seat, VIPANN_HOP);
    const vip_governor *g = &s->governor;
    vipann_set(seat->engine, VIPANN_PASSES, g->halvings > 0 && g->passes < passes ? g->passes : passes);
    vipann_set(seat->engine, VIPANN_HOP, g->doublings > 0 && g->hop > hop ? g->hop : hop);
    vipann_set(seat->engine, VIPANN_WINDOW, param(s, seat, VIPANN_WINDOW));
    vipann_set(seat->engine, VIPANN_HORIZON, param(s, seat, VIPANN_HORIZON));
}

/* What is asked for, less what the governor has taken, goes to the engines. */
static void
apply(vip_stream *s)
{
    vip_seat *serving = seat_of(&s->serving), *coming = seat_of(&s->coming);
    if (serving != NULL) {
        vip_governor_ask(&s->governor, (uint32_t)param(s, serving, VIPANN_PASSES),
                         (uint32_t)param(s, serving, VIPANN_HOP));
        show_governor(s);
        apply_to(s, serving);
    }
    if (coming != NULL) {
        apply_to(s, coming);
    }
}

/* ------------------------------------------------------------------------------------------------------------ work */

static int
pump(vip_stream *s, vip_seat *seat)
{
    if (seat == NULL) {
        return 0;
    }
    const int columns = vip_seat_pump(seat);
    vip_seat_tell(seat, &s->line, s->outbox, false);
    atomic_store_explicit(&s->unread_lost, s->line.unread, memory_order_relaxed);
    return columns;
}

/* Hears all that waits, ends the sound and tells what comes of that. last: of the stream. */
static void
finish(vip_stream *s, vip_seat *seat, bool last)
{
    while (pump(s, seat) > 0) {
    }
    (void)vipann_flush(seat->engine);
    vip_seat_tell(seat, &s->line, s->outbox, last);
}

/* Nothing is coming any more. */
static void
drop_coming(vip_stream *s)
{
    vip_seat *coming = seat_of(&s->coming);
    atomic_store(&s->coming, NULL);
    wait_until_unseen(s);
    vip_seat_free(coming);
}

/* From the next block on results come from the seat; what the old one has to say comes before. */
static void
serve(vip_stream *s, vip_seat *seat)
{
    vip_seat *old = seat_of(&s->serving);
    atomic_store(&s->serving, seat);
    atomic_store(&s->coming, NULL);
    if (old != NULL) {
        wait_until_unseen(s);
        finish(s, old, false);
        if (old->model != seat->model) { /* what was too much of the one says nothing of the other */
            vip_governor_reset(&s->governor, s->governor.asked_passes, s->governor.asked_hop);
        }
        vip_seat_free(old);
        atomic_fetch_add_explicit(&s->exchanges, 1, memory_order_relaxed);
    }
    vip_seat_serve(seat, &s->line, s->outbox);
    atomic_store_explicit(&s->tag, seat->tag, memory_order_release); /* with vip_stream_look: what the old one put */
    apply(s);
}

static void
begin_looking(vip_stream *s)
{
    s->looked = vip_clock_seconds(CLOCK_MONOTONIC);
    s->cpu = vip_clock_seconds(CLOCK_THREAD_CPUTIME_ID);
    s->busy = 0;
    s->columns = 0;
}

/* Now and then: how it stands, and what is to be done about it. The newest block is no backlog, however long it is. */
static void
look(vip_stream *s, const vip_seat *seat, const vip_seat *coming)
{
    const double elapsed = vip_clock_seconds(CLOCK_MONOTONIC) - s->looked, column = seat->column_seconds;
    if (elapsed < LOOK_SECONDS || s->columns < LOOK_COLUMNS) {
        return;
    }
    const double sound = (double)s->columns * column;
    const double block = atomic_load_explicit(&s->block, memory_order_relaxed) / s->options.rate;
    const double own = vip_seat_backlog(seat), other = coming == NULL ? 0 : vip_seat_backlog(coming);
    const double waits = (own > other ? own : other) - block;
    const double cpu = s->options.threaded ? vip_clock_seconds(CLOCK_THREAD_CPUTIME_ID) - s->cpu : s->busy;
    store_number(&s->load, cpu / sound);
    if (s->options.governed) {
        const double length = elapsed < sound ? elapsed : sound; /* time without sound is no calm */
        const vip_governor_look now = {length, waits > 0 ? waits : 0, s->busy / sound, column};
        (void)vip_governor_step(&s->governor, &now);
        show_governor(s);
    }
    begin_looking(s);
}

/* A hop is late if as much sound as a hop waits behind it when it has been heard. */
static void
count_late(vip_stream *s, const vip_seat *seat, uint64_t results_before)
{
    const double block = atomic_load_explicit(&s->block, memory_order_relaxed) / s->options.rate;
    const double waits = vip_seat_backlog(seat);
    store_number(&s->backlog, waits);
    if (s->line.results > results_before && waits - block >= s->governor.hop * seat->column_seconds) {
        atomic_fetch_add_explicit(&s->late_hops, 1, memory_order_relaxed);
    }
}

/* One pump of each engine, and what follows from it. live: it has to keep up. */
static int
step(vip_stream *s, bool live)
{
    vip_seat *serving = seat_of(&s->serving), *coming = seat_of(&s->coming);
    if (serving == NULL || s->flushed) {
        return 0;
    }
    apply(s);
    const uint64_t results = s->line.results;
    const double begin = live ? vip_clock_seconds(CLOCK_MONOTONIC) : 0;
    const int columns = pump(s, serving);
    const int ahead = pump(s, coming);
    store_number(&s->rest, vip_seat_rest(serving));
    if (live) {
        s->busy += vip_clock_seconds(CLOCK_MONOTONIC) - begin;
        s->columns += (uint64_t)columns;
        count_late(s, serving, results);
        look(s, serving, coming);
    }
    if (coming != NULL && vip_seat_is_warm(coming, param(s, coming, VIPANN_WINDOW))) {
        serve(s, coming);
    }
    return columns > ahead ? columns : ahead;
}

static void *
work(void *stream)
{
    vip_stream *s = stream;
    (void)pthread_mutex_lock(&s->lock);
    begin_looking(s); /* by this thread's clock */
    (void)pthread_mutex_unlock(&s->lock);
    while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
        (void)pthread_mutex_lock(&s->lock);
        const int columns = step(s, true);
        (void)pthread_mutex_unlock(&s->lock);
        if (columns == 0) {
            nap(vip_stream_nap(s));
        } else if (atomic_load_explicit(&s->waiting, memory_order_relaxed) > 0) {
            nap(SHORT_NAP);
        }
    }
    return NULL;
}

double
vip_stream_nap(const vip_stream *s)
{
    const bool silent = atomic_load_explicit(&s->serving, memory_order_relaxed) == NULL; /* whether, not what */
    const double rest = silent ? LONG_NAP : load_number(&s->rest) - EARLY;
    return rest < NAP ? NAP : rest < LONG_NAP ? rest : LONG_NAP;
}

int
vip_stream_work(vip_stream *s)
{
    enter(s);
    const int columns = step(s, true);
    leave(s);
    return columns;
}

/* --------------------------------------------------------------------------------------------------------- set-up */

/* Signals are the program's: none is to end up in a thread that it does not know. */
static bool
start_thread(vip_stream *s)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    s->has_thread = pthread_create(&s->thread, NULL, work, s) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return s->has_thread;
}

vip_stream *
vip_stream_new(const vip_stream_options *options, vipann_error *error)
{
    if (vip_stream_check(options, error) != VIPANN_OK) {
        return NULL;
    }
    vip_stream *s = vip_alloc(1, sizeof *s);
    if (s == NULL) {
        (void)vip_fail_memory(error, "a stream");
        return NULL;
    }
    s->options = *options;
    for (size_t i = 0; i < VIPANN_N_PARAMS; i++) {
        store_number(&s->asked[i], NAN);
    }
    vip_governor_reset(&s->governor, 0, 1);
    begin_looking(s);
    s->has_lock = pthread_mutex_init(&s->lock, NULL) == 0;
    s->outbox = vip_outbox_new();
    if (!s->has_lock || s->outbox == NULL || (options->threaded && !start_thread(s))) {
        (void)vip_fail(error, VIPANN_E_MEMORY, "not enough memory for a stream, or no thread for it");
        vip_stream_free(s);
        return NULL;
    }
    return s;
}

void
vip_stream_free(vip_stream *s)
{
    if (s == NULL) {
        return;
    }
    if (s->has_thread) {
        atomic_store_explicit(&s->stop, true, memory_order_relaxed);
        (void)pthread_join(s->thread, NULL);
    }
    vip_seat_free(seat_of(&s->coming));
    vip_seat_free(seat_of(&s->serving));
    vip_outbox_free(s->outbox);
    if (s->has_lock) {
        (void)pthread_mutex_destroy(&s->lock);
    }
    vip_free(s);
}

/* ----------------------------------------------------------------------------------------------------------- owner */

vipann_status
vip_stream_give_model(vip_stream *s, vipann_model *model, uint32_t tag, bool at_once, vipann_error *error)
{
    double asked[VIPANN_N_PARAMS];
    for (size_t i = 0; i < VIPANN_N_PARAMS; i++) {
        asked[i] = load_number(&s->asked[i]);
    }
    vipann_error why = {VIPANN_E_MEMORY, ""};
    vip_seat *seat = vip_seat_new(model, tag, &s->options, asked, &why); /* takes its time: not with the lock */
    if (seat == NULL) {
        if (error != NULL) {
            *error = why;
        }
        return why.status;
    }
    enter(s);
    drop_coming(s);
    const vip_seat *serving = seat_of(&s->serving);
    if (at_once || serving == NULL || s->flushed || !vip_seat_has_begun(serving)) {
        serve(s, seat);
        s->flushed = false;
    } else {
        atomic_store(&s->coming, seat);
    }
    leave(s);
    return VIPANN_OK;
}

void
vip_stream_set_latency(vip_stream *s, vipann_latency latency)
{
    s->options.latency = latency; /* only the owner makes seats */
}

vipann_model *
vip_stream_model(vip_stream *s)
{
    enter(s);
    const vip_seat *serving = seat_of(&s->serving);
    vipann_model *model = serving == NULL ? NULL : vipann_model_ref(serving->model);
    leave(s);
    return model;
}

/* A model that was to serve later does so now: there is nothing left that it would have to know. */
void
vip_stream_reset(vip_stream *s)
{
    enter(s);
    vip_seat *coming = seat_of(&s->coming);
    if (coming != NULL) {
        serve(s, coming);
    }
    vip_seat *serving = seat_of(&s->serving);
    s->line = (vip_seat_line){0};
    s->flushed = false;
    if (serving != NULL) {
        vip_seat_reset(serving);
        vip_governor_reset(&s->governor, s->governor.asked_passes, s->governor.asked_hop);
        apply(s);
    }
    vip_outbox_reset(s->outbox);
    atomic_store_explicit(&s->frames, 0, memory_order_relaxed);
    atomic_store_explicit(&s->lost, 0, memory_order_relaxed);
    atomic_store_explicit(&s->late_hops, 0, memory_order_relaxed);
    store_number(&s->backlog, 0);
    leave(s);
}

void
vip_stream_flush(vip_stream *s)
{
    enter(s);
    vip_seat *serving = seat_of(&s->serving);
    if (serving != NULL && !s->flushed) {
        apply(s);
        finish(s, serving, true);
    }
    s->flushed = true;
    leave(s);
}

VIP_HOT void
vip_stream_look(const vip_stream *s, vip_stream_state *state)
{
    const vip_seat *serving = atomic_load_explicit(&s->serving, memory_order_relaxed); /* whether, not what */
    *state = (vip_stream_state){
        .has_model = serving != NULL,
        .tag = atomic_load_explicit(&s->tag, memory_order_acquire), /* with serve */
        .passes = atomic_load_explicit(&s->passes, memory_order_relaxed),
        .hop_columns = atomic_load_explicit(&s->hop, memory_order_relaxed),
        .load = load_number(&s->load),
        .pushed_seconds = (double)atomic_load_explicit(&s->frames, memory_order_relaxed) / s->options.rate,
        .lost_seconds = (double)atomic_load_explicit(&s->lost, memory_order_relaxed) / s->options.rate,
        .backlog_seconds = load_number(&s->backlog),
        .late_hops = atomic_load_explicit(&s->late_hops, memory_order_relaxed),
        .exchanges = atomic_load_explicit(&s->exchanges, memory_order_relaxed),
        .unread_lost = atomic_load_explicit(&s->unread_lost, memory_order_relaxed),
        .unread = vip_outbox_fill(s->outbox),
    };
}

/* ---------------------------------------------------------------------------------------------------- audio thread */

/* The block goes to both engines, if there are two. */
VIP_HOT static uint32_t
push_block(vip_stream *s, vip_seat *serving, vip_seat *coming, const float *const *channels, uint32_t frames)
{
    const uint64_t at = atomic_load_explicit(&s->frames, memory_order_relaxed); /* our own */
    uint32_t heard = frames;
    if (coming != NULL && coming != serving) {
        (void)vip_seat_push(coming, at, channels, frames);
    }
    if (serving != NULL) {
        heard = vip_seat_push(serving, at, channels, frames);
    }
    if (heard == 0) {
        atomic_fetch_add_explicit(&s->lost, frames, memory_order_relaxed);
    }
    atomic_store_explicit(&s->block, frames, memory_order_relaxed);
    atomic_store_explicit(&s->frames, at + frames, memory_order_relaxed);
    return heard;
}

VIP_HOT uint32_t
vip_stream_push(vip_stream *s, const float *const *channels, uint32_t frames)
{
    if (frames == 0) {
        return 0;
    }
    const unsigned turn = atomic_load_explicit(&s->turns, memory_order_relaxed); /* our own */
    atomic_store(&s->turns, turn + 1);
    vip_seat *coming = atomic_load(&s->coming);
    vip_seat *serving = atomic_load(&s->serving);
    const uint32_t heard = push_block(s, serving, coming, channels, frames);
    atomic_store_explicit(&s->turns, turn + 2, memory_order_release); /* with wait_until_unseen: the visit is over */
    return heard;
}

static void
make_room(vip_stream *s, vip_seat *seat, uint32_t frames)
{
    while (seat != NULL && vipann_push_space(seat->engine) < frames && pump(s, seat) > 0) {
    }
}

/* Who holds the lock takes no engine away from itself. Where nothing is live there is nothing to govern. */
void
vip_stream_push_all(vip_stream *s, const float *const *channels, uint32_t frames)
{
    enter(s);
    if (s->governor.halvings + s->governor.doublings > 0) {
        vip_governor_reset(&s->governor, s->governor.asked_passes, s->governor.asked_hop);
    }
    apply(s);
    for (uint32_t done = 0; done < frames;) {
        const uint32_t n = frames - done < s->options.max_block ? frames - done : s->options.max_block;
        const float *part[VIPANN_MAX_CHANNELS];
        for (uint32_t c = 0; c < s->options.channels; c++) {
            part[c] = channels[c] + done;
        }
        vip_seat *serving = seat_of(&s->serving), *coming = seat_of(&s->coming);
        make_room(s, serving, n);
        make_room(s, coming, n);
        (void)push_block(s, serving, coming, part, n);
        while (step(s, false) > 0) {
        }
        done += n;
    }
    store_number(&s->backlog, 0);
    leave(s);
}

void
vip_stream_set(vip_stream *s, vipann_param which, double value)
{
    if ((int)which >= 0 && which < VIPANN_N_PARAMS && value == value) {
        store_number(&s->asked[which], value);
    }
}

/* --------------------------------------------------------------------------------------------------------- reading */

vipann_result *
vip_stream_result_new(void)
{
    return vip_outbox_result_new();
}

void
vip_stream_result_free(vipann_result *result)
{
    vip_outbox_result_free(result);
}

VIP_HOT bool
vip_stream_has_news(const vip_stream *s)
{
    return vip_outbox_has_news(s->outbox);
}

bool
vip_stream_latest(vip_stream *s, vipann_result *out, uint32_t *tag)
{
    return vip_outbox_latest(s->outbox, out, tag);
}

bool
vip_stream_next_result(vip_stream *s, vipann_result *out, uint32_t *tag)
{
    return vip_outbox_next_result(s->outbox, out, tag);
}

bool
vip_stream_next_event(vip_stream *s, vipann_event *out, uint32_t *tag)
{
    return vip_outbox_next_event(s->outbox, out, tag);
}
