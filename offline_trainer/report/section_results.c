/* SPDX-License-Identifier: GPL-3.0-or-later */
/* section_results.c -- tables of measures, and the first of them: all runs side by side. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <common/number.h>

#include "sections.h"

/* ----------------------------------------------------------------------------------------------------------- tables */

void
vip_document_table(vip_page *page, const vip_document *report)
{
    (void)fputs("<div class=\"scroll\" tabindex=\"0\">\n<table>\n<thead><tr><th scope=\"col\"></th>", page->out);
    for (size_t i = 0; i < report->n; i++) {
        (void)fputs("<th scope=\"col\">", page->out);
        vip_plot_legend(page->out, (unsigned)i, report->columns[i].name);
        (void)fputs("</th>", page->out);
    }
    (void)fputs("</tr></thead>\n<tbody>\n", page->out);
}

void
vip_document_table_group(vip_page *page, const vip_document *report, const char *name)
{
    (void)fprintf(page->out, "<tr><th class=\"group\" scope=\"rowgroup\" colspan=\"%zu\">", report->n + 1);
    vip_page_text(page->out, name);
    (void)fputs("</th></tr>\n", page->out);
}

void
vip_document_table_end(vip_page *page)
{
    (void)fputs("</tbody>\n</table>\n</div>\n", page->out);
}

static bool
has_interval(const vip_measure *m)
{
    return isfinite(m->low) && isfinite(m->high);
}

size_t
vip_document_best(const vip_document *report, const vip_row *row)
{
    size_t best = report->n, rivals = 0;
    if (row->better == 0 || !report->comparable) {
        return report->n;
    }
    for (size_t i = 0; i < report->n; i++) {
        if (isfinite(row->of[i].value)) {
            rivals++;
            if (best == report->n || row->better * row->of[i].value > row->better * row->of[best].value) {
                best = i;
            }
        }
    }
    for (size_t i = 0; i < report->n && best < report->n; i++) {
        const vip_measure *a = &row->of[best], *b = &row->of[i];
        bool apart = has_interval(a) && has_interval(b) && (row->better > 0 ? a->low > b->high : a->high < b->low);
        if (i != best && isfinite(b->value) && !apart) {
            return report->n;
        }
    }
    return rivals > 1 ? best : report->n;
}

static void
put_value(FILE *out, const vip_row *row, double value)
{
    if (row->percent) {
        vip_page_percent(out, value, row->decimals);
    } else {
        vip_page_number(out, value, row->decimals);
    }
}

static void
put_cell(FILE *out, const vip_row *row, size_t column, bool best, double least, double most)
{
    const vip_measure *m = &row->of[column];
    (void)fputs(best ? "<td class=\"best\"><b>" : "<td><b>", out);
    put_value(out, row, m->value);
    (void)fputs(best ? " <span role=\"img\" aria-label=\"best\">★</span></b>" : "</b>", out);
    if (isfinite(m->value) && has_interval(m)) {
        (void)fputs("<small>", out);
        vip_page_number(out, row->percent ? 100 * m->low : m->low, row->decimals);
        (void)fputs(" to ", out);
        put_value(out, row, m->high);
        (void)fputs("</small>", out);
        vip_plot_range(out, (const double[2]){m->low, m->high}, m->value, least, most, (unsigned)column);
    }
    if (row->more_name != NULL && isfinite(row->more[column])) {
        (void)fprintf(out, "<small>%s ", row->more_name);
        put_value(out, row, row->more[column]);
        (void)fputs("</small>", out);
    }
    (void)fputs("</td>", out);
}

