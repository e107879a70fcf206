/* SPDX-License-Identifier: GPL-3.0-or-later */
/* section_classes.c -- which classes are mixed up, and which are heard worst. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/number.h>

#include "sections.h"

enum { MOST_CELLS = 150, MOST_PAIRS = 12, MOST_WORST = 20, ROW = 22, WIDTH = 420, NAMES = 146, NAME_CHARACTERS = 21 };

static const double APART = 9; /* units between the signs of a row, so that equal ones stand side by side */

static bool
has_confusion(const vip_column *column)
{
    return column->evaluation != NULL && column->evaluation->n_labels > 0;
}

static bool
has_classes(const vip_column *column)
{
    return column->evaluation != NULL && column->evaluation->n_classes > 0;
}

/* ---------------------------------------------------------------------------------------------------------- mixed up */

typedef struct {
    size_t truth, answer;
    double count, sum;
} pair;

/* The pairs that are mixed up most often, the most frequent first; returns how many. */
static size_t
list_pairs(const vip_evaluation *e, pair pairs[MOST_PAIRS])
{
    size_t n = 0;
    for (size_t i = 0; i < e->n_labels; i++) {
        double sum = 0;
        for (size_t k = 0; k < e->n_labels; k++) {
            sum += e->confusion[i * e->n_labels + k];
        }
        for (size_t k = 0; k < e->n_labels; k++) {
            double count = i == k ? 0 : e->confusion[i * e->n_labels + k];
            size_t at = n;
            while (at > 0 && count > pairs[at - 1].count) {
                at--;
            }
            if (count > 0 && at < MOST_PAIRS) {
                n += n < MOST_PAIRS;
                memmove(&pairs[at + 1], &pairs[at], (n - 1 - at) * sizeof *pairs);
                pairs[at] = (pair){i, k, count, sum};
            }
        }
    }
    return n;
}

static void
put_pairs(vip_page *page, const vip_evaluation *e)
{
    pair pairs[MOST_PAIRS];
    size_t n = list_pairs(e, pairs);
    if (n == 0) {
        (void)fputs("<p>Nothing was mixed up.</p>\n", page->out);
        return;
    }
    (void)fputs("<h3>Mixed up most often</h3>\n<ol class=\"pairs\">\n", page->out);
    for (size_t i = 0; i < n; i++) {
        (void)fputs("<li>", page->out);
        vip_page_text(page->out, e->labels[pairs[i].truth]);
        (void)fputs(" heard as ", page->out);
        vip_page_text(page->out, e->labels[pairs[i].answer]);
        (void)fputs(": ", page->out);
        vip_page_whole(page->out, pairs[i].count);
        (void)fputs(" of ", page->out);
        vip_page_whole(page->out, pairs[i].sum);
        (void)fputs("</li>\n", page->out);
    }
    (void)fputs("</ol>\n", page->out);
}

static void
put_confusion(vip_page *page, const vip_column *column, unsigned series, bool open)
{
    const vip_evaluation *e = column->evaluation;
    char title[VIP_DOCUMENT_TEXT];
    (void)snprintf(title, sizeof title, "Confusion matrix of %.300s", column->name);
    (void)fputs(open ? "<details open=\"open\">\n<summary>Confusion matrix " : "<details>\n<summary>Confusion matrix ",
                page->out);
    vip_plot_legend(page->out, series, column->name);
    (void)fputs("</summary>\n", page->out);
    vip_page_figure(page, "wide", NULL);
    if (e->n_labels <= MOST_CELLS) {
        vip_cells cells = {.title = title,
                           .description =
                               "Rows: what the clips are. Columns: what the model takes them for. Cells on the "
                               "diagonal are right answers.",
                           .n = e->n_labels,
                           .names = e->labels,
                           .counts = e->confusion,
                           .row_label = "↓ what it is",
                           .column_label = "→ what it is heard as"};
        (void)fputs("<div class=\"scroll\" tabindex=\"0\">\n", page->out);
        vip_plot_cells(page, &cells);
        (void)fputs("</div>\n", page->out);
    } else {
        (void)fputs("<p>So many classes make no readable matrix; here are the pairs.</p>\n", page->out);
    }
    put_pairs(page, e);
    vip_page_figure_end(
        page, "How to read it: a row is a class, and its cells say what its clips were taken for; the stronger "
              "the colour, the larger their share of the row. The diagonal is right, everything beside "
              "it is mixed up. Point at a cell for its numbers.");
    (void)fputs("</details>\n", page->out);
}

/* -------------------------------------------------------------------------------------------------------------- worst */

typedef struct {
    const char *label;
    double mean;
    double n;
    double of[VIP_MOST_COLUMNS];
} rated;

static double
score_of(const vip_class_result *c, bool recall)
{
    return recall ? c->recall : c->ap;
}

static const vip_class_result *
find_class(const vip_evaluation *e, const char *label, size_t guess)
{
    if (guess < e->n_classes && strcmp(e->classes[guess].label, label) == 0) {
        return &e->classes[guess];
    }
    for (size_t i = 0; i < e->n_classes; i++) {
        if (strcmp(e->classes[i].label, label) == 0) {
            return &e->classes[i];
        }
    }
    return NULL;
}

static int
worse_first(const void *a, const void *b)
{
    const rated *x = a, *y = b;
    return x->mean != y->mean ? (x->mean > y->mean) - (x->mean < y->mean) : strcmp(x->label, y->label);
}

