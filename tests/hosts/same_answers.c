/* SPDX-License-Identifier: GPL-3.0-or-later */
/* same_answers.c -- whether a stretch of sound that tap.c wrote down gave what `vipann file` says of it:
 * `same_answers PROGRAM MODEL PREFIX`, where PREFIX.log and PREFIX.au are the stretch. Where the host was free-wheeling,
 * nothing may be missing; else answers may be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"

typedef struct {
    account said;
    bool freewheel;
    double lost;
} stretch;

static void
take_line(stretch *s, const char *line)
{
    account *a = &s->said;
    answer x;
    span e;
    int freewheel;
    if (sscanf(line, "begin %*s freewheel %d", &freewheel) == 1) {
        s->freewheel = freewheel != 0;
    } else if (sscanf(line, "result %lf %lf %lf %lf %lf %lf %lf %lf lost %lf", &x.time, &x.probability, &x.class_index,
                      &x.total, &x.aleatoric, &x.epistemic, &x.level, &x.passes, &s->lost) == 9 &&
               a->n < MOST_ANSWERS) {
        a->list[a->n++] = x;
    } else if (sscanf(line, "event class %lf ended %lf %lf %lf %lf", &e.class_index, &e.start, &e.end, &e.p_max,
                      &e.epistemic) == 5 &&
               a->n_spans < MOST_ANSWERS) {
        a->spans[a->n_spans++] = e;
    }
}

static bool
read_stretch(stretch *s, const char *prefix)
{
    char text[8192];
    (void)snprintf(text, sizeof text, "%s.log", prefix);
    FILE *f = fopen(text, "r");
    if (f == NULL) {
        return no("no %s", text);
    }
    while (fgets(text, sizeof text, f) != NULL) {
        take_line(s, text);
    }
    return fclose(f) == 0;
}

int
main(int argc, char **argv)
{
    static account file;
    static stretch in_host;
    if (argc != 4) {
        (void)fputs("usage: same_answers PROGRAM MODEL PREFIX\n", stderr);
        return 2;
    }
    const asked q = {.model = argv[2]};
    char path[4096];
    (void)snprintf(path, sizeof path, "%s.au", argv[3]);
    json_t *labels = account_labels(argv[1], &q);
    bool well = labels != NULL && read_stretch(&in_host, argv[3]) &&
                account_add_file(&file, argv[1], &q, path, false, labels) &&
                account_same_answers(&file, &in_host.said, in_host.freewheel) &&
                (in_host.lost == 0 || no("%g s of sound were lost", in_host.lost));
    if (well && in_host.freewheel) {
        well = account_add_file(&file, argv[1], &q, path, true, labels) && account_same_events(&file, &in_host.said);
    }
    json_decref(labels);
    (void)printf("%zu answers, %zu events%s\n", in_host.said.n, in_host.said.n_spans,
                 well ? "" : ": not as of the file");
    return !well;
}
