/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_live.c -- programs that hear live: N1 to N8 and N11 of plugin/live/README.md. Run under the thread sanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "plugin/live/live.h"
#include "plugin/out/outputs.h"
#include "scratch.h"
#include "stream.h"
#include "tests/data/random_model.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { RATE = 16000, N = 40 * STREAM_COLUMN, BLOCK = 1000, MOST_WORDS = 24, MOST_TURNS = 3000, INPUTS = 3 };
enum { LARGE_CLASSES = 4096, LARGE_EVENTS = LARGE_CLASSES - 1 /* at a time: its last class is not reportable */ };

static const vip_option *const OPTIONS[] = {VIP_LIVE_OPTIONS, VIP_OUTPUT_OPTIONS, &VIP_OPTION_LOG};
static const vip_command COMMAND = {.name = "test live",
                                    .operands = "",
                                    .summary = "Tests.",
                                    .examples = "",
                                    .options = OPTIONS,
                                    .n_options = LENGTH(OPTIONS)};
static const char *const NAMES[INPUTS] = {"in_1", "in_2", "in_3"};

static struct {
    stream_models *models;
    char model[SCRATCH_PATH], other[SCRATCH_PATH], large[SCRATCH_PATH], broken[SCRATCH_PATH], used[SCRATCH_PATH],
        errors[SCRATCH_PATH];
    float *x;
} common;

/* A program that hears live, and what it wrote. */
typedef struct {
    vip_arguments arguments;
    vip_live *live;
    char *text;
    size_t size;
    FILE *out;
    size_t begun, ended; /* events passed on */
} program;

/* --------------------------------------------------------------------------------------------------------- helpers */

static int
open_common(void **state)
{
    void *models = NULL;
    if (stream_open_models(&models) != 0) {
        return -1;
    }
    common.models = models;
    const random_model_spec spec = {VIP_RESNET22, 1, 7, VIP_CAUSAL, VIPANN_DROPOUT, VIPANN_MULTILABEL, STREAM_SEED + 1};
    vipann_model *other = stream_open(common.models, "other.safetensors", random_model(&spec));
    vipann_model_unref(other);
    const random_model_spec most = {VIP_RESNET22,      1,          LARGE_CLASSES, VIP_CAUSAL, VIPANN_DROPOUT,
                                    VIPANN_MULTILABEL, STREAM_SEED};
    vipann_model *large = stream_open(common.models, "large.safetensors", random_model(&most));
    vipann_model_unref(large);
    common.x = stream_sound(5, N);
    (void)scratch_path(common.model, &common.models->folder, "causal.safetensors");
    (void)scratch_path(common.other, &common.models->folder, "other.safetensors");
    (void)scratch_path(common.large, &common.models->folder, "large.safetensors");
    (void)scratch_path(common.broken, &common.models->folder, "broken.safetensors");
    (void)scratch_path(common.used, &common.models->folder, "used.safetensors");
    (void)scratch_path(common.errors, &common.models->folder, "errors");
    scratch_write(common.broken, "no model", 8);
    *state = models;
    return other != NULL && large != NULL && common.x != NULL && access(common.model, R_OK) == 0 ? 0 : -1;
}

static int
close_common(void **state)
{
    free(common.x);
    return stream_close_models(state);
}

/* Puts another file at the path that the program has opened, as a careful user would: at once. */
static void
use(const char *path)
{
    (void)unlink(common.used);
    assert_int_equal(link(path, common.used), 0);
}

static void
on_event(void *user, uint32_t input, const vipann_event *event)
{
    program *p = user;
    assert_true(input < INPUTS);
    p->begun += !event->ended;
    p->ended += event->ended;
}

