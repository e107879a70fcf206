/* SPDX-License-Identifier: GPL-3.0-or-later */
/* record.h -- events kept in a store (common/store.h), as options ask for it. Main thread. What cannot be kept is counted and
 * told, and never keeps anybody waiting for longer than another program locks the store, a fifth of a second at most. */
#ifndef VIP_PLUGIN_OUT_RECORD_H
#define VIP_PLUGIN_OUT_RECORD_H

#include <common/options.h>

#include "clips.h"
#include "told.h"

typedef struct vip_record vip_record;

/* From --store and what belongs to it; *record is NULL, and that is no failure, if they do not ask for it. Errors: as
 * vip_store_open. */
vipann_status vip_record_asked(const vip_arguments *arguments, vip_record **record, vipann_error *error);

/* NULL is allowed. */
void vip_record_free(vip_record *record);

void vip_record_event(vip_record *record, const vip_told *told);

/* Names the clip of an event that was put; input: its name. */
void vip_record_clip(vip_record *record, const char *input, const vip_clip *clip);

/* Keeps the limits, now and then. now: s, of a clock that only goes forward. */
void vip_record_turn(vip_record *record, double now);

/* Why the newest of what could not be kept since the last look was not; NULL: all was. */
const char *vip_record_look(vip_record *record);

extern const vip_option VIP_OPTION_STORE, VIP_OPTION_STORE_DAYS, VIP_OPTION_STORE_LIMIT;

#ifdef VIPANN_SQLITE
#define VIP_RECORD_OPTIONS &VIP_OPTION_STORE, &VIP_OPTION_STORE_DAYS, &VIP_OPTION_STORE_LIMIT,
#else
#define VIP_RECORD_OPTIONS /* built without SQLite */
#endif

#endif /* VIP_PLUGIN_OUT_RECORD_H */
