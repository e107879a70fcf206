/* SPDX-License-Identifier: GPL-3.0-or-later */
/* posteriors.c -- members with weights of their own, and the distribution of members' answers. */
#include "subject.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bayes/keyed.h>

static const double MEANFIELD_TOLERANCE = 2e-4; /* times the largest magnitude */

/* --------------------------------------------------------------------------------------------------------- Flipout */

/* Position of a tensor among those that have random numbers, by its name. */
static int
tensor_id(const vip_model *model, const char *name)
{
    int id = 0;
    for (int i = 0; i < model->n_tensors; i++) {
        const bool drawn = model->shapes[i].kind == VIP_CONV_WEIGHT || model->shapes[i].kind == VIP_LINEAR_WEIGHT ||
                           model->shapes[i].kind == VIP_LINEAR_BIAS;
        if (strcmp(model->shapes[i].name, name) == 0) {
            return drawn ? id : -1;
        }
        id += drawn;
    }
    return -1;
}

/* sign_in.<layer>, sign_out.<layer>: (row, channels[, columns, bins]). Adds what differs to *wrong. */
static void
compare_signs(const vector_case *c, const vip_model *model, const char *name, size_t *wrong, size_t *n)
{
    vector_tensor signs;
    char weight[VIP_NAME_SIZE + 20];
    const bool in = strncmp(name, "sign_in.", 8) == 0;
    (void)snprintf(weight, sizeof weight, "%s.weight", strchr(name, '.') + 1);
    const int id = tensor_id(model, weight);
    const json_t *ids = json_object_get(c->about, "tensor_ids"), *draws = json_object_get(c->about, "sign_draws");
    if (!case_tensor(c, name, &signs) || signs.type != TYPE_U8 || signs.rank < 2 || id < 0 ||
        json_integer_value(json_object_get(ids, weight)) != id) {
        *wrong += 1;
        return;
    }
    const size_t channels = signs.shape[1], columns = signs.rank == 4 ? signs.shape[2] : 1;
    const size_t bins = signs.rank == 4 ? signs.shape[3] : 1;
    const unsigned char *want = signs.data;
    unsigned char *negative = calloc(channels * bins + 1, 1);
    for (size_t row = 0; negative != NULL && row < signs.shape[0]; row++) {
        const uint32_t draw = (uint32_t)json_integer_value(json_array_get(draws, row));
        for (size_t column = 0; column < columns; column++) {
            vip_keyed_signs(case_seed(c), in ? VIP_KEYED_SIGN_IN : VIP_KEYED_SIGN_OUT, (uint32_t)id, draw,
                            (uint32_t)column, negative, channels * bins);
            for (size_t e = 0; e < channels * bins; e++) {
                *wrong +=
                    negative[e] != want[((row * channels + e % channels) * columns + column) * bins + e / channels];
            }
        }
    }
    *n += signs.n;
    free(negative);
}

static uint32_t
compare_eps(const vector_case *c, const vip_model *model, const char *name)
{
    vector_tensor stored;
    const int id = tensor_id(model, name + strlen("eps."));
    if (id < 0 || !case_tensor(c, name, &stored) || stored.type != TYPE_F32) {
        return UINT32_MAX;
    }
    const uint32_t draw = (uint32_t)case_number(c, "eps_draw", 0);
    const float *want = stored.data;
    float *eps = calloc(stored.n + 1, sizeof *eps);
    uint32_t apart = eps == NULL ? UINT32_MAX : 0;
    if (eps != NULL) {
        vip_keyed_eps(case_seed(c), (uint32_t)id, draw, eps, stored.n);
        for (size_t i = 0; i < stored.n; i++) {
            const uint32_t u = ulps(eps[i], want[i]);
            apart = u > apart ? u : apart;
        }
    }
    free(eps);
    return apart;
}

/* All the noise that the case has written down. */
static void
check_noise(const vector_case *c, tally *t, const vip_model *model)
{
    size_t wrong_signs = 0, n_signs = 0, n_eps = 0;
    uint32_t apart = 0;
    const char *name;
    json_t *entry;
    json_object_foreach(c->header, name, entry)
    {
        if (strncmp(name, "sign_in.", 8) == 0 || strncmp(name, "sign_out.", 9) == 0) {
            compare_signs(c, model, name, &wrong_signs, &n_signs);
        } else if (strncmp(name, "eps.", 4) == 0) {
            const uint32_t u = compare_eps(c, model, name);
            apart = u > apart ? u : apart;
            n_eps++;
        }
    }
    if (n_signs > 0 || wrong_signs > 0) {
        tally_exact(t, "signs", wrong_signs, n_signs);
    }
    if (n_eps > 0) {
        tally_error(t, "eps (units in the last place)", apart, 1);
    }
}

