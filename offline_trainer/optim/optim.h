/* SPDX-License-Identifier: GPL-3.0-or-later */
/* optim.h -- what makes a step of a gradient: SGD, Adam, AdamW, on flat arrays; the norm by which gradients are clipped,
 * and the average of the weights.
 *
 * Arrays are worked on in pieces of a fixed size, so that any number of threads gives the same bits. Nothing is
 * allocated after vip_optimiser_new. Formulas and their order are PyTorch's. */
#ifndef VIP_TRAINER_OPTIM_H
#define VIP_TRAINER_OPTIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <offline_trainer/grad/parameters.h>

typedef enum { VIP_SGD, VIP_ADAM, VIP_AMSGRAD, VIP_ADAMW, VIP_N_OPTIMISERS } vip_optimiser_kind;

/* "sgd", "adam", "amsgrad", "adamw"; ends with NULL. */
extern const char *const VIP_OPTIMISER_NAMES[VIP_N_OPTIMISERS + 1];

/* SGD: Nesterov momentum, v = momentum v + g, w -= rate (g + momentum v); decay is added to the gradient.
 * Adam (Kingma and Ba 2015): both moments with correction of their start; decay is added to the gradient. AMSGrad (Reddi
 * et al. 2018) divides by the largest second moment so far. AdamW (Loshchilov and Hutter 2019): the weights shrink by
 * rate times decay instead. */
typedef struct {
    vip_optimiser_kind kind;
    double momentum;     /* SGD */
    double beta1, beta2; /* the others */
    double epsilon;
    double decay;
} vip_optimiser_options;

/* Momentum 0.9, betas 0.9 and 0.999, epsilon 1e-8, no decay. */
vip_optimiser_options vip_optimiser_defaults(vip_optimiser_kind kind);

/* A stretch of the arrays that is treated alike. Stretches do not overlap. */
typedef struct {
    size_t offset, count;
    float rate;  /* factor of the rate; 0: left alone, and not part of the norm */
    float decay; /* factor of the decay */
} vip_stretch;

/* The stretches of parameters, one for each trainable segment, into stretches[VIP_MAX_SEGMENTS]; returns how many. Decay is
 * for weights alone: never for batch norm, biases and rho (method 4.2). frozen_trunk: only what stands behind the
 * pooled vector is trained. */
size_t vip_stretches(const vip_parameters *parameters, bool frozen_trunk, vip_stretch *stretches);

typedef struct vip_optimiser vip_optimiser;

/* For arrays of n numbers. stretches are copied. NULL: memory is short. */
vip_optimiser *vip_optimiser_new(const vip_optimiser_options *options, const vip_stretch *stretches, size_t n_stretches,
                                 size_t n);
void vip_optimiser_free(vip_optimiser *optimiser);

/* The Euclidean norm of the gradients of all stretches that are trained, in double; not finite if one of them is not. */
double vip_optimiser_norm(vip_optimiser *optimiser, const float *gradients);

/* One step at this rate, with all gradients times scale. */
void vip_optimiser_step(vip_optimiser *optimiser, double rate, double scale, const float *gradients, float *values);

/* What it remembers, for a checkpoint: count numbers, to be written and read as they are, and the steps it has made. */
float *vip_optimiser_memory(vip_optimiser *optimiser, size_t *count);
uint64_t vip_optimiser_steps(const vip_optimiser *optimiser);
void vip_optimiser_set_steps(vip_optimiser *optimiser, uint64_t steps);

/* average += (1 - decay) (values - average), n numbers. */
void vip_average(float *average, const float *values, size_t n, double decay);

/* The decay after `steps` steps, the first one being 0: at most `most`, but (1 + steps) / (10 + steps) at the start, so that
 * the random start is soon forgotten. */
double vip_average_decay(double most, uint64_t steps);

#endif /* VIP_TRAINER_OPTIM_H */
