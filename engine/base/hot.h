/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hot.h -- which functions each call of an audio thread runs, and which it hardly ever does.
 *
 * Between two calls other work evicts the code from the caches, and what is fetched again line by line and page by page
 * takes longer than what is to be done. What is marked hot lies together in few pages; what is marked cold lies elsewhere
 * and is not inlined into the hot. */
#ifndef VIP_BASE_HOT_H
#define VIP_BASE_HOT_H

#if defined(__GNUC__)
#define VIP_HOT  __attribute__((hot))
#define VIP_COLD __attribute__((cold, noinline))
#else
#define VIP_HOT
#define VIP_COLD
#endif

#endif /* VIP_BASE_HOT_H */
