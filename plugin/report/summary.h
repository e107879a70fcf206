/* SPDX-License-Identifier: GPL-3.0-or-later */
/* summary.h -- what was heard in all recordings together, class by class. */
#ifndef VIP_PLUGIN_REPORT_SUMMARY_H
#define VIP_PLUGIN_REPORT_SUMMARY_H

#include <vipann/vipann.h>

typedef struct {
    uint64_t events;
    double seconds;      /* their lengths added up */
    const char *file;    /* of the most certain one: borrowed */
    double start, p_max; /* of that one */
} vip_class_summary;

typedef struct {
    uint32_t classes;
    vip_class_summary *of; /* [classes] */
} vip_summary;

/* Nothing heard yet. E_MEMORY. */
vipann_status vip_summary_begin(vip_summary *summary, uint32_t classes, vipann_error *error);

void vip_summary_end(vip_summary *summary);

/* Counts an event of a recording; file stays the caller's and must last as long as the summary. */
void vip_summary_add(vip_summary *summary, const char *file, const vipann_event *event);

/* Adds what was heard in another recording. Sums of seconds depend on the order in their last bits: keep to one. */
void vip_summary_merge(vip_summary *summary, const vip_summary *other);

/* The classes that were heard, the longest first (of equals the lower index), into order [classes]; returns how many. */
uint32_t vip_summary_rank(const vip_summary *summary, uint32_t *order);

#endif /* VIP_PLUGIN_REPORT_SUMMARY_H */
