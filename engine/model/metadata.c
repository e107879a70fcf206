/* SPDX-License-Identifier: GPL-3.0-or-later */
/* metadata.c -- reads the metadata of a model; see metadata.h for the contract. */
#include "metadata.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <base/memory.h>
#include <base/status.h>

#include "json.h"

enum { MIN_FFT = 64, MAX_FFT = 8192, MIN_RATE = 8000, MAX_RATE = 96000, MAX_COUNT = 65535 };
static const double MAX_DROPOUT = 0.9, MAX_TEMPERATURE = 100;
static const double MIN_TEMPERATURE = (double)0.01f; /* less than 0.01: what is kept as a float can be read again */
const char *const VIP_SCORE_KEYS[VIPANN_N_SCORES] = {[VIPANN_SCORE_EPISTEMIC] = "epistemic_nats",
                                                     [VIPANN_SCORE_TOTAL] = "total_nats",
                                                     [VIPANN_SCORE_CONFIDENCE] = "confidence",
                                                     [VIPANN_SCORE_SUM] = "score"};
const char *const VIP_PART_NAMES[VIPANN_N_PARTS] = {[VIPANN_PART_TOTAL] = "total",
                                                    [VIPANN_PART_EPISTEMIC] = "epistemic",
                                                    [VIPANN_PART_CONFIDENCE] = "confidence",
                                                    [VIPANN_PART_ENERGY] = "energy",
                                                    [VIPANN_PART_DISTANCE] = "distance"};
static const double LARGEST_LIMIT[VIPANN_N_SCORES] = {
    [VIPANN_SCORE_EPISTEMIC] = FLT_MAX, [VIPANN_SCORE_TOTAL] = FLT_MAX, [VIPANN_SCORE_CONFIDENCE] = 1};
static const double MIN_AMIN = 1e-30, MAX_AMIN = 1; /* its logarithm is taken in single precision */

/* What is being read. After the first fault every reading function does nothing, so that calls can follow each other
 * and the status be looked at once; what they would have filled keeps its value. */
typedef struct {
    const char *file, *key;
    const json_t *metadata; /* NULL: there is none */
    vipann_status status;
    vipann_error *error;
} reader;

static bool
is_fine(const reader *r)
{
    return r->status == VIPANN_OK;
}

/* The message says file and key by itself. */
__attribute__((format(printf, 2, 3))) static void
refuse(reader *r, const char *format, ...)
{
    char text[sizeof r->error->text];
    if (is_fine(r)) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        r->status = vip_fail(r->error, VIPANN_E_FORMAT, "%s: %s%s", r->file, r->key, text);
    }
}

static void
run_out_of_memory(reader *r)
{
    if (is_fine(r)) {
        (void)vip_fail_memory(r->error, "reading a model");
        r->status = VIPANN_E_MEMORY;
    }
}

/* ----------------------------------------------------------------------------------------------------- single values */

/* *out = value, a number from low to high. */
static void
read_number(reader *r, const char *field, const json_t *value, double low, double high, double *out)
{
    double x = json_number_value(value);
    if (!json_is_number(value)) {
        refuse(r, ": %s is %s, expected a number", field, vip_json_kind(value));
    } else if (!(x >= low && x <= high)) {
        refuse(r, ": %s is %g, expected %g to %g", field, x, low, high);
    } else if (is_fine(r)) {
        *out = x;
    }
}

static void
read_count(reader *r, const char *field, const json_t *value, uint32_t low, uint32_t high, uint32_t *out)
{
    double x = low;
    read_number(r, field, value, low, high, &x);
    if (x != floor(x)) {
        refuse(r, ": %s is %g, expected a whole number", field, x);
    }
    if (is_fine(r)) {
        *out = (uint32_t)x;
    }
}

/* *out = a copy of the string, in place of the one that is there; value may be NULL: then *out stays. */
static void
read_text(reader *r, const char *field, const json_t *value, char **out)
{
    if (value == NULL || !is_fine(r)) {
        return;
    }
    if (!json_is_string(value)) {
        refuse(r, ": %s is %s, expected a string", field, vip_json_kind(value));
        return;
    }
    char *copy = vip_copy_string(json_string_value(value));
    if (copy == NULL) {
        run_out_of_memory(r);
        return;
    }
    vip_free(*out);
    *out = copy;
}

