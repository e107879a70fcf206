/* SPDX-License-Identifier: GPL-3.0-or-later */
/* live_parts.h -- what the files of vip_live share; for live*.c alone. */
#ifndef VIP_PLUGIN_LIVE_LIVE_PARTS_H
#define VIP_PLUGIN_LIVE_LIVE_PARTS_H

#include <stdatomic.h>

#include <plugin/stream/stream.h>

#include "audience.h"
#include "live.h"
#include "panel.h"
#include "pumps.h"
#include "service.h"
#include "standing.h"
#include "wall.h"

typedef struct {
    vip_wall wall;
    double lost_before; /* s of sound, in earlier stretches */
    vip_standing standing;
    vipann_result newest;       /* of this stretch; its arrays mean nothing */
    atomic_uint_least64_t left; /* frames that may still be heard; the audio thread's, others only look: relaxed */
    atomic_bool fast;           /* sound comes faster than the clock goes; likewise */
} vip_live_input;

struct vip_live {
    vip_live_setup setup;
    const vip_arguments *arguments;
    vip_notices notices;
    vip_audience *audience;
    vip_panel *panel; /* NULL: no display */
    FILE *nowhere;    /* where lines go then; NULL: elsewhere */
    vipann_model *model;
    vipann_rules *rules;
    double threshold; /* that a key has set; NaN: none has */
    vip_stream_options options;
    uint32_t tag;
    double duration;  /* s that are to be heard; 0: no end */
    vip_pumps *pumps; /* NULL: no sound comes */
    vip_stream *streams[VIP_LIVE_MOST_INPUTS];
    double before;            /* s: time of the results when this stretch of sound began */
    double ended;             /* s, of the clock that only goes forward: the last end; NaN: there was none */
    double looked;            /* likewise: the last look how the streams stand */
    double told;              /* likewise: when that was told last */
    uint64_t results, events; /* of all inputs so far; events that have ended */
    vip_service service;
    atomic_bool stopping; /* nothing waits for the writer any more; relaxed */
    vipann_result *result;
    vip_live_input inputs[VIP_LIVE_MOST_INPUTS];
};

/* Opens model and rules anew; they are in force, under a tag of their own, if all is well. E_ARG: the model does not have what
 * the options ask of it. Others: as vipann_model_open, vipann_rules_read. */
vipann_status vip_live_open_model(vip_live *live, vipann_error *error);

/* The same for what is running, which goes on if that fails; says how it went. */
void vip_live_reload(vip_live *live);

/* The threshold of all classes that rules say nothing about, as options or keys have set it; NaN: the model's. */
double vip_live_threshold(const vip_live *live);

/* So many more or fewer passes than are in force; more of them take over as another model would. */
void vip_live_step_passes(vip_live *live, int step);

/* Another one, a step up or down, likewise. */
void vip_live_step_threshold(vip_live *live, int step);

#endif /* VIP_PLUGIN_LIVE_LIVE_PARTS_H */
