/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trial.c -- see trial.h for the contract. */
#include "trial.h"

#include <math.h>
#include <string.h>

#include <base/memory.h>
#include <base/status.h>
#include <decide/events.h>
#include <decide/rules.h>
#include <offline_trainer/base/parallel.h>
#include <offline_trainer/judge/temperature.h>

#include "rows.h"

enum { MOST_NEGATIVES = 4000, N_PENALTIES = 6 };
static const double PENALTIES[N_PENALTIES] = {0.0003, 0.001, 0.003, 0.01, 0.03, 0.1};
static const double CHUNK_S = 60;   /* of background that is judged together */
static const double MARGIN_S = 0.5; /* an event so near a stretch is of it */
static const double LONGER_S =
    3; /* one that lasts so much longer is false as well: it would find whatever lies in it */
static const double THRESHOLDS[] = {0.1,  0.15, 0.2,  0.25, 0.3,  0.35, 0.4,  0.45, 0.5,  0.55, 0.6,
                                    0.65, 0.7,  0.75, 0.8,  0.85, 0.9,  0.93, 0.95, 0.97, 0.98, 0.99};

typedef struct {
    const vip_model *model;
    const vip_sounds *sounds;
    const vip_heard_vectors *heard;
    uint32_t c;
    double column; /* s */
    vip_examples examples;
    const float **x;
    int8_t *y;
    uint8_t *fold;
    float *mean, *scale;
    float *w; /* [N_PENALTIES][FOLDS][features], then [features] of the best */
    float bias[N_PENALTIES * VIP_TEACH_FOLDS + 1];
    bool failed[N_PENALTIES * VIP_TEACH_FOLDS + 1];
} trial;

/* How much of the window that ends with the column lies in a stretch, s; and how long both may be at most. */
static double
overlap(const trial *t, const vip_recording *r, const vip_stretch_of_sound *s, size_t column, double seconds)
{
    const double end = (double)(column + 1) * t->column, begin = fmax(end - VIPANN_EVENT_COLUMNS * t->column, 0);
    const double stretch_end = r->clip ? seconds : s->end;
    return fmin(end, stretch_end) - fmax(begin, s->start);
}

/* 1: the class is heard in it, 0: it is not, -1: it may be. *fold: of the window; *labelled: something is heard in it. */
static int
truth(const trial *t, size_t recording, size_t column, uint32_t *fold, bool *labelled)
{
    const vip_recording *r = &t->sounds->recordings[recording];
    const double seconds = t->heard[recording].seconds, window = VIPANN_EVENT_COLUMNS * t->column;
    int is = 0;
    *labelled = false;
    *fold =
        r->clip ? r->fold : (uint32_t)((size_t)((double)column * t->column / CHUNK_S) + recording) % VIP_TEACH_FOLDS;
    for (size_t i = 0; i < r->n; i++) {
        const vip_stretch_of_sound *s = &r->stretches[i];
        const double both = overlap(t, r, s, column, seconds), length = (r->clip ? seconds : s->end) - s->start;
        if (both <= 0 && !(length <= 0 && both > -t->column)) {
            continue;
        }
        *fold = s->fold;
        *labelled = true;
        if (s->class_index == t->c) {
            is = both >= 0.5 * fmin(window, length) ? 1 : is == 1 ? 1 : -1;
        }
    }
    return is;
}

/* ------------------------------------------------------------------------------------------------------- examples */

static void
gather(trial *t, size_t every)
{
    size_t seen = 0;
    t->examples.n = 0;
    for (size_t i = 0; i < t->sounds->n; i++) {
        for (size_t column = 0; column < t->heard[i].columns; column++) {
            uint32_t fold;
            bool labelled;
            const int is = truth(t, i, column, &fold, &labelled);
            /* Of the background some will do; what is labelled as something else is what it must be kept from. */
            if (is == 1 || (is == 0 && (labelled || seen++ % every == 0))) {
                const size_t n = t->examples.n++;
                t->x[n] = t->heard[i].vectors + column * t->model->network.features;
                t->y[n] = (int8_t)is;
                t->fold[n] = (uint8_t)fold;
            }
        }
    }
}

