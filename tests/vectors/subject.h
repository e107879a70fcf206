/* SPDX-License-Identifier: GPL-3.0-or-later */
/* subject.h -- the network of a case, and the pass that hears for it. */
#ifndef VIP_TESTS_VECTORS_SUBJECT_H
#define VIP_TESTS_VECTORS_SUBJECT_H

#include "case.h"

#include <bayes/members.h>
#include <nn/pass.h>

/* What is to be heard with. */
typedef struct {
    bool flipout, explicit_weights; /* neither: the mean weights */
    uint32_t draw;                  /* of eps; explicit: of member 0, the others' follow */
    uint32_t first_member;          /* of the masks: member m here has those of first_member + m; see below */
    uint32_t members, max_frames, window;
    const float *rates; /* NULL: no dropout */
    uint64_t seed;
} recipe;

typedef struct {
    vip_tensors noise;
    vip_weights *weights;
    vip_weights *sets[VIPANN_MAX_PASSES]; /* of explicit members */
    vip_signs *signs;
    vip_pass *pass;
} subject;

/* The model that the case names, or NULL after saying what is wrong. */
vip_model *open_model(const vector_case *c, tally *t);

/* The case's rates by site: those it names, else those of training. */
void read_rates(const vector_case *c, const vip_network *network, float rates[VIP_MAX_SITES]);

/* Draws, packs and allocates; false: memory is short. To be closed in any case. Only one subject with a first_member
 * above 0 at a time. */
bool subject_open(subject *s, const vip_model *model, const recipe *how);
void subject_close(subject *s);

/* Hears n frames as a clip; logits [members][classes]. */
void subject_hear(subject *s, const float *frames, size_t n, uint32_t members, float *logits);

/* One tensor of the case, [rows][1][frames][VIP_MELS] or [frames][VIP_MELS], or NULL after saying what is wrong. */
const float *need_logmel(const vector_case *c, tally *t, size_t *rows, size_t *n_frames);

#endif /* VIP_TESTS_VECTORS_SUBJECT_H */
