/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_audio.c -- holds the promises of common/audio.h. Files are made here, whole and broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <common/audio.h>

#include "failing.h"
#include "scratch.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { MOST_CHANNELS = 40, PIECE = 777, MOST_BYTES = 1 << 20, FRAMES = 20000 };

/* Sample i of channel c in 16 bits, and what it is worth. */
static short
level(size_t i, size_t c)
{
    return (short)((int)((i * 31 + c * 977) % 60000) - 30000);
}

static float
sample(size_t i, size_t c)
{
    return (float)level(i, c) / 32768.0f;
}

static const char *
make(void **state, char path[SCRATCH_PATH], int format, int rate, int channels, size_t frames)
{
    SF_INFO info = {.samplerate = rate, .channels = channels, .format = format};
    SNDFILE *file = sf_open(scratch_path(path, state, "sound"), SFM_WRITE, &info);
    if (file == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < frames; i++) {
        float frame[MOST_CHANNELS]; /* libsndfile would not turn these into whole numbers and back exactly */
        short levels[MOST_CHANNELS];
        for (int c = 0; c < channels; c++) {
            frame[c] = sample(i, (size_t)c);
            levels[c] = level(i, (size_t)c);
        }
        bool exact = (format & SF_FORMAT_SUBMASK) == SF_FORMAT_FLOAT;
        assert_int_equal(exact ? sf_writef_float(file, frame, 1) : sf_writef_short(file, levels, 1), 1);
    }
    assert_int_equal(sf_close(file), 0);
    return path;
}

/* Reads to the end in pieces that fit nothing. Returns the frames; *wrong counts samples other than `sample` gives from
 * frame `first` on. */
static size_t
read_all(vip_audio *audio, size_t first, size_t *wrong)
{
    static float x[MOST_CHANNELS][PIECE];
    float *channels[MOST_CHANNELS];
    for (size_t c = 0; c < MOST_CHANNELS; c++) {
        channels[c] = x[c];
    }
    size_t frames = 0, n_channels = vip_audio_describe(audio)->channels;
    *wrong = 0;
    for (uint32_t n; (n = vip_audio_read(audio, channels, PIECE)) > 0; frames += n) {
        for (size_t c = 0; c < n_channels; c++) {
            for (size_t i = 0; i < n; i++) {
                *wrong += x[c][i] != sample(first + frames + i, c);
            }
        }
    }
    return frames;
}

/* Asserts that the file cannot be opened and that the line says so. */
static void
assert_refused(const char *path, double start, vipann_status status, const char *said)
{
    vipann_error error = {VIPANN_OK, ""};
    assert_null(vip_audio_open(path, start, 0, &error));
    if (error.status != status || strstr(error.text, said) == NULL) {
        print_error("status %d: %s\n  expected %d: %s\n", error.status, error.text, status, said);
        fail();
    }
}

/* ------------------------------------------------------------------------------------------------ whole recordings */

