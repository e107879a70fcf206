/* SPDX-License-Identifier: GPL-3.0-or-later */
/* section_doubt.c -- how much doubt answers carry: right ones, wrong ones, and those to sounds of foreign kinds. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <common/number.h>

#include "sections.h"

enum { WIDTH = 420, STRIP = 66, MOST_STRIPS = VIP_MOST_OOD + 2, NAME_CHARACTERS = 34 };

static const char *const DOUBTS[VIP_N_DOUBTS] = {[VIP_DOUBT_EPISTEMIC] = "Epistemic doubt: what it has not learned",
                                                 [VIP_DOUBT_TOTAL] = "Total doubt: of both kinds"};

typedef struct {
    const char *name, *kind;
    const double *counts;
    double sum;
} strip;

static bool
has_histograms(const vip_column *column)
{
    return column->evaluation != NULL && (column->evaluation->histograms[VIP_DOUBT_EPISTEMIC].n_bins > 0 ||
                                          column->evaluation->histograms[VIP_DOUBT_TOTAL].n_bins > 0);
}

static void
add_strip(strip *strips, size_t *n, const char *name, const char *kind, const double *counts, size_t n_bins)
{
    double sum = 0;
    if (counts == NULL) {
        return;
    }
    for (size_t i = 0; i < n_bins; i++) {
        sum += counts[i];
    }
    if (sum > 0) {
        strips[(*n)++] = (strip){name, kind, counts, sum};
    }
}

static size_t
list_strips(const vip_doubt_histogram *h, strip strips[MOST_STRIPS])
{
    size_t n = 0;
    add_strip(strips, &n, "right answers", "right", h->right, h->n_bins);
    add_strip(strips, &n, "wrong answers", "wrong", h->wrong, h->n_bins);
    for (size_t i = 0; i < h->n_ood; i++) {
        add_strip(strips, &n, h->ood_names[i], "ood", h->ood[i], h->n_bins);
    }
    return n;
}

/* The end of the last bin that holds anything, in all evaluations: so that their plots have one scale. */
static double
furthest(const vip_document *report, vip_doubt doubt)
{
    double end = 0;
    for (size_t c = 0; c < report->n; c++) {
        if (!has_histograms(&report->columns[c])) {
            continue;
        }
        const vip_doubt_histogram *h = &report->columns[c].evaluation->histograms[doubt];
        strip strips[MOST_STRIPS];
        size_t n = list_strips(h, strips);
        for (size_t i = 0; i < n; i++) {
            for (size_t k = 0; k < h->n_bins; k++) {
                end = strips[i].counts[k] > 0 ? fmax(end, h->edges[k + 1]) : end;
            }
        }
    }
    return end;
}

/* Where half of the counts lie below, taking them as spread evenly within their bins. */
static double
median(const vip_doubt_histogram *h, const strip *s)
{
    double below = 0;
    for (size_t i = 0; i < h->n_bins; i++) {
        if (s->counts[i] > 0 && below + s->counts[i] >= s->sum / 2) {
            return h->edges[i] + (s->sum / 2 - below) / s->counts[i] * (h->edges[i + 1] - h->edges[i]);
        }
        below += s->counts[i];
    }
    return NAN;
}

/* A strip stands on `base` and is 1 high, of which its bars take at most the lower part. */
static void
put_strip(vip_plot *plot, const vip_doubt_histogram *h, const strip *s, double base)
{
    double most = 0;
    char text[VIP_DOCUMENT_TEXT], from[VIP_NUMBER_SIZE], to[VIP_NUMBER_SIZE];
    for (size_t i = 0; i < h->n_bins; i++) {
        most = fmax(most, s->counts[i] / (h->edges[i + 1] - h->edges[i]));
    }
    for (size_t i = 0; i < h->n_bins; i++) {
        if (s->counts[i] > 0 && h->edges[i] < plot->x.most) {
            double height = 0.62 * s->counts[i] / (h->edges[i + 1] - h->edges[i]) / most;
            (void)snprintf(text, sizeof text, "%.200s: %.0f of %.0f with a doubt of %s to %s nats", s->name,
                           s->counts[i], s->sum, vip_number_write(from, h->edges[i], 3),
                           vip_number_write(to, h->edges[i + 1], 3));
            vip_plot_bar(plot, (vip_point){h->edges[i], base}, (vip_point){h->edges[i + 1], base + height}, s->kind,
                         text);
        }
    }
    vip_plot_rule(plot, (vip_point){plot->x.least, base}, (vip_point){plot->x.most, base}, "axis");
    double middle = median(h, s);
    vip_plot_rule(plot, (vip_point){middle, base}, (vip_point){middle, base + 0.7}, "median");
    vip_plot_words(plot, plot->left, vip_plot_y(plot, base + 1) + 15, "strong", s->name, NAME_CHARACTERS);
    (void)snprintf(text, sizeof text, "%.0f clips, median %s", s->sum, vip_number_fixed(from, middle, 2));
    vip_plot_words(plot, plot->right, vip_plot_y(plot, base + 1) + 15, "end", text, NAME_CHARACTERS);
}

