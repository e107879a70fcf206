/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fuzz_torch.c -- any bytes as a checkpoint of PyTorch: refused with one line, or tensors whose numbers are finite and a
 * network that is a network.
 *
 * The checksums of a zip file would stop nearly every change. So the first byte says what the rest is: the whole file,
 * the pickle of a zip file that is made round it with storages of many sizes, or the object of an old container. */
#include "fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <offline_trainer/import/convert.h>

enum { WHOLE_FILE, ZIP, LEGACY, N_FORMS };
enum { STORAGES = 4, MOST_ELEMENTS = 64 };

/* ------------------------------------------------------------------------------------------------------- containers */

typedef struct {
    uint8_t *all;
    size_t n;
} block;

static void
put(block *to, const void *bytes, size_t n)
{
    memcpy(to->all + to->n, bytes, n);
    to->n += n;
}

static void
put_little(block *to, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        to->all[to->n++] = (uint8_t)(number >> (8 * i));
    }
}

static void
put_facts(block *to, const char *name, const uint8_t *bytes, size_t n)
{
    vip_crc crc;
    vip_crc_begin(&crc);
    vip_crc_add(&crc, bytes, n);
    put_little(to, 0, 8);
    put_little(to, crc.crc, 4);
    put_little(to, n, 4);
    put_little(to, n, 4);
    put_little(to, strlen(name), 2);
    put_little(to, 0, 2);
}

/* A zip file of the pickle and of storages "0" .. "3" of 4, 16, 64 and 256 bytes. */
static block
make_zip(const uint8_t *pickle, size_t n, const uint8_t *storage)
{
    static const char *const names[] = {"a/data.pkl", "a/data/0", "a/data/1", "a/data/2", "a/data/3"};
    block whole = {malloc(n + 4096), 0}, directory = {malloc(4096), 0};
    fuzz_check(whole.all != NULL && directory.all != NULL);
    for (size_t i = 0; i <= STORAGES; i++) {
        const uint8_t *bytes = i == 0 ? pickle : storage;
        const size_t size = i == 0 ? n : (size_t)4 << (2 * (i - 1));
        put(&directory, "PK\x01\x02", 4);
        put_little(&directory, 0, 4);
        put_facts(&directory, names[i], bytes, size);
        put_little(&directory, 0, 6);
        put_little(&directory, 0, 4);
        put_little(&directory, whole.n, 4);
        put(&directory, names[i], strlen(names[i]));
        put(&whole, "PK\x03\x04", 4);
        put_little(&whole, 0, 2);
        put_facts(&whole, names[i], bytes, size);
        put(&whole, names[i], strlen(names[i]));
        put(&whole, bytes, size);
    }
    const size_t begin = whole.n;
    put(&whole, directory.all, directory.n);
    put(&whole, "PK\x05\x06\0\0\0", 8);
    put_little(&whole, STORAGES + 1, 2);
    put_little(&whole, STORAGES + 1, 2);
    put_little(&whole, directory.n, 4);
    put_little(&whole, begin, 4);
    put_little(&whole, 0, 2);
    free(directory.all);
    return whole;
}

/* An old container: what comes behind its preamble. */
static block
make_legacy(const uint8_t *data, size_t n)
{
    static const char preamble[] =
        "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.}X\x0d\0\0\0"
        "little_endian\x88s.";
    block whole = {malloc(n + sizeof preamble), 0};
    fuzz_check(whole.all != NULL);
    put(&whole, preamble, sizeof preamble - 1);
    put(&whole, data, n);
    return whole;
}

/* ------------------------------------------------------------------------------------------------------ what must hold */

static void
check_refusal(const vipann_error *error)
{
    fuzz_check(error->status == VIPANN_E_FORMAT || error->status == VIPANN_E_UNSUPPORTED ||
               error->status == VIPANN_E_ARG);
    fuzz_check_refusal(error->status, error);
    fuzz_check(strncmp(error->text, "fuzz.pth: ", 10) == 0); /* says where */
}

/* Every tensor of numbers that is not too large can be read, or is refused in one line. */
static void
check_tensors(const vip_torch *torch)
{
    enum { MOST = 1 << 16 };
    static float numbers[MOST];
    for (size_t i = 0; i < torch->n; i++) {
        const vip_torch_entry *entry = &torch->entries[i];
        fuzz_check(entry->name[0] == '\0' || vip_torch_find(torch, entry->name) == entry);
        if (entry->tensor == NULL || entry->tensor->n > MOST || vip_torch_element(torch, entry) > VIP_ELEMENT_BFLOAT) {
            continue;
        }
        vipann_error error = {VIPANN_OK, ""};
        vip_torch_want want = {.entry = entry, .out = numbers};
        if (vip_torch_load(torch, &want, 1, &error) != VIPANN_OK) {
            check_refusal(&error);
            continue;
        }
        for (uint64_t k = 0; k < entry->tensor->n; k++) {
            fuzz_check(isfinite(numbers[k]));
        }
    }
}

static void
check_file(const uint8_t *bytes, size_t n)
{
    vipann_error error = {VIPANN_OK, ""};
    vip_torch torch;
    if (vip_torch_parse(&torch, "folder/fuzz.pth", bytes, n, &error) != VIPANN_OK) {
        check_refusal(&error);
        vip_torch_close(&torch);
        return;
    }
    check_tensors(&torch);
    vip_converted found;
    const vip_convert_options options = {.frontend = 0};
    vip_model *model = vip_convert(&torch, &options, &found, &error);
    if (model == NULL) {
        check_refusal(&error);
    } else {
        fuzz_check(model->network.width >= 1 && model->network.width <= VIP_MAX_WIDTH);
        fuzz_check(model->network.classes >= 1 && model->network.classes <= VIP_MAX_CLASSES);
        fuzz_check(model->posterior == VIPANN_DETERMINISTIC || model->posterior == VIPANN_MEANFIELD);
    }
    vip_model_free(model);
    vip_torch_close(&torch);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const int form = data[0] % N_FORMS;
    uint8_t storage[4 * MOST_ELEMENTS];
    data++;
    size--;
    if (form == WHOLE_FILE) {
        check_file(data, size);
        return 0;
    }
    for (size_t i = 0; i < sizeof storage; i++) {
        storage[i] = size > 0 ? data[size - 1 - i % size] : 0;
    }
    block whole = form == ZIP ? make_zip(data, size, storage) : make_legacy(data, size);
    check_file(whole.all, whole.n);
    free(whole.all);
    return 0;
}
