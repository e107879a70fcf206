/* SPDX-License-Identifier: GPL-3.0-or-later */
/* torch_file.h -- checkpoints as torch.save writes them, made without PyTorch, good ones and whatever a test wants. */
#ifndef TESTS_TRAINER_TORCH_FILE_H
#define TESTS_TRAINER_TORCH_FILE_H

#include <offline_trainer/import/pickle.h>

#include <model/model.h>

/* Bytes that grow; begin with {0}, to be freed with torch_bytes_free. */
typedef struct {
    unsigned char *all;
    size_t n, room;
} torch_bytes;

void torch_put(torch_bytes *to, const void *bytes, size_t n);
void torch_put_byte(torch_bytes *to, unsigned char byte);
void torch_put_little(torch_bytes *to, uint64_t number, size_t bytes);
void torch_put_text(torch_bytes *to, const char *text); /* without its zero */
void torch_bytes_free(torch_bytes *bytes);

/* Instructions of a pickle: a string, a whole number, and a tuple of whole numbers. */
void torch_string(torch_bytes *pickle, const char *text);
void torch_whole(torch_bytes *pickle, int64_t number);
void torch_tuple(torch_bytes *pickle, const int64_t *numbers, size_t n);

/* What a tensor is said to be. */
typedef struct {
    const char *storage, *key; /* "FloatStorage", "0" */
    int64_t elements, offset;
    size_t rank;
    int64_t shape[VIP_PICKLE_RANK + 1], stride[VIP_PICKLE_RANK + 1]; /* one more than is taken */
} torch_tensor;

/* The call that makes it; legacy: with the None that old containers have in the storage's name. */
void torch_rebuild(torch_bytes *pickle, const torch_tensor *tensor, bool legacy);

enum { TORCH_STORAGES = 512 };

/* A checkpoint in the making; begin with torch_begin. */
typedef struct {
    bool legacy;
    torch_bytes pickle; /* of the object, up to the state dict's newest entry */
    torch_bytes storages[TORCH_STORAGES];
    int64_t elements[TORCH_STORAGES];
    size_t n;
} torch_file;

void torch_begin(torch_file *file, bool legacy);

/* An entry of the state dict with a storage of its own: numbers become elements of that type. */
void torch_add(torch_file *file, const char *name, vip_element element, const float *numbers, size_t rank,
               const int64_t *shape);

/* All tensors of the model, called as PANNs do, or where there is a rho as VI-PANN does. */
void torch_add_model(torch_file *file, const vip_model *model, vip_element element);

/* The mel matrix of a published front-end, with `wrong` added to one of its numbers. */
void torch_add_mel(torch_file *file, int frontend, float wrong);

/* Ends the file and frees what it was made of; the bytes are the caller's. */
torch_bytes torch_end(torch_file *file);

/* A zip file of members that are stored as they are. */
typedef struct {
    const char *name;
    const unsigned char *bytes;
    size_t n;
} torch_member;

torch_bytes torch_zip(const torch_member *members, size_t n);

#endif /* TESTS_TRAINER_TORCH_FILE_H */
