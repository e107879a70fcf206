/* SPDX-License-Identifier: GPL-3.0-or-later */
/* torch.h -- a checkpoint of PyTorch: the tensors of a state dict by their names, out of either container.
 *
 * Nothing in the file is executed (pickle.h). Opening reads what the file says of its tensors and checks all of it
 * against the bytes that are there; numbers are read when they are asked for. */
#ifndef VIP_TRAINER_IMPORT_TORCH_H
#define VIP_TRAINER_IMPORT_TORCH_H

#include "pickle.h"
#include "zip.h"

typedef struct {
    const char *name;                 /* belongs to the checkpoint */
    const vip_pickled_tensor *tensor; /* NULL: it is no tensor */
    bool claimed;                     /* for whoever matches the tensors: somebody knows this one */
    size_t order;
} vip_torch_entry;

/* Where a storage's elements are. */
typedef struct {
    uint64_t at;
    const vip_zip_member *member; /* NULL in an old container, which has no checksums */
} vip_torch_place;

typedef struct {
    vip_source source;
    bool legacy; /* the container of PyTorch before 1.6 */
    vip_zip zip;
    vip_pickle pickle;
    vip_torch_place *places;  /* of pickle.storages */
    vip_torch_entry *entries; /* [n]: of the state dict, by name */
    size_t n;
    bool nested; /* the state dict was under the key "model" */
} vip_torch;

/* The state dict is what the key "model" has, else the outermost dict. The checkpoint is to be closed even on failure.
 * Errors: E_FORMAT, E_UNSUPPORTED, E_IO, E_MEMORY. */
vipann_status vip_torch_open(vip_torch *torch, const char *path, vipann_error *error);

/* The same from memory, borrowed for the checkpoint's life. */
vipann_status vip_torch_parse(vip_torch *torch, const char *name, const unsigned char *bytes, size_t n,
                              vipann_error *error);

void vip_torch_close(vip_torch *torch);

/* NULL if there is none of that name. */
vip_torch_entry *vip_torch_find(const vip_torch *torch, const char *name);

/* Element type of an entry's tensor. */
vip_element vip_torch_element(const vip_torch *torch, const vip_torch_entry *entry);

typedef struct {
    const vip_torch_entry *entry; /* of a tensor of float, double, half or bfloat16 */
    float *out;                   /* [tensor->n], in C order */
    uint64_t at;                  /* of the storage: filled in by vip_torch_load */
} vip_torch_want;

/* Reads them all, each storage once; sorts wants. Errors: E_FORMAT (a checksum, a number that is not finite), E_IO,
 * E_MEMORY. */
vipann_status vip_torch_load(const vip_torch *torch, vip_torch_want *wants, size_t n, vipann_error *error);

/* For torch.c: reads the pickles and finds every storage's place; root is the outermost object.
 * Errors: E_FORMAT, E_UNSUPPORTED, E_IO, E_MEMORY. */
vipann_status vip_container_zip(vip_torch *torch, vip_pickled *root, vipann_error *error);
vipann_status vip_container_legacy(vip_torch *torch, vip_pickled *root, vipann_error *error);

/* Whether the source begins as an old container does. */
bool vip_container_is_legacy(const vip_source *source);

#endif /* VIP_TRAINER_IMPORT_TORCH_H */
