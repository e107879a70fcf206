/* SPDX-License-Identifier: GPL-3.0-or-later */
/* evaluation.c -- see evaluation.h for the contract. */
#include "evaluation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include <base/memory.h>
#include <base/status.h>

enum { WHERE = 120, MOST_POINTS = 100000 };

static const char *const METRICS[VIP_N_METRICS] = {
    [VIP_METRIC_ACCURACY] = "accuracy", [VIP_METRIC_UAR] = "uar",       [VIP_METRIC_MAP] = "map",
    [VIP_METRIC_AUC] = "auc",           [VIP_METRIC_DPRIME] = "dprime", [VIP_METRIC_NLL] = "nll",
    [VIP_METRIC_BRIER] = "brier",       [VIP_METRIC_ECE] = "ece",       [VIP_METRIC_MCE] = "mce",
    [VIP_METRIC_AURC] = "aurc",
};

static const char *const DOUBTS[VIP_N_DOUBTS] = {[VIP_DOUBT_EPISTEMIC] = "epistemic", [VIP_DOUBT_TOTAL] = "total"};

/* A block for the evaluation; NULL, with the reader failed, if memory is short. */
static void *
room(vip_json_reader *reader, size_t n, size_t size)
{
    void *block = reader->status == VIPANN_OK ? vip_alloc(n, size) : NULL;
    if (block == NULL && reader->status == VIPANN_OK) {
        reader->status = vip_fail_memory(reader->error, "an evaluation");
    }
    return block;
}

/* NaN counts as none. */
static double
count_of(vip_json_reader *reader, const char *what, double n)
{
    if (n < 0) {
        vip_json_refuse(reader, what, "a number below 0", "a count");
    }
    return n > 0 ? n : 0;
}

/* [n] counts, owned by the caller; NULL: missing. */
static double *
read_counts(vip_json_reader *reader, const json_t *array, const char *what, size_t n)
{
    double *counts = array != NULL ? room(reader, n, sizeof *counts) : NULL;
    if (counts != NULL) {
        vip_json_get_numbers(reader, array, what, n, counts);
        for (size_t i = 0; i < n; i++) {
            counts[i] = count_of(reader, what, counts[i]);
        }
    }
    return counts;
}

/* What may stand at the top or within an evaluation's two groups of metrics. */
static json_t *
find_array(vip_json_reader *reader, const json_t *top, const char *key, size_t most)
{
    json_t *array = vip_json_get_array(reader, top, "", key, most);
    if (array == NULL) {
        array =
            vip_json_get_array(reader, vip_json_get_object(reader, top, "", "calibrated"), "calibrated.", key, most);
    }
    if (array == NULL) {
        array = vip_json_get_array(reader, vip_json_get_object(reader, top, "", "raw"), "raw.", key, most);
    }
    return array;
}

static void
read_metrics(vip_json_reader *reader, const json_t *top, const char *group, vip_measure *measures)
{
    const json_t *metrics = vip_json_get_object(reader, top, "", group);
    char where[WHERE];
    (void)snprintf(where, sizeof where, "%s.", group);
    for (size_t i = 0; i < VIP_N_METRICS; i++) {
        measures[i] = vip_json_get_measure(reader, metrics, where, METRICS[i]);
    }
}

static void
read_reliability(vip_json_reader *reader, const json_t *top, vip_evaluation *e)
{
    const json_t *bins = find_array(reader, top, "reliability", VIP_MOST_BINS);
    size_t n = json_array_size(bins);
    e->reliability = n > 0 ? room(reader, n, sizeof *e->reliability) : NULL;
    for (size_t i = 0; i < n && reader->status == VIPANN_OK; i++) {
        const json_t *bin = json_array_get(bins, i);
        char where[WHERE];
        (void)snprintf(where, sizeof where, "reliability[%zu].", i);
        vip_reliability *r = &e->reliability[i];
        r->low = vip_json_get_number(reader, bin, where, "low");
        r->high = vip_json_get_number(reader, bin, where, "high");
        r->n = count_of(reader, where, vip_json_get_number(reader, bin, where, "n"));
        r->confidence = vip_json_get_number(reader, bin, where, "confidence");
        r->accuracy = vip_json_get_number(reader, bin, where, "accuracy");
        if (!(r->low >= 0 && r->high > r->low && r->high <= 1.000001)) {
            vip_json_refuse(reader, where, "limits that are none", "low and high, 0 to 1");
        }
        e->n_reliability = i + 1;
    }
}

