/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scale.c -- see scale.h for the contract. */
#include "scale.h"

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

/* One coordinate of *at by golden section in low .. high. */
static void
search(fitting *f, size_t c, scale *at, double *coordinate, double low, double high)
{
    const double golden = (sqrt(5) - 1) / 2;
    double a = high - golden * (high - low), b = low + golden * (high - low);
    *coordinate = a;
    double at_a = objective(f, c, *at);
    *coordinate = b;
    double at_b = objective(f, c, *at);
    for (int i = 0; i < TURNS; i++) {
        if (at_a <= at_b) {
            high = b;
            b = a;
            at_b = at_a;
            a = high - golden * (high - low);
            *coordinate = a;
            at_a = objective(f, c, *at);
        } else {
            low = a;
            a = b;
            at_a = at_b;
            b = low + golden * (high - low);
            *coordinate = b;
            at_b = objective(f, c, *at);
        }
    }
    *coordinate = (low + high) / 2;
}

/* One coordinate after the other, ever nearer. */
static scale
fit(fitting *f, size_t c, scale from)
{
    double reach_t = log(MOST / LEAST) / 2, reach_b = FAR;
    for (int i = 0; i < ROUNDS; i++) {
        const double b = from.offset, t = from.log_temperature;
        search(f, c, &from, &from.offset, b - reach_b, b + reach_b);
        search(f, c, &from, &from.log_temperature, fmax(t - reach_t, log(LEAST)), fmin(t + reach_t, log(MOST)));
        reach_t /= 2;
        reach_b /= 2;
    }
    return from;
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