/* Row b has the signs of its own draw. */
static void
check_channel(const vector_case *c, tally *t, const vip_model *model, const float *frames, size_t rows, size_t n_frames)
{
    const size_t classes = model->network.classes;
    const json_t *draws = json_object_get(c->about, "sign_draws");
    const float *want = need(c, t, "logits", TYPE_F32, rows * classes, NULL);
    uint32_t last = 0;
    for (size_t row = 0; row < rows; row++) {
        const uint32_t draw = (uint32_t)json_integer_value(json_array_get(draws, row));
        last = draw > last ? draw : last;
    }
    if (want == NULL || rows == 0 || json_array_size(draws) != rows || last >= VIPANN_MAX_PASSES) {
        tally_fail(t, "logits", "there is not one draw below %d for each row", VIPANN_MAX_PASSES);
        return;
    }
    const recipe how = {.flipout = true,
                        .draw = (uint32_t)case_number(c, "eps_draw", 0),
                        .members = last + 1,
                        .max_frames = (uint32_t)n_frames,
                        .seed = case_seed(c)};
    subject s;
    float *all = calloc(how.members * classes, sizeof *all), *got = calloc(rows * classes, sizeof *got);
    if (subject_open(&s, model, &how) && all != NULL && got != NULL) {
        for (size_t row = 0; row < rows; row++) {
            const size_t member = (size_t)json_integer_value(json_array_get(draws, row));
            subject_hear(&s, frames + row * n_frames * VIP_MELS, n_frames, how.members, all);
            memcpy(got + row * classes, all + member * classes, classes * sizeof *got);
        }
        tally_error(t, "logits", largest_difference(got, want, rows * classes),
                    MEANFIELD_TOLERANCE * magnitude(want, rows * classes));
    } else {
        tally_fail(t, "logits", "memory is short");
    }
    subject_close(&s);
    free(all);
    free(got);
}

void
check_flipout(const vector_case *c, tally *t)
{
    size_t rows, n_frames;
    vip_model *model = open_model(c, t);
    const float *frames = need_logmel(c, t, &rows, &n_frames);
    if (model != NULL && frames != NULL) {
        check_noise(c, t, model);
        if (strcmp(case_text(c, "variant"), "channel") == 0) {
            check_channel(c, t, model, frames, rows, n_frames);
        } else {
            tally_skip(t, "logits", "signs per element are a form of training: no member is one fixed function");
        }
        tally_skip(t, "divergence", "it is the trainer's");
    }
    vip_model_free(model);
}

/* ------------------------------------------------------------------------------------------------------ mean field */

void
check_meanfield(const vector_case *c, tally *t)
{
    size_t rows, n_frames;
    vip_model *model = open_model(c, t);
    const float *frames = need_logmel(c, t, &rows, &n_frames);
    const json_t *draws = json_object_get(c->about, "draws");
    const size_t classes = model == NULL ? 0 : model->network.classes, n = frames == NULL ? 0 : rows * classes;
    const float *want = n == 0 ? NULL : need(c, t, "logits", TYPE_F32, json_array_size(draws) * n, NULL);
    float *got = calloc(n + 1, sizeof *got);
    for (size_t d = 0; want != NULL && got != NULL && d < json_array_size(draws); d++) {
        const recipe how = {.explicit_weights = true,
                            .draw = (uint32_t)json_integer_value(json_array_get(draws, d)),
                            .members = 1,
                            .max_frames = (uint32_t)n_frames,
                            .seed = case_seed(c)};
        subject s;
        char name[32];
        (void)snprintf(name, sizeof name, "logits of draw %u", (unsigned)how.draw);
        if (subject_open(&s, model, &how)) {
            for (size_t row = 0; row < rows; row++) {
                subject_hear(&s, frames + row * n_frames * VIP_MELS, n_frames, 1, got + row * classes);
            }
            tally_error(t, name, largest_difference(got, want + d * n, n),
                        MEANFIELD_TOLERANCE * magnitude(want + d * n, n));
        } else {
            tally_fail(t, name, "memory is short");
        }
        subject_close(&s);
    }
    free(got);
    vip_model_free(model);
}

/* --------------------------------------------------------------------------------------------------------- moments */

enum {
    GROUP = 50, /* members of one pass; all draws of the case are a whole number of such groups */
    OWN = 1000, /* own samples where every one needs weights of its own */
    MOST_CLASSES = 64
};

/* Sums of samples and of their squares, per class, less a first sample that keeps the squares small. */
typedef struct {
    size_t n, classes;
    double origin[MOST_CLASSES], sum[MOST_CLASSES], squares[MOST_CLASSES];
} moments;

static void
add_sample(moments *m, const float *logits)
{
    for (size_t k = 0; k < m->classes; k++) {
        m->origin[k] = m->n == 0 ? (double)logits[k] : m->origin[k];
        const double x = (double)logits[k] - m->origin[k];
        m->sum[k] += x;
        m->squares[k] += x * x;
    }
    m->n++;
}

