/* SPDX-License-Identifier: GPL-3.0-or-later */
/* moped.c -- see moped.h for the contract. */
#include "moped.h"

#include <math.h>
#include <string.h>

static const double LEAST_SIGMA = 1e-3; /* of a prior: a tensor may be all zero */

double
vip_moped_rho(double sigma)
{
    return sigma < 1 ? log(expm1(sigma) + 1e-20) : sigma + log(-expm1(-sigma));
}

static double
root_mean_square(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    return sqrt(sum / (double)n);
}

void
vip_moped(vip_prior *prior, vip_parameters *parameters, double delta, vip_moped_scale scale)
{
    for (int i = 0; i < prior->n; i++) {
        vip_prior_tensor *tensor = &prior->tensors[i];
        const size_t n = parameters->segments[tensor->mu].count;
        const float *mu = parameters->values + parameters->segments[tensor->mu].offset;
        float *rho = parameters->values + parameters->segments[tensor->rho].offset;
        const float common = (float)vip_moped_rho(fmax(LEAST_SIGMA, delta * root_mean_square(mu, n)));
        tensor->sigma = vip_softplus((double)common); /* as rho, which is a float, has it: the divergence begins at 0 */
        memcpy(prior->centres + tensor->centre, mu, n * sizeof *mu);
        for (size_t e = 0; e < n; e++) {
            rho[e] = scale == VIP_MOPED_WEIGHT ? (float)vip_moped_rho(delta * fabs((double)mu[e])) : common;
        }
    }
}

/* --------------------------------------------------------------------------------------------------------- the median */

/* Quotients are counted in bins that are 1 % wide, from 2^-64 to 2^64. */
enum { OCTAVES = 64, PER_OCTAVE = 70, BINS = 2 * OCTAVES * PER_OCTAVE };

static size_t
bin_of(double sigma, double mu)
{
    const double octave = (log(sigma) - log(fabs(mu))) / log(2) + OCTAVES; /* mu = 0: infinite */
    return octave >= 2 * OCTAVES ? BINS - 1 : octave > 0 ? (size_t)(octave * PER_OCTAVE) : 0;
}

double
vip_relative_sigma(const vip_parameters *parameters)
{
    uint64_t counts[BINS] = {0}, n = 0, sum = 0;
    for (int i = 0; i + 1 < parameters->n_segments; i++) {
        const vip_segment *s = &parameters->segments[i];
        if (!s->stochastic || s->rho) {
            continue;
        }
        const float *mu = parameters->values + s->offset;
        const float *rho = parameters->values + parameters->segments[i + 1].offset;
        for (size_t e = 0; e < s->count; e++) {
            counts[bin_of(vip_softplus((double)rho[e]), (double)mu[e])]++;
        }
        n += s->count;
    }
    size_t bin = 0;
    for (; bin < BINS && 2 * (sum + counts[bin]) < n; bin++) {
        sum += counts[bin];
    }
    return n > 0 ? exp2(((double)bin + 0.5) / PER_OCTAVE - OCTAVES) : 0;
}
