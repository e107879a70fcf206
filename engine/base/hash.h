/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hash.h -- SHA-256, by which a model file is known. */
#ifndef VIP_BASE_HASH_H
#define VIP_BASE_HASH_H

#include <stddef.h>

enum { VIP_SHA256_SIZE = 65 }; /* 64 hexadecimal digits and the end of the string */

/* Writes the SHA-256 of data[0 .. bytes-1] (NULL is allowed if bytes is 0) in lower-case hexadecimal. */
void vip_sha256(const void *data, size_t bytes, char out[VIP_SHA256_SIZE]);

#endif /* VIP_BASE_HASH_H */
