/* SPDX-License-Identifier: GPL-3.0-or-later */
/* asked.h -- the options that all sub-commands which hear have in common, and what they mean. A row of an option is the
 * same object in the tables of all commands that have it. */
#ifndef VIP_PLUGIN_PROGRAM_ASKED_H
#define VIP_PLUGIN_PROGRAM_ASKED_H

#include <common/options.h>
#include <vipann/vipann.h>

/* The headings of the help, in this order. */
#define VIP_GROUP_SOUND   "What to hear"
#define VIP_GROUP_NETWORK "How to hear it"
#define VIP_GROUP_RULES   "What counts as an event"
#define VIP_GROUP_RESULTS "What to write"

extern const vip_option VIP_OPTION_CHANNEL;
extern const vip_option VIP_OPTION_PRESET, VIP_OPTION_MODEL, VIP_OPTION_PASSES, VIP_OPTION_MEMBERS, VIP_OPTION_SEED,
    VIP_OPTION_HOP, VIP_OPTION_WINDOW, VIP_OPTION_HORIZON;
extern const vip_option VIP_OPTION_RULES, VIP_OPTION_THRESHOLD, VIP_OPTION_ONLY, VIP_OPTION_IGNORE;
extern const vip_option VIP_OPTION_EVENTS, VIP_OPTION_TOP;

extern const char *const VIP_MEMBERS_NAMES[]; /* in the order of vipann_members; ends with NULL */

/* Fills the options of an engine as far as the options above say them; rules, latency and pieces are the caller's. */
void vip_asked_engine_options(const vip_arguments *arguments, const vipann_model *model, vipann_options *options);

/* The rules of the file and the options; NULL: E_ARG, or as vipann_rules_read. */
vipann_rules *vip_asked_rules(const vip_arguments *arguments, const vipann_model *model, vipann_error *error);

#endif /* VIP_PLUGIN_PROGRAM_ASKED_H */
