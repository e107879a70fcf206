/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kl.c -- see kl.h for the contract. */
#include "kl.h"

#include <base/memory.h>
#include <offline_trainer/base/parallel.h>

#include <math.h>

enum { PIECE = 1 << 14 /* numbers in one turn */ };

/* Below this, exp(rho) is so small that short series give softplus and its logarithm to double precision. */
static const double SMALL_RHO = -5, TINY_RHO = -40;

/* ------------------------------------------------------------------------------------------------- sigma and its kin */

typedef struct {
    double sigma, log_sigma, sigmoid;
} of_rho;

/* softplus(rho) / e = log1p(e) / e for e = exp(rho) < 0.007. */
static inline double
log1p_ratio(double e)
{
    return 1 + e * (-1.0 / 2 + e * (1.0 / 3 + e * (-1.0 / 4 + e * (1.0 / 5 + e * (-1.0 / 6 + e * (1.0 / 7))))));
}

/* log(1 + x), |x| < 0.004. */
static inline double
log1p_small(double x)
{
    return x * (1 + x * (-1.0 / 2 + x * (1.0 / 3 + x * (-1.0 / 4 + x * (1.0 / 5 + x * (-1.0 / 6))))));
}

static inline of_rho
describe(double rho)
{
    if (rho < SMALL_RHO) { /* nearly all; NaN goes the other way and stays */
        const double e = exp(rho), ratio = log1p_ratio(e);
        return (of_rho){e * ratio, rho + log1p_small(ratio - 1), e / (1 + e)};
    }
    const double e = exp(-fabs(rho)), sigma = fmax(rho, 0) + log1p(e);
    return (of_rho){isnan(rho) ? rho : sigma, log(isnan(rho) ? rho : sigma), rho >= 0 ? 1 / (1 + e) : e / (1 + e)};
}

double
vip_log_softplus(double rho)
{
    return describe(rho).log_sigma;
}

/* --------------------------------------------------------------------------------------------------------- the prior */

static size_t
pieces(size_t count)
{
    return (count + PIECE - 1) / PIECE;
}

/* Stochastic tensors are a segment of mu with its rho behind it. */
static void
find_tensors(vip_prior *prior, const vip_parameters *p)
{
    double fan_in = 1;
    for (int i = 0; i < p->n_segments; i++) {
        const vip_segment *s = &p->segments[i];
        if (!s->stochastic || s->rho) {
            continue;
        }
        if (s->rank > 1) {
            fan_in = (double)s->count / (double)s->shape[0];
        }
        prior->tensors[prior->n++] = (vip_prior_tensor){
            .mu = i, .rho = i + 1, .sigma = sqrt(2 / fan_in), .centre = prior->n_centres, .partial = prior->n_partial};
        prior->n_centres += s->count;
        prior->n_partial += pieces(s->count);
    }
}

vip_prior *
vip_prior_new(const vip_parameters *parameters)
{
    vip_prior *prior = vip_alloc(1, sizeof *prior);
    if (prior == NULL) {
        return NULL;
    }
    find_tensors(prior, parameters);
    prior->centres = vip_alloc(prior->n_centres, sizeof *prior->centres);
    prior->partial = vip_alloc(prior->n_partial, sizeof *prior->partial);
    if (prior->centres == NULL || prior->partial == NULL) {
        vip_prior_free(prior);
        return NULL;
    }
    return prior;
}

void
vip_prior_free(vip_prior *prior)
{
    if (prior != NULL) {
        vip_free(prior->centres);
        vip_free(prior->partial);
        vip_free(prior);
    }
}

void
vip_prior_set(vip_prior *prior, double sigma)
{
    for (int i = 0; i < prior->n; i++) {
        prior->tensors[i].sigma = sigma;
    }
    for (size_t i = 0; i < prior->n_centres; i++) {
        prior->centres[i] = 0;
    }
}

double
vip_prior_sigma(const vip_prior *prior, const vip_parameters *parameters)
{
    double sum = 0;
    for (int i = 0; i < prior->n; i++) {
        const vip_prior_tensor *t = &prior->tensors[i];
        sum += t->sigma * t->sigma * (double)parameters->segments[t->mu].count;
    }
    return prior->n_centres > 0 ? sqrt(sum / (double)prior->n_centres) : 1;
}

/* ---------------------------------------------------------------------------------------------------- the divergence */

typedef struct {
    const vip_prior *prior;
    const vip_prior_tensor *tensor;
    vip_parameters *parameters;
    double weight; /* of this tensor's gradients */
} divergence;

/* d/dmu = (mu - m) / s^2, d/drho = (sigma / s^2 - 1 / sigma) sigmoid(rho). */
static void
piece_of_tensor(void *context, size_t turn)
{
    const divergence *d = context;
    const vip_segment *mu_segment = &d->parameters->segments[d->tensor->mu];
    const vip_segment *rho_segment = &d->parameters->segments[d->tensor->rho];
    const float *mu = d->parameters->values + mu_segment->offset, *rho = d->parameters->values + rho_segment->offset;
    const float *centre = d->prior->centres + d->tensor->centre;
    float *d_mu = d->parameters->gradients + mu_segment->offset,
          *d_rho = d->parameters->gradients + rho_segment->offset;
    const double s = d->tensor->sigma, precision = 1 / (s * s), log_s = log(s), weight = d->weight;
    const size_t end = (turn + 1) * PIECE < mu_segment->count ? (turn + 1) * PIECE : mu_segment->count;
    double sum = 0;
    for (size_t i = turn * PIECE; i < end; i++) {
        const of_rho q = describe((double)rho[i]);
        const double away = (double)mu[i] - (double)centre[i];
        sum += log_s - q.log_sigma + ((q.sigma * q.sigma + away * away) * precision - 1) / 2;
        if (weight != 0) {
            const double pull = rho[i] < TINY_RHO ? 1 : q.sigmoid / q.sigma;
            d_mu[i] += (float)(weight * away * precision);
            d_rho[i] += (float)(weight * (q.sigma * precision * q.sigmoid - pull));
        }
    }
    d->prior->partial[d->tensor->partial + turn] = sum;
}

double
vip_kl(const vip_prior *prior, vip_parameters *parameters, vip_kl_reduction reduction, double weight)
{
    double total = 0;
    for (int i = 0; i < prior->n; i++) {
        const vip_prior_tensor *tensor = &prior->tensors[i];
        const size_t count = parameters->segments[tensor->mu].count;
        const double share = reduction == VIP_KL_MEAN ? 1 / (double)count : 1;
        divergence d = {prior, tensor, parameters, weight * share};
        vip_parallel(pieces(count), piece_of_tensor, &d);
        double sum = 0;
        for (size_t k = 0; k < pieces(count); k++) {
            sum += prior->partial[tensor->partial + k];
        }
        total += sum * share;
    }
    return total;
}

double
vip_kl_weight(double beta, size_t n, vip_kl_reduction reduction, size_t loss_classes)
{
    const double scale = reduction == VIP_KL_SUM && loss_classes > 0 ? (double)loss_classes : 1;
    return n > 0 ? beta / ((double)n * scale) : 0;
}
