/* SPDX-License-Identifier: GPL-3.0-or-later */
/* targets.h -- what a teacher hears in the clips: scores of many classes per stretch of sound, and a vector per clip.
 *
 * A folder holds class_map.csv (index,mid,display_name) and for each set SET.csv (path,first_row,rows) and SET.safetensors
 * with start, class, score and perhaps embedding. Row k of a clip covers 0.48 k to 0.48 k + 0.96 seconds. */
#ifndef VIP_TRAINER_TARGETS_H
#define VIP_TRAINER_TARGETS_H

#include "cache.h"

typedef struct vip_targets vip_targets;

/* Reads the teacher's answers for those clips of the cache whose sets it knows. Errors: E_IO, E_FORMAT (file, and what is
 * wrong in it), E_MEMORY. */
vip_targets *vip_targets_open(const char *folder, const vip_cache *cache, vipann_error *error);
void vip_targets_close(vip_targets *targets);

/* The classes, in the teacher's order, and their names in AudioSet's ontology. */
uint32_t vip_targets_classes(const vip_targets *targets);
const char *vip_targets_label(const vip_targets *targets, uint32_t index);
const char *vip_targets_mid(const vip_targets *targets, uint32_t index);

/* Numbers of a vector; 0: no set has any. */
uint32_t vip_targets_embedding_size(const vip_targets *targets);

/* Whether the teacher heard the clip. */
bool vip_targets_has(const vip_targets *targets, size_t clip);

/* Scores [classes] of a crop from `from` to `to` seconds: the mean of the rows that overlap it, weighted by the square of
 * the overlap. False: the teacher has not heard the clip, and scores are 0. */
bool vip_targets_scores(const vip_targets *targets, size_t clip, double from, double to, float *scores);

/* The largest score of each class over all rows: whether it is heard at all. */
bool vip_targets_largest(const vip_targets *targets, size_t clip, float *scores);

/* The mean vector of the clip, [size]. False: there is none. */
bool vip_targets_embedding(const vip_targets *targets, size_t clip, float *embedding);

#endif /* VIP_TRAINER_TARGETS_H */
