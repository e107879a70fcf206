/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sample_run.c -- see sample_run.h for the contract. */
#include "sample_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <common/jsonl.h>

enum { PATH = 1024, BINS = 15, DOUBT_BINS = 30, FOREIGN = 120, N_FOREIGN = 2, STEPS = 3000, EVERY = 20, BATCH = 32 };
static const double MOST_DOUBT = 3.9; /* nats: the logarithm of 50 */

static const char *const LABELS[SAMPLE_CLASSES] = {"airplane",
                                                   "breathing",
                                                   "brushing_teeth",
                                                   "can_opening",
                                                   "car_horn",
                                                   "cat",
                                                   "chainsaw",
                                                   "chirping_birds",
                                                   "church_bells",
                                                   "clapping",
                                                   "clock_alarm",
                                                   "clock_tick",
                                                   "coughing",
                                                   "cow",
                                                   "crackling_fire",
                                                   "crickets",
                                                   "crow",
                                                   "crying_baby",
                                                   "dog",
                                                   "door_wood_creaks",
                                                   "door_wood_knock",
                                                   "drinking_sipping",
                                                   "engine",
                                                   "fireworks",
                                                   "footsteps",
                                                   "frog",
                                                   "glass_breaking",
                                                   "hand_saw",
                                                   "helicopter",
                                                   "hen",
                                                   "insects",
                                                   "keyboard_typing",
                                                   "laughing",
                                                   "mouse_click",
                                                   "pig",
                                                   "pouring_water",
                                                   "rain",
                                                   "rooster",
                                                   "sea_waves",
                                                   "sheep",
                                                   "siren",
                                                   "sneezing",
                                                   "snoring",
                                                   "thunderstorm",
                                                   "toilet_flush",
                                                   "train",
                                                   "vacuum_cleaner",
                                                   "washing_machine",
                                                   "water_drops",
                                                   "wind"};

static const char *const FOREIGN_NAMES[N_FOREIGN] = {"speech", "ships"};

typedef struct {
    int truth, answer;
    double confidence, aleatoric, epistemic;
} answer;

typedef struct {
    const sample_run *run;
    uint64_t state;
    answer answers[SAMPLE_CLIPS], foreign[N_FOREIGN][FOREIGN];
} sample;

static double
chance(uint64_t *state) /* 0 .. 1 */
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0;
}

static double
noise(uint64_t *state) /* about normal */
{
    double sum = -6;
    for (int i = 0; i < 12; i++) {
        sum += chance(state);
    }
    return sum;
}

static double
clamp(double x, double least, double most)
{
    return fmin(fmax(x, least), most);
}

static const char *
label_of(const sample_run *run, int i)
{
    return i == 0 && run->label != NULL ? run->label : LABELS[i];
}

/* ----------------------------------------------------------------------------------------------------------- answers */

static void
doubt(sample *s, answer *a, double foreign)
{
    bool dumb = strcmp(s->run->posterior, "deterministic") == 0;
    double unsure = 1 - a->confidence;
    a->aleatoric = clamp(2.9 * unsure + 0.2 * noise(&s->state) * unsure + 0.01, 0.003, MOST_DOUBT - 0.5);
    a->epistemic = dumb ? 0 : clamp((0.08 + 0.45 * unsure + foreign) * exp(0.45 * noise(&s->state)), 0.001, 1.5);
}

static void
listen(sample *s)
{
    for (int i = 0; i < SAMPLE_CLIPS; i++) {
        answer *a = &s->answers[i];
        a->truth = i % SAMPLE_CLASSES;
        double hard = 1.3 * sin(2.1 * a->truth + 1), talent = log(s->run->skill / (1 - s->run->skill));
        double belief = 1 / (1 + exp(-(talent + hard + 1.3 * noise(&s->state))));
        bool right = chance(&s->state) < belief;
        a->answer =
            right ? a->truth
                  : (a->truth + 1 + (int)(chance(&s->state) * (chance(&s->state) < 0.6 ? 4 : 48))) % SAMPLE_CLASSES;
        a->confidence = clamp(belief + s->run->vanity * (1 - belief) + 0.05 * noise(&s->state), 0.06, 0.999);
        doubt(s, a, 0);
    }
    for (int k = 0; k < N_FOREIGN; k++) {
        for (int i = 0; i < FOREIGN; i++) {
            answer *a = &s->foreign[k][i];
            a->confidence = clamp(0.42 - 0.1 * k + 0.2 * noise(&s->state) + s->run->vanity / 2, 0.06, 0.99);
            doubt(s, a, 0.12 + 0.1 * k);
        }
    }
}

static double
doubt_of(const answer *a, bool total)
{
    return total ? a->aleatoric + a->epistemic : a->epistemic;
}

/* ------------------------------------------------------------------------------------------------------------ writing */

