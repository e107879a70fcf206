/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vipann.h -- hears a sound and says what it is, and how sure it is, while it is being played.
 *
 * A model is a network with its labels; an engine is one stream of audio going through a model; a reader is one
 * listener to what an engine finds out. Live:
 *
 *   audio thread       vipann_push                              never waits, allocates or calls the system
 *   analysis thread    vipann_pump, vipann_flush                all the work
 *   any one thread     vipann_latest, vipann_next_result,       one thread per reader
 *                      vipann_next_event
 *   owner              everything else, while none of the above runs unless a function says otherwise
 *
 * A file needs one thread only: push, pump until nothing is left, read, and at the end flush.
 *
 * Times are seconds from the first sample at the input's rate; doubt is in nats; full scale is 1.0. A "column" is 32
 * frames of the front-end (0.32 s in the models that are shipped): the step in which networks and results advance.
 * Every function that can fail says why in one line in *error, which may be NULL and is left alone on success. */
#ifndef VIPANN_VIPANN_H
#define VIPANN_VIPANN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define VIPANN_API __attribute__((visibility("default")))
#else
#define VIPANN_API
#endif

#if defined(__clang__) && __clang_major__ >= 20 && !defined(__cplusplus)
#define VIPANN_RT __attribute__((nonblocking)) /* checked by -Wfunction-effects and by -fsanitize=realtime */
#else
#define VIPANN_RT /* never allocates, locks, waits or calls the system */
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------------------------- errors, version */

typedef enum {
    VIPANN_OK = 0,
    VIPANN_E_ARG,         /* the caller asked for something out of range */
    VIPANN_E_IO,          /* a file could not be read or written */
    VIPANN_E_FORMAT,      /* a file is not what it should be */
    VIPANN_E_UNSUPPORTED, /* a file is right but beyond this version */
    VIPANN_E_MEMORY,      /* out of memory */
    VIPANN_E_BUSY         /* another thread is at it */
} vipann_status;

typedef struct {
    vipann_status status;
    char text[256]; /* one line, without a newline: what, where, what was found, what was expected, what to do */
} vipann_error;

/* The version of the library, such as "0.1.0"; static. Thread: any. */
VIPANN_API const char *vipann_version(void);

/* The kernels that a new engine uses: "avx512", "avx2" or "c"; static. The environment variable VIPANN_KERNELS forces
 * one of them; "none" if it names what cannot run here. Thread: any but the audio thread. */
VIPANN_API const char *vipann_kernels(void);

/* -------------------------------------------------------------------------------------------------------- models */

typedef struct vipann_model vipann_model;

typedef enum { VIPANN_MULTILABEL, VIPANN_MULTICLASS } vipann_task;
typedef enum { VIPANN_DETERMINISTIC, VIPANN_DROPOUT, VIPANN_MEANFIELD, VIPANN_ENSEMBLE } vipann_posterior;

/* What *unknown* can be told from; a model's calibration states limits for those that serve it. */
typedef enum {
    VIPANN_SCORE_EPISTEMIC,  /* nats, corrected for few members: unknown above the limit; needs two members */
    VIPANN_SCORE_TOTAL,      /* nats: unknown above the limit */
    VIPANN_SCORE_CONFIDENCE, /* the largest probability: unknown below the limit */
    VIPANN_SCORE_SUM,        /* parts that the model names, each standardised, added up: unknown above the limit */
    VIPANN_N_SCORES
} vipann_score;

/* What VIPANN_SCORE_SUM may add up; each is larger for sounds that are more foreign to the model. */
typedef enum {
    VIPANN_PART_TOTAL,      /* doubt, nats */
    VIPANN_PART_EPISTEMIC,  /* nats, corrected for few members; needs two members */
    VIPANN_PART_CONFIDENCE, /* 1 - the largest probability */
    VIPANN_PART_ENERGY,     /* how little the sound excites all classes together */
    VIPANN_PART_DISTANCE,   /* from the sounds of the training, 0 .. 2 */
    VIPANN_N_PARTS
} vipann_part;

