/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sections.h -- the parts of the page, each of which leaves out what no run has and says so. */
#ifndef VIP_TRAINER_SECTIONS_H
#define VIP_TRAINER_SECTIONS_H

#include <stdbool.h>

#include "history.h"
#include "page.h"
#include "plot.h"

enum { VIP_MOST_COLUMNS = VIP_PLOT_SERIES, VIP_COLUMN_NAME = 200, VIP_DOCUMENT_TEXT = 400 };

/* A run, or one of its evaluations if it has several. The index of a column is the look of its series. */
typedef struct {
    char name[VIP_COLUMN_NAME];
    const vip_history *run;
    const vip_evaluation *evaluation; /* NULL: none yet */
    bool first;                       /* of its run */
} vip_column;

typedef struct {
    size_t n;
    vip_column columns[VIP_MOST_COLUMNS];
    bool comparable; /* all evaluations there are were made on the same data, for the same task */
} vip_document;

/* One row of a table of measures. */
typedef struct {
    const char *name, *meaning; /* ours; NULL: none */
    const char *label;          /* any text, instead of the name; NULL: none */
    bool percent;
    int decimals;
    int better; /* 1: more is better, -1: less is, 0: neither */
    vip_measure of[VIP_MOST_COLUMNS];
    const char *more_name; /* a second value, in small, that goes with the first; NULL: none */
    double more[VIP_MOST_COLUMNS];
} vip_row;

/* A table with one column per column of the report; group: a heading across it. A row without any value is left out. */
void vip_document_table(vip_page *page, const vip_document *report);
void vip_document_table_group(vip_page *page, const vip_document *report, const char *name);
void vip_document_table_row(vip_page *page, const vip_document *report, const vip_row *row);
void vip_document_table_end(vip_page *page);

/* The column whose value is best beyond doubt: its interval does not touch that of any other that has the value, and all
 * are comparable; report->n: none. */
size_t vip_document_best(const vip_document *report, const vip_row *row);

/* A legend of those columns for which has() is true. */
typedef bool vip_column_has(const vip_column *column);
void vip_document_legend(vip_page *page, const vip_document *report, vip_column_has *has);
bool vip_document_any(const vip_document *report, vip_column_has *has);
bool vip_column_is_evaluated(const vip_column *column);

/* Fills row->of with the AUROC of a score for a set of foreign sounds; true if `column` is the first that has it. */
bool vip_document_foreign_row(const vip_document *report, const char *set, const char *score, size_t column,
                              vip_row *row);

/* Says in the section that nothing is there to show. */
void vip_document_nothing(vip_page *page, const char *why);

void vip_document_results(vip_page *page, const vip_document *report);
void vip_document_curves(vip_page *page, const vip_document *report);
void vip_document_trust(vip_page *page, const vip_document *report);
void vip_document_doubt(vip_page *page, const vip_document *report);
void vip_document_foreign(vip_page *page, const vip_document *report);
void vip_document_classes(vip_page *page, const vip_document *report);
void vip_document_settings(vip_page *page, const vip_document *report);

/* The value of a setting of that name, at the top of the object or one level below, as text into out; false: there is
 * none. */
bool vip_document_setting(const struct json_t *object, const char *name, char *out, size_t size);

#endif /* VIP_TRAINER_SECTIONS_H */
