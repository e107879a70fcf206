/* SPDX-License-Identifier: GPL-3.0-or-later */
/* extend.c -- see extend.h for the contract. */
#include "extend.h"

#include <stdio.h>
#include <string.h>

#include <base/memory.h>
#include <base/status.h>

static const float NO_NOISE = -20, USUAL = 0.5f; /* softplus(-20) is 2e-9; the threshold where none is stated */

/* The last layer: the old rows, then the new ones; what = NULL: none is known of them, fill. */
static void
copy_rows(float *to, const float *from, size_t old, size_t size, const vip_new_class *classes, uint32_t n, bool bias,
          const float *fill)
{
    if (old > 0) {
        memcpy(to, from, old * size * sizeof *to);
    }
    for (uint32_t c = 0; c < n; c++) {
        float *row = to + (old + c) * size;
        for (size_t k = 0; k < size; k++) {
            row[k] = fill != NULL ? *fill : bias ? classes[c].bias : classes[c].w[k];
        }
    }
}

/* Numbers of one kind: of every tensor but the last layer's as they are. */
static bool
copy_tensors(vip_model *model, const vip_model *base, float *const *from, float **to, uint32_t old,
             const vip_new_class *classes, uint32_t n, const float *fill)
{
    for (int i = 0; i < model->n_tensors; i++) {
        const bool weight = strcmp(model->shapes[i].name, "fc_audioset.weight") == 0;
        const bool bias = strcmp(model->shapes[i].name, "fc_audioset.bias") == 0;
        if (from[i] == NULL) {
            continue;
        }
        if (to[i] == NULL) {
            to[i] = vip_alloc(vip_tensor_size(&model->shapes[i]), sizeof *to[i]);
        }
        if (to[i] == NULL) {
            return false;
        }
        if (weight || bias) {
            copy_rows(to[i], from[i], old, weight ? base->network.features : 1, classes, n, bias, fill);
        } else {
            memcpy(to[i], from[i], vip_tensor_size(&base->shapes[i]) * sizeof *to[i]);
        }
    }
    return true;
}

static bool
copy_all_tensors(vip_model *model, const vip_model *base, uint32_t old, const vip_new_class *classes, uint32_t n)
{
    if (base->posterior == VIPANN_ENSEMBLE && !vip_model_make_ensemble(model, base->members)) {
        return false;
    }
    bool good = copy_tensors(model, base, base->values, model->values, old, classes, n, NULL) &&
                copy_tensors(model, base, base->rho, model->rho, old, classes, n, &NO_NOISE);
    for (uint32_t m = 1; m < base->members && good; m++) {
        good = copy_tensors(model, base, base->others[m - 1], model->others[m - 1], old, classes, n, NULL);
    }
    return good;
}

/* ----------------------------------------------------------------------------------------------------- calibration */

static bool
copy_text(char **to, const char *text)
{
    vip_free(*to);
    *to = vip_copy_string(text);
    return *to != NULL;
}

static bool
copy_sum(vip_model *model, const vip_model *base)
{
    const vip_sum *from = &base->calibration.sum;
    vip_sum *to = &model->calibration.sum;
    memcpy(to->has, from->has, sizeof to->has);
    memcpy(to->mean, from->mean, sizeof to->mean);
    memcpy(to->std, from->std, sizeof to->std);
    if (from->n_prototypes == 0) {
        return true;
    }
    const uint32_t features = base->network.features;
    if (!vip_model_make_prototypes(model, from->n_prototypes)) {
        return false;
    }
    memcpy(to->centre, from->centre, features * sizeof *to->centre);
    memcpy(to->prototypes, from->prototypes, (size_t)from->n_prototypes * features * sizeof *to->prototypes);
    return true;
}

static bool
calibrate(vip_model *model, const vip_model *base, uint32_t old, const vip_new_class *classes, uint32_t n,
          const char *note)
{
    const vip_calibration *from = &base->calibration;
    vip_calibration *to = &model->calibration;
    char data[512];
    to->present = true;
    to->thresholds = vip_alloc(old + n, sizeof *to->thresholds);
    if (to->thresholds == NULL || (old > 0 && !copy_sum(model, base))) {
        return false;
    }
    for (uint32_t c = 0; c < old; c++) {
        to->temperature[c] = from->temperature[c];
        to->offset[c] = from->offset[c];
        to->thresholds[c] = from->thresholds != NULL ? from->thresholds[c] : USUAL;
    }
    for (uint32_t c = 0; c < n; c++) {
        to->temperature[old + c] = classes[c].temperature;
        to->thresholds[old + c] = classes[c].threshold;
    }
    if (old > 0) {
        to->temperature_deterministic = from->temperature_deterministic;
        to->has_deterministic = from->has_deterministic;
        memcpy(to->has_unknown, from->has_unknown, sizeof to->has_unknown);
        memcpy(to->unknown, from->unknown, sizeof to->unknown);
        to->members = from->members;
        to->window_columns = from->window_columns;
    }
    (void)snprintf(data, sizeof data, "%s%s%s", old > 0 ? from->data : "", old > 0 && from->data[0] != '\0' ? "; " : "",
                   note);
    return copy_text(&to->data, data);
}

static bool
describe(vip_model *model, const vip_model *base, uint32_t old, const vip_new_class *classes, uint32_t n)
{
    char provenance[512];
    bool good = true;
    model->task = VIPANN_MULTILABEL;
    model->frontend = base->frontend;
    model->posterior = base->posterior;
    memcpy(model->rates, base->rates, sizeof model->rates);
    model->prior_mu = base->prior_mu;
    model->prior_sigma = base->prior_sigma;
    for (uint32_t c = 0; c < old + n && good; c++) {
        model->labels[c] = vip_copy_string(c < old ? base->labels[c] : classes[c - old].label);
        good = model->labels[c] != NULL;
    }
    (void)snprintf(provenance, sizeof provenance, "%s%s%u classes taught to %s %.12s", base->provenance,
                   base->provenance[0] != '\0' ? "; " : "", n, base->name, base->sha256);
    return good && copy_text(&model->preset, base->preset) && copy_text(&model->provenance, provenance) &&
           copy_text(&model->license, base->license);
}

vip_model *
vip_model_extend(const vip_model *base, const vip_new_class *classes, uint32_t n, const char *note, vipann_error *error)
{
    const uint32_t old = base->task == VIPANN_MULTILABEL ? base->network.classes : 0;
    vip_model *model = vip_model_new(base->network.arch, base->network.width, old + n, base->network.padding);
    if (model == NULL || !describe(model, base, old, classes, n) || !copy_all_tensors(model, base, old, classes, n) ||
        !calibrate(model, base, old, classes, n, note)) {
        vip_model_free(model);
        (void)vip_fail_memory(error, "the model");
        return NULL;
    }
    return model;
}
