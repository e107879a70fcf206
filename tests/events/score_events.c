/* SPDX-License-Identifier: GPL-3.0-or-later */
/* score_events.c -- events against the truth: `score_events TITLE MODEL HELD SCENE.tsv... < EVENTS.jsonl`.
 *
 * MODEL is esc50 or audioset and says by which names classes go. HELD says which figures must hold: all, medians (those
 * and how many are heard) or none; each of those is told in a line "passed: ..." or "failed: ...", the others in
 * "reached: ..." or "missed: ...". Exit status 1: one has failed, or what was read is not what it should be.
 *
 * A sound is heard if an event of its class lies within 0.64 s of it; it begins with the first such event and ends with
 * the last. An edge is covered while another sound of the scene sounds. Other events are wrong: on noise if nothing
 * sounds for more than half of their length, else of another class. But for classes that no category of the set stands
 * for nobody can say the latter: a dog is an animal too. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "scenes.h"

static const double NEAR = 0.64; /* s about a sound in which an event of its class is one of it */
static const double MEDIAN = 0.32, MOST = 0.64, SHARE = 0.9; /* s, s, part: the median, and what SHARE stay within */
static const double HEARD = 0.4; /* part of the sounds: few that are easy would prove nothing */

enum { MOST_SOUNDS = 8192, MOST_SCENES = 1024, MOST_NAME = 128 };

static const struct stretch {
    const char *name;
    double least, most;
} lengths[] = {{"0.3 to 1 s", 0, 1}, {"1 to 3 s", 1, 3}, {"3 to 10 s", 3, 10}, {"10 to 30 s", 10, 1e9}};

typedef struct {
    size_t scene;
    double start, end;
    char label[MOST_NAME];     /* "-": the model has no class for it */
    double heard_at, heard_to; /* of its events */
    size_t events;
    bool covered[2]; /* another sound sounds at its start, at its end */
} sound;

/* The truth, and what was said of it. */
typedef struct {
    sound sounds[MOST_SOUNDS];
    size_t n_sounds;
    char scenes[MOST_SCENES][MOST_NAME];
    size_t n_scenes;
    bool audioset;
    size_t wrong, on_noise;
    double errors[MOST_SOUNDS], sizes[MOST_SOUNDS]; /* what is counted at the moment */
} scoring;

/* ---------------------------------------------------------------------------------------------------------- reading */

/* The name of a path without folder and ending. */
static void
stem(const char *path, char out[MOST_NAME])
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    size_t length = strcspn(name, ".");
    length = length < MOST_NAME ? length : MOST_NAME - 1;
    memcpy(out, name, length);
    out[length] = '\0';
}

static bool
read_truth(scoring *seen, const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL || seen->n_scenes == MOST_SCENES) {
        if (file != NULL) {
            (void)fclose(file);
        }
        return false;
    }
    stem(path, seen->scenes[seen->n_scenes]);
    char row[512], category[MOST_NAME], label[MOST_NAME];
    bool good = true;
    while (good && fgets(row, sizeof row, file) != NULL) {
        sound *s = &seen->sounds[seen->n_sounds];
        good = seen->n_sounds < MOST_SOUNDS &&
               sscanf(row, "%lf\t%lf\t%127[^\t]\t%127[^\n]", &s->start, &s->end, category, label) == 4;
        if (good) {
            s->scene = seen->n_scenes;
            memcpy(s->label, seen->audioset ? label : category, sizeof s->label);
            seen->n_sounds++;
        }
    }
    (void)fclose(file);
    seen->n_scenes++;
    return good;
}

static void
find_covered(scoring *seen)
{
    for (size_t i = 0; i < seen->n_sounds; i++) {
        sound *a = &seen->sounds[i];
        for (size_t k = 0; k < seen->n_sounds; k++) {
            const sound *b = &seen->sounds[k];
            if (k != i && b->scene == a->scene) {
                a->covered[0] |= b->start < a->start && a->start < b->end;
                a->covered[1] |= b->start < a->end && a->end < b->end;
            }
        }
    }
}

/* Whether it can be said that a sound is not of this class. */
static bool
is_known(const scoring *seen, const char *label)
{
    for (size_t i = 0; i < n_scene_categories; i++) {
        const char *name = seen->audioset ? scene_categories[i].label : scene_categories[i].category;
        if (name != NULL && strcmp(name, label) == 0) {
            return true;
        }
    }
    return false;
}