/* What a model says of itself. Strings belong to the model and are never NULL; those it does not state are "". */
typedef struct {
    const char *name;   /* the file's name without folder and .safetensors */
    const char *sha256; /* of the file, 64 hexadecimal digits */
    const char *arch, *padding, *frontend, *preset, *provenance, *license, *calibration_data;
    vipann_task task;
    vipann_posterior posterior;
    uint32_t width, classes;
    uint32_t members;          /* of an ensemble; 0: as many can be drawn as one likes, or there are none */
    uint64_t weights;          /* parameters of the mean network, or of one member of an ensemble */
    double sample_rate;        /* Hz */
    uint32_t n_fft, hop, mels; /* samples, samples, bins */
    double fmin, fmax;         /* Hz */
    double column_seconds;     /* the step in which results come */
    double look_ahead_seconds; /* what `centred` waits for behind a column; 0 if the network is causal */
    bool causal;               /* centred and edge are the same */
    bool has_calibration;
    double temperature, temperature_deterministic;            /* 1 if there are none */
    uint32_t calibration_members, calibration_window_columns; /* 0: not stated */
    bool has_unknown[VIPANN_N_SCORES];                        /* a limit is stated */
    double unknown[VIPANN_N_SCORES];                          /* the limits */
    bool has_part[VIPANN_N_PARTS];                            /* VIPANN_SCORE_SUM adds it up */
    uint32_t prototypes;                                      /* that VIPANN_PART_DISTANCE is measured to */
} vipann_model_info;

/* Opens a model file and checks all of it before returning. A file that this process has open already (same file,
 * same content) is shared, not read again. The caller owns one reference.
 *
 * Thread: any but the audio thread. Errors: E_ARG (path is NULL), E_IO, E_FORMAT, E_UNSUPPORTED, E_MEMORY. */
VIPANN_API vipann_model *vipann_model_open(const char *path, vipann_error *error);

/* Counts one more user of the model and returns it. Thread: any. */
VIPANN_API vipann_model *vipann_model_ref(vipann_model *model);

/* Gives one reference back; the last one frees the model. NULL is allowed. Thread: any but the audio thread. */
VIPANN_API void vipann_model_unref(vipann_model *model);

/* Fills *info. Thread: any. */
VIPANN_API void vipann_model_describe(const vipann_model *model, vipann_model_info *info);

/* The name of class i, 0 <= i < classes, UTF-8; belongs to the model. NULL if i is out of range. Thread: any. */
VIPANN_API const char *vipann_model_label(const vipann_model *model, uint32_t i);

/* Probability from which class i counts as present; negative if the model states none or calls it not reportable, or if
 * i is out of range. Thread: any. */
VIPANN_API double vipann_model_threshold(const vipann_model *model, uint32_t i);

/* The name of a score in model files: "epistemic_nats", "total_nats", "confidence", "score"; static. NULL if out of range.
 * Thread: any. */
VIPANN_API const char *vipann_score_name(vipann_score score);

/* The name of a part in model files: "total", "epistemic", "confidence", "energy", "distance"; static. NULL if out of
 * range. Thread: any. */
VIPANN_API const char *vipann_part_name(vipann_part part);

/* --------------------------------------------------------------------------------------------------------- rules */

/* What makes an event of a run of answers, for all classes and for single ones. Probabilities are those of a short
 * window of VIPANN_EVENT_COLUMNS columns. A class is present while its answers do not fall below
 * threshold * (1 - hysteresis), if `k` of `n` successive ones of them reach `threshold`; absences shorter than merge_gap
 * are bridged, and what is then shorter than min_length is dropped.
 *
 *   key          value            default
 *   threshold    0 .. 1, model    the model's for the class, else 0.5, or 0.8 if classes are exclusive
 *   hysteresis   0 .. 1           0.8
 *   min_length   0 .. 3600 s      0.3
 *   merge_gap    0 .. 3600 s      0.7
 *   hops         K of N           1 of 1 (N at most VIPANN_MAX_RULE_HOPS)
 *   report       yes, no          yes, unless the model calls the class not reportable
 *   level        -200 .. 0 dBFS   -70: sound below this is silent; for all classes only
 *
 * A rule file has lines `key = value`, comments from `#` to the end, first for all classes, then for single ones in
 * sections `[class "Dog"]`. What is said for a class counts more than what is said for all, whatever the order. */
