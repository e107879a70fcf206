/* SPDX-License-Identifier: GPL-3.0-or-later */
/* convert.h -- a state dict of PANNs or VI-PANN becomes a model.
 *
 * PANNs call a tensor NAME.weight or NAME.bias; in VI-PANN's Flipout layers it is NAME.mu_kernel and NAME.rho_kernel
 * (convolutions), NAME.mu_weight, NAME.rho_weight, NAME.mu_bias and NAME.rho_bias (linear layers). Network, width and
 * classes follow from names and shapes; padding and task are what the caller says, since nothing betrays them. */
#ifndef VIP_TRAINER_IMPORT_CONVERT_H
#define VIP_TRAINER_IMPORT_CONVERT_H

#include <model/model.h>

#include "torch.h"

enum { VIP_FRONTEND_OF_FILE = -1 };

typedef struct {
    int frontend;        /* index in VIP_FRONTEND_NAMES, or VIP_FRONTEND_OF_FILE: it is recognised by the mel matrix */
    vip_padding padding; /* with a trunk: the trunk's counts */
    vipann_task task;
    const vip_model *trunk; /* borrowed; what a file of fc1 and fc_audioset alone is the head of; NULL: there is none */
} vip_convert_options;

/* What was found, to be told. */
typedef struct {
    size_t bayesian_convs, bayesian_linears; /* tensors with mu and rho */
    size_t left_out;                         /* tensors that nobody needs: of the front-end, old noise and priors */
    bool recognised;                         /* the front-end, by its mel matrix */
    bool head_only;
} vip_converted;

/* Everything but the labels, which are NULL. Errors: E_ARG (no front-end is known, a trunk is missing or of no use),
 * E_FORMAT (a tensor is missing, foreign, of the wrong shape or type), E_IO, E_MEMORY. */
vip_model *vip_convert(vip_torch *torch, const vip_convert_options *options, vip_converted *converted,
                       vipann_error *error);

#endif /* VIP_TRAINER_IMPORT_CONVERT_H */
