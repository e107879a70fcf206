/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trainee.c -- see trainee.h for the contract. */
#include "trainee.h"

#include <base/memory.h>
#include <base/status.h>
#include <offline_trainer/judge/listen.h>

#include <math.h>
#include <string.h>

static const float MOMENTUM = 0.1f; /* of the published networks */

/* ---------------------------------------------------------------------------------------------------------- new, free */

static vipann_status
make_parameters(vip_trainee *t, vipann_error *error)
{
    const vip_recipe *r = t->recipe;
    t->parameters = vip_parameters_new(&r->network, &r->further, r->posterior == VIPANN_MEANFIELD, r->conv_only);
    if (t->parameters == NULL) {
        return vip_fail_memory(error, "the network to train");
    }
    vip_parameters_init(t->parameters, r->seed);
    vipann_status good = VIPANN_OK;
    if (r->from != NULL) {
        good = vip_parameters_take(t->parameters, r->from, r->keep_heads, error);
    }
    if (good == VIPANN_OK && r->posterior == VIPANN_MEANFIELD) {
        t->prior = vip_prior_new(t->parameters);
        if (t->prior == NULL) {
            return vip_fail_memory(error, "the prior");
        }
        if (r->moped_delta > 0 && r->from != NULL) {
            vip_moped(t->prior, t->parameters, r->moped_delta, r->moped_scale);
        }
    }
    return good;
}

static bool
make_arrays(vip_trainee *t)
{
    const vip_parameters *p = t->parameters;
    vip_stretch stretches[VIP_MAX_SEGMENTS];
    const size_t n = vip_stretches(p, t->recipe->net.frozen_trunk, stretches);
    t->optimiser = vip_optimiser_new(&t->recipe->optimiser, stretches, n, p->n_trainable);
    t->average = vip_alloc(p->n_trainable, sizeof *t->average);
    t->best = vip_alloc(p->n, sizeof *t->best);
    t->aside = vip_alloc(p->n, sizeof *t->aside);
    if (t->optimiser == NULL || t->average == NULL || t->best == NULL || t->aside == NULL) {
        return false;
    }
    memcpy(t->average, p->values, p->n_trainable * sizeof *t->average);
    memcpy(t->best, p->values, p->n * sizeof *t->best);
    return true;
}

vipann_status
vip_trainee_new(vip_trainee *trainee, const vip_recipe *recipe, vipann_error *error)
{
    memset(trainee, 0, sizeof *trainee);
    trainee->recipe = recipe;
    trainee->state.best = INFINITY;
    trainee->binary_weight = recipe->network.classes;
    trainee->momentum = MOMENTUM;
    vipann_status good = make_parameters(trainee, error);
    if (good != VIPANN_OK) {
        return good;
    }
    if (!make_arrays(trainee)) {
        return vip_fail_memory(error, "the network to train");
    }
    vip_net_options options = recipe->net;
    options.seed = recipe->seed;
    options.mixup = recipe->feed.mixup > 0;
    memcpy(options.rates, recipe->rates, sizeof options.rates);
    trainee->net = vip_net_new(trainee->parameters, &options, error);
    trainee->feed = trainee->net != NULL ? vip_feed_new(&recipe->feed, error) : NULL;
    return trainee->feed != NULL ? VIPANN_OK : error != NULL ? error->status : VIPANN_E_MEMORY;
}

void
vip_trainee_free(vip_trainee *trainee)
{
    vip_net_free(trainee->net);
    vip_feed_free(trainee->feed);
    vip_optimiser_free(trainee->optimiser);
    vip_prior_free(trainee->prior);
    vip_parameters_free(trainee->parameters);
    vip_free(trainee->average);
    vip_free(trainee->best);
    vip_free(trainee->aside);
}

/* -------------------------------------------------------------------------------------------------------- development */

/* Puts the averaged weights into the network and finds batch norm's statistics for them, on clean crops with dropout
 * on: those of training follow the newest weights too wildly (method 4.1). */
