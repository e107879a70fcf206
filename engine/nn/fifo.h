/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fifo.h -- the columns of one level of the network, in the layout of the kernels (kernels/conv.h).
 *
 * A window on an endless sequence: columns are appended at the end, and the oldest are forgotten when room is needed.
 * Columns before the first are zero: that is the padding at the start of the sound. */
#ifndef VIP_NN_FIFO_H
#define VIP_NN_FIFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    float *data; /* borrowed: [blocks][capacity][members][bins + 2][lanes] */
    uint32_t channels, lanes, blocks, capacity, members, bins;
    size_t block, column, member; /* strides in floats */
    int64_t origin;               /* the column in the first place */
} vip_fifo;

/* Sets the shape; nothing is allocated. lanes: channels of a block, 16, or 1 for the frames at the input. */
void vip_fifo_shape(vip_fifo *fifo, uint32_t lanes, uint32_t channels, uint32_t bins, uint32_t members,
                    uint32_t capacity);

/* The floats that the shape takes, a multiple of 16. The caller lets data point at so many, aligned to 64 bytes. */
size_t vip_fifo_size(const vip_fifo *fifo);

/* First state: all zero, the first place is that of column `origin` (negative: padding). */
void vip_fifo_reset(vip_fifo *fifo, int64_t origin);

/* Makes room for columns up to `end` (excluded), moving those from `needed` to `held` (excluded), which are all that
 * count, to the front if there is none at the back. origin <= needed <= held, end - needed <= capacity. */
void vip_fifo_reserve(vip_fifo *fifo, int64_t needed, int64_t held, int64_t end);

/* The first channel of member 0, first bin, of a column that has a place. */
float *vip_fifo_at(const vip_fifo *fifo, int64_t column);

/* Sets `columns` columns of members first .. last - 1 to zero, from a column on that has a place. */
void vip_fifo_zero(vip_fifo *fifo, int64_t column, int64_t columns, uint32_t first, uint32_t last);

#endif /* VIP_NN_FIFO_H */
