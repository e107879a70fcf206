/* SPDX-License-Identifier: GPL-3.0-or-later */
/* heard.c -- see heard.h for the contract. */
#include "heard.h"

#include "metrics.h"

#include <base/memory.h>
#include <bayes/uncertainty.h>
#include <decide/decide.h>
#include <offline_trainer/data/feed.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const VIP_SIGN_NAMES[VIP_N_SIGNS] = {"total", "epistemic", "confidence", "energy"};

/* ------------------------------------------------------------------------------------------------------------- answers */

/* -logsumexp(z), the free energy of a softmax (Liu et al. 2020); multi-label: -sum of log(1 + exp(z)). Means over members. */
static double
energy_of(vipann_task task, const float *z, size_t classes)
{
    double largest = -INFINITY, sum = 0;
    for (size_t c = 0; c < classes; c++) {
        largest = fmax(largest, (double)z[c]);
        sum += task == VIPANN_MULTILABEL ? fmax((double)z[c], 0) + log1p(exp(-fabs((double)z[c]))) : 0;
    }
    for (size_t c = 0; c < classes && task == VIPANN_MULTICLASS; c++) {
        sum += exp((double)z[c] - largest);
    }
    return task == VIPANN_MULTICLASS ? -(log(sum) + largest) : -sum;
}

/* One clip; z and probabilities are room for its members. */
static void
answer(vip_heard *h, size_t i, const vip_calibration *calibration, bool deterministic, float *z,
       vip_probability *probabilities, float *mean)
{
    double energy = 0;
    for (size_t m = 0; m < h->members; m++) {
        memcpy(z, h->logits + (i * h->members + m) * h->classes, h->classes * sizeof *z);
        if (calibration != NULL) {
            vip_calibrate(calibration, deterministic, z, h->classes);
        }
        energy += energy_of(h->task, z, h->classes);
        vip_probabilities(h->task, z, h->classes, probabilities + m * h->classes);
    }
    const vip_doubt doubt = vip_decompose(h->task, probabilities, h->members, h->classes, mean, NULL, NULL, NULL);
    double *p = h->p + i * h->classes;
    for (size_t c = 0; c < h->classes; c++) {
        double sum = 0;
        for (size_t m = 0; m < h->members; m++) {
            sum += probabilities[m * h->classes + c].p;
        }
        p[c] = sum / (double)h->members;
    }
    h->aleatoric[i] = doubt.aleatoric;
    h->sign[VIP_BY_TOTAL][i] = doubt.total;
    h->sign[VIP_BY_EPISTEMIC][i] = doubt.epistemic;
    h->sign[VIP_BY_CONFIDENCE][i] = 1 - p[vip_best_class(p, h->classes)];
    h->sign[VIP_BY_ENERGY][i] = energy / (double)h->members;
}

static bool
answer_all(vip_heard *h, const vip_calibration *calibration, bool deterministic)
{
    float *z = vip_alloc(h->classes, sizeof *z), *mean = vip_alloc(h->classes, sizeof *mean);
    vip_probability *probabilities = vip_alloc(h->members * h->classes, sizeof *probabilities);
    const bool good = z != NULL && mean != NULL && probabilities != NULL;
    for (size_t i = 0; good && i < h->n; i++) {
        answer(h, i, calibration, deterministic, z, probabilities, mean);
    }
    vip_free(z);
    vip_free(mean);
    vip_free(probabilities);
    return good;
}

/* --------------------------------------------------------------------------------------------------------------- truth */

static uint32_t
class_of(const vip_model *model, const char *label)
{
    for (uint32_t c = 0; c < model->network.classes; c++) {
        if (vip_same_label(label, model->labels[c])) {
            return c;
        }
    }
    return VIP_NO_LABEL;
}

