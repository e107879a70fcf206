/* SPDX-License-Identifier: GPL-3.0-or-later */
/* machine.c -- see machine.h and pickle.h for the contracts: what a pickle's values are, and what its calls mean. */
#include "machine.h"

#include <inttypes.h>
#include <string.h>

#include <base/memory.h>
#include <base/status.h>

enum { FIRST_ROOM = 64 };

/* ----------------------------------------------------------------------------------------------------------- arrays */

vipann_status
vip_machine_append(vip_machine *m, vip_pickled_array *array, const void *items, size_t n, size_t size, size_t most,
                   const char *what)
{
    if (n > most - array->n) {
        return vip_machine_refuse(m, "more than %zu %s, which no checkpoint has", most, what);
    }
    if (array->n + n > array->room) {
        size_t room = array->room == 0 ? FIRST_ROOM : array->room;
        while (room < array->n + n) {
            room *= 2;
        }
        void *larger = vip_alloc(room, size);
        if (larger == NULL) {
            return vip_fail_memory(m->error, "reading a checkpoint");
        }
        if (array->n > 0) {
            memcpy(larger, array->all, array->n * size);
        }
        vip_free(array->all);
        array->all = larger;
        array->room = room;
    }
    if (n > 0) {
        memcpy((char *)array->all + array->n * size, items, n * size);
    }
    array->n += n;
    return VIPANN_OK;
}

void
vip_pickle_free(vip_pickle *pickle)
{
    vip_free(pickle->texts.all);
    vip_free(pickle->tuples.all);
    vip_free(pickle->entries.all);
    vip_free(pickle->storages.all);
    vip_free(pickle->tensors.all);
    *pickle = (vip_pickle){0};
}

const char *
vip_pickle_text(const vip_pickle *pickle, const vip_pickled *value)
{
    return value->kind == VIP_VALUE_STRING ? (const char *)pickle->texts.all + value->at : "";
}

const vip_pickled_storage *
vip_pickle_storage(const vip_pickle *pickle, size_t i)
{
    return (const vip_pickled_storage *)pickle->storages.all + i;
}

const vip_pickled_tensor *
vip_pickle_tensor(const vip_pickle *pickle, size_t i)
{
    return (const vip_pickled_tensor *)pickle->tensors.all + i;
}

const vip_pickled_entry *
vip_pickle_entry(const vip_pickle *pickle, size_t i)
{
    return (const vip_pickled_entry *)pickle->entries.all + i;
}

const vip_pickled *
vip_pickle_lookup(const vip_pickle *pickle, const vip_pickled *dict, const char *name)
{
    for (size_t i = dict->kind == VIP_VALUE_DICT ? pickle->entries.n : 0; i > 0; i--) {
        const vip_pickled_entry *entry = vip_pickle_entry(pickle, i - 1);
        if (entry->owner == dict->at && strcmp(vip_pickle_text(pickle, &entry->key), name) == 0) {
            return &entry->value;
        }
    }
    return NULL;
}

const vip_pickled *
vip_machine_tuple(const vip_machine *m, const vip_pickled *tuple)
{
    return tuple->n == 0 ? NULL : (const vip_pickled *)m->pickle->tuples.all + tuple->at;
}

/* ------------------------------------------------------------------------------------------------------------ names */

static const struct {
    const char *name;
    size_t bytes;
} ELEMENTS[VIP_N_ELEMENTS] = {
    [VIP_ELEMENT_FLOAT] = {"FloatStorage", 4}, [VIP_ELEMENT_DOUBLE] = {"DoubleStorage", 8},
    [VIP_ELEMENT_HALF] = {"HalfStorage", 2},   [VIP_ELEMENT_BFLOAT] = {"BFloat16Storage", 2},
    [VIP_ELEMENT_LONG] = {"LongStorage", 8},   [VIP_ELEMENT_INT] = {"IntStorage", 4},
    [VIP_ELEMENT_SHORT] = {"ShortStorage", 2}, [VIP_ELEMENT_CHAR] = {"CharStorage", 1},
    [VIP_ELEMENT_BYTE] = {"ByteStorage", 1},   [VIP_ELEMENT_BOOL] = {"BoolStorage", 1},
};