static vipann_status
make_examples(trial *t, vipann_error *error)
{
    size_t all = 0;
    const uint32_t features = t->model->network.features;
    for (size_t i = 0; i < t->sounds->n; i++) {
        all += t->heard[i].columns;
    }
    t->x = vip_alloc(all + 1, sizeof *t->x);
    t->y = vip_alloc(all + 1, sizeof *t->y);
    t->fold = vip_alloc(all + 1, sizeof *t->fold);
    t->mean = vip_alloc(features, sizeof *t->mean);
    t->scale = vip_alloc(features, sizeof *t->scale);
    t->w = vip_alloc(((size_t)N_PENALTIES * VIP_TEACH_FOLDS + 1) * features, sizeof *t->w);
    if (t->x == NULL || t->y == NULL || t->fold == NULL || t->mean == NULL || t->scale == NULL || t->w == NULL) {
        return vip_fail_memory(error, "teaching");
    }
    gather(t, all > MOST_NEGATIVES ? (all + MOST_NEGATIVES - 1) / MOST_NEGATIVES : 1);
    size_t heard = 0;
    for (size_t i = 0; i < t->examples.n; i++) {
        heard += t->y[i] == 1;
    }
    if (heard == 0) {
        return vip_fail(error, VIPANN_E_ARG,
                        "\"%.80s\": nothing that is labelled so could be heard; it needs %.1f s of sound",
                        t->sounds->classes[t->c], t->column);
    }
    if (heard == t->examples.n) {
        return vip_fail(error, VIPANN_E_ARG,
                        "\"%.80s\": all sound is labelled so; give sound without it as well, as background",
                        t->sounds->classes[t->c]);
    }
    vip_row_standardise(t->x, t->examples.n, features, t->mean, t->scale);
    t->examples.x = t->x;
    t->examples.y = t->y;
    t->examples.fold = t->fold;
    t->examples.features = features;
    t->examples.mean = t->mean;
    t->examples.scale = t->scale;
    return VIPANN_OK;
}

static void
free_trial(trial *t)
{
    vip_free(t->x);
    vip_free(t->y);
    vip_free(t->fold);
    vip_free(t->mean);
    vip_free(t->scale);
    vip_free(t->w);
}

/* ---------------------------------------------------------------------------------------------------------- learning */

static float *
row_of(const trial *t, size_t i)
{
    return t->w + i * t->examples.features;
}

static void
learn_left_out(void *context, size_t turn)
{
    trial *t = context;
    t->failed[turn] = !vip_row_learn(&t->examples, (uint32_t)(turn % VIP_TEACH_FOLDS),
                                     PENALTIES[turn / VIP_TEACH_FOLDS], row_of(t, turn), &t->bias[turn]);
}

/* Learns all, and finds which penalty does best where it has not learnt; the final row is the last one. False: memory. */
static bool
learn(trial *t, size_t *best)
{
    enum { TURNS = N_PENALTIES * VIP_TEACH_FOLDS };
    double least = INFINITY;
    vip_parallel(TURNS, learn_left_out, t);
    for (size_t p = 0; p < N_PENALTIES; p++) {
        double loss = 0;
        for (uint32_t fold = 0; fold < VIP_TEACH_FOLDS; fold++) {
            const size_t i = p * VIP_TEACH_FOLDS + fold;
            if (t->failed[i]) {
                return false;
            }
            loss += vip_row_loss(&t->examples, fold, row_of(t, i), t->bias[i]);
        }
        if (loss < least) {
            least = loss;
            *best = p;
        }
    }
    return vip_row_learn(&t->examples, VIP_ROW_ALL, PENALTIES[*best], row_of(t, TURNS), &t->bias[TURNS]);
}

/* The logit of a window by the row that has not learnt from it. */
static float
left_out_logit(const trial *t, size_t best, size_t recording, size_t column, uint32_t fold)
{
    const size_t i = best * VIP_TEACH_FOLDS + fold;
    return vip_row_logit(row_of(t, i), t->bias[i], t->heard[recording].vectors + column * t->examples.features,
                         t->examples.features);
}

