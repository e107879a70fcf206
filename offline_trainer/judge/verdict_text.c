/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verdict_text.c -- see verdict.h for the contract: JSON, table and CSV. */
#include "metrics.h"
#include "verdict.h"

#include <base/memory.h>
#include <common/csv.h>
#include <common/jsonl.h>

#include <math.h>
#include <string.h>

enum { DIGITS = 7, MOST_POINTS = 200, HISTOGRAM_BINS = 24, MOST_CONFUSED = 100 };

static const vip_heard *
main_heard(const vip_verdict *v)
{
    return v->calibrated != NULL ? v->calibrated : v->raw;
}

/* --------------------------------------------------------------------------------------------------------------- JSON */

static void
put_interval(vip_json *json, const char *key, const vip_interval *interval)
{
    if (isnan(interval->value)) {
        return;
    }
    vip_json_object(json, key);
    vip_json_number(json, "value", interval->value, DIGITS);
    vip_json_number(json, "low", interval->low, DIGITS);
    vip_json_number(json, "high", interval->high, DIGITS);
    vip_json_close(json);
}

static void
put_figures(vip_json *json, const char *key, const vip_interval *figures)
{
    vip_json_object(json, key);
    for (int f = 0; f < VIP_N_FIGURES; f++) {
        put_interval(json, VIP_FIGURE_NAMES[f], &figures[f]);
    }
    vip_json_close(json);
}

static void
put_about(vip_json *json, const vip_verdict *v)
{
    static const char *const POSTERIORS[] = {"deterministic", "dropout", "meanfield", "ensemble"};
    vip_json_object(json, "model");
    vip_json_text(json, "name", v->model->name);
    vip_json_text(json, "sha256", v->model->sha256);
    vip_json_text(json, "arch", vip_arch_name(v->model->network.arch));
    vip_json_whole(json, "width", v->model->network.width);
    vip_json_text(json, "padding", v->model->network.padding == VIP_CAUSAL ? "causal" : "same");
    vip_json_text(json, "posterior", POSTERIORS[v->model->posterior]);
    vip_json_close(json);
    vip_json_object(json, "data");
    vip_json_text(json, "clips", v->expression);
    vip_json_text(json, "truth", v->truth);
    vip_json_text(json, "cache", vip_cache_hash(v->cache));
    vip_json_whole(json, "n", v->raw->n);
    vip_json_whole(json, "without_label", vip_heard_unknown_labels(v->raw));
    vip_json_close(json);
    vip_json_whole(json, "passes", v->passes);
    vip_json_text(json, "task", v->raw->task == VIPANN_MULTICLASS ? "multiclass" : "multilabel");
}

static void
put_reliability(vip_json *json, const vip_heard *h)
{
    double *confidence = vip_alloc(h->n, sizeof *confidence);
    vip_bin bins[VIP_BINS] = {{0, 0, 0}};
    if (confidence == NULL) {
        return;
    }
    for (size_t i = 0; i < h->n; i++) {
        confidence[i] = 1 - h->sign[VIP_BY_CONFIDENCE][i];
    }
    (void)vip_ece(confidence, h->right, h->n, VIP_BINS, NULL, bins);
    vip_json_array(json, "reliability");
    for (int k = 0; k < VIP_BINS; k++) {
        vip_json_object(json, NULL);
        vip_json_number(json, "low", (double)k / VIP_BINS, DIGITS);
        vip_json_number(json, "high", (double)(k + 1) / VIP_BINS, DIGITS);
        vip_json_whole(json, "n", bins[k].n);
        vip_json_number(json, "confidence", bins[k].n > 0 ? bins[k].confidence : NAN, DIGITS);
        vip_json_number(json, "accuracy", bins[k].n > 0 ? bins[k].accuracy : NAN, DIGITS);
        vip_json_close(json);
    }
    vip_json_close(json);
    vip_free(confidence);
}

static void
put_risk(vip_json *json, const vip_heard *h)
{
    double *loss = vip_alloc(2 * h->n, sizeof *loss), *risk = loss + h->n;
    if (loss == NULL) {
        return;
    }
    for (size_t i = 0; i < h->n; i++) {
        loss[i] = !h->right[i];
    }
    (void)vip_aurc(h->sign[VIP_BY_TOTAL], loss, h->n, risk);
    vip_json_array(json, "risk_coverage");
    const size_t points = h->n < MOST_POINTS ? h->n : MOST_POINTS;
    for (size_t k = 1; k <= points; k++) {
        const size_t at = k * h->n / points - 1;
        vip_json_array(json, NULL);
        vip_json_number(json, NULL, (double)(at + 1) / (double)h->n, DIGITS);
        vip_json_number(json, NULL, risk[at], DIGITS);
        vip_json_close(json);
    }
    vip_json_close(json);
    vip_free(loss);
}

