/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stream.c -- streams, answered hop by hop in both modes, then flushed. */
#include "subject.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What there is to compare; answers are [hops][members][classes]. */
typedef struct {
    const vector_case *c;
    tally *t;
    const vip_model *model;
    const float *frames;
    size_t n_frames, n_hops;
    const int64_t *ends; /* frames heard at each hop */
    uint32_t members, window;
    float rates[VIP_MAX_SITES];
    bool dropout;
    float *answers, *flush;
} stream;

/* Feeds one subject and writes its members' answers from member `at` on; NaN while there is no column. */
static void
run(stream *s, subject *one, bool edge, uint32_t at, uint32_t members)
{
    const size_t classes = s->model->network.classes, hop_size = s->members * classes;
    vip_pass *pass = one->pass;
    int64_t heard = 0;
    for (size_t hop = 0; hop < s->n_hops; hop++) {
        float *out = s->answers + hop * hop_size + at * classes;
        vip_pass_push(pass, s->frames + (size_t)heard * VIP_MELS, (uint32_t)(s->ends[hop] - heard));
        heard = s->ends[hop];
        if (edge) {
            vip_pass_finish(pass, false);
        }
        const int64_t columns = edge ? vip_pass_provisional(pass) : vip_pass_columns(pass);
        if (columns > 0) {
            vip_pass_answer(pass, columns, s->window, members, out);
            continue;
        }
        for (size_t i = 0; i < members * classes; i++) {
            out[i] = NAN;
        }
    }
    vip_pass_finish(pass, true);
    vip_pass_answer(pass, vip_pass_columns(pass), s->window, members, s->flush + at * classes);
}

/* All run together, explicit members too unless their draws do not follow one another. */
static bool
run_all(stream *s, bool edge)
{
    const bool meanfield = s->model->posterior == VIPANN_MEANFIELD;
    const bool flipout = strcmp(case_text(s->c, "variant"), "channel") == 0, explicit_weights = meanfield && !flipout;
    const json_t *draws = json_object_get(s->c->about, "draws");
    const uint32_t first = (uint32_t)json_integer_value(json_array_get(draws, 0));
    bool in_order = true;
    for (uint32_t m = 0; m < s->members; m++) {
        in_order = in_order && json_integer_value(json_array_get(draws, m)) == (json_int_t)first + m;
    }
    recipe how = {.flipout = flipout,
                  .explicit_weights = explicit_weights,
                  .draw = (uint32_t)case_number(s->c, "eps_draw", 0),
                  .members = explicit_weights && !in_order ? 1 : s->members,
                  .window = s->window,
                  .rates = s->dropout ? s->rates : NULL,
                  .seed = case_seed(s->c)};
    for (size_t hop = 0; hop < s->n_hops; hop++) {
        const uint32_t length = (uint32_t)(s->ends[hop] - (hop == 0 ? 0 : s->ends[hop - 1]));
        how.max_frames = length > how.max_frames ? length : how.max_frames;
    }
    for (uint32_t m = 0; m < s->members; m += how.members) {
        subject one;
        how.draw = explicit_weights ? (uint32_t)json_integer_value(json_array_get(draws, m)) : how.draw;
        const bool open = subject_open(&one, s->model, &how);
        if (open) {
            run(s, &one, edge, m, how.members);
        }
        subject_close(&one);
        if (!open) {
            return false;
        }
    }
    return true;
}

static void
compare(stream *s, const char *mode, const float *want, const float *flush)
{
    const size_t n_flush = s->members * s->model->network.classes, n = s->n_hops * n_flush;
    const double tolerance = s->model->posterior == VIPANN_MEANFIELD ? 2e-4 : 1e-4;
    const bool edge = strcmp(mode, "edge") == 0;
    if (!run_all(s, edge)) {
        tally_fail(s->t, mode, "memory is short");
        return;
    }
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) {
        wrong += !isnan(s->answers[i]) != !isnan(want[i]);
    }
    tally_exact(s->t, edge ? "edge: when there is an answer" : "centred: when there is an answer", wrong, n);
    tally_error(s->t, mode, largest_difference(s->answers, want, n), tolerance * magnitude(want, n));
    tally_error(s->t, edge ? "flush behind edge" : "flush", largest_difference(s->flush, flush, n_flush),
                tolerance * magnitude(flush, n_flush));
}

static bool
rises_to(const int64_t *ends, size_t n, size_t n_frames)
{
    for (size_t i = 0; i < n; i++) {
        if (ends[i] < (i == 0 ? 0 : ends[i - 1]) || ends[i] > (int64_t)n_frames) {
            return false;
        }
    }
    return n > 0;
}

void
check_stream(const vector_case *c, tally *t)
{
    size_t rows;
    vector_tensor ends;
    stream s = {.c = c,
                .t = t,
                .members = (uint32_t)case_number(c, "members", 0),
                .window = (uint32_t)case_number(c, "window_columns", 0)};
    vip_model *model = open_model(c, t);
    s.model = model;
    s.frames = need_logmel(c, t, &rows, &s.n_frames);
    s.ends = need(c, t, "ends", TYPE_I64, 0, &ends);
    if (model == NULL || s.frames == NULL || s.ends == NULL || s.members == 0 || s.members > VIPANN_MAX_PASSES ||
        !rises_to(s.ends, ends.n, s.n_frames)) {
        tally_fail(t, "stream", "the case says too little to be checked");
        vip_model_free(model);
        return;
    }
    s.n_hops = ends.n;
    s.dropout = *case_text(c, "seed") != '\0' && model->posterior != VIPANN_MEANFIELD;
    read_rates(c, &model->network, s.rates);
    const size_t n_flush = s.members * model->network.classes, n = s.n_hops * n_flush;
    const float *centred = need(c, t, "centred", TYPE_F32, n, NULL), *edge = need(c, t, "edge", TYPE_F32, n, NULL);
    const float *flush = need(c, t, "flush", TYPE_F32, n_flush, NULL);
    s.answers = calloc(n + 1, sizeof *s.answers);
    s.flush = calloc(n_flush + 1, sizeof *s.flush);
    if (centred != NULL && edge != NULL && flush != NULL && s.answers != NULL && s.flush != NULL) {
        compare(&s, "centred", centred, flush);
        compare(&s, "edge", edge, flush);
    }
    free(s.answers);
    free(s.flush);
    vip_model_free(model);
}
