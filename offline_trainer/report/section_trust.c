/* SPDX-License-Identifier: GPL-3.0-or-later */
/* section_trust.c -- whether confidence means what it says: reliability, and risk against coverage. */
#include <math.h>
#include <stdio.h>

#include <common/number.h>

#include "sections.h"

enum { WIDTH = 420, LEFT = 56, DIAGRAM = 330, COUNTS = 96, MOST_POINTS = 400 };
static const double FEWEST = 0.05; /* of the answers: among fewer, chance rules */

static bool
has_reliability(const vip_column *column)
{
    return column->evaluation != NULL && column->evaluation->n_reliability > 0;
}

static bool
has_risks(const vip_column *column)
{
    return column->evaluation != NULL && column->evaluation->n_risks > 0;
}

static void
put_bin(vip_plot *plot, const vip_reliability *bin)
{
    char text[VIP_DOCUMENT_TEXT], sure[VIP_NUMBER_SIZE], right[VIP_NUMBER_SIZE];
    if (!(bin->n > 0) || !isfinite(bin->accuracy) || !isfinite(bin->confidence)) {
        return;
    }
    (void)snprintf(text, sizeof text,
                   "%.0f answers with a confidence of %.0f to %.0f %%: on average %s %% sure, %s %% right", bin->n,
                   100 * bin->low, 100 * bin->high, vip_number_write(sure, 100 * bin->confidence, 3),
                   vip_number_write(right, 100 * bin->accuracy, 3));
    vip_plot_bar(plot, (vip_point){bin->low, 0}, (vip_point){bin->high, bin->accuracy}, "bar", text);
    vip_plot_bar(plot, (vip_point){bin->low, bin->accuracy}, (vip_point){bin->high, bin->confidence},
                 bin->accuracy < bin->confidence ? "over" : "under", text);
}

static void
put_diagram(vip_page *page, const vip_column *column)
{
    const vip_evaluation *e = column->evaluation;
    char title[VIP_DOCUMENT_TEXT];
    (void)snprintf(title, sizeof title, "Reliability of %.300s", column->name);
    vip_plot_options options = {.title = title,
                                .description =
                                    "For answers of each confidence, the share of them that is right, against "
                                    "the diagonal of perfect honesty.",
                                .width = WIDTH,
                                .height = DIAGRAM,
                                .left = LEFT,
                                .x = {0, 1, VIP_AXIS_PERCENT, false, "confidence"},
                                .y = {0, 1, VIP_AXIS_PERCENT, false, "share of right answers"}};
    vip_plot plot = vip_plot_begin(page, &options);
    for (size_t i = 0; i < e->n_reliability; i++) {
        put_bin(&plot, &e->reliability[i]);
    }
    vip_plot_rule(&plot, (vip_point){0, 0}, (vip_point){1, 1}, "diagonal");
    vip_plot_end(&plot);
}

static void
put_counts(vip_page *page, const vip_column *column)
{
    const vip_evaluation *e = column->evaluation;
    char title[VIP_DOCUMENT_TEXT];
    double most = 1;
    for (size_t i = 0; i < e->n_reliability; i++) {
        most = fmax(most, e->reliability[i].n);
    }
    (void)snprintf(title, sizeof title, "How many answers %.300s gives with which confidence", column->name);
    vip_plot_options options = {.title = title,
                                .description = "The number of answers in each bin of confidence.",
                                .width = WIDTH,
                                .height = COUNTS,
                                .left = LEFT,
                                .x = {0, 1, VIP_AXIS_NONE, false, NULL},
                                .y = {0, most, VIP_AXIS_NONE, false, "number of answers"}};
    vip_plot plot = vip_plot_begin(page, &options);
    for (size_t i = 0; i < e->n_reliability; i++) {
        const vip_reliability *bin = &e->reliability[i];
        char text[VIP_DOCUMENT_TEXT], count[VIP_NUMBER_SIZE + 1], number[VIP_NUMBER_SIZE];
        (void)snprintf(text, sizeof text, "%.0f answers with a confidence of %.0f to %.0f %%", bin->n, 100 * bin->low,
                       100 * bin->high);
        (void)snprintf(count, sizeof count, "%s%s",
                       vip_number_write(number, bin->n < 1000 ? bin->n : bin->n / 1000, 2 + (bin->n < 1000)),
                       bin->n < 1000 ? "" : "k");
        vip_plot_bar(&plot, (vip_point){bin->low, 0}, (vip_point){bin->high, bin->n}, "amount", text);
        vip_plot_words(&plot, vip_plot_x(&plot, (bin->low + bin->high) / 2), plot.bottom + 14, "tally mid", count, 6);
    }
    vip_plot_end(&plot);
}