/* Counts of a sign in bins up to `most`; which: 0 wrong, 1 right, -1 all. */
static void
put_counts(vip_json *json, const char *key, const vip_heard *h, vip_sign_of_doubt sign, double most, int which)
{
    size_t counts[HISTOGRAM_BINS] = {0};
    for (size_t i = 0; i < h->n; i++) {
        if (which < 0 || h->right[i] == (which == 1)) {
            const double at = h->sign[sign][i] / most * HISTOGRAM_BINS;
            counts[at >= HISTOGRAM_BINS ? HISTOGRAM_BINS - 1 : at > 0 ? (size_t)at : 0]++;
        }
    }
    vip_json_array(json, key);
    for (int k = 0; k < HISTOGRAM_BINS; k++) {
        vip_json_whole(json, NULL, counts[k]);
    }
    vip_json_close(json);
}

static double
largest_sign(const vip_verdict *v, vip_sign_of_doubt sign)
{
    const vip_heard *h = main_heard(v);
    double most = 1e-6;
    for (size_t i = 0; i < h->n; i++) {
        most = fmax(most, h->sign[sign][i]);
    }
    for (size_t k = 0; k < v->n_foreign; k++) {
        for (size_t i = 0; i < v->foreign[k].heard->n; i++) {
            most = fmax(most, v->foreign[k].heard->sign[sign][i]);
        }
    }
    return most;
}

static void
put_histograms(vip_json *json, const vip_verdict *v)
{
    const vip_heard *h = main_heard(v);
    vip_json_object(json, "histograms");
    for (int s = VIP_BY_TOTAL; s <= VIP_BY_EPISTEMIC; s++) {
        if (s == VIP_BY_EPISTEMIC && h->members < 2) {
            continue;
        }
        const double most = largest_sign(v, (vip_sign_of_doubt)s);
        vip_json_object(json, VIP_SIGN_NAMES[s]);
        vip_json_array(json, "bins");
        for (int k = 0; k <= HISTOGRAM_BINS; k++) {
            vip_json_number(json, NULL, most * k / HISTOGRAM_BINS, DIGITS);
        }
        vip_json_close(json);
        put_counts(json, "right", h, (vip_sign_of_doubt)s, most, 1);
        put_counts(json, "wrong", h, (vip_sign_of_doubt)s, most, 0);
        vip_json_object(json, "ood");
        for (size_t k = 0; k < v->n_foreign; k++) {
            put_counts(json, v->foreign[k].name, v->foreign[k].heard, (vip_sign_of_doubt)s, most, -1);
        }
        vip_json_close(json);
        vip_json_close(json);
    }
    vip_json_close(json);
}

/* Mean doubt of right and wrong answers. */
static bool
mean_doubt(const vip_heard *h, bool right, double *aleatoric, double *epistemic)
{
    size_t n = 0;
    *aleatoric = *epistemic = 0;
    for (size_t i = 0; i < h->n; i++) {
        if (h->right[i] == right && h->label[i] != VIP_NO_LABEL) {
            *aleatoric += h->aleatoric[i];
            *epistemic += h->sign[VIP_BY_EPISTEMIC][i];
            n++;
        }
    }
    *aleatoric /= n > 0 ? (double)n : 1;
    *epistemic /= n > 0 ? (double)n : 1;
    return n > 0;
}

static void
put_doubt(vip_json *json, const vip_heard *h)
{
    vip_json_object(json, "doubt");
    for (int right = 1; right >= 0; right--) {
        double aleatoric, epistemic;
        if (mean_doubt(h, right == 1, &aleatoric, &epistemic)) {
            vip_json_object(json, right == 1 ? "right" : "wrong");
            vip_json_number(json, "aleatoric", aleatoric, DIGITS);
            vip_json_number(json, "epistemic", epistemic, DIGITS);
            vip_json_close(json);
        }
    }
    vip_json_close(json);
}

