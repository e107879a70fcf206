/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fuzz_model.c -- any bytes as a model file: refused with one line, or a model that survives writing and reading.
 *
 * Bytes changed at random rarely leave a header that is JSON of the length stated. So most changes are made to the
 * header as JSON, or to the data, and the length is set right. */
#include "fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <model/metadata.h>
#include <model/model.h>
#include <model/safetensors.h>

/* ------------------------------------------------------------------------------------------------------ the mutator */

/* Puts length, header and data together if they fit; returns the size of the whole, or 0. header and data may lie in
 * the file that is written. */
static size_t
join(uint8_t *file, size_t max_size, const char *header, size_t n_header, const uint8_t *data, size_t n_data)
{
    if (max_size < VIP_LENGTH_BYTES || n_header > max_size - VIP_LENGTH_BYTES ||
        n_data > max_size - VIP_LENGTH_BYTES - n_header) {
        return 0;
    }
    memmove(file + VIP_LENGTH_BYTES + n_header, data, n_data);
    memmove(file + VIP_LENGTH_BYTES, header, n_header);
    for (size_t i = 0; i < VIP_LENGTH_BYTES; i++) {
        file[i] = (uint8_t)((uint64_t)n_header >> (8 * i));
    }
    return VIP_LENGTH_BYTES + n_header + n_data;
}

static size_t
header_length(const uint8_t *data, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < 3 && size >= VIP_LENGTH_BYTES; i++) {
        n |= (size_t)data[i] << (8 * i);
    }
    return size >= VIP_LENGTH_BYTES && n <= size - VIP_LENGTH_BYTES ? n : 0;
}

/* The header changed as JSON; 0: it is none. */
static size_t
change_header(uint8_t *file, size_t size, size_t n, size_t max_size, uint32_t *random)
{
    json_t *header = json_loadb((const char *)file + VIP_LENGTH_BYTES, n, JSON_REJECT_DUPLICATES, NULL);
    if (header == NULL) {
        return 0;
    }
    json_t *metadata = json_object_get(header, "__metadata__");
    fuzz_mutate_json(json_is_object(metadata) && fuzz_random(random) % 2 == 0 ? metadata : header, random);
    char *text = json_dumps(header, JSON_COMPACT);
    json_decref(header);
    if (text == NULL) {
        return 0;
    }
    const uint8_t *data = file + VIP_LENGTH_BYTES + n;
    size_t joined = join(file, max_size, text, strlen(text), data, size - VIP_LENGTH_BYTES - n);
    free(text);
    return joined;
}

/* A number of the data becomes an odd one, or the data become shorter or longer. */
static size_t
change_data(uint8_t *file, size_t size, size_t n, size_t max_size, uint32_t *random)
{
    static const uint8_t odd[][4] = {
        {0, 0, 0xc0, 0x7f}, {0, 0, 0x80, 0x7f}, {0, 0, 0x80, 0xff},       {0, 0, 0, 0},
        {0, 0, 0, 0x80},    {1, 0, 0, 0},       {0xff, 0xff, 0x7f, 0x7f}, {0, 0, 0x80, 0xbf}};
    size_t begin = VIP_LENGTH_BYTES + n, n_data = size - begin;
    if (n_data >= 4 && fuzz_random(random) % 4 != 0) {
        size_t at = begin + fuzz_random(random) % (n_data / 4) * 4;
        memcpy(file + at, odd[fuzz_random(random) % (sizeof odd / sizeof *odd)], 4);
        return size;
    }
    if (n_data > 0 && fuzz_random(random) % 2 == 0) {
        return size - 1 - fuzz_random(random) % n_data;
    }
    size_t more = 1 + fuzz_random(random) % 64;
    if (more > max_size - size) {
        return 0;
    }
    memset(file + size, 0, more);
    return size + more;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint32_t random = seed;
    size_t n = header_length(data, size), changed = 0;
    uint32_t kind = fuzz_random(&random) % 16;
    if (n > 0 && kind < 11) {
        changed = change_header(data, size, n, max_size, &random);
    } else if (n > 0 && kind < 13) {
        changed = change_data(data, size, n, max_size, &random);
    } else if (n > 0 && kind < 14) { /* the header as bytes, its length right */
        uint8_t *header = malloc(max_size);
        if (header != NULL && max_size > size) {
            memcpy(header, data + VIP_LENGTH_BYTES, n);
            size_t m = LLVMFuzzerMutate(header, n, n + (max_size - size));
            changed =
                join(data, max_size, (const char *)header, m, data + VIP_LENGTH_BYTES + n, size - VIP_LENGTH_BYTES - n);
        }
        free(header);
    }
    return changed > 0 ? changed : LLVMFuzzerMutate(data, size, max_size);
}

/* ----------------------------------------------------------------------------------------------------- what holds */

