/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fuzz_metadata.c -- any JSON object as what a model says of itself: refused with one line, or within its limits and
 * the same when it is written and read again. */
#include "fuzz.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <base/memory.h>
#include <model/json.h>
#include <model/metadata.h>

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint32_t random = seed;
    json_t *metadata = fuzz_random(&random) % 8 != 0 ? json_loadb((const char *)data, size, 0, NULL) : NULL;
    size_t changed = 0;
    if (metadata != NULL) {
        fuzz_mutate_json(metadata, &random);
        changed = json_dumpb(metadata, (char *)data, max_size, JSON_COMPACT);
        changed = changed <= max_size ? changed : 0;
        json_decref(metadata);
    }
    return changed > 0 ? changed : LLVMFuzzerMutate(data, size, max_size);
}

static vip_model *
empty_model(void)
{
    vip_model *model = vip_alloc(1, sizeof *model);
    fuzz_check(model != NULL);
    return model;
}

static bool
within(double x, double least, double most)
{
    return x >= least && x <= most; /* not if it is NaN */
}

static void
check_limits(const vip_model *model)
{
    const vip_frontend_spec *f = &model->frontend;
    const vip_calibration *c = &model->calibration;
    const uint32_t classes = model->network.classes;
    fuzz_check(classes >= 1 && classes <= VIP_MAX_CLASSES);
    fuzz_check(model->network.width >= 1 && model->network.width <= VIP_MAX_WIDTH);
    fuzz_check(f->n_fft >= 64 && f->n_fft <= 8192 && f->n_fft % 2 == 0 && f->hop >= 1 && f->hop <= f->n_fft);
    fuzz_check(f->mels == VIP_MELS && within(f->sample_rate, 8000, 96000) && f->amin > 0 && isfinite(f->amin));
    fuzz_check(f->fmin >= 0 && f->fmin < f->fmax && f->fmax <= f->sample_rate / 2);
    for (size_t i = 0; i < VIP_MAX_SITES; i++) {
        fuzz_check(within((double)model->rates[i], 0, (double)0.9f));
    }
    for (uint32_t i = 0; i < classes; i++) {
        fuzz_check(model->labels[i] != NULL);
        fuzz_check(within((double)c->temperature[i], (double)0.01f, 100) && isfinite(c->offset[i]));
        fuzz_check(c->thresholds == NULL || c->thresholds[i] == -1 || within((double)c->thresholds[i], 0, 1));
    }
    fuzz_check(within((double)c->temperature_deterministic, (double)0.01f, 100));
    for (size_t i = 0; i < VIPANN_N_PARTS; i++) {
        fuzz_check(!c->sum.has[i] || (isfinite(c->sum.mean[i]) && within(c->sum.std[i], FLT_MIN, FLT_MAX)));
        fuzz_check(!c->sum.has[i] || c->has_unknown[VIPANN_SCORE_SUM]);
    }
    fuzz_check(isfinite(c->unknown[VIPANN_SCORE_SUM]));
    fuzz_check(isfinite(model->prior_mu) && isfinite(model->prior_sigma) && model->prior_sigma > 0);
    fuzz_check(c->data != NULL && model->preset != NULL && model->provenance != NULL && model->license != NULL);
}

/* What the model says is the same after it was read again. */
static void
check_round_trip(const vip_model *model)
{
    vipann_error error = {VIPANN_OK, ""};
    json_t *written = vip_metadata_write(model);
    fuzz_check(written != NULL);
    vip_model *again = empty_model();
    (void)vip_metadata_read(again, written, "again", &error);
    fuzz_check_success(&error);
    json_t *rewritten = vip_metadata_write(again);
    fuzz_check(rewritten != NULL && json_equal(written, rewritten));
    for (uint32_t i = 0; i < model->network.classes; i++) {
        fuzz_check(strcmp(model->labels[i], again->labels[i]) == 0);
        fuzz_check(model->calibration.temperature[i] == again->calibration.temperature[i]);
        fuzz_check(model->calibration.offset[i] == again->calibration.offset[i]);
    }
    const vip_frontend_spec *f = &model->frontend, *g = &again->frontend;
    fuzz_check(strcmp(f->name, g->name) == 0 && f->sample_rate == g->sample_rate && f->n_fft == g->n_fft);
    fuzz_check(f->hop == g->hop && f->fmin == g->fmin && f->fmax == g->fmax && f->amin == g->amin);
    for (size_t i = 0; i < VIP_MAX_SITES; i++) {
        fuzz_check(model->rates[i] == again->rates[i]);
    }
    json_decref(rewritten);
    json_decref(written);
    vip_model_free(again);
}

static bool
has_only_strings(json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (!json_is_string(value)) {
            return false; /* the container has refused it before */
        }
    }
    return json_is_object(object);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vipann_error error = {VIPANN_OK, ""};
    json_t *metadata;
    vipann_status status = vip_json_parse((const char *)data, size, "fuzz", "header", &metadata, &error);
    if (status != VIPANN_OK) {
        fuzz_check(metadata == NULL && status == VIPANN_E_FORMAT);
        fuzz_check_refusal(status, &error);
        return 0;
    }
    if (has_only_strings(metadata)) {
        vip_model *model = empty_model();
        status = vip_metadata_read(model, metadata, "fuzz", &error);
        if (status == VIPANN_OK) {
            check_limits(model);
            check_round_trip(model);
        } else {
            fuzz_check(status == VIPANN_E_FORMAT || status == VIPANN_E_UNSUPPORTED);
            fuzz_check_refusal(status, &error);
        }
        vip_model_free(model);
    }
    json_decref(metadata);
    return 0;
}
