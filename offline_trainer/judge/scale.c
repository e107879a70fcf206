/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scale.c -- see scale.h for the contract. */
#include "scale.h"

#include "golden.h"

#include <base/memory.h>
#include <offline_trainer/base/parallel.h>

#include <math.h>

static const double LEAST = 0.05, MOST = 20, FAR = 8, SMALLEST = 1e-12, HEARD = 0.5;
static const double PRIOR_LOG_TEMPERATURE = 0.5, PRIOR_OFFSET = 1;
enum { LEAST_OWN = 20, ROUNDS = 4, TURNS = 24 };

typedef struct {
    double log_temperature, offset;
} scale;

typedef struct {
    const float *logits, *y;
    size_t n, members, classes;
    scale shared;
    bool found; /* shared is */
    scale *of;  /* [classes] */
    bool *own;  /* [classes] */
    double *loss;
    scale asked; /* what losses of all classes are asked of */
} fitting;

/* Summed over clips, nats. */
static double
loss_of(const fitting *f, size_t c, scale at)
{
    const double temperature = exp(at.log_temperature);
    double sum = 0;
    for (size_t i = 0; i < f->n; i++) {
        const double y = (double)f->y[i * f->classes + c];
        double p = 0;
        for (size_t m = 0; m < f->members; m++) {
            const double z = (double)f->logits[(i * f->members + m) * f->classes + c];
            p += 1 / (1 + exp(-(z - at.offset) / temperature));
        }
        p /= (double)f->members;
        sum -= y * log(fmax(p, SMALLEST)) + (1 - y) * log(fmax(1 - p, SMALLEST));
    }
    return sum;
}

static void
ask_class(void *context, size_t c)
{
    fitting *f = context;
    f->loss[c] = loss_of(f, c, f->asked);
}

/* Of one class with what the prior says, or of all of them. */
static double
objective(fitting *f, size_t c, scale at)
{
    if (f->found) {
        const double dt = (at.log_temperature - f->shared.log_temperature) / PRIOR_LOG_TEMPERATURE;
        const double db = (at.offset - f->shared.offset) / PRIOR_OFFSET;
        return loss_of(f, c, at) + (dt * dt + db * db) / 2;
    }
    double sum = 0;
    f->asked = at;
    vip_parallel(f->classes, ask_class, f);
    for (size_t k = 0; k < f->classes; k++) {
        sum += f->loss[k];
    }
    return sum;
}

/* What a search along one coordinate asks of. */
typedef struct {
    fitting *f;
    size_t c;
    scale at;
    double *coordinate; /* of at */
} line;

static double
along(void *context, double value)
{
    const line *l = context;
    *l->coordinate = value;
    return objective(l->f, l->c, l->at);
}

/* One coordinate after the other, ever nearer. */
static scale
fit(fitting *f, size_t c, scale from)
{
    double reach_t = log(MOST / LEAST) / 2, reach_b = FAR;
    line l = {.f = f, .c = c, .at = from};
    for (int i = 0; i < ROUNDS; i++) {
        const double b = l.at.offset, t = l.at.log_temperature;
        l.coordinate = &l.at.offset;
        l.at.offset = vip_golden_section(along, &l, b - reach_b, b + reach_b, TURNS);
        l.coordinate = &l.at.log_temperature;
        l.at.log_temperature =
            vip_golden_section(along, &l, fmax(t - reach_t, log(LEAST)), fmin(t + reach_t, log(MOST)), TURNS);
        reach_t /= 2;
        reach_b /= 2;
    }
    return l.at;
}

static void
fit_class(void *context, size_t c)
{
    fitting *f = context;
    size_t heard = 0;
    for (size_t i = 0; i < f->n; i++) {
        heard += (double)f->y[i * f->classes + c] >= HEARD;
    }
    f->own[c] = heard >= LEAST_OWN && f->n - heard >= LEAST_OWN;
    f->of[c] = f->own[c] ? fit(f, c, f->shared) : f->shared;
    f->loss[c] = loss_of(f, c, f->of[c]);
}

bool
vip_fit_scales(const float *logits, const float *y, size_t n, size_t members, size_t classes, float *temperature,
               float *offset, size_t *own, double *loss)
{
    fitting f = {.logits = logits, .y = y, .n = n, .members = members, .classes = classes};
    f.of = vip_alloc(classes, sizeof *f.of);
    f.own = vip_alloc(classes, sizeof *f.own);
    f.loss = vip_alloc(classes, sizeof *f.loss);
    const bool good = f.of != NULL && f.own != NULL && f.loss != NULL;
    *own = 0;
    *loss = 0;
    if (good) {
        f.shared = fit(&f, 0, (scale){0, 0});
        f.found = true;
        vip_parallel(classes, fit_class, &f);
        for (size_t c = 0; c < classes; c++) {
            temperature[c] = (float)exp(f.of[c].log_temperature);
            offset[c] = (float)f.of[c].offset;
            *own += f.own[c];
            *loss += f.loss[c] / (double)n;
        }
    }
    vip_free(f.of);
    vip_free(f.own);
    vip_free(f.loss);
    return good;
}
