/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scores_tables.c -- what `vipann-train scores` says; see scores.h. */
#include "scores.h"

#include <offline_trainer/judge/temperature.h>

#include <base/memory.h>
#include <base/status.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Clips of known sounds and of some foreign sets in one row, with recordings numbered. */
typedef struct {
    vip_study view;
    double *scores;
    uint32_t *set, *group;
    const vip_cache_clip **clip;
} row_of_clips;

static void
append(row_of_clips *r, const vip_scores *s, const vip_scored *c, uint32_t set)
{
    const size_t width = s->candidates.n;
    for (size_t i = 0; i < c->part.n; i++) {
        const size_t at = r->view.n++;
        r->clip[at] = vip_cache_clip_at(s->cache, c->part.clips[i]);
        memcpy(r->scores + at * width, c->scores + i * width, width * sizeof *r->scores);
        r->set[at] = set;
        r->group[at] = (uint32_t)at;
        for (size_t k = 0; k < at; k++) {
            if (vip_same_group(r->clip[k], r->clip[at])) {
                r->group[at] = r->group[k];
                break;
            }
        }
    }
}

static void
row_free(row_of_clips *r)
{
    vip_free(r->scores);
    vip_free(r->set);
    vip_free(r->group);
    vip_free(r->clip);
}

static vipann_status
make_row(row_of_clips *r, const vip_scores *s, const vip_scored *known, size_t first, size_t n, vipann_error *error)
{
    size_t all = known->part.n;
    for (size_t k = first; k < first + n; k++) {
        all += s->foreign[k].part.n;
    }
    *r = (row_of_clips){.scores = vip_alloc(all, s->candidates.n * sizeof *r->scores),
                        .set = vip_alloc(all, sizeof *r->set),
                        .group = vip_alloc(all, sizeof *r->group),
                        .clip = vip_alloc(all, sizeof *r->clip)};
    if (r->scores == NULL || r->set == NULL || r->group == NULL || r->clip == NULL) {
        return vip_fail_memory(error, "scores");
    }
    append(r, s, known, 0);
    for (size_t k = 0; k < n; k++) {
        append(r, s, &s->foreign[first + k], (uint32_t)k + 1);
    }
    r->view = (vip_study){r->view.n, n + 1, s->candidates.n, r->scores, r->set, r->group};
    return VIPANN_OK;
}

/* A limit for each candidate, at a share of the right answers of the calibration; spared: of which those on which a class is
 * active are never refused. */
static vipann_status
find_limits(vip_scores *s, bool spared, vipann_error *error)
{
    const vip_scored *c = &s->calibration;
    double *values = vip_alloc(c->part.n, sizeof *values);
    if (values == NULL) {
        return vip_fail_memory(error, "limits");
    }
    for (size_t k = 0; k < s->candidates.n; k++) {
        size_t n = 0;
        double least = INFINITY;
        for (size_t i = 0; i < c->part.n; i++) {
            const double value = c->scores[i * s->candidates.n + k];
            least = c->right[i] && !(spared && c->active[i]) && value < least ? value : least;
        }
        for (size_t i = 0; i < c->part.n; i++) {
            if (c->right[i]) {
                values[n++] = spared && c->active[i] ? least : c->scores[i * s->candidates.n + k];
            }
        }
        s->limit[k] = n > 0 ? vip_quantile(values, n, 1 - s->refused) : 0;
    }
    vip_free(values);
    return VIPANN_OK;
}

/* ------------------------------------------------------------------------------------------------------------- tables */

static void
put_interval(vip_interval i)
{
    (void)printf(" %.3f (%.3f–%.3f) |", i.value, i.low, i.high);
}

static void
put_head(const vip_scores *s, size_t first, size_t n, const char *more)
{
    (void)printf("\n| score |");
    for (size_t k = first; k < first + n; k++) {
        (void)printf(" %s (%zu) |", s->foreign[k].name, s->foreign[k].part.n);
    }
    (void)printf("%s\n|---|", more);
    for (size_t k = 0; k < n; k++) {
        (void)printf("---|");
    }
    for (const char *c = more; *c != '\0'; c++) {
        (void)fputs(*c == '|' ? "---|" : "", stdout);
    }
    (void)putchar('\n');
}