/* Classes of the first evaluation that has some, the worst in the mean of all runs first. */
static size_t
rate_classes(const vip_document *report, bool recall, rated worst[MOST_WORST + 1])
{
    size_t n = 0, first = 0;
    while (!has_classes(&report->columns[first])) {
        first++;
    }
    const vip_evaluation *e = report->columns[first].evaluation;
    for (size_t i = 0; i < e->n_classes; i++) {
        rated r = {.label = e->classes[i].label, .n = e->classes[i].n};
        double sum = 0, rivals = 0;
        for (size_t c = 0; c < report->n; c++) {
            const vip_class_result *found =
                has_classes(&report->columns[c]) ? find_class(report->columns[c].evaluation, r.label, i) : NULL;
            r.of[c] = found != NULL ? score_of(found, recall) : NAN;
            sum += isfinite(r.of[c]) ? r.of[c] : 0;
            rivals += isfinite(r.of[c]);
        }
        if (rivals > 0) {
            r.mean = sum / rivals;
            worst[n++] = r;
            qsort(worst, n, sizeof *worst, worse_first);
            n = n > MOST_WORST ? MOST_WORST : n;
        }
    }
    return n;
}

/* The interval of Wilson, 95 %, of a share of n. */
static void
wilson(double share, double n, double *low, double *high)
{
    const double z = 1.959964;
    double middle = (share + z * z / (2 * n)) / (1 + z * z / n);
    double half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    *low = fmax(0, middle - half);
    *high = fmin(1, middle + half);
}

static double
count_rated(const vip_document *report)
{
    double n = 0;
    for (size_t i = 0; i < report->n; i++) {
        n += has_classes(&report->columns[i]);
    }
    return n;
}

static double
row_height(const vip_document *report)
{
    return fmax(ROW, APART * count_rated(report) + 7);
}

static void
put_class(vip_plot *plot, const vip_document *report, const rated *r, double y, bool recall)
{
    char text[VIP_DOCUMENT_TEXT], number[VIP_NUMBER_SIZE];
    double low, high;
    unsigned rank = 0; /* among those that are rated */
    vip_plot_words(plot, plot->left - 8, vip_plot_y(plot, y) + 4, "name end", r->label, NAME_CHARACTERS);
    vip_plot_rule(plot, (vip_point){0, y}, (vip_point){1, y}, "grid");
    if (report->n == 1 && recall && r->n > 0) {
        wilson(r->of[0], r->n, &low, &high);
        vip_plot_rule(plot, (vip_point){low, y}, (vip_point){high, y}, "whisker");
    }
    for (size_t i = 0; i < report->n; i++) {
        rank += has_classes(&report->columns[i]);
        if (isfinite(r->of[i])) {
            (void)snprintf(text, sizeof text, "%.150s, %.150s: %s %s %% (%.0f clips)", r->label,
                           report->columns[i].name, recall ? "recall" : "AP",
                           vip_number_fixed(number, 100 * r->of[i], 1), r->n);
            double aside = APART * ((double)rank - (count_rated(report) + 1) / 2) / row_height(report);
            vip_plot_mark(plot, (vip_point){r->of[i], y - aside}, (unsigned)i, text);
        }
    }
}

static void
put_worst(vip_page *page, const vip_document *report)
{
    bool recall = false;
    for (size_t i = 0; i < report->n; i++) {
        recall =
            recall || (has_classes(&report->columns[i]) && vip_evaluation_is_multiclass(report->columns[i].evaluation));
    }
    rated worst[MOST_WORST + 1];
    size_t n = rate_classes(report, recall, worst);
    if (n == 0) {
        vip_document_nothing(page, "No class could be rated.");
        return;
    }
    vip_plot_options options = {
        .title = "The classes that are heard worst",
        .description = "One row per class, the worst on top; a sign per run at its recall or average precision.",
        .width = WIDTH,
        .height = row_height(report) * (double)n + 56,
        .left = NAMES,
        .x = {0, 1, VIP_AXIS_PERCENT, false,
              recall ? "recall: share of its clips that are recognised" : "average precision"},
        .y = {0, (double)n, VIP_AXIS_NONE, false, NULL}};
    vip_page_figure(page, "plot apart", options.title);
    vip_document_legend(page, report, has_classes);
    vip_plot plot = vip_plot_begin(page, &options);
    for (size_t i = 0; i < n; i++) {
        put_class(&plot, report, &worst[i], (double)(n - i) - 0.5, recall);
    }
    vip_plot_end(&plot);
    vip_page_figure_end(page,
                        recall && report->n == 1
                            ? "How to read it: the further left, the more clips of the class go unrecognised. The grey "
                              "line is the interval of 95&#160;% that so few clips allow: where it is long, the "
                              "order says little."
                            : "How to read it: the further left, the worse; the order is by the mean of the runs. "
                              "Classes with few clips lie where chance puts them; point at a sign for their number.");
}

void
vip_document_classes(vip_page *page, const vip_document *report)
{
    bool confusion = vip_document_any(report, has_confusion), classes = vip_document_any(report, has_classes);
    vip_page_section(page, "classes", "Which classes go wrong?",
                     "What is taken for what, and what is recognised least.");
    if (!confusion) {
        vip_document_nothing(page,
                             "No evaluation holds a confusion matrix: it belongs to models with one class per clip.");
    }
    bool open = true;
    for (size_t i = 0; i < report->n; i++) {
        if (has_confusion(&report->columns[i])) {
            put_confusion(page, &report->columns[i], (unsigned)i, open);
            open = false; /* the others are a click away, or the page would be endless */
        }
    }
    if (classes) {
        put_worst(page, report);
    } else {
        vip_document_nothing(page, "No evaluation holds results by class.");
    }
    vip_page_section_end(page);
}
