/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kl.h -- how far a mean-field posterior is from its prior, and what that adds to the gradients (method 3.5).
 *
 * The posterior of a number is N(mu, sigma^2), sigma = softplus(rho); its prior N(m, s^2) has one s per tensor and either
 * m = 0 or an m of its own. */
#ifndef VIP_TRAINER_KL_H
#define VIP_TRAINER_KL_H

#include <bayes/members.h> /* vip_softplus */
#include <offline_trainer/grad/parameters.h>

typedef struct {
    int mu, rho;    /* segments */
    double sigma;   /* s */
    size_t centre;  /* where its m begin in centres */
    size_t partial; /* and its pieces in partial */
} vip_prior_tensor;

typedef struct {
    int n; /* stochastic tensors */
    vip_prior_tensor tensors[VIP_MAX_TENSORS];
    float *centres; /* m of every stochastic number, tensor after tensor */
    double *partial;
    size_t n_centres, n_partial;
} vip_prior;

typedef enum {
    VIP_KL_SUM, /* the divergence */
    VIP_KL_MEAN /* of each tensor the mean over its numbers, added up: what the public code calls KL */
} vip_kl_reduction;

/* The prior of a random start: m = 0, s^2 = 2 / fan_in; a bias has the fan_in of its layer. NULL: memory is short. */
vip_prior *vip_prior_new(const vip_parameters *parameters);
void vip_prior_free(vip_prior *prior);

/* The same N(0, s^2) for all numbers. */
void vip_prior_set(vip_prior *prior, double sigma);

/* The root of the mean of s^2 over all numbers: what one number can say of a prior; 1 if there are no stochastic ones. */
double vip_prior_sigma(const vip_prior *prior, const vip_parameters *parameters);

/* The divergence of the posterior from the prior, in nats (sum), of parameters that are mean field. weight times its
 * gradient is added to parameters->gradients; 0: they are left alone. The same bits with any number of threads. */
double vip_kl(const vip_prior *prior, vip_parameters *parameters, vip_kl_reduction reduction, double weight);

/* By what the divergence is multiplied in a loss that is a mean over clips: beta / n, n the clips that are learnt from;
 * for the sum where the loss is a mean over so many classes as well (multi-label), also divided by them (method 3.5). */
double vip_kl_weight(double beta, size_t n, vip_kl_reduction reduction, size_t loss_classes);

/* The logarithm of softplus(rho), accurate for all rho: rho itself where sigma would vanish. */
double vip_log_softplus(double rho);

#endif /* VIP_TRAINER_KL_H */
