/* SPDX-License-Identifier: GPL-3.0-or-later */
/* source.c -- see source.h for the contract. */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <base/status.h>

enum { MOST_AT_ONCE = 1 << 30 /* bytes of one call of the system */ };
static const uint32_t CRC_POLYNOMIAL = 0xedb88320u; /* of zip, its bits reversed */

static const char *
without_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL || slash[1] == '\0' ? path : slash + 1;
}

vipann_status
vip_source_open(vip_source *source, const char *path, vipann_error *error)
{
    struct stat about;
    *source = (vip_source){.name = without_folder(path), .file = -1};
    source->file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a pipe must not make anybody wait */
    if (source->file < 0 || fstat(source->file, &about) != 0) {
        return vip_fail(error, VIPANN_E_IO, "%.160s: cannot be opened: %s", path, strerror(errno));
    }
    if (!S_ISREG(about.st_mode)) {
        return vip_fail(error, VIPANN_E_IO, "%.160s: is not a regular file; name a checkpoint", path);
    }
    source->size = (uint64_t)about.st_size;
    return VIPANN_OK;
}

void
vip_source_close(vip_source *source)
{
    if (source->file >= 0) {
        (void)close(source->file);
    }
    source->file = -1;
}

vip_source
vip_source_of(const char *name, const unsigned char *bytes, size_t n)
{
    return (vip_source){.name = without_folder(name), .file = -1, .bytes = bytes, .size = n};
}

static vipann_status
read_file(const vip_source *source, uint64_t at, unsigned char *out, size_t n, vipann_error *error)
{
    while (n > 0) {
        ssize_t done = pread(source->file, out, n < MOST_AT_ONCE ? n : MOST_AT_ONCE, (off_t)at);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return vip_fail(error, VIPANN_E_IO, "%.80s: cannot be read: %s", source->name,
                            done < 0 ? strerror(errno) : "it became shorter meanwhile; try again");
        }
        out += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return VIPANN_OK;
}

vipann_status
vip_source_read(const vip_source *source, uint64_t at, void *out, size_t n, vipann_error *error)
{
    if (at > source->size || n > source->size - at) {
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%.80s: %zu bytes from byte %" PRIu64 " on are not there: the file has %" PRIu64
                        " bytes and is cut off; copy it again",
                        source->name, n, at, source->size);
    }
    if (source->file >= 0) {
        return read_file(source, at, out, n, error);
    }
    if (n > 0) {
        memcpy(out, source->bytes + at, n);
    }
    return VIPANN_OK;
}

/* ------------------------------------------------------------------------------------------------- byte after byte */

void
vip_reader_begin(vip_reader *reader, const vip_source *source, uint64_t begin, uint64_t end)
{
    reader->source = source;
    reader->at = begin;
    reader->end = end;
    reader->have = reader->used = 0;
}

uint64_t
vip_reader_place(const vip_reader *reader)
{
    return reader->at - (reader->have - reader->used);
}

static vipann_status
fill(vip_reader *reader, vipann_error *error)
{
    const uint64_t left = reader->end - reader->at;
    const size_t n = left < VIP_READER_BYTES ? (size_t)left : VIP_READER_BYTES;
    reader->have = reader->used = 0;
    vipann_status status = vip_source_read(reader->source, reader->at, reader->buffer, n, error);
    if (status == VIPANN_OK) {
        reader->have = n;
        reader->at += n;
    }
    return status;
}

vipann_status
vip_reader_take(vip_reader *reader, void *out, uint64_t n, vipann_error *error)
{
    unsigned char *to = out;
    const uint64_t place = vip_reader_place(reader);
    if (n > reader->end - place) {
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%.80s: %" PRIu64 " bytes from byte %" PRIu64 " on, but only %" PRIu64
                        " are left: the file is cut off or damaged; copy it again",
                        reader->source->name, n, place, reader->end - place);
    }
    while (n > 0) {
        if (reader->used == reader->have) {
            vipann_status status = fill(reader, error);
            if (status != VIPANN_OK) {
                return status;
            }
        }
        const size_t left = reader->have - reader->used, now = n < left ? (size_t)n : left;
        if (to != NULL) {
            memcpy(to, reader->buffer + reader->used, now);
            to += now;
        }
        reader->used += now;
        n -= now;
    }
    return VIPANN_OK;
}

/* ------------------------------------------------------------------------------------------------------------- CRC */

void
vip_crc_begin(vip_crc *crc)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t x = i;
        for (int bit = 0; bit < 8; bit++) {
            x = x >> 1 ^ ((x & 1) != 0 ? CRC_POLYNOMIAL : 0);
        }
        crc->table[i] = x;
    }
    crc->crc = 0;
}

void
vip_crc_add(vip_crc *crc, const unsigned char *bytes, size_t n)
{
    uint32_t x = ~crc->crc;
    for (size_t i = 0; i < n; i++) {
        x = x >> 8 ^ crc->table[(x ^ bytes[i]) & 0xff];
    }
    crc->crc = ~x;
}
