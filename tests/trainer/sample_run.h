/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sample_run.h -- folders of runs that never were, with numbers as real ones have them and that fit each other. */
#ifndef TESTS_TRAINER_SAMPLE_RUN_H
#define TESTS_TRAINER_SAMPLE_RUN_H

#include <stdbool.h>
#include <stdint.h>

enum { SAMPLE_CLASSES = 50, SAMPLE_CLIPS = 400 };

typedef struct {
    const char *posterior; /* "deterministic", "dropout", "flipout" */
    const char *padding;
    double skill;      /* share of right answers, about */
    double vanity;     /* by how much it is surer than right */
    bool multilabel;   /* mAP and no confusion matrix instead */
    const char *label; /* instead of that of the first class; NULL: none */
    uint64_t seed;
} sample_run;

/* Makes the folder and writes config.json, log.jsonl and eval.json into it. */
void sample_run_write(const char *folder, const sample_run *run);

/* Removes the folder with these three files in it, as far as they are there. */
void sample_run_remove(const char *folder);

#endif /* TESTS_TRAINER_SAMPLE_RUN_H */
