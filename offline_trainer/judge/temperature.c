/* SPDX-License-Identifier: GPL-3.0-or-later */
/* temperature.c -- see temperature.h for the contract. */
#include "temperature.h"

#include "golden.h"

#include <base/memory.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LEAST = 0.05, MOST = 20, SMALLEST = 1e-12;

/* Adds one member's probabilities. */
static void
add_softmax(const float *z, size_t classes, const float *temperature, const float *offset, double *p)
{
    double largest = -INFINITY, sum = 0;
    for (size_t c = 0; c < classes; c++) {
        const double v = ((double)z[c] - (offset != NULL ? (double)offset[c] : 0)) /
                         (temperature != NULL ? (double)temperature[c] : 1);
        largest = fmax(largest, v);
    }
    for (int pass = 0; pass < 2; pass++) {
        for (size_t c = 0; c < classes; c++) {
            const double v = ((double)z[c] - (offset != NULL ? (double)offset[c] : 0)) /
                             (temperature != NULL ? (double)temperature[c] : 1);
            if (pass == 0) {
                sum += exp(v - largest);
            } else {
                p[c] += exp(v - largest) / sum;
            }
        }
    }
}

static void
add_sigmoid(const float *z, size_t classes, const float *temperature, const float *offset, double *p)
{
    for (size_t c = 0; c < classes; c++) {
        const double v = ((double)z[c] - (offset != NULL ? (double)offset[c] : 0)) /
                         (temperature != NULL ? (double)temperature[c] : 1);
        p[c] += 1 / (1 + exp(-v));
    }
}

void
vip_mean_probabilities(vipann_task task, const float *logits, size_t n, size_t members, size_t classes,
                       const float *temperature, const float *offset, double *p)
{
    memset(p, 0, n * classes * sizeof *p);
    for (size_t i = 0; i < n; i++, p += classes) {
        for (size_t m = 0; m < members; m++, logits += classes) {
            if (task == VIPANN_MULTICLASS) {
                add_softmax(logits, classes, temperature, offset, p);
            } else {
                add_sigmoid(logits, classes, temperature, offset, p);
            }
        }
        for (size_t c = 0; c < classes; c++) {
            p[c] /= (double)members;
        }
    }
}

/* What the search asks again and again. */
typedef struct {
    vipann_task task;
    const float *logits, *y;
    size_t n, members, classes;
    float *temperature; /* [classes] */
    double *p;
} question;

/* By the logarithm, along which the search goes. */
static double
loss_at(void *context, double log_temperature)
{
    const question *q = context;
    const double temperature = exp(log_temperature);
    for (size_t c = 0; c < q->classes; c++) {
        q->temperature[c] = (float)temperature;
    }
    vip_mean_probabilities(q->task, q->logits, q->n, q->members, q->classes, q->temperature, NULL, q->p);
    double sum = 0;
    for (size_t i = 0; i < q->n * q->classes; i++) {
        const double y = (double)q->y[i];
        sum -= y > 0 ? y * log(fmax(q->p[i], SMALLEST)) : 0;
        sum -= q->task == VIPANN_MULTILABEL && y < 1 ? (1 - y) * log(fmax(1 - q->p[i], SMALLEST)) : 0;
    }
    return sum / (double)q->n;
}

double
vip_fit_temperature(vipann_task task, const float *logits, const float *y, size_t n, size_t members, size_t classes,
                    double *loss)
{
    question q = {task,
                  logits,
                  y,
                  n,
                  members,
                  classes,
                  vip_alloc(classes, sizeof(float)),
                  vip_alloc(n, vip_product(classes, sizeof(double)))};
    enum { TURNS = 60 };
    double best = NAN;
    *loss = NAN;
    if (q.temperature != NULL && q.p != NULL && n > 0) {
        const double at = vip_golden_section(loss_at, &q, log(LEAST), log(MOST), TURNS);
        best = exp(at);
        *loss = loss_at(&q, at);
    }
    vip_free(q.temperature);
    vip_free(q.p);
    return best;
}

/* ---------------------------------------------------------------------------------------------------- limits of scores */

typedef struct {
    double score;
    bool positive;
} scored;

static int
falling(const void *a, const void *b)
{
    const double x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return (x < y) - (x > y);
}

/* Wilson (1927). */
static double
lower_bound(size_t hits, size_t n)
{
    const double z = 1.959963984540054, count = (double)n, share = (double)hits / count;
    const double centre = share + z * z / (2 * count);
    const double spread = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count));
    return (centre - spread) / (1 + z * z / count);
}

double
vip_threshold_for(const double *score, const bool *positive, size_t n, double precision, size_t least, bool safe)
{
    scored *all = vip_alloc(n, sizeof *all);
    double found = NAN;
    for (size_t i = 0; all != NULL && i < n; i++) {
        all[i] = (scored){score[i], positive[i]};
    }
    if (all != NULL) {
        qsort(all, n, sizeof *all, falling);
    }
    size_t hits = 0;
    for (size_t i = 0; all != NULL && i < n; i++) {
        hits += all[i].positive;
        if (i + 1 < n && all[i + 1].score == all[i].score) {
            continue;
        }
        const double reached = safe ? lower_bound(hits, i + 1) : (double)hits / (double)(i + 1);
        if (hits >= least && reached >= precision) {
            found = all[i].score;
        }
    }
    vip_free(all);
    return found;
}

static int
rising(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double
vip_quantile(const double *values, size_t n, double share)
{
    double *sorted = n > 0 ? vip_alloc(n, sizeof *sorted) : NULL;
    if (sorted == NULL) {
        return NAN;
    }
    memcpy(sorted, values, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, rising);
    const double place = share * (double)(n - 1);
    const size_t below = (size_t)place, above = below + 1 < n ? below + 1 : below;
    const double value = sorted[below] + (place - (double)below) * (sorted[above] - sorted[below]);
    vip_free(sorted);
    return value;
}