/* Turns to another key. Its text, or NULL if there is none. */
static const char *
turn_to(reader *r, const char *key)
{
    r->key = key;
    return json_string_value(json_object_get(r->metadata, key));
}

/* The same for a key that must be there; "" if it is not. */
static const char *
required(reader *r, const char *key)
{
    const char *text = turn_to(r, key);
    if (text == NULL) {
        refuse(r, " is missing in the metadata: this is not a model of vipann");
    }
    return text == NULL ? "" : text;
}

/* The JSON that the text holds, to be given back with json_decref; NULL after a fault. */
static json_t *
parse(reader *r, const char *text)
{
    json_t *value = NULL;
    if (is_fine(r)) {
        r->status = vip_json_parse(text, strlen(text), r->file, r->key, &value, r->error);
    }
    return value;
}

/* The same, an object. */
static json_t *
parse_object(reader *r, const char *text)
{
    json_t *value = parse(r, text);
    if (!json_is_object(value)) {
        refuse(r, " is %s, expected an object", vip_json_kind(value));
    }
    return value;
}

/* A whole number in decimal digits and nothing else; -1 if it is none or above 999 999 999. */
static long
digits(const char *text)
{
    size_t n = strspn(text, "0123456789");
    return n == 0 || n > 9 || text[n] != '\0' ? -1 : strtol(text, NULL, 10);
}

/* The place of the text among the words; `list` has them for the message. */
static int
place_of(reader *r, const char *text, const char *const *words, int n, const char *list)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(text, words[i]) == 0) {
            return i;
        }
    }
    refuse(r, " is '%.32s', expected %s", text, list);
    return 0;
}

/* ------------------------------------------------------------------------------------------------ network and labels */

static void
read_format(reader *r)
{
    const char *text = required(r, "vipann.format");
    if (is_fine(r) && digits(text) > VIP_FORMAT) {
        r->status = vip_fail(r->error, VIPANN_E_UNSUPPORTED, "%s: vipann.format is %s, expected %d; use a newer vipann",
                             r->file, text, VIP_FORMAT);
    } else if (digits(text) != VIP_FORMAT) {
        refuse(r, " is '%.16s', expected %d", text, VIP_FORMAT);
    }
}

static void
read_labels(reader *r, vip_model *model)
{
    json_t *labels = parse(r, required(r, "vipann.labels"));
    size_t n = json_array_size(labels);
    if (!json_is_array(labels)) {
        refuse(r, " is %s, expected an array of strings", vip_json_kind(labels));
    } else if (n < 1 || n > VIP_MAX_CLASSES) {
        refuse(r, " has %zu entries, expected 1 to %d", n, VIP_MAX_CLASSES);
    }
    if (is_fine(r)) {
        model->network.classes = (uint32_t)n; /* vip_model_free goes by it */
        model->labels = vip_alloc(n, sizeof *model->labels);
        if (model->labels == NULL) {
            run_out_of_memory(r);
        }
    }
    for (size_t i = 0; i < n && is_fine(r); i++) {
        read_text(r, "a label", json_array_get(labels, i), &model->labels[i]);
    }
    json_decref(labels);
}

static void
read_network(reader *r, vip_model *model)
{
    static const char *const paddings[] = {[VIP_SAME] = "same", [VIP_CAUSAL] = "causal"};
    static const char *const tasks[] = {[VIPANN_MULTILABEL] = "multilabel", [VIPANN_MULTICLASS] = "multiclass"};
    const char *archs[VIP_N_ARCHS];
    for (int i = 0; i < VIP_N_ARCHS; i++) {
        archs[i] = vip_arch_name((vip_arch)i);
    }
    int arch = place_of(r, required(r, "vipann.arch"), archs, VIP_N_ARCHS, "resnet22, resnet38 or resnet54");
    int task = place_of(r, required(r, "vipann.task"), tasks, 2, "multilabel or multiclass");
    const char *text = turn_to(r, "vipann.padding");
    int padding = text == NULL ? VIP_SAME : place_of(r, text, paddings, 2, "same or causal");
    text = required(r, "vipann.width");
    long width = digits(text);
    if (width < 1 || width > VIP_MAX_WIDTH) {
        refuse(r, " is '%.16s', expected 1 to %d", text, VIP_MAX_WIDTH);
    }
    read_labels(r, model);
    if (is_fine(r)) {
        model->task = (vipann_task)task;
        vip_network_fill(&model->network, (vip_arch)arch, (uint32_t)width, model->network.classes,
                         (vip_padding)padding);
    }
}