static void
put_confusion(vip_json *json, const vip_verdict *v)
{
    const vip_heard *h = main_heard(v);
    size_t *counts = vip_alloc(h->classes * h->classes, sizeof *counts);
    if (counts == NULL) {
        return;
    }
    for (size_t i = 0; i < h->n; i++) {
        if (h->label[i] != VIP_NO_LABEL) {
            counts[h->label[i] * h->classes + vip_best_class(h->p + i * h->classes, h->classes)]++;
        }
    }
    vip_json_object(json, "confusion");
    vip_json_array(json, "labels");
    for (size_t c = 0; c < h->classes; c++) {
        vip_json_text(json, NULL, v->model->labels[c]);
    }
    vip_json_close(json);
    vip_json_array(json, "counts");
    for (size_t c = 0; c < h->classes; c++) {
        vip_json_array(json, NULL);
        for (size_t k = 0; k < h->classes; k++) {
            vip_json_whole(json, NULL, counts[c * h->classes + k]);
        }
        vip_json_close(json);
    }
    vip_json_close(json);
    vip_json_close(json);
    vip_free(counts);
}

/* Classes of a multi-label model that are heard in some clip, and how many are not. */
static void
put_classes(vip_json *json, const vip_verdict *v)
{
    const vip_heard *h = main_heard(v);
    size_t never = 0;
    vip_json_array(json, "classes");
    for (uint32_t c = 0; c < h->classes; c++) {
        const vip_class_figures figures = vip_class_figures_of(h, c);
        if (figures.positives == 0) {
            never++;
            continue;
        }
        vip_json_object(json, NULL);
        vip_json_text(json, "label", v->model->labels[c]);
        vip_json_whole(json, "n", figures.positives);
        vip_json_number(json, "ap", figures.average_precision, DIGITS);
        vip_json_number(json, "auc", figures.auc, DIGITS);
        vip_json_number(json, "ece", figures.ece, DIGITS);
        vip_json_close(json);
    }
    vip_json_close(json);
    vip_json_whole(json, "classes_without_clips", never);
}

static void
put_others(vip_json *json, const vip_verdict *v)
{
    vip_json_array(json, "by_passes");
    for (size_t i = 0; i < v->n_others; i++) {
        vip_json_object(json, NULL);
        vip_json_whole(json, "passes", v->others[i].passes);
        put_figures(json, "figures", v->others[i].figures);
        vip_json_close(json);
    }
    vip_json_close(json);
}

static void
put_foreign(vip_json *json, const vip_verdict *v)
{
    vip_json_array(json, "ood");
    for (size_t k = 0; k < v->n_foreign; k++) {
        const vip_foreign *f = &v->foreign[k];
        vip_json_object(json, NULL);
        vip_json_text(json, "name", f->name);
        vip_json_whole(json, "n", f->heard->n);
        vip_json_object(json, "scores");
        for (int s = 0; s < VIP_N_SIGNS; s++) {
            if (!isnan(f->auroc[s].value)) {
                vip_json_object(json, VIP_SIGN_NAMES[s]);
                put_interval(json, "auroc", &f->auroc[s]);
                vip_json_number(json, "ap", f->ap[s], DIGITS);
                vip_json_number(json, "fpr95", f->fpr95[s], DIGITS);
                vip_json_close(json);
            }
        }
        vip_json_close(json);
        vip_json_close(json);
    }
    vip_json_close(json);
}

void
vip_verdict_json(const vip_verdict *verdict, FILE *out)
{
    const vip_heard *h = main_heard(verdict);
    vip_json json = {.out = out};
    vip_json_object(&json, NULL);
    vip_json_whole(&json, "format", 1);
    put_about(&json, verdict);
    put_figures(&json, "raw", verdict->figures[0]);
    if (verdict->calibrated != NULL) {
        put_figures(&json, "calibrated", verdict->figures[1]);
    }
    if (h->task == VIPANN_MULTICLASS) {
        put_reliability(&json, h);
        put_risk(&json, h);
        put_histograms(&json, verdict);
        put_doubt(&json, h);
        if (h->classes <= MOST_CONFUSED) {
            put_confusion(&json, verdict);
        }
    } else {
        put_classes(&json, verdict);
    }
    if (verdict->n_others > 0) {
        put_others(&json, verdict);
    }
    put_foreign(&json, verdict);
    vip_json_close(&json);
}

/* -------------------------------------------------------------------------------------------------------------- table */

static void
print_interval(FILE *out, const vip_interval *interval)
{
    if (isnan(interval->value)) {
        (void)fprintf(out, "  %24s", "");
    } else {
        (void)fprintf(out, "  %7.4f (%.4f..%.4f)", interval->value, interval->low, interval->high);
    }
}

