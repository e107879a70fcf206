/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zip.c -- see zip.h for the contract. Fields are those of PKWARE's APPNOTE.TXT 6.3. */
#include "zip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <base/memory.h>
#include <base/status.h>

enum {
    END_BYTES = 22,          /* the record at the end of the file, without its comment */
    LOCATOR_BYTES = 20,      /* in front of it, if there is a record for large files */
    LARGE_END_BYTES = 56,    /* that record */
    ENTRY_BYTES = 46,        /* of a member in the directory, without name, extra field and comment */
    HEADER_BYTES = 30,       /* in front of a member, without name and extra field */
    MAX_TEXT = 0xffff,       /* of a name, and of the comment at the end */
    MAX_DIRECTORY = 16 << 20 /* bytes; the largest network needs 40 kB */
};
static const uint32_t END_MARK = 0x06054b50, LOCATOR_MARK = 0x07064b50, LARGE_END_MARK = 0x06064b50,
                      ENTRY_MARK = 0x02014b50, HEADER_MARK = 0x04034b50;
static const uint32_t SIZES_FOLLOW = 1 << 3; /* a flag: the header in front of the member does not know its size */
static const uint32_t HARMLESS = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 11; /* flags that change nothing here */

bool
vip_zip_begins(const vip_source *source)
{
    unsigned char first[4];
    return source->size >= END_BYTES && vip_source_read(source, 0, first, sizeof first, NULL) == VIPANN_OK &&
           (vip_little_32(first) == HEADER_MARK || vip_little_32(first) == END_MARK);
}

/* --------------------------------------------------------------------------------------------------------- the end */

/* What is being read. */
typedef struct {
    const vip_source *source;
    uint64_t end; /* where the record at the end begins */
    size_t n;
    uint64_t directory, directory_bytes;
} place;

static vipann_status
refuse(const place *p, vipann_error *error, const char *what)
{
    return vip_fail(error, VIPANN_E_FORMAT, "%.80s: the directory of the zip file %s; copy the file again",
                    p->source->name, what);
}

/* The last record whose comment reaches to the end of the file. */
static vipann_status
find_end(place *p, unsigned char record[END_BYTES], vipann_error *error)
{
    const uint64_t size = p->source->size;
    const size_t n = size < END_BYTES + MAX_TEXT ? (size_t)size : END_BYTES + MAX_TEXT;
    unsigned char *tail = vip_alloc(n, 1);
    if (tail == NULL) {
        return vip_fail_memory(error, "reading a checkpoint");
    }
    vipann_status status = vip_source_read(p->source, size - n, tail, n, error);
    size_t i = n - END_BYTES + 1; /* the record is at i - 1, where one is found */
    while (status == VIPANN_OK && i > 0 &&
           (vip_little_32(tail + i - 1) != END_MARK || vip_little_16(tail + i - 1 + 20) != n - END_BYTES - (i - 1))) {
        i--;
    }
    if (status == VIPANN_OK && i == 0) {
        status = refuse(p, error, "is missing: it is cut off");
    }
    if (status == VIPANN_OK) {
        p->end = size - n + i - 1;
        memcpy(record, tail + i - 1, END_BYTES);
    }
    vip_free(tail);
    return status;
}

/* The record for large files, which PyTorch always writes, must say what the other one does. *begin is where what is
 * behind the directory begins. */
static vipann_status
check_large_end(const place *p, uint64_t *begin, vipann_error *error)
{
    unsigned char locator[LOCATOR_BYTES], record[LARGE_END_BYTES];
    *begin = p->end;
    if (p->end < LOCATOR_BYTES) {
        return VIPANN_OK;
    }
    vipann_status status = vip_source_read(p->source, p->end - LOCATOR_BYTES, locator, sizeof locator, error);
    if (status != VIPANN_OK || vip_little_32(locator) != LOCATOR_MARK) {
        return status;
    }
    *begin = vip_little_64(locator + 8);
    status = vip_source_read(p->source, *begin, record, sizeof record, error);
    if (status == VIPANN_OK &&
        (vip_little_32(record) != LARGE_END_MARK || vip_little_64(record + 24) != p->n ||
         vip_little_64(record + 32) != p->n || vip_little_64(record + 40) != p->directory_bytes ||
         vip_little_64(record + 48) != p->directory)) {
        status = refuse(p, error, "contradicts its record for large files");
    }
    return status;
}

