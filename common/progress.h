/* SPDX-License-Identifier: GPL-3.0-or-later */
/* progress.h -- a bar with the time left, on a terminal only.
 *
 * It lives on the last line of the terminal. Whoever is about to write a line to the same terminal calls
 * vip_progress_clear first; the bar comes back with the next update. One thread. */
#ifndef VIP_COMMON_PROGRESS_H
#define VIP_COMMON_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

#include "text.h"

typedef struct {
    FILE *out;
    vip_text_style style;
    double begun, drawn; /* s on the monotonic clock; drawn 0: not since it was cleared */
    bool shown;
} vip_progress;

/* A bar on `out` (borrowed), from now on; does nothing at all if that is not a terminal. */
vip_progress vip_progress_begin(FILE *out);

/* Shows how far the work is (0 .. 1; negative: unknown, only the time is shown) and what is being done. Cheap: draws
 * at most ten times a second, and not before half a second has passed. */
void vip_progress_update(vip_progress *progress, double fraction, const char *what);

/* Takes the bar away, so that a line can be written. */
void vip_progress_clear(vip_progress *progress);

#endif /* VIP_COMMON_PROGRESS_H */
