/* SPDX-License-Identifier: GPL-3.0-or-later */
/* denormals.h -- numbers too small to be normal count as zero while we compute: they cost some processors a hundred
 * cycles each and carry nothing. The caller's state is given back, since a host's thread is not ours. */
#ifndef VIP_BASE_DENORMALS_H
#define VIP_BASE_DENORMALS_H

#if defined(__SSE2__)
#include <xmmintrin.h>

static inline unsigned
vip_denormals_off(void)
{
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040u); /* flush to zero, denormals are zero */
    return before;
}

static inline void
vip_denormals_restore(unsigned before)
{
    _mm_setcsr(before);
}
#else
static inline unsigned
vip_denormals_off(void)
{
    return 0;
}

static inline void
vip_denormals_restore(unsigned before)
{
    (void)before;
}
#endif

#endif /* VIP_BASE_DENORMALS_H */
