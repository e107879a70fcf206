/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scenes.c -- cuts sounds out of clips and lays them over noise. */
#include "scenes.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/audio.h>

static const double SHORTEST = 0.3, LONGEST = 30; /* s, of a sound */
static const double LEAST_GAP = 2, MOST_GAP = 5;  /* s, between two sounds of a track */
static const double STANDS_OUT = 25;              /* dB below its loudest frame a sound still counts as sounding */
static const double BRIDGED = 0.25;               /* s: a shorter pause belongs to the sound */
static const double SUSTAINED = 2;                /* s: a sound that lasts so long can be repeated */
static const double LEVEL_DB = -26;               /* dBFS, the middle of the sounds' levels (root mean square) */
static const double LEVEL_SPREAD_DB = 6;          /* about that, evenly */
static const double NOISE_DB[] = {-45, -25};      /* of the noise relative to LEVEL_DB, evenly between */
static const double FADE = 0.005;                 /* s at both ends of what is cut, inside the span: no clicks */

enum { FRAME = SCENE_RATE / 100, MOST_CLIPS = 512, MOST_PATH = 4096 };

const scene_category scene_categories[] = {
    {"airplane", "Aircraft"},
    {"breathing", "Breathing"},
    {"brushing_teeth", "Toothbrush"},
    {"can_opening", NULL},
    {"car_horn", "Vehicle horn, car horn, honking"},
    {"cat", "Cat"},
    {"chainsaw", "Chainsaw"},
    {"chirping_birds", "Bird"},
    {"church_bells", "Bell"},
    {"clapping", "Applause"},
    {"clock_alarm", "Alarm"},
    {"clock_tick", "Clock"},
    {"coughing", "Cough"},
    {"cow", "Cattle, bovinae"},
    {"crackling_fire", "Fire"},
    {"crickets", "Cricket"},
    {"crow", "Crow"},
    {"crying_baby", "Baby cry, infant cry"},
    {"dog", "Dog"},
    {"door_wood_creaks", "Door"},
    {"door_wood_knock", "Knock"},
    {"drinking_sipping", NULL},
    {"engine", "Engine"},
    {"fireworks", "Fireworks"},
    {"footsteps", "Walk, footsteps"},
    {"frog", "Frog"},
    {"glass_breaking", "Glass"},
    {"hand_saw", "Sawing"},
    {"helicopter", "Helicopter"},
    {"hen", "Fowl"},
    {"insects", "Insect"},
    {"keyboard_typing", "Typing"},
    {"laughing", "Laughter"},
    {"mouse_click", NULL},
    {"pig", "Pig"},
    {"pouring_water", "Water"},
    {"rain", "Rain"},
    {"rooster", "Chicken, rooster"},
    {"sea_waves", "Waves, surf"},
    {"sheep", "Sheep"},
    {"siren", "Siren"},
    {"sneezing", "Sneeze"},
    {"snoring", "Snoring"},
    {"thunderstorm", "Thunder"},
    {"toilet_flush", "Toilet flush"},
    {"train", "Train"},
    {"vacuum_cleaner", "Vacuum cleaner"},
    {"washing_machine", NULL},
    {"water_drops", NULL},
    {"wind", "Wind"},
};
const size_t n_scene_categories = sizeof scene_categories / sizeof *scene_categories;

struct scene_source {
    size_t n;
    struct clip {
        size_t category;
        char path[MOST_PATH];
    } clips[MOST_CLIPS];
};

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t
draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Evenly from low to high. */
static double
between(uint64_t *state, double low, double high)
{
    return low + (high - low) * ((double)(draw(state) >> 11) * 0x1p-53);
}

static float
gain(double db)
{
    return (float)pow(10, db / 20);
}

/* ---------------------------------------------------------------------------------------------------------- clips */

/* A row of the manifest is path,labels,fold,group; of this set no field is quoted. */
static void
take_row(scene_source *source, const char *folder, char *row, int fold)
{
    char *label = strchr(row, ',');
    char *number = label != NULL ? strchr(label + 1, ',') : NULL;
    if (number == NULL || strtol(number + 1, NULL, 10) != fold || source->n == MOST_CLIPS) {
        return;
    }
    *label++ = '\0';
    *number = '\0';
    for (size_t i = 0; i < n_scene_categories; i++) {
        struct clip *clip = &source->clips[source->n];
        if (strcmp(label, scene_categories[i].category) == 0) {
            int length = snprintf(clip->path, sizeof clip->path, "%s/%s", folder, row);
            clip->category = i;
            source->n += length > 0 && (size_t)length < sizeof clip->path;
        }
    }
}

