/* SPDX-License-Identifier: GPL-3.0-or-later */
/* level.h -- how loud the sound is that an answer is about: root mean square over columns. */
#ifndef VIP_DECIDE_LEVEL_H
#define VIP_DECIDE_LEVEL_H

#include <stddef.h>
#include <stdint.h>

typedef struct vip_level vip_level;

/* column_frames: frames of the input in a column, at least 1; it need not be whole: column c of the sound has the frames
 * from ceil(c * column_frames) to before ceil((c + 1) * column_frames). kept: complete columns, besides the one that is
 * being filled, of which any window can be asked for; of those before, there is only the sum of all. NULL: memory is
 * short. Nothing is allocated later. */
vip_level *vip_level_new(double column_frames, uint32_t kept);
void vip_level_free(vip_level *level);

/* What is fed next begins column `first` of the sound, first >= 0, which is column 0 of what can be asked for. */
void vip_level_reset(vip_level *level, int64_t first);

/* Takes n finite samples, full scale 1.0. The size of the pieces changes no bit of any level. */
void vip_level_feed(vip_level *level, const float *samples, size_t n);

/* The level in dBFS, at least -200, over the last `columns` columns before `end` (counted since the reset), or as many as
 * there are; 0: over all of them. Of a column that is not complete what there is counts. The window must begin at
 * column 0 or lie among the columns kept, and `end` must be no older than these. */
double vip_level_window(const vip_level *level, int64_t end, uint32_t columns);

#endif /* VIP_DECIDE_LEVEL_H */
