/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scene.c -- joins sounds that Debian has, and two that no model was taught, into one scene with a known timeline.
 *
 *   scene SOUNDS OUT.wav OUT.csv        SOUNDS: usually /usr/share/sounds
 *
 * Each passage repeats its sounds in turn for LENGTH seconds over quiet noise; passages are GAP seconds apart. The
 * timeline has the columns start_s,end_s,what,kind,taught_by. kind: "taught" if a shipped model had examples of that
 * class of sound (taught_by names which, by part of their names), "near" if none had but of similar classes, "foreign"
 * if none had anything like it. The same sounds give the same scene, sample for sample. */
#include <math.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <frontend/resample.h>

enum { RATE = 32000, LENGTH = 9, GAP = 3, MOST_SOUNDS = 4 };
static const double PI = 3.14159265358979323846;
static const float PEAK = 0.25f;         /* of every sound: 12 dB below full scale */
static const float BACKGROUND = 0.0015f; /* of the noise, root mean square: 56 dB below full scale */
static const double PAUSE = 0.35;        /* seconds between two sounds of a passage */
static const double FADE = 0.02;         /* seconds at both ends of what is computed: no clicks */

/* x[i] of a passage of n samples. */
typedef float generator(size_t i, size_t n);

/* The mains: 50 Hz and its odd harmonics, as a transformer hums. */
static float
hum(size_t i, size_t n)
{
    (void)n;
    double phase = 2 * PI * 50 * (double)i / RATE, x = 0;
    for (int k = 1; k <= 13; k += 2) {
        x += sin(phase * k + k) / k;
    }
    return (float)x;
}

/* A tone whose pitch rises evenly in octaves, from 100 Hz to 8 kHz. */
static float
sweep(size_t i, size_t n)
{
    const double low = 100, octaves = log(80); /* 8000 / 100 */
    double length = (double)n / RATE, t = (double)i / RATE;
    return (float)sin(2 * PI * low * length / octaves * (exp(t / length * octaves) - 1));
}

static const struct passage {
    const char *what, *kind, *taught_by;
    generator *computed;            /* NULL: from files */
    const char *files[MOST_SOUNDS]; /* below SOUNDS */
} passages[] = {
    {"a voice",
     "taught",
     "audioset",
     NULL,
     {"alsa/Front_Center.wav", "alsa/Rear_Left.wav", "alsa/Side_Right.wav", "alsa/Front_Left.wav"}},
    {"an alarm clock", "taught", "audioset esc50", NULL, {"freedesktop/stereo/alarm-clock-elapsed.oga"}},
    {"mains hum", "foreign", "", hum, {NULL}},
    {"a telephone", "near", "", NULL, {"freedesktop/stereo/phone-incoming-call.oga"}},
    {"a camera's shutter", "near", "", NULL, {"freedesktop/stereo/camera-shutter.oga"}},
    {"a swept tone", "foreign", "", sweep, {NULL}},
    {"a small bell", "near", "", NULL, {"freedesktop/stereo/bell.oga"}},
    {"a voice again",
     "taught",
     "audioset",
     NULL,
     {"alsa/Rear_Center.wav", "alsa/Front_Right.wav", "alsa/Side_Left.wav", "alsa/Rear_Right.wav"}},
};
enum { PASSAGES = sizeof passages / sizeof *passages };
static const size_t SCENE = (size_t)RATE * (PASSAGES * (LENGTH + GAP) + GAP);

static void *
allocate(size_t count, size_t size)
{
    void *block = calloc(count, size);
    if (block == NULL) {
        fputs("scene: not enough memory\n", stderr);
        exit(1);
    }
    return block;
}

/* Scales x[0 .. n-1] so that the largest is PEAK. */
static void
level(float *x, size_t n)
{
    float largest = 1e-9f;
    for (size_t i = 0; i < n; i++) {
        largest = fmaxf(largest, fabsf(x[i]));
    }
    for (size_t i = 0; i < n; i++) {
        x[i] *= PEAK / largest;
    }
}

