/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory.c -- see memory.h for the contract. */
#define _DEFAULT_SOURCE /* madvise */
#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };                                /* bytes; x86-64 */
static const size_t MOST = SIZE_MAX / 2 - (size_t)HUGE_PAGE; /* bytes: no rounding can wrap */

size_t
vip_product(size_t a, size_t b)
{
    return b != 0 && a > SIZE_MAX / b ? SIZE_MAX : a * b;
}

void *
vip_alloc(size_t count, size_t size)
{
    size_t bytes = vip_product(count, size);
    if (bytes > MOST) {
        return NULL;
    }
    size_t alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : VIP_ALIGNMENT;
    bytes = bytes == 0 ? 1 : bytes; /* "nothing" is a block too */
    bytes = (bytes + alignment - 1) / alignment * alignment;
    void *block = aligned_alloc(alignment, bytes);
    if (block == NULL) {
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    if (alignment == HUGE_PAGE) {
        (void)madvise(block, bytes, MADV_HUGEPAGE); /* only advice: refused is as good as taken */
    }
#endif
    memset(block, 0, bytes);
    return block;
}

void
vip_free(void *block)
{
    free(block);
}

char *
vip_copy_string(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = vip_alloc(bytes, 1);
    if (copy != NULL) {
        memcpy(copy, text, bytes);
    }
    return copy;
}