/* How much of a stretch any sound of the scene sounds, in s; the sounds of a scene are in the order of their starts. */
static double
sounding(const scoring *seen, size_t scene_index, double start, double end)
{
    double sum = 0, done = start;
    for (size_t i = 0; i < seen->n_sounds; i++) {
        const sound *s = &seen->sounds[i];
        const double from = fmax(s->start, done), to = fmin(s->end, end);
        if (s->scene == scene_index && to > from) {
            sum += to - from;
            done = to;
        }
    }
    return sum;
}

static void
take_event(scoring *seen, size_t scene_index, const char *label, double start, double end)
{
    bool right = false;
    for (size_t i = 0; i < seen->n_sounds; i++) {
        sound *s = &seen->sounds[i];
        if (s->scene == scene_index && strcmp(s->label, label) == 0 && start < s->end + NEAR && end > s->start - NEAR) {
            s->heard_at = s->events == 0 ? start : fmin(s->heard_at, start);
            s->heard_to = s->events == 0 ? end : fmax(s->heard_to, end);
            s->events++;
            right = true;
        }
    }
    if (!right && sounding(seen, scene_index, start, end) < 0.5 * (end - start)) {
        seen->on_noise += strcmp(label, "Silence") != 0;
    } else if (!right) {
        seen->wrong += is_known(seen, label);
    }
}

static bool
read_events(scoring *seen, FILE *in)
{
    char row[8192];
    while (fgets(row, sizeof row, in) != NULL) {
        json_t *event = json_loads(row, 0, NULL);
        const char *file = NULL, *label = NULL;
        double start = 0, end = 0;
        size_t k = 0;
        bool good = event != NULL && json_unpack(event, "{s:s, s:s, s:F, s:F}", "file", &file, "label", &label,
                                                 "start_s", &start, "end_s", &end) == 0;
        if (good) {
            char name[MOST_NAME];
            stem(file, name);
            while (k < seen->n_scenes && strcmp(seen->scenes[k], name) != 0) {
                k++;
            }
            good = k < seen->n_scenes && end >= start;
        }
        if (good) {
            take_event(seen, k, label, start, end);
        }
        json_decref(event);
        if (!good) {
            fprintf(stderr, "score_events: not an event of these scenes: %s", row);
            return false;
        }
    }
    return true;
}

/* --------------------------------------------------------------------------------------------------------- counting */

/* Which sounds a row of the table is about. */
typedef struct {
    int edge;           /* 0: starts, 1: ends */
    int covered;        /* 0 or 1: only edges that are not, that are; -1: all */
    double least, most; /* s, of their lengths */
} choice;

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Makes seen->errors those in s, heard minus true, in rising order; returns how many. */
static size_t
errors_of(scoring *seen, const choice *of)
{
    size_t n = 0;
    for (size_t i = 0; i < seen->n_sounds; i++) {
        const sound *s = &seen->sounds[i];
        double length = s->end - s->start;
        if (s->events > 0 && length >= of->least && length < of->most &&
            (of->covered < 0 || s->covered[of->edge] == (of->covered == 1))) {
            seen->errors[n++] = of->edge == 0 ? s->heard_at - s->start : s->heard_to - s->end;
        }
    }
    qsort(seen->errors, n, sizeof *seen->errors, by_value);
    return n;
}

static double
quantile(const double *sorted, size_t n, double part)
{
    double at = part * (double)(n - 1);
    size_t below = (size_t)at;
    double above = below + 1 < n ? sorted[below + 1] : sorted[below];
    return sorted[below] + (at - (double)below) * (above - sorted[below]);
}

static double
share_within(const double *errors, size_t n, double limit)
{
    size_t within = 0;
    for (size_t i = 0; i < n; i++) {
        within += fabs(errors[i]) <= limit;
    }
    return (double)within / (double)n;
}

static double
median_size(scoring *seen, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        seen->sizes[i] = fabs(seen->errors[i]);
    }
    qsort(seen->sizes, n, sizeof *seen->sizes, by_value);
    return quantile(seen->sizes, n, 0.5);
}

/* ---------------------------------------------------------------------------------------------------------- telling */

