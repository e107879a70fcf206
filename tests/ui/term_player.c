/* SPDX-License-Identifier: GPL-3.0-or-later */
/* term_player.c -- feeds the display in a terminal with made-up results: `term_player FOLDER SCENE SECONDS [INPUTS]`. SCENE is
 * `hostile` (labels that want to command the terminal) or `calm`; what the keys order goes to FOLDER/orders, a line each,
 * and at the end the CPU time that the display took. With SCENE `fixed` no key changes the engine. Ten seconds of the scene
 * have a gap (4 s), the unknown (6 to 8 s) and silence (9 s). */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <common/clock.h>
#include <common/number.h>
#include <tests/data/random_model.h>
#include <ui/term/term.h>
#include <vipann/vipann.h>

enum { CLASSES = 12, BEFORE = 300, A_SECOND = 10, ROUND = 100 /* results of the scene, which begins anew then */ };

#define LONG "long long long long long long long long long long long long long long long "
static const char FAR_TOO_LONG[] = LONG LONG LONG LONG; /* 300 bytes */

/* The first two are heard most. */
static const char *const HOSTILE[CLASSES] = {
    "Speech",
    "Music",
    "\033]0;evil\a title",
    "two\nlines\r\tand \033[2J\033[31mred",
    "$(reboot) `reboot`; reboot",
    "\u202eturned \u2066round\u2069 \u061c\u202c",
    FAR_TOO_LONG,
    "a\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308 flood",
    "\u9f13\u3092\u6253\u3064 drums",
    "C1 \302\23331m \302\220q\302\234end",
    "joined \U0001f468\u200d\U0001f469\u200d\U0001f467 \ufe0f",
    "\u0301begins with a mark",
};

static const char *const CALM[CLASSES] = {
    "Speech", "Music",    "Vehicle", "Inside, small room",      "Telephone bell ringing", "Door", "Dog", "Alarm",
    "Rain",   "Clapping", "Bird",    "Wind noise (microphone)",
};

static volatile sig_atomic_t ended;

static void
end(int signal)
{
    (void)signal;
    ended = 1;
}

/* A model with these labels, by way of a file in the folder. */
static vipann_model *
make_model(const char *folder, const char *const *labels)
{
    const random_model_spec spec = {VIP_RESNET22, 1, CLASSES, VIP_SAME, VIPANN_DROPOUT, VIPANN_MULTILABEL, 1};
    char path[512];
    (void)snprintf(path, sizeof path, "%s/made-up.safetensors", folder);
    vip_model *model = random_model(&spec);
    vipann_model *opened = NULL;
    bool complete = model != NULL;
    for (uint32_t i = 0; i < CLASSES && complete; i++) {
        vip_free(model->labels[i]);
        model->labels[i] = vip_copy_string(labels[i]);
        complete = model->labels[i] != NULL;
    }
    if (complete && vip_model_write(model, path, false, NULL) == VIPANN_OK) {
        opened = vipann_model_open(path, NULL);
        (void)remove(path);
    }
    vip_model_free(model);
    return opened;
}

/* ----------------------------------------------------------------------------------------------------------- the scene */

static bool
is_unknown(int at)
{
    return at >= 60 && at < 80;
}

/* Result k of the scene. */
static void
fill(vipann_result *r, int k)
{
    const int at = k % ROUND;
    const double wave = 0.5 + 0.5 * sin(k / 9.0) * cos(k * 1.3), slow = 0.5 + 0.5 * sin(k / 23.0 + 1) * sin(k / 3.1);
    r->silent = at >= 90 && at < 95;
    r->level_dbfs = r->silent ? -83.5 : -48 + 0.4 * at + 5 * wave;
    r->unknown = is_unknown(at) ? VIPANN_YES : VIPANN_NO;
    r->has_epistemic = true;
    r->calibrated = true;
    r->passes = 8;
    r->t_seconds = k * 0.32;
    const int gaps = (k + ROUND - 40) / ROUND;
    r->gap_seconds = 0.5 * gaps;
    r->aleatoric_nats = 0.3 + 1.1 * slow + 0.5 * wave;
    r->epistemic_nats = is_unknown(at) ? 0.4 + 0.25 * wave : 0.04 + 0.16 * wave * slow;
    r->total_nats = r->aleatoric_nats + r->epistemic_nats;
    for (uint32_t i = 0; i < CLASSES; i++) {
        r->p[i] = (float)((0.62 - 0.05 * i) * (1 - 0.25 * slow * (i % 2)));
        r->std[i] = (float)(0.01 + 0.005 * (i % 4));
    }
    r->p[0] = (float)(is_unknown(at) ? 0.31 + 0.1 * wave : 0.93 - 0.04 * wave);
    r->std[0] = is_unknown(at) ? 0.17f : 0.03f;
    r->p[1] = (float)(0.62 - 0.1 * slow);
    r->std[1] = 0.18f; /* about which the passes do not agree */
}

/* Every four seconds an event of another class, which lasts for three; the newest of them lasts still. */
static void
tell_event(vip_term *term, uint32_t input, double utc, int k)
{
    const int period = 4 * A_SECOND, phase = k % period;
    const uint64_t id = (uint64_t)(k / period) + 1;
    if (phase == 0 || phase == 30) {
        const vipann_event event = {.id = id,
                                    .class_index = (uint32_t)((id * 7) % CLASSES),
                                    .ended = phase == 30,
                                    .start_seconds = (k - phase) * 0.1,
                                    .end_seconds = k * 0.1 + (double)(id % 7) * 1.3,
                                    .p_max = 0.6 + 0.05 * (double)(id % 7),
                                    .unknown = id % 3 == 0 ? VIPANN_YES : VIPANN_NO};
        vip_term_event(term, input, utc, &event);
    }
}

