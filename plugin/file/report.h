/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report.h -- results as text, JSON lines or CSV. The formats are one table; see README.md for how to add one. */
#ifndef VIP_PLUGIN_FILE_REPORT_H
#define VIP_PLUGIN_FILE_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <common/audio.h>
#include <common/text.h>
#include <vipann/vipann.h>

typedef struct {
    float p;
    uint32_t i;
} vip_rank;

/* What is being written, by whom and where. One per file that is analysed. */
typedef struct {
    FILE *out;            /* borrowed */
    vip_text_style style; /* of the place where it ends up in */
    const char *file;     /* as the user named it */
    size_t index;         /* of the file among all, from 0 */
    const vipann_model *model;
    vipann_model_info info;
    char *id; /* the model's name and the first 12 digits of its hash */
    vipann_options options;
    bool clip;       /* one result for the whole file */
    uint32_t top;    /* most classes in a result */
    vip_rank *ranks; /* [classes] */
} vip_report;

typedef struct {
    const char *name;
    void (*head)(const vip_report *report);                               /* once, before everything; NULL: nothing */
    void (*file)(const vip_report *report, const vip_audio_facts *facts); /* before a file's results; NULL */
    void (*result)(const vip_report *report, const vipann_result *result);
} vip_format;

/* In the order of VIP_FORMAT_NAMES. */
extern const vip_format VIP_FORMATS[];

/* The words for an option table; ends with NULL. */
extern const char *const VIP_FORMAT_NAMES[];

/* Fills *report for results of the model (borrowed) and allocates what it needs; out, style, file and options are the
 * caller's to set. E_MEMORY. */
vipann_status vip_report_begin(vip_report *report, const vipann_model *model, vipann_error *error);

void vip_report_end(vip_report *report);

/* Fills report->ranks with the most probable classes first (of equals the lower index) and returns how many of them
 * are to be shown. */
uint32_t vip_report_rank(const vip_report *report, const vipann_result *result);

void vip_report_text_head(const vip_report *report);
void vip_report_text_file(const vip_report *report, const vip_audio_facts *facts);
void vip_report_text_result(const vip_report *report, const vipann_result *result);
void vip_report_jsonl_result(const vip_report *report, const vipann_result *result);
void vip_report_csv_head(const vip_report *report);
void vip_report_csv_result(const vip_report *report, const vipann_result *result);

#endif /* VIP_PLUGIN_FILE_REPORT_H */