typedef struct vipann_rules vipann_rules;

enum { VIPANN_EVENT_COLUMNS = 3, VIPANN_MAX_RULE_HOPS = 32 };

typedef enum {
    VIPANN_RULE_THRESHOLD,
    VIPANN_RULE_HYSTERESIS,
    VIPANN_RULE_MIN_LENGTH,
    VIPANN_RULE_MERGE_GAP,
    VIPANN_RULE_HOPS,
    VIPANN_RULE_REPORT,
    VIPANN_RULE_LEVEL,
    VIPANN_N_RULES
} vipann_rule_key;

/* The rule in force for one class. */
typedef struct {
    double threshold, release; /* release = threshold * (1 - hysteresis) */
    double hysteresis;
    double min_length_seconds, merge_gap_seconds;
    uint32_t k, n;
    bool report;
    double level_dbfs;
    const char *origin[VIPANN_N_RULES]; /* where each value comes from: "default", "model", "night.conf:12" or what was
                                         * given to vipann_rules_set; belongs to the rules */
} vipann_rule;

/* The defaults for the model's classes, which are copied; the caller owns them, free allows NULL. Thread, here and
 * below: any but the audio thread, one at a time for the same rules. Errors: E_MEMORY. */
VIPANN_API vipann_rules *vipann_rules_new(const vipann_model *model, vipann_error *error);
VIPANN_API void vipann_rules_free(vipann_rules *rules);

/* Adds what a rule file says. Errors name the file and the line: E_IO, E_FORMAT (a key, value or class that is not
 * known; a key twice in one section), E_MEMORY. After an error the rules are as before. */
VIPANN_API vipann_status vipann_rules_read(vipann_rules *rules, const char *path, vipann_error *error);

/* Sets one key for the class `label`, or for all that have no value of their own if label is NULL. value is as in a rule
 * file; origin is what vipann_rule says of it, such as "--threshold". Errors: E_ARG, E_MEMORY. */
VIPANN_API vipann_status vipann_rules_set(vipann_rules *rules, const char *label, const char *key, const char *value,
                                          const char *origin, vipann_error *error);

/* Of the labels, separated by ';': reports these and no others (only), or all but these. Errors: E_ARG (no such label:
 * the nearest one is offered), E_MEMORY. */
VIPANN_API vipann_status vipann_rules_only(vipann_rules *rules, const char *labels, const char *origin,
                                           vipann_error *error);
VIPANN_API vipann_status vipann_rules_ignore(vipann_rules *rules, const char *labels, const char *origin,
                                             vipann_error *error);

/* Fills *rule with the rule in force for class i < classes; its strings last until the rules change. */
VIPANN_API void vipann_rules_describe(const vipann_rules *rules, uint32_t i, vipann_rule *rule);

/* The key's name, as in a rule file; static. NULL if out of range. Thread: any. */
VIPANN_API const char *vipann_rule_name(vipann_rule_key key);

/* ------------------------------------------------------------------------------------------------------- options */

typedef enum {
    VIPANN_CENTRED, /* an answer waits until everything that bears on its columns has been heard */
    VIPANN_EDGE     /* an answer comes at once, as if the sound ended now; about three times the work */
} vipann_latency;

/* How members of a mean-field posterior are made; of no effect on other models. */
typedef enum {
    VIPANN_FLIPOUT, /* one draw of noise with signs of their own: cheap, members are slightly correlated */
    VIPANN_EXPLICIT /* a draw of their own: independent, and as many sets of weights as members */
} vipann_members;

