/* SPDX-License-Identifier: GPL-3.0-or-later */
/* offline_events.c -- see offline_events.h for the contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "numbers.h"
#include "offline_events.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* -------------------------------------------------------------------------------------------------- the definition */

static void
count_answer(offline_event *event, const answer *a, uint32_t c)
{
    event->p_max = fmax(event->p_max, (double)a->p[c]);
    event->p_sum += (double)a->p[c];
    event->epistemic_sum += a->has_epistemic ? (double)a->epistemic[c] : 0;
    event->n++;
    event->n_epistemic += a->has_epistemic;
    event->n_yes += a->unknown == VIPANN_YES;
    event->n_cannot_say += a->unknown == VIPANN_CANNOT_SAY;
    event->n_calibrated += a->calibrated;
    event->passes = a->passes;
}

/* Whether answers i and up to n - 1 before it, but none before `first`, have k hits. */
static bool
is_risen(const answer *answers, size_t first, size_t i, uint32_t c, const vipann_rule *rule)
{
    uint32_t hits = 0;
    for (size_t j = i + 1 > first + rule->n ? i + 1 - rule->n : first; j <= i; j++) {
        hits += answers[j].p[c] >= (float)rule->threshold;
    }
    return hits >= rule->k;
}

size_t
find_runs(const answer *answers, size_t n, uint32_t c, const vipann_rule *rule, offline_event *out)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t first = i;
        bool risen = false;
        offline_event event = {.start = answers[first].since};
        for (; i < n && !answers[i].silent && answers[i].p[c] >= (float)rule->release; i++) {
            risen = risen || is_risen(answers, first, i, c, rule);
            count_answer(&event, &answers[i], c);
        }
        if (risen) {
            event.end = fmax(answers[i - 1].t - (i < n ? answers[i - 1].lag : 0), answers[first].t);
            out[found++] = event;
        }
    }
    return found;
}

size_t
find_events(const answer *answers, size_t n, uint32_t c, const vipann_rule *rule, offline_event *out)
{
    size_t found = find_runs(answers, n, c, rule, out), merged = 0, kept = 0;
    for (size_t i = 0; i < found; i++) {
        if (merged > 0 && out[i].start - out[merged - 1].end < rule->merge_gap_seconds) {
            offline_event *last = &out[merged - 1];
            last->end = out[i].end;
            last->p_max = fmax(last->p_max, out[i].p_max);
            last->p_sum += out[i].p_sum;
            last->epistemic_sum += out[i].epistemic_sum;
            last->n += out[i].n;
            last->n_epistemic += out[i].n_epistemic;
            last->n_yes += out[i].n_yes;
            last->n_cannot_say += out[i].n_cannot_say;
            last->n_calibrated += out[i].n_calibrated;
            last->passes = out[i].passes;
        } else {
            out[merged++] = out[i];
        }
    }
    for (size_t i = 0; i < merged; i++) {
        if (out[i].end - out[i].start >= rule->min_length_seconds) {
            out[kept++] = out[i];
        }
    }
    return kept;
}

void
assert_same_event(const vipann_event *event, const offline_event *expected)
{
    assert_true(event->start_seconds == expected->start && event->end_seconds == expected->end);
    assert_true(event->p_max == expected->p_max);
    assert_true(fabs(event->p_mean - expected->p_sum / (double)expected->n) < 1e-12);
    assert_int_equal(event->has_epistemic, expected->n_epistemic > 0);
    const double epistemic = expected->n_epistemic > 0 ? expected->epistemic_sum / (double)expected->n_epistemic : 0;
    assert_true(fabs(event->epistemic_nats - epistemic) < 1e-12);
    assert_int_equal(event->unknown, 2 * expected->n_yes > expected->n          ? VIPANN_YES
                                     : 2 * expected->n_cannot_say > expected->n ? VIPANN_CANNOT_SAY
                                                                                : VIPANN_NO);
    assert_int_equal(event->calibrated, expected->n_calibrated == expected->n);
    assert_int_equal(event->passes, expected->passes);
}