static const struct {
    const char *name;
    int format;
} FORMATS[] = {
    {"wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},   {"wavex", SF_FORMAT_WAVEX | SF_FORMAT_PCM_24},
    {"float", SF_FORMAT_WAV | SF_FORMAT_FLOAT},  {"au", SF_FORMAT_AU | SF_FORMAT_PCM_16},
    {"aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16}, {"flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
    {"caf", SF_FORMAT_CAF | SF_FORMAT_PCM_16},   {"w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16},
};

static void
test_every_format_rate_and_number_of_channels_is_read_exactly(void **state)
{
    static const struct {
        int rate, channels;
    } shapes[] = {{8000, 1}, {44100, 2}, {11025, 3}, {12345, 8}, {192000, 1}};
    for (size_t f = 0; f < LENGTH(FORMATS); f++) {
        for (size_t s = 0; s < LENGTH(shapes); s++) {
            char path[SCRATCH_PATH];
            assert_non_null(make(state, path, FORMATS[f].format, shapes[s].rate, shapes[s].channels, FRAMES));
            vip_audio *audio = vip_audio_open(path, 0, 0, NULL);
            assert_non_null(audio);
            assert_true(vip_audio_describe(audio)->rate == shapes[s].rate);
            assert_int_equal(vip_audio_describe(audio)->channels, shapes[s].channels);
            size_t wrong;
            assert_int_equal(read_all(audio, 0, &wrong), FRAMES);
            assert_int_equal(wrong, 0);
            assert_int_equal(vip_audio_check(audio, NULL), VIPANN_OK);
            assert_true(vip_audio_fraction(audio) > 0.99);
            vip_audio_close(audio);
        }
    }
}

static void
test_many_channels(void **state)
{
    char path[SCRATCH_PATH];
    size_t wrong;
    assert_non_null(make(state, path, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, MOST_CHANNELS, 500));
    vip_audio *audio = vip_audio_open(path, 0, 0, NULL);
    assert_non_null(audio);
    assert_int_equal(read_all(audio, 0, &wrong), 500);
    assert_int_equal(wrong, 0);
    vip_audio_close(audio);
}

static void
test_start_and_duration_cut_out_exactly_that(void **state)
{
    static const struct {
        double start, duration;
        size_t first, frames;
    } table[] = {{0, 0.5, 0, 4000},       {1, 0, 8000, 12000},         {2.4, 0.1, 19200, 800},  {2.4, 9, 19200, 800},
                 {0.000125, 0, 1, 19999}, {1.2345, 0.000125, 9876, 1}, {2.499875, 0, 19999, 1}, {1, 1e-9, 8000, 1}};
    for (size_t f = 0; f < LENGTH(FORMATS); f++) {
        char path[SCRATCH_PATH];
        assert_non_null(make(state, path, FORMATS[f].format, 8000, 2, FRAMES));
        for (size_t i = 0; i < LENGTH(table); i++) {
            vip_audio *audio = vip_audio_open(path, table[i].start, table[i].duration, NULL);
            assert_non_null(audio);
            assert_true(fabs(vip_audio_describe(audio)->start_seconds - (double)table[i].first / 8000) < 1e-12);
            size_t wrong;
            assert_int_equal(read_all(audio, table[i].first, &wrong), table[i].frames);
            assert_int_equal(wrong, 0);
            assert_int_equal(vip_audio_check(audio, NULL), VIPANN_OK);
            vip_audio_close(audio);
        }
        assert_refused(path, 2.5, VIPANN_E_FORMAT, "nothing is left after --start 2.5: the sound ends at 2.5 s");
        assert_refused(path, 1e7, VIPANN_E_FORMAT, "the sound ends at 2.5 s");
    }
}

static void
test_values_that_are_not_numbers_pass_through(void **state)
{
    char path[SCRATCH_PATH];
    SF_INFO info = {.samplerate = 16000, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
    SNDFILE *file = sf_open(scratch_path(path, state, "sound"), SFM_WRITE, &info);
    static const float x[] = {0, NAN, INFINITY, 1e30f};
    assert_int_equal(sf_writef_float(file, x, LENGTH(x)), LENGTH(x));
    assert_int_equal(sf_close(file), 0);
    vip_audio *audio = vip_audio_open(path, 0, 0, NULL);
    assert_non_null(audio);
    float read[LENGTH(x)];
    float *channels[] = {read};
    assert_int_equal(vip_audio_read(audio, channels, LENGTH(x)), LENGTH(x));
    assert_true(isnan(read[1]) && isinf(read[2]) && read[3] == 1e30f);
    vip_audio_close(audio);
}

/* ----------------------------------------------------------------------------------------------- broken recordings */

static void
test_what_is_no_recording_is_refused_with_a_reason(void **state)
{
    char path[SCRATCH_PATH];
    assert_refused(scratch_path(path, state, "missing.wav"), 0, VIPANN_E_IO, "missing.wav: cannot be opened: No such");
    assert_refused(*state, 0, VIPANN_E_IO, "is a folder");
    scratch_write(scratch_path(path, state, "empty.wav"), "", 0);
    assert_refused(path, 0, VIPANN_E_FORMAT, "empty.wav: is empty (0 bytes)");
    static const char text[] = "This is a letter and not a sound, however long one listens to it.\n";
    scratch_write(scratch_path(path, state, "letter.wav"), text, sizeof text - 1);
    assert_refused(path, 0, VIPANN_E_FORMAT, "letter.wav: is no sound file that can be read");
    scratch_write(path, "RIFF", 4);
    assert_refused(path, 0, VIPANN_E_FORMAT, "letter.wav: is no sound file that can be read");
}

static void
test_a_header_alone_is_refused(void **state)
{
    for (size_t f = 0; f < LENGTH(FORMATS); f++) {
        char path[SCRATCH_PATH];
        assert_non_null(make(state, path, FORMATS[f].format, 16000, 1, 0));
        assert_refused(path, 0, VIPANN_E_FORMAT, "sound");
    }
}

static void
test_every_cut_off_file_is_read_as_far_as_it_goes(void **state)
{
    static char bytes[MOST_BYTES];
    for (size_t f = 0; f < LENGTH(FORMATS); f++) {
        char path[SCRATCH_PATH];
        assert_non_null(make(state, path, FORMATS[f].format, 16000, 1, FRAMES));
        size_t whole = scratch_read(path, bytes, sizeof bytes), before = 0;
        for (size_t n = 1; n < whole; n += n < 200 ? 3 : whole / 40) {
            vipann_error error = {VIPANN_OK, ""};
            scratch_write(path, bytes, n);
            vip_audio *audio = vip_audio_open(path, 0, 0, &error);
            if (audio == NULL) {
                assert_int_equal(error.status, VIPANN_E_FORMAT);
                continue;
            }
            size_t wrong, frames = read_all(audio, 0, &wrong);
            assert_int_equal(wrong, 0);
            assert_in_range(frames, before, FRAMES);
            before = frames;
            vip_audio_close(audio);
        }
        assert_true(before > FRAMES / 2);
    }
}

static void
test_a_recording_that_ends_before_its_header_says_is_told(void **state)
{
    static char bytes[MOST_BYTES];
    char path[SCRATCH_PATH];
    size_t wrong;
    assert_non_null(make(state, path, SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000, 1, FRAMES));
    size_t whole = scratch_read(path, bytes, sizeof bytes);
    scratch_write(path, bytes, whole / 2);
    vipann_error error = {VIPANN_OK, ""};
    vip_audio *audio = vip_audio_open(path, 0, 0, &error);
    assert_non_null(audio);
    assert_true(read_all(audio, 0, &wrong) > 0);
    assert_int_equal(vip_audio_check(audio, &error), VIPANN_E_FORMAT);
    assert_non_null(strstr(error.text, "what is there was heard"));
    vip_audio_close(audio);
}

static void
test_absurd_lengths_in_headers_are_not_believed(void **state)
{
    static char bytes[MOST_BYTES];
    static const unsigned char lengths[][4] = {
        {0, 0, 0, 0}, {255, 255, 255, 255}, {255, 255, 255, 127}, {0, 0, 0, 128}};
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        char path[SCRATCH_PATH];
        assert_non_null(make(state, path, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, FRAMES));
        size_t whole = scratch_read(path, bytes, sizeof bytes);
        assert_memory_equal(bytes + 36, "data", 4);
        memcpy(bytes + 40, lengths[i], 4);
        scratch_write(path, bytes, whole);
        vip_audio *audio = vip_audio_open(path, 0, 0, NULL);
        if (audio == NULL) { /* a length of nothing may be taken at its word */
            assert_int_equal(i, 0);
            continue;
        }
        size_t wrong;
        assert_int_equal(read_all(audio, 0, &wrong), FRAMES);
        assert_int_equal(wrong, 0);
        vip_audio_close(audio);
    }
}

/* ----------------------------------------------------------------------------------------------------------- pipes */

typedef struct {
    int fd;
    const char *bytes;
    size_t n;
} source;

static void *
pour(void *argument)
{
    source *s = argument;
    for (size_t done = 0; done < s->n;) {
        ssize_t n = write(s->fd, s->bytes + done, s->n - done < 1000 ? s->n - done : 1000);
        if (n <= 0) {
            break;
        }
        done += (size_t)n;
    }
    (void)close(s->fd);
    return NULL;
}

/* Makes standard input a pipe out of which these bytes come, reads it and returns the frames; 0 if it is refused. */
static size_t
read_from_pipe(const char *bytes, size_t n, double start, bool *streamed, size_t *wrong)
{
    int ends[2], before = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    (void)close(ends[0]);
    source s = {ends[1], bytes, n};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, pour, &s), 0);
    vip_audio *audio = vip_audio_open("-", start, 0, NULL);
    size_t frames = 0;
    if (audio != NULL) {
        *streamed = vip_audio_describe(audio)->streamed;
        frames = read_all(audio, (size_t)(start * 16000), wrong);
        vip_audio_close(audio);
    }
    char rest[4096];
    while (read(STDIN_FILENO, rest, sizeof rest) > 0) { /* so that the other thread can end */
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)dup2(before, STDIN_FILENO);
    (void)close(before);
    return frames;
}

static void
test_every_format_can_come_from_a_pipe(void **state)
{
    static char bytes[MOST_BYTES];
    for (size_t f = 0; f < LENGTH(FORMATS); f++) {
        static const size_t lengths[] = {1, 1000, 10 * FRAMES}; /* within and beyond what is kept of a pipe */
        for (size_t i = 0; i < LENGTH(lengths); i++) {
            char path[SCRATCH_PATH];
            bool streamed = false;
            size_t wrong = 0;
            assert_non_null(make(state, path, FORMATS[f].format, 16000, 1, lengths[i]));
            size_t n = scratch_read(path, bytes, sizeof bytes);
            assert_int_equal(read_from_pipe(bytes, n, 0, &streamed, &wrong), lengths[i]);
            assert_int_equal(wrong, 0);
            bool as_it_comes = memcmp(bytes, "RIFF", 4) == 0 || memcmp(bytes, ".snd", 4) == 0;
            assert_int_equal(streamed, as_it_comes);
            static const size_t starts[] = {VIP_AUDIO_BLOCK, 160000}; /* at the end of a block and within one */
            for (size_t k = 0; k < LENGTH(starts) && lengths[i] > starts[k]; k++) {
                double start = (double)starts[k] / 16000;
                assert_int_equal(read_from_pipe(bytes, n, start, &streamed, &wrong), lengths[i] - starts[k]);
                assert_int_equal(wrong, 0);
            }
        }
    }
}

static void
test_a_stream_of_unknown_length_is_read_to_its_end(void **state)
{
    static char bytes[MOST_BYTES];
    static const unsigned char lengths[][4] = {{0, 0, 0, 0}, {255, 255, 255, 255}, {252, 239, 255, 127}};
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        char path[SCRATCH_PATH];
        bool streamed = false;
        size_t wrong = 0;
        assert_non_null(make(state, path, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, 10 * FRAMES));
        size_t n = scratch_read(path, bytes, sizeof bytes);
        memcpy(bytes + 40, lengths[i], 4);
        assert_int_equal(read_from_pipe(bytes, n, 0, &streamed, &wrong), 10 * FRAMES);
        assert_int_equal(wrong, 0);
        assert_true(streamed);
    }
}