/* The words of a line, separated by single spaces, behind "--model USED". out NULL: into p->text. */
static vipann_status
make(program *p, const char *line, uint32_t inputs, FILE *out, vipann_error *error)
{
    static char words[256];
    const char *argv[MOST_WORDS] = {"live", "--model", common.used};
    int argc = 3;
    (void)snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    *p = (program){.out = out};
    assert_int_equal(vip_options_parse(&COMMAND, argc, (char *const *)argv, &p->arguments, error), VIPANN_OK);
    if (out == NULL) {
        p->out = open_memstream(&p->text, &p->size);
        assert_non_null(p->out);
    }
    const vip_live_setup setup = {
        .arguments = &p->arguments, .inputs = inputs, .names = NAMES, .event = on_event, .user = p, .out = p->out};
    p->live = vip_live_new(&setup, error);
    return p->live != NULL ? VIPANN_OK : error->status;
}

static void
start(program *p, const char *line, uint32_t inputs, FILE *out)
{
    vipann_error error = {VIPANN_OK, ""};
    if (make(p, line, inputs, out, &error) != VIPANN_OK) {
        fail_msg("%s", error.text);
    }
}

static void
end(program *p)
{
    vip_live_free(p->live);
    vip_arguments_free(&p->arguments);
    (void)fclose(p->out);
}

static void
begin(program *p, double rate)
{
    vipann_error error = {VIPANN_OK, ""};
    if (vip_live_begin(p->live, rate, 1, &error) != VIPANN_OK) {
        fail_msg("%s", error.text);
    }
}

/* Hears x[from .. to-1] by each input, and takes a turn after every so many blocks. Returns what the last turn said. */
static vip_live_state
hear(program *p, uint32_t inputs, size_t from, size_t to, size_t block, bool all)
{
    vip_live_state state = VIP_LIVE_ON;
    for (size_t done = from; done < to && state == VIP_LIVE_ON; done += block) {
        const uint32_t n = (uint32_t)(to - done < block ? to - done : block);
        for (uint32_t i = 0; i < inputs; i++) {
            const float *channels[] = {common.x + done};
            (all ? vip_live_push_all : vip_live_push)(p->live, i, channels, n);
        }
        state = vip_live_turn(p->live);
    }
    return state;
}

/* All that is written of the sound, to be freed: the clock's times left out, which are never the same. */
static char *
lines_of(const char *line, uint32_t inputs, size_t block, bool all)
{
    program p;
    start(&p, line, inputs, NULL);
    begin(&p, RATE);
    assert_int_equal(hear(&p, inputs, 0, N, block, all), VIP_LIVE_ON);
    vip_live_end(p.live);
    end(&p);
    char *text = p.text;
    for (char *at; (at = strstr(text, "\"utc\":")) != NULL;) {
        char *comma = strchr(at, ',');
        assert_non_null(comma);
        memmove(at, comma + 1, strlen(comma));
    }
    return text;
}

static size_t
count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++) {
        n++;
    }
    return n;
}

/* The number behind the last occurrence of a key. */
static double
last_number(const char *text, const char *key)
{
    const char *last = NULL;
    for (const char *at = text; (at = strstr(at, key)) != NULL; at++) {
        last = at;
    }
    assert_non_null(last);
    return strtod(last + strlen(key), NULL);
}

