/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pass.h -- the one pass that serves streams and clips: new log-mel frames go in, finished columns come out.
 *
 * Each level keeps the few columns that later steps still need. A column is computed once; pushing a sound in pieces of
 * any size gives the same bits as pushing it whole. Everything that members share is computed once; from the first
 * step with dropout on, and everywhere if members have weights of their own, it is computed for each.
 *
 * One thread at a time. Everything is allocated by vip_pass_new. */
#ifndef VIP_NN_PASS_H
#define VIP_NN_PASS_H

#include "schedule.h"
#include "weights.h"

#include <kernels/kernels.h>

typedef struct vip_pass vip_pass;

/* Columns that can still be asked for behind those that were final before the newest push. */
enum { VIP_PASS_KEPT = 8 };

typedef struct {
    const vip_kernels *kernels;
    const float *rates;             /* dropout per site, [n_sites]; NULL: no dropout. Copied */
    const vip_signs *signs;         /* of Flipout, for max_members; NULL unless the weights are pairs. Borrowed */
    const vip_weights *const *sets; /* [max_members]: weights of each member's own; NULL: all share one set. Borrowed */
    uint64_t seed;
    uint32_t max_members; /* 1 .. VIPANN_MAX_PASSES */
    uint32_t max_frames;  /* most frames of one push */
    uint32_t max_window;  /* most columns an answer pools; 0: all since the start */
} vip_pass_options;

/* network and weights are borrowed for the pass's life; weights are of no effect if there are sets. NULL: memory is
 * short. */
vip_pass *vip_pass_new(const vip_network *network, const vip_weights *weights, const vip_pass_options *options);
void vip_pass_free(vip_pass *pass);

/* First state; the first column is column `first` of the sound, which keys the masks. All members start anew. */
void vip_pass_reset(vip_pass *pass, int64_t first);

/* From the next push on there are members 0 .. members - 1 (1 .. max_members). A member that joins starts from zero. */
void vip_pass_set_members(vip_pass *pass, uint32_t members);

/* Hears frames [frames][VIP_MELS], dB, before bn0. frames <= max_frames. */
void vip_pass_push(vip_pass *pass, const float *frames, uint32_t n_frames);

/* Computes provisional columns as if the sound ended now; commit: it has, and they are final (then only reset). */
void vip_pass_finish(vip_pass *pass, bool commit);

/* Columns that are final, and those with the provisional ones, since reset. */
int64_t vip_pass_columns(const vip_pass *pass);
int64_t vip_pass_provisional(const vip_pass *pass);

/* Frames heard since reset. */
int64_t vip_pass_frames(const vip_pass *pass);

/* Of the members that are running, how many have heard nothing but their own state in columns end - window .. end - 1:
 * those are as if they had always run. Endless windows: those that have run since reset. */
uint32_t vip_pass_settled(const vip_pass *pass, int64_t end, uint32_t window);

/* Logits [members][classes] of the window's columns before `end` (1 .. vip_pass_provisional; at most VIP_PASS_KEPT
 * columns behind those that were final before the newest push). window: 1 .. max_window;
 * of an endless pass 0 for all, or 1 .. VIPANN_EVENT_COLUMNS. Networks whose members do not differ give the same numbers
 * for each. */
void vip_pass_answer(vip_pass *pass, int64_t end, uint32_t window, uint32_t members, float *logits);

/* The vector that the newest answer pooled, as the dense layers see it but for dropout: its mean over the members of that
 * answer, [network.features]. */
void vip_pass_pooled(const vip_pass *pass, float *mean);

/* Bytes that a pass with these options takes, about; own_weights: members have weights of their own, be they drawn, or
 * sets that need not be in the options. Weights and what an answer needs for a moment are not counted. 0: memory is short
 * even for counting. */
size_t vip_pass_measure(const vip_network *network, const vip_pass_options *options, bool own_weights);

/* Feature maps for tests: the columns of step i's output that are in its buffer now, [channels][columns][bins] of one
 * member, from column *first on; returns their number. out may be NULL. */
uint32_t vip_pass_peek(const vip_pass *pass, int step, uint32_t member, int64_t *first, float *out);

#endif /* VIP_NN_PASS_H */