static void
put_reliability(vip_page *page, const vip_document *report)
{
    (void)fputs("<div class=\"plots\">\n", page->out);
    for (size_t i = 0; i < report->n; i++) {
        if (has_reliability(&report->columns[i])) {
            vip_page_figure(page, "plot", NULL);
            (void)fputs("<h3>", page->out);
            vip_plot_legend(page->out, (unsigned)i, report->columns[i].name);
            (void)fputs("</h3>\n", page->out);
            put_diagram(page, &report->columns[i]);
            put_counts(page, &report->columns[i]);
            vip_page_figure_end(page, NULL);
        }
    }
    (void)fputs(
        "</div>\n<p class=\"how\">How to read it: answers are grouped by how sure the model was. Of those that it "
        "gave with 80&#160;% confidence, 80&#160;% should be right: the bar then ends at the dashed diagonal. A filled "
        "piece above a bar says that it was surer than it should be; a dashed outline, that it was better than it "
        "believed. The grey bars count the answers: where there are few, the share above them is mostly "
        "chance.</p>\n",
        page->out);
}

/* -------------------------------------------------------------------------------------------------------------- risk */

/* The risk at a coverage, between the points beside it. */
static double
risk_at(const vip_evaluation *e, double coverage)
{
    const vip_risk *r = e->risks;
    size_t i = 0;
    while (i < e->n_risks && r[i].coverage < coverage - 1e-9) {
        i++;
    }
    if (i == e->n_risks) {
        return NAN;
    }
    if (i == 0 || r[i].coverage <= r[i - 1].coverage) {
        return r[i].risk;
    }
    double share = fmin(1, (coverage - r[i - 1].coverage) / (r[i].coverage - r[i - 1].coverage));
    return r[i - 1].risk + share * (r[i].risk - r[i - 1].risk);
}

static bool
all_multiclass(const vip_document *report)
{
    for (size_t i = 0; i < report->n; i++) {
        if (has_risks(&report->columns[i]) && !vip_evaluation_is_multiclass(report->columns[i].evaluation)) {
            return false;
        }
    }
    return true;
}

static double
highest_risk(const vip_document *report)
{
    double most = 0;
    for (size_t i = 0; i < report->n; i++) {
        const vip_evaluation *e = report->columns[i].evaluation;
        for (size_t k = 0; e != NULL && k < e->n_risks; k++) {
            most = e->risks[k].coverage >= FEWEST ? fmax(most, e->risks[k].risk) : most;
        }
    }
    return most;
}

