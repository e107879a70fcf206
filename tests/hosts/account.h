/* SPDX-License-Identifier: GPL-3.0-or-later */
/* account.h -- what was said of one sound, by `vipann file` and by the plugin in a host; whether it is the same. */
#ifndef TESTS_HOSTS_ACCOUNT_H
#define TESTS_HOSTS_ACCOUNT_H

#include <jansson.h>

#include "rows.h"

enum { MOST_ANSWERS = 1024 };

/* What the control outputs say of one result. */
typedef struct {
    double time, probability, class_index, total, aleatoric, epistemic, level, passes;
} answer;

typedef struct {
    double class_index, start, end, p_max, epistemic;
} span;

typedef struct {
    size_t n, n_spans;
    answer list[MOST_ANSWERS];
    span spans[MOST_ANSWERS];   /* events that have ended */
    unsigned begun[MOST_NOTES]; /* events of each class */
} account;

/* How the same is asked for on both sides; NULL: not said. */
typedef struct {
    const char *model; /* NULL: the one in the bundle */
    const char *passes, *hop, *window, *smoothing, *threshold;
} asked;

/* The labels in the model's order, for json_decref; NULL: the program `vipann` could not tell. */
json_t *account_labels(const char *vipann, const asked *q);

/* Adds what `vipann file` says of the sound in `path`: results, or events. */
bool account_add_file(account *a, const char *vipann, const asked *q, const char *path, bool events,
                      const json_t *labels);

/* Whether what the plugin said is what the file analyser says, to single precision. `whole`: and nothing is missing but
 * what only the end of a file brings; else results in which fewer members were asked do not count. */
bool account_same_answers(const account *file, const account *plugin, bool whole);
bool account_same_events(account *file, account *plugin);

#endif /* TESTS_HOSTS_ACCOUNT_H */
