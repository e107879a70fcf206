/* SPDX-License-Identifier: GPL-3.0-or-later */
/* audience.c -- see audience.h for the contract. */
#include "audience.h"

#include <stdio.h>
#include <string.h>

#include <common/append_file.h>
#include <common/support.h>

#include "live_options.h"
#include "writer.h"

const vip_option VIP_OPTION_APPEND_JSONL = {
    .name = "append-jsonl",
    .kind = VIP_OPTION_TEXT,
    .argument = "FILE",
    .group = VIP_GROUP_RESULTS,
    .help =
        "Besides, append a JSON object to this file for each event, when it begins and when it has ended. A line is "
        "there at once and whole, whatever happens to the program.",
};

const vip_option VIP_OPTION_APPEND_LABELS = {
    .name = "append-labels",
    .kind = VIP_OPTION_TEXT,
    .argument = "FILE",
    .group = VIP_GROUP_RESULTS,
    .help =
        "Besides, append each event of the one input to this Audacity label track. Its times begin with the program: "
        "what an earlier one left there is put aside as FILE.1.",
};

const vip_option VIP_OPTION_APPEND_LIMIT = {
    .name = "append-limit",
    .kind = VIP_OPTION_NUMBER,
    .argument = "MEGABYTES",
    .least = 0.001,
    .most = 1e6,
    .standard = "64",
    .group = VIP_GROUP_RESULTS,
    .help = "A file that would grow beyond becomes FILE.1, that one FILE.2, and so on.",
};

const vip_option VIP_OPTION_APPEND_KEEP = {
    .name = "append-keep",
    .kind = VIP_OPTION_WHOLE,
    .argument = "N",
    .least = 1,
    .most = 1000,
    .standard = "8",
    .group = VIP_GROUP_RESULTS,
    .help = "So many of these at most; the oldest goes.",
};

/* Files of events: what asks for them, and how they are written. */
static const struct {
    const vip_option *option;
    const char *format;
    bool anew;
} KINDS[] = {
    {&VIP_OPTION_APPEND_JSONL, "jsonl", false},
    {&VIP_OPTION_APPEND_LABELS, "labels", true},
};
enum { FILES = sizeof KINDS / sizeof *KINDS, WRITERS = FILES + 1 };

struct vip_audience {
    vip_append_file *files[FILES]; /* NULL: not asked for */
    vip_writer *writers[WRITERS];  /* those of the files, NULL likewise, and the one that everybody reads */
    vip_outputs *outputs;
};

/* ----------------------------------------------------------------------------------------------------------- set-up */

static const vip_format *
format_of(const char *name)
{
    const vip_format *format = VIP_FORMATS;
    while (strcmp(format->name, name) != 0) {
        format++;
    }
    return format;
}

static vipann_status
open_file(vip_audience *a, const vip_live_setup *setup, size_t i, vipann_error *error)
{
    const vip_value *asked = vip_argument(setup->arguments, KINDS[i].option);
    if (!asked->given) {
        return VIPANN_OK;
    }
    const vip_append_setup file = {
        .path = asked->text,
        .most = (uint64_t)(vip_argument(setup->arguments, &VIP_OPTION_APPEND_LIMIT)->number * 1e6),
        .keep = (uint32_t)vip_argument(setup->arguments, &VIP_OPTION_APPEND_KEEP)->whole,
        .anew = KINDS[i].anew};
    a->files[i] = vip_append_open(&file, error);
    if (a->files[i] == NULL) {
        return error->status;
    }
    const vip_writer_setup writer = {.file = a->files[i],
                                     .out = vip_append_stream(a->files[i]),
                                     .format = format_of(KINDS[i].format),
                                     .subject = VIP_EVENTS,
                                     .begins = true,
                                     .inputs = setup->inputs,
                                     .names = setup->names};
    a->writers[i] = vip_writer_new(&writer, error);
    return a->writers[i] != NULL ? VIPANN_OK : error->status;
}

static vipann_status
open_all(vip_audience *a, const vip_live_setup *setup, vipann_error *error)
{
    const vip_arguments *arguments = setup->arguments;
    const vip_value *top = vip_argument(arguments, &VIP_OPTION_TOP);
    const vip_writer_setup writer = {.out = setup->out != NULL ? setup->out : stdout,
                                     .format = vip_live_format(arguments),
                                     .subject = vip_live_subject(arguments),
                                     .begins = vip_argument(arguments, &VIP_OPTION_LIVE_BEGINS)->given,
                                     .top = top->word != VIP_NO_WORD ? UINT32_MAX : (uint32_t)top->whole,
                                     .inputs = setup->inputs,
                                     .names = setup->names};
    a->writers[FILES] = vip_writer_new(&writer, error);
    vipann_status status = a->writers[FILES] != NULL ? VIPANN_OK : error->status;
    for (size_t i = 0; i < FILES && status == VIPANN_OK; i++) {
        status = open_file(a, setup, i, error);
    }
    if (status == VIPANN_OK) {
        a->outputs = vip_outputs_new(arguments, setup->inputs, setup->names, error);
        status = a->outputs != NULL ? VIPANN_OK : error->status;
    }
    return status;
}