/* --------------------------------------------------------------------------------------------------------- front-end */

static void
read_frontend(reader *r, vip_frontend_spec *spec)
{
    json_t *object = parse_object(r, required(r, "vipann.frontend"));
    const json_t *name = json_object_get(object, "name");
    if (!json_is_string(name) || json_string_length(name) >= sizeof spec->name) {
        refuse(r, ": name is %s, expected a string of at most %zu bytes",
               json_is_string(name) ? "longer" : vip_json_kind(name), sizeof spec->name - 1);
    }
    if (is_fine(r)) {
        memcpy(spec->name, json_string_value(name), json_string_length(name) + 1);
    }
    read_number(r, "sample_rate", json_object_get(object, "sample_rate"), MIN_RATE, MAX_RATE, &spec->sample_rate);
    read_count(r, "n_fft", json_object_get(object, "n_fft"), MIN_FFT, MAX_FFT, &spec->n_fft);
    if (spec->n_fft % 2 != 0) {
        refuse(r, ": n_fft is %u, expected an even number", (unsigned)spec->n_fft);
    }
    read_count(r, "hop", json_object_get(object, "hop"), 1, spec->n_fft, &spec->hop);
    read_count(r, "mels", json_object_get(object, "mels"), VIP_MELS, VIP_MELS, &spec->mels);
    read_number(r, "fmax", json_object_get(object, "fmax"), 0, spec->sample_rate / 2, &spec->fmax);
    read_number(r, "fmin", json_object_get(object, "fmin"), 0, spec->fmax, &spec->fmin);
    if (spec->fmin >= spec->fmax) {
        refuse(r, ": fmin is %g, expected less than fmax, which is %g", spec->fmin, spec->fmax);
    }
    read_number(r, "amin", json_object_get(object, "amin"), MIN_AMIN, MAX_AMIN, &spec->amin);
    json_decref(object);
}

/* --------------------------------------------------------------------------------------------------------- posterior */

static void
read_rates(reader *r, vip_model *model, json_t *rates)
{
    const char *name;
    json_t *value;
    if (!json_is_object(rates)) {
        refuse(r, ": rates is %s, expected an object of one rate per site", vip_json_kind(rates));
    }
    json_object_foreach(rates, name, value)
    {
        int site = vip_network_site(&model->network, name);
        if (site == VIP_NONE) {
            refuse(r, ": rates: %s has no site '%.32s', expected names like stem and layer1.0",
                   vip_arch_name(model->network.arch), name);
        } else {
            double rate = 0;
            read_number(r, model->network.sites[site].name, value, 0, MAX_DROPOUT, &rate);
            model->rates[site] = (float)rate;
        }
    }
}

/* A prior that is not two numbers is left at its default: nothing here computes with it. */
static void
read_prior(reader *r, vip_model *model, const json_t *prior)
{
    const json_t *mu = json_object_get(prior, "mu"), *sigma = json_object_get(prior, "sigma");
    if (json_is_number(mu) && json_is_number(sigma)) {
        read_number(r, "prior mu", mu, -FLT_MAX, FLT_MAX, &model->prior_mu);
        read_number(r, "prior sigma", sigma, FLT_MIN, FLT_MAX, &model->prior_sigma);
    }
}

