/* SPDX-License-Identifier: GPL-3.0-or-later */
/* file.c -- `vipann file`: recordings in, results out. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include <common/atomic_file.h>
#include <common/options.h>
#include <common/support.h>

#include "commands.h"
#include "jobs.h"
#include "models.h"

enum { PIECE_WORK = 16 }; /* columns times members in one go: enough to pay, and small enough for the caches */

/* The places of the options in the table. */
enum {
    START,
    DURATION,
    CHANNEL,
    MODEL,
    PASSES,
    SEED,
    HOP,
    WINDOW,
    HORIZON,
    LATENCY,
    FORMAT,
    CLIP,
    TOP,
    OUTPUT,
    THREADS,
    N_OPTIONS
};

static const char *const LATENCIES[] = {"centred", "edge", NULL}; /* in the order of vipann_latency */
static const char *const ALL[] = {"all", NULL};

static const char SOUND[] = "What to hear", NETWORK[] = "How to hear it", RESULTS[] = "What to write";

static const vip_option OPTIONS[N_OPTIONS] = {
    [START] = {"start", VIP_OPTION_NUMBER, "SECONDS", 0, 1e7, NULL, "0", NULL, SOUND,
               "Leave out so much; times in results are still those of the whole file."},
    [DURATION] = {"duration", VIP_OPTION_NUMBER, "SECONDS", 1e-3, 1e7, NULL, NULL, "to the end", SOUND,
                  "Hear this much of each file."},
    [CHANNEL] = {"channel", VIP_OPTION_WHOLE, "N", 1, VIPANN_MAX_CHANNELS, NULL, NULL, "the mean of all", SOUND,
                 "Hear one channel only, counted from 1."},
    [MODEL] =
        {"model", VIP_OPTION_TEXT, "MODEL", 0, 0, NULL, VIP_DEFAULT_MODEL, NULL, NETWORK,
         "A .safetensors file, or the name of a model in VIPANN_MODEL_PATH (folders separated by colons) or among "
         "those installed."},
    [PASSES] = {"passes", VIP_OPTION_WHOLE, "N", 0, VIPANN_MAX_PASSES, NULL, NULL, "the model's, else 8", NETWORK,
                "Monte-Carlo passes; their disagreement is what the model does not know. 0: one deterministic pass."},
    [SEED] = {"seed", VIP_OPTION_WHOLE, "N", 0, 1.8446744073709551615e19, NULL, "1", NULL, NETWORK,
              "Of all random numbers; the same seed gives the same results."},
    [HOP] =
        {"hop", VIP_OPTION_NUMBER, "SECONDS", 1e-3, 1e4, NULL, NULL, "one column", NETWORK,
         "Time between results, rounded to whole columns of the network (0.32 s in the shipped models), at least one."},
    [WINDOW] = {"window", VIP_OPTION_NUMBER, "SECONDS", 1e-3, 1e7, ALL, NULL, "the model's, else 15 columns", NETWORK,
                "How far back a result listens, rounded likewise. More than 375 columns mean: back to the start."},
    [HORIZON] = {"horizon", VIP_OPTION_NUMBER, "SECONDS", 0, 3600, NULL, "0", NULL, NETWORK,
                 "Time constant of smoothing over results; 0: none."},
    [LATENCY] =
        {"latency", VIP_OPTION_CHOICE, NULL, 0, 0, LATENCIES, "centred", NULL, NETWORK,
         "centred: a result waits for all sound that bears on it. edge: as if the sound ended right there, as a "
         "live listener hears it; about three times the work."},
    [FORMAT] = {"format", VIP_OPTION_CHOICE, NULL, 0, 0, VIP_FORMAT_NAMES, "text", NULL, RESULTS,
                "text for eyes, jsonl (one JSON object per line), csv (one row per result; for each class shown the "
                "columns label_1, p_1, std_1 and so on)."},
    [CLIP] = {"clip", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, RESULTS,
              "One result for each whole file; hop, window, horizon and latency do not matter then."},
    [TOP] = {"top", VIP_OPTION_WHOLE, "N", 1, 4096, ALL, "5", NULL, RESULTS,
             "Classes in a result, the most probable first; text on a terminal shows as many as fit."},
    [OUTPUT] = {"output", VIP_OPTION_TEXT, "FILE", 0, 0, NULL, NULL, "standard output", RESULTS,
                "Write here; the file appears when all is done, whole or not at all."},
    [THREADS] =
        {"threads", VIP_OPTION_WHOLE, "N", 1, 64, NULL, "1", NULL, RESULTS,
         "Files to analyse at once. Results are the same and in the order of the files, but come a whole file at "
         "a time."},
};