static void
print_row(scoring *seen, const char *name, const choice *of)
{
    size_t n = errors_of(seen, of);
    if (n == 0) {
        return;
    }
    printf("  %-6s %-28s %5zu  %5.2f  %4.0f %% %4.0f %% %4.0f %%  ", of->edge == 0 ? "start" : "end", name, n,
           median_size(seen, n), 100 * share_within(seen->errors, n, MEDIAN), 100 * share_within(seen->errors, n, MOST),
           100 * share_within(seen->errors, n, 2 * MOST));
    static const double parts[] = {0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        printf(" %+6.2f", quantile(seen->errors, n, parts[i]));
    }
    putchar('\n');
}

/* Sounds that the model has a class for. */
static size_t
count_known(const scoring *seen)
{
    size_t n = 0;
    for (size_t i = 0; i < seen->n_sounds; i++) {
        n += strcmp(seen->sounds[i].label, "-") != 0;
    }
    return n;
}

static void
print_table(scoring *seen, const char *title)
{
    size_t heard = 0, more = 0;
    bool any_covered = false;
    for (size_t i = 0; i < seen->n_sounds; i++) {
        const sound *s = &seen->sounds[i];
        heard += s->events > 0;
        more += s->events > 1 ? s->events - 1 : 0;
        any_covered |= s->covered[0] || s->covered[1];
    }
    printf("%s: %zu of %zu sounds heard, %zu events too many for one sound, %zu of another class, %zu on noise\n",
           title, heard, count_known(seen), more, seen->wrong, seen->on_noise);
    printf("  %-35s %5s  %5s  %6s %6s %6s   %s\n", "error in s, heard minus true", "n", "|med|", "<=0.32", "<=0.64",
           "<=1.28", "    5%    10%    25%    50%    75%    90%    95%");
    for (int edge = 0; edge < 2; edge++) {
        print_row(seen, "all", &(choice){edge, -1, 0, 1e9});
        if (any_covered) {
            print_row(seen, "nothing else sounding", &(choice){edge, 0, 0, 1e9});
            print_row(seen, "under another sound", &(choice){edge, 1, 0, 1e9});
        }
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            print_row(seen, lengths[i].name, &(choice){edge, -1, lengths[i].least, lengths[i].most});
        }
    }
}

/* Says whether a figure is as it should be; false only if it must be and is not. */
static bool
hold(bool must, bool does, const char *title, const char *what)
{
    printf("%s: %s: %s\n", must ? does ? "passed" : "failed" : does ? "reached" : "missed", title, what);
    return does || !must;
}

static bool
check(scoring *seen, const char *title, const char *held)
{
    const bool all = strcmp(held, "all") == 0, medians = all || strcmp(held, "medians") == 0;
    const size_t n_heard = errors_of(seen, &(choice){0, -1, 0, 1e9});
    bool good = hold(medians, (double)n_heard >= HEARD * (double)count_known(seen), title, "40 % of the sounds heard");
    for (int edge = 0; edge < 2; edge++) {
        size_t n = errors_of(seen, &(choice){edge, -1, 0, 1e9});
        good &= hold(medians, n > 0 && median_size(seen, n) <= MEDIAN, title,
                     edge == 0 ? "median error of starts at most 0.32 s" : "median error of ends at most 0.32 s");
        good &= hold(all, n > 0 && share_within(seen->errors, n, MOST) >= SHARE, title,
                     edge == 0 ? "90 % of starts within 0.64 s" : "90 % of ends within 0.64 s");
    }
    return good;
}

int
main(int argc, char **argv)
{
    if (argc < 5) {
        fputs("usage: score_events TITLE esc50|audioset all|medians|none SCENE.tsv... < EVENTS.jsonl\n", stderr);
        return 2;
    }
    scoring *seen = calloc(1, sizeof *seen);
    if (seen == NULL) {
        fputs("score_events: not enough memory\n", stderr);
        return 1;
    }
    seen->audioset = strcmp(argv[2], "audioset") == 0;
    bool good = true;
    for (int i = 4; good && i < argc; i++) {
        good = read_truth(seen, argv[i]);
        if (!good) {
            fprintf(stderr, "score_events: %s: not the truth of a scene\n", argv[i]);
        }
    }
    find_covered(seen);
    good = good && read_events(seen, stdin);
    if (good) {
        print_table(seen, argv[1]);
        good = check(seen, argv[1], argv[3]);
    }
    free(seen);
    return good ? 0 : 1;
}