/* Whether there is none of this doubt in any answer: one answer per clip cannot disagree with itself. */
static bool
is_without(const vip_column *column, vip_doubt doubt)
{
    const vip_doubt_histogram *h = &column->evaluation->histograms[doubt];
    strip strips[MOST_STRIPS];
    size_t n = list_strips(h, strips);
    for (size_t i = 0; i < n; i++) {
        if (strips[i].counts[0] < strips[i].sum) {
            return false;
        }
    }
    return column->evaluation->passes <= 1;
}

static void
put_histogram(vip_page *page, const vip_document *report, size_t column, vip_doubt doubt)
{
    const vip_doubt_histogram *h = &report->columns[column].evaluation->histograms[doubt];
    strip strips[MOST_STRIPS];
    size_t n = list_strips(h, strips);
    char title[VIP_DOCUMENT_TEXT];
    if (n == 0) {
        return;
    }
    (void)snprintf(title, sizeof title, "%.200s: %s", report->columns[column].name, DOUBTS[doubt]);
    vip_plot_options options = {.title = title,
                                .description =
                                    "One strip each for right answers, wrong answers and foreign sounds: how "
                                    "many of them carry how much doubt.",
                                .width = WIDTH,
                                .height = STRIP * (double)n + 56,
                                .left = 12,
                                .x = {.kind = VIP_AXIS_PLAIN, .label = "doubt in nats"},
                                .y = {0, (double)n, VIP_AXIS_NONE, false, NULL}};
    vip_plot_round(&options.x, fmin(0, h->edges[0]), furthest(report, doubt));
    vip_page_figure(page, "plot", NULL);
    (void)fputs("<h3>", page->out);
    vip_plot_legend(page->out, (unsigned)column, report->columns[column].name);
    (void)fputs("</h3>\n", page->out);
    vip_plot plot = vip_plot_begin(page, &options);
    for (size_t i = 0; i < n; i++) {
        put_strip(&plot, h, &strips[i], (double)(n - 1 - i));
    }
    vip_plot_end(&plot);
    vip_page_figure_end(page, NULL);
}

static void
put_histograms(vip_page *page, const vip_document *report, vip_doubt doubt)
{
    bool any = false;
    for (size_t i = 0; i < report->n; i++) {
        if (has_histograms(&report->columns[i]) && !is_without(&report->columns[i], doubt)) {
            if (!any) {
                (void)fprintf(page->out, "<h3 class=\"apart\">%s</h3>\n<div class=\"plots\">\n", DOUBTS[doubt]);
            }
            any = true;
            put_histogram(page, report, i, doubt);
        }
    }
    (void)fputs(any ? "</div>\n" : "", page->out);
}

static void
put_split(vip_page *page, const vip_document *report)
{
    static const char *const names[] = {"Right answers, aleatoric", "Right answers, epistemic",
                                        "Wrong answers, aleatoric", "Wrong answers, epistemic"};
    static const char *const meanings[] = {"in the sound itself, nats on average", "in the weights, nats on average"};
    vip_document_table(page, report);
    for (size_t i = 0; i < 4; i++) {
        vip_row row = {.name = names[i], .meaning = meanings[i % 2], .decimals = 3};
        for (size_t k = 0; k < report->n; k++) {
            const vip_evaluation *e = report->columns[k].evaluation;
            const vip_doubt_split *split = e == NULL ? NULL : i < 2 ? &e->right : &e->wrong;
            row.of[k] = (vip_measure){split == NULL ? NAN : i % 2 == 0 ? split->aleatoric : split->epistemic, NAN, NAN};
        }
        vip_document_table_row(page, report, &row);
    }
    vip_document_table_end(page);
}

void
vip_document_doubt(vip_page *page, const vip_document *report)
{
    vip_page_section(
        page, "doubt", "Where does it doubt?",
        "Doubt is measured in nats: 0 is none. Aleatoric doubt lies in the sound, which may be two things at once; "
        "epistemic doubt lies in the network, which has not learned enough to know.");
    if (!vip_document_any(report, has_histograms)) {
        vip_document_nothing(page, "No evaluation holds histograms of doubt.");
        vip_page_section_end(page);
        return;
    }
    for (size_t k = 0; k < VIP_N_DOUBTS; k++) {
        put_histograms(page, report, (vip_doubt)k);
    }
    (void)fputs(
        "<p class=\"how\">How to read it: each strip is a group of clips, each bar how many of them carry that much "
        "doubt, the upright line the median. The further right wrong answers and foreign sounds lie from the right "
        "answers, the better doubt warns of them. Bars are as high as their share of their own group. A model "
        "that gives one answer per clip, without members, has no epistemic doubt, and no strips of "
        "it.</p>\n<h3 class=\"apart\">On average</h3>\n",
        page->out);
    put_split(page, report);
    vip_page_section_end(page);
}

