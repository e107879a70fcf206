/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pretrain_options.c -- the table of `vipann-train pretrain`. */
#include "pretrain_options.h"
#include "train_commands.h"

#include <offline_trainer/optim/optim.h>
#include <offline_trainer/optim/schedule.h>

/* In the order of their enums. */
static const char *const ARCHS[] = {"resnet22", "resnet38", "resnet54", NULL};
static const char *const PADDINGS[] = {"same", "causal", NULL};
static const char *const POSTERIORS[] = {"deterministic", "dropout", "flipout", NULL};
static const char *const PRESETS[] = {"all", "late", NULL};
static const char *const FREEZES[] = {"none", "trunk", NULL};
static const char *const TASKS[] = {"auto", "multiclass", "multilabel", NULL};
static const char *const REDUCTIONS[] = {"sum", "mean", NULL};
static const char *const SCALES[] = {"tensor", "weight", NULL};
static const char *const SIGNS[] = {"channel", "element", NULL};
static const char *const PRECISIONS[] = {"f32", "bf16", NULL};

static const vip_option *const OPTIONS[VIP_N_PRETRAIN_OPTIONS] = {
    [VIP_PRETRAIN_OUTPUT] = &(const vip_option){"output", VIP_OPTION_TEXT, "DIR", 0, 0, NULL, NULL, NULL,
                                                "What is made", "The folder of the run: models, log, checkpoints."},
    [VIP_PRETRAIN_RESUME] = &(const vip_option){"resume", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, "What is made",
                                                "Go on with the run that is in the folder, with the same options."},
    [VIP_PRETRAIN_LICENSE] =
        &(const vip_option){"license", VIP_OPTION_TEXT, "TEXT", 0, 0, NULL, NULL, NULL, "What is made",
                            "What the model may be used for, as its file will say."},
    [VIP_PRETRAIN_ARCH] = &(const vip_option){"arch", VIP_OPTION_CHOICE, NULL, 0, 0, ARCHS, "resnet22", NULL,
                                              "The network", "Its depth."},
    [VIP_PRETRAIN_WIDTH] = &(const vip_option){"width", VIP_OPTION_WHOLE, "W", 1, VIP_MAX_WIDTH, NULL, "16", NULL,
                                               "The network", "Base width; 64 is the published one."},
    [VIP_PRETRAIN_PADDING] =
        &(const vip_option){"padding", VIP_OPTION_CHOICE, NULL, 0, 0, PADDINGS, "same", NULL, "The network",
                            "causal: never looks ahead, for live use; same: as published."},
    [VIP_PRETRAIN_POSTERIOR] =
        &(const vip_option){"posterior", VIP_OPTION_CHOICE, NULL, 0, 0, POSTERIORS, "dropout", NULL, "The network",
                            "What is random in it: nothing, dropout, or each weight (Flipout)."},
    [VIP_PRETRAIN_PRESET] =
        &(const vip_option){"preset", VIP_OPTION_CHOICE, NULL, 0, 0, PRESETS, "all", NULL, "The network",
                            "Where dropout stays when the model is used: everywhere, or behind the residual blocks "
                            "only, which costs much less."},
    [VIP_PRETRAIN_INIT] = &(const vip_option){"init", VIP_OPTION_TEXT, "MODEL", 0, 0, NULL, NULL, NULL, "The network",
                                              "Begin with the weights of this model instead of random ones; its heads "
                                              "are taken too if the classes are the same."},
    [VIP_PRETRAIN_FREEZE] =
        &(const vip_option){"freeze", VIP_OPTION_CHOICE, NULL, 0, 0, FREEZES, "none", NULL, "The network",
                            "trunk: only the dense layers learn, all else stays as it is in --init."},
    [VIP_PRETRAIN_TRAIN] =
        &(const vip_option){"train", VIP_OPTION_TEXT, "EXPR", 0, 0, NULL, "all", NULL, "Clips",
                            "Clips to learn from, such as 'fold=1,2,3' or 'set=esc50 & !label=dog'."},
    [VIP_PRETRAIN_DEV] =
        &(const vip_option){
            "dev", VIP_OPTION_TEXT, "EXPR", 0, 0, NULL, "15%", NULL, "Clips",
            "Clips that say which weights are best: a share of the groups to learn from, an expression, or none."},
    [VIP_PRETRAIN_TEST] = &(const vip_option){"test", VIP_OPTION_TEXT, "EXPR", 0, 0, NULL, NULL, NULL, "Clips",
                                              "Clips for the test to come; nothing is done with them but to see that "
                                              "none of their recordings is learnt from."},
    [VIP_PRETRAIN_DROP_SHARED] =
        &(const vip_option){"drop-shared", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, "Clips",
                            "Leave clips out that share a recording with the other parts."},
    [VIP_PRETRAIN_DROP_GROUPS] =
        &(const vip_option){"drop-shared-groups", VIP_OPTION_TEXT, "MANIFEST", 0, 0, NULL, NULL, NULL, "Clips",
                            "Leave clips out of training that share a recording with those of a manifest, whether they "
                            "are in the cache or not."},
    [VIP_PRETRAIN_ALLOW_SHARED] = &(const vip_option){"allow-shared", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL,
                                                      "Clips", "Take them all the same."},
    [VIP_PRETRAIN_BALANCED] = &(const vip_option){"balanced", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, "Clips",
                                                  "Each class in turn instead of each clip."},
    [VIP_PRETRAIN_TASK] =
        &(const vip_option){"task", VIP_OPTION_CHOICE, NULL, 0, 0, TASKS, "auto", NULL, "What is learnt",
                            "One class per clip, or any number of them; auto: as the labels are."},
    [VIP_PRETRAIN_TARGETS] =
        &(const vip_option){"targets", VIP_OPTION_TEXT, "DIR", 0, 0, NULL, NULL, NULL, "What is learnt",
                            "Learn the scores of a teacher that are in this folder instead of labels."},
    [VIP_PRETRAIN_EMBEDDING] =
        &(const vip_option){"embedding-weight", VIP_OPTION_NUMBER, "X", 0, 1000, NULL, "10", NULL, "What is learnt",
                            "With --targets: how much the teacher's vectors count, where there are some."},
    [VIP_PRETRAIN_SECOND] =
        &(const vip_option){"second-head", VIP_OPTION_TEXT, "EXPR", 0, 0, NULL, NULL, NULL, "What is learnt",
                            "Learn the labels of these clips as well, with dense layers of their own on the same "
                            "trunk; they become second.safetensors."},
    [VIP_PRETRAIN_SECOND_WEIGHT] = &(const vip_option){"second-weight", VIP_OPTION_NUMBER, "X", 0, 1000, NULL, "1",
                                                       NULL, "What is learnt", "How much they count."},
    [VIP_PRETRAIN_SECOND_SHARE] =
        &(const vip_option){"second-share", VIP_OPTION_NUMBER, "SHARE", 0, 1, NULL, "0", "as often as any clip",
                            "What is learnt", "Share of each batch that is drawn from them, in addition."},
    [VIP_PRETRAIN_LENGTHS] =
        &(const vip_option){"lengths", VIP_OPTION_TEXT, "FRAMES", 0, 0, NULL, "128,192,301", NULL, "Batches",
                            "Lengths of crops, one of them for each batch; 100 frames are a second. Several, so that "
                            "short windows work."},
    [VIP_PRETRAIN_BATCH] =
        &(const vip_option){"batch", VIP_OPTION_WHOLE, "N", 1, 4096, NULL, "32", NULL, "Batches", "Clips in a batch."},
    [VIP_PRETRAIN_MIXUP] = &(const vip_option){"mixup", VIP_OPTION_NUMBER, "SHARE", 0, 1, NULL, "0.3", NULL, "Batches",
                                               "Share of the batches in which pairs of clips are mixed."},
    [VIP_PRETRAIN_BACKGROUND] =
        &(const vip_option){"background", VIP_OPTION_NUMBER, "SHARE", 0, 1, NULL, "0.3", NULL, "Batches",
                            "Share of the clips to which another one is added, 0 to 20 dB below."},
    [VIP_PRETRAIN_PLAIN] = &(const vip_option){"plain", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, "Batches",
                                               "Crops as they are: no gain, tilt, background, noise or stripes."},
    [VIP_PRETRAIN_OPTIMISER] = &(const vip_option){"optimiser", VIP_OPTION_CHOICE, NULL, 0, 0, VIP_OPTIMISER_NAMES,
                                                   "adamw", NULL, "Learning", "How steps are made of gradients."},
    [VIP_PRETRAIN_RATE] = &(const vip_option){"rate", VIP_OPTION_NUMBER, "X", 0, 10, NULL, "0.001", NULL, "Learning",
                                              "Peak of the learning rate."},
    [VIP_PRETRAIN_SCHEDULE] =
        &(const vip_option){"schedule", VIP_OPTION_CHOICE, NULL, 0, 0, VIP_SCHEDULE_NAMES, "cosine", NULL, "Learning",
                            "How the rate changes, after 3 % of warm-up."},
    [VIP_PRETRAIN_DECAY] = &(const vip_option){"weight-decay", VIP_OPTION_NUMBER, "X", 0, 10, NULL, "0.02", NULL,
                                               "Learning", "Of weights; never of batch norm, biases and rho."},
    [VIP_PRETRAIN_CLIP] = &(const vip_option){"clip", VIP_OPTION_NUMBER, "NORM", 0, 1000000, NULL, "5", NULL,
                                              "Learning", "Longer gradients are shortened to this; 0: never."},
    [VIP_PRETRAIN_AVERAGE] =
        &(const vip_option){"average", VIP_OPTION_NUMBER, "X", 0, 0.99999000000000005, NULL, "0.999", NULL, "Learning",
                            "Decay of the weights' running average, which becomes the model; 0: the newest weights."},
    [VIP_PRETRAIN_EPOCHS] =
        &(const vip_option){"epochs", VIP_OPTION_WHOLE, "N", 1, 1000000, NULL, "100", NULL, "Learning",
                            "How often each clip is seen, if nothing else ends the run."},
    [VIP_PRETRAIN_STEPS] = &(const vip_option){"steps", VIP_OPTION_WHOLE, "N", 1, 1000000000, NULL, NULL, NULL,
                                               "Learning", "Batches in all, instead of --epochs."},
    [VIP_PRETRAIN_TIME_LIMIT] =
        &(const vip_option){"time-limit", VIP_OPTION_NUMBER, "MINUTES", 0, 1000000, NULL, "0", NULL, "Learning",
                            "End after so long, with a rate that falls accordingly; 0: no limit."},
    [VIP_PRETRAIN_EVALUATIONS] =
        &(const vip_option){
            "evaluations", VIP_OPTION_WHOLE, "N", 1,
            10000, NULL, "10", NULL, "Learning",
            "How often the development part is heard; with --time-limit for a tenth of the time at most."},
    [VIP_PRETRAIN_PATIENCE] =
        &(const vip_option){"patience", VIP_OPTION_WHOLE, "N", 0, 10000, NULL, "0", NULL, "Learning",
                            "End after so many of these without a better one; 0: never."},
    [VIP_PRETRAIN_KL] = &(const vip_option){"kl", VIP_OPTION_CHOICE, NULL, 0, 0, REDUCTIONS, "sum", NULL, "Flipout",
                                            "The divergence itself, or the mean of each tensor as in the public code."},
    [VIP_PRETRAIN_BETA] = &(const vip_option){"beta", VIP_OPTION_NUMBER, "X", 0, 1000000, NULL, "0.01", NULL, "Flipout",
                                              "Weight of the divergence; 1 is the bound on the evidence."},
    [VIP_PRETRAIN_KL_WARM_UP] = &(const vip_option){"kl-warm-up", VIP_OPTION_NUMBER, "SHARE", 0, 1, NULL, "0.3", NULL,
                                                    "Flipout", "Share of the run over which that weight rises from 0."},
    [VIP_PRETRAIN_MOPED_DELTA] =
        &(const vip_option){"moped-delta", VIP_OPTION_NUMBER, "X", 0, 10, NULL, "0.1", NULL, "Flipout",
                            "With --init: spread of the prior around its weights, relative to their size in each "
                            "tensor; 0: not around them."},
    [VIP_PRETRAIN_MOPED_SCALE] =
        &(const vip_option){"moped-scale", VIP_OPTION_CHOICE, NULL, 0, 0, SCALES, "tensor", NULL, "Flipout",
                            "Where the posterior's spread begins: at the prior's, or in proportion to each weight."},
    [VIP_PRETRAIN_SIGNS] =
        &(const vip_option){"signs", VIP_OPTION_CHOICE, NULL, 0, 0, SIGNS, "channel", NULL, "Flipout",
                            "Signs of the noise per channel, or per element as in the public code."},
    [VIP_PRETRAIN_PRECISION] =
        &(const vip_option){
            "precision", VIP_OPTION_CHOICE, NULL, 0, 0, PRECISIONS, "f32", NULL, "The machine",
            "What convolutions multiply; bf16 is rounded and computed in f32, for what it does to learning."},
    [VIP_PRETRAIN_SEED] =
        &(const vip_option){"seed", VIP_OPTION_WHOLE, "N", 0, 1.8446744073709552e19, NULL, "1", NULL, "The machine",
                            "Of all random choices: the same seed, options and threads give the same bits."},
    [VIP_PRETRAIN_THREADS] = &(const vip_option){"threads", VIP_OPTION_WHOLE, "N", 1, 256, NULL, NULL, "all cores",
                                                 "The machine", "How many threads compute."},
};

const vip_command VIP_PRETRAIN_COMMAND = {
    .name = "vipann-train pretrain",
    .operands = "CACHE",
    .summary = "Learns a network from the frames of labelled clips, or from what a teacher heard in them.",
    .details =
        "The run's folder holds best.safetensors (best on the development part) and last.safetensors, log.jsonl, "
        "config.json and a checkpoint a minute old at most, from which --resume goes on; Ctrl-C writes one. Without "
        "--time-limit a run that is resumed ends with the same bits as one that never stopped.",
    .examples = "vipann-train pretrain esc50.cache -o runs/first --train 'fold=1,2,3' --test 'fold=4' --time-limit 25\n"
                "vipann-train pretrain all.cache -o runs/taught --targets teacher --padding causal --time-limit 90\n"
                "vipann-train pretrain esc50.cache -o runs/flip --posterior flipout --init runs/first/best.safetensors",
    .options = OPTIONS,
    .n_options = VIP_N_PRETRAIN_OPTIONS,
    .least_operands = 1,
    .most_operands = 1,
};
