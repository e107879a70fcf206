/* SPDX-License-Identifier: GPL-3.0-or-later */
/* feed_parts.h -- what the files of the feed share; for feed*.c alone. */
#ifndef VIP_TRAINER_FEED_PARTS_H
#define VIP_TRAINER_FEED_PARTS_H

#include "feed.h"

#define VIP_NO_CLIP SIZE_MAX

/* What one output learns: before mixup [2 * rows][size], and of the batch [rows][size]. */
typedef struct {
    size_t size;
    float *of_rows, *rows_mask, *target, *mask;
} vip_learning;

struct vip_feed {
    vip_feed_options o;
    uint32_t frames; /* of the batch at hand */
    bool mixed;
    float *logmel, *scratch, *mix;
    vip_stripes *stripes;
    uint32_t *draws;
    size_t n_lists; /* balanced: classes that have clips */
    vip_part *lists;
    int32_t *class_of;  /* [clips of the cache], the class of one label; -1: none */
    int32_t *second_of; /* the same of the second output; -1: it does not learn from this clip */
    vip_learning logits, second, embedding;
    float *other; /* [rows][classes], the teacher's answers to loud background */
};

/* feed_learn.c */
vipann_status vip_feed_learn_new(vip_feed *feed, vipann_error *error);
void vip_feed_learn_free(vip_feed *feed);

/* Targets of one row before mixup: the crop of a clip from `from` to `to` seconds, and what is as loud as it. */
void vip_feed_learn_row(vip_feed *feed, size_t row, size_t clip, double from, double to, size_t loud, double loud_from,
                        double loud_to);

/* Mixes them as the batch is mixed, and says where they are. */
void vip_feed_learn_mixed(vip_feed *feed, vip_fed *out);

#endif /* VIP_TRAINER_FEED_PARTS_H */