/* What is said on stderr goes to a file from here on; returns what leads back. */
static int
catch_errors(void)
{
    (void)fflush(stderr);
    const int before = dup(STDERR_FILENO), file = open(common.errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(before >= 0 && file >= 0 && dup2(file, STDERR_FILENO) >= 0);
    (void)close(file);
    return before;
}

static void
give_back_errors(int before, char *text, size_t size)
{
    (void)fflush(stderr);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    (void)close(before);
    (void)scratch_read(common.errors, text, size);
}

/* ----------------------------------------------------------------------------------------------------------- tests */

static void
test_blocks_inputs_and_threads_do_not_change_what_is_written(void **state)
{
    (void)state;
    use(common.model);
    char *once = lines_of("--format jsonl --passes 2 --window 2", 1, N, true);
    char *blocks = lines_of("--format jsonl --passes 2 --window 2", 1, 333, true);
    assert_true(count(once, "\n") >= 39);
    assert_string_equal(blocks, once);
    char *three = lines_of("--format jsonl --passes 2 --window 2", INPUTS, 3000, true);
    assert_int_equal(count(three, "\n"), INPUTS * count(once, "\n"));
    for (const char *at = once; *at != '\0'; at = strchr(at, '\n') + 1) { /* each line of one is one of three's */
        char line[4096];
        const size_t length = strcspn(at, "\n");
        assert_true(length < sizeof line);
        memcpy(line, at, length);
        line[length] = '\0';
        assert_int_equal(count(three, line), 1);
    }
    free(once);
    free(blocks);
    free(three);
}

static void
test_events_are_written_when_they_end_and_if_asked_when_they_begin(void **state)
{
    (void)state;
    use(common.model);
    char *ended = lines_of("--format jsonl --passes 2 --events --threshold 0.01", 1, BLOCK, true);
    char *both = lines_of("--format jsonl --passes 2 --events --begins --threshold 0.01", 1, BLOCK, true);
    assert_true(count(ended, "\n") > 0);
    assert_int_equal(count(ended, "\"end_s\":null"), 0);
    assert_int_equal(count(both, "\"end_s\":null"), count(ended, "\n"));
    assert_int_equal(count(both, "\n"), 2 * count(ended, "\n"));
    free(ended);
    free(both);
}

static void
test_events_are_passed_on_as_they_begin_and_end(void **state)
{
    (void)state;
    use(common.model);
    program p;
    start(&p, "--format jsonl --passes 2 --threshold 0.01", INPUTS, NULL);
    begin(&p, RATE);
    assert_int_equal(hear(&p, INPUTS, 0, N, BLOCK, true), VIP_LIVE_ON);
    vip_live_end(p.live);
    assert_true(p.begun > 0);
    assert_int_equal(p.begun, p.ended);
    end(&p);
    free(p.text);
}

static void
test_a_command_is_run_for_each_event_as_far_as_there_is_room(void **state)
{
    use(common.model);
    program p;
    char path[SCRATCH_PATH], line[SCRATCH_PATH + 128], text[64] = "";
    (void)snprintf(line, sizeof line, "--passes 2 --threshold 0.01 --on-event=echo>>%s --on-event-most 6000",
                   scratch_path(path, state, "lines"));
    start(&p, line, 1, NULL);
    begin(&p, RATE);
    assert_int_equal(hear(&p, 1, 0, N, BLOCK, true), VIP_LIVE_ON);
    vip_live_end(p.live);
    end(&p); /* which waits for commands */
    free(p.text);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    const size_t lines = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    assert_in_range(lines, 1, p.begun + p.ended);
}

static void
test_an_end_is_not_waited_for_where_nothing_comes(void **state)
{
    (void)state;
    use(common.model);
    program p;
    start(&p, "--format jsonl --passes 2 --duration 3.4", 1, NULL);
    begin(&p, RATE);
    assert_int_equal(hear(&p, 1, 0, 10 * STREAM_COLUMN, 777, true), VIP_LIVE_ON);
    const double before = vip_clock_seconds(CLOCK_MONOTONIC);
    vip_live_end(p.live); /* after 3.2 s of sound */
    int turns = 0;
    while (vip_live_turn(p.live) == VIP_LIVE_ON) {
        assert_true(turns++ < MOST_TURNS);
    }
    assert_true(vip_clock_seconds(CLOCK_MONOTONIC) - before >= 0.2 - 1e-6);
    end(&p);
    free(p.text);
}

static void
test_no_more_is_heard_than_asked_for(void **state)
{
    (void)state;
    use(common.model);
    program p;
    start(&p, "--format jsonl --passes 2 --duration 3.2", 2, NULL);
    begin(&p, RATE);
    assert_int_equal(hear(&p, 2, 0, N, 777, true), VIP_LIVE_DONE);
    vip_live_end(p.live);
    end(&p);
    assert_int_equal(count(p.text, "\n"), 2 * 10);
    assert_true(fabs(last_number(p.text, "\"t_s\":") - 3.2) < 1e-6);
    free(p.text);
}

static void
test_an_end_within_a_column_repeats_no_result(void **state)
{
    (void)state;
    use(common.model);
    program p;
    start(&p, "--format jsonl --passes 2", 2, NULL);
    begin(&p, RATE);
    assert_int_equal(hear(&p, 2, 0, 9 * STREAM_COLUMN + STREAM_COLUMN / 2, BLOCK, true), VIP_LIVE_ON);
    vip_live_end(p.live);
    end(&p);
    assert_int_equal(count(p.text, "\n"), 2 * 9); /* as of a file */
    free(p.text);
}

static void
test_time_goes_on_where_sound_begins_anew(void **state)
{
    (void)state;
    use(common.model);
    program p;
    start(&p, "--format jsonl --passes 2", 1, NULL);
    begin(&p, RATE);
    assert_int_equal(hear(&p, 1, 0, 10 * STREAM_COLUMN, BLOCK, true), VIP_LIVE_ON);
    vip_live_end(p.live);
    const double first = last_number(p.text, "\"t_s\":");
    assert_true(fabs(first - 3.2) < 1e-6);
    assert_int_equal(vip_live_turn(p.live), VIP_LIVE_ON); /* while nothing comes */
    begin(&p, 2 * RATE);
    assert_int_equal(hear(&p, 1, 0, 20 * STREAM_COLUMN, BLOCK, true), VIP_LIVE_ON);
    vip_live_end(p.live);
    end(&p);
    const double second = last_number(p.text, "\"t_s\":");
    assert_true(second > first + 3.2 && second < first + 3.2 + 60);
    free(p.text);
}

static void
test_another_model_takes_over_and_a_broken_one_does_not(void **state)
{
    (void)state;
    char errors[1024];
    use(common.model);
    program p;
    start(&p, "--format jsonl --passes 2 --window 1 --top all", 1, NULL);
    begin(&p, RATE);
    const int before = catch_errors();
    assert_int_equal(hear(&p, 1, 0, N / 4, BLOCK, true), VIP_LIVE_ON);
    use(common.broken);
    (void)raise(SIGHUP);
    assert_int_equal(hear(&p, 1, N / 4, N / 2, BLOCK, true), VIP_LIVE_ON);
    use(common.other);
    (void)raise(SIGHUP);
    assert_int_equal(hear(&p, 1, N / 2, N, BLOCK, true), VIP_LIVE_ON);
    vip_live_end(p.live);
    end(&p);
    give_back_errors(before, errors, sizeof errors);
    assert_non_null(strstr(errors, "used.safetensors"));
    assert_non_null(strstr(errors, "what was running goes on"));
    assert_non_null(strstr(errors, "take over"));
    assert_int_equal(count(errors, "\n"), 2);
    char *line = p.text;
    size_t classes[64] = {0}, lines = 0;
    for (; *line != '\0' && lines < LENGTH(classes); lines++) {
        char *newline = strchr(line, '\n');
        *newline = '\0';
        classes[lines] = count(line, "\"label\":");
        line = newline + 1;
    }
    assert_int_equal(lines,
                     N / STREAM_COLUMN - 1); /* the columns of the new one begin with a block, not with the sound */
    assert_int_equal(classes[0], STREAM_CLASSES);
    assert_int_equal(classes[lines - 1], 7);
    for (size_t i = 1; i < lines; i++) { /* one exchange, and nothing is missing */
        assert_true(classes[i] >= classes[i - 1]);
    }
    free(p.text);
}

static void
test_what_a_signal_asks_for_is_done(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM};
    use(common.model);
    for (size_t i = 0; i < LENGTH(signals); i++) {
        program p;
        start(&p, "--format jsonl --passes 2", 1, NULL);
        assert_int_equal(vip_live_turn(p.live), VIP_LIVE_ON);
        (void)raise(signals[i]);
        assert_int_equal(vip_live_turn(p.live), VIP_LIVE_DONE);
        end(&p);
        free(p.text);
    }
}

