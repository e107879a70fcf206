/* SPDX-License-Identifier: GPL-3.0-or-later */
/* listen.h -- what a model hears in clips of a cache: the engine's own pass over their frames. */
#ifndef VIP_TRAINER_LISTEN_H
#define VIP_TRAINER_LISTEN_H

#include <offline_trainer/data/cache.h>

typedef struct {
    uint32_t passes; /* S; 0: the deterministic pass, which gives one answer */
    uint64_t seed;
    bool explicit_members; /* of a mean-field model: draws of their own instead of Flipout */
    size_t first,
        frames;   /* of each clip, those that are heard; frames 0: all. Clips that are shorter are heard whole */
    bool loudest; /* the stretch of so many frames with the most energy, wherever it is, instead of that at `first` */
} vip_listen_options;

/* How many answers each clip gets: passes, or 1 for the deterministic pass and for models whose members do not differ;
 * never more than an ensemble has members. */
uint32_t vip_listen_answers(const vip_model *model, const vip_listen_options *options);

/* Called now and then, with the clips that are done. May be NULL. */
typedef void vip_listen_progress(void *user, size_t done, size_t n);

/* Raw logits [n][answers][classes] of the clips, pooled over all their columns: those of vipann_clip on the same frames.
 * Errors: E_MEMORY, E_ARG (VIPANN_KERNELS). */
vipann_status vip_listen(const vip_model *model, const vip_cache *cache, const size_t *clips, size_t n,
                         const vip_listen_options *options, float *logits, vip_listen_progress *progress, void *user,
                         vipann_error *error);

/* The same; pooled [n][features] is the pooled vector of each clip before dropout, the mean over its answers (features:
 * model->network.features). pooled may be NULL. */
vipann_status vip_listen_pooled(const vip_model *model, const vip_cache *cache, const size_t *clips, size_t n,
                                const vip_listen_options *options, float *logits, float *pooled,
                                vip_listen_progress *progress, void *user, vipann_error *error);

#endif /* VIP_TRAINER_LISTEN_H */