scene_source *
scene_source_open(const char *manifest, const char *folder, int fold, const char **why)
{
    char row[MOST_PATH];
    FILE *file = fopen(manifest, "r");
    scene_source *source = calloc(1, sizeof *source);
    if (file == NULL || source == NULL) {
        *why = file == NULL ? "there is no such set of sounds" : "not enough memory";
        scene_source_close(source);
        source = NULL;
    }
    while (source != NULL && fgets(row, sizeof row, file) != NULL) {
        take_row(source, folder, row, fold);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    if (source != NULL && source->n == 0) {
        *why = "it has no clips of that fold and of these categories";
        scene_source_close(source);
        source = NULL;
    }
    return source;
}

void
scene_source_close(scene_source *source)
{
    free(source);
}

/* The whole clip, one channel; NULL if it cannot be read. The caller frees it. */
static float *
read_clip(const char *path, size_t *n)
{
    vip_audio *audio = vip_audio_open(path, 0, 0, NULL);
    if (audio == NULL || vip_audio_describe(audio)->channels != 1 || vip_audio_describe(audio)->rate != SCENE_RATE) {
        vip_audio_close(audio);
        return NULL;
    }
    float *x = NULL;
    *n = 0;
    for (uint32_t got = 1; got > 0; *n += got) {
        float *larger = realloc(x, (*n + VIP_AUDIO_BLOCK) * sizeof *x);
        if (larger == NULL) {
            free(x);
            x = NULL;
            break;
        }
        x = larger;
        float *channel = x + *n;
        got = vip_audio_read(audio, &channel, VIP_AUDIO_BLOCK);
    }
    vip_audio_close(audio);
    return x;
}

static double
energy(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i] * x[i];
    }
    return sum;
}

/* The longest stretch of x[0 .. n-1] in which the sound stands out, pauses shorter than BRIDGED included. */
static size_t
longest_stretch(const float *x, size_t n, size_t *begin)
{
    double loudest = 1e-12;
    for (size_t i = 0; i + FRAME <= n; i += FRAME) {
        loudest = fmax(loudest, energy(x + i, FRAME));
    }
    double least = loudest * pow(10, -STANDS_OUT / 10);
    size_t best = 0, start = 0, end = 0; /* of the stretch that may go on: start == end if there is none */
    for (size_t i = 0; i + FRAME <= n; i += FRAME) {
        if (energy(x + i, FRAME) < least) {
            continue;
        }
        if (start == end || (double)(i - end) > BRIDGED * SCENE_RATE) {
            start = i;
        }
        end = i + FRAME;
        if (end - start > best) {
            best = end - start;
            *begin = start;
        }
    }
    return best;
}

/* Makes the sound out[0 .. n-1] of a stretch: as much of it as is wanted, or in repetition. */
static void
repeat(const float *stretch, size_t length, float *out, size_t n)
{
    size_t fade = (size_t)(FADE * SCENE_RATE), at = 0;
    memset(out, 0, n * sizeof *out);
    while (at < n) {
        size_t part = n - at < length ? n - at : length;
        for (size_t i = 0; i < part; i++) {
            size_t edge = i < part - 1 - i ? i : part - 1 - i;
            out[at + i] += stretch[i] * (edge < fade ? (float)(edge + 1) / (float)(fade + 1) : 1);
        }
        if (at + part == n) {
            break;
        }
        at += part - fade; /* the ends overlap, and their fades add up to one */
    }
}

/* ---------------------------------------------------------------------------------------------------------- scenes */

