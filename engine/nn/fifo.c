/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fifo.c -- see fifo.h for the contract. */
#include "fifo.h"

#include <assert.h>
#include <string.h>

void
vip_fifo_shape(vip_fifo *fifo, uint32_t lanes, uint32_t channels, uint32_t bins, uint32_t members, uint32_t capacity)
{
    *fifo = (vip_fifo){.channels = channels,
                       .lanes = lanes,
                       .blocks = (channels + lanes - 1) / lanes,
                       .capacity = capacity,
                       .members = members,
                       .bins = bins};
    fifo->member = ((size_t)bins + 2) * lanes;
    fifo->column = fifo->member * members;
    fifo->block = fifo->column * capacity;
}

size_t
vip_fifo_size(const vip_fifo *fifo)
{
    return (fifo->blocks * fifo->block + 15) / 16 * 16;
}

void
vip_fifo_reset(vip_fifo *fifo, int64_t origin)
{
    memset(fifo->data, 0, fifo->blocks * fifo->block * sizeof(float));
    fifo->origin = origin;
}

void
vip_fifo_reserve(vip_fifo *fifo, int64_t needed, int64_t held, int64_t end)
{
    assert(needed >= fifo->origin && held >= needed && end - needed <= (int64_t)fifo->capacity);
    if (end - fifo->origin <= (int64_t)fifo->capacity) {
        return;
    }
    size_t skip = (size_t)(needed - fifo->origin) * fifo->column, kept = (size_t)(held - needed) * fifo->column;
    for (uint32_t b = 0; b < fifo->blocks; b++) {
        float *block = fifo->data + b * fifo->block;
        memmove(block, block + skip, kept * sizeof(float));
    }
    fifo->origin = needed;
}

float *
vip_fifo_at(const vip_fifo *fifo, int64_t column)
{
    assert(column >= fifo->origin && column - fifo->origin <= (int64_t)fifo->capacity);
    return fifo->data + (size_t)(column - fifo->origin) * fifo->column;
}

void
vip_fifo_zero(vip_fifo *fifo, int64_t column, int64_t columns, uint32_t first, uint32_t last)
{
    float *start = vip_fifo_at(fifo, column) + first * fifo->member;
    size_t bytes = (last - first) * fifo->member * sizeof(float);
    for (uint32_t b = 0; b < fifo->blocks; b++) {
        for (int64_t t = 0; t < columns; t++) {
            memset(start + b * fifo->block + (size_t)t * fifo->column, 0, bytes);
        }
    }
}