static void
put_areas(const vip_scores *s, const vip_study *view, size_t first, size_t n)
{
    const uint64_t seed = s->seed;
    put_head(s, first, n, " mean of the sets | ahead of total |");
    for (size_t c = 0; c < s->candidates.n; c++) {
        (void)printf("| %s |", s->candidates.names[c]);
        for (size_t k = 1; k <= n; k++) {
            put_interval(vip_study_auroc(view, c, (uint32_t)k, seed));
        }
        put_interval(vip_study_auroc(view, c, 0, seed));
        const vip_interval ahead = vip_study_ahead(view, c, 0, 0, seed);
        (void)printf(" %+.3f (%+.3f–%+.3f) |\n", ahead.value, ahead.low, ahead.high);
        (void)fflush(stdout);
    }
}

/* How many per cent lie beyond the limit, of those that are right (which > 0), wrong (which < 0), or all; spared: and no
 * class is active. */
static double
beyond(const vip_scores *s, const vip_scored *c, size_t candidate, int which, bool spared)
{
    size_t n = 0, above = 0;
    for (size_t i = 0; i < c->part.n; i++) {
        if (which == 0 || c->right[i] == (which > 0)) {
            n++;
            above += c->scores[i * s->candidates.n + candidate] > s->limit[candidate] && !(spared && c->active[i]);
        }
    }
    return n > 0 ? 100 * (double)above / (double)n : NAN;
}

/* How many per cent of the clips have a class that is active. */
static double
active_share(const vip_scored *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->part.n; i++) {
        n += c->active[i];
    }
    return 100 * (double)n / (double)c->part.n;
}

static vipann_status
put_refused(vip_scores *s, const vip_scored *known, size_t first, size_t n, bool spared, vipann_error *error)
{
    const vipann_status good = find_limits(s, spared, error);
    if (good != VIPANN_OK) {
        return good;
    }
    (void)printf(
        "\nCalled unknown%s, %%, at a limit that refuses %g %% of the right answers of the calibration's clips:\n",
        spared ? " if no class is active" : "", 100 * s->refused);
    put_head(s, first, n, " right known | wrong known |");
    if (spared) {
        (void)printf("| (a class is active) |");
        for (size_t k = first; k < first + n; k++) {
            (void)printf(" %.1f |", active_share(&s->foreign[k]));
        }
        (void)printf(" %.1f | - |\n", active_share(known));
    }
    for (size_t c = 0; c < s->candidates.n; c++) {
        (void)printf("| %s |", s->candidates.names[c]);
        for (size_t k = first; k < first + n; k++) {
            (void)printf(" %.1f |", beyond(s, &s->foreign[k], c, 0, spared));
        }
        const double wrong = beyond(s, known, c, -1, spared);
        (void)printf(isnan(wrong) ? " %.1f | - |\n" : " %.1f | %.1f |\n", beyond(s, known, c, 1, spared), wrong);
    }
    return VIPANN_OK;
}

vipann_status
vip_scores_compare(vip_scores *s, const vip_scored *known, size_t first, size_t n, vipann_error *error)
{
    row_of_clips row;
    size_t right = 0;
    if (n == 0) {
        return VIPANN_OK;
    }
    for (size_t i = 0; i < known->part.n; i++) {
        right += known->right[i];
    }
    (void)printf("\n%s sounds against %zu %s clips (%.1f %% right): area under the ROC curve, 95 %% interval\n",
                 first < s->n_dev ? "Development" : "Test", known->part.n, known->name,
                 100 * (double)right / (double)known->part.n);
    vipann_status good = make_row(&row, s, known, first, n, error);
    if (good == VIPANN_OK) {
        put_areas(s, &row.view, first, n);
        good = put_refused(s, known, first, n, false, error);
    }
    if (good == VIPANN_OK && s->model->task == VIPANN_MULTILABEL) {
        good = put_refused(s, known, first, n, true, error);
    }
    row_free(&row);
    return good;
}
