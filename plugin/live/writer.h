/* SPDX-License-Identifier: GPL-3.0-or-later */
/* writer.h -- what is heard by several inputs, written to one place as it comes, a line at a time, each at once. It knows
 * which model each result is of. Main thread. */
#ifndef VIP_PLUGIN_LIVE_WRITER_H
#define VIP_PLUGIN_LIVE_WRITER_H

#include <common/append_file.h>
#include <plugin/report/report.h>

typedef struct vip_writer vip_writer;

/* What all that is written has in common. */
typedef struct {
    vip_append_file *file;    /* borrowed; NULL: `out` is no file of this kind */
    FILE *out;                /* borrowed; that of the file, if it is one */
    const vip_format *format; /* borrowed */
    vip_subject subject;      /* VIP_RESULTS or VIP_EVENTS */
    bool begins;              /* events also when they begin */
    uint32_t top;             /* most classes in a result */
    uint32_t inputs;
    const char *const *names; /* [inputs], borrowed */
} vip_writer_setup;

/* NULL: E_MEMORY. */
vip_writer *vip_writer_new(const vip_writer_setup *setup, vipann_error *error);

/* NULL is allowed. */
void vip_writer_free(vip_writer *writer);

/* Enters a model (a reference of its own is kept) and what its engines are asked for; what bears the tag is of it. Tags
 * grow. E_MEMORY. */
vipann_status vip_writer_enter(vip_writer *writer, uint32_t tag, vipann_model *model, const vipann_options *options,
                               vipann_error *error);

/* The model that the tag is of, borrowed until it is forgotten; NULL: it is not known. */
vipann_model *vip_writer_model(vip_writer *writer, uint32_t tag);

/* Nothing that bears a tag below this one will follow. */
void vip_writer_forget(vip_writer *writer, uint32_t tag);

/* Sound of an input comes at this rate (Hz) in so many channels from now on: said where the format says it. */
void vip_writer_begin(vip_writer *writer, uint32_t input, double rate, uint32_t channels);

/* Writes a result or event, if it is asked for; utc: the clock's time when t was 0, seconds since 1970. */
void vip_writer_result(vip_writer *writer, uint32_t input, uint32_t tag, double utc, const vipann_result *result);
void vip_writer_event(vip_writer *writer, uint32_t input, uint32_t tag, double utc, const vipann_event *event);

/* Whether all found room so far; else E_IO, once with a line, after that and where a reader has gone away without. What is
 * written to a file of the kind that grows goes on in any case: */
vipann_status vip_writer_check(vip_writer *writer, vipann_error *error);

/* why the newest of its lines that could not be written since the last look was not: E_IO; or VIPANN_OK. */
vipann_status vip_writer_look(vip_writer *writer, vipann_error *error);

#endif /* VIP_PLUGIN_LIVE_WRITER_H */