static void
put_average(vip_trainee *t)
{
    vip_parameters *p = t->parameters;
    enum { AFTER_ALL = 1 << 30 }; /* steps of batches that training does not see */
    memcpy(t->aside, p->values, p->n * sizeof *p->values);
    memcpy(p->values, t->average, p->n_trainable * sizeof *p->values);
    for (uint32_t k = 0; k < t->recipe->refresh && !t->recipe->net.frozen_statistics; k++) {
        vip_fed fed;
        vip_feed_clean(t->feed, AFTER_ALL + k, &fed);
        fed.batch.momentum = 1.0f / (float)(k + 1);
        fed.batch.eps_draw = AFTER_ALL + k;
        vip_net_forward(t->net, &fed.batch, true);
    }
}

/* Cross-entropy of one clip; *right: its label is the most probable one. */
static double
softmax_loss(const float *z, uint32_t classes, int32_t label, bool *right)
{
    double sum = 0;
    uint32_t best = 0;
    for (uint32_t c = 1; c < classes; c++) {
        best = z[c] > z[best] ? c : best;
    }
    const double largest = (double)z[best];
    for (uint32_t c = 0; c < classes; c++) {
        sum += exp((double)z[c] - largest);
    }
    *right = (int32_t)best == label;
    return log(sum) + largest - (double)z[label];
}

static double
binary_loss(const float *z, const float *y, uint32_t classes)
{
    double sum = 0;
    for (uint32_t c = 0; c < classes; c++) {
        const double logit = (double)z[c];
        sum += fmax(logit, 0) - logit * (double)y[c] + log1p(exp(-fabs(logit)));
    }
    return sum;
}

static int32_t
label_of(const vip_cache_clip *clip, const char *const *labels, uint32_t n)
{
    for (uint32_t i = 0; i < clip->n_labels; i++) {
        for (uint32_t c = 0; c < n; c++) {
            if (vip_same_label(clip->labels[i], labels[c])) {
                return (int32_t)c;
            }
        }
    }
    return -1;
}

/* Whether the clip says what the first output should be, and how far it is from that. */
static bool
first_loss(const vip_trainee *t, size_t clip, const float *z, float *y, double *loss, bool *right)
{
    const vip_recipe *r = t->recipe;
    const vip_cache_clip *about = vip_cache_clip_at(r->feed.cache, clip);
    const uint32_t classes = r->network.classes;
    *right = false;
    if (r->feed.logits == VIP_LEARN_TEACHER) {
        const bool there = vip_targets_scores(r->feed.targets, clip, 0, about->seconds + 1, y);
        *loss = there ? binary_loss(z, y, classes) : 0;
        return there;
    }
    if (r->task == VIPANN_MULTICLASS) {
        const int32_t label = label_of(about, r->labels, classes);
        *loss = label >= 0 ? softmax_loss(z, classes, label, right) : 0;
        return label >= 0;
    }
    for (uint32_t c = 0; c < classes; c++) {
        y[c] = 0;
        for (uint32_t i = 0; i < about->n_labels; i++) {
            y[c] = vip_same_label(about->labels[i], r->labels[c]) ? 1 : y[c];
        }
    }
    *loss = binary_loss(z, y, classes);
    return true;
}

/* Whether the second output is judged by this clip; parts are in rising order. */
static bool
is_judged(const vip_part *part, size_t clip)
{
    size_t low = 0, high = part->n;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        low = part->clips[middle] < clip ? middle + 1 : low;
        high = part->clips[middle] < clip ? high : middle;
    }
    return low < part->n && part->clips[low] == clip;
}

