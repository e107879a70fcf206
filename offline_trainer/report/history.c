/* SPDX-License-Identifier: GPL-3.0-or-later */
/* history.c -- see history.h for the contract. */
#include "history.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include <base/memory.h>
#include <base/status.h>
#include <model/json.h>

enum { LONGEST_PATH = 4096, MOST_MOMENTS = 2000000 };

static void
note(vip_history *history, const char *text)
{
    if (history->n_notes < VIP_MOST_NOTES) {
        history->notes[history->n_notes++] = text;
    }
}

static vipann_status
join(char *out, const char *folder, const char *name, vipann_error *error)
{
    int n = snprintf(out, LONGEST_PATH, "%s/%s", folder, name);
    return n > 0 && n < LONGEST_PATH ? VIPANN_OK
                                     : vip_fail(error, VIPANN_E_IO, "%s: the path of its files is too long", folder);
}

/* ---------------------------------------------------------------------------------------------------------- the log */

static vip_series *
find_or_add(vip_history *history, const char *name)
{
    for (size_t i = 0; i < history->n_series; i++) {
        if (strcmp(history->series[i].name, name) == 0) {
            return &history->series[i];
        }
    }
    if (history->n_series == VIP_MOST_SERIES || strlen(name) >= VIP_SERIES_NAME) {
        return NULL; /* no run writes that many; what is beyond is not shown */
    }
    vip_series *series = &history->series[history->n_series++];
    (void)snprintf(series->name, sizeof series->name, "%s", name);
    return series;
}

/* Appends a value; NaN is none. */
static void
append(vip_json_reader *reader, vip_history *history, const char *name, vip_moment moment)
{
    vip_series *series = isfinite(moment.value) && isfinite(moment.step) && reader->status == VIPANN_OK
                             ? find_or_add(history, name)
                             : NULL;
    if (series == NULL) {
        return;
    }
    while (series->n > 0 && series->moments[series->n - 1].step >= moment.step) {
        series->n--; /* training went back to a checkpoint: what came after it did not happen */
    }
    if (series->n == MOST_MOMENTS) {
        return;
    }
    if (series->n == series->room) {
        size_t room = series->room > 0 ? 2 * series->room : 256;
        vip_moment *moments = vip_alloc(room, sizeof *moments);
        if (moments == NULL) {
            reader->status = vip_fail_memory(reader->error, "a log");
            return;
        }
        if (series->n > 0) {
            memcpy(moments, series->moments, series->n * sizeof *moments);
        }
        vip_free(series->moments);
        series->moments = moments;
        series->room = room;
    }
    series->moments[series->n++] = moment;
}

/* Of clips that something was measured on. */
static bool
is_count(const char *key)
{
    return strcmp(key, "n") == 0 || strcmp(key, "second_n") == 0;
}

/* Each number of an object that is a member of the line becomes a moment of "PREFIX.NAME". */
static void
append_members(vip_json_reader *reader, vip_history *history, const json_t *line, const char *member,
               const char *prefix, vip_moment moment)
{
    json_t *object = vip_json_get_object(reader, line, "", member);
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        char name[2 * VIP_SERIES_NAME];
        int length = snprintf(name, sizeof name, "%s.%s", prefix, key);
        if (json_is_number(value) && length > 0 && length < VIP_SERIES_NAME && !is_count(key)) {
            moment.value = json_number_value(value);
            append(reader, history, name, moment);
        }
    }
}

static double
either(double a, double b)
{
    return isfinite(a) ? a : b;
}

static void
read_log_line(vip_json_reader *reader, const json_t *line, vip_history *history, vip_moment *now)
{
    if (!json_is_object(line)) {
        vip_json_refuse(reader, "a line", vip_json_kind(line), "an object");
        return;
    }
    double step = vip_json_get_number(reader, line, "", "step");
    double clips = vip_json_get_number(reader, line, "", "clips");
    if (!isfinite(clips) && isfinite(step)) { /* in proportion to what went before */
        clips = now->step > 0 ? step * now->clips / now->step : NAN;
    }
    now->step = either(step, now->step);
    now->clips = either(clips, now->clips);
    history->clips = either(now->clips, history->clips);
    history->seconds = either(vip_json_get_number(reader, line, "", "seconds"), history->seconds);
    static const char *const plain[] = {"loss", "rate", "clips_per_s"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        now->value = vip_json_get_number(reader, line, "", plain[i]);
        append(reader, history, plain[i], *now);
    }
    append_members(reader, history, line, "loss_parts", "loss", *now);
    bool averaged = json_is_true(json_object_get(json_object_get(line, "dev"), "averaged"));
    append_members(reader, history, line, "dev", averaged ? "averaged" : "dev", *now);
}

