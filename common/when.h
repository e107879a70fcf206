/* SPDX-License-Identifier: GPL-3.0-or-later */
/* when.h -- moments as people write them. */
#ifndef VIP_COMMON_WHEN_H
#define VIP_COMMON_WHEN_H

#include <vipann/vipann.h>

/* Reads 2026-12-01, 2026-12-01T14:30, 2026-12-01T14:30:05 (the user's time zone, or UTC with a Z behind it), or a span back
 * from now: 90s, 15m, 2h, 3d, 1w. *out, now: seconds since 1970. E_ARG with one line that says what was found and expected;
 * where: what it begins with. Thread: any but the audio thread. */
vipann_status vip_when_read(const char *text, double now, const char *where, double *out, vipann_error *error);

#endif /* VIP_COMMON_WHEN_H */
