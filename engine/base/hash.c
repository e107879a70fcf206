/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hash.c -- see hash.h for the contract; the sum itself is Nettle's, which uses the processor's own
 * instructions where it has them. */
#include "hash.h"

#include <stdint.h>

#include <nettle/sha2.h>

void
vip_sha256(const void *data, size_t bytes, char out[VIP_SHA256_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    struct sha256_ctx context;
    uint8_t sum[SHA256_DIGEST_SIZE];
    sha256_init(&context);
    if (bytes > 0) {
        sha256_update(&context, bytes, data);
    }
    sha256_digest(&context, sizeof sum, sum);
    for (size_t i = 0; i < sizeof sum; i++) {
        out[2 * i] = digits[sum[i] >> 4];
        out[2 * i + 1] = digits[sum[i] & 15];
    }
    out[2 * sizeof sum] = '\0';
}
