/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jobs.h -- several recordings, one after another or at once, reported in the order in which they were named. */
#ifndef VIP_PLUGIN_FILE_JOBS_H
#define VIP_PLUGIN_FILE_JOBS_H

#include <stddef.h>
#include <stdio.h>

#include "analyse.h"
#include "report.h"

typedef struct {
    vip_analysis analysis;
    const vip_format *format;
    vip_report report;   /* out, style, clip and top are set: one for each recording is made from it */
    const char *program; /* what lines on stderr begin with */
    const char *const *paths;
    size_t n_paths;
    size_t threads; /* 1: results are written as they come; more: a whole recording at a time */
} vip_jobs;

typedef struct {
    size_t failed;    /* recordings of which not everything could be heard; each has had its line on stderr */
    int output_errno; /* why the results could not be written, and everything stopped; 0: they could */
} vip_jobs_outcome;

/* Analyses all of them. E_MEMORY if it could not even begin. */
vipann_status vip_jobs_run(const vip_jobs *jobs, vip_jobs_outcome *outcome, vipann_error *error);

#endif /* VIP_PLUGIN_FILE_JOBS_H */