/* Somebody who reads late what the main thread writes, and sends it signals before that. */
typedef struct {
    pthread_t writer;
    int file;
    char *text; /* [ROOM] */
} late_reader;

enum { ROOM = 1 << 20, SIGNALS = 50 };

static void *
read_late(void *user)
{
    const late_reader *r = user;
    size_t length = 0;
    for (int i = 0; i <= SIGNALS; i++) { /* most of them while a line waits for room */
        (void)nanosleep(&(struct timespec){0, 2000000}, NULL);
        (void)pthread_kill(r->writer, i < SIGNALS ? SIGHUP : SIGTERM);
    }
    for (ssize_t n = 1; n > 0 && length<ROOM - 1; length += n> 0 ? (size_t)n : 0) {
        n = read(r->file, r->text + length, ROOM - 1 - length);
    }
    return NULL;
}

static void
test_a_line_that_waits_for_its_reader_outlasts_signals(void **state)
{
    (void)state;
    char errors[1024];
    int ends[2];
    use(common.model);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    while (write(ends[1], "x", 1) == 1) { /* no room from the first line on */
    }
    assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
    late_reader r = {.writer = pthread_self(), .file = ends[0], .text = calloc(ROOM, 1)};
    FILE *out = fdopen(ends[1], "w");
    assert_true(out != NULL && r.text != NULL);
    const int before = catch_errors();
    program p;
    start(&p, "--format jsonl --passes 2", 1, out);
    begin(&p, RATE);
    const float *channels[] = {common.x};
    vip_live_push_all(p.live, 0, channels, N);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_late, &r), 0);
    const vip_live_state said = vip_live_turn(p.live);
    vip_live_end(p.live);
    end(&p);
    assert_int_equal(pthread_join(thread, NULL), 0);
    give_back_errors(before, errors, sizeof errors);
    (void)close(ends[0]);
    assert_int_equal(said, VIP_LIVE_DONE);
    assert_string_equal(errors, "");
    assert_int_equal(count(r.text, "\n"), N / STREAM_COLUMN);
    free(r.text);
}