static bool
is_blank(const char *text, size_t n)
{
    return strspn(text, " \t\r") >= n;
}

static vipann_status
read_log_text(const char *path, const char *text, size_t bytes, vip_history *history, vipann_error *error)
{
    vip_json_reader reader = {.error = error};
    vip_moment now = {NAN, NAN, NAN};
    size_t line = 1;
    for (size_t at = 0; at < bytes && reader.status == VIPANN_OK; line++) {
        const char *end = memchr(text + at, '\n', bytes - at);
        size_t n = end != NULL ? (size_t)(end - (text + at)) : bytes - at;
        char where[LONGEST_PATH + 32];
        (void)snprintf(where, sizeof where, "%s:%zu", path, line);
        reader.file = where;
        json_t *value = NULL;
        if (!is_blank(text + at, n)) {
            reader.status = vip_json_text_read(text + at, n, path, line, &value, error);
        }
        if (value != NULL) {
            read_log_line(&reader, value, history, &now);
            json_decref(value);
        } else if (reader.status != VIPANN_OK && end == NULL) { /* being written, or cut by what ended the program */
            note(history, "the last line of log.jsonl is not whole; it is left out");
            reader.status = VIPANN_OK;
        }
        at += n + 1;
    }
    return reader.status;
}

static vipann_status
read_log(const char *folder, vip_history *history, bool *there, vipann_error *error)
{
    char path[LONGEST_PATH], *text = NULL;
    size_t bytes = 0;
    vipann_status status = join(path, folder, "log.jsonl", error);
    if (status == VIPANN_OK) {
        status = vip_text_read(path, &text, &bytes, error);
    }
    if (status == VIPANN_OK && text != NULL) {
        *there = true;
        status = read_log_text(path, text, bytes, history, error);
    }
    if (status == VIPANN_OK && text == NULL) {
        note(history, "log.jsonl is missing: no loss curves");
    } else if (status == VIPANN_OK && vip_history_find(history, "loss") == NULL) {
        note(history, "log.jsonl holds no loss yet");
    }
    vip_free(text);
    return status;
}

/* --------------------------------------------------------------------------------------------------------- the rest */

