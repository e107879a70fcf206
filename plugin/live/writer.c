/* SPDX-License-Identifier: GPL-3.0-or-later */
/* writer.c -- see writer.h for the contract. */
#include "writer.h"

#include <errno.h>
#include <string.h>

#include <common/support.h>

/* A model and how its results are written: one report for each input. */
typedef struct entry entry;
struct entry {
    uint32_t tag;
    vipann_model *model;
    vip_report *reports; /* [inputs] */
    entry *older;
};

typedef struct {
    vip_report_live live;
    double rate;
    uint32_t channels;
    uint32_t told; /* tag of the model that its last line about itself spoke of */
    bool begun;    /* such a line is due */
} input;

struct vip_writer {
    vip_writer_setup setup;
    input *inputs;
    entry *newest;
    bool headed;  /* what comes before everything is written */
    bool columns; /* an input has named them, which all share */
    int broken;   /* errno of what could not be written; 0: all is well */
    bool said;
    vipann_error lost; /* of a file that grows: why a line was not written; VIPANN_OK: none has been lost */
};

/* --------------------------------------------------------------------------------------------------------- set-up */

static void
free_entry(entry *e, uint32_t inputs)
{
    for (uint32_t i = 0; e->reports != NULL && i < inputs; i++) {
        vip_report_end(&e->reports[i]);
    }
    vip_free(e->reports);
    vipann_model_unref(e->model);
    vip_free(e);
}

vip_writer *
vip_writer_new(const vip_writer_setup *setup, vipann_error *error)
{
    vip_writer *w = vip_alloc(1, sizeof *w);
    if (w != NULL) {
        w->setup = *setup;
        w->inputs = vip_alloc(setup->inputs, sizeof *w->inputs);
    }
    if (w == NULL || w->inputs == NULL) {
        vip_writer_free(w);
        (void)vip_fail_memory(error, "what is written");
        return NULL;
    }
    for (uint32_t i = 0; i < setup->inputs; i++) {
        w->inputs[i].live = (vip_report_live){.named = setup->inputs > 1, .begins = setup->begins};
    }
    return w;
}

void
vip_writer_free(vip_writer *w)
{
    if (w == NULL) {
        return;
    }
    while (w->newest != NULL) {
        entry *older = w->newest->older;
        free_entry(w->newest, w->setup.inputs);
        w->newest = older;
    }
    vip_free(w->inputs);
    vip_free(w);
}

/* ---------------------------------------------------------------------------------------------------------- models */

vipann_status
vip_writer_enter(vip_writer *w, uint32_t tag, vipann_model *model, const vipann_options *options, vipann_error *error)
{
    const vip_writer_setup *s = &w->setup;
    entry *e = vip_alloc(1, sizeof *e);
    if (e == NULL) {
        return vip_fail_memory(error, "the results");
    }
    e->tag = tag;
    e->model = vipann_model_ref(model);
    e->reports = vip_alloc(s->inputs, sizeof *e->reports);
    vipann_status status = e->reports != NULL ? VIPANN_OK : vip_fail_memory(error, "the results");
    const vip_text_style style = vip_text_style_of(s->out);
    for (uint32_t i = 0; i < s->inputs && status == VIPANN_OK; i++) {
        e->reports[i] = (vip_report){.out = s->out,
                                     .style = style,
                                     .file = s->names[i],
                                     .live = &w->inputs[i].live,
                                     .index = i,
                                     .options = *options,
                                     .subject = s->subject,
                                     .top = s->top};
        status = vip_report_begin(&e->reports[i], model, error);
    }
    if (status != VIPANN_OK) {
        free_entry(e, s->inputs);
        return status;
    }
    e->older = w->newest;
    w->newest = e;
    return VIPANN_OK;
}

void
vip_writer_forget(vip_writer *w, uint32_t tag)
{
    for (entry **at = &w->newest; *at != NULL;) {
        entry *e = *at;
        if (e->tag < tag) {
            *at = e->older;
            free_entry(e, w->setup.inputs);
        } else {
            at = &e->older;
        }
    }
}

static entry *
find(vip_writer *w, uint32_t tag)
{
    entry *e = w->newest;
    while (e != NULL && e->tag != tag) {
        e = e->older;
    }
    return e;
}

vipann_model *
vip_writer_model(vip_writer *w, uint32_t tag)
{
    const entry *e = find(w, tag);
    return e != NULL ? e->model : NULL;
}

/* --------------------------------------------------------------------------------------------------------- writing */

/* Whoever waits at the other end gets each line at once. */
static void
flush(vip_writer *w)
{
    if (w->setup.file != NULL) {
        (void)vip_append_commit(w->setup.file, &w->lost);
        return;
    }
    errno = 0;
    if ((fflush(w->setup.out) != 0 || ferror(w->setup.out) != 0) && w->broken == 0) {
        w->broken = errno != 0 ? errno : EIO;
    }
}

void
vip_writer_begin(vip_writer *w, uint32_t i, double rate, uint32_t channels)
{
    w->inputs[i].rate = rate;
    w->inputs[i].channels = channels;
    w->inputs[i].begun = true;
    entry *e = w->newest;
    if (!w->headed && e != NULL && w->setup.format->head != NULL) {
        w->setup.format->head(&e->reports[i]);
        flush(w);
    }
    w->headed = true;
}

/* The report of an input for what bears the tag, and before it what the format says of the input: when sound begins and
 * when the model is another. NULL: nothing can be written. */
static vip_report *
report_of(vip_writer *w, uint32_t i, uint32_t tag, double utc)
{
    entry *e = w->broken == 0 ? find(w, tag) : NULL;
    if (e == NULL) {
        return NULL;
    }
    input *in = &w->inputs[i];
    vip_report *report = &e->reports[i];
    in->live.utc = utc;
    report->rate = in->rate;
    if ((in->begun || in->told != tag) && w->setup.format->file != NULL) {
        const vip_audio_facts facts = {.rate = in->rate, .channels = in->channels, .streamed = true};
        in->live.headed = w->columns;
        w->setup.format->file(report, &facts);
        w->columns = true;
    }
    in->begun = false;
    in->told = tag;
    return report;
}

void
vip_writer_result(vip_writer *w, uint32_t i, uint32_t tag, double utc, const vipann_result *result)
{
    if (w->setup.subject != VIP_RESULTS) {
        return;
    }
    const vip_report *report = report_of(w, i, tag, utc);
    if (report != NULL) {
        w->setup.format->result(report, result);
        flush(w);
    }
}

void
vip_writer_event(vip_writer *w, uint32_t i, uint32_t tag, double utc, const vipann_event *event)
{
    if (w->setup.subject != VIP_EVENTS || (!event->ended && !w->setup.begins)) {
        return;
    }
    vip_report *report = report_of(w, i, tag, utc);
    if (report != NULL) {
        w->setup.format->event(report, event);
        flush(w);
    }
}

vipann_status
vip_writer_check(vip_writer *w, vipann_error *error)
{
    if (w->broken == 0) {
        return VIPANN_OK;
    }
    const bool say = !w->said && w->broken != EPIPE;
    w->said = true;
    return say ? vip_fail(error, VIPANN_E_IO, "standard output: %s", strerror(w->broken))
               : vip_fail(error, VIPANN_E_IO, "%s", "");
}

vipann_status
vip_writer_look(vip_writer *w, vipann_error *error)
{
    *error = w->lost;
    w->lost = (vipann_error){VIPANN_OK, ""};
    return error->status;
}
