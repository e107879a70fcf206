/* SPDX-License-Identifier: GPL-3.0-or-later */
/* containers.c -- the two containers of torch.save: which pickles they hold, and where the storages lie; see torch.h for
 * the contract. */
#include "torch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/memory.h>
#include <base/status.h>

/* Copies behind each other of these begin an old container: a magic number and a version, each pickled. */
static const unsigned char MAGIC[] = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
                                      0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};
static const unsigned char VERSION[] = {0x80, 0x02, 'M', 0xe9, 0x03, '.'};

static vipann_status
new_places(vip_torch *torch, vipann_error *error)
{
    torch->places = vip_alloc(torch->pickle.storages.n, sizeof *torch->places);
    return torch->places == NULL ? vip_fail_memory(error, "reading a checkpoint") : VIPANN_OK;
}

static const char *
key_of(const vip_torch *torch, size_t storage)
{
    return (const char *)torch->pickle.texts.all + vip_pickle_storage(&torch->pickle, storage)->key;
}

/* ----------------------------------------------------------------------------------------------------------- new one */

/* The only member that is called FOLDER/data.pkl. */
static vipann_status
find_pickle(const vip_torch *torch, const vip_zip_member **found, vipann_error *error)
{
    *found = NULL;
    for (size_t i = 0; i < torch->zip.n; i++) {
        const char *name = torch->zip.members[i].name, *slash = strchr(name, '/');
        if (slash == NULL || strcmp(slash, "/data.pkl") != 0) {
            continue;
        }
        if (*found != NULL) {
            return vip_fail(error, VIPANN_E_FORMAT, "%.80s: the zip file has %.60s and %.60s, expected one of them",
                            torch->source.name, (*found)->name, name);
        }
        *found = &torch->zip.members[i];
    }
    return *found != NULL ? VIPANN_OK
                          : vip_fail(error, VIPANN_E_FORMAT,
                                     "%.80s: a zip file, but without data.pkl: this is not a checkpoint of PyTorch",
                                     torch->source.name);
}

/* The member FOLDER/NAME, folder being what the pickle's name has before its slash; NULL: there is none. */
static const vip_zip_member *
find_beside(const vip_torch *torch, const vip_zip_member *pickle, const char *name, vipann_error *error)
{
    const size_t folder = (size_t)(strchr(pickle->name, '/') - pickle->name), size = folder + strlen(name) + 2;
    char *full = vip_alloc(size, 1);
    if (full == NULL) {
        (void)vip_fail_memory(error, "reading a checkpoint");
        return NULL;
    }
    (void)snprintf(full, size, "%.*s/%s", (int)folder, pickle->name, name);
    const vip_zip_member *member = vip_zip_find(&torch->zip, full);
    vip_free(full);
    return member;
}

/* A file of a machine whose numbers begin with their highest byte is refused. */
static vipann_status
check_byte_order(const vip_torch *torch, const vip_zip_member *pickle, vipann_error *error)
{
    static const char little[] = {'l', 'i', 't', 't', 'l', 'e'};
    char order[sizeof little];
    const vip_zip_member *member = find_beside(torch, pickle, "byteorder", error);
    if (member == NULL) {
        return VIPANN_OK;
    }
    const bool fits = member->end - member->begin >= sizeof order;
    vipann_status status =
        fits ? vip_source_read(&torch->source, member->begin, order, sizeof order, error) : VIPANN_OK;
    if (status == VIPANN_OK && (!fits || memcmp(order, little, sizeof little) != 0)) {
        status = vip_fail(error, VIPANN_E_UNSUPPORTED, "%.80s: byteorder is not little; save it on a usual machine",
                          torch->source.name);
    }
    return status;
}

