/* SPDX-License-Identifier: GPL-3.0-or-later */
/* safetensors.c -- see safetensors.h for the contract. */
#include "safetensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <base/memory.h>
#include <base/status.h>

#include "json.h"

static const char METADATA[] = "__metadata__";

static const struct {
    const char *name;
    uint64_t width; /* bytes */
} dtypes[VIP_N_DTYPES] = {
    [VIP_F32] = {"F32", 4}, [VIP_F16] = {"F16", 2}, [VIP_BF16] = {"BF16", 2}, [VIP_I64] = {"I64", 8}};

const char *
vip_dtype_name(vip_dtype dtype)
{
    return dtypes[dtype].name;
}

const char *
vip_shape_text(const uint64_t *shape, int rank, char out[VIP_SHAPE_TEXT])
{
    size_t used = 0;
    out[used++] = '[';
    for (int i = 0; i < rank; i++) {
        used += (size_t)snprintf(out + used, VIP_SHAPE_TEXT - used, i == 0 ? "%" PRIu64 : ",%" PRIu64, shape[i]);
    }
    (void)snprintf(out + used, VIP_SHAPE_TEXT - used, "]");
    return out;
}

vipann_status
vip_container_length(const char *file, const unsigned char first[VIP_LENGTH_BYTES], uint64_t file_bytes,
                     size_t *header_bytes, vipann_error *error)
{
    uint64_t length = 0;
    for (int i = 0; i < VIP_LENGTH_BYTES; i++) {
        length |= (uint64_t)first[i] << (8 * i);
    }
    if (length > VIP_MAX_HEADER) {
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%s: header of %" PRIu64 " bytes, at most %d are allowed: this is not a model file", file,
                        length, VIP_MAX_HEADER);
    }
    if (length > file_bytes - VIP_LENGTH_BYTES) {
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%s: header of %" PRIu64 " bytes in a file of %" PRIu64 ": the file is cut off, copy it again",
                        file, length, file_bytes);
    }
    *header_bytes = (size_t)length;
    return VIPANN_OK;
}

/* ------------------------------------------------------------------------------------------------------- one tensor */

static vipann_status
read_dtype(const json_t *entry, const char *file, vip_stored *tensor, vipann_error *error)
{
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    if (dtype == NULL) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: tensor %.80s: dtype is %s, expected a string", file, tensor->name,
                        vip_json_kind(json_object_get(entry, "dtype")));
    }
    for (int i = 0; i < VIP_N_DTYPES; i++) {
        if (strcmp(dtype, dtypes[i].name) == 0) {
            tensor->dtype = (vip_dtype)i;
            return VIPANN_OK;
        }
    }
    return vip_fail(error, VIPANN_E_FORMAT,
                    "%s: tensor %.80s: type %.16s, expected F32, F16 or BF16; store it as one of them", file,
                    tensor->name, dtype);
}

/* An array of whole numbers from 0; at most `most` of them. */
static bool
read_numbers(const json_t *array, size_t most, uint64_t *out, size_t *n)
{
    *n = json_array_size(array);
    if (!json_is_array(array) || *n > most) {
        return false;
    }
    for (size_t i = 0; i < *n; i++) {
        const json_t *number = json_array_get(array, i);
        if (!json_is_integer(number) || json_integer_value(number) < 0) {
            return false;
        }
        out[i] = (uint64_t)json_integer_value(number);
    }
    return true;
}

/* False if the product wraps. An empty dimension makes an empty tensor, whatever the others are. */
static bool
count_bytes(const vip_stored *tensor, uint64_t *bytes)
{
    *bytes = dtypes[tensor->dtype].width;
    for (int i = 0; i < tensor->rank; i++) {
        if (tensor->shape[i] == 0) {
            *bytes = 0;
            return true;
        }
    }
    for (int i = 0; i < tensor->rank; i++) {
        if (*bytes > UINT64_MAX / tensor->shape[i]) {
            return false;
        }
        *bytes *= tensor->shape[i];
    }
    return true;
}

