/* SPDX-License-Identifier: GPL-3.0-or-later */
/* evidence.c -- see evidence.h for the contract. */
#include "evidence.h"

#include <base/memory.h>
#include <bayes/uncertainty.h>
#include <decide/score.h>
#include <offline_trainer/base/parallel.h>

#include <string.h>

enum { CLIPS_A_TURN = 64 };

typedef struct {
    const vip_model *model;
    const vip_listened *heard;
    float *inverse; /* [prototypes] */
    vip_evidence *out;
    bool *failed; /* [turns] */
} work;

/* Room for one clip. */
typedef struct {
    float *logits;                       /* [answers][classes] */
    vip_probability *p;                  /* [answers][classes] */
    float *mean, *aleatoric, *epistemic; /* [classes] */
    float *features;
} room;

static void
free_room(room *r)
{
    vip_free(r->logits);
    vip_free(r->p);
    vip_free(r->mean);
    vip_free(r->aleatoric);
    vip_free(r->epistemic);
    vip_free(r->features);
}

static bool
make_room(room *r, const work *w)
{
    const size_t classes = w->model->network.classes, cells = classes * w->heard->answers;
    r->logits = vip_alloc(cells, sizeof *r->logits);
    r->p = vip_alloc(cells, sizeof *r->p);
    r->mean = vip_alloc(classes, sizeof *r->mean);
    r->aleatoric = vip_alloc(classes, sizeof *r->aleatoric);
    r->epistemic = vip_alloc(classes, sizeof *r->epistemic);
    r->features = vip_alloc(w->model->network.features, sizeof *r->features);
    return r->logits != NULL && r->p != NULL && r->mean != NULL && r->aleatoric != NULL && r->epistemic != NULL &&
           r->features != NULL;
}

/* Total, epistemic part and largest probability, as engine/answers.c has them. */
static void
doubt_of(const work *w, const room *r, bool drawn, vip_evidence *out)
{
    const vip_model *model = w->model;
    const uint32_t classes = model->network.classes, members = w->heard->answers;
    const vip_doubt all = vip_decompose(model->task, r->p, members, classes, r->mean, NULL, r->aleatoric, r->epistemic);
    *out = (vip_evidence){.members = drawn ? members : 0, .total = all.total, .epistemic = all.epistemic};
    for (uint32_t c = 0; c < classes; c++) {
        out->largest = (double)r->mean[c] > out->largest ? (double)r->mean[c] : out->largest;
    }
    if (model->task == VIPANN_MULTILABEL) {
        const float *thresholds = model->calibration.present ? model->calibration.thresholds : NULL;
        const vip_doubt active =
            vip_active_doubt(r->mean, r->aleatoric, r->epistemic, thresholds, members, classes, &out->n_active);
        out->total = active.total;
        out->epistemic = active.epistemic;
    } else if (members >= 2) {
        out->epistemic = vip_corrected_epistemic(all.total, all.epistemic, members);
    }
}

static void
find_evidence(const work *w, const room *r, size_t clip)
{
    const vip_model *model = w->model;
    const vip_listened *heard = w->heard;
    const vip_sum *sum = &model->calibration.sum;
    const size_t classes = model->network.classes, features = model->network.features;
    const bool drawn = heard->passes > 0 && model->posterior != VIPANN_DETERMINISTIC;
    double energy = 0;
    memcpy(r->logits, heard->logits + clip * heard->answers * classes, heard->answers * classes * sizeof *r->logits);
    for (uint32_t m = 0; m < heard->answers; m++) {
        float *z = r->logits + (size_t)m * classes;
        vip_calibrate(&model->calibration, !drawn, z, classes);
        vip_probabilities(model->task, z, classes, r->p + (size_t)m * classes);
        energy += vip_energy(model->task, z, classes) / heard->answers;
    }
    doubt_of(w, r, drawn, &w->out[clip]);
    w->out[clip].energy = energy;
    if (heard->pooled != NULL && sum->n_prototypes > 0) {
        vip_features(heard->pooled + clip * features, sum->centre, features, r->features);
        w->out[clip].distance = vip_distance(r->features, sum->prototypes, w->inverse, sum->n_prototypes, features);
    }
}

static void
find_some(void *context, size_t turn)
{
    const work *w = context;
    room r = {NULL};
    w->failed[turn] = !make_room(&r, w);
    for (size_t i = turn * CLIPS_A_TURN; !w->failed[turn] && i < w->heard->n && i < (turn + 1) * CLIPS_A_TURN; i++) {
        find_evidence(w, &r, i);
    }
    free_room(&r);
}

bool
vip_evidence_of(const vip_model *model, const vip_listened *heard, vip_evidence *out)
{
    const vip_sum *sum = &model->calibration.sum;
    const size_t turns = (heard->n + CLIPS_A_TURN - 1) / CLIPS_A_TURN;
    work w = {.model = model, .heard = heard, .out = out};
    w.failed = vip_alloc(turns, sizeof *w.failed);
    w.inverse = vip_alloc(sum->n_prototypes, sizeof *w.inverse);
    bool good = w.failed != NULL && w.inverse != NULL;
    if (good) {
        vip_prototype_scales(sum->prototypes, sum->n_prototypes, model->network.features, w.inverse);
        vip_parallel(turns, find_some, &w);
    }
    for (size_t i = 0; i < turns && good; i++) {
        good = !w.failed[i];
    }
    vip_free(w.failed);
    vip_free(w.inverse);
    return good;
}
