/* SPDX-License-Identifier: GPL-3.0-or-later */
/* source.h -- the bytes of a checkpoint, in a file or in memory, read where they are needed: a checkpoint is large, and
 * what is read of it is little at a time. */
#ifndef VIP_TRAINER_IMPORT_SOURCE_H
#define VIP_TRAINER_IMPORT_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include <vipann/vipann.h>

typedef struct {
    const char *name;           /* of the file, without its folder: messages begin with it */
    int file;                   /* -1: the bytes are in memory */
    const unsigned char *bytes; /* borrowed */
    uint64_t size;
} vip_source;

/* A regular file; path is borrowed for the source's life. Errors: E_IO. */
vipann_status vip_source_open(vip_source *source, const char *path, vipann_error *error);
void vip_source_close(vip_source *source);

/* The same of bytes in memory, which need not be closed. */
vip_source vip_source_of(const char *name, const unsigned char *bytes, size_t n);

/* Copies n bytes from byte `at` on. Errors: E_FORMAT (the file ends before), E_IO. */
vipann_status vip_source_read(const vip_source *source, uint64_t at, void *out, size_t n, vipann_error *error);

enum { VIP_READER_BYTES = 1 << 16 };

/* Reads one byte after another, from `at` to `end`. */
typedef struct {
    const vip_source *source;
    uint64_t at, end;  /* of what is not in the buffer yet */
    size_t have, used; /* bytes of the buffer */
    unsigned char buffer[VIP_READER_BYTES];
} vip_reader;

/* begin <= end <= source->size. */
void vip_reader_begin(vip_reader *reader, const vip_source *source, uint64_t begin, uint64_t end);

/* The place in the source of the next byte. */
uint64_t vip_reader_place(const vip_reader *reader);

/* The next n bytes; out may be NULL: they are passed over. Errors: E_FORMAT (there are not so many), E_IO. */
vipann_status vip_reader_take(vip_reader *reader, void *out, uint64_t n, vipann_error *error);

/* CRC-32 as zip files have it: *crc is 0 before the first bytes. */
typedef struct {
    uint32_t table[256];
    uint32_t crc;
} vip_crc;

void vip_crc_begin(vip_crc *crc);
void vip_crc_add(vip_crc *crc, const unsigned char *bytes, size_t n);

/* Little-endian numbers. */
static inline uint32_t
vip_little_16(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

static inline uint32_t
vip_little_32(const unsigned char *bytes)
{
    return vip_little_16(bytes) | vip_little_16(bytes + 2) << 16;
}

static inline uint64_t
vip_little_64(const unsigned char *bytes)
{
    return (uint64_t)vip_little_32(bytes) | (uint64_t)vip_little_32(bytes + 4) << 32;
}

#endif /* VIP_TRAINER_IMPORT_SOURCE_H */
