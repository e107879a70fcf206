/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_tracks.c -- events as programs for looking at sound read them: Audacity's label track, Raven's selection
 * table. */
#include "report.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include <common/tsv.h>

enum { TIME_DECIMALS = 6, DECIMALS = 4, HZ_DECIMALS = 1, PATH_BYTES = 8192 };

/* Start, end and label, without a head. */
void
vip_report_labels_event(vip_report *report, const vipann_event *e)
{
    if (!e->ended) {
        return; /* what has no end is no label yet */
    }
    vip_tsv tsv = {.out = report->out};
    vip_tsv_fixed(&tsv, e->start_seconds, TIME_DECIMALS);
    vip_tsv_fixed(&tsv, e->end_seconds, TIME_DECIMALS);
    vip_tsv_text(&tsv, vipann_model_label(report->model, e->class_index));
    vip_tsv_end(&tsv);
}

/* The first seven columns are what Raven needs; from the next three it finds the recording, so that the table can be
 * opened without it; the others it shows as they are. */
void
vip_report_raven_head(const vip_report *report)
{
    static const char *const names[] = {
        "Selection",     "View",           "Channel",    "Begin Time (s)",   "End Time (s)",
        "Low Freq (Hz)", "High Freq (Hz)", "Begin File", "Begin Path",       "File Offset (s)",
        "Annotation",    "Score",          "Mean Score", "Epistemic (nats)", "Unknown"};
    vip_tsv tsv = {.out = report->out};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        vip_tsv_text(&tsv, names[i]);
    }
    vip_tsv_end(&tsv);
}

/* A path that holds wherever the table is opened; as it is where that cannot be said, and for standard input. Links stay
 * links: people know their recordings by these names. */
static const char *
whole_path(const char *path, char out[PATH_BYTES])
{
    if (path[0] == '/' || strcmp(path, "-") == 0 || getcwd(out, PATH_BYTES) == NULL) {
        return path;
    }
    while (strncmp(path, "./", 2) == 0) {
        path += 2;
    }
    size_t folder = strlen(out), file = strlen(path);
    if (file >= PATH_BYTES - 1 - folder) {
        return path;
    }
    bool root = folder > 0 && out[folder - 1] == '/';
    if (!root) {
        out[folder++] = '/';
    }
    memcpy(out + folder, path, file + 1);
    return out;
}

void
vip_report_raven_event(vip_report *report, const vipann_event *e)
{
    if (!e->ended) {
        return;
    }
    static const char *const answers[] = {[VIPANN_NO] = "no", [VIPANN_YES] = "yes", [VIPANN_CANNOT_SAY] = ""};
    vip_tsv tsv = {.out = report->out};
    char path[PATH_BYTES];
    const char *slash = strrchr(report->file, '/');
    vip_tsv_whole(&tsv, ++report->events);
    vip_tsv_text(&tsv, "Spectrogram 1");
    vip_tsv_whole(&tsv, report->options.channel >= 0 ? (uint64_t)report->options.channel + 1 : 1);
    vip_tsv_fixed(&tsv, e->start_seconds, TIME_DECIMALS);
    vip_tsv_fixed(&tsv, e->end_seconds, TIME_DECIMALS);
    vip_tsv_fixed(&tsv, report->info.fmin, HZ_DECIMALS);
    vip_tsv_fixed(&tsv, fmin(report->info.fmax, report->rate / 2), HZ_DECIMALS);
    vip_tsv_text(&tsv, slash != NULL ? slash + 1 : report->file);
    vip_tsv_text(&tsv, whole_path(report->file, path));
    vip_tsv_fixed(&tsv, e->start_seconds, TIME_DECIMALS);
    vip_tsv_text(&tsv, vipann_model_label(report->model, e->class_index));
    vip_tsv_fixed(&tsv, e->p_max, DECIMALS);
    vip_tsv_fixed(&tsv, e->p_mean, DECIMALS);
    vip_tsv_fixed(&tsv, e->has_epistemic ? e->epistemic_nats : NAN, DECIMALS);
    vip_tsv_text(&tsv, answers[e->unknown]);
    vip_tsv_end(&tsv);
}