void
vip_document_table_row(vip_page *page, const vip_document *report, const vip_row *row)
{
    FILE *out = page->out;
    double least = INFINITY, most = -INFINITY;
    bool any = false;
    for (size_t i = 0; i < report->n; i++) {
        any = any || isfinite(row->of[i].value);
        least = fmin(least, row->of[i].low); /* of a number and NaN, the number */
        most = fmax(most, row->of[i].high);
    }
    if (!any) {
        return;
    }
    if (!(most > least)) {
        most = least + 1;
    }
    size_t best = vip_document_best(report, row);
    (void)fputs("<tr><th scope=\"row\">", out);
    vip_page_text(out, row->label != NULL ? row->label : row->name);
    if (row->meaning != NULL) {
        (void)fprintf(out, "<small>%s</small>", row->meaning);
    }
    (void)fputs("</th>", out);
    for (size_t i = 0; i < report->n; i++) {
        put_cell(out, row, i, i == best, least, most);
    }
    (void)fputs("</tr>\n", out);
}

/* ---------------------------------------------------------------------------------------------------------- results */

static const struct {
    vip_metric metric;
    bool raw;
    const char *name, *meaning;
    bool percent;
    int decimals, better;
} MEASURES[] = {
    {VIP_METRIC_ACCURACY, false, "Accuracy", "share of right answers", true, 1, 1},
    {VIP_METRIC_UAR, false, "Mean recall (UAR)", "each class counts the same", true, 1, 1},
    {VIP_METRIC_MAP, false, "mAP", "how well each class sorts the clips, mean over classes", true, 1, 1},
    {VIP_METRIC_AUC, false, "AUC", "a clip with the class scores above one without, mean over classes", true, 1, 1},
    {VIP_METRIC_DPRIME, false, "d′", "AUC on a scale of standard deviations", false, 2, 1},
    {VIP_METRIC_NLL, false, "NLL", "surprise at the truth, in nats; less is better", false, 3, -1},
    {VIP_METRIC_NLL, true, "NLL, raw", "before calibration", false, 3, -1},
    {VIP_METRIC_BRIER, false, "Brier score", "squared error of the probabilities; less is better", false, 3, -1},
    {VIP_METRIC_ECE, false, "ECE", "how far confidence is from being right, on average; less is better", true, 1, -1},
    {VIP_METRIC_ECE, true, "ECE, raw", "before calibration", true, 1, -1},
    {VIP_METRIC_MCE, false, "MCE", "the same at its worst", true, 1, -1},
    {VIP_METRIC_AURC, false, "AURC", "mean error while the least certain are set aside; less is better", false, 3, -1},
};

/* Before calibration or after it; what calibration hardly changes is taken from before where there is none. */
static vip_measure
measured(const vip_evaluation *e, vip_metric metric, bool raw)
{
    if (e == NULL) {
        return (vip_measure){NAN, NAN, NAN};
    }
    bool twice = metric == VIP_METRIC_NLL || metric == VIP_METRIC_ECE; /* has a row for each */
    return raw || (!twice && !isfinite(e->calibrated[metric].value)) ? e->raw[metric] : e->calibrated[metric];
}

typedef void put_fact(FILE *out, const vip_column *column);

static void
put_kind(FILE *out, const vip_column *column)
{
    static const char *const names[] = {"arch", "width", "padding", "posterior"};
    const struct json_t *places[] = {column->evaluation != NULL ? column->evaluation->model : NULL,
                                     column->run->config};
    bool any = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[VIP_DOCUMENT_TEXT];
        if (vip_document_setting(places[0], names[i], text, sizeof text) ||
            vip_document_setting(places[1], names[i], text, sizeof text)) {
            (void)fputs(any ? i == 1 ? " w" : ", " : "", out);
            vip_page_text(out, text);
            any = true;
        }
    }
    (void)fputs(any ? "" : "–", out);
}

static void
put_passes(FILE *out, const vip_column *column)
{
    if (column->evaluation != NULL && column->evaluation->passes == 0) {
        (void)fputs("1, without members", out);
    } else {
        vip_page_whole(out, column->evaluation != NULL ? column->evaluation->passes : NAN);
    }
}

static void
put_tested(FILE *out, const vip_column *column)
{
    vip_page_whole(out, column->evaluation != NULL ? column->evaluation->n : NAN);
}

static void
put_clips(FILE *out, const vip_column *column)
{
    vip_page_whole(out, column->run->clips);
}

