/* SPDX-License-Identifier: GPL-3.0-or-later */
/* metrics.c -- see metrics.h for the contract. */
#include "metrics.h"

#include <base/memory.h>

#include <math.h>
#include <stdlib.h>

static const double SMALLEST = 1e-12;

uint32_t
vip_best_class(const double *p, size_t classes)
{
    uint32_t best = 0;
    for (uint32_t c = 1; c < classes; c++) {
        best = p[c] > p[best] ? c : best;
    }
    return best;
}

double
vip_accuracy(const double *p, const uint32_t *label, size_t n, size_t classes)
{
    size_t right = 0;
    for (size_t i = 0; i < n; i++) {
        right += vip_best_class(p + i * classes, classes) == label[i];
    }
    return n > 0 ? (double)right / (double)n : NAN;
}

double
vip_uar(const double *p, const uint32_t *label, size_t n, size_t classes)
{
    size_t *counts = vip_alloc(2 * classes, sizeof *counts), *right = counts != NULL ? counts + classes : NULL;
    if (counts == NULL) {
        return NAN;
    }
    for (size_t i = 0; i < n; i++) {
        counts[label[i]]++;
        right[label[i]] += vip_best_class(p + i * classes, classes) == label[i];
    }
    double sum = 0;
    size_t there = 0;
    for (size_t c = 0; c < classes; c++) {
        there += counts[c] > 0;
        sum += counts[c] > 0 ? (double)right[c] / (double)counts[c] : 0;
    }
    vip_free(counts);
    return there > 0 ? sum / (double)there : NAN;
}

double
vip_nll(const double *p, const uint32_t *label, size_t n, size_t classes)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum -= log(fmax(p[i * classes + label[i]], SMALLEST));
    }
    return n > 0 ? sum / (double)n : NAN;
}

double
vip_brier(const double *p, const uint32_t *label, size_t n, size_t classes)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < classes; c++) {
            const double d = p[i * classes + c] - (c == label[i]);
            sum += d * d;
        }
    }
    return n > 0 ? sum / (double)n : NAN;
}

double
vip_binary_nll(const double *p, const float *y, size_t n, size_t classes)
{
    double sum = 0;
    for (size_t i = 0; i < n * classes; i++) {
        sum -= (double)y[i] * log(fmax(p[i], SMALLEST)) + (1 - (double)y[i]) * log(fmax(1 - p[i], SMALLEST));
    }
    return n > 0 ? sum / (double)n : NAN;
}

double
vip_binary_brier(const double *p, const float *y, size_t n, size_t classes)
{
    double sum = 0;
    for (size_t i = 0; i < n * classes; i++) {
        sum += (p[i] - (double)y[i]) * (p[i] - (double)y[i]);
    }
    return n > 0 ? sum / ((double)n * (double)classes) : NAN;
}

/* -------------------------------------------------------------------------------------------------------- calibration */

static void
add_to_bin(vip_bin *bin, double confidence, bool right)
{
    bin->n++;
    bin->confidence += confidence;
    bin->accuracy += right;
}

/* Turns sums into means; returns the gap times the count. */
static double
close_bin(vip_bin *bin, double *largest)
{
    if (bin->n == 0) {
        return 0;
    }
    bin->confidence /= (double)bin->n;
    bin->accuracy /= (double)bin->n;
    const double gap = fabs(bin->accuracy - bin->confidence);
    *largest = fmax(*largest, gap);
    return gap * (double)bin->n;
}

double
vip_ece(const double *confidence, const bool *right, size_t n, size_t m, double *largest, vip_bin *bins)
{
    vip_bin *own = bins == NULL ? vip_alloc(m, sizeof *own) : bins;
    double most = 0, sum = 0;
    if (own == NULL || n == 0) {
        vip_free(bins == NULL ? own : NULL);
        return NAN;
    }
    for (size_t k = 0; k < m; k++) {
        own[k] = (vip_bin){0, 0, 0};
    }
    for (size_t i = 0; i < n; i++) {
        double k = ceil(confidence[i] * (double)m) - 1;
        k = k < 0 ? 0 : k > (double)(m - 1) ? (double)(m - 1) : k;
        add_to_bin(&own[(size_t)k], confidence[i], right[i]);
    }
    for (size_t k = 0; k < m; k++) {
        sum += close_bin(&own[k], &most);
    }
    if (largest != NULL) {
        *largest = most;
    }
    vip_free(bins == NULL ? own : NULL);
    return sum / (double)n;
}

/* A value with what belongs to it, sorted by value, then by place. */
typedef struct {
    double value, other;
    size_t place;
    bool flag;
} item;

static int
rising(const void *a, const void *b)
{
    const item *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value ? 1 : -1) : (x->place > y->place) - (x->place < y->place);
}

