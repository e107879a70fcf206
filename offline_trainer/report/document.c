/* SPDX-License-Identifier: GPL-3.0-or-later */
/* document.c -- see document.h for the contract. */
#include "document.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include <base/memory.h>
#include <base/status.h>
#include <common/text.h>

#include "sections.h"

/* ------------------------------------------------------------------------------------------------------------ columns */

bool
vip_column_is_evaluated(const vip_column *column)
{
    return column->evaluation != NULL;
}

bool
vip_document_any(const vip_document *report, vip_column_has *has)
{
    for (size_t i = 0; i < report->n; i++) {
        if (has(&report->columns[i])) {
            return true;
        }
    }
    return false;
}

void
vip_document_legend(vip_page *page, const vip_document *report, vip_column_has *has)
{
    (void)fputs("<div class=\"keys\">\n", page->out);
    for (size_t i = 0; i < report->n; i++) {
        if (has(&report->columns[i])) {
            vip_plot_legend(page->out, (unsigned)i, report->columns[i].name);
        }
    }
    (void)fputs("</div>\n", page->out);
}

void
vip_document_nothing(vip_page *page, const char *why)
{
    (void)fprintf(page->out, "<p class=\"note\">%s</p>\n", why);
}

/* Whether another run has the same name, so that the whole path must tell them apart. */
static bool
is_ambiguous(vip_history *const *runs, size_t n, size_t i)
{
    for (size_t k = 0; k < n; k++) {
        if (k != i && strcmp(runs[k]->name, runs[i]->name) == 0) {
            return true;
        }
    }
    return false;
}

static void
add_columns(vip_document *report, const vip_history *run, const char *name)
{
    size_t rows = run->n_evaluations > 0 ? run->n_evaluations : 1;
    for (size_t i = 0; i < rows; i++) {
        vip_column *column = &report->columns[report->n++];
        column->run = run;
        column->evaluation = run->n_evaluations > 0 ? run->evaluations[i] : NULL;
        column->first = i == 0;
        (void)snprintf(column->name, sizeof column->name, rows > 1 ? "%s · %s" : "%s",
                       vip_text_tail(name, VIP_COLUMN_NAME / 2),
                       rows > 1 ? vip_text_tail(run->evaluation_names[i], VIP_COLUMN_NAME / 3) : "");
    }
}

/* Evaluations that do not say what they were made on are taken at their word: as any other. */
static void
find_comparable(vip_document *report)
{
    const vip_evaluation *first = NULL;
    report->comparable = true;
    for (size_t i = 0; i < report->n; i++) {
        const vip_evaluation *e = report->columns[i].evaluation;
        if (e != NULL && first != NULL) {
            bool same_data = e->data == NULL || first->data == NULL || json_equal(e->data, first->data);
            bool same_task = vip_evaluation_is_multiclass(e) == vip_evaluation_is_multiclass(first);
            report->comparable = report->comparable && same_data && same_task;
        }
        first = first == NULL ? e : first;
    }
}

static vipann_status
plan(vip_history *const *runs, size_t n, vip_document *report, vipann_error *error)
{
    size_t columns = 0;
    for (size_t i = 0; i < n; i++) {
        columns += runs[i]->n_evaluations > 0 ? runs[i]->n_evaluations : 1;
    }
    if (columns > VIP_MOST_COLUMNS) {
        return vip_fail(error, VIPANN_E_ARG,
                        "%zu runs with %zu evaluations; no more than %d can be told apart on one page; leave some out",
                        n, columns, VIP_MOST_COLUMNS);
    }
    for (size_t i = 0; i < n; i++) {
        add_columns(report, runs[i], is_ambiguous(runs, n, i) ? runs[i]->path : runs[i]->name);
    }
    find_comparable(report);
    return VIPANN_OK;
}

/* --------------------------------------------------------------------------------------------------------------- page */

static void
put_runs(vip_page *page, const vip_document *report)
{
    (void)fputs("<ul class=\"runs\">\n", page->out);
    for (size_t i = 0; i < report->n; i++) {
        const vip_column *column = &report->columns[i];
        (void)fputs("<li>", page->out);
        vip_plot_legend(page->out, (unsigned)i, column->name);
        (void)fputs("<p>", page->out);
        vip_page_text(page->out, column->run->path);
        (void)fputs("</p>", page->out);
        for (size_t k = 0; column->first && k < column->run->n_notes; k++) {
            (void)fputs("<p class=\"note\">", page->out);
            vip_page_text(page->out, column->run->notes[k]);
            (void)fputs("</p>", page->out);
        }
        (void)fputs("</li>\n", page->out);
    }
    (void)fputs("</ul>\n", page->out);
}

static void
put_page(FILE *out, const vip_document *report, size_t n_runs)
{
    vip_page page = {.out = out};
    char title[VIP_DOCUMENT_TEXT];
    if (n_runs == 1) {
        (void)snprintf(title, sizeof title, "Run %.300s", report->columns[0].run->name);
    } else {
        (void)snprintf(title, sizeof title, "%zu runs side by side", n_runs);
    }
    vip_page_begin(&page, title);
    (void)fputs("<header>\n<h1>", out);
    vip_page_text(out, title);
    (void)fputs(
        "</h1>\n<p class=\"lead\">What vipann-train learned, and how well the models hear and doubt. Each run has a "
        "colour, a kind of dashes and a sign, the same in all plots.</p>\n",
        out);
    put_runs(&page, report);
    bool evaluated = vip_document_any(report, vip_column_is_evaluated);
    (void)fputs("<nav aria-label=\"Sections\"><a href=\"#results\">Results</a><a href=\"#learning\">Learning</a>", out);
    if (evaluated) {
        (void)fputs(
            "<a href=\"#trust\">Confidence</a><a href=\"#doubt\">Doubt</a><a href=\"#foreign\">Foreign sounds</a>"
            "<a href=\"#classes\">Classes</a>",
            out);
    }
    (void)fputs("<a href=\"#settings\">Settings</a></nav>\n</header>\n", out);
    vip_document_results(&page, report);
    vip_document_curves(&page, report);
    if (evaluated) {
        vip_document_trust(&page, report);
        vip_document_doubt(&page, report);
        vip_document_foreign(&page, report);
        vip_document_classes(&page, report);
    }
    vip_document_settings(&page, report);
    vip_page_end(&page);
}

vipann_status
vip_document_write(vip_history *const *runs, size_t n, FILE *out, vipann_error *error)
{
    vip_document *report = vip_alloc(1, sizeof *report);
    if (report == NULL) {
        return vip_fail_memory(error, "the report");
    }
    vipann_status status = plan(runs, n, report, error);
    if (status == VIPANN_OK) {
        put_page(out, report, n);
    }
    vip_free(report);
    return status;
}
