/* SPDX-License-Identifier: GPL-3.0-or-later */
/* select.h -- which clips of a cache belong to a part: training, development, test.
 *
 * An expression is TERM & TERM | TERM ..., where & binds more strongly. A term is KEY=VALUE,VALUE... or !KEY=VALUE..., and
 * holds if the clip has one of the values (not one of them). Keys: fold, set, label, group, path; values may end in '*'.
 * "all" is every clip. */
#ifndef VIP_TRAINER_SELECT_H
#define VIP_TRAINER_SELECT_H

#include "cache.h"
#include "manifest.h"

/* Places of clips in a cache, rising. */
typedef struct {
    size_t n;
    size_t *clips;
} vip_part;

void vip_part_free(vip_part *part);

/* The clips for which the expression holds. Errors: E_ARG (where the expression goes wrong, or that no clip fits),
 * E_MEMORY. */
vipann_status vip_select(const vip_cache *cache, const char *expression, vip_part *part, vipann_error *error);

/* Moves about `share` (0 .. 1) of the part's clips into *dev, whole groups of them, chosen by the seed, so that each
 * label keeps about its share. Errors: E_ARG (there are too few groups), E_MEMORY. */
vipann_status vip_split_groups(const vip_cache *cache, vip_part *part, double share, uint64_t seed, vip_part *dev,
                               vipann_error *error);

/* Two clips come from one recording: of one set, their groups are equal; of different sets, they are equal Freesound
 * numbers (ESC-50 writes them bare, other sets with "fs" in front). */
bool vip_same_group(const vip_cache_clip *a, const vip_cache_clip *b);

/* How many clips of `part` share a group with clips of `other`; the names of the first few are written to text. */
size_t vip_shared_groups(const vip_cache *cache, const vip_part *part, const vip_part *other, char *text, size_t size);

/* Takes them out of the part; returns how many they were. */
size_t vip_drop_shared(const vip_cache *cache, vip_part *part, const vip_part *other);

/* Takes clips out of the part whose group is one of a manifest's, as if its clips were in the cache. *dropped: how many they
 * were. Errors: E_MEMORY. */
vipann_status vip_drop_listed(const vip_cache *cache, vip_part *part, const vip_manifest *manifest, size_t *dropped,
                              vipann_error *error);

#endif /* VIP_TRAINER_SELECT_H */
