/* SPDX-License-Identifier: GPL-3.0-or-later */
/* measure.c -- see measure.h for the contract. */
#include "measure.h"

#include <math.h>
#include <stdint.h>
#include <time.h>

enum { BLOCK = 512 }; /* frames per push, as a sound card would give them */

static const double WARM_S = 2, MEASURED_S = 4; /* of sound */
static const double ENOUGH_CPU_S = 2;           /* after so much of work the rest would tell nothing new */
static const double LOUDNESS = 0.1;             /* of full scale */

static double
cpu_seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Numerical Recipes' congruential generator: any noise will do. */
static void
make_noise(uint32_t *state, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *state = *state * 1664525u + 1013904223u;
        x[i] = (float)(LOUDNESS * ((double)*state / 2147483648.0 - 1));
    }
}

/* Feeds sound until so many columns have been heard or `most_cpu` seconds have been worked. Returns the columns. */
static uint32_t
feed(vipann_engine *engine, uint32_t *noise, uint32_t columns, double most_cpu)
{
    float x[BLOCK];
    const float *channels[1] = {x};
    double begun = cpu_seconds();
    uint32_t heard = 0;
    while (heard < columns && (heard == 0 || cpu_seconds() - begun < most_cpu)) {
        make_noise(noise, x, BLOCK);
        (void)vipann_push(engine, channels, BLOCK);
        for (int n; (n = vipann_pump(engine)) > 0;) {
            heard += (uint32_t)n;
        }
    }
    return heard;
}

vipann_status
vip_measure_core(vipann_model *model, const vipann_options *options, double *core, vipann_error *error)
{
    vipann_model_info info;
    vipann_model_describe(model, &info);
    vipann_options o = *options;
    o.rate = info.sample_rate;
    o.channels = 1;
    o.channel = -1;
    o.hop_columns = 1;
    o.piece_columns = 1;
    vipann_error found = {VIPANN_E_MEMORY, "not enough memory for the measurement"};
    vipann_engine *engine = vipann_engine_new(model, &o, &found);
    if (engine == NULL) {
        if (error != NULL) {
            *error = found;
        }
        return found.status;
    }
    uint32_t noise = 1;
    (void)feed(engine, &noise, (uint32_t)ceil(WARM_S / info.column_seconds), ENOUGH_CPU_S);
    double begun = cpu_seconds();
    uint32_t heard = feed(engine, &noise, (uint32_t)ceil(MEASURED_S / info.column_seconds), ENOUGH_CPU_S);
    *core = (cpu_seconds() - begun) / (heard * info.column_seconds);
    vipann_engine_free(engine);
    return VIPANN_OK;
}
