/* SPDX-License-Identifier: GPL-3.0-or-later */
/* torch.c -- see torch.h for the contract; the containers are in containers.c. */
#include "torch.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <base/half.h>
#include <base/memory.h>
#include <base/status.h>

/* --------------------------------------------------------------------------------------------------- the state dict */

/* Of equal names the one that was set last comes first. */
static int
by_name(const void *a, const void *b)
{
    const vip_torch_entry *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->order < y->order) - (x->order > y->order);
}

static vipann_status
collect(vip_torch *torch, const vip_pickled *dict, vipann_error *error)
{
    const vip_pickle *pickle = &torch->pickle;
    size_t n = 0;
    for (size_t i = 0; i < pickle->entries.n; i++) {
        n += vip_pickle_entry(pickle, i)->owner == dict->at;
    }
    torch->entries = vip_alloc(n, sizeof *torch->entries);
    if (torch->entries == NULL) {
        return vip_fail_memory(error, "reading a checkpoint");
    }
    n = 0;
    for (size_t i = 0; i < pickle->entries.n; i++) {
        const vip_pickled_entry *entry = vip_pickle_entry(pickle, i);
        if (entry->owner == dict->at) {
            const bool is_tensor = entry->value.kind == VIP_VALUE_TENSOR;
            torch->entries[n] = (vip_torch_entry){.name = vip_pickle_text(pickle, &entry->key), .order = n};
            torch->entries[n++].tensor = is_tensor ? vip_pickle_tensor(pickle, entry->value.at) : NULL;
        }
    }
    qsort(torch->entries, n, sizeof *torch->entries, by_name);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(torch->entries[i].name, torch->entries[i - 1].name) != 0) {
            torch->entries[torch->n++] = torch->entries[i];
        }
    }
    return VIPANN_OK;
}

static vipann_status
read_source(vip_torch *torch, vipann_error *error)
{
    vip_pickled root = {.kind = VIP_VALUE_UNSET};
    vipann_status status;
    torch->legacy = vip_container_is_legacy(&torch->source);
    if (torch->legacy) {
        status = vip_container_legacy(torch, &root, error);
    } else if (vip_zip_begins(&torch->source)) {
        status = vip_container_zip(torch, &root, error);
    } else {
        status = vip_fail(error, VIPANN_E_FORMAT,
                          "%.80s: begins neither as a zip file nor as PyTorch before 1.6: this is not a checkpoint",
                          torch->source.name);
    }
    if (status != VIPANN_OK) {
        return status;
    }
    const vip_pickled *model = vip_pickle_lookup(&torch->pickle, &root, "model");
    torch->nested = model != NULL && model->kind == VIP_VALUE_DICT;
    if (root.kind != VIP_VALUE_DICT) {
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%.80s: holds no dict of tensors; save model.state_dict(), or a dict that has it as 'model'",
                        torch->source.name);
    }
    return collect(torch, torch->nested ? model : &root, error);
}

vipann_status
vip_torch_open(vip_torch *torch, const char *path, vipann_error *error)
{
    *torch = (vip_torch){0};
    vipann_status status = vip_source_open(&torch->source, path, error);
    return status == VIPANN_OK ? read_source(torch, error) : status;
}

vipann_status
vip_torch_parse(vip_torch *torch, const char *name, const unsigned char *bytes, size_t n, vipann_error *error)
{
    *torch = (vip_torch){.source = vip_source_of(name, bytes, n)};
    return read_source(torch, error);
}

void
vip_torch_close(vip_torch *torch)
{
    vip_source_close(&torch->source);
    vip_zip_close(&torch->zip);
    vip_pickle_free(&torch->pickle);
    vip_free(torch->places);
    vip_free(torch->entries);
    *torch = (vip_torch){.source = {.file = -1}};
}

static int
compare_name(const void *name, const void *entry)
{
    return strcmp(name, ((const vip_torch_entry *)entry)->name);
}

vip_torch_entry *
vip_torch_find(const vip_torch *torch, const char *name)
{
    return torch->n == 0 ? NULL : bsearch(name, torch->entries, torch->n, sizeof *torch->entries, compare_name);
}

