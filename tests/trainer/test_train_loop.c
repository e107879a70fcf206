/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_loop.c -- runs of training on a few made-up clips: they learn, they resume bit for bit, they stop cleanly. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/half.h>
#include <base/memory.h>
#include <base/philox.h>
#include <bayes/keyed.h>
#include <offline_trainer/base/parallel.h>
#include <offline_trainer/data/cache.h>
#include <offline_trainer/run/checkpoint.h>
#include <offline_trainer/run/recipe.h>

static const double FROZEN_LOSS = 0.945996; /* mean cross-entropy of ten steps, as this test found it */

enum { CLIPS = 24, LABELS = 3, FRAMES = 48, ROWS = 4 };

static const char *const NAMES[LABELS] = {"high", "low", "middle"};

/* Each label is loud in bands of its own, over noise. */
static void
make_cache(const char *path)
{
    vip_cache_entry entries[CLIPS];
    static char paths[CLIPS][16];
    const vip_frontend_spec spec = {"panns16k", 16000, 512, 160, VIP_MELS, 50, 8000, 1e-10};
    vipann_error error;
    static const char sha[] = "0000000000000000000000000000000000000000000000000000000000000000";
    for (size_t i = 0; i < CLIPS; i++) {
        (void)snprintf(paths[i], sizeof paths[i], "%zu.wav", i);
        entries[i] =
            (vip_cache_entry){"made", paths[i], NAMES[i % LABELS], paths[i], sha, (uint32_t)(i / 12 + 1), 0.48, FRAMES};
    }
    vip_cache_writer *writer = vip_cache_writer_new(path, &spec, entries, CLIPS, &error);
    assert_non_null(writer);
    for (uint32_t i = 0; i < CLIPS; i++) {
        uint16_t half[FRAMES * VIP_MELS];
        for (uint32_t e = 0; e < FRAMES * VIP_MELS; e++) {
            const uint32_t counter[4] = {e, i, 0, 0};
            uint32_t words[4];
            vip_philox(1, counter, words);
            const bool loud = e % VIP_MELS / 22 == i % LABELS;
            half[e] = vip_float_to_half((loud ? -20.0f : -60.0f) + 10 * vip_uniform(words[0]));
        }
        vip_cache_writer_frames(writer, half, FRAMES);
    }
    assert_int_equal(vip_cache_writer_commit(writer, &error), VIPANN_OK);
}

typedef struct {
    char folder[256], path[300];
    vip_cache *cache;
    vip_part train, dev;
    vip_recipe recipe;
} rig;

static void
set_up(rig *r, const char *name, uint64_t steps)
{
    vipann_error error;
    memset(r, 0, sizeof *r);
    const char *shelf = getenv("TMPDIR");
    (void)snprintf(r->folder, sizeof r->folder, "%s/vipann-%s-XXXXXX", shelf != NULL ? shelf : "/tmp", name);
    assert_non_null(mkdtemp(r->folder));
    (void)snprintf(r->path, sizeof r->path, "%s/made.cache", r->folder);
    make_cache(r->path);
    r->cache = vip_cache_open(r->path, &error);
    assert_non_null(r->cache);
    assert_int_equal(vip_select(r->cache, "fold=1", &r->train, &error), VIPANN_OK);
    assert_int_equal(vip_select(r->cache, "fold=2", &r->dev, &error), VIPANN_OK);
    vip_recipe *p = &r->recipe;
    vip_network_fill(&p->network, VIP_RESNET22, 2, LABELS, VIP_CAUSAL);
    p->folder = r->folder;
    p->text = "made up\n";
    p->provenance = "a test";
    p->license = "";
    p->labels = NAMES;
    p->task = VIPANN_MULTICLASS;
    p->posterior = VIPANN_DROPOUT;
    p->preset = "all";
    for (int i = 0; i < p->network.n_sites; i++) {
        p->rates[i] = 0.1f;
    }
    p->feed = (vip_feed_options){.cache = r->cache,
                                 .part = &r->train,
                                 .background = &r->train,
                                 .rows = ROWS,
                                 .n_lengths = 2,
                                 .lengths = {32, 40},
                                 .seed = 3,
                                 .logits = VIP_LEARN_LABELS,
                                 .classes = LABELS,
                                 .labels = NAMES,
                                 .mixup = 0.3,
                                 .stripes = true,
                                 .gain_db = 6,
                                 .noise_share = 0.3,
                                 .noise_high = 20,
                                 .floor_low = 35,
                                 .floor_high = 75};
    p->net = (vip_net_options){.rows = ROWS, .n_lengths = 2, .lengths = {32, 40}};
    p->dev = &r->dev;
    p->seed = 3;
    p->optimiser = vip_optimiser_defaults(VIP_ADAMW);
    p->rate = 3e-3;
    p->clip_norm = 5;
    p->average_decay = 0.9;
    p->schedule = (vip_schedule){VIP_COSINE, 0.03, 1, steps};
    p->dropout_from = 0.15;
    p->dropout_ramp = 0.5;
    p->evaluations = 2;
    p->refresh = 4;
}