static vipann_status
read_tensor(const json_t *entry, const char *file, uint64_t data_bytes, vip_stored *tensor, vipann_error *error)
{
    if (!json_is_object(entry)) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: tensor %.80s: entry is %s, expected an object", file, tensor->name,
                        vip_json_kind(entry));
    }
    vipann_status status = read_dtype(entry, file, tensor, error);
    if (status != VIPANN_OK) {
        return status;
    }
    size_t rank, n_offsets;
    uint64_t offsets[2], bytes;
    if (!read_numbers(json_object_get(entry, "shape"), VIP_MAX_RANK, tensor->shape, &rank)) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: tensor %.80s: shape is not an array of 0 to %d whole numbers",
                        file, tensor->name, VIP_MAX_RANK);
    }
    if (!read_numbers(json_object_get(entry, "data_offsets"), 2, offsets, &n_offsets) || n_offsets != 2) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: tensor %.80s: data_offsets is not an array of two whole numbers",
                        file, tensor->name);
    }
    tensor->rank = (uint8_t)rank;
    tensor->begin = offsets[0];
    tensor->end = offsets[1];
    if (tensor->begin > tensor->end || tensor->end > data_bytes) {
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%s: tensor %.80s: bytes %" PRIu64 " to %" PRIu64 " do not lie in the data of %" PRIu64
                        "; if the file is cut off, copy it again",
                        file, tensor->name, tensor->begin, tensor->end, data_bytes);
    }
    char shape[VIP_SHAPE_TEXT];
    if (!count_bytes(tensor, &bytes)) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: tensor %.80s: shape %s is larger than any file", file,
                        tensor->name, vip_shape_text(tensor->shape, tensor->rank, shape));
    }
    if (bytes != tensor->end - tensor->begin) {
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%s: tensor %.80s: shape %s of %s needs %" PRIu64 " bytes, its data_offsets give it %" PRIu64,
                        file, tensor->name, vip_shape_text(tensor->shape, tensor->rank, shape),
                        dtypes[tensor->dtype].name, bytes, tensor->end - tensor->begin);
    }
    return VIPANN_OK;
}

/* ------------------------------------------------------------------------------------------------------- the header */

static int
by_place(const void *a, const void *b)
{
    const vip_stored *x = a, *y = b;
    if (x->begin != y->begin) {
        return x->begin < y->begin ? -1 : 1;
    }
    return (x->end > y->end) - (x->end < y->end);
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const vip_stored *)a)->name, ((const vip_stored *)b)->name);
}

/* The tensors, by place, follow each other without overlap or hole and end with the data. */
static vipann_status
check_tiling(const vip_container *container, const char *file, uint64_t data_bytes, vipann_error *error)
{
    uint64_t end = 0;
    for (size_t i = 0; i < container->n; i++) {
        const vip_stored *tensor = &container->tensors[i];
        if (tensor->begin != end) {
            return vip_fail(error, VIPANN_E_FORMAT,
                            "%s: tensor %.80s: its data begins at byte %" PRIu64 ", expected %" PRIu64
                            ", where the tensor before ends",
                            file, tensor->name, tensor->begin, end);
        }
        end = tensor->end;
    }
    if (end != data_bytes) {
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%s: the tensors end at byte %" PRIu64 " of the data, the file at %" PRIu64, file, end,
                        data_bytes);
    }
    return VIPANN_OK;
}

static vipann_status
read_metadata(vip_container *container, const char *file, vipann_error *error)
{
    const char *key;
    json_t *value;
    container->metadata = json_object_get(container->header, METADATA);
    if (container->metadata != NULL && !json_is_object(container->metadata)) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: %s is %s, expected an object", file, METADATA,
                        vip_json_kind(container->metadata));
    }
    json_object_foreach(container->metadata, key, value)
    {
        if (!json_is_string(value)) {
            return vip_fail(error, VIPANN_E_FORMAT, "%s: metadata key %.80s is %s, expected a string", file, key,
                            vip_json_kind(value));
        }
    }
    return VIPANN_OK;
}

vipann_status
vip_container_open(vip_container *container, const char *file, const char *header, size_t header_bytes,
                   uint64_t data_bytes, vipann_error *error)
{
    memset(container, 0, sizeof *container);
    vipann_status status = vip_json_parse(header, header_bytes, file, "header", &container->header, error);
    if (status != VIPANN_OK) {
        return status;
    }
    if (!json_is_object(container->header)) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: header is %s, expected an object", file,
                        vip_json_kind(container->header));
    }
    status = read_metadata(container, file, error);
    if (status != VIPANN_OK) {
        return status;
    }
    container->tensors = vip_alloc(json_object_size(container->header), sizeof *container->tensors);
    if (container->tensors == NULL) {
        return vip_fail_memory(error, "reading a model");
    }
    const char *name;
    json_t *entry;
    json_object_foreach(container->header, name, entry)
    {
        if (entry != container->metadata) {
            vip_stored *tensor = &container->tensors[container->n++];
            tensor->name = name;
            status = read_tensor(entry, file, data_bytes, tensor, error);
            if (status != VIPANN_OK) {
                return status;
            }
        }
    }
    qsort(container->tensors, container->n, sizeof *container->tensors, by_place);
    status = check_tiling(container, file, data_bytes, error);
    qsort(container->tensors, container->n, sizeof *container->tensors, by_name);
    return status;
}

void
vip_container_close(vip_container *container)
{
    json_decref(container->header);
    vip_free(container->tensors);
    memset(container, 0, sizeof *container);
}

vip_stored *
vip_container_find(const vip_container *container, const char *name)
{
    vip_stored key = {.name = name};
    return bsearch(&key, container->tensors, container->n, sizeof *container->tensors, by_name);
}
