/* SPDX-License-Identifier: GPL-3.0-or-later */
/* torch_file.c -- see torch_file.h for the contract. */
#include "torch_file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/half.h>
#include <frontend/logmel.h>
#include <offline_trainer/data/frontends.h>
#include <offline_trainer/import/source.h>

/* ------------------------------------------------------------------------------------------------------------ bytes */

void
torch_put(torch_bytes *to, const void *bytes, size_t n)
{
    if (to->n + n > to->room) {
        to->room = 2 * (to->n + n) + 64;
        to->all = realloc(to->all, to->room);
        assert_non_null(to->all);
    }
    if (n > 0) {
        memcpy(to->all + to->n, bytes, n);
    }
    to->n += n;
}

void
torch_put_byte(torch_bytes *to, unsigned char byte)
{
    torch_put(to, &byte, 1);
}

void
torch_put_little(torch_bytes *to, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        torch_put_byte(to, (unsigned char)(number >> (8 * i)));
    }
}

void
torch_put_text(torch_bytes *to, const char *text)
{
    torch_put(to, text, strlen(text));
}

void
torch_bytes_free(torch_bytes *bytes)
{
    free(bytes->all);
    *bytes = (torch_bytes){0};
}

/* ----------------------------------------------------------------------------------------------------- instructions */

void
torch_string(torch_bytes *pickle, const char *text)
{
    torch_put_byte(pickle, 'X');
    torch_put_little(pickle, strlen(text), 4);
    torch_put_text(pickle, text);
}

void
torch_whole(torch_bytes *pickle, int64_t number)
{
    torch_put(pickle, "\x8a\x08", 2);
    torch_put_little(pickle, (uint64_t)number, 8);
}

void
torch_tuple(torch_bytes *pickle, const int64_t *numbers, size_t n)
{
    torch_put_byte(pickle, '(');
    for (size_t i = 0; i < n; i++) {
        torch_whole(pickle, numbers[i]);
    }
    torch_put_byte(pickle, 't');
}

void
torch_rebuild(torch_bytes *pickle, const torch_tensor *tensor, bool legacy)
{
    torch_put_text(pickle, "ctorch._utils\n_rebuild_tensor_v2\n((");
    torch_string(pickle, "storage");
    torch_put_text(pickle, "ctorch\n");
    torch_put_text(pickle, tensor->storage);
    torch_put_byte(pickle, '\n');
    torch_string(pickle, tensor->key);
    torch_string(pickle, "cuda:0");
    torch_whole(pickle, tensor->elements);
    torch_put_text(pickle, legacy ? "NtQ" : "tQ");
    torch_whole(pickle, tensor->offset);
    torch_tuple(pickle, tensor->shape, tensor->rank);
    torch_tuple(pickle, tensor->stride, tensor->rank);
    torch_put_text(pickle, "\x89"
                           "ccollections\nOrderedDict\n)RtR");
}

/* ------------------------------------------------------------------------------------------------------ checkpoints */

void
torch_begin(torch_file *file, bool legacy)
{
    *file = (torch_file){.legacy = legacy};
    torch_put_text(&file->pickle, "\x80\x02}(");
    torch_string(&file->pickle, "model");
    torch_put_text(&file->pickle, "ccollections\nOrderedDict\n)R(");
}

static void
put_number(torch_bytes *to, vip_element element, float x)
{
    const double wide = (double)x;
    uint64_t bits;
    memcpy(&bits, &wide, sizeof bits);
    if (element == VIP_ELEMENT_DOUBLE) {
        torch_put_little(to, bits, 8);
    } else if (element == VIP_ELEMENT_HALF) {
        torch_put_little(to, vip_float_to_half(x), 2);
    } else if (element == VIP_ELEMENT_BFLOAT) {
        torch_put_little(to, vip_bits_of_float(x) >> 16, 2);
    } else if (element == VIP_ELEMENT_FLOAT) {
        torch_put_little(to, vip_bits_of_float(x), 4);
    } else {
        torch_put_little(to, isfinite(x) ? (uint64_t)(int64_t)x : 0, vip_element_bytes(element));
    }
}

void
torch_add(torch_file *file, const char *name, vip_element element, const float *numbers, size_t rank,
          const int64_t *shape)
{
    char key[24];
    (void)snprintf(key, sizeof key, "%zu", file->n);
    torch_tensor tensor = {.storage = vip_element_name(element), .key = key, .elements = 1, .rank = rank};
    for (size_t i = rank; i > 0; i--) {
        tensor.shape[i - 1] = shape[i - 1];
        tensor.stride[i - 1] = tensor.elements;
        tensor.elements *= shape[i - 1];
    }
    torch_string(&file->pickle, name);
    torch_rebuild(&file->pickle, &tensor, file->legacy);
    for (int64_t i = 0; i < tensor.elements; i++) {
        put_number(&file->storages[file->n], element, numbers[i]);
    }
    file->elements[file->n++] = tensor.elements;
    assert_true(file->n < TORCH_STORAGES);
}

void
torch_add_model(torch_file *file, const vip_model *model, vip_element element)
{
    for (int i = 0; i < model->n_tensors; i++) {
        const vip_tensor_shape *shape = &model->shapes[i];
        int64_t sizes[4];
        for (size_t k = 0; k < shape->rank; k++) {
            sizes[k] = shape->shape[k];
        }
        const size_t module = (size_t)(strrchr(shape->name, '.') - shape->name) + 1;
        const char *leaf = shape->kind == VIP_CONV_WEIGHT ? "kernel" : shape->name + module;
        if (shape->kind == VIP_BN_COUNT) {
            torch_add(file, shape->name, VIP_ELEMENT_LONG, (const float[]){600000}, 0, sizes);
        } else if (model->rho[i] == NULL) {
            torch_add(file, shape->name, element, model->values[i], shape->rank, sizes);
        } else {
            char name[128];
            (void)snprintf(name, sizeof name, "%.*smu_%s", (int)module, shape->name, leaf);
            torch_add(file, name, element, model->values[i], shape->rank, sizes);
            (void)snprintf(name, sizeof name, "%.*srho_%s", (int)module, shape->name, leaf);
            torch_add(file, name, element, model->rho[i], shape->rank, sizes);
        }
    }
}