/* ----------------------------------------------------------------------------------------------------- foreign sounds */

static bool
has_ood(const vip_column *column)
{
    return column->evaluation != NULL && column->evaluation->n_ood > 0;
}

/* The score in words, or as the evaluation calls it. */
static const char *
words_of(const char *score)
{
    static const struct {
        const char *score, *words;
    } known[] = {{"total", "Total doubt"},
                 {"epistemic", "Epistemic doubt"},
                 {"confidence", "Lack of confidence"},
                 {"energy", "Energy"},
                 {"distance", "Distance to what was learned"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].score, score) == 0) {
            return known[i].words;
        }
    }
    return score;
}

static const vip_ood_score *
find_score(const vip_evaluation *e, const char *set, const char *score)
{
    for (size_t i = 0; e != NULL && i < e->n_ood; i++) {
        for (size_t k = 0; strcmp(e->ood[i].name, set) == 0 && k < e->ood[i].n_scores; k++) {
            if (strcmp(e->ood[i].scores[k].name, score) == 0) {
                return &e->ood[i].scores[k];
            }
        }
    }
    return NULL;
}

bool
vip_document_foreign_row(const vip_document *report, const char *set, const char *score, size_t column, vip_row *row)
{
    bool any = false;
    for (size_t i = 0; i < report->n; i++) {
        const vip_ood_score *found = find_score(report->columns[i].evaluation, set, score);
        if (found != NULL && i < column) {
            return false;
        }
        any = any || found != NULL;
        row->of[i] = found != NULL ? found->auroc : (vip_measure){NAN, NAN, NAN};
    }
    return any;
}

/* A row for each score of one set that no column before has. */
static void
put_scores(vip_page *page, const vip_document *report, size_t column, const vip_ood_result *set)
{
    for (size_t k = 0; k < set->n_scores; k++) {
        vip_row row = {
            .label = words_of(set->scores[k].name), .more_name = "FPR95", .percent = true, .decimals = 1, .better = 1};
        if (vip_document_foreign_row(report, set->name, set->scores[k].name, column, &row)) {
            for (size_t i = 0; i < report->n; i++) {
                const vip_ood_score *found = find_score(report->columns[i].evaluation, set->name, set->scores[k].name);
                row.more[i] = found != NULL ? found->fpr95.value : NAN;
            }
            vip_document_table_row(page, report, &row);
        }
    }
}

/* All scores of a set, `first` being the first column that has it. */
static void
put_set(vip_page *page, const vip_document *report, size_t first, const char *name)
{
    for (size_t c = first; c < report->n; c++) {
        const vip_evaluation *e = report->columns[c].evaluation;
        for (size_t s = 0; e != NULL && s < e->n_ood; s++) {
            if (strcmp(e->ood[s].name, name) == 0) {
                put_scores(page, report, c, &e->ood[s]);
            }
        }
    }
}

void
vip_document_foreign(vip_page *page, const vip_document *report)
{
    vip_page_section(
        page, "foreign", "Does it notice foreign sounds?",
        "Sounds of kinds that the model was never taught. AUROC is the probability that a foreign sound gets a "
        "higher score than a known one: 50&#160;% is chance, 100&#160;% perfect. FPR95 is the share of known sounds "
        "that are taken for foreign when "
        "95&#160;% of the foreign are found: less is better.");
    if (!vip_document_any(report, has_ood)) {
        vip_document_nothing(page, "No evaluation was given foreign sounds (--ood).");
        vip_page_section_end(page);
        return;
    }
    vip_document_table(page, report);
    for (size_t c = 0; c < report->n; c++) {
        const vip_evaluation *e = report->columns[c].evaluation;
        for (size_t s = 0; e != NULL && s < e->n_ood; s++) {
            char name[VIP_DOCUMENT_TEXT];
            bool known = false;
            for (size_t b = 0; b < c && !known; b++) {
                const vip_evaluation *before = report->columns[b].evaluation;
                for (size_t k = 0; before != NULL && k < before->n_ood; k++) {
                    known = known || strcmp(before->ood[k].name, e->ood[s].name) == 0;
                }
            }
            if (!known) {
                (void)snprintf(name, sizeof name, "%.300s, %.0f clips", e->ood[s].name, e->ood[s].n);
                vip_document_table_group(page, report, name);
                put_set(page, report, c, e->ood[s].name);
            }
        }
    }
    vip_document_table_end(page);
    (void)fputs("<p class=\"how\">Total and epistemic doubt are those of the section above; the others are other ways "
                "to see that a "
                "sound is like "
                "nothing in training. Which one a model uses for “unknown” is in its file.</p>\n",
                page->out);
    vip_page_section_end(page);
}