/* Each storage is the member FOLDER/data/KEY and fills it. */
static vipann_status
place_members(vip_torch *torch, const vip_zip_member *pickle, vipann_error *error)
{
    for (size_t i = 0; i < torch->pickle.storages.n; i++) {
        const vip_pickled_storage *storage = vip_pickle_storage(&torch->pickle, i);
        char name[VIP_PICKLE_TEXT + sizeof "data/"];
        (void)snprintf(name, sizeof name, "data/%s", key_of(torch, i));
        const vip_zip_member *member = find_beside(torch, pickle, name, error);
        if (member == NULL) {
            return vip_fail(error, VIPANN_E_FORMAT, "%.80s: %.80s is missing in the zip file", torch->source.name,
                            name);
        }
        const uint64_t bytes = member->end - member->begin;
        if (bytes % vip_element_bytes(storage->element) != 0 ||
            bytes / vip_element_bytes(storage->element) != storage->n) {
            return vip_fail(error, VIPANN_E_FORMAT,
                            "%.80s: %.80s has %" PRIu64 " bytes, expected %" PRIu64 " elements of %s",
                            torch->source.name, name, bytes, storage->n, vip_element_name(storage->element));
        }
        torch->places[i] = (vip_torch_place){member->begin, member};
    }
    return VIPANN_OK;
}

vipann_status
vip_container_zip(vip_torch *torch, vip_pickled *root, vipann_error *error)
{
    const vip_zip_member *pickle;
    vip_reader reader;
    vipann_status status = vip_zip_open(&torch->zip, &torch->source, error);
    if (status == VIPANN_OK) {
        status = find_pickle(torch, &pickle, error);
    }
    if (status == VIPANN_OK) {
        status = check_byte_order(torch, pickle, error);
    }
    if (status == VIPANN_OK) {
        status = vip_zip_check(&torch->source, pickle, NULL, error);
    }
    if (status == VIPANN_OK) {
        vip_reader_begin(&reader, &torch->source, pickle->begin, pickle->end);
        status = vip_pickle_read(&torch->pickle, &reader, false, error);
        *root = torch->pickle.root;
    }
    if (status == VIPANN_OK && vip_reader_place(&reader) != pickle->end) {
        status = vip_fail(error, VIPANN_E_FORMAT, "%.80s: byte %" PRIu64 ": something follows the end of the pickle",
                          torch->source.name, vip_reader_place(&reader));
    }
    if (status == VIPANN_OK) {
        status = new_places(torch, error);
    }
    return status == VIPANN_OK ? place_members(torch, pickle, error) : status;
}

/* ----------------------------------------------------------------------------------------------------------- old one */

bool
vip_container_is_legacy(const vip_source *source)
{
    unsigned char first[sizeof MAGIC];
    return source->size >= sizeof first && vip_source_read(source, 0, first, sizeof first, NULL) == VIPANN_OK &&
           memcmp(first, MAGIC, sizeof first) == 0;
}

/* The version and what is said of the machine that wrote the file. */
static vipann_status
read_preamble(vip_torch *torch, vip_reader *reader, vipann_error *error)
{
    unsigned char version[sizeof VERSION];
    vipann_status status = vip_reader_take(reader, version, sizeof version, error);
    if (status == VIPANN_OK && memcmp(version, VERSION, sizeof version) != 0) {
        return vip_fail(error, VIPANN_E_UNSUPPORTED,
                        "%.80s: an old container of PyTorch of another version, expected 1001", torch->source.name);
    }
    if (status == VIPANN_OK) {
        status = vip_pickle_read(&torch->pickle, reader, false, error);
    }
    if (status != VIPANN_OK) {
        return status;
    }
    const vip_pickled *little = vip_pickle_lookup(&torch->pickle, &torch->pickle.root, "little_endian");
    if (little == NULL || little->kind != VIP_VALUE_BOOL || little->whole != 1) {
        return vip_fail(error, VIPANN_E_UNSUPPORTED, "%.80s: little_endian is not True; save it on a usual machine",
                        torch->source.name);
    }
    return VIPANN_OK;
}

/* A storage by its key. */
typedef struct {
    const char *key;
    size_t storage;
    bool placed;
} keyed;

static int
by_key(const void *a, const void *b)
{
    return strcmp(((const keyed *)a)->key, ((const keyed *)b)->key);
}

/* The first of those with that key, which are neighbours; n if there is none. */
static size_t
find_key(const keyed *all, size_t n, const char *key)
{
    const keyed wanted = {.key = key};
    const keyed *found = n == 0 ? NULL : bsearch(&wanted, all, n, sizeof *all, by_key);
    while (found != NULL && found > all && by_key(found - 1, &wanted) == 0) {
        found--;
    }
    return found == NULL ? n : (size_t)(found - all);
}