vip_element
vip_torch_element(const vip_torch *torch, const vip_torch_entry *entry)
{
    return vip_pickle_storage(&torch->pickle, entry->tensor->storage)->element;
}

/* ---------------------------------------------------------------------------------------------------------- numbers */

static float
number(vip_element element, const unsigned char *bytes)
{
    if (element == VIP_ELEMENT_FLOAT) {
        return vip_float_of_bits(vip_little_32(bytes));
    }
    if (element == VIP_ELEMENT_HALF) {
        return vip_half_to_float((uint16_t)vip_little_16(bytes));
    }
    if (element == VIP_ELEMENT_BFLOAT) {
        return vip_bfloat_to_float((uint16_t)vip_little_16(bytes));
    }
    const uint64_t bits = vip_little_64(bytes);
    double x;
    memcpy(&x, &bits, sizeof x);
    return fabs(x) <= (double)FLT_MAX ? (float)x : NAN; /* what no float can hold is refused as what is not finite */
}

/* In C order whatever the strides are. storage: its first byte. */
static void
copy_tensor(const vip_pickled_tensor *tensor, vip_element element, const unsigned char *storage, float *out)
{
    const size_t width = vip_element_bytes(element);
    uint64_t index[VIP_PICKLE_RANK] = {0}, at = tensor->offset;
    for (uint64_t i = 0; i < tensor->n; i++) {
        out[i] = number(element, storage + at * width);
        for (uint32_t axis = tensor->rank; axis > 0; axis--) {
            const uint32_t k = axis - 1;
            at += tensor->stride[k];
            if (++index[k] < tensor->shape[k]) {
                break;
            }
            at -= index[k] * tensor->stride[k];
            index[k] = 0;
        }
    }
}

static vipann_status
fill(const vip_torch *torch, const vip_torch_want *want, const unsigned char *storage, vipann_error *error)
{
    copy_tensor(want->entry->tensor, vip_torch_element(torch, want->entry), storage, want->out);
    for (uint64_t i = 0; i < want->entry->tensor->n; i++) {
        if (!isfinite(want->out[i])) {
            return vip_fail(error, VIPANN_E_FORMAT,
                            "%.80s: tensor %.80s: number %" PRIu64 " is no finite float, expected finite numbers",
                            torch->source.name, want->entry->name, i);
        }
    }
    return VIPANN_OK;
}

/* The bytes of a storage, to be freed with vip_free. */
static vipann_status
read_storage(const vip_torch *torch, uint32_t storage, unsigned char **bytes, vipann_error *error)
{
    const vip_pickled_storage *about = vip_pickle_storage(&torch->pickle, storage);
    const vip_torch_place *place = &torch->places[storage];
    const uint64_t n = about->n * vip_element_bytes(about->element); /* so many are in the file */
    *bytes = n <= SIZE_MAX ? vip_alloc((size_t)n, 1) : NULL;
    if (*bytes == NULL) {
        return vip_fail_memory(error, "a tensor of the checkpoint");
    }
    return place->member != NULL ? vip_zip_check(&torch->source, place->member, *bytes, error)
                                 : vip_source_read(&torch->source, place->at, *bytes, (size_t)n, error);
}

static int
by_place(const void *a, const void *b)
{
    const uint64_t x = ((const vip_torch_want *)a)->at, y = ((const vip_torch_want *)b)->at;
    return (x > y) - (x < y);
}

/* No two storages have the same place: in front of each stands something of its own. */
vipann_status
vip_torch_load(const vip_torch *torch, vip_torch_want *wants, size_t n, vipann_error *error)
{
    for (size_t i = 0; i < n; i++) {
        wants[i].at = torch->places[wants[i].entry->tensor->storage].at;
    }
    qsort(wants, n, sizeof *wants, by_place);
    unsigned char *bytes = NULL;
    vipann_status status = VIPANN_OK;
    for (size_t i = 0; i < n && status == VIPANN_OK; i++) {
        if (i == 0 || wants[i].at != wants[i - 1].at) {
            vip_free(bytes);
            status = read_storage(torch, wants[i].entry->tensor->storage, &bytes, error);
        }
        if (status == VIPANN_OK) {
            status = fill(torch, &wants[i], bytes, error);
        }
    }
    vip_free(bytes);
    return status;
}
