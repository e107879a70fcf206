/* SPDX-License-Identifier: GPL-3.0-or-later */
/* safetensors.h -- the container: 8 bytes with the header's length (little-endian), a JSON header, the tensors' bytes.
 *
 * Here nothing is known of networks. What is promised: every tensor has a type that can be read, a shape whose product
 * times the type's width is exactly the number of its bytes, and bytes of its own; together they cover the data. */
#ifndef VIP_MODEL_SAFETENSORS_H
#define VIP_MODEL_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vipann/vipann.h>

struct json_t; /* jansson's */

enum {
    VIP_LENGTH_BYTES = 8,
    VIP_MAX_HEADER = 16 << 20, /* bytes; the largest model needs 60 kB */
    VIP_MAX_RANK = 4,
    VIP_SHAPE_TEXT = 96 /* bytes that any shape fits in */
};

typedef enum { VIP_F32, VIP_F16, VIP_BF16, VIP_I64, VIP_N_DTYPES } vip_dtype;

typedef struct {
    const char *name; /* belongs to the container */
    vip_dtype dtype;
    uint8_t rank;
    uint64_t shape[VIP_MAX_RANK];
    uint64_t begin, end; /* bytes from the start of the data */
    bool claimed;        /* for whoever matches the tensors: somebody knows this one */
} vip_stored;

typedef struct {
    struct json_t *header;
    struct json_t *metadata; /* an object whose values are strings; NULL if there is none */
    vip_stored *tensors;     /* [n], by name */
    size_t n;
} vip_container;

/* "F32", "F16", "BF16", "I64". */
const char *vip_dtype_name(vip_dtype dtype);

/* The header's length from the first bytes of a file of file_bytes, which are at least these. `file` names it in messages, here and below.
 * Errors: E_FORMAT. */
vipann_status vip_container_length(const char *file, const unsigned char first[VIP_LENGTH_BYTES], uint64_t file_bytes,
                                   size_t *header_bytes, vipann_error *error);

/* Reads the header of a file with data_bytes behind it. The container is to be closed even on failure.
 * Errors: E_FORMAT, E_UNSUPPORTED (a type), E_MEMORY. */
vipann_status vip_container_open(vip_container *container, const char *file, const char *header, size_t header_bytes,
                                 uint64_t data_bytes, vipann_error *error);

void vip_container_close(vip_container *container);

/* NULL if there is none of that name. */
vip_stored *vip_container_find(const vip_container *container, const char *name);

/* "[16,1,3,3]"; returns out. */
const char *vip_shape_text(const uint64_t *shape, int rank, char out[VIP_SHAPE_TEXT]);

#endif /* VIP_MODEL_SAFETENSORS_H */