static FILE *
begin(const char *folder, const char *name)
{
    char path[PATH];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    if (out == NULL) {
        perror(path);
        abort();
    }
    return out;
}

static void
write_config(const char *folder, const sample_run *run)
{
    vip_json json = {.out = begin(folder, "config.json")};
    vip_json_object(&json, NULL);
    vip_json_whole(&json, "format", 1);
    vip_json_text(&json, "arch", "resnet22");
    vip_json_whole(&json, "width", 16);
    vip_json_text(&json, "padding", run->padding);
    vip_json_text(&json, "posterior", run->posterior);
    vip_json_object(&json, "options");
    vip_json_text(&json, "optimiser", "adamw");
    vip_json_number(&json, "rate", 0.001, 6);
    vip_json_whole(&json, "batch", BATCH);
    vip_json_whole(&json, "seed", run->seed);
    vip_json_text(&json, "train", "fold=1,2,3");
    vip_json_close(&json);
    vip_json_close(&json);
    (void)fclose(json.out);
}

static void
write_log(const char *folder, const sample_run *run)
{
    vip_json json = {.out = begin(folder, "log.jsonl")};
    uint64_t state = run->seed + 99;
    bool kl = strcmp(run->posterior, "flipout") == 0;
    for (int step = EVERY; step <= STEPS; step += EVERY) {
        double at = (double)step / STEPS, fall = 0.35 * (1.2 - run->skill) + 3.4 * exp(-5 * at);
        double loss = fall * exp(0.05 * noise(&state)), weights = kl ? 0.9 * exp(-3 * at) + 0.1 : 0;
        vip_json_object(&json, NULL);
        vip_json_whole(&json, "step", (uint64_t)step);
        vip_json_number(&json, "epoch", 40 * at, 6);
        vip_json_whole(&json, "clips", (uint64_t)step * BATCH);
        vip_json_number(&json, "seconds", 0.5 * step, 8);
        vip_json_number(&json, "rate", 0.0005 * (1 + cos(3.14159265 * at)), 6);
        vip_json_number(&json, "loss", loss + weights, 6);
        vip_json_object(&json, "loss_parts");
        vip_json_number(&json, "first", loss, 6);
        if (kl) {
            vip_json_number(&json, "kl", weights, 6);
        }
        vip_json_close(&json);
        vip_json_number(&json, "clips_per_s", 64 + noise(&state), 5);
        vip_json_close(&json);
        if (step % 200 == 0) {
            double score = run->skill * (1 - exp(-4.5 * at)) + 0.008 * noise(&state);
            vip_json_object(&json, NULL);
            vip_json_whole(&json, "step", (uint64_t)step);
            vip_json_object(&json, "dev");
            vip_json_whole(&json, "n", 180);
            vip_json_number(&json, run->multilabel ? "map" : "accuracy", clamp(score, 0, 1), 5);
            vip_json_number(&json, "nll", 3.4 * (1 - run->skill) + 2.2 * exp(-5 * at) + 0.12 * at * at, 5);
            vip_json_truth(&json, "averaged", true);
            vip_json_close(&json);
            vip_json_close(&json);
        }
    }
    (void)fclose(json.out);
}

static void
put_measure(vip_json *json, const char *name, double value, double half)
{
    vip_json_object(json, name);
    vip_json_number(json, "value", value, 6);
    vip_json_number(json, "low", value - half, 6);
    vip_json_number(json, "high", value + half, 6);
    vip_json_close(json);
}

static void
put_metrics(vip_json *json, const char *name, const sample *s, bool raw)
{
    double right = 0, nll = 0, vanity = 0;
    for (int i = 0; i < SAMPLE_CLIPS; i++) {
        const answer *a = &s->answers[i];
        right += a->answer == a->truth;
        nll -= log(a->answer == a->truth ? a->confidence : (1 - a->confidence) / 6);
        vanity += a->confidence - (a->answer == a->truth);
    }
    right /= SAMPLE_CLIPS;
    vip_json_object(json, name);
    if (s->run->multilabel) {
        put_measure(json, "map", right, 0.031);
        put_measure(json, "auc", 0.9 + right / 12, 0.006);
        put_measure(json, "dprime", 2.2 + right / 3, 0.09);
    } else {
        put_measure(json, "accuracy", right, 1.96 * sqrt(right * (1 - right) / SAMPLE_CLIPS));
        put_measure(json, "uar", right - 0.004, 1.96 * sqrt(right * (1 - right) / SAMPLE_CLIPS));
    }
    put_measure(json, "nll", nll / SAMPLE_CLIPS + (raw ? 0.12 : 0), 0.09);
    put_measure(json, "brier", 1.1 * (1 - right), 0.03);
    put_measure(json, "ece", fabs(vanity / SAMPLE_CLIPS) + (raw ? 0.06 : 0.02), 0.018);
    put_measure(json, "mce", 0.22, 0.08);
    put_measure(json, "aurc", 0.45 * (1 - right), 0.021);
    vip_json_close(json);
}

