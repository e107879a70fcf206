/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loader.h -- a model file between its header and its data: all that the header can betray is checked before any memory
 * for tensors is asked for, so a file costs no more memory than it has bytes. */
#ifndef VIP_MODEL_LOADER_H
#define VIP_MODEL_LOADER_H

#include "model.h"
#include "safetensors.h"

typedef struct {
    const char *file; /* borrowed; its name in messages */
    vip_container container;
    vip_model *model;
    uint32_t members;                             /* of an ensemble, else 1 */
    const vip_stored *(*values)[VIP_MAX_TENSORS]; /* [members]; each as in vip_model */
    const vip_stored *rho[VIP_MAX_TENSORS];
    const vip_stored *centre, *prototypes; /* of the sum's distance, NULL: it has none */
} vip_loader;

/* Everything but the tensors' numbers. The loader is to be ended even on failure.
 * Errors: E_FORMAT, E_UNSUPPORTED, E_MEMORY. */
vipann_status vip_loader_begin(vip_loader *loader, const char *file, const char *header, size_t header_bytes,
                               uint64_t data_bytes, vipann_error *error);

/* The numbers; data are the data_bytes behind the header, borrowed. Errors: E_FORMAT, E_MEMORY. */
vipann_status vip_loader_finish(vip_loader *loader, const unsigned char *data, vipann_error *error);

/* Frees what is left: the model too, unless the caller has taken it and put NULL in its place. */
void vip_loader_end(vip_loader *loader);

#endif /* VIP_MODEL_LOADER_H */
