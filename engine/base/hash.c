/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hash.c -- see hash.h for the contract; the sum itself is libmd's. */
#include "hash.h"

#include <stdint.h>
#include <sys/types.h>

#include <sha2.h>

void
vip_sha256(const void *data, size_t bytes, char out[VIP_SHA256_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    SHA2_CTX context;
    uint8_t sum[SHA256_DIGEST_LENGTH];
    SHA256Init(&context);
    if (bytes > 0) {
        SHA256Update(&context, data, bytes);
    }
    SHA256Final(sum, &context);
    for (size_t i = 0; i < sizeof sum; i++) {
        out[2 * i] = digits[sum[i] >> 4];
        out[2 * i + 1] = digits[sum[i] & 15];
    }
    out[2 * sizeof sum] = '\0';
}
