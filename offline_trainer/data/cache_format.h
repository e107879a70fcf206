/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cache_format.h -- numbers of the format that reader and writer of caches share; for cache*.c alone. */
#ifndef VIP_TRAINER_CACHE_FORMAT_H
#define VIP_TRAINER_CACHE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

enum {
    VIP_CACHE_MAGIC_BYTES = 8,
    VIP_CACHE_START = 16,     /* where the header begins */
    VIP_CACHE_ALIGNMENT = 64, /* of the frames */
    VIP_CACHE_MOST_HEADER = 1 << 30
};

static const char VIP_CACHE_MAGIC[VIP_CACHE_MAGIC_BYTES + 1] = "vipann\n1";

/* Where frames begin behind a header of that length. */
static inline size_t
vip_cache_data(uint64_t header)
{
    return (VIP_CACHE_START + (size_t)header + VIP_CACHE_ALIGNMENT - 1) / VIP_CACHE_ALIGNMENT * VIP_CACHE_ALIGNMENT;
}

#endif /* VIP_TRAINER_CACHE_FORMAT_H */
