/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory.h -- aligned, zeroed memory whose size cannot overflow. */
#ifndef VIP_BASE_MEMORY_H
#define VIP_BASE_MEMORY_H

#include <stddef.h>

enum { VIP_ALIGNMENT = 64 }; /* bytes: a cache line, and the widest vector register */

/* Returns count * size zeroed bytes aligned to VIP_ALIGNMENT, every page touched, or NULL if memory is short or the
 * product overflows. count or size may be 0: the block then has no bytes to use but is not NULL. Blocks of 2 MiB and
 * more ask the kernel for huge pages: through small ones a core reads what lies beyond its second cache at half the
 * rate. So what is read together is best allocated together. Free with vip_free. */
void *vip_alloc(size_t count, size_t size);

/* NULL is allowed. */
void vip_free(void *block);

/* a * b, or SIZE_MAX if it overflows. */
size_t vip_product(size_t a, size_t b);

/* A copy of the string, to be freed with vip_free; NULL if memory is short. */
char *vip_copy_string(const char *text);

#endif /* VIP_BASE_MEMORY_H */
