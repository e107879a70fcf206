/* SPDX-License-Identifier: GPL-3.0-or-later */
/* folder.c -- see folder.h for the contract. */
#include "folder.h"

#include <base/memory.h>
#include <base/status.h>
#include <common/atomic_file.h>
#include <common/jsonl.h>

#include <errno.h>
#include <math.h>
#include <string.h>

enum { MOST_PATH = 4096, DIGITS = 7 };

static vipann_status
path_in(const vip_recipe *recipe, const char *name, const char *ending, char path[MOST_PATH], vipann_error *error)
{
    const int n = snprintf(path, MOST_PATH, "%s/%s%s", recipe->folder, name, ending);
    return n < MOST_PATH ? VIPANN_OK : vip_fail(error, VIPANN_E_ARG, "%s: the path is too long", recipe->folder);
}

/* Options as lines "NAME VALUE". */
static void
put_options(vip_json *json, const char *text)
{
    vip_json_object(json, "options");
    while (*text != '\0') {
        char name[64] = "", value[1024] = "";
        const size_t n = strcspn(text, "\n"), blank = strcspn(text, " \n");
        (void)snprintf(name, sizeof name, "%.*s", (int)blank, text);
        if (blank < n) {
            (void)snprintf(value, sizeof value, "%.*s", (int)(n - blank - 1), text + blank + 1);
        }
        vip_json_text(json, name, value);
        text += n + (text[n] == '\n');
    }
    vip_json_close(json);
}

vipann_status
vip_folder_config(const vip_recipe *recipe, size_t n_train, size_t n_dev, vipann_error *error)
{
    char path[MOST_PATH];
    if (path_in(recipe, "config", ".json", path, error) != VIPANN_OK) {
        return VIPANN_E_ARG;
    }
    vip_atomic_file *file = vip_atomic_file_open(path, error);
    if (file == NULL) {
        return error != NULL ? error->status : VIPANN_E_IO;
    }
    static const char *const POSTERIORS[] = {"deterministic", "dropout", "meanfield", "ensemble"};
    vip_json json = {.out = vip_atomic_file_stream(file)};
    vip_json_object(&json, NULL);
    vip_json_whole(&json, "format", 1);
    vip_json_text(&json, "arch", vip_arch_name(recipe->network.arch));
    vip_json_whole(&json, "width", recipe->network.width);
    vip_json_text(&json, "padding", recipe->network.padding == VIP_CAUSAL ? "causal" : "same");
    vip_json_text(&json, "posterior", POSTERIORS[recipe->posterior]);
    vip_json_text(&json, "task", recipe->task == VIPANN_MULTICLASS ? "multiclass" : "multilabel");
    vip_json_whole(&json, "classes", recipe->network.classes);
    vip_json_whole(&json, "train_clips", n_train);
    vip_json_whole(&json, "dev_clips", n_dev);
    vip_json_text(&json, "cache", vip_cache_hash(recipe->feed.cache));
    vip_json_text(&json, "provenance", recipe->provenance);
    vip_json_text(&json, "license", recipe->license);
    put_options(&json, recipe->text);
    vip_json_close(&json);
    return vip_atomic_file_commit(file, error);
}

FILE *
vip_folder_log(const vip_recipe *recipe, bool resume, vipann_error *error)
{
    char path[MOST_PATH];
    if (path_in(recipe, "log", ".jsonl", path, error) != VIPANN_OK) {
        return NULL;
    }
    FILE *log = fopen(path, resume ? "ae" : "we");
    if (log == NULL) {
        (void)vip_fail(error, VIPANN_E_IO, "%s: %s", path, strerror(errno));
    }
    return log;
}

static void
put_part(vip_json *json, const char *name, double value)
{
    if (!isnan(value)) {
        vip_json_number(json, name, value, DIGITS);
    }
}