/* libsndfile makes room for a chunk of a pipe before it looks for it, be it gigabytes; so a sound behind a long chunk is
 * copied to a file first, and one that never comes is refused. */
static void
test_a_sound_behind_a_long_chunk_is_read_as_a_file(void **state)
{
    enum { FORMAT_ENDS = 36, LONG = 200000 };
    static char bytes[MOST_BYTES], longer[MOST_BYTES];
    char path[SCRATCH_PATH];
    bool streamed = true;
    size_t wrong = 0;
    assert_non_null(make(state, path, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, FRAMES));
    const size_t n = scratch_read(path, bytes, sizeof bytes);
    memcpy(longer, bytes, FORMAT_ENDS);
    memcpy(longer + FORMAT_ENDS, "junk\x40\x0d\x03\0", 8); /* LONG */
    memcpy(longer + FORMAT_ENDS + 8 + LONG, bytes + FORMAT_ENDS, n - FORMAT_ENDS);
    assert_int_equal(read_from_pipe(longer, n + 8 + LONG, 0, &streamed, &wrong), FRAMES);
    assert_true(wrong == 0 && !streamed);
    memcpy(longer + FORMAT_ENDS, "junk\0\0\0\xf0", 8); /* 4 GB */
    assert_int_equal(read_from_pipe(longer, 1000, 0, &streamed, &wrong), 0);
}