static void
tear_down(rig *r)
{
    vip_part_free(&r->train);
    vip_part_free(&r->dev);
    vip_cache_close(r->cache);
    static const char *const left[] = {"made.cache",     "config.json",      "log.jsonl",       "checkpoint",
                                       "checkpoint.old", "best.safetensors", "last.safetensors"};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        char path[600];
        (void)snprintf(path, sizeof path, "%s/%s", r->folder, left[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(r->folder), 0); /* nothing else, and nothing half-written */
}

/* The bytes of a file of the run; to be freed. */
static char *
bytes_of(const rig *r, const char *name, size_t *n)
{
    char path[600];
    (void)snprintf(path, sizeof path, "%s/%s", r->folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    (void)fseek(file, 0, SEEK_END);
    *n = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*n + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *n, file), *n);
    bytes[*n] = '\0';
    (void)fclose(file);
    return bytes;
}

static void
assert_same_file(const rig *a, const rig *b, const char *name)
{
    size_t n, m;
    char *x = bytes_of(a, name, &n), *y = bytes_of(b, name, &m);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    free(x);
    free(y);
}

static void
wait_for(long nanoseconds)
{
    (void)nanosleep(&(struct timespec){0, nanoseconds}, NULL);
}

static void
test_a_run_learns_and_leaves_models_that_can_be_read(void **state)
{
    (void)state;
    rig r;
    vip_outcome outcome;
    vipann_error error = {VIPANN_OK, ""};
    set_up(&r, "learns", 120);
    assert_int_equal(vip_train(&r.recipe, false, &outcome, &error), VIPANN_OK);
    assert_true(outcome.finished && outcome.steps == 120);
    assert_true(outcome.best < 0.5); /* chance is log 3 = 1.1 */
    char path[600];
    (void)snprintf(path, sizeof path, "%s/best.safetensors", r.folder);
    vip_model *model = vip_model_read(path, &error);
    assert_non_null(model);
    assert_int_equal(model->posterior, VIPANN_DROPOUT);
    assert_string_equal(model->labels[1], "low");
    assert_true(model->network.padding == VIP_CAUSAL);
    vip_model_free(model);
    tear_down(&r);
}