static void
put_time(FILE *out, const vip_column *column)
{
    char text[VIP_NUMBER_SIZE];
    double seconds = column->run->seconds;
    (void)fputs(seconds >= 0 && seconds < 1e9 ? vip_number_clock(text, seconds, 0) : "–", out);
}

static const struct {
    const char *name, *meaning;
    put_fact *put;
} FACTS[] = {
    {"Model", "network, width, padding, kind of doubt", put_kind},
    {"Training: clips heard", "with repetition", put_clips},
    {"Training: time", "h:mm:ss or m:ss", put_time},
    {"Tested on", "clips", put_tested},
    {"Passes", "answers that are averaged", put_passes},
};

static void
put_facts(vip_page *page, const vip_document *report)
{
    for (size_t i = 0; i < sizeof FACTS / sizeof *FACTS; i++) {
        (void)fprintf(page->out, "<tr><th scope=\"row\">%s<small>%s</small></th>", FACTS[i].name, FACTS[i].meaning);
        for (size_t k = 0; k < report->n; k++) {
            (void)fputs("<td class=\"text\">", page->out);
            FACTS[i].put(page->out, &report->columns[k]);
            (void)fputs("</td>", page->out);
        }
        (void)fputs("</tr>\n", page->out);
    }
}

/* The AUROC of the total doubt for each set of foreign sounds that any evaluation has. */
static void
put_ood_rows(vip_page *page, const vip_document *report)
{
    for (size_t c = 0; c < report->n; c++) {
        const vip_evaluation *e = report->columns[c].evaluation;
        for (size_t s = 0; e != NULL && s < e->n_ood; s++) {
            char name[VIP_DOCUMENT_TEXT];
            vip_row row = {
                .meaning = "AUROC of the total doubt", .label = name, .percent = true, .decimals = 1, .better = 1};
            (void)snprintf(name, sizeof name, "Foreign: %.300s", e->ood[s].name);
            if (vip_document_foreign_row(report, e->ood[s].name, "total", c, &row)) {
                vip_document_table_row(page, report, &row);
            }
        }
    }
}

void
vip_document_results(vip_page *page, const vip_document *report)
{
    vip_page_section(
        page, "results", "Results",
        "What each run is and how well it answers. Below a value stands its interval of 95&#160;%: other clips of the "
        "same kind could have put it anywhere in there. The bar shows it on the scale of its row.");
    vip_document_table(page, report);
    put_facts(page, report);
    for (size_t i = 0; i < sizeof MEASURES / sizeof *MEASURES; i++) {
        vip_row row = {.name = MEASURES[i].name,
                       .meaning = MEASURES[i].meaning,
                       .percent = MEASURES[i].percent,
                       .decimals = MEASURES[i].decimals,
                       .better = MEASURES[i].better};
        for (size_t k = 0; k < report->n; k++) {
            row.of[k] = measured(report->columns[k].evaluation, MEASURES[i].metric, MEASURES[i].raw);
        }
        vip_document_table_row(page, report, &row);
    }
    put_ood_rows(page, report);
    vip_document_table_end(page);
    if (vip_document_any(report, vip_column_is_evaluated)) {
        (void)fputs(
            "<p class=\"how\">A star marks the best of a row only where its interval does not touch that of any "
            "other: where intervals overlap, the runs may well be equal, and none is marked. (A paired comparison "
            "on the same clips, as <code>vipann-train eval --compare</code> makes it, can tell more apart than "
            "this.)</p>\n",
            page->out);
    } else {
        vip_document_nothing(
            page, "None of these models has been evaluated yet: <code>vipann-train eval</code> does that, and "
                  "then this page also shows what its confidence is worth, where it doubts and what it mixes "
                  "up.");
    }
    if (!report->comparable) {
        (void)fputs("<p class=\"how note\">These runs were not all tested on the same data and for the same task (see "
                    "the settings below): their "
                    "values stand side by side but do not compare, so nothing is marked.</p>\n",
                    page->out);
    }
    vip_page_section_end(page);
}