/* ---------------------------------------------------------------------------------------------------- what is told */

void
append_event(void *list, const vipann_event *event)
{
    event_list *heard = list;
    assert_true(heard->n < MOST_TOLD);
    heard->events[heard->n++] = *event;
}

void
hear_answers(vip_detector *detector, const answer *answers, size_t n, event_list *heard)
{
    const vip_event_sink sink = {heard, append_event};
    for (size_t i = 0; i < n; i++) {
        const answer *a = &answers[i];
        const vip_moment moment = {.since = a->since,
                                   .t = a->t,
                                   .lag = a->lag,
                                   .p = a->p,
                                   .epistemic = a->has_epistemic ? a->epistemic : NULL,
                                   .passes = a->passes,
                                   .silent = a->silent,
                                   .unknown = a->unknown,
                                   .calibrated = a->calibrated};
        vip_detector_hear(detector, &moment, &sink);
    }
}

/* --------------------------------------------------------------------------------------------------- random answers */

static double
uniform(uint32_t *seed)
{
    return next_random(seed) / 16777216.0;
}

size_t
random_answers(uint32_t *seed, answer *answers)
{
    const size_t n = 1 + next_random(seed) % MOST_ANSWERS;
    const double lag = next_random(seed) % 2 * 0.64, hop = 0.32 * (1 + next_random(seed) % 2);
    const bool uneven = next_random(seed) % 2;
    double t = uneven ? uniform(seed) : 0, p[OFFLINE_CLASSES] = {0};
    for (size_t i = 0; i < n; i++) {
        answer *a = &answers[i];
        t += uneven && next_random(seed) % 10 == 0 ? uniform(seed) : 0; /* sound that nobody has heard */
        *a = (answer){.since = t, .lag = uneven ? lag * uniform(seed) : lag, .passes = next_random(seed) % 9};
        t += uneven ? 0.1 + uniform(seed) : hop;
        a->t = t;
        a->lag = i > 0 ? fmin(a->lag, t - answers[i - 1].t + answers[i - 1].lag) : a->lag;
        a->silent = next_random(seed) % 16 == 0;
        a->calibrated = next_random(seed) % 64 != 0;
        a->unknown = (vipann_answer)(next_random(seed) % 3);
        a->has_epistemic = next_random(seed) % 4 != 0;
        for (uint32_t c = 0; c < OFFLINE_CLASSES; c++) { /* tenths, so that thresholds are met exactly */
            p[c] += (uniform(seed) - 0.5) * 0.8;
            p[c] = p[c] < 0 ? 0 : p[c] > 1 ? 1 : p[c];
            a->p[c] = (float)(floor(p[c] * 10 + 0.5) / 10);
            a->epistemic[c] = (float)uniform(seed);
        }
    }
    return n;
}

void
random_rules(uint32_t *seed, char text[RULES_TEXT])
{
    static const double hystereses[] = {0, 0.25, 0.5, 1}, lengths[] = {0, 0.32, 0.64, 1, 3},
                        gaps[] = {0, 0.5, 0.64, 1.5, 4};
    const unsigned n =
        next_random(seed) % 3 == 0 ? 1 + next_random(seed) % VIPANN_MAX_RULE_HOPS : 1 + next_random(seed) % 4;
    const unsigned k = 1 + next_random(seed) % n;
    (void)snprintf(
        text, RULES_TEXT,
        "threshold=%.1f\nhysteresis=%g\nmin_length=%g\nmerge_gap=%g\nhops=%u of %u\n[class \"1\"]\nhops=1 of 1\n"
        "[class \"2\"]\nthreshold=0.%u\nreport=%s\n",
        0.1 * (next_random(seed) % 10), hystereses[next_random(seed) % LENGTH(hystereses)],
        lengths[next_random(seed) % LENGTH(lengths)], gaps[next_random(seed) % LENGTH(gaps)], k, n,
        1 + (unsigned)next_random(seed) % 9, next_random(seed) % 2 ? "yes" : "no");
}