static const vip_command COMMAND = {
    .name = "vipann file",
    .operands = "FILE...",
    .summary = "Says what is heard in sound files, and how sure that is.",
    .details = "FILE is anything libsndfile reads (wav, flac, ogg, opus, mp3 and more) at 8 to 384 kHz with up to 64 "
               "channels, or - for standard input. Each file gives at least one result. One that cannot be read is "
               "reported on standard error, the others go on, and the exit status is 1; wrong options give 2.",
    .examples = "vipann file street.wav\n"
                "vipann file --clip --format csv --output heard.csv *.flac\n"
                "arecord -q -f S16_LE -r 32000 -t wav | vipann file --latency edge -",
    .options = OPTIONS,
    .n_options = N_OPTIONS,
    .least_operands = 1,
    .most_operands = SIZE_MAX,
};

/* ------------------------------------------------------------------------------------------------------ settings */

static uint32_t
to_columns(double seconds, double column_seconds)
{
    double columns = round(seconds / column_seconds);
    return columns < 1 ? 1 : columns < UINT32_MAX ? (uint32_t)columns : UINT32_MAX;
}

static void
set_stretch(const vip_value *v, const vipann_model_info *info, bool clip, vipann_options *o)
{
    if (v[HOP].given) {
        uint32_t hop = to_columns(v[HOP].number, info->column_seconds);
        o->hop_columns = hop < VIPANN_MAX_HOP_COLUMNS ? hop : VIPANN_MAX_HOP_COLUMNS;
    }
    if (v[WINDOW].given) {
        uint32_t window = v[WINDOW].word != VIP_NO_WORD ? 0 : to_columns(v[WINDOW].number, info->column_seconds);
        o->window_columns = window <= VIPANN_MAX_WINDOW_COLUMNS ? window : 0;
    }
    o->horizon_seconds = v[HORIZON].number;
    if (clip) {
        o->window_columns = 0;
        o->hop_columns = VIPANN_MAX_HOP_COLUMNS; /* only the last result is wanted, so the fewer before the better */
        o->horizon_seconds = 0;
    }
}

static void
set_options(const vip_value *v, const vipann_model *model, vipann_options *o)
{
    vipann_model_info info;
    vipann_model_describe(model, &info);
    vipann_options_default(o, model);
    o->channel = v[CHANNEL].given ? (int32_t)v[CHANNEL].whole - 1 : -1;
    if (v[PASSES].given && info.posterior != VIPANN_DETERMINISTIC) {
        o->passes = (uint32_t)v[PASSES].whole;
    }
    o->max_passes = o->passes;
    o->seed = v[SEED].whole;
    o->latency = v[CLIP].given ? VIPANN_CENTRED : (vipann_latency)v[LATENCY].word;
    set_stretch(v, &info, v[CLIP].given, o);
    uint32_t members = o->passes > 0 ? o->passes : 1;
    uint32_t piece = o->latency == VIPANN_EDGE && !info.causal ? o->hop_columns : PIECE_WORK / members;
    piece = piece > 0 ? piece : 1;
    o->piece_columns = piece < VIPANN_MAX_PIECE_COLUMNS ? piece : VIPANN_MAX_PIECE_COLUMNS;
}

