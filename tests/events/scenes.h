/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scenes.h -- scenes of real sounds whose beginnings and ends are known to the sample, made from a seed.
 *
 * Sounds are cut from the clips of a labelled set where they stand out of their own pauses, set to a level, and laid
 * over noise: nothing of a sound is left outside its span, so the span is the truth. Lengths are spread evenly in their
 * logarithm from 0.3 to 30 s; a sustained sound that is too short is repeated, a short one stays as it is. */
#ifndef VIP_TESTS_SCENES_H
#define VIP_TESTS_SCENES_H

#include <stddef.h>
#include <stdint.h>

enum { SCENE_RATE = 16000, MOST_SPANS = 16 };

/* One category of the set, and the class by which each of the shipped models knows it. */
typedef struct {
    const char *category; /* also the label in the model of 50 classes */
    const char *label;    /* in the model of 521 classes; NULL: it has no class of its own for that */
} scene_category;

extern const scene_category scene_categories[];
extern const size_t n_scene_categories;

typedef struct {
    double start, end; /* s */
    const scene_category *category;
} scene_span;

typedef struct {
    float *samples;
    size_t n;
    double noise_db; /* of the noise under it, relative to the sounds' middle level */
    scene_span spans[MOST_SPANS];
    size_t n_spans; /* in the order of their beginnings */
} scene;

/* The clips of one fold. */
typedef struct scene_source scene_source;

/* manifest  CSV with the columns path,labels,fold,group and no quoted fields; one label each
 * folder    what its paths are relative to
 *
 * NULL: there are no clips of that fold; *why says why, and is static. */
scene_source *scene_source_open(const char *manifest, const char *folder, int fold, const char **why);
void scene_source_close(scene_source *source);

/* Makes a scene of `tracks` tracks (1: sounds never overlap; 2: they do) with `each` sounds on each of them. The same
 * arguments and files make the same scene, sample for sample. samples is NULL if a clip could not be read or memory is
 * short; else free it with scene_free. */
scene scene_make(const scene_source *source, uint64_t seed, size_t tracks, size_t each);
void scene_free(scene *made);

#endif /* VIP_TESTS_SCENES_H */
