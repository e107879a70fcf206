/* SPDX-License-Identifier: GPL-3.0-or-later */
/* folder.h -- what a run writes into its folder but for checkpoints; for this room alone. */
#ifndef VIP_TRAINER_FOLDER_H
#define VIP_TRAINER_FOLDER_H

#include "recipe.h"

#include <stdio.h>

/* What is said of some steps together. */
typedef struct {
    uint64_t step, clips;
    double epoch, seconds, rate, clips_per_second;
    double loss, first, second, embedding, divergence; /* parts that are not there are NaN */
    uint64_t clipped;
} vip_log_steps;

/* The development part, heard with averaged weights. */
typedef struct {
    uint64_t step;
    double seconds;
    size_t n, n_second;
    double loss;     /* nats per clip, of the first output */
    double accuracy; /* multi-class, else NaN */
    double second_loss, second_accuracy;
    bool best;
} vip_log_dev;

/* config.json: what the run was asked for. Errors: E_IO, E_MEMORY. */
vipann_status vip_folder_config(const vip_recipe *recipe, size_t n_train, size_t n_dev, vipann_error *error);

/* log.jsonl, to append to; lines are flushed one by one. NULL: E_IO. */
FILE *vip_folder_log(const vip_recipe *recipe, bool resume, vipann_error *error);
void vip_folder_log_steps(FILE *log, const vip_log_steps *steps);
void vip_folder_log_dev(FILE *log, const vip_log_dev *dev);

/* Writes FOLDER/NAME.safetensors from values ([parameters->n]). second: of the second output, whose model has a softmax.
 * Errors: E_IO, E_MEMORY, E_ARG. */
vipann_status vip_folder_model(const vip_recipe *recipe, const vip_parameters *parameters, const float *values,
                               double prior_sigma, bool second, const char *name, vipann_error *error);

/* The same without writing it; NULL: memory is short. */
vip_model *vip_recipe_model(const vip_recipe *recipe, const vip_parameters *parameters, const float *values,
                            double prior_sigma, bool second);

#endif /* VIP_TRAINER_FOLDER_H */