static vipann_status
read_config(const char *folder, vip_history *history, bool *there, vipann_error *error)
{
    char path[LONGEST_PATH], *text = NULL;
    size_t bytes = 0;
    vipann_status status = join(path, folder, "config.json", error);
    if (status == VIPANN_OK) {
        status = vip_text_read(path, &text, &bytes, error);
    }
    if (status == VIPANN_OK && text == NULL) {
        note(history, "config.json is missing: its settings are not known");
    } else if (status == VIPANN_OK) {
        *there = true;
        status = vip_json_text_read(text, bytes, path, 1, &history->config, error);
        if (status == VIPANN_OK && !json_is_object(history->config)) {
            status = vip_fail(error, VIPANN_E_FORMAT, "%s:1: found %s; expected an object", path,
                              vip_json_kind(history->config));
        }
    }
    vip_free(text);
    return status;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Appends the evaluation at path, called after its file. */
static vipann_status
add_evaluation(const char *path, char *name, vip_history *history, vipann_error *error)
{
    vip_evaluation *evaluation;
    vipann_status status = vip_evaluation_read(path, &evaluation, error);
    if (status == VIPANN_OK && evaluation != NULL) {
        name[strlen(name) - strlen(".json")] = '\0';
        history->evaluation_names[history->n_evaluations] = name;
        history->evaluations[history->n_evaluations++] = evaluation;
    } else {
        vip_free(name);
    }
    return status;
}

static bool
is_evaluation(const char *name)
{
    size_t n = strlen(name);
    return n >= strlen("eval.json") && strncmp(name, "eval", 4) == 0 && strcmp(name + n - 5, ".json") == 0;
}

/* Names of evaluations in the folder, sorted; those beyond the most that are shown are not. */
static vipann_status
list_evaluations(const char *folder, vip_history *history, char *names[VIP_MOST_EVALUATIONS], size_t *n,
                 vipann_error *error)
{
    DIR *listing = opendir(folder);
    if (listing == NULL) {
        return vip_fail(error, VIPANN_E_IO, "%s: cannot be opened: %s", folder, strerror(errno));
    }
    vipann_status status = VIPANN_OK;
    for (const struct dirent *entry = readdir(listing); entry != NULL && status == VIPANN_OK;
         entry = readdir(listing)) {
        if (!is_evaluation(entry->d_name)) {
            continue;
        }
        if (*n == VIP_MOST_EVALUATIONS) {
            note(history, "more than 8 evaluations; some are left out");
            break;
        }
        names[*n] = vip_copy_string(entry->d_name);
        status = names[*n] != NULL ? VIPANN_OK : vip_fail_memory(error, "the evaluations of a run");
        *n += status == VIPANN_OK;
    }
    (void)closedir(listing);
    qsort(names, *n, sizeof *names, by_name);
    return status;
}

static vipann_status
read_evaluations(const char *folder, vip_history *history, vipann_error *error)
{
    char *names[VIP_MOST_EVALUATIONS], path[LONGEST_PATH];
    size_t n = 0;
    vipann_status status = list_evaluations(folder, history, names, &n, error);
    for (size_t i = 0; i < n; i++) {
        if (status == VIPANN_OK) {
            status = join(path, folder, names[i], error);
        }
        if (status == VIPANN_OK) {
            status = add_evaluation(path, names[i], history, error);
        } else {
            vip_free(names[i]);
        }
    }
    if (status == VIPANN_OK && history->n_evaluations == 0) {
        note(history, "no eval*.json: it has not been evaluated yet");
    }
    return status;
}

static vipann_status
read_folder(const char *path, vip_history *history, vipann_error *error)
{
    bool there = false;
    vipann_status status = read_config(path, history, &there, error);
    if (status == VIPANN_OK) {
        status = read_log(path, history, &there, error);
    }
    if (status == VIPANN_OK) {
        status = read_evaluations(path, history, error);
    }
    if (status == VIPANN_OK && !there && history->n_evaluations == 0) {
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%s: holds neither config.json, log.jsonl nor eval*.json; expected the folder of a run", path);
    }
    return status;
}

static vipann_status
read_single(const char *path, vip_history *history, vipann_error *error)
{
    char *name = vip_copy_string("eval.json");
    note(history, "one evaluation alone: no settings, no loss curves");
    return name != NULL ? add_evaluation(path, name, history, error) : vip_fail_memory(error, "a run");
}

vip_history *
vip_history_read(const char *path, vipann_error *error)
{
    struct stat about;
    if (stat(path, &about) != 0) {
        (void)vip_fail(error, VIPANN_E_IO, "%s: %s; expected the folder of a run", path, strerror(errno));
        return NULL;
    }
    vip_history *history = vip_alloc(1, sizeof *history);
    char *copy = vip_copy_string(path);
    if (history == NULL || copy == NULL) {
        vip_free(copy);
        vip_free(history);
        (void)vip_fail_memory(error, "a run");
        return NULL;
    }
    for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--) {
        copy[n - 1] = '\0';
    }
    const char *slash = strrchr(copy, '/');
    history->path = copy;
    history->name = slash != NULL && slash[1] != '\0' ? slash + 1 : copy;
    history->clips = history->seconds = NAN;
    vipann_status status =
        S_ISDIR(about.st_mode) ? read_folder(path, history, error) : read_single(path, history, error);
    if (status != VIPANN_OK) {
        vip_history_free(history);
        return NULL;
    }
    return history;
}

void
vip_history_free(vip_history *history)
{
    if (history == NULL) {
        return;
    }
    for (size_t i = 0; i < history->n_series; i++) {
        vip_free(history->series[i].moments);
    }
    for (size_t i = 0; i < history->n_evaluations; i++) {
        vip_evaluation_free(history->evaluations[i]);
        vip_free(history->evaluation_names[i]);
    }
    json_decref(history->config);
    vip_free(history->path);
    vip_free(history);
}

const vip_series *
vip_history_find(const vip_history *history, const char *name)
{
    for (size_t i = 0; i < history->n_series; i++) {
        if (strcmp(history->series[i].name, name) == 0) {
            return &history->series[i];
        }
    }
    return NULL;
}
