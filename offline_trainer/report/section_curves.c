/* SPDX-License-Identifier: GPL-3.0-or-later */
/* section_curves.c -- what the logs say: losses and what was measured on the way, runs over each other. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <common/number.h>

#include "sections.h"

enum { MOST_POINTS = 240, MOST_MARKS = 20, MOST_CHARTS = 2 * VIP_MOST_SERIES };
static const double STEEP = 30; /* a loss that falls by more is drawn on a logarithmic axis */

static const struct {
    const char *name, *heading;
    bool percent;
} KNOWN[] = {
    {"loss", "Loss in training, the whole", false},
    {"loss.first", "Loss of the classes, or of what the teacher hears", false},
    {"loss.second", "Loss of the second head", false},
    {"loss.embedding", "Loss of the teacher’s embeddings", false},
    {"loss.kl", "Loss of the weights’ spread (KL)", false},
    {"averaged.accuracy", "Development part: accuracy", true},
    {"averaged.map", "Development part: mAP", true},
    {"averaged.nll", "Development part: NLL", false},
    {"averaged.second_accuracy", "Development part, second head: accuracy", true},
    {"averaged.second_nll", "Development part, second head: NLL", false},
    {"dev.accuracy", "Development part, weights not averaged: accuracy", true},
    {"dev.map", "Development part, weights not averaged: mAP", true},
    {"dev.nll", "Development part, weights not averaged: NLL", false},
    {"rate", "Learning rate", false},
    {"clips_per_s", "Speed, clips per second", false},
};

/* ------------------------------------------------------------------------------------------------------- what there is */

static bool
has_log(const vip_column *column)
{
    return column->first && column->run->n_series > 0;
}

/* Adds a name that is not among them. */
static void
add_name(const char *names[MOST_CHARTS], size_t *n, const char *name)
{
    for (size_t i = 0; i < *n; i++) {
        if (strcmp(names[i], name) == 0) {
            return;
        }
    }
    if (*n < MOST_CHARTS) {
        names[(*n)++] = name;
    }
}

static const vip_series *
series_of(const vip_document *report, size_t column, const char *name)
{
    return report->columns[column].first ? vip_history_find(report->columns[column].run, name) : NULL;
}

/* The quantities of all logs: those we know in our order, then others in theirs. */
static size_t
list_names(const vip_document *report, const char *names[MOST_CHARTS])
{
    size_t n = 0;
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        for (size_t c = 0; c < report->n; c++) {
            if (series_of(report, c, KNOWN[i].name) != NULL) {
                add_name(names, &n, KNOWN[i].name);
            }
        }
    }
    for (size_t c = 0; c < report->n; c++) {
        const vip_history *run = report->columns[c].run;
        for (size_t i = 0; i < run->n_series; i++) {
            add_name(names, &n, run->series[i].name);
        }
    }
    return n;
}

/* Whether it is the only part of the loss that there is, and so the whole once more. */
static bool
is_lone_part(const char *const *names, size_t n, const char *name)
{
    size_t parts = 0;
    bool whole = false;
    for (size_t i = 0; i < n; i++) {
        parts += strncmp(names[i], "loss.", 5) == 0;
        whole = whole || strcmp(names[i], "loss") == 0;
    }
    return whole && parts == 1 && strncmp(name, "loss.", 5) == 0;
}

/* ------------------------------------------------------------------------------------------------------------ a chart */

/* Means of stretches of equal length, so that a long log is a short line; returns how many. */
static size_t
thin(const vip_series *series, bool by_clips, vip_point points[MOST_POINTS])
{
    size_t n = series->n < MOST_POINTS ? series->n : MOST_POINTS;
    for (size_t i = 0; i < n; i++) {
        size_t from = i * series->n / n, to = (i + 1) * series->n / n;
        vip_point sum = {0, 0};
        for (size_t k = from; k < to; k++) {
            sum.x += by_clips ? series->moments[k].clips : series->moments[k].step;
            sum.y += series->moments[k].value;
        }
        points[i] = (vip_point){sum.x / (double)(to - from), sum.y / (double)(to - from)};
    }
    return n;
}

typedef struct {
    const char *name, *heading;
    bool percent;
    size_t n[VIP_MOST_COLUMNS];
    vip_point points[VIP_MOST_COLUMNS][MOST_POINTS];
} chart;