/* The tensors of one member. */
static void
check_tensors(const vip_model *model, float *const *values)
{
    for (int i = 0; i < model->n_tensors; i++) {
        const vip_tensor_shape *shape = &model->shapes[i];
        fuzz_check((values[i] == NULL) == (shape->kind == VIP_BN_COUNT));
        fuzz_check(model->rho[i] == NULL || model->posterior == VIPANN_MEANFIELD);
        for (size_t k = 0; values[i] != NULL && k < vip_tensor_size(shape); k++) {
            fuzz_check(isfinite(values[i][k]));
            fuzz_check(shape->kind != VIP_BN_VARIANCE || values[i][k] > 0);
            fuzz_check(model->rho[i] == NULL || isfinite(model->rho[i][k]));
        }
    }
}

/* What a distance is measured with is there where it is asked for, and nowhere else. */
static void
check_prototypes(const vip_model *model)
{
    const vip_sum *sum = &model->calibration.sum;
    const size_t n = model->network.features;
    const bool needed = model->calibration.has_unknown[VIPANN_SCORE_SUM] && sum->has[VIPANN_PART_DISTANCE];
    fuzz_check(needed == (sum->n_prototypes > 0) && sum->n_prototypes <= VIP_MAX_PROTOTYPES);
    fuzz_check(needed == (sum->centre != NULL) && needed == (sum->prototypes != NULL));
    for (size_t i = 0; needed && i < n; i++) {
        fuzz_check(isfinite(sum->centre[i]));
    }
    for (size_t i = 0; i < sum->n_prototypes * n; i++) {
        fuzz_check(isfinite(sum->prototypes[i]));
    }
}

static uint32_t
sets(const vip_model *model)
{
    return model->members > 0 ? model->members : 1;
}

static void
check_values(const vip_model *model)
{
    const vip_network *network = &model->network;
    fuzz_check(network->width >= 1 && network->width <= VIP_MAX_WIDTH);
    fuzz_check(network->classes >= 1 && network->classes <= VIP_MAX_CLASSES);
    fuzz_check(strlen(model->sha256) == 64);
    fuzz_check((model->posterior == VIPANN_ENSEMBLE) == (model->members > 0) && model->members <= VIPANN_MAX_PASSES);
    check_prototypes(model);
    for (uint32_t m = 0; m < sets(model); m++) {
        check_tensors(model, vip_model_values(model, m));
    }
}

/* The same bits, or both not there. */
static bool
same_array(const float *a, const float *b, size_t bytes)
{
    return a == NULL || b == NULL ? a == b : memcmp(a, b, bytes) == 0;
}

static void
check_same_values(const vip_model *a, const vip_model *b)
{
    fuzz_check(a->n_tensors == b->n_tensors && a->network.classes == b->network.classes && a->members == b->members);
    for (int i = 0; i < a->n_tensors; i++) {
        size_t bytes = vip_tensor_size(&a->shapes[i]) * sizeof(float);
        fuzz_check(same_array(a->rho[i], b->rho[i], bytes));
        for (uint32_t m = 0; m < sets(a); m++) {
            fuzz_check(same_array(vip_model_values(a, m)[i], vip_model_values(b, m)[i], bytes));
        }
    }
    const vip_sum *x = &a->calibration.sum, *y = &b->calibration.sum;
    const size_t features = a->network.features * sizeof(float);
    fuzz_check(x->n_prototypes == y->n_prototypes && same_array(x->centre, y->centre, features));
    fuzz_check(same_array(x->prototypes, y->prototypes, x->n_prototypes * features));
    json_t *said = vip_metadata_write(a), *said_again = vip_metadata_write(b);
    fuzz_check(said != NULL && json_equal(said, said_again));
    json_decref(said);
    json_decref(said_again);
}

/* What is written is read again as the same, and written again as the same bytes. */
static void
check_round_trip(const vip_model *model)
{
    vipann_error error = {VIPANN_OK, ""};
    const char *path = fuzz_path("model");
    (void)vip_model_write(model, path, false, &error);
    fuzz_check_success(&error);
    size_t n, m;
    uint8_t *once = fuzz_load(path, &n);
    vip_model *again = vip_model_parse(path, once, n, &error);
    fuzz_check_success(&error);
    check_same_values(model, again);
    fuzz_check(vip_model_write(again, path, false, &error) == VIPANN_OK);
    uint8_t *twice = fuzz_load(path, &m);
    fuzz_check(n == m && memcmp(once, twice, n) == 0);
    vip_model_free(again);
    free(once);
    free(twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vipann_error error = {VIPANN_OK, ""};
    vip_model *model = vip_model_parse("folder/fuzz.safetensors", data, size, &error);
    if (model == NULL) {
        fuzz_check(error.status == VIPANN_E_FORMAT || error.status == VIPANN_E_UNSUPPORTED);
        fuzz_check_refusal(error.status, &error);
        fuzz_check(strncmp(error.text, "fuzz.safetensors: ", 18) == 0); /* says where */
        return 0;
    }
    fuzz_check(strcmp(model->name, "fuzz") == 0);
    check_values(model);
    check_round_trip(model);
    vip_model_free(model);
    return 0;
}