void
torch_add_mel(torch_file *file, int frontend, float wrong)
{
    const vip_frontend_spec *spec = vip_frontend_named(VIP_FRONTEND_NAMES[frontend]);
    const size_t bins = spec->n_fft / 2 + 1;
    float *filters = calloc(bins * VIP_MELS, sizeof *filters), *matrix = calloc(bins * VIP_MELS, sizeof *matrix);
    assert_true(filters != NULL && matrix != NULL);
    vip_mel_filters(spec, filters);
    for (size_t i = 0; i < bins * VIP_MELS; i++) {
        matrix[i] = filters[i % VIP_MELS * bins + i / VIP_MELS];
    }
    matrix[1000] += wrong;
    torch_add(file, "logmel_extractor.melW", VIP_ELEMENT_FLOAT, matrix, 2, (const int64_t[]){(int64_t)bins, VIP_MELS});
    free(filters);
    free(matrix);
}

/* The list of storages and their elements, as they follow the object in an old container. */
static void
put_storages(torch_bytes *to, const torch_file *file)
{
    torch_put_text(to, "\x80\x02](");
    for (size_t i = 0; i < file->n; i++) {
        char key[24];
        (void)snprintf(key, sizeof key, "%zu", i);
        torch_string(to, key);
    }
    torch_put_text(to, "e.");
    for (size_t i = 0; i < file->n; i++) {
        torch_put_little(to, (uint64_t)file->elements[i], 8);
        torch_put(to, file->storages[i].all, file->storages[i].n);
    }
}

static torch_bytes
end_zip(const torch_file *file)
{
    torch_member *members = calloc(file->n + 1, sizeof *members);
    char(*names)[40] = calloc(file->n, sizeof *names);
    assert_true(members != NULL && (names != NULL || file->n == 0));
    members[0] = (torch_member){"archive/data.pkl", file->pickle.all, file->pickle.n};
    for (size_t i = 0; i < file->n; i++) {
        (void)snprintf(names[i], sizeof names[i], "archive/data/%zu", i);
        members[i + 1] = (torch_member){names[i], file->storages[i].all, file->storages[i].n};
    }
    torch_bytes whole = torch_zip(members, file->n + 1);
    free(members);
    free(names);
    return whole;
}

torch_bytes
torch_end(torch_file *file)
{
    static const char preamble[] = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.";
    torch_bytes whole = {0};
    torch_put_text(&file->pickle, "uu.");
    if (file->legacy) {
        torch_put(&whole, preamble, sizeof preamble - 1);
        torch_put_text(&whole, "\x80\x02}(");
        torch_string(&whole, "little_endian");
        torch_put_text(&whole, "\x88u.");
        torch_put(&whole, file->pickle.all, file->pickle.n);
        put_storages(&whole, file);
    } else {
        whole = end_zip(file);
    }
    torch_bytes_free(&file->pickle);
    for (size_t i = 0; i < file->n; i++) {
        torch_bytes_free(&file->storages[i]);
    }
    return whole;
}

/* ------------------------------------------------------------------------------------------------------ zip files */

/* What a member's header and its entry in the directory have in common. */
static void
put_facts(torch_bytes *to, const torch_member *member)
{
    vip_crc crc;
    vip_crc_begin(&crc);
    vip_crc_add(&crc, member->bytes, member->n);
    torch_put_little(to, 0, 2 + 2 + 2 + 2); /* flags, method, time, date */
    torch_put_little(to, crc.crc, 4);
    torch_put_little(to, member->n, 4);
    torch_put_little(to, member->n, 4);
    torch_put_little(to, strlen(member->name), 2);
    torch_put_little(to, 0, 2); /* extra field */
}

torch_bytes
torch_zip(const torch_member *members, size_t n)
{
    torch_bytes whole = {0}, directory = {0};
    for (size_t i = 0; i < n; i++) {
        torch_put_text(&directory, "PK\x01\x02");
        torch_put_little(&directory, 0, 2 + 2); /* versions */
        put_facts(&directory, &members[i]);
        torch_put_little(&directory, 0, 2 + 2 + 2); /* comment, disk, attributes */
        torch_put_little(&directory, 0, 4);
        torch_put_little(&directory, whole.n, 4);
        torch_put_text(&directory, members[i].name);
        torch_put_text(&whole, "PK\x03\x04");
        torch_put_little(&whole, 0, 2); /* version */
        put_facts(&whole, &members[i]);
        torch_put_text(&whole, members[i].name);
        torch_put(&whole, members[i].bytes, members[i].n);
    }
    const size_t begin = whole.n;
    torch_put(&whole, directory.all, directory.n);
    torch_put_text(&whole, "PK\x05\x06");
    torch_put_little(&whole, 0, 2 + 2);
    torch_put_little(&whole, n, 2);
    torch_put_little(&whole, n, 2);
    torch_put_little(&whole, directory.n, 4);
    torch_put_little(&whole, begin, 4);
    torch_put_little(&whole, 0, 2);
    torch_bytes_free(&directory);
    return whole;
}