/* One sound at the given place; the samples of the scene grow as far as it needs. False: it could not be made. */
static bool
place(scene *made, const struct clip *clip, size_t at, double wanted_seconds, double level_db)
{
    size_t n = 0, begin = 0;
    float *x = read_clip(clip->path, &n);
    size_t length = x != NULL ? longest_stretch(x, n, &begin) : 0, shortest = (size_t)(SHORTEST * SCENE_RATE);
    if (length < shortest) { /* a click and its like: what follows it fills it up */
        length = n < shortest ? 0 : shortest;
        begin = begin + length > n ? n - length : begin;
    }
    size_t wanted = (size_t)(wanted_seconds * SCENE_RATE);
    if (wanted > length && (double)length < SUSTAINED * SCENE_RATE) {
        wanted = length;
    }
    float *sound = malloc((wanted + 1) * sizeof *sound);
    size_t needed = at + wanted > made->n ? at + wanted : made->n;
    float *samples = realloc(made->samples, (needed + 1) * sizeof *samples);
    made->samples = samples != NULL ? samples : made->samples;
    bool good = length > 0 && sound != NULL && samples != NULL;
    if (good) {
        memset(made->samples + made->n, 0, (needed - made->n) * sizeof *samples);
        made->n = needed;
        repeat(x + begin, length, sound, wanted);
        float scale = gain(level_db) / (float)sqrt(energy(sound, wanted) / (double)wanted + 1e-12);
        for (size_t i = 0; i < wanted; i++) {
            made->samples[at + i] += scale * sound[i];
        }
        made->spans[made->n_spans++] = (scene_span){(double)at / SCENE_RATE, (double)(at + wanted) / SCENE_RATE,
                                                    &scene_categories[clip->category]};
    }
    free(sound);
    free(x);
    return good;
}

/* Noise that is low-passed gently, as a room's is, and two silent seconds at the end for what lingers. */
static bool
add_noise(scene *made, uint64_t *state)
{
    size_t n = made->n + 2 * SCENE_RATE;
    float *samples = realloc(made->samples, n * sizeof *samples);
    if (samples == NULL) {
        return false;
    }
    memset(samples + made->n, 0, (n - made->n) * sizeof *samples);
    made->samples = samples;
    made->n = n;
    float scale = gain(LEVEL_DB + made->noise_db) / 0.2425f, smooth = 0; /* sqrt(0.3 / 1.7 / 3): see below */
    for (size_t i = 0; i < n; i++) {
        smooth += 0.3f * ((float)between(state, -1, 1) - smooth); /* variance 0.3 / 1.7 of 1/3 */
        samples[i] += scale * smooth;
    }
    return true;
}

static int
by_start(const void *a, const void *b)
{
    double x = ((const scene_span *)a)->start, y = ((const scene_span *)b)->start;
    return (x > y) - (x < y);
}

/* Whether a sound of the category sounds within LEAST_GAP of that stretch: another would not be one of its own. */
static bool
is_near(const scene *made, size_t category, double start, double end)
{
    for (size_t i = 0; i < made->n_spans; i++) {
        const scene_span *span = &made->spans[i];
        if (span->category == &scene_categories[category] && span->start < end + LEAST_GAP &&
            start < span->end + LEAST_GAP) {
            return true;
        }
    }
    return false;
}

scene
scene_make(const scene_source *source, uint64_t seed, size_t tracks, size_t each)
{
    scene made = {0};
    uint64_t state = seed * 0x2545f4914f6cdd1du;
    bool good = true;
    made.noise_db = between(&state, NOISE_DB[0], NOISE_DB[1]);
    for (size_t track = 0; track < tracks; track++) {
        double at = 0;
        for (size_t k = 0; good && k < each && made.n_spans < MOST_SPANS; k++) {
            at += between(&state, LEAST_GAP, MOST_GAP);
            double wanted = SHORTEST * pow(LONGEST / SHORTEST, between(&state, 0, 1));
            double level = LEVEL_DB + between(&state, -LEVEL_SPREAD_DB, LEVEL_SPREAD_DB);
            const struct clip *clip = &source->clips[draw(&state) % source->n];
            if (is_near(&made, clip->category, at, at + wanted)) {
                continue;
            }
            size_t before = made.n_spans;
            good = place(&made, clip, (size_t)(at * SCENE_RATE), wanted, level);
            at = good ? made.spans[before].end : at;
        }
    }
    good = good && add_noise(&made, &state);
    if (!good) {
        scene_free(&made);
    }
    qsort(made.spans, made.n_spans, sizeof *made.spans, by_start);
    return made;
}

void
scene_free(scene *made)
{
    free(made->samples);
    *made = (scene){0};
}
