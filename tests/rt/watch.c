/* SPDX-License-Identifier: GPL-3.0-or-later */
/* watch.c -- see watch.h for the contract. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "watch.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static _Thread_local bool armed_here;
static atomic_uint_fast64_t hits;
static _Atomic(const char *) first;

void
watch_arm(bool armed)
{
    armed_here = armed;
}

uint64_t
watch_hits(void)
{
    return atomic_load(&hits);
}

const char *
watch_first(void)
{
    return atomic_load(&first);
}

void
watch_reset(void)
{
    atomic_store(&hits, 0);
    atomic_store(&first, NULL);
}

#if WATCH_WORKS

static void
see(const char *name)
{
    if (armed_here) {
        const char *none = NULL;
        (void)atomic_compare_exchange_strong(&first, &none, name);
        (void)atomic_fetch_add(&hits, 1);
    }
}

/* The definition that ours hides. */
static void
find(void *function, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found); /* ISO C has no cast from an object to a function */
}

#define SEEN __attribute__((visibility("default"))) /* by libraries too */

/* ----------------------------------------------------------------------------------------------------------- memory */

/* By these names the C library can be called without looking it up, which would need memory. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);

SEEN void *
malloc(size_t size)
{
    see("malloc");
    return __libc_malloc(size);
}

SEEN void *
calloc(size_t n, size_t size)
{
    see("calloc");
    return __libc_calloc(n, size);
}

SEEN void *
realloc(void *p, size_t size)
{
    see("realloc");
    return __libc_realloc(p, size);
}

SEEN void
free(void *p)
{
    see("free");
    __libc_free(p);
}

SEEN void *
memalign(size_t alignment, size_t size)
{
    see("memalign");
    return __libc_memalign(alignment, size);
}

SEEN void *
aligned_alloc(size_t alignment, size_t size)
{
    see("aligned_alloc");
    return __libc_memalign(alignment, size);
}

SEEN int
posix_memalign(void **p, size_t alignment, size_t size)
{
    see("posix_memalign");
    *p = __libc_memalign(alignment, size);
    return *p == NULL ? ENOMEM : 0;
}

/* ------------------------------------------------------------------------------------------------ all that may wait */

#define WATCHED(type, name, parameters, arguments)                                                                     \
    SEEN type name parameters                                                                                          \
    {                                                                                                                  \
        static __typeof__(name) *real;                                                                                 \
        see(#name);                                                                                                    \
        if (real == NULL) {                                                                                            \
            find(&real, #name);                                                                                        \
        }                                                                                                              \
        return real arguments;                                                                                         \
    }

WATCHED(int, pthread_mutex_lock, (pthread_mutex_t * m), (m))
WATCHED(int, pthread_mutex_trylock, (pthread_mutex_t * m), (m))
WATCHED(int, pthread_mutex_timedlock, (pthread_mutex_t * m, const struct timespec *t), (m, t))
WATCHED(int, pthread_mutex_unlock, (pthread_mutex_t * m), (m))
WATCHED(int, pthread_rwlock_rdlock, (pthread_rwlock_t * l), (l))
WATCHED(int, pthread_rwlock_wrlock, (pthread_rwlock_t * l), (l))
WATCHED(int, pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t *m), (c, m))
WATCHED(int, pthread_cond_timedwait, (pthread_cond_t * c, pthread_mutex_t *m, const struct timespec *t), (c, m, t))
WATCHED(int, pthread_cond_signal, (pthread_cond_t * c), (c))
WATCHED(int, pthread_cond_broadcast, (pthread_cond_t * c), (c))
WATCHED(int, pthread_create, (pthread_t * t, const pthread_attr_t *a, void *(*f)(void *), void *x), (t, a, f, x))
WATCHED(int, pthread_join, (pthread_t t, void **x), (t, x))
WATCHED(int, sem_wait, (sem_t * s), (s))
WATCHED(int, sem_timedwait, (sem_t * s, const struct timespec *t), (s, t))
WATCHED(int, sem_post, (sem_t * s), (s))
WATCHED(int, sched_yield, (void), ())
WATCHED(int, usleep, (useconds_t us), (us))
WATCHED(int, nanosleep, (const struct timespec *t, struct timespec *left), (t, left))
WATCHED(int, clock_nanosleep, (clockid_t c, int flags, const struct timespec *t, struct timespec *left),
        (c, flags, t, left))
WATCHED(ssize_t, read, (int f, void *p, size_t n), (f, p, n))
WATCHED(ssize_t, write, (int f, const void *p, size_t n), (f, p, n))
WATCHED(int, close, (int f), (f))
WATCHED(void *, mmap, (void *p, size_t n, int how, int flags, int f, off_t at), (p, n, how, flags, f, at))
WATCHED(int, munmap, (void *p, size_t n), (p, n))
WATCHED(int, madvise, (void *p, size_t n, int advice), (p, n, advice))

SEEN int
open(const char *path, int flags, ...)
{
    static int (*real)(const char *path, int flags, ...);
    va_list list;
    va_start(list, flags);
    unsigned mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, unsigned) : 0;
    va_end(list);
    see("open");
    if (real == NULL) {
        find(&real, "open");
    }
    return real(path, flags, mode);
}

/* Six words are passed on, which is the most that a system call takes. */
SEEN long
syscall(long number, ...)
{
    static long (*real)(long number, ...);
    long word[6];
    va_list list;
    va_start(list, number);
    for (size_t i = 0; i < 6; i++) {
        word[i] = va_arg(list, long);
    }
    va_end(list);
    see("syscall");
    if (real == NULL) {
        find(&real, "syscall");
    }
    return real(number, word[0], word[1], word[2], word[3], word[4], word[5]);
}

#endif /* WATCH_WORKS */
