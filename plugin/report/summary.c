/* SPDX-License-Identifier: GPL-3.0-or-later */
/* summary.c -- see summary.h for the contract. */
#include "summary.h"

#include <common/support.h>

vipann_status
vip_summary_begin(vip_summary *summary, uint32_t classes, vipann_error *error)
{
    summary->classes = classes;
    summary->of = vip_alloc(classes, sizeof *summary->of);
    return summary->of != NULL ? VIPANN_OK : vip_fail_memory(error, "the summary");
}

void
vip_summary_end(vip_summary *summary)
{
    vip_free(summary->of);
    *summary = (vip_summary){0};
}

static void
offer(vip_class_summary *to, const char *file, double start, double p_max)
{
    if (to->file == NULL || p_max > to->p_max) {
        to->file = file;
        to->start = start;
        to->p_max = p_max;
    }
}

void
vip_summary_add(vip_summary *summary, const char *file, const vipann_event *event)
{
    vip_class_summary *to = &summary->of[event->class_index];
    to->events++;
    to->seconds += event->end_seconds - event->start_seconds;
    offer(to, file, event->start_seconds, event->p_max);
}

void
vip_summary_merge(vip_summary *summary, const vip_summary *other)
{
    for (uint32_t i = 0; i < summary->classes; i++) {
        if (other->of[i].events > 0) {
            summary->of[i].events += other->of[i].events;
            summary->of[i].seconds += other->of[i].seconds;
            offer(&summary->of[i], other->of[i].file, other->of[i].start, other->of[i].p_max);
        }
    }
}

uint32_t
vip_summary_rank(const vip_summary *summary, uint32_t *order)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < summary->classes; i++) {
        if (summary->of[i].events == 0) {
            continue;
        }
        uint32_t at = n++; /* an insertion: there are few, and each is put in once for a whole batch */
        for (; at > 0 && summary->of[order[at - 1]].seconds < summary->of[i].seconds; at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
    return n;
}