static void
test_output_that_cannot_be_written_ends_it_with_one_line(void **state)
{
    (void)state;
    char errors[1024];
    int ends[2];
    use(common.model);
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    int before = catch_errors();
    program p;
    start(&p, "--format jsonl --passes 2", 1, full);
    begin(&p, RATE);
    assert_int_equal(hear(&p, 1, 0, N, BLOCK, true), VIP_LIVE_FAILED);
    vip_live_end(p.live);
    end(&p);
    give_back_errors(before, errors, sizeof errors);
    assert_int_equal(count(errors, "\n"), 1);
    assert_non_null(strstr(errors, "No space left"));

    assert_int_equal(pipe(ends), 0);
    (void)close(ends[0]); /* whoever read it has gone away, and knows that */
    FILE *gone = fdopen(ends[1], "w");
    assert_non_null(gone);
    before = catch_errors();
    start(&p, "--format jsonl --passes 2", 1, gone);
    begin(&p, RATE);
    assert_int_equal(hear(&p, 1, 0, N, BLOCK, true), VIP_LIVE_FAILED);
    vip_live_end(p.live);
    end(&p);
    give_back_errors(before, errors, sizeof errors);
    assert_string_equal(errors, "");
}

static void
test_an_end_that_cannot_be_written_is_said_once(void **state)
{
    (void)state;
    char errors[1024];
    use(common.model);
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    const int before = catch_errors();
    program p;
    start(&p, "--format csv --events --threshold 0 --passes 2", 1, full); /* of which nothing ends before the sound */
    begin(&p, RATE);
    const float *channels[] = {common.x};
    vip_live_push_all(p.live, 0, channels, N / 2);
    assert_int_equal(vip_live_end(p.live), VIP_LIVE_FAILED);
    assert_int_equal(vip_live_turn(p.live), VIP_LIVE_FAILED);
    end(&p);
    give_back_errors(before, errors, sizeof errors);
    assert_int_equal(count(errors, "\n"), 1);
    assert_non_null(strstr(errors, "No space left"));
}

