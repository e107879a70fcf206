/* SPDX-License-Identifier: GPL-3.0-or-later */
/* moped.h -- a mean-field posterior and its prior from weights that have been learnt already (Krishnan et al. 2020, method
 * 3.3). */
#ifndef VIP_TRAINER_MOPED_H
#define VIP_TRAINER_MOPED_H

#include "kl.h"

typedef enum {
    VIP_MOPED_TENSOR, /* sigma is that of the prior: the divergence begins at 0 */
    VIP_MOPED_WEIGHT  /* sigma = delta |w|, as published */
} vip_moped_scale;

/* rho for which softplus(rho) = sigma >= 0: log(expm1(sigma) + 1e-20), written so that large ones do not overflow. */
double vip_moped_rho(double sigma);

/* Of the mu that parameters hold: the prior of each tensor becomes N(mu, s^2), s = max(1e-3, delta * root mean square of
 * mu), and rho is set as scale says. delta > 0. */
void vip_moped(vip_prior *prior, vip_parameters *parameters, double delta, vip_moped_scale scale);

/* The median of sigma / |mu| over all stochastic numbers, to within 1 %: says how far a posterior is from a point. 0 if
 * there are none. */
double vip_relative_sigma(const vip_parameters *parameters);

#endif /* VIP_TRAINER_MOPED_H */