void
vip_folder_log_steps(FILE *log, const vip_log_steps *steps)
{
    vip_json json = {.out = log};
    vip_json_object(&json, NULL);
    vip_json_whole(&json, "step", steps->step);
    vip_json_number(&json, "epoch", steps->epoch, DIGITS);
    vip_json_whole(&json, "clips", steps->clips);
    vip_json_number(&json, "seconds", steps->seconds, DIGITS);
    vip_json_number(&json, "rate", steps->rate, DIGITS);
    vip_json_number(&json, "loss", steps->loss, DIGITS);
    vip_json_object(&json, "loss_parts");
    put_part(&json, "first", steps->first);
    put_part(&json, "second", steps->second);
    put_part(&json, "embedding", steps->embedding);
    put_part(&json, "kl", steps->divergence);
    vip_json_close(&json);
    vip_json_number(&json, "clips_per_s", steps->clips_per_second, DIGITS);
    vip_json_whole(&json, "clipped", steps->clipped);
    vip_json_close(&json);
    (void)fflush(log);
}

void
vip_folder_log_dev(FILE *log, const vip_log_dev *dev)
{
    vip_json json = {.out = log};
    vip_json_object(&json, NULL);
    vip_json_whole(&json, "step", dev->step);
    vip_json_number(&json, "seconds", dev->seconds, DIGITS);
    vip_json_object(&json, "dev");
    vip_json_whole(&json, "n", dev->n);
    put_part(&json, "nll", dev->loss);
    put_part(&json, "accuracy", dev->accuracy);
    if (dev->n_second > 0) {
        vip_json_whole(&json, "second_n", dev->n_second);
        put_part(&json, "second_nll", dev->second_loss);
        put_part(&json, "second_accuracy", dev->second_accuracy);
    }
    vip_json_truth(&json, "averaged", true);
    vip_json_truth(&json, "best", dev->best);
    vip_json_close(&json);
    vip_json_close(&json);
    (void)fflush(log);
}

/* ------------------------------------------------------------------------------------------------------------- models */

static bool
set_text(char **text, const char *to)
{
    vip_free(*text);
    *text = vip_copy_string(to);
    return *text != NULL;
}

/* Which sites stay random when the model is used (method 3.1). */
static void
set_rates(const vip_recipe *recipe, vip_model *model)
{
    static const char *const LATE[] = {"pool", "after", "fc1"};
    const bool late = strcmp(recipe->preset, "late") == 0;
    model->posterior = VIPANN_DROPOUT;
    for (int i = 0; i < model->network.n_sites; i++) {
        bool on = !late;
        for (size_t k = 0; k < sizeof LATE / sizeof *LATE; k++) {
            on = on || strcmp(model->network.sites[i].name, LATE[k]) == 0;
        }
        model->rates[i] = on ? recipe->rates[i] : 0;
    }
}

vip_model *
vip_recipe_model(const vip_recipe *recipe, const vip_parameters *parameters, const float *values, double prior_sigma,
                 bool second)
{
    vip_model *model = vip_parameters_model(parameters, values, second);
    if (model == NULL) {
        return NULL;
    }
    const char *const *labels = second ? recipe->second_labels : recipe->labels;
    bool good = true;
    for (uint32_t c = 0; c < model->network.classes; c++) {
        good = good && set_text(&model->labels[c], labels[c]);
    }
    model->frontend = *vip_cache_frontend(recipe->feed.cache);
    model->task = second ? VIPANN_MULTICLASS : recipe->task;
    if (recipe->posterior == VIPANN_DROPOUT) {
        set_rates(recipe, model);
        good = good && set_text(&model->preset, recipe->preset);
    } else if (recipe->posterior == VIPANN_MEANFIELD) {
        model->prior_mu = 0;
        model->prior_sigma = prior_sigma;
    }
    good = good && set_text(&model->provenance, recipe->provenance) && set_text(&model->license, recipe->license);
    if (!good) {
        vip_model_free(model);
        return NULL;
    }
    return model;
}

vipann_status
vip_folder_model(const vip_recipe *recipe, const vip_parameters *parameters, const float *values, double prior_sigma,
                 bool second, const char *name, vipann_error *error)
{
    char path[MOST_PATH];
    vipann_status good = path_in(recipe, name, ".safetensors", path, error);
    vip_model *model = good == VIPANN_OK ? vip_recipe_model(recipe, parameters, values, prior_sigma, second) : NULL;
    if (good == VIPANN_OK) {
        good = model == NULL ? vip_fail_memory(error, path) : vip_model_write(model, path, false, error);
    }
    vip_model_free(model);
    return good;
}