const char *
vip_element_name(vip_element element)
{
    return ELEMENTS[element].name;
}

size_t
vip_element_bytes(vip_element element)
{
    return ELEMENTS[element].bytes;
}

vipann_status
vip_machine_global(vip_machine *m, const char *module, const char *name, vip_pickled *value)
{
    static const struct {
        const char *module, *name;
        vip_global global;
    } globals[] = {
        {"collections", "OrderedDict", VIP_GLOBAL_ORDERED_DICT},
        {"torch._utils", "_rebuild_tensor_v2", VIP_GLOBAL_REBUILD_TENSOR},
        {"torch._utils", "_rebuild_parameter", VIP_GLOBAL_REBUILD_PARAMETER},
        /* the arrays of a sampler's state */
        {"numpy.core.multiarray", "_reconstruct", VIP_GLOBAL_OPAQUE},
        {"numpy", "ndarray", VIP_GLOBAL_OPAQUE},
        {"numpy", "dtype", VIP_GLOBAL_OPAQUE},
        {"_codecs", "encode", VIP_GLOBAL_OPAQUE},
    };
    *value = (vip_pickled){.kind = VIP_VALUE_GLOBAL};
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++) {
        if (strcmp(module, globals[i].module) == 0 && strcmp(name, globals[i].name) == 0) {
            value->at = globals[i].global;
            return VIPANN_OK;
        }
    }
    for (uint64_t i = 0; i < VIP_N_ELEMENTS; i++) {
        if (strcmp(module, "torch") == 0 && strcmp(name, ELEMENTS[i].name) == 0) {
            value->at = i;
            return VIPANN_OK;
        }
    }
    return vip_machine_refuse(
        m, "names %s.%s, which has no place in a checkpoint; nothing was run, do not trust the file", module, name);
}

/* --------------------------------------------------------------------------------------------------------- storages */

static bool
is_whole(const vip_pickled *value)
{
    return value->kind == VIP_VALUE_INT && value->whole >= 0;
}

/* ('storage', type, key, location, elements), in old files with None behind it: it is not part of another one. */
vipann_status
vip_machine_persistent(vip_machine *m, const vip_pickled *id, vip_pickled *value)
{
    const vip_pickle *pickle = m->pickle;
    const vip_pickled *part = id->kind == VIP_VALUE_TUPLE ? vip_machine_tuple(m, id) : NULL;
    const uint32_t n = part == NULL ? 0 : id->n;
    const bool good = (n == 5 || (n == 6 && part[5].kind == VIP_VALUE_NONE)) &&
                      strcmp(vip_pickle_text(pickle, &part[0]), "storage") == 0 && part[1].kind == VIP_VALUE_GLOBAL &&
                      part[1].at < VIP_N_ELEMENTS && part[2].kind == VIP_VALUE_STRING && is_whole(&part[4]);
    if (!good) {
        return vip_machine_refuse(m, "names something outside the pickle that is no storage of PyTorch's");
    }
    const vip_pickled_storage storage = {
        .key = part[2].at, .element = (vip_element)part[1].at, .n = (uint64_t)part[4].whole};
    *value = (vip_pickled){.kind = VIP_VALUE_STORAGE, .at = pickle->storages.n};
    return vip_machine_append(m, &m->pickle->storages, &storage, 1, sizeof storage, VIP_PICKLE_TENSORS, "storages");
}

/* ---------------------------------------------------------------------------------------------------------- tensors */

/* Copies a tuple of `rank` whole numbers from 0. */
static bool
read_tuple(const vip_machine *m, const vip_pickled *tuple, uint32_t rank, uint64_t *out)
{
    const vip_pickled *part = tuple->kind == VIP_VALUE_TUPLE ? vip_machine_tuple(m, tuple) : NULL;
    bool good = tuple->kind == VIP_VALUE_TUPLE && tuple->n == rank;
    for (uint32_t i = 0; i < rank && good; i++) {
        good = is_whole(&part[i]);
        out[i] = (uint64_t)part[i].whole;
    }
    return good;
}

