/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_csv.c -- tables for programs that want rows. */
#include "report.h"

#include <math.h>

#include <common/csv.h>

/* Significant digits: of what is a float inside, of times, which are sums of samples over a rate, and of levels. */
enum { DIGITS = 7, TIME_DIGITS = 10, LEVEL_DIGITS = 5 };

static const char *const ANSWERS[] = {[VIPANN_NO] = "no", [VIPANN_YES] = "yes", [VIPANN_CANNOT_SAY] = NULL};

/* After the first column, which is that of the recording or the input. */
typedef struct {
    const char *name;
    bool live; /* for what is heard live only */
} column;

static const column RESULT[] = {{"model", false},          {"t_s", false},           {"utc", true},
                                {"gap_s", true},           {"window_s", false},      {"passes", false},
                                {"calibrated", false},     {"unknown", false},       {"level_dbfs", false},
                                {"silent", false},         {"reduction", false},     {"total_nats", false},
                                {"aleatoric_nats", false}, {"epistemic_nats", false}};

static const column EVENT[] = {{"model", false},   {"label", false},  {"start_s", false},   {"utc", true},
                               {"end_s", false},   {"p_max", false},  {"p_mean", false},    {"epistemic_nats", false},
                               {"unknown", false}, {"passes", false}, {"calibrated", false}};

static void
put_names(const vip_report *report, vip_csv *csv, const column *columns, size_t n)
{
    vip_csv_text(csv, vip_report_source(report));
    for (size_t i = 0; i < n; i++) {
        if (!columns[i].live || report->live != NULL) {
            vip_csv_text(csv, columns[i].name);
        }
    }
}

static void
put_utc(const vip_report *report, vip_csv *csv, double seconds)
{
    char clock[VIP_CLOCK_SIZE];
    vip_csv_text(csv, vip_report_utc(report, seconds, clock));
}

static void
put_result_head(const vip_report *report, vip_csv *csv)
{
    static const char *const per_class[] = {"label", "p", "std", "aleatoric_nats", "epistemic_nats"};
    put_names(report, csv, RESULT, sizeof RESULT / sizeof *RESULT);
    for (uint32_t k = 1; k <= report->top && k <= report->info.classes; k++) {
        for (size_t i = 0; i < sizeof per_class / sizeof *per_class; i++) {
            char name[32];
            (void)snprintf(name, sizeof name, "%s_%u", per_class[i], (unsigned)k);
            vip_csv_text(csv, name);
        }
    }
}

void
vip_report_csv_head(const vip_report *report)
{
    static const char *const total[] = {"model", "label", "events", "seconds", "file", "start_s", "p_max"};
    vip_csv csv = {.out = report->out};
    if (report->subject == VIP_RESULTS) {
        put_result_head(report, &csv);
    } else if (report->subject == VIP_EVENTS) {
        put_names(report, &csv, EVENT, sizeof EVENT / sizeof *EVENT);
    } else {
        for (size_t i = 0; i < sizeof total / sizeof *total; i++) {
            vip_csv_text(&csv, total[i]);
        }
    }
    vip_csv_end(&csv);
}

void
vip_report_csv_result(const vip_report *report, const vipann_result *r)
{
    vip_csv csv = {.out = report->out};
    uint32_t n = vip_report_rank(report, r);
    vip_csv_text(&csv, report->file);
    vip_csv_text(&csv, report->id);
    vip_csv_number(&csv, report->clip ? NAN : r->t_seconds, TIME_DIGITS);
    if (report->live != NULL) {
        put_utc(report, &csv, r->t_seconds);
        vip_csv_number(&csv, r->gap_seconds, TIME_DIGITS);
    }
    vip_csv_number(&csv, r->window_seconds, TIME_DIGITS);
    vip_csv_number(&csv, r->passes, DIGITS);
    vip_csv_text(&csv, r->calibrated ? "yes" : "no");
    vip_csv_text(&csv, ANSWERS[r->unknown]);
    vip_csv_number(&csv, r->level_dbfs, LEVEL_DIGITS);
    vip_csv_text(&csv, r->silent ? "yes" : "no");
    vip_csv_text(&csv, r->reduction == VIPANN_REDUCTION_SUM ? "sum" : NULL);
    vip_csv_number(&csv, r->total_nats, DIGITS);
    vip_csv_number(&csv, r->aleatoric_nats, DIGITS);
    vip_csv_number(&csv, r->has_epistemic ? r->epistemic_nats : NAN, DIGITS);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = report->ranks[k].i;
        vip_csv_text(&csv, vipann_model_label(report->model, i));
        vip_csv_number(&csv, r->p[i], DIGITS);
        vip_csv_number(&csv, r->has_epistemic ? r->std[i] : (float)NAN, DIGITS);
        vip_csv_number(&csv, r->aleatoric[i], DIGITS);
        vip_csv_number(&csv, r->has_epistemic ? r->epistemic[i] : (float)NAN, DIGITS);
    }
    vip_csv_end(&csv);
}

void
vip_report_csv_event(vip_report *report, const vipann_event *e)
{
    vip_csv csv = {.out = report->out};
    vip_csv_text(&csv, report->file);
    vip_csv_text(&csv, report->id);
    vip_csv_text(&csv, vipann_model_label(report->model, e->class_index));
    vip_csv_number(&csv, e->start_seconds, TIME_DIGITS);
    if (report->live != NULL) {
        put_utc(report, &csv, e->start_seconds);
    }
    vip_csv_number(&csv, e->ended ? e->end_seconds : NAN, TIME_DIGITS);
    vip_csv_number(&csv, e->p_max, DIGITS);
    vip_csv_number(&csv, e->p_mean, DIGITS);
    vip_csv_number(&csv, e->has_epistemic ? e->epistemic_nats : NAN, DIGITS);
    vip_csv_text(&csv, ANSWERS[e->unknown]);
    vip_csv_number(&csv, e->passes, DIGITS);
    vip_csv_text(&csv, e->calibrated ? "yes" : "no");
    vip_csv_end(&csv);
}

void
vip_report_csv_summary(const vip_report *report, const vip_summary *summary, const uint32_t *order, uint32_t n)
{
    vip_csv csv = {.out = report->out};
    for (uint32_t k = 0; k < n; k++) {
        const vip_class_summary *of = &summary->of[order[k]];
        vip_csv_text(&csv, report->id);
        vip_csv_text(&csv, vipann_model_label(report->model, order[k]));
        vip_csv_number(&csv, (double)of->events, TIME_DIGITS);
        vip_csv_number(&csv, of->seconds, TIME_DIGITS);
        vip_csv_text(&csv, of->file);
        vip_csv_number(&csv, of->start, TIME_DIGITS);
        vip_csv_number(&csv, of->p_max, DIGITS);
        vip_csv_end(&csv);
    }
}
