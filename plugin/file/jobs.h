/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jobs.h -- several recordings, one after another or at once, brought in the order in which they are listed. */
#ifndef VIP_PLUGIN_FILE_JOBS_H
#define VIP_PLUGIN_FILE_JOBS_H

#include <stddef.h>
#include <stdio.h>

#include <common/paths.h>

#include "analyse.h"
#include "delivery.h"
#include <plugin/report/report.h>

typedef struct {
    vip_analysis analysis;
    const vip_format *format;
    vip_report report;   /* style, subject, clip, top and index (of the first) are set: one for each recording is
                             * made from it */
    const char *program; /* what lines on stderr begin with */
    const vip_paths *paths;
    size_t threads; /* 1: results are written as they come, where the place allows it */
    vip_delivery *delivery;
} vip_jobs;

/* Analyses all of them; *failed is how many recordings could not be heard wholly; each has had its line on stderr.
 * Errors, after which everything has stopped: E_MEMORY and E_IO, of the place that results go to or of temporary files;
 * the text is empty if nobody reads them any more. */
vipann_status vip_jobs_run(const vip_jobs *jobs, size_t *failed, vipann_error *error);

#endif /* VIP_PLUGIN_FILE_JOBS_H */