/* Counts the elements; false: they are more than the storage can hold, or one of them lies beyond it. */
static bool
fits(vip_pickled_tensor *tensor, uint64_t storage)
{
    uint64_t last = tensor->offset;
    tensor->n = 1;
    for (uint32_t i = 0; i < tensor->rank; i++) {
        if (tensor->shape[i] == 0) {
            tensor->n = 0;
            return tensor->offset <= storage;
        }
    }
    for (uint32_t i = 0; i < tensor->rank; i++) {
        const uint64_t steps = tensor->shape[i] - 1, stride = tensor->stride[i];
        if (tensor->shape[i] > UINT64_MAX / tensor->n || (steps > 0 && stride > (UINT64_MAX - last) / steps)) {
            return false;
        }
        tensor->n *= tensor->shape[i];
        last += steps * stride;
    }
    return last < storage;
}

/* (storage, offset, shape, strides, requires_grad, hooks), in newer files with metadata behind it. */
static vipann_status
rebuild_tensor(vip_machine *m, const vip_pickled *arguments, vip_pickled *value)
{
    const vip_pickled *part = arguments->n >= 6 ? vip_machine_tuple(m, arguments) : NULL;
    if (part == NULL || arguments->n > 7 || part[0].kind != VIP_VALUE_STORAGE || part[2].kind != VIP_VALUE_TUPLE) {
        return vip_machine_refuse(m, "a tensor that is not described as PyTorch does");
    }
    vip_pickled_tensor tensor = {.storage = (uint32_t)part[0].at, .rank = part[2].n};
    if (tensor.rank > VIP_PICKLE_RANK) {
        return vip_machine_refuse(m, "a tensor of %u dimensions, expected at most %d", (unsigned)tensor.rank,
                                  VIP_PICKLE_RANK);
    }
    if (!is_whole(&part[1]) || !read_tuple(m, &part[2], tensor.rank, tensor.shape) ||
        !read_tuple(m, &part[3], tensor.rank, tensor.stride)) {
        return vip_machine_refuse(m, "a tensor whose offset, shape or strides are not whole numbers from 0");
    }
    tensor.offset = (uint64_t)part[1].whole;
    const uint64_t n = vip_pickle_storage(m->pickle, tensor.storage)->n;
    if (!fits(&tensor, n)) {
        return vip_machine_refuse(m, "a tensor reaches beyond its storage of %" PRIu64 " elements", n);
    }
    *value = (vip_pickled){.kind = VIP_VALUE_TENSOR, .at = m->pickle->tensors.n};
    return vip_machine_append(m, &m->pickle->tensors, &tensor, 1, sizeof tensor, VIP_PICKLE_TENSORS, "tensors");
}

vipann_status
vip_machine_reduce(vip_machine *m, const vip_pickled *function, const vip_pickled *arguments, vip_pickled *value)
{
    const uint64_t called = function->kind == VIP_VALUE_GLOBAL ? function->at : VIP_N_ELEMENTS - 1;
    if (arguments->kind != VIP_VALUE_TUPLE) {
        return vip_machine_refuse(m, "a call whose arguments are no tuple");
    }
    if (function->kind == VIP_VALUE_OPAQUE || called == VIP_GLOBAL_OPAQUE) {
        *value = (vip_pickled){.kind = VIP_VALUE_OPAQUE};
        return VIPANN_OK;
    }
    if (called == VIP_GLOBAL_ORDERED_DICT && arguments->n == 0) {
        *value = (vip_pickled){.kind = VIP_VALUE_DICT, .at = m->pickle->n_owners++};
        return VIPANN_OK;
    }
    if (called == VIP_GLOBAL_REBUILD_TENSOR) {
        return rebuild_tensor(m, arguments, value);
    }
    if (called == VIP_GLOBAL_REBUILD_PARAMETER && arguments->n > 0 &&
        vip_machine_tuple(m, arguments)->kind == VIP_VALUE_TENSOR) {
        *value = *vip_machine_tuple(m, arguments);
        return VIPANN_OK;
    }
    return vip_machine_refuse(m, "a call that has no place in a checkpoint; nothing was run");
}
