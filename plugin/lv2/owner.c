/* SPDX-License-Identifier: GPL-3.0-or-later */
/* owner.c -- see owner.h for the contract. */
#include "owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/number.h>
#include <common/support.h>
#include <plugin/program/models.h>

#include <lv2/log/log.h>

enum { CALM = 20 }; /* rounds of the loader */

void
vip_owner_log(const vip_instance *p, const char *text)
{
    if (p->log != NULL && p->log->printf != NULL && p->map != NULL) {
        (void)p->log->printf(p->log->handle, p->map->map(p->map->handle, LV2_LOG__Error), "vipann: %s\n", text);
    }
}

/* Tells the audio thread which model there is, and what went wrong. */
static void
report(vip_instance *p, const char *text)
{
    vip_letter *letter = vip_mailbox_blank(&p->reports);
    memcpy(letter->path, p->file, sizeof letter->path);
    (void)snprintf(letter->text, sizeof letter->text, "%s", text);
    vip_mailbox_send(&p->reports);
    if (*text != '\0') {
        vip_owner_log(p, text);
    }
}

const vipann_rules *
vip_owner_rules(void *user, const vipann_model *model)
{
    vip_instance *p = user;
    vipann_rules_free(p->rules);
    p->rules = vipann_rules_new(model, NULL);
    p->rules_threshold = atomic_load_explicit(&p->threshold, memory_order_relaxed); /* a number by itself */
    if (p->rules != NULL && p->rules_threshold > 0) {
        char number[VIP_NUMBER_SIZE];
        vip_number_write(number, (double)p->rules_threshold, 6);
        (void)vipann_rules_set(p->rules, NULL, "threshold", number, "threshold", NULL);
    }
    return p->rules;
}

/* What a control of the value "as the model wants" means from now on. */
static void
publish_wishes(vip_instance *p)
{
    vipann_model_info info;
    vipann_options own;
    vipann_model_describe(p->model, &info);
    vipann_options_default(&own, p->model);
    atomic_store_explicit(&p->column_seconds, info.column_seconds, memory_order_relaxed);
    atomic_store_explicit(&p->own_passes, own.passes, memory_order_relaxed);
    atomic_store_explicit(&p->own_window, own.window_columns, memory_order_relaxed);
    /* release: whoever sees the new generation sees the three above. Partner: apply_parameters of vipann_lv2.c. */
    (void)atomic_fetch_add_explicit(&p->generation, 1u, memory_order_release);
}

