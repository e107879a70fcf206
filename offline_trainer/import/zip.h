/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zip.h -- the zip container, as far as checkpoints need it: members that are stored as they are, in a file that begins
 * with the first and ends with the directory.
 *
 * Places and sizes are those of the directory; what the members' own headers say must not contradict it. No member lies
 * over another. What is compressed, encrypted, larger than 4 GB or spread over several files is refused. */
#ifndef VIP_TRAINER_IMPORT_ZIP_H
#define VIP_TRAINER_IMPORT_ZIP_H

#include <stdbool.h>

#include "source.h"

typedef struct {
    const char *name;    /* belongs to the zip */
    uint64_t header;     /* where its own header begins */
    uint64_t begin, end; /* its bytes in the source */
    uint32_t crc;
} vip_zip_member;

typedef struct {
    vip_zip_member *members; /* [n], by name */
    size_t n;
    char *names;
} vip_zip;

/* Whether the source begins as a zip file does. */
bool vip_zip_begins(const vip_source *source);

/* Of a source that begins as a zip file: reads the directory and looks at every header. The zip is to be closed even on failure.
 * Errors: E_FORMAT, E_IO, E_MEMORY, E_UNSUPPORTED (what is refused above). */
vipann_status vip_zip_open(vip_zip *zip, const vip_source *source, vipann_error *error);
void vip_zip_close(vip_zip *zip);

/* NULL if there is none of that name. */
const vip_zip_member *vip_zip_find(const vip_zip *zip, const char *name);

/* Reads the member, into out unless that is NULL, and compares its checksum. Errors: E_FORMAT, E_IO, E_MEMORY. */
vipann_status vip_zip_check(const vip_source *source, const vip_zip_member *member, unsigned char *out,
                            vipann_error *error);

#endif /* VIP_TRAINER_IMPORT_ZIP_H */