vip_audience *
vip_audience_new(const vip_live_setup *setup, vipann_error *error)
{
    vip_audience *a = vip_alloc(1, sizeof *a);
    if (a == NULL) {
        (void)vip_fail_memory(error, "who is told");
        return NULL;
    }
    if (open_all(a, setup, error) != VIPANN_OK) {
        vip_audience_free(a);
        return NULL;
    }
    return a;
}

void
vip_audience_free(vip_audience *a)
{
    if (a == NULL) {
        return;
    }
    vip_outputs_free(a->outputs);
    for (size_t i = 0; i < WRITERS; i++) {
        vip_writer_free(a->writers[i]);
    }
    for (size_t i = 0; i < FILES; i++) {
        vip_append_close(a->files[i]);
    }
    vip_free(a);
}

/* ------------------------------------------------------------------------------------------------- models and sound */

vipann_status
vip_audience_enter(vip_audience *a, uint32_t tag, vipann_model *model, const vipann_options *options,
                   vipann_error *error)
{
    vipann_status status = VIPANN_OK;
    for (size_t i = 0; i < WRITERS && status == VIPANN_OK; i++) {
        status = a->writers[i] != NULL ? vip_writer_enter(a->writers[i], tag, model, options, error) : status;
    }
    return status;
}

void
vip_audience_forget(vip_audience *a, uint32_t tag)
{
    for (size_t i = 0; i < WRITERS; i++) {
        if (a->writers[i] != NULL) {
            vip_writer_forget(a->writers[i], tag);
        }
    }
}

vipann_status
vip_audience_check(vip_audience *a, vipann_error *error)
{
    return vip_writer_check(a->writers[FILES], error);
}

vipann_status
vip_audience_begin(vip_audience *a, uint32_t input, double rate, uint32_t channels, double zero, vipann_error *error)
{
    const vipann_status status = vip_outputs_begin(a->outputs, input, rate, channels, zero, error);
    for (size_t i = 0; i < WRITERS && status == VIPANN_OK; i++) {
        if (a->writers[i] != NULL) {
            vip_writer_begin(a->writers[i], input, rate, channels);
        }
    }
    return status;
}

void
vip_audience_hear(vip_audience *a, uint32_t input, const float *const *channels, uint32_t frames)
{
    vip_outputs_hear(a->outputs, input, channels, frames);
}

double
vip_audience_fill(const vip_audience *a, uint32_t input)
{
    return vip_outputs_fill(a->outputs, input);
}

void
vip_audience_end(vip_audience *a, uint32_t input)
{
    vip_outputs_end(a->outputs, input);
}

/* -------------------------------------------------------------------------------------------------- what is heard */

vipann_model *
vip_audience_model(vip_audience *a, uint32_t tag)
{
    return vip_writer_model(a->writers[FILES], tag);
}

void
vip_audience_result(vip_audience *a, uint32_t input, uint32_t tag, double utc, const vipann_result *result)
{
    const vipann_model *model = vip_writer_model(a->writers[FILES], tag);
    if (model != NULL) {
        vip_outputs_result(a->outputs, input, model, result);
    }
    vip_writer_result(a->writers[FILES], input, tag, utc, result);
}

void
vip_audience_event(vip_audience *a, uint32_t input, uint32_t tag, double utc, const vipann_event *event)
{
    const vipann_model *model = vip_writer_model(a->writers[FILES], tag);
    for (size_t i = 0; i < FILES; i++) {
        if (a->writers[i] != NULL) {
            vip_writer_event(a->writers[i], input, tag, utc, event);
        }
    }
    if (model != NULL) {
        vip_outputs_event(a->outputs, input, model, utc, event);
    }
    vip_writer_event(a->writers[FILES], input, tag, utc, event);
}

void
vip_audience_turn(vip_audience *a, vip_outputs_say *say, void *user)
{
    for (size_t i = 0; i < FILES; i++) {
        vipann_error error;
        if (a->writers[i] != NULL && vip_writer_look(a->writers[i], &error) != VIPANN_OK) {
            say(user, "--%s: events are lost: %s", KINDS[i].option->name, error.text);
        }
    }
    vip_outputs_turn(a->outputs, say, user);
}
