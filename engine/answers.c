/* SPDX-License-Identifier: GPL-3.0-or-later */
/* answers.c -- see answers.h for the contract. */
#include "answers.h"

#include "library.h"

#include <base/memory.h>
#include <base/status.h>
#include <base/words.h>
#include <bayes/uncertainty.h>
#include <decide/decide.h>
#include <decide/events.h>
#include <decide/score.h>

#include <string.h>

enum { SHOWN_LABEL = 64 }; /* bytes of a message, the end of the string included */

struct vip_answers {
    const vip_model *model;
    vip_publisher *publisher;
    bool drawn;
    double column_seconds, silence_dbfs;
    float *logits;                             /* [members][classes] */
    vip_probability *probabilities, *smoothed; /* [members][classes] */
    bool settled[VIPANN_MAX_PASSES];           /* the member's smoothed probabilities have a value */
    vipann_result *result;
    const vip_sum *sum;               /* of parts that tell what is unknown; NULL: the model states none */
    float *features;                  /* [features] of an answer; NULL unless the sum has a distance, as the next */
    float *inverse;                   /* [prototypes] */
    double energy, distance;          /* smoothed parts of the sum */
    bool summed;                      /* they have values */
    vipann_answer unknown;            /* what the newest result said; CANNOT_SAY: there is none yet */
    float *short_p, *short_epistemic; /* [classes], of the short window */
    vip_detector *detector;
};

/* --------------------------------------------------------------------------------------------------------- set-up */

/* Whether the rules are for the model's classes: as many, in the same order. */
static vipann_status
check_rules(const vip_model *model, const vipann_rules *rules, vipann_error *error)
{
    const uint32_t classes = model->network.classes;
    if (vip_rules_classes(rules) != classes) {
        return vip_fail(error, VIPANN_E_ARG,
                        "the rules are for %u classes, but the model has %u; make them for this model",
                        (unsigned)vip_rules_classes(rules), (unsigned)classes);
    }
    for (uint32_t i = 0; i < classes; i++) {
        const char *label = vip_rules_label(rules, i);
        if (strcmp(label, model->labels[i]) != 0) {
            char said[SHOWN_LABEL], meant[SHOWN_LABEL];
            return vip_fail(error, VIPANN_E_ARG,
                            "the rules call class %u \"%s\", but the model calls it \"%s\"; make them for this model",
                            (unsigned)i, vip_shown(said, sizeof said, label, strlen(label)),
                            vip_shown(meant, sizeof meant, model->labels[i], strlen(model->labels[i])));
        }
    }
    return VIPANN_OK;
}

/* The detector of these rules, or of the defaults. */
static vipann_status
set_rules(vip_answers *a, const vipann_rules *rules, vipann_error *error)
{
    vipann_rules *defaults = NULL;
    if (rules == NULL) {
        defaults = vip_model_rules(a->model, error);
        rules = defaults;
    } else if (check_rules(a->model, rules, error) != VIPANN_OK) {
        return VIPANN_E_ARG;
    }
    if (rules == NULL) {
        return VIPANN_E_MEMORY;
    }
    a->silence_dbfs = vip_rules_level(rules);
    a->detector = vip_detector_new(rules);
    vipann_rules_free(defaults);
    return a->detector != NULL ? VIPANN_OK : vip_fail_memory(error, "the events");
}

/* What the parts of the sum need; false: memory is short. */
static bool
prepare_sum(vip_answers *a)
{
    const vip_calibration *calibration = &a->model->calibration;
    const vip_sum *sum = &calibration->sum;
    a->sum = calibration->present && calibration->has_unknown[VIPANN_SCORE_SUM] ? sum : NULL;
    if (a->sum == NULL || !sum->has[VIPANN_PART_DISTANCE]) {
        return true;
    }
    const size_t n = a->model->network.features;
    a->features = vip_alloc(n, sizeof *a->features);
    a->inverse = vip_alloc(sum->n_prototypes, sizeof *a->inverse);
    if (a->features == NULL || a->inverse == NULL) {
        return false;
    }
    vip_prototype_scales(sum->prototypes, sum->n_prototypes, n, a->inverse);
    return true;
}

