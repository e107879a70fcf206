/* SPDX-License-Identifier: GPL-3.0-or-later */
/* teach.c -- `vipann-train teach`: a model learns sounds that somebody has labelled, in minutes, and says how well. */
#include "train_commands.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <base/memory.h>
#include <base/status.h>
#include <common/clock.h>
#include <common/number.h>
#include <common/progress.h>
#include <common/text.h>
#include <offline_trainer/base/parallel.h>
#include <offline_trainer/teach/extend.h>
#include <offline_trainer/teach/trial.h>

#define SOUND "The model"
#define WORK  "The work"

static const vip_option MODEL = {
    "model",
    VIP_OPTION_TEXT,
    "MODEL",
    0,
    0,
    NULL,
    NULL,
    NULL,
    SOUND,
    "The model that learns: a .safetensors file. One that hears several classes at once keeps "
    "them as they are; of one with exclusive classes only the new ones are left."};
static const vip_option OUTPUT = {
    "output",
    VIP_OPTION_TEXT,
    "FILE",
    0,
    0,
    NULL,
    NULL,
    NULL,
    SOUND,
    "Where the new model goes; a running vipann takes it over (kill -HUP, or r) if that is "
    "the file it was begun with."};
static const vip_option ALARMS = {
    "alarms-per-hour",
    VIP_OPTION_NUMBER,
    "N",
    0,
    3600,
    NULL,
    "1",
    NULL,
    WORK,
    "What each threshold is for: no more false events than that in an hour of sound without the class."};
static const vip_option TIME_LIMIT = {
    "time-limit", VIP_OPTION_NUMBER, "MINUTES", 0.01, 1e6, NULL, "3", NULL, WORK, "Give up if it takes longer."};
static const vip_option THREADS = {"threads", VIP_OPTION_WHOLE,           "N", 1, 256, NULL, NULL, "all cores",
                                   WORK,      "How many threads compute."};

static const vip_option *const OPTIONS[] = {&MODEL, &OUTPUT, &ALARMS, &TIME_LIMIT, &THREADS};

const vip_command VIP_TEACH_COMMAND = {
    .name = "vipann-train teach",
    .operands = "RECORDING|DIR|MANIFEST...",
    .summary = "Teaches a model new sounds from a few labelled examples, in minutes.",
    .details =
        "A RECORDING has an Audacity label track beside it, rain.txt for rain.wav, that says when what is heard; all "
        "else in "
        "it is background, and so is a recording without one. A DIR holds folders that are named by what is heard in "
        "their clips (\"background\": none of it), or a labels.csv; such as the clips that vipann live --save-events "
        "kept, once you have sorted them. A MANIFEST is a table with the columns path and labels.\n"
        "The model stays as it is up to its last layer, which gets a row for each new sound. A fifth of the labels, "
        "and of "
        "the background, is left out in turn and tells how well it can be told, and from which probability on. Give "
        "background of the place where it will listen: the more, the surer the number of false alarms.",
    .examples = "vipann-train teach --model models/vipann-audioset-r22w16-drop.safetensors -o mine.safetensors \\\n"
                "  morning.wav evening.wav quiet.flac\n"
                "vipann-train teach --model mine.safetensors -o mine.safetensors clips",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_operands = 1,
    .most_operands = SIZE_MAX,
};

typedef struct {
    const vip_arguments *arguments;
    vip_model *model;
    vip_sounds sounds;
    vip_heard_vectors *heard;
    vip_taught taught[VIP_TEACH_CLASSES];
    vip_progress progress;
    vip_text_style style;
    double begun, limit; /* s */
} lesson;

/* ----------------------------------------------------------------------------------------------------------- set-up */

