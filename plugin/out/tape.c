/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tape.c -- see tape.h for the contract. A ring of blocks: `put` counts those that are full, `taken` those that have been
 * read; each is written by one thread, with release, and read by the other, with acquire. */
#include "tape.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include <common/support.h>

typedef struct {
    uint64_t at;
    uint32_t frames;
} label;

struct vip_tape {
    uint32_t channels, blocks;
    label *labels;  /* [blocks] */
    float *samples; /* [blocks][VIP_TAPE_BLOCK][channels] */
    atomic_uint_least64_t put, taken;
    uint64_t at;   /* frames so far; the audio thread's, as is what follows */
    bool open;     /* the block after the last full one has been begun */
    uint32_t used; /* frames in it */
};

vip_tape *
vip_tape_new(double seconds, double rate, uint32_t channels)
{
    vip_tape *tape = vip_alloc(1, sizeof *tape);
    if (tape == NULL) {
        return NULL;
    }
    tape->channels = channels;
    tape->blocks = (uint32_t)ceil(seconds * rate / VIP_TAPE_BLOCK) + 1;
    tape->labels = vip_alloc(tape->blocks, sizeof *tape->labels);
    tape->samples = vip_alloc((size_t)tape->blocks * VIP_TAPE_BLOCK * channels, sizeof *tape->samples);
    atomic_init(&tape->put, 0);
    atomic_init(&tape->taken, 0);
    if (tape->labels == NULL || tape->samples == NULL) {
        vip_tape_free(tape);
        return NULL;
    }
    memset(tape->samples, 0, (size_t)tape->blocks * VIP_TAPE_BLOCK * channels * sizeof *tape->samples);
    return tape;
}

void
vip_tape_free(vip_tape *tape)
{
    if (tape != NULL) {
        vip_free(tape->labels);
        vip_free(tape->samples);
        vip_free(tape);
    }
}

static void publish(vip_tape *tape) VIPANN_RT;
static bool begin_block(vip_tape *tape) VIPANN_RT;

static void
publish(vip_tape *tape)
{
    const uint64_t put = atomic_load_explicit(&tape->put, memory_order_relaxed);
    tape->labels[put % tape->blocks].frames = tape->used;
    tape->open = false;
    atomic_store_explicit(&tape->put, put + 1, memory_order_release);
}

/* False: there is no room. */
static bool
begin_block(vip_tape *tape)
{
    const uint64_t put = atomic_load_explicit(&tape->put, memory_order_relaxed);
    if (put - atomic_load_explicit(&tape->taken, memory_order_acquire) >= tape->blocks) {
        return false;
    }
    tape->labels[put % tape->blocks].at = tape->at;
    tape->open = true;
    tape->used = 0;
    return true;
}

void
vip_tape_put(vip_tape *tape, const float *const *channels, uint32_t frames)
{
    for (uint32_t done = 0; done < frames;) {
        if (!tape->open && !begin_block(tape)) {
            tape->at += frames - done;
            return;
        }
        const uint64_t place = atomic_load_explicit(&tape->put, memory_order_relaxed) % tape->blocks;
        const uint32_t room = VIP_TAPE_BLOCK - tape->used, left = frames - done, n = left < room ? left : room;
        float *out = tape->samples + (place * VIP_TAPE_BLOCK + tape->used) * tape->channels;
        for (uint32_t i = 0; i < n; i++) {
            for (uint32_t c = 0; c < tape->channels; c++) {
                *out++ = channels[c][done + i];
            }
        }
        tape->used += n;
        tape->at += n;
        done += n;
        if (tape->used == VIP_TAPE_BLOCK) {
            publish(tape);
        }
    }
}

uint32_t
vip_tape_take(vip_tape *tape, uint64_t *at, float *out)
{
    const uint64_t taken = atomic_load_explicit(&tape->taken, memory_order_relaxed);
    if (taken == atomic_load_explicit(&tape->put, memory_order_acquire)) {
        return 0;
    }
    const label *block = &tape->labels[taken % tape->blocks];
    const uint32_t frames = block->frames;
    *at = block->at;
    memcpy(out, tape->samples + taken % tape->blocks * VIP_TAPE_BLOCK * tape->channels,
           (size_t)frames * tape->channels * sizeof *out);
    atomic_store_explicit(&tape->taken, taken + 1, memory_order_release);
    return frames;
}

double
vip_tape_fill(const vip_tape *tape)
{
    const uint64_t taken = atomic_load_explicit(&tape->taken, memory_order_relaxed);
    return (double)(atomic_load_explicit(&tape->put, memory_order_relaxed) - taken) / tape->blocks;
}

void
vip_tape_end(vip_tape *tape)
{
    if (tape->open) {
        publish(tape);
    }
}