vip_answers *
vip_answers_new(const vip_model *model, vip_publisher *publisher, const vipann_rules *rules, bool drawn,
                uint32_t max_members, vipann_error *error)
{
    vip_answers *a = vip_alloc(1, sizeof *a);
    if (a == NULL) {
        (void)vip_fail_memory(error, "the answers");
        return NULL;
    }
    const size_t classes = model->network.classes, cells = vip_product(max_members, classes);
    a->model = model;
    a->publisher = publisher;
    a->drawn = drawn;
    a->column_seconds = vip_column_seconds(model);
    a->logits = vip_alloc(cells, sizeof *a->logits);
    a->probabilities = vip_alloc(cells, sizeof *a->probabilities);
    a->smoothed = vip_alloc(cells, sizeof *a->smoothed);
    a->short_p = vip_alloc(classes, sizeof *a->short_p);
    a->short_epistemic = vip_alloc(classes, sizeof *a->short_epistemic);
    a->result = vip_result_new((uint32_t)classes);
    if (a->logits == NULL || a->probabilities == NULL || a->smoothed == NULL || a->short_p == NULL ||
        a->short_epistemic == NULL || a->result == NULL || !prepare_sum(a)) {
        (void)vip_fail_memory(error, "the answers; ask for fewer passes");
        vip_answers_free(a);
        return NULL;
    }
    if (set_rules(a, rules, error) != VIPANN_OK) {
        vip_answers_free(a);
        return NULL;
    }
    return a;
}

void
vip_answers_free(vip_answers *a)
{
    if (a == NULL) {
        return;
    }
    vip_free(a->logits);
    vip_free(a->probabilities);
    vip_free(a->smoothed);
    vip_free(a->short_p);
    vip_free(a->short_epistemic);
    vip_free(a->features);
    vip_free(a->inverse);
    vipann_result_free(a->result);
    vip_detector_free(a->detector);
    vip_free(a);
}

static void
forget(vip_answers *a)
{
    memset(a->settled, 0, sizeof a->settled);
    a->summed = false;
    a->unknown = VIPANN_CANNOT_SAY;
}

void
vip_answers_reset(vip_answers *a)
{
    forget(a);
    vip_detector_reset(a->detector);
}

/* --------------------------------------------------------------------------------------------------------- members */

/* Members that count over the question's window before `end`. */
static uint32_t
count_members(const vip_question *q, int64_t end)
{
    const uint32_t settled = vip_pass_settled(q->pass, end, q->window);
    return settled > 0 ? settled : 1;
}

/* Probabilities of the members over a window. */
static void
ask_members(vip_answers *a, const vip_question *q, int64_t end, uint32_t window, uint32_t members)
{
    const size_t classes = a->model->network.classes;
    vip_pass_answer(q->pass, end, window, members, a->logits);
    for (uint32_t m = 0; m < members; m++) {
        float *logits = a->logits + m * classes;
        vip_calibrate(&a->model->calibration, !a->drawn, logits, classes);
        vip_probabilities(a->model->task, logits, classes, a->probabilities + m * classes);
    }
}

/* The newest probabilities go into the smoothed ones, member by member, with this weight. */
static void
smooth(vip_answers *a, double weight, uint32_t members)
{
    const size_t classes = a->model->network.classes;
    for (uint32_t m = 0; m < members; m++) {
        vip_probability *now = a->probabilities + m * classes, *smoothed = a->smoothed + m * classes;
        if (weight >= 1 || !a->settled[m]) {
            memcpy(smoothed, now, classes * sizeof *now);
            a->settled[m] = true;
            continue;
        }
        for (size_t c = 0; c < classes; c++) {
            smoothed[c].p += weight * (now[c].p - smoothed[c].p);
            smoothed[c].q += weight * (now[c].q - smoothed[c].q);
        }
    }
    for (uint32_t m = members; m < VIPANN_MAX_PASSES; m++) {
        a->settled[m] = false; /* one that leaves and comes back begins anew */
    }
}

/* The parts of the sum that the newest answer alone can tell, smoothed as probabilities are. */
static void
smooth_parts(vip_answers *a, const vip_pass *pass, double weight, uint32_t members)
{
    const vip_network *network = &a->model->network;
    if (a->sum == NULL) {
        return;
    }
    double energy = 0, distance = 0;
    for (uint32_t m = 0; m < members && a->sum->has[VIPANN_PART_ENERGY]; m++) {
        energy += vip_energy(a->model->task, a->logits + (size_t)m * network->classes, network->classes) / members;
    }
    if (a->features != NULL) {
        vip_pass_pooled(pass, a->features);
        vip_features(a->features, a->sum->centre, network->features, a->features);
        distance = vip_distance(a->features, a->sum->prototypes, a->inverse, a->sum->n_prototypes, network->features);
    }
    if (!a->summed || weight >= 1) {
        a->energy = energy;
        a->distance = distance;
    } else {
        a->energy += weight * (energy - a->energy);
        a->distance += weight * (distance - a->distance);
    }
    a->summed = true;
}

/* --------------------------------------------------------------------------------------------------------- results */