static vipann_status
read_end(place *p, vipann_error *error)
{
    unsigned char record[END_BYTES] = {0};
    vipann_status status = find_end(p, record, error);
    if (status != VIPANN_OK) {
        return status;
    }
    p->n = vip_little_16(record + 10);
    p->directory_bytes = vip_little_32(record + 12);
    p->directory = vip_little_32(record + 16);
    if (p->n == 0xffff || p->directory_bytes == UINT32_MAX || p->directory == UINT32_MAX) {
        return vip_fail(error, VIPANN_E_UNSUPPORTED,
                        "%.80s: a zip file of more than 4 GB or 65534 members, which no network of these needs",
                        p->source->name);
    }
    if (vip_little_16(record + 4) != 0 || vip_little_16(record + 6) != 0 || vip_little_16(record + 8) != p->n) {
        return vip_fail(error, VIPANN_E_UNSUPPORTED, "%.80s: a zip file in several parts; join them", p->source->name);
    }
    uint64_t begin;
    status = check_large_end(p, &begin, error);
    if (status == VIPANN_OK && (p->directory_bytes > MAX_DIRECTORY || p->directory + p->directory_bytes != begin)) {
        status = refuse(p, error, "is not where it says");
    }
    return status;
}

/* --------------------------------------------------------------------------------------------------------- members */

static vipann_status
refuse_member(const place *p, const char *name, vipann_status status, vipann_error *error, const char *what)
{
    return vip_fail(error, status, "%.80s: member %.80s of the zip file %s", p->source->name, name, what);
}

/* The header in front of a member, which says where its bytes begin. */
static vipann_status
read_header(const place *p, vip_zip_member *member, uint64_t bytes, vipann_error *error)
{
    unsigned char header[HEADER_BYTES];
    const size_t length = strlen(member->name);
    if (member->header > p->directory || p->directory - member->header < HEADER_BYTES) {
        return refuse_member(p, member->name, VIPANN_E_FORMAT, error, "does not lie in front of the directory");
    }
    vipann_status status = vip_source_read(p->source, member->header, header, sizeof header, error);
    if (status != VIPANN_OK) {
        return status;
    }
    char name[MAX_TEXT];
    const bool knows_size = (vip_little_16(header + 6) & SIZES_FOLLOW) == 0;
    if (vip_little_32(header) != HEADER_MARK || vip_little_16(header + 8) != 0 ||
        vip_little_16(header + 26) != length ||
        (knows_size && (vip_little_32(header + 18) != bytes || vip_little_32(header + 22) != bytes))) {
        return refuse_member(p, member->name, VIPANN_E_FORMAT, error, "has a header that contradicts the directory");
    }
    member->begin = member->header + HEADER_BYTES + vip_little_16(header + 26) + vip_little_16(header + 28);
    member->end = member->begin + bytes; /* of 32 bits each: no overflow */
    if (member->end > p->directory) {
        return refuse_member(p, member->name, VIPANN_E_FORMAT, error, "does not lie in front of the directory");
    }
    status = vip_source_read(p->source, member->header + HEADER_BYTES, name, length, error);
    if (status == VIPANN_OK && memcmp(name, member->name, length) != 0) {
        status = refuse_member(p, member->name, VIPANN_E_FORMAT, error, "has another name in its header");
    }
    return status;
}

/* One entry of the directory, whose `left` bytes are not read yet; *names moves behind the name, *taken is how long the
 * entry is. */
static vipann_status
read_entry(const place *p, const unsigned char *entry, size_t left, vip_zip_member *member, char **names, size_t *taken,
           vipann_error *error)
{
    if (left < ENTRY_BYTES || vip_little_32(entry) != ENTRY_MARK) {
        return refuse(p, error, "is damaged");
    }
    const size_t length = vip_little_16(entry + 28);
    *taken = ENTRY_BYTES + length + vip_little_16(entry + 30) + vip_little_16(entry + 32);
    if (*taken > left || length == 0 || memchr(entry + ENTRY_BYTES, '\0', length) != NULL) {
        return refuse(p, error, "is damaged");
    }
    memcpy(*names, entry + ENTRY_BYTES, length); /* the block of names is zeroed, so they end */
    member->name = *names;
    *names += length + 1;
    member->crc = vip_little_32(entry + 16);
    member->header = vip_little_32(entry + 42);
    const uint32_t bytes = vip_little_32(entry + 24);
    if ((vip_little_16(entry + 8) & ~HARMLESS) != 0) {
        return refuse_member(p, member->name, VIPANN_E_UNSUPPORTED, error, "is encrypted");
    }
    if (vip_little_16(entry + 10) != 0) {
        return refuse_member(p, member->name, VIPANN_E_UNSUPPORTED, error,
                             "is compressed; PyTorch stores members as they are");
    }
    if (bytes == UINT32_MAX || member->header == UINT32_MAX) {
        return refuse_member(p, member->name, VIPANN_E_UNSUPPORTED, error, "has 4 GB or more");
    }
    if (vip_little_32(entry + 20) != bytes || vip_little_16(entry + 34) != 0) {
        return refuse_member(p, member->name, VIPANN_E_FORMAT, error, "has two sizes");
    }
    return read_header(p, member, bytes, error);
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const vip_zip_member *)a)->name, ((const vip_zip_member *)b)->name);
}

