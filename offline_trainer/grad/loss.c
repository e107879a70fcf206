/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loss.c -- see loss.h for the contract. */
#include "loss.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static bool
counts(const float *mask, size_t row)
{
    return mask == NULL || mask[row] != 0;
}

/* Rows that count; gradients of the others are 0. */
static size_t
count_rows(const float *mask, size_t rows, size_t size, float *gradient)
{
    size_t n = 0;
    for (size_t i = 0; i < rows; i++) {
        if (counts(mask, i)) {
            n++;
        } else {
            memset(gradient + i * size, 0, size * sizeof *gradient);
        }
    }
    return n;
}

double
vip_loss_binary(const float *z, const float *y, const float *mask, size_t rows, size_t classes, double weight,
                float *gradient)
{
    const size_t n = count_rows(mask, rows, classes, gradient);
    double sum = 0;
    for (size_t i = 0; i < rows; i++) {
        if (!counts(mask, i)) {
            continue;
        }
        for (size_t e = i * classes; e < (i + 1) * classes; e++) {
            const double logit = (double)z[e], target = (double)y[e], small = exp(-fabs(logit));
            sum += (logit > 0 ? logit : 0) - logit * target + log1p(small);
            const double sigmoid = logit >= 0 ? 1 / (1 + small) : small / (1 + small);
            gradient[e] = (float)((sigmoid - target) * weight / ((double)n * (double)classes));
        }
    }
    return n == 0 ? 0 : sum * weight / ((double)n * (double)classes);
}

/* One row; returns its cross-entropy. */
static double
softmax_row(const float *z, const float *y, size_t classes, double weight, float *gradient)
{
    double largest = -INFINITY, sum = 0, loss = 0, mass = 0;
    for (size_t c = 0; c < classes; c++) {
        largest = fmax(largest, (double)z[c]);
        largest = isnan((double)z[c]) ? NAN : largest;
    }
    for (size_t c = 0; c < classes; c++) {
        sum += exp((double)z[c] - largest);
        mass += (double)y[c];
    }
    for (size_t c = 0; c < classes; c++) {
        const double centred = (double)z[c] - largest;
        loss += (double)y[c] * (log(sum) - centred);
        gradient[c] = (float)((mass * exp(centred) / sum - (double)y[c]) * weight);
    }
    return loss;
}

double
vip_loss_softmax(const float *z, const float *y, const float *mask, size_t rows, size_t classes, double weight,
                 float *gradient)
{
    const size_t n = count_rows(mask, rows, classes, gradient);
    double sum = 0;
    for (size_t i = 0; i < rows; i++) {
        if (counts(mask, i)) {
            const size_t at = i * classes;
            sum += softmax_row(z + at, y + at, classes, weight / (double)n, gradient + at);
        }
    }
    return n == 0 ? 0 : sum * weight / (double)n;
}

double
vip_loss_square(const float *z, const float *y, const float *mask, size_t rows, size_t size, double weight,
                float *gradient)
{
    const size_t n = count_rows(mask, rows, size, gradient);
    double sum = 0;
    for (size_t i = 0; i < rows; i++) {
        if (!counts(mask, i)) {
            continue;
        }
        for (size_t e = i * size; e < (i + 1) * size; e++) {
            const double difference = (double)z[e] - (double)y[e];
            sum += difference * difference;
            gradient[e] = (float)(2 * difference * weight / ((double)n * (double)size));
        }
    }
    return n == 0 ? 0 : sum * weight / ((double)n * (double)size);
}
