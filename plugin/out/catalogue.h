/* SPDX-License-Identifier: GPL-3.0-or-later */
/* catalogue.h -- a folder of clips and its clips.csv, a manifest as `vipann-train features` reads it: path, labels, fold,
 * group, one row per clip. The folder stays below a size: the oldest clips go, and their rows with them. What is not in the
 * table is somebody else's and is never touched; a row that somebody has changed stays as it is. Main thread. */
#ifndef VIP_PLUGIN_OUT_CATALOGUE_H
#define VIP_PLUGIN_OUT_CATALOGUE_H

#include <stdint.h>

#include <vipann/vipann.h>

typedef struct vip_catalogue vip_catalogue;

typedef struct {
    const char *name; /* of the file, in the folder: letters, digits and -._ only */
    const char *label;
    const char *group; /* of the recording, as it were: clips of one group are not shared between training and test */
    uint64_t bytes;
} vip_clip_row;

/* Makes the folder, or goes on with the one that is there; most: bytes that its clips may take, 0: no limit. NULL: E_IO,
 * E_MEMORY. */
vip_catalogue *vip_catalogue_open(const char *folder, uint64_t most, vipann_error *error);

/* NULL is allowed. */
void vip_catalogue_close(vip_catalogue *catalogue);

/* Enters a clip that is there, and makes room if there are too many. On failure it is not entered: E_IO, E_MEMORY. */
vipann_status vip_catalogue_add(vip_catalogue *catalogue, const vip_clip_row *row, vipann_error *error);

/* Clips that are entered, and their bytes. */
uint64_t vip_catalogue_count(const vip_catalogue *catalogue);
uint64_t vip_catalogue_bytes(const vip_catalogue *catalogue);

#endif /* VIP_PLUGIN_OUT_CATALOGUE_H */