static void
read_risks(vip_json_reader *reader, const json_t *top, vip_evaluation *e)
{
    const json_t *points = find_array(reader, top, "risk_coverage", MOST_POINTS);
    size_t n = json_array_size(points);
    e->risks = n > 0 ? room(reader, n, sizeof *e->risks) : NULL;
    for (size_t i = 0; i < n && reader->status == VIPANN_OK; i++) {
        char where[WHERE];
        double pair[2];
        (void)snprintf(where, sizeof where, "risk_coverage[%zu]", i);
        vip_json_get_numbers(reader, json_array_get(points, i), where, 2, pair);
        if (reader->status == VIPANN_OK && !(pair[0] >= 0 && pair[0] <= 1.000001 && isfinite(pair[1]) &&
                                             (i == 0 || pair[0] >= e->risks[i - 1].coverage))) {
            vip_json_refuse(reader, where, "a point out of place", "coverage that rises from 0 to 1, and a risk");
        }
        e->risks[i] = (vip_risk){pair[0], pair[1]};
        e->n_risks = i + 1;
    }
}

static void
read_histogram(vip_json_reader *reader, const json_t *histograms, const char *name, vip_doubt_histogram *h)
{
    const json_t *histogram = vip_json_get_object(reader, histograms, "histograms.", name);
    char where[WHERE];
    (void)snprintf(where, sizeof where, "histograms.%s.", name);
    const json_t *edges = vip_json_get_array(reader, histogram, where, "bins", VIP_MOST_BINS + 1);
    size_t n = json_array_size(edges);
    h->edges = n > 1 ? room(reader, n, sizeof *h->edges) : NULL;
    if (h->edges == NULL) {
        return;
    }
    h->n_bins = n - 1;
    vip_json_get_numbers(reader, edges, where, n, h->edges);
    for (size_t i = 1; i < n && reader->status == VIPANN_OK; i++) {
        if (!(h->edges[i] > h->edges[i - 1])) {
            vip_json_refuse(reader, where, "bins that do not rise", "edges of bins that rise");
        }
    }
    h->right =
        read_counts(reader, vip_json_get_array(reader, histogram, where, "right", VIP_MOST_BINS), where, h->n_bins);
    h->wrong =
        read_counts(reader, vip_json_get_array(reader, histogram, where, "wrong", VIP_MOST_BINS), where, h->n_bins);
    json_t *ood = vip_json_get_object(reader, histogram, where, "ood");
    const char *set;
    json_t *counts;
    json_object_foreach(ood, set, counts)
    {
        if (h->n_ood == VIP_MOST_OOD) {
            vip_json_refuse(reader, where, "too many sets", "at most 16");
            return;
        }
        h->ood_names[h->n_ood] = set;
        h->ood[h->n_ood] = read_counts(reader, counts, where, h->n_bins);
        h->n_ood += h->ood[h->n_ood] != NULL;
    }
}

static void
read_doubts(vip_json_reader *reader, const json_t *top, vip_evaluation *e)
{
    const json_t *histograms = vip_json_get_object(reader, top, "", "histograms");
    for (size_t i = 0; i < VIP_N_DOUBTS; i++) {
        read_histogram(reader, histograms, DOUBTS[i], &e->histograms[i]);
    }
    const json_t *doubt = vip_json_get_object(reader, top, "", "doubt");
    const json_t *right = vip_json_get_object(reader, doubt, "doubt.", "right");
    const json_t *wrong = vip_json_get_object(reader, doubt, "doubt.", "wrong");
    e->right.aleatoric = vip_json_get_number(reader, right, "doubt.right.", "aleatoric");
    e->right.epistemic = vip_json_get_number(reader, right, "doubt.right.", "epistemic");
    e->wrong.aleatoric = vip_json_get_number(reader, wrong, "doubt.wrong.", "aleatoric");
    e->wrong.epistemic = vip_json_get_number(reader, wrong, "doubt.wrong.", "epistemic");
}