static void
test_the_heading_says_how_late_results_are(void **state)
{
    (void)state;
    static const char *const latencies[] = {"centred", "edge"};
    char same[SCRATCH_PATH];
    use(scratch_path(same, &common.models->folder, "same.safetensors"));
    for (size_t i = 0; i < LENGTH(latencies); i++) {
        char line[64], expected[64];
        (void)snprintf(line, sizeof line, "--format text --passes 2 --latency %s", latencies[i]);
        (void)snprintf(expected, sizeof expected, ", %s\n", latencies[i]);
        char *text = lines_of(line, 1, BLOCK, true);
        const char *end = strchr(text, '\n'); /* of the first line, which is the heading */
        assert_non_null(end);
        assert_non_null(strstr(text, expected));
        assert_true(strstr(text, expected) < end);
        free(text);
    }
}

/* A host that runs as fast as it can, in blocks of which the first does not fill a column. */
typedef struct {
    program *p;
    pthread_t thread;
    atomic_uint heard; /* blocks; relaxed */
    atomic_bool done;  /* with the load in is_done */
    unsigned seen;     /* of heard, by the main thread */
    int idle;          /* looks of the main thread in a row, up to now, that have seen no more */
} host;

/* A host that hears nothing more for STILL looks is taken to wait; if it is only short of a processor, a test proves
 * less but does not fail. After MOST_TURNS it is taken to be stuck: counted anew from each block, which is some
 * milliseconds of work, since how long all of them take is up to whatever else the machine does. */
enum { ROUNDS = 5, FAST_BLOCK = STREAM_COLUMN / 2, STILL = 50 };

static void *
run_host(void *user)
{
    host *h = user;
    for (size_t at = 0; at < (size_t)ROUNDS * N; at += FAST_BLOCK) {
        const float *channels[] = {common.x + at % N};
        vip_live_push_all(h->p->live, 0, channels, FAST_BLOCK);
        atomic_fetch_add_explicit(&h->heard, 1, memory_order_relaxed);
    }
    atomic_store_explicit(&h->done, true, memory_order_release);
    return NULL;
}

static bool
is_done(const host *h)
{
    return atomic_load_explicit(&h->done, memory_order_acquire); /* with run_host */
}

static int
look(host *h)
{
    const unsigned heard = atomic_load_explicit(&h->heard, memory_order_relaxed);
    h->idle = heard == h->seen ? h->idle + 1 : 0;
    h->seen = heard;
    return h->idle;
}

/* Starts the program and the host, and takes no turn: returns when the host has heard so many blocks and then waits, or
 * has run through. */
