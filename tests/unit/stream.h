/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stream.h -- small random models, sounds and hosts for the tests of the engine. */
#ifndef TESTS_UNIT_STREAM_H
#define TESTS_UNIT_STREAM_H

#include <model/model.h>
#include <vipann/vipann.h>

/* For cmocka's group functions: *state becomes a stream_models, in a folder that goes away with it. All are ResNet-22 of
 * width 1, 16 kHz, five classes. */
typedef struct {
    void *folder;                /* for scratch_path(.., &folder, ..) */
    vipann_model *same, *causal; /* dropout everywhere, multi-label */
    vipann_model *late;          /* causal, dropout before the dense layers only, multi-label */
    vipann_model *flipout;       /* causal, mean-field, multi-class */
    vipann_model *plain;         /* same, deterministic, multi-class */
    vipann_model *ensemble;      /* same, of STREAM_MEMBERS, multi-label */
} stream_models;

int stream_open_models(void **state);
int stream_close_models(void **state);

/* Opens one more, written to a file of that name in their folder; frees `file`, whose name no other may have. NULL, after
 * saying why, if that fails. */
vipann_model *stream_open(stream_models *models, const char *name, vip_model *file);

enum {
    STREAM_SEED = 7,
    STREAM_MEMBERS = 8,
    STREAM_CLASSES = 5,
    STREAM_COLUMN = 5120 /* samples of one column at 16 kHz */
};

/* Sound number `seed` of n samples, full scale about 0.3: tones that come and go over noise. The caller frees it. */
float *stream_sound(uint32_t seed, size_t n);

/* What a test may want of the options, the rest being the model's defaults at 16 kHz and a seed of 3. */
vipann_options stream_options(const vipann_model *model, uint32_t passes, vipann_latency latency);

/* A parameter that is set once `at` frames have been heard. */
typedef struct {
    size_t at;
    vipann_param param;
    double value;
} stream_change;

/* How a host feeds an engine. */
typedef struct {
    uint32_t seed;                /* of the sizes of blocks, 1 .. max_block, and of how often it pumps; 0: by block */
    uint32_t block;               /* frames, pumped after each until nothing is left */
    const stream_change *changes; /* in the order of time */
    size_t n_changes;
    bool open; /* the stream is not flushed */
} stream_host;

/* Results with room of their own, in order. */
enum { STREAM_RESULTS = 160 };
typedef struct {
    size_t n;
    vipann_result *results[STREAM_RESULTS];
} stream_answers;

void stream_answers_free(stream_answers *answers);

/* Appends what the reader has not given yet. */
void stream_collect(vipann_reader *reader, const vipann_model *model, stream_answers *answers);

/* Hears x[0 .. n-1] on one channel; at every frame of a change all that was pushed has been pumped. */
void stream_feed(vipann_engine *engine, vipann_reader *reader, const vipann_model *model, const vipann_options *options,
                 const float *x, size_t n, const stream_host *host, stream_answers *answers);

/* A new engine (options may be NULL) hears x; what it says is to be freed with stream_answers_free. */
stream_answers *stream_run(vipann_model *model, const vipann_options *options, const float *x, size_t n,
                           const stream_host *host);

/* All numbers are the same bits; same_content: but what says when the answer was given (t_seconds, last, gap_seconds) and
 * calibrated. */
bool stream_equal(const vipann_result *a, const vipann_result *b);
bool stream_same_content(const vipann_result *a, const vipann_result *b);

/* As many results, pairwise equal; says on stderr which one differs first. */
bool stream_all_equal(const stream_answers *a, const stream_answers *b);

/* Nothing is NaN or infinite, probabilities are within 0 .. 1, doubts add up and are not negative. */
bool stream_sane(const vipann_result *r);

#endif /* TESTS_UNIT_STREAM_H */
