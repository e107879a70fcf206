/* SPDX-License-Identifier: GPL-3.0-or-later */
/* answers.h -- from the columns of a pass to results and events, told to an engine's readers. For engine.c only.
 *
 * A result is over the whole window, at every hop. Events are timed by what the last VIPANN_EVENT_COLUMNS say, at every
 * column, so that they do not depend on the hop; smoothing, which would delay them, acts on results alone. */
#ifndef VIP_ANSWERS_H
#define VIP_ANSWERS_H

#include "publish.h"

#include <decide/level.h>
#include <model/model.h>
#include <nn/pass.h>

typedef struct vip_answers vip_answers;

/* Where the sound is to be heard from, and what a result says of it besides. */
typedef struct {
    vip_pass *pass;
    const vip_level *level; /* of the columns of this pass */
    int64_t first;          /* column of the sound that is the pass's column 0 */
    uint32_t window;        /* columns; 0: all since the pass began */
    double horizon;         /* s */
    double gap_seconds;
    uint64_t not_finite, clipped;
} vip_question;

/* model and publisher are borrowed for the answers' life. max_members: the most that any question's pass has running;
 * drawn: they come from a posterior, else the one there is is the deterministic pass. rules: NULL: the defaults; not
 * kept. Errors: E_MEMORY, E_ARG (rules for other classes than the model's). */
vip_answers *vip_answers_new(const vip_model *model, vip_publisher *publisher, const vipann_rules *rules, bool drawn,
                             uint32_t max_members, vipann_error *error);
void vip_answers_free(vip_answers *answers);

/* A new stream. */
void vip_answers_reset(vip_answers *answers);

/* The sound is interrupted: events end where they were last heard, smoothing begins anew. Analysis thread. */
void vip_answers_interrupt(vip_answers *answers);

/* Gives the result for the pass's columns before `end`; the last one went up to `answered`. Analysis thread. */
void vip_answer(vip_answers *answers, const vip_question *question, int64_t answered, int64_t end, bool last);

/* Hears events in the pass's columns before `end`, the last call having gone up to `listened`; only if a reader wants
 * them. If there is a result for the same `end`, it is given before. Analysis thread. */
void vip_listen(vip_answers *answers, const vip_question *question, int64_t listened, int64_t end);

#endif /* VIP_ANSWERS_H */