static double
fit_temperature(const trial *t, size_t best)
{
    float *logits = vip_alloc(t->examples.n, sizeof *logits), *y = vip_alloc(t->examples.n, sizeof *y);
    double temperature = 1, loss;
    for (size_t i = 0; logits != NULL && y != NULL && i < t->examples.n; i++) {
        const size_t row = best * VIP_TEACH_FOLDS + t->fold[i];
        logits[i] = vip_row_logit(row_of(t, row), t->bias[row], t->x[i], t->examples.features);
        y[i] = t->y[i];
    }
    if (logits != NULL && y != NULL) {
        temperature = vip_fit_temperature(VIPANN_MULTILABEL, logits, y, t->examples.n, 1, 1, &loss);
    }
    vip_free(logits);
    vip_free(y);
    return temperature;
}

/* --------------------------------------------------------------------------------------------------------- judging */

/* Events of one recording, judged as they come. */
typedef struct {
    const trial *t;
    size_t recording;
    bool *found; /* [stretches of the recording] */
    vip_taught *taught;
} judge;

static void
take_event(void *user, const vipann_event *event)
{
    judge *j = user;
    const vip_recording *r = &j->t->sounds->recordings[j->recording];
    bool mine = false, other = false;
    double outside = event->end_seconds - event->start_seconds;
    if (!event->ended) {
        return;
    }
    for (size_t i = 0; i < r->n; i++) {
        const vip_stretch_of_sound *s = &r->stretches[i];
        if (event->start_seconds > s->end + MARGIN_S || event->end_seconds < s->start - MARGIN_S) {
            continue;
        }
        if (s->class_index == j->t->c) {
            j->found[i] = mine = true;
            outside -= fmin(event->end_seconds, s->end) - fmax(event->start_seconds, s->start);
        } else {
            other = true;
        }
    }
    if (mine) {
        j->taught->alarms += outside > LONGER_S;
        return;
    }
    j->taught->alarms += !other;
    for (size_t i = 0; i < r->n && other; i++) {
        const vip_stretch_of_sound *s = &r->stretches[i];
        if (event->start_seconds <= s->end + MARGIN_S && event->end_seconds >= s->start - MARGIN_S) {
            j->taught->taken[s->class_index]++;
        }
    }
}

/* Events of one recording at a threshold, from probabilities of rows that did not learn from it. False: memory is short. */
static bool
judge_recording(const trial *t, size_t recording, const vipann_rules *rules, size_t best, vip_taught *taught)
{
    const vip_recording *r = &t->sounds->recordings[recording];
    vip_detector *detector = vip_detector_new(rules);
    bool *found = vip_alloc(r->n + 1, sizeof *found);
    judge j = {t, recording, found, taught};
    const vip_event_sink sink = {&j, take_event};
    for (size_t column = 0; detector != NULL && found != NULL && column < t->heard[recording].columns; column++) {
        uint32_t fold;
        bool labelled;
        (void)truth(t, recording, column, &fold, &labelled);
        const double z = (double)left_out_logit(t, best, recording, column, fold) / taught->temperature;
        const float p = (float)(1 / (1 + exp(-z)));
        const vip_moment moment = {.since = (double)column * t->column,
                                   .t = (double)(column + 1) * t->column,
                                   .lag = (VIPANN_EVENT_COLUMNS - 1) * t->column,
                                   .p = &p};
        vip_detector_hear(detector, &moment, &sink);
    }
    const bool good = detector != NULL && found != NULL;
    if (good) {
        vip_detector_end(detector, &sink);
        for (size_t i = 0; i < r->n; i++) {
            taught->found += r->stretches[i].class_index == t->c && found[i];
        }
    }
    vip_detector_free(detector);
    vip_free(found);
    return good;
}