static unsigned
larger(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

/* Makes an engine for what is asked for now. */
static bool
give(vip_instance *p, vipann_model *model, vipann_error *error)
{
    vipann_options own;
    vipann_options_default(&own, model);
    const unsigned passes = atomic_load_explicit(&p->passes, memory_order_acquire); /* as in heed_controls */
    const unsigned window = atomic_load_explicit(&p->window, memory_order_acquire);
    const unsigned latency = atomic_load_explicit(&p->latency, memory_order_relaxed);    /* a number by itself */
    bool at_once = !p->active || !atomic_load_explicit(&p->heard, memory_order_relaxed); /* nothing to be kept */
    vip_stream_set_latency(p->stream, (vipann_latency)latency);
    if (vip_stream_give_model(p->stream, model, 0, at_once, error) != VIPANN_OK) {
        return false;
    }
    p->engine_latency = latency;
    p->room_passes = own.passes == 0 ? VIP_LV2_PASSES : larger(passes, own.passes);
    p->room_window = larger(window, own.window_columns);
    return true;
}

/* The file of a model, false: its path is too long. */
static bool
name_file(const vip_instance *p, const char *path, bool bundled, char out[VIP_PATH_BYTES], vipann_error *error)
{
    int n = snprintf(out, VIP_PATH_BYTES, "%s%s%s%s", bundled ? p->bundle : "", bundled ? "models/" : "", path,
                     bundled ? ".safetensors" : "");
    if (n < 0 || n >= VIP_PATH_BYTES) {
        (void)vip_fail(error, VIPANN_E_IO,
                       "the path of the model is longer than %d bytes; put it where its path is shorter",
                       VIP_PATH_BYTES - 1);
        return false;
    }
    return true;
}

vipann_status
vip_owner_load(vip_instance *p, const char *path, bool bundled)
{
    vipann_error error = {VIPANN_OK, ""};
    char file[VIP_PATH_BYTES];
    if (p->stream == NULL) {
        return VIPANN_E_ARG; /* which has been said */
    }
    vipann_model *model = name_file(p, path, bundled, file, &error) ? vipann_model_open(file, &error) : NULL;
    if (model == NULL || !give(p, model, &error)) {
        vipann_model_unref(model);
        report(p, error.text);
        return error.status;
    }
    vipann_model_unref(p->model);
    p->model = model;
    p->bundled = bundled;
    memcpy(p->file, file, sizeof p->file);
    (void)snprintf(p->path, sizeof p->path, "%s", path);
    publish_wishes(p);
    report(p, "");
    return VIPANN_OK;
}

void
vip_owner_begin(vip_instance *p)
{
    const char *wanted = getenv("VIPANN_MODEL");
    bool bundled = wanted == NULL || *wanted == '\0';
    pthread_mutex_lock(&p->owner);
    (void)vip_owner_load(p, bundled ? VIP_DEFAULT_MODEL : wanted, bundled);
    pthread_mutex_unlock(&p->owner);
}

void
vip_owner_reset(vip_instance *p)
{
    if (p->stream != NULL) {
        vip_stream_reset(p->stream);
    }
    atomic_store_explicit(&p->heard, false, memory_order_relaxed);
}

/* Other rules, another latency, more members and a longer window are another engine of the same model. */
static void
heed_controls(vip_instance *p, bool at_once)
{
    const unsigned latency = atomic_load_explicit(&p->latency, memory_order_relaxed); /* likewise */
    float threshold = atomic_load_explicit(&p->threshold, memory_order_relaxed);      /* a number by itself */
    /* acquire: the stream knows of them. Partner: apply_parameters of vipann_lv2.c. */
    const unsigned passes = atomic_load_explicit(&p->passes, memory_order_acquire);
    const unsigned window = atomic_load_explicit(&p->window, memory_order_acquire);
    bool moved = threshold != p->threshold_seen || latency != p->latency_seen || passes != p->passes_seen ||
                 window != p->window_seen;
    p->calm = moved ? 0 : p->calm + 1;
    p->threshold_seen = threshold;
    p->latency_seen = latency;
    p->passes_seen = passes;
    p->window_seen = window;
    bool fits = threshold == p->rules_threshold && latency == p->engine_latency && passes <= p->room_passes &&
                window <= p->room_window;
    if (p->model == NULL || fits || (!at_once && p->calm < CALM)) {
        return;
    }
    vipann_error error = {VIPANN_OK, ""};
    if (!give(p, p->model, &error)) {
        p->rules_threshold = threshold; /* tried once is enough */
        p->engine_latency = latency;
        p->room_passes = larger(passes, p->room_passes);
        p->room_window = larger(window, p->room_window);
        report(p, error.text);
    }
}

void
vip_owner_attend(vip_instance *p, bool at_once)
{
    pthread_mutex_lock(&p->owner);
    const vip_letter *request = vip_mailbox_take(&p->requests);
    if (request != NULL) {
        (void)vip_owner_load(p, request->path, false);
    }
    heed_controls(p, at_once);
    /* acquire, release: the audio thread has left the stream, and sees it as it is then. Partner: run_analysis. */
    if (atomic_load_explicit(&p->reset_wanted, memory_order_acquire)) {
        vip_owner_reset(p);
        atomic_store_explicit(&p->reset_wanted, false, memory_order_release);
    }
    pthread_mutex_unlock(&p->owner);
}