static void
read_confusion(vip_json_reader *reader, const json_t *top, vip_evaluation *e)
{
    const json_t *confusion = vip_json_get_object(reader, top, "", "confusion");
    const json_t *labels = vip_json_get_array(reader, confusion, "confusion.", "labels", VIP_MOST_CONFUSED);
    const json_t *rows = vip_json_get_array(reader, confusion, "confusion.", "counts", VIP_MOST_CONFUSED);
    size_t n = json_array_size(labels);
    if (n == 0) {
        return;
    }
    if (json_array_size(rows) != n) {
        vip_json_refuse(reader, "confusion.counts", "another number of rows", "one row per label");
    }
    e->labels = room(reader, n, sizeof *e->labels);
    e->confusion = room(reader, n * n, sizeof *e->confusion);
    for (size_t i = 0; i < n && reader->status == VIPANN_OK; i++) {
        char where[WHERE];
        (void)snprintf(where, sizeof where, "confusion.counts[%zu]", i);
        vip_json_get_numbers(reader, json_array_get(rows, i), where, n, e->confusion + i * n);
        for (size_t k = 0; k < n; k++) {
            e->confusion[i * n + k] = count_of(reader, where, e->confusion[i * n + k]);
        }
        e->labels[i] = json_string_value(json_array_get(labels, i));
        if (e->labels[i] == NULL) {
            vip_json_refuse(reader, "confusion.labels", "something else", "strings");
        }
    }
    e->n_labels = reader->status == VIPANN_OK ? n : 0;
}

static void
read_ood_set(vip_json_reader *reader, const json_t *set, const char *where, vip_ood_result *out)
{
    char inner[WHERE + 2];
    (void)snprintf(inner, sizeof inner, "%s.", where);
    out->name = vip_json_get_text(reader, set, inner, "name");
    out->n = count_of(reader, where, vip_json_get_number(reader, set, inner, "n"));
    if (out->name == NULL) {
        vip_json_refuse(reader, where, "no name", "a set of sounds with its name");
    }
    json_t *scores = vip_json_get_object(reader, set, inner, "scores");
    const char *name;
    json_t *score;
    json_object_foreach(scores, name, score)
    {
        if (out->n_scores == VIP_MOST_SCORES) {
            vip_json_refuse(reader, where, "too many scores", "at most 16");
            return;
        }
        char at[2 * WHERE];
        (void)snprintf(at, sizeof at, "%sscores.%.60s.", inner, name);
        out->scores[out->n_scores++] = (vip_ood_score){name, vip_json_get_measure(reader, score, at, "auroc"),
                                                       vip_json_get_measure(reader, score, at, "ap"),
                                                       vip_json_get_measure(reader, score, at, "fpr95")};
    }
}

static void
read_ood(vip_json_reader *reader, const json_t *top, vip_evaluation *e)
{
    const json_t *sets = vip_json_get_array(reader, top, "", "ood", VIP_MOST_OOD);
    size_t n = json_array_size(sets);
    e->ood = n > 0 ? room(reader, n, sizeof *e->ood) : NULL;
    for (size_t i = 0; i < n && reader->status == VIPANN_OK; i++) {
        char where[WHERE];
        (void)snprintf(where, sizeof where, "ood[%zu]", i);
        read_ood_set(reader, json_array_get(sets, i), where, &e->ood[i]);
        e->n_ood = reader->status == VIPANN_OK ? i + 1 : i;
    }
}

static void
read_classes(vip_json_reader *reader, const json_t *top, vip_evaluation *e)
{
    const json_t *classes = vip_json_get_array(reader, top, "", "classes", VIP_MOST_CLASSES);
    size_t n = json_array_size(classes);
    e->classes = n > 0 ? room(reader, n, sizeof *e->classes) : NULL;
    for (size_t i = 0; i < n && reader->status == VIPANN_OK; i++) {
        const json_t *row = json_array_get(classes, i);
        char where[WHERE];
        (void)snprintf(where, sizeof where, "classes[%zu].", i);
        vip_class_result *c = &e->classes[i];
        c->label = vip_json_get_text(reader, row, where, "label");
        c->n = count_of(reader, where, vip_json_get_number(reader, row, where, "n"));
        c->ap = vip_json_get_number(reader, row, where, "ap");
        c->auc = vip_json_get_number(reader, row, where, "auc");
        c->recall = vip_json_get_number(reader, row, where, "recall");
        if (c->label == NULL) {
            vip_json_refuse(reader, where, "no label", "a class with its label");
            return;
        }
        e->n_classes = i + 1;
    }
}