static bool
judge_all(const trial *t, double threshold, size_t best, vip_taught *taught)
{
    vipann_error error;
    char *label = t->sounds->classes[t->c];
    const float at = (float)threshold;
    vipann_rules *rules = vip_rules_new(&label, &at, 0.5, 1, &error);
    bool good = rules != NULL;
    taught->found = taught->alarms = 0;
    memset(taught->taken, 0, sizeof taught->taken);
    for (size_t i = 0; i < t->sounds->n && good; i++) {
        good = judge_recording(t, i, rules, best, taught);
    }
    vipann_rules_free(rules);
    return good;
}

/* Sound in which the class is not labelled. */
static double
hours_without(const trial *t)
{
    double seconds = 0;
    for (size_t i = 0; i < t->sounds->n; i++) {
        const vip_recording *r = &t->sounds->recordings[i];
        double without = t->heard[i].seconds;
        for (size_t k = 0; k < r->n; k++) {
            const vip_stretch_of_sound *s = &r->stretches[k];
            if (s->class_index == t->c) {
                without -= fmin(s->end, t->heard[i].seconds) - fmin(s->start, t->heard[i].seconds);
            }
        }
        seconds += fmax(without, 0);
    }
    return seconds / 3600;
}

/* Of the thresholds at which no more alarms come than was asked for, and then as many stretches are found as can be, the
 * middle one: it has room on both sides for what sounds a little different. Where none is found nothing speaks for more than
 * the lowest. False: memory is short. */
static bool
find_threshold(const trial *t, double alarms_per_hour, size_t best, vip_taught *taught)
{
    enum { N = sizeof THRESHOLDS / sizeof *THRESHOLDS };
    const double allowed = alarms_per_hour * taught->hours;
    size_t good[N], n = 0;
    uint32_t most = 0;
    for (size_t i = 0; i < N; i++) {
        if (!judge_all(t, THRESHOLDS[i], best, taught)) {
            return false;
        }
        if (taught->alarms <= allowed && (n == 0 || taught->found >= most)) {
            n = taught->found > most ? 0 : n;
            most = taught->found;
            good[n++] = i;
        }
    }
    taught->threshold = n > 0 ? THRESHOLDS[good[most > 0 ? n / 2 : 0]] : -1;
    return n == 0 || judge_all(t, taught->threshold, best, taught);
}

vipann_status
vip_teach_class(const vip_model *model, const vip_sounds *sounds, const vip_heard_vectors *heard, uint32_t c,
                double alarms_per_hour, vip_taught *taught, vipann_error *error)
{
    trial t = {.model = model, .sounds = sounds, .heard = heard, .c = c, .column = vip_hear_column(model)};
    size_t best = 0;
    *taught = (vip_taught){.stretches = sounds->stretches[c], .judged = sounds->stretches[c] > 1};
    vipann_status status = make_examples(&t, error);
    if (status == VIPANN_OK) {
        taught->w = vip_alloc(model->network.features, sizeof *taught->w);
        taught->hours = hours_without(&t);
        bool good = taught->w != NULL && learn(&t, &best);
        if (good) {
            const size_t last = (size_t)N_PENALTIES * VIP_TEACH_FOLDS;
            memcpy(taught->w, row_of(&t, last), model->network.features * sizeof *taught->w);
            taught->bias = t.bias[last];
            taught->penalty = PENALTIES[best];
            taught->temperature = fit_temperature(&t, best);
            good = find_threshold(&t, alarms_per_hour, best, taught);
        }
        status = good ? VIPANN_OK : vip_fail_memory(error, "teaching");
    }
    free_trial(&t);
    return status;
}

/* Solves P(at most `seen` | rate) = 0.025, by halving. */
double
vip_rate_at_most(uint32_t seen)
{
    double low = seen, high = (double)seen + 10 * sqrt((double)seen + 1) + 10;
    for (int i = 0; i < 60; i++) {
        const double rate = (low + high) / 2;
        double term = exp(-rate), sum = term;
        for (uint32_t k = 1; k <= seen; k++) {
            term *= rate / k;
            sum += term;
        }
        if (sum > 0.025) {
            low = rate;
        } else {
            high = rate;
        }
    }
    return (low + high) / 2;
}
