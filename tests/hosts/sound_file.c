/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sound_file.c -- sounds for the scripts: `sound_file make CHANNELS OUT` writes two seconds of noise as floats; `sound_file
 * join OUT SECONDS IN...` files of one channel one after the other, and silence behind them; `sound_file frames A` prints
 * how many A has; `sound_file same A B [SLACK]` says whether B holds A's samples bit for bit, and at most SLACK frames
 * behind them. */
#include <sndfile.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 48000, FRAMES = 2 * RATE + 77, BLOCK = 1024 };

static int
make(int channels, const char *path)
{
    SF_INFO info = {.samplerate = RATE, .channels = channels, .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
    SNDFILE *f = sf_open(path, SFM_WRITE, &info);
    uint32_t x = 1;
    if (f == NULL) {
        (void)fprintf(stderr, "sound_file: %s: %s\n", path, sf_strerror(NULL));
        return 1;
    }
    for (int i = 0; i < FRAMES; i++) {
        float frame[2];
        for (int c = 0; c < 2; c++) {
            x = x * 1664525 + 1013904223;
            frame[c] = ((float)(x >> 8) - 8388608) / 16777216;
        }
        if (sf_writef_float(f, frame, 1) != 1) {
            (void)fprintf(stderr, "sound_file: %s: %s\n", path, sf_strerror(f));
            return 1;
        }
    }
    return sf_close(f) != 0;
}

static int
append(SNDFILE *out, const char *path)
{
    SF_INFO info = {.format = 0};
    SNDFILE *f = sf_open(path, SFM_READ, &info);
    float x[BLOCK];
    sf_count_t n = 0;
    bool well = f != NULL && info.channels == 1 && info.samplerate == RATE;
    while (well && (n = sf_readf_float(f, x, BLOCK)) > 0) {
        well = sf_writef_float(out, x, n) == n;
    }
    if (!well) {
        (void)fprintf(stderr, "sound_file: %s cannot be joined: it should have one channel of %d Hz\n", path, RATE);
    }
    (void)sf_close(f);
    return !well;
}

static int
join(const char *path, long seconds, char **files, int n)
{
    static const float silence[RATE];
    SF_INFO info = {.samplerate = RATE, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
    SNDFILE *out = sf_open(path, SFM_WRITE, &info);
    int status = out == NULL;
    for (int i = 0; i < n && status == 0; i++) {
        status = append(out, files[i]);
    }
    for (long i = 0; i < seconds && status == 0; i++) {
        status = sf_writef_float(out, silence, RATE) != RATE;
    }
    return sf_close(out) != 0 || status != 0;
}

/* Prints why not, or returns 0. */
static int
differ(SNDFILE *a, const SF_INFO *of_a, SNDFILE *b, const SF_INFO *of_b, sf_count_t slack)
{
    float x[2 * BLOCK], y[2 * BLOCK];
    if (of_a->samplerate != of_b->samplerate || of_a->channels != of_b->channels || of_a->channels > 2) {
        (void)printf("%d Hz, %d channels; and %d Hz, %d channels\n", of_a->samplerate, of_a->channels, of_b->samplerate,
                     of_b->channels);
        return 1;
    }
    if (of_b->frames < of_a->frames || of_b->frames > of_a->frames + slack) {
        (void)printf("%lld frames, and %lld\n", (long long)of_a->frames, (long long)of_b->frames);
        return 1;
    }
    for (sf_count_t at = 0; at < of_a->frames;) {
        sf_count_t n = sf_readf_float(a, x, BLOCK);
        if (n < 1 || sf_readf_float(b, y, n) != n ||
            memcmp(x, y, (size_t)n * (size_t)of_a->channels * sizeof *x) != 0) {
            (void)printf("samples differ near frame %lld\n", (long long)at);
            return 1;
        }
        at += n;
    }
    return 0;
}

static int
same(const char *first, const char *second, sf_count_t slack)
{
    SF_INFO of_a = {.format = 0}, of_b = {.format = 0};
    SNDFILE *a = sf_open(first, SFM_READ, &of_a), *b = sf_open(second, SFM_READ, &of_b);
    int status = 1;
    if (a == NULL || b == NULL) {
        (void)printf("%s: %s\n", a == NULL ? first : second, sf_strerror(NULL));
    } else {
        status = differ(a, &of_a, b, &of_b, slack);
    }
    (void)sf_close(a);
    (void)sf_close(b);
    return status;
}

static int
frames(const char *path)
{
    SF_INFO info = {.format = 0};
    SNDFILE *f = sf_open(path, SFM_READ, &info);
    (void)printf("%lld\n", (long long)info.frames);
    (void)sf_close(f);
    return f == NULL;
}

int
main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "make") == 0) {
        return make(argv[2][0] == '2' ? 2 : 1, argv[3]);
    }
    if ((argc == 4 || argc == 5) && strcmp(argv[1], "same") == 0) {
        return same(argv[2], argv[3], argc == 5 ? strtol(argv[4], NULL, 10) : 0);
    }
    if (argc > 4 && strcmp(argv[1], "join") == 0) {
        return join(argv[2], strtol(argv[3], NULL, 10), argv + 4, argc - 4);
    }
    if (argc == 3 && strcmp(argv[1], "frames") == 0) {
        return frames(argv[2]);
    }
    (void)fputs("usage: sound_file make CHANNELS OUT | join OUT SECONDS IN... | frames A | same A B [SLACK]\n", stderr);
    return 2;
}