static void
read_posterior(reader *r, vip_model *model)
{
    const char *text = turn_to(r, "vipann.posterior");
    if (text == NULL) {
        return;
    }
    json_t *object = parse_object(r, text);
    const json_t *kind_value = json_object_get(object, "kind");
    const char *kind = json_is_string(kind_value) ? json_string_value(kind_value) : "";
    read_text(r, "preset", json_object_get(object, "preset"), &model->preset);
    if (!json_is_string(kind_value)) {
        refuse(r, ": kind is %s, expected a string", vip_json_kind(kind_value));
    } else if (strcmp(kind, "dropout") == 0) {
        model->posterior = VIPANN_DROPOUT;
        read_rates(r, model, json_object_get(object, "rates"));
    } else if (strcmp(kind, "meanfield") == 0) {
        model->posterior = VIPANN_MEANFIELD;
        read_prior(r, model, json_object_get(object, "prior"));
    } else if (strcmp(kind, "ensemble") == 0) {
        model->posterior = VIPANN_ENSEMBLE;
        read_count(r, "members", json_object_get(object, "members"), 1, VIPANN_MAX_PASSES, &model->members);
    } else if (strcmp(kind, "deterministic") != 0) {
        refuse(r, ": kind is '%.32s', expected deterministic, dropout, meanfield or ensemble", kind);
    }
    json_decref(object);
}

/* ------------------------------------------------------------------------------------------------------- calibration */

/* What a field may hold that is a number, or an array of one per class. */
typedef struct {
    const char *field;
    double low, high;
    bool nullable; /* entries of the array may be null, which is -1 here */
} per_class;

/* Fills out[classes]; a field that is not there leaves it as it is. */
static void
read_per_class(reader *r, const per_class *rule, const json_t *value, uint32_t classes, float *out)
{
    bool is_array = json_is_array(value);
    if (value == NULL) {
        return;
    }
    if (!is_array && !json_is_number(value)) {
        refuse(r, ": %s is %s, expected a number or an array of one per class", rule->field, vip_json_kind(value));
    }
    if (is_array && json_array_size(value) != classes) {
        refuse(r, ": %s has %zu entries, expected %u, one per label", rule->field, json_array_size(value),
               (unsigned)classes);
    }
    for (uint32_t i = 0; i < classes && is_fine(r); i++) {
        const json_t *entry = is_array ? json_array_get(value, i) : value;
        double x = -1;
        if (!rule->nullable || !json_is_null(entry)) {
            read_number(r, rule->field, entry, rule->low, rule->high, &x);
        }
        out[i] = (float)x;
    }
}

/* One part of the sum: its name, and what it was on the calibration clips. */
static void
read_part(reader *r, vip_sum *sum, const json_t *entry)
{
    const json_t *name = json_object_get(entry, "name");
    int part = 0;
    if (!json_is_object(entry) || !json_is_string(name)) {
        refuse(r, ": score: a part is %s, expected an object with name, mean and std",
               json_is_object(entry) ? "without a name" : vip_json_kind(entry));
        return;
    }
    while (part < VIPANN_N_PARTS && strcmp(json_string_value(name), VIP_PART_NAMES[part]) != 0) {
        part++;
    }
    if (part == VIPANN_N_PARTS || sum->has[part]) {
        refuse(r, ": score: a part is '%.32s'%s", json_string_value(name),
               part < VIPANN_N_PARTS ? " for the second time"
                                     : ", expected total, epistemic, confidence, energy or distance");
        return;
    }
    sum->has[part] = true;
    read_number(r, "score: mean of a part", json_object_get(entry, "mean"), -FLT_MAX, FLT_MAX, &sum->mean[part]);
    read_number(r, "score: std of a part", json_object_get(entry, "std"), FLT_MIN, FLT_MAX, &sum->std[part]);
}

static void
read_sum(reader *r, vip_calibration *c, const json_t *score)
{
    const json_t *parts = json_object_get(score, "parts");
    const size_t n = json_array_size(parts);
    if (!json_is_object(score)) {
        refuse(r, ": score is %s, expected an object", vip_json_kind(score));
    } else if (!json_is_array(parts) || n < 1 || n > VIPANN_N_PARTS) {
        refuse(r, ": score: parts is %s, expected an array of 1 to %d",
               json_is_array(parts) ? "one of another length" : vip_json_kind(parts), VIPANN_N_PARTS);
    }
    for (size_t i = 0; i < n && is_fine(r); i++) {
        read_part(r, &c->sum, json_array_get(parts, i));
    }
    read_number(r, "score: limit", json_object_get(score, "limit"), -FLT_MAX, FLT_MAX, &c->unknown[VIPANN_SCORE_SUM]);
}

