/* SPDX-License-Identifier: GPL-3.0-or-later */
/* board.c -- see board.h for the contract. */
#include "board.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <common/doubt.h>
#include <common/text.h>

bool
vip_board_make(vip_board *board, const char *title, uint32_t inputs, const char *const *names)
{
    (void)vip_text_copy(board->title, sizeof board->title, title);
    board->input = calloc(inputs, sizeof *board->input);
    board->inputs = board->input != NULL ? inputs : 0;
    for (uint32_t i = 0; i < board->inputs; i++) {
        const char *name = names != NULL && names[i] != NULL ? names[i] : "";
        (void)vip_text_copy(board->input[i].name, sizeof board->input[i].name, name);
    }
    return board->input != NULL;
}

void
vip_board_free(vip_board *board)
{
    vipann_model_unref(board->model);
    free(board->input);
    *board = (vip_board){.inputs = 0};
}

void
vip_board_copy(vip_board *to, const vip_board *from)
{
    vip_board_input *input = to->input;
    vipann_model *model = to->model;
    memcpy(input, from->input, from->inputs * sizeof *input);
    *to = *from;
    to->input = input;
    to->model = model;
}

void
vip_board_model(vip_board *board, vipann_model *model)
{
    if (model == board->model) {
        return;
    }
    vipann_model_unref(board->model);
    board->model = vipann_model_ref(model);
    vipann_model_describe(model, &board->info);
}

/* The place of input i; NULL: there is none, or nobody knows what its classes are called. */
static vip_board_input *
input_of(vip_board *board, uint32_t i)
{
    return i < board->inputs && board->model != NULL ? &board->input[i] : NULL;
}

static void
name_class(const vip_board *board, char out[VIP_BOARD_TEXT], uint32_t i)
{
    const char *label = vipann_model_label(board->model, i);
    (void)vip_text_copy(out, VIP_BOARD_TEXT, label != NULL ? label : "?");
}

/* --------------------------------------------------------------------------------------------------------- results */

/* The most probable classes, in their order; returns how many. */
static uint32_t
rank(uint32_t order[VIP_BOARD_TOP], const vipann_result *r, uint32_t classes)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < classes; i++) {
        if (n == VIP_BOARD_TOP && !(r->p[i] > r->p[order[n - 1]])) {
            continue;
        }
        n += n < VIP_BOARD_TOP;
        uint32_t k = n - 1;
        for (; k > 0 && r->p[i] > r->p[order[k - 1]]; k--) {
            order[k] = order[k - 1];
        }
        order[k] = i;
    }
    return n;
}

static void
keep_classes(const vip_board *board, vip_board_input *in, const vipann_result *r)
{
    uint32_t order[VIP_BOARD_TOP] = {0};
    in->tops = rank(order, r, r->classes < board->info.classes ? r->classes : board->info.classes);
    for (uint32_t k = 0; k < in->tops; k++) {
        const uint32_t i = order[k];
        const double threshold = vipann_model_threshold(board->model, i);
        in->top[k].p = r->p[i];
        in->top[k].std = r->has_epistemic ? r->std[i] : 0;
        in->top[k].present = r->p[i] >= (threshold >= 0 ? threshold : 0.5);
        name_class(board, in->top[k].label, i);
    }
}

/* Of what is full, as far as it is a number at all. */
static float
filled(double nats, double full)
{
    return nats > 0 ? (float)fmin(nats / full, 1) : 0;
}

static void
keep_moment(const vip_board *board, vip_board_input *in, const vipann_result *r)
{
    in->moment[in->moments++ % VIP_BOARD_MOMENTS] = (vip_board_moment){
        .open = filled(r->aleatoric_nats, vip_doubt_full_open(&board->info)),
        .unsure = r->has_epistemic ? filled(r->epistemic_nats, vip_doubt_full_unsure(&board->info)) : -1,
        .unknown = in->unknown,
        .silent = r->silent,
        .gap = r->gap_seconds > in->gap_seconds,
    };
    in->gap_seconds = r->gap_seconds;
}