static void
bounds(const chart *c, size_t n, vip_axis *x, vip_axis *y)
{
    double low = INFINITY, high = -INFINITY, last = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < c->n[i]; k++) {
            low = fmin(low, c->points[i][k].y);
            high = fmax(high, c->points[i][k].y);
            last = fmax(last, c->points[i][k].x);
        }
    }
    const bool from_zero = strcmp(c->name, "clips_per_s") == 0 || strncmp(c->name, "rate", 4) == 0;
    y->logarithmic = !from_zero && low > 0 && high > STEEP * low;
    low = from_zero ? fmin(low, 0) : low;
    vip_plot_round(y, low, high);
    vip_plot_round(x, 0, last);
}

static void
put_marks(vip_plot *plot, const vip_document *report, const chart *c, size_t column, bool by_clips)
{
    for (size_t k = c->n[column] <= MOST_MARKS ? 0 : c->n[column] - 1; k < c->n[column]; k++) {
        char text[VIP_DOCUMENT_TEXT], number[VIP_NUMBER_SIZE];
        vip_point at = c->points[column][k];
        (void)snprintf(text, sizeof text, "%.300s: %s at %s %.0f", report->columns[column].name,
                       vip_number_write(number, at.y, 4), by_clips ? "clip" : "step", at.x);
        vip_plot_mark(plot, at, (unsigned)column, text);
    }
}

static void
put_chart(vip_page *page, const vip_document *report, const chart *c, bool by_clips)
{
    vip_plot_options options = {.title = c->heading,
                                .description = "A line per run: how this changed in the course of training.",
                                .width = 420,
                                .height = 270,
                                .x = {.kind = VIP_AXIS_COUNT, .label = by_clips ? "clips heard" : "steps"},
                                .y = {.kind = c->percent ? VIP_AXIS_PERCENT : VIP_AXIS_PLAIN}};
    bounds(c, report->n, &options.x, &options.y);
    options.y.label = options.y.logarithmic ? "logarithmic: equal steps are equal factors" : NULL;
    vip_page_figure(page, "plot", c->heading);
    vip_plot plot = vip_plot_begin(page, &options);
    for (size_t i = 0; i < report->n; i++) {
        if (c->n[i] > 0) {
            vip_plot_line(&plot, c->points[i], c->n[i], (unsigned)i);
        }
    }
    for (size_t i = 0; i < report->n; i++) {
        put_marks(&plot, report, c, i, by_clips);
    }
    vip_plot_end(&plot);
    vip_page_figure_end(page, NULL);
}

static void
fill_chart(const vip_document *report, const char *name, bool by_clips, chart *c)
{
    c->name = c->heading = name;
    c->percent = false;
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        if (strcmp(KNOWN[i].name, name) == 0) {
            c->heading = KNOWN[i].heading;
            c->percent = KNOWN[i].percent;
        }
    }
    for (size_t i = 0; i < report->n; i++) {
        const vip_series *series = series_of(report, i, name);
        c->n[i] = series != NULL && series->n > 0 ? thin(series, by_clips, c->points[i]) : 0;
    }
}

/* Runs are compared by how much they have heard, if all logs say it: their batches may differ. */
static bool
all_say_clips(const vip_document *report)
{
    for (size_t c = 0; c < report->n; c++) {
        const vip_history *run = report->columns[c].run;
        for (size_t i = 0; i < run->n_series; i++) {
            for (size_t k = 0; k < run->series[i].n; k++) {
                if (!isfinite(run->series[i].moments[k].clips)) {
                    return false;
                }
            }
        }
    }
    return true;
}

void
vip_document_curves(vip_page *page, const vip_document *report)
{
    vip_page_section(page, "learning", "How they learned", "What was written down during training, one line per run.");
    if (!vip_document_any(report, has_log)) {
        vip_document_nothing(page, "None of the runs has a log.");
        vip_page_section_end(page);
        return;
    }
    vip_document_legend(page, report, has_log);
    const char *names[MOST_CHARTS];
    size_t n = list_names(report, names);
    bool by_clips = all_say_clips(report);
    (void)fputs("<div class=\"plots\">\n", page->out);
    for (size_t i = 0; i < n; i++) {
        if (!is_lone_part(names, n, names[i])) {
            chart c;
            fill_chart(report, names[i], by_clips, &c);
            put_chart(page, report, &c, by_clips);
        }
    }
    (void)fputs(
        "</div>\n<p class=\"how\">How to read them: training tries to bring the loss down; a line that still falls at "
        "its end says that more training would help. The development part was not trained on: where its "
        "NLL rises again while the loss still falls, the network has begun to learn its sounds by heart. The sign at "
        "the end of a line is its last value. Long logs are drawn as means of stretches.</p>\n",
        page->out);
    vip_page_section_end(page);
}
