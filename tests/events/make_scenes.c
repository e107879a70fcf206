/* SPDX-License-Identifier: GPL-3.0-or-later */
/* make_scenes.c -- writes scenes with known beginnings and ends.
 *
 *   make_scenes MANIFEST FOLDER FOLD TRACKS SOUNDS SEED COUNT OUT
 *
 * MANIFEST lists the clips of a labelled set, with paths below FOLDER. OUT gets scene-SEED.wav and scene-SEED.tsv for
 * COUNT seeds from SEED on; a row of the latter is start_s, end_s, category and class of the model of 521, which is
 * "-" if it has none. Exit status 77: the set is not there. */
#include <sndfile.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "scenes.h"

static bool
write_sound(const char *path, const scene *made)
{
    SF_INFO info = {.samplerate = SCENE_RATE, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    if (file == NULL) {
        return false;
    }
    bool whole = sf_write_float(file, made->samples, (sf_count_t)made->n) == (sf_count_t)made->n;
    return sf_close(file) == 0 && whole;
}

static bool
write_truth(const char *path, const scene *made)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        return false;
    }
    for (size_t i = 0; i < made->n_spans; i++) {
        const scene_span *span = &made->spans[i];
        const char *label = span->category->label;
        fprintf(file, "%.4f\t%.4f\t%s\t%s\n", span->start, span->end, span->category->category,
                label != NULL ? label : "-");
    }
    return fclose(file) == 0;
}

int
main(int argc, char **argv)
{
    if (argc != 9) {
        fputs("usage: make_scenes MANIFEST FOLDER FOLD TRACKS SOUNDS SEED COUNT OUT\n", stderr);
        return 2;
    }
    const char *why = NULL;
    scene_source *source = scene_source_open(argv[1], argv[2], (int)strtol(argv[3], NULL, 10), &why);
    if (source == NULL) {
        fprintf(stderr, "make_scenes: %s: %s\n", argv[1], why);
        return 77;
    }
    size_t tracks = strtoul(argv[4], NULL, 10), each = strtoul(argv[5], NULL, 10);
    unsigned long first = strtoul(argv[6], NULL, 10), count = strtoul(argv[7], NULL, 10);
    bool good = true;
    for (unsigned long seed = first; good && seed < first + count; seed++) {
        char sound[4096], truth[4096];
        (void)snprintf(sound, sizeof sound, "%s/scene-%05lu.wav", argv[8], seed);
        (void)snprintf(truth, sizeof truth, "%s/scene-%05lu.tsv", argv[8], seed);
        scene made = scene_make(source, seed, tracks, each);
        good = made.samples != NULL && write_sound(sound, &made) && write_truth(truth, &made);
        scene_free(&made);
    }
    if (!good) {
        fprintf(stderr, "make_scenes: %s: a clip could not be read, or %s not be written\n", argv[1], argv[8]);
    }
    scene_source_close(source);
    return good ? 0 : 1;
}