static void
read_unknown(reader *r, vip_calibration *c, const json_t *unknown)
{
    if (unknown != NULL && !json_is_object(unknown)) {
        refuse(r, ": unknown is %s, expected an object", vip_json_kind(unknown));
    }
    for (int i = 0; i < VIPANN_N_SCORES; i++) {
        const json_t *value = json_object_get(unknown, VIP_SCORE_KEYS[i]);
        c->has_unknown[i] = value != NULL;
        if (value != NULL && i == VIPANN_SCORE_SUM) {
            read_sum(r, c, value);
        } else if (value != NULL) {
            read_number(r, VIP_SCORE_KEYS[i], value, 0, LARGEST_LIMIT[i], &c->unknown[i]);
        }
    }
}

static void
read_calibration(reader *r, vip_calibration *c, uint32_t classes)
{
    static const per_class temperatures = {"temperature", MIN_TEMPERATURE, MAX_TEMPERATURE, false};
    static const per_class offsets = {"offset", -FLT_MAX, FLT_MAX, false};
    static const per_class thresholds = {"thresholds", 0, 1, true};
    const char *text = turn_to(r, "vipann.calibration");
    if (text == NULL) {
        return;
    }
    json_t *object = parse_object(r, text);
    c->present = json_object_size(object) > 0;
    read_per_class(r, &temperatures, json_object_get(object, "temperature"), classes, c->temperature);
    read_per_class(r, &offsets, json_object_get(object, "offset"), classes, c->offset);
    const json_t *value = json_object_get(object, "thresholds");
    if (value != NULL && is_fine(r)) {
        c->thresholds = vip_alloc(classes, sizeof *c->thresholds);
        if (c->thresholds == NULL) {
            run_out_of_memory(r);
        }
        read_per_class(r, &thresholds, value, classes, c->thresholds);
    }
    value = json_object_get(object, "temperature_deterministic");
    if (value != NULL) {
        double x = 1;
        read_number(r, "temperature_deterministic", value, MIN_TEMPERATURE, MAX_TEMPERATURE, &x);
        c->temperature_deterministic = (float)x;
        c->has_deterministic = true;
    }
    read_unknown(r, c, json_object_get(object, "unknown"));
    if ((value = json_object_get(object, "members")) != NULL) {
        read_count(r, "members", value, 0, MAX_COUNT, &c->members);
    }
    if ((value = json_object_get(object, "window_columns")) != NULL) {
        read_count(r, "window_columns", value, 0, MAX_COUNT, &c->window_columns);
    }
    read_text(r, "data", json_object_get(object, "data"), &c->data);
    json_decref(object);
}

/* --------------------------------------------------------------------------------------------------------- the whole */

bool
vip_metadata_defaults(vip_model *model)
{
    vip_calibration *c = &model->calibration;
    c->temperature = vip_alloc(model->network.classes, sizeof *c->temperature);
    c->offset = vip_alloc(model->network.classes, sizeof *c->offset);
    c->data = vip_copy_string("");
    c->temperature_deterministic = 1;
    model->preset = vip_copy_string("");
    model->provenance = vip_copy_string("");
    model->license = vip_copy_string("");
    model->prior_sigma = 1;
    for (uint32_t i = 0; c->temperature != NULL && i < model->network.classes; i++) {
        c->temperature[i] = 1;
    }
    return c->temperature != NULL && c->offset != NULL && c->data != NULL && model->preset != NULL &&
           model->provenance != NULL && model->license != NULL;
}

vipann_status
vip_metadata_read(vip_model *model, const json_t *metadata, const char *file, vipann_error *error)
{
    reader r = {file, "", metadata, VIPANN_OK, error};
    read_format(&r);
    read_network(&r, model);
    read_frontend(&r, &model->frontend);
    if (is_fine(&r) && !vip_metadata_defaults(model)) {
        run_out_of_memory(&r);
    }
    if (is_fine(&r)) {
        read_posterior(&r, model);
        read_calibration(&r, &model->calibration, model->network.classes);
        (void)turn_to(&r, "vipann.provenance");
        read_text(&r, "the text", json_object_get(metadata, r.key), &model->provenance);
        (void)turn_to(&r, "vipann.license");
        read_text(&r, "the text", json_object_get(metadata, r.key), &model->license);
    }
    return r.status;
}
