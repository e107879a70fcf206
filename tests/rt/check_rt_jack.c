/* SPDX-License-Identifier: GPL-3.0-or-later */
/* check_rt_jack.c -- what JACK's thread does neither allocates nor locks nor calls the system: `check_rt_jack TINY`.
 *
 * Hands 200 000 cycles of two inputs to the analysis, as the client of JACK does in its callback, with sound of every
 * kind, and plays the notes of what is heard, while the main thread takes its turns; counts what watch.c sees. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <plugin/jack/ear.h>
#include <plugin/jack/note_queue.h>
#include <plugin/program/commands.h>

#include "watch.h"

enum { CALLS = 200000, MOST_BLOCK = 8192, SOUNDS = 4, INPUTS = 2 };

typedef struct {
    vip_live *live;
    vip_ear ear;
    vip_note_queue *notes;
    float sounds[SOUNDS][MOST_BLOCK]; /* noise, silence, denormals, and NaN and infinities among noise */
    unsigned messages;
    atomic_bool over;
} stage;

static uint32_t
dice(uint32_t *state, uint32_t n)
{
    *state = *state * 1664525 + 1013904223;
    return (*state >> 8) % n;
}

static void
fill(stage *s)
{
    uint32_t random = 5;
    for (uint32_t i = 0; i < MOST_BLOCK; i++) {
        const float noise = (float)dice(&random, 20001) / 20000 - 0.5F;
        s->sounds[0][i] = noise;
        s->sounds[1][i] = 0;
        s->sounds[2][i] = noise * 1e-38F;
        s->sounds[3][i] = i % 7 == 0 ? NAN : i % 5 == 0 ? -INFINITY : i % 3 == 0 ? INFINITY : noise;
    }
}

static bool send_message(void *to, uint32_t frame, const uint8_t *message) VIPANN_RT;

static bool
send_message(void *to, uint32_t frame, const uint8_t *message)
{
    stage *s = to;
    (void)frame;
    (void)message;
    return ++s->messages % 5 != 0; /* there is not always room */
}

static void cycle(stage *s, const float *const *inputs, uint32_t frames) VIPANN_RT;

static void
cycle(stage *s, const float *const *inputs, uint32_t frames)
{
    vip_note_queue_play(s->notes, &(vip_midi_port){send_message, s});
    vip_ear_hear(&s->ear, inputs, frames);
}

static void *
run_cycles(void *data)
{
    stage *s = data;
    uint32_t random = 6;
    const struct timespec pause = {0, 3000000};
    for (uint32_t i = 0; i < CALLS; i++) {
        const uint32_t frames = 1 + dice(&random, 1U << dice(&random, 14));
        const uint32_t kind = i / 2000 % 3 == 0 ? dice(&random, SOUNDS) : i / 2000 % 3 - 1;
        const float *const inputs[INPUTS] = {s->sounds[kind], s->sounds[dice(&random, SOUNDS)]};
        watch_arm(true);
        cycle(s, inputs, frames);
        watch_arm(false);
        if (i % 200 == 0) {
            (void)nanosleep(&pause, NULL); /* for the other threads to have their turn */
        }
    }
    atomic_store(&s->over, true);
    return NULL;
}

static void
on_event(void *user, uint32_t input, const vipann_event *event)
{
    stage *s = user;
    (void)input;
    vip_note_queue_event(s->notes, event);
}

/* Ends the cycles from another thread than theirs, and begins anew, now and then. */
static bool
take_turns(stage *s)
{
    vipann_error error = {VIPANN_OK, ""};
    pthread_t thread;
    bool well = vip_live_begin(s->live, 48000, 1, &error) == VIPANN_OK;
    vip_ear_init(&s->ear, s->live, INPUTS);
    vip_ear_open(&s->ear);
    well = well && pthread_create(&thread, NULL, run_cycles, s) == 0;
    for (unsigned turn = 1; well && !atomic_load(&s->over); turn++) {
        (void)vip_live_turn(s->live);
        if (turn % 100 == 0) {
            vip_ear_shut(&s->ear);
            vip_live_end(s->live);
            well = vip_live_begin(s->live, turn % 200 == 0 ? 44100 : 48000, 1, &error) == VIPANN_OK;
            vip_ear_open(&s->ear);
        }
    }
    if (!well) {
        (void)printf("# %s\n", error.text);
        return false;
    }
    (void)pthread_join(thread, NULL);
    vip_ear_shut(&s->ear);
    vip_live_end(s->live);
    return true;
}

static bool
is_safe(stage *s, const vip_arguments *arguments, FILE *out)
{
    static const char *const names[INPUTS] = {"in_1", "in_2"};
    const vip_live_setup setup = {
        .arguments = arguments, .inputs = INPUTS, .names = names, .event = on_event, .user = s, .out = out};
    vipann_error error = {VIPANN_OK, ""};
    fill(s);
    s->notes = vip_note_queue_new();
    s->live = vip_live_new(&setup, &error);
    if (s->notes == NULL || s->live == NULL) {
        (void)printf("# %s\n", error.text);
        return false;
    }
    watch_reset();
    const bool well = take_turns(s);
    const uint64_t seen = watch_hits();
    if (seen > 0) {
        (void)printf("# %llu calls, the first of %s\n", (unsigned long long)seen, watch_first());
    }
    (void)printf("# %u messages\n", s->messages);
    vip_live_free(s->live);
    vip_note_queue_free(s->notes);
    return well && seen == 0 && s->messages > 10;
}

int
main(int argc, char **argv)
{
    static stage s;
    if (argc != 2) {
        (void)fputs("usage: check_rt_jack TINY\n", stderr);
        return 2;
    }
    if (!WATCH_WORKS && !WATCHED_BY_A_SANITIZER) {
        (void)puts("# skip the sanitizers watch for themselves\n0 passed, 0 failed, 1 skipped");
        return 0;
    }
    char folder[] = "/tmp/vipann-rt-XXXXXX", table[sizeof folder + 16];
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return 1;
    }
    (void)snprintf(table, sizeof table, "%s/clips.csv", folder);
    char *options[] = {
        "jack",     "--model", argv[1],         "--latency", "centred", "--threshold", "0.3",
        "--format", "csv",     "--save-events", folder,      "--save",  "unknown"}; /* sound goes to clips as well, few of which are written */
    vip_arguments arguments;
    FILE *out = fopen("/dev/null", "w");
    bool well = vip_options_parse(&VIP_JACK_COMMAND, sizeof options / sizeof *options, options, &arguments, NULL) ==
                    VIPANN_OK &&
                out != NULL && is_safe(&s, &arguments, out);
    vip_arguments_free(&arguments);
    (void)unlink(table);
    (void)rmdir(folder);
    if (out != NULL) {
        (void)fclose(out);
    }
    (void)printf("%sok 1 - 200 000 cycles of JACK: no allocation, lock or system call\n1..1\n", well ? "" : "not ");
    return well ? 0 : 1;
}