/* A line for each number of passes: the figures that move with it. */
static void
print_others(const vip_verdict *v, FILE *out)
{
    const vip_figure first = v->raw->task == VIPANN_MULTICLASS ? VIP_FIGURE_ACCURACY : VIP_FIGURE_MAP;
    const vip_figure shown[] = {first, VIP_FIGURE_NLL, VIP_FIGURE_ECE};
    if (v->n_others > 0) {
        (void)fprintf(out, "\n%-26s", v->calibrated != NULL ? "calibrated, with passes" : "with passes");
        for (size_t f = 0; f < sizeof shown / sizeof *shown; f++) {
            (void)fprintf(out, "  %-24s", VIP_FIGURE_TEXTS[shown[f]]);
        }
        (void)fputc('\n', out);
    }
    for (size_t i = 0; i < v->n_others; i++) {
        (void)fprintf(out, "%26u", v->others[i].passes);
        for (size_t f = 0; f < sizeof shown / sizeof *shown; f++) {
            print_interval(out, &v->others[i].figures[shown[f]]);
        }
        (void)fputc('\n', out);
    }
}

void
vip_verdict_table(const vip_verdict *verdict, FILE *out)
{
    const vip_heard *h = main_heard(verdict);
    (void)fprintf(out, "%s on %zu clips (%s), truth: %s, %u passes\n\n", verdict->model->name, h->n,
                  verdict->expression, verdict->truth, verdict->passes);
    (void)fprintf(out, "%-26s  %-24s%s\n", "", "  raw (95 % interval)",
                  verdict->calibrated != NULL ? "    calibrated" : "");
    for (int f = 0; f < VIP_N_FIGURES; f++) {
        if (!isnan(verdict->figures[0][f].value)) {
            (void)fprintf(out, "%-26s", VIP_FIGURE_TEXTS[f]);
            print_interval(out, &verdict->figures[0][f]);
            print_interval(out, &verdict->figures[1][f]);
            (void)fputc('\n', out);
        }
    }
    double aleatoric, epistemic;
    for (int right = 1; right >= 0 && h->task == VIPANN_MULTICLASS; right--) {
        if (mean_doubt(h, right == 1, &aleatoric, &epistemic)) {
            (void)fprintf(out, "doubt where %-14s  aleatoric %.3f, epistemic %.3f nats\n",
                          right == 1 ? "right" : "wrong", aleatoric, epistemic);
        }
    }
    print_others(verdict, out);
    if (verdict->n_foreign > 0) {
        (void)fprintf(out, "\nforeign sounds: AUROC by   %-24s  %-24s\n", "  total", "  epistemic");
    }
    for (size_t k = 0; k < verdict->n_foreign; k++) {
        (void)fprintf(out, "%-20.20s %5zu", verdict->foreign[k].name, verdict->foreign[k].heard->n);
        for (int s = VIP_BY_TOTAL; s <= VIP_BY_EPISTEMIC; s++) {
            print_interval(out, &verdict->foreign[k].auroc[s]);
        }
        (void)fprintf(out, "  energy %.3f\n", verdict->foreign[k].auroc[VIP_BY_ENERGY].value);
    }
}

/* ---------------------------------------------------------------------------------------------------------------- CSV */

void
vip_verdict_csv(const vip_verdict *verdict, FILE *out)
{
    static const char *const COLUMNS[] = {"set",         "path",  "group",     "label",     "answer", "right",
                                          "probability", "total", "aleatoric", "epistemic", "energy"};
    const vip_heard *h = main_heard(verdict);
    vip_csv csv = {.out = out};
    for (size_t i = 0; i < sizeof COLUMNS / sizeof *COLUMNS; i++) {
        vip_csv_text(&csv, COLUMNS[i]);
    }
    vip_csv_end(&csv);
    for (size_t i = 0; i < h->n; i++) {
        const vip_cache_clip *clip = vip_cache_clip_at(verdict->cache, h->clips[i]);
        const uint32_t best = vip_best_class(h->p + i * h->classes, h->classes);
        vip_csv_text(&csv, clip->set);
        vip_csv_text(&csv, clip->path);
        vip_csv_text(&csv, clip->group);
        vip_csv_text(&csv, clip->n_labels > 0 ? clip->labels[0] : NULL);
        vip_csv_text(&csv, verdict->model->labels[best]);
        vip_csv_text(&csv, h->task != VIPANN_MULTICLASS ? NULL : h->right[i] ? "yes" : "no");
        vip_csv_number(&csv, h->p[i * h->classes + best], DIGITS);
        vip_csv_number(&csv, h->sign[VIP_BY_TOTAL][i], DIGITS);
        vip_csv_number(&csv, h->aleatoric[i], DIGITS);
        vip_csv_number(&csv, h->members > 1 ? h->sign[VIP_BY_EPISTEMIC][i] : NAN, DIGITS);
        vip_csv_number(&csv, h->sign[VIP_BY_ENERGY][i], DIGITS);
        vip_csv_end(&csv);
    }
}
