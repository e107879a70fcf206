/* SPDX-License-Identifier: GPL-3.0-or-later */
/* watch.h -- sees what a thread does that an audio thread must not do.
 *
 * watch.c defines malloc, the mutex functions, write and their like for the whole program, libraries that are loaded later
 * included, and counts calls of them by a thread that has armed itself. Calls within the C library, and system calls by
 * the processor's own instruction, are not seen. Not to be joined with sanitizers, which do the same for themselves. */
#ifndef TESTS_RT_WATCH_H
#define TESTS_RT_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WATCH_WORKS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define WATCH_WORKS 0
#elif __has_feature(realtime_sanitizer)
#define WATCH_WORKS            0
#define WATCHED_BY_A_SANITIZER 1 /* which ends the program when a function that is marked VIPANN_RT does such a thing */
#endif
#endif
#ifndef WATCH_WORKS
#define WATCH_WORKS 1
#endif
#ifndef WATCHED_BY_A_SANITIZER
#define WATCHED_BY_A_SANITIZER 0
#endif

/* Watches the calling thread, or no longer. */
void watch_arm(bool armed);

/* Calls seen since the last reset, of all armed threads, and the name of the first. */
uint64_t watch_hits(void);
const char *watch_first(void); /* NULL: none */
void watch_reset(void);

#endif /* TESTS_RT_WATCH_H */
