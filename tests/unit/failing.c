/* SPDX-License-Identifier: GPL-3.0-or-later */
/* failing.c -- see failing.h for the contract. */
#include "failing.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

static atomic_long first_to_fail = -1; /* negative: none; a test's thread sets it before others run */
static atomic_long asked;

void
failing_after(long n)
{
    atomic_store(&first_to_fail, n);
    atomic_store(&asked, 0);
}

long
failing_count(void)
{
    return atomic_load(&asked);
}

static bool
fails(void)
{
    long position = atomic_fetch_add(&asked, 1);
    long first = atomic_load(&first_to_fail);
    return first >= 0 && position >= first;
}

/* The names are the linker's: it sends calls of X to __wrap_X, and __real_X to X. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

void *
__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *block, size_t size)
{
    return fails() ? NULL : __real_realloc(block, size);
}

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}