static void
put_risk_line(vip_plot *plot, const vip_column *column, unsigned series, bool percent)
{
    static const double marked[] = {0.5, 0.8, 0.9, 1};
    const vip_evaluation *e = column->evaluation;
    vip_point points[MOST_POINTS];
    size_t n = e->n_risks < MOST_POINTS ? e->n_risks : MOST_POINTS;
    for (size_t i = 0; i < n; i++) {
        const vip_risk *r = &e->risks[n > 1 ? i * (e->n_risks - 1) / (n - 1) : 0];
        points[i] = (vip_point){r->coverage, r->coverage >= FEWEST ? r->risk : NAN};
    }
    vip_plot_line(plot, points, n, series);
    for (size_t i = 0; i < sizeof marked / sizeof *marked; i++) {
        char text[VIP_DOCUMENT_TEXT], number[VIP_NUMBER_SIZE];
        double risk = risk_at(e, marked[i]);
        (void)snprintf(text, sizeof text, "%.300s: of the surest %.0f %% of answers, %s%s", column->name,
                       100 * marked[i], vip_number_write(number, percent ? 100 * risk : risk, 3),
                       percent ? " % are wrong" : " is the mean loss");
        vip_plot_mark(plot, (vip_point){marked[i], risk}, series, text);
    }
}

static void
put_risk_table(vip_page *page, const vip_document *report, bool percent)
{
    static const struct {
        double coverage;
        const char *name;
    } kept[] = {{0.5, "Surest 50 %"}, {0.8, "Surest 80 %"}, {0.9, "Surest 90 %"}, {1, "All answers"}};
    vip_document_table(page, report);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        vip_row row = {.name = kept[i].name,
                       .meaning = percent ? "share that is wrong" : "mean loss",
                       .percent = percent,
                       .decimals = percent ? 1 : 3};
        for (size_t k = 0; k < report->n; k++) {
            double risk =
                has_risks(&report->columns[k]) ? risk_at(report->columns[k].evaluation, kept[i].coverage) : NAN;
            row.of[k] = (vip_measure){risk, NAN, NAN};
        }
        vip_document_table_row(page, report, &row);
    }
    vip_document_table_end(page);
}

static void
put_risks(vip_page *page, const vip_document *report)
{
    bool percent = all_multiclass(report);
    vip_plot_options options = {
        .title = "Errors among the answers that are kept",
        .description = "A line per run: how often the surest answers are wrong, from the surest few to all of them.",
        .width = 440,
        .height = 310,
        .x = {0, 1, VIP_AXIS_PERCENT, false, "share of answers kept, the surest first"},
        .y = {.kind = percent ? VIP_AXIS_PERCENT : VIP_AXIS_PLAIN,
              .label = percent ? "wrong among them" : "mean loss"}};
    vip_plot_round(&options.y, 0, highest_risk(report));
    (void)fputs("<div class=\"pair\">\n", page->out);
    vip_page_figure(page, "plot", options.title);
    vip_document_legend(page, report, has_risks);
    vip_plot plot = vip_plot_begin(page, &options);
    for (size_t i = 0; i < report->n; i++) {
        if (has_risks(&report->columns[i])) {
            put_risk_line(&plot, &report->columns[i], (unsigned)i, percent);
        }
    }
    vip_plot_end(&plot);
    vip_page_figure_end(page,
                        "How to read it: the model may say “I do not know” to its least certain answers. At the right "
                        "end all answers are kept; to the left only the surest. A line that falls steeply to "
                        "the left belongs to a model that knows when it errs. Below 5&#160;% chance rules, and "
                        "nothing is drawn.");
    (void)fputs("<div>\n", page->out);
    put_risk_table(page, report, percent);
    (void)fputs("</div>\n</div>\n", page->out);
}

void
vip_document_trust(vip_page *page, const vip_document *report)
{
    bool reliability = vip_document_any(report, has_reliability), risks = vip_document_any(report, has_risks);
    vip_page_section(
        page, "trust", "Is its confidence worth something?",
        "A model that says how sure it is should be right as often as it says, and should doubt where it errs.");
    if (reliability) {
        put_reliability(page, report);
    } else {
        vip_document_nothing(page, "No evaluation holds a reliability diagram.");
    }
    if (risks) {
        (void)fputs("<h3 class=\"apart\">Answers set aside</h3>\n", page->out);
        put_risks(page, report);
    } else {
        vip_document_nothing(page, "No evaluation holds risk against coverage.");
    }
    vip_page_section_end(page);
}
