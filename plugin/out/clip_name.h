/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clip_name.h -- what a clip of an event is called: plain letters alone, whatever its label holds; sorted by name, clips are
 * sorted by time. Main thread. */
#ifndef VIP_PLUGIN_OUT_CLIP_NAME_H
#define VIP_PLUGIN_OUT_CLIP_NAME_H

#include "told.h"

enum { VIP_CLIP_LABEL = 256, VIP_CLIP_NAME = 160, VIP_CLIP_PATH = 4096 };

typedef struct {
    char name[VIP_CLIP_NAME];   /* 20261201T213005.123Z_in_1_17_Dog.flac */
    char path[VIP_CLIP_PATH];   /* in its folder */
    char label[VIP_CLIP_LABEL]; /* as the model has it, cut if it is long */
    char comment[VIP_CLIP_LABEL];
    char date[VIP_CLIP_NAME];  /* RFC 3339, of its first sample */
    char group[VIP_CLIP_NAME]; /* the input and the hour: what was recorded together */
} vip_clip_names;

/* start: of the clip, s of the time that events have. */
void vip_clip_name(vip_clip_names *out, const char *folder, const vip_told *told, double start);

#endif /* VIP_PLUGIN_OUT_CLIP_NAME_H */
