/* SPDX-License-Identifier: GPL-3.0-or-later */
/* board.h -- what the display shows, kept without a terminal: the newest result of each input, how doubt went, the last
 * events, the last notices. Texts are copied and disarmed as they come, so that what is shown outlives its model and
 * commands no terminal. Main thread. */
#ifndef VIP_UI_TERM_BOARD_H
#define VIP_UI_TERM_BOARD_H

#include "term.h"

enum {
    VIP_BOARD_TEXT = 192,    /* bytes of a name */
    VIP_BOARD_TOP = 32,      /* most classes of a result */
    VIP_BOARD_MOMENTS = 512, /* results whose doubt is remembered */
    VIP_BOARD_EVENTS = 64,   /* of an input */
    VIP_BOARD_NOTICES = 8
};

typedef struct {
    double p, std;
    bool present; /* p reaches the model's threshold for it, or half if there is none */
    char label[VIP_BOARD_TEXT];
} vip_board_class;

/* One result on the strip of time. */
typedef struct {
    float open, unsure; /* 0 .. 1 of what fills a bar; unsure is negative where nobody can say */
    bool unknown, silent;
    bool gap; /* sound was lost before it */
} vip_board_moment;

typedef struct {
    uint64_t id;
    double begun;  /* s since 1970, or NaN */
    double lasted; /* s, so far until it has ended */
    double p;      /* the largest */
    bool ended, unknown;
    char label[VIP_BOARD_TEXT];
} vip_board_event;

typedef struct {
    double time; /* s since 1970, or NaN */
    char text[VIP_BOARD_TEXT];
} vip_board_notice;

typedef struct {
    char name[VIP_BOARD_TEXT], model[VIP_BOARD_TEXT]; /* model: "" until a result has come */

    /* The newest result, and what it holds if there has been one. */
    bool heard;
    bool silent, calibrated, has_unsure, unknown;
    double level_dbfs, open_nats, unsure_nats, gap_seconds;
    uint32_t tops;
    vip_board_class top[VIP_BOARD_TOP]; /* the most probable first */

    uint64_t moments; /* so far; the newest one is at (moments - 1) % VIP_BOARD_MOMENTS */
    vip_board_moment moment[VIP_BOARD_MOMENTS];
    uint64_t events; /* likewise */
    vip_board_event event[VIP_BOARD_EVENTS];

    bool has_engine;
    vip_term_engine engine;
} vip_board_input;

typedef struct {
    char title[VIP_BOARD_TEXT];
    uint64_t changes; /* so far: whoever has seen this number has seen all */
    uint64_t notices; /* likewise */
    vip_board_notice notice[VIP_BOARD_NOTICES];
    vipann_model *model; /* that results are of from now on; NULL: not known yet */
    vipann_model_info info;
    uint32_t inputs;
    vip_board_input *input; /* [inputs] */
} vip_board;

/* names: [inputs], NULL where there is none. False: memory is short. To be freed in any case; *board was zero before. */
bool vip_board_make(vip_board *board, const char *title, uint32_t inputs, const char *const *names);
void vip_board_free(vip_board *board);

/* Makes what a board shows, but not the model, equal to another one of as many inputs. */
void vip_board_copy(vip_board *to, const vip_board *from);

/* See term.h. Inputs that there are not, and results and events before any model, are passed over. */
void vip_board_model(vip_board *board, vipann_model *model);
void vip_board_result(vip_board *board, uint32_t input, const vipann_result *result);
void vip_board_event_told(vip_board *board, uint32_t input, double utc, const vipann_event *event);
void vip_board_engine(vip_board *board, uint32_t input, const vip_term_engine *engine);
void vip_board_notice_told(vip_board *board, double utc, const char *text);

/* The k-th newest, from 0; NULL: there are not so many, or it is forgotten. */
const vip_board_moment *vip_board_moment_at(const vip_board_input *input, uint64_t k);
const vip_board_event *vip_board_event_at(const vip_board_input *input, uint64_t k);
const vip_board_notice *vip_board_notice_at(const vip_board *board, uint64_t k);

#endif /* VIP_UI_TERM_BOARD_H */
