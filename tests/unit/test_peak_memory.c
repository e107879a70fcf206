/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_peak_memory.c -- how much memory the program takes for a recording, whatever its length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sndfile.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "scratch.h"

#if defined(__has_feature)
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || HAS_FEATURE(address_sanitizer) ||                 \
    HAS_FEATURE(thread_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum { RATE = 44100, CHANNELS = 2, SECONDS = 60 };

static const long MOST_KB = 80000000 / 1024; /* 80 MB */

extern char **environ;

/* Noise: a minute of it, so that keeping the sound or what it becomes would show. */
static void
write_noise(const char *path)
{
    static short block[RATE * CHANNELS];
    SF_INFO info = {.samplerate = RATE, .channels = CHANNELS, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    assert_non_null(file);
    uint32_t state = 1;
    for (size_t i = 0; i < sizeof block / sizeof *block; i++) {
        state = state * 1664525u + 1013904223u;
        block[i] = (short)((int)(state >> 20) - 2048);
    }
    for (int second = 0; second < SECONDS; second++) {
        assert_int_equal(sf_writef_short(file, block, RATE), RATE);
    }
    assert_int_equal(sf_close(file), 0);
}

/* Runs the program to its end; what it prints goes to the file `output`. */
static void
run(const char *const *arguments, const char *output)
{
    const char *program = getenv("VIPANN");
    program = program != NULL ? program : "build/vipann";
    posix_spawn_file_actions_t actions;
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0600), 0);
    pid_t child;
    int status = -1;
    assert_int_equal(posix_spawn(&child, program, &actions, NULL, (char *const *)(uintptr_t)arguments, environ), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    (void)posix_spawn_file_actions_destroy(&actions);
}

static void
test_a_recording_takes_at_most_80_mb(void **state)
{
    if (SANITIZED) {
        print_message("sanitizers keep memory of their own\n");
        skip();
    }
    char sound[SCRATCH_PATH], output[SCRATCH_PATH];
    write_noise(scratch_path(sound, state, "noise.wav"));
    (void)scratch_path(output, state, "output");
    const char *const ways[][6] = {{"vipann", "file", sound, NULL},
                                   {"vipann", "file", "--clip", sound, NULL},
                                   {"vipann", "file", "--latency", "edge", sound, NULL}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        run(ways[i], output);
        struct rusage used; /* the most that any child so far has had at once, in KiB */
        assert_int_equal(getrusage(RUSAGE_CHILDREN, &used), 0);
        print_message("%ld MB\n", used.ru_maxrss * 1024 / 1000000);
        assert_in_range(used.ru_maxrss, 1000, MOST_KB);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_recording_takes_at_most_80_mb, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