static void
put_reliability(vip_json *json, const sample *s)
{
    vip_json_array(json, "reliability");
    for (int b = 0; b < BINS; b++) {
        double n = 0, confidence = 0, right = 0;
        for (int i = 0; i < SAMPLE_CLIPS; i++) {
            if ((int)clamp(ceil(s->answers[i].confidence * BINS) - 1, 0, BINS - 1) == b) {
                n++;
                confidence += s->answers[i].confidence;
                right += s->answers[i].answer == s->answers[i].truth;
            }
        }
        vip_json_object(json, NULL);
        vip_json_number(json, "low", (double)b / BINS, 9);
        vip_json_number(json, "high", (b + 1.0) / BINS, 9);
        vip_json_number(json, "n", n, 9);
        vip_json_number(json, "confidence", n > 0 ? confidence / n : NAN, 6);
        vip_json_number(json, "accuracy", n > 0 ? right / n : NAN, 6);
        vip_json_close(json);
    }
    vip_json_close(json);
}

static int
surest_first(const void *a, const void *b)
{
    const answer *x = a, *y = b;
    return (x->confidence < y->confidence) - (x->confidence > y->confidence);
}

static void
put_risks(vip_json *json, const sample *s)
{
    answer sorted[SAMPLE_CLIPS];
    double wrong = 0;
    memcpy(sorted, s->answers, sizeof sorted);
    qsort(sorted, SAMPLE_CLIPS, sizeof *sorted, surest_first);
    vip_json_array(json, "risk_coverage");
    for (int i = 0; i < SAMPLE_CLIPS; i++) {
        wrong += sorted[i].answer != sorted[i].truth;
        if (i % 2 == 1) {
            vip_json_array(json, NULL);
            vip_json_number(json, NULL, (i + 1.0) / SAMPLE_CLIPS, 6);
            vip_json_number(json, NULL, wrong / (i + 1), 6);
            vip_json_close(json);
        }
    }
    vip_json_close(json);
}

/* which: 0 wrong, 1 right, 2 all. */
static void
put_counts(vip_json *json, const char *name, const answer *answers, int n, int which, bool total)
{
    int counts[DOUBT_BINS] = {0};
    double most = total ? MOST_DOUBT : 1.5;
    for (int i = 0; i < n; i++) {
        if (which == 2 || (answers[i].answer == answers[i].truth) == which) {
            counts[(int)clamp(doubt_of(&answers[i], total) / most * DOUBT_BINS, 0, DOUBT_BINS - 1)]++;
        }
    }
    vip_json_array(json, name);
    for (int i = 0; i < DOUBT_BINS; i++) {
        vip_json_whole(json, NULL, (uint64_t)counts[i]);
    }
    vip_json_close(json);
}

static void
put_histograms(vip_json *json, const sample *s)
{
    vip_json_object(json, "histograms");
    for (int total = 0; total < 2; total++) {
        vip_json_object(json, total ? "total" : "epistemic");
        vip_json_array(json, "bins");
        for (int i = 0; i <= DOUBT_BINS; i++) {
            vip_json_number(json, NULL, (total ? MOST_DOUBT : 1.5) * i / DOUBT_BINS, 6);
        }
        vip_json_close(json);
        put_counts(json, "right", s->answers, SAMPLE_CLIPS, 1, total);
        put_counts(json, "wrong", s->answers, SAMPLE_CLIPS, 0, total);
        vip_json_object(json, "ood");
        for (int k = 0; k < N_FOREIGN; k++) {
            put_counts(json, FOREIGN_NAMES[k], s->foreign[k], FOREIGN, 2, total);
        }
        vip_json_close(json);
        vip_json_close(json);
    }
    vip_json_close(json);
}

static void
put_split(vip_json *json, const sample *s)
{
    vip_json_object(json, "doubt");
    for (int right = 1; right >= 0; right--) {
        double n = 0, aleatoric = 0, epistemic = 0;
        for (int i = 0; i < SAMPLE_CLIPS; i++) {
            if ((s->answers[i].answer == s->answers[i].truth) == right) {
                n++;
                aleatoric += s->answers[i].aleatoric;
                epistemic += s->answers[i].epistemic;
            }
        }
        vip_json_object(json, right ? "right" : "wrong");
        vip_json_number(json, "aleatoric", aleatoric / n, 6);
        vip_json_number(json, "epistemic", epistemic / n, 6);
        vip_json_close(json);
    }
    vip_json_close(json);
}