/* Distance from the stored moments in units of their standard errors; the two samples have errors of their own. */
static void
compare_moments(const vector_case *c, tally *t, const char *prefix, const moments *m)
{
    const float *mean = need(c, t, "mean", TYPE_F32, m->classes, NULL),
                *var = need(c, t, "var", TYPE_F32, m->classes, NULL);
    const float *se_mean = need(c, t, "se_mean", TYPE_F32, m->classes, NULL);
    const float *se_var = need(c, t, "se_var", TYPE_F32, m->classes, NULL);
    if (mean == NULL || var == NULL || se_mean == NULL || se_var == NULL || m->n < 2) {
        tally_fail(t, prefix, "there is nothing to compare");
        return;
    }
    const double n = (double)m->n, allowed = 4.5 * sqrt(1 + case_number(c, "samples", 0) / n);
    double worst_mean = 0, worst_var = 0;
    for (size_t k = 0; k < m->classes; k++) {
        const double own_mean = m->origin[k] + m->sum[k] / n;
        const double own_var = (m->squares[k] - m->sum[k] * m->sum[k] / n) / (n - 1);
        worst_mean = fmax(worst_mean, fabs(own_mean - (double)mean[k]) / (double)se_mean[k]);
        worst_var = fmax(worst_var, fabs(own_var - (double)var[k]) / (double)se_var[k]);
    }
    char name[96];
    (void)snprintf(name, sizeof name, "%s: mean of %zu (standard errors)", prefix, m->n);
    tally_error(t, name, worst_mean, allowed);
    (void)snprintf(name, sizeof name, "%s: variance of %zu (standard errors)", prefix, m->n);
    tally_error(t, name, worst_var, allowed);
}

/* The keyed draws 0 .. samples-1, which the case was made of: so the mean must be the same. */
static void
check_keyed_draws(const vector_case *c, tally *t, const vip_model *model, const float *frames, size_t n_frames)
{
    moments m = {.classes = model->network.classes};
    float rates[VIP_MAX_SITES], logits[GROUP * MOST_CLASSES], mean[MOST_CLASSES];
    read_rates(c, &model->network, rates);
    const uint32_t samples = (uint32_t)case_number(c, "samples", 0);
    for (uint32_t first = 0; first < samples; first += GROUP) {
        const recipe how = {.members = samples - first < GROUP ? samples - first : GROUP,
                            .first_member = first,
                            .max_frames = (uint32_t)n_frames,
                            .rates = rates,
                            .seed = case_seed(c)};
        subject s;
        if (!subject_open(&s, model, &how)) {
            tally_fail(t, "dropout", "memory is short");
            subject_close(&s);
            return;
        }
        subject_hear(&s, frames, n_frames, how.members, logits);
        for (uint32_t k = 0; k < how.members; k++) {
            add_sample(&m, logits + k * m.classes);
        }
        subject_close(&s);
    }
    const float *want = need(c, t, "mean", TYPE_F32, m.classes, NULL);
    for (size_t k = 0; k < m.classes && m.n > 0; k++) {
        mean[k] = (float)(m.origin[k] + m.sum[k] / (double)m.n);
    }
    if (want != NULL && m.n > 0) {
        tally_error(t, "mean of the same draws", largest_difference(mean, want, m.classes), 1e-4);
    }
    compare_moments(c, t, "dropout", &m);
}

/* Samples of the weights: groups of explicit members, or one member each of passes of channel Flipout with an eps of
 * their own. */
static void
check_samples(const vector_case *c, tally *t, const vip_model *model, bool flipout, const float *frames,
              size_t n_frames)
{
    moments m = {.classes = model->network.classes};
    const char *name = flipout ? "Flipout per channel" : "explicit weights";
    float logits[GROUP * MOST_CLASSES];
    const uint32_t members = flipout ? 1 : GROUP;
    for (uint32_t k = 0; k < OWN; k += members) {
        const recipe how = {.flipout = flipout,
                            .explicit_weights = !flipout,
                            .draw = flipout ? 0 : k,
                            .members = members,
                            .max_frames = (uint32_t)n_frames,
                            .seed = flipout ? 1000003u + k : 7u};
        subject s;
        if (!subject_open(&s, model, &how)) {
            tally_fail(t, name, "memory is short");
            subject_close(&s);
            return;
        }
        subject_hear(&s, frames, n_frames, members, logits);
        for (uint32_t i = 0; i < members; i++) {
            add_sample(&m, logits + i * m.classes);
        }
        subject_close(&s);
    }
    compare_moments(c, t, name, &m);
}

void
check_moments(const vector_case *c, tally *t)
{
    size_t rows, n_frames;
    vip_model *model = open_model(c, t);
    const float *frames = need_logmel(c, t, &rows, &n_frames);
    vector_tensor mean;
    if (model != NULL && frames != NULL && case_tensor(c, "mean", &mean)) {
        if (model->network.classes > MOST_CLASSES) {
            tally_fail(t, "classes", "more than %d", MOST_CLASSES);
        } else if (strcmp(case_text(c, "posterior"), "dropout") == 0) {
            check_keyed_draws(c, t, model, frames, n_frames);
        } else if (strstr(case_text(c, "name"), "element") != NULL) {
            tally_skip(t, "moments", "signs per element are a form of training: another distribution");
        } else {
            check_samples(c, t, model, false, frames, n_frames);
            check_samples(c, t, model, true, frames, n_frames);
        }
    }
    vip_model_free(model);
}