/* ---------------------------------------------------------------------------------------------------------- runs */

static int
complain(const char *text)
{
    (void)fprintf(stderr, "%s: %s\n", COMMAND.name, text);
    return VIP_EXIT_FAILED;
}

/* Tells how writing to standard output ended. A reader that has gone away is no news to anybody. */
static int
complain_of_output(int reason)
{
    if (reason != EPIPE) {
        (void)fprintf(stderr, "%s: results cannot be written: %s\n", COMMAND.name, strerror(reason));
    }
    return VIP_EXIT_FAILED;
}

static int
run_with_output(vip_jobs *jobs, const char *path)
{
    vipann_error error;
    vip_jobs_outcome outcome;
    vip_atomic_file *file = NULL;
    if (path != NULL) {
        file = vip_atomic_file_open(path, &error);
        if (file == NULL) {
            return complain(error.text);
        }
    }
    jobs->report.out = file != NULL ? vip_atomic_file_stream(file) : stdout;
    jobs->report.style = vip_text_style_of(jobs->report.out);
    if (vip_jobs_run(jobs, &outcome, &error) != VIPANN_OK) {
        vip_atomic_file_discard(file);
        return complain(error.text);
    }
    if (outcome.output_errno != 0) {
        vip_atomic_file_discard(file);
        return complain_of_output(outcome.output_errno);
    }
    if (file != NULL && vip_atomic_file_commit(file, &error) != VIPANN_OK) {
        return complain(error.text);
    }
    return outcome.failed > 0 ? VIP_EXIT_FAILED : VIP_EXIT_DONE;
}

/* The recording that --output would replace, or NULL. */
static const char *
overwritten(const vip_arguments *a)
{
    struct stat output, input;
    if (!a->values[OUTPUT].given || stat(a->values[OUTPUT].text, &output) != 0 || !S_ISREG(output.st_mode)) {
        return NULL;
    }
    for (size_t i = 0; i < a->n_operands; i++) {
        const char *path = a->operands[i];
        if (stat(path, &input) == 0 && input.st_dev == output.st_dev && input.st_ino == output.st_ino) {
            return path;
        }
    }
    return NULL;
}

static int
run(const vip_arguments *a)
{
    vipann_error error;
    const vip_value *v = a->values;
    if (overwritten(a) != NULL) {
        (void)fprintf(stderr, "%s: --output %s would replace a recording that is to be heard; choose another name\n",
                      COMMAND.name, overwritten(a));
        return VIP_EXIT_ASKED_WRONGLY;
    }
    vipann_model *model = vip_models_open(v[MODEL].text, &error);
    if (model == NULL) {
        return complain(error.text);
    }
    vip_jobs jobs = {.program = COMMAND.name, .paths = a->operands, .n_paths = a->n_operands};
    jobs.analysis = (vip_analysis){.model = model, .start = v[START].number, .clip = v[CLIP].given};
    jobs.analysis.duration = v[DURATION].given ? v[DURATION].number : 0;
    jobs.format = &VIP_FORMATS[v[FORMAT].word];
    jobs.threads = (size_t)v[THREADS].whole;
    set_options(v, model, &jobs.analysis.options);
    int status = VIP_EXIT_FAILED;
    if (vip_report_begin(&jobs.report, model, &error) != VIPANN_OK) {
        (void)complain(error.text);
    } else {
        jobs.report.clip = v[CLIP].given;
        jobs.report.top = v[TOP].word != VIP_NO_WORD ? UINT32_MAX : (uint32_t)v[TOP].whole;
        status = run_with_output(&jobs, v[OUTPUT].given && strcmp(v[OUTPUT].text, "-") != 0 ? v[OUTPUT].text : NULL);
        vip_report_end(&jobs.report);
    }
    vipann_model_unref(model);
    return status;
}

int
vip_command_file(int argc, char **argv)
{
    return vip_command_line(&COMMAND, argc, argv, run);
}
