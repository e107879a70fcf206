/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recipe.h -- what a run of training is made of, and what it leaves in its folder. */
#ifndef VIP_TRAINER_RECIPE_H
#define VIP_TRAINER_RECIPE_H

#include <offline_trainer/data/feed.h>
#include <offline_trainer/optim/optim.h>
#include <offline_trainer/optim/schedule.h>
#include <offline_trainer/posterior/kl.h>
#include <offline_trainer/posterior/moped.h>

typedef struct {
    const char *folder; /* of the run; there already */
    const char *text;   /* all options, one per line: for config.json, and hashed so that a run resumes with the same */
    const char *provenance, *license;
    const char *const *labels;        /* [network.classes] */
    const char *const *second_labels; /* [further.second] */
    vip_network network;
    vip_further further;
    vipann_task task; /* of the first output */
    vipann_posterior posterior;
    const char *preset;         /* of dropout, "all" or "late" */
    float rates[VIP_MAX_SITES]; /* of dropout in training */
    const vip_model *from;      /* NULL: a random start */
    bool keep_heads;            /* the model's own fc1 and fc_audioset are taken as well */
    bool conv_only;             /* mean field: dense layers stay deterministic */
    vip_feed_options feed;
    const vip_part *dev;        /* NULL: none */
    const vip_part *second_dev; /* those of dev by whose labels the second output is judged; rising */
    vip_net_options net;        /* but for rates and seed, which the loop sets */
    uint64_t seed;
    vip_optimiser_options optimiser;
    double rate, clip_norm, average_decay;
    vip_schedule schedule;
    double dropout_from,
        dropout_ramp;  /* factor of the rates at the start, and the share of the run over which it rises to 1 */
    double time_limit; /* seconds; 0: none */
    uint32_t evaluations, patience;
    double embedding_weight, second_weight;
    vip_kl_reduction kl;
    double beta, kl_warm_up;
    double moped_delta; /* 0: rho as vip_parameters_init makes it */
    vip_moped_scale moped_scale;
    uint32_t refresh; /* batches from which batch norm is found again before a model is written */
} vip_recipe;

/* How a run ended. */
typedef struct {
    uint64_t steps, clips;
    double seconds, best;
    bool stopped; /* by a signal: a checkpoint is there */
    bool finished;
} vip_outcome;

/* Trains. resume: goes on from the folder's checkpoint. What it writes: config.json, log.jsonl, checkpoint,
 * best.safetensors and last.safetensors, second.safetensors where there is a second output. Errors: E_ARG, E_IO, E_FORMAT,
 * E_MEMORY; E_UNSUPPORTED: the loss is no number any more, and what was good is kept. */
vipann_status vip_train(const vip_recipe *recipe, bool resume, vip_outcome *outcome, vipann_error *error);

/* From now on SIGINT and SIGTERM let a run write a checkpoint and end; a second one ends the program. */
void vip_train_catch_signals(void);

#endif /* VIP_TRAINER_RECIPE_H */