static void
put_confusion(vip_json *json, const sample *s)
{
    int counts[SAMPLE_CLASSES][SAMPLE_CLASSES] = {{0}};
    for (int i = 0; i < SAMPLE_CLIPS; i++) {
        counts[s->answers[i].truth][s->answers[i].answer]++;
    }
    vip_json_object(json, "confusion");
    vip_json_array(json, "labels");
    for (int i = 0; i < SAMPLE_CLASSES; i++) {
        vip_json_text(json, NULL, label_of(s->run, i));
    }
    vip_json_close(json);
    vip_json_array(json, "counts");
    for (int i = 0; i < SAMPLE_CLASSES; i++) {
        vip_json_array(json, NULL);
        for (int k = 0; k < SAMPLE_CLASSES; k++) {
            vip_json_whole(json, NULL, (uint64_t)counts[i][k]);
        }
        vip_json_close(json);
    }
    vip_json_close(json);
    vip_json_close(json);
}

static double
auroc(const sample *s, int set, bool total)
{
    double above = 0;
    for (int i = 0; i < SAMPLE_CLIPS; i++) {
        for (int k = 0; k < FOREIGN; k++) {
            double in = doubt_of(&s->answers[i], total), out = doubt_of(&s->foreign[set][k], total);
            above += in == out ? 0.5 : in < out;
        }
    }
    return above / SAMPLE_CLIPS / FOREIGN;
}

static void
put_ood(vip_json *json, const sample *s)
{
    vip_json_array(json, "ood");
    for (int set = 0; set < N_FOREIGN; set++) {
        vip_json_object(json, NULL);
        vip_json_text(json, "name", FOREIGN_NAMES[set]);
        vip_json_whole(json, "n", FOREIGN);
        vip_json_object(json, "scores");
        for (int total = 1; total >= 0; total--) {
            double area = auroc(s, set, total);
            vip_json_object(json, total ? "total" : "epistemic");
            put_measure(json, "auroc", area, 0.03);
            vip_json_number(json, "ap", area * 0.7, 5);
            vip_json_number(json, "fpr95", 1 - area * 0.7, 5);
            vip_json_close(json);
        }
        vip_json_close(json);
        vip_json_close(json);
    }
    vip_json_close(json);
}

static void
put_classes(vip_json *json, const sample *s)
{
    vip_json_array(json, "classes");
    for (int c = 0; c < SAMPLE_CLASSES; c++) {
        double n = 0, right = 0;
        for (int i = c; i < SAMPLE_CLIPS; i += SAMPLE_CLASSES) {
            n++;
            right += s->answers[i].answer == c;
        }
        vip_json_object(json, NULL);
        vip_json_text(json, "label", label_of(s->run, c));
        vip_json_number(json, "n", n, 9);
        vip_json_number(json, "ap", 0.15 + 0.8 * right / n, 5);
        vip_json_number(json, "auc", 0.8 + 0.2 * right / n, 5);
        vip_json_number(json, "recall", s->run->multilabel ? NAN : right / n, 5);
        vip_json_close(json);
    }
    vip_json_close(json);
}

static void
write_evaluation(const char *folder, const sample *s)
{
    bool dumb = strcmp(s->run->posterior, "deterministic") == 0;
    vip_json json = {.out = begin(folder, "eval.json")};
    vip_json_object(&json, NULL);
    vip_json_whole(&json, "format", 1);
    vip_json_object(&json, "model");
    vip_json_text(&json, "name", "best.safetensors");
    vip_json_text(&json, "arch", "resnet22");
    vip_json_whole(&json, "width", 16);
    vip_json_text(&json, "padding", s->run->padding);
    vip_json_text(&json, "posterior", s->run->posterior);
    vip_json_close(&json);
    vip_json_object(&json, "data");
    vip_json_text(&json, "cache", "esc50.cache");
    vip_json_text(&json, "select", "fold=4");
    vip_json_whole(&json, "n", SAMPLE_CLIPS);
    vip_json_close(&json);
    vip_json_whole(&json, "passes", dumb ? 0 : 8);
    vip_json_text(&json, "task", s->run->multilabel ? "multilabel" : "multiclass");
    put_metrics(&json, "calibrated", s, false);
    put_metrics(&json, "raw", s, true);
    put_reliability(&json, s);
    put_risks(&json, s);
    put_histograms(&json, s);
    put_split(&json, s);
    if (!s->run->multilabel) {
        put_confusion(&json, s);
    }
    put_ood(&json, s);
    put_classes(&json, s);
    vip_json_close(&json);
    (void)fclose(json.out);
}

void
sample_run_write(const char *folder, const sample_run *run)
{
    static sample s; /* too large for a stack */
    s = (sample){.run = run, .state = run->seed};
    listen(&s);
    (void)mkdir(folder, 0700);
    write_config(folder, run);
    write_log(folder, run);
    write_evaluation(folder, &s);
}

void
sample_run_remove(const char *folder)
{
    static const char *const names[] = {"config.json", "log.jsonl", "eval.json"};
    char path[PATH];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}