enum {
    VIPANN_MAX_PASSES = 64,
    VIPANN_MAX_WINDOW_COLUMNS = 375, /* two minutes at 0.32 s */
    VIPANN_MAX_HOP_COLUMNS = 375,
    VIPANN_MAX_PIECE_COLUMNS = 32,
    VIPANN_MAX_CHANNELS = 64,
    VIPANN_MAX_READERS = 8
};

/* Fill with vipann_options_default, then change what is not wanted. Out of range: vipann_engine_new says so. */
typedef struct {
    double rate;         /* of the input in Hz, 8000 .. 384000 */
    uint32_t channels;   /* of the input, 1 .. VIPANN_MAX_CHANNELS */
    int32_t channel;     /* which one to hear, from 0; -1: the mean of all */
    uint32_t passes;     /* Monte-Carlo members, 1 .. VIPANN_MAX_PASSES, or as many as an ensemble has; 0: the
                              * deterministic pass of any model, which is that of an ensemble's first member */
    uint32_t max_passes; /* the most that VIPANN_PASSES may ask for later; raised to `passes` if below */
    vipann_members members;
    uint64_t seed;               /* of every random number */
    uint32_t hop_columns;        /* columns between two answers, 1 .. VIPANN_MAX_HOP_COLUMNS */
    uint32_t window_columns;     /* columns an answer pools, 1 .. VIPANN_MAX_WINDOW_COLUMNS; 0: all since the start */
    uint32_t max_window_columns; /* the most that VIPANN_WINDOW may ask for later; raised to window_columns if below */
    double horizon_seconds;      /* time constant of smoothing each member's probabilities, 0 .. 3600; 0: none */
    vipann_latency latency;      /* of no effect on a causal network */
    uint32_t piece_columns;      /* most columns computed in one go, 1 .. VIPANN_MAX_PIECE_COLUMNS: larger is faster for
                                  * files and later for streams; results do not depend on it */
    uint32_t max_block;          /* most frames in one push, 1 .. 65536 */
    double ring_seconds;         /* audio that waits for the analysis thread, 0.1 .. 60, at least two blocks */
    const vipann_rules *rules;   /* of events, and the level of silence, for the labels of this model; copied by
                                  * vipann_engine_new. NULL: defaults */
} vipann_options;

/* The model's own defaults at 48 kHz mono: its calibration's members and window if it states them, else 8 members (0 if
 * it is deterministic) and 15 columns; hop 1 column, centred, seed 1. Thread: any. */
VIPANN_API void vipann_options_default(vipann_options *options, const vipann_model *model);

/* ------------------------------------------------------------------------------------------------------- results */

typedef enum { VIPANN_NO, VIPANN_YES, VIPANN_CANNOT_SAY } vipann_answer;
typedef enum { VIPANN_REDUCTION_NONE, VIPANN_REDUCTION_SUM } vipann_reduction;

/* What is heard at one moment. Multi-label totals are sums over the classes (VIPANN_REDUCTION_SUM), multi-class ones
 * the entropy of the classes. Per class and in total: total = aleatoric + epistemic. */
typedef struct {
    double t_seconds;      /* the end of the newest column that the answer pools */
    double window_seconds; /* what was pooled; shorter than asked for at the start of a stream */
    uint32_t columns;      /* the same in columns */
    uint32_t passes;       /* members that were counted; 0: deterministic pass */
    bool calibrated;       /* the model's calibration was found with the window asked for (endless: with as many
                            * columns), this preset and this number of members */
    bool last;             /* the stream has been flushed: nothing follows */
    bool has_epistemic;    /* at least two members; otherwise std and epistemic are 0 and mean nothing */
    vipann_answer unknown; /* the sound is like nothing that the model was taught; never so if it is silent */
    double level_dbfs;     /* root mean square over the window, full scale 1.0; at least -200 */
    bool silent;           /* that is below the level of the rules */
    vipann_reduction reduction;
    double total_nats, aleatoric_nats, epistemic_nats;
    double gap_seconds;  /* sound lost so far because the analysis was too slow */
    uint64_t not_finite; /* samples so far that were NaN or infinite and were heard as silence */
    uint64_t clipped;    /* samples so far beyond +-100 (40 dB above full scale), cut there */
    uint32_t classes;
    float *p;         /* [classes] probability, mean over the members */
    float *std;       /* [classes] its population standard deviation over the members */
    float *aleatoric; /* [classes] nats: what the sound leaves open */
    float *epistemic; /* [classes] nats: what the members disagree about */
} vipann_result;

