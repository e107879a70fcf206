/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_jsonl.c -- JSON lines; common/result.schema.json says what is in them. */
#include "report.h"

#include <math.h>

#include <common/jsonl.h>

/* Significant digits: of what is a float inside, of times, which are sums of samples over a rate, and of levels. */
enum { DIGITS = 7, TIME_DIGITS = 10, LEVEL_DIGITS = 5 };

/* A value that exists only if several members were asked. */
static void
put_member_value(vip_json *json, const char *key, bool there, double value)
{
    if (there) {
        vip_json_number(json, key, value, DIGITS);
    } else {
        vip_json_null(json, key);
    }
}

/* The recording or the input, and the model. */
static void
put_origin(vip_json *json, const vip_report *report)
{
    vip_json_text(json, vip_report_source(report), report->file);
    vip_json_text(json, "model", report->id);
}

static void
put_utc(vip_json *json, const vip_report *report, double seconds)
{
    char clock[VIP_CLOCK_SIZE];
    vip_json_text(json, "utc", vip_report_utc(report, seconds, clock));
}

static void
put_unknown(vip_json *json, vipann_answer unknown)
{
    if (unknown == VIPANN_CANNOT_SAY) {
        vip_json_null(json, "unknown");
    } else {
        vip_json_truth(json, "unknown", unknown == VIPANN_YES);
    }
}

void
vip_report_jsonl_result(const vip_report *report, const vipann_result *r)
{
    vip_json json = {.out = report->out};
    uint32_t n = vip_report_rank(report, r);
    vip_json_object(&json, NULL);
    put_origin(&json, report);
    if (!report->clip) {
        vip_json_number(&json, "t_s", r->t_seconds, TIME_DIGITS);
    }
    if (report->live != NULL) {
        put_utc(&json, report, r->t_seconds);
        vip_json_number(&json, "gap_s", r->gap_seconds, TIME_DIGITS);
    }
    vip_json_number(&json, "window_s", r->window_seconds, TIME_DIGITS);
    vip_json_whole(&json, "passes", r->passes);
    vip_json_truth(&json, "calibrated", r->calibrated);
    vip_json_number(&json, "level_dbfs", r->level_dbfs, LEVEL_DIGITS);
    vip_json_truth(&json, "silent", r->silent);
    vip_json_array(&json, "top");
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = report->ranks[k].i;
        vip_json_object(&json, NULL);
        vip_json_text(&json, "label", vipann_model_label(report->model, i));
        vip_json_number(&json, "p", r->p[i], DIGITS);
        put_member_value(&json, "std", r->has_epistemic, r->std[i]);
        put_member_value(&json, "epistemic_nats", r->has_epistemic, r->epistemic[i]);
        vip_json_number(&json, "aleatoric_nats", r->aleatoric[i], DIGITS);
        vip_json_close(&json);
    }
    vip_json_close(&json);
    vip_json_text(&json, "reduction", r->reduction == VIPANN_REDUCTION_SUM ? "sum" : NULL);
    vip_json_number(&json, "total_nats", r->total_nats, DIGITS);
    vip_json_number(&json, "aleatoric_nats", r->aleatoric_nats, DIGITS);
    put_member_value(&json, "epistemic_nats", r->has_epistemic, r->epistemic_nats);
    put_unknown(&json, r->unknown);
    vip_json_close(&json);
}

void
vip_report_jsonl_event(vip_report *report, const vipann_event *e)
{
    vip_json json = {.out = report->out};
    vip_json_object(&json, NULL);
    put_origin(&json, report);
    vip_json_text(&json, "label", vipann_model_label(report->model, e->class_index));
    vip_json_number(&json, "start_s", e->start_seconds, TIME_DIGITS);
    if (report->live != NULL) {
        put_utc(&json, report, e->start_seconds);
    }
    vip_json_number(&json, "end_s", e->ended ? e->end_seconds : NAN, TIME_DIGITS);
    vip_json_number(&json, "p_max", e->p_max, DIGITS);
    vip_json_number(&json, "p_mean", e->p_mean, DIGITS);
    put_member_value(&json, "epistemic_nats", e->has_epistemic, e->epistemic_nats);
    put_unknown(&json, e->unknown);
    vip_json_whole(&json, "passes", e->passes);
    vip_json_truth(&json, "calibrated", e->calibrated);
    vip_json_close(&json);
}

void
vip_report_jsonl_summary(const vip_report *report, const vip_summary *summary, const uint32_t *order, uint32_t n)
{
    vip_json json = {.out = report->out};
    for (uint32_t k = 0; k < n; k++) {
        const vip_class_summary *of = &summary->of[order[k]];
        vip_json_object(&json, NULL);
        vip_json_text(&json, "model", report->id);
        vip_json_text(&json, "label", vipann_model_label(report->model, order[k]));
        vip_json_whole(&json, "events", of->events);
        vip_json_number(&json, "seconds", of->seconds, TIME_DIGITS);
        vip_json_object(&json, "most_certain");
        vip_json_text(&json, "file", of->file);
        vip_json_number(&json, "start_s", of->start, TIME_DIGITS);
        vip_json_number(&json, "p_max", of->p_max, DIGITS);
        vip_json_close(&json);
        vip_json_close(&json);
    }
}
