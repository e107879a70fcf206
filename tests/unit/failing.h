/* SPDX-License-Identifier: GPL-3.0-or-later */
/* failing.h -- an allocator that fails when a test wants it to.
 *
 * The linker puts it before malloc, calloc, realloc and aligned_alloc in every unit test (--wrap), so that code under
 * test needs no hook. Only calls made from vipann's own objects and the test are seen, not those inside libraries.
 * One thread at a time sets it; any thread may allocate. */
#ifndef TESTS_UNIT_FAILING_H
#define TESTS_UNIT_FAILING_H

/* The n-th allocation from now on fails (0: the next one), and all after it; negative: none. */
void failing_after(long n);

/* Allocations asked for since the last failing_after, those that failed included. */
long failing_count(void);

#endif /* TESTS_UNIT_FAILING_H */