/* Where results by class are missing, the confusion matrix says the recall of each. */
static void
derive_classes(vip_json_reader *reader, vip_evaluation *e)
{
    e->classes = room(reader, e->n_labels, sizeof *e->classes);
    for (size_t i = 0; i < e->n_labels && e->classes != NULL; i++) {
        double sum = 0;
        for (size_t k = 0; k < e->n_labels; k++) {
            sum += e->confusion[i * e->n_labels + k];
        }
        double recall = sum > 0 ? e->confusion[i * e->n_labels + i] / sum : NAN;
        e->classes[i] = (vip_class_result){e->labels[i], sum, NAN, NAN, recall};
        e->n_classes = i + 1;
    }
}

static void
read_all(vip_json_reader *reader, json_t *top, vip_evaluation *e)
{
    double format = vip_json_get_number(reader, top, "", "format");
    if (!json_is_object(top) || format != 1) {
        vip_json_refuse(reader, "format", isnan(format) ? "none" : "another number",
                        "1: what `vipann-train eval` writes");
        return;
    }
    e->model = vip_json_get_object(reader, top, "", "model");
    e->data = vip_json_get_object(reader, top, "", "data");
    e->n = vip_json_get_number(reader, e->data, "data.", "n");
    e->passes = vip_json_get_number(reader, top, "", "passes");
    e->task = vip_json_get_text(reader, top, "", "task");
    read_metrics(reader, top, "calibrated", e->calibrated);
    read_metrics(reader, top, "raw", e->raw);
    read_reliability(reader, top, e);
    read_risks(reader, top, e);
    read_doubts(reader, top, e);
    read_confusion(reader, top, e);
    read_ood(reader, top, e);
    read_classes(reader, top, e);
    if (e->n_classes == 0 && e->n_labels > 0) {
        derive_classes(reader, e);
    }
}

vipann_status
vip_evaluation_read(const char *path, vip_evaluation **evaluation, vipann_error *error)
{
    char *text;
    size_t bytes;
    *evaluation = NULL;
    vip_json_reader reader = {.file = path, .error = error};
    reader.status = vip_text_read(path, &text, &bytes, error);
    if (reader.status != VIPANN_OK || text == NULL) {
        return reader.status;
    }
    vip_evaluation *e = room(&reader, 1, sizeof *e);
    if (e != NULL) {
        reader.status = vip_json_text_read(text, bytes, path, 1, &e->json, error);
    }
    vip_free(text);
    if (reader.status == VIPANN_OK) {
        read_all(&reader, e->json, e);
    }
    if (reader.status != VIPANN_OK) {
        vip_evaluation_free(e);
        return reader.status;
    }
    *evaluation = e;
    return VIPANN_OK;
}

void
vip_evaluation_free(vip_evaluation *e)
{
    if (e == NULL) {
        return;
    }
    for (size_t i = 0; i < VIP_N_DOUBTS; i++) {
        vip_free(e->histograms[i].edges);
        vip_free(e->histograms[i].right);
        vip_free(e->histograms[i].wrong);
        for (size_t k = 0; k < e->histograms[i].n_ood; k++) {
            vip_free(e->histograms[i].ood[k]);
        }
    }
    vip_free(e->reliability);
    vip_free(e->risks);
    vip_free(e->labels);
    vip_free(e->confusion);
    vip_free(e->ood);
    vip_free(e->classes);
    json_decref(e->json);
    vip_free(e);
}

bool
vip_evaluation_is_multiclass(const vip_evaluation *e)
{
    return e->task != NULL ? strncmp(e->task, "multiclass", 10) == 0 || strncmp(e->task, "multi-class", 11) == 0
                           : isfinite(e->calibrated[VIP_METRIC_ACCURACY].value);
}