static void
test_an_empty_or_foreign_pipe_is_refused(void **state)
{
    (void)state;
    bool streamed = false;
    size_t wrong = 0;
    assert_int_equal(read_from_pipe("", 0, 0, &streamed, &wrong), 0);
    assert_int_equal(read_from_pipe("RIF", 3, 0, &streamed, &wrong), 0);
    assert_int_equal(read_from_pipe("a letter, not a sound", 21, 0, &streamed, &wrong), 0);
}

/* ---------------------------------------------------------------------------------------------------------- memory */

static void
test_no_memory_is_a_clean_failure(void **state)
{
    char path[SCRATCH_PATH];
    assert_non_null(make(state, path, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, 100));
    for (long n = 0;; n++) {
        vipann_error error = {VIPANN_OK, ""};
        failing_after(n);
        vip_audio *audio = vip_audio_open(path, 0, 0, &error);
        failing_after(-1);
        vip_audio_close(audio);
        if (audio != NULL) {
            assert_true(n > 0);
            return;
        }
        assert_int_equal(error.status, VIPANN_E_MEMORY);
    }
}

#define WITH_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SCRATCH(test_every_format_rate_and_number_of_channels_is_read_exactly),
        WITH_SCRATCH(test_many_channels),
        WITH_SCRATCH(test_start_and_duration_cut_out_exactly_that),
        WITH_SCRATCH(test_values_that_are_not_numbers_pass_through),
        WITH_SCRATCH(test_what_is_no_recording_is_refused_with_a_reason),
        WITH_SCRATCH(test_a_header_alone_is_refused),
        WITH_SCRATCH(test_every_cut_off_file_is_read_as_far_as_it_goes),
        WITH_SCRATCH(test_a_recording_that_ends_before_its_header_says_is_told),
        WITH_SCRATCH(test_absurd_lengths_in_headers_are_not_believed),
        WITH_SCRATCH(test_every_format_can_come_from_a_pipe),
        WITH_SCRATCH(test_a_stream_of_unknown_length_is_read_to_its_end),
        WITH_SCRATCH(test_a_sound_behind_a_long_chunk_is_read_as_a_file),
        cmocka_unit_test(test_an_empty_or_foreign_pipe_is_refused),
        WITH_SCRATCH(test_no_memory_is_a_clean_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
