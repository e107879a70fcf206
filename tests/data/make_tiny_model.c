/* SPDX-License-Identifier: GPL-3.0-or-later */
/* make_tiny_model.c -- writes a model of random numbers: `make_tiny_model OUT [arch width classes padding posterior seed
 * [f32|f16 [multilabel|multiclass [members [prototypes]]]]]`. With prototypes it states a sum of parts, too. Without further words a ResNet-22 of width 1 that the tests read in no
 * time. `make_tiny_model --hostile OUT ...`: its labels hold what a careless program would run, print or trip over. Member m of an ensemble is the deterministic model of seed + m. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_model.h"

/* The place of text among the words; ends the program if it is none of them. */
static int
word(const char *text, const char *const *words, int n)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(text, words[i]) == 0) {
            return i;
        }
    }
    (void)fprintf(stderr, "make_tiny_model: '%s': expected one of", text);
    for (int i = 0; i < n; i++) {
        (void)fprintf(stderr, " %s", words[i]);
    }
    (void)fputs("\n", stderr);
    exit(2);
}

static uint32_t
number(const char *text, unsigned long most)
{
    char *end;
    unsigned long x = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || x < 1 || x > most) {
        (void)fprintf(stderr, "make_tiny_model: '%s': expected a number from 1 to %lu\n", text, most);
        exit(2);
    }
    return (uint32_t)x;
}

/* What terminals obey, shells run, tables and paths trip over, and no text should hold. */
static bool
name_hostile(vip_model *model)
{
    static const char *const names[] = {
        "\"'; touch owned; $(touch owned) `touch owned` %s %n \\", "line\nbreak\ttab\r\"comma\",;",
        "\033]0;owned\a\033[2J\033[31m../../owned/\xc2\x9b"
        "31m",
        "\xe2\x80\xae gnihtemos \xf0\x9f\x98\x80 a\xcc\x80\xcc\x81 \xe2\x81\xa6 \xef\xbf\xbf"};
    bool good = true;
    for (uint32_t i = 0; i < model->network.classes; i++) {
        vip_free(model->labels[i]);
        model->labels[i] = vip_copy_string(names[i % (sizeof names / sizeof *names)]);
        good = good && model->labels[i] != NULL;
    }
    return good;
}

int
main(int argc, char **argv)
{
    const bool hostile = argc > 1 && strcmp(argv[1], "--hostile") == 0;
    argc -= hostile;
    argv += hostile;
    static const char *const archs[] = {"resnet22", "resnet38", "resnet54"};
    static const char *const paddings[] = {[VIP_SAME] = "same", [VIP_CAUSAL] = "causal"};
    static const char *const posteriors[] = {[VIPANN_DETERMINISTIC] = "deterministic",
                                             [VIPANN_DROPOUT] = "dropout",
                                             [VIPANN_MEANFIELD] = "meanfield",
                                             [VIPANN_ENSEMBLE] = "ensemble"};
    static const char *const tasks[] = {[VIPANN_MULTILABEL] = "multilabel", [VIPANN_MULTICLASS] = "multiclass"};
    if (argc < 2 || argc > 12) {
        (void)fputs("usage: make_tiny_model OUT [arch width classes padding posterior seed [f32|f16"
                    " [multilabel|multiclass [members [prototypes]]]]]\n",
                    stderr);
        return 2;
    }
    random_model_spec spec = {VIP_RESNET22, 1, 4, VIP_SAME, VIPANN_DROPOUT, VIPANN_MULTILABEL, 1};
    uint32_t members = 3;
    spec.arch = argc > 2 ? (vip_arch)word(argv[2], archs, 3) : spec.arch;
    spec.width = argc > 3 ? number(argv[3], VIP_MAX_WIDTH) : spec.width;
    spec.classes = argc > 4 ? number(argv[4], VIP_MAX_CLASSES) : spec.classes;
    spec.padding = argc > 5 ? (vip_padding)word(argv[5], paddings, 2) : spec.padding;
    spec.posterior = argc > 6 ? (vipann_posterior)word(argv[6], posteriors, 4) : spec.posterior;
    spec.seed = argc > 7 ? number(argv[7], UINT32_MAX) : spec.seed;
    bool half = argc > 8 && word(argv[8], (const char *const[]){"f32", "f16"}, 2) == 1;
    spec.task = argc > 9 ? (vipann_task)word(argv[9], tasks, 2) : spec.task;
    members = argc > 10 ? number(argv[10], VIPANN_MAX_PASSES) : members;

    vip_model *model = random_ensemble(&spec, members);
    if (model != NULL && argc > 11 && !random_model_sum(model, number(argv[11], VIP_MAX_PROTOTYPES), spec.seed)) {
        vip_model_free(model);
        model = NULL;
    }
    if (model != NULL && hostile && !name_hostile(model)) {
        vip_model_free(model);
        model = NULL;
    }
    vipann_error error = {VIPANN_E_MEMORY, "not enough memory for the model"};
    vipann_status status = model == NULL ? VIPANN_E_MEMORY : vip_model_write(model, argv[1], half, &error);
    vip_model_free(model);
    if (status != VIPANN_OK) {
        (void)fprintf(stderr, "make_tiny_model: %s\n", error.text);
        return 1;
    }
    return 0;
}
