/* SPDX-License-Identifier: GPL-3.0-or-later */
/* instance.h -- one plugin in a host, and which of its threads may touch what.
 *
 *   audio thread   run, and what messages.h and notes.h declare
 *   owner          whoever holds `owner`: the loader, and the host where it makes, activates, saves and restores; in a
 *                  run that may wait, that run itself */
#ifndef VIP_PLUGIN_LV2_INSTANCE_H
#define VIP_PLUGIN_LV2_INSTANCE_H

#include <pthread.h>
#include <stdatomic.h>

#include <lv2/atom/atom.h>
#include <lv2/core/lv2.h>
#include <lv2/log/log.h>
#include <lv2/urid/urid.h>

#include <plugin/out/midi.h>
#include <plugin/stream/stream.h>

#include "mailbox.h"
#include "ports.h"

enum { VIP_BLOCK = 8192, VIP_EVENTS_A_RUN = 64, VIP_MESSAGE_BYTES = 6144 };

/* What the host calls the names that we use. */
typedef struct {
    LV2_URID atom_sequence, atom_object, atom_blank, atom_path, atom_string, atom_urid, atom_float, atom_int, atom_long,
        atom_double, atom_vector, midi_event;
    LV2_URID patch_set, patch_get, patch_property, patch_value, time_position, time_speed;
    LV2_URID model, bundled, error;
    LV2_URID result, event, time, level, passes, calibrated, unknown, total, aleatoric, epistemic;
    LV2_URID classes, probabilities, deviations, doubts, id, ended, start, end, probability;
} vip_lv2_uris;

/* What is being written to the notify port in this run; sequence NULL: nothing can be. */
typedef struct {
    LV2_Atom_Sequence *sequence;
    uint32_t capacity; /* bytes, header included */
} vip_outbox;

typedef struct vip_instance {
    /* From here to `notes` lies what each run needs, for the sake of the cache: the end of the one struct and the
     * beginning of the other, too. Who else touches it does so seldom. */
    vip_mailbox reports; /* to the audio thread, from the owner */

    /* Fixed from instantiate to cleanup. */
    uint32_t channels;
    uint8_t n_inputs, n_outputs;
    uint8_t inputs[VIP_N_PORTS], outputs[VIP_N_PORTS]; /* which ports are controls */
    LV2_URID_Map *map;                                 /* NULL: no atoms, no state */
    vip_stream *stream;                                /* NULL: sound passes and nothing is heard */
    vip_lv2_uris uris;

    /* Audio thread. */
    void *ports[VIP_MAX_PORTS];
    uint32_t given[VIP_N_PORTS]; /* the bits of the control inputs, as they were last seen */
    float shown[VIP_N_PORTS];    /* what the control outputs say */
    vip_outbox outbox;
    uint32_t look_frames, unlooked; /* from one look at how the stream stands to the next; since the last */
    unsigned set_generation;
    bool controls_seen;      /* `given` holds of every port that is connected */
    bool parameters_pending; /* the stream may have to be told */
    bool was_enabled, was_reset, was_freewheel, was_rolling, loading, refused;
    bool waits;                  /* run may wait, says the host */
    bool rolling;                /* the transport, as far as the host has said */
    bool tell_model, tell_error; /* to the notify port, when there is room */

    /* Between the audio thread and the owner. */
    atomic_bool reset_wanted;      /* set by the audio thread, which then leaves the stream alone until the owner has
                                    * cleared it */
    atomic_bool heard;             /* sound was pushed since the last reset */
    _Atomic float threshold;       /* wanted: by the audio thread. The owner only reads */
    atomic_uint latency;           /* likewise; a vipann_latency */
    atomic_uint passes, window;    /* likewise; columns. Stored after the stream was told */
    _Atomic double column_seconds; /* of the newest model */
    atomic_uint own_passes, own_window, generation; /* what it wants; generation is written last */

    /* Audio thread, now and then. */
    vip_midi notes;
    float taken[VIP_N_PORTS];    /* the control inputs, each within its range */
    double set[VIPANN_N_PARAMS]; /* what the stream was last told */
    vipann_result *result;
    const vip_letter *report; /* NULL: none yet */
    uint64_t message[VIP_MESSAGE_BYTES / sizeof(uint64_t)];
    char refusal[VIP_TEXT_BYTES];
    vip_mailbox requests; /* to the owner */

    /* Owner. */
    pthread_mutex_t owner;
    struct vip_instance *next;
    LV2_Log_Log *log;
    char *bundle;        /* the folder, with a slash at its end */
    vipann_model *model; /* the newest one, NULL: none */
    vipann_rules *rules; /* of its events */
    float rules_threshold, threshold_seen;
    unsigned engine_latency, latency_seen;
    unsigned room_passes, room_window; /* that its engine has memory for */
    unsigned passes_seen, window_seen;
    unsigned calm;             /* calls since one of those that were seen moved */
    char path[VIP_PATH_BYTES]; /* of the model as it was asked for, or if it is bundled its name */
    char file[VIP_PATH_BYTES]; /* the file that is */
    bool bundled, active;
} vip_instance;

#endif /* VIP_PLUGIN_LV2_INSTANCE_H */