/* Sorted copies; flags or others may be NULL. NULL: memory is short. */
static item *
sorted(const double *value, const double *other, const bool *flag, size_t n)
{
    item *items = vip_alloc(n, sizeof *items);
    for (size_t i = 0; items != NULL && i < n; i++) {
        items[i] = (item){value[i], other != NULL ? other[i] : 0, i, flag != NULL && flag[i]};
    }
    if (items != NULL) {
        qsort(items, n, sizeof *items, rising);
    }
    return items;
}

double
vip_ace(const double *confidence, const bool *right, size_t n, size_t m)
{
    item *items = sorted(confidence, NULL, right, n);
    double sum = 0, most = 0;
    if (items == NULL || n == 0) {
        vip_free(items);
        return NAN;
    }
    for (size_t k = 0; k < m; k++) {
        const size_t from = (size_t)nearbyint((double)n * (double)k / (double)m);
        const size_t end = (size_t)nearbyint((double)n * (double)(k + 1) / (double)m);
        vip_bin bin = {0, 0, 0};
        for (size_t i = from; i < end; i++) {
            add_to_bin(&bin, items[i].value, items[i].flag);
        }
        sum += close_bin(&bin, &most);
    }
    vip_free(items);
    return sum / (double)n;
}

/* ------------------------------------------------------------------------------------------------------------- ranking */

static size_t
count(const bool *flags, size_t n)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        found += flags[i];
    }
    return found;
}

double
vip_average_precision(const double *score, const bool *positive, size_t n)
{
    const size_t positives = count(positive, n);
    item *items = positives > 0 ? sorted(score, NULL, positive, n) : NULL;
    if (items == NULL) {
        return NAN;
    }
    double sum = 0;
    size_t hits = 0;
    for (size_t end = n, from; end > 0; end = from) { /* blocks of equal scores, the largest first */
        size_t in_block = 0;
        for (from = end; from > 0 && items[from - 1].value == items[end - 1].value; from--) {
            in_block += items[from - 1].flag;
        }
        hits += in_block;
        sum += (double)in_block * (double)hits / (double)(n - from);
    }
    vip_free(items);
    return sum / (double)positives;
}

double
vip_auc(const double *score, const bool *positive, size_t n)
{
    const size_t positives = count(positive, n), negatives = n - positives;
    item *items = positives > 0 && negatives > 0 ? sorted(score, NULL, positive, n) : NULL;
    if (items == NULL) {
        return NAN;
    }
    double sum = 0;
    size_t below = 0;
    for (size_t from = 0, end; from < n; from = end) {
        size_t hits = 0;
        for (end = from; end < n && items[end].value == items[from].value; end++) {
            hits += items[end].flag;
        }
        const size_t others = end - from - hits;
        sum += (double)hits * ((double)below + (double)others / 2);
        below += others;
    }
    vip_free(items);
    return sum / ((double)positives * (double)negatives);
}

/* The quantile of the normal distribution by bisection of erfc: exact to double where it is asked. */
static double
normal_quantile(double p)
{
    double low = -10, high = 10;
    for (int i = 0; i < 200; i++) {
        const double middle = (low + high) / 2;
        if (0.5 * erfc(-middle / sqrt(2)) < p) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (low + high) / 2;
}

double
vip_d_prime(double auc)
{
    const double edge = 1e-9;
    return isnan(auc) ? NAN : sqrt(2) * normal_quantile(fmin(fmax(auc, edge), 1 - edge));
}

double
vip_false_positives(const double *score, const bool *positive, size_t n, double share)
{
    const size_t positives = count(positive, n), negatives = n - positives;
    item *items = positives > 0 && negatives > 0 ? sorted(score, NULL, positive, n) : NULL;
    if (items == NULL) {
        return NAN;
    }
    const size_t wanted = (size_t)ceil(share * (double)positives - 1e-9);
    size_t hits = 0, at = n, above = 0;
    while (hits < wanted && at > 0) {
        at--;
        hits += items[at].flag;
    }
    const double threshold = at < n ? items[at].value : INFINITY;
    for (size_t i = 0; i < n; i++) {
        above += !items[i].flag && items[i].value >= threshold;
    }
    vip_free(items);
    return (double)above / (double)negatives;
}

/* --------------------------------------------------------------------------------------------------- risk and coverage */

double
vip_aurc(const double *uncertainty, const double *loss, size_t n, double *risk)
{
    item *items = n > 0 ? sorted(uncertainty, loss, NULL, n) : NULL;
    if (items == NULL) {
        return NAN;
    }
    double total = 0, area = 0;
    for (size_t from = 0, end; from < n; from = end) {
        double block = 0;
        for (end = from; end < n && items[end].value == items[from].value; end++) {
            block += items[end].other;
        }
        block /= (double)(end - from);
        for (size_t i = from; i < end; i++) {
            total += block;
            risk[i] = total / (double)(i + 1);
            area += risk[i];
        }
    }
    vip_free(items);
    return area / (double)n;
}
