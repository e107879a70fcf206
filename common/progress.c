/* SPDX-License-Identifier: GPL-3.0-or-later */
/* progress.c -- see progress.h for the contract. */
#include "progress.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "number.h"

enum { BAR = 24, FIXED = BAR + 24 }; /* cells of the bar, and of all but the name */

static const double FIRST_S = 0.5, EVERY_S = 0.1, ESTIMATE_S = 1.0;

static double
now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

vip_progress
vip_progress_begin(FILE *out)
{
    vip_progress progress = {.out = out, .style = vip_text_style_of(out), .begun = now()};
    const char *kind = getenv("TERM");
    if (kind == NULL || strcmp(kind, "dumb") == 0) {
        progress.style.terminal = false; /* it could not take the bar away again */
    }
    return progress;
}

void
vip_progress_update(vip_progress *progress, double fraction, const char *what)
{
    if (!progress->style.terminal) {
        return;
    }
    double t = now(), elapsed = t - progress->begun;
    if (elapsed < FIRST_S || t - progress->drawn < EVERY_S) {
        return;
    }
    char time_text[VIP_NUMBER_SIZE];
    bool known = fraction > 0 && elapsed >= ESTIMATE_S;
    double left = known ? elapsed * (1 - fraction) / fraction : elapsed;
    progress->drawn = t;
    progress->shown = true;
    progress->style.columns = vip_text_style_of(progress->out).columns; /* the window may have changed its size */
    (void)fputc('\r', progress->out);
    if (fraction >= 0) {
        vip_text_look_set(progress->out, &progress->style, VIP_BLUE);
        vip_text_bar(progress->out, &progress->style, fraction, BAR);
        vip_text_look_set(progress->out, &progress->style, VIP_PLAIN);
        (void)fprintf(progress->out, " %3d %%", (int)(100 * fraction));
    }
    (void)fprintf(progress->out, "  %s %s  ", vip_number_clock(time_text, left, 0), known ? "left" : "so far");
    if (progress->style.columns > FIXED) {
        (void)vip_text_put(progress->out, &progress->style, what, 0, progress->style.columns - FIXED);
    }
    (void)fputs("\033[K", progress->out); /* the rest of the line */
    (void)fflush(progress->out);
}

void
vip_progress_clear(vip_progress *progress)
{
    if (progress->shown) {
        (void)fputs("\r\033[K", progress->out);
        (void)fflush(progress->out);
        progress->shown = false;
        progress->drawn = 0;
    }
}