/* A label that the model has already would be there twice. */
static vipann_status
check_classes(const lesson *l, vipann_error *error)
{
    if (l->sounds.n_classes == 0) {
        return vip_fail(
            error, VIPANN_E_ARG,
            "nothing is labelled; put an Audacity label track beside a recording, rain.txt for rain.wav, or clips "
            "into folders named by what is heard");
    }
    for (uint32_t i = 0; i < l->model->network.classes && l->model->task == VIPANN_MULTILABEL; i++) {
        for (uint32_t c = 0; c < l->sounds.n_classes; c++) {
            if (strcmp(l->model->labels[i], l->sounds.classes[c]) == 0) {
                return vip_fail(error, VIPANN_E_ARG, "the model has a class \"%.80s\" already; give yours another name",
                                l->sounds.classes[c]);
            }
        }
    }
    return VIPANN_OK;
}

static void
on_progress(void *user, size_t done, size_t n)
{
    lesson *l = user;
    vip_progress_update(&l->progress, 0.8 * (double)done / (double)n, "hearing");
}

static vipann_status
check_time(const lesson *l, const char *doing, vipann_error *error)
{
    return vip_clock_seconds(CLOCK_MONOTONIC) - l->begun <= l->limit
               ? VIPANN_OK
               : vip_fail(error, VIPANN_E_UNSUPPORTED,
                          "the time is over while %s; give a longer --time-limit, or less background", doing);
}

static vipann_status
take_sounds(lesson *l, vipann_error *error)
{
    vipann_status status = VIPANN_OK;
    for (size_t i = 0; i < l->arguments->n_operands && status == VIPANN_OK; i++) {
        status = vip_sounds_take(&l->sounds, l->arguments->operands[i], error);
    }
    return status == VIPANN_OK ? check_classes(l, error) : status;
}

/* ----------------------------------------------------------------------------------------------------------- report */

static void
put_name(const lesson *l, const char *name)
{
    (void)vip_text_put(stdout, &l->style, name, 0, 60);
}

/* What it says of a class, in words. */
static void
tell_class(const lesson *l, uint32_t c)
{
    const vip_taught *t = &l->taught[c];
    char a[VIP_NUMBER_SIZE], b[VIP_NUMBER_SIZE], d[VIP_NUMBER_SIZE];
    vip_text_look_set(stdout, &l->style, VIP_STRONG);
    put_name(l, l->sounds.classes[c]);
    vip_text_look_set(stdout, &l->style, VIP_PLAIN);
    if (t->threshold < 0) {
        (void)printf(
            ": cannot be told from the rest of this sound with so few false alarms. Label more of it, or allow more "
            "--alarms-per-hour. It is in the model, but reports nothing by itself.\n");
        return;
    }
    (void)printf(": %u of %u found where they had been left out, from a probability of %s on\n", t->found, t->stretches,
                 vip_number_fixed(a, t->threshold, 2));
    const double most = t->hours > 0 ? vip_rate_at_most(t->alarms) / t->hours : INFINITY;
    (void)printf("  %u false alarms in %s hours without it: %s an hour, and no more than %s with 97.5 %% certainty\n",
                 t->alarms, vip_number_fixed(a, t->hours, 2), vip_number_fixed(b, t->alarms / t->hours, 1),
                 vip_number_fixed(d, fmin(most, 1e6), 1));
    for (uint32_t other = 0; other < l->sounds.n_classes; other++) {
        if (t->taken[other] > 0) {
            (void)printf("  also told in %u of %u of ", t->taken[other], l->sounds.stretches[other]);
            put_name(l, l->sounds.classes[other]);
            (void)fputc('\n', stdout);
        }
    }
    if (t->found == 0 && t->judged) {
        (void)printf("  so do not count on it yet: label more of it, in more recordings\n");
    }
    if (!t->judged) {
        (void)printf("  there was only one of it, so nobody can say how well it would be found; label more\n");
    }
}

static void
tell(const lesson *l, double seconds)
{
    double heard = 0;
    char a[VIP_NUMBER_SIZE];
    for (size_t i = 0; i < l->sounds.n; i++) {
        heard += l->heard[i].seconds;
    }
    for (uint32_t c = 0; c < l->sounds.n_classes; c++) {
        tell_class(l, c);
    }
    (void)printf("\n%u new classes from %zu recordings, %s, in %.0f s: ", l->sounds.n_classes, l->sounds.n,
                 vip_number_clock(a, heard, 0), seconds);
    if (l->model->task == VIPANN_MULTILABEL) {
        (void)printf("the %u that %s had are as they were\n", l->model->network.classes, l->model->name);
    } else {
        (void)printf("those of %s, which exclude one another, are gone\n", l->model->name);
    }
}