static void
tell(vip_term *term, uint32_t inputs, double utc, vipann_result *result, int k)
{
    for (uint32_t i = 0; i < inputs; i++) {
        fill(result, k + 17 * (int)i);
        vip_term_result(term, i, result);
        tell_event(term, i, utc, k);
        vip_term_engine_state(term, i,
                              &(vip_term_engine){.passes = 8,
                                                 .hop_seconds = 0.32,
                                                 .load = 0.115 + 0.001 * (k % 7),
                                                 .gap_seconds = result->gap_seconds,
                                                 .threshold = NAN,
                                                 .late_hops = 2});
    }
}

/* ------------------------------------------------------------------------------------------------------------- running */

static double
cpu_seconds(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* CPU time of this thread within the display, where it should be little. */
static double
thread_seconds(void)
{
    return vip_clock_seconds(CLOCK_THREAD_CPUTIME_ID);
}

/* Until a key, a signal or the time ends it. */
static void
play(vip_term *term, uint32_t inputs, double seconds, double utc, vipann_result *result, FILE *orders, double *within)
{
    static const char *const names[] = {"nothing", "quit", "reload", "passes", "threshold", "hop"};
    const double begun = vip_clock_seconds(CLOCK_MONOTONIC);
    int k = BEFORE;
    vip_term_order order = VIP_TERM_NOTHING;
    while (order != VIP_TERM_QUIT && !ended) {
        const double now = vip_clock_seconds(CLOCK_MONOTONIC) - begun;
        int step;
        if (now >= seconds) {
            return;
        }
        const double before = thread_seconds();
        for (; k - BEFORE < now * A_SECOND; k++) {
            tell(term, inputs, utc, result, k);
        }
        order = vip_term_turn(term, now, &step);
        *within += thread_seconds() - before;
        if (order != VIP_TERM_NOTHING) {
            (void)fprintf(orders, "%s %d\n", names[order], step);
            (void)fflush(orders);
        }
        (void)nanosleep(&(const struct timespec){0, 10000000}, NULL);
    }
}

static int
show(const vip_term_setup *setup, vipann_model *model, double seconds, FILE *orders, bool hostile)
{
    vipann_result *result = vipann_result_new(model);
    vipann_error error = {VIPANN_OK, ""};
    if (!vip_term_can(setup->out)) {
        (void)fputs("cannot\n", orders);
        vipann_result_free(result);
        return 3;
    }
    vip_term *term = result != NULL ? vip_term_open(setup, &error) : NULL;
    if (term == NULL) {
        (void)fprintf(orders, "refused %s\n", error.text);
        vipann_result_free(result);
        return 4;
    }
    const double utc = floor(vip_clock_seconds(CLOCK_REALTIME)) - 1.0 * BEFORE / A_SECOND;
    vip_term_model(term, model);
    for (int k = 0; k < BEFORE; k++) {
        tell(term, setup->inputs, utc, result, k);
    }
    vip_term_notice(term, utc + 12,
                    hostile ? "notice \033]0;evil\a\r\nthat lies" : "made-up: a microphone is there again");
    const double cpu = cpu_seconds(), begun = vip_clock_seconds(CLOCK_MONOTONIC);
    double within = 0;
    play(term, setup->inputs, seconds, utc, result, orders, &within);
    const double all = cpu_seconds() - cpu, lasted = vip_clock_seconds(CLOCK_MONOTONIC) - begun;
    vip_term_close(term);
    char number[VIP_NUMBER_SIZE];
    (void)fprintf(orders, "cpu %s %% of a core", vip_number_fixed(number, 100 * all / lasted, 2));
    (void)fprintf(orders, ", %s %% in the display\n", vip_number_fixed(number, 100 * within / lasted, 2));
    vipann_result_free(result);
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fputs("usage: term_player FOLDER SCENE SECONDS [INPUTS]\n", stderr);
        return 2;
    }
    const bool hostile = strcmp(argv[2], "calm") != 0;
    const struct sigaction action = {.sa_handler = end};
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &(const struct sigaction){.sa_handler = SIG_IGN},
                    NULL); /* as for whom it has another meaning */
    char path[512];
    (void)snprintf(path, sizeof path, "%s/orders", argv[1]);
    FILE *orders = fopen(path, "w");
    vipann_model *model = make_model(argv[1], hostile ? HOSTILE : CALM);
    if (orders == NULL || model == NULL) {
        return 1;
    }
    const char *const names[] = {hostile ? "mi\033[31mke \xff" : "microphone", "line in"};
    const vip_term_setup setup = {.title = "vipann live",
                                  .inputs = argc > 4 ? 2 : 1,
                                  .names = names,
                                  .in = stdin,
                                  .out = stdout,
                                  .adjustable = strcmp(argv[2], "fixed") != 0};
    const int status = show(&setup, model, strtod(argv[3], NULL), orders, hostile);
    vipann_model_unref(model);
    (void)fclose(orders);
    return status;
}
