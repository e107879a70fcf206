/* SPDX-License-Identifier: GPL-3.0-or-later */
/* feed.h -- batches for training: which clips, which stretch of each, changed in which way, and what is to be learnt.
 *
 * A batch is a pure function of the seed and the step, so a run that resumes sees the batches that it would have seen. */
#ifndef VIP_TRAINER_FEED_H
#define VIP_TRAINER_FEED_H

#include "select.h"
#include "targets.h"

#include <offline_trainer/grad/net.h>

/* What an output of the network learns. */
typedef enum {
    VIP_LEARN_NOTHING,
    VIP_LEARN_LABELS, /* one of the classes per clip, or, if it is multi-label, any of them */
    VIP_LEARN_TEACHER /* the teacher's scores */
} vip_learn;

typedef struct {
    const vip_cache *cache;     /* borrowed for the feed's life */
    const vip_targets *targets; /* the same; NULL: there is no teacher */
    const vip_part *part;       /* clips to train with */
    const vip_part *background; /* clips to mix in; NULL: none */
    uint32_t rows;              /* of a batch after mixup */
    uint32_t n_lengths;
    uint32_t lengths[VIP_MAX_LENGTHS]; /* frames; each batch has one of them */
    uint64_t seed;
    bool balanced;    /* each class in turn (Kong et al. 2020) instead of each clip once an epoch */
    vip_learn logits; /* of the first output */
    bool multilabel;  /* of labels */
    uint32_t classes;
    const char *const *labels; /* [classes], names that the first output learns */
    uint32_t second;           /* classes of the second output, which learns labels of one kind; 0: none */
    const char *const *second_labels;
    const vip_part
        *second_part;    /* clips whose labels it learns; those must be among `part`. NULL: those that have one */
    double second_share; /* of each batch that is drawn from second_part, once a round; 0: as often as any other clip */
    bool embedding;      /* the third output learns the teacher's vector */
    double mixup;        /* share of the batches that are mixed, 0 .. 1 */
    bool stripes;        /* SpecAugment */
    double gain_db;      /* level is shifted by up to so much either way */
    double tilt_db;      /* and the highest band against the lowest one */
    double noise_share;  /* of the clips that get background, 0 .. 1 */
    double noise_low, noise_high; /* at this distance below the clip's own level, dB */
    double floor_low, floor_high; /* a steady floor so far below the loudest frame, dB; 0, 0: none */
} vip_feed_options;

/* One batch; arrays belong to the feed and last until the next one. */
typedef struct {
    vip_batch batch;          /* all but eps_draw and momentum, which are the caller's */
    const float *logits;      /* targets, [rows][classes] */
    const float *logits_mask; /* [rows], 0: this row has none; NULL: all have */
    const float *second;      /* [rows][second] */
    const float *second_mask;
    const float *embedding; /* [rows][size] */
    const float *embedding_mask;
    size_t clips; /* that went into it */
} vip_fed;

typedef struct vip_feed vip_feed;

/* Errors: E_ARG (a clip without a label that is to be learnt, a class without a clip), E_MEMORY. */
vip_feed *vip_feed_new(const vip_feed_options *options, vipann_error *error);
void vip_feed_free(vip_feed *feed);

/* The batch of a step, 0 .. */
void vip_feed_batch(vip_feed *feed, uint64_t step, vip_fed *out);

/* The same clips and crops of the step, but neither mixed nor changed: to refresh batch norm. */
void vip_feed_clean(vip_feed *feed, uint64_t step, vip_fed *out);

/* Steps until as many clips have been seen as there are in the part. */
uint64_t vip_feed_epoch(const vip_feed *feed);

/* Whether a label of a clip and a name of a class are the same but for case, spaces and underscores. */
bool vip_same_label(const char *a, const char *b);

#endif /* VIP_TRAINER_FEED_H */