static void
look_up(vip_heard *h, const vip_model *model, const vip_cache *cache, const vip_targets *targets)
{
    for (size_t i = 0; i < h->n; i++) {
        const vip_cache_clip *clip = vip_cache_clip_at(cache, h->clips[i]);
        float *y = h->y + i * h->classes;
        h->label[i] = VIP_NO_LABEL;
        if (targets != NULL) {
            h->label[i] = vip_targets_scores(targets, h->clips[i], 0, clip->seconds + 1, y) ? 0 : VIP_NO_LABEL;
            continue;
        }
        for (uint32_t k = 0; k < clip->n_labels; k++) {
            const uint32_t c = class_of(model, clip->labels[k]);
            if (c != VIP_NO_LABEL) {
                y[c] = 1;
                h->label[i] = h->label[i] == VIP_NO_LABEL ? c : h->label[i];
            }
        }
        h->right[i] = h->label[i] != VIP_NO_LABEL && vip_best_class(h->p + i * h->classes, h->classes) == h->label[i];
    }
}

/* Clips of a cache in the order of their groups. */
typedef struct {
    const vip_cache_clip *clip;
    size_t place;
} member;

static int
by_group(const void *a, const void *b)
{
    const vip_cache_clip *x = ((const member *)a)->clip, *y = ((const member *)b)->clip;
    const int order = strcmp(x->set, y->set);
    return order != 0 ? order : strcmp(x->group, y->group);
}

static bool
number_groups(vip_heard *h, const vip_cache *cache)
{
    member *members = vip_alloc(h->n, sizeof *members);
    if (members == NULL) {
        return false;
    }
    for (size_t i = 0; i < h->n; i++) {
        members[i] = (member){vip_cache_clip_at(cache, h->clips[i]), i};
    }
    qsort(members, h->n, sizeof *members, by_group);
    uint32_t group = 0;
    for (size_t i = 0; i < h->n; i++) {
        group += i > 0 && by_group(&members[i - 1], &members[i]) != 0;
        h->group[members[i].place] = group;
    }
    vip_free(members);
    return true;
}

vip_heard *
vip_heard_new(const vip_model *model, const vip_cache *cache, const vip_part *part, const float *logits, size_t members,
              bool deterministic, const vip_calibration *calibration, const vip_targets *targets)
{
    vip_heard *h = vip_alloc(1, sizeof *h);
    if (h == NULL) {
        return NULL;
    }
    h->n = part->n;
    h->clips = part->clips;
    h->members = members;
    h->classes = model->network.classes;
    h->task = model->task;
    h->logits = logits;
    h->p = vip_alloc(h->n, vip_product(h->classes, sizeof *h->p));
    h->y = vip_alloc(h->n, vip_product(h->classes, sizeof *h->y));
    h->aleatoric = vip_alloc(h->n, sizeof *h->aleatoric);
    h->group = vip_alloc(h->n, sizeof *h->group);
    h->label = vip_alloc(h->n, sizeof *h->label);
    h->right = vip_alloc(h->n, sizeof *h->right);
    bool good = h->p != NULL && h->y != NULL && h->aleatoric != NULL && h->group != NULL && h->label != NULL &&
                h->right != NULL;
    for (int s = 0; s < VIP_N_SIGNS; s++) {
        h->sign[s] = vip_alloc(h->n, sizeof(double));
        good = good && h->sign[s] != NULL;
    }
    if (!good || !answer_all(h, calibration, deterministic) || !number_groups(h, cache)) {
        vip_heard_free(h);
        return NULL;
    }
    look_up(h, model, cache, targets);
    return h;
}

void
vip_heard_free(vip_heard *heard)
{
    if (heard != NULL) {
        vip_free(heard->p);
        vip_free(heard->y);
        vip_free(heard->aleatoric);
        vip_free(heard->group);
        vip_free(heard->label);
        vip_free(heard->right);
        for (int s = 0; s < VIP_N_SIGNS; s++) {
            vip_free(heard->sign[s]);
        }
        vip_free(heard);
    }
}

size_t
vip_heard_unknown_labels(const vip_heard *heard)
{
    size_t n = 0;
    for (size_t i = 0; i < heard->n; i++) {
        n += heard->label[i] == VIP_NO_LABEL;
    }
    return n;
}
