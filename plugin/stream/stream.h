/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stream.h -- one sound that is heard live: an engine with a thread of its own, whose model can be exchanged on the way.
 *
 *   audio thread   vip_stream_push, vip_stream_latest, vip_stream_next_result, vip_stream_next_event,
 *                  vip_stream_set, vip_stream_look: never waits, allocates or calls the system
 *   owner          all else; one thread at a time
 *
 * The stream's own thread pumps, governs, and exchanges models; it sleeps where there is nothing to do.
 *
 * Exchanging a model: the new one's engine is fed beside the old one until its window is full, then results come from it;
 * the old engine is freed once the audio thread cannot see it any more. A model that cannot be used leaves the old one
 * running. Times of results and events go on: they are seconds since the stream was made or reset.
 *
 * The governor: where hops come late, it takes members away, one half at a time and not below two, then makes the hop
 * longer; and gives all of it back later. Results say what was used. */
#ifndef VIP_PLUGIN_STREAM_STREAM_H
#define VIP_PLUGIN_STREAM_STREAM_H

#include <vipann/vipann.h>

typedef struct vip_stream vip_stream;

typedef struct {
    double rate;           /* Hz */
    uint32_t channels;     /* 1 .. VIPANN_MAX_CHANNELS */
    int32_t channel;       /* the one that is heard, from 0; -1: the mean of all */
    uint32_t max_block;    /* most frames of one push: 1 .. 65536 */
    uint32_t passes;       /* 0: the deterministic pass. VIP_STREAM_MODELS: each model's own */
    uint32_t max_passes;   /* the most that may be asked for later */
    bool lean;             /* memory is set aside for no more members than are in force when a model is given, and for
                            * the window of that moment; for more it has to be given again */
    double hop_seconds;    /* 0 .. 3600; rounded to columns, at least one */
    double window_seconds; /* 0: each model's own; infinite: back to the start */
    double max_window_seconds;
    double horizon_seconds;
    vipann_latency latency; /* of networks that are not causal */
    vipann_members members; /* of mean-field models */
    uint64_t seed;
    bool governed; /* else parameters stay as they are set, and late hops are lost */
    bool threaded; /* false: nobody pumps but vip_stream_work, which the owner calls: for tests and clients with
                               * threads of their own */
    const vipann_rules *(*rules)(void *user, const vipann_model *model); /* of a model's events; NULL: the defaults */
    void *user;
} vip_stream_options;

#define VIP_STREAM_MODELS UINT32_MAX

/* passes, hop and window of the model, centred, flipout, the mean of all channels, seed 1, governed, threaded, 48 kHz, one channel, blocks of 8192. */
void vip_stream_defaults(vip_stream_options *options);

/* A stream that passes time until it is given a model. options is copied. NULL: E_ARG, E_MEMORY. */
vip_stream *vip_stream_new(const vip_stream_options *options, vipann_error *error);

/* No push or read may be under way or follow. NULL is allowed. */
void vip_stream_free(vip_stream *stream);

/* Makes an engine of the model, which the stream keeps a reference of, and exchanges the one that is running for it. The
 * first one, one that comes before the first block, and with `at_once` any, serves from the next block on. A request that has not been carried out yet is
 * replaced. On failure all stays as it was. Whatever comes from this model bears the tag. Errors: as vipann_engine_new.
 * May take tens of milliseconds. */
vipann_status vip_stream_give_model(vip_stream *stream, vipann_model *model, uint32_t tag, bool at_once,
                                    vipann_error *error);

/* The latency of models that are given from now on; the one in force stays as it is. */
void vip_stream_set_latency(vip_stream *stream, vipann_latency latency);

/* The model that results come from, with a reference of its own for the caller; NULL: none yet. */
vipann_model *vip_stream_model(vip_stream *stream);

/* Forgets what has been heard; time begins at 0 again. No push or read may be under way. */
void vip_stream_reset(vip_stream *stream);

/* Hears a block: channels[channel][frames]. Returns frames, or 0 if it was lost. */
uint32_t vip_stream_push(vip_stream *stream, const float *const *channels, uint32_t frames) VIPANN_RT;

/* For a host that runs faster than real time: hears the block in this thread, whatever time that takes, so that nothing is
 * lost and the same sound gives the same results. Not real-time safe. May take turns with vip_stream_push. */
void vip_stream_push_all(vip_stream *stream, const float *const *channels, uint32_t frames);

/* The call of a function that may wait, in one that else never does: for a host that has said that it does not run in
 * real time. Clang, which knows nothing of hosts, would object. */
#if defined(__clang__) && __clang_major__ >= 20
#define VIP_WHERE_IT_MAY_WAIT(call)                                                                                    \
    _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wfunction-effects\"")(call);                 \
    _Pragma("clang diagnostic pop")
#else
#define VIP_WHERE_IT_MAY_WAIT(call) (call);
#endif

/* Ends the stream as the end of a file: what is left is heard and events end. Not while anything is pushed. */
void vip_stream_flush(vip_stream *stream);

/* Pumps once, governs and exchanges; returns columns heard. Only of a stream that is not threaded. */
int vip_stream_work(vip_stream *stream);

/* For whoever calls vip_stream_work, which has heard nothing: seconds until it should be called again, 0.002 .. 0.05. */
double vip_stream_nap(const vip_stream *stream);

/* Whether there is a newest result or an event that has not been taken. */
bool vip_stream_has_news(const vip_stream *stream) VIPANN_RT;

/* Copies the newest result, whose `classes` are those of the model that gave it, and, unless NULL is given, that model's
 * tag; false: nothing new. out is made with vip_stream_result_new, which has room for any model (NULL: memory is short).
 * Free allows NULL. */
bool vip_stream_latest(vip_stream *stream, vipann_result *out, uint32_t *tag) VIPANN_RT;
vipann_result *vip_stream_result_new(void);
void vip_stream_result_free(vipann_result *result);

/* The next result or event of those not yet taken; who is slow loses the newest (results beyond 1 MiB: 121 of 527
 * classes). Of a model exchange, events of the old model are told to end before those of the new one are told, which may
 * have begun before. An event that is told to begin is told to end, under the same id. */
bool vip_stream_next_result(vip_stream *stream, vipann_result *out, uint32_t *tag) VIPANN_RT;
bool vip_stream_next_event(vip_stream *stream, vipann_event *out, uint32_t *tag) VIPANN_RT;

/* As vipann_set: HOP and WINDOW in columns. Stays when the model is exchanged. What the governor has taken away is measured from here. */
void vip_stream_set(vip_stream *stream, vipann_param param, double value) VIPANN_RT;

/* How it stands; each number by itself, all may be read from any thread. */
typedef struct {
    bool has_model;
    uint32_t tag;                 /* of the model that serves: what others have told was told before this was seen */
    uint32_t passes, hop_columns; /* in force: what was asked for, less what the governor took */
    double load;                  /* CPU time of the stream's thread to the sound's time, over the last second or two */
    double pushed_seconds;        /* of sound, in all; the stream's time now */
    double lost_seconds;          /* of them */
    double backlog_seconds;       /* of sound that waits */
    double unread;                /* 0 .. 1: how full the queue of results is, or that of events if it is fuller */
    uint64_t late_hops, exchanges, unread_lost; /* results for which it had no room */
} vip_stream_state;
void vip_stream_look(const vip_stream *stream, vip_stream_state *state) VIPANN_RT;

#endif /* VIP_PLUGIN_STREAM_STREAM_H */