/* Reads a sound, mixes it to mono, resamples it to RATE and levels it. The caller frees it; *n samples. */
static float *
load(const char *folder, const char *name, size_t *n)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    SF_INFO info = {0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    if (file == NULL || info.frames <= 0 || info.frames > 60 * 192000 || info.channels > 8) {
        fprintf(stderr, "scene: %s: %s; `make deps` gets the sounds on Debian\n", path, sf_strerror(file));
        exit(1);
    }
    size_t frames = (size_t)info.frames, channels = (size_t)info.channels;
    float *interleaved = allocate(frames * channels, sizeof *interleaved);
    frames = (size_t)sf_readf_float(file, interleaved, info.frames);
    sf_close(file);

    float *mono = allocate(frames, sizeof *mono);
    for (size_t i = 0; i < frames * channels; i++) {
        mono[i / channels] += interleaved[i] / (float)channels;
    }
    free(interleaved);

    vip_resampler *resampler = vip_resampler_new(info.samplerate, RATE);
    if (resampler == NULL) {
        fprintf(stderr, "scene: %s: no memory to resample it from %d Hz\n", path, info.samplerate);
        exit(1);
    }
    float *sound = allocate(vip_resampler_most(resampler, frames), sizeof *sound);
    *n = vip_resampler_push(resampler, mono, frames, sound);
    *n += vip_resampler_end(resampler, sound + *n);
    vip_resampler_free(resampler);
    free(mono);
    level(sound, *n);
    return sound;
}

/* Adds the sounds of a passage in turn, as often as they fit wholly, to x[0 .. n-1]. */
static void
repeat(const char *folder, const char *const files[MOST_SOUNDS], float *x, size_t n)
{
    float *sounds[MOST_SOUNDS] = {NULL};
    size_t lengths[MOST_SOUNDS] = {0}, count = 0;
    while (count < MOST_SOUNDS && files[count] != NULL) {
        sounds[count] = load(folder, files[count], &lengths[count]);
        count++;
    }
    size_t at = 0;
    for (size_t k = 0; count > 0 && at + lengths[k % count] <= n; k++) {
        for (size_t i = 0; i < lengths[k % count]; i++) {
            x[at + i] += sounds[k % count][i];
        }
        at += lengths[k % count] + (size_t)(PAUSE * RATE);
    }
    for (size_t k = 0; k < count; k++) {
        free(sounds[k]);
    }
}

static void
compute(generator *computed, float *x, size_t n)
{
    float *sound = allocate(n, sizeof *sound);
    for (size_t i = 0; i < n; i++) {
        double edge = fmin((double)i, (double)(n - 1 - i)) / (FADE * RATE);
        sound[i] = computed(i, n) * (float)fmin(1, edge);
    }
    level(sound, n);
    for (size_t i = 0; i < n; i++) {
        x[i] += sound[i];
    }
    free(sound);
}

/* Quiet noise, low-passed gently as a room's is, from a generator that is the same on every machine. */
static void
add_background(float *x, size_t n)
{
    uint32_t state = 1;
    float smooth = 0;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;             /* Numerical Recipes */
        float white = (float)(state >> 8) / 8388608.0f - 1; /* -1 .. 1, variance 1/3 */
        smooth += 0.3f * (white - smooth);                  /* variance 0.3 / 1.7 of that */
        x[i] += BACKGROUND / 0.2425f * smooth;              /* sqrt(0.3 / 1.7 / 3) */
    }
}

static bool
write_timeline(const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        return false;
    }
    fputs("start_s,end_s,what,kind,taught_by\n", file);
    for (int k = 0; k < PASSAGES; k++) {
        int start = GAP + k * (LENGTH + GAP);
        fprintf(file, "%d,%d,%s,%s,%s\n", start, start + LENGTH, passages[k].what, passages[k].kind,
                passages[k].taught_by);
    }
    return fclose(file) == 0;
}

static bool
write_sound(const char *path, const float *x, size_t n)
{
    SF_INFO info = {.samplerate = RATE, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    if (file == NULL) {
        return false;
    }
    bool whole = sf_write_float(file, x, (sf_count_t)n) == (sf_count_t)n;
    return sf_close(file) == 0 && whole;
}

int
main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: scene SOUNDS OUT.wav OUT.csv\n", stderr);
        return 2;
    }
    float *scene = allocate(SCENE, sizeof *scene);
    for (size_t k = 0; k < PASSAGES; k++) {
        float *x = scene + (size_t)RATE * (GAP + k * (LENGTH + GAP));
        if (passages[k].computed != NULL) {
            compute(passages[k].computed, x, (size_t)RATE * LENGTH);
        } else {
            repeat(argv[1], passages[k].files, x, (size_t)RATE * LENGTH);
        }
    }
    add_background(scene, SCENE);
    if (!write_sound(argv[2], scene, SCENE) || !write_timeline(argv[3])) {
        fprintf(stderr, "scene: %s or %s could not be written\n", argv[2], argv[3]);
        return 1;
    }
    free(scene);
    return 0;
}