/* ----------------------------------------------------------------------------------------------------------- work */

static vipann_status
write_model(const lesson *l, vipann_error *error)
{
    vip_new_class classes[VIP_TEACH_CLASSES];
    char note[160];
    for (uint32_t c = 0; c < l->sounds.n_classes; c++) {
        const vip_taught *t = &l->taught[c];
        classes[c] = (vip_new_class){.label = l->sounds.classes[c],
                                     .w = t->w,
                                     .bias = t->bias,
                                     .temperature = (float)t->temperature,
                                     .threshold = (float)t->threshold};
    }
    (void)snprintf(note, sizeof note, "the last %u classes: by leaving out fifths of %zu recordings",
                   l->sounds.n_classes, l->sounds.n);
    vip_model *model = vip_model_extend(l->model, classes, l->sounds.n_classes, note, error);
    const vipann_status status =
        model != NULL ? vip_model_write(model, vip_argument(l->arguments, &OUTPUT)->text, false, error) : error->status;
    vip_model_free(model);
    return status;
}

static vipann_status
teach_all(lesson *l, vipann_error *error)
{
    vipann_status status = VIPANN_OK;
    for (uint32_t c = 0; c < l->sounds.n_classes && status == VIPANN_OK; c++) {
        vip_progress_update(&l->progress, 0.8 + 0.2 * c / l->sounds.n_classes, "learning");
        status = vip_teach_class(l->model, &l->sounds, l->heard, c, vip_argument(l->arguments, &ALARMS)->number,
                                 &l->taught[c], error);
        status = status == VIPANN_OK ? check_time(l, "learning", error) : status;
    }
    return status;
}

static vipann_status
work(lesson *l, vipann_error *error)
{
    l->begun = vip_clock_seconds(CLOCK_MONOTONIC);
    l->limit = 60 * vip_argument(l->arguments, &TIME_LIMIT)->number;
    l->style = vip_text_style_of(stdout);
    l->progress = vip_progress_begin(stderr);
    l->model = vip_model_read(vip_argument(l->arguments, &MODEL)->text, error);
    vipann_status status = l->model != NULL ? take_sounds(l, error) : error->status;
    if (status == VIPANN_OK) {
        l->heard = vip_hear_vectors(l->model, &l->sounds, on_progress, l, error);
        status = l->heard != NULL ? check_time(l, "hearing", error) : error->status;
    }
    status = status == VIPANN_OK ? teach_all(l, error) : status;
    status = status == VIPANN_OK ? write_model(l, error) : status;
    vip_progress_clear(&l->progress);
    if (status == VIPANN_OK) {
        tell(l, vip_clock_seconds(CLOCK_MONOTONIC) - l->begun);
    }
    return status;
}

static int
run_teach(const vip_arguments *arguments)
{
    vipann_error error = {VIPANN_OK, ""};
    if (vip_argument(arguments, &MODEL)->text == NULL || vip_argument(arguments, &OUTPUT)->text == NULL) {
        const vipann_status missing = vip_fail(
            &error, VIPANN_E_ARG, "--model says which model learns, --output where the new one goes; give both");
        return vip_command_end(&VIP_TEACH_COMMAND, missing, &error);
    }
    vip_parallel_threads((unsigned)vip_argument(arguments, &THREADS)->whole);
    lesson l = {.arguments = arguments};
    const vipann_status status = work(&l, &error);
    for (uint32_t c = 0; c < l.sounds.n_classes; c++) {
        vip_free(l.taught[c].w);
    }
    vip_hear_free(l.heard, l.sounds.n);
    vip_sounds_free(&l.sounds);
    vip_model_free(l.model);
    return vip_command_end(&VIP_TEACH_COMMAND, status, &error);
}

int
vip_teach_run(int argc, char **argv)
{
    return vip_command_line(&VIP_TEACH_COMMAND, argc, argv, NULL, run_teach);
}
