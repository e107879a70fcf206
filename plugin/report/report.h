/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report.h -- what was heard, written as text, JSON lines, CSV, label track or selection table. The formats are one
 * table; see README.md for how to add one. */
#ifndef VIP_PLUGIN_REPORT_REPORT_H
#define VIP_PLUGIN_REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <common/audio.h>
#include <common/clock.h>
#include <common/text.h>
#include <vipann/vipann.h>

#include "summary.h"

typedef struct {
    float p;
    uint32_t i;
} vip_rank;

/* What is written: each result, each event when it is over, or all events added up. */
typedef enum { VIP_RESULTS, VIP_EVENTS, VIP_SUMMARY } vip_subject;

/* What reports of something that is heard live have besides. Tables and JSON lines call what was heard "input" instead of
 * "file", and give the wall clock in UTC ("utc") beside the time; lines for eyes give the time of the day in the user's
 * time zone instead of it. Where the wall clock is NaN, or none of the years 1970 to 9999, "utc" is null or empty, and the
 * time of the day "-": no moment is made up. */
typedef struct {
    double utc;  /* of time 0: seconds since 1970 */
    bool named;  /* several inputs share the output: lines for eyes say which is theirs */
    bool begins; /* events are written when they begin, too; labels have only those that are over */
    bool headed; /* text has named its columns above, for another input */
} vip_report_live;

/* What is being written, by whom and where. One per recording that is analysed, or input that is heard. */
typedef struct {
    FILE *out;                   /* borrowed */
    vip_text_style style;        /* of the place where it ends up in */
    const char *file;            /* as the user named it, or the name of the input */
    const vip_report_live *live; /* borrowed; NULL: a recording */
    size_t index;                /* of the recording among all that are written to the same place, from 0 */
    const vipann_model *model;
    vipann_model_info info;
    char *id; /* the model's name and the first 12 digits of its hash */
    vipann_options options;
    vip_subject subject;
    bool clip;       /* one result for the whole file; never live */
    uint32_t top;    /* most classes in a result */
    vip_rank *ranks; /* [classes] */
    double rate;     /* of the recording, Hz */
    uint64_t events; /* written so far */
} vip_report;

/* A pair of functions may be NULL where a format has no such thing; `event` NULL: it is for results only, `result` NULL:
 * for events only. */
typedef struct {
    const char *name;
    const char *ending;                     /* of the names of files in --output-dir */
    bool single;                            /* tells of one recording: no two share a file */
    void (*head)(const vip_report *report); /* once, before everything */
    void (*file)(const vip_report *report, const vip_audio_facts *facts); /* before what a recording gives */
    void (*result)(const vip_report *report, const vipann_result *result);
    void (*event)(vip_report *report, const vipann_event *event); /* that is over; live->begins: or has begun */
    void (*summary)(const vip_report *report, const vip_summary *summary, const uint32_t *order, uint32_t n);
} vip_format;

/* In the order of VIP_FORMAT_NAMES. */
extern const vip_format VIP_FORMATS[];

/* The words for an option table; ends with NULL. */
extern const char *const VIP_FORMAT_NAMES[];

/* Fills *report for results of the model (borrowed) and allocates what it needs; out, style, file, options and what is
 * wanted are the caller's to set. E_MEMORY. */
vipann_status vip_report_begin(vip_report *report, const vipann_model *model, vipann_error *error);

void vip_report_end(vip_report *report);

/* The key of what is heard. */
const char *vip_report_source(const vip_report *report);

/* The wall clock at a time of live sound in UTC, or NULL if it is not known. */
const char *vip_report_utc(const vip_report *report, double seconds, char out[VIP_CLOCK_SIZE]);

/* Fills report->ranks with the most probable classes first (of equals the lower index) and returns how many of them
 * are to be shown. */
uint32_t vip_report_rank(const vip_report *report, const vipann_result *result);

void vip_report_text_head(const vip_report *report);
void vip_report_text_file(const vip_report *report, const vip_audio_facts *facts);
void vip_report_text_result(const vip_report *report, const vipann_result *result);
void vip_report_text_event(vip_report *report, const vipann_event *event);
void vip_report_text_summary(const vip_report *report, const vip_summary *summary, const uint32_t *order, uint32_t n);

void vip_report_jsonl_result(const vip_report *report, const vipann_result *result);
void vip_report_jsonl_event(vip_report *report, const vipann_event *event);
void vip_report_jsonl_summary(const vip_report *report, const vip_summary *summary, const uint32_t *order, uint32_t n);

void vip_report_csv_head(const vip_report *report);
void vip_report_csv_result(const vip_report *report, const vipann_result *result);
void vip_report_csv_event(vip_report *report, const vipann_event *event);
void vip_report_csv_summary(const vip_report *report, const vip_summary *summary, const uint32_t *order, uint32_t n);

void vip_report_labels_event(vip_report *report, const vipann_event *event);
void vip_report_raven_head(const vip_report *report);
void vip_report_raven_event(vip_report *report, const vipann_event *event);

#endif /* VIP_PLUGIN_REPORT_REPORT_H */