/* Hears the development part with the values in the network; second: with the second output. */
static vipann_status
hear(const vip_trainee *t, bool second, double *loss, double *accuracy, size_t *n, vipann_error *error)
{
    const vip_recipe *r = t->recipe;
    const uint32_t classes = second ? r->further.second : r->network.classes;
    vip_model *model = vip_recipe_model(r, t->parameters, t->parameters->values, 1, second);
    float *logits = vip_alloc(r->dev->n + 1, vip_product(classes, sizeof *logits)); /* the last row is for targets */
    const vip_listen_options options = {.passes = 0, .seed = r->seed};
    vipann_status good = model == NULL || logits == NULL ? vip_fail_memory(error, "hearing the development part")
                                                         : vip_listen(model, r->feed.cache, r->dev->clips, r->dev->n,
                                                                      &options, logits, NULL, NULL, error);
    double sum = 0;
    size_t right = 0;
    *n = 0;
    for (size_t i = 0; i < r->dev->n && good == VIPANN_OK; i++) {
        const size_t clip = r->dev->clips[i];
        const float *z = logits + i * classes;
        double l = 0;
        bool is_right = false, counts;
        if (second) {
            const int32_t label = label_of(vip_cache_clip_at(r->feed.cache, clip), r->second_labels, classes);
            counts = label >= 0 && is_judged(r->second_dev, clip);
            l = counts ? softmax_loss(z, classes, label, &is_right) : 0;
        } else {
            counts = first_loss(t, clip, z, logits + r->dev->n * classes, &l, &is_right);
        }
        sum += l;
        *n += counts;
        right += is_right;
    }
    *loss = *n > 0 ? sum / (double)*n : NAN;
    *accuracy = (second || r->task == VIPANN_MULTICLASS) && *n > 0 ? (double)right / (double)*n : NAN;
    vip_free(logits);
    vip_model_free(model);
    return good;
}

static vipann_status
write_models(vip_trainee *t, const float *values, const char *name, const char *second, vipann_error *error)
{
    const double sigma = t->prior != NULL ? vip_prior_sigma(t->prior, t->parameters) : 1;
    vipann_status good = vip_folder_model(t->recipe, t->parameters, values, sigma, false, name, error);
    if (good == VIPANN_OK && t->recipe->further.second != 0) {
        good = vip_folder_model(t->recipe, t->parameters, values, sigma, true, second, error);
    }
    return good;
}

/* Says how good they are; true if they are the best so far. */
static vipann_status
measure(vip_trainee *t, FILE *log, bool *best, vipann_error *error)
{
    vip_log_dev line = {.step = t->state.step, .seconds = t->state.seconds, .accuracy = NAN, .second_accuracy = NAN};
    vipann_status good = hear(t, false, &line.loss, &line.accuracy, &line.n, error);
    double total = line.loss;
    if (good == VIPANN_OK && t->recipe->further.second != 0) {
        good = hear(t, true, &line.second_loss, &line.second_accuracy, &line.n_second, error);
        total += line.n_second > 0 ? t->recipe->second_weight * line.second_loss : 0;
    }
    if (good != VIPANN_OK) {
        return good;
    }
    line.best = *best = !(total >= t->state.best);
    t->state.best = *best ? total : t->state.best;
    t->state.since_best = *best ? 0 : t->state.since_best + 1;
    const double accuracy = isnan(line.accuracy) ? line.second_accuracy : line.accuracy;
    if (isnan(accuracy)) {
        (void)snprintf(t->dev_text, sizeof t->dev_text, ", dev NLL %.3f", line.loss);
    } else {
        (void)snprintf(t->dev_text, sizeof t->dev_text, ", dev %.1f %% (NLL %.3f)", 100 * accuracy, line.loss);
    }
    vip_folder_log_dev(log, &line);
    return VIPANN_OK;
}

vipann_status
vip_trainee_develop(vip_trainee *trainee, FILE *log, bool last, vipann_error *error)
{
    vip_trainee *t = trainee;
    vipann_status good = VIPANN_OK;
    bool best = true;
    put_average(t);
    if (t->recipe->dev != NULL) {
        good = measure(t, log, &best, error);
    }
    if (good == VIPANN_OK && best) {
        memcpy(t->best, t->parameters->values, t->parameters->n * sizeof *t->best);
        good = write_models(t, t->best, "best", "second", error);
    }
    if (good == VIPANN_OK && last) {
        good = write_models(t, t->parameters->values, "last", "second_last", error);
    }
    memcpy(t->parameters->values, t->aside, t->parameters->n * sizeof *t->aside);
    return good;
}
