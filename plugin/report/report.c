/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report.c -- the table of formats, and what they share. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include <common/support.h>

enum { ID_DIGITS = 12 };

const vip_format VIP_FORMATS[] = {
    {"text", ".txt", false, vip_report_text_head, vip_report_text_file, vip_report_text_result, vip_report_text_event,
     vip_report_text_summary},
    {"jsonl", ".jsonl", false, NULL, NULL, vip_report_jsonl_result, vip_report_jsonl_event, vip_report_jsonl_summary},
    {"csv", ".csv", false, vip_report_csv_head, NULL, vip_report_csv_result, vip_report_csv_event,
     vip_report_csv_summary},
    {"labels", ".labels.txt", true, NULL, NULL, NULL, vip_report_labels_event, NULL},
    {"raven", ".selections.txt", true, vip_report_raven_head, NULL, NULL, vip_report_raven_event, NULL},
};

const char *const VIP_FORMAT_NAMES[] = {"text", "jsonl", "csv", "labels", "raven", NULL};

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

const char *
vip_report_source(const vip_report *report)
{
    return report->live != NULL ? "input" : "file";
}

const char *
vip_report_utc(const vip_report *report, double seconds, char out[VIP_CLOCK_SIZE])
{
    return vip_clock_utc(out, report->live->utc + seconds);
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
