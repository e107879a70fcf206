/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_vectors.c -- holds the engine to the numbers of the reference: test_vectors FOLDER
 *
 * Every case in the folder is checked within the tolerance that the reference states for its kind. A case says itself
 * what it is and which model it belongs to; names of files do not matter. One line for each check, then a count. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"

static void
skip_gradients(const vector_case *c, tally *t)
{
    (void)c;
    tally_skip(t, "gradients", "they are the trainer's");
}

static void
skip_moped(const vector_case *c, tally *t)
{
    (void)c;
    tally_skip(t, "rho", "initial weights are the trainer's");
}

static const struct {
    const char *kind;
    void (*check)(const vector_case *c, tally *t);
} kinds[] = {{"frontend", check_frontend},   {"filters", check_filters},
             {"keyed", check_keyed},         {"net", check_net},
             {"dropout", check_dropout},     {"flipout", check_flipout},
             {"meanfield", check_meanfield}, {"moments", check_moments},
             {"stream", check_stream},       {"gradients", skip_gradients},
             {"moped", skip_moped}};

static void
check(const vector_case *c, tally *t)
{
    const char *kind = case_text(c, "kind");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].kind, kind) == 0) {
            kinds[i].check(c, t);
            return;
        }
    }
    tally_fail(t, "kind", "there is no kind of case called '%s'", kind);
}

static void
check_file(const char *folder, const char *file, tally *t)
{
    vector_case c;
    const char *wrong = case_open(&c, folder, file);
    t->name = file;
    if (wrong != NULL) {
        tally_fail(t, "file", "%s", wrong);
    } else if (c.about != NULL) {
        t->name = *case_text(&c, "name") != '\0' ? case_text(&c, "name") : file;
        check(&c, t);
    }
    case_close(&c);
}

static int
is_vector(const struct dirent *entry)
{
    static const char ending[] = ".safetensors";
    const size_t length = strlen(entry->d_name), n = sizeof ending - 1;
    return length > n && strcmp(entry->d_name + length - n, ending) == 0;
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: test_vectors FOLDER\n");
        return 2;
    }
    struct dirent **entries;
    const int n = scandir(argv[1], &entries, is_vector, alphasort);
    if (n < 0) {
        perror(argv[1]);
        return 1;
    }
    tally t = {0};
    for (int i = 0; i < n; i++) {
        check_file(argv[1], entries[i]->d_name, &t);
        free(entries[i]);
    }
    free(entries);
    if (t.passed + t.failed + t.skipped == 0) {
        t.name = argv[1];
        tally_fail(&t, "folder", "there is no case in it");
    }
    printf("%zu passed, %zu failed, %zu skipped\n", t.passed, t.failed, t.skipped);
    return t.failed > 0;
}