static void
start_host(host *h, program *p, const char *line, unsigned least)
{
    use(common.large); /* no more than fifteen of its results can wait, and as many events as it has classes */
    start(p, line, 1, NULL);
    begin(p, RATE);
    *h = (host){.p = p};
    assert_int_equal(pthread_create(&h->thread, NULL, run_host, h), 0);
    while (look(h) < (h->seen >= least ? STILL : MOST_TURNS)) {
        (void)nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
}

/* Takes turns until the host has run through. False: it was stuck, and was sent away. */
static bool
serve_host(host *h)
{
    while (!is_done(h) && look(h) < MOST_TURNS) { /* ten milliseconds each, where there is no news */
        assert_int_equal(vip_live_turn(h->p->live), VIP_LIVE_ON);
    }
    const bool through = is_done(h);
    if (!through) {
        (void)raise(SIGTERM);
    }
    assert_int_equal(pthread_join(h->thread, NULL), 0);
    return through;
}

static void
test_a_fast_host_waits_for_what_is_written(void **state)
{
    (void)state;
    program p;
    host h;
    start_host(&h, &p, "--format jsonl --passes 2 --top 1 --threshold 1", 4); /* two columns, hardly an event */
    assert_false(is_done(&h));
    assert_true(serve_host(&h));
    vip_live_end(p.live);
    end(&p);
    assert_int_equal(count(p.text, "\n"), ROUNDS * N / STREAM_COLUMN);
    free(p.text);
}

static void
test_a_fast_host_waits_for_events_too(void **state)
{
    (void)state;
    program p;
    host h;
    start_host(&h, &p, "--format jsonl --passes 2 --events --threshold 0", 1);
    assert_true(h.seen < 4); /* the first column fills the queue: all begin, and last */
    assert_true(serve_host(&h));
    vip_live_end(p.live);
    end(&p);
    assert_int_equal(p.begun, LARGE_EVENTS);
    assert_int_equal(p.ended, LARGE_EVENTS);
    assert_int_equal(count(p.text, "\n"), LARGE_EVENTS);
    free(p.text);
}

static void
test_a_fast_host_that_waits_lets_a_program_end_without_a_hole(void **state)
{
    (void)state;
    program p;
    host h;
    start_host(&h, &p, "--format jsonl --passes 2 --top 1 --threshold 1", 4);
    (void)raise(SIGTERM);
    assert_int_equal(pthread_join(h.thread, NULL), 0); /* although nobody takes a turn */
    assert_int_equal(vip_live_turn(p.live), VIP_LIVE_DONE);
    vip_live_end(p.live);
    end(&p);
    const size_t lines = count(p.text, "\n");
    assert_true(lines > 0 && lines < (size_t)ROUNDS * N / STREAM_COLUMN);
    assert_true(fabs(last_number(p.text, "\"t_s\":") - 0.32 * (double)lines) < 1e-6);
    free(p.text);
}

static void
test_what_is_asked_wrongly_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        uint32_t inputs;
        vipann_status status;
        const char *says;
    } table[] = {
        {"--format labels", 2, VIPANN_E_ARG, "labels"},
        {"--begins", 1, VIPANN_E_ARG, "--events"},
        {"--only Nothing --events", 1, VIPANN_E_ARG, "Nothing"},
        {"--rules /nowhere/rules", 1, VIPANN_E_IO, "/nowhere/rules"},
        {"--model /nowhere/model.safetensors", 1, VIPANN_E_IO, "/nowhere/model.safetensors"},
    };
    use(common.model);
    for (size_t i = 0; i < LENGTH(table); i++) {
        program p;
        vipann_error error = {VIPANN_OK, ""};
        assert_int_equal(make(&p, table[i].line, table[i].inputs, NULL, &error), table[i].status);
        assert_non_null(strstr(error.text, table[i].says));
        end(&p);
        free(p.text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_inputs_and_threads_do_not_change_what_is_written),
        cmocka_unit_test(test_events_are_written_when_they_end_and_if_asked_when_they_begin),
        cmocka_unit_test(test_events_are_passed_on_as_they_begin_and_end),
        cmocka_unit_test_setup_teardown(test_a_command_is_run_for_each_event_as_far_as_there_is_room, scratch_make,
                                        scratch_remove),
        cmocka_unit_test(test_no_more_is_heard_than_asked_for),
        cmocka_unit_test(test_an_end_is_not_waited_for_where_nothing_comes),
        cmocka_unit_test(test_an_end_within_a_column_repeats_no_result),
        cmocka_unit_test(test_time_goes_on_where_sound_begins_anew),
        cmocka_unit_test(test_another_model_takes_over_and_a_broken_one_does_not),
        cmocka_unit_test(test_what_a_signal_asks_for_is_done),
        cmocka_unit_test(test_a_line_that_waits_for_its_reader_outlasts_signals),
        cmocka_unit_test(test_output_that_cannot_be_written_ends_it_with_one_line),
        cmocka_unit_test(test_an_end_that_cannot_be_written_is_said_once),
        cmocka_unit_test(test_the_heading_says_how_late_results_are),
        cmocka_unit_test(test_a_fast_host_waits_for_what_is_written),
        cmocka_unit_test(test_a_fast_host_waits_for_events_too),
        cmocka_unit_test(test_a_fast_host_that_waits_lets_a_program_end_without_a_hole),
        cmocka_unit_test(test_what_is_asked_wrongly_is_said),
    };
    return cmocka_run_group_tests(tests, open_common, close_common);
}
