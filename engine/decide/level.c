/* SPDX-License-Identifier: GPL-3.0-or-later */
/* level.c -- see level.h for the contract.
 *
 * Each column has its own sum of squares, one sample after the other, and windows add columns in the order of time. A
 * running sum over everything would be cheaper, but what is quiet after something loud would drown in its rounding. */
#include "level.h"

#include <base/memory.h>

#include <math.h>

static const double FLOOR_DBFS = -200.0;

struct vip_level {
    double column_frames;
    uint32_t slots;  /* columns kept, and the one that is being filled */
    int64_t first;   /* column of the sound that is column 0 here */
    int64_t column;  /* that is being filled */
    uint64_t fed;    /* frame of the sound that comes next */
    uint64_t full;   /* frame of the sound with which the next column begins */
    double older;    /* sum of the columns that are not kept */
    double *squares; /* [slots] sums; column c is at c modulo slots */
};

vip_level *
vip_level_new(double column_frames, uint32_t kept)
{
    vip_level *level = vip_alloc(1, sizeof *level);
    if (level == NULL) {
        return NULL;
    }
    level->column_frames = column_frames;
    level->slots = kept + 1;
    level->squares = vip_alloc((size_t)kept + 1, sizeof *level->squares);
    if (level->squares == NULL) {
        vip_level_free(level);
        return NULL;
    }
    vip_level_reset(level, 0);
    return level;
}

void
vip_level_free(vip_level *level)
{
    if (level != NULL) {
        vip_free(level->squares);
        vip_free(level);
    }
}

/* Frame of the sound with which column c begins. */
static uint64_t
begin_of(const vip_level *level, int64_t c)
{
    return (uint64_t)ceil((double)(level->first + c) * level->column_frames);
}

static double *
slot_of(const vip_level *level, int64_t c)
{
    return &level->squares[(uint64_t)c % level->slots];
}

void
vip_level_reset(vip_level *level, int64_t first)
{
    level->first = first;
    level->column = 0;
    level->fed = begin_of(level, 0);
    level->full = begin_of(level, 1);
    level->older = 0.0;
    for (uint32_t i = 0; i < level->slots; i++) {
        level->squares[i] = 0.0;
    }
}

static void
next_column(vip_level *level)
{
    level->column++;
    level->full = begin_of(level, level->column + 1);
    double *slot = slot_of(level, level->column); /* the oldest column's, which leaves */
    level->older += *slot;
    *slot = 0.0;
}

void
vip_level_feed(vip_level *level, const float *samples, size_t n)
{
    while (n > 0) {
        const uint64_t left = level->full - level->fed;
        const size_t taken = n < left ? n : (size_t)left;
        double sum = *slot_of(level, level->column);
        for (size_t i = 0; i < taken; i++) {
            sum += (double)samples[i] * (double)samples[i];
        }
        *slot_of(level, level->column) = sum;
        level->fed += taken;
        samples += taken;
        n -= taken;
        if (level->fed == level->full) {
            next_column(level);
        }
    }
}

double
vip_level_window(const vip_level *level, int64_t end, uint32_t columns)
{
    const int64_t kept = (int64_t)level->slots - 1, oldest = level->column > kept ? level->column - kept : 0;
    int64_t begin = columns == 0 || end < (int64_t)columns ? 0 : end - (int64_t)columns;
    double sum = 0.0;
    end = end <= level->column ? end : level->column + 1;
    if (begin == 0) {
        sum = level->older;
    } else if (begin < oldest) {
        begin = oldest;
    }
    for (int64_t c = begin > oldest ? begin : oldest; c < end; c++) {
        sum += *slot_of(level, c);
    }
    const uint64_t from = begin_of(level, begin), full = begin_of(level, end),
                   to = full < level->fed ? full : level->fed;
    const double mean = to > from ? sum / (double)(to - from) : 0.0;
    const double dbfs = mean > 0.0 ? 10.0 * log10(mean) : FLOOR_DBFS;
    return dbfs > FLOOR_DBFS ? dbfs : FLOOR_DBFS;
}