static vipann_answer
is_unknown(const vip_answers *a, uint32_t members)
{
    const vip_model *model = a->model;
    const vipann_result *r = a->result;
    vip_evidence evidence = {.members = a->drawn ? members : 0,
                             .total = r->total_nats,
                             .epistemic = r->epistemic_nats,
                             .energy = a->energy,
                             .distance = a->distance};
    for (uint32_t c = 0; c < r->classes; c++) {
        evidence.largest = (double)r->p[c] > evidence.largest ? (double)r->p[c] : evidence.largest;
    }
    if (model->task == VIPANN_MULTILABEL) {
        const float *thresholds = model->calibration.present ? model->calibration.thresholds : NULL;
        const vip_doubt active =
            vip_active_doubt(r->p, r->aleatoric, r->epistemic, thresholds, members, r->classes, &evidence.n_active);
        evidence.total = active.total;
        evidence.epistemic = active.epistemic;
    } else if (members >= 2) {
        evidence.epistemic = vip_corrected_epistemic(r->total_nats, r->epistemic_nats, members);
    }
    return vip_unknown(model, &evidence);
}

/* Whether a result for the question's window is of the kind that the model was calibrated for. */
static bool
is_calibrated(const vip_answers *a, const vip_question *q, int64_t end, uint32_t members)
{
    const uint32_t columns = q->window == 0 ? (uint32_t)end : q->window;
    return vip_calibration_applies(a->model, a->drawn ? members : 0, columns);
}

void
vip_answer(vip_answers *a, const vip_question *q, int64_t answered, int64_t end, bool last)
{
    const vip_model *model = a->model;
    vipann_result *r = a->result;
    const uint32_t members = count_members(q, end);
    const double elapsed = (double)(end - answered) * a->column_seconds;
    ask_members(a, q, end, q->window, members);
    const double weight = vip_smoothing_weight(elapsed, q->horizon);
    smooth(a, weight, members);
    smooth_parts(a, q->pass, weight, members);
    const vip_doubt doubt =
        vip_decompose(model->task, a->smoothed, members, r->classes, r->p, r->std, r->aleatoric, r->epistemic);
    r->columns = (uint32_t)(q->window == 0 || end < (int64_t)q->window ? end : (int64_t)q->window);
    r->t_seconds = (double)(q->first + end) * a->column_seconds;
    r->window_seconds = r->columns * a->column_seconds;
    r->passes = a->drawn ? members : 0;
    r->calibrated = is_calibrated(a, q, end, members);
    r->last = last;
    r->has_epistemic = r->passes >= 2;
    r->reduction = model->task == VIPANN_MULTILABEL ? VIPANN_REDUCTION_SUM : VIPANN_REDUCTION_NONE;
    r->total_nats = doubt.total;
    r->aleatoric_nats = doubt.aleatoric;
    r->epistemic_nats = doubt.epistemic;
    r->level_dbfs = vip_level_window(q->level, end, q->window);
    r->silent = r->level_dbfs < a->silence_dbfs;
    r->unknown = is_unknown(a, members);
    if (r->silent && r->unknown == VIPANN_YES) {
        r->unknown = VIPANN_NO;
    }
    a->unknown = r->unknown;
    r->gap_seconds = q->gap_seconds;
    r->not_finite = q->not_finite;
    r->clipped = q->clipped;
    vip_publish_result(a->publisher, r);
}

/* ---------------------------------------------------------------------------------------------------------- events */

static void
tell_event(void *user, const vipann_event *event)
{
    vip_publish_event(user, event);
}

void
vip_listen(vip_answers *a, const vip_question *q, int64_t listened, int64_t end)
{
    if (!vip_publisher_wants_events(a->publisher)) {
        return;
    }
    const vip_event_sink sink = {a->publisher, tell_event};
    const uint32_t members = count_members(q, end);
    ask_members(a, q, end, VIPANN_EVENT_COLUMNS, members);
    (void)vip_decompose(a->model->task, a->probabilities, members, a->model->network.classes, a->short_p, NULL, NULL,
                        a->short_epistemic);
    const vip_moment moment = {
        .since = (double)(q->first + listened) * a->column_seconds,
        .t = (double)(q->first + end) * a->column_seconds,
        .lag = (VIPANN_EVENT_COLUMNS - 1) * a->column_seconds,
        .p = a->short_p,
        .epistemic = a->drawn && members >= 2 ? a->short_epistemic : NULL,
        .passes = a->drawn ? members : 0,
        .silent = vip_level_window(q->level, end, VIPANN_EVENT_COLUMNS) < a->silence_dbfs,
        .unknown = a->unknown,
        .calibrated = is_calibrated(a, q, end, members),
    };
    vip_detector_hear(a->detector, &moment, &sink);
}

void
vip_answers_interrupt(vip_answers *a)
{
    const vip_event_sink sink = {a->publisher, tell_event};
    vip_detector_end(a->detector, &sink);
    forget(a);
}