static int
by_header(const void *a, const void *b)
{
    const uint64_t x = ((const vip_zip_member *)a)->header, y = ((const vip_zip_member *)b)->header;
    return (x > y) - (x < y);
}

/* Leaves the members sorted by name. */
static vipann_status
check_members(const place *p, vip_zip *zip, vipann_error *error)
{
    qsort(zip->members, zip->n, sizeof *zip->members, by_header);
    for (size_t i = 1; i < zip->n; i++) {
        if (zip->members[i].header < zip->members[i - 1].end) {
            return refuse_member(p, zip->members[i].name, VIPANN_E_FORMAT, error, "lies over another one");
        }
    }
    qsort(zip->members, zip->n, sizeof *zip->members, by_name);
    for (size_t i = 1; i < zip->n; i++) {
        if (strcmp(zip->members[i].name, zip->members[i - 1].name) == 0) {
            return refuse_member(p, zip->members[i].name, VIPANN_E_FORMAT, error, "is there twice");
        }
    }
    return VIPANN_OK;
}

static vipann_status
read_directory(const place *p, vip_zip *zip, const unsigned char *directory, vipann_error *error)
{
    const size_t bytes = (size_t)p->directory_bytes;
    char *names = zip->names;
    size_t at = 0, taken = 0;
    for (; zip->n < p->n; zip->n++, at += taken) {
        vipann_status status = read_entry(p, directory + at, bytes - at, &zip->members[zip->n], &names, &taken, error);
        if (status != VIPANN_OK) {
            return status;
        }
    }
    return at == bytes ? check_members(p, zip, error) : refuse(p, error, "has more entries than it says");
}

vipann_status
vip_zip_open(vip_zip *zip, const vip_source *source, vipann_error *error)
{
    place p = {.source = source};
    *zip = (vip_zip){0};
    vipann_status status = read_end(&p, error);
    if (status != VIPANN_OK) {
        return status;
    }
    if (p.n > p.directory_bytes / ENTRY_BYTES) {
        return refuse(&p, error, "has fewer entries than it says");
    }
    unsigned char *directory = vip_alloc((size_t)p.directory_bytes, 1);
    zip->names = vip_alloc((size_t)p.directory_bytes, 1); /* of entries there is more than of names and their ends */
    zip->members = vip_alloc(p.n, sizeof *zip->members);
    if (directory == NULL || zip->names == NULL || zip->members == NULL) {
        status = vip_fail_memory(error, "reading a checkpoint");
    }
    if (status == VIPANN_OK) {
        status = vip_source_read(source, p.directory, directory, (size_t)p.directory_bytes, error);
    }
    if (status == VIPANN_OK) {
        status = read_directory(&p, zip, directory, error);
    }
    vip_free(directory);
    return status;
}

void
vip_zip_close(vip_zip *zip)
{
    vip_free(zip->members);
    vip_free(zip->names);
    *zip = (vip_zip){0};
}

const vip_zip_member *
vip_zip_find(const vip_zip *zip, const char *name)
{
    const vip_zip_member wanted = {.name = name};
    return zip->n == 0 ? NULL : bsearch(&wanted, zip->members, zip->n, sizeof *zip->members, by_name);
}

vipann_status
vip_zip_check(const vip_source *source, const vip_zip_member *member, unsigned char *out, vipann_error *error)
{
    vip_crc crc;
    unsigned char *piece = out == NULL ? vip_alloc(VIP_READER_BYTES, 1) : out;
    if (piece == NULL) {
        return vip_fail_memory(error, "reading a checkpoint");
    }
    vip_crc_begin(&crc);
    vipann_status status = VIPANN_OK;
    unsigned char *to = piece;
    for (uint64_t at = member->begin; at < member->end && status == VIPANN_OK;) {
        const uint64_t left = member->end - at;
        const size_t n = left < VIP_READER_BYTES ? (size_t)left : VIP_READER_BYTES;
        status = vip_source_read(source, at, to, n, error);
        if (status == VIPANN_OK) {
            vip_crc_add(&crc, to, n);
        }
        at += n;
        to += out == NULL ? 0 : n;
    }
    if (out == NULL) {
        vip_free(piece);
    }
    if (status == VIPANN_OK && crc.crc != member->crc) {
        status = vip_fail(error, VIPANN_E_FORMAT,
                          "%.80s: member %.80s of the zip file: checksum %08" PRIx32 ", expected %08" PRIx32
                          "; the file is damaged, copy it again",
                          source->name, member->name, crc.crc, member->crc);
    }
    return status;
}
