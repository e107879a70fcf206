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
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "numbers.h"
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
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof block / sizeof *block; i++) {
        block[i] = (short)((int)(next_random(&seed) >> 12) - 2048);
    }
    for (int second = 0; second < SECONDS; second++) {
        assert_int_equal(sf_writef_short(file, block, RATE), RATE);
    }
    assert_int_equal(sf_close(file), 0);
}

/* A wav file of zeros, 16 bits, one channel, 16 kHz, that takes no room on the disk. */
static void
write_silence(const char *path, uint32_t seconds)
{
    const uint32_t rate = 16000, bytes = 2 * rate * seconds;
    unsigned char head[44] = "RIFF____WAVEfmt \20\0\0\0\1\0\1\0________\2\0\20\0data";
    const struct {
        size_t at;
        uint32_t value;
    } fields[] = {{4, 36 + bytes}, {24, rate}, {28, 2 * rate}, {40, bytes}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        for (size_t k = 0; k < 4; k++) {
            head[fields[i].at + k] = (unsigned char)(fields[i].value >> (8 * k));
        }
    }
    scratch_write(path, head, sizeof head);
    assert_int_equal(truncate(path, (off_t)(sizeof head + bytes)), 0);
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

/* Runs the program and returns the most that any child so far has had at once, in KiB. */
static long
peak_after(const char *const *arguments, const char *output)
{
    struct rusage used;
    run(arguments, output);
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &used), 0);
    return used.ru_maxrss;
}

static void
test_memory_grows_neither_with_length_nor_with_number(void **state)
{
    enum { MANY = 500, FEW = 10, ARGUMENTS = 8 };
    static const long more_kb = 2048;
    const char *model = getenv("TINY_CAUSAL");
    if (SANITIZED || model == NULL) {
        print_message("sanitizers keep memory of their own, and TINY_CAUSAL names a small model\n");
        skip();
    }
    /* In which of the C library's arenas a thread finds room is a matter of luck, and of megabytes. */
    assert_int_equal(setenv("MALLOC_ARENA_MAX", "1", 1), 0);
    char second[SCRATCH_PATH], half_minute[SCRATCH_PATH], minutes[SCRATCH_PATH], output[SCRATCH_PATH];
    static char paths[MANY][SCRATCH_PATH];
    static const char *files[2][ARGUMENTS + MANY];
    write_silence(scratch_path(second, state, "second.wav"), 1);
    /* Long enough that every buffer has been in use: a second would not fill those of all threads. */
    write_silence(scratch_path(half_minute, state, "half_minute.wav"), 30);
    write_silence(scratch_path(minutes, state, "minutes.wav"), 600);
    (void)scratch_path(output, state, "output");
    for (int i = 0; i < MANY; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%d.wav", i);
        assert_int_equal(link(second, scratch_path(paths[i], state, name)), 0);
    }
    for (int threads = 1; threads <= 2; threads++) {
        const char *const head[ARGUMENTS] = {"vipann",   "file", "--model",   model,
                                             "--passes", "2",    "--threads", threads == 1 ? "1" : "2"};
        for (int large = 0; large < 2; large++) {
            memcpy(files[large], head, sizeof head);
            for (int i = 0; i < MANY; i++) {
                files[large][ARGUMENTS + i] = i < (large ? MANY : FEW) - 1 ? paths[i] : NULL;
            }
        }
        long before = peak_after(files[0], output);
        assert_in_range(peak_after(files[1], output), before, before + more_kb);
        static const char *const kinds[] = {"--format=jsonl", "--clip", "--events"};
        for (size_t i = 0; threads == 1 && i < sizeof kinds / sizeof *kinds; i++) {
            const char *const brief[] = {"vipann",    "file", "--model", model,       "--passes", "2",
                                         "--threads", "1",    kinds[i],  half_minute, NULL};
            const char *const lengthy[] = {"vipann",    "file", "--model", model,   "--passes", "2",
                                           "--threads", "1",    kinds[i],  minutes, NULL};
            before = peak_after(brief, output);
            assert_in_range(peak_after(lengthy, output), before, before + more_kb);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        /* what takes less memory comes first: the system tells the most that any child has had */
        cmocka_unit_test_setup_teardown(test_memory_grows_neither_with_length_nor_with_number, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_a_recording_takes_at_most_80_mb, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
