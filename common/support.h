/* SPDX-License-Identifier: GPL-3.0-or-later */
/* support.h -- the little that hosts take from the ground floor of the library: how to say that something failed,
 * memory that a test can make fail, and what is hot. */
#ifndef VIP_COMMON_SUPPORT_H
#define VIP_COMMON_SUPPORT_H

#include <base/hot.h>
#include <base/memory.h>
#include <base/status.h>

#endif /* VIP_COMMON_SUPPORT_H */
