/* SPDX-License-Identifier: GPL-3.0-or-later */
/* listener.h -- a small network of random numbers and the pass that hears with it: for tests of nn/ and bayes/. */
#ifndef TESTS_UNIT_LISTENER_H
#define TESTS_UNIT_LISTENER_H

#include <bayes/members.h>
#include <nn/pass.h>

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { TINY_WIDTH = 2, TINY_CLASSES = 5 };

/* n frames of something like a log-mel sound, [n][VIP_MELS]; a pure function of seed and frame. Free with free. */
float *random_frames(uint64_t seed, size_t n);

/* For cmocka's group functions: *state becomes the SOUND_FRAMES frames of seed 1. */
enum { SOUND_FRAMES = 470 };
int make_frames(void **state);
int free_frames(void **state);

/* A model of TINY_WIDTH and TINY_CLASSES with random weights; dropout at the rates of training, ensembles of
 * TINY_MEMBERS. */
enum { TINY_MEMBERS = 8 };
vip_model *tiny_model(vip_arch arch, vip_padding padding, vipann_posterior posterior);

typedef struct {
    const vip_model *model; /* that of every listener of the same architecture, padding and posterior */
    vip_tensors noise;
    vip_weights *weights;
    vip_signs *signs;
    vip_weights **sets; /* [VIPANN_MAX_PASSES] of members with weights of their own; NULL: there are none */
    vip_pass *pass;
} listener;

/* What a test may want otherwise than usual: a zero is the usual value. */
typedef struct {
    vip_arch arch;
    vip_padding padding;
    vipann_posterior posterior; /* mean field: Flipout per channel, unless ... */
    bool explicit_members;      /* have weights of their own */
    uint32_t members;           /* 1 */
    uint32_t max_frames;        /* 32 */
    uint32_t max_window;        /* endless */
    uint64_t seed;
    const vip_kernels *kernels; /* the best here */
} listener_options;

/* The networks and posteriors over which most invariants are seen to hold. */
enum { FLIPOUT_KIND = 5, EXPLICIT_KIND, ENSEMBLE_KIND, CAUSAL_ENSEMBLE_KIND, KINDS };
listener_options kind_of(size_t kind);

/* Asserts that everything could be made. */
listener listener_new(const listener_options *options);
void listener_free(listener *l);

/* Hears frames[from .. to-1] in pieces of at most max_piece; random: shorter ones too, of lengths drawn from *random.
 * After each piece, the logits of every new column alone (windows: of `window` columns before it) are appended:
 * answers [columns][members][TINY_CLASSES], from *columns on. */
typedef struct {
    const float *frames;
    size_t max_piece;
    uint32_t *random; /* NULL: all pieces but the last have max_piece frames */
    uint32_t window, members;
    float *answers;
    int64_t columns;
} hearing;

void hear(vip_pass *pass, hearing *h, size_t from, size_t to);

/* The sound has ended: the columns that come then. */
void hear_end(vip_pass *pass, hearing *h);

/* Room for the answers of so many columns, members and classes, all NaN. Free with free. */
float *new_answers(size_t columns, size_t members);

#endif /* TESTS_UNIT_LISTENER_H */