static void
test_a_run_that_was_stopped_ends_with_the_same_bits(void **state)
{
    (void)state;
    rig whole, halves;
    vip_outcome outcome;
    vipann_error error = {VIPANN_OK, ""};
    enum { STEPS = 100 };
    set_up(&whole, "whole", STEPS);
    set_up(&halves, "halves", STEPS);
    const pid_t child = fork(); /* before this process has threads */
    if (child == 0) {
        vip_train_catch_signals();
        _exit(vip_train(&halves.recipe, false, &outcome, &error) == VIPANN_OK && outcome.steps < STEPS ? 0 : 1);
    }
    int status;
    wait_for(100000000); /* a few steps; whatever the step, what comes of it is the same */
    assert_int_equal(kill(child, SIGTERM), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(vip_train(&halves.recipe, true, &outcome, &error), VIPANN_OK);
    assert_int_equal(outcome.steps, STEPS);
    assert_int_equal(vip_train(&whole.recipe, false, &outcome, &error), VIPANN_OK);
    assert_same_file(&whole, &halves, "last.safetensors");
    assert_same_file(&whole, &halves, "best.safetensors");
    tear_down(&whole);
    tear_down(&halves);
}

/* Checkpoints of a run without time: what step it is at says what comes. */
static void
test_a_checkpoint_says_everything_and_other_options_are_refused(void **state)
{
    (void)state;
    rig r;
    bool older;
    vipann_error error = {VIPANN_OK, ""};
    set_up(&r, "checkpoint", 1);
    float numbers[3] = {1, 2, 3}, more[2] = {4, 5}, read[3] = {0}, read_more[2] = {0};
    vip_checkpoint c = {.step = 7,
                        .optimiser_steps = 6,
                        .evaluations = 5,
                        .since_best = 4,
                        .clipped = 3,
                        .clips = 2,
                        .seconds = 1.5,
                        .best = 0.25,
                        .recipe = "abc",
                        .arrays = {{numbers, 3}, {more, 2}}};
    assert_int_equal(vip_checkpoint_write(r.folder, &c, &error), VIPANN_OK);
    vip_checkpoint back = {.recipe = "abc", .arrays = {{read, 3}, {read_more, 2}}};
    assert_int_equal(vip_checkpoint_read(r.folder, &back, &older, &error), VIPANN_OK);
    assert_false(older);
    assert_true(back.step == 7 && back.optimiser_steps == 6 && back.evaluations == 5 && back.since_best == 4 &&
                back.clipped == 3 && back.clips == 2 && back.seconds == 1.5 && back.best == 0.25);
    assert_memory_equal(read, numbers, sizeof read);
    assert_memory_equal(read_more, more, sizeof more);
    vip_checkpoint other = {.recipe = "abd", .arrays = {{read, 3}, {read_more, 2}}};
    assert_int_equal(vip_checkpoint_read(r.folder, &other, &older, &error), VIPANN_E_ARG);
    other = (vip_checkpoint){.recipe = "abc", .arrays = {{read, 3}}};
    assert_int_equal(vip_checkpoint_read(r.folder, &other, &older, &error), VIPANN_E_ARG);
    assert_int_equal(vip_checkpoint_read("/nonexistent", &back, &older, &error), VIPANN_E_IO);
    tear_down(&r);
}

static void
test_a_damaged_checkpoint_gives_way_to_the_one_before(void **state)
{
    (void)state;
    rig r;
    bool older;
    vipann_error error = {VIPANN_OK, ""};
    set_up(&r, "damaged", 1);
    float numbers[64] = {0};
    vip_checkpoint c = {.step = 1, .recipe = "abc", .arrays = {{numbers, 64}}};
    assert_int_equal(vip_checkpoint_write(r.folder, &c, &error), VIPANN_OK);
    c.step = 2;
    assert_int_equal(vip_checkpoint_write(r.folder, &c, &error), VIPANN_OK);
    char path[600];
    (void)snprintf(path, sizeof path, "%s/checkpoint", r.folder);
    size_t n;
    char *bytes = bytes_of(&r, "checkpoint", &n);
    for (size_t cut = 0; cut < 2; cut++) { /* a flipped bit, then half of the file */
        bytes[n / 2] ^= 1;
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_true(fwrite(bytes, 1, cut == 0 ? n : n / 2, file) > 0);
        (void)fclose(file);
        c.step = 0;
        assert_int_equal(vip_checkpoint_read(r.folder, &c, &older, &error), VIPANN_OK);
        assert_true(older && c.step == 1);
    }
    free(bytes);
    tear_down(&r);
}

/* Killed at whatever moment of writing, there is a checkpoint of one step or the next. */
static void
test_a_kill_while_a_checkpoint_is_written_loses_nothing(void **state)
{
    (void)state;
    rig r;
    bool older;
    vipann_error error = {VIPANN_OK, ""};
    enum { NUMBERS = 1 << 18, KILLS = 12 };
    set_up(&r, "killed", 1);
    float *numbers = vip_alloc(NUMBERS, sizeof *numbers);
    uint64_t last = 0;
    for (uint32_t k = 0; k < KILLS; k++) {
        const pid_t child = fork();
        if (child == 0) {
            vip_checkpoint c = {.recipe = "abc", .arrays = {{numbers, NUMBERS}}};
            for (c.step = last + 1;; c.step++) {
                for (size_t i = 0; i < NUMBERS; i++) {
                    numbers[i] = (float)c.step;
                }
                (void)vip_checkpoint_write(r.folder, &c, NULL);
            }
        }
        wait_for(20000000 + 7919000 * (long)k % 13000000);
        (void)kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        vip_checkpoint c = {.recipe = "abc", .arrays = {{numbers, NUMBERS}}};
        const vipann_status good = vip_checkpoint_read(r.folder, &c, &older, &error);
        if (good == VIPANN_E_IO && last == 0) {
            continue; /* killed before the first one */
        }
        assert_int_equal(good, VIPANN_OK);
        assert_true(c.step >= last && numbers[0] == (float)c.step && numbers[NUMBERS - 1] == (float)c.step);
        last = c.step;
    }
    assert_true(last > 0);
    vip_free(numbers);
    tear_down(&r);
}

static void
test_a_loss_that_is_no_number_stops_the_run_and_keeps_what_was_good(void **state)
{
    (void)state;
    rig r;
    vip_outcome outcome;
    vipann_error error = {VIPANN_OK, ""};
    set_up(&r, "nan", 30);
    r.recipe.optimiser = vip_optimiser_defaults(VIP_SGD);
    r.recipe.rate = 1e30;
    r.recipe.clip_norm = 0;
    assert_int_equal(vip_train(&r.recipe, false, &outcome, &error), VIPANN_E_UNSUPPORTED);
    assert_non_null(strstr(error.text, "is no finite number"));
    assert_non_null(strstr(error.text, "--rate"));
    tear_down(&r);
}

static void
test_one_and_two_threads_train_the_same_to_rounding(void **state)
{
    (void)state;
    rig one, two;
    vip_outcome a, b;
    vipann_error error = {VIPANN_OK, ""};
    set_up(&one, "one", 6);
    set_up(&two, "two", 6);
    vip_parallel_threads(1);
    assert_int_equal(vip_train(&one.recipe, false, &a, &error), VIPANN_OK);
    vip_parallel_threads(2);
    assert_int_equal(vip_train(&two.recipe, false, &b, &error), VIPANN_OK);
    vip_parallel_threads(0);
    assert_true(fabs(a.best - b.best) <= 1e-3 * fabs(a.best));
    tear_down(&one);
    tear_down(&two);
}

/* Ten steps, each its own run of that many: the curve of the loss as this code makes it. */
static void
test_where_time_is_short_it_is_for_learning(void **state)
{
    (void)state;
    rig r;
    vip_outcome outcome;
    vipann_error error = {VIPANN_OK, ""};
    set_up(&r, "short", 1000000);
    r.recipe.time_limit = 1.5;
    r.recipe.evaluations = 10000; /* more often than there are steps */
    assert_int_equal(vip_train(&r.recipe, false, &outcome, &error), VIPANN_OK);
    size_t n, evaluations = 0;
    char *log = bytes_of(&r, "log.jsonl", &n);
    for (const char *at = strstr(log, "\"dev\":"); at != NULL; at = strstr(at + 1, "\"dev\":")) {
        evaluations++;
    }
    assert_in_range(evaluations, 1, outcome.steps / 2 + 2);
    free(log);
    tear_down(&r);
}

static void
test_the_first_steps_are_those_that_they_were(void **state)
{
    (void)state;
    rig r;
    vip_outcome outcome;
    vipann_error error = {VIPANN_OK, ""};
    set_up(&r, "frozen", 10);
    r.recipe.posterior = VIPANN_MEANFIELD;
    r.recipe.moped_delta = 0;
    r.recipe.beta = 0.01;
    assert_int_equal(vip_train(&r.recipe, false, &outcome, &error), VIPANN_OK);
    size_t n;
    char *log = bytes_of(&r, "log.jsonl", &n);
    double sum = 0;
    unsigned long before = 0;
    for (const char *line = log; line != NULL; line = strchr(line, '\n') != NULL ? strchr(line, '\n') + 1 : NULL) {
        static const char STEP[] = "{\"step\":", FIRST[] = "\"first\":"; /* a mean since the line before */
        const char *end = strchr(line, '\n'), *at = strstr(line, FIRST);
        if (end == NULL || at == NULL || at > end) {
            continue;
        }
        assert_memory_equal(line, STEP, strlen(STEP));
        const unsigned long step = strtoul(line + strlen(STEP), NULL, 10);
        sum += (double)(step - before) * strtod(at + strlen(FIRST), NULL);
        before = step;
    }
    assert_int_equal(before, 10);
    const double loss = sum / 10;
    if (!(fabs(loss - FROZEN_LOSS) <= 2e-3 * FROZEN_LOSS)) { /* other processors round otherwise */
        fail_msg("the mean loss of ten steps is %.7g, expected %.7g", loss, FROZEN_LOSS);
    }
    free(log);
    tear_down(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run_that_was_stopped_ends_with_the_same_bits), /* first: it forks */
        cmocka_unit_test(test_a_run_learns_and_leaves_models_that_can_be_read),
        cmocka_unit_test(test_a_checkpoint_says_everything_and_other_options_are_refused),
        cmocka_unit_test(test_a_damaged_checkpoint_gives_way_to_the_one_before),
        cmocka_unit_test(test_a_kill_while_a_checkpoint_is_written_loses_nothing),
        cmocka_unit_test(test_a_loss_that_is_no_number_stops_the_run_and_keeps_what_was_good),
        cmocka_unit_test(test_one_and_two_threads_train_the_same_to_rounding),
        cmocka_unit_test(test_where_time_is_short_it_is_for_learning),
        cmocka_unit_test(test_the_first_steps_are_those_that_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