void
vip_board_result(vip_board *board, uint32_t input, const vipann_result *r)
{
    vip_board_input *in = input_of(board, input);
    if (in == NULL) {
        return;
    }
    in->heard = true;
    in->silent = r->silent;
    in->calibrated = r->calibrated;
    in->has_unsure = r->has_epistemic;
    in->unknown = r->unknown == VIPANN_YES && !r->silent;
    in->level_dbfs = r->level_dbfs;
    in->open_nats = r->aleatoric_nats;
    in->unsure_nats = r->epistemic_nats;
    (void)vip_text_copy(in->model, sizeof in->model, board->info.name);
    keep_classes(board, in, r);
    keep_moment(board, in, r);
    board->changes++;
}

/* ---------------------------------------------------------------------------------------------------------- events */

/* The event as it was told before; else the place of a new one. */
static vip_board_event *
place_of_event(const vip_board *board, vip_board_input *in, const vipann_event *event)
{
    const uint64_t kept = in->events < VIP_BOARD_EVENTS ? in->events : VIP_BOARD_EVENTS;
    for (uint64_t k = 1; k <= kept; k++) {
        vip_board_event *e = &in->event[(in->events - k) % VIP_BOARD_EVENTS];
        if (e->id == event->id) {
            return e;
        }
    }
    vip_board_event *e = &in->event[in->events++ % VIP_BOARD_EVENTS];
    e->id = event->id;
    name_class(board, e->label, event->class_index);
    return e;
}

void
vip_board_event_told(vip_board *board, uint32_t input, double utc, const vipann_event *event)
{
    vip_board_input *in = input_of(board, input);
    if (in == NULL) {
        return;
    }
    vip_board_event *e = place_of_event(board, in, event);
    e->begun = utc + event->start_seconds;
    e->lasted = event->end_seconds - event->start_seconds;
    e->p = event->p_max;
    e->ended = event->ended;
    e->unknown = event->unknown == VIPANN_YES;
    board->changes++;
}

/* ---------------------------------------------------------------------------------------------- engines and notices */

/* Numbers that say the same; what cannot be said is as good as itself. */
static bool
same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

void
vip_board_engine(vip_board *board, uint32_t input, const vip_term_engine *engine)
{
    if (input >= board->inputs) {
        return;
    }
    vip_board_input *in = &board->input[input];
    const vip_term_engine *old = &in->engine;
    if (in->has_engine && old->passes == engine->passes && old->late_hops == engine->late_hops &&
        same(old->hop_seconds, engine->hop_seconds) && same(old->load, engine->load) &&
        same(old->gap_seconds, engine->gap_seconds) && same(old->threshold, engine->threshold)) {
        return; /* whoever looks often changes nothing by it */
    }
    in->engine = *engine;
    in->has_engine = true;
    board->changes++;
}

void
vip_board_notice_told(vip_board *board, double utc, const char *text)
{
    vip_board_notice *notice = &board->notice[board->notices++ % VIP_BOARD_NOTICES];
    notice->time = utc;
    (void)vip_text_copy(notice->text, sizeof notice->text, text);
    board->changes++;
}

/* --------------------------------------------------------------------------------------------------------- looking */

/* Where the k-th newest of `all` is in a ring of `room`; room: it is nowhere. */
static uint64_t
at(uint64_t all, uint64_t k, uint64_t room)
{
    return k < all && k < room ? (all - 1 - k) % room : room;
}

const vip_board_moment *
vip_board_moment_at(const vip_board_input *input, uint64_t k)
{
    const uint64_t i = at(input->moments, k, VIP_BOARD_MOMENTS);
    return i < VIP_BOARD_MOMENTS ? &input->moment[i] : NULL;
}

const vip_board_event *
vip_board_event_at(const vip_board_input *input, uint64_t k)
{
    const uint64_t i = at(input->events, k, VIP_BOARD_EVENTS);
    return i < VIP_BOARD_EVENTS ? &input->event[i] : NULL;
}

const vip_board_notice *
vip_board_notice_at(const vip_board *board, uint64_t k)
{
    const uint64_t i = at(board->notices, k, VIP_BOARD_NOTICES);
    return i < VIP_BOARD_NOTICES ? &board->notice[i] : NULL;
}