/* A result with room for the model's classes, owned by the caller; NULL if memory is short. free allows NULL.
 * Thread: any but the audio thread. */
VIPANN_API vipann_result *vipann_result_new(const vipann_model *model);
VIPANN_API void vipann_result_free(vipann_result *result);

/* A stretch of time in which a class is heard, as the rules have it. Told twice: when it has lasted long enough to
 * count, and when it is over. */
typedef struct {
    uint64_t id;          /* from 1, in the order in which they count; the same when it is over */
    uint32_t class_index; /* of vipann_model_label */
    bool ended;
    double start_seconds, end_seconds; /* end: so far, until it has ended */
    double p_max, p_mean;              /* over its answers, gaps that were bridged left out */
    bool has_epistemic;                /* otherwise epistemic_nats is 0 and means nothing */
    double epistemic_nats;             /* of this class, mean over its answers */
    vipann_answer unknown;             /* most of the results meanwhile said so; before the first: cannot say */
    uint32_t passes;                   /* of the newest of its answers */
    bool calibrated;                   /* results meanwhile were, or would have been at any moment */
} vipann_event;

/* ------------------------------------------------------------------------------------------------------- engines */

typedef struct vipann_engine vipann_engine;

/* What can be changed while an engine runs; values as in vipann_options. */
typedef enum {
    VIPANN_PASSES,  /* 1 .. max_passes; a member that joins counts once it has heard a whole look-back and window, where
                     * all columns are pooled not before a reset or a long gap. Of no effect on an engine of the
                     * deterministic pass */
    VIPANN_HOP,     /* columns */
    VIPANN_WINDOW,  /* columns, 1 .. max_window_columns; of no effect on an engine that pools all columns */
    VIPANN_HORIZON, /* seconds */
    VIPANN_N_PARAMS
} vipann_param;

/* Makes an engine and allocates all it will ever need. options is copied; NULL: the model's defaults. The engine
 * keeps a reference to the model. free allows NULL, and frees the readers too. Thread: any but the audio thread; free
 * only while nobody pushes, pumps or reads. Errors: E_ARG (which option, its range; rules for other labels; VIPANN_KERNELS
 * names what cannot run), E_MEMORY. */
VIPANN_API vipann_engine *vipann_engine_new(vipann_model *model, const vipann_options *options, vipann_error *error);
VIPANN_API void vipann_engine_free(vipann_engine *engine);

/* Takes the engine back to its first state, as if no sound had been heard; parameters stay as they were set, readers
 * stay and forget what they have not handed out. Thread: any but the audio thread, while nobody pushes, pumps or
 * reads. */
VIPANN_API void vipann_engine_reset(vipann_engine *engine);

/* Hands over `frames` (0 .. max_block) frames; channels[c] points at `frames` samples of channel c, borrowed for the
 * call. Returns frames, or 0 if there is no room or the block is too large: then the whole block is lost, counted, and
 * kept as a gap of the same length, so that time does not slip. Thread: audio. Cost: O(frames * channels). */
VIPANN_API uint32_t vipann_push(vipann_engine *engine, const float *const *channels, uint32_t frames) VIPANN_RT;

/* Works on what has been pushed, for at most piece_columns columns. Returns the number of columns that were heard
 * (0: there is not enough sound for one), or -1 if another thread is pumping. Thread: analysis. */
VIPANN_API int vipann_pump(vipann_engine *engine);