/* The storage of this key begins at *at with its number of elements; *at moves behind it. */
static vipann_status
place_storage(vip_torch *torch, keyed *all, size_t n, const char *key, uint64_t *at, vipann_error *error)
{
    unsigned char count[8];
    const size_t first = find_key(all, n, key);
    if (first == n || all[first].placed) {
        return vip_fail(error, VIPANN_E_FORMAT, "%.80s: the list of storages has '%.40s', which %s", torch->source.name,
                        key, first == n ? "no tensor uses" : "it had before");
    }
    vipann_status status = vip_source_read(&torch->source, *at, count, sizeof count, error);
    if (status != VIPANN_OK) {
        return status;
    }
    const vip_pickled_storage *storage = vip_pickle_storage(&torch->pickle, all[first].storage);
    const uint64_t elements = vip_little_64(count), bytes = vip_element_bytes(storage->element);
    *at += sizeof count;
    for (size_t i = first; i < n && strcmp(all[i].key, key) == 0; i++) {
        const vip_pickled_storage *same = vip_pickle_storage(&torch->pickle, all[i].storage);
        if (same->n != elements || same->element != storage->element) {
            return vip_fail(error, VIPANN_E_FORMAT,
                            "%.80s: storage '%.40s' has %" PRIu64 " elements of %s, expected %" PRIu64 " of %s",
                            torch->source.name, key, elements, vip_element_name(storage->element), same->n,
                            vip_element_name(same->element));
        }
        torch->places[all[i].storage] = (vip_torch_place){*at, NULL};
        all[i].placed = true;
    }
    if (elements > (torch->source.size - *at) / bytes) {
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%.80s: storage '%.40s' of %" PRIu64 " elements goes on behind the end of the file, which is "
                        "cut off; copy it again",
                        torch->source.name, key, elements);
    }
    *at += elements * bytes;
    return VIPANN_OK;
}

/* The storages lie one after the other, in the order of the list in the last pickle, and end with the file. */
static vipann_status
place_storages(vip_torch *torch, keyed *all, size_t n, uint64_t at, vipann_error *error)
{
    const vip_pickle *pickle = &torch->pickle;
    for (size_t i = 0; i < n; i++) {
        all[i] = (keyed){key_of(torch, i), i, false};
    }
    qsort(all, n, sizeof *all, by_key);
    for (size_t i = 0; i < pickle->entries.n; i++) {
        const vip_pickled_entry *entry = vip_pickle_entry(pickle, i);
        if (entry->owner != pickle->root.at) {
            continue;
        }
        vipann_status status = place_storage(torch, all, n, vip_pickle_text(pickle, &entry->value), &at, error);
        if (status != VIPANN_OK) {
            return status;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (!all[i].placed) {
            return vip_fail(error, VIPANN_E_FORMAT, "%.80s: storage '%.40s' is not in the list of storages",
                            torch->source.name, all[i].key);
        }
    }
    if (at != torch->source.size) {
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%.80s: the last storage ends at byte %" PRIu64 ", but the file has %" PRIu64,
                        torch->source.name, at, torch->source.size);
    }
    return VIPANN_OK;
}

vipann_status
vip_container_legacy(vip_torch *torch, vip_pickled *root, vipann_error *error)
{
    vip_reader reader;
    vip_reader_begin(&reader, &torch->source, sizeof MAGIC, torch->source.size);
    vipann_status status = read_preamble(torch, &reader, error);
    if (status == VIPANN_OK) {
        status = vip_pickle_read(&torch->pickle, &reader, false, error);
        *root = torch->pickle.root;
    }
    if (status == VIPANN_OK) {
        status = vip_pickle_read(&torch->pickle, &reader, true, error);
    }
    if (status == VIPANN_OK && torch->pickle.root.kind != VIP_VALUE_LIST) {
        status =
            vip_fail(error, VIPANN_E_FORMAT, "%.80s: behind the object comes no list of storages", torch->source.name);
    }
    if (status == VIPANN_OK) {
        status = new_places(torch, error);
    }
    const size_t n = torch->pickle.storages.n;
    keyed *all = status == VIPANN_OK ? vip_alloc(n, sizeof *all) : NULL;
    if (status == VIPANN_OK) {
        status = all == NULL ? vip_fail_memory(error, "reading a checkpoint")
                             : place_storages(torch, all, n, vip_reader_place(&reader), error);
    }
    vip_free(all);
    return status;
}
