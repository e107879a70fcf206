/* SPDX-License-Identifier: GPL-3.0-or-later */
/* file_options.h -- the options of `vipann file`, and what they mean for an engine. */
#ifndef VIP_PLUGIN_FILE_FILE_OPTIONS_H
#define VIP_PLUGIN_FILE_FILE_OPTIONS_H

#include <common/options.h>
#include <vipann/vipann.h>

#include "journal.h"
#include <plugin/report/report.h>

/* The places of the options in the table. */
enum {
    VIP_FILE_START,
    VIP_FILE_DURATION,
    VIP_FILE_CHANNEL,
    VIP_FILE_RECURSIVE,
    VIP_FILE_SHARD,
    VIP_FILE_PRESET,
    VIP_FILE_MODEL,
    VIP_FILE_PASSES,
    VIP_FILE_MEMBERS,
    VIP_FILE_SEED,
    VIP_FILE_HOP,
    VIP_FILE_WINDOW,
    VIP_FILE_HORIZON,
    VIP_FILE_LATENCY,
    VIP_FILE_RULES,
    VIP_FILE_THRESHOLD,
    VIP_FILE_ONLY,
    VIP_FILE_IGNORE,
    VIP_FILE_EXPLAIN,
    VIP_FILE_EVENTS,
    VIP_FILE_SUMMARY,
    VIP_FILE_CLIP,
    VIP_FILE_DISPLAY,
    VIP_FILE_FORMAT,
    VIP_FILE_TOP,
    VIP_FILE_OUTPUT,
    VIP_FILE_OUTPUT_DIR,
    VIP_FILE_RESUME,
    VIP_FILE_THREADS,
    VIP_FILE_N_OPTIONS
};

/* Says what options ask for that cannot go together: E_ARG. Nothing is opened. */
vipann_status vip_file_check(const vip_arguments *arguments, vipann_error *error);

/* What --shard says: E_ARG if that is not I/N. */
vipann_status vip_file_shard(const char *text, uint64_t *i, uint64_t *n, vipann_error *error);

/* What is to be written. */
vip_subject vip_file_subject(const vip_value *values);

/* Fills the options of an engine, but for the rules. */
void vip_file_engine_options(const vip_arguments *arguments, const vipann_model *model, vipann_options *options);

/* Everything that results depend on, in words: fills settings and returns how many there are. */
enum { VIP_FILE_SETTINGS = 24 };
size_t vip_file_settings(const vip_value *values, const vipann_model *model, const vipann_options *options,
                         vip_setting settings[VIP_FILE_SETTINGS]);

#endif /* VIP_PLUGIN_FILE_FILE_OPTIONS_H */