/* The stream has ended: pumps what is left, ends it as the end of a file, and gives a last result for it. After that
 * only reset, readers and free make sense. The last result's numbers may be those of the one before, with `last` set, if
 * the end added nothing: on a causal network that is the rule. Thread: analysis. Returns false, and gives no result, if
 * no sound came since the start, if it has ended already, or if another thread is pumping. */
VIPANN_API bool vipann_flush(vipann_engine *engine);

/* Frames that can be pushed now without loss. Thread: the pushing one. */
VIPANN_API uint32_t vipann_push_space(vipann_engine *engine) VIPANN_RT;

/* Sets a parameter, clamped to its range, from the next column on; NaN changes nothing. Thread: any. */
VIPANN_API void vipann_set(vipann_engine *engine, vipann_param param, double value) VIPANN_RT;

/* What a pass costs, from the shapes alone. */
typedef struct {
    double macs_per_second; /* multiply-adds of convolutions and dense layers per second of sound */
    uint64_t memory_bytes;  /* of the weights and of what the network keeps of the sound; not of the sound that waits
                             * (ring_seconds) nor of readers */
} vipann_cost;

/* Fills *cost for an engine with these options, not NULL, without making one; unchanged on failure. Thread: any but the
 * audio thread. Errors: E_ARG (which option, its range), E_MEMORY. */
VIPANN_API vipann_status vipann_model_cost(const vipann_model *model, const vipann_options *options, vipann_cost *cost,
                                           vipann_error *error);

/* ------------------------------------------------------------------------------------------------------- readers */

typedef struct vipann_reader vipann_reader;

enum {
    VIPANN_LATEST = 1,  /* the newest result only: for displays */
    VIPANN_RESULTS = 2, /* every result, in order: for files and logs */
    VIPANN_EVENTS = 4   /* beginnings and ends of events, in the order in which they are found */
};

/* Makes a reader of an engine that has not been pushed to yet. what: any of the three. Belongs to the engine and is freed
 * with it. Who reads all there is after each vipann_pump, and pumps until nothing is left before vipann_flush, loses
 * nothing; a slower reader loses what its queues cannot hold, the newest first. Thread: any but the audio thread, one at
 * a time. Errors: E_ARG (more than VIPANN_MAX_READERS, none of the three, the stream runs already), E_MEMORY. */
VIPANN_API vipann_reader *vipann_reader_new(vipann_engine *engine, unsigned what, vipann_error *error);

/* Copies the newest result to *out (from vipann_result_new); false: nothing new since the last call.
 * Thread: one per reader. */
VIPANN_API bool vipann_latest(vipann_reader *reader, vipann_result *out) VIPANN_RT;

/* Copies the oldest result not yet read to *out; false: there is none. Thread: one per reader. */
VIPANN_API bool vipann_next_result(vipann_reader *reader, vipann_result *out) VIPANN_RT;

/* Copies the oldest event not yet read to *out; false: there is none. Thread: one per reader. */
VIPANN_API bool vipann_next_event(vipann_reader *reader, vipann_event *out) VIPANN_RT;

/* Results and events that were lost because this reader's queues were full. Thread: any. */
VIPANN_API uint64_t vipann_reader_lost(const vipann_reader *reader) VIPANN_RT;

/* --------------------------------------------------------------------------------------------------------- clips */

/* Tags one whole recording.
 *
 * model    borrowed; may serve other calls at the same time
 * options  NULL: the model's defaults; rate, channels, hop, window, horizon and latency are of no effect
 * x        n mono samples, full scale 1.0, borrowed for the call; NaN and infinities count as silence
 * rate     of x in Hz, 8000 .. 384000
 * out      from vipann_result_new(model); unchanged on failure
 *
 * Thread: any but the audio thread (allocates; time grows with n). Same input and seed: same bits.
 * Errors: E_ARG (n is 0; rate or an option out of range), E_MEMORY. */
VIPANN_API vipann_status vipann_clip(vipann_model *model, const vipann_options *options, const float *x, size_t n,
                                     double rate, vipann_result *out, vipann_error *error);

#ifdef __cplusplus
}
#endif

#endif /* VIPANN_VIPANN_H */
