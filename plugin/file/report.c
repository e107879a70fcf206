/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report.c -- what all formats share, and those for programs: JSON lines and CSV. */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <common/csv.h>
#include <common/jsonl.h>
#include <common/support.h>

/* Significant digits: of what is a float inside, and of times, which are sums of samples over a rate. */
enum { DIGITS = 7, TIME_DIGITS = 10, ID_DIGITS = 12 };

const vip_format VIP_FORMATS[] = {
    {"text", vip_report_text_head, vip_report_text_file, vip_report_text_result},
    {"jsonl", NULL, NULL, vip_report_jsonl_result},
    {"csv", vip_report_csv_head, NULL, vip_report_csv_result},
};

const char *const VIP_FORMAT_NAMES[] = {"text", "jsonl", "csv", NULL};

vipann_status
vip_report_begin(vip_report *report, const vipann_model *model, vipann_error *error)
{
    report->model = model;
    vipann_model_describe(model, &report->info);
    size_t size = strlen(report->info.name) + ID_DIGITS + 2;
    report->id = vip_alloc(size, 1);
    report->ranks = vip_alloc(report->info.classes, sizeof *report->ranks);
    if (report->id == NULL || report->ranks == NULL) {
        vip_report_end(report);
        return vip_fail_memory(error, "the results");
    }
    (void)snprintf(report->id, size, "%s %.*s", report->info.name, ID_DIGITS, report->info.sha256);
    return VIPANN_OK;
}

void
vip_report_end(vip_report *report)
{
    vip_free(report->id);
    vip_free(report->ranks);
    report->id = NULL;
    report->ranks = NULL;
}

static int
compare_ranks(const void *a, const void *b)
{
    const vip_rank *left = a, *right = b;
    if (left->p < right->p || left->p > right->p) {
        return left->p < right->p ? 1 : -1;
    }
    return left->i < right->i ? -1 : left->i > right->i;
}

uint32_t
vip_report_rank(const vip_report *report, const vipann_result *result)
{
    for (uint32_t i = 0; i < result->classes; i++) {
        report->ranks[i] = (vip_rank){result->p[i], i};
    }
    qsort(report->ranks, result->classes, sizeof *report->ranks, compare_ranks);
    return report->top < result->classes ? report->top : result->classes;
}

/* --------------------------------------------------------------------------------------------------- JSON lines */

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
    vip_json_text(&json, "file", report->file);
    vip_json_text(&json, "model", report->id);
    if (!report->clip) {
        vip_json_number(&json, "t_s", r->t_seconds, TIME_DIGITS);
    }
    vip_json_number(&json, "window_s", r->window_seconds, TIME_DIGITS);
    vip_json_whole(&json, "passes", r->passes);
    vip_json_truth(&json, "calibrated", r->calibrated);
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

/* ---------------------------------------------------------------------------------------------------------- CSV */

void
vip_report_csv_head(const vip_report *report)
{
    static const char *const fixed[] = {"file",       "model",          "t_s",           "window_s",
                                        "passes",     "calibrated",     "unknown",       "reduction",
                                        "total_nats", "aleatoric_nats", "epistemic_nats"};
    static const char *const per_class[] = {"label", "p", "std", "aleatoric_nats", "epistemic_nats"};
    vip_csv csv = {.out = report->out};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        vip_csv_text(&csv, fixed[i]);
    }
    for (uint32_t k = 1; k <= report->top && k <= report->info.classes; k++) {
        for (size_t i = 0; i < sizeof per_class / sizeof *per_class; i++) {
            char name[32];
            (void)snprintf(name, sizeof name, "%s_%u", per_class[i], (unsigned)k);
            vip_csv_text(&csv, name);
        }
    }
    vip_csv_end(&csv);
}

void
vip_report_csv_result(const vip_report *report, const vipann_result *r)
{
    static const char *const answers[] = {[VIPANN_NO] = "no", [VIPANN_YES] = "yes", [VIPANN_CANNOT_SAY] = NULL};
    vip_csv csv = {.out = report->out};
    uint32_t n = vip_report_rank(report, r);
    vip_csv_text(&csv, report->file);
    vip_csv_text(&csv, report->id);
    vip_csv_number(&csv, report->clip ? NAN : r->t_seconds, TIME_DIGITS);
    vip_csv_number(&csv, r->window_seconds, TIME_DIGITS);
    vip_csv_number(&csv, r->passes, DIGITS);
    vip_csv_text(&csv, r->calibrated ? "yes" : "no");
    vip_csv_text(&csv, answers[r->unknown]);
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
