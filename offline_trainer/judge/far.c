/* SPDX-License-Identifier: GPL-3.0-or-later */
/* far.c -- see far.h for the contract. */
#include "far.h"

#include <base/memory.h>
#include <offline_trainer/base/parallel.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct vip_far {
    size_t n, width;
    float *x;     /* [n][width], of length 1 or 0 */
    double *mean; /* [width] */
    double *root; /* [width][width]: L of C = L L', the lower triangle */
    double shrinkage;
    bool whole; /* C has an inverse */
};

static double
length_of(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    return sqrt(sum);
}

/* ----------------------------------------------------------------------------------------------------- the covariance */

typedef struct {
    vip_far *far;
    const double *less; /* [width][n], of the mean */
} covariance;

static void
find_row(void *context, size_t i)
{
    const covariance *c = context;
    const size_t n = c->far->n, width = c->far->width;
    for (size_t k = 0; k <= i; k++) {
        double sum = 0;
        for (size_t j = 0; j < n; j++) {
            sum += c->less[i * n + j] * c->less[k * n + j];
        }
        c->far->root[i * width + k] = sum / (double)n;
    }
}

/* Ledoit and Wolf 2004, Lemmas 3.2 to 3.4: how far the sample covariance S is from m I, and how much of that is chance. */
static double
shrinkage(const vip_far *far, const double *less, double m)
{
    const size_t n = far->n, width = far->width;
    double squares = 0, apart = 0, chance = 0;
    for (size_t i = 0; i < width; i++) {
        for (size_t k = 0; k <= i; k++) {
            const double s = far->root[i * width + k];
            squares += (k < i ? 2 : 1) * s * s;
            apart += (k < i ? 2 : 1) * (s - (k == i ? m : 0)) * (s - (k == i ? m : 0));
        }
    }
    for (size_t j = 0; j < n; j++) { /* |x x' - S|^2 = |x|^4 - 2 x' S x + |S|^2, and the mean of x' S x is |S|^2 */
        double length = 0;
        for (size_t i = 0; i < width; i++) {
            length += less[i * n + j] * less[i * n + j];
        }
        chance += length * length - squares;
    }
    chance /= (double)n * (double)n;
    return apart <= 0 || chance >= apart ? 1 : chance <= 0 ? 0 : chance / apart;
}

/* The lower triangle becomes its root; false: it has none. */
static bool
take_root(double *c, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        for (size_t k = 0; k <= i; k++) {
            double sum = c[i * width + k];
            for (size_t j = 0; j < k; j++) {
                sum -= c[i * width + j] * c[k * width + j];
            }
            if (k == i && !(sum > 0)) {
                return false;
            }
            c[i * width + k] = k == i ? sqrt(sum) : sum / c[k * width + k];
        }
    }
    return true;
}

static bool
find_covariance(vip_far *far, const float *features)
{
    const size_t n = far->n, width = far->width;
    double *less = vip_alloc(vip_product(n, width), sizeof *less), m = 0;
    for (size_t i = 0; i < width && less != NULL; i++) {
        for (size_t j = 0; j < n; j++) {
            far->mean[i] += (double)features[j * width + i] / (double)n;
        }
        for (size_t j = 0; j < n; j++) {
            less[i * n + j] = (double)features[j * width + i] - far->mean[i];
        }
    }
    if (less != NULL) {
        vip_parallel(width, find_row, &(covariance){far, less});
        for (size_t i = 0; i < width; i++) {
            m += far->root[i * width + i] / (double)width;
        }
        far->shrinkage = shrinkage(far, less, m);
        for (size_t i = 0; i < width; i++) {
            for (size_t k = 0; k <= i; k++) {
                far->root[i * width + k] *= 1 - far->shrinkage;
            }
            far->root[i * width + i] += far->shrinkage * m;
        }
        far->whole = take_root(far->root, width);
    }
    vip_free(less);
    return less != NULL;
}

/* -------------------------------------------------------------------------------------------------------------- front */

vip_far *
vip_far_new(const float *features, size_t n, size_t width)
{
    vip_far *far = vip_alloc(1, sizeof *far);
    if (far == NULL) {
        return NULL;
    }
    far->n = n;
    far->width = width;
    far->x = vip_alloc(vip_product(n, width), sizeof *far->x);
    far->mean = vip_alloc(width, sizeof *far->mean);
    far->root = vip_alloc(vip_product(width, width), sizeof *far->root);
    if (far->x == NULL || far->mean == NULL || far->root == NULL || !find_covariance(far, features)) {
        vip_far_free(far);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        const double length = length_of(features + i * width, width);
        for (size_t c = 0; c < width && length > 0; c++) {
            far->x[i * width + c] = (float)((double)features[i * width + c] / length);
        }
    }
    return far;
}

void
vip_far_free(vip_far *far)
{
    if (far != NULL) {
        vip_free(far->x);
        vip_free(far->mean);
        vip_free(far->root);
        vip_free(far);
    }
}

static int
falling(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

double
vip_far_nearest(const vip_far *far, const float *x, size_t k)
{
    const double length = length_of(x, far->width);
    double *cosines = vip_alloc(far->n, sizeof *cosines), result = NAN;
    for (size_t i = 0; i < far->n && cosines != NULL; i++) {
        double sum = 0;
        for (size_t c = 0; c < far->width; c++) {
            sum += (double)x[c] * (double)far->x[i * far->width + c];
        }
        cosines[i] = length > 0 ? sum / length : 0;
    }
    if (cosines != NULL) {
        qsort(cosines, far->n, sizeof *cosines, falling);
        result = 1 - cosines[k <= far->n ? k - 1 : far->n - 1];
    }
    vip_free(cosines);
    return result;
}

double
vip_far_mahalanobis(const vip_far *far, const float *x)
{
    const size_t width = far->width;
    double *y = far->whole ? vip_alloc(width, sizeof *y) : NULL, squares = 0;
    for (size_t i = 0; i < width && y != NULL; i++) { /* L y = x - mean */
        double sum = (double)x[i] - far->mean[i];
        for (size_t k = 0; k < i; k++) {
            sum -= far->root[i * width + k] * y[k];
        }
        y[i] = sum / far->root[i * width + i];
        squares += y[i] * y[i];
    }
    const double distance = y != NULL ? sqrt(squares) : NAN;
    vip_free(y);
    return distance;
}

double
vip_far_shrinkage(const vip_far *far)
{
    return far->shrinkage;
}
