/* SPDX-License-Identifier: GPL-3.0-or-later */
/* said.h -- what a live stream says, beside what its engine says alone: for the tests of plugin/stream. */
#ifndef TESTS_UNIT_SAID_H
#define TESTS_UNIT_SAID_H

#include "plugin/stream/stream.h"
#include "stream.h"

enum { RATE = 16000, N = 60 * STREAM_COLUMN + 1000, BLOCK = 700, MOST_EVENTS = 512, OTHER_CLASSES = 9 };

/* All tests share the models, a sound with silence in it, and rules by which every class is present in what is loud. */
extern struct said_shared {
    stream_models *models;
    vipann_model *other; /* of OTHER_CLASSES, causal */
    vipann_rules *rules, *others_rules;
    float *x;
} said_common;

typedef struct {
    stream_answers results;
    size_t n_events;
    vipann_event events[MOST_EVENTS];
    uint32_t result_tags[STREAM_RESULTS], event_tags[MOST_EVENTS];
} said;

/* For cmocka's group functions. */
int said_open(void **state);
int said_close(void **state);

/* The rules of a model of said_common, as streams ask for them; user: whatever. */
const vipann_rules *said_rules(void *user, const vipann_model *model);

/* Two of at most four members, a window of a second, not governed. */
vip_stream_options said_options(bool threaded);

/* A stream with this model under tag 1; NULL: none. */
vip_stream *said_stream(const vip_stream_options *options, vipann_model *model);

void said_free(said *said);

/* Appends everything that has not been read. The model is the one whose classes a result has. */
void said_collect(vip_stream *stream, said *got);

/* What an engine says of x that is alone with it; flushed or not. */
said *said_alone(vipann_model *model, const float *x, size_t n, bool flushed);

/* The same, but for tags. */
void said_assert_same(const said *a, const said *b);

/* Hears x in blocks of random sizes from 0 on, some of them larger than the largest of a push; got may be NULL. */
void said_push_all(vip_stream *stream, const float *x, size_t n, uint32_t *random, said *got);

void said_rest(long milliseconds);

/* Each event that begins ends once, under its id and class; ids count from 1. Returns how many there were. */
size_t said_assert_paired(const said *got);

#endif /* TESTS_UNIT_SAID_H */
