/* SPDX-License-Identifier: GPL-3.0-or-later */
/* account.c -- see account.h for the contract. */
#include "account.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------ the file analyser */

static double
number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : -1;
}

/* The place of a label among those that `vipann info` tells in order. */
static double
class_of(const json_t *labels, const char *label)
{
    size_t i;
    const json_t *value;
    json_array_foreach(labels, i, value)
    {
        if (strcmp(json_string_value(value), label) == 0) {
            return (double)i;
        }
    }
    return -1;
}

static void
take_line(account *a, const json_t *line, const json_t *labels)
{
    if (json_object_get(line, "start_s") != NULL) {
        double class_index = class_of(labels, json_string_value(json_object_get(line, "label")));
        if (class_index >= 0 && class_index < MOST_NOTES && a->n_spans < MOST_ANSWERS) {
            a->begun[(size_t)class_index]++;
            a->spans[a->n_spans++] = (span){class_index, number_of(line, "start_s"), number_of(line, "end_s"),
                                            number_of(line, "p_max"), number_of(line, "epistemic_nats")};
        }
        return;
    }
    const json_t *top = json_array_get(json_object_get(line, "top"), 0);
    if (a->n < MOST_ANSWERS) {
        a->list[a->n++] = (answer){.time = number_of(line, "t_s"),
                                   .probability = number_of(top, "p"),
                                   .class_index = class_of(labels, json_string_value(json_object_get(top, "label"))),
                                   .total = number_of(line, "total_nats"),
                                   .aleatoric = number_of(line, "aleatoric_nats"),
                                   .epistemic = number_of(line, "epistemic_nats"),
                                   .level = number_of(line, "level_dbfs"),
                                   .passes = number_of(line, "passes")};
    }
}

json_t *
account_labels(const char *vipann, const asked *q)
{
    char command[2048];
    (void)snprintf(command, sizeof command, "'%s' info --json --quick '%s'", vipann,
                   q->model != NULL ? q->model : "vipann-audioset-r22w16-drop");
    FILE *f = popen(command, "r");
    json_t *info = f != NULL ? json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
    json_t *labels = json_incref(json_object_get(info, "labels"));
    json_decref(info);
    if (f != NULL) {
        (void)pclose(f);
    }
    return labels;
}

bool
account_add_file(account *a, const char *vipann, const asked *q, const char *path, bool events, const json_t *labels)
{
    char command[4096];
    size_t n = (size_t)snprintf(command, sizeof command, "'%s' file --format jsonl --latency edge %s", vipann,
                                events ? "--events" : "--top 1");
    const struct {
        const char *option, *value;
    } options[] = {{"model", q->model},   {"passes", q->passes},     {"hop", q->hop},
                   {"window", q->window}, {"horizon", q->smoothing}, {"threshold", events ? q->threshold : NULL}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (options[i].value != NULL) {
            n += (size_t)snprintf(command + n, sizeof command - n, " --%s '%s'", options[i].option, options[i].value);
        }
    }
    (void)snprintf(command + n, sizeof command - n, " '%s'", path);
    FILE *f = popen(command, "r");
    static char text[65536];
    while (f != NULL && fgets(text, sizeof text, f) != NULL) {
        json_t *line = json_loads(text, 0, NULL);
        if (line == NULL) {
            (void)pclose(f);
            return no("%s: not JSON", command);
        }
        take_line(a, line, labels);
        json_decref(line);
    }
    return (f != NULL && pclose(f) == 0) || no("%s failed", command);
}

/* --------------------------------------------------------------------------------------------------------- compared */

/* Files give seven digits, levels three decimals, ports single precision. */
static bool
equal(double file, double plugin, double margin)
{
    return fabs(file - plugin) <= margin + 2e-6 * fabs(file);
}

/* Of what is hardly there, sums of squares over blocks that are cut differently keep fewer digits. */
static double
level_margin(double level)
{
    return level < -100 ? 0.05 : 1e-3;
}

static bool
same_answer(const answer *file, const answer *plugin)
{
    return equal(file->time, plugin->time, 0) && equal(file->probability, plugin->probability, 0) &&
           file->class_index == plugin->class_index && equal(file->total, plugin->total, 0) &&
           equal(file->aleatoric, plugin->aleatoric, 0) && equal(file->epistemic, plugin->epistemic, 1e-9) &&
           equal(file->level, plugin->level, level_margin(file->level)) && file->passes == plugin->passes;
}

static int
earlier(const void *a, const void *b)
{
    const span *x = a, *y = b;
    return x->start != y->start ? (x->start > y->start) - (x->start < y->start)
                                : (x->class_index > y->class_index) - (x->class_index < y->class_index);
}

bool
account_same_events(account *file, account *plugin)
{
    qsort(file->spans, file->n_spans, sizeof *file->spans, earlier);
    qsort(plugin->spans, plugin->n_spans, sizeof *plugin->spans, earlier);
    if (file->n_spans == 0 || file->n_spans != plugin->n_spans) {
        return no("%zu events, and %zu in the file", plugin->n_spans, file->n_spans);
    }
    for (size_t i = 0; i < file->n_spans; i++) {
        const span *x = &file->spans[i], *y = &plugin->spans[i];
        if (x->class_index != y->class_index || !equal(x->start, y->start, 0) || !equal(x->end, y->end, 0) ||
            !equal(x->p_max, y->p_max, 0) || !equal(x->epistemic, y->epistemic, 1e-9)) {
            return no("event %zu: class %g %g, from %.9g %.9g to %.9g %.9g, p %.9g %.9g, epistemic %.9g %.9g", i,
                      x->class_index, y->class_index, x->start, y->start, x->end, y->end, x->p_max, y->p_max,
                      x->epistemic, y->epistemic);
        }
    }
    return true;
}

static bool
differ(size_t i, const answer *x, const answer *y)
{
    return no("answer %zu: t %g %g, p %.9g %.9g, class %g %g, total %.9g %.9g, epistemic %.9g %.9g, level %g %g, "
              "passes %g %g",
              i, x->time, y->time, x->probability, y->probability, x->class_index, y->class_index, x->total, y->total,
              x->epistemic, y->epistemic, x->level, y->level, x->passes, y->passes);
}

static bool
same_answers(const account *file, const account *plugin)
{
    enum { AT_THE_END = 6 };
    if (file->n < 10 || plugin->n > file->n || plugin->n + AT_THE_END < file->n) {
        return no("%zu answers, and %zu of the file", plugin->n, file->n);
    }
    for (size_t i = 0; i < plugin->n; i++) {
        if (!same_answer(&file->list[i], &plugin->list[i])) {
            return differ(i, &file->list[i], &plugin->list[i]);
        }
    }
    return true;
}

/* A host that does not wait may miss answers, and members may be fewer for a while. */
static bool
some_same_answers(const account *file, const account *plugin)
{
    size_t compared = 0;
    for (size_t i = 0, k = 0; i < plugin->n; i++) {
        const answer *y = &plugin->list[i];
        while (k < file->n && !equal(file->list[k].time, y->time, 0)) {
            k++;
        }
        if (k == file->n) {
            return no("an answer for %.9g s, which the file has not", y->time);
        }
        if (file->list[k].passes != y->passes) {
            continue;
        }
        if (!same_answer(&file->list[k], y)) {
            return differ(i, &file->list[k], y);
        }
        compared++;
    }
    return compared > 2 || no("%zu answers that could be compared, of %zu", compared, plugin->n);
}

bool
account_same_answers(const account *file, const account *plugin, bool whole)
{
    return whole ? same_answers(file, plugin) : some_same_answers(file, plugin);
}
