/* SPDX-License-Identifier: GPL-3.0-or-later */
/* host.c -- does to the LV2 bundle what hosts do, the good and the careless: `host BUNDLE PROGRAM TINY OTHER SCRATCH`.
 *
 * TINY and OTHER are two models, PROGRAM is vipann, SCRATCH an empty folder. Each row is a line of TAP. */
#define _XOPEN_SOURCE 700 /* realpath */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"

static bool
make_broken(const char *path)
{
    FILE *f = fopen(path, "wb");
    return f != NULL && fputs("this is no model, whatever its name says\n", f) >= 0 && fclose(f) == 0;
}

int
main(int argc, char **argv)
{
    static char tiny[PATH_MAX], other[PATH_MAX], scratch[PATH_MAX], broken[PATH_MAX + 32];
    static const row *const tables[] = {audio_rows, matrix_rows, message_rows, state_rows, answer_rows};
    static bench b;
    if (argc != 6 || realpath(argv[3], tiny) == NULL || realpath(argv[4], other) == NULL ||
        realpath(argv[5], scratch) == NULL) {
        (void)fputs("usage: host BUNDLE PROGRAM TINY OTHER SCRATCH\n", stderr);
        return 2;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    (void)snprintf(broken, sizeof broken, "%s/broken.safetensors", scratch);
    (void)setenv("VIPANN_MODEL", tiny, 1);
    b = (bench){
        .names = uris_new(), .tiny = tiny, .other = other, .broken = broken, .vipann = argv[2], .scratch = scratch};
    const char *why = bundle_open(&b.lv2, argv[1]);
    if (why != NULL || b.names == NULL || !make_broken(broken)) {
        (void)printf("Bail out! %s: %s\n", argv[1], why != NULL ? why : "no room");
        return 1;
    }
    const char *only = getenv("ROW"); /* part of a name: to look at one */
    int n = 0, failed = 0;
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        for (const row *r = tables[t]; r->name != NULL; r++) {
            if (only == NULL || strstr(r->name, only) != NULL) {
                bool well = r->holds(&b);
                failed += !well;
                (void)printf("%sok %d - %s\n", well ? "" : "not ", ++n, r->name);
            }
        }
    }
    (void)printf("1..%d\n", n);
    uris_free(b.names);
    bundle_close(&b.lv2);
    return failed > 0 || n == 0;
}
