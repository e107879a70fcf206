/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_sklearn.c -- our metrics beside those of scikit-learn, on answers with many ties, where it is installed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/philox.h>
#include <offline_trainer/judge/metrics.h>

#include <tests/unit/scratch.h>

enum { CLIPS = 300, CLASSES = 5 };

typedef struct {
    double p[CLIPS * CLASSES];
    uint32_t label[CLIPS];
} answers;

/* Scores are multiples of 1/8 before they are made to sum to one, so that some are equal. */
static void
make(answers *a)
{
    for (uint32_t i = 0; i < CLIPS; i++) {
        uint32_t words[4];
        double sum = 0;
        vip_philox(3, (const uint32_t[4]){i, CLASSES, 0, 0}, words);
        a->label[i] = words[0] % CLASSES;
        for (uint32_t c = 0; c < CLASSES; c++) {
            vip_philox(3, (const uint32_t[4]){i, c, 0, 0}, words);
            a->p[i * CLASSES + c] = (double)(1 + words[0] % 8 + (c == a->label[i] ? 2 : 0)) / 8;
            sum += a->p[i * CLASSES + c];
        }
        for (uint32_t c = 0; c < CLASSES; c++) {
            a->p[i * CLASSES + c] /= sum;
        }
    }
}

static void
write_answers(const answers *a, const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < CLIPS; i++) {
        (void)fprintf(file, "%u", a->label[i]);
        for (size_t c = 0; c < CLASSES; c++) {
            (void)fprintf(file, " %.17g", a->p[i * CLASSES + c]);
        }
        (void)fputc('\n', file);
    }
    assert_int_equal(fclose(file), 0);
}

/* NaN: it is no name of ours. */
static double
ours(const answers *a, const char *name)
{
    static double score[CLIPS];
    static float y[CLIPS];
    static bool positive[CLIPS];
    const size_t c = (size_t)(name[strlen(name) - 1] - '0');
    for (size_t i = 0; i < CLIPS && c < CLASSES; i++) {
        score[i] = a->p[i * CLASSES + c];
        positive[i] = a->label[i] == c;
        y[i] = positive[i];
    }
    return strcmp(name, "accuracy") == 0  ? vip_accuracy(a->p, a->label, CLIPS, CLASSES)
           : strcmp(name, "uar") == 0     ? vip_uar(a->p, a->label, CLIPS, CLASSES)
           : strcmp(name, "nll") == 0     ? vip_nll(a->p, a->label, CLIPS, CLASSES)
           : strcmp(name, "brier") == 0   ? vip_brier(a->p, a->label, CLIPS, CLASSES)
           : c >= CLASSES                 ? (double)NAN
           : strncmp(name, "ap", 2) == 0  ? vip_average_precision(score, positive, CLIPS)
           : strncmp(name, "auc", 3) == 0 ? vip_auc(score, positive, CLIPS)
           : strncmp(name, "bce", 3) == 0 ? vip_binary_nll(score, y, CLIPS, 1)
                                          : (double)NAN;
}

static void
test_figures_are_those_of_scikit_learn(void **state)
{
    if (system("/usr/bin/python3 -c 'import sklearn' 2> /dev/null") != 0) {
        print_message("no scikit-learn here (Debian: python3-sklearn)\n");
        skip();
    }
    static answers a;
    char path[SCRATCH_PATH], command[2 * SCRATCH_PATH], name[32];
    make(&a);
    write_answers(&a, scratch_path(path, state, "answers"));
    (void)snprintf(command, sizeof command, "/usr/bin/python3 tests/trainer/metrics.py '%s'", path);
    FILE *theirs = popen(command, "r"); /* NOLINT(bugprone-command-processor): the path is ours */
    assert_non_null(theirs);
    double value;
    size_t compared = 0;
    while (fscanf(theirs, "%31s %lf", name, &value) == 2) { /* NOLINT(cert-err34-c) */
        if (!(fabs(ours(&a, name) - value) < 1e-9)) {
            fail_msg("%s: %.12g, scikit-learn %.12g", name, ours(&a, name), value);
        }
        compared++;
    }
    assert_int_equal(pclose(theirs), 0);
    assert_int_equal(compared, 4 + 3 * CLASSES);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_figures_are_those_of_scikit_learn, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
